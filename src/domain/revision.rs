//! One pod template of a workload: a ReplicaSet or a ControllerRevision, as a slim row.

use jiff::Timestamp;

use super::{ActionNote, Condition, Container, TemplateHash, Uid, WorkloadId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The workload whose uid is the controller owner.
    pub workload: WorkloadId,
    pub owner: Uid,
    pub name: Box<str>,
    pub uid: Uid,
    /// The number it has now; 0 when the cluster gives none.
    pub number: u64,
    /// The numbers it had before a rollback gave it a new one, oldest first.
    pub former: Box<[u64]>,
    pub created: Timestamp,
    pub containers: Box<[Container]>,
    pub version_label: Option<Box<str>>,
    /// The raw template, hash label included, as the revision holds it.
    pub template: TemplateHash,
    /// `pod-template-hash` or `controller-revision-hash`, as its pods carry it.
    pub pod_hash: Box<str>,
    pub desired: u32,
    pub ready: u32,
    pub available: u32,
    /// `ReplicaFailure`, when there is one.
    pub failure: Option<Box<Condition>>,
    pub change_cause: Option<Box<str>>,
    /// The note that was on the workload when this was its current revision.
    pub action: Option<Box<ActionNote>>,
}

impl Revision {
    /// `rev 7`, or `rev 7, was 3, 5` after renumbering.
    pub fn label(&self) -> String {
        if self.former.is_empty() {
            return format!("rev {}", self.number);
        }
        let former: Vec<_> = self.former.iter().map(u64::to_string).collect();
        format!("rev {}, was {}", self.number, former.join(", "))
    }
}
