//! A StatefulSet with a partition: promoting it lowers that, aborting it brings the template of its first pods back.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::canary::Canary;
use crate::domain::{Fleet, Pod, Verbatim, Workload};
use crate::plan::follow::Held;
use crate::plan::meanwhile::meanwhile;
use crate::plan::patch::{self, Note};
use crate::plan::verbs::{live, rollback};
use crate::plan::{
    Check, Difference, Evidence, Goal, ObjectRef, Plan, Refusal, Step, Verb, git, kubectl,
};

use super::{full, guard_field, refused, serving, where_it_is};

/// By one pod, or by all that are left.
///
/// # Errors
/// The template cannot be read.
pub fn promote(evidence: &Evidence, canary: &Canary) -> Result<Plan, Refusal> {
    let left = canary.whole.saturating_sub(canary.set);
    if evidence.request.verb == Verb::PromoteFull {
        return lower(evidence, canary, 0);
    }
    let mut plan = lower(evidence, canary, left.saturating_sub(1))?;
    if left > 1 {
        plan.offers.push(full::offer());
    }
    Ok(plan)
}

/// Its template goes back to that of the first pods. The partition stays: with one template it keeps nothing back.
///
/// # Errors
/// Why there is nothing to go back to.
pub fn abort(fleet: &Fleet, evidence: &Evidence, now: Timestamp) -> Result<Plan, Refusal> {
    let mut plan = rollback::plan(fleet, evidence, now)?;
    let difference = Difference {
        what: "canary".into(),
        text: format!("{} → 0%; the partition stays", where_it_is(evidence)),
    };
    plan.differences.insert(0, difference);
    Ok(plan)
}

/// # Errors
/// It would move no pod.
pub fn weight(evidence: &Evidence, canary: &Canary, percent: u32) -> Result<Plan, Refusal> {
    let id = &evidence.workload.id;
    let all = canary.whole;
    let new = pods_of(percent, all);
    if new == canary.set {
        let sentence = format!("{percent}% of {id} are {new} of {all} pods, which it is at.");
        return Err(Refusal::say(sentence));
    }
    if new < canary.set {
        let sentence = format!("A higher partition moves no pod of {id} back.");
        return Err(refused(sentence, "an abort brings all of them back"));
    }
    lower(evidence, canary, all - new)
}

/// The nearest number of pods, at least one of more than nothing.
fn pods_of(percent: u32, all: u32) -> u32 {
    let nearest = (u64::from(percent) * u64::from(all) + 50) / 100;
    let least = u64::from(percent > 0);
    u32::try_from(nearest.max(least)).unwrap_or(all).min(all)
}

fn lower(evidence: &Evidence, canary: &Canary, to: u32) -> Result<Plan, Refusal> {
    let workload = &evidence.workload;
    let id = &workload.id;
    let from = crate::plan::follow::partition(workload);
    let side = live::side(evidence)?;
    let note = Note {
        note: &live::note(evidence, &side)?,
        into_map: evidence.has_annotations,
    };
    let body = patch::partition(&workload.uid, &evidence.template.0, (from, to), &note);
    let template: Value =
        serde_json::from_str(&evidence.template.0).map_err(Refusal::unreadable)?;
    let moving = canary.whole.saturating_sub(canary.set).saturating_sub(to);
    let at = |partition| format!("partition {partition}");
    let goal = Goal {
        held: Some(Held::Partition { from, to }),
        ..live::goal(evidence, &side)?
    };
    let mut plan = Plan {
        arrow: (format!("{}, {}", side.label(), at(from)), at(to)),
        differences: differences(evidence, canary, (from, to)),
        checks: checks(workload, &template, moving),
        steps: vec![Step::JsonPatch {
            object: ObjectRef::of(workload),
            body: Verbatim(body.map_err(Refusal::unreadable)?.into()),
            what: format!("set the partition of {id} from {from} to {to}"),
        }],
        meanwhile: moves(evidence, to, moving),
        kubectl: kubectl::partition(id, to),
        ..live::draft(evidence, (side.clone(), side), goal)
    };
    if let Some(verdict) = serving(evidence) {
        plan.add(verdict.into());
    }
    guard_field(&mut plan, evidence, git::Change::Partition(to));
    Ok(plan)
}

fn differences(evidence: &Evidence, canary: &Canary, (from, to): (u32, u32)) -> Vec<Difference> {
    let all = canary.whole;
    let new = all - to.min(all);
    vec![
        Difference {
            what: "partition".into(),
            text: format!("{from} → {to}"),
        },
        Difference {
            what: "canary".into(),
            text: format!("{} → {new} of {all} pods", where_it_is(evidence)),
        },
    ]
}

fn checks(workload: &Workload, template: &Value, moving: u32) -> Vec<Check> {
    let mut checks = live::must_checks();
    checks.push(live::config(template));
    checks.extend(live::on_its_way(workload, template, moving, None));
    checks.sort_by_key(|check| check.id);
    checks
}

