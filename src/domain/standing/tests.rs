//! Every row of kubectl's rollout status, and of the reasons that pods, events and conditions give.

#![allow(clippy::too_many_lines)] // a table is one test

use crate::domain::fixture::*;
use crate::domain::pod::{Hold, HoldKind};
use crate::domain::template::CanonicalHash;
use crate::domain::{ActionNote, ContainerState, Counts, Run, Strategy};

use super::*;

/// The parts of an [`Evidence`], to be spoiled.
struct World {
    workload: Workload,
    revisions: Vec<Revision>,
    pods: Vec<Pod>,
    warnings: Vec<Warning>,
}

impl World {
    fn well(kind: Kind) -> Self {
        Self {
            workload: workload(kind),
            revisions: Vec::new(),
            pods: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Two of six are new and none of them serves; five old ones do.
    fn rolling(kind: Kind) -> Self {
        let mut world = Self::well(kind);
        let w = &mut world.workload;
        w.counts = counts(7, 2, 5, 5);
        if kind == Kind::Deployment {
            set(w, "Progressing", Truth::True, "ReplicaSetUpdated");
        } else {
            w.counts.total = 6;
        }
        if kind == Kind::StatefulSet {
            w.current_revision = Some("checkout-old".into());
        }
        let mut new = revision(kind, 42, "new", IMAGE);
        new.desired = 2;
        let mut old = revision(kind, 41, "old", OLD_IMAGE);
        (old.desired, old.ready, old.available) = (5, 5, 5);
        world.revisions = vec![new, old];
        world
    }

    fn with_pod(mut self, container: ContainerState) -> Self {
        let kind = self.workload.id.kind;
        let suffix = if kind == Kind::StatefulSet {
            "5"
        } else {
            "x2x4k"
        };
        let mut pod = pod(kind, "new", suffix);
        pod.ready = container.ready;
        pod.containers = [container].into();
        self.pods.push(pod);
        self
    }

    fn with(mut self, spoil: impl FnOnce(&mut Self)) -> Self {
        spoil(&mut self);
        self
    }

    fn standing(&self) -> Standing {
        let evidence = Evidence {
            workload: &self.workload,
            revisions: &self.revisions,
            pods: &self.pods.iter().collect::<Vec<_>>(),
            warnings: &self.warnings.iter().collect::<Vec<_>>(),
        };
        standing(evidence, now())
    }

    #[track_caller]
    fn stands(&self, phase: Phase, why: Option<(Reason, &str)>) {
        let standing = self.standing();
        let got = standing.why.as_ref().map(|why| (why.reason, &*why.text));
        assert_eq!((standing.phase, got), (phase, why));
    }

    #[track_caller]
    fn stalls(&self, reason: Reason, text: &str) {
        self.stands(Phase::Stalled, Some((reason, text)));
    }
}

fn counts(total: u32, updated: u32, ready: u32, available: u32) -> Counts {
    Counts {
        total,
        updated,
        ready,
        available,
        terminating: None,
        misscheduled: 0,
    }
}

fn set(workload: &mut Workload, kind: &str, status: Truth, reason: &str) {
    let mut conditions = std::mem::take(&mut workload.conditions).into_vec();
    conditions.retain(|c| &*c.kind != kind);
    conditions.push(condition(kind, status, reason));
    workload.conditions = conditions.into();
}

fn note(verb: &str) -> Box<ActionNote> {
    Box::new(ActionNote {
        id: "1".into(),
        verb: verb.into(),
        from: "checkout-bad".into(),
        from_version: "2.16.0".into(),
        to: CanonicalHash("h".into()),
        by: "oncall@bastion".into(),
        at: ago(100),
    })
}

fn waits(reason: &str, message: &str) -> ContainerState {
    container(waiting(reason, message))
}

fn loops(reason: &str, code: i32, message: &str, restarts: u32) -> ContainerState {
    ContainerState {
        restarts,
        last: Some(ended(reason, code, message).into()),
        ..waits(
            "CrashLoopBackOff",
            "back-off 5m0s restarting failed container",
        )
    }
}

const ROLLING: Phase = Phase::Rolling;

// The rollout itself.

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
fn deployment_deadline_exceeded_before_any_count() {
    let mut world = World::well(Kind::Deployment);
    set(
        &mut world.workload,
        "Progressing",
        Truth::False,
        "ProgressDeadlineExceeded",
    );
    world.stalls(Reason::DeadlineExceeded, "no progress for 10m");
    assert_eq!(world.standing().gives_up, None);
}

#[test]
fn a_deadline_that_an_older_template_exceeded_does_not_count() {
    let mut world = World::rolling(Kind::Deployment);
    set(
        &mut world.workload,
        "Progressing",
        Truth::False,
        "ProgressDeadlineExceeded",
    );
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
    set(
        &mut world.workload,
        "Progressing",
        Truth::Unknown,
        "DeploymentPaused",
    );
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
fn health_is_available_and_progressing() {
    let mut world = World::well(Kind::Deployment);
    world.workload.counts = counts(6, 6, 3, 3);
    set(
        &mut world.workload,
        "Available",
        Truth::False,
        "MinimumReplicasUnavailable",
    );
    // Progress is not looked at again once it was complete.
    world.stands(
        Phase::Degraded,
        Some((Reason::Unavailable, "3 of 6 available")),
    );
    set(
        &mut world.workload,
        "Progressing",
        Truth::True,
        "ReplicaSetUpdated",
    );
    world.stands(
        ROLLING,
        Some((Reason::Unavailable, "only 3 of 6 available")),
    );
    let mut full = World::well(Kind::Deployment);
    set(
        &mut full.workload,
        "Available",
        Truth::False,
        "MinimumReplicasUnavailable",
    );
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
fn what_is_being_deleted_is_not_judged() {
    let world = World::rolling(Kind::Deployment).with(|w| w.workload.deleting = true);
    world.stands(Phase::Unknown, Some((Reason::Other, "is being deleted")));
}

// What containers say.

#[test]
fn images_that_cannot_be_had() {
    for (reason, message, want) in [
        (
            "ErrImagePull",
            "rpc error: code = NotFound desc = failed to pull: manifest unknown",
            "image not found",
        ),
        (
            "ImagePullBackOff",
            "Back-off pulling image \"x\": ErrImagePull: x: not found",
            "image not found",
        ),
        (
            "ImagePullBackOff",
            "Back-off pulling image \"x\"",
            "image cannot be pulled",
        ),
        (
            "ErrImagePull",
            "failed: 401 Unauthorized",
            "no access to image",
        ),
        (
            "ErrImagePull",
            "toomanyrequests: You have reached your pull rate limit",
            "registry limits pulls",
        ),
        (
            "ErrImagePull",
            "dial tcp: lookup reg: no such host",
            "registry cannot be reached",
        ),
        (
            "ErrImagePull",
            "x509: certificate signed by unknown authority",
            "registry certificate not accepted",
        ),
        (
            "ErrImageNeverPull",
            "",
            "image not on the node, and it may not be pulled",
        ),
        (
            "InvalidImageName",
            "couldn't parse image",
            "invalid image name",
        ),
        ("ImageInspectError", "", "image cannot be inspected"),
        ("RegistryUnavailable", "", "registry unavailable"),
        (
            "SignatureValidationFailed",
            "",
            "image signature not accepted",
        ),
    ] {
        let world = World::rolling(Kind::Deployment).with_pod(waits(reason, message));
        world.stalls(Reason::ImagePull, &format!("{want}: {IMAGE}"));
        let pod = world.standing().why.unwrap().pod;
        assert_eq!(pod.as_deref(), Some("checkout-new-x2x4k"));
    }
}

#[test]
fn a_back_off_without_words_takes_them_from_the_event() {
    let mut world = World::rolling(Kind::Deployment)
        .with_pod(waits("ImagePullBackOff", "Back-off pulling image"));
    let message = format!("Failed to pull image \"{IMAGE}\": not found");
    world.warnings = vec![warning(
        "Pod",
        "checkout-new-x2x4k",
        "p-new-x2x4k",
        "Failed",
        &message,
    )];
    world.stalls(Reason::ImagePull, &format!("image not found: {IMAGE}"));
}

#[test]
fn containers_that_cannot_be_made_or_started() {
    for (reason, message, kind, text) in [
        (
            "ImageVolumeMountFailed",
            "no such image",
            Reason::ImagePull,
            "image volume cannot be mounted: no such image",
        ),
        (
            "RROUnsupported",
            "",
            Reason::CreateFailed,
            "the node has no recursive read-only mounts",
        ),
        (
            "CreateContainerConfigError",
            "secret \"db\" not found",
            Reason::Config,
            "config: secret \"db\" not found",
        ),
        (
            "CreateContainerError",
            "name is taken",
            Reason::CreateFailed,
            "cannot start: name is taken",
        ),
        (
            "RunContainerError",
            "exec: not found",
            Reason::CreateFailed,
            "cannot start: exec: not found",
        ),
        (
            "PostStartHookError",
            "exited with 1",
            Reason::CreateFailed,
            "PostStartHook failed: exited with 1",
        ),
        (
            "PreStartHookError",
            "exited with 1",
            Reason::CreateFailed,
            "PreStartHook failed: exited with 1",
        ),
    ] {
        World::rolling(Kind::Deployment)
            .with_pod(waits(reason, message))
            .stalls(kind, text);
    }
}

#[test]
fn crash_loops_tell_how_the_last_run_ended() {
    for (reason, code, message, kind, text) in [
        (
            "OOMKilled",
            137,
            "",
            Reason::OutOfMemory,
            "OOMKilled, 5 restarts",
        ),
        (
            "Error",
            1,
            "cannot open /etc/app.yaml\n",
            Reason::CrashLoop,
            "exit 1: cannot open /etc/app.yaml",
        ),
        (
            "Error",
            1,
            "starting\nfatal: no database\nbye",
            Reason::CrashLoop,
            "exit 1: fatal: no database",
        ),
        ("Error", 1, "", Reason::CrashLoop, "exit 1, 5 restarts"),
        (
            "Error",
            127,
            "",
            Reason::CrashLoop,
            "exit 127: command not found, 5 restarts",
        ),
        (
            "Error",
            137,
            "",
            Reason::CrashLoop,
            "exit 137: killed, 5 restarts",
        ),
        (
            "Completed",
            0,
            "",
            Reason::CrashLoop,
            "exit 0: ends instead of serving, 5 restarts",
        ),
        (
            "StartError",
            128,
            "no such file",
            Reason::CreateFailed,
            "cannot start: no such file",
        ),
        (
            "ContainerCannotRun",
            128,
            "",
            Reason::CreateFailed,
            "cannot start, 5 restarts",
        ),
        (
            "DeadlineExceeded",
            1,
            "",
            Reason::CrashLoop,
            "ran past its deadline, 5 restarts",
        ),
        (
            "ContainerStatusUnknown",
            137,
            "",
            Reason::CrashLoop,
            "its node lost track of it, 5 restarts",
        ),
    ] {
        World::rolling(Kind::Deployment)
            .with_pod(loops(reason, code, message, 5))
            .stalls(kind, text);
    }
    let mut signal = loops("Error", 0, "", 5);
    signal.last.as_mut().unwrap().signal = Some(11);
    World::rolling(Kind::Deployment)
        .with_pod(signal)
        .stalls(Reason::CrashLoop, "signal 11, 5 restarts");
    let unknown = ContainerState {
        restarts: 4,
        ..waits("CrashLoopBackOff", "")
    };
    World::rolling(Kind::Deployment)
        .with_pod(unknown)
        .stalls(Reason::CrashLoop, "crash loop, 4 restarts");
}

#[test]
fn creating_or_one_restart_is_not_a_stall() {
    for reason in ["ContainerCreating", "PodInitializing"] {
        World::rolling(Kind::Deployment)
            .with_pod(waits(reason, ""))
            .stands(ROLLING, None);
    }
    let once = ContainerState {
        ready: false,
        restarts: 1,
        ..loops("Error", 1, "", 1)
    };
    let running = ContainerState {
        run: Run::Running {
            since: Some(ago(5)),
        },
        ..once.clone()
    };
    World::rolling(Kind::Deployment)
        .with_pod(running.clone())
        .stands(ROLLING, None);
    let twice = ContainerState {
        restarts: 2,
        ..running
    };
    World::rolling(Kind::Deployment)
        .with_pod(twice)
        .stalls(Reason::CrashLoop, "exit 1, 2 restarts");
    let ended = ContainerState {
        run: Run::Ended(ended("Error", 1, "").into()),
        restarts: 0,
        last: None,
        ..once
    };
    World::rolling(Kind::Deployment)
        .with_pod(ended)
        .stands(ROLLING, Some((Reason::CrashLoop, "exit 1")));
}

#[test]
fn creating_for_long_takes_its_reason_from_events() {
    for (reason, message, kind, text) in [
        (
            "FailedMount",
            "MountVolume.SetUp failed for volume \"c\" : secret \"db\" not found",
            Reason::Config,
            "volume: secret \"db\" not found",
        ),
        (
            "FailedAttachVolume",
            "Multi-Attach error",
            Reason::CreateFailed,
            "volume: Multi-Attach error",
        ),
        (
            "FailedCreatePodSandBox",
            "cni has no address",
            Reason::CreateFailed,
            "sandbox: cni has no address",
        ),
    ] {
        let mut world = World::rolling(Kind::Deployment).with_pod(waits("ContainerCreating", ""));
        world.warnings = vec![warning(
            "Pod",
            "checkout-new-x2x4k",
            "p-new-x2x4k",
            reason,
            message,
        )];
        world.stalls(kind, text);
        world.pods[0].created = ago(10);
        world.stands(ROLLING, Some((kind, text)));
    }
}

#[test]
fn init_containers_and_sidecars_are_named() {
    let init = ContainerState {
        init: true,
        name: "migrate".into(),
        ..loops("Error", 3, "", 4)
    };
    World::rolling(Kind::Deployment)
        .with_pod(init)
        .stalls(Reason::CrashLoop, "init migrate: exit 3, 4 restarts");
    let done = ContainerState {
        init: true,
        ready: true,
        ..container(Run::Ended(ended("Completed", 0, "").into()))
    };
    World::rolling(Kind::Deployment)
        .with_pod(done)
        .stands(ROLLING, None);
    let mut two = World::rolling(Kind::Deployment).with_pod(loops("Error", 3, "", 4));
    let proxy = ContainerState {
        name: "proxy".into(),
        ..container(Run::Running { since: None })
    };
    two.pods[0].containers = [two.pods[0].containers[0].clone(), proxy].into();
    two.stalls(Reason::CrashLoop, "web: exit 3, 4 restarts");
}

// What pods, events and conditions say.

#[test]
fn unscheduled_pods() {
    let tally =
        "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: none.";
    for (reason, message, phase, text) in [
        (
            "Unschedulable",
            tally,
            Phase::Stalled,
            "unschedulable: 3 Insufficient cpu",
        ),
        ("Unschedulable", "", Phase::Stalled, "unschedulable"),
        (
            "SchedulingGated",
            "",
            ROLLING,
            "scheduling gated: waits for whoever set the gate",
        ),
        (
            "SchedulerError",
            "bind failed",
            Phase::Stalled,
            "scheduler error: bind failed",
        ),
    ] {
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
    for (reason, message, text) in [
        (
            "Evicted",
            "The node was low on resource: memory.",
            "evicted: The node was low on resource: memory.",
        ),
        ("NodeLost", "", "its node is lost"),
        ("Preempting", "", "Preempting"),
        (
            "UnexpectedAdmissionError",
            "no gpu",
            "UnexpectedAdmissionError: no gpu",
        ),
    ] {
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
    for (kind, reason, message, told) in [
        (
            HoldKind::Disruption,
            "PreemptionByScheduler",
            "",
            (Reason::Evicted, "moved off its node: PreemptionByScheduler"),
        ),
        (
            HoldKind::RestartingAll,
            "",
            "",
            (Reason::NotReady, "all containers restart"),
        ),
        (
            HoldKind::ResizePending,
            "Infeasible",
            "node has 2 cpu",
            (Reason::Unschedulable, "resize infeasible: node has 2 cpu"),
        ),
        (
            HoldKind::ReadinessGate,
            "ReadinessGatesNotReady",
            "target-health is false",
            (Reason::NotReady, "readiness gate: target-health is false"),
        ),
    ] {
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
fn readiness_that_fails_is_told_by_its_event() {
    let mut world = World::rolling(Kind::Deployment).with_pod(ContainerState {
        ready: false,
        ..container(Run::Running {
            since: Some(ago(60)),
        })
    });
    world.stands(ROLLING, None);
    let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    world.warnings = vec![warning(
        "Pod",
        "checkout-new-x2x4k",
        "p-new-x2x4k",
        "Unhealthy",
        message,
    )];
    let text = "readiness probe: HTTP probe failed with statuscode: 503";
    world.stands(ROLLING, Some((Reason::NotReady, text)));
    set(
        &mut world.workload,
        "Progressing",
        Truth::False,
        "ProgressDeadlineExceeded",
    );
    world.workload.written_by = Some(("kubectl".into(), ago(800)));
    world.stalls(Reason::NotReady, text);
}

#[test]
fn denied_pods_take_the_newest_event_over_the_condition() {
    for (message, kind, text) in [
        (
            "Error creating: pods \"x\" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=20, limited: pods=20",
            Reason::Quota,
            "quota: exceeded pods=20 (compute)",
        ),
        (
            "pods \"x\" is forbidden: failed quota: q: must specify limits.cpu",
            Reason::Quota,
            "quota: failed quota: q: must specify limits.cpu",
        ),
        (
            "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": privileged",
            Reason::Admission,
            "violates PodSecurity \"restricted:latest\": privileged",
        ),
        (
            "Error creating: admission webhook \"v.io\" denied the request: no",
            Reason::Admission,
            "admission webhook \"v.io\" denied the request: no",
        ),
        (
            "Internal error: failed calling webhook \"v.io\": timeout",
            Reason::Admission,
            "Internal error: failed calling webhook \"v.io\": timeout",
        ),
        (
            "pods \"x\" is forbidden: maximum cpu usage per Container is 1, but limit is 2",
            Reason::Admission,
            "not admitted: maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            "Error creating: serviceaccount \"bot\" not found",
            Reason::CreateFailed,
            "cannot create pods: serviceaccount \"bot\" not found",
        ),
    ] {
        let mut world = World::rolling(Kind::Deployment);
        let mut failure = condition("ReplicaFailure", Truth::True, "FailedCreate");
        failure.message = "the first cause".into();
        world.revisions[0].failure = Some(Box::new(failure));
        world.stalls(Reason::CreateFailed, "cannot create pods: the first cause");
        world.warnings = vec![warning(
            "ReplicaSet",
            "checkout-new",
            "r-new",
            "FailedCreate",
            message,
        )];
        world.stalls(kind, text);

        let mut daemon = World::rolling(Kind::DaemonSet);
        daemon.workload.counts.total = 5;
        daemon.warnings = vec![warning(
            "DaemonSet",
            "checkout",
            "w",
            "FailedCreate",
            message,
        )];
        daemon.stalls(kind, text);
    }
}

#[test]
fn the_deployments_own_replica_failure_counts_while_no_replica_set_is_known() {
    let mut world = World::rolling(Kind::Deployment);
    world.revisions.clear();
    set(
        &mut world.workload,
        "ReplicaFailure",
        Truth::True,
        "FailedCreate",
    );
    assert_eq!(world.standing().why.unwrap().reason, Reason::CreateFailed);
    set(&mut world.workload, "ReplicaFailure", Truth::False, "");
    world.stands(ROLLING, None);
}

#[test]
fn events_speak_for_pods_that_are_not_watched() {
    let pull = format!("Failed to pull image \"{IMAGE}\": manifest unknown");
    for (reason, message, phase, kind, text) in [
        (
            "Failed",
            &*pull,
            Phase::Stalled,
            Reason::ImagePull,
            "image not found: shop/checkout:2.15.0",
        ),
        (
            "Failed",
            "Error: ImagePullBackOff",
            Phase::Stalled,
            Reason::ImagePull,
            "image cannot be pulled: shop/checkout:2.15.0",
        ),
        (
            "InspectFailed",
            "couldn't parse image",
            Phase::Stalled,
            Reason::ImagePull,
            "invalid image name: shop/checkout:2.15.0",
        ),
        (
            "BackOff",
            "Back-off restarting failed container web in pod x",
            Phase::Stalled,
            Reason::CrashLoop,
            "crash loop of container web",
        ),
        (
            "Failed",
            "Error: secret \"db\" not found",
            Phase::Stalled,
            Reason::Config,
            "config: secret \"db\" not found",
        ),
        (
            "Failed",
            "Error: couldn't find key k in ConfigMap shop/c",
            Phase::Stalled,
            Reason::Config,
            "config: couldn't find key k in ConfigMap shop/c",
        ),
        (
            "Failed",
            "Error: exec: no such file",
            Phase::Stalled,
            Reason::CreateFailed,
            "cannot start: exec: no such file",
        ),
        (
            "FailedPostStartHook",
            "exit 1",
            Phase::Stalled,
            Reason::CreateFailed,
            "PostStartHook failed: exit 1",
        ),
        (
            "FailedScheduling",
            "0/3 nodes are available: 3 Insufficient cpu.",
            ROLLING,
            Reason::Unschedulable,
            "unschedulable: 3 Insufficient cpu",
        ),
        (
            "Unhealthy",
            "Readiness probe failed: refused",
            ROLLING,
            Reason::NotReady,
            "readiness probe: refused",
        ),
        (
            "Evicted",
            "low on memory",
            ROLLING,
            Reason::Evicted,
            "evicted: low on memory",
        ),
        (
            "FailedMount",
            "configmap \"c\" not found",
            ROLLING,
            Reason::Config,
            "volume: configmap \"c\" not found",
        ),
    ] {
        let mut world = World::rolling(Kind::Deployment);
        world.warnings = vec![warning("Pod", "checkout-new-x2x4k", "u", reason, message)];
        world.stands(phase, Some((kind, text)));
        // Of the old revision, from before the rollout, or long ago: not about this.
        let mut old = World::rolling(Kind::Deployment);
        old.warnings = vec![warning("Pod", "checkout-old-x2x4k", "u", reason, message)];
        old.stands(ROLLING, None);
        world.warnings[0].last_seen = ago(300);
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
            Kind::StatefulSet => world.stalls(
                Reason::ImagePull,
                "old pod checkout-3 blocks the order: image not found: shop/checkout:2.14.1",
            ),
        }
    }
}

#[test]
fn progress_is_what_is_proven() {
    for (counts, available, want) in [
        (counts(7, 2, 5, 5), None, 0),
        (counts(7, 3, 6, 6), None, 2),
        (counts(7, 3, 6, 6), Some(3), 3),
        (counts(9, 9, 9, 9), Some(9), 6),
    ] {
        let mut world = World::rolling(Kind::Deployment);
        world.workload.counts = counts;
        set(
            &mut world.workload,
            "Progressing",
            Truth::False,
            "ProgressDeadlineExceeded",
        );
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
