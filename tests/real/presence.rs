//! Who is at a workload, told to another rolldeck while a plan is carried out, and to nobody without the rights.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::screen::{findings, launch, row_of, wait_plan};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::proxy::{Fate, Proxy};
use crate::support::pty::Launch;
use crate::support::wait;

const SAID: &str = "verifySeconds: 1\npresence: true\n";

fn upgraded(plane: &ControlPlane, namespace: &str) -> Service {
    let service = Service::new(namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0");
    service.wait_complete(plane, "2.0");
    service
}

fn said(launch: Launch) -> Launch {
    launch.config(SAID)
}

fn lease(namespace: &str) -> String {
    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
    format!("{leases}/rolldeck-deployment-checkout")
}

#[test]
fn another_plan_says_who_is_at_it() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("present");
    upgraded(plane, &namespace);
    let proxy = Proxy::start(plane, |seen| {
        if seen.real_patch() && seen.uri.contains("/deployments/") {
            Fate::Hang
        } else {
            Fate::Forward
        }
    });
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let kubeconfig = proxy.kubeconfig(Some(&namespace));
    let first = said(launch(&kubeconfig, homes[0].path())).open();
    first.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    first.keys("R");
    wait_plan(&first);
    assert!(!first.picture().contains("is rolling back"), "nobody is");
    first.keys("y");
    wait::until("the lease", || plane.admin().get(&lease(&namespace)).ok());
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let second = said(launch(&kubeconfig, homes[1].path())).open();
    second.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    second.keys("R");
    wait_plan(&second);
    let warned = findings(&second, "warn").join(" ");
    assert!(
        warned.contains("is rolling back deploy/checkout (since"),
        "{warned}"
    );
}

#[test]
fn it_ends_with_the_plan_and_hangs_on_no_right() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("present-ends");
    let service = upgraded(plane, &namespace);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&asked);
    let proxy = Proxy::start(plane, move |seen| {
        if seen.uri.contains("/leases") {
            sink.lock().unwrap().push(seen.method.clone());
        }
        Fate::Forward
    });
    let home = tempfile::tempdir().unwrap();
    let run = |launch: Launch, arguments: &[&str]| {
        let output = said(launch).with(arguments).run();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{error}");
        String::from_utf8_lossy(&output.stdout).into_owned() + &error
    };
    let through = || launch(&proxy.kubeconfig(Some(&namespace)), home.path());
    run(through().with(&["--readonly"]), &["status"]);
    run(through(), &["rollback", "checkout", "--dry-run"]);
    assert_eq!(*asked.lock().unwrap(), ["GET"], "only looked at for a plan");
    run(through(), &["rollback", "checkout", "--yes"]);
    service.wait_complete(plane, "1.0");
    assert_eq!(
        asked.lock().unwrap()[1..],
        ["GET", "GET", "POST", "DELETE"].map(String::from)
    );
    assert!(plane.admin().get(&lease(&namespace)).is_err(), "it is gone");

    // One that somebody left in the middle is over, and is taken.
    let old = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "rolldeck-deployment-checkout"}, "spec": {"holderIdentity": "gone@bastion",
        "leaseDurationSeconds": 30, "renewTime": "2020-01-01T00:00:00.000000Z"}});
    let leases = lease(&namespace);
    let (leases, _) = leases.rsplit_once('/').unwrap();
    plane.admin().create(leases, &old).unwrap();
    let all = run(through(), &["restart", "checkout", "--yes"]);
    assert!(!all.contains("gone@bastion"), "{all}");
    assert_eq!(
        asked.lock().unwrap()[5..],
        ["GET", "GET", "PATCH", "DELETE"].map(String::from)
    );

    let rules = json!([{"apiGroups": ["apps", ""], "verbs": ["get", "list", "watch", "patch"], "resources":
        ["deployments", "statefulsets", "daemonsets", "replicasets", "controllerrevisions", "pods", "events"]}]);
    let user = format!("{namespace}-blind");
    let blind = plane.with_rules(&user, &rules, Some(&namespace));
    let all = run(
        launch(&blind, home.path()),
        &["restart", "checkout", "--yes"],
    );
    assert!(!all.contains("lease"), "{all}");
}
