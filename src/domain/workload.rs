//! What runs a service in one environment, reduced to what the screens and the phases need.

use jiff::Timestamp;

use super::{
    ActionNote, Canary, Container, Kind, Labels, Pod, SyncKind, SyncRef, TemplateHash, Uid,
    WorkloadId,
};

/// Names the job that builds a workload: folders, then the job.
pub const JOB_ANNOTATION: &str = "rolldeck.dev/job";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    pub id: WorkloadId,
    pub uid: Uid,
    pub created: Timestamp,
    /// A deletion timestamp is set.
    pub deleting: bool,
    pub generation: i64,
    pub observed_generation: i64,
    /// The template that these rows show.
    pub template: TemplateHash,
    /// Its own, not those of its pods.
    pub labels: Labels,
    pub containers: Box<[Container]>,
    /// `app.kubernetes.io/version` of the pod template, else of the workload.
    pub version_label: Option<Box<str>>,
    /// `spec.selector` in the form that list requests take.
    pub selector: Box<str>,
    /// `spec.replicas`; for a DaemonSet the nodes it wants.
    pub desired: u32,
    /// `spec.ordinals.start` of a StatefulSet: its pods are numbered from there.
    pub first_ordinal: u32,
    pub counts: Counts,
    pub conditions: Box<[Condition]>,
    pub paused: bool,
    pub strategy: Strategy,
    /// Seconds without progress after which the Deployment controller gives up.
    pub deadline_seconds: Option<u32>,
    pub min_ready_seconds: u32,
    /// Old revisions that the cluster keeps.
    pub history_limit: Option<u32>,
    /// `deployment.kubernetes.io/revision`.
    pub revision: Option<u64>,
    /// `status.currentRevision` and `status.updateRevision` of a StatefulSet.
    pub current_revision: Option<Box<str>>,
    pub update_revision: Option<Box<str>>,
    /// Who would put another template back.
    pub manager: Option<Manager>,
    /// The manager and time of the newest write of the pod template, from managedFields.
    pub written_by: Option<(Box<str>, Timestamp)>,
    /// When anything but the status was last written, the scale included.
    pub spec_written: Option<Timestamp>,
    /// Present only while it speaks of the live template.
    pub action: Option<Box<ActionNote>>,
    /// What was done last and left the template as it is. Present only while that one is live.
    pub turn: Option<Box<ActionNote>>,
    /// How the controller moves it from one revision to another, when that stops part-way on purpose.
    pub canary: Option<Box<Canary>>,
    /// The full name of the job that builds it, by its annotation [`JOB_ANNOTATION`].
    pub job: Option<Box<str>>,
    /// The address of its source, by the annotation of its template, or its own.
    pub repository: Option<Box<str>>,
}

/// The status counts. Terminating pods are in none but `terminating`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub total: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    /// Unknown before Kubernetes 1.35.
    pub terminating: Option<u32>,
    /// DaemonSet: pods on nodes that should not have one.
    pub misscheduled: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `Available`, `Progressing`, `ReplicaFailure`.
    pub kind: Box<str>,
    pub status: Truth,
    pub reason: Box<str>,
    pub message: Box<str>,
    pub updated: Option<Timestamp>,
    pub changed: Option<Timestamp>,
}

/// A condition's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategy {
    /// Amounts as they stand in the spec: `1`, `25%`. A StatefulSet's partition leaves so many of its first pods alone.
    Rolling {
        max_unavailable: Option<Box<str>>,
        max_surge: Option<Box<str>>,
        partition: u32,
        /// StatefulSet with `podManagementPolicy: OrderedReady`.
        ordered: bool,
    },
    Recreate,
    OnDelete,
    /// A strategy this version does not know.
    Other(Box<str>),
}

/// A tool that owns the pod template and may put it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manager {
    /// Argo CD or Flux, which keep what git says.
    Sync(SyncRef),
    /// The release's name.
    Helm(Box<str>),
    /// `kubectl apply`, by its last-applied annotation.
    LastApplied,
    /// A server-side apply manager that owns `spec.template`.
    Apply(Box<str>),
    /// The Canary of Flagger, which made it and writes it with each promotion.
    Flagger(Box<str>),
}

impl Workload {
    /// The template is rolled out, as far as the status tells: pods that are missing now are a matter of scale or
    /// health. For a Deployment it is the controller's own rule: once the new ReplicaSet was available, progress
    /// is not looked at again.
    pub fn rollout_is_finished(&self) -> bool {
        match self.id.kind {
            Kind::Deployment => {
                let available = |c: &Condition| &*c.reason == "NewReplicaSetAvailable";
                self.condition("Progressing").is_some_and(available)
                    && self.counts.total == self.counts.updated
            }
            Kind::StatefulSet => self.current_revision == self.update_revision,
            Kind::DaemonSet => self.counts.updated >= self.desired,
            Kind::Rollout => self.canary.as_ref().is_some_and(|c| c.is_promoted()),
        }
    }

    /// It was told to stand still until it is resumed, by what moves it.
    pub fn stands_still(&self) -> bool {
        let flagger = self
            .canary
            .as_ref()
            .and_then(|canary| canary.flagger.as_ref());
        flagger.map_or(self.paused, |flagger| flagger.suspended())
    }

    /// It is one of the first pods of a StatefulSet, which its partition leaves as they are.
    pub fn holds_back(&self, pod: &Pod) -> bool {
        let Strategy::Rolling { partition, .. } = self.strategy else {
            return false;
        };
        let first_that_moves = self.first_ordinal.saturating_add(partition);
        self.id.kind == Kind::StatefulSet && pod.ordinal().is_some_and(|n| n < first_that_moves)
    }

    /// What people call it: the value of the label that the settings name, else its own name.
    pub fn service(&self, label: Option<&str>) -> &str {
        let named = label.and_then(|key| self.labels.get(key));
        named
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.id.name)
    }

    /// What its controller of canaries says, when it has one.
    pub fn controlled(&self) -> Option<&Canary> {
        let canary = self.canary.as_deref();
        canary.filter(|canary| canary.provider.has_controller())
    }

    /// One of our notes on it tells of this action.
    pub fn is_noted(&self, id: &str) -> bool {
        let notes = [&self.action, &self.turn];
        notes.into_iter().flatten().any(|note| note.id == id)
    }

    /// What keeps it as git has it, by its marks.
    pub fn kept_by(&self) -> Option<&SyncRef> {
        match self.manager.as_ref()? {
            Manager::Sync(sync) => Some(sync),
            Manager::Helm(_) | Manager::LastApplied | Manager::Apply(_) | Manager::Flagger(_) => {
                None
            }
        }
    }

    /// The Helm release that it is a part of, by its marks: that of a HelmRelease has its name unless it says otherwise.
    pub fn chart_release(&self) -> Option<&str> {
        match self.manager.as_ref()? {
            Manager::Helm(name) => Some(name),
            Manager::Sync(sync) if sync.kind == SyncKind::HelmRelease => Some(&sync.name),
            Manager::Sync(_) | Manager::LastApplied | Manager::Apply(_) | Manager::Flagger(_) => {
                None
            }
        }
    }

    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| &*c.kind == kind)
    }
}
