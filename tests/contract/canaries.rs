//! Argo Rollouts as their controller moves them: what a person writes, what comes of it, and what comes to nothing.

use serde_json::{Value, json};

use super::http::{Answer, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH};
use super::place::{Place, image, name_of, version_of};
use crate::support::wait;

const NAME: &str = "cart";

/// A Rollout of five pods.
struct Cart {
    place: Place,
}

fn stops() -> Value {
    json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}, {"setWeight": 100}])
}

fn container(tag: &str) -> Value {
    json!({"name": "app", "image": image(NAME, tag), "resources": {"requests": {"cpu": "10m"}}})
}

fn rollout(strategy: &Value, container: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": NAME},
        "spec": {
            "replicas": 5, "selector": {"matchLabels": {"app": NAME}}, "strategy": strategy,
            "template": {
                "metadata": {"labels": {"app": NAME}},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
            },
        },
    })
}

impl Cart {
    /// It serves `1` with every pod.
    fn run(prefix: &str, steps: &Value) -> Self {
        Self::of(prefix, &json!({"canary": {"steps": steps}}))
    }

    fn of(prefix: &str, strategy: &Value) -> Self {
        let place = Place::with_rollouts(prefix);
        for service in ["active", "preview"] {
            let object = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": service},
                "spec": {"selector": {"app": NAME}, "ports": [{"port": 80}]}});
            place.create("services", &object);
        }
        place.create("rollouts", &rollout(strategy, &container("1")));
        let cart = Self { place };
        cart.is("Healthy", "");
        cart
    }

    /// At its first pause with `2`.
    fn waiting(prefix: &str) -> Self {
        let cart = Self::run(prefix, &stops());
        cart.set_image("2");
        cart.stops_at(1);
        cart
    }

    fn path(&self, part: &str) -> String {
        format!("{}/{NAME}{part}", self.place.collection("rollouts"))
    }

    fn read(&self) -> Value {
        self.place.read("rollouts", NAME)
    }

    fn spec(&self, change: &Value) -> Value {
        let change = json!({"spec": change});
        self.place.change("rollouts", NAME, &change)
    }

    fn set_image(&self, tag: &str) {
        self.spec(&json!({"template": {"spec": {"containers": [container(tag)]}}}));
    }

    /// A merge patch of the status.
    #[track_caller]
    fn status(&self, change: &Value) -> Value {
        let change = json!({"status": change});
        let path = self.path("/status");
        self.place.admin.patch(&path, MERGE_PATCH, &change).ok()
    }

    fn json_patch(&self, part: &str, operations: &Value) -> Answer {
        let path = self.path(part);
        self.place.admin.patch(&path, JSON_PATCH, operations)
    }

    /// Until its controller has seen the spec, and says so.
    #[track_caller]
    fn wait(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let seen = self.place.wait("rollouts", NAME, what, |object| {
            let generation = object["metadata"]["generation"].to_string();
            object["status"]["observedGeneration"] == *generation && fits(&object["status"])
        });
        seen["status"].clone()
    }

    #[track_caller]
    fn is(&self, phase: &str, message: &str) -> Value {
        self.wait(&format!("{phase} {message}"), |status| {
            status["phase"] == phase && status["message"].as_str().unwrap_or_default() == message
        })
    }

    #[track_caller]
    fn stops_at(&self, step: u64) -> Value {
        self.wait(&format!("waiting at step {step}"), |status| {
            status["phase"] == "Paused"
                && status["message"] == "CanaryPauseStep"
                && status["currentStepIndex"] == step
        })
    }

    /// Tag and size of each ReplicaSet that is to have pods.
    fn sizes(&self) -> Vec<(String, u64)> {
        let path = self.place.apps("replicasets");
        let sets = self.place.admin.items(&path);
        let mut sizes: Vec<_> = sets
            .iter()
            .map(|set| {
                let image = set["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
                let tag = image.and_then(|image| image.rsplit(':').next());
                let size = set["spec"]["replicas"].as_u64();
                (tag.unwrap_or_default().to_owned(), size.unwrap_or(0))
            })
            .filter(|(_, size)| *size > 0)
            .collect();
        sizes.sort();
        sizes
    }

    #[track_caller]
    fn shares(&self, want: &[(&str, u64)]) {
        let mut last = Vec::new();
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait::until(&format!("pods as {want:?}"), || {
                last = self.sizes();
                let same = last
                    .iter()
                    .map(|(tag, size)| (&**tag, *size))
                    .eq(want.iter().copied());
                same.then_some(())
            });
        }));
        assert!(
            seen.is_ok(),
            "{want:?} and there are {last:?}: {}",
            self.read()["status"]
        );
    }
}

