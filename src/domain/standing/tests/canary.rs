//! What is moved by steps: what its controller reports, and what its pods add.

use super::*;
use crate::domain::canary::{Analysis, Pause, PausedBy, Provider, Verdict};

/// Of revision `new` beside `old`, as its controller says.
fn with(canary: Canary) -> World {
    World::rolling(Kind::Rollout).with(|world| world.workload.canary = Some(Box::new(canary)))
}

fn paused(by: PausedBy, seconds_ago: i64, lasts: Option<i64>) -> Canary {
    let since = ago(seconds_ago);
    let until = lasts.map(|lasts| since + SignedDuration::from_secs(lasts));
    Canary {
        pause: Some(Pause {
            by,
            since: Some(since),
            until,
        }),
        ..sample()
    }
}

#[test]
fn a_pause_says_what_it_waits_for() {
    for (canary, phase, text) in [
        (sample(), Phase::Canary, "waits for you, 22m"),
        (
            paused(PausedBy::Step, 10, Some(35)),
            Phase::Canary,
            "goes on in 25s",
        ),
        (
            paused(PausedBy::Step, 90, Some(35)),
            Phase::Canary,
            "goes on in 0s",
        ),
        (
            paused(PausedBy::BlueGreen, 90, None),
            Phase::Canary,
            "waits for you, 1m",
        ),
        (
            paused(PausedBy::Inconclusive, 90, None),
            Phase::Canary,
            "analysis inconclusive: waits for you, 1m",
        ),
        (
            paused(PausedBy::Hand, 90, None),
            Phase::Paused,
            "paused by hand",
        ),
    ] {
        with(canary).stands(phase, Some((Reason::Waits, text)));
    }
}

#[test]
fn a_broken_canary_is_stuck_though_it_waits() {
    let world = with(sample()).with_pod(container(waiting("ImagePullBackOff", "x: not found")));
    world.stalls(Reason::ImagePull, "image not found: shop/checkout:2.15.0");
}

#[test]
fn an_aborted_one_says_what_serves_and_what_is_asked_for() {
    let said = "RolloutAborted: Rollout aborted update to revision 3";
    let because = "RolloutAborted: Rollout aborted update to revision 3: metric errors failed";
    for (serve, message, text) in [
        (6, said, "aborted: 2.14.1 serves, 2.15.0 is still asked for"),
        (4, said, "aborted: back to 2.14.1, 4 of 6 serve"),
        (
            6,
            because,
            "aborted: 2.14.1 serves, 2.15.0 is still asked for; metric errors failed",
        ),
    ] {
        let mut world = with(Canary {
            reported: Reported::Degraded,
            aborted: true,
            message: message.into(),
            ..sample()
        });
        world.revisions[1].available = serve;
        world.stands(Phase::Degraded, Some((Reason::Aborted, text)));
    }
    // Its router has yet to send all back to what serves.
    let mut world = with(Canary {
        reported: Reported::Degraded,
        aborted: true,
        routed: Some(20),
        ..sample()
    });
    world.revisions[1].available = 6;
    let text = "aborted: back to 2.14.1, 2.15.0 still gets 20% of the traffic";
    world.stands(Phase::Degraded, Some((Reason::Aborted, text)));
}

#[test]
fn what_its_controller_calls_degraded() {
    let degraded = |message: &str| Canary {
        reported: Reported::Degraded,
        message: message.into(),
        pause: None,
        ..sample()
    };
    let late = "ProgressDeadlineExceeded: ReplicaSet \"checkout-new\" has timed out progressing.";
    with(degraded(late)).stalls(
        Reason::DeadlineExceeded,
        "ReplicaSet \"checkout-new\" has timed out progressing.",
    );
    let invalid = "InvalidSpec: The Rollout \"checkout\" is invalid: spec.strategy: Required value";
    with(degraded(invalid)).stands(
        Phase::Degraded,
        Some((
            Reason::Config,
            "invalid spec: spec.strategy: Required value",
        )),
    );
}

#[test]
fn one_that_moves() {
    let moves = |canary: Canary| Canary {
        reported: Reported::Progressing,
        pause: None,
        ..canary
    };
    with(moves(sample())).stands(Phase::Canary, None);
    let run = Analysis {
        name: "checkout-new-3-1".into(),
        verdict: Verdict::Running,
        message: "".into(),
        created: None,
        metrics: [].into(),
    };
    let judged = Canary {
        analyses: [run].into(),
        ..moves(sample())
    };
    with(judged).stands(
        Phase::Canary,
        Some((Reason::Waits, "analysis checkout-new-3-1 runs")),
    );
    let first = Canary {
        stable: "new".into(),
        ..moves(sample())
    };
    with(first).stands(ROLLING, None);
    let plain = Canary {
        steps: [].into(),
        ..moves(sample())
    };
    with(plain).stands(ROLLING, None);
    let silent = Canary {
        reported: Reported::Nothing,
        ..moves(sample())
    };
    let why = "its controller has said nothing of it";
    with(silent).stands(Phase::Unknown, Some((Reason::NotSeenYet, why)));
}

#[test]
fn what_somebody_holds_half_way_waits_for_a_person() {
    let mut held = World::rolling(Kind::Deployment);
    held.workload.paused = true;
    held.stands(
        Phase::Paused,
        Some((Reason::Paused, "paused half-way: 2 of 6 updated")),
    );
    let canary = Canary::by_pods(Provider::PausedDeployment, PausedBy::Hand, (2, 7));
    held.workload.canary = Some(Box::new(canary));
    held.stands(
        Phase::Canary,
        Some((Reason::Waits, "waits for you: paused half-way")),
    );
    let broken = held.with_pod(container(waiting("ImagePullBackOff", "x: not found")));
    assert_eq!(broken.standing().phase, Phase::Paused);
}

#[test]
fn what_a_partition_keeps_back_waits_for_a_person_once_the_others_moved() {
    let mut db = World::well(Kind::StatefulSet);
    let w = &mut db.workload;
    w.current_revision = Some("checkout-old".into());
    w.counts.updated = 2;
    if let Strategy::Rolling { partition, .. } = &mut w.strategy {
        *partition = 4;
    }
    let words = "partition 4: 2 of 6 updated";
    db.stands(Phase::Paused, Some((Reason::Partition, words)));
    let canary = Canary {
        stable: "checkout-old".into(),
        current: "checkout-new".into(),
        ..Canary::by_pods(Provider::Partition, PausedBy::Step, (2, 6))
    };
    db.workload.canary = Some(Box::new(canary));
    db.stands(
        Phase::Canary,
        Some((Reason::Waits, &format!("waits for you: {words}"))),
    );
    db.workload.counts.updated = 1;
    assert_eq!(db.standing().phase, Phase::Rolling);
}
