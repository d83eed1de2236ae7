//! Whole rollouts of the embedded controllers and kubelets, without HTTP.

mod bounds;
mod daemon;
mod rest;
mod rollouts;
mod stateful;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::demo::cluster::Cluster;
use crate::demo::images::{Behaviour, Image};
use crate::demo::kube::kind::{DEPLOYMENTS, EVENTS, Kind, NODES, PODS, REPLICA_SETS, ROLLOUTS};
use crate::demo::kube::object::{Key, int_at, items_at, set, text_at};
use crate::demo::kube::write::Write;

struct World {
    cluster: Arc<Cluster>,
    task: tokio::task::JoinHandle<()>,
}

impl World {
    /// A thousand times faster than a real one; every image is there, and fares as its tag says.
    fn new() -> Self {
        let cluster = Arc::new(Cluster::new(1, 1_000, 10_000));
        cluster.images.accept_any();
        let room = json!({"cpu": "4", "memory": "16Gi", "pods": "110"});
        let node = json!({"metadata": {"name": "node-1"}, "status": {"allocatable": room}});
        cluster.store.plant(&NODES, node);
        let task = tokio::spawn(super::run(Arc::clone(&cluster)));
        Self { cluster, task }
    }

    fn by(&self) -> Write<'static> {
        Write::by("test", self.cluster.clock.now())
    }

    fn create(&self, kind: &'static Kind, value: Value) -> Key {
        let made = self.cluster.store.create(kind, value, &self.by());
        made.unwrap().key.clone()
    }

    fn change(&self, key: &Key, change: impl FnOnce(&mut Value)) {
        let changed = self.cluster.store.update(key, &self.by(), |value| {
            change(value);
            Ok(())
        });
        changed.unwrap();
    }

    fn deploy(&self, name: &str, tag: &str, replicas: u32) -> Key {
        let labels = json!({"app": name});
        let value = json!({
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"replicas": replicas, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
                "selector": {"matchLabels": labels},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                "template": {"metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "app", "image": format!("registry.test/shop/{name}:{tag}")}]}}},
        });
        let made = self.cluster.store.create(&DEPLOYMENTS, value, &self.by());
        made.unwrap().key.clone()
    }

    fn release(&self, key: &Key, tag: &str) {
        let image = format!("registry.test/shop/{}:{tag}", key.name);
        let changed = self.cluster.store.update(key, &self.by(), |value| {
            value["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
            Ok(())
        });
        changed.unwrap();
    }

    /// What analyses measure of an image.
    fn measure(&self, repository: &str, tag: &str, (metric, value): (&str, &str)) {
        let metrics = [(metric.to_owned(), value.to_owned())].into();
        let image = Image {
            digest: format!("sha256:{}", "a".repeat(64)),
            created: self.cluster.clock.now(),
            commit: String::new(),
            behaviour: Behaviour {
                metrics,
                ..Behaviour::default()
            },
        };
        self.cluster.images.push(repository, tag, image);
    }

    fn read(&self, key: &Key) -> Value {
        self.cluster.store.get(key).unwrap().value()
    }

    fn all(&self, kind: &'static Kind) -> Vec<Value> {
        let kept = self.cluster.store.list(kind, Some("shop"));
        kept.iter().map(|kept| kept.value()).collect()
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let mut news = self.cluster.store.news();
        let waiting = async {
            while !holds(self) {
                news.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .is_err()
        {
            panic!(
                "{what}: {:#?} {:#?}",
                self.all(&DEPLOYMENTS),
                self.all(&ROLLOUTS)
            );
        }
    }

    async fn complete(&self, key: &Key) {
        self.until("complete", |world| {
            let value = world.read(key);
            let wanted = int_at(&value, "/spec/replicas");
            let status = |field: &str| int_at(&value["status"], &format!("/{field}"));
            status("observedGeneration") == int_at(&value, "/metadata/generation")
                && ["updatedReplicas", "replicas", "availableReplicas"]
                    .iter()
                    .all(|field| status(field) == wanted)
        })
        .await;
    }

    /// Revision and size of each ReplicaSet, in the order of the revisions.
    fn sets(&self) -> Vec<(String, i64)> {
        let number = |set: &Value| {
            let annotations = &set["metadata"]["annotations"];
            annotations["deployment.kubernetes.io/revision"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let sets = self.all(&REPLICA_SETS);
        let mut sets: Vec<_> = sets
            .iter()
            .map(|set| (number(set), int_at(set, "/spec/replicas").unwrap()))
            .collect();
        sets.sort();
        sets
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn progressing(value: &Value) -> &str {
    let conditions = items_at(value, "/status/conditions");
    let found = conditions.iter().find(|c| c["type"] == "Progressing");
    found.map_or("", |condition| text_at(condition, "/reason"))
}

#[tokio::test]
async fn a_release_that_hangs_is_rolled_back_and_renumbered() {
    let world = World::new();
    let key = world.deploy("web", "1", 4);
    world.complete(&key).await;
    world.release(&key, "2-unpullable");
    world
        .until("past its deadline", |world| {
            progressing(&world.read(&key)) == "ProgressDeadlineExceeded"
        })
        .await;
    assert_eq!(world.sets(), [("1".into(), 3), ("2".into(), 2)]);
    let reasons: Vec<_> = world
        .all(&EVENTS)
        .iter()
        .map(|e| text_at(e, "/reason").to_owned())
        .collect();
    for reason in [
        "ScalingReplicaSet",
        "SuccessfulCreate",
        "Scheduled",
        "Pulling",
        "Failed",
        "BackOff",
    ] {
        assert!(reasons.iter().any(|r| r == reason), "{reason}: {reasons:?}");
    }
    world.release(&key, "1");
    world.complete(&key).await;
    assert_eq!(world.sets(), [("2".into(), 0), ("3".into(), 4)]);
    world
        .until("done", |world| {
            progressing(&world.read(&key)) == "NewReplicaSetAvailable"
        })
        .await;
    world
        .until("the bad pods are gone", |world| world.all(&PODS).len() == 4)
        .await;
}

#[tokio::test]
async fn what_is_not_owned_any_more_goes() {
    let world = World::new();
    let key = world.deploy("web", "1", 2);
    world.complete(&key).await;
    world.cluster.store.remove(&key);
    world
        .until("nothing is left", |world| {
            world.all(&REPLICA_SETS).is_empty() && world.all(&PODS).is_empty()
        })
        .await;
}

#[tokio::test]
async fn another_size_is_no_other_revision() {
    let world = World::new();
    let key = world.deploy("web", "1", 2);
    world.complete(&key).await;
    let grown = world.cluster.store.update(&key, &world.by(), |value| {
        set(value, &["spec", "replicas"], 5.into());
        Ok(())
    });
    grown.unwrap();
    world.complete(&key).await;
    assert_eq!(world.sets(), [("1".into(), 5)]);
}
