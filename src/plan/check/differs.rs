//! Whether the target is worth going to: what differs.

use super::{CheckId, Finding, Verdict};
use crate::plan::Difference;
use crate::text;

/// A target that differs in nothing never gets this far.
pub fn verdict(differences: &[Difference]) -> Verdict {
    let mut words: Vec<_> = differences.iter().map(|d| d.what.as_str()).collect();
    words.dedup();
    let sentence = if words.is_empty() {
        // Spelled differently, like a number with another fraction.
        "the target's template is not the live one".into()
    } else {
        format!("the target differs in {}", text::list(&words))
    };
    Verdict {
        check: CheckId::Differs,
        finding: Finding::Ok,
        sentence,
    }
}
