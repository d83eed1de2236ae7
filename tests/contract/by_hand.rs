//! Canaries that no controller moves: what a person writes to a pair, a partition or a paused Deployment, and what comes of it.

use serde_json::{Value, json};

use super::http::{Answer, JSON_PATCH};
use super::place::{Place, complete, deployment, image, name_of, stateful_set};
use crate::support::fixtures::merge;
use crate::support::wait;

/// A stable Deployment and its canary behind the Service `web`.
struct Pair {
    place: Place,
}

impl Pair {
    /// Three pods of `1` beside one of this tag.
    fn run(prefix: &str, tag: &str) -> Self {
        let place = Place::new(prefix);
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
        place.create("services", &service);
        for (name, track, tag, replicas) in
            [("web", "stable", "1", 3), ("web-canary", "canary", tag, 1)]
        {
            let labels = json!({"app": "web", "track": track});
            let mut object = deployment(name, tag, &json!({"replicas": replicas}));
            object["spec"]["selector"] = json!({"matchLabels": labels});
            let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [
                {"name": "app", "image": image("web", tag)}]}});
            merge(&mut object["spec"]["template"], &template);
            place.create("deployments", &object);
        }
        let pair = Self { place };
        pair.wait("web", complete);
        pair
    }

    #[track_caller]
    fn wait(&self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.place
            .wait("deployments", name, "as it should be", fits)
    }

    fn patch(&self, name: &str, operations: &Value) -> Answer {
        patch(&self.place, "deployments", name, operations)
    }

    /// Of every pod behind the Service its Deployment's name and whether it is ready, in order.
    fn endpoints(&self) -> Vec<(String, bool)> {
        let path = self.place.collection("endpointslices");
        let path = format!("{path}?labelSelector=kubernetes.io%2Fservice-name%3Dweb");
        let slices = self.place.admin.items(&path);
        let all = slices
            .iter()
            .filter_map(|slice| slice["endpoints"].as_array());
        let mut all: Vec<_> = all
            .flatten()
            .map(|endpoint| {
                assert_eq!(endpoint["targetRef"]["kind"], "Pod", "{endpoint}");
                let pod = endpoint["targetRef"]["name"].as_str().unwrap();
                let side = if pod.starts_with("web-canary-") {
                    "web-canary"
                } else {
                    "web"
                };
                (side.to_owned(), endpoint["conditions"]["ready"] == true)
            })
            .collect();
        all.sort();
        all
    }

    #[track_caller]
    fn wait_endpoints(&self, new: (usize, usize), old: usize) {
        let (ready, not) = new;
        let mut want = vec![("web".to_owned(), true); old];
        want.extend(vec![("web-canary".to_owned(), false); not]);
        want.extend(vec![("web-canary".to_owned(), true); ready]);
        wait::until(&format!("endpoints as {want:?}"), || {
            (self.endpoints() == want).then_some(())
        });
    }
}

fn patch(place: &Place, plural: &str, name: &str, operations: &Value) -> Answer {
    let path = format!("{}/{name}", place.collection(plural));
    place.admin.patch(&path, JSON_PATCH, operations)
}

/// So many replicas in place of those that were shown.
fn scale(uid: &Value, from: u32, to: u32) -> Value {
    json!([
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/spec/replicas", "value": from},
        {"op": "replace", "path": "/spec/replicas", "value": to},
    ])
}

#[test]
fn a_pair_shares_its_traffic_by_the_pods_that_are_ready() {
    let pair = Pair::run("pair-share", "2");
    let canary = pair.wait("web-canary", complete);
    let uid = canary["metadata"]["uid"].clone();
    pair.wait_endpoints((1, 0), 3);
    pair.patch("web-canary", &scale(&uid, 1, 2)).ok();
    pair.wait_endpoints((2, 0), 3);
    // One that is bound to what is no longer so is refused, without a cause.
    let refused = pair.patch("web-canary", &scale(&uid, 1, 2)).refused(422);
    assert_eq!(refused["details"].get("causes"), None, "{refused}");
    pair.patch("web-canary", &scale(&uid, 2, 0)).ok();
    pair.wait_endpoints((0, 0), 3);
    pair.place
        .admin
        .delete(
            &format!("{}/web", pair.place.core("services")),
            &Value::Null,
        )
        .ok();
    wait::until("its slices go with it", || {
        pair.endpoints().is_empty().then_some(())
    });
}

#[test]
fn a_pod_that_does_not_get_ready_is_an_endpoint_that_is_not() {
    let pair = Pair::run("pair-late", "2-unready");
    pair.wait_endpoints((0, 1), 3);
}

#[test]
fn its_promotion_gives_the_images_and_stops_the_canary() {
    let pair = Pair::run("pair-promote", "2");
    let canary = pair.wait("web-canary", complete);
    let stable = pair.place.read("deployments", "web");
    let container = "/spec/template/spec/containers/0/image";
    let give = json!([
        {"op": "test", "path": "/metadata/uid", "value": stable["metadata"]["uid"]},
        {"op": "test", "path": "/spec/template", "value": stable["spec"]["template"]},
        {"op": "replace", "path": container, "value": image("web", "2")},
    ]);
    pair.patch("web", &give).ok();
    pair.patch("web", &give).refused(422);
    pair.wait("web", |object| {
        complete(object) && object.pointer(container) == Some(&json!(image("web", "2")))
    });
    let uid = &canary["metadata"]["uid"];
    pair.patch("web-canary", &scale(uid, 1, 0)).ok();
    pair.wait_endpoints((0, 0), 3);
}

