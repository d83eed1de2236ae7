//! Taking one pod away: evicted, as far as its disruption budgets let it go, or deleted.

use crate::domain::{Kind, Pod, Workload};
use crate::plan::follow::Gone;
use crate::plan::step::{By, When};
use crate::plan::{
    Difference, Evidence, Goal, ObjectRef, Offer, OfferId, Plan, Refusal, Step, Target, kubectl,
};
use crate::text;

use super::live;

/// # Errors
/// The pod that was shown is not there any more, or goes already.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let workload = &evidence.workload;
    let pod = shown(evidence)?;
    let side = live::side(evidence)?;
    let others = evidence.pods.iter().filter(|other| other.uid != pod.uid);
    let goal = Goal {
        // Nothing is written to the workload.
        generation: workload.generation,
        gone: Some(Gone {
            name: pod.name.clone(),
            uid: pod.uid.clone(),
            node: pod.node.clone(),
            others: others.map(|other| other.uid.clone()).collect(),
        }),
        ..live::goal(evidence, &side)?
    };
    Ok(Plan {
        arrow: (state(pod), "a new pod in its place".into()),
        differences: vec![Difference {
            what: "pod".into(),
            text: successor(workload, pod),
        }],
        steps: vec![step(evidence, pod, By::Eviction)],
        offers: vec![Offer {
            replaces: true,
            ..Offer::new(
                OfferId::Delete,
                'd',
                "delete it instead: no disruption budget is asked",
                vec![step(evidence, pod, By::Deletion)],
            )
        }],
        meanwhile: meanwhile(workload, pod),
        kubectl: kubectl::delete(&workload.id, &[pod]).unwrap_or_default(),
        ..live::draft(evidence, (side.clone(), side), goal)
    })
}

fn shown(evidence: &Evidence) -> Result<&Pod, Refusal> {
    let Target::Pod { name, uid } = &evidence.request.target else {
        return Err(Refusal::say("It is not said which pod.".into()));
    };
    let refuse = |why: &str| Err(Refusal::say(format!("Pod {name} {why}.")));
    match evidence.pods.iter().find(|pod| pod.name == *name) {
        None => refuse("is gone"),
        Some(pod) if pod.uid != *uid => refuse("was replaced since it was shown"),
        Some(pod) if pod.terminating => refuse("is on its way out already"),
        Some(pod) => Ok(pod),
    }
}

fn step(evidence: &Evidence, pod: &Pod, by: By) -> Step {
    let verb = match by {
        By::Deletion => "delete",
        By::Eviction => "evict",
    };
    Step::DeletePod {
        object: ObjectRef {
            api: "v1",
            resource: "pods",
            name: pod.name.clone(),
            ..ObjectRef::of(&evidence.workload)
        },
        uid: pod.uid.clone(),
        node: pod.node.clone(),
        when: When::Shown,
        by,
        what: format!("{verb} pod {} ({})", pod.name, pod.word()),
    }
}

/// `checkout-7d9f-x2x4k, ready, on node-12`.
fn state(pod: &Pod) -> String {
    let node = pod.node.iter().map(|node| format!(", on {node}"));
    format!("{}, {}{}", pod.name, pod.word(), node.collect::<String>())
}

/// What its controller does then.
fn successor(workload: &Workload, pod: &Pod) -> String {
    if pod.ended() {
        return format!("{} has ended; nothing takes its place", pod.name);
    }
    match workload.id.kind {
        Kind::Deployment | Kind::Rollout => {
            "its ReplicaSet makes another, with another name, on any node that fits".into()
        }
        Kind::StatefulSet => format!(
            "the StatefulSet makes {} again, with the same name and volumes",
            pod.name
        ),
        Kind::DaemonSet => match &pod.node {
            Some(node) => format!("the DaemonSet makes another on {node}"),
            None => "the DaemonSet makes another".into(),
        },
    }
}

fn meanwhile(workload: &Workload, pod: &Pod) -> String {
    let (have, want) = (workload.counts.available, workload.desired);
    let left = have.saturating_sub(u32::from(pod.ready));
    if pod.ready && left == 0 {
        return "downtime: it is the only pod that serves, until the new one is ready".into();
    }
    let pods = text::count(usize::try_from(want).unwrap_or(usize::MAX), "pod");
    format!("{left} of {pods} serve meanwhile")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fleet;
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{Verb, plan as make};

    fn evidence(kind: Kind, name: &str, uid: &str) -> Evidence {
        let mut evidence = sample::of_kind(kind);
        evidence.request.verb = Verb::DeletePod;
        evidence.request.target = Target::Pod {
            name: name.into(),
            uid: uid.into(),
        };
        evidence
    }

    fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    fn by(plan: &Plan) -> Vec<By> {
        let by = |step: &Step| match step {
            Step::DeletePod { by, when, .. } => {
                assert_eq!(*when, When::Shown);
                *by
            }
            _ => panic!("no deletion"),
        };
        plan.all_steps().map(by).collect()
    }

    #[test]
    fn it_is_evicted_and_the_offer_deletes_it_in_place_of_that() {
        let mut plan = plan(&evidence(Kind::StatefulSet, "checkout-1", "p1-41")).unwrap();
        assert_eq!(by(&plan), [By::Eviction]);
        let (_, verb, subresource) = plan.steps[0].permission().unwrap();
        assert_eq!((verb, subresource), ("create", "eviction"));
        plan.offers[0].taken = true;
        assert_eq!(by(&plan), [By::Deletion]);
        assert_eq!(plan.arrow.0, "checkout-1, ready, on node-1");
        assert_eq!(plan.meanwhile, "1 of 3 pods serve meanwhile");
        let gone = plan.goal.gone.unwrap();
        assert_eq!((&*gone.name, gone.others.len()), ("checkout-1", 2));
        assert_eq!(plan.goal.generation, 7);
    }

    #[test]
    fn what_takes_its_place_and_who_serves_is_said() {
        for (kind, want) in [
            (
                Kind::StatefulSet,
                "the StatefulSet makes checkout-1 again, with the same name and volumes",
            ),
            (Kind::DaemonSet, "the DaemonSet makes another on node-1"),
        ] {
            let plan = plan(&evidence(kind, "checkout-1", "p1-41")).unwrap();
            assert_eq!(plan.differences[0].text, want);
        }
        let mut alone = evidence(Kind::StatefulSet, "checkout-1", "p1-41");
        alone.workload.counts.available = 1;
        assert!(plan(&alone).unwrap().meanwhile.starts_with("downtime: "));
    }

    #[test]
    fn only_the_very_pod_is_taken() {
        let mut going = evidence(Kind::StatefulSet, "checkout-1", "p1-41");
        going.pods[1].terminating = true;
        for (evidence, want) in [
            (
                evidence(Kind::StatefulSet, "checkout-9", "p"),
                "Pod checkout-9 is gone.",
            ),
            (
                evidence(Kind::StatefulSet, "checkout-1", "another"),
                "Pod checkout-1 was replaced since it was shown.",
            ),
            (going, "Pod checkout-1 is on its way out already."),
        ] {
            assert_eq!(plan(&evidence).unwrap_err().failure.sentence, want);
        }
    }
}
