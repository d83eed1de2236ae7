//! Services and their endpoints, as far as they tell which pods get the traffic.

use serde::Deserialize;

use super::{Labels, Meta, Text, or_default};

#[derive(Debug, Default, Deserialize)]
pub struct Service<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: ServiceSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct ServiceSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub selector: Labels<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct EndpointSlice<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub endpoints: Vec<Endpoint<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint<'a> {
    #[serde(default, deserialize_with = "or_default")]
    pub conditions: EndpointConditions,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub target_ref: TargetRef<'a>,
}

/// Absent means ready.
#[derive(Debug, Default, Deserialize)]
pub struct EndpointConditions {
    pub ready: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
pub struct TargetRef<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
}
