//! What changes because time passes and for no other reason.

use super::*;
use crate::domain::Warning;
use crate::domain::Workload as Service;

fn ticked(model: &mut Model, seconds: i64) -> Phase {
    let at = fixture::now() + SignedDuration::from_secs(seconds);
    update(model, Event::Ticked(at));
    settle(model);
    model.board.rows[0].standing.phase
}

/// Rolling out: two of six are new, the controller sees progress.
fn rolling() -> Service {
    let mut workload = fixture::workload(Kind::Deployment);
    (workload.counts.updated, workload.counts.total) = (2, 7);
    let progressing = fixture::condition("Progressing", Truth::True, "ReplicaSetUpdated");
    workload.conditions = [
        fixture::condition("Available", Truth::True, "x"),
        progressing,
    ]
    .into();
    workload.written_by = Some(("kubectl-set".into(), fixture::ago(5)));
    workload
}

fn bring(model: &mut Model, wanted: fn(&Feed) -> bool, item: Item) {
    let found = model.watched.iter().find(|source| wanted(&source.feed));
    let source = found.unwrap().clone();
    news(model, source, vec![Update::Change(Change::Put(item))]);
}

fn with_pod(spoil: impl FnOnce(&mut crate::domain::Pod)) -> Model {
    let mut model = start();
    put(&mut model, &[rolling()]);
    keys(&mut model, "\n");
    let revision = fixture::revision(Kind::Deployment, 42, "new", fixture::IMAGE);
    let revision = Item::Revision(Box::new(revision));
    bring(
        &mut model,
        |f| matches!(f, Feed::RevisionsOf { .. }),
        revision,
    );
    let mut pod = fixture::pod(Kind::Deployment, "new", "x");
    (pod.ready, pod.created) = (false, fixture::ago(5));
    spoil(&mut pod);
    let pod = Item::Pod(Box::new(pod));
    bring(&mut model, |f| matches!(f, Feed::PodsOf { .. }), pod);
    model
}

#[test]
fn a_pod_that_no_node_takes_stalls_after_a_minute() {
    let mut model = with_pod(|pod| {
        pod.containers = [].into();
        pod.unscheduled = Some(("Unschedulable".into(), "0/3 nodes are available".into()));
    });
    assert_eq!(ticked(&mut model, 50), Phase::Rolling);
    assert_eq!(ticked(&mut model, 60), Phase::Stalled);
}

#[test]
fn a_volume_that_is_not_mounted_stalls_after_a_minute() {
    let mut model = with_pod(|pod| {
        let waiting = fixture::waiting("ContainerCreating", "");
        pod.containers = [fixture::container(waiting)].into();
    });
    let pod = fixture::pod(Kind::Deployment, "new", "x");
    let warning: Warning = fixture::warning(
        "Pod",
        &pod.name,
        &pod.uid.0,
        "FailedMount",
        "MountVolume.SetUp failed for volume \"data\"",
    );
    let warning = Item::Warning(Box::new(warning));
    bring(&mut model, |f| *f == Feed::Warnings, warning);
    assert_eq!(ticked(&mut model, 50), Phase::Rolling);
    assert_eq!(ticked(&mut model, 60), Phase::Stalled);
}

#[test]
fn a_change_that_no_controller_sees_stalls_after_half_a_minute() {
    let mut model = start();
    let mut unseen = fixture::workload(Kind::Deployment);
    unseen.generation = 4;
    unseen.written_by = Some(("kubectl-set".into(), fixture::now()));
    put(&mut model, &[unseen]);
    assert_eq!(ticked(&mut model, 29), Phase::Rolling);
    assert_eq!(ticked(&mut model, 31), Phase::Stalled);
}

#[test]
fn a_rollout_without_a_deadline_stalls_after_ten_minutes() {
    let mut model = start();
    let mut endless = fixture::workload(Kind::StatefulSet);
    endless.update_revision = Some("checkout-newer".into());
    endless.counts.updated = 2;
    endless.counts.ready = 5;
    endless.counts.available = 5;
    endless.written_by = Some(("kubectl-set".into(), fixture::now()));
    let put = Change::Put(Item::Workload(Box::new(endless)));
    let source = source(Kind::StatefulSet, None);
    news(&mut model, source, vec![Update::Change(put)]);
    update(&mut model, Event::Ticked(fixture::now()));
    let mut pod = fixture::pod(Kind::StatefulSet, "new", "0");
    (pod.ready_changed, pod.created) = (Some(fixture::now()), fixture::now());
    let pod = Item::Pod(Box::new(pod));
    bring(&mut model, |f| matches!(f, Feed::PodsOf { .. }), pod);
    assert_eq!(ticked(&mut model, 590), Phase::Rolling);
    assert_eq!(ticked(&mut model, 610), Phase::Stalled);
}

