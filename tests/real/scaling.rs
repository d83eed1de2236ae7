//! Scaling: another number of replicas, other bounds for the autoscaler that sets it, and who came first.

use serde_json::{Value, json};

use crate::kinds::{Set, said};
use crate::screen::{launch, open, row_of, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::{Terminal, picture};
use crate::support::wait;

#[test]
fn a_number_is_typed_planned_and_verified_and_zero_is_called_downtime() {
    let plane = ControlPlane::shared();
    let (namespace, service) = running(plane, "scaling");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("s");
    terminal.wait_text("2 replicas are asked for now, 2 of them serve");
    terminal.wait_text("how many: 2");
    terminal.keys("\x153\r");
    wait_plan_to(&terminal, "SCALE");
    let plan = terminal.picture();
    assert!(plan.contains("2 replicas  →  3 replicas"), "{plan}");
    assert!(
        plan.contains("1 pod more starts; 2 serve meanwhile"),
        "{plan}"
    );
    assert_eq!(service.read(plane)["spec"]["replicas"], 2);
    terminal.keys("y");
    terminal.wait_text("verified: 3/3 pods run 1.0");
    let live = service.read(plane);
    assert_eq!(live["spec"]["replicas"], 3);
    let turn = live["metadata"]["annotations"]["rolldeck.dev/turn"].as_str();
    let turn: Value = serde_json::from_str(turn.unwrap()).unwrap();
    assert_eq!(
        (&turn["verb"], &turn["replicas"]),
        (&json!("scale"), &json!(3))
    );
    close(&terminal);
    terminal.keys("s");
    terminal.wait_text("how many: 3");
    terminal.keys("\x150\r");
    wait_plan_to(&terminal, "SCALE");
    let plan = terminal.picture();
    assert!(plan.contains("downtime: 3 pods that serve stop"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: scaled to zero, no pod is left");
    assert_eq!(service.read(plane)["spec"]["replicas"], 0);
    terminal.wait_text("scaled to zero");
}

#[test]
fn an_autoscaler_gets_other_bounds_and_moves_it_itself() {
    let plane = ControlPlane::shared();
    let (namespace, service) = running(plane, "scaling-hpa");
    let autoscaler = autoscale(plane, &namespace);
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("s");
    terminal.wait_text("how many: 2");
    terminal.keys("\x154\r");
    wait_plan_to(&terminal, "SCALE");
    let plan = terminal.picture();
    assert!(
        plan.contains("hpa/checkout 1 to 3  →  hpa/checkout 4 to 4"),
        "{plan}"
    );
    assert!(
        plan.contains("hpa/checkout sets the number, 1 to 3"),
        "{plan}"
    );
    terminal.keys("y");
    terminal.wait_text("verified: 4/4 pods run 1.0");
    let bounds = plane.admin().get(&autoscaler).unwrap()["spec"].take();
    assert_eq!(
        (&bounds["minReplicas"], &bounds["maxReplicas"]),
        (&json!(4), &json!(4))
    );
    // Nobody but the autoscaler wrote the number.
    let live = service.read(plane);
    assert_eq!(live["spec"]["replicas"], 4);
    assert_eq!(
        live["metadata"]["annotations"]["rolldeck.dev/turn"],
        Value::Null
    );
}

#[test]
fn who_scaled_first_refuses_the_write_and_the_new_number_is_shown() {
    let plane = ControlPlane::shared();
    let (namespace, service) = running(plane, "scaling-race");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("s");
    terminal.wait_text("how many: 2");
    terminal.keys("\x155\r");
    wait_plan_to(&terminal, "SCALE");
    let change = json!({"spec": {"replicas": 1}});
    plane.admin().patch(&service.path(), &change).unwrap();
    terminal.keys("y");
    terminal.wait_for("the plan from the new number", |screen| {
        let text = picture(screen);
        text.contains("was scaled from 2 to") && text.contains("1 replica  →  5 replicas")
    });
    assert_eq!(service.read(plane)["spec"]["replicas"], 1);
}

#[test]
fn the_twin_scales_sets_and_refuses_what_has_no_number() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("scaling-sets");
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner(&namespace, Some(&namespace)), home.path());
    let db = Set::run(plane, &namespace, "statefulsets", &json!({}));
    let (code, text) = said(&rolldeck.clone().with(&["scale", "db", "2", "--yes"]).run());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1 replica -> 2 replicas"), "{text}");
    assert!(text.contains("verified: 2/2 pods"), "{text}");
    assert_eq!(db.read(plane)["spec"]["replicas"], 2);
    let (code, text) = said(
        &rolldeck
            .clone()
            .with(&["scale", "db", "1", "-o", "json"])
            .run(),
    );
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains(r#""scale db"#) || text.contains(r#""verb": "scale""#),
        "{text}"
    );
    Set::run(plane, &namespace, "daemonsets", &json!({}));
    let output = rolldeck
        .clone()
        .with(&["scale", "agent", "2", "--yes"])
        .run();
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("ds/agent is not scaled by a number"),
        "{error}"
    );
    let output = rolldeck.with(&["scale", "db", "many"]).run();
    assert_eq!(output.status.code(), Some(2));
}

/// The box of what ended.
pub fn close(terminal: &Terminal) {
    terminal.keys("\x1b");
    terminal.wait_for("the box closed", |screen| {
        !picture(screen).contains("esc closes")
    });
}

fn running(plane: &ControlPlane, prefix: &str) -> (String, Service) {
    let namespace = plane.namespace(prefix);
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    (namespace, service)
}

/// Between 1 and 3; what it would measure cannot be had here, so that only its bounds move anything.
fn autoscale(plane: &ControlPlane, namespace: &str) -> String {
    let object = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "checkout"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"},
            "minReplicas": 1, "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
        },
    });
    let collection =
        format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers");
    plane.admin().create(&collection, &object).unwrap();
    let path = format!("{collection}/checkout");
    wait::until("the autoscaler has looked", || {
        let status = plane.admin().get(&path).ok()?["status"].take();
        status["conditions"].is_array().then_some(())
    });
    path
}