/// Which pods move next, the one with the highest number first.
fn moves(evidence: &Evidence, to: u32, moving: u32) -> String {
    let workload = &evidence.workload;
    let first = workload.first_ordinal.saturating_add(to);
    let last = first.saturating_add(moving).saturating_sub(1);
    let pod = |n: u32| format!("{}-{n}", workload.id.name);
    let which = match moving {
        0 => return "no pod moves".into(),
        1 => pod(first),
        _ => format!("{} to {}", pod(last), pod(first)),
    };
    let among = |pod: &&Pod| pod.ordinal().is_some_and(|n| (first..=last).contains(&n));
    let moved: Vec<_> = evidence.pods.iter().filter(among).collect();
    format!("{which}: {}", meanwhile(workload, &moved))
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan_of;
    use super::*;
    use crate::domain::canary::{PausedBy, Provider};
    use crate::domain::{Kind, Strategy};
    use crate::plan::check::CheckState;
    use crate::plan::git::tests::healing;
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, Finding, OfferId, Target};

    /// Of three pods the last one is new.
    fn held(verb: Verb, ready: bool) -> Evidence {
        let mut e = sample::of_kind(Kind::StatefulSet);
        e.request.verb = verb;
        e.workload.strategy = Strategy::Rolling {
            max_unavailable: None,
            max_surge: None,
            partition: 2,
            ordered: true,
        };
        if ready {
            e.pods[2] = sample::pod(&e.workload.id, 2, (42, "2.15.0"));
            (e.workload.counts.ready, e.workload.counts.available) = (3, 3);
        }
        e.workload.canary = Some(Box::new(Canary {
            stable: "checkout-h41".into(),
            current: "checkout-h42".into(),
            ..Canary::by_pods(Provider::Partition, PausedBy::Step, (1, 3))
        }));
        e
    }

    fn written(plan: &Plan) -> &str {
        let [Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("one step: {:?}", plan.steps);
        };
        &body.0
    }

    #[test]
    fn a_promotion_lowers_the_partition_that_was_shown_by_one_pod() {
        let plan = plan_of(&held(Verb::Promote, true)).unwrap();
        let path = "/spec/updateStrategy/rollingUpdate/partition";
        let want = format!(
            r#"{{"op":"test","path":"{path}","value":2}},{{"op":"replace","path":"{path}","value":1}},{{"op":"add","path":"/metadata/annotations/rolldeck.dev~1turn","#
        );
        assert!(written(&plan).contains(&want), "{}", written(&plan));
        assert!(
            plan.meanwhile.starts_with("checkout-1: 1 pod of 3 moves"),
            "{}",
            plan.meanwhile
        );
        let told: Vec<_> = plan.differences.iter().map(|d| &*d.text).collect();
        assert_eq!(told, ["2 → 1", "33% 1 of 3 pods → 2 of 3 pods"]);
        assert_eq!(plan.goal.held, Some(Held::Partition { from: 2, to: 1 }));
        assert!(plan.offers.iter().any(|offer| offer.id == OfferId::Full));
    }

    #[test]
    fn a_partition_that_git_keeps_is_guarded() {
        let mut e = held(Verb::Promote, true);
        e.keeper = healing();
        let plan = plan_of(&e).unwrap();
        let owner = plan.checks.iter().find(|c| c.id == CheckId::Owner).unwrap();
        let CheckState::Answered(verdict) = &owner.state else {
            panic!("{owner:?}");
        };
        assert_eq!(verdict.finding, Finding::Block);
        let patch = plan.offers.iter().find(|o| o.id == OfferId::GitPatch);
        let text = &patch.unwrap().document.as_ref().unwrap().text;
        assert!(
            text.trim_end()
                .ends_with("rollingUpdate:\n      partition: 1"),
            "{text}"
        );
    }

    #[test]
    fn fully_it_lets_all_of_them_move() {
        let plan = plan_of(&held(Verb::PromoteFull, true)).unwrap();
        assert!(
            written(&plan).contains(r#""value":0}"#),
            "{}",
            written(&plan)
        );
        assert!(
            plan.meanwhile
                .starts_with("checkout-1 to checkout-0: 2 pods of 3 move"),
            "{}",
            plan.meanwhile
        );
    }

    #[test]
    fn a_weight_is_so_many_pods_and_never_fewer_than_there_are() {
        let at = |percent| {
            let mut e = held(Verb::SetWeight, true);
            e.request.target = Target::Weight(percent);
            plan_of(&e)
        };
        assert_eq!(
            at(66).unwrap().goal.held,
            Some(Held::Partition { from: 2, to: 1 })
        );
        assert_eq!(
            at(100).unwrap().goal.held,
            Some(Held::Partition { from: 2, to: 0 })
        );
        for (percent, words) in [
            (33, "which it is at"),
            (0, "moves no pod of sts/checkout back"),
            (101, "more than all"),
        ] {
            let said = at(percent).unwrap_err().failure.sentence;
            assert!(said.contains(words), "{said}");
        }
        assert_eq!((pods_of(1, 3), pods_of(0, 3), pods_of(50, 5)), (1, 0, 3));
    }

    #[test]
    fn an_abort_brings_the_template_back_and_keeps_the_partition() {
        let plan = plan_of(&held(Verb::Abort, false)).unwrap();
        let Step::JsonPatch { body, .. } = &plan.steps[0] else {
            panic!("{:?}", plan.steps);
        };
        assert!(
            body.0.contains(r#""path":"/spec/template","value"#) && !body.0.contains("partition"),
            "{}",
            body.0
        );
        assert_eq!(plan.to.name, "checkout-h41".into());
        assert_eq!(plan.request.verb, Verb::Abort);
    }

    #[test]
    fn what_was_changed_meanwhile_is_told() {
        let held = Held::Partition { from: 2, to: 1 };
        let mut now = sample::of_kind(Kind::StatefulSet).workload;
        assert_eq!(held.moved(&now).unwrap(), "went from partition 2 to 0");
        now.strategy = Strategy::Rolling {
            max_unavailable: None,
            max_surge: None,
            partition: 2,
            ordered: true,
        };
        assert_eq!(held.moved(&now), None);
        now.paused = false;
        assert_eq!(Held::Paused.moved(&now).unwrap(), "was resumed");
    }
}
