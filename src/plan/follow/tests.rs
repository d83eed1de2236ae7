//! What counts as verified, what fails early, and what is still on its way.

use proptest::prelude::*;

use super::*;
use crate::domain::pod::{Ended, Run};
use crate::domain::{Change, Condition, ContainerState, Feed, Item, SourceId};
use crate::plan::verbs::rollback::sample;

mod kinds;
mod pods;
mod scaled;

const ACCEPTED: &str = "2026-01-01T12:00:00Z";
const NOW: &str = "2026-01-01T12:01:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn goal() -> Goal {
    let mut goal = sample::plan().goal;
    goal.accept(at(ACCEPTED), Some(8));
    goal
}

/// The rollback from 42 to 41, which is 43 now, is complete.
fn rolled_back() -> Workload {
    let mut workload = sample::workload("2.14.1");
    workload.generation = 8;
    workload.observed_generation = 8;
    workload.revision = Some(43);
    workload.desired = 2;
    workload.counts.total = 2;
    workload.counts.updated = 2;
    workload.counts.ready = 2;
    workload.counts.available = 2;
    let mut note = sample::note(42, "2.14.1");
    note.id = goal().id;
    workload.action = Some(note);
    workload
}

fn pod(name: &str, hash: &str, tag: &str) -> Pod {
    Pod {
        workload: sample::id(),
        owner: hash.into(),
        name: name.into(),
        uid: name.into(),
        created: at(ACCEPTED),
        revision: hash.into(),
        node: None,
        phase: "Running".into(),
        reason: None,
        terminating: false,
        ready: true,
        ready_changed: Some(at("2026-01-01T12:00:20Z")),
        unscheduled: None,
        hold: None,
        containers: [ContainerState {
            name: "web".into(),
            init: false,
            image: format!("shop/checkout:{tag}").into(),
            image_id: "shop/checkout@sha256:77c01d00".into(),
            ready: true,
            restarts: 0,
            run: Run::Running { since: None },
            bounds: crate::domain::usage::Bounds::default(),
            last: None,
        }]
        .into(),
    }
}

fn pods() -> Vec<Pod> {
    vec![pod("a", "h41", "2.14.1"), pod("b", "h41", "2.14.1")]
}

fn fleet(workload: Workload, pods: Vec<Pod>) -> Fleet {
    let mut old = sample::revision(41, "2.14.1", 2).revision;
    old.number = 43;
    let revisions = [sample::revision(42, "2.15.0", 0).revision, old];
    let source = SourceId {
        cluster: workload.id.cluster.clone(),
        namespace: None,
        feed: Feed::Workloads(workload.id.kind),
    };
    let mut fleet = Fleet::default();
    let items = std::iter::once(Item::Workload(Box::new(workload)))
        .chain(revisions.into_iter().map(|r| Item::Revision(Box::new(r))))
        .chain(pods.into_iter().map(|p| Item::Pod(Box::new(p))));
    for item in items {
        fleet.apply(&source, Change::Put(item));
    }
    fleet
}

fn seen(workload: Workload, pods: Vec<Pod>) -> Follow {
    follow(&fleet(workload, pods), &goal(), at(NOW))
}

/// The milestones that are not reached.
fn open(follow: Follow) -> Vec<String> {
    match follow {
        Follow::Pending(milestones) => milestones
            .into_iter()
            .filter(|m| !m.done)
            .map(|m| m.text)
            .collect(),
        Follow::Done(words) | Follow::Failed(words) => panic!("{words}"),
    }
}

fn failed_with(follow: Follow) -> String {
    match follow {
        Follow::Failed(words) => words,
        Follow::Pending(_) | Follow::Done(_) => panic!("{follow:?}"),
    }
}

#[test]
fn a_finished_rollback_is_verified() {
    assert_eq!(
        seen(rolled_back(), pods()),
        Follow::Done(
            "verified: 2/2 pods run 2.14.1 (77c01d), ready for 30s, 0 restarts, 1m in all".into()
        )
    );
}

#[test]
fn what_was_expected_stands_beside_what_it_took() {
    let mut goal = goal();
    goal.expected = Some(40);
    let ended = follow(&fleet(rolled_back(), pods()), &goal, at(NOW));
    let Follow::Done(words) = ended else {
        panic!("{ended:?}")
    };
    assert!(words.ends_with(", 1m in all, expected 40s"), "{words}");
}

