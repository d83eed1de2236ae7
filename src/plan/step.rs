//! One write, as data.

use jiff::Timestamp;

use crate::domain::build::JobId;
use crate::domain::canary::flagger;
use crate::domain::template::CanonicalHash;
use crate::domain::{
    ActionNote, ClusterId, Container, HelmCall, SyncId, Uid, Verbatim, Workload, WorkloadId,
};

/// The object that a step writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    pub cluster: ClusterId,
    pub namespace: Box<str>,
    /// `apps/v1`.
    pub api: &'static str,
    /// `deployments`.
    pub resource: &'static str,
    pub name: Box<str>,
}

impl ObjectRef {
    pub fn of(workload: &Workload) -> Self {
        Self {
            cluster: workload.id.cluster.clone(),
            namespace: workload.id.namespace.clone(),
            api: workload.id.kind.api(),
            resource: workload.id.kind.plural(),
            name: workload.id.name.clone(),
        }
    }

    /// It is the workload itself, and not one beside it.
    pub fn is(&self, id: &WorkloadId) -> bool {
        self.resource == id.kind.plural() && self.name == id.name
    }

    pub fn of_sync(id: &SyncId) -> Self {
        Self {
            cluster: id.cluster.clone(),
            namespace: id.namespace.clone(),
            api: id.kind.api(),
            resource: id.kind.plural(),
            name: id.name.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A JSON Patch whose first operations test what was shown.
    JsonPatch {
        object: ObjectRef,
        body: Verbatim,
        what: String,
    },
    /// The same for the status, by which a canary's controller is told what to do.
    StatusPatch {
        object: ObjectRef,
        body: Verbatim,
        what: String,
    },
    /// The same for another workload, before what is written to the one that the plan is about.
    Beside {
        object: ObjectRef,
        body: Verbatim,
        what: String,
    },
    /// The same, sent once the canary that a step before it promotes is at rest. It tests what that step wrote.
    WhenAtRest {
        object: ObjectRef,
        body: Verbatim,
        what: String,
    },
    /// The same for the one that the plan is about, once that other one runs what was written to it.
    After {
        object: ObjectRef,
        body: Verbatim,
        runs: Box<Runs>,
        what: String,
    },
    /// The same for what keeps the workload as git has it.
    SyncPatch {
        object: ObjectRef,
        body: Verbatim,
        what: String,
    },
    /// Deletes the very pod that was shown, so that its controller makes another. It is sent only after the
    /// controller has seen what was written before it.
    DeletePod {
        object: ObjectRef,
        uid: Uid,
        /// Where its successor comes up when that has another name.
        node: Option<Box<str>>,
        when: When,
        by: By,
        what: String,
    },
    /// The person's own `helm` goes back to another revision of the release.
    Helm {
        /// Where it keeps the revision that it makes.
        object: ObjectRef,
        call: Box<HelmCall>,
        what: String,
    },
    /// Our note on a template that another program wrote, which is read right before.
    Note {
        object: ObjectRef,
        uid: Uid,
        /// Speaks of what is there then.
        note: Box<ActionNote>,
        /// What stood there: the note of one that stays withdraws nothing.
        before: CanonicalHash,
        what: String,
    },
    /// The job that builds the service is switched off for a while, on its own server.
    Hold {
        job: JobId,
        until: Timestamp,
        /// When the person gives no reason.
        why: String,
        what: String,
    },
    /// A new object beside the workload.
    Create {
        object: ObjectRef,
        body: Verbatim,
        what: String,
    },
    /// Takes away what was created, as it is known.
    Remove {
        object: ObjectRef,
        uid: Uid,
        version: Box<str>,
        what: String,
    },
}

/// What a workload has to run before a step is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    pub workload: WorkloadId,
    pub uid: Uid,
    /// Of every pod of it.
    pub containers: Box<[Container]>,
    /// Seconds that each of them must have been ready for.
    pub ready_for: u32,
}

/// How a pod is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Deletion,
    /// Its disruption budgets are asked, and may say no.
    Eviction,
}

/// What has to be so for a pod to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It is not ready: its controller waits for it, and replaces nothing meanwhile.
    NotReady,
    /// The one that was deleted before it has a successor that is ready. It may serve itself.
    InTurn,
    /// Whatever its state, and whatever else goes on: a person picked this one.
    Shown,
}

impl Step {
    /// `None`: it is none of the cluster's.
    pub fn object(&self) -> Option<&ObjectRef> {
        match self {
            Self::JsonPatch { object, .. }
            | Self::StatusPatch { object, .. }
            | Self::Beside { object, .. }
            | Self::After { object, .. }
            | Self::WhenAtRest { object, .. }
            | Self::SyncPatch { object, .. }
            | Self::DeletePod { object, .. }
            | Self::Helm { object, .. }
            | Self::Note { object, .. }
            | Self::Create { object, .. }
            | Self::Remove { object, .. } => Some(object),
            Self::Hold { .. } => None,
        }
    }

    /// It writes to what keeps the workload, and not to the workload or its pods.
    pub fn is_of_sync(&self) -> bool {
        matches!(self, Self::SyncPatch { .. })
    }

    /// It writes to something beside the workload and its pods, before them.
    pub fn is_beside(&self) -> bool {
        self.is_of_sync() || self.object().is_none() || matches!(self, Self::Beside { .. })
    }

    /// It tells Flagger what to do with the canary of the workload.
    pub fn is_for_flagger(&self) -> bool {
        matches!(self, Self::JsonPatch { object, .. } | Self::StatusPatch { object, .. }
            if object.resource == flagger::PLURAL)
    }

    /// It writes to this workload itself.
    pub fn is_on(&self, id: &WorkloadId) -> bool {
        self.object().is_some_and(|object| object.is(id))
    }

    /// The name of what it writes to.
    pub fn name(&self) -> &str {
        match self {
            Self::Hold { job, .. } => &job.path,
            other => other.object().map_or("", |object| &object.name),
        }
    }

    /// In words, without a full stop.
    pub fn what(&self) -> &str {
        match self {
            Self::JsonPatch { what, .. }
            | Self::StatusPatch { what, .. }
            | Self::Beside { what, .. }
            | Self::After { what, .. }
            | Self::WhenAtRest { what, .. }
            | Self::SyncPatch { what, .. }
            | Self::DeletePod { what, .. }
            | Self::Helm { what, .. }
            | Self::Note { what, .. }
            | Self::Create { what, .. }
            | Self::Hold { what, .. }
            | Self::Remove { what, .. } => what,
        }
    }

    /// The object, the verb and the subresource that RBAC knows it by; `None` when it is none of the cluster's.
    pub fn permission(&self) -> Option<(&ObjectRef, &'static str, &'static str)> {
        let (verb, subresource) = match self {
            Self::JsonPatch { .. }
            | Self::Beside { .. }
            | Self::After { .. }
            | Self::WhenAtRest { .. }
            | Self::SyncPatch { .. }
            | Self::Note { .. } => ("patch", ""),
            Self::StatusPatch { .. } => ("patch", "status"),
            Self::Helm { .. } | Self::Create { .. } => ("create", ""),
            Self::Hold { .. } => return None,
            Self::Remove { .. } => ("delete", ""),
            Self::DeletePod { by, .. } => match by {
                By::Deletion => ("delete", ""),
                By::Eviction => ("create", "eviction"),
            },
        };
        Some((self.object()?, verb, subresource))
    }
}
