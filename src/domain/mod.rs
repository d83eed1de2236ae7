//! The nouns of a release as plain data, and what the cluster's words mean, as pure functions.

pub mod action_note;
pub mod change;
pub mod cluster;
pub mod color;
pub mod environment;
pub mod failure;
#[cfg(test)]
pub(crate) mod fixture;
pub mod fleet;
pub mod generated_name;
pub mod hold;
pub mod id;
pub mod image;
pub mod known;
pub mod labels;
pub mod phase;
pub mod pod;
pub mod quantity;
pub mod release_record;
pub mod revision;
pub mod source;
pub mod standing;
pub mod template;
pub mod version;
pub mod warning;
pub mod workload;

pub use action_note::ActionNote;
pub use change::{Change, Health, Item, ItemId, Update};
pub use cluster::{Connection, Identity, PinnedBy};
pub use color::Color;
pub use environment::{Environment, Level};
pub use failure::{Failure, FailureKind};
pub use fleet::Fleet;
pub use hold::Hold;
pub use id::{ClusterId, Kind, Uid, WorkloadId};
pub use image::{Container, ImageRef};
pub use known::Known;
pub use labels::{LabelSelector, Labels};
pub use phase::{Phase, Progress};
pub use pod::{ContainerState, Pod, Run};
pub use revision::Revision;
pub use source::{Feed, SourceId};
pub use standing::{Standing, Why};
pub use template::{TemplateHash, Verbatim};
pub use warning::Warning;
pub use workload::{Condition, Counts, Manager, Strategy, Truth, Workload};