/// As it is written when somebody has read it: bound to the release and the step.
fn promotion(status: &Value) -> Value {
    let test = |field: &str| json!({"op": "test", "path": format!("/status/{field}"), "value": status[field]});
    json!([
        test("currentPodHash"), test("currentStepIndex"),
        {"op": "remove", "path": "/status/pauseConditions"},
    ])
}

#[test]
fn it_stops_where_its_steps_say_and_goes_on_when_it_is_promoted() {
    let cart = Cart::waiting("promote");
    let status = cart.stops_at(1);
    assert_eq!(status["controllerPause"], true);
    assert_eq!(status["pauseConditions"][0]["reason"], "CanaryPauseStep");
    assert!(status["pauseConditions"][0]["startTime"].is_string());
    assert_ne!(status["stableRS"], status["currentPodHash"]);
    assert_eq!(status["canary"], json!({}));
    assert_eq!(status["blueGreen"], json!({}));
    cart.shares(&[("1", 4), ("2", 1)]);
    let status = cart.wait("all of them serve", |status| {
        status["availableReplicas"] == 5 && status["updatedReplicas"] == 1
    });
    let pod = &cart.place.pods_of(NAME)[0];
    let labels = &pod["metadata"]["labels"];
    let hash = labels["rollouts-pod-template-hash"].as_str().unwrap();
    let sides = [&status["stableRS"], &status["currentPodHash"]];
    assert!(sides.iter().any(|side| **side == *hash), "{labels}");
    // A dry run does nothing, and a press that comes second is refused without a cause.
    let press = promotion(&status);
    cart.json_patch("/status?dryRun=All", &press).ok();
    cart.stops_at(1);
    cart.json_patch("/status", &press).ok();
    let refused = cart.json_patch("/status", &press).refused(422);
    assert_eq!(refused["details"].get("causes"), None, "{refused}");
    cart.stops_at(3);
    cart.shares(&[("1", 2), ("2", 3)]);
    cart.status(&json!({"pauseConditions": null}));
    let status = cart.is("Healthy", "");
    assert_eq!(status["stableRS"], status["currentPodHash"]);
    assert_eq!(status["currentStepIndex"], 5);
    for gone in [
        "message",
        "controllerPause",
        "pauseConditions",
        "abort",
        "promoteFull",
    ] {
        assert_eq!(status.get(gone), None, "{status}");
    }
    cart.shares(&[("2", 5)]);
}

#[test]
fn what_is_void_changes_nothing() {
    let cart = Cart::waiting("void");
    // The status is no part of the object's own path. Its controller may still write to it meanwhile, once or twice.
    let leaves_it = |patch: &dyn Fn() -> Value| {
        wait::until("a write that changes nothing", || {
            let before = version_of(&cart.read());
            (version_of(&patch()) == before).then_some(())
        });
    };
    for change in [json!({"pauseConditions": null}), json!({"abort": true})] {
        let (path, change) = (cart.path(""), json!({"status": change}));
        leaves_it(&|| cart.place.admin.patch(&path, MERGE_PATCH, &change).ok());
    }
    let removal = json!([{"op": "remove", "path": "/status/pauseConditions"}]);
    leaves_it(&|| cart.json_patch("", &removal).ok());
    let stale = json!({"metadata": {"resourceVersion": "1"}, "status": {"pauseConditions": null}});
    let path = cart.path("/status");
    cart.place
        .admin
        .patch(&path, MERGE_PATCH, &stale)
        .refused(409);
    cart.place
        .admin
        .patch(&cart.path(""), STRATEGIC_PATCH, &json!({}))
        .refused(415);
    cart.stops_at(1);
    cart.status(&json!({"promoteFull": true}));
    let status = cart.is("Healthy", "");
    assert_eq!(status.get("promoteFull"), None);
    // Of one that is promoted nothing is left to be promoted or aborted.
    for change in [
        json!({"promoteFull": true}),
        json!({"pauseConditions": null}),
        json!({"abort": true}),
    ] {
        cart.status(&change);
        let status = cart.wait("as before", |status| {
            status.get("promoteFull").is_none() && status.get("abort").is_none()
        });
        assert_eq!(
            (&status["phase"], &status["currentStepIndex"]),
            (&json!("Healthy"), &json!(5))
        );
    }
}

