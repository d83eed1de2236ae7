//! What holds a canary that has no controller: it goes on when that is changed, and somebody may change it back.

use crate::domain::{Strategy, Workload};

/// As it was shown, and what is written for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is paused, and moves then.
    Paused,
    /// So many of its first pods keep their template.
    Partition { from: u32, to: u32 },
}

impl Held {
    /// In words, when it is not held any more as it was shown.
    pub fn moved(self, now: &Workload) -> Option<String> {
        match self {
            Self::Paused => (!now.paused).then(|| "was resumed".into()),
            Self::Partition { from, .. } => {
                let at = partition(now);
                (at != from).then(|| format!("went from partition {from} to {at}"))
            }
        }
    }

    /// Why it does not come to its end: somebody else holds it again, or otherwise.
    pub(super) fn again(self, now: &Workload) -> Option<String> {
        match self {
            Self::Paused => now.paused.then(|| "it was paused again".into()),
            Self::Partition { to, .. } => {
                let at = partition(now);
                let words =
                    || format!("superseded: its partition was set to {at} by somebody else");
                (at != to).then(words)
            }
        }
    }
}

/// None is 0.
pub fn partition(workload: &Workload) -> u32 {
    match workload.strategy {
        Strategy::Rolling { partition, .. } => partition,
        Strategy::Recreate | Strategy::OnDelete | Strategy::Other(_) => 0,
    }
}
