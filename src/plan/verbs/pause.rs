//! Pausing a Deployment or a Rollout: what its rollouts have done stays done, and nothing more of them moves.

use crate::domain::{Failure, FailureKind, Workload};
use crate::plan::{Difference, Evidence, Plan, Refusal, kubectl};

use super::canary::hand;
use super::live;

/// # Errors
/// Why there is nothing to pause.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let workload = &evidence.workload;
    live::pausable(workload)?;
    if workload.paused {
        let failure = Failure::new(
            FailureKind::Refused,
            format!("{} is paused already.", workload.id),
        );
        return Err(Refusal::still(failure.hint("resume lets it move again")));
    }
    let canary = workload.controlled();
    if let Some(canary) = canary {
        hand::may_pause(&workload.id, canary)?;
    }
    let side = live::side(evidence)?;
    let goal = live::goal(evidence, &side)?;
    let mut plan = Plan {
        arrow: (side.label(), "the same, paused".into()),
        differences: vec![Difference {
            what: "paused".into(),
            text: "no → yes".into(),
        }],
        steps: vec![live::turn(evidence, &side, true)?],
        meanwhile: stands_still(workload),
        kubectl: kubectl::rollout(&workload.id, "pause"),
        ..live::draft(evidence, (side.clone(), side), goal)
    };
    if let Some(canary) = canary {
        hand::paused(&mut plan, evidence, canary);
    }
    Ok(plan)
}

fn stands_still(workload: &Workload) -> String {
    let (have, want) = (workload.counts.available, workload.desired);
    let rollouts = if workload.rollout_is_finished() {
        "a new template waits until it is resumed".to_owned()
    } else {
        let updated = workload.counts.updated;
        format!("the rollout stands still at {updated} of {want}, and so do new ones")
    };
    format!("{rollouts}; scaling still works; {have} of {want} serve now")
}

#[cfg(test)]
mod tests {
    use crate::domain::{Fleet, Kind};
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, Evidence, Plan, Refusal, Step, Verb, plan as make};

    fn evidence() -> Evidence {
        let mut evidence = sample::evidence();
        evidence.request.verb = Verb::Pause;
        evidence
    }

    fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    #[test]
    fn what_stands_still_is_said_and_the_write_is_bound_to_what_was_shown() {
        let plan = plan(&evidence()).unwrap();
        assert_eq!(
            plan.meanwhile,
            "the rollout stands still at 2 of 6, and so do new ones; scaling still works; 5 of 6 serve now"
        );
        let (from, to) = plan.arrow.clone();
        assert_eq!((&*from, &*to), ("2.15.0 (rev 42)", "the same, paused"));
        assert_eq!(
            plan.kubectl,
            "kubectl --context prod-eu -n shop rollout pause deploy/checkout"
        );
        let [Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("one step");
        };
        let want = format!(
            r#"[{{"op":"test","path":"/metadata/uid","value":"d1"}},{{"op":"test","path":"/spec/template","value":{}}},{{"op":"test","path":"/spec/paused","value":null}},{{"op":"add","path":"/spec/paused","value":true}},{{"op":"add","path":"/metadata/annotations/rolldeck.dev~1turn","value":"#,
            evidence().template.0
        );
        assert!(body.0.starts_with(&want), "{}", body.0);
        let asked: Vec<_> = plan.checks.iter().map(|check| check.id).collect();
        assert_eq!(
            asked,
            [CheckId::Permission, CheckId::Unchanged, CheckId::DryRun]
        );
        let mut now = evidence().workload;
        assert!(!plan.applied(0, &now));
        now.turn = Some(sample::note(42, "2.15.0"));
        now.turn.as_mut().unwrap().id = plan.stamp.id.clone();
        assert!(plan.applied(0, &now));
        now.uid = "d2".into();
        assert!(!plan.applied(0, &now));
    }

    #[test]
    fn what_cannot_be_paused_is_refused() {
        let mut paused = evidence();
        paused.workload.paused = true;
        let mut stateful = sample::of_kind(Kind::StatefulSet);
        stateful.request.verb = Verb::Pause;
        let mut gone = evidence();
        gone.workload.deleting = true;
        for (evidence, sentence) in [
            (paused, "deploy/checkout is paused already."),
            (
                stateful,
                "sts/checkout cannot be paused or resumed: only Deployments and Rollouts can.",
            ),
            (gone, "deploy/checkout is being deleted."),
        ] {
            assert_eq!(plan(&evidence).unwrap_err().failure.sentence, sentence);
        }
    }
}
