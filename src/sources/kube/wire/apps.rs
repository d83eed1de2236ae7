//! The API group `apps`: workloads, ReplicaSets and ControllerRevisions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Meta, Text, or_default};

/// A Deployment, StatefulSet, DaemonSet or ReplicaSet: the fields of all four, each absent where its kind has
/// none.
#[derive(Debug, Default, Deserialize)]
pub struct Workload<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: WorkloadSpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: WorkloadStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSpec<'a> {
    pub replicas: Option<i64>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub selector: Selector<'a>,
    /// The exact bytes.
    #[serde(borrow)]
    pub template: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "or_default")]
    pub paused: bool,
    /// Deployment.
    #[serde(borrow)]
    pub strategy: Option<Strategy<'a>>,
    /// StatefulSet and DaemonSet.
    #[serde(borrow)]
    pub update_strategy: Option<Strategy<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    pub ordinals: Ordinals,
    #[serde(borrow)]
    pub pod_management_policy: Option<Text<'a>>,
    pub progress_deadline_seconds: Option<i64>,
    pub min_ready_seconds: Option<i64>,
    pub revision_history_limit: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selector<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub match_labels: BTreeMap<Text<'a>, Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub match_expressions: Vec<Expression<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Expression<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub key: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub operator: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub values: Vec<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Strategy<'a> {
    #[serde(borrow, rename = "type", default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub rolling_update: RollingUpdate<'a>,
}

/// Of a StatefulSet.
#[derive(Debug, Default, Deserialize)]
pub struct Ordinals {
    pub start: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollingUpdate<'a> {
    #[serde(borrow)]
    pub max_unavailable: Option<IntOrText<'a>>,
    #[serde(borrow)]
    pub max_surge: Option<IntOrText<'a>>,
    pub partition: Option<i64>,
}

/// `1` or `25%`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum IntOrText<'a> {
    Int(i64),
    #[serde(borrow)]
    Text(Text<'a>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus<'a> {
    pub observed_generation: Option<i64>,
    pub replicas: Option<i64>,
    pub updated_replicas: Option<i64>,
    pub ready_replicas: Option<i64>,
    pub available_replicas: Option<i64>,
    pub terminating_replicas: Option<i64>,
    pub desired_number_scheduled: Option<i64>,
    pub current_number_scheduled: Option<i64>,
    pub updated_number_scheduled: Option<i64>,
    pub number_ready: Option<i64>,
    pub number_available: Option<i64>,
    pub number_misscheduled: Option<i64>,
    #[serde(borrow)]
    pub current_revision: Option<Text<'a>>,
    #[serde(borrow)]
    pub update_revision: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub conditions: Vec<Condition<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition<'a> {
    #[serde(borrow, rename = "type", default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub reason: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
    pub last_update_time: Option<Timestamp>,
    pub last_transition_time: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
pub struct ControllerRevision<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    pub revision: Option<i64>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub data: RevisionData<'a>,
}

/// `{"spec":{"template":{…,"$patch":"replace"}}}`; of a workload itself no more than that.
#[derive(Debug, Default, Deserialize)]
pub struct RevisionData<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: RevisionSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct RevisionSpec<'a> {
    #[serde(borrow)]
    pub template: Option<&'a RawValue>,
}
