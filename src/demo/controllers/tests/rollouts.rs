//! Releases by steps: where they stop, what lets them go on, and what takes them back.

use serde_json::{Value, json};

use super::World;
use crate::demo::kube::kind::{ANALYSIS_RUNS, ANALYSIS_TEMPLATES, PODS, REPLICA_SETS, ROLLOUTS};
use crate::demo::kube::object::{Key, int_at, set, text_at, unset};

fn steps() -> Value {
    json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "30s"}}, {"setWeight": 100}])
}

fn image(tag: &str) -> String {
    format!("registry.test/shop/cart:{tag}")
}

impl World {
    fn roll(&self, steps: &Value) -> Key {
        let labels = json!({"app": "cart"});
        let container = json!({"name": "app", "image": image("1"), "resources": {}});
        let value = json!({
            "metadata": {"name": "cart", "namespace": "shop"},
            "spec": {
                "replicas": 5, "selector": {"matchLabels": labels},
                "strategy": {"canary": {"steps": steps}},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        });
        self.create(&ROLLOUTS, value)
    }

    fn tell(&self, key: &Key, change: impl FnOnce(&mut Value)) {
        let by = self.by().status();
        let changed = self.cluster.store.update(key, &by, |value| {
            change(&mut value["status"]);
            Ok(())
        });
        changed.unwrap();
    }

    async fn at(&self, key: &Key, phase: &str, message: &str, index: i64) -> Value {
        let what = format!("{phase} {message} at {index}");
        self.until(&what, |world| {
            let value = world.read(key);
            let status = &value["status"];
            let generation = value["metadata"]["generation"].to_string();
            status["observedGeneration"] == *generation
                && status["phase"] == phase
                && text_at(status, "/message") == message
                && status["currentStepIndex"] == index
        })
        .await;
        self.read(key)["status"].clone()
    }

    /// Tag and size of each ReplicaSet that has pods.
    fn sizes(&self) -> Vec<(String, i64)> {
        let mut sizes: Vec<_> = self
            .all(&REPLICA_SETS)
            .iter()
            .map(|set| {
                let image = text_at(set, "/spec/template/spec/containers/0/image");
                let tag = image.rsplit(':').next().unwrap();
                (tag.to_owned(), int_at(set, "/spec/replicas").unwrap())
            })
            .filter(|(_, size)| *size > 0)
            .collect();
        sizes.sort();
        sizes
    }
}

#[tokio::test]
async fn it_goes_step_by_step() {
    let world = World::new();
    let key = world.roll(&steps());
    let status = world.at(&key, "Healthy", "", 5).await;
    assert_eq!(status["stableRS"], status["currentPodHash"]);
    world.release(&key, "2");
    let status = world.at(&key, "Paused", "CanaryPauseStep", 1).await;
    assert_eq!(status["controllerPause"], true);
    assert_eq!(world.sizes(), [("1".into(), 4), ("2".into(), 1)]);
    world.tell(&key, |status| unset(status, &["pauseConditions"]));
    // Its second pause ends by itself.
    let status = world.at(&key, "Healthy", "", 5).await;
    assert_eq!(status["stableRS"], status["currentPodHash"]);
    assert_eq!(status.get("controllerPause"), None);
    assert_eq!(world.sizes(), [("2".into(), 5)]);
    world
        .until("the old pods are gone", |world| world.all(&PODS).len() == 5)
        .await;
}

#[tokio::test]
async fn an_abort_goes_back_and_a_retry_begins_again() {
    let world = World::new();
    let key = world.roll(&steps());
    world.at(&key, "Healthy", "", 5).await;
    world.release(&key, "2");
    world.at(&key, "Paused", "CanaryPauseStep", 1).await;
    world.tell(&key, |status| set(status, &["abort"], true.into()));
    let why = "RolloutAborted: Rollout aborted update to revision 2";
    let status = world.at(&key, "Degraded", why, 0).await;
    assert_eq!(status.get("pauseConditions"), None);
    world
        .until("all stable", |world| world.sizes() == [("1".into(), 5)])
        .await;
    world.tell(&key, |status| unset(status, &["abort"]));
    let status = world.at(&key, "Paused", "CanaryPauseStep", 1).await;
    assert_eq!(status.get("abortedAt"), None);
    // What serves already needs no steps.
    world.release(&key, "1");
    world.at(&key, "Healthy", "", 5).await;
    assert_eq!(world.sizes(), [("1".into(), 5)]);
}

#[tokio::test]
async fn an_analysis_judges_by_what_its_images_give() {
    for (metric, value, phase, message, index) in [
        (
            json!({"count": 2, "interval": "1s"}),
            "0.99",
            "Healthy",
            "",
            3,
        ),
        (
            json!({}),
            "0.42",
            "Degraded",
            r#"RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: Metric "rate" assessed Failed due to failed (1) > failureLimit (0)"#,
            0,
        ),
        (
            json!({"failureCondition": "result < 0.5"}),
            "0.9",
            "Paused",
            "InconclusiveAnalysisRun",
            1,
        ),
    ] {
        let world = World::new();
        let mut metric = metric;
        set(&mut metric, &["name"], "rate".into());
        set(
            &mut metric,
            &["successCondition"],
            "asFloat(result) >= 0.95".into(),
        );
        let template = json!({"metadata": {"name": "rate", "namespace": "shop"}, "spec": {"metrics": [metric]}});
        world.create(&ANALYSIS_TEMPLATES, template);
        let judged = json!({"analysis": {"templates": [{"templateName": "rate"}]}});
        let key = world.roll(&json!([{"setWeight": 20}, judged, {"setWeight": 100}]));
        world.at(&key, "Healthy", "", 3).await;
        world.measure("registry.test/shop/cart", "2", ("rate", value));
        world.release(&key, "2");
        world.at(&key, phase, message, index).await;
        let runs = world.all(&ANALYSIS_RUNS);
        assert_eq!(runs.len(), 1);
        let name = text_at(&runs[0], "/metadata/name");
        assert!(
            name.starts_with("cart-") && name.ends_with("-2-1"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn one_that_comes_no_farther_says_so() {
    let world = World::new();
    let key = world.roll(&steps());
    world.at(&key, "Healthy", "", 5).await;
    world.release(&key, "2-unpullable");
    world
        .until("late", |world| {
            let value = world.read(&key);
            let message = text_at(&value, "/status/message");
            message.starts_with("ProgressDeadlineExceeded: ReplicaSet \"cart-")
        })
        .await;
    assert_eq!(world.sizes(), [("1".into(), 4), ("2-unpullable".into(), 1)]);
}
