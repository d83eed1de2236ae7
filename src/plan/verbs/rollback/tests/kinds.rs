//! StatefulSets and DaemonSets: which pods follow by themselves, which have to go, and what is written.

use super::super::sample::{controller_revision, fail, note, of_kind, pod, template};
use super::{plan, refused};
use crate::domain::{Kind, Pod, Strategy, TemplateHash};
use crate::plan::check::CheckState;
use crate::plan::{CheckId, Evidence, Finding, OfferId, Plan, Step, Target, When};

const KINDS: [Kind; 2] = [Kind::StatefulSet, Kind::DaemonSet];

/// The pods that the plan deletes, and how.
fn deleted<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Vec<(&'a str, When)> {
    let deletion = |step: &'a Step| match step {
        Step::DeletePod { object, when, .. } => Some((&*object.name, *when)),
        _ => None,
    };
    steps.into_iter().filter_map(deletion).collect()
}

fn strategy(plan: &Plan) -> Option<(Finding, &str)> {
    let line = plan.checks.iter().find(|c| c.id == CheckId::Strategy)?;
    match &line.state {
        CheckState::Answered(verdict) => Some((verdict.finding, &verdict.sentence)),
        CheckState::Asking(_) => None,
    }
}

/// 41 is live again, with number 43; pods of 42 may be left.
fn back(kind: Kind) -> Evidence {
    let mut e = of_kind(kind);
    let live = template("2.14.1").to_string();
    e.workload.template = TemplateHash::of(&live);
    e.workload.containers = e.revisions[1].revision.containers.clone();
    e.workload.update_revision = e.workload.current_revision.clone();
    e.request.shown = e.workload.template;
    e.template.0 = live.into();
    e.revisions[1].revision.number = 43;
    e
}

fn set(e: &mut Evidence, strategy: Strategy) {
    e.workload.strategy = strategy;
}

fn rolling(partition: u32, ordered: bool) -> Strategy {
    Strategy::Rolling {
        max_unavailable: None,
        max_surge: None,
        partition,
        ordered,
    }
}

