//! Deployments: ReplicaSets and their numbers, the bounds of a rollout, pausing, deadlines and going back.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::http::JSON_PATCH;
use super::place::{Place, complete, condition, deployment, image, name_of, revision, version_of};
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
fn sets(place: &Place, name: &str) -> Vec<(String, u64, u64)> {
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

fn run(place: &Place, name: &str, tag: &str, spec: &Value) -> Value {
    place.create("deployments", &deployment(name, tag, spec));
    place.wait_complete("deployments", name, tag)
}

fn release(place: &Place, name: &str, tag: &str) -> Value {
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

/// Does something, waits until it is done, and then goes through every state of a collection in between.
fn states(
    place: &Place,
    plural: &str,
    name: &str,
    act: impl FnOnce(),
    mut see: impl FnMut(&BTreeMap<String, Value>),
) {
    let path = format!("{}?labelSelector=app%3D{name}", place.collection(plural));
    let list = place.admin.get(&path).ok();
    let lines = place.admin.lines(&format!(
        "{path}&watch=1&resourceVersion={}",
        version_of(&list)
    ));
    let by_name = |list: &Value| -> BTreeMap<String, Value> {
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| (name_of(item).to_owned(), item.clone()))
            .collect()
    };
    let versions = |state: &BTreeMap<String, Value>| -> Vec<(String, u64)> {
        state
            .iter()
            .map(|(name, object)| (name.clone(), version_of(object)))
            .collect()
    };
    let mut state = by_name(&list);
    see(&state);
    act();
    let end = versions(&by_name(&place.admin.get(&path).ok()));
    while versions(&state) != end {
        let event = lines.event();
        let object = event["object"].clone();
        if event["type"] == "DELETED" {
            state.remove(name_of(&object));
        } else {
            state.insert(name_of(&object).to_owned(), object);
        }
        see(&state);
    }
}

fn serves(pod: &&Value) -> bool {
    condition(pod, "Ready")["status"] == "True" && pod["metadata"]["deletionTimestamp"].is_null()
}

#[test]
fn a_release_stays_within_surge_and_unavailability() {
    let place = Place::new("bounds");
    for (name, surge, unavailable, most, fewest) in [
        ("both", json!(1), json!(1), 5, 3),
        ("surge", json!("50%"), json!(0), 6, 4),
        ("room", json!(0), json!("25%"), 4, 3),
    ] {
        let strategy = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        let spec = json!({"replicas": 4, "strategy": {"rollingUpdate": strategy}});
        run(&place, name, "1", &spec);
        let mut wanted = 0;
        states(
            &place,
            "replicasets",
            name,
            || drop(release(&place, name, "2")),
            |sets| {
                let sum = sets
                    .values()
                    .filter_map(|set| set["spec"]["replicas"].as_u64())
                    .sum();
                wanted = wanted.max(sum);
            },
        );
        let mut served = usize::MAX;
        states(
            &place,
            "pods",
            name,
            || drop(release(&place, name, "3")),
            |pods| {
                served = served.min(pods.values().filter(serves).count());
            },
        );
        assert!(wanted <= most, "{name}: {wanted} of {most} wanted at once");
        assert!(served >= fewest, "{name}: {served} of {fewest} served");
        assert!(wanted > 4 || served < 4, "{name}: it uses its room");
    }
}

#[test]
fn recreate_takes_all_away_first() {
    let place = Place::new("recreate");
    let strategy = json!({"type": "Recreate"});
    run(
        &place,
        "web",
        "1",
        &json!({"replicas": 3, "strategy": strategy}),
    );
    states(
        &place,
        "pods",
        "web",
        || drop(release(&place, "web", "2")),
        |pods| {
            let mut tags: Vec<_> = pods
                .values()
                .map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap())
                .collect();
            tags.sort_unstable();
            tags.dedup();
            assert!(tags.len() < 2, "{tags:?}");
        },
    );
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 1, 0), ("2".into(), 2, 3)]
    );
}

#[test]
fn a_paused_one_waits_and_goes_on() {
    let place = Place::new("pause");
    run(&place, "web", "1", &json!({"replicas": 2}));
    place.change("deployments", "web", &json!({"spec": {"paused": true}}));
    let why = |reason: &'static str| {
        move |object: &Value| condition(object, "Progressing")["reason"] == reason
    };
    let web = place.wait("deployments", "web", "paused", why("DeploymentPaused"));
    assert_eq!(condition(&web, "Progressing")["status"], "Unknown");
    assert_eq!(
        condition(&web, "Progressing")["message"],
        "Deployment is paused"
    );
    place.set_image("deployments", "web", "2");
    // The number of pods is still followed, of the old template.
    place.change("deployments", "web", &json!({"spec": {"replicas": 3}}));
    place.wait("deployments", "web", "three old ones", |object| {
        let status = &object["status"];
        status["observedGeneration"] == object["metadata"]["generation"]
            && status["availableReplicas"] == 3
    });
    assert_eq!(sets(&place, "web"), [("1".into(), 1, 3)]);
    let web = place.read("deployments", "web");
    assert_eq!(
        web["status"].get("updatedReplicas"),
        None,
        "none is of the new template"
    );
    place.change("deployments", "web", &json!({"spec": {"paused": null}}));
    place.wait_complete("deployments", "web", "2");
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 1, 0), ("2".into(), 2, 3)]
    );
}

#[test]
fn the_deadline_passes_and_a_good_release_ends_it() {
    let place = Place::new("deadline");
    run(
        &place,
        "web",
        "1",
        &json!({"replicas": 2, "progressDeadlineSeconds": place.side.lasting(2)}),
    );
    place.set_image("deployments", "web", "2-unpullable");
    let web = place.wait("deployments", "web", "past its deadline", |object| {
        condition(object, "Progressing")["reason"] == "ProgressDeadlineExceeded"
    });
    let bad = name_of(&place.replica_sets_of("web")[1]).to_owned();
    let progressing = condition(&web, "Progressing");
    assert_eq!(progressing["status"], "False");
    assert_eq!(
        progressing["message"],
        format!("ReplicaSet \"{bad}\" has timed out progressing.")
    );
    assert_eq!(
        condition(&web, "Available")["status"],
        "True",
        "the old pods serve"
    );
    let status = &web["status"];
    assert_eq!(status["updatedReplicas"], 1);
    assert_eq!(status["replicas"], 3);
    assert_eq!(status["availableReplicas"], 2);
    assert_eq!(status["unavailableReplicas"], 1);
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 1, 2), ("2-unpullable".into(), 2, 1)]
    );
    let web = release(&place, "web", "1");
    assert_eq!(
        condition(&web, "Progressing")["reason"],
        "NewReplicaSetAvailable"
    );
    assert_eq!(
        sets(&place, "web"),
        [("2-unpullable".into(), 2, 0), ("1".into(), 3, 2)]
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

#[test]
fn minimum_ready_seconds_come_between_ready_and_available() {
    let place = Place::new("minimum");
    place.create(
        "deployments",
        &deployment(
            "web",
            "1",
            &json!({"replicas": 2, "minReadySeconds": place.side.lasting(2)}),
        ),
    );
    let mut waited = false;
    states(
        &place,
        "replicasets",
        "web",
        || drop(place.wait_complete("deployments", "web", "1")),
        |sets| {
            let status = sets.values().next().map(|set| &set["status"]);
            waited |= status.is_some_and(|status| {
                status["readyReplicas"] == 2 && status["availableReplicas"] != 2
            });
        },
    );
    assert!(waited, "ready pods that are not yet available");
}
