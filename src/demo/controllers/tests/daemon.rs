//! DaemonSets: a pod on every node, and the ways of their renewal.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::World;
use crate::demo::kube::kind::{CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS};
use crate::demo::kube::object::{Key, text_at};

fn create(world: &World, more: &[(&str, Value)]) -> Key {
    for number in 2..=4 {
        let room = json!({"cpu": "4", "memory": "16Gi", "pods": "110"});
        let labels = json!({"disk": if number == 2 { "slow" } else { "fast" }});
        let node = json!({"metadata": {"name": format!("node-{number}"), "labels": labels},
            "status": {"allocatable": room}});
        world.cluster.store.plant(&NODES, node);
    }
    let labels = json!({"app": "agent"});
    let mut spec = json!({
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "registry.test/shop/agent:1"}]}},
    });
    for (field, value) in more {
        spec[field] = value.clone();
    }
    let value = json!({"metadata": {"name": "agent", "namespace": "shop"}, "spec": spec});
    world.create(&DAEMON_SETS, value)
}

fn rolling(field: &str, amount: Value) -> [(&'static str, Value); 1] {
    let mut rolling = json!({"maxUnavailable": 0, "maxSurge": 0});
    rolling[field] = amount;
    [(
        "updateStrategy",
        json!({"type": "RollingUpdate", "rollingUpdate": rolling}),
    )]
}

/// Until every chosen node has one pod, of this tag, that serves.
async fn complete(world: &World, key: &Key, tag: &str) {
    world
        .until("a new pod on every node", |world| {
            let value = world.read(key);
            let wanted = value["status"]["desiredNumberScheduled"].clone();
            let image = text_at(&value, "/spec/template/spec/containers/0/image");
            image.ends_with(&format!(":{tag}"))
                && value["status"]["observedGeneration"] == value["metadata"]["generation"]
                && ["numberAvailable", "updatedNumberScheduled"]
                    .iter()
                    .all(|field| value["status"][field] == wanted)
                && wanted == world.all(&PODS).len()
        })
        .await;
}

/// The least pods that served at once, and the most that were there, from a version on.
fn bounds(world: &World, from: u64) -> (usize, usize) {
    let mut pods = BTreeMap::new();
    let store = &world.cluster.store;
    let (mut least, mut most) = (usize::MAX, 0);
    for change in store.since(&PODS, 0).unwrap() {
        let value = change.after.value();
        let conditions = value["status"]["conditions"].as_array().cloned();
        let ready = conditions.into_iter().flatten();
        let ready = ready
            .into_iter()
            .any(|c| c["type"] == "Ready" && c["status"] == "True");
        let leaves = value["metadata"].get("deletionTimestamp").is_some();
        if change.deleted {
            pods.remove(&change.after.key);
        } else {
            pods.insert(change.after.key.clone(), (ready, leaves));
        }
        if change.version > from {
            let stays = pods.values().filter(|(_, leaves)| !leaves);
            most = most.max(stays.clone().count());
            least = least.min(stays.filter(|(ready, _)| *ready).count());
        }
    }
    (least, most)
}

#[tokio::test]
async fn a_pod_on_every_chosen_node() {
    let world = World::new();
    let key = create(&world, &[]);
    complete(&world, &key, "1").await;
    let nodes = |world: &World| {
        let pods = world.all(&PODS);
        let mut nodes: Vec<_> = pods
            .iter()
            .map(|pod| text_at(pod, "/spec/nodeName").to_owned())
            .collect();
        nodes.sort();
        nodes
    };
    assert_eq!(nodes(&world), ["node-1", "node-2", "node-3", "node-4"]);
    world.change(&key, |value| {
        value["spec"]["template"]["spec"]["nodeSelector"] = json!({"disk": "fast"});
    });
    complete(&world, &key, "1").await;
    assert_eq!(nodes(&world), ["node-3", "node-4"]);
}

#[tokio::test]
async fn it_is_renewed_one_after_the_other_and_numbered() {
    let world = World::new();
    let key = create(&world, &rolling("maxUnavailable", 1.into()));
    complete(&world, &key, "1").await;
    let from = world.cluster.store.version();
    world.release(&key, "2");
    complete(&world, &key, "2").await;
    assert_eq!(bounds(&world, from), (3, 4));
    world.release(&key, "1");
    complete(&world, &key, "1").await;
    let mut numbers: Vec<_> = world
        .all(&CONTROLLER_REVISIONS)
        .iter()
        .map(|revision| revision["revision"].as_i64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3]);
    let label = "/metadata/labels/controller-revision-hash";
    let pods = world.all(&PODS);
    let revisions = world.all(&CONTROLLER_REVISIONS);
    let newest = revisions.iter().find(|r| r["revision"] == 3).unwrap();
    assert_eq!(text_at(&pods[0], label), text_at(newest, label));
}

#[tokio::test]
async fn half_of_them_at_once() {
    let world = World::new();
    let key = create(&world, &rolling("maxUnavailable", "50%".into()));
    complete(&world, &key, "1").await;
    let from = world.cluster.store.version();
    world.release(&key, "2");
    complete(&world, &key, "2").await;
    assert_eq!(bounds(&world, from), (2, 4));
}

#[tokio::test]
async fn beside_each_other_none_is_missed() {
    let world = World::new();
    let key = create(&world, &rolling("maxSurge", 1.into()));
    complete(&world, &key, "1").await;
    let from = world.cluster.store.version();
    world.release(&key, "2");
    complete(&world, &key, "2").await;
    assert_eq!(bounds(&world, from), (4, 5));
}

#[tokio::test]
async fn a_broken_one_stops_it_and_is_replaced_by_a_good_one() {
    let world = World::new();
    let key = create(&world, &rolling("maxUnavailable", 1.into()));
    complete(&world, &key, "1").await;
    world.release(&key, "2-unpullable");
    world
        .until("one is broken", |world| {
            let status = &world.read(&key)["status"];
            status["numberUnavailable"] == 1 && status["updatedNumberScheduled"] == 1
        })
        .await;
    assert_eq!(world.read(&key)["status"]["numberAvailable"], 3);
    world.release(&key, "1");
    complete(&world, &key, "1").await;
}