#[test]
fn the_template_of_a_controller_revision_is_written_without_its_patch() {
    for kind in KINDS {
        let plan = plan(&of_kind(kind)).unwrap();
        let Step::JsonPatch { object, body, .. } = &plan.steps[0] else {
            panic!("{:?}", plan.steps);
        };
        assert_eq!(object.resource, kind.plural());
        let written = format!(
            r#"{{"op":"replace","path":"/spec/template","value":{}}}"#,
            template("2.14.1")
        );
        assert!(body.0.contains(&written), "{}", body.0);
        let tested = format!(
            r#"{{"op":"test","path":"/spec/template","value":{}}}"#,
            template("2.15.0")
        );
        assert!(body.0.contains(&tested), "{}", body.0);
        assert!(!body.0.contains("$patch"));
        assert!(body.0.contains(r#"\"from\":\"checkout-h42\""#));
        assert_eq!((plan.from.revision, plan.to.revision), (42, 41));
        assert_eq!(plan.goal.generation, 8);
        assert_eq!(plan.differences.len(), 1, "{:?}", plan.differences);
        assert_eq!(
            plan.rule,
            "2 of its pods serve now, most of all other revisions"
        );
    }
}

#[test]
fn an_ordered_one_loses_the_broken_pods_that_block_it_and_no_other() {
    let blocked = |change: fn(&mut Evidence)| {
        let mut e = of_kind(Kind::StatefulSet);
        change(&mut e);
        let plan = plan(&e).unwrap();
        let names: Vec<_> = deleted(&plan.steps)
            .into_iter()
            .inspect(|(_, when)| assert_eq!(*when, When::NotReady))
            .map(|(name, _)| name.to_owned())
            .collect();
        (names, strategy(&plan).map(|(finding, _)| finding))
    };
    let warned = Some(Finding::Warn);
    let two = |e: &mut Evidence| {
        e.pods[1] = pod(&e.workload.id, 1, (42, "2.15.0"));
        fail(&mut e.pods[1]);
    };
    assert_eq!(blocked(|_| {}), (vec!["checkout-2".into()], warned));
    let both = vec!["checkout-2".into(), "checkout-1".into()];
    assert_eq!(blocked(two), (both, warned), "the last one first");
    // It serves, is of the target itself, goes already, or ran to its end.
    for change in [
        |e: &mut Evidence| e.pods[2].ready = true,
        |e: &mut Evidence| e.pods[2].revision = "checkout-h41".into(),
        |e: &mut Evidence| e.pods[2].terminating = true,
        |e: &mut Evidence| e.pods[2].phase = "Failed".into(),
        // Nothing waits for it.
        |e: &mut Evidence| set(e, rolling(0, false)),
        // It would come back as it is.
        |e: &mut Evidence| {
            set(e, rolling(3, true));
            e.workload.current_revision = Some("checkout-h42".into());
        },
    ] {
        assert_eq!(blocked(change).0, [""; 0]);
    }
    let plan = plan(&of_kind(Kind::DaemonSet)).unwrap();
    assert_eq!(plan.steps.len(), 1, "its controller replaces broken ones");
}

#[test]
fn a_pod_to_delete_is_shown_with_its_name_and_its_trouble() {
    let plan = plan(&of_kind(Kind::StatefulSet)).unwrap();
    assert_eq!(
        plan.steps[1].what(),
        "delete pod checkout-2 (image not found: shop/checkout:2.15.0)"
    );
    let (_, verb, subresource) = plan.steps[1].permission().unwrap();
    assert_eq!((verb, subresource), ("delete", ""));
    assert_eq!(
        strategy(&plan).unwrap().1,
        "OrderedReady: checkout-2 is not ready and would not be replaced, so it is deleted"
    );
    assert_eq!(
        plan.kubectl,
        "kubectl --context prod-eu -n shop rollout undo sts/checkout --to-revision=41 && kubectl --context prod-eu -n shop delete pod checkout-2"
    );
    assert_eq!(
        plan.meanwhile,
        "1 pod of 3 moves, 1 at a time; 2 of 3 keep serving"
    );
}

#[test]
fn on_delete_is_said_and_its_pods_are_offered_one_after_another() {
    for kind in KINDS {
        let mut e = of_kind(kind);
        set(&mut e, Strategy::OnDelete);
        for n in 0..3 {
            e.pods[n] = pod(&e.workload.id, u32::try_from(n).unwrap(), (42, "2.15.0"));
        }
        fail(&mut e.pods[0]);
        let mut plan = plan(&e).unwrap();
        assert_eq!(
            strategy(&plan).unwrap(),
            (
                Finding::Warn,
                "OnDelete: pods keep their old template until they are deleted: checkout-0, checkout-1 and checkout-2"
            )
        );
        assert_eq!(plan.all_steps().count(), 1, "only when a key adds them");
        assert_eq!(
            plan.meanwhile,
            "2 of 3 serve now; no pod moves until it is deleted"
        );
        assert_eq!(plan.offers[0].id, OfferId::DeletePods);
        plan.offers[0].taken = true;
        let in_turn = |name| (name, When::InTurn);
        assert_eq!(
            deleted(plan.all_steps()),
            ["checkout-0", "checkout-2", "checkout-1"].map(in_turn),
            "the one that does not serve first"
        );
    }
}

#[test]
fn too_many_pods_are_not_offered() {
    let mut e = of_kind(Kind::DaemonSet);
    set(&mut e, Strategy::OnDelete);
    e.pods = (0..51)
        .map(|n| pod(&e.workload.id, n, (42, "2.15.0")))
        .collect();
    assert!(plan(&e).unwrap().offers.is_empty());
    e.pods.pop();
    assert_eq!(plan(&e).unwrap().offers[0].steps.len(), 50);
}

#[test]
fn a_partition_is_said_with_what_stays_and_what_moves() {
    let all_new: fn(&mut Evidence) = |e| {
        for n in 0..3 {
            e.pods[n] = pod(&e.workload.id, u32::try_from(n).unwrap(), (42, "2.15.0"));
        }
        e.workload.current_revision = Some("checkout-h42".into());
    };
    let none: fn(&mut Evidence) = |_| {};
    for (partition, change, finding, sentence) in [
        (
            2,
            none,
            Finding::Ok,
            "partition 2: pods 0 and 1 stay, with the target's template; checkout-2 moves",
        ),
        (
            2,
            all_new,
            Finding::Warn,
            "partition 2: pods 0 and 1 stay as before; checkout-2 moves",
        ),
        (
            1,
            all_new,
            Finding::Warn,
            "partition 1: pod 0 stays as before; checkout-1 and checkout-2 move",
        ),
        (
            7,
            all_new,
            Finding::Warn,
            "partition 7: pods 0 to 2 stay as before; no pod moves",
        ),
    ] {
        let mut e = of_kind(Kind::StatefulSet);
        set(&mut e, rolling(partition, true));
        e.pods[2].ready = true;
        change(&mut e);
        // 41 serves nowhere once all pods are new.
        let plan = plan(&e).unwrap();
        assert_eq!(plan.to.revision, 41);
        assert_eq!(strategy(&plan).unwrap(), (finding, sentence));
    }
}

#[test]
fn what_is_left_of_a_rollback_is_the_next_plan() {
    // Withdrawn by our note, or undone by kubectl: its broken pod is what is left.
    for noted in [true, false] {
        let mut e = back(Kind::StatefulSet);
        e.workload.action = noted.then(|| note(42, "2.14.1"));
        let plan = plan(&e).unwrap();
        assert_eq!(
            (plan.from.revision, plan.to.revision),
            (42, 43),
            "{}",
            plan.rule
        );
        assert_eq!(
            plan.rule,
            "it is live already, and 1 pod does not follow it by itself"
        );
        assert_eq!(deleted(&plan.steps), [("checkout-2", When::NotReady)]);
        assert!(plan.differences.is_empty());
        assert_eq!(plan.goal.generation, 7, "the write changes no spec");
        assert_eq!(
            plan.goal.template,
            Some(e.workload.template),
            "no generation tells its note from the one before"
        );
        assert_eq!(plan.from.version, "2.15.0");
        assert_eq!(
            plan.kubectl,
            "kubectl --context prod-eu -n shop delete pod checkout-2"
        );
        let Step::JsonPatch { body, .. } = &plan.steps[0] else {
            panic!("{:?}", plan.steps);
        };
        let live = format!(
            r#"{{"op":"replace","path":"/spec/template","value":{}}}"#,
            e.template.0
        );
        assert!(body.0.contains(&live), "as it is, byte for byte");
    }
    let mut on_delete = back(Kind::DaemonSet);
    set(&mut on_delete, Strategy::OnDelete);
    on_delete.request.target = Target::Typed("43".into());
    let plan_of = plan(&on_delete).unwrap();
    assert_eq!(deleted(&plan_of.steps), [("checkout-2", When::InTurn)]);
    assert!(plan_of.offers.is_empty());
    let mut done = back(Kind::StatefulSet);
    done.pods[2] = pod(&done.workload.id, 2, (41, "2.14.1"));
    done.workload.action = Some(note(42, "2.14.1"));
    done.revisions.truncate(2);
    assert!(refused(&done).contains("nothing to roll back to but rev 42 (withdrawn)"));
    done.request.target = Target::Typed("43".into());
    assert!(refused(&done).contains("is the live one already"));
}

#[test]
fn going_back_is_not_mistaken_for_finishing() {
    // An old pod blocks the way of the new release, which serves: back is where one asks to go.
    let mut e = of_kind(Kind::StatefulSet);
    for n in [1, 2] {
        e.pods[n] = pod(&e.workload.id, u32::try_from(n).unwrap(), (42, "2.15.0"));
    }
    fail(&mut e.pods[0]);
    let plan = plan(&e).unwrap();
    assert_eq!(plan.to.revision, 41);
    assert_eq!(deleted(&plan.steps), []);
}

#[test]
fn withdrawn_marks_hold_where_notes_are_copied_once() {
    // 42 was rolled back from, to 41, which has number 43 since and carries no note itself.
    let mut e = back(Kind::StatefulSet);
    e.pods.clear();
    e.workload.action = Some(note(42, "2.14.1"));
    let marked = |e: &Evidence| {
        let revisions: Vec<_> = e.revisions.iter().map(|f| f.revision.clone()).collect();
        crate::domain::revision::withdrawn(&e.workload, &revisions)
    };
    assert!(marked(&e).contains("checkout-h42"));
    assert_eq!(plan(&e).unwrap().to.revision, 38);
    // A later release was made with a copy of the note, after 42 went out once more.
    let mut next = controller_revision(Kind::StatefulSet, 45, "2.16.0");
    next.revision.action = Some(note(42, "2.14.1"));
    e.workload.containers = next.revision.containers.clone();
    e.workload.update_revision = Some(next.revision.name.clone());
    e.workload.action = None;
    e.revisions.insert(0, next);
    assert!(marked(&e).contains("checkout-h42"), "44 never was");
    e.revisions[1].revision.number = 44;
    assert!(marked(&e).is_empty(), "44 came after the target's 43");
}

#[test]
fn numbers_that_are_gone_are_explained() {
    let mut e = of_kind(Kind::StatefulSet);
    e.request.target = Target::Typed("7".into());
    let failure = plan(&e).unwrap_err().failure;
    assert_eq!(
        failure.sentence,
        "sts/checkout has no revision or version 7."
    );
    assert!(
        failure.hints[1].contains("gets a new number"),
        "{failure:?}"
    );
}

#[test]
fn as_many_may_be_down_as_the_controller_lets() {
    let moving: Vec<Pod> = of_kind(Kind::DaemonSet).pods;
    let moving: Vec<_> = moving.iter().collect();
    for (kind, down, surge, want) in [
        (Kind::DaemonSet, None, None, "1 at a time; at least 9 of 10"),
        (
            Kind::DaemonSet,
            Some("25%"),
            None,
            "3 at a time; at least 7 of 10",
        ),
        (
            Kind::DaemonSet,
            Some("0"),
            Some("1"),
            "1 at a time; 10 of 10",
        ),
        (
            Kind::StatefulSet,
            None,
            None,
            "1 at a time; at least 9 of 10",
        ),
        (
            Kind::StatefulSet,
            Some("25%"),
            None,
            "2 at a time; at least 8 of 10",
        ),
        (
            Kind::StatefulSet,
            Some("5%"),
            None,
            "1 at a time; at least 9 of 10",
        ),
    ] {
        let mut workload = of_kind(kind).workload;
        workload.desired = 10;
        workload.counts.available = 10;
        workload.strategy = Strategy::Rolling {
            max_unavailable: down.map(Into::into),
            max_surge: surge.map(Into::into),
            partition: 0,
            ordered: false,
        };
        assert_eq!(
            crate::plan::meanwhile::meanwhile(&workload, &moving),
            format!("3 pods of 10 move, {want} keep serving")
        );
    }
}
