//! Promoting a canary to its end at once, without the steps and the analyses that are left.

use serde_json::json;

use crate::domain::Workload;
use crate::domain::canary::Canary;
use crate::plan::{Difference, Evidence, Offer, OfferId, Plan, Refusal};
use crate::plan::{Verb, kubectl};
use crate::text;

use super::can::not_by_hand;
use super::{bound, current, judged, partial, refused, serving, where_it_is};
use crate::plan::verbs::live;

/// # Errors
/// Why it would do nothing, or the opposite of what it says.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let canary = partial(evidence)?;
    let id = &evidence.workload.id;
    let mut operations = bound(evidence, canary);
    // Of one that was aborted it would send to all what was given up.
    let aborted = canary.abort_is_written.then_some(false);
    operations.push(json!({"op": "test", "path": "/status/stableRS", "value": canary.stable}));
    operations.push(json!({"op": "test", "path": "/status/abort", "value": aborted}));
    operations.push(json!({"op": "test", "path": "/status/abortedAt", "value": null}));
    operations.push(json!({"op": "add", "path": "/status/promoteFull", "value": true}));
    let now = current(evidence, canary);
    let mut plan = super::plan(evidence, canary, (now.clone(), now), &operations)?;
    plan.arrow = (plan.from.label(), "the same, 100% at once".into());
    plan.differences = vec![Difference {
        what: "canary".into(),
        text: format!("{} → 100%", where_it_is(evidence)),
    }];
    plan.meanwhile = skipped(canary);
    plan.kubectl = kubectl::argo(id, "promote") + " --full";
    let told = [judged::to_the_end(evidence, canary), serving(evidence)];
    for verdict in told.into_iter().flatten() {
        plan.add(verdict.into());
    }
    Ok(plan)
}

/// # Errors
/// Why it would do nothing, or send to all what was given up.
pub fn works(workload: &Workload, canary: &Canary) -> Result<(), Refusal> {
    let id = &workload.id;
    if canary.aborted {
        let asked = match &canary.template_of {
            Some(of) => format!("the template of {of}"),
            None => live::version_of(workload, None),
        };
        let sentence =
            format!("{id} was aborted: this would send {asked} to all, which was given up.");
        let hint = "a retry begins it at its first step again";
        return Err(refused(sentence, hint));
    }
    if canary.promoted_fully {
        let sentence = format!("{id} is told already to leave out its steps.");
        return Err(Refusal::say(sentence));
    }
    not_by_hand(id, canary)
}

/// What a plan that promotes by one step offers in its place.
pub fn offer() -> Offer {
    let text = "in place of it: promote it to its end, without the steps that are left";
    let mut offer = Offer::new(OfferId::Full, 'F', text, Vec::new());
    offer.opens = Some(Verb::PromoteFull);
    offer
}

/// `left out: 60%, pause 1h, 100%`.
fn skipped(canary: &Canary) -> String {
    match text::canary::next(canary).filter(|_| !canary.steps.is_empty()) {
        Some(steps) => format!("all of it goes to the canary; left out: {steps}"),
        None => "all of it goes to the canary; no step is left".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, evidence, plan_of};
    use super::*;
    use crate::domain::canary::PausedBy;

    #[test]
    fn it_is_bound_to_what_was_shown_and_to_not_being_aborted() {
        let evidence = evidence(Verb::PromoteFull, |canary| canary.abort_is_written = true);
        let hash = &evidence.workload.canary.as_ref().unwrap().current;
        let stable = &evidence.workload.canary.as_ref().unwrap().stable;
        let plan = plan_of(&evidence).unwrap();
        let want = json!([
            {"op": "test", "path": "/metadata/uid", "value": "d1"},
            {"op": "test", "path": "/status/currentPodHash", "value": hash},
            {"op": "test", "path": "/status/currentStepIndex", "value": 1},
            {"op": "test", "path": "/status/stableRS", "value": stable},
            {"op": "test", "path": "/status/abort", "value": false},
            {"op": "test", "path": "/status/abortedAt", "value": null},
            {"op": "add", "path": "/status/promoteFull", "value": true},
        ]);
        assert_eq!(body(&plan), want);
        let words = "all of it goes to the canary; left out: 60%, pause 30s, 100%";
        assert_eq!(plan.meanwhile, words);
        assert!(plan.kubectl.ends_with(" --full"), "{}", plan.kubectl);
    }

    #[test]
    fn what_would_do_the_opposite_or_nothing_is_refused() {
        let by_hand = |canary: &mut Canary| canary.pause.as_mut().unwrap().by = PausedBy::Hand;
        for (evidence, words) in [
            (
                evidence(Verb::PromoteFull, |c| c.aborted = true),
                "would send 2.15.0 to all, which was given up",
            ),
            (
                evidence(Verb::PromoteFull, |c| c.promoted_fully = true),
                "is told already",
            ),
            (evidence(Verb::PromoteFull, by_hand), "is paused by hand"),
            (
                evidence(Verb::PromoteFull, |c| c.stable = c.current.clone()),
                "is of one revision",
            ),
        ] {
            let said = plan_of(&evidence).unwrap_err().failure.sentence;
            assert!(said.contains(words), "{said}");
        }
    }
}
