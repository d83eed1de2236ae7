//! A rollout on its way: every row of kubectl's rollout status, and what stops it.

use super::*;

#[test]
fn a_spec_that_the_controller_has_not_seen() {
    for kind in Kind::ALL {
        let mut world = World::well(kind);
        world.workload.generation = 4;
        world.workload.written_by = Some(("kubectl".into(), ago(5)));
        let text = "the controller has not seen the change yet";
        world.stands(ROLLING, Some((Reason::NotSeenYet, text)));
        assert_eq!(world.standing().progress, Some(Progress { done: 0, of: 6 }));
        world.workload.written_by = Some(("kubectl".into(), ago(125)));
        world.stalls(
            Reason::NotSeenYet,
            "the controller has not seen the change for 2m",
        );
    }
    let mut fresh = World::well(Kind::StatefulSet);
    (
        fresh.workload.generation,
        fresh.workload.observed_generation,
    ) = (0, 0);
    assert_eq!(fresh.standing().why.unwrap().reason, Reason::NotSeenYet);
}

#[test]
fn a_scale_that_the_controller_has_not_seen_is_as_old_as_its_write() {
    let mut world = World::well(Kind::Deployment);
    world.workload.generation = 4;
    world.workload.written_by = Some(("kubectl".into(), ago(90_000)));
    for (written, why) in [
        (1, None),
        (5, Some("the controller has not seen the change yet")),
    ] {
        world.workload.spec_written = Some(ago(written));
        world.stands(ROLLING, why.map(|text| (Reason::NotSeenYet, text)));
    }
    world.workload.spec_written = Some(ago(40));
    let text = "the controller has not seen the change for 40s";
    world.stalls(Reason::NotSeenYet, text);
}

#[test]
fn deployment_deadline_exceeded_before_any_count() {
    let mut world = World::well(Kind::Deployment);
    world.has("Progressing", Truth::False, "ProgressDeadlineExceeded");
    world.stalls(Reason::DeadlineExceeded, "no progress for 10m");
    assert_eq!(world.standing().gives_up, None);
}

#[test]
fn a_deadline_that_an_older_template_exceeded_does_not_count() {
    let mut world = World::rolling(Kind::Deployment);
    world.has("Progressing", Truth::False, "ProgressDeadlineExceeded");
    world.workload.written_by = Some(("rolldeck".into(), ago(1)));
    world.workload.action = Some(note("rollback"));
    world.stands(Phase::RollingBack, None);
}

#[test]
fn deployment_new_replicas_are_being_updated() {
    let world = World::rolling(Kind::Deployment);
    world.stands(ROLLING, None);
    let standing = world.standing();
    assert_eq!(standing.progress, Some(Progress { done: 0, of: 6 }));
    assert_eq!(standing.since, Some(ago(240)));
    assert_eq!(standing.gives_up, Some(ago(200 - 600)));
}

#[test]
fn deployment_old_replicas_pending_termination() {
    let mut world = World::rolling(Kind::Deployment);
    world.workload.counts = counts(8, 6, 8, 8);
    world.stands(
        ROLLING,
        Some((Reason::Draining, "2 pods of the old revision left")),
    );
}

#[test]
fn deployment_updated_replicas_are_not_available() {
    let mut world = World::rolling(Kind::Deployment);
    world.workload.counts = counts(6, 6, 4, 4);
    world.revisions[0].available = 4;
    world.stands(ROLLING, None);
    assert_eq!(world.standing().progress, Some(Progress { done: 4, of: 6 }));
}

#[test]
fn daemon_set_counts() {
    let mut world = World::well(Kind::DaemonSet);
    world.workload.counts = counts(6, 2, 6, 6);
    world.stands(ROLLING, None);
    world.workload.counts = counts(6, 6, 5, 5);
    world.stands(
        Phase::Degraded,
        Some((Reason::Unavailable, "5 of 6 available")),
    );
    world.pods = vec![Pod {
        ready: false,
        created: ago(20),
        ..pod(Kind::DaemonSet, "new", "x2x4k")
    }];
    world.stands(ROLLING, None);
}

#[test]
fn stateful_set_counts() {
    let mut world = World::rolling(Kind::StatefulSet);
    world.stands(ROLLING, None);
    world.workload.counts = counts(6, 6, 5, 5);
    world.stands(ROLLING, None);
    // Ready but not yet for minReadySeconds.
    world.workload.counts = counts(6, 6, 6, 5);
    world.stands(ROLLING, None);
    world.workload.current_revision = Some("checkout-new".into());
    world.stands(
        Phase::Degraded,
        Some((Reason::Unavailable, "5 of 6 available")),
    );
}

