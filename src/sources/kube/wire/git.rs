//! What Argo CD and Flux keep workloads by, as far as it is read.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Condition, Meta, Text, or_default};

/// `argoproj.io/v1alpha1`.
#[derive(Debug, Default, Deserialize)]
pub struct Application<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: ApplicationSpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: ApplicationStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationSpec<'a> {
    #[serde(borrow)]
    pub source: Option<Source<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub sources: Vec<Source<'a>>,
    #[serde(borrow)]
    pub sync_policy: Option<SyncPolicy<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source<'a> {
    #[serde(borrow, rename = "repoURL", default, deserialize_with = "or_default")]
    pub repo_url: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub path: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub chart: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub target_revision: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct SyncPolicy<'a> {
    /// The exact bytes.
    #[serde(borrow)]
    pub automated: Option<&'a RawValue>,
}

/// What the bytes of `automated` say.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Automated {
    /// Absent means on.
    pub enabled: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    pub prune: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub self_heal: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub sync: SyncStatus<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub health: Health<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub operation_state: OperationState<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub resources: Vec<Kept<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct SyncStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub revision: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Health<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct OperationState<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub phase: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
}

/// One object that an Application keeps.
#[derive(Debug, Default, Deserialize)]
pub struct Kept<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub namespace: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
}

/// `kustomize.toolkit.fluxcd.io/v1`.
#[derive(Debug, Default, Deserialize)]
pub struct Kustomization<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: KustomizationSpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: FluxStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub interval: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub path: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub source_ref: Reference<'a>,
    #[serde(default, deserialize_with = "or_default")]
    pub prune: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub suspend: bool,
}

#[derive(Debug, Default, Deserialize)]
pub struct Reference<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
}

/// `helm.toolkit.fluxcd.io/v2`.
#[derive(Debug, Default, Deserialize)]
pub struct HelmRelease<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: HelmReleaseSpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: FluxStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub interval: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub chart: Chart<'a>,
    /// In place of `chart`.
    #[serde(borrow)]
    pub chart_ref: Option<Reference<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub drift_detection: DriftDetection<'a>,
    #[serde(default, deserialize_with = "or_default")]
    pub suspend: bool,
}

#[derive(Debug, Default, Deserialize)]
pub struct Chart<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: ChartSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub chart: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub version: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub source_ref: Reference<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct DriftDetection<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub mode: Text<'a>,
}

/// The fields of both kinds of Flux, each absent where its kind has none.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FluxStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub conditions: Vec<Condition<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub last_applied_revision: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub inventory: Inventory<'a>,
    /// Newest first.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub history: Vec<Snapshot<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Inventory<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub entries: Vec<Entry<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Entry<'a> {
    /// `NAMESPACE_NAME_GROUP_KIND`.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub id: Text<'a>,
}

/// One release of a HelmRelease.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub chart_version: Text<'a>,
}

/// The exact bytes of what a suspension changes, in any of the three kinds.
#[derive(Debug, Default, Deserialize)]
pub struct Raw<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: RawMeta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: RawSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct RawMeta<'a> {
    #[serde(borrow)]
    pub labels: Option<std::collections::HashMap<String, &'a RawValue>>,
    #[serde(borrow)]
    pub annotations: Option<std::collections::HashMap<String, &'a RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawSpec<'a> {
    #[serde(borrow)]
    pub sync_policy: Option<SyncPolicy<'a>>,
    #[serde(borrow)]
    pub suspend: Option<&'a RawValue>,
}
