//! What the analyses of a canary say of letting it go on.

use crate::domain::canary::{Analysis, Canary, Metric, PausedBy, Step, Verdict as Judged};
use crate::plan::{CheckId, Evidence, Finding, Verdict};
use crate::text;

/// One that is bad, or told nothing, keeps it from the next step; one that runs may still stop it there. `None` when
/// it has none.
pub fn of_step(evidence: &Evidence, canary: &Canary) -> Option<Verdict> {
    let ended = |run: &&Analysis| !matches!(run.verdict, Judged::Running | Judged::Pending);
    let bad = canary.analyses.iter().filter(ended);
    if let Some(verdict) = blocked(canary, bad) {
        return Some(verdict);
    }
    match canary.analyses.iter().find(|run| !ended(run)) {
        Some(run) if evidence.unjudged.is_none() => Some(so_far(run)),
        _ => rest(evidence, canary),
    }
}

/// The same to its end: one that runs is not waited for, and those that are left are never asked.
pub fn to_the_end(evidence: &Evidence, canary: &Canary) -> Option<Verdict> {
    if let Some(verdict) = blocked(canary, canary.analyses.iter()) {
        return Some(verdict);
    }
    let judges = |step: &&Step| matches!(step, Step::Analysis | Step::Experiment);
    let left = canary.now().into_iter().chain(canary.next());
    match left.filter(judges).count() {
        0 => rest(evidence, canary),
        left => {
            let steps = text::count(left, "step");
            let sentence = format!("{steps} that would judge it by its metrics never run");
            Some(of(Finding::Block, sentence))
        }
    }
}

/// It waits because the analysis of its step told neither good nor bad, and without the next step that would only
/// measure anew, as one beside the steps does.
pub fn goes_past(canary: &Canary) -> bool {
    let judges = matches!(canary.now(), Some(Step::Analysis | Step::Experiment));
    // The status names the one of the step first.
    let own = canary.analyses.first();
    is_unsure(canary) && judges && own.is_none_or(|run| run.verdict == Judged::Inconclusive)
}

/// What comes of letting it on.
pub fn outlook(canary: &Canary) -> &'static str {
    if !is_unsure(canary) || goes_past(canary) {
        "its controller goes on to the next pause, or to the end"
    } else if canary.steps.is_empty() {
        "its analysis measures anew, and it goes on once that is good"
    } else {
        "its controller goes on, and its analysis measures anew beside that"
    }
}

fn is_unsure(canary: &Canary) -> bool {
    let pause = canary.pause;
    pause.is_some_and(|pause| pause.by == PausedBy::Inconclusive)
}

/// By one of these that is not successful, or only in name.
fn blocked<'a>(canary: &Canary, runs: impl Iterator<Item = &'a Analysis>) -> Option<Verdict> {
    let mut hollow = None;
    for run in runs {
        let words = text::canary::analysis(run);
        if run.verdict != Judged::Successful {
            let sentence = format!("it would go past analysis {words}");
            return Some(of(Finding::Block, sentence));
        }
        if run.is_hollow() && hollow.is_none() {
            let metric = run.metrics.iter().find(|metric| metric.is_hollow());
            let metric = metric.map(|metric| format!(": {}", text::canary::metric(metric)));
            let metric = metric.unwrap_or_default();
            hollow = Some(format!("analysis {words}, and rests on nothing{metric}"));
        }
    }
    let unsure = || is_unsure(canary).then(|| "its analysis told neither good nor bad".to_owned());
    let sentence = hollow.or_else(unsure)?;
    Some(of(Finding::Block, sentence))
}

/// What one that still runs has measured until now.
fn so_far(run: &Analysis) -> Verdict {
    let name = &run.name;
    let says = |is: fn(&&Metric) -> bool| run.metrics.iter().find(is).map(text::canary::metric);
    if let Some(metric) = says(|metric| metric.tells_nothing()) {
        let sentence = format!("analysis {name} runs, and measures nothing: {metric}");
        return of(Finding::Block, sentence);
    }
    if let Some(metric) = says(|metric| metric.failed > 0) {
        return of(Finding::Warn, format!("analysis {name} runs: {metric}"));
    }
    if run.metrics.is_empty() || says(|metric| metric.samples == 0).is_some() {
        let words = text::canary::analysis(run);
        let sentence = format!("analysis {words}: it has judged nothing yet");
        return of(Finding::Warn, sentence);
    }
    of(
        Finding::Ok,
        format!("analysis {name} runs, and is good so far"),
    )
}

