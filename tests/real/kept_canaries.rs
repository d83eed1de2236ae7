//! Canaries that a person moves and git keeps, on a real API server: what their plans say of each object, and what they offer.

use serde_json::{Value, json};

use crate::held::{Owned, half_way};
use crate::kinds::Set;
use crate::pairs::{Pair, gateway};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;

const API: &str = "kustomize.toolkit.fluxcd.io/v1";

fn collection(namespace: &str) -> String {
    format!("/apis/{API}/namespaces/{namespace}/kustomizations")
}

/// A Kustomization that is applied again every ten minutes.
fn kustomization(plane: &ControlPlane, namespace: &str) {
    let object = json!({
        "apiVersion": API, "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": namespace},
        "spec": {"interval": "10m", "path": "./apps", "prune": false,
            "sourceRef": {"kind": "GitRepository", "name": "shop"}},
    });
    let collection = collection(namespace);
    plane.admin().create(&collection, &object).unwrap();
}

fn suspended(plane: &ControlPlane, namespace: &str) -> Value {
    let path = format!("{}/apps", collection(namespace));
    plane.admin().get(&path).unwrap()["spec"]["suspend"].clone()
}

/// As it marks what it keeps.
fn marks(namespace: &str) -> Value {
    json!({"metadata": {"labels": {
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": namespace,
    }}})
}

#[test]
fn each_object_of_a_pair_that_git_keeps_is_named_and_its_change_is_offered() {
    let plane = gateway();
    let owned = Owned::new(plane, "kept-pair");
    let namespace = &owned.namespace;
    let pair = Pair::apart(plane, namespace);
    pair.wait_serving("checkout-canary", 1);
    kustomization(plane, namespace);
    let (api, marks) = ("gateway.networking.k8s.io/v1", marks(namespace));
    let backends = json!([
        {"name": "checkout", "port": 80, "weight": 80},
        {"name": "checkout-canary", "port": 80, "weight": 20},
    ]);
    let mut route = json!({
        "kind": "HTTPRoute", "metadata": {"name": "checkout"},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": backends}]},
    });
    route["metadata"]["labels"] = marks["metadata"]["labels"].clone();
    pair.create(api, "httproutes", &route);
    for name in ["checkout", "checkout-canary"] {
        pair.patch(name, &marks);
    }
    let (code, said) = owned.run(&["weight", "checkout-canary", "40", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    let words = "kustomization apps owns httproute/checkout, and what git says is back within 10m";
    assert!(said.contains(words), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("route.yaml");
    let file = file.to_str().unwrap();
    let (code, said) = owned.run(&["weight", "checkout-canary", "40", "--git-patch", file]);
    assert_eq!(code, Some(0), "{said}");
    // It is what it says that it is.
    let patch = [
        "-n",
        namespace,
        "patch",
        "httproute/checkout",
        "--type",
        "json",
    ];
    plane.kubectl(&[&patch[..], &["--patch-file", file]].concat());
    let path = format!("/apis/{api}/namespaces/{namespace}/httproutes/checkout");
    let route = plane.admin().get(&path).unwrap();
    let refs = &route["spec"]["rules"][0]["backendRefs"];
    assert_eq!(
        (&refs[0]["weight"], &refs[1]["weight"]),
        (&json!(60), &json!(40))
    );
    assert_eq!(refs[0]["port"], 80, "all else stays");
    let (code, said) = owned.run(&["promote", "checkout-canary", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    let words = "owns deploy/checkout and httproute/checkout and deploy/checkout-canary";
    assert!(said.contains(words), "{said}");
    assert_eq!(suspended(plane, namespace), Value::Null);
    let (code, said) = owned.run(&["promote", "checkout-canary", "--yes", "--suspend-sync"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(suspended(plane, namespace), true);
    assert_eq!(pair.read("checkout-canary")["spec"]["replicas"], 0);
}

#[test]
fn a_partition_and_a_pause_that_git_keeps_are_told_apart() {
    let plane = gateway();
    let owned = Owned::new(plane, "kept-held");
    let namespace = &owned.namespace;
    kustomization(plane, namespace);
    let marks = marks(namespace);
    let spec = json!({
        "replicas": 3,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}},
    });
    let db = Set::run(plane, namespace, "statefulsets", &spec);
    db.set_image(plane, "2.0");
    db.wait_tags(plane, &["1.0", "1.0", "2.0"]);
    let path = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/db");
    plane.admin().patch(&path, &marks).unwrap();
    let (code, said) = owned.run(&["promote", "db", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    let words = "kustomization apps owns it, and what git says is back within 10m";
    assert!(said.contains(words), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("db.yaml");
    let file = file.to_str().unwrap();
    let (code, said) = owned.run(&["promote", "db", "--git-patch", file]);
    assert_eq!(code, Some(0), "{said}");
    plane.kubectl(&["-n", namespace, "patch", "sts/db", "--patch-file", file]);
    db.wait_tags(plane, &["1.0", "2.0", "2.0"]);
    // A pause is in git only where somebody wrote it there.
    let service = Service::new(namespace, "checkout").replicas(4);
    service.run(plane, "1.0");
    half_way(plane, &service);
    plane.admin().patch(&service.path(), &marks).unwrap();
    let (code, said) = owned.run(&["promote", "checkout", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("where git has this too"), "{said}");
    assert_eq!(suspended(plane, namespace), Value::Null);
}
