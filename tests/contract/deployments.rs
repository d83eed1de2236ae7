//! Deployments: their ReplicaSets and pods, the numbers of revisions, and going back.

use http::Method;
use serde_json::{Value, json};

use super::http::JSON_PATCH;
use super::place::{Place, complete, condition, deployment, image, name_of, revision};
use super::rollouts::serves;
use crate::support::wait;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";

fn tag_of(set: &Value) -> &str {
    let image = set["spec"]["template"]["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap();
    image.rsplit(':').next().unwrap()
}

/// The tags of its ReplicaSets with their revisions and what they want, by revision.
pub fn sets(place: &Place, name: &str) -> Vec<(String, u64, u64)> {
    let sets = place.replica_sets_of(name);
    sets.iter()
        .map(|set| {
            (
                tag_of(set).to_owned(),
                revision(set),
                set["spec"]["replicas"].as_u64().unwrap(),
            )
        })
        .collect()
}

pub fn run(place: &Place, name: &str, tag: &str, spec: &Value) -> Value {
    place.create("deployments", &deployment(name, tag, spec));
    place.wait_complete("deployments", name, tag)
}

pub fn release(place: &Place, name: &str, tag: &str) -> Value {
    place.set_image("deployments", name, tag);
    place.wait_complete("deployments", name, tag)
}

#[test]
fn the_first_revision() {
    let place = Place::new("first");
    let mut object = deployment("web", "1", &json!({"replicas": 2}));
    object["metadata"]["annotations"] =
        json!({"team": "shop", "kubectl.kubernetes.io/last-applied-configuration": "{}"});
    place.create("deployments", &object);
    let web = place.wait_complete("deployments", "web", "1");
    assert_eq!(web["metadata"]["annotations"][REVISION], "1");
    let set = place.replica_sets_of("web").remove(0);
    let hash = set["metadata"]["labels"]["pod-template-hash"]
        .as_str()
        .unwrap();
    assert_eq!(name_of(&set), format!("web-{hash}"));
    assert_eq!(set["metadata"]["labels"]["app"], "web");
    assert_eq!(
        set["spec"]["selector"]["matchLabels"],
        json!({"app": "web", "pod-template-hash": hash})
    );
    let mut template = set["spec"]["template"].clone();
    assert_eq!(template["metadata"]["labels"]["pod-template-hash"], hash);
    template["metadata"]["labels"]
        .as_object_mut()
        .unwrap()
        .remove("pod-template-hash");
    assert_eq!(template, web["spec"]["template"]);
    let annotations = json!({
        REVISION: "1", "team": "shop",
        "deployment.kubernetes.io/desired-replicas": "2", "deployment.kubernetes.io/max-replicas": "3",
    });
    assert_eq!(
        set["metadata"]["annotations"], annotations,
        "all but what kubectl applied last"
    );
    let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": web["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true}]);
    assert_eq!(set["metadata"]["ownerReferences"], owner);
    let status = &set["status"];
    for field in [
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
    ] {
        assert_eq!(status[field], 2, "{field}");
    }
    for (kind, reason, message) in [
        (
            "Available",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.".to_owned(),
        ),
        (
            "Progressing",
            "NewReplicaSetAvailable",
            format!("ReplicaSet \"web-{hash}\" has successfully progressed."),
        ),
    ] {
        let condition = condition(&web, kind);
        assert_eq!(condition["status"], "True", "{kind}");
        assert_eq!(condition["reason"], reason);
        assert_eq!(condition["message"], *message);
        for time in ["lastUpdateTime", "lastTransitionTime"] {
            let _: jiff::Timestamp = condition[time].as_str().unwrap().parse().unwrap();
        }
    }
    assert_eq!(web["status"].get("unavailableReplicas"), None);
}

