//! Tables of what the controller v1.10.1 answered.
#![allow(clippy::needless_pass_by_value)] // each value is made for the call

use serde_json::{Value, json};

use super::*;

fn object(spec: Value, status: Value) -> Value {
    let mut spec = spec;
    let template = json!({"metadata": {"labels": {"app": "cart"}},
        "spec": {"containers": [{"name": "cart", "image": "shop/cart:1.10.0"}]}});
    if spec.get("workloadRef").is_none() {
        spec["template"] = template;
        spec["selector"] = json!({"matchLabels": {"app": "cart"}});
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "cart", "namespace": "shop", "uid": "u1", "generation": 4,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"rollout.argoproj.io/revision": "2", "rollout.argoproj.io/workload-generation": "3"}},
        "spec": spec, "status": status,
    })
}

fn read(spec: Value, status: Value) -> Workload {
    rollout(&"c".into(), &object(spec, status).to_string()).unwrap()
}

fn canary_of(spec: Value, status: Value) -> Canary {
    *read(spec, status).canary.unwrap()
}

fn stepped() -> Value {
    json!({"replicas": 5, "strategy": {"canary": {"steps": [
        {"setWeight": 20}, {"pause": {}}, {"analysis": {"templates": [{"templateName": "rate"}]}},
        {"setWeight": 60}, {"pause": {"duration": "1h30m"}}, {"pause": {"duration": 30}}, {"setCanaryScale": {"weight": 5}},
    ]}}})
}

fn at_pause() -> Value {
    json!({
        "HPAReplicas": 5, "availableReplicas": 5, "blueGreen": {}, "canary": {}, "controllerPause": true,
        "currentPodHash": "new", "currentStepHash": "6b", "currentStepIndex": 1, "message": "CanaryPauseStep",
        "observedGeneration": "4", "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:10:00Z"}],
        "phase": "Paused", "readyReplicas": 5, "replicas": 5, "selector": "app=cart", "stableRS": "old", "updatedReplicas": 1,
    })
}

fn changed(mut status: Value, change: Value) -> Value {
    for (key, value) in change.as_object().unwrap() {
        status[key] = value.clone();
    }
    status
}

#[test]
fn a_canary_at_its_pause() {
    let cart = read(stepped(), at_pause());
    assert_eq!(cart.id.to_string(), "rollout/cart");
    assert_eq!((cart.generation, cart.observed_generation), (4, 4));
    assert_eq!(
        (cart.desired, cart.counts.updated, cart.revision),
        (5, 1, Some(2))
    );
    assert_eq!(&*cart.containers[0].image, "shop/cart:1.10.0");
    assert_eq!(&*cart.selector, "app=cart");
    let canary = cart.canary.unwrap();
    assert_eq!(
        (canary.reported, &*canary.message),
        (Reported::Paused, "CanaryPauseStep")
    );
    assert_eq!((&*canary.stable, &*canary.current), ("old", "new"));
    assert_eq!(
        (canary.set, canary.routed, canary.whole, canary.step),
        (20, None, 100, 1)
    );
    let half = SignedDuration::from_mins(90);
    let steps = [
        Step::Weight(20),
        Step::Pause(None),
        Step::Analysis,
        Step::Weight(60),
        Step::Pause(Some(half)),
        Step::Pause(Some(SignedDuration::from_secs(30))),
        Step::Other("setCanaryScale"),
    ];
    assert_eq!(*canary.steps, steps);
    let pause = canary.pause.unwrap();
    assert_eq!((pause.by, pause.until), (PausedBy::Step, None));
    assert_eq!(pause.since, Some("2026-01-01T00:10:00Z".parse().unwrap()));
}

#[test]
fn weights() {
    for (change, set) in [
        (json!({"currentStepIndex": 0}), 20),
        (json!({"currentStepIndex": 2}), 20),
        (json!({"currentStepIndex": 4}), 60),
        (json!({"currentStepIndex": 7}), 100),
        (json!({"currentStepIndex": 4, "abort": true}), 0),
    ] {
        let canary = canary_of(stepped(), changed(at_pause(), change.clone()));
        assert_eq!(canary.set, set, "{change}");
    }
    let routed = json!({"strategy": {"canary": {"steps": [{"setWeight": 200}, {"pause": {}}],
        "trafficRouting": {"maxTrafficWeight": 1000, "nginx": {}}}}});
    let weights = json!({"canary": {"weights": {"canary": {"weight": 150, "podTemplateHash": "new"}, "stable": {"weight": 850}}}});
    let canary = canary_of(routed, changed(at_pause(), weights));
    assert_eq!(
        (canary.set, canary.routed, canary.whole),
        (200, Some(150), 1000)
    );
}

