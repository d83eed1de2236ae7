//! Pods that do not get ready: what their status, their events and their workload say.

use serde_json::{Value, json};

use super::place::{Place, condition, deployment, image, name_of};
use crate::support::wait;

fn container(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]
}

fn start(place: &Place, tag: &str) {
    place.create(
        "deployments",
        &deployment("web", tag, &json!({"replicas": 1})),
    );
}

fn not_ready(pod: &Value) {
    for kind in ["Ready", "ContainersReady"] {
        let condition = condition(pod, kind);
        assert_eq!(condition["status"], "False", "{kind}");
        assert_eq!(condition["reason"], "ContainersNotReady");
        let message = condition["message"].as_str().unwrap();
        assert!(
            message.starts_with("containers with unready status"),
            "{message}"
        );
    }
    assert_eq!(container(pod)["ready"], false);
}

/// The warning of this reason about the pod whose message starts so.
fn warning(place: &Place, pod: &Value, reason: &str, start: &str) -> Value {
    let event = wait::until(&format!("{reason}: {start}"), || {
        place.events_of(name_of(pod)).into_iter().find(|event| {
            event["reason"] == reason && event["message"].as_str().unwrap().starts_with(start)
        })
    });
    assert_eq!(event["type"], "Warning");
    assert_eq!(event["involvedObject"]["kind"], "Pod");
    assert_eq!(event["involvedObject"]["namespace"], *place.namespace);
    assert_eq!(event["involvedObject"]["uid"], pod["metadata"]["uid"]);
    assert!(event["count"].as_u64() >= Some(1), "{event}");
    for time in ["firstTimestamp", "lastTimestamp"] {
        let _: jiff::Timestamp = event[time].as_str().unwrap().parse().unwrap();
    }
    event
}

#[test]
fn an_image_that_cannot_be_pulled() {
    let place = Place::new("pull");
    start(&place, "1-unpullable");
    let pod = place.wait_waiting("web", "ImagePullBackOff");
    assert_eq!(pod["status"]["phase"], "Pending");
    let status = container(&pod);
    let message = status["state"]["waiting"]["message"].as_str().unwrap();
    let beginning = format!(
        "Back-off pulling image \"{}\": ErrImagePull: ",
        image("web", "1-unpullable")
    );
    assert!(message.starts_with(&beginning), "{message}");
    assert_eq!(status["restartCount"], 0);
    assert_eq!(status["imageID"], "");
    assert_eq!(status["started"], false);
    not_ready(&pod);
    warning(&place, &pod, "Failed", "Error: ErrImagePull");
    let web = place.read("deployments", "web");
    let available = condition(&web, "Available");
    assert_eq!(
        (&available["status"], &available["reason"]),
        (&json!("False"), &json!("MinimumReplicasUnavailable"))
    );
    assert_eq!(
        available["message"],
        "Deployment does not have minimum availability."
    );
    assert_eq!(condition(&web, "Progressing")["status"], "True");
    assert_eq!(web["status"]["unavailableReplicas"], 1);
}

#[test]
fn a_program_that_ends_at_once() {
    let place = Place::new("crash");
    start(&place, "1-crash");
    let pod = place.wait_waiting("web", "CrashLoopBackOff");
    let status = container(&pod);
    let message = status["state"]["waiting"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("back-off ") && message.contains(" restarting failed container"),
        "{message}"
    );
    let last = &status["lastState"]["terminated"];
    assert_eq!(
        (&last["exitCode"], &last["reason"]),
        (&json!(1), &json!("Error"))
    );
    for time in ["startedAt", "finishedAt"] {
        let _: jiff::Timestamp = last[time].as_str().unwrap().parse().unwrap();
    }
    assert_eq!(pod["status"]["phase"], "Running");
    not_ready(&pod);
    warning(
        &place,
        &pod,
        "BackOff",
        "Back-off restarting failed container",
    );
    wait::until("restarts are counted", || {
        let pod = place.pods_of("web").remove(0);
        (container(&pod)["restartCount"].as_u64() >= Some(2)).then_some(())
    });
}

