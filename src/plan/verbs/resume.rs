//! Resuming a paused Deployment or Rollout: what waits of its rollout goes on.

use serde_json::Value;

use crate::domain::Workload;
use crate::plan::meanwhile::meanwhile;
use crate::plan::{Check, Difference, Evidence, Plan, Refusal, kubectl};
use crate::text;

use super::canary::hand;
use super::live;

/// # Errors
/// Why there is nothing to resume.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let workload = &evidence.workload;
    live::pausable(workload)?;
    let canary = workload.controlled();
    if !workload.paused {
        let plain = || Refusal::say(format!("{} is not paused.", workload.id));
        let why = canary.map(|canary| hand::not_paused(&workload.id, canary));
        return Err(why.unwrap_or_else(plain));
    }
    let template: Value =
        serde_json::from_str(&evidence.template.0).map_err(Refusal::unreadable)?;
    let side = live::side(evidence)?;
    let goal = live::goal(evidence, &side)?;
    let mut plan = Plan {
        arrow: (
            format!("{}, paused", side.label()),
            "the same, moving".into(),
        ),
        differences: vec![Difference {
            what: "paused".into(),
            text: "yes → no".into(),
        }],
        checks: checks(workload, &template),
        steps: vec![live::turn(evidence, &side, false)?],
        meanwhile: moves(workload),
        kubectl: kubectl::rollout(&workload.id, "resume"),
        ..live::draft(evidence, (side.clone(), side), goal)
    };
    if let Some(canary) = canary {
        hand::resumed(&mut plan, evidence, canary);
    }
    Ok(plan)
}

fn checks(workload: &Workload, template: &Value) -> Vec<Check> {
    let waiting = workload.desired.saturating_sub(workload.counts.updated);
    let mut checks = live::must_checks();
    checks.push(live::config(template));
    let way = live::on_its_way(&resumed(workload), template, waiting, None);
    checks.extend(way);
    checks.sort_by_key(|check| check.id);
    checks
}

fn resumed(workload: &Workload) -> Workload {
    Workload {
        paused: false,
        ..workload.clone()
    }
}

/// What the controller does next. Its own count tells, because pods may not be listed by everybody.
fn moves(workload: &Workload) -> String {
    let waiting = workload.desired.saturating_sub(workload.counts.updated);
    if waiting == 0 {
        let pods = text::count(
            usize::try_from(workload.desired).unwrap_or(usize::MAX),
            "pod",
        );
        return format!("no pod waits to be replaced: {pods} of its template are there");
    }
    let verb = if waiting == 1 { "moves" } else { "move" };
    format!(
        "{waiting} of {} pods {verb} to its template; {}",
        workload.desired,
        meanwhile(&resumed(workload), &[])
    )
}

#[cfg(test)]
mod tests {
    use crate::domain::{Fleet, Kind};
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, Evidence, Plan, Refusal, Step, Verb, plan as make};

    fn evidence() -> Evidence {
        let mut evidence = sample::evidence();
        evidence.request.verb = Verb::Resume;
        evidence.workload.paused = true;
        evidence
    }

    fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    #[test]
    fn what_moves_is_said_and_the_write_is_bound_to_what_was_shown() {
        let plan = plan(&evidence()).unwrap();
        assert_eq!(
            plan.meanwhile,
            "4 of 6 pods move to its template; 5 of 6 keep serving"
        );
        let (from, to) = plan.arrow.clone();
        assert_eq!(
            (&*from, &*to),
            ("2.15.0 (rev 42), paused", "the same, moving")
        );
        let [Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("one step");
        };
        let end = r#"{"op":"test","path":"/spec/paused","value":true},{"op":"replace","path":"/spec/paused","value":false},{"op":"add","path":"/metadata/annotations/rolldeck.dev~1turn","#;
        assert!(body.0.contains(end), "{}", body.0);
        assert!(plan.checks.iter().any(|check| check.id == CheckId::Config));
        let mut now = evidence().workload;
        assert!(!plan.applied(0, &now));
        now.turn = Some(sample::note(42, "2.15.0"));
        now.turn.as_mut().unwrap().id = plan.stamp.id.clone();
        assert!(plan.applied(0, &now));
        let mut complete = evidence();
        complete.workload.counts.updated = 6;
        assert_eq!(
            super::moves(&complete.workload),
            "no pod waits to be replaced: 6 pods of its template are there"
        );
    }

    #[test]
    fn what_cannot_be_resumed_is_refused() {
        let mut moving = evidence();
        moving.workload.paused = false;
        let mut daemon = sample::of_kind(Kind::DaemonSet);
        daemon.request.verb = Verb::Resume;
        for (evidence, sentence) in [
            (moving, "deploy/checkout is not paused."),
            (
                daemon,
                "ds/checkout cannot be paused or resumed: only Deployments and Rollouts can.",
            ),
        ] {
            assert_eq!(plan(&evidence).unwrap_err().failure.sentence, sentence);
        }
    }
}
