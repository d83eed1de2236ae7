//! What the analyses of a canary say of letting it go on.

use crate::domain::canary::{Analysis, Canary, PausedBy, Step, Verdict as Judged};
use crate::plan::{CheckId, Finding, Verdict};
use crate::text;

/// One that is bad, or told nothing, keeps it from the next step; one that runs may still stop it there. `None` when
/// it has none.
pub fn of_step(canary: &Canary) -> Option<Verdict> {
    let ended = |run: &&Analysis| !matches!(run.verdict, Judged::Running | Judged::Pending);
    let bad = canary.analyses.iter().filter(ended);
    if let Some(verdict) = blocked(canary, bad) {
        return Some(verdict);
    }
    if let Some(run) = canary.analyses.iter().find(|run| !ended(run)) {
        let words = text::canary::analysis(run);
        return Some(of(
            Finding::Warn,
            format!("analysis {words}: it has judged nothing yet"),
        ));
    }
    all_good(canary)
}

/// The same to its end: one that runs is not waited for, and those that are left are never asked.
pub fn to_the_end(canary: &Canary) -> Option<Verdict> {
    if let Some(verdict) = blocked(canary, canary.analyses.iter()) {
        return Some(verdict);
    }
    let judges = |step: &&Step| matches!(step, Step::Analysis | Step::Experiment);
    let left = canary.now().into_iter().chain(canary.next());
    match left.filter(judges).count() {
        0 => all_good(canary),
        left => {
            let steps = text::count(left, "step");
            let sentence = format!("{steps} that would judge it by its metrics never run");
            Some(of(Finding::Block, sentence))
        }
    }
}

/// By one of these that is not successful.
fn blocked<'a>(canary: &Canary, mut runs: impl Iterator<Item = &'a Analysis>) -> Option<Verdict> {
    if let Some(run) = runs.find(|run| run.verdict != Judged::Successful) {
        let words = text::canary::analysis(run);
        return Some(of(
            Finding::Block,
            format!("it would go past analysis {words}"),
        ));
    }
    let inconclusive = canary
        .pause
        .is_some_and(|pause| pause.by == PausedBy::Inconclusive);
    inconclusive.then(|| {
        of(
            Finding::Block,
            "its analysis told neither good nor bad".into(),
        )
    })
}

fn all_good(canary: &Canary) -> Option<Verdict> {
    let some = !canary.analyses.is_empty();
    some.then(|| of(Finding::Ok, "its analyses are successful".into()))
}

fn of(finding: Finding, sentence: String) -> Verdict {
    Verdict {
        check: CheckId::Analysis,
        finding,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evidence, plan_of};
    use super::*;
    use crate::plan::Verb;
    use crate::plan::gate::{Answers, Missing, missing};

    /// Whether a reason is needed to promote it by a step, and to its end.
    fn stopped(change: impl Fn(&mut Canary)) -> [bool; 2] {
        [Verb::Promote, Verb::PromoteFull].map(|verb| {
            let plan = plan_of(&evidence(verb, &change)).unwrap();
            let check = Missing::Override(CheckId::Analysis);
            missing(plan.level, &plan, &[], &Answers::default()).contains(&check)
        })
    }

    #[test]
    fn what_no_analysis_vouches_for_needs_a_reason() {
        let of = |verdict| {
            move |canary: &mut Canary| {
                let run = Analysis {
                    name: "rate".into(),
                    verdict,
                    message: "".into(),
                    created: None,
                    metrics: [].into(),
                };
                canary.analyses = [run].into();
            }
        };
        assert_eq!(stopped(|_| {}), [false, false], "there is none");
        assert_eq!(stopped(of(Judged::Successful)), [false, false]);
        for verdict in [Judged::Failed, Judged::Inconclusive, Judged::Error] {
            assert_eq!(stopped(of(verdict)), [true, true], "{verdict:?}");
        }
        assert_eq!(stopped(of(Judged::Running)), [false, true], "it runs on");
        assert_eq!(
            stopped(|c| c.steps[3] = Step::Analysis),
            [false, true],
            "never run"
        );
        let unnamed = |c: &mut Canary| c.pause.as_mut().unwrap().by = PausedBy::Inconclusive;
        assert_eq!(stopped(unnamed), [true, true]);
    }
}