#[test]
fn the_pods_of_a_revision() {
    let place = Place::new("pods");
    run(&place, "web", "1", &json!({"replicas": 2}));
    let set = place.replica_sets_of("web").remove(0);
    let hash = &set["metadata"]["labels"]["pod-template-hash"];
    let pods = place.pods_of("web");
    assert_eq!(pods.len(), 2);
    for pod in &pods {
        let metadata = &pod["metadata"];
        assert_eq!(
            metadata["labels"],
            json!({"app": "web", "pod-template-hash": hash})
        );
        let suffix = name_of(pod)
            .strip_prefix(&format!("{}-", name_of(&set)))
            .unwrap();
        assert_eq!(suffix.len(), 5, "{suffix}");
        assert_eq!(metadata["generateName"], format!("{}-", name_of(&set)));
        let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name_of(&set),
            "uid": set["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}]);
        assert_eq!(metadata["ownerReferences"], owner);
        let status = &pod["status"];
        assert_eq!(status["phase"], "Running");
        for field in ["podIP", "hostIP", "startTime", "qosClass"] {
            assert!(status[field].is_string(), "{field}: {status}");
        }
        assert_eq!(status["qosClass"], "BestEffort");
        assert_eq!(status["podIPs"][0]["ip"], status["podIP"]);
        for kind in ["PodScheduled", "Initialized", "ContainersReady", "Ready"] {
            assert_eq!(condition(pod, kind)["status"], "True", "{kind}");
        }
        let container = &status["containerStatuses"][0];
        assert_eq!(container["name"], "app");
        assert_eq!(container["image"], *image("web", "1"));
        let digest = container["imageID"].as_str().unwrap();
        let digest = digest
            .strip_prefix("registry.test/shop/web@sha256:")
            .unwrap();
        assert_eq!(digest.len(), 64);
        assert_eq!(
            (&container["ready"], &container["started"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(container["restartCount"], 0);
        assert!(container["state"]["running"]["startedAt"].is_string());
        let node = pod["spec"]["nodeName"].as_str().unwrap();
        place.admin.get(&format!("/api/v1/nodes/{node}")).ok();
    }
    let digests: Vec<_> = pods
        .iter()
        .map(|pod| &pod["status"]["containerStatuses"][0]["imageID"])
        .collect();
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_release_is_a_new_revision_and_the_old_one_is_kept() {
    let place = Place::new("release");
    run(&place, "web", "1", &json!({"replicas": 2}));
    let web = release(&place, "web", "2");
    assert_eq!(web["metadata"]["annotations"][REVISION], "2");
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 1, 0), ("2".into(), 2, 2)]
    );
    let events = place.events_of("web");
    let messages: Vec<_> = events
        .iter()
        .map(|event| event["message"].as_str().unwrap())
        .collect();
    let old = name_of(&place.replica_sets_of("web")[0]).to_owned();
    let new = name_of(&place.replica_sets_of("web")[1]).to_owned();
    for message in [
        format!("Scaled up replica set {old} from 0 to 2"),
        format!("Scaled up replica set {new} from 0 to 1"),
        format!("Scaled down replica set {old} from 2 to 1"),
        format!("Scaled up replica set {new} from 1 to 2"),
        format!("Scaled down replica set {old} from 1 to 0"),
    ] {
        assert!(messages.contains(&&*message), "{message}: {messages:?}");
    }
    for event in &events {
        assert_eq!(event["reason"], "ScalingReplicaSet");
        assert_eq!(event["type"], "Normal");
        assert_eq!(event["source"]["component"], "deployment-controller");
        let of = &event["involvedObject"];
        assert_eq!(
            (&of["kind"], &of["apiVersion"]),
            (&json!("Deployment"), &json!("apps/v1"))
        );
        assert_eq!(of["uid"], web["metadata"]["uid"]);
        assert!(event["count"].as_u64() >= Some(1) && event["lastTimestamp"].is_string());
    }
    // The number of pods alone is no revision.
    place.change("deployments", "web", &json!({"spec": {"replicas": 3}}));
    place.wait_complete("deployments", "web", "2");
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 1, 0), ("2".into(), 2, 3)]
    );
}

