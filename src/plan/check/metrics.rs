//! Whether the canary does as well as the stable side, by what both measure. What nobody measured is never a pass.

use jiff::Timestamp;

use super::{Ask, Check, CheckId, CheckState, Finding, Verdict};
use crate::domain::measured::{self, Measured, Rule, Sides, Told};
use crate::plan::Evidence;
use crate::text;

/// What is asked, and how the answer is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    pub sides: Sides,
    pub rule: Rule,
}

/// `None` where nobody measures, and of what has not two sides.
pub fn check(evidence: &Evidence) -> Option<Check> {
    let sought = Sought {
        sides: Sides::of(&evidence.workload)?,
        rule: evidence.measured?,
    };
    Some(Check {
        id: CheckId::Metrics,
        state: CheckState::Asking(Ask::Metrics(Box::new(sought))),
    })
}

/// Worse blocks; too little, and what is missing, is said as what it is.
pub fn verdict(told: Told, rule: &Rule, at: Timestamp) -> Verdict {
    let requests = told.canary.requests.clone().ok();
    let mut measured = Measured::default();
    measured.learn(told, at);
    let judged = measured.judge(rule);
    let words = text::measured::verdict(&judged, at);
    let (finding, sentence) = match &judged {
        measured::Verdict::Ok(pairs) => {
            let n = requests.map(|rate| text::measured::requests(rate, rule));
            let pairs = text::measured::against(pairs);
            (
                Finding::Ok,
                format!("the canary measures {pairs} ({})", n.unwrap_or_default()),
            )
        }
        measured::Verdict::Worse(_) => (Finding::Block, format!("the canary is {words}")),
        measured::Verdict::NotEnough { .. } => (
            Finding::Warn,
            format!("{words}: nothing says how the canary does"),
        ),
        measured::Verdict::Missing { .. } | measured::Verdict::Waiting => {
            (Finding::Unverified, words)
        }
    };
    Verdict {
        check: CheckId::Metrics,
        finding,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::sample as canary;
    use crate::domain::fixture::now;
    use crate::domain::measured::{RULE, SideTold, side};
    use crate::plan::verbs::rollback::sample;

    fn said(canary: SideTold, stable: SideTold) -> (Finding, String) {
        let verdict = verdict(Told { canary, stable }, &RULE, now());
        assert_eq!(verdict.check, CheckId::Metrics);
        (verdict.finding, verdict.sentence)
    }

    fn good() -> SideTold {
        side(12_000, Ok(2_000), Ok(200_000))
    }

    #[test]
    fn only_worse_blocks_and_only_numbers_are_ok() {
        let worse = side(12_000, Ok(41_000), Ok(210_000));
        let nothing = || SideTold::nothing("p: cannot connect");
        for (canary, stable, finding, words) in [
            (
                good(),
                good(),
                Finding::Ok,
                "the canary measures errors 0.2 % against 0.2 %, p99 200 ms against 200 ms (12/s, n=3,600)",
            ),
            (
                worse,
                good(),
                Finding::Block,
                "the canary is worse: errors 4.1 % against 0.2 %",
            ),
            (
                side(200, Ok(0), Ok(1)),
                good(),
                Finding::Warn,
                "not enough traffic (n=60): nothing says how the canary does",
            ),
            (
                nothing(),
                nothing(),
                Finding::Unverified,
                "no metrics: p: cannot connect",
            ),
            (
                good(),
                nothing(),
                Finding::Unverified,
                "no metrics of the stable side: p: cannot connect",
            ),
            (
                side(12_000, Ok(0), Err("the query gives NaN")),
                good(),
                Finding::Unverified,
                "p99 of the canary not known: the query gives NaN",
            ),
        ] {
            assert_eq!(said(canary, stable), (finding, words.to_owned()));
        }
    }

    #[test]
    fn it_is_asked_of_two_sides_where_somebody_measures() {
        let mut evidence = sample::evidence();
        evidence.workload.canary = Some(Box::new(canary()));
        assert_eq!(check(&evidence), None, "nobody measures");
        evidence.measured = Some(RULE);
        assert!(check(&evidence).is_some());
        evidence.workload.canary = None;
        assert_eq!(check(&evidence), None, "one side");
    }
}