#[test]
fn pauses() {
    let until = |spec: Value, change: Value| {
        let pause = canary_of(spec, changed(at_pause(), change)).pause.unwrap();
        (pause.by, pause.until.map(|at| at.to_string()))
    };
    let timed = until(stepped(), json!({"currentStepIndex": 5}));
    assert_eq!(timed, (PausedBy::Step, Some("2026-01-01T00:10:30Z".into())));
    let reason = |reason: &str| json!({"pauseConditions": [{"reason": reason, "startTime": "2026-01-01T00:10:00Z"}]});
    let inconclusive = until(stepped(), reason("InconclusiveAnalysisRun"));
    assert_eq!(inconclusive, (PausedBy::Inconclusive, None));
    let blue =
        json!({"strategy": {"blueGreen": {"activeService": "a", "autoPromotionSeconds": 60}}});
    let promotes = until(blue, reason("BlueGreenPause"));
    assert_eq!(
        promotes,
        (PausedBy::BlueGreen, Some("2026-01-01T00:11:00Z".into()))
    );
    let mut by_hand = stepped();
    by_hand["paused"] = json!(true);
    assert_eq!(until(by_hand, json!({})), (PausedBy::Hand, None));
}

#[test]
fn what_its_controller_says() {
    for (change, reported) in [
        (json!({}), Reported::Paused),
        (json!({"pauseConditions": null}), Reported::Progressing),
        (
            json!({"phase": "Healthy", "controllerPause": false}),
            Reported::Healthy,
        ),
        (json!({"phase": "Degraded"}), Reported::Degraded),
        (json!({"phase": null}), Reported::Nothing),
    ] {
        let canary = canary_of(stepped(), changed(at_pause(), change.clone()));
        assert_eq!(canary.reported, reported, "{change}");
    }
}

#[test]
fn observed_generations_are_text() {
    for (text, want) in [("4", 4), ("3", 3), ("5", 4), ("7f8c", 4), ("", 0)] {
        assert_eq!(observed(4, text), want, "{text:?}");
    }
}

#[test]
fn one_that_runs_the_template_of_another() {
    let borrowed = json!({"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"},
        "strategy": {"canary": {}}});
    let seen = changed(at_pause(), json!({"workloadObservedGeneration": "3"}));
    let cart = read(borrowed.clone(), seen);
    assert_eq!((&*cart.selector, cart.containers.len()), ("app=cart", 0));
    let canary = cart.canary.unwrap();
    assert_eq!(canary.template_of.as_deref(), Some("Deployment cart"));
    assert_eq!(canary.reported, Reported::Paused);
    let behind = changed(
        at_pause(),
        json!({"workloadObservedGeneration": "2",
        "selector": "app=cart,rollouts-pod-template-hash=new"}),
    );
    let cart = read(borrowed, behind);
    assert_eq!(&*cart.selector, "app=cart");
    assert_eq!(cart.canary.unwrap().reported, Reported::Progressing);
}

#[test]
fn what_is_needed_is_asked_for() {
    let mut bare = object(stepped(), at_pause());
    bare["spec"]["template"] = Value::Null;
    let error = rollout(&"c".into(), &bare.to_string()).unwrap_err();
    assert!(
        error.to_string().contains("spec.template is missing"),
        "{error}"
    );
}

#[test]
fn a_run_with_its_metrics() {
    let owner = read(stepped(), at_pause()).id;
    let mut raw = json!({
        "metadata": {"name": "cart-new-2-2", "uid": "a1", "creationTimestamp": "2026-01-01T00:10:00Z",
            "ownerReferences": [{"kind": "Rollout", "name": "cart", "uid": "u1", "controller": true}]},
        "spec": {"metrics": [
            {"name": "rate", "successCondition": "result >= 0.95", "failureLimit": 1},
            {"name": "errors", "failureCondition": "result > 3"},
        ]},
        "status": {"phase": "Failed", "message": "Metric \"rate\" assessed Failed", "metricResults": [
            {"name": "rate", "phase": "Failed", "count": 2, "failed": 2,
                "measurements": [{"phase": "Failed", "value": "0.41"}, {"phase": "Failed", "value": "0.42"}]},
            {"name": "errors", "phase": "Error", "error": 2,
                "measurements": [{"phase": "Error", "message": "received non 2xx response code: 500"}]},
        ]},
    });
    let (uid, run) = analysis(&owner, &raw.to_string()).unwrap().unwrap();
    assert_eq!((uid, run.verdict), ("a1".into(), Verdict::Failed));
    let [rate, errors] = &*run.metrics else {
        panic!("two metrics: {:?}", run.metrics)
    };
    assert_eq!((&*rate.value, &*rate.limit), ("0.42", "result >= 0.95"));
    assert_eq!((rate.samples, rate.failed), (2, 2));
    assert_eq!((&*errors.value, &*errors.limit), ("", "not result > 3"));
    assert_eq!((errors.verdict, errors.samples), (Verdict::Error, 2));
    raw["metadata"]["ownerReferences"][0]["name"] = json!("other");
    assert_eq!(analysis(&owner, &raw.to_string()).unwrap(), None);
}

#[test]
fn a_restart_is_done_once_its_controller_says_the_same_time() {
    let asked = || json!({"restartAt": "2026-01-01T00:10:00Z", "rollbackWindow": {"revisions": 3}, "strategy": {}});
    let of = |status| canary_of(asked(), status);
    let other = of(json!({"restartedAt": "2026-01-01T00:09:00Z"}));
    assert_eq!(other.rollback_window, 3);
    assert!(!other.restart.unwrap().done);
    let same = of(json!({"restartedAt": "2026-01-01T00:10:00Z"}));
    assert!(same.restart.unwrap().done);
    let none = canary_of(stepped(), at_pause());
    assert_eq!((none.restart, none.rollback_window), (None, 0));
}
