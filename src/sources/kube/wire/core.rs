//! The core API group: pod templates, pods and events.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Condition, Meta, Text, or_default};

/// A pod template, or the part of a pod that has the same shape.
#[derive(Debug, Default, Deserialize)]
pub struct Template<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: PodSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec<'a> {
    #[serde(borrow)]
    pub node_name: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub init_containers: Vec<Container<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub containers: Vec<Container<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub image: Text<'a>,
    #[serde(borrow)]
    pub restart_policy: Option<Text<'a>>,
    #[serde(borrow)]
    pub resources: Option<Resources<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Resources<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub requests: Quantities<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub limits: Quantities<'a>,
}

/// The server writes quantities as text, whatever they were given as.
#[derive(Debug, Default, Deserialize)]
pub struct Quantities<'a> {
    #[serde(borrow)]
    pub cpu: Option<Text<'a>>,
    #[serde(borrow)]
    pub memory: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Pod<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: PodSpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: PodStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub phase: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub reason: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub conditions: Vec<Condition<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub init_container_statuses: Vec<ContainerStatus<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub container_statuses: Vec<ContainerStatus<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, rename = "imageID", default, deserialize_with = "or_default")]
    pub image_id: Text<'a>,
    #[serde(default, deserialize_with = "or_default")]
    pub ready: bool,
    pub restart_count: Option<i64>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub state: ContainerState<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub last_state: ContainerState<'a>,
}

/// At most one is set.
#[derive(Debug, Default, Deserialize)]
pub struct ContainerState<'a> {
    #[serde(borrow)]
    pub waiting: Option<Waiting<'a>>,
    pub running: Option<Running>,
    #[serde(borrow)]
    pub terminated: Option<Terminated<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Waiting<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub reason: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    pub started_at: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terminated<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub reason: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub message: Text<'a>,
    #[serde(default, deserialize_with = "or_default")]
    pub exit_code: i32,
    pub signal: Option<i32>,
    pub finished_at: Option<Timestamp>,
}

/// An event of the core API or of `events.k8s.io`, which names the same things differently.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow)]
    pub involved_object: Option<Reference<'a>>,
    #[serde(borrow)]
    pub regarding: Option<Reference<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub reason: Text<'a>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
    #[serde(borrow)]
    pub note: Option<Text<'a>>,
    pub count: Option<i64>,
    pub deprecated_count: Option<i64>,
    pub first_timestamp: Option<Timestamp>,
    pub last_timestamp: Option<Timestamp>,
    pub deprecated_last_timestamp: Option<Timestamp>,
    pub event_time: Option<Timestamp>,
    pub series: Option<Series>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    pub count: Option<i64>,
    pub last_observed_time: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Reference<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub uid: Text<'a>,
}
