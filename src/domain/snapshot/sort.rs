//! The kinds that a snapshot holds, in the order in which they are made again.

use crate::domain::Kind;
use crate::domain::canary::flagger;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    ConfigMap,
    ServiceAccount,
    /// Before the pods, which are told the addresses of the Services that are there.
    Service,
    /// Of Argo Rollouts, which takes no Rollout whose templates are missing.
    AnalysisTemplate,
    Workload(Kind),
    Budget,
    Autoscaler,
    /// Of Flagger.
    Canary,
}

impl Sort {
    pub const ALL: [Self; 11] = [
        Self::ConfigMap,
        Self::ServiceAccount,
        Self::Service,
        Self::AnalysisTemplate,
        Self::Workload(Kind::Deployment),
        Self::Workload(Kind::StatefulSet),
        Self::Workload(Kind::DaemonSet),
        Self::Workload(Kind::Rollout),
        Self::Budget,
        Self::Autoscaler,
        Self::Canary,
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
            Self::AnalysisTemplate => Kind::Rollout.api(),
            Self::Budget => "policy/v1",
            Self::Autoscaler => "autoscaling/v2",
            Self::Canary => flagger::API,
        }
    }

    /// The `kind` of the object itself.
    pub fn kind(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::ServiceAccount => "ServiceAccount",
            Self::Workload(kind) => kind.name(),
            Self::Service => "Service",
            Self::AnalysisTemplate => "AnalysisTemplate",
            Self::Budget => "PodDisruptionBudget",
            Self::Autoscaler => "HorizontalPodAutoscaler",
            Self::Canary => "Canary",
        }
    }

    /// The resource in paths and permissions.
    pub fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::ServiceAccount => "serviceaccounts",
            Self::Workload(kind) => kind.plural(),
            Self::Service => "services",
            Self::AnalysisTemplate => "analysistemplates",
            Self::Budget => "poddisruptionbudgets",
            Self::Autoscaler => "horizontalpodautoscalers",
            Self::Canary => flagger::PLURAL,
        }
    }

    /// The word before the slash.
    pub fn short(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::ServiceAccount => "serviceaccount",
            Self::Workload(kind) => kind.short(),
            Self::Service => "service",
            Self::AnalysisTemplate => "analysistemplate",
            Self::Budget => "pdb",
            Self::Autoscaler => "hpa",
            Self::Canary => "canary",
        }
    }

    /// A cluster may be without it.
    pub fn is_optional(self) -> bool {
        match self {
            Self::Workload(kind) => kind.is_optional(),
            Self::AnalysisTemplate | Self::Canary => true,
            Self::ConfigMap
            | Self::ServiceAccount
            | Self::Service
            | Self::Budget
            | Self::Autoscaler => false,
        }
    }
}