#[test]
fn an_abort_gives_all_back_and_a_retry_begins_again() {
    let cart = Cart::waiting("abort");
    cart.status(&json!({"abort": true}));
    let message = "RolloutAborted: Rollout aborted update to revision 2";
    let status = cart.is("Degraded", message);
    assert_eq!(
        (&status["abort"], &status["currentStepIndex"]),
        (&json!(true), &json!(0))
    );
    assert!(status["abortedAt"].is_string(), "{status}");
    assert_eq!(status.get("pauseConditions"), None);
    cart.shares(&[("1", 5)]);
    // The template still asks for the other.
    assert_ne!(status["stableRS"], status["currentPodHash"]);
    cart.status(&json!({"pauseConditions": null}));
    let status = cart.is("Degraded", message);
    assert_eq!(status["currentStepIndex"], 0);
    cart.status(&json!({"abort": null}));
    let status = cart.stops_at(1);
    assert_eq!((status.get("abort"), status.get("abortedAt")), (None, None));
    cart.shares(&[("1", 4), ("2", 1)]);
    // Another template takes an abort back too.
    cart.status(&json!({"abort": true}));
    cart.is("Degraded", message);
    cart.set_image("3");
    cart.stops_at(1);
    cart.shares(&[("1", 4), ("3", 1)]);
}

#[test]
fn promoting_fully_what_was_aborted_sends_it_to_all() {
    let cart = Cart::waiting("full");
    cart.status(&json!({"abort": true}));
    cart.wait("aborted", |status| status["phase"] == "Degraded");
    cart.status(&json!({"promoteFull": true}));
    let status = cart.is("Healthy", "");
    assert_eq!(status.get("abort"), None);
    cart.shares(&[("2", 5)]);
}

#[test]
fn a_pause_by_hand_hides_that_of_a_step() {
    let cart = Cart::waiting("hand");
    cart.spec(&json!({"paused": true}));
    let status = cart.is("Paused", "manually paused");
    assert_eq!(status["pauseConditions"][0]["reason"], "CanaryPauseStep");
    cart.spec(&json!({"paused": null}));
    cart.stops_at(1);
    // A promotion meanwhile is lost.
    cart.spec(&json!({"paused": true}));
    cart.is("Paused", "manually paused");
    cart.status(&json!({"pauseConditions": null}));
    cart.wait("its pause taken", |status| {
        status.get("controllerPause").is_none()
    });
    cart.spec(&json!({"paused": false}));
    cart.stops_at(1);
}

#[test]
fn a_pause_with_a_length_ends_by_itself() {
    let place = Place::with_rollouts("unused");
    let lasts = place.side.lasting(2);
    let steps = json!([{"setWeight": 40}, {"pause": {"duration": format!("{lasts}s")}}]);
    let cart = Cart::run("timer", &steps);
    cart.set_image("2");
    let status = cart.stops_at(1);
    assert_eq!(status["controllerPause"], true);
    let status = cart.is("Healthy", "");
    assert_eq!(status["currentStepIndex"], 2);
}

#[test]
fn the_way_back_to_what_serves_needs_no_steps() {
    let cart = Cart::waiting("back");
    cart.set_image("3");
    cart.stops_at(1);
    cart.shares(&[("1", 4), ("3", 1)]);
    cart.set_image("1");
    let status = cart.is("Healthy", "");
    assert_eq!(status["currentStepIndex"], 5);
    assert_eq!(status["stableRS"], status["currentPodHash"]);
    cart.shares(&[("1", 5)]);
}

#[test]
fn its_size_keeps_the_weight() {
    let cart = Cart::waiting("size");
    let scale = json!({"spec": {"replicas": 8}});
    let path = cart.path("/scale");
    cart.place.admin.patch(&path, MERGE_PATCH, &scale).ok();
    cart.shares(&[("1", 7), ("2", 2)]);
    cart.stops_at(1);
}

