//! Tables of what the controller v1.36.1 wrote.
#![allow(clippy::needless_pass_by_value)] // each value is made for the call

use serde_json::{Value, json};

use super::*;
use crate::domain::canary::At;
use crate::domain::canary::at as place;
use crate::domain::fixture::workload;
use crate::text;

fn read(analysis: Value, status: Value) -> Canary {
    spec(
        json!({"targetRef": {"kind": "Deployment", "name": "web"}, "analysis": analysis}),
        status,
    )
}

fn spec(spec: Value, status: Value) -> Canary {
    let object = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": {"name": "web-canary", "namespace": "shop", "uid": "u1"},
        "spec": spec, "status": status,
    });
    canary(&"c".into(), &object.to_string()).unwrap().unwrap().1
}

fn checked() -> Value {
    json!({"interval": "10s", "threshold": 2, "iterations": 3,
    "metrics": [{"name": "errors", "thresholdRange": {"max": 1}}, {"name": "request-success-rate", "threshold": 99}],
    "webhooks": [
        {"type": "confirm-promotion", "name": "go", "url": "http://me:secret@gate.shop/check?token=secret"},
        {"type": "rollout", "name": "load", "url": "http://load"},
    ]})
}

fn status(phase: &str, rest: Value) -> Value {
    let mut status = json!({"phase": phase, "canaryWeight": 0, "failedChecks": 0, "iterations": 0,
        "lastAppliedSpec": "b", "lastPromotedSpec": "a",
        "conditions": [{"type": "Promoted", "status": "Unknown", "reason": phase, "message": "said",
            "lastUpdateTime": "2026-01-01T00:02:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"}]});
    for (key, value) in rest.as_object().unwrap() {
        status[key] = value.clone();
    }
    status
}

fn at(canary: Canary) -> Option<At> {
    let mut target = workload(Kind::Deployment);
    target.canary = Some(Box::new(canary));
    place(&target, &[])
}

#[test]
fn it_is_about_its_target() {
    let object = json!({"metadata": {"name": "c", "namespace": "shop", "uid": "u1"},
        "spec": {"targetRef": {"kind": "DaemonSet", "name": "web"}}});
    let (of, read) = canary(&"c".into(), &object.to_string()).unwrap().unwrap();
    assert_eq!(
        (of.kind, &*of.name, &*of.namespace),
        (Kind::DaemonSet, "web", "shop")
    );
    assert_eq!(read.stable_in.as_deref(), Some("web-primary"));
    assert_eq!(
        read.reported,
        Reported::Nothing,
        "not seen by a controller yet"
    );
    let other = object.to_string().replace("DaemonSet", "Service");
    assert_eq!(canary(&"c".into(), &other).unwrap(), None);
    assert!(
        canary(
            &"c".into(),
            r#"{"spec":{"targetRef":{"kind":"Deployment"}}}"#
        )
        .is_err()
    );
}

#[test]
fn phases_by_checks() {
    for (phase, rest, words, by) in [
        ("Initialized", json!({}), None, None),
        (
            "Waiting",
            json!({"lastAppliedSpec": "a"}),
            Some("check 1/3"),
            Some(PausedBy::Gate),
        ),
        (
            "Progressing",
            json!({"iterations": 1}),
            Some("check 2/3"),
            None,
        ),
        (
            "WaitingPromotion",
            json!({"iterations": 4}),
            Some("check 3/3"),
            Some(PausedBy::Gate),
        ),
        ("Promoting", json!({}), Some("check 3/3"), None),
        ("Finalising", json!({}), Some("check 3/3"), None),
        ("Succeeded", json!({}), None, None),
        ("Failed", json!({}), Some("check 1/3"), None),
        ("Failed", json!({"lastAppliedSpec": "a"}), None, None),
    ] {
        let read = read(checked(), status(phase, rest));
        assert_eq!(read.pause.map(|pause| pause.by), by, "{phase}");
        assert_eq!(
            at(read).map(|at| text::canary::at(&at)).as_deref(),
            words,
            "{phase}"
        );
    }
}