#[test]
fn the_weight_of_an_ingress_for_a_canary_is_tested_and_set() {
    let place = Place::new("ingress");
    let key = "nginx.ingress.kubernetes.io/canary-weight";
    let backend = json!({"service": {"name": "web-canary", "port": {"number": 80}}});
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "web", "annotations": {"nginx.ingress.kubernetes.io/canary": "true"}},
        "spec": {"rules": [{"host": "web.test", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": backend}]}}]}});
    let made = place.create("ingresses", &ingress);
    assert_eq!(made["metadata"]["generation"], 1);
    let path = "/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight";
    let set = |was: &Value, to: &str| {
        let op = if was.is_null() { "add" } else { "replace" };
        let operations = json!([
            {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]},
            {"op": "test", "path": path, "value": was},
            {"op": op, "path": path, "value": to},
        ]);
        patch(&place, "ingresses", "web", &operations)
    };
    set(&Value::Null, "20").ok();
    let now = set(&json!("20"), "40").ok();
    assert_eq!(now["metadata"]["annotations"][key], "40");
    set(&json!("20"), "60").refused(422);
    assert_eq!(
        place.read("ingresses", "web")["metadata"]["annotations"][key],
        "40"
    );
}

#[test]
fn a_partition_lets_one_pod_after_another_go_and_its_old_template_brings_them_back() {
    let place = Place::new("lowered");
    let rolling = json!({"rollingUpdate": {"partition": 2}});
    let spec = json!({"replicas": 3, "updateStrategy": rolling});
    let made = place.create("statefulsets", &stateful_set("db", "1", &spec));
    let first = place.wait_complete("statefulsets", "db", "1");
    place.set_image("statefulsets", "db", "2");
    let tags = |want: [&str; 3]| {
        wait::until(&format!("pods of {want:?}"), || {
            let mut pods = place.pods_of("db");
            pods.sort_by_key(|pod| name_of(pod).to_owned());
            let ready = |pod: &Value| pod["status"]["containerStatuses"][0]["ready"] == true;
            let same = pods
                .iter()
                .map(|pod| &pod["spec"]["containers"][0]["image"]);
            let same = same.eq(want.map(|tag| json!(image("db", tag))).iter());
            (same && pods.iter().all(ready)).then_some(())
        });
    };
    tags(["1", "1", "2"]);
    let path = "/spec/updateStrategy/rollingUpdate/partition";
    let lower = json!([
        {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]},
        {"op": "test", "path": path, "value": 2},
        {"op": "replace", "path": path, "value": 1},
    ]);
    patch(&place, "statefulsets", "db", &lower).ok();
    patch(&place, "statefulsets", "db", &lower).refused(422);
    tags(["1", "2", "2"]);
    let status = place.read("statefulsets", "db")["status"].clone();
    assert_ne!(status["currentRevision"], status["updateRevision"]);
    let back = json!([
        {"op": "replace", "path": "/spec/template", "value": first["spec"]["template"]},
    ]);
    patch(&place, "statefulsets", "db", &back).ok();
    tags(["1", "1", "1"]);
    let partition = &place.read("statefulsets", "db")["spec"]["updateStrategy"];
    assert_eq!(partition["rollingUpdate"]["partition"], 1, "it stays");
}

#[test]
fn one_that_is_paused_half_way_goes_on_or_back_in_one_call() {
    let place = Place::new("half-way");
    let surge = json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    let spec = json!({"replicas": 2, "strategy": surge});
    place.create("deployments", &deployment("web", "1", &spec));
    let first = place.wait_complete("deployments", "web", "1");
    let half_way = |tag: &str| {
        let wait = json!({"spec": {"minReadySeconds": place.side.lasting(25)}});
        place.change("deployments", "web", &wait);
        place.set_image("deployments", "web", tag);
        place.wait(
            "deployments",
            "web",
            "one new pod beside the old",
            |object| {
                object["status"]["updatedReplicas"] == 1 && object["status"]["readyReplicas"] == 3
            },
        );
        let pause = json!({"spec": {"paused": true, "minReadySeconds": 0}});
        place.change("deployments", "web", &pause);
        place.wait("deployments", "web", "paused", |object| {
            let seen = object["metadata"]["generation"] == object["status"]["observedGeneration"];
            seen && object["status"]["availableReplicas"] == 3
        })
    };
    let paused = half_way("2");
    assert_eq!(paused["status"]["replicas"], 3, "no pod moves");
    let back = json!([
        {"op": "test", "path": "/spec/template", "value": paused["spec"]["template"]},
        {"op": "replace", "path": "/spec/template", "value": first["spec"]["template"]},
        {"op": "test", "path": "/spec/paused", "value": true},
        {"op": "remove", "path": "/spec/paused"},
    ]);
    patch(&place, "deployments", "web", &back).ok();
    patch(&place, "deployments", "web", &back).refused(422);
    place.wait_complete("deployments", "web", "1");
    half_way("3");
    let resume = json!([
        {"op": "test", "path": "/spec/paused", "value": true},
        {"op": "replace", "path": "/spec/paused", "value": false},
    ]);
    patch(&place, "deployments", "web", &resume).ok();
    place.wait_complete("deployments", "web", "3");
}
