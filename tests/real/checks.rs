//! What a plan says of the surroundings of a rollout: settings that changed, quotas, downtime, the way back, siblings.

use std::path::Path;

use serde_json::{Value, json};

use crate::kinds::said;
use crate::screen::{findings, launch, open, wait_first_and_stalled, wait_plan};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, meddle};
use crate::support::wait;

/// What `rolldeck rollback NAME --dry-run` says.
fn planned(kubeconfig: &Path, home: &Path, name: &str) -> String {
    let words = ["rollback", name, "--dry-run"];
    said(&launch(kubeconfig, home).with(&words).run()).1
}

fn create(plane: &ControlPlane, namespace: &str, plural: &str, object: &Value) {
    let collection = format!("/api/v1/namespaces/{namespace}/{plural}?fieldManager=terraform");
    plane.admin().create(&collection, object).unwrap();
}

#[test]
fn settings_that_changed_are_named_with_their_manager_and_never_their_values() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("changed");
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg"}, "data": {"URL": "first-value"}});
    create(plane, &namespace, "configmaps", &settings);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"TOKEN": "hunter2"}});
    create(plane, &namespace, "secrets", &secret);
    let service = Service::new(&namespace, "checkout").container(json!({"envFrom": [
        {"configMapRef": {"name": "cfg"}}, {"secretRef": {"name": "keys"}}]}));
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    service.wait_waiting(plane, "ImagePullBackOff");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let text = planned(&kubeconfig, home.path(), "checkout");
    let unchanged = "ok         no ConfigMap or Secret that it uses changed for ";
    assert!(text.contains(unchanged), "{text}");

    // A second that is not the one in which the target was made.
    meddle(plane, &service);
    let changed = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg"}, "data": {"URL": "second-value"}});
    let file = home.path().join("cfg.yaml");
    std::fs::write(&file, changed.to_string()).unwrap();
    let file = file.display().to_string();
    plane.kubectl(&[
        "-n",
        &namespace,
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager",
        "deployer",
        "-f",
        &file,
    ]);
    let terminal = open(&kubeconfig, home.path());
    wait_first_and_stalled(&terminal, &service, "image");
    terminal.keys("R");
    wait_plan(&terminal);
    let warned = findings(&terminal, "warn");
    let named = |line: &String| {
        line.contains("ConfigMap cfg changed ") && line.ends_with(" ago by deployer")
    };
    assert!(warned.iter().any(named), "{}", terminal.picture());
    let text = planned(&kubeconfig, home.path(), "checkout");
    for screen in [terminal.picture(), text] {
        assert!(!screen.contains("Secret keys"), "{screen}");
        assert!(
            !screen.contains("-value") && !screen.contains("hunter2"),
            "{screen}"
        );
    }

    // Who may not read them is told, and can go on.
    let rules = json!([
        {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods", "events", "configmaps"], "verbs": ["get", "list", "watch"]},
    ]);
    let few = plane.with_rules(&format!("few-{namespace}"), &rules, Some(&namespace));
    let text = planned(&few, home.path(), "checkout");
    assert!(
        text.contains("ago by deployer; no rights to read Secret keys"),
        "{text}"
    );
    assert!(
        text.contains("nothing was changed; --yes executes this plan"),
        "{text}"
    );
}

#[test]
fn a_quota_that_leaves_no_room_is_told_and_one_that_may_not_be_read_as_well() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("room");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0");
    service.wait_complete(plane, "2.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let text = planned(&kubeconfig, home.path(), "checkout");
    assert!(
        text.contains("ok         no quota counts its pods"),
        "{text}"
    );

    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"},
        "spec": {"hard": {"pods": "9", "requests.cpu": "25m"}}});
    create(plane, &namespace, "resourcequotas", &quota);
    let path = format!("/api/v1/namespaces/{namespace}/resourcequotas/team");
    wait::until("the quota counts", || {
        let quota = plane.admin().get(&path).ok()?;
        (quota["status"]["used"]["requests.cpu"] == "20m").then_some(())
    });
    // A quarter of two may be extra, which is one, and none missing. Each asks for 10m.
    let text = planned(&kubeconfig, home.path(), "checkout");
    let full = "warn       quota team: requests.cpu 20m of 25m: no new pod fits and none may be missing, so nothing would move";
    assert!(text.contains(full), "{text}");

    let rules = json!([{"apiGroups": ["", "apps"], "resources": ["deployments", "statefulsets", "daemonsets", "replicasets", "pods", "events"],
        "verbs": ["get", "list", "watch", "patch"]}]);
    let few = plane.with_rules(&format!("few-{namespace}"), &rules, Some(&namespace));
    let text = planned(&few, home.path(), "checkout");
    let denied = format!("unverified no rights to read quotas in {namespace}");
    assert!(text.contains(&denied), "{text}");
}

#[test]
fn downtime_readiness_the_way_back_and_siblings_are_said() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("around");
    let probe = json!({"readinessProbe": {"tcpSocket": {"port": 80}}});
    let (checkout, catalog) = (
        Service::new(&namespace, "checkout").replicas(1),
        Service::new(&namespace, "catalog").container(probe),
    );
    for service in [&checkout, &catalog] {
        service.run(plane, "1.0");
    }
    let recreate = json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}});
    plane.admin().patch(&checkout.path(), &recreate).unwrap();
    for service in [&checkout, &catalog] {
        service.set_image(plane, "2.0");
    }
    for service in [&checkout, &catalog] {
        service.wait_complete(plane, "2.0");
    }
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let text = planned(&kubeconfig, home.path(), "checkout");
    for words in [
        "warn       Recreate: all pods stop before the first new one starts",
        "warn       no readiness probe: a pod counts as ready as soon as it runs",
        "warn       no other revision is kept (10 may be): from there the only way back is 2.0",
        "warn       went out with checkout ",
        " ago: catalog\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = planned(&kubeconfig, home.path(), "catalog");
    assert!(text.contains(" ago: checkout\n"), "{text}");
    for words in ["readiness probe", "nobody is served"] {
        assert!(!text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_is_expected_rests_on_its_own_past_and_stands_beside_what_it_took() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("expected");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0");
    service.wait_complete(plane, "2.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let rollback = |to: &str| {
        let words = ["rollback", "checkout", "--yes", "--to", to];
        let (code, text) = said(&launch(&kubeconfig, home.path()).with(&words).run());
        assert_eq!(code, 0, "{text}");
        text
    };
    let text = rollback("1.0");
    assert!(text.contains(", by how 2 of its pods started; "), "{text}");
    assert!(text.contains(" in all, expected "), "{text}");
    let text = rollback("2.0");
    assert!(text.contains(", as the last on record; "), "{text}");
    let (code, text) = {
        let words = [
            "rollback",
            "checkout",
            "--to",
            "1.0",
            "--dry-run",
            "-o",
            "json",
        ];
        said(&launch(&kubeconfig, home.path()).with(&words).run())
    };
    assert_eq!(code, 0, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert!(report["expectedSeconds"].is_u64(), "{text}");
}