#[test]
fn what_is_not_there_yet_is_said() {
    let mut early = sample::workload("2.15.0");
    early.generation = 7;
    assert_eq!(open(seen(early, pods())), ["controller saw it"]);
    let mut unseen = rolled_back();
    unseen.observed_generation = 7;
    assert_eq!(open(seen(unseen, pods())), ["controller saw it"]);
    let mut fresh = pods();
    fresh[1].ready_changed = Some(at("2026-01-01T12:00:31Z"));
    assert_eq!(open(seen(rolled_back(), fresh)), ["ready for 29s of 30s"]);
    let mut leaving = pods();
    leaving.push(pod("old", "h42", "2.15.0"));
    leaving[2].terminating = true;
    assert_eq!(open(seen(rolled_back(), leaving)), ["old pods gone"]);
}

#[test]
fn right_counts_with_an_old_image_are_not_verified() {
    let mut mixed = pods();
    mixed[1] = pod("b", "h42", "2.15.0");
    let open = open(seen(rolled_back(), mixed));
    assert_eq!(open[0], "1 of 2 pods run 2.14.1 (77c01d), 1 ready");
    let mut changed = pods();
    changed[1] = pod("b", "h41", "2.15.0");
    assert_eq!(
        failed_with(seen(rolled_back(), changed)),
        "not verified: pod b runs shop/checkout:2.15.0 instead of shop/checkout:2.14.1: something changes images on the way"
    );
}

#[test]
fn a_pod_of_the_target_that_cannot_run_fails_it_well_before_the_deadline() {
    let mut stuck = pods();
    stuck[1].ready = false;
    stuck[1].phase = "Pending".into();
    stuck[1].containers[0].ready = false;
    stuck[1].containers[0].run = Run::Waiting {
        reason: "ImagePullBackOff".into(),
        message: "Back-off pulling image: manifest unknown".into(),
    };
    let mut workload = rolled_back();
    workload.counts.available = 1;
    workload.counts.ready = 1;
    let words = failed_with(seen(workload.clone(), stuck.clone()));
    assert!(words.starts_with("not verified: "), "{words}");
    // The same on a pod that is being replaced says nothing of the target.
    stuck[1].revision = "h42".into();
    stuck[1].owner = "h42".into();
    let open = open(seen(workload, stuck));
    assert!(!open.is_empty());
}

#[test]
fn the_deadline_of_this_rollout_fails_it_and_that_of_the_one_before_does_not() {
    let gave_up = |updated: &str| {
        let mut workload = rolled_back();
        workload.counts.available = 1;
        workload.conditions = [Condition {
            kind: "Progressing".into(),
            status: Truth::False,
            reason: "ProgressDeadlineExceeded".into(),
            message: "has timed out progressing".into(),
            updated: Some(at(updated)),
            changed: None,
        }]
        .into();
        seen(workload, pods()[..1].to_vec())
    };
    assert!(!open(gave_up("2026-01-01T11:00:00Z")).is_empty());
    let words = failed_with(gave_up(NOW));
    assert!(words.contains("the controller gave up"), "{words}");
}

#[test]
fn others_may_change_or_delete_it() {
    let mut moved = rolled_back();
    moved.generation = 9;
    moved.action = None;
    moved.containers = sample::workload("2.16.0").containers;
    moved.written_by = Some(("argocd".into(), at(NOW)));
    assert_eq!(
        failed_with(seen(moved, pods())),
        "not verified: superseded by argocd, which set 2.16.0"
    );
    let mut again = rolled_back();
    again.uid = "d2".into();
    assert!(failed_with(seen(again, pods())).contains("created again"));
    let gone = follow(&Fleet::default(), &goal(), at(NOW));
    assert!(failed_with(gone).contains("was deleted"));
}

#[test]
fn paused_waits_unless_its_pods_run_it_already() {
    let mut paused = rolled_back();
    paused.paused = true;
    let one = pods().drain(..1).collect();
    let open = open(seen(paused.clone(), one));
    let last = open.last().map(String::as_str);
    assert_eq!(last, Some("paused: no new pod starts until it is resumed"));
    assert!(matches!(seen(paused, pods()), Follow::Done(_)));
}

#[test]
fn a_pause_is_verified_once_the_controller_has_seen_it_and_fails_when_it_is_taken_back() {
    let mut workload = sample::workload("2.15.0");
    let goal = Goal {
        verb: Verb::Pause,
        template: Some(workload.template),
        ..goal()
    };
    let look = |w: &Workload| follow(&fleet(w.clone(), Vec::new()), &goal, at(NOW));
    assert_eq!(open(look(&workload)), ["controller saw it"]);
    (workload.generation, workload.paused) = (8, true);
    assert_eq!(open(look(&workload)), ["controller saw it"]);
    workload.observed_generation = 8;
    assert_eq!(
        look(&workload),
        Follow::Done(
            "verified: the controller has seen the pause, rollouts stand still, 5 of 6 serve"
                .into()
        )
    );
    workload.paused = false;
    assert_eq!(
        failed_with(look(&workload)),
        "not verified: it was resumed again"
    );
    workload.template = TemplateHash::of("another");
    assert!(failed_with(look(&workload)).contains("superseded by kubectl-set"));
}