#[test]
fn going_back_renumbers() {
    let place = Place::new("back");
    run(&place, "web", "1", &json!({"replicas": 1}));
    release(&place, "web", "2");
    release(&place, "web", "1");
    assert_eq!(
        sets(&place, "web"),
        [("2".into(), 2, 0), ("1".into(), 3, 1)]
    );
    let history =
        |at: usize| place.replica_sets_of("web")[at]["metadata"]["annotations"][HISTORY].clone();
    assert_eq!(history(1), "1");
    assert_eq!(history(0), Value::Null);
    release(&place, "web", "2");
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 3, 0), ("2".into(), 4, 1)]
    );
    let web = release(&place, "web", "1");
    assert_eq!(
        sets(&place, "web"),
        [("2".into(), 4, 0), ("1".into(), 5, 1)]
    );
    assert_eq!(history(1), "1,3");
    assert_eq!(history(0), "2");
    let annotations = &web["metadata"]["annotations"];
    assert_eq!(annotations[REVISION], "5");
    assert_eq!(
        annotations.get(HISTORY),
        None,
        "only the ReplicaSet has been others before"
    );
}

#[test]
fn old_revisions_go_beyond_the_limit() {
    let place = Place::new("limit");
    run(
        &place,
        "web",
        "1",
        &json!({"replicas": 1, "revisionHistoryLimit": 1}),
    );
    for tag in ["2", "3", "4"] {
        release(&place, "web", tag);
    }
    wait::until("the old ones are gone", || {
        let left = sets(&place, "web");
        (left == [("3".into(), 3, 0), ("4".into(), 4, 1)]).then_some(())
    });
}

#[test]
fn annotations_are_copied_to_the_live_revision_only() {
    let place = Place::new("annotations");
    run(&place, "web", "1", &json!({"replicas": 1}));
    release(&place, "web", "2");
    let note = json!({"metadata": {"annotations": {"rolldeck.dev/action": "x"}}});
    let noted = place.change("deployments", "web", &note);
    let generation = noted["metadata"]["generation"].as_u64();
    place.wait("deployments", "web", "seen", |object| {
        object["status"]["observedGeneration"].as_u64() >= generation && complete(object)
    });
    let notes = |at: usize| {
        place.replica_sets_of("web")[at]["metadata"]["annotations"]["rolldeck.dev/action"].clone()
    };
    wait::until("the copy", || (notes(1) == "x").then_some(()));
    assert_eq!(notes(0), Value::Null);
}

#[test]
fn a_template_written_back_byte_by_byte_is_the_old_revision() {
    let place = Place::new("written");
    run(&place, "web", "1", &json!({"replicas": 1}));
    release(&place, "web", "2");
    let path = format!("{}/web", place.apps("deployments"));
    let mut template = place.replica_sets_of("web")[0]["spec"]["template"].clone();
    template["metadata"]["labels"]
        .as_object_mut()
        .unwrap()
        .remove("pod-template-hash");
    let uid = &place.read("deployments", "web")["metadata"]["uid"];
    let patch = json!([
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations/rolldeck.dev~1action", "value": "{}"},
    ]);
    place
        .admin
        .send(&Method::PATCH, &path, JSON_PATCH, patch.to_string())
        .ok();
    place.wait_complete("deployments", "web", "1");
    assert_eq!(
        sets(&place, "web"),
        [("2".into(), 2, 0), ("1".into(), 3, 1)]
    );
}

#[test]
fn a_deleted_pod_is_replaced() {
    let place = Place::new("replaced");
    run(&place, "web", "1", &json!({"replicas": 2}));
    let pod = place.pods_of("web").remove(0);
    place
        .admin
        .delete(
            &format!("{}/{}", place.core("pods"), name_of(&pod)),
            &Value::Null,
        )
        .ok();
    wait::until("another pod", || {
        let pods = place.pods_of("web");
        let others = pods.iter().filter(|other| name_of(other) != name_of(&pod));
        (others.filter(serves).count() == 2).then_some(())
    });
}
