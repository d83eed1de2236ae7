//! How the end of an action is known: a fold over what the feeds bring, and nothing else.

use jiff::Timestamp;

use crate::domain::template::CanonicalHash;
use crate::domain::{Container, Fleet, Uid, WorkloadId};

/// What must be true before an action counts as verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The release record's id.
    pub id: String,
    pub workload: WorkloadId,
    pub uid: Uid,
    pub from_version: String,
    pub to_version: String,
    /// Of the template that was written.
    pub to: CanonicalHash,
    /// The target revision's object (its name stays when the controller re-uses it).
    pub revision_name: Box<str>,
    /// The images that every pod must run.
    pub containers: Box<[Container]>,
    pub accepted: Timestamp,
    pub by: String,
    /// Seconds that every pod must have been ready for.
    pub ready_for: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    pub done: bool,
    /// `6 of 6 pods run 77c01d, 5 ready`.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    Pending(Vec<Milestone>),
    /// `verified: 6/6 pods run 77c01d, ready for 30s, 0 restarts, 52s in all`.
    Done(String),
    /// `not verified: …`, with the reason.
    Failed(String),
}
