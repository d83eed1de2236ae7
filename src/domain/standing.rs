//! How a workload stands: its phase, how far its rollout is, and why it is stuck, from what the cluster says.

use jiff::Timestamp;

use super::{Phase, Pod, Progress, Revision, Warning, Workload};

/// What a workload's row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub phase: Phase,
    /// Present while a rollout is under way or stuck.
    pub progress: Option<Progress>,
    /// Since when the rollout is on its way.
    pub since: Option<Timestamp>,
    /// When the controller gives up.
    pub gives_up: Option<Timestamp>,
    pub why: Option<Why>,
}

/// Why a workload is not steady: a kind that code can ask for, and one clause for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub reason: Reason,
    /// Not escaped: it may hold words from the cluster.
    pub text: String,
    /// The pod that shows it, when one does.
    pub pod: Option<Box<str>>,
}

/// The reasons that have a meaning of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    ImagePull,
    CrashLoop,
    OutOfMemory,
    Config,
    CreateFailed,
    Unschedulable,
    Quota,
    Admission,
    NotReady,
    Evicted,
    DeadlineExceeded,
    NoProgress,
    Paused,
    Partition,
    OnDelete,
    Draining,
    NotSeenYet,
    Unavailable,
    Other,
}

/// Everything that is known about one workload; the parts that are not watched are empty.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub workload: &'a Workload,
    pub revisions: &'a [Revision],
    pub pods: &'a [&'a Pod],
    pub warnings: &'a [&'a Warning],
}

/// How a workload stands, from what is known of it alone.
pub fn standing(evidence: Evidence<'_>, _now: Timestamp) -> Standing {
    let workload = evidence.workload;
    Standing {
        phase: if workload.desired == 0 {
            Phase::ScaledToZero
        } else {
            Phase::Unknown
        },
        progress: None,
        since: None,
        gives_up: None,
        why: None,
    }
}
