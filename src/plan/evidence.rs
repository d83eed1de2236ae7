//! What was read from the API server for one plan, at one moment, raw where a write must repeat it.

use jiff::Timestamp;

use crate::domain::build::JobId;
use crate::domain::measured::Rule;
use crate::domain::{
    Autoscaler, Canary, ChartManifest, ChartRelease, Hold, Level, Phase, Pod, Repository, Revision,
    Sync, SyncParts, SyncRef, Verbatim, Workload, WorkloadId,
};

use super::expected::Took;
use super::{Presence, Request};

/// The fresh reads of `actions::gather`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub request: Request,
    pub stamp: Stamp,
    pub level: Level,
    /// Those about this service that stand at the time of the reads.
    pub holds: Vec<Hold>,
    pub workload: Workload,
    /// The workload that serves in its place: that of the stable side, when its canary has it in another one.
    pub serving: Option<Workload>,
    /// The one that it serves in the place of, when it is the stable side of a canary itself.
    pub stable_of: Option<Box<StableOf>>,
    /// What a write to that one repeats, of a canary that a person moves.
    pub beside: Option<Beside>,
    /// The canary that serves beside it. Only read where that is what somebody may have meant.
    pub has_beside: Option<WorkloadId>,
    /// The bytes of `/spec/template`.
    pub template: Verbatim,
    /// There is a `metadata.annotations` map to add to.
    pub has_annotations: bool,
    /// The annotation `rolldeck.dev/action` is already there (its raw value), whoever it speaks of.
    pub noted: Option<Box<str>>,
    /// The same of `rolldeck.dev/turn`.
    pub turned: Option<Box<str>>,
    pub revisions: Vec<FreshRevision>,
    pub pods: Vec<Pod>,
    /// Who else sets the number of replicas. Only read when that is what is asked for.
    pub autoscaling: Autoscaling,
    pub phase: Phase,
    /// Of the image that is asked for, where the environment wants one.
    pub pinned: Pinned,
    /// Where an image is promoted from, when that is what is asked for.
    pub origin: Option<Box<Origin>>,
    /// What keeps it as git has it.
    pub keeper: Keeper,
    pub helm: Helm,
    /// Who else carries out a plan on it now, where that is looked at.
    pub presence: Option<Presence>,
    /// Why what the analyses of its canary measured is not known, where that matters.
    pub unjudged: Option<String>,
    /// How a canary is judged by its metrics, where the settings say who measures them.
    pub measured: Option<Rule>,
    /// Where its source lies, when the settings say.
    pub repository: Option<Repository>,
    /// The job that builds it, when the settings or its annotation say.
    pub job: Option<JobId>,
    /// Seconds that a hold of that job lasts.
    pub hold_for: u32,
    /// How long earlier actions on it took, oldest first.
    pub past: Vec<Took>,
    /// Seconds that every pod must be ready for in the end.
    pub ready_for: u32,
    pub read_at: Timestamp,
}

/// The target of a canary, and what is said of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StableOf {
    pub target: WorkloadId,
    pub canary: Canary,
}

/// The raw parts of the Deployment that the canary of a pair serves beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The bytes of `/spec/template`.
    pub template: Verbatim,
    /// There is a `metadata.annotations` map to add to.
    pub has_annotations: bool,
    /// What keeps it as git has it.
    pub keeper: Keeper,
    /// The same of what routes to the two.
    pub route_keeper: Keeper,
    /// Who else sets its number of replicas. Only read where the share depends on that.
    pub autoscaling: Autoscaling,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Autoscaling {
    None,
    By(Autoscaler),
    /// It cannot be read, and why.
    Unknown(String),
}

/// The digest that an image is written with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Pinned {
    /// It is written as it was asked for.
    #[default]
    No,
    /// `sha256:…`, as its registry said right before.
    To(Box<str>),
    /// It cannot be had, and why.
    Unknown(String),
}

/// What an image is promoted from, as it was read for the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub workload: Workload,
    /// The bytes of `/spec/template`.
    pub template: Verbatim,
    pub phase: Phase,
    /// Those of the template that runs; the error is why they cannot be read.
    pub pods: Result<Vec<Pod>, String>,
    /// Of each container that is carried over.
    pub digests: Vec<(Box<str>, Digest)>,
    /// When its template was last written.
    pub since: Option<Timestamp>,
    /// Seconds that it should have run.
    pub soak: u32,
    pub read_at: Timestamp,
}

/// How the digest of a running container is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    /// Its pods run it, or its template names it.
    Runs(Box<str>),
    /// The registry has it for the tag now.
    OfTag(Box<str>),
    /// Its pods run more than one.
    Several(Vec<Box<str>>),
    /// It cannot be had, and why.
    Unknown(String),
}

/// What one can go back with by the Helm release that the workload is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Helm {
    /// The person's own `helm`, where it is on the PATH.
    pub program: Option<Box<str>>,
    /// The file that `--kubeconfig` named.
    pub kubeconfig: Option<Box<str>>,
    pub releases: Releases,
}

/// Only read when that is what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Releases {
    #[default]
    NotRead,
    /// Newest first.
    Found {
        revisions: Vec<(ChartRelease, ChartManifest)>,
        unreadable: usize,
        /// `secrets` or `configmaps`.
        kept_in: &'static str,
    },
    /// They cannot be read, and why.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// Nothing on the workload names one.
    None,
    Found(Box<FreshSync>),
    /// Its marks name one that cannot be read, and why.
    Unknown {
        named: SyncRef,
        why: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshSync {
    pub sync: Sync,
    pub parts: SyncParts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshRevision {
    pub revision: Revision,
    /// The bytes of its pod template, hash label included.
    pub template: Verbatim,
}

/// Who acts, when, and the id that ties record, annotation and follow together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub id: String,
    /// `user@host` of the operating system.
    pub by: String,
    pub at: Timestamp,
}
