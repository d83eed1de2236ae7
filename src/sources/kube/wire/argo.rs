//! Argo Rollouts, `argoproj.io/v1alpha1`: rollouts and the runs that judge them, as far as they are read.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Condition, IntOrText, Meta, Selector, Text, or_default};

#[derive(Debug, Default, Deserialize)]
pub struct Rollout<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: RolloutSpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: RolloutStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutSpec<'a> {
    pub replicas: Option<i64>,
    /// Absent beside a `workloadRef`.
    #[serde(borrow)]
    pub selector: Option<Selector<'a>>,
    /// The exact bytes; absent beside a `workloadRef`.
    #[serde(borrow)]
    pub template: Option<&'a RawValue>,
    #[serde(borrow)]
    pub workload_ref: Option<WorkloadRef<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    pub paused: bool,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub strategy: RolloutStrategy<'a>,
    pub progress_deadline_seconds: Option<i64>,
    pub min_ready_seconds: Option<i64>,
    pub revision_history_limit: Option<i64>,
    pub restart_at: Option<Timestamp>,
    pub rollback_window: Option<RollbackWindow>,
}

#[derive(Debug, Default, Deserialize)]
pub struct RollbackWindow {
    pub revisions: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
pub struct WorkloadRef<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStrategy<'a> {
    #[serde(borrow)]
    pub canary: Option<CanaryStrategy<'a>>,
    pub blue_green: Option<BlueGreenStrategy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStrategy<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub steps: Vec<RolloutStep<'a>>,
    pub traffic_routing: Option<TrafficRouting>,
    #[serde(borrow)]
    pub max_unavailable: Option<IntOrText<'a>>,
    #[serde(borrow)]
    pub max_surge: Option<IntOrText<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRouting {
    pub max_traffic_weight: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlueGreenStrategy {
    pub auto_promotion_seconds: Option<i64>,
}

/// One of these.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStep<'a> {
    pub set_weight: Option<i64>,
    #[serde(borrow)]
    pub pause: Option<PauseStep<'a>>,
    pub analysis: Option<IgnoredAny>,
    pub experiment: Option<IgnoredAny>,
    pub set_canary_scale: Option<IgnoredAny>,
    pub set_header_route: Option<IgnoredAny>,
    pub set_mirror_route: Option<IgnoredAny>,
    pub plugin: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
pub struct PauseStep<'a> {
    /// Seconds, or `1h30m`.
    #[serde(borrow)]
    pub duration: Option<IntOrText<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus<'a> {
    /// A number as text.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub observed_generation: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub workload_observed_generation: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub phase: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub current_pod_hash: Text<'a>,
    #[serde(borrow, rename = "stableRS", default, deserialize_with = "or_default")]
    pub stable_rs: Text<'a>,
    pub current_step_index: Option<i64>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub pause_conditions: Vec<PauseCondition<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    pub controller_pause: bool,
    pub abort: Option<bool>,
    pub aborted_at: Option<Timestamp>,
    pub restarted_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
    pub promote_full: bool,
    pub replicas: Option<i64>,
    pub updated_replicas: Option<i64>,
    pub ready_replicas: Option<i64>,
    pub available_replicas: Option<i64>,
    /// Of its pods, as list requests take it.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub selector: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub conditions: Vec<Condition<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub canary: CanaryStatus<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub blue_green: BlueGreenStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseCondition<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub reason: Text<'a>,
    pub start_time: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStatus<'a> {
    pub weights: Option<Weights>,
    #[serde(borrow)]
    pub current_step_analysis_run_status: Option<RunStatus<'a>>,
    #[serde(borrow)]
    pub current_background_analysis_run_status: Option<RunStatus<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Weights {
    #[serde(default, deserialize_with = "or_default")]
    pub canary: RoutedWeight,
}

#[derive(Debug, Default, Deserialize)]
pub struct RoutedWeight {
    pub weight: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlueGreenStatus<'a> {
    /// The hash of the side that gets the traffic.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub active_selector: Text<'a>,
    #[serde(borrow)]
    pub pre_promotion_analysis_run_status: Option<RunStatus<'a>>,
    #[serde(borrow)]
    pub post_promotion_analysis_run_status: Option<RunStatus<'a>>,
}

/// What a rollout's status says of a run.
#[derive(Debug, Default, Deserialize)]
pub struct RunStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct AnalysisRun<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: AnalysisSpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: AnalysisStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct AnalysisSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metrics: Vec<Metric<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub success_condition: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub failure_condition: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub phase: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metric_results: Vec<MetricResult<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct MetricResult<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub phase: Text<'a>,
    /// Without those that ended in an error.
    pub count: Option<i64>,
    pub failed: Option<i64>,
    pub error: Option<i64>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub measurements: Vec<Measurement<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Measurement<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub value: Text<'a>,
}
