//! What holds a canary that has no controller: it goes on when that is changed, and somebody may change it back.

use super::{Follow, Milestone};
use crate::domain::{Strategy, Workload, canary};

/// As it was shown, and what is written for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is paused, and moves then.
    Paused,
    /// So many of its first pods keep their template.
    Partition { from: u32, to: u32 },
    /// So much of a hundred goes to it by its route.
    Weight { from: u32, to: u32 },
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
            // It is not of the workload, and its patch tests it.
            Self::Weight { .. } => None,
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
            Self::Weight { .. } => None,
        }
    }
}

/// Whether what routes to it says so.
pub(super) fn weighed(workload: &Workload, to: u32) -> Follow {
    let at = canary::at(workload, []);
    let route = workload.canary.as_ref().and_then(|c| c.route());
    match (at, route) {
        (Some(at), Some(routed)) if at.set == to => {
            let route = &routed.route;
            Follow::Done(format!(
                "verified: {}/{} gives it {to}%; that the traffic follows is its router's to say",
                route.kind.short(),
                route.name
            ))
        }
        _ => {
            let text = format!("what routes to it says {to}%");
            let done = false;
            let accepted = Milestone {
                done: true,
                text: "server accepted".into(),
            };
            Follow::Pending(vec![accepted, Milestone { done, text }])
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
