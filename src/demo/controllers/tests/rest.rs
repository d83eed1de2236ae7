//! Quotas, pausing, proportional scaling, Recreate, garbage in the foreground, and what hangs around.

use serde_json::{Value, json};

use super::World;
use crate::demo::kube::delete::{self, Options};
use crate::demo::kube::kind::{DAEMON_SETS, PODS, REPLICA_SETS, RESOURCE_QUOTAS};
use crate::demo::kube::object::{items_at, text_at};

fn condition<'a>(value: &'a Value, kind: &str) -> &'a Value {
    let conditions = items_at(value, "/status/conditions");
    let found = conditions.iter().find(|c| c["type"] == kind);
    found.unwrap_or(&Value::Null)
}

#[tokio::test]
async fn a_quota_stops_it_until_there_is_room() {
    let world = World::new();
    let quota = json!({"metadata": {"name": "tight", "namespace": "shop"}, "spec": {"hard": {"pods": "2"}}});
    let quota = world.create(&RESOURCE_QUOTAS, quota);
    let key = world.deploy("web", "1", 3);
    world
        .until("it fails", |world| {
            let web = world.read(&key);
            condition(&web, "ReplicaFailure")["reason"] == "FailedCreate"
                && web["status"]["availableReplicas"] == 2
        })
        .await;
    let web = world.read(&key);
    let message = text_at(condition(&web, "ReplicaFailure"), "/message");
    let end =
        "is forbidden: exceeded quota: tight, requested: pods=1, used: pods=2, limited: pods=2";
    assert!(
        message.starts_with("pods \"web-") && message.ends_with(end),
        "{message}"
    );
    world.change(&quota, |value| value["spec"]["hard"]["pods"] = "5".into());
    world.complete(&key).await;
    world
        .until("no failure any more", |world| {
            condition(&world.read(&key), "ReplicaFailure").is_null()
        })
        .await;
}

#[tokio::test]
async fn a_paused_one_is_scaled_but_not_rolled() {
    let world = World::new();
    let key = world.deploy("web", "1", 2);
    world.complete(&key).await;
    world.change(&key, |value| value["spec"]["paused"] = true.into());
    world.release(&key, "2");
    world.change(&key, |value| value["spec"]["replicas"] = 4.into());
    world
        .until("four old ones", |world| {
            let web = world.read(&key);
            web["status"]["observedGeneration"] == web["metadata"]["generation"]
                && web["status"]["availableReplicas"] == 4
        })
        .await;
    assert_eq!(world.sets(), [("1".into(), 4)]);
    let web = world.read(&key);
    assert_eq!(condition(&web, "Progressing")["reason"], "DeploymentPaused");
    assert_eq!(condition(&web, "Progressing")["status"], "Unknown");
    world.change(&key, |value| value["spec"]["paused"] = false.into());
    world.complete(&key).await;
    assert_eq!(world.sets(), [("1".into(), 0), ("2".into(), 4)]);
}

#[tokio::test]
async fn a_rollout_that_hangs_is_scaled_in_proportion() {
    let world = World::new();
    let key = world.deploy("web", "1", 8);
    world.complete(&key).await;
    world.release(&key, "2-unpullable");
    let sizes = |world: &World| world.sets().iter().map(|set| set.1).collect::<Vec<_>>();
    world
        .until("it hangs", |world| sizes(world) == [6, 4])
        .await;
    world.change(&key, |value| value["spec"]["replicas"] = 16.into());
    world
        .until("both have grown", |world| sizes(world) == [12, 8])
        .await;
}

#[tokio::test]
async fn recreate_never_mixes() {
    let world = World::new();
    let key = world.deploy("web", "1", 3);
    world.change(&key, |value| {
        value["spec"]["strategy"] = json!({"type": "Recreate"});
    });
    world.complete(&key).await;
    world.release(&key, "2");
    world.complete(&key).await;
    let mut live = std::collections::BTreeMap::new();
    for change in world.cluster.store.since(&PODS, 0).unwrap() {
        let value = change.after.value();
        if change.deleted {
            live.remove(&change.after.key);
        } else {
            let image = text_at(&value, "/spec/containers/0/image").to_owned();
            live.insert(change.after.key.clone(), image);
        }
        let tags: std::collections::BTreeSet<_> = live.values().collect();
        assert!(tags.len() < 2, "{tags:?}");
    }
}

#[tokio::test]
async fn in_the_foreground_the_owner_goes_last() {
    let world = World::new();
    let key = world.deploy("web", "1", 2);
    world.complete(&key).await;
    let from = world.cluster.store.version();
    let how = Options {
        foreground: true,
        ..Options::default()
    };
    let at = world.cluster.clock.now();
    let deleted = delete::delete(&world.cluster.store, &key, &how, at);
    assert!(deleted.is_ok_and(|deleted| !deleted.gone));
    world
        .until("it is gone", |world| {
            world.cluster.store.get(&key).is_none()
        })
        .await;
    assert_eq!(world.all(&REPLICA_SETS).len() + world.all(&PODS).len(), 0);
    let gone = |kind| {
        let changes = world.cluster.store.since(kind, from).unwrap();
        let gone = changes.iter().rfind(|change| change.deleted);
        gone.map(|change| change.version).unwrap()
    };
    assert!(gone(&PODS) < gone(&REPLICA_SETS));
    assert!(gone(&REPLICA_SETS) < gone(key.kind));
}

#[tokio::test]
async fn a_daemon_set_takes_its_pods_with_it() {
    let world = World::new();
    let labels = json!({"app": "agent"});
    let value = json!({"metadata": {"name": "agent", "namespace": "shop"}, "spec": {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "registry.test/shop/agent:1"}]}}}});
    let key = world.create(&DAEMON_SETS, value);
    world
        .until("a pod", |world| world.all(&PODS).len() == 1)
        .await;
    world.cluster.store.remove(&key);
    world
        .until("nothing is left", |world| world.all(&PODS).is_empty())
        .await;
}
