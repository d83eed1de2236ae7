//! Retrying a canary that was aborted: the same release begins at its first step again.

use serde_json::json;

use crate::domain::WorkloadId;
use crate::domain::canary::{Canary, Verdict as Judged};
use crate::plan::{CheckId, Difference, Evidence, Finding, Plan, Refusal, Verdict, kubectl};
use crate::text;

use super::can::not_by_hand;
use super::{bound, current, partial, side};

/// # Errors
/// Why there is nothing to retry.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let canary = partial(evidence)?;
    let id = &evidence.workload.id;
    let mut operations = bound(evidence, canary);
    operations.push(json!({"op": "test", "path": "/status/abort", "value": true}));
    operations.push(json!({"op": "remove", "path": "/status/abort"}));
    let sides = (side(evidence, &canary.stable), current(evidence, canary));
    let (from, to) = (sides.0.label(), sides.1.label());
    // What it is bound to is the template, which stays.
    let mut plan = super::plan(evidence, canary, (sides.1.clone(), sides.1), &operations)?;
    plan.arrow = (from, to);
    let steps = if canary.steps.is_empty() {
        "all of it".to_owned()
    } else {
        text::canary::all(canary)
    };
    plan.differences = vec![Difference {
        what: "canary".into(),
        text: format!("aborted → {steps}"),
    }];
    plan.meanwhile = format!(
        "the same release of {} begins at its first step again",
        plan.to.version
    );
    plan.kubectl = kubectl::argo(id, "retry rollout");
    let bad = |run: &&_| matches!(run, crate::domain::canary::Analysis { verdict, .. } if *verdict != Judged::Successful);
    let why = canary.analyses.iter().find(bad);
    let why = why.map(text::canary::analysis);
    let message = (!canary.message.is_empty()).then(|| canary.message.to_string());
    if let Some(why) = why.or(message) {
        let verdict = Verdict {
            check: CheckId::Analysis,
            finding: Finding::Warn,
            sentence: format!("why it was aborted: {why}"),
        };
        plan.add(verdict.into());
    }
    Ok(plan)
}

/// # Errors
/// Why there is nothing to retry.
pub fn works(id: &WorkloadId, canary: &Canary) -> Result<(), Refusal> {
    if !canary.aborted {
        let sentence = format!("{id} was not aborted: there is nothing to retry.");
        return Err(Refusal::say(sentence));
    }
    not_by_hand(id, canary)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, evidence, plan_of};
    use crate::domain::canary::{Canary, Pause, PausedBy};
    use crate::plan::Verb;

    fn aborted(canary: &mut Canary) {
        (canary.aborted, canary.step, canary.pause) = (true, 0, None);
        canary.message = "RolloutAborted: Rollout aborted update to revision 3".into();
    }

    #[test]
    fn it_begins_anew_while_it_is_the_same_and_aborted() {
        let plan = plan_of(&evidence(Verb::Retry, aborted)).unwrap();
        let operations = body(&plan);
        let want = [
            serde_json::json!({"op": "test", "path": "/status/abort", "value": true}),
            serde_json::json!({"op": "remove", "path": "/status/abort"}),
        ];
        assert_eq!(operations.as_array().unwrap()[3..], want);
        assert_eq!(
            plan.differences[0].text,
            "aborted → 20%, pause until promoted, 60%, pause 30s, 100%"
        );
        let told = plan.checks.iter().any(|check| {
            matches!(&check.state, crate::plan::CheckState::Answered(verdict) if verdict.sentence.starts_with("why it was aborted: RolloutAborted"))
        });
        assert!(told, "{:?}", plan.checks);
    }

    #[test]
    fn what_was_not_aborted_or_would_not_move_is_refused() {
        let held = |canary: &mut Canary| {
            aborted(canary);
            canary.pause = Some(Pause {
                by: PausedBy::Hand,
                since: None,
                until: None,
            });
        };
        for (evidence, words) in [
            (evidence(Verb::Retry, |_| {}), "was not aborted"),
            (evidence(Verb::Retry, held), "is paused by hand"),
        ] {
            let said = plan_of(&evidence).unwrap_err().failure.sentence;
            assert!(said.contains(words), "{said}");
        }
    }
}
