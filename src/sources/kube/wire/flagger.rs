//! Flagger, `flagger.app/v1beta1`: its Canary, as far as it is read.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Meta, Text, or_default};

#[derive(Debug, Default, Deserialize)]
pub struct Canary<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: CanarySpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: CanaryStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanarySpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub target_ref: Target<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub provider: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub service: Target<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub ingress_ref: Target<'a>,
    #[serde(borrow)]
    pub analysis: Option<CanaryAnalysis<'a>>,
    /// Of older versions, in the place of `analysis`.
    #[serde(borrow)]
    pub canary_analysis: Option<CanaryAnalysis<'a>>,
    pub suspend: Option<bool>,
    pub skip_analysis: Option<bool>,
}

/// An object, as far as it is named.
#[derive(Debug, Default, Deserialize)]
pub struct Target<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAnalysis<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub interval: Text<'a>,
    pub threshold: Option<i64>,
    pub iterations: Option<i64>,
    pub max_weight: Option<i64>,
    pub step_weight: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    pub step_weights: Vec<i64>,
    #[serde(default, deserialize_with = "or_default")]
    pub r#match: Vec<IgnoredAny>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metrics: Vec<CanaryMetric<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub webhooks: Vec<Webhook<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryMetric<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    /// The older form of an upper limit.
    pub threshold: Option<f64>,
    pub threshold_range: Option<Range>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Range {
    pub min: Option<f64>,
    pub max: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Webhook<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub r#type: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub url: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub phase: Text<'a>,
    pub canary_weight: Option<i64>,
    pub failed_checks: Option<i64>,
    pub iterations: Option<i64>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub last_applied_spec: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub last_promoted_spec: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub conditions: Vec<Promoted<'a>>,
}

/// Its one condition.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promoted<'a> {
    /// The phase.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub reason: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
    /// When the phase came.
    pub last_update_time: Option<Timestamp>,
    /// When it was last at rest, or began not to be.
    pub last_transition_time: Option<Timestamp>,
}
