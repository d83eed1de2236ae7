//! What the API server sends, as far as rolldeck reads it: lenient, borrowed, every field optional.
//!
//! A field of an unexpected type makes its own object unreadable and no other: items are decoded one by one.

mod apps;
mod argo;
mod core;
mod flagger;
mod git;
mod pair;
mod route;
mod tracked;

pub use self::apps::{
    Condition, ControllerRevision, IntOrText, RevisionData, Selector, Strategy, Workload,
    WorkloadSpec, WorkloadStatus,
};
pub use self::argo::{
    AnalysisRun, Metric, MetricResult, Rollout, RolloutSpec, RolloutStatus, RolloutStep, RunStatus,
};
pub use self::core::{
    ContainerState, ContainerStatus, Event, Pod, PodSpec, PodStatus, Quantities, Template,
    Terminated,
};

pub use self::flagger::{
    Canary, CanaryAnalysis, CanaryMetric, CanarySpec, CanaryStatus, Promoted, Webhook,
};
pub use self::pair::{EndpointSlice, Service};
pub use self::route::{HttpRoute, Ingress, RouteParent};

pub use self::git::{
    Application, Automated, FluxStatus, HelmRelease, Kept, Kustomization, Raw as RawSync, Source,
};
pub use self::tracked::{Tracked, TrackedMeta};

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, IgnoredAny, Visitor};
use serde_json::value::RawValue;

/// A string that is borrowed from the answer unless it holds an escape.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<'a>(Cow<'a, str>);

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keep;
        impl<'de> Visitor<'de> for Keep {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Keep)
    }
}

/// `null` means the same as an absent field.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// One page of a list. The items are not looked at yet.
#[derive(Debug, Default, serde::Deserialize)]
pub struct List<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: ListMeta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub items: Vec<&'a RawValue>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListMeta<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub resource_version: Text<'a>,
    /// Empty on the last page.
    #[serde(borrow, rename = "continue", default, deserialize_with = "or_default")]
    pub next: Text<'a>,
}

/// One line of a watch.
#[derive(Debug, serde::Deserialize)]
pub struct WatchLine<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub object: &'a RawValue,
}

/// The object of a watch line of type ERROR.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Status<'a> {
    #[serde(default, deserialize_with = "or_default")]
    pub code: u16,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub reason: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
}

/// Any object, only for its metadata.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Object<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub namespace: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub uid: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub resource_version: Text<'a>,
    pub generation: Option<i64>,
    pub creation_timestamp: Option<Timestamp>,
    #[serde(default)]
    deletion_timestamp: Option<IgnoredAny>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub labels: Labels<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub annotations: Annotations<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub owner_references: Vec<Owner<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub managed_fields: Vec<ManagedFields<'a>>,
}

impl Meta<'_> {
    pub fn deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    pub fn controller(&self) -> Option<&Owner<'_>> {
        self.owner_references.iter().find(|owner| owner.controller)
    }
}

/// All labels of an object, sorted.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Labels<'a>(#[serde(borrow)] BTreeMap<Text<'a>, Text<'a>>);

impl<'a> Labels<'a> {
    pub fn get(&self, key: &str) -> Option<&Text<'a>> {
        self.0.get(key)
    }

    pub fn version(&self) -> Option<&Text<'a>> {
        self.get("app.kubernetes.io/version")
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

