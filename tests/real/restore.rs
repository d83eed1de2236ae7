//! Snapshots, and services that are made again from them: after a wipe, elsewhere, in part, and not at all.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::kinds::{record, said};
use crate::screen::{QUICK, launch};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::proxy::{Fate, Proxy};
use crate::support::pty::Launch;
use crate::support::wait;

mod unfinished;

const KINDS: [&str; 4] = [
    "/apis/apps/v1/NS/deployments",
    "/api/v1/NS/configmaps",
    "/api/v1/NS/services",
    "/apis/autoscaling/v2/NS/horizontalpodautoscalers",
];

#[test]
fn a_wiped_namespace_of_sixty_services_comes_back() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("wiped");
    let names: Vec<_> = (0..60).map(|n| format!("svc-{n:02}")).collect();
    for name in &names {
        create(plane, &namespace, name);
    }
    wait_ready(plane, &namespace, &names);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("wiped", Some(&namespace)), home.path());
    let first = snapshot(&rolldeck, home.path(), "first.yaml");
    let mode = first.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&first).unwrap();
    assert_eq!(text.matches("- apiVersion: apps/v1\n").count(), 60);
    assert_eq!(text.matches("@sha256:").count(), 60);
    for of_the_cluster in [
        "uid:",
        "resourceVersion",
        "managedFields",
        "status:",
        "clusterIP",
    ] {
        assert!(!text.contains(of_the_cluster), "{of_the_cluster}");
    }
    wipe(plane, &namespace);
    let file = first.to_str().unwrap();
    let (code, plan) = said(&rolldeck.clone().with(&["restore", file, "--dry-run"]).run());
    assert_eq!(code, 0, "{plan}");
    assert!(plan.contains("create configmap/svc-07; create service/svc-07; create deploy/svc-07; create hpa/svc-07"), "{plan}");
    assert!(
        plan.contains("the server would accept 240 of 240 writes"),
        "{plan}"
    );
    assert!(deployments(plane, &namespace).is_empty());
    let (code, done) = said(&rolldeck.clone().with(&["restore", file, "--yes"]).run());
    assert_eq!(code, 0, "{done}");
    assert!(done.contains("verified: 60 services serve"), "{done}");
    let second = snapshot(&rolldeck, home.path(), "second.yaml");
    let timeless = |file: &Path| {
        let text = std::fs::read_to_string(file).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("taken: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    pretty_assertions::assert_eq!(timeless(&first), timeless(&second));
    let (code, again) = said(&rolldeck.clone().with(&["restore", file, "--yes"]).run());
    assert_eq!(code, 0, "{again}");
    assert!(
        again.contains("all 60 services are there as the file has them"),
        "{again}"
    );
    let record = record(home.path());
    assert_eq!(record.matches(r#""verb":"restore""#).count(), 60);
    let (code, told) = said(&rolldeck.with(&["record", "svc-07"]).run());
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("restore") && told.contains("1/1 pods are ready"),
        "{told}"
    );
}

#[test]
fn a_missing_secret_is_named_before_anything_is_written() {
    let plane = ControlPlane::shared();
    let (from, to) = (plane.namespace("safe"), plane.namespace("dr"));
    secret(plane, &from);
    let needy = json!({"envFrom": [{"secretRef": {"name": "db"}}]});
    let needy = Service::new(&from, "needy").replicas(1).container(needy);
    needy.run(plane, "1.0");
    create(plane, &from, "other");
    wait_ready(plane, &from, &["other".into()]);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("safe", Some(&from));
    let settings = format!(
        "{QUICK}environments: [{{name: dr, cluster: prod-eu, namespaces: [{to}], protection: protected}}]\n"
    );
    let rolldeck = Launch::new(home.path())
        .config(&settings)
        .kubeconfig(&kubeconfig);
    let file = snapshot(
        &rolldeck.clone().with(&["-n", &from]),
        home.path(),
        "safe.yaml",
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("- secret/db\n"), "{text}");
    assert!(!text.contains("aHVudGVyMg"), "{text}");
    let restore = |more: &[&str]| {
        let words = [&["restore", file.to_str().unwrap(), "--env", "dr"], more].concat();
        said(&rolldeck.clone().with(&words).run())
    };
    let (code, text) = restore(&["--yes", "--write", "--name", "2"]);
    assert_eq!(code, 3, "{text}");
    let missing =
        format!("secret/db is not in {to}, and no snapshot holds it: needy cannot run without it");
    assert!(text.contains(&missing), "{text}");
    assert!(deployments(plane, &to).is_empty());
    // What needs no Secret goes all the same, once its name is typed and writes are armed.
    let (code, text) = restore(&["other", "--yes", "--write"]);
    assert_eq!(code, 3, "{text}");
    let (code, text) = restore(&["other", "--yes", "--write", "--name", "other"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(deployments(plane, &to), ["other"]);
    secret(plane, &to);
    let (code, text) = restore(&["--yes", "--write", "--name", "needy"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(deployments(plane, &to), ["needy", "other"]);
    let (code, text) = restore(&["--dry-run", "-n", &from]);
    assert_eq!(code, 2, "{text}");
}

#[test]
fn what_differs_is_left_alone_until_one_says_otherwise() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("differs");
    create(plane, &namespace, "web");
    wait_ready(plane, &namespace, &["web".into()]);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("differs", Some(&namespace));
    let rolldeck = launch(&kubeconfig, home.path());
    let file = snapshot(&rolldeck, home.path(), "web.yaml");
    let web = Service::new(&namespace, "web").replicas(1);
    web.set_image(plane, "2.0");
    web.wait_complete(plane, "2.0");
    let settings = format!("/api/v1/namespaces/{namespace}/configmaps/web");
    let change = json!({"data": {"mode": "changed"}});
    plane.admin().merge(&settings, &change).unwrap();
    let restore = |more: &[&str]| {
        let words = [&["restore", file.to_str().unwrap()], more].concat();
        said(&rolldeck.clone().with(&words).run())
    };
    let (code, text) = restore(&["--yes"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("configmap/web differs and is left alone (here → in the file): data.mode"),
        "{text}"
    );
    assert!(
        text.contains("1 of 1 services differ and are left alone"),
        "{text}"
    );
    assert!(!text.contains("changed"), "{text}");
    assert_eq!(web.live_image(plane), web.image("2.0"));
    let (code, text) = restore(&["--yes", "--overwrite"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        web.live_image(plane)
            .starts_with(&format!("{}@sha256:", web.image("1.0")))
    );
    assert_eq!(
        plane.admin().get(&settings).unwrap()["data"]["mode"],
        "fast"
    );
    let (code, text) = restore(&["--yes", "--overwrite"]);
    assert!(code == 0 && text.contains("nothing to do"), "{text}");
    // Who may only read is told so before anything is sent.
    plane.admin().delete(&web.path()).unwrap();
    let reader = launch(
        &plane.reader("differs-reader", Some(&namespace)),
        home.path(),
    );
    let words = ["restore", file.to_str().unwrap(), "--yes"];
    let (code, text) = said(&reader.with(&words).run());
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("the check permission blocks"), "{text}");
}

#[test]
fn it_stops_at_the_first_failure_and_goes_on_from_there() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("stops");
    let names: Vec<_> = ["a", "b", "c"].map(str::to_owned).into();
    for name in &names {
        create(plane, &namespace, name);
    }
    wait_ready(plane, &namespace, &names);
    let fails = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&fails);
    let proxy = Proxy::start(plane, move |seen| {
        let real = seen.method == "POST" && !seen.uri.contains("dryRun=");
        let third = seen.uri.contains("/deployments?") && still.load(Ordering::Relaxed);
        if real && third {
            Fate::Answer(403)
        } else {
            Fate::Forward
        }
    });
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&proxy.kubeconfig(Some(&namespace)), home.path());
    let file = snapshot(&rolldeck, home.path(), "stops.yaml");
    wipe(plane, &namespace);
    let words = ["restore", file.to_str().unwrap(), "--yes"];
    let (code, text) = said(&rolldeck.clone().with(&words).run());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("ok create service/a"), "{text}");
    assert!(
        text.contains("0 of 3 services are written, and it stopped at deploy/a"),
        "{text}"
    );
    assert!(deployments(plane, &namespace).is_empty());
    fails.store(false, Ordering::Relaxed);
    let (code, text) = said(&rolldeck.with(&words).run());
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("create service/a"), "{text}");
    assert!(text.contains("ok create deploy/a"), "{text}");
    assert_eq!(deployments(plane, &namespace), ["a", "b", "c"]);
}

#[test]
fn a_torn_file_is_told_by_line_and_column() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("torn");
    create(plane, &namespace, "web");
    wait_ready(plane, &namespace, &["web".into()]);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("torn", Some(&namespace)), home.path());
    let file = snapshot(&rolldeck, home.path(), "whole.yaml");
    let whole = std::fs::read_to_string(file).unwrap();
    wipe(plane, &namespace);
    for (text, told) in [
        (whole[..whole.len() / 2].to_owned(), "it is cut off"),
        (
            whole.replace("snapshot/1", "snapshot/9"),
            "line 3, column 9: its format is rolldeck-snapshot/9",
        ),
        (
            whole.replace("name: web\n", "nmae: web\n"),
            "has no metadata.name",
        ),
        (
            whole.replace("  workloads:", "  worklaods:"),
            "unknown field `worklaods`",
        ),
        (
            whole.replace("end: 4", "end: 5"),
            "it says 5 manifests at its end and holds 4",
        ),
    ] {
        assert_ne!(text, whole, "{told}");
        let torn = home.path().join("torn.yaml");
        std::fs::write(&torn, text).unwrap();
        let words = ["restore", torn.to_str().unwrap(), "--yes"];
        let (code, text) = said(&rolldeck.clone().with(&words).run());
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(told), "{text}");
        assert!(text.contains("torn.yaml, line "), "{text}");
    }
    assert!(deployments(plane, &namespace).is_empty());
}

