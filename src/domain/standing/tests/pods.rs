//! What pods say as a whole.

use super::*;

#[test]
fn unscheduled_pods() {
    let tally =
        "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: none.";
    #[rustfmt::skip]
    let table = [
        ("Unschedulable", tally, Phase::Stalled, "unschedulable: 3 Insufficient cpu"),
        ("Unschedulable", "", Phase::Stalled, "unschedulable"),
        ("SchedulingGated", "", ROLLING, "scheduling gated: waits for whoever set the gate"),
        ("SchedulerError", "bind failed", Phase::Stalled, "scheduler error: bind failed"),
    ];
    for (reason, message, phase, text) in table {
        let mut world = World::rolling(Kind::Deployment).with_pod(container(Run::Unknown));
        world.pods[0].unscheduled = Some((reason.into(), message.into()));
        world.stands(phase, Some((Reason::Unschedulable, text)));
        // A node may be on its way.
        world.pods[0].created = ago(20);
        world.stands(ROLLING, Some((Reason::Unschedulable, text)));
    }
}

#[test]
fn pods_that_failed_as_a_whole() {
    #[rustfmt::skip]
    let table = [
        ("Evicted", "The node was low on resource: memory.", "evicted: The node was low on resource: memory."),
        ("NodeLost", "", "its node is lost"),
        ("Preempting", "", "Preempting"),
        ("UnexpectedAdmissionError", "no gpu", "UnexpectedAdmissionError: no gpu"),
    ];
    for (reason, message, text) in table {
        let mut world = World::rolling(Kind::Deployment).with_pod(container(Run::Unknown));
        world.pods[0].reason = Some((reason.into(), message.into()));
        world.stands(ROLLING, Some((Reason::Evicted, text)));
        let mut replaced = World::well(Kind::Deployment);
        replaced.pods = world.pods;
        replaced.stands(Phase::Steady, None);
    }
}

#[test]
fn pods_that_a_condition_holds() {
    #[rustfmt::skip]
    let table = [
        (HoldKind::Disruption, "PreemptionByScheduler", "", (Reason::Evicted, "moved off its node: PreemptionByScheduler")),
        (HoldKind::RestartingAll, "", "", (Reason::NotReady, "all containers restart")),
        (HoldKind::ResizePending, "Infeasible", "node has 2 cpu", (Reason::Unschedulable, "resize infeasible: node has 2 cpu")),
        (HoldKind::ReadinessGate, "ReadinessGatesNotReady", "target-health is false", (Reason::NotReady, "readiness gate: target-health is false")),
    ];
    for (kind, reason, message, told) in table {
        let mut world = World::rolling(Kind::Deployment).with_pod(ContainerState {
            ready: true,
            ..container(Run::Running { since: None })
        });
        world.pods[0].hold = Some(Hold {
            kind,
            reason: reason.into(),
            message: message.into(),
        });
        world.pods[0].ready = false;
        world.stands(ROLLING, Some(told));
        // It serves: nothing holds it.
        world.pods[0].ready = true;
        world.stands(ROLLING, None);
    }
}

#[test]
fn old_pods_do_not_explain_a_new_rollout_unless_they_block_its_order() {
    for kind in Kind::ALL {
        let mut world = World::rolling(kind);
        let mut old = pod(kind, "old", "3");
        old.ready = false;
        old.containers = [ContainerState {
            image: OLD_IMAGE.into(),
            ..waits("ImagePullBackOff", "x: not found")
        }]
        .into();
        world.pods = vec![old];
        match kind {
            Kind::Deployment | Kind::DaemonSet => world.stands(ROLLING, None),
            Kind::Rollout => world.stands(Phase::Canary, None),
            Kind::StatefulSet => world.stalls(
                Reason::ImagePull,
                "old pod checkout-3 blocks the order: image not found: shop/checkout:2.14.1",
            ),
        }
    }
}
