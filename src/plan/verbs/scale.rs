//! Scaling: another number of replicas, or other bounds for the autoscaler that sets the number.

use crate::domain::ActionNote;
use crate::domain::{Autoscaler, Failure, FailureKind, Kind, Verbatim, Workload};
use crate::plan::check::autoscaler;
use crate::plan::patch::{self, Note};
use crate::plan::{
    Autoscaling, Check, Difference, Evidence, Goal, ObjectRef, Plan, Refusal, Scaled, Side, Step,
    Target, git, kubectl,
};
use crate::text;

use super::canary::{own_template, release};
use super::live;

/// # Errors
/// Why it is not scaled, or that the number is the one that stands.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let workload = &evidence.workload;
    scalable(workload)?;
    release::takes_replicas(evidence)?;
    let Target::Replicas { to, .. } = evidence.request.target else {
        return Err(Refusal::say("It is not said how many replicas.".into()));
    };
    let side = live::side(evidence)?;
    let change = match &evidence.autoscaling {
        // At zero it stands still, and nobody else sets the number.
        Autoscaling::By(autoscaler) if to > 0 && workload.desired > 0 => {
            bounds(evidence, &side, autoscaler, to)?
        }
        _ => replicas(evidence, &side, to)?,
    };
    let verdict = autoscaler::verdict(workload, &evidence.autoscaling, to);
    let mut checks = live::must_checks();
    checks.extend(verdict.map(Check::from));
    let scaled = change.scaled;
    let goal = Goal {
        scaled: Some(scaled),
        generation: change.generation,
        ..live::goal(evidence, &side)?
    };
    let mut plan = Plan {
        arrow: change.arrow,
        differences: change.differences,
        checks,
        steps: vec![change.step],
        meanwhile: change.meanwhile,
        kubectl: change.kubectl,
        ..live::draft(evidence, (side.clone(), side), goal)
    };
    // Bounds are written to the autoscaler, which is an object of its own.
    if let Scaled::To(count) = scaled {
        git::guard(&mut plan, evidence, git::Change::Replicas(count));
    }
    Ok(plan)
}

/// A DaemonSet has no number of its own.
pub fn scalable(workload: &Workload) -> Result<(), Refusal> {
    match workload.id.kind {
        Kind::Deployment | Kind::Rollout | Kind::StatefulSet => Ok(()),
        Kind::DaemonSet => {
            let sentence = format!("{} is not scaled by a number.", workload.id);
            let failure = Failure::new(FailureKind::Refused, sentence);
            let hint = "it runs one pod on each node that its node selector picks";
            Err(Refusal::still(failure.hint(hint)))
        }
    }
}

/// What is written, and to which of the two objects.
struct Change {
    arrow: (String, String),
    differences: Vec<Difference>,
    step: Step,
    scaled: Scaled,
    /// The first generation of the workload that has it.
    generation: i64,
    meanwhile: String,
    kubectl: String,
}

fn replicas(evidence: &Evidence, side: &Side, to: u32) -> Result<Change, Refusal> {
    let workload = &evidence.workload;
    let (id, now) = (&workload.id, workload.desired);
    if now == to {
        return Err(Refusal::say(format!(
            "{id} is scaled to {now} already; {} of them serve.",
            workload.counts.available
        )));
    }
    let note = ActionNote {
        replicas: Some(to),
        ..live::note(evidence, side)?
    };
    let note = Note {
        note: &note,
        into_map: evidence.has_annotations,
    };
    let body = patch::scale(&workload.uid, own_template(evidence), (now, to), &note);
    Ok(Change {
        arrow: (of_replicas(now), of_replicas(to)),
        differences: vec![Difference {
            what: "replicas".into(),
            text: format!("{now} → {to}"),
        }],
        step: Step::JsonPatch {
            object: ObjectRef::of(workload),
            body: Verbatim(body.map_err(Refusal::unreadable)?.into()),
            what: format!("scale {id} from {now} to {to}"),
        },
        scaled: Scaled::To(to),
        generation: workload.generation.saturating_add(1),
        meanwhile: meanwhile(workload, to) + release::keeps(evidence),
        kubectl: kubectl::scale(id, (now, to)),
    })
}