/// A Deployment with a ConfigMap, a Service and an autoscaler of its name.
fn create(plane: &ControlPlane, namespace: &str, name: &str) {
    let settings = json!({"envFrom": [{"configMapRef": {"name": name}}]});
    let service = Service::new(namespace, name)
        .replicas(1)
        .container(settings);
    service.create(plane, "1.0");
    let meta = json!({"name": name});
    let objects = [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"mode": "fast", "text": "a: b\n# c\n"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": meta,
            "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}),
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1, "maxReplicas": 3}}),
    ];
    for (kind, object) in KINDS[1..].iter().zip(objects) {
        plane
            .admin()
            .create(&place(kind, namespace), &object)
            .unwrap();
    }
}

fn place(kind: &str, namespace: &str) -> String {
    kind.replace("NS", &format!("namespaces/{namespace}"))
}

fn secret(plane: &ControlPlane, namespace: &str) {
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"p": "aHVudGVyMg=="}});
    let collection = format!("/api/v1/namespaces/{namespace}/secrets");
    plane.admin().create(&collection, &object).unwrap();
}

fn deployments(plane: &ControlPlane, namespace: &str) -> Vec<String> {
    let all = plane.admin().items(&place(KINDS[0], namespace));
    all.iter()
        .map(|one| one["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

fn wait_ready(plane: &ControlPlane, namespace: &str, names: &[String]) {
    wait::until("all are ready", || {
        let all = plane.admin().items(&place(KINDS[0], namespace));
        let ready = |one: &&Value| one["status"]["readyReplicas"] == one["spec"]["replicas"];
        (all.iter().filter(ready).count() >= names.len()).then_some(())
    });
}

/// Everything that the tests made there, pods and all.
fn wipe(plane: &ControlPlane, namespace: &str) {
    for kind in KINDS {
        plane.admin().delete(&place(kind, namespace)).unwrap();
    }
    wait::until("the namespace is empty", || {
        let pods = plane
            .admin()
            .items(&format!("/api/v1/namespaces/{namespace}/pods"));
        (pods.is_empty() && deployments(plane, namespace).is_empty()).then_some(())
    });
}

fn snapshot(rolldeck: &Launch, home: &Path, name: &str) -> PathBuf {
    let file = home.join(name);
    let (code, text) = said(
        &rolldeck
            .clone()
            .with(&["snapshot", "-o", file.to_str().unwrap()])
            .run(),
    );
    assert_eq!(code, 0, "{text}");
    file
}
