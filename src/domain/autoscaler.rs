//! A `HorizontalPodAutoscaler`, as far as it decides how many pods a workload has.

use super::{ActionNote, Uid, WorkloadId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autoscaler {
    pub name: Box<str>,
    pub uid: Uid,
    /// What it scales: the kind (`Deployment`) and the name, of a group whose workloads are followed.
    pub target: Option<(Box<str>, Box<str>)>,
    /// `spec.minReplicas`: absent it counts as 1, and a server fills that in.
    pub min: Option<u32>,
    pub max: u32,
    /// `status.desiredReplicas`, once it worked that out.
    pub wants: Option<u32>,
    /// Why it scales nothing now, when its condition `ScalingActive` is false.
    pub blind: Option<Box<str>>,
    /// There is a `metadata.annotations` map to add to.
    pub has_annotations: bool,
    /// What rolldeck did to it last.
    pub turn: Option<Box<ActionNote>>,
}

impl Autoscaler {
    pub fn least(&self) -> u32 {
        self.min.unwrap_or(1)
    }

    pub fn scales(&self, id: &WorkloadId) -> bool {
        let target = self.target.as_ref();
        target.is_some_and(|(kind, name)| **kind == *id.kind.name() && *name == id.name)
    }
}
