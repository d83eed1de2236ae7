//! Flagger: what its Canary object says beside what every provider does.

use jiff::{SignedDuration, Timestamp};

use super::{Canary, Verdict};
use crate::domain::pair::route::RouteKind;
use crate::domain::{Uid, Warning};

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
    /// When the release that is on its way began.
    pub began: Option<Timestamp>,
    /// It looks, and acts, once in so many seconds.
    pub interval: u32,
    /// Weights are set by a traffic router; else it is judged so many times before it gets any traffic.
    pub weighted: bool,
    /// Requests that match go to the canary, and no other.
    pub matched: bool,
    /// What it writes its weights into, of the kinds that are read.
    pub weighed: Option<Weighed>,
    pub gates: Box<[Gate]>,
    /// `spec.suspend` and `spec.skipAnalysis`, when they are written at all: a test has to say the same.
    pub suspend: Option<bool>,
    pub skip_analysis: Option<bool>,
}

/// What sends to both sides by weight. Its status does not always say what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    pub kind: RouteKind,
    pub name: Box<str>,
    /// The Services of the two sides.
    pub canary: Box<str>,
    pub stable: Box<str>,
    /// What sends by it has taken it as it stands; `None` while it was not looked at.
    pub taken: Option<bool>,
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

    /// The target is kept at zero: what serves is the stable side alone.
    pub fn is_without_pods(self) -> bool {
        self.is_at_rest() || matches!(self, Self::Waiting | Self::Failed)
    }

    /// The stable side has the new template already.
    pub fn is_past_analysis(self) -> bool {
        matches!(self, Self::Promoting | Self::Finalising)
    }
}

/// The newest thing that keeps it from going on, by its events: no status says so. `None` when they are not of this run.
pub fn told<'a>(
    canary: &Canary,
    warnings: impl IntoIterator<Item = &'a Warning>,
    now: Timestamp,
) -> Option<&'a str> {
    let flagger = canary.flagger.as_deref()?;
    // It repeats itself at each look, and says nothing more once it gave up.
    let until = canary.aborted_at.unwrap_or(now);
    let since = until
        .checked_sub(flagger.looks(3))
        .unwrap_or(Timestamp::MIN)
        .max(flagger.began.unwrap_or(Timestamp::MIN));
    let of_now = |w: &&Warning| w.about_uid == flagger.uid && w.last_seen >= since;
    let said = warnings.into_iter().filter(of_now);
    let said = said.filter_map(|w| Some((rank(&w.message)?, w.last_seen, &*w.message)));
    said.max_by_key(|(rank, at, _)| (*rank, *at))
        .map(|(_, _, message)| cause(message))
}

/// What says why before what only says that; `None`: it says nothing of that.
fn rank(message: &str) -> Option<u8> {
    let message = bare(message);
    let only_that = ["Canary failed!", "Post-rollout hook", "A/B testing is not"];
    if only_that.iter().any(|word| message.starts_with(word)) {
        return None;
    }
    Some(u8::from(!message.starts_with("Rolling back ")))
}

/// `Halt web.shop advancement errors 50.00 < 99` without what everybody knows.
fn cause(message: &str) -> &str {
    let message = bare(message);
    let halted = message.strip_prefix("Halt ");
    if let Some((_, why)) = halted.and_then(|rest| rest.split_once("advancement ")) {
        return why;
    }
    let rolled = message.strip_prefix("Rolling back ");
    rolled
        .and_then(|rest| rest.split_once(' '))
        .map_or(message, |(_, why)| why)
}

fn bare(message: &str) -> &str {
    message
        .strip_prefix("(combined from similar events): ")
        .unwrap_or(message)
}

/// Writes what events of this run say of its metrics, which no status does: a value is only told of while it is not as
/// it should be. The oldest come first.
pub fn measure<'a>(canary: &mut Canary, warnings: impl IntoIterator<Item = &'a Warning>) {
    let Some(flagger) = canary.flagger.as_deref() else {
        return;
    };
    let (uid, since) = (flagger.uid.clone(), flagger.began.or(canary.aborted_at));
    let looks = flagger.looks(3);
    let Some(since) = since.and_then(|since| since.checked_sub(looks).ok()) else {
        return;
    };
    for warning in warnings {
        if warning.about_uid == uid && warning.last_seen >= since {
            for metric in canary.analyses.iter_mut().flat_map(|run| &mut run.metrics) {
                if let Some(value) = value(&metric.name, cause(&warning.message)) {
                    (metric.value, metric.verdict) = (value.into(), Verdict::Failed);
                }
            }
        }
    }
}

/// `errors 50.00 < 99`; the two that are built in have other words.
fn value<'a>(metric: &str, said: &'a str) -> Option<&'a str> {
    let words = match metric {
        "request-success-rate" => "success rate",
        "request-duration" => "request duration",
        name => name,
    };
    let rest = said.strip_prefix(words)?.strip_prefix(' ')?;
    rest.split(' ').next()
}

impl Flagger {
    /// The time between so many of its looks.
    pub fn looks(&self, many: i64) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.interval).saturating_mul(many))
    }

    pub fn suspended(&self) -> bool {
        self.suspend == Some(true)
    }

    /// What comes goes to all without a check.
    pub fn is_unchecked(&self) -> bool {
        self.skip_analysis == Some(true)
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
pub(crate) fn sample(phase: Phase) -> Canary {
    use super::{Pause, PausedBy, Provider, Reported, Step};
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
        pair: None,
        flagger: Some(Box::new(Flagger {
            name: "checkout".into(),
            uid: "c1".into(),
            phase,
            failed: 0,
            threshold: 2,
            began: phase
                .is_under_way()
                .then(|| crate::domain::fixture::ago(300)),
            interval: 10,
            weighted: false,
            matched: false,
            weighed: None,
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
