//! Something that was changed, or that broke, at a time: one line of "what changed".

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::{ClusterId, Kind, WorkloadId};

mod assemble;
mod onset;
mod rank;
mod release;
mod scale;
mod trace;

pub use assemble::{Gathered, assemble, what_of_verb};
pub use onset::onset;
pub use rank::{Suspicion, ordered};
pub use scale::Scaling;
pub use trace::{Trace, Use, UseKind, Written};

/// What is shown of the past at most, in days.
pub const DAYS: i64 = 7;
/// So many lines are kept, the newest first.
pub const MOST: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    pub at: Timestamp,
    /// The time is not kept anywhere: it is inferred from something that happened with it.
    pub inferred: bool,
    pub what: What,
    pub subject: Subject,
    /// The services that it concerns: itself, or those that use it.
    pub services: Vec<WorkloadId>,
    /// `2.14.1 → 2.15.0`. Not escaped: it holds words from the cluster.
    pub words: String,
    pub who: Who,
    /// What it is known from: `ReplicaSet`, `managedFields`.
    pub known_from: &'static str,
    pub origin: Origin,
    pub difference: Difference,
}

/// In no order of importance: [`rank`] weighs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A revision that was not there before.
    Release,
    /// Back to a revision that had been there.
    Rollback,
    Restart,
    /// A ConfigMap.
    Config,
    Secret,
    Scale,
    /// An autoscaler moved, or its bounds did.
    Autoscaler,
    /// A field of a workload beside template and replicas.
    Spec,
    Helm,
    /// Argo CD or Flux brought something.
    Sync,
    Deletion,
    Node,
    /// A warning of the cluster: a symptom more often than a cause.
    Warning,
    /// Any other action of ours.
    Action,
}

impl What {
    pub fn word(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Rollback => "rollback",
            Self::Restart => "restart",
            Self::Config => "config",
            Self::Secret => "secret",
            Self::Scale => "scale",
            Self::Autoscaler => "autoscaler",
            Self::Spec => "spec",
            Self::Helm => "helm",
            Self::Sync => "sync",
            Self::Deletion => "deletion",
            Self::Node => "node",
            Self::Warning => "warning",
            Self::Action => "action",
        }
    }
}

/// The object that was changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    pub cluster: ClusterId,
    /// Empty for what is in none.
    pub namespace: Box<str>,
    /// As one types it: `deploy`, `cm`, `node`.
    pub kind: Box<str>,
    pub name: Box<str>,
}

impl fmt::Display for Subject {
    /// `deploy/checkout`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl From<&WorkloadId> for Subject {
    fn from(id: &WorkloadId) -> Self {
        Self {
            cluster: id.cluster.clone(),
            namespace: id.namespace.clone(),
            kind: id.kind.short().into(),
            name: id.name.clone(),
        }
    }
}

/// A person only where something durable names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Unknown,
    /// The field manager that wrote: `kubectl-set`, `helm`.
    Manager(Box<str>),
    Person(Box<str>),
}

impl Who {
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Unknown => None,
            Self::Manager(name) | Self::Person(name) => Some(name),
        }
    }
}

/// What was read for it: each fails alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    Workloads(Kind),
    ReplicaSets,
    ControllerRevisions,
    ConfigMaps,
    Secrets,
    Autoscalers,
    Nodes,
    Events,
    ArgoCd,
    Kustomizations,
    HelmReleases,
    /// The release record on this machine.
    Record,
    /// Seen by the feeds since rolldeck was started.
    Session,
}

impl Origin {
    /// What is read over the network, in the order in which it is asked.
    pub const READ: [Self; 14] = [
        Self::Workloads(Kind::Deployment),
        Self::Workloads(Kind::StatefulSet),
        Self::Workloads(Kind::DaemonSet),
        Self::Workloads(Kind::Rollout),
        Self::ReplicaSets,
        Self::ControllerRevisions,
        Self::ConfigMaps,
        Self::Secrets,
        Self::Autoscalers,
        Self::Nodes,
        Self::Events,
        Self::ArgoCd,
        Self::Kustomizations,
        Self::HelmReleases,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Workloads(kind) => kind.plural(),
            Self::ReplicaSets => "replicasets",
            Self::ControllerRevisions => "controllerrevisions",
            Self::ConfigMaps => "configmaps",
            Self::Secrets => "secrets",
            Self::Autoscalers => "horizontalpodautoscalers",
            Self::Nodes => "nodes",
            Self::Events => "events",
            Self::ArgoCd => "applications",
            Self::Kustomizations => "kustomizations",
            Self::HelmReleases => "helmreleases",
            Self::Record => "release record",
            Self::Session => "this session",
        }
    }
}

/// What there is to read about it on enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Two revisions of the workload, by the names of their objects.
    Revisions {
        workload: WorkloadId,
        from: Box<str>,
        to: Box<str>,
    },
    /// Sentences. Names of fields and of keys only, never values.
    Words(Vec<String>),
}

/// How one read went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    Asking,
    Read,
    /// The server has no such kind: nobody misses it.
    Absent,
    /// What came first is there, the rest was not read.
    Cut(String),
    Failed(String),
}

/// Everything that is known so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Newest first.
    pub occurrences: Vec<Occurrence>,
    pub readings: Vec<(Origin, Reading)>,
    /// The services that do not stand well, as far as they tell without their pods, and since when.
    pub troubled: Vec<(WorkloadId, Timestamp)>,
}

impl Report {
    /// Nothing is awaited any more.
    pub fn complete(&self) -> bool {
        !self.readings.iter().any(|(_, how)| *how == Reading::Asking)
    }

    /// What a reader has to know about what is not in the list, one sentence each.
    pub fn gaps(&self) -> Vec<String> {
        let gap = |(origin, how): &(Origin, Reading)| match how {
            Reading::Failed(why) => Some(format!("{} are missing here: {why}", origin.word())),
            Reading::Cut(why) => Some(why.clone()),
            Reading::Asking | Reading::Read | Reading::Absent => None,
        };
        if let Some(why) = self.nothing() {
            return vec![format!("nothing could be read: {why}")];
        }
        let mut gaps: Vec<String> = self.readings.iter().filter_map(gap).collect();
        gaps.dedup();
        gaps
    }

    /// Why, when no source but the record of this machine could be read.
    fn nothing(&self) -> Option<&str> {
        let mut whys = self
            .readings
            .iter()
            .filter(|(origin, _)| *origin != Origin::Record);
        let Some((_, Reading::Failed(first))) = whys.next() else {
            return None;
        };
        whys.all(|(_, how)| matches!(how, Reading::Failed(_)))
            .then_some(first)
    }

    /// What failed this time is kept from the last: each source alone.
    pub fn keep(&mut self, last: &Self) {
        for (origin, how) in &self.readings {
            if matches!(how, Reading::Failed(_)) {
                let old = last.occurrences.iter().filter(|o| o.origin == *origin);
                self.occurrences.extend(old.cloned());
            }
        }
        self.occurrences.sort_by(newest_first);
        self.occurrences.dedup();
    }
}

/// Of the same second the order of the names, so that two readings agree.
fn newest_first(a: &Occurrence, b: &Occurrence) -> std::cmp::Ordering {
    (b.at, &a.subject, a.what).cmp(&(a.at, &b.subject, b.what))
}

#[cfg(test)]
pub(crate) mod night;
#[cfg(test)]
mod tests;