#[test]
fn an_event_explains_nothing_after_a_quarter_of_an_hour() {
    let mut model = start();
    put(&mut model, &[rolling()]);
    let mut warning = fixture::warning(
        "Pod",
        "checkout-new-x",
        "p",
        "BackOff",
        "Back-off restarting failed container web in pod x",
    );
    warning.last_seen = fixture::now();
    let warning = Item::Warning(Box::new(warning));
    bring(&mut model, |f| *f == Feed::Warnings, warning);
    assert_eq!(ticked(&mut model, 890), Phase::Stalled);
    assert_ne!(ticked(&mut model, 910), Phase::Stalled);
}

#[test]
fn ages_follow_the_clock_of_the_server_when_ours_is_off() {
    for (skew, off) in [(3, 0), (-5, 0), (90, 90), (-90, -90)] {
        let mut model = fleet();
        news(
            &mut model,
            source(Kind::Deployment, None),
            vec![Update::Skew(skew)],
        );
        update(&mut model, Event::Ticked(fixture::now()));
        let want = fixture::now() + SignedDuration::from_secs(off);
        assert_eq!(model.now, want, "{skew}");
        let quiet = Update::Health(Health::Quiet {
            since: fixture::now(),
        });
        let source = source(Kind::Deployment, None);
        news(&mut model, source.clone(), vec![quiet]);
        let known = &model.sources[&source];
        assert_eq!(known.health, Health::Quiet { since: want });
    }
}

#[test]
fn asking_in_vain_makes_rows_no_younger() {
    let mut model = fleet();
    let source = source(Kind::Deployment, None);
    let heard = model.sources[&source].contact;
    let at = fixture::now() + SignedDuration::from_secs(60);
    let tell = |model: &mut Model, health: Health| {
        let epoch = model.epoch;
        let updates = vec![Update::Health(health)];
        let source = source.clone();
        update(
            model,
            Event::Fed {
                source,
                epoch,
                at,
                updates,
            },
        );
    };
    let vain = Health::Retrying {
        since: fixture::now(),
        why: "connection refused".into(),
        next: at,
        unreached: true,
    };
    for health in [
        vain,
        Health::Quiet {
            since: fixture::now(),
        },
        Health::AuthExpired("no".into()),
    ] {
        tell(&mut model, health);
        assert_eq!(model.sources[&source].contact, heard);
    }
    tell(&mut model, Health::Live);
    assert_eq!(model.sources[&source].contact, Some(at));
}

#[test]
fn what_is_in_no_trouble_keeps_its_place_for_a_moment_and_trouble_comes_first_at_once() {
    let mut model = start();
    put(&mut model, &[steady("a"), steady("b"), steady("c")]);
    let mut moving = rolling();
    (moving.id, moving.uid) = (steady("b").id, steady("b").uid);
    put(&mut model, &[moving]);
    assert_eq!(names(&model), ["a", "b", "c"]);
    ticked(&mut model, 2);
    assert_eq!(names(&model), ["a", "b", "c"]);
    ticked(&mut model, 3);
    assert_eq!(names(&model), ["b", "a", "c"]);
    put(&mut model, &[stalled("c")]);
    assert_eq!(names(&model), ["c", "b", "a"]);
    put(&mut model, &[steady("c")]);
    assert_eq!(names(&model), ["b", "a", "c"]);
}

#[test]
fn ten_quiet_minutes_paint_almost_nothing() {
    let mut model = start();
    let mut services: Vec<_> = ["a", "b", "c"].map(steady).into();
    services.push(steady("d"));
    put(&mut model, &services);
    update(&mut model, Event::Ticked(fixture::now()));
    let mut painted = 0;
    for second in 1..=600 {
        model.dirty = false;
        update(
            &mut model,
            Event::Ticked(fixture::now() + SignedDuration::from_secs(second)),
        );
        settle(&mut model);
        painted += usize::from(model.dirty);
    }
    assert!(painted <= 12, "{painted}");
}
