//! Several services in one plan: a few at a time, and none after one that fails.

use serde_json::Value;

use crate::kinds::{record, said};
use crate::screen::{launch, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, note};
use crate::support::pty::picture;

/// Five in a namespace, each of two releases that ran.
fn five(plane: &ControlPlane, prefix: &str) -> (String, Vec<Service>) {
    let namespace = plane.namespace(prefix);
    let services: Vec<_> = ["a", "b", "c", "d", "e"]
        .map(|name| Service::new(&namespace, &format!("svc-{name}")).replicas(1))
        .into();
    for service in &services {
        service.create(plane, "1.0");
    }
    for service in &services {
        service.wait_complete(plane, "1.0");
    }
    (namespace, services)
}

#[test]
fn five_are_marked_and_the_third_fails_and_the_rest_is_untouched() {
    let plane = ControlPlane::shared();
    let (namespace, services) = five(plane, "several");
    let home = tempfile::tempdir().unwrap();
    let settings = "verifySeconds: 2\natOnce: 1\n";
    let terminal = launch(&plane.owner(&namespace, Some(&namespace)), home.path())
        .config(settings)
        .open();
    terminal.wait_for("five rows", |screen| rows(screen).len() == 5);
    // By name, so that the order is known.
    terminal.keys("Sn");
    for service in &services {
        let name = service.name.clone();
        terminal.keys(" ");
        terminal.wait_for("the mark", |screen| {
            rows(screen)
                .iter()
                .any(|row| row.contains('▌') && row.contains(&name))
        });
        terminal.keys("j");
    }
    terminal.wait_text("5 marked");
    terminal.keys("i");
    terminal.wait_text("tag: ");
    terminal.keys("2.0\r");
    terminal.wait_for("five plans with their answers", |screen| {
        let text = picture(screen);
        text.contains("SET IMAGE  5 services")
            && text.matches("1.0 → 2.0").count() == 5
            && !text.contains("asking")
            && !text.contains("reading")
    });
    // The third cannot run it: what its pods do is told by the tag, so that its own is set before.
    terminal.keys("\x1b");
    terminal.wait_for("the box closed", |screen| {
        !picture(screen).contains("SET IMAGE")
    });
    services[2].set_image(plane, "0.9-unpullable");
    services[2].wait_waiting(plane, "ImagePullBackOff");
    terminal.wait_for("the third is stuck", |screen| {
        rows(screen)
            .iter()
            .any(|row| row.contains("svc-c") && row.contains("image"))
    });
    terminal.keys("r");
    terminal.wait_for("five plans with their answers", |screen| {
        let text = picture(screen);
        text.contains("RESTART  5 services") && text.contains("y restarts 1 at a time")
    });
    let before: Vec<Value> = services
        .iter()
        .map(|s| s.read(plane)["metadata"]["generation"].clone())
        .collect();
    terminal.keys("y");
    terminal.wait_text("2 verified, 1 failed, 2 not begun");
    let text = terminal.picture();
    assert_eq!(
        text.matches("not begun, because svc-c failed").count(),
        2,
        "{text}"
    );
    assert!(text.contains("FAILED"), "{text}");
    for (service, before) in services.iter().zip(&before).skip(3) {
        let now = service.read(plane);
        assert_eq!(now["metadata"]["generation"], *before, "{}", service.name);
        assert_eq!(note(plane, service), Value::Null);
    }
    for service in &services[..2] {
        assert_eq!(note(plane, service)["verb"], "restart");
    }
    let record = record(home.path());
    assert_eq!(
        record.matches(r#""event":"sending""#).count(),
        3,
        "{record}"
    );
    assert_eq!(record.matches(r#""verified":true"#).count(), 2, "{record}");
    assert_eq!(record.matches(r#""verified":false"#).count(), 1, "{record}");
}

#[test]
fn the_twin_takes_several_names() {
    let plane = ControlPlane::shared();
    let (namespace, services) = five(plane, "several-twin");
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner(&namespace, Some(&namespace)), home.path());
    let run = |arguments: &[&str]| {
        let output = rolldeck.clone().with(arguments).run();
        let (code, text) = said(&output);
        (code, text + &String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run(&["restart", "svc-a", "svc-b", "--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("restart 2 services"), "{text}");
    let (code, text) = run(&["restart", "svc-a", "svc-a", "--yes"]);
    assert_eq!(code, 2, "{text}");
    // There is nothing to roll back to: nothing is sent to any of them.
    let (code, text) = run(&["rollback", "svc-a", "svc-b", "--yes"]);
    assert_eq!(code, 3, "{text}");
    let (code, text) = run(&["restart", "svc-a", "svc-b", "--yes", "--concurrency", "2"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("2 verified"), "{text}");
    let images = [
        "set-image",
        "svc-a",
        "svc-b",
        "svc-c",
        "9.0-unpullable",
        "--yes",
        "--concurrency",
        "1",
    ];
    let (code, text) = run(&images);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("1 failed, 2 not begun"), "{text}");
    for service in &services[1..3] {
        assert_eq!(service.live_image(plane), service.image("1.0"));
    }
    let (code, text) = run(&["scale", "svc-d", "svc-e", "2", "--yes", "-o", "json"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(r#""outcome": "2 verified""#), "{text}");
}
