//! Which stream of news something came from.

use super::pair::route::RouteKind;
use super::{ClusterId, Kind, SyncKind, SyncRef, WorkloadId};

/// One stream. The engine opens and drops feeds so that they match the model's ordered wish list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId {
    pub cluster: ClusterId,
    /// `None` is the whole cluster. For the feeds of one workload it is that workload's namespace.
    pub namespace: Option<Box<str>>,
    pub feed: Feed,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feed {
    Workloads(Kind),
    /// Events of type Warning.
    Warnings,
    /// The fleet's ReplicaSets, in pages, in the background.
    ReplicaSets,
    /// The revisions of one workload: ReplicaSets or ControllerRevisions, by its selector.
    RevisionsOf {
        workload: WorkloadId,
        selector: Box<str>,
    },
    /// The pods of one workload, by its selector.
    PodsOf {
        workload: WorkloadId,
        selector: Box<str>,
    },
    /// The runs that judge the revision with this pod hash.
    AnalysesOf {
        workload: WorkloadId,
        hash: Box<str>,
    },
    /// The Canary objects of Flagger, each about a workload.
    Canaries,
    /// The Services of a namespace in which something is called a canary.
    Services,
    /// What routes by weight there.
    Routes(RouteKind),
    /// What a Service sends to, of one that the canary shares with the stable one.
    EndpointsOf {
        workload: WorkloadId,
        service: Box<str>,
    },
    /// What keeps one workload as git has it. The namespace is that of the object, none when its mark names none.
    SyncOf {
        workload: WorkloadId,
        sync: SyncRef,
    },
    /// Those that a rolldeck suspended.
    Suspended(SyncKind),
}

impl Feed {
    /// What a message calls it: `list deployments`, `watch pods`.
    pub fn resource(&self) -> &'static str {
        match self {
            Self::Workloads(kind) => kind.plural(),
            Self::Warnings => "events",
            Self::ReplicaSets => "replicasets",
            Self::RevisionsOf { workload, .. } => match workload.kind {
                Kind::Deployment | Kind::Rollout => "replicasets",
                Kind::StatefulSet | Kind::DaemonSet => "controllerrevisions",
            },
            Self::PodsOf { .. } => "pods",
            Self::AnalysesOf { .. } => "analysisruns",
            Self::Canaries => "canaries",
            Self::Services => "services",
            Self::Routes(kind) => kind.plural(),
            Self::EndpointsOf { .. } => "endpointslices",
            Self::SyncOf { sync, .. } => sync.kind.plural(),
            Self::Suspended(kind) => kind.plural(),
        }
    }
}