/// So that it holds `to`: at least so many when that is more than now, at most so many when it is less.
fn bounds(
    evidence: &Evidence,
    side: &Side,
    autoscaler: &Autoscaler,
    to: u32,
) -> Result<Change, Refusal> {
    let workload = &evidence.workload;
    let (least, most) = (autoscaler.least(), autoscaler.max);
    let (min, max) = if to < workload.desired {
        (least.min(to), to)
    } else {
        (to, most.max(to))
    };
    let name = &autoscaler.name;
    if (min, max) == (least, most) {
        return Err(Refusal::say(format!(
            "hpa/{name} scales {} between {least} and {most} already: it is at {}.",
            workload.id, workload.desired
        )));
    }
    let body = patch::bounds(autoscaler, (min, max), &live::note(evidence, side)?);
    let words = |min, max| format!("hpa/{name} {min} to {max}");
    let one = |what: &str, from: u32, to: u32| {
        (from != to).then(|| Difference {
            what: what.into(),
            text: format!("{from} → {to}"),
        })
    };
    let differences = [
        one("minReplicas", least, min),
        one("maxReplicas", most, max),
    ];
    Ok(Change {
        arrow: (words(least, most), words(min, max)),
        differences: differences.into_iter().flatten().collect(),
        step: Step::JsonPatch {
            object: ObjectRef {
                api: "autoscaling/v2",
                resource: "horizontalpodautoscalers",
                name: name.clone(),
                ..ObjectRef::of(workload)
            },
            body: Verbatim(body.map_err(Refusal::unreadable)?.into()),
            what: format!("set the bounds of hpa/{name} to {min} and {max}"),
        },
        scaled: Scaled::Between(min, max),
        // The autoscaler writes it, when it does.
        generation: workload.generation,
        meanwhile: format!(
            "{} now; the autoscaler moves it within a minute; {}",
            of_replicas(workload.desired),
            meanwhile(workload, to)
        ),
        kubectl: kubectl::bounds(&workload.id, name, (min, max)),
    })
}

fn of_replicas(count: u32) -> String {
    text::count(usize::try_from(count).unwrap_or(usize::MAX), "replica")
}

