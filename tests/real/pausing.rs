//! Pausing and resuming a Deployment: what stands still, what moves, and what is refused.

use serde_json::{Value, json};

use crate::kinds::{record, spoken};
use crate::screen::{launch, open, row_of, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, note};
use crate::support::pty::Terminal;

#[test]
fn a_paused_one_keeps_its_pods_and_moves_when_it_is_resumed() {
    let plane = ControlPlane::shared();
    let (namespace, service) = running(plane, "pausing");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    wait_row(&terminal, "1.0");
    terminal.keys("u");
    wait_plan_to(&terminal, "PAUSE");
    let plan = terminal.picture();
    assert!(plan.contains("a new template waits"), "{plan}");
    assert!(plan.contains("y pauses"), "{plan}");
    assert_eq!(service.read(plane)["spec"]["paused"], Value::Null);
    terminal.keys("y");
    terminal.wait_text("verified: the controller has seen the pause");
    assert_eq!(service.read(plane)["spec"]["paused"], true);
    service.set_image(plane, "2.0");
    wait_row(&terminal, "paused");
    terminal.wait_text("the new template waits until it is resumed · u");
    assert_eq!(
        images(plane, &service),
        [service.image("1.0"), service.image("1.0")]
    );
    terminal.keys("u");
    wait_plan_to(&terminal, "RESUME");
    let plan = terminal.picture();
    assert!(plan.contains("2 of 2 pods move to its template"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 2.0");
    service.wait_complete(plane, "2.0");
    assert_eq!(service.read(plane)["spec"]["paused"], Value::Null);
    // Who wrote the template last is another question.
    assert_eq!(note(plane, &service), Value::Null);
    let record = record(home.path());
    for part in [r#""verb":"pause""#, r#""verb":"resume""#] {
        assert!(record.contains(part), "{record}");
    }
    assert_eq!(record.matches(r#""verified":true"#).count(), 2, "{record}");
}

#[test]
fn a_pause_that_came_first_refuses_the_write_and_is_said() {
    let plane = ControlPlane::shared();
    let (namespace, service) = running(plane, "pausing-race");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    wait_row(&terminal, "1.0");
    terminal.keys("u");
    wait_plan_to(&terminal, "PAUSE");
    let pause = json!({"spec": {"paused": true}});
    plane.admin().patch(&service.path(), &pause).unwrap();
    let generation = service.read(plane)["metadata"]["generation"].clone();
    terminal.keys("y");
    terminal.wait_text("deploy/checkout was paused by");
    terminal.wait_text("deploy/checkout is paused already.");
    assert!(!terminal.picture().contains("This is the new plan"));
    assert_eq!(service.read(plane)["metadata"]["generation"], generation);
}

#[test]
fn a_resumed_rollout_that_fails_is_told_with_its_reason() {
    let plane = ControlPlane::shared();
    let (namespace, service) = running(plane, "pausing-fails");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let run = |arguments: &[&str]| spoken(&launch(&kubeconfig, home.path()).with(arguments));
    let (code, said) = run(&["pause", "checkout", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("pause deploy/checkout in "), "{said}");
    assert!(said.contains("-> the same, paused\n"), "{said}");
    assert!(said.contains("ok pause deploy/checkout\n"), "{said}");
    let (code, said) = run(&["pause", "checkout", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("is paused already"), "{said}");
    service.set_image(plane, "2.0-unpullable");
    let (code, said) = run(&["resume", "checkout", "--yes", "-o", "json"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(r#""verb": "resume""#), "{said}");
    assert!(said.contains("not verified: image"), "{said}");
    let (code, said) = run(&["resume", "checkout", "--dry-run"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("deploy/checkout is not paused"), "{said}");
}

fn running(plane: &ControlPlane, prefix: &str) -> (String, Service) {
    let namespace = plane.namespace(prefix);
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    (namespace, service)
}

fn wait_row(terminal: &Terminal, word: &str) {
    terminal.wait_for(&format!("the row with {word}"), |screen| {
        row_of(screen, "checkout").is_some_and(|row| row.contains(word))
    });
}

fn images(plane: &ControlPlane, service: &Service) -> Vec<String> {
    let image = |pod: Value| {
        let image = pod["spec"]["containers"][0]["image"].as_str()?;
        Some(image.to_owned())
    };
    service.pods(plane).into_iter().filter_map(image).collect()
}
