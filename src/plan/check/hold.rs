//! A hold in the settings: nothing new goes out until it is over. What takes something back is let through.

use jiff::Timestamp;

use crate::domain::Hold;
use crate::plan::Verb;
use crate::text;

use super::{CheckId, Finding, Verdict};

/// One line for each.
pub fn verdicts(verb: Verb, holds: &[Hold], now: Timestamp) -> Vec<Verdict> {
    holds.iter().map(|hold| verdict(verb, hold, now)).collect()
}

fn verdict(verb: Verb, hold: &Hold, now: Timestamp) -> Verdict {
    let until = hold.until.map_or_else(String::new, |until| {
        format!(" until {} {}", text::date(until, now), text::clock(until))
    });
    let words = format!("on hold{until}: {}", hold.reason);
    let (finding, sentence) = if verb.brings_new() {
        (Finding::Block, words)
    } else {
        let doing = verb.words().doing;
        (
            Finding::Warn,
            format!("{words} (it does not keep from {doing})"),
        )
    };
    Verdict {
        check: CheckId::Hold,
        finding,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_waits_and_what_takes_back_does_not() {
        let now = "2026-12-24T18:00:00Z".parse().unwrap();
        let hold = Hold {
            reason: "christmas".into(),
            environments: Vec::new(),
            services: Vec::new(),
            from: None,
            until: Some("2027-01-03T07:00:00Z".parse().unwrap()),
        };
        for (verb, finding, sentence) in [
            (
                Verb::Resume,
                Finding::Block,
                "on hold until 3 Jan 2027 07:00: christmas",
            ),
            (
                Verb::Rollback,
                Finding::Warn,
                "on hold until 3 Jan 2027 07:00: christmas (it does not keep from rolling back)",
            ),
        ] {
            let said = verdicts(verb, std::slice::from_ref(&hold), now);
            let [verdict] = said.as_slice() else {
                panic!("one line");
            };
            assert_eq!((verdict.finding, &*verdict.sentence), (finding, sentence));
        }
        assert_eq!(verdicts(Verb::Resume, &[], now), []);
    }
}
