//! Restarting: every pod is made anew, and a write that would replace none is refused.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::kinds::{Set, said};
use crate::screen::{launch, open, row_of, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, note};

const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

#[test]
fn a_deployment_gets_new_pods_and_is_verified() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("restarting");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    let before = uids(&service.pods(plane));
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("r");
    wait_plan_to(&terminal, "RESTART");
    let plan = terminal.picture();
    assert!(plan.contains("2 pods are replaced; "), "{plan}");
    assert!(plan.contains("y restarts"), "{plan}");
    assert_eq!(uids(&service.pods(plane)), before);
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 1.0");
    service.wait_complete(plane, "1.0");
    let after = uids(&service.pods(plane));
    assert!(before.is_disjoint(&after), "{before:?} {after:?}");
    let live = service.read(plane);
    let written = &live["spec"]["template"]["metadata"]["annotations"][RESTARTED_AT];
    assert!(written.is_string(), "{live:#}");
    assert_eq!(note(plane, &service)["verb"], "restart");
    let pause = json!({"spec": {"paused": true}});
    plane.admin().patch(&service.path(), &pause).unwrap();
    let generation = service.read(plane)["metadata"]["generation"].clone();
    let output = launch(&kubeconfig, home.path())
        .with(&["restart", "checkout", "--yes"])
        .run();
    let (code, text) = said(&output);
    assert_eq!(code, 3, "{text}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("deploy/checkout is paused: a restart"),
        "{error}"
    );
    assert_eq!(service.read(plane)["metadata"]["generation"], generation);
}

#[test]
fn sets_get_new_pods_and_what_would_do_nothing_is_refused() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("restarting-sets");
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner(&namespace, Some(&namespace)), home.path());
    for (plural, name) in [("statefulsets", "db"), ("daemonsets", "agent")] {
        let set = Set::run(plane, &namespace, plural, &json!({}));
        let before = uids(&set.pods(plane));
        let (code, text) = said(&rolldeck.clone().with(&["restart", name, "--yes"]).run());
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("verified: "), "{text}");
        let after = uids(&set.pods(plane));
        assert!(before.is_disjoint(&after), "{before:?} {after:?}");
        assert_eq!(set.note(plane)["verb"], "restart");
        let strategy =
            json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}});
        plane.admin().patch(&set.path(), &strategy).unwrap();
        let output = rolldeck.clone().with(&["restart", name, "--yes"]).run();
        assert_eq!(output.status.code(), Some(3));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("OnDelete: a restart would be"), "{error}");
        assert_eq!(uids(&set.pods(plane)), after);
    }
}

/// Of those that are not on their way out.
fn uids(pods: &[Value]) -> BTreeSet<String> {
    let there = pods
        .iter()
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    let uid = |pod: &Value| pod["metadata"]["uid"].as_str().unwrap().to_owned();
    there.map(uid).collect()
}