/// What happens to those who are served.
fn meanwhile(workload: &Workload, to: u32) -> String {
    let (have, now) = (workload.counts.available, workload.desired);
    let pods = |n: u32| text::count(usize::try_from(n).unwrap_or(usize::MAX), "pod");
    if to == 0 {
        return format!(
            "downtime: {} that serve stop, and none serves until it is scaled up",
            pods(have)
        );
    }
    if to < now {
        let verb = if now - to == 1 { "stops" } else { "stop" };
        let serve = have.min(to);
        return format!("{} {verb}; {serve} of {to} serve then", pods(now - to));
    }
    let verb = if to - now == 1 { "starts" } else { "start" };
    let paused = if workload.paused {
        "; a pause does not hold it back"
    } else {
        ""
    };
    // The count may be older than the number.
    let serve = have.min(now);
    format!(
        "{} more {verb}; {serve} serve meanwhile{paused}",
        pods(to - now)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fleet;
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, CheckState, Finding, Verb, plan as make};

    fn evidence(to: u32) -> Evidence {
        let mut evidence = sample::evidence();
        evidence.request.verb = Verb::Scale;
        evidence.request.target = Target::Replicas { shown: 6, to };
        evidence
    }

    fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    fn hpa(min: u32, max: u32) -> Autoscaling {
        Autoscaling::By(Autoscaler {
            name: "web".into(),
            uid: "h1".into(),
            target: Some(("Deployment".into(), "checkout".into())),
            min: Some(min),
            max,
            wants: None,
            blind: None,
            has_annotations: false,
            turn: None,
        })
    }

    fn body(plan: &Plan) -> &str {
        let [Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("{:?}", plan.steps);
        };
        &body.0
    }

    #[test]
    fn the_write_is_bound_to_the_number_that_was_shown() {
        let plan = plan(&evidence(8)).unwrap();
        let bound = r#"{"op":"test","path":"/spec/replicas","value":6},{"op":"replace","path":"/spec/replicas","value":8},"#;
        assert!(body(&plan).contains(bound), "{}", body(&plan));
        assert!(body(&plan).contains("rolldeck.dev~1turn"));
        assert_eq!(plan.arrow, ("6 replicas".into(), "8 replicas".into()));
        assert_eq!(plan.meanwhile, "2 pods more start; 5 serve meanwhile");
        assert_eq!(
            plan.kubectl,
            "kubectl --context prod-eu -n shop scale deploy/checkout --current-replicas=6 --replicas=8"
        );
        assert_eq!(plan.goal.scaled, Some(Scaled::To(8)));
        assert_eq!(plan.replicas_before(), Some(6));
        assert!(
            plan.checks
                .iter()
                .all(|check| check.id != CheckId::Autoscaler)
        );
    }

    #[test]
    fn fewer_stop_and_none_is_downtime() {
        for (to, want) in [
            (3, "3 pods stop; 3 of 3 serve then"),
            (
                0,
                "downtime: 5 pods that serve stop, and none serves until it is scaled up",
            ),
        ] {
            assert_eq!(plan(&evidence(to)).unwrap().meanwhile, want);
        }
    }

    #[test]
    fn an_autoscaler_gets_other_bounds_and_is_not_fought() {
        for (to, min, max) in [(8, 8, 10), (12, 12, 12), (4, 2, 4), (1, 1, 1)] {
            let mut evidence = evidence(to);
            evidence.autoscaling = hpa(2, 10);
            let plan = plan(&evidence).unwrap();
            assert_eq!(plan.goal.scaled, Some(Scaled::Between(min, max)), "{to}");
            assert_eq!(
                plan.steps[0].object().unwrap().resource,
                "horizontalpodautoscalers"
            );
            let want = format!(
                r#"[{{"op":"test","path":"/metadata/uid","value":"h1"}},{{"op":"test","path":"/spec/minReplicas","value":2}},{{"op":"test","path":"/spec/maxReplicas","value":10}},{{"op":"add","path":"/spec/minReplicas","value":{min}}},{{"op":"replace","path":"/spec/maxReplicas","value":{max}}},{{"op":"test","path":"/metadata/annotations","value":null}},"#
            );
            assert!(body(&plan).starts_with(&want), "{}", body(&plan));
            assert_eq!(plan.replicas_before(), None);
            let warns = plan.checks.iter().any(|check| match &check.state {
                CheckState::Answered(verdict) => verdict.finding == Finding::Warn,
                CheckState::Asking(_) => false,
            });
            assert!(warns);
        }
    }

    #[test]
    fn at_zero_an_autoscaler_stands_still_and_the_number_is_written() {
        let mut down = evidence(0);
        down.autoscaling = hpa(2, 10);
        let mut up = evidence(4);
        up.workload.desired = 0;
        up.request.target = Target::Replicas { shown: 0, to: 4 };
        up.autoscaling = hpa(2, 10);
        for evidence in [down, up] {
            let plan = plan(&evidence).unwrap();
            assert_eq!(plan.steps[0].object().unwrap().resource, "deployments");
            assert!(
                plan.checks
                    .iter()
                    .any(|check| check.id == CheckId::Autoscaler)
            );
        }
    }

    #[test]
    fn what_cannot_be_scaled_is_refused() {
        let mut daemon = sample::of_kind(Kind::DaemonSet);
        daemon.request.verb = Verb::Scale;
        daemon.request.target = Target::Replicas { shown: 3, to: 5 };
        let mut bounded = evidence(10);
        bounded.autoscaling = hpa(10, 10);
        let mut elsewhere = evidence(8);
        elsewhere.workload.desired = 7;
        for (evidence, sentence, moved) in [
            (daemon, "ds/checkout is not scaled by a number.", false),
            (
                evidence(6),
                "deploy/checkout is scaled to 6 already; 5 of them serve.",
                false,
            ),
            (
                bounded,
                "hpa/web scales deploy/checkout between 10 and 10 already: it is at 6.",
                false,
            ),
            (
                elsewhere,
                "deploy/checkout was scaled from 6 to 7, after it was shown.",
                true,
            ),
        ] {
            let refusal = plan(&evidence).unwrap_err();
            assert_eq!(
                (&*refusal.failure.sentence, refusal.moved),
                (sentence, moved)
            );
        }
    }

    #[test]
    fn an_autoscaler_that_cannot_be_read_is_said() {
        let mut evidence = evidence(8);
        evidence.autoscaling = Autoscaling::Unknown("no rights".into());
        let plan = plan(&evidence).unwrap();
        let unverified = plan.checks.iter().any(|check| match &check.state {
            CheckState::Answered(verdict) => verdict.finding == Finding::Unverified,
            CheckState::Asking(_) => false,
        });
        assert!(unverified && plan.steps[0].object().unwrap().resource == "deployments");
    }
}