/// The annotations that mean something here.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Annotations<'a> {
    #[serde(borrow, rename = "deployment.kubernetes.io/revision")]
    pub revision: Option<Text<'a>>,
    #[serde(borrow, rename = "deployment.kubernetes.io/revision-history")]
    pub revision_history: Option<Text<'a>>,
    #[serde(borrow, rename = "rollout.argoproj.io/revision")]
    pub rollout_revision: Option<Text<'a>>,
    #[serde(borrow, rename = "rollout.argoproj.io/revision-history")]
    pub rollout_revision_history: Option<Text<'a>>,
    /// The generation of the workload whose template a Rollout runs.
    #[serde(borrow, rename = "rollout.argoproj.io/workload-generation")]
    pub workload_generation: Option<Text<'a>>,
    #[serde(borrow, rename = "kubernetes.io/change-cause")]
    pub change_cause: Option<Text<'a>>,
    #[serde(borrow, rename = "kubectl.kubernetes.io/restartedAt")]
    pub restarted_at: Option<Text<'a>>,
    #[serde(borrow, rename = "rolldeck.dev/action")]
    pub action: Option<Text<'a>>,
    #[serde(borrow, rename = "rolldeck.dev/turn")]
    pub turn: Option<Text<'a>>,
    #[serde(borrow, rename = "rolldeck.dev/job")]
    pub job: Option<Text<'a>>,
    #[serde(borrow, rename = "rolldeck.dev/repository")]
    pub repository: Option<Text<'a>>,
    #[serde(borrow, rename = "rolldeck.dev/commit")]
    pub commit: Option<Text<'a>>,
    #[serde(borrow, rename = "argocd.argoproj.io/tracking-id")]
    pub argo_tracking_id: Option<Text<'a>>,
    #[serde(borrow, rename = "rolldeck.dev/suspended")]
    pub suspended: Option<Text<'a>>,
    #[serde(borrow, rename = "nginx.ingress.kubernetes.io/canary")]
    pub nginx_canary: Option<Text<'a>>,
    #[serde(borrow, rename = "nginx.ingress.kubernetes.io/canary-weight")]
    pub nginx_weight: Option<Text<'a>>,
    #[serde(borrow, rename = "nginx.ingress.kubernetes.io/canary-weight-total")]
    pub nginx_total: Option<Text<'a>>,
    #[serde(borrow, rename = "nginx.ingress.kubernetes.io/canary-by-header")]
    pub nginx_header: Option<Text<'a>>,
    #[serde(borrow, rename = "nginx.ingress.kubernetes.io/canary-by-cookie")]
    pub nginx_cookie: Option<Text<'a>>,
    #[serde(borrow, rename = "meta.helm.sh/release-name")]
    pub helm_release: Option<Text<'a>>,
    #[serde(rename = "kubectl.kubernetes.io/last-applied-configuration")]
    pub last_applied: Option<IgnoredAny>,
}

#[derive(Debug, Default, serde::Deserialize)]
pub struct Owner<'a> {
    #[serde(
        borrow,
        rename = "apiVersion",
        default,
        deserialize_with = "or_default"
    )]
    pub api_version: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub uid: Text<'a>,
    #[serde(default, deserialize_with = "or_default")]
    pub controller: bool,
}

/// Who wrote which fields, as far as pod templates and what settings hold are concerned.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedFields<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub manager: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub operation: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub subresource: Text<'a>,
    pub time: Option<Timestamp>,
    #[serde(rename = "fieldsV1", default, deserialize_with = "or_default")]
    fields: Fields,
}

impl ManagedFields<'_> {
    /// The spec's pod template was written, or is owned, by this manager.
    pub fn touches_template(&self) -> bool {
        self.subresource.is_empty() && self.fields.spec.template.is_some()
    }

    /// What a ConfigMap or Secret holds was written, or is owned, by this manager.
    pub fn touches_data(&self) -> bool {
        self.fields.data.is_some() || self.fields.binary_data.is_some()
    }
}

#[derive(Debug, Default, serde::Deserialize)]
struct Fields {
    #[serde(rename = "f:spec", default, deserialize_with = "or_default")]
    spec: SpecFields,
    #[serde(rename = "f:data")]
    data: Option<IgnoredAny>,
    #[serde(rename = "f:binaryData")]
    binary_data: Option<IgnoredAny>,
}

#[derive(Debug, Default, serde::Deserialize)]
struct SpecFields {
    #[serde(rename = "f:template")]
    template: Option<IgnoredAny>,
}
