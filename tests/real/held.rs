//! Canaries without a controller on a real control plane: a Deployment paused half-way, a StatefulSet with a partition.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::kinds::{Set, record, spoken};
use crate::screen::{launch, open, row_of, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, note};
use crate::support::pty::Terminal;
use crate::support::wait;

/// A namespace with its owner.
pub struct Owned {
    pub namespace: String,
    home: tempfile::TempDir,
    kubeconfig: PathBuf,
}

impl Owned {
    pub fn new(plane: &ControlPlane, prefix: &str) -> Self {
        let namespace = plane.namespace(prefix);
        Self {
            home: tempfile::tempdir().unwrap(),
            kubeconfig: plane.owner(&namespace, Some(&namespace)),
            namespace,
        }
    }

    pub fn open(&self) -> Terminal {
        open(&self.kubeconfig, self.home.path())
    }

    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        spoken(&launch(&self.kubeconfig, self.home.path()).with(arguments))
    }

    pub fn record(&self) -> String {
        record(self.home.path())
    }
}

#[test]
fn a_deployment_paused_half_way_is_aborted_in_one_call_and_promoted_to_its_end() {
    let plane = ControlPlane::shared();
    let owned = Owned::new(plane, "half-way");
    let service = Service::new(&owned.namespace, "checkout").replicas(4);
    service.run(plane, "1.0");
    half_way(plane, &service);
    let terminal = owned.open();
    wait_row(&terminal, "checkout", "33% 2 of 6 pods");
    wait_row(&terminal, "checkout", "P A");
    terminal.keys("A");
    wait_plan_to(&terminal, "ABORT");
    let plan = terminal.picture();
    for part in [
        "33% 2 of 6 pods → 0%",
        "rollout resume deploy/checkout &&",
        "the server accepts",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: 4/4 pods run 1.0");
    service.wait_complete(plane, "1.0");
    assert_eq!(service.read(plane)["spec"]["paused"], Value::Null);
    assert_eq!(note(plane, &service)["verb"], "rollback");
    terminal.keys("q");
    half_way(plane, &service);
    wait_row(&terminal, "checkout", "33% 2 of 6 pods");
    let (code, said) = owned.run(&["weight", "checkout", "50", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("stands still"), "{said}");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    let plan = terminal.picture();
    for part in ["33% 2 of 6 pods → 100%", "2 of 4 pods move to its template"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    // Somebody else resumes it first.
    let resume = json!({"spec": {"paused": null}});
    plane.admin().patch(&service.path(), &resume).unwrap();
    terminal.keys("y");
    terminal.wait_text("deploy/checkout was resumed by");
    service.wait_complete(plane, "2.0");
    let record = owned.record();
    assert!(record.contains(r#""verb":"abort""#), "{record}");
    assert_eq!(record.matches(r#""verified":true"#).count(), 1, "{record}");
}

#[test]
fn the_command_line_promotes_one_that_is_paused_half_way() {
    let plane = ControlPlane::shared();
    let owned = Owned::new(plane, "half-way-twin");
    let service = Service::new(&owned.namespace, "checkout").replicas(4);
    service.run(plane, "1.0");
    half_way(plane, &service);
    let (code, said) = owned.run(&["promote", "checkout", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: 4/4 pods run 2.0"), "{said}");
    let pause = json!({"spec": {"paused": true}});
    plane.admin().patch(&service.path(), &pause).unwrap();
    let (code, said) = owned.run(&["promote", "checkout", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("is no canary"), "{said}");
}

#[test]
fn a_partition_is_lowered_pod_by_pod_and_aborted() {
    let plane = ControlPlane::shared();
    let owned = Owned::new(plane, "partition");
    let spec = json!({
        "replicas": 3,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}},
    });
    let db = Set::run(plane, &owned.namespace, "statefulsets", &spec);
    let terminal = owned.open();
    wait_row(&terminal, "db", "1.0");
    db.set_image(plane, "2.0");
    db.wait_tags(plane, &["1.0", "1.0", "2.0"]);
    wait_row(&terminal, "db", "33% 1 of 3 pods");
    wait_row(&terminal, "db", "P A");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    let plan = terminal.picture();
    for part in [
        "partition  2 → 1",
        "db-1: 1 pod of 3 moves",
        "F in place of it",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 2.0");
    db.wait_tags(plane, &["1.0", "2.0", "2.0"]);
    terminal.keys("q");
    wait_row(&terminal, "db", "66% 2 of 3 pods");
    let (code, said) = owned.run(&["weight", "db", "33", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("moves no pod of sts/db back"), "{said}");
    terminal.keys("A");
    wait_plan_to(&terminal, "ABORT");
    terminal.keys("y");
    terminal.wait_text("verified: 3/3 pods run 1.0");
    db.wait_complete(plane, "1.0");
    let partition = &db.read(plane)["spec"]["updateStrategy"]["rollingUpdate"]["partition"];
    assert_eq!(*partition, 1, "it stays");
    db.set_image(plane, "3.0");
    db.wait_tags(plane, &["1.0", "3.0", "3.0"]);
    let (code, said) = owned.run(&["promote", "db", "--full", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    db.wait_complete(plane, "3.0");
}

/// Two of its new pods are there beside the old ones, all serve, and it is paused.
pub fn half_way(plane: &ControlPlane, service: &Service) {
    let change = json!({"spec": {
        "minReadySeconds": 500,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}},
        "template": {"spec": {"containers": [
            {"name": service.name, "image": service.image("2.0")}
        ]}},
    }});
    let path = service.path();
    plane.admin().patch(&path, &change).unwrap();
    let status = |field: &str| service.read(plane)["status"][field].as_u64();
    wait::until("two new pods that wait to count", || {
        (status("updatedReplicas") == Some(2) && status("readyReplicas") == Some(6)).then_some(())
    });
    let pause = json!({"spec": {"paused": true, "minReadySeconds": 0}});
    plane.admin().patch(&path, &pause).unwrap();
    wait::until("all six serve", || {
        (status("availableReplicas") == Some(6)).then_some(())
    });
}

pub fn wait_row(terminal: &Terminal, name: &str, words: &str) {
    terminal.wait_for(&format!("the row of {name} with {words}"), |screen| {
        row_of(screen, name).is_some_and(|row| row.contains(words))
    });
}
