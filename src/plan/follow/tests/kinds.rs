//! StatefulSets and DaemonSets: verified is what the pods run, whatever the controller counts.

use super::{ACCEPTED, NOW, at, failed_with, open};
use crate::domain::{Change, Feed, Fleet, Item, Kind, Pod, Revision, SourceId, Strategy, Workload};
use crate::plan::verbs::rollback::sample;
use crate::plan::{Follow, Goal, follow};

const KINDS: [Kind; 2] = [Kind::StatefulSet, Kind::DaemonSet];

/// A rollback from 42 to 41, which is 43 now, and all that is known after it.
struct World {
    workload: Workload,
    revisions: Vec<Revision>,
    pods: Vec<Pod>,
}

fn goal(kind: Kind) -> Goal {
    let evidence = sample::of_kind(kind);
    let plan = crate::plan::plan(&Fleet::default(), &evidence, at(ACCEPTED)).unwrap();
    let mut goal = plan.goal;
    goal.accept(at(ACCEPTED), Some(8));
    goal.expected = None;
    goal
}

/// It is complete.
fn world(kind: Kind) -> World {
    let evidence = sample::of_kind(kind);
    let mut workload = evidence.workload;
    (workload.generation, workload.observed_generation) = (8, 8);
    let counts = &mut workload.counts;
    (counts.updated, counts.ready, counts.available) = (3, 3, 3);
    workload.containers = evidence.revisions[1].revision.containers.clone();
    workload.update_revision = workload.current_revision.clone();
    let mut note = sample::note(42, "2.14.1");
    note.id = goal(kind).id;
    workload.action = Some(note);
    let mut revisions: Vec<_> = evidence.revisions.into_iter().map(|f| f.revision).collect();
    revisions[1].number = 43;
    let pods = (0..3).map(|n| pod(&workload, n, true)).collect();
    World {
        workload,
        revisions,
        pods,
    }
}

/// Of the target, or of what was rolled back from.
fn pod(workload: &Workload, ordinal: u32, target: bool) -> Pod {
    let revision = if target {
        (41, "2.14.1")
    } else {
        (42, "2.15.0")
    };
    sample::pod(&workload.id, ordinal, revision)
}

fn seen(world: World) -> Follow {
    let kind = world.workload.id.kind;
    follow::follow(&fleet(world), &goal(kind), at(NOW))
}

fn fleet(world: World) -> Fleet {
    let source = SourceId {
        cluster: world.workload.id.cluster.clone(),
        namespace: None,
        feed: Feed::Workloads(world.workload.id.kind),
    };
    let workload = std::iter::once(Item::Workload(Box::new(world.workload)));
    let revisions = world.revisions.into_iter().map(Box::new);
    let pods = world.pods.into_iter().map(Box::new);
    let items = workload
        .chain(revisions.map(Item::Revision))
        .chain(pods.map(Item::Pod));
    let mut fleet = Fleet::default();
    for item in items {
        fleet.apply(&source, Change::Put(item));
    }
    fleet
}

fn done_with(follow: Follow) -> String {
    match follow {
        Follow::Done(words) => words,
        Follow::Pending(_) | Follow::Failed(_) => panic!("{follow:?}"),
    }
}

#[test]
fn a_finished_rollback_is_verified_by_pods_or_nodes() {
    for (kind, what) in [(Kind::StatefulSet, "pods"), (Kind::DaemonSet, "nodes")] {
        assert_eq!(
            done_with(seen(world(kind))),
            format!(
                "verified: 3/3 {what} run 2.14.1 (77c01d), ready for 30s, 0 restarts, 1m in all"
            )
        );
    }
}

#[test]
fn news_from_before_a_note_alone_is_not_taken_for_another_write() {
    for kind in KINDS {
        let mut world = world(kind);
        world.workload.action.as_mut().unwrap().id = "the one before".into();
        let goal = Goal {
            template: Some(world.workload.template),
            ..goal(kind)
        };
        done_with(follow::follow(&fleet(world), &goal, at(NOW)));
    }
}

#[test]
fn right_counts_with_an_old_pod_are_not_verified() {
    for kind in KINDS {
        let old: fn(&World) -> Pod = |world| pod(&world.workload, 1, false);
        let going = |world: &World| Pod {
            terminating: true,
            ..pod(&world.workload, 1, true)
        };
        // With the target's image, from another template: only its hash tells.
        let same_image = |world: &World| Pod {
            containers: pod(&world.workload, 1, true).containers,
            ..pod(&world.workload, 1, false)
        };
        for replaced in [old, going, same_image] {
            let mut world = world(kind);
            world.pods[1] = replaced(&world);
            let words = open(seen(world));
            assert!(words[0].starts_with("2 of 3 "), "{words:?}");
            assert!(words.contains(&"old pods gone".to_owned()), "{words:?}");
        }
        // With the target's hash and another image.
        let mut rewritten = world(kind);
        rewritten.pods[1].containers[0].image = "shop/checkout:2.15.0".into();
        let words = failed_with(seen(rewritten));
        assert!(words.contains("something changes images"), "{words}");
        // One too many.
        let mut extra = world(kind);
        extra.pods.push(pod(&extra.workload, 3, false));
        assert!(matches!(seen(extra), Follow::Pending(_)));
    }
}

