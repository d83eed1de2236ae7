//! The world outside, one folder a source. Each fails alone.

pub mod docker;
pub mod kube;
mod program;
mod proxy;
pub mod registry;

use jiff::Timestamp;

/// Sources are handed the time; only the engine's clock reads it.
pub type Clock = fn() -> Timestamp;
