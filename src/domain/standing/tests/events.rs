//! What events and conditions say for pods, watched or not.

use super::*;

#[test]
fn denied_pods_take_the_newest_event_over_the_condition() {
    #[rustfmt::skip]
    let table = [
        ("Error creating: pods \"x\" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=20, limited: pods=20", Reason::Quota, "quota: exceeded pods=20 (compute)"),
        ("pods \"x\" is forbidden: failed quota: q: must specify limits.cpu", Reason::Quota, "quota: failed quota: q: must specify limits.cpu"),
        ("pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": privileged", Reason::Admission, "violates PodSecurity \"restricted:latest\": privileged"),
        ("Error creating: admission webhook \"v.io\" denied the request: no", Reason::Admission, "admission webhook \"v.io\" denied the request: no"),
        ("Internal error: failed calling webhook \"v.io\": timeout", Reason::Admission, "Internal error: failed calling webhook \"v.io\": timeout"),
        ("pods \"x\" is forbidden: maximum cpu usage per Container is 1, but limit is 2", Reason::Admission, "not admitted: maximum cpu usage per Container is 1, but limit is 2"),
        ("Error creating: serviceaccount \"bot\" not found", Reason::CreateFailed, "cannot create pods: serviceaccount \"bot\" not found"),
    ];
    for (message, kind, text) in table {
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
    world.has("ReplicaFailure", Truth::True, "FailedCreate");
    assert_eq!(world.standing().why.unwrap().reason, Reason::CreateFailed);
    world.has("ReplicaFailure", Truth::False, "");
    world.stands(ROLLING, None);
}

#[test]
fn events_speak_for_pods_that_are_not_watched() {
    let pull = format!("Failed to pull image \"{IMAGE}\": manifest unknown");
    #[rustfmt::skip]
    let table = [
        ("Failed", &*pull, Phase::Stalled, Reason::ImagePull, "image not found: shop/checkout:2.15.0"),
        ("Failed", "Error: ImagePullBackOff", Phase::Stalled, Reason::ImagePull, "image cannot be pulled: shop/checkout:2.15.0"),
        ("InspectFailed", "couldn't parse image", Phase::Stalled, Reason::ImagePull, "invalid image name: shop/checkout:2.15.0"),
        ("BackOff", "Back-off restarting failed container web in pod x", Phase::Stalled, Reason::CrashLoop, "crash loop of container web"),
        ("Failed", "Error: secret \"db\" not found", Phase::Stalled, Reason::Config, "config: secret \"db\" not found"),
        ("Failed", "Error: couldn't find key k in ConfigMap shop/c", Phase::Stalled, Reason::Config, "config: couldn't find key k in ConfigMap shop/c"),
        ("Failed", "Error: exec: no such file", Phase::Stalled, Reason::CreateFailed, "cannot start: exec: no such file"),
        ("FailedPostStartHook", "exit 1", Phase::Stalled, Reason::CreateFailed, "PostStartHook failed: exit 1"),
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", ROLLING, Reason::Unschedulable, "unschedulable: 3 Insufficient cpu"),
        ("Unhealthy", "Readiness probe failed: refused", ROLLING, Reason::NotReady, "readiness probe: refused"),
        ("Evicted", "low on memory", ROLLING, Reason::Evicted, "evicted: low on memory"),
        ("FailedMount", "configmap \"c\" not found", ROLLING, Reason::Config, "volume: configmap \"c\" not found"),
    ];
    for (reason, message, phase, kind, text) in table {
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
fn creating_for_long_takes_its_reason_from_events() {
    #[rustfmt::skip]
    let table = [
        ("FailedMount", "MountVolume.SetUp failed for volume \"c\" : secret \"db\" not found", Reason::Config, "volume: secret \"db\" not found"),
        ("FailedAttachVolume", "Multi-Attach error", Reason::CreateFailed, "volume: Multi-Attach error"),
        ("FailedCreatePodSandBox", "cni has no address", Reason::CreateFailed, "sandbox: cni has no address"),
    ];
    for (reason, message, kind, text) in table {
        let mut world = World::rolling(Kind::Deployment).with_pod(waits("ContainerCreating", ""));
        world.warnings = vec![of_pod(reason, message)];
        world.stalls(kind, text);
        world.pods[0].created = ago(10);
        world.stands(ROLLING, Some((kind, text)));
    }
}

#[test]
fn a_back_off_without_words_takes_them_from_the_event() {
    let mut world = World::rolling(Kind::Deployment)
        .with_pod(waits("ImagePullBackOff", "Back-off pulling image"));
    let message = format!("Failed to pull image \"{IMAGE}\": not found");
    world.warnings = vec![of_pod("Failed", &message)];
    world.stalls(Reason::ImagePull, &format!("image not found: {IMAGE}"));
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
    world.warnings = vec![of_pod("Unhealthy", message)];
    let text = "readiness probe: HTTP probe failed with statuscode: 503";
    world.stands(ROLLING, Some((Reason::NotReady, text)));
    world.has("Progressing", Truth::False, "ProgressDeadlineExceeded");
    world.workload.written_by = Some(("kubectl".into(), ago(800)));
    world.stalls(Reason::NotReady, text);
}
