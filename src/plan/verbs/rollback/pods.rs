//! Which pods do not follow a new template by themselves, and the steps that delete them.

use crate::domain::standing::broken;
use crate::domain::{Kind, Pod, Revision, Strategy, Workload};
use crate::plan::step::{By, When};
use crate::plan::{Evidence, ObjectRef, Step};

/// Deleting more, one after another and each awaited, is no longer a thing to wait for.
const MOST: usize = 50;

/// The pods that would stay as they are, in the order in which to delete them.
#[derive(Debug, Default)]
pub struct Left<'a> {
    /// Not ready, of another template, in an ordered StatefulSet: it waits for each of them for ever.
    pub blocking: Vec<&'a Pod>,
    /// OnDelete: each keeps its template until somebody deletes it.
    pub kept: Vec<&'a Pod>,
}

impl<'a> Left<'a> {
    /// When the workload's template is that of `target`.
    pub fn new(
        workload: &Workload,
        pods: impl Iterator<Item = &'a Pod>,
        target: &Revision,
    ) -> Self {
        let old = others(pods, target);
        Self::among(workload, old, |pod| moves(workload, pod, target))
    }

    /// When all of `old` have to go, and those that `moves` come up with the new template.
    pub fn among(workload: &Workload, mut old: Vec<&'a Pod>, moves: impl Fn(&Pod) -> bool) -> Self {
        old.sort_by_key(|pod| (pod.ready, std::cmp::Reverse(pod.ordinal()), &pod.name));
        match workload.strategy {
            Strategy::OnDelete => Self {
                kept: old,
                ..Self::default()
            },
            Strategy::Rolling { ordered: true, .. } if workload.id.kind == Kind::StatefulSet => {
                old.retain(|pod| !pod.ready && moves(pod));
                Self {
                    blocking: old,
                    ..Self::default()
                }
            }
            Strategy::Rolling { .. } | Strategy::Recreate | Strategy::Other(_) => Self::default(),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &'a Pod> {
        self.blocking.iter().chain(&self.kept).copied()
    }

    pub fn blocking_steps(&self, evidence: &Evidence) -> Vec<Step> {
        steps(&self.blocking, When::NotReady, evidence)
    }

    /// `None` when there are none, or too many.
    pub fn kept_steps(&self, evidence: &Evidence) -> Option<Vec<Step>> {
        let some = (1..=MOST).contains(&self.kept.len());
        some.then(|| steps(&self.kept, When::InTurn, evidence))
    }
}

/// Those of another template than the target's that are not on their way out.
pub fn others<'a>(pods: impl Iterator<Item = &'a Pod>, target: &Revision) -> Vec<&'a Pod> {
    let old = |pod: &&Pod| pod.revision != target.pod_hash && !pod.terminating && !pod.ended();
    pods.filter(old).collect()
}

/// No partition holds it back.
pub fn is_free(workload: &Workload, pod: &Pod) -> bool {
    let Strategy::Rolling { partition, .. } = workload.strategy else {
        return true;
    };
    pod.ordinal().is_none_or(|ordinal| ordinal >= partition)
}

/// Whether it comes up with the target's template when it is made anew: below the partition of a StatefulSet it
/// does so only when that is the one that the pods there have.
pub fn moves(workload: &Workload, pod: &Pod, target: &Revision) -> bool {
    is_free(workload, pod) || workload.current_revision.as_ref() == Some(&target.name)
}

fn steps(pods: &[&Pod], when: When, evidence: &Evidence) -> Vec<Step> {
    let step = |pod: &&Pod| Step::DeletePod {
        object: ObjectRef {
            cluster: evidence.workload.id.cluster.clone(),
            namespace: evidence.workload.id.namespace.clone(),
            api: "v1",
            resource: "pods",
            name: pod.name.clone(),
        },
        uid: pod.uid.clone(),
        node: pod.node.clone(),
        when,
        by: By::Deletion,
        what: what(pod, evidence),
    };
    pods.iter().map(step).collect()
}

/// `delete pod db-1 (image not found: shop/db:2)`.
fn what(pod: &Pod, evidence: &Evidence) -> String {
    let why = broken(pod, evidence.read_at).map(|why| why.text);
    let state = why.unwrap_or_else(|| pod.word().to_owned());
    format!("delete pod {} ({state})", pod.name)
}