#[test]
fn right_pods_with_other_counts_are_not_verified_either() {
    for kind in KINDS {
        for spoil in [
            |w: &mut Workload| w.counts.total = 4,
            |w: &mut Workload| w.counts.updated = 2,
            |w: &mut Workload| w.observed_generation = 7,
        ] {
            let mut world = world(kind);
            spoil(&mut world.workload);
            assert!(matches!(seen(world), Follow::Pending(_)), "{kind:?}");
        }
    }
}

#[test]
fn a_node_is_counted_once() {
    let mut twice = world(Kind::DaemonSet);
    twice.pods[1].node = Some("node-0".into());
    assert!(open(seen(twice))[0].starts_with("2 of 3 nodes run"));
    // A node that should no longer have one keeps its pod, and that one is new as well.
    let mut more = world(Kind::DaemonSet);
    more.pods.push(pod(&more.workload, 3, true));
    more.workload.counts.misscheduled = 1;
    assert!(matches!(seen(more), Follow::Done(_)));
    let mut unknown = world(Kind::DaemonSet);
    unknown.revisions.clear();
    assert!(open(seen(unknown))[0].starts_with("0 of 3 nodes run"));
}

#[test]
fn the_pods_of_a_stateful_set_name_their_revision() {
    let mut unknown = world(Kind::StatefulSet);
    unknown.revisions.clear();
    assert!(matches!(seen(unknown), Follow::Done(_)));
}

#[test]
fn on_delete_waits_for_a_person_and_names_the_pods() {
    for kind in KINDS {
        let mut world = world(kind);
        world.workload.strategy = Strategy::OnDelete;
        world.pods[0] = pod(&world.workload, 0, false);
        world.pods[2] = pod(&world.workload, 2, false);
        let words = open(seen(world));
        assert_eq!(
            words.last().unwrap(),
            "OnDelete: checkout-0 and checkout-2 keep their old template until they are deleted"
        );
    }
}

fn with_partition(partition: u32) -> World {
    let mut world = world(Kind::StatefulSet);
    world.workload.strategy = Strategy::Rolling {
        max_unavailable: None,
        max_surge: None,
        partition,
        ordered: true,
    };
    world.workload.current_revision = Some("checkout-h42".into());
    world
}

#[test]
fn below_a_partition_pods_may_stay_and_that_is_said() {
    let mut world = with_partition(2);
    world.pods[0] = pod(&world.workload, 0, false);
    world.pods[1] = pod(&world.workload, 1, false);
    world.workload.counts.updated = 1;
    let words = done_with(seen(world));
    assert_eq!(
        words,
        "verified: 1/1 pods run 2.14.1 (77c01d), ready for 30s, 0 restarts, 1m in all; 2 pods below the partition keep theirs"
    );
    // What is above it has to go.
    let mut above = with_partition(2);
    above.pods[2] = pod(&above.workload, 2, false);
    assert!(matches!(seen(above), Follow::Pending(_)));
    // Nothing moves: then nothing was rolled back either.
    let mut all = with_partition(3);
    for n in 0..3 {
        all.pods[n] = pod(&all.workload, u32::try_from(n).unwrap(), false);
    }
    let words = open(seen(all));
    assert_eq!(words.last().unwrap(), "the partition lets no pod move");
}

#[test]
fn a_target_that_cannot_run_fails_early_and_an_old_pod_in_the_way_is_named() {
    for kind in KINDS {
        let mut world = world(kind);
        sample::fail(&mut world.pods[2]);
        let counts = &mut world.workload.counts;
        (counts.ready, counts.available) = (2, 2);
        assert_eq!(
            failed_with(seen(world)),
            "not verified: image not found: shop/checkout:2.14.1"
        );
    }
    let mut blocked = world(Kind::StatefulSet);
    blocked.pods[2] = pod(&blocked.workload, 2, false);
    sample::fail(&mut blocked.pods[2]);
    let counts = &mut blocked.workload.counts;
    (counts.updated, counts.ready, counts.available) = (2, 2, 2);
    let words = open(seen(blocked));
    assert_eq!(
        words.last().unwrap(),
        "old pod checkout-2 blocks the order: image not found: shop/checkout:2.15.0"
    );
}

#[test]
fn a_new_session_follows_from_the_note() {
    for kind in KINDS {
        let World {
            workload,
            revisions,
            ..
        } = world(kind);
        let found = follow::goal_from_note(&workload, &revisions).unwrap();
        assert_eq!(&*found.revision_name, "checkout-h41");
        assert_eq!(found.to_version, "2.14.1");
        let fleet = fleet(world(kind));
        assert!(matches!(
            follow::follow(&fleet, &found, at(NOW)),
            Follow::Done(_)
        ));
    }
}
