//! The world outside, one folder a source. Each fails alone.

pub mod helm;
pub mod kube;
pub mod programs;

use jiff::Timestamp;

/// Sources are handed the time; only the engine's clock reads it.
pub type Clock = fn() -> Timestamp;