#[test]
fn stateful_set_partition() {
    let mut world = World::rolling(Kind::StatefulSet);
    world.workload.counts = counts(6, 1, 6, 6);
    world.workload.strategy = Strategy::Rolling {
        max_unavailable: None,
        max_surge: None,
        partition: 4,
        ordered: true,
    };
    world.stands(ROLLING, None);
    world.workload.counts = counts(6, 2, 6, 6);
    world.stands(
        Phase::Paused,
        Some((Reason::Partition, "partition 4: 2 of 6 updated")),
    );
}

#[test]
fn on_delete_waits_for_a_person() {
    for kind in [Kind::StatefulSet, Kind::DaemonSet] {
        let mut world = World::rolling(kind);
        world.workload.strategy = Strategy::OnDelete;
        world.workload.counts = counts(6, 2, 6, 6);
        world.stands(
            Phase::Paused,
            Some((Reason::OnDelete, "OnDelete: 4 pods to be deleted by hand")),
        );
        world.workload.counts = counts(6, 6, 6, 6);
        world.stands(Phase::Steady, None);
        // Back at its first template, at which a StatefulSet names one revision, and no pod runs it.
        world.workload.current_revision = world.workload.update_revision.clone();
        world.workload.counts = counts(6, 0, 6, 6);
        world.stands(
            Phase::Paused,
            Some((Reason::OnDelete, "OnDelete: 6 pods to be deleted by hand")),
        );
    }
}

#[test]
fn a_strategy_of_a_later_kubernetes_is_counted_all_the_same() {
    let mut world = World::rolling(Kind::StatefulSet);
    world.workload.strategy = Strategy::Other("Recreate".into());
    world.stands(ROLLING, None);
}

#[test]
fn without_a_deadline_nothing_moving_is_a_stall() {
    for kind in [Kind::StatefulSet, Kind::DaemonSet] {
        let still = |world: &mut World| {
            world.workload.written_by = Some(("kubectl".into(), ago(720)));
            for pod in &mut world.pods {
                (pod.created, pod.ready_changed) = (ago(700), Some(ago(660)));
            }
        };
        let pod = ContainerState {
            ready: false,
            ..container(Run::Running {
                since: Some(ago(700)),
            })
        };
        let world = World::rolling(kind).with_pod(pod).with(still);
        world.stalls(Reason::NoProgress, "no progress for 11m");
        // Without pods nothing is known, and nothing is said.
        World::rolling(kind).with(still).stands(ROLLING, None);
    }
}

#[test]
fn no_time_left_is_told_without_a_deadline_or_while_paused() {
    for spoil in [
        (|w| w.deadline_seconds = None) as fn(&mut Workload),
        |w| w.deadline_seconds = Some(i32::MAX.unsigned_abs()),
        |w| w.paused = true,
        |w| set(w, "Progressing", Truth::Unknown, "DeploymentResumed"),
        |w| w.conditions = [].into(),
    ] {
        let mut world = World::rolling(Kind::Deployment);
        spoil(&mut world.workload);
        assert_eq!(world.standing().gives_up, None);
    }
}

#[test]
fn paused_half_way_and_at_rest() {
    let mut world = World::rolling(Kind::Deployment);
    world.workload.paused = true;
    world.has("Progressing", Truth::Unknown, "DeploymentPaused");
    world.stands(
        Phase::Paused,
        Some((Reason::Paused, "paused half-way: 2 of 6 updated")),
    );
    world.workload.counts = counts(6, 0, 6, 6);
    let text = "paused: the new template waits until it is resumed";
    world.stands(Phase::Paused, Some((Reason::Paused, text)));
    world.workload.counts = counts(6, 6, 6, 6);
    let text = "paused: a new template waits until it is resumed";
    world.stands(Phase::Paused, Some((Reason::Paused, text)));
}

#[test]
fn rolling_back_while_our_note_speaks_of_the_live_template() {
    let mut world = World::rolling(Kind::Deployment);
    world.workload.action = Some(note("restart"));
    world.stands(ROLLING, None);
    world.workload.action = Some(note("rollback"));
    world.stands(Phase::RollingBack, None);
    assert_eq!(world.standing().since, Some(ago(100)));
    world.workload.counts = counts(6, 6, 6, 6);
    world.stands(Phase::Steady, None);
}

#[test]
fn progress_is_what_is_proven() {
    #[rustfmt::skip]
    let table = [
        (counts(7, 2, 5, 5), None, 0),
        (counts(7, 3, 6, 6), None, 2),
        (counts(7, 3, 6, 6), Some(3), 3),
        (counts(9, 9, 9, 9), Some(9), 6),
    ];
    for (counts, available, want) in table {
        let mut world = World::rolling(Kind::Deployment);
        world.workload.counts = counts;
        world.has("Progressing", Truth::False, "ProgressDeadlineExceeded");
        match available {
            Some(available) => world.revisions[0].available = available,
            None => world.revisions.clear(),
        }
        assert_eq!(
            world.standing().progress,
            Some(Progress { done: want, of: 6 })
        );
    }
}
