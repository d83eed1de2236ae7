//! Names that tell one thing from another, across clusters and across re-creations.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One API server, by the name of its kubeconfig context (`in-cluster` inside a pod).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClusterId(pub Box<str>);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ClusterId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

/// What the API server calls this very object; a re-created one has another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Uid(pub Box<str>);

impl From<&str> for Uid {
    fn from(uid: &str) -> Self {
        Self(uid.into())
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kinds of workload that rolldeck follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    /// Of Argo Rollouts.
    Rollout,
}

impl Kind {
    pub const ALL: [Self; 4] = [
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Rollout,
    ];

    /// The resource name in API paths and in permissions.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
            Self::DaemonSet => "daemonsets",
            Self::Rollout => "rollouts",
        }
    }

    /// The word kubectl users type before the slash.
    pub fn short(self) -> &'static str {
        match self {
            Self::Deployment => "deploy",
            Self::StatefulSet => "sts",
            Self::DaemonSet => "ds",
            Self::Rollout => "rollout",
        }
    }

    /// The `kind` field of the object itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Rollout => "Rollout",
        }
    }

    /// The API group and version of its objects.
    pub fn api(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet => "apps/v1",
            Self::Rollout => "argoproj.io/v1alpha1",
        }
    }

    /// Its revisions are ReplicaSets, which own the pods; else they are ControllerRevisions, and it owns the pods itself.
    pub fn has_replica_sets(self) -> bool {
        match self {
            Self::Deployment | Self::Rollout => true,
            Self::StatefulSet | Self::DaemonSet => false,
        }
    }

    /// A cluster may be without it: its kind is no part of Kubernetes.
    pub fn is_optional(self) -> bool {
        self == Self::Rollout
    }
}

/// Where a workload lives. The uid is beside it in [`super::Workload`]: a name may be re-used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkloadId {
    pub cluster: ClusterId,
    pub namespace: Box<str>,
    pub kind: Kind,
    pub name: Box<str>,
}

impl fmt::Display for WorkloadId {
    /// `deploy/checkout`, the form that commands accept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.short(), self.name)
    }
}
