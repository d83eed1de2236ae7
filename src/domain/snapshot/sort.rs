//! The kinds that a snapshot holds, in the order in which they are made again.

use crate::domain::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    ConfigMap,
    ServiceAccount,
    Workload(Kind),
    Service,
    Budget,
    Autoscaler,
}

impl Sort {
    pub const ALL: [Self; 9] = [
        Self::ConfigMap,
        Self::ServiceAccount,
        Self::Workload(Kind::Deployment),
        Self::Workload(Kind::StatefulSet),
        Self::Workload(Kind::DaemonSet),
        Self::Workload(Kind::Rollout),
        Self::Service,
        Self::Budget,
        Self::Autoscaler,
    ];

    pub fn of(api: &str, kind: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|sort| sort.api() == api && sort.kind() == kind)
    }

    /// Group and version.
    pub fn api(self) -> &'static str {
        match self {
            Self::ConfigMap | Self::ServiceAccount | Self::Service => "v1",
            Self::Workload(kind) => kind.api(),
            Self::Budget => "policy/v1",
            Self::Autoscaler => "autoscaling/v2",
        }
    }

    /// The `kind` of the object itself.
    pub fn kind(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::ServiceAccount => "ServiceAccount",
            Self::Workload(kind) => kind.name(),
            Self::Service => "Service",
            Self::Budget => "PodDisruptionBudget",
            Self::Autoscaler => "HorizontalPodAutoscaler",
        }
    }

    /// The resource in paths and permissions.
    pub fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::ServiceAccount => "serviceaccounts",
            Self::Workload(kind) => kind.plural(),
            Self::Service => "services",
            Self::Budget => "poddisruptionbudgets",
            Self::Autoscaler => "horizontalpodautoscalers",
        }
    }

    /// The word before the slash.
    pub fn short(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::ServiceAccount => "serviceaccount",
            Self::Workload(kind) => kind.short(),
            Self::Service => "service",
            Self::Budget => "pdb",
            Self::Autoscaler => "hpa",
        }
    }

    /// A cluster may be without it.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Workload(kind) if kind.is_optional())
    }
}
