//! The world outside, one folder a source. Each fails alone.

pub mod backoff;
pub mod docker;
pub mod helm;
mod hidden;
pub mod http;
pub mod jenkins;
pub mod kube;
mod process_group;
mod program;
pub mod programs;
pub mod prometheus;
mod proxy;
pub mod registry;
pub mod secret;
pub mod source_repo;
mod words;

use jiff::Timestamp;

/// Sources are handed the time; only the engine's clock reads it.
pub type Clock = fn() -> Timestamp;
