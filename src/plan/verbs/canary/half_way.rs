//! A Deployment that is paused half-way: promoting it resumes it, aborting it goes back and lets it move in one call.

use jiff::Timestamp;

use crate::domain::{Fleet, Verbatim};
use crate::plan::follow::Held;
use crate::plan::verbs::{resume, rollback};
use crate::plan::{Difference, Evidence, Plan, Refusal, Step, git, kubectl, patch};

use super::{guard_field, serving, where_it_is};

/// # Errors
/// Why it cannot be resumed.
pub fn promote(evidence: &Evidence) -> Result<Plan, Refusal> {
    let mut plan = resume::plan(evidence)?;
    plan.differences.insert(0, canary(evidence, "100%"));
    plan.goal.held = Some(Held::Paused);
    if let Some(verdict) = serving(evidence) {
        plan.add(verdict.into());
    }
    guard_field(&mut plan, evidence, git::Change::Resumed);
    Ok(plan)
}

/// As a rollback of one that moves: resumed first it would go on, and rolled back first it would wait.
///
/// # Errors
/// Why there is nothing to go back to.
pub fn abort(fleet: &Fleet, evidence: &Evidence, now: Timestamp) -> Result<Plan, Refusal> {
    let mut moving = evidence.clone();
    moving.workload.paused = false;
    let mut plan = rollback::plan(fleet, &moving, now)?;
    for step in &mut plan.steps {
        if let Step::JsonPatch { body, what, .. } = step {
            *body = Verbatim(patch::resuming(&body.0).into());
            what.push_str(", and resume it");
        }
    }
    plan.differences.insert(0, canary(evidence, "0%"));
    plan.goal.held = Some(Held::Paused);
    // Its own undo is refused while it is paused.
    let resume = kubectl::rollout(&evidence.workload.id, "resume");
    plan.kubectl = format!("{resume} && {}", plan.kubectl);
    Ok(plan)
}

fn canary(evidence: &Evidence, to: &str) -> Difference {
    Difference {
        what: "canary".into(),
        text: format!("{} → {to}", where_it_is(evidence)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan_of;
    use super::*;
    use crate::domain::canary::{Canary, PausedBy, Provider};
    use crate::plan::check::CheckState;
    use crate::plan::git::tests::healing;
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, Finding, OfferId, Verb};

    fn evidence(verb: Verb) -> Evidence {
        let mut e = sample::evidence();
        e.request.verb = verb;
        e.workload.paused = true;
        let canary = Canary::by_pods(Provider::PausedDeployment, PausedBy::Hand, (2, 7));
        e.workload.canary = Some(Box::new(canary));
        e
    }

    fn written(plan: &Plan) -> &str {
        let [Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("one step: {:?}", plan.steps);
        };
        &body.0
    }

    #[test]
    fn a_promotion_resumes_it() {
        for verb in [Verb::Promote, Verb::PromoteFull] {
            let plan = plan_of(&evidence(verb)).unwrap();
            let part = r#"{"op":"replace","path":"/spec/paused","value":false}"#;
            assert!(written(&plan).contains(part), "{}", written(&plan));
            assert_eq!(plan.differences[0].text, "28% (0% now) 2 of 7 pods → 100%");
            assert!(
                plan.meanwhile.starts_with("4 of 6 pods move"),
                "{}",
                plan.meanwhile
            );
            assert!(
                plan.checks
                    .iter()
                    .any(|check| check.id == CheckId::Readiness)
            );
            let mut resumed = evidence(verb).workload;
            resumed.paused = false;
            assert!(plan.goal.held.unwrap().moved(&resumed).is_some());
        }
    }

    #[test]
    fn where_git_may_have_the_pause_a_warning_is_enough() {
        let mut e = evidence(Verb::Promote);
        e.keeper = healing();
        let plan = plan_of(&e).unwrap();
        let owner = plan.checks.iter().find(|c| c.id == CheckId::Owner).unwrap();
        let CheckState::Answered(verdict) = &owner.state else {
            panic!("{owner:?}");
        };
        assert_eq!(verdict.finding, Finding::Warn);
        let words = "owns it; where git has this too, it heals itself";
        assert!(verdict.sentence.contains(words), "{}", verdict.sentence);
        let patch = plan.offers.iter().find(|o| o.id == OfferId::GitPatch);
        let text = &patch.unwrap().document.as_ref().unwrap().text;
        assert!(
            text.trim_end().ends_with("spec:\n  paused: false"),
            "{text}"
        );
    }

    #[test]
    fn an_abort_goes_back_and_lets_it_move_in_one_call() {
        let plan = plan_of(&evidence(Verb::Abort)).unwrap();
        let body = written(&plan);
        let end = r#",{"op":"test","path":"/spec/paused","value":true},{"op":"remove","path":"/spec/paused"}]"#;
        assert!(body.ends_with(end), "{body}");
        assert!(
            body.contains(r#"{"op":"replace","path":"/spec/template","value""#),
            "{body}"
        );
        assert!(
            serde_json::from_str::<serde_json::Value>(body).is_ok(),
            "{body}"
        );
        assert_eq!((plan.from.revision, plan.to.revision), (42, 41));
        assert!(plan.offers.iter().all(|offer| offer.id != OfferId::Resume));
        assert!(plan.checks.iter().all(|check| check.id != CheckId::Paused));
        assert!(
            plan.kubectl.contains("rollout resume deploy/checkout && "),
            "{}",
            plan.kubectl
        );
    }

    #[test]
    fn its_weight_is_not_set() {
        let mut e = evidence(Verb::SetWeight);
        e.request.target = crate::plan::Target::Weight(50);
        let said = plan_of(&e).unwrap_err().failure.sentence;
        assert!(said.contains("stands still"), "{said}");
    }
}
