//! Whether the target was withdrawn before: our note says that somebody rolled back from it.

use jiff::Timestamp;

use super::{CheckId, Finding, Verdict};
use crate::domain::ActionNote;
use crate::text;

/// Nothing to say of a target that nobody went back from.
pub fn verdict(note: Option<&ActionNote>, now: Timestamp) -> Option<Verdict> {
    let note = note?;
    let ago = text::age(note.at, now);
    Some(Verdict {
        check: CheckId::Withdrawn,
        finding: Finding::Warn,
        sentence: format!("it was rolled back from {ago} ago by {}", note.by),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::verbs::rollback::sample::{AT, note};

    #[test]
    fn who_went_back_from_it_and_when() {
        let now = AT.parse().unwrap();
        let said = verdict(Some(&note(41, "2.13.0")), now).unwrap();
        assert_eq!(said.sentence, "it was rolled back from 2h ago by me@here");
        assert_eq!(said.finding, Finding::Warn);
        assert_eq!(verdict(None, now), None);
    }
}
