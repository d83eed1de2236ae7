//! How an execution goes on, one fact at a time.

use jiff::Timestamp;

use crate::domain::Failure;

/// How an execution goes on. The order of a success: `Waiting` perhaps, `Sent`, `Accepted` per step, then `Done`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The line in the release record is on the disk; step `n` is on its way.
    Sent {
        step: usize,
    },
    /// Step `n` is not sent yet, and what it waits for.
    Waiting {
        step: usize,
        why: String,
    },
    /// `generation` is that of the object as the write left it, when the answer told.
    Accepted {
        step: usize,
        at: Timestamp,
        generation: Option<i64>,
    },
    /// Nothing was written by this step; those before it are done. `moved` says who moved what when the object was no longer the one shown.
    Refused {
        step: usize,
        why: Failure,
        moved: bool,
    },
    /// The answer was lost; what a fresh read says of it.
    Unknown {
        step: usize,
        why: String,
    },
    Done {
        at: Timestamp,
    },
}