#[test]
fn a_restart_renews_its_pods_and_moves_no_step() {
    let cart = Cart::waiting("restart");
    let ids = || -> Vec<String> {
        let pods = cart.place.pods_of(NAME);
        pods.iter().map(|pod| name_of(pod).to_owned()).collect()
    };
    let before = ids();
    let at = wait::until("the second after their creation", || {
        let now = jiff::Timestamp::now();
        let young = cart.place.pods_of(NAME).iter().any(|pod| {
            let born = pod["metadata"]["creationTimestamp"].as_str().unwrap();
            now.duration_since(born.parse().unwrap()).as_secs() < 2
        });
        (!young).then(|| now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    });
    cart.spec(&json!({"restartAt": at}));
    cart.wait("restarted", |status| status["restartedAt"] == at);
    cart.stops_at(1);
    assert!(ids().iter().all(|pod| !before.contains(pod)));
}

#[test]
fn what_its_controller_does_not_take_is_told_in_its_status() {
    let place = Place::with_rollouts("invalid");
    let strategy = json!({"canary": {"steps": [{"setWeight": 120}]}});
    place.create("rollouts", &rollout(&strategy, &container("1")));
    let cart = Cart { place };
    let status = cart.wait("invalid", |status| status["phase"] == "Degraded");
    let message = status["message"].as_str().unwrap();
    let words = "InvalidSpec: The Rollout \"cart\" is invalid: spec.strategy.steps[0].setWeight: Invalid value: 120:";
    assert!(message.starts_with(words), "{message}");
    assert_eq!(
        (status.get("stableRS"), status.get("currentPodHash")),
        (None, None)
    );
    assert_eq!(cart.sizes(), []);
}

#[test]
fn what_a_container_leaves_out_is_one_more_generation() {
    let place = Place::with_rollouts("resources");
    let bare = json!({"name": "app", "image": image(NAME, "1")});
    let strategy = json!({"canary": {"steps": stops()}});
    let made = place.create("rollouts", &rollout(&strategy, &bare));
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made.get("status"), None, "{made}");
    let cart = Cart { place };
    cart.is("Healthy", "");
    let found = cart.read();
    assert_eq!(found["metadata"]["generation"], 2);
    let container = &found["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["resources"], json!({}));
    // Nothing else is filled in.
    assert_eq!(container.as_object().unwrap().len(), 3, "{container}");
}

#[test]
fn one_that_comes_no_farther_keeps_what_serves() {
    let cart = Cart::run("late", &stops());
    cart.spec(&json!({"progressDeadlineSeconds": cart.place.side.lasting(2)}));
    cart.wait("its deadline is seen", |_| true);
    cart.set_image("2-unpullable");
    let late = |status: &Value| {
        let message = status["message"].as_str().unwrap_or_default();
        message.starts_with("ProgressDeadlineExceeded: ReplicaSet \"cart-")
            && message.ends_with("\" has timed out progressing.")
    };
    let status = cart.wait("late", late);
    assert_eq!(status["phase"], "Degraded");
    assert_eq!(status.get("abort"), None);
    cart.shares(&[("1", 4), ("2-unpullable", 1)]);
}

#[test]
fn two_sides_are_switched_at_once() {
    let strategy = json!({"blueGreen": {"activeService": "active", "previewService": "preview",
        "autoPromotionEnabled": false}});
    let cart = Cart::of("sides", &strategy);
    let stable = cart.read()["status"]["stableRS"].clone();
    let selects = |side: &str| {
        let service = cart.place.read("services", side);
        service["spec"]["selector"]["rollouts-pod-template-hash"].clone()
    };
    assert_eq!(selects("active"), stable);
    cart.set_image("2");
    let status = cart.is("Paused", "BlueGreenPause");
    assert_eq!(status.get("currentStepIndex"), None);
    let sides = &status["blueGreen"];
    assert_eq!(
        (&sides["activeSelector"], &sides["previewSelector"]),
        (&stable, &status["currentPodHash"])
    );
    assert_eq!(
        (&status["replicas"], &status["availableReplicas"]),
        (&json!(10), &json!(5))
    );
    assert_eq!(selects("preview"), status["currentPodHash"]);
    cart.status(&json!({"abort": true}));
    let status = cart.wait("aborted", |status| status["phase"] == "Degraded");
    assert_eq!(status["blueGreen"]["activeSelector"], stable);
    cart.status(&json!({"abort": null}));
    cart.is("Paused", "BlueGreenPause");
    cart.status(&json!({"pauseConditions": null}));
    let status = cart.is("Healthy", "");
    assert_eq!(
        status["blueGreen"]["activeSelector"],
        status["currentPodHash"]
    );
    assert_ne!(selects("active"), stable);
    // The old side keeps its pods for a while.
    let sets = cart.place.admin.items(&cart.place.apps("replicasets"));
    let old = sets
        .iter()
        .find(|set| set["metadata"]["labels"]["rollouts-pod-template-hash"] == stable);
    assert!(old.unwrap()["metadata"]["annotations"]["scale-down-deadline"].is_string());
}

#[test]
fn it_is_a_kind_that_is_found_and_watched() {
    let cart = Cart::run("kind", &stops());
    let group = cart.place.admin.get("/apis/argoproj.io/v1alpha1").ok();
    let resources = group["resources"].as_array().unwrap();
    for name in [
        "rollouts",
        "rollouts/status",
        "rollouts/scale",
        "analysisruns",
        "analysistemplates",
    ] {
        assert!(resources.iter().any(|one| one["name"] == name), "{name}");
    }
    let collection = cart.place.collection("rollouts");
    let list = cart.place.admin.get(&collection).ok();
    assert_eq!(list["kind"], "RolloutList");
    let version = version_of(&list);
    let lines = cart
        .place
        .admin
        .lines(&format!("{collection}?watch=1&resourceVersion={version}"));
    cart.set_image("2");
    let event = lines.event();
    assert_eq!(event["type"], "MODIFIED");
    assert_eq!(name_of(&event["object"]), NAME);
    let reader = cart.place.reader.patch(
        &cart.path("/status"),
        MERGE_PATCH,
        &json!({"status": {"abort": true}}),
    );
    reader.refused(403);
}
