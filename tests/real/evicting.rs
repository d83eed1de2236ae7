//! One pod taken away: evicted where its disruption budget lets it go, else deleted when a person says so.

use serde_json::{Value, json};

use crate::kinds::{Set, said};
use crate::screen::{findings, launch, open, row_of, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;

fn name_of(pod: &Value) -> &str {
    pod["metadata"]["name"].as_str().unwrap()
}

#[test]
fn a_budget_says_no_in_words_and_the_offer_deletes_it_all_the_same() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("evicting");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "keep-two"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "checkout"}}}});
    let budgets = format!("/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets");
    plane.admin().create(&budgets, &budget).unwrap();
    crate::support::wait::until("the budget is counted", || {
        let budget = plane.admin().get(&format!("{budgets}/keep-two")).ok()?;
        (budget["status"]["currentHealthy"] == 2).then_some(())
    });
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("\r");
    terminal.wait_text("HISTORY");
    let mut pods: Vec<String> = service
        .pods(plane)
        .iter()
        .map(|p| name_of(p).to_owned())
        .collect();
    pods.sort();
    terminal.wait_text(&pods[1][..16]);
    terminal.keys("\t\x04");
    wait_plan_to(&terminal, "TAKE A POD AWAY");
    let blocked = findings(&terminal, "BLOCK").join("\n");
    assert!(blocked.contains("may not go now"), "{}", terminal.picture());
    let plan = terminal.picture();
    assert!(plan.contains("keep-two needs 2"), "{plan}");
    assert!(plan.contains("its ReplicaSet makes another"), "{plan}");
    terminal.keys("d");
    terminal.wait_text("the server accepts the deletion (dry run)");
    assert_eq!(service.pods(plane).len(), 2, "a dry run takes nothing");
    terminal.keys("y");
    terminal.wait_text("took the place of");
    let now: Vec<String> = service
        .pods(plane)
        .iter()
        .map(|p| name_of(p).to_owned())
        .collect();
    let stayed = now.iter().filter(|name| pods.contains(*name)).count();
    assert_eq!(stayed, 1, "{pods:?} {now:?}");
}

#[test]
fn the_twin_evicts_and_follows_until_another_serves() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("evicting-twin");
    let db = Set::run(plane, &namespace, "statefulsets", &json!({"replicas": 2}));
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner(&namespace, Some(&namespace)), home.path());
    let uid = |name: &str| {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
        plane.admin().get(&path).unwrap()["metadata"]["uid"].clone()
    };
    let (before, other) = (uid("db-1"), uid("db-0"));
    let output = rolldeck
        .clone()
        .with(&["delete-pod", "db-1", "--dry-run"])
        .run();
    let (code, text) = said(&output);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("offered    delete pod db-1"), "{text}");
    assert_eq!(uid("db-1"), before);
    let (code, text) = said(&rolldeck.clone().with(&["evict", "db-1", "--yes"]).run());
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("verified: db-1 took the place of db-1"),
        "{text}"
    );
    assert_ne!(uid("db-1"), before);
    assert_eq!(uid("db-0"), other);
    assert_eq!(
        db.read(plane)["metadata"]["annotations"]["rolldeck.dev/turn"],
        Value::Null
    );
    let (code, text) = said(
        &rolldeck
            .clone()
            .with(&["delete-pod", "db-0", "--delete", "--yes"])
            .run(),
    );
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("ok delete pod db-0"), "{text}");
    let output = rolldeck.with(&["delete-pod", "db-7", "--yes"]).run();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("no service in this scope has a pod named db-7"),
        "{error}"
    );
}
