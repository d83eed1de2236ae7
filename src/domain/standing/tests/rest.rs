//! At rest, or at rest but for one thing: steady, degraded, scaled to zero, being deleted.

use super::*;

#[test]
fn health_is_available_and_progressing() {
    let mut world = World::well(Kind::Deployment);
    world.workload.counts = counts(6, 6, 3, 3);
    world.has("Available", Truth::False, "MinimumReplicasUnavailable");
    // Progress is not looked at again once it was complete.
    world.stands(
        Phase::Degraded,
        Some((Reason::Unavailable, "3 of 6 available")),
    );
    world.has("Progressing", Truth::True, "ReplicaSetUpdated");
    world.stands(
        ROLLING,
        Some((Reason::Unavailable, "only 3 of 6 available")),
    );
    let mut full = World::well(Kind::Deployment);
    full.has("Available", Truth::False, "MinimumReplicasUnavailable");
    assert_eq!(full.standing().phase, Phase::Degraded);
}

#[test]
fn scaled_up_is_not_degraded_until_its_pods_say_so() {
    let mut world = World::well(Kind::Deployment);
    (world.workload.desired, world.workload.counts) = (8, counts(8, 8, 6, 6));
    world.workload.action = Some(note("rollback"));
    world.stands(ROLLING, None);
    let young = Pod {
        ready: false,
        created: ago(20),
        ..pod(Kind::Deployment, "new", "x2x4k")
    };
    world.pods = vec![young];
    world.stands(ROLLING, None);
    world.pods[0].created = ago(300);
    world.stands(
        Phase::Degraded,
        Some((Reason::Unavailable, "6 of 8 available")),
    );
}

#[test]
fn crashes_after_completion_degrade() {
    let world = World::well(Kind::Deployment).with_pod(ContainerState {
        restarts: 14,
        last: Some(ended("OOMKilled", 137, "").into()),
        ..container(Run::Running {
            since: Some(ago(20)),
        })
    });
    world.stands(
        Phase::Degraded,
        Some((Reason::OutOfMemory, "OOMKilled, 14 restarts")),
    );
}

#[test]
fn terminating_pods() {
    let mut world = World::well(Kind::Deployment);
    world.workload.counts.terminating = Some(2);
    world.stands(
        Phase::Steady,
        Some((Reason::Draining, "2 pods terminating")),
    );
    world.workload.counts.terminating = None;
    world.pods = vec![Pod {
        terminating: true,
        ..pod(Kind::Deployment, "old", "x")
    }];
    world.stands(Phase::Steady, Some((Reason::Draining, "1 pod terminating")));
}

#[test]
fn scaled_to_zero() {
    for kind in Kind::ALL {
        let mut world = World::well(kind);
        (world.workload.desired, world.workload.counts) = (0, counts(0, 0, 0, 0));
        let none = (kind == Kind::DaemonSet).then_some((Reason::Other, "no node wants it"));
        world.stands(Phase::ScaledToZero, none);
    }
}

#[test]
fn what_is_being_deleted_is_not_judged() {
    let world = World::rolling(Kind::Deployment).with(|w| w.workload.deleting = true);
    world.stands(Phase::Unknown, Some((Reason::Other, "is being deleted")));
}

#[test]
fn a_complete_workload_of_every_kind_is_steady() {
    for kind in Kind::ALL {
        let standing = World::well(kind).standing();
        assert_eq!(
            (standing.phase, standing.why),
            (Phase::Steady, None),
            "{kind:?}"
        );
        assert_eq!(standing.progress, None);
    }
}
