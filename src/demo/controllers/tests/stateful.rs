//! StatefulSets: their order, their revisions, and the ways in which they wait.

use serde_json::{Value, json};

use super::World;
use crate::demo::kube::delete::{self, Options};
use crate::demo::kube::kind::{CONTROLLER_REVISIONS, EVENTS, PODS, STATEFUL_SETS};
use crate::demo::kube::object::{Key, int_at, text_at};

/// `spec` is merged into its own.
fn create(world: &World, tag: &str, replicas: u32, more: &[(&str, Value)]) -> Key {
    let labels = json!({"app": "db"});
    let mut spec = json!({
        "replicas": replicas, "serviceName": "db", "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": format!("registry.test/shop/db:{tag}")}]}},
    });
    for (field, value) in more {
        spec[field] = value.clone();
    }
    let value = json!({"metadata": {"name": "db", "namespace": "shop"}, "spec": spec});
    world.create(&STATEFUL_SETS, value)
}

fn pod(name: &str) -> Key {
    Key::new(&PODS, "shop", name)
}

fn delete_pod(world: &World, name: &str) {
    let at = world.cluster.clock.now();
    delete::delete(&world.cluster.store, &pod(name), &Options::default(), at)
        .map_err(|refusal| refusal.message())
        .unwrap();
}

/// The tags that its pods run, by their names.
fn tags(world: &World) -> Vec<String> {
    let tag = |pod: &Value| {
        let image = text_at(pod, "/spec/containers/0/image");
        image.rsplit(':').next().unwrap().to_owned()
    };
    world.all(&PODS).iter().map(tag).collect()
}

/// Number and tag of its revisions.
fn revisions(world: &World) -> Vec<(i64, String)> {
    let mut found: Vec<_> = world
        .all(&CONTROLLER_REVISIONS)
        .iter()
        .map(|revision| {
            let image = text_at(revision, "/data/spec/template/spec/containers/0/image");
            let tag = image.rsplit(':').next().unwrap().to_owned();
            (int_at(revision, "/revision").unwrap(), tag)
        })
        .collect();
    found.sort();
    found
}

fn is_stuck(world: &World, name: &str) -> bool {
    let pod = world.cluster.store.get(&pod(name)).map(|kept| kept.value());
    let state = "/status/containerStatuses/0/state/waiting/reason";
    pod.is_some_and(|pod| text_at(&pod, state) == "ImagePullBackOff")
}

async fn complete(world: &World, key: &Key) {
    world
        .until("all pods of one revision", |world| {
            let value = world.read(key);
            let status = |field: &str| value["status"][field].clone();
            status("observedGeneration") == value["metadata"]["generation"]
                && status("currentRevision") == status("updateRevision")
                && [
                    "replicas",
                    "availableReplicas",
                    "updatedReplicas",
                    "currentReplicas",
                ]
                .iter()
                .all(|field| status(field) == value["spec"]["replicas"])
        })
        .await;
}

/// Which pod came, got ready and went, in order.
fn story(world: &World) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for change in world.cluster.store.since(&PODS, 0).unwrap() {
        let name = change.after.key.name.trim_start_matches("db-").to_owned();
        let ready = |kept: &crate::demo::kube::object::Kept| {
            let value = kept.value();
            let conditions = value["status"]["conditions"].as_array().cloned();
            let mut conditions = conditions.into_iter().flatten();
            conditions.any(|c| c["type"] == "Ready" && c["status"] == "True")
        };
        match &change.before {
            None => told.push(format!("{name} new")),
            Some(_) if change.deleted => told.push(format!("{name} gone")),
            Some(before) if !ready(before) && ready(&change.after) => {
                told.push(format!("{name} ready"));
            }
            Some(_) => {}
        }
    }
    told
}

#[tokio::test]
async fn it_goes_up_and_is_renewed_in_order() {
    let world = World::new();
    let key = create(&world, "1", 3, &[]);
    complete(&world, &key).await;
    let first = world.all(&CONTROLLER_REVISIONS).remove(0);
    let hash = text_at(&first, "/metadata/labels/controller.kubernetes.io~1hash");
    assert_eq!(text_at(&first, "/metadata/name"), format!("db-{hash}"));
    assert_eq!(first["data"]["spec"]["template"]["$patch"], "replace");
    world.release(&key, "2");
    complete(&world, &key).await;
    let expected = [
        "0 new", "0 ready", "1 new", "1 ready", "2 new", "2 ready", "2 gone", "2 new", "2 ready",
        "1 gone", "1 new", "1 ready", "0 gone", "0 new", "0 ready",
    ];
    assert_eq!(story(&world), expected);
    let last = world.read(&pod("db-2"));
    let labels = json!({
        "app": "db", "apps.kubernetes.io/pod-index": "2", "statefulset.kubernetes.io/pod-name": "db-2",
        "controller-revision-hash": world.read(&key)["status"]["updateRevision"],
    });
    assert_eq!(last["metadata"]["labels"], labels);
    assert_eq!(last["spec"]["hostname"], "db-2");
}

