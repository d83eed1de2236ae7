//! The world outside, one folder a source. Each fails alone.

pub mod kube;
mod process_group;
pub mod source_repo;

use jiff::Timestamp;

/// Sources are handed the time; only the engine's clock reads it.
pub type Clock = fn() -> Timestamp;
