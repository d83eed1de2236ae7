//! What the states of containers say.

use super::*;

#[test]
fn images_that_cannot_be_had() {
    #[rustfmt::skip]
    let table = [
        ("ErrImagePull", "rpc error: code = NotFound desc = failed to pull: manifest unknown", "image not found"),
        ("ImagePullBackOff", "Back-off pulling image \"x\": ErrImagePull: x: not found", "image not found"),
        ("ImagePullBackOff", "Back-off pulling image \"x\"", "image cannot be pulled"),
        ("ErrImagePull", "failed: 401 Unauthorized", "no access to image"),
        ("ErrImagePull", "toomanyrequests: You have reached your pull rate limit", "registry limits pulls"),
        ("ErrImagePull", "dial tcp: lookup reg: no such host", "registry cannot be reached"),
        ("ErrImagePull", "x509: certificate signed by unknown authority", "registry certificate not accepted"),
        ("ErrImageNeverPull", "", "image not on the node, and it may not be pulled"),
        ("InvalidImageName", "couldn't parse image", "invalid image name"),
        ("ImageInspectError", "", "image cannot be inspected"),
        ("RegistryUnavailable", "", "registry unavailable"),
        ("SignatureValidationFailed", "", "image signature not accepted"),
    ];
    for (reason, message, want) in table {
        let world = World::rolling(Kind::Deployment).with_pod(waits(reason, message));
        world.stalls(Reason::ImagePull, &format!("{want}: {IMAGE}"));
        let pod = world.standing().why.unwrap().pod;
        assert_eq!(pod.as_deref(), Some("checkout-new-x2x4k"));
    }
}

#[test]
fn a_port_or_a_tag_that_looks_like_a_status_is_none() {
    for image in [
        "127.0.0.1:40303/shop/web:1",
        "reg.test/web:1.429",
        "Reg.test:4010/web@sha256:403",
    ] {
        let message = format!("\"{image}\": GET https://{image}/manifests: {image}: not found");
        let why = words::image("ErrImagePull", &message, image);
        assert_eq!(why, format!("image not found: {image}"));
    }
}

#[test]
fn containers_that_cannot_be_made_or_started() {
    #[rustfmt::skip]
    let table = [
        ("ImageVolumeMountFailed", "no such image", Reason::ImagePull, "image volume cannot be mounted: no such image"),
        ("RROUnsupported", "", Reason::CreateFailed, "the node has no recursive read-only mounts"),
        ("CreateContainerConfigError", "secret \"db\" not found", Reason::Config, "config: secret \"db\" not found"),
        ("CreateContainerError", "name is taken", Reason::CreateFailed, "cannot start: name is taken"),
        ("RunContainerError", "exec: not found", Reason::CreateFailed, "cannot start: exec: not found"),
        ("PostStartHookError", "exited with 1", Reason::CreateFailed, "PostStartHook failed: exited with 1"),
        ("PreStartHookError", "exited with 1", Reason::CreateFailed, "PreStartHook failed: exited with 1"),
    ];
    for (reason, message, kind, text) in table {
        World::rolling(Kind::Deployment)
            .with_pod(waits(reason, message))
            .stalls(kind, text);
    }
}

#[test]
fn crash_loops_tell_how_the_last_run_ended() {
    #[rustfmt::skip]
    let table = [
        ("OOMKilled", 137, "", Reason::OutOfMemory, "OOMKilled, 5 restarts"),
        ("Error", 1, "cannot open /etc/app.yaml\n", Reason::CrashLoop, "exit 1: cannot open /etc/app.yaml"),
        ("Error", 1, "starting\nfatal: no database\nbye", Reason::CrashLoop, "exit 1: fatal: no database"),
        ("Error", 1, "", Reason::CrashLoop, "exit 1, 5 restarts"),
        ("Error", 127, "", Reason::CrashLoop, "exit 127: command not found, 5 restarts"),
        ("Error", 137, "", Reason::CrashLoop, "exit 137: killed, 5 restarts"),
        ("Completed", 0, "", Reason::CrashLoop, "exit 0: ends instead of serving, 5 restarts"),
        ("StartError", 128, "no such file", Reason::CreateFailed, "cannot start: no such file"),
        ("ContainerCannotRun", 128, "", Reason::CreateFailed, "cannot start, 5 restarts"),
        ("DeadlineExceeded", 1, "", Reason::CrashLoop, "ran past its deadline, 5 restarts"),
        ("ContainerStatusUnknown", 137, "", Reason::CrashLoop, "its node lost track of it, 5 restarts"),
    ];
    for (reason, code, message, kind, text) in table {
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
