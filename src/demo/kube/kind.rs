//! The kinds that the embedded API server holds, as one table: nothing else in it knows a kind by name unless it must.

/// One resource of the API.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::struct_excessive_bools)] // columns of a table
pub struct Kind {
    /// Empty for the core.
    pub group: &'static str,
    pub version: &'static str,
    pub plural: &'static str,
    pub name: &'static str,
    pub short: &'static [&'static str],
    pub namespaced: bool,
    /// Its status is a subresource.
    pub status: bool,
    /// The changes of its spec are counted.
    pub generation: bool,
    pub scale: bool,
    /// Of a custom resource definition: nothing is filled in, and no strategic patch is taken.
    pub custom: bool,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $id:ident = $group:literal $version:literal $plural:literal $name:literal [$($short:literal)*] $($trait:ident)*;)*) => {
        $($(#[$doc])* #[allow(clippy::needless_update)] pub static $id: Kind = Kind {
            group: $group, version: $version, plural: $plural, name: $name, short: &[$($short),*],
            $($trait: true,)*
            ..NONE
        };)*
        /// Every kind.
        pub static KINDS: &[&Kind] = &[$(&$id),*];
    };
}

const NONE: Kind = Kind {
    group: "",
    version: "",
    plural: "",
    name: "",
    short: &[],
    namespaced: false,
    status: false,
    generation: false,
    scale: false,
    custom: false,
};

kinds! {
    NAMESPACES = "" "v1" "namespaces" "Namespace" ["ns"] status;
    NODES = "" "v1" "nodes" "Node" ["no"] status;
    PODS = "" "v1" "pods" "Pod" ["po"] namespaced status generation;
    EVENTS = "" "v1" "events" "Event" ["ev"] namespaced;
    CONFIG_MAPS = "" "v1" "configmaps" "ConfigMap" ["cm"] namespaced;
    SECRETS = "" "v1" "secrets" "Secret" [] namespaced;
    SERVICES = "" "v1" "services" "Service" ["svc"] namespaced status;
    SERVICE_ACCOUNTS = "" "v1" "serviceaccounts" "ServiceAccount" ["sa"] namespaced;
    RESOURCE_QUOTAS = "" "v1" "resourcequotas" "ResourceQuota" ["quota"] namespaced status;
    DEPLOYMENTS = "apps" "v1" "deployments" "Deployment" ["deploy"] namespaced status generation scale;
    REPLICA_SETS = "apps" "v1" "replicasets" "ReplicaSet" ["rs"] namespaced status generation scale;
    STATEFUL_SETS = "apps" "v1" "statefulsets" "StatefulSet" ["sts"] namespaced status generation scale;
    DAEMON_SETS = "apps" "v1" "daemonsets" "DaemonSet" ["ds"] namespaced status generation;
    CONTROLLER_REVISIONS = "apps" "v1" "controllerrevisions" "ControllerRevision" [] namespaced;
    ROLLOUTS = "argoproj.io" "v1alpha1" "rollouts" "Rollout" ["ro"] namespaced status generation scale custom;
    ANALYSIS_RUNS = "argoproj.io" "v1alpha1" "analysisruns" "AnalysisRun" ["ar"] namespaced generation custom;
    ANALYSIS_TEMPLATES = "argoproj.io" "v1alpha1" "analysistemplates" "AnalysisTemplate" ["at"] namespaced generation custom;
    AUTOSCALERS = "autoscaling" "v2" "horizontalpodautoscalers" "HorizontalPodAutoscaler" ["hpa"] namespaced status;
    LEASES = "coordination.k8s.io" "v1" "leases" "Lease" [] namespaced;
    ENDPOINT_SLICES = "discovery.k8s.io" "v1" "endpointslices" "EndpointSlice" [] namespaced;
    INGRESSES = "networking.k8s.io" "v1" "ingresses" "Ingress" ["ing"] namespaced status generation;
    DISRUPTION_BUDGETS = "policy" "v1" "poddisruptionbudgets" "PodDisruptionBudget" ["pdb"] namespaced status generation;
}

/// What the server's messages also name as if it were an object.
pub static LIST_OPTIONS: Kind = named("meta.k8s.io", "ListOptions");
pub static CREATE_OPTIONS: Kind = named("meta.k8s.io", "CreateOptions");
pub static UPDATE_OPTIONS: Kind = named("meta.k8s.io", "UpdateOptions");
pub static PATCH_OPTIONS: Kind = named("meta.k8s.io", "PatchOptions");
pub static DELETE_OPTIONS: Kind = named("meta.k8s.io", "DeleteOptions");
pub static POD_LOG_OPTIONS: Kind = named("", "PodLogOptions");
pub static REVIEWED: Kind = named("authorization.k8s.io", "");
/// A body that cannot be read into a kind.
pub static PATCHED: Kind = named("", "");
pub static SCALES: Kind = Kind {
    version: "v1",
    ..named("autoscaling", "Scale")
};

const fn named(group: &'static str, name: &'static str) -> Kind {
    Kind {
        group,
        name,
        ..NONE
    }
}

impl Kind {
    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployments.apps "web"`, as the server's messages name an object.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Self> {
        KINDS
            .iter()
            .copied()
            .find(|k| k.group == group && k.version == version && k.plural == plural)
    }

    /// By what stands in an object: `apiVersion` and `kind`.
    pub fn of(api_version: &str, name: &str) -> Option<&'static Self> {
        KINDS
            .iter()
            .copied()
            .find(|k| k.name == name && k.api_version() == api_version)
    }
}
