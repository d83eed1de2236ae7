//! Whether the canary does as well as the stable side, by what both measure. What nobody measured is never a pass.

use jiff::Timestamp;

use super::{Ask, Check, CheckId, CheckState, Finding, Verdict};
use crate::domain::measured::{self, Measured, Rule, Sides, Told};
use crate::plan::{Evidence, Target, Verb};
use crate::text;

/// What is asked, and how the answer is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    pub sides: Sides,
    pub rule: Rule,
}

/// `None` where nobody measures, of what has not two sides, and of what gives the canary no more.
pub fn check(evidence: &Evidence) -> Option<Check> {
    let rule = evidence.measured.filter(|_| gives_more(evidence))?;
    let revisions = evidence.revisions.iter().map(|fresh| &fresh.revision);
    let since = rule.since(evidence.read_at);
    let sides = Sides::of(&evidence.workload, revisions, &evidence.pods, since)?;
    Some(match sides {
        Ok(sides) => Check {
            id: CheckId::Metrics,
            state: CheckState::Asking(Ask::Metrics(Box::new(Sought { sides, rule }))),
        },
        Err(why) => Verdict {
            check: CheckId::Metrics,
            finding: Finding::Unverified,
            sentence: text::measured::not_compared(&why),
        }
        .into(),
    })
}

/// Who gives it less is never kept from that.
fn gives_more(evidence: &Evidence) -> bool {
    let request = &evidence.request;
    match (request.verb, &request.target) {
        (Verb::Promote | Verb::PromoteFull, _) => true,
        (Verb::SetWeight, Target::Weight(percent)) => {
            let canary = evidence.workload.canary.as_deref();
            canary.is_some_and(|canary| {
                u64::from(*percent) * u64::from(canary.whole) > u64::from(canary.set) * 100
            })
        }
        _ => false,
    }
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
    use crate::domain::canary::{Canary, PausedBy, Provider, sample as canary};
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
        evidence.request.verb = Verb::Promote;
        evidence.workload.canary = Some(Box::new(canary()));
        assert_eq!(check(&evidence), None, "nobody measures");
        evidence.measured = Some(RULE);
        let asks = |evidence: &Evidence| {
            let asked = check(evidence)?.state;
            Some(matches!(asked, CheckState::Asking(Ask::Metrics(_))))
        };
        assert_eq!(asks(&evidence), Some(true));
        evidence.request.verb = Verb::SetWeight;
        for (percent, want) in [(19, None), (20, None), (21, Some(true))] {
            evidence.request.target = Target::Weight(percent);
            assert_eq!(asks(&evidence), want, "20% are set, {percent}% asked for");
        }
        evidence.request.verb = Verb::Abort;
        assert_eq!(asks(&evidence), None, "it gets less");
        evidence.request.verb = Verb::Promote;
        evidence.workload.canary = None;
        assert_eq!(asks(&evidence), None, "one side");
    }

    #[test]
    fn sides_that_nothing_tells_apart_are_unverified() {
        let mut evidence = sample::evidence();
        evidence.request.verb = Verb::PromoteFull;
        evidence.measured = Some(RULE);
        let half_way = Canary::by_pods(Provider::PausedDeployment, PausedBy::Hand, (2, 7));
        evidence.workload.canary = Some(Box::new(half_way));
        evidence.revisions.truncate(1);
        let CheckState::Answered(said) = check(&evidence).unwrap().state else {
            panic!("nobody can be asked");
        };
        assert_eq!(said.finding, Finding::Unverified);
        assert_eq!(said.sentence, "not compared: its revisions are not known");
    }
}
