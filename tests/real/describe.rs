//! What one object is, told in words: workloads, pods, and any row of a plain table.

use serde_json::json;

use crate::screen::{launch, open, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::picture;

#[test]
fn d_describes_what_is_marked_and_a_secret_keeps_its_values() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("describe");
    let login = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "login", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "noted-hunter2"}},
        "stringData": {"password": "hunter2hunter2"},
    });
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    plane.admin().create(&secrets, &login).unwrap();
    let service = Service::new(&namespace, "crier").container(json!({
        "ports": [{"containerPort": 8080, "name": "http"}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
        "env": [{"name": "LOG_LEVEL", "value": "debug"},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}],
    }));
    service.run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let terminal = launch(&kubeconfig, home.path()).size(120, 70).open();
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
    let described = |parts: &[&str]| {
        terminal.keys("d");
        terminal.wait_for(&format!("{parts:?}"), |screen| {
            let text = picture(screen);
            parts.iter().all(|part| text.contains(part))
        });
    };
    let back = |gone: &str| {
        terminal.keys("q");
        terminal.wait_gone(gone);
    };
    described(&[
        "Deployment (apps/v1)",
        "2 wanted, 2 updated, 2 ready, 2 available",
        "CONTAINER crier",
        "8080/TCP http",
        "requests      cpu 10m, memory 16Mi",
        "GET :http/healthz",
        "LOG_LEVEL=debug",
        "PASSWORD from secret login, key password",
        "MinimumReplicasAvailable",
        "ScalingReplicaSet",
    ]);
    back("POD TEMPLATE");
    terminal.keys("\r");
    terminal.wait_text("HISTORY");
    terminal.wait_text("crier-");
    terminal.keys("\t");
    described(&[
        "Pod (v1)",
        "phase         Running",
        "running since",
        "Scheduled",
    ]);
    back("phase  ");
    back("HISTORY");
    let table = |name: &str, row: &str| {
        terminal.keys(&format!(":{name}\r"));
        terminal.wait_text(row);
    };
    table("secrets", "Opaque");
    described(&["Secret (v1)", "KEYS", "password", "does not read"]);
    back("KEYS");
    back("Opaque");
    table("nodes", "ROLES");
    // Not one that comes and goes with another test.
    terminal.keys("G");
    described(&["Node (v1)", "SPEC", "allocatable", "CONDITIONS"]);
    back("allocatable");
    back("ROLES");
    let seen = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(
        !seen.contains("hunter2") && !seen.contains("aHVudGVy"),
        "a value of the Secret came"
    );

    // A pod of a table is its log, and the program of one's choice works on what is read.
    table("po", "1/1");
    terminal.keys("\r");
    terminal.wait_text("LOG  crier-");
    plane.cry(&format!("of {namespace}"));
    terminal.wait_text(&format!("of {namespace}"));
    terminal.keys("x");
    terminal.wait_text("port-forward");
}

#[test]
fn who_may_not_read_events_is_told_so_and_gets_the_rest() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("describe-blind");
    Service::new(&namespace, "web")
        .replicas(1)
        .run(plane, "1.0");
    let rules = json!([{"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "daemonsets", "replicasets"],
        "verbs": ["get", "list", "watch"]}]);
    let home = tempfile::tempdir().unwrap();
    let terminal = open(
        &plane.with_rules(&namespace, &rules, Some(&namespace)),
        home.path(),
    );
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
    terminal.keys("dG");
    terminal.wait_text("not known: no right to list events");
}
