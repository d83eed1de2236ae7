//! What differs between two revisions, read from real objects, and told when it may not be read.

use serde_json::json;

use crate::screen::open;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::{Terminal, picture};

#[test]
fn two_revisions_are_compared_without_the_values_of_variables() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("compared");
    two_revisions(plane, &namespace);
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("compared", Some(&namespace)), home.path());
    compare(&terminal);
    terminal.wait_text("checkout: from ");
    terminal.wait_text("+     image: registry.test/shop/checkout:2.0");
    let shown = terminal.picture();
    for line in [
        "-     image: registry.test/shop/checkout:1.0",
        "+     readinessProbe",
        "    - name: PASSWORD",
        "+       value: (changed)",
    ] {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = squeeze(line);
        assert!(
            shown
                .lines()
                .any(|shown| squeeze(shown).starts_with(&wanted)),
            "{line:?} is not in\n{shown}"
        );
    }
    assert!(shown.contains("which runs"), "{shown}");
    for secret in ["hunter2", "hunter3"] {
        assert!(!String::from_utf8_lossy(&terminal.bytes()).contains(secret));
    }
    // What is the same far from a change is left out, and so is what controllers add.
    for absent in ["pod-template-hash", "creationTimestamp"] {
        assert!(!shown.contains(absent), "{shown}");
    }
}

#[test]
fn a_revision_that_may_not_be_read_is_told_with_the_missing_right() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("compare-denied");
    two_revisions(plane, &namespace);
    let rules = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
    ]);
    let kubeconfig = plane.with_rules("compare-denied", &rules, Some(&namespace));
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&kubeconfig, home.path());
    compare(&terminal);
    terminal.wait_text(r#"cannot get resource "replicasets""#);
    terminal.keys("\x1b");
    terminal.wait_text("HISTORY");
    let denied = |asked: &&crate::support::audit::Asked| asked.verb == "get" && asked.status == 403;
    let asked = plane.asked_by("compare-denied");
    assert!(
        asked
            .iter()
            .filter(denied)
            .any(|asked| asked.what == "replicasets")
    );
}

fn two_revisions(plane: &ControlPlane, namespace: &str) {
    let service = Service::new(namespace, "checkout").container(json!({
        "env": [{"name": "PASSWORD", "value": "hunter2"}],
    }));
    service.run(plane, "1.0");
    let change = json!({"spec": {"template": {"spec": {"containers": [{
        "name": "checkout", "image": service.image("2.0"),
        "env": [{"name": "PASSWORD", "value": "hunter3"}],
        "readinessProbe": {"exec": {"command": ["true"]}},
    }]}}}});
    plane.admin().patch(&service.path(), &change).unwrap();
    service.wait_complete(plane, "2.0");
}

/// Opens the service, and compares what its history marks with the one before it.
fn compare(terminal: &Terminal) {
    terminal.wait_text("checkout");
    terminal.keys("\r");
    terminal.wait_for("both revisions", |screen| {
        let text = picture(screen);
        text.contains("HISTORY") && text.contains("1.0") && text.contains("2.0")
    });
    terminal.keys("\r");
}
