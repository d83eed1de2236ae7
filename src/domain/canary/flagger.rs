//! Flagger: what its Canary object says beside what every provider does.

use crate::domain::Uid;

/// The API of its objects, and their name in it.
pub const API: &str = "flagger.app/v1beta1";
pub const PLURAL: &str = "canaries";

/// Of one Canary object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flagger {
    pub name: Box<str>,
    pub uid: Uid,
    pub phase: Phase,
    /// Checks that failed so far, and how many make it give up. It forgets them in the write that gives up.
    pub failed: u32,
    pub threshold: u32,
    /// It looks, and acts, once in so many seconds.
    pub interval: u32,
    /// Weights are set by a traffic router; else it is judged so many times before it gets any traffic.
    pub weighted: bool,
    /// Requests that match go to the canary, and no other.
    pub matched: bool,
    pub gates: Box<[Gate]>,
    /// `spec.suspend` and `spec.skipAnalysis`, when they are written at all: a test has to say the same.
    pub suspend: Option<bool>,
    pub skip_analysis: Option<bool>,
}

/// `status.phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Initializing,
    Initialized,
    /// For leave to begin.
    Waiting,
    Progressing,
    /// For leave to promote.
    WaitingPromotion,
    Promoting,
    Finalising,
    Succeeded,
    Failed,
    Terminating,
    /// Nothing yet, or a word that this version does not know.
    Other,
}

/// A hook that is asked at each look, and holds the canary as long as it does not say yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    pub holds: Holds,
    /// Not escaped.
    pub name: Box<str>,
    /// Without what may be secret in it.
    pub url: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Rollout,
    TrafficIncrease,
    Promotion,
    /// It gives the canary up when it says yes.
    Rollback,
}

impl Phase {
    pub const ALL: [Self; 11] = [
        Self::Initializing,
        Self::Initialized,
        Self::Waiting,
        Self::Progressing,
        Self::WaitingPromotion,
        Self::Promoting,
        Self::Finalising,
        Self::Succeeded,
        Self::Failed,
        Self::Terminating,
        Self::Other,
    ];

    /// As the status has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Initializing => "Initializing",
            Self::Initialized => "Initialized",
            Self::Waiting => "Waiting",
            Self::Progressing => "Progressing",
            Self::WaitingPromotion => "WaitingPromotion",
            Self::Promoting => "Promoting",
            Self::Finalising => "Finalising",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::Other => "",
        }
    }

    /// All goes to the stable side, and nothing is on its way.
    pub fn is_at_rest(self) -> bool {
        matches!(self, Self::Initialized | Self::Succeeded)
    }

    /// A new template is on its way, or waits to be.
    pub fn is_under_way(self) -> bool {
        matches!(
            self,
            Self::Waiting
                | Self::Progressing
                | Self::WaitingPromotion
                | Self::Promoting
                | Self::Finalising
        )
    }

    /// The stable side has the new template already.
    pub fn is_past_analysis(self) -> bool {
        matches!(self, Self::Promoting | Self::Finalising)
    }
}

impl Flagger {
    pub fn suspended(&self) -> bool {
        self.suspend == Some(true)
    }

    /// The hooks that hold it in its phase, by the spec: which of them did, it does not say.
    pub fn held_by(&self) -> impl Iterator<Item = &Gate> {
        let holds = match self.phase {
            Phase::Waiting => Some(Holds::Rollout),
            Phase::WaitingPromotion => Some(Holds::Promotion),
            _ => None,
        };
        self.gates
            .iter()
            .filter(move |gate| Some(gate.holds) == holds)
    }
}

#[cfg(test)]
/// Of `checkout`, at its second of three checks while it is on its way.
pub(crate) fn sample(phase: Phase) -> super::Canary {
    use super::{Canary, Pause, PausedBy, Provider, Reported, Step};
    let waits = matches!(phase, Phase::Waiting | Phase::WaitingPromotion);
    Canary {
        provider: Provider::Flagger,
        reported: match phase {
            Phase::Initialized | Phase::Succeeded => Reported::Healthy,
            Phase::Failed => Reported::Degraded,
            _ if waits => Reported::Paused,
            _ => Reported::Progressing,
        },
        message: "".into(),
        stable: "promoted".into(),
        current: "applied".into(),
        set: 0,
        step: 1,
        steps: [Step::Check, Step::Check, Step::Check].into(),
        pause: waits.then_some(Pause {
            by: PausedBy::Gate,
            since: Some(crate::domain::fixture::ago(120)),
            until: None,
        }),
        aborted: phase == Phase::Failed,
        stable_in: Some("checkout-primary".into()),
        flagger: Some(Box::new(Flagger {
            name: "checkout".into(),
            uid: "c1".into(),
            phase,
            failed: 0,
            threshold: 2,
            interval: 10,
            weighted: false,
            matched: false,
            gates: [
                (Holds::Rollout, "begin", "http://gate.shop/begin"),
                (Holds::Promotion, "go", "http://gate.shop/go"),
            ]
            .map(|(holds, name, url)| Gate {
                holds,
                name: name.into(),
                url: url.into(),
            })
            .into(),
            suspend: None,
            skip_analysis: None,
        })),
        ..super::sample()
    }
}
