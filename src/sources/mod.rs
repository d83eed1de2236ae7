//! The world outside, one folder a source. Each fails alone.

pub mod http;
pub mod jenkins;
pub mod kube;
mod process_group;
mod proxy;
pub mod secret;
pub mod source_repo;
mod words;

use jiff::Timestamp;

/// Sources are handed the time; only the engine's clock reads it.
pub type Clock = fn() -> Timestamp;
