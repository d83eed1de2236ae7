//! The phases of a rollout: one word each.

use std::fmt;

use serde::Serialize;

/// In the order of the board: what needs a person first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Stalled,
    Canary,
    Degraded,
    RollingBack,
    Rolling,
    Paused,
    Unknown,
    Steady,
    ScaledToZero,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stalled => "stalled",
            Self::Canary => "canary",
            Self::Degraded => "degraded",
            Self::RollingBack => "rolling back",
            Self::Rolling => "rolling",
            Self::Paused => "paused",
            Self::Unknown => "unknown",
            Self::Steady => "steady",
            Self::ScaledToZero => "scaled to zero",
        })
    }
}

/// How much of a rollout is done: pods of the new revision that serve, of those wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub done: u32,
    pub of: u32,
}