#[tokio::test]
async fn a_template_that_comes_back_gets_a_new_number() {
    let world = World::new();
    let key = create(&world, "1", 1, &[]);
    for tag in ["2", "3", "1"] {
        complete(&world, &key).await;
        world.release(&key, tag);
    }
    complete(&world, &key).await;
    let expected = [(2, "2".into()), (3, "3".into()), (4, "1".into())];
    assert_eq!(revisions(&world), expected);
}

#[tokio::test]
async fn old_revisions_go_beyond_the_limit() {
    let world = World::new();
    let key = create(&world, "1", 1, &[("revisionHistoryLimit", 1.into())]);
    for tag in ["2", "3", "4"] {
        complete(&world, &key).await;
        world.release(&key, tag);
    }
    complete(&world, &key).await;
    world
        .until("the oldest are gone", |world| {
            revisions(world) == [(3, "3".into()), (4, "4".into())]
        })
        .await;
}

#[tokio::test]
async fn a_broken_pod_holds_an_ordered_one_up_until_somebody_deletes_it() {
    let world = World::new();
    let key = create(&world, "1", 3, &[]);
    complete(&world, &key).await;
    world.release(&key, "2-unpullable");
    world
        .until("the last one is broken", |world| is_stuck(world, "db-2"))
        .await;
    world.release(&key, "1");
    world
        .until("the old template is the wanted one again", |world| {
            let status = &world.read(&key)["status"];
            status["updateRevision"] == status["currentRevision"]
        })
        .await;
    let broken = world.read(&pod("db-2"))["metadata"]["uid"].clone();
    // The kubelet goes on trying: the controller had every chance to act.
    let tries = |world: &World| world.cluster.store.since(&EVENTS, 0).unwrap().len();
    let before = tries(&world);
    world
        .until("more tries", |world| tries(world) > before + 5)
        .await;
    assert_eq!(tags(&world), ["1", "1", "2-unpullable"]);
    assert_eq!(world.read(&pod("db-2"))["metadata"]["uid"], broken);
    delete_pod(&world, "db-2");
    complete(&world, &key).await;
    assert_eq!(tags(&world), ["1", "1", "1"]);
}

#[tokio::test]
async fn a_partition_holds_the_lower_pods_back() {
    let world = World::new();
    let partition = |at: u32| json!({"type": "RollingUpdate", "rollingUpdate": {"partition": at}});
    let key = create(&world, "1", 3, &[("updateStrategy", partition(2))]);
    complete(&world, &key).await;
    world.release(&key, "2");
    let upper = |world: &World| tags(world) == ["1", "1", "2"];
    world.until("the upper one is new", upper).await;
    let before = world.read(&pod("db-0"))["metadata"]["uid"].clone();
    delete_pod(&world, "db-0");
    world
        .until("another db-0", |world| {
            let again = world.cluster.store.get(&pod("db-0"));
            again.is_some_and(|kept| before != *kept.uid) && upper(world)
        })
        .await;
    world
        .until("they all serve", |world| {
            world.read(&key)["status"]["availableReplicas"] == 3
        })
        .await;
    let status = &world.read(&key)["status"];
    assert_ne!(status["currentRevision"], status["updateRevision"]);
    assert_eq!(status["currentReplicas"], 2);
    world.change(&key, |value| value["spec"]["updateStrategy"] = partition(0));
    complete(&world, &key).await;
    assert_eq!(tags(&world), ["2", "2", "2"]);
}

#[tokio::test]
async fn on_delete_waits_for_somebody_to_delete() {
    let world = World::new();
    let strategy = json!({"type": "OnDelete"});
    let key = create(&world, "1", 2, &[("updateStrategy", strategy)]);
    world
        .until("they serve", |world| {
            world.read(&key)["status"]["availableReplicas"] == 2
        })
        .await;
    world.release(&key, "2");
    world
        .until("the new revision", |world| revisions(world).len() == 2)
        .await;
    delete_pod(&world, "db-0");
    world
        .until("db-0 alone is new", |world| tags(world) == ["2", "1"])
        .await;
}

#[tokio::test]
async fn a_parallel_one_does_not_wait() {
    let world = World::new();
    let policy = [("podManagementPolicy", json!("Parallel"))];
    create(&world, "1-unready", 3, &policy);
    world
        .until("all three", |world| world.all(&PODS).len() == 3)
        .await;
}

#[tokio::test]
async fn it_shrinks_from_the_end() {
    let world = World::new();
    let key = create(&world, "1", 3, &[]);
    complete(&world, &key).await;
    world.change(&key, |value| value["spec"]["replicas"] = 1.into());
    complete(&world, &key).await;
    let told = story(&world);
    assert_eq!(told[6..], ["2 gone", "1 gone"]);
}
