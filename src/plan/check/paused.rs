//! A paused Deployment takes the write, and moves nothing.

use super::{CheckId, Finding, Verdict};

/// Nothing to say when it is not paused.
pub fn verdict(paused: bool) -> Option<Verdict> {
    paused.then(|| Verdict {
        check: CheckId::Paused,
        finding: Finding::Warn,
        sentence: "it is paused: the write works, but no new pod starts until it is resumed".into(),
    })
}
