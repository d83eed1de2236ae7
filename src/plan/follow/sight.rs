//! What the feeds know of the pods that an action is about: those of its target, those that are left, those that stay.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Goal;
use crate::domain::revision::same_images;
use crate::domain::standing::{Evidence, standing};
use crate::domain::template::CanonicalHash;
use crate::domain::{Fleet, Kind, Phase, Pod, Revision, Strategy, Warning, Why, Workload};
use crate::text;

pub(super) struct Sight<'a> {
    pub workload: &'a Workload,
    revisions: &'a [Revision],
    warnings: Vec<&'a Warning>,
    all: Vec<&'a Pod>,
    /// Pods of the target revision that are not on their way out.
    pub target: Vec<&'a Pod>,
    /// All other pods that are to go, those that are terminating included.
    pub others: Vec<&'a Pod>,
    /// Below a partition, with another template, which they keep.
    pub held: Vec<&'a Pod>,
}

impl<'a> Sight<'a> {
    pub fn new(fleet: &'a Fleet, workload: &'a Workload, goal: &Goal) -> Self {
        let revisions = fleet.revisions(workload);
        let hash = target_hash(workload, revisions, goal);
        let all = fleet.pods(workload);
        let ours = |pod: &Pod| Some(&*pod.revision) == hash;
        let there = all.iter().copied().filter(|pod| !pod.ended());
        let (target, rest): (Vec<_>, Vec<_>) = there.partition(|pod| ours(pod) && !pod.terminating);
        let (held, others) = rest
            .into_iter()
            .partition(|pod| !ours(pod) && workload.holds_back(pod));
        Self {
            workload,
            revisions,
            warnings: fleet.warnings(workload),
            all,
            target,
            others,
            held,
        }
    }

    /// How many have to run the target: pods, or the nodes that should have one.
    pub fn wanted(&self) -> usize {
        let desired = usize::try_from(self.workload.desired).unwrap_or(usize::MAX);
        desired.saturating_sub(self.held.len())
    }

    /// How many of the wanted these are: of a DaemonSet the nodes that they are on.
    pub fn covered(&self, pods: &[&Pod]) -> usize {
        match self.workload.id.kind {
            Kind::Deployment | Kind::Rollout | Kind::StatefulSet => pods.len(),
            Kind::DaemonSet => {
                let nodes = pods.iter().filter_map(|pod| pod.node.as_ref());
                nodes.collect::<BTreeSet<_>>().len()
            }
        }
    }

    /// The controller's counts agree. By themselves they prove nothing: they count pods, not what those run.
    pub fn counts_agree(&self) -> bool {
        let (counts, desired) = (self.workload.counts, self.workload.desired);
        counts.total == desired && (counts.updated == desired || !self.held.is_empty())
    }

    /// The one cause that keeps the target's pods from serving.
    pub fn why(&self, now: Timestamp) -> (Phase, Option<Why>) {
        let pods = match self.workload.id.kind {
            // The trouble of those that are replaced is not ours.
            Kind::Deployment | Kind::Rollout | Kind::DaemonSet => &self.target,
            // Here one of them may be what all others wait for.
            Kind::StatefulSet => &self.all,
        };
        let standing = standing(
            Evidence {
                workload: self.workload,
                serving: None,
                revisions: self.revisions,
                pods,
                warnings: &self.warnings,
            },
            now,
        );
        (standing.phase, standing.why)
    }

    /// What waits for a person, in words.
    pub fn waits(&self) -> Option<String> {
        if self.workload.paused {
            return Some("paused: no new pod starts until it is resumed".into());
        }
        let kept = self.others.iter().filter(|pod| !pod.terminating);
        let kept: Vec<_> = kept.map(|pod| &*pod.name).collect();
        if self.workload.strategy == Strategy::OnDelete && !kept.is_empty() {
            let names = text::list(&kept);
            return Some(match kept.len() {
                1 => format!("OnDelete: {names} keeps its old template until it is deleted"),
                _ => format!("OnDelete: {names} keep their old template until they are deleted"),
            });
        }
        (self.wanted() == 0 && !self.held.is_empty())
            .then(|| "the partition lets no pod move".to_owned())
    }
}

/// The revision that the workload's template is, once its controller has seen it.
pub(super) fn target<'a>(
    workload: &Workload,
    revisions: &'a [Revision],
    to: &CanonicalHash,
) -> Option<&'a Revision> {
    let its = |r: &&Revision| match workload.id.kind {
        // The number moves to the re-used revision, or to a new one when the server filled in defaults. The controller
        // may say that it has seen a template before it writes the number, so the images have to agree as well.
        Kind::Deployment | Kind::Rollout => {
            r.number > 0
                && workload.revision == Some(r.number)
                && same_images(&r.containers, &workload.containers)
        }
        Kind::StatefulSet => workload.update_revision.as_ref() == Some(&r.name),
        Kind::DaemonSet => r.canonical.as_ref() == Some(to),
    };
    revisions.iter().find(its)
}

/// As its pods carry it. Those of a StatefulSet name the revision itself, so that it need not be known.
fn target_hash<'a>(
    workload: &'a Workload,
    revisions: &'a [Revision],
    goal: &Goal,
) -> Option<&'a str> {
    let known = || {
        let named = || revisions.iter().find(|r| r.name == goal.revision_name);
        target(workload, revisions, &goal.to).or_else(named)
    };
    match (workload.id.kind, &workload.update_revision) {
        (Kind::StatefulSet, Some(name)) => Some(name),
        _ => known().map(|revision| &*revision.pod_hash),
    }
}