#[test]
fn a_resume_ends_with_the_rollout_that_goes_on() {
    let mut workload = rolled_back();
    // Our note stays that of whoever wrote the template.
    workload.action = None;
    let goal = Goal {
        verb: Verb::Resume,
        template: Some(workload.template),
        ..goal()
    };
    let look = |w: &Workload, pods| follow(&fleet(w.clone(), pods), &goal, at(NOW));
    let waits = open(look(&workload, vec![pod("a", "h41", "2.14.1")]));
    assert!(waits[0].starts_with("1 of 2 pods run 2.14.1"), "{waits:?}");
    assert!(matches!(look(&workload, pods()), Follow::Done(_)));
    workload.paused = true;
    assert_eq!(
        failed_with(look(&workload, pods())),
        "not verified: it was paused again"
    );
}

#[test]
fn a_number_that_is_behind_the_template_is_no_target() {
    let mut workload = rolled_back();
    workload.revision = Some(42);
    let old = vec![pod("a", "h42", "2.15.0"), pod("b", "h42", "2.15.0")];
    let waits = open(seen(workload, old));
    assert!(waits[0].starts_with("0 of 2 pods run 2.14.1"), "{waits:?}");
}

#[test]
fn restarts_since_are_counted() {
    let mut restarted = pods();
    let ended = |when: &str| {
        Some(Box::new(Ended {
            reason: "Error".into(),
            exit_code: 1,
            signal: None,
            message: "".into(),
            at: Some(at(when)),
        }))
    };
    restarted[0].containers[0].last = ended("2026-01-01T12:00:05Z");
    restarted[1].containers[0].last = ended("2025-12-01T12:00:05Z");
    let Follow::Done(words) = seen(rolled_back(), restarted) else {
        panic!();
    };
    assert!(words.contains("1 restart,"), "{words}");
}

#[test]
fn a_new_session_follows_from_the_note() {
    let fleet = fleet(rolled_back(), pods());
    let workload = fleet.workload(&sample::id()).unwrap();
    let found = goal_from_note(workload, fleet.revisions(workload)).unwrap();
    assert_eq!((&*found.id, &*found.to_version), ("a1b2", "2.14.1"));
    assert!(matches!(follow(&fleet, &found, at(NOW)), Follow::Done(_)));
    assert_eq!(goal_from_note(&sample::workload("2.15.0"), &[]), None);
}

#[test]
fn what_helm_wrote_is_known_by_the_note_on_it() {
    let mut goal = goal();
    (goal.verb, goal.template) = (Verb::HelmRollback, None);
    // Not what the manifest would be read as: the server fills in defaults.
    goal.to = crate::domain::template::canonical_hash("{}").unwrap();
    let look = |workload: Workload| follow(&fleet(workload, pods()), &goal, at(NOW));
    assert!(matches!(look(rolled_back()), Follow::Done(_)));
    let mut before = rolled_back();
    before.action = None;
    assert_eq!(open(look(before.clone())), ["what Helm wrote is seen"]);
    before.generation = 9;
    assert!(failed_with(look(before)).contains("superseded"));
    goal.containers[0].image = "shop/checkout:other".into();
    let said = failed_with(follow(&fleet(rolled_back(), pods()), &goal, at(NOW)));
    assert!(said.contains("and not shop/checkout:other"), "{said}");
}

proptest! {
    /// Verified means: exactly the wanted number, each of the target, with its image, ready long enough.
    #[test]
    fn nothing_else_is_verified(
        kinds in proptest::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), 0_i64..60), 0..4)
    ) {
        let pods: Vec<_> = kinds
            .iter()
            .enumerate()
            .map(|(n, (target, ready, terminating, age))| {
                let (hash, tag) = if *target { ("h41", "2.14.1") } else { ("h42", "2.15.0") };
                let mut pod = pod(&n.to_string(), hash, tag);
                pod.ready = *ready;
                pod.terminating = *terminating;
                pod.ready_changed = Some(at(NOW) - SignedDuration::from_secs(*age));
                pod
            })
            .collect();
        let right = kinds.len() == 2
            && kinds.iter().all(|(target, ready, terminating, age)| {
                *target && *ready && !*terminating && *age >= 30
            });
        let done = matches!(seen(rolled_back(), pods), Follow::Done(_));
        prop_assert_eq!(done, right);
    }
}
