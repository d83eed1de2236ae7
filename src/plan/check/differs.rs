//! Whether the target is worth going to: what differs, and whether it was withdrawn before.

use jiff::Timestamp;

use super::{CheckId, Finding, Verdict};
use crate::domain::ActionNote;
use crate::plan::Difference;
use crate::text;

/// A target that differs in nothing never gets this far.
pub fn verdict(
    differences: &[Difference],
    withdrawn: Option<&ActionNote>,
    now: Timestamp,
) -> Verdict {
    let (finding, sentence) = if let Some(note) = withdrawn {
        let ago = text::age(note.at, now);
        let sentence = format!("it was rolled back from {ago} ago by {}", note.by);
        (Finding::Warn, sentence)
    } else {
        let mut words: Vec<_> = differences.iter().map(|d| d.what.as_str()).collect();
        words.dedup();
        let sentence = if words.is_empty() {
            // Spelled differently, like a number with another fraction.
            "the target's template is not the live one".into()
        } else {
            format!("the target differs in {}", text::list(&words))
        };
        (Finding::Ok, sentence)
    };
    Verdict {
        check: CheckId::Differs,
        finding,
        sentence,
    }
}
