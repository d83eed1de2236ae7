//! What is verified before a write, and what came of it.

pub mod autoscaler;
pub mod builds;
pub mod changed;
pub mod commits;
pub mod controller;
pub mod differs;
pub mod downtime;
pub mod history;
pub mod hold;
pub mod image;
pub mod metrics;
pub mod origin;
pub mod owner;
pub mod paused;
pub mod quota;
pub mod readiness;
pub mod references;
pub mod settings;
pub mod siblings;
pub mod soak;
pub mod strategy;
pub mod withdrawn;

use jiff::Timestamp;

use crate::domain::Workload;
use crate::domain::build::JobId;

/// The checks, in the order in which a plan shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    Permission,
    Unchanged,
    Differs,
    DryRun,
    Image,
    Origin,
    Soak,
    Config,
    Settings,
    Withdrawn,
    Changed,
    Commits,
    Owner,
    Paused,
    Strategy,
    Hold,
    Quota,
    Downtime,
    Readiness,
    Analysis,
    Metrics,
    History,
    Siblings,
    Builds,
    Autoscaler,
    Presence,
    Controller,
}

impl CheckId {
    pub const ALL: [Self; 27] = [
        Self::Permission,
        Self::Unchanged,
        Self::Differs,
        Self::DryRun,
        Self::Image,
        Self::Origin,
        Self::Soak,
        Self::Config,
        Self::Settings,
        Self::Withdrawn,
        Self::Changed,
        Self::Commits,
        Self::Owner,
        Self::Paused,
        Self::Strategy,
        Self::Hold,
        Self::Quota,
        Self::Downtime,
        Self::Readiness,
        Self::Analysis,
        Self::Metrics,
        Self::History,
        Self::Siblings,
        Self::Builds,
        Self::Autoscaler,
        Self::Presence,
        Self::Controller,
    ];

    /// In the words of the JSON, which a test holds to it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::Unchanged => "unchanged",
            Self::Differs => "differs",
            Self::DryRun => "dry-run",
            Self::Image => "image",
            Self::Origin => "origin",
            Self::Soak => "soak",
            Self::Config => "config",
            Self::Settings => "settings",
            Self::Withdrawn => "withdrawn",
            Self::Changed => "changed",
            Self::Commits => "commits",
            Self::Owner => "owner",
            Self::Paused => "paused",
            Self::Strategy => "strategy",
            Self::Hold => "hold",
            Self::Quota => "quota",
            Self::Downtime => "downtime",
            Self::Readiness => "readiness",
            Self::Analysis => "analysis",
            Self::Metrics => "metrics",
            Self::History => "history",
            Self::Siblings => "siblings",
            Self::Builds => "builds",
            Self::Autoscaler => "autoscaler",
            Self::Presence => "presence",
            Self::Controller => "controller",
        }
    }

    /// Without an answer to these nothing is written.
    pub fn must(self) -> bool {
        matches!(self, Self::Permission | Self::Unchanged | Self::DryRun)
    }

    /// A block that a reason cannot lift.
    pub fn final_block(self) -> bool {
        matches!(self, Self::Permission | Self::Unchanged)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    Ok,
    Warn,
    Block,
    Unverified,
}

impl Finding {
    /// As every list of checks has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Block => "BLOCK",
            Self::Unverified => "unverified",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub check: CheckId,
    pub finding: Finding,
    /// One sentence. It may hold words from the cluster: escape before showing.
    pub sentence: String,
}

/// One line of a plan's list of checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub id: CheckId,
    pub state: CheckState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckState {
    /// Preflight has to ask.
    Asking(Ask),
    Answered(Verdict),
}

impl From<Verdict> for Check {
    /// One that needs no question.
    fn from(verdict: Verdict) -> Self {
        Self {
            id: verdict.check,
            state: CheckState::Answered(verdict),
        }
    }
}

/// A question that only the outside can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Every step's verb, by self-review.
    Permission,
    /// A fresh read still has what the plan is bound to.
    Unchanged,
    /// The server accepts every step.
    DryRun,
    /// The registries have what its pods are started from.
    Images(image::Pulled),
    /// Everything the target template names exists.
    References(Vec<Reference>),
    /// None of these was written since.
    Changed {
        names: Vec<(ReferenceKind, Box<str>)>,
        since: Timestamp,
    },
    /// What the commits between the two sides were.
    Commits(Box<commits::Sought>),
    /// What the origin is set up with is there as well.
    Settings(Box<settings::Sought>),
    /// The quotas of the namespace have room for it.
    Quota(quota::Need),
    /// No build of this job is on its way.
    Builds(JobId),
    /// The canary does as well as the stable side.
    Metrics(Box<metrics::Sought>),
    /// No autoscaler of the namespace comes between.
    Autoscaler(Box<Workload>),
}

/// A name in a pod template that must exist in the namespace. Names and keys only, never values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    pub kind: ReferenceKind,
    pub name: Box<str>,
    /// `None`: the whole object.
    pub key: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferenceKind {
    ConfigMap,
    Secret,
    PullSecret,
    ServiceAccount,
}

impl ReferenceKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::PullSecret => "pull secret",
            Self::ServiceAccount => "ServiceAccount",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_named_as_in_the_json() {
        for check in CheckId::ALL {
            assert_eq!(serde_json::to_value(check).unwrap(), check.name());
        }
    }
}