#[test]
fn phases_by_weight_say_only_what_is_known() {
    let weighted = json!({"interval": "1m", "maxWeight": 50, "stepWeight": 20});
    let given = json!({"stepWeights": [5, 50, 80]});
    for (analysis, phase, rest, want) in [
        (
            &weighted,
            "Progressing",
            json!({"canaryWeight": 40}),
            "40% step 2/3",
        ),
        (&weighted, "Progressing", json!({}), "0% step 1/3"),
        (
            &given,
            "Progressing",
            json!({"canaryWeight": 80}),
            "80% step 3/3",
        ),
        // By hand to something between.
        (
            &given,
            "Progressing",
            json!({"canaryWeight": 60}),
            "60% step 2/3",
        ),
        (&given, "WaitingPromotion", json!({}), "80% step 3/3"),
        (&given, "Promoting", json!({}), "0% step 3/3"),
    ] {
        let at = at(read(analysis.clone(), status(phase, rest))).unwrap();
        assert_eq!(text::canary::at(&at), want, "{phase}");
        assert_eq!(at.routed, phase == "Progressing", "{phase}");
    }
    let read = read(json!({}), status("Progressing", json!({})));
    assert_eq!(read.steps.len(), 100, "no weights given");
    let kubernetes =
        json!({"provider": "kubernetes", "targetRef": {"kind": "Deployment", "name": "web"}});
    assert_eq!(spec(kubernetes, json!({})).steps.len(), 10);
}

#[test]
fn a_failed_one_is_aborted_until_its_old_template_is_back() {
    let failed = read(checked(), status("Failed", json!({})));
    assert!(failed.aborted && failed.reported == Reported::Degraded);
    assert!(failed.aborted_at.is_some());
    let resolved = read(checked(), status("Failed", json!({"lastAppliedSpec": "a"})));
    assert!(!resolved.aborted && resolved.reported == Reported::Healthy);
}

#[test]
fn failed_checks_never_pass_their_limit() {
    let read = read(checked(), status("Progressing", json!({"failedChecks": 5})));
    let [run] = &*read.analyses else {
        panic!("one: {:?}", read.analyses);
    };
    assert_eq!(&*run.message, "2 of 2 failed checks");
    assert_eq!(
        text::canary::metric(&run.metrics[0]),
        "errors: running, wants <= 1"
    );
    assert_eq!(&*run.metrics[1].limit, ">= 99");
}

#[test]
fn a_gate_is_named_without_what_is_secret() {
    let held = read(checked(), status("WaitingPromotion", json!({})));
    assert!(!format!("{held:?}").contains("secret"));
    let flagger = held.flagger.unwrap();
    let held: Vec<_> = flagger.held_by().collect();
    let [gate] = held[..] else {
        panic!("one: {held:?}");
    };
    assert_eq!((&*gate.name, &*gate.url), ("go", "http://gate.shop/check"));
}

#[test]
fn a_suspension_hides_the_phase() {
    let suspended = json!({"suspend": true, "targetRef": {"kind": "Deployment", "name": "web"}});
    let read = spec(suspended, status("Waiting", json!({})));
    let pause = read.pause.unwrap();
    assert_eq!((pause.by, pause.since), (PausedBy::Hand, None));
}

#[test]
fn it_never_looks_more_often_than_it_can() {
    for (text, want) in [("1s", 10), ("1m30s", 90), ("", 60), ("soon", 60)] {
        assert_eq!(interval(text), want, "{text}");
    }
}

#[test]
fn what_its_weights_are_written_into_is_named() {
    let named = |provider: &str, service: Value| {
        let spec = spec(
            json!({"targetRef": {"kind": "Deployment", "name": "web"}, "provider": provider,
                "service": service, "ingressRef": {"name": "entry"},
                "analysis": {"stepWeight": 30, "maxWeight": 60}}),
            status("Progressing", json!({"canaryWeight": 30})),
        );
        spec.flagger.unwrap().weighed
    };
    let route = named("gatewayapi:v1", json!({"name": "shop"})).unwrap();
    assert_eq!((route.kind, &*route.name), (RouteKind::HttpRoute, "shop"));
    assert_eq!(
        (&*route.canary, &*route.stable),
        ("shop-canary", "shop-primary")
    );
    let ingress = named("nginx", json!({"port": 80})).unwrap();
    assert_eq!(
        (ingress.kind, &*ingress.name),
        (RouteKind::Ingress, "entry-canary")
    );
    assert_eq!(&*ingress.canary, "web-canary");
    assert_eq!(named("istio", json!({})), None);
}