fn rest(evidence: &Evidence, canary: &Canary) -> Option<Verdict> {
    if let Some(why) = &evidence.unjudged {
        let sentence = format!("what its analyses measured is not known: {why}");
        return Some(of(Finding::Unverified, sentence));
    }
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

    fn metric(value: &str, verdict: Judged) -> Metric {
        Metric {
            name: "rate".into(),
            verdict,
            value: value.into(),
            limit: "result[0] < 0.1".into(),
            samples: 2,
            failed: 0,
        }
    }

    /// What is said of a run with this metric.
    fn said(verdict: Judged, change: impl Fn(&mut Metric)) -> (Finding, String) {
        let evidence = evidence(Verb::Promote, |canary| {
            let mut metric = metric("[0.02]", verdict);
            change(&mut metric);
            canary.analyses = [Analysis {
                name: "cart-1".into(),
                verdict,
                message: "".into(),
                created: Some("2026-01-01T11:00:00Z".parse().unwrap()),
                metrics: [metric].into(),
            }]
            .into();
        });
        let canary = evidence.workload.canary.as_deref().unwrap();
        let verdict = of_step(&evidence, canary).unwrap();
        (verdict.finding, verdict.sentence)
    }

    #[test]
    fn no_number_is_no_pass() {
        use Judged::{Running, Successful};
        let empty = |m: &mut Metric| m.value = "[]".into();
        let (finding, words) = said(Successful, empty);
        assert_eq!(finding, Finding::Block);
        let want = "analysis cart-1 successful, and rests on nothing: rate []: successful, but nothing was measured, 2 samples, wants result[0] < 0.1";
        assert_eq!(words, want);
        let nan = |m: &mut Metric| m.value = "[NaN]".into();
        assert_eq!(said(Successful, nan).0, Finding::Block);
        assert_eq!(said(Successful, |_| {}).0, Finding::Ok);
        // A job says it by how it ends.
        let job = |m: &mut Metric| (m.value, m.limit) = ("".into(), "".into());
        assert_eq!(said(Successful, job).0, Finding::Ok);
        let (finding, words) = said(Running, nan);
        assert_eq!(finding, Finding::Block);
        assert!(
            words.starts_with("analysis cart-1 runs, and measures nothing: rate [NaN]"),
            "{words}"
        );
        assert_eq!(said(Running, |m| m.failed = 1).0, Finding::Warn);
        assert_eq!(said(Running, |m| m.samples = 0).0, Finding::Warn);
        let (finding, words) = said(Running, |_| {});
        assert_eq!(finding, Finding::Ok);
        assert!(words.ends_with("is good so far"), "{words}");
    }

    #[test]
    fn one_that_was_ended_has_judged_nothing() {
        let ended = |canary: &mut Canary| {
            canary.analyses = [Analysis {
                name: "cart-1".into(),
                verdict: Judged::Successful,
                message: "Run Terminated".into(),
                created: None,
                metrics: [].into(),
            }]
            .into();
        };
        assert_eq!(stopped(ended), [true, true]);
    }

    #[test]
    fn what_cannot_be_read_is_not_called_good() {
        let mut evidence = evidence(Verb::Promote, |_| {});
        evidence.unjudged = Some("needs list analysisruns".into());
        let canary = evidence.workload.canary.as_deref().unwrap();
        for verdict in [of_step(&evidence, canary), to_the_end(&evidence, canary)] {
            let verdict = verdict.unwrap();
            assert_eq!(verdict.finding, Finding::Unverified);
            assert!(verdict.sentence.ends_with("needs list analysisruns"));
        }
    }

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