#[test]
fn a_program_that_takes_too_much_memory() {
    let place = Place::new("oom");
    start(&place, "1-oom");
    let pod = place.wait_waiting("web", "CrashLoopBackOff");
    let last = &container(&pod)["lastState"]["terminated"];
    assert_eq!(
        (&last["exitCode"], &last["reason"]),
        (&json!(137), &json!("OOMKilled"))
    );
}

#[test]
fn a_configuration_that_is_missing() {
    let place = Place::new("config");
    start(&place, "1-noconfig");
    let pod = place.wait_waiting("web", "CreateContainerConfigError");
    let status = container(&pod);
    assert_eq!(
        status["state"]["waiting"]["message"],
        "configmap \"settings\" not found"
    );
    assert_eq!(pod["status"]["phase"], "Pending");
    not_ready(&pod);
    warning(
        &place,
        &pod,
        "Failed",
        "Error: configmap \"settings\" not found",
    );
}

#[test]
fn a_program_that_never_gets_ready() {
    let place = Place::new("unready");
    start(&place, "1-unready");
    let pod = wait::until("a pod that runs", || {
        let pods = place.pods_of("web");
        pods.into_iter()
            .find(|pod| container(pod)["state"]["running"].is_object())
    });
    not_ready(&pod);
    assert_eq!(container(&pod)["started"], true);
    assert_eq!(pod["status"]["phase"], "Running");
    let event = warning(&place, &pod, "Unhealthy", "Readiness probe failed: ");
    assert_eq!(
        event["message"],
        "Readiness probe failed: HTTP probe failed with statuscode: 503"
    );
}

#[test]
fn a_quota_that_is_full() {
    let place = Place::new("quota");
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight"},
        "spec": {"hard": {"pods": "2"}}});
    place.create("resourcequotas", &quota);
    place.wait("resourcequotas", "tight", "counted", |quota| {
        quota["status"]["hard"]["pods"] == "2"
    });
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 3})),
    );
    let web = place.wait("deployments", "web", "failing", |web| {
        condition(web, "ReplicaFailure")["status"] == "True"
            && web["status"]["availableReplicas"] == 2
    });
    let sentence =
        "is forbidden: exceeded quota: tight, requested: pods=1, used: pods=2, limited: pods=2";
    let failure = condition(&web, "ReplicaFailure");
    assert_eq!(failure["reason"], "FailedCreate");
    let message = failure["message"].as_str().unwrap();
    assert!(
        message.starts_with("pods \"web-") && message.ends_with(sentence),
        "{message}"
    );
    let set = place.replica_sets_of("web").remove(0);
    assert_eq!(condition(&set, "ReplicaFailure")["status"], "True");
    let event = wait::until("the event", || {
        place
            .events_of(name_of(&set))
            .into_iter()
            .find(|event| event["reason"] == "FailedCreate")
    });
    let told = event["message"].as_str().unwrap();
    assert!(
        told.starts_with("Error creating: pods \"web-") && told.ends_with(sentence),
        "{told}"
    );
    assert_eq!(event["type"], "Warning");
    assert_eq!(event["involvedObject"]["kind"], "ReplicaSet");
    place.wait("resourcequotas", "tight", "used up", |quota| {
        quota["status"]["used"]["pods"] == "2"
    });
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "third"},
        "spec": {"containers": [{"name": "app", "image": image("third", "1")}]}});
    let status = place.admin.post(&place.core("pods"), &pod).refused(403);
    assert_eq!(status["reason"], "Forbidden");
    assert_eq!(status["message"], format!("pods \"third\" {sentence}"));
    // Room again, and it is filled.
    let more = json!({"spec": {"hard": {"pods": "5"}}});
    place.change("resourcequotas", "tight", &more);
    let web = place.wait("deployments", "web", "with all its pods", |web| {
        web["status"]["availableReplicas"] == 3
    });
    assert_eq!(condition(&web, "ReplicaFailure"), &Value::Null);
}
