//! What pods use, from a metrics.k8s.io that the test plants: shown with its limits, and given up where there is none.

use serde_json::json;

use crate::screen::open;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::wait;

const METRICS: &str = "/apis/metrics.k8s.io/v1beta1";

#[test]
fn usage_is_shown_with_its_limits_and_given_up_where_nobody_measures() {
    let plane = ControlPlane::own();
    let namespace = plane.namespace("usage");
    let service = Service::new(&namespace, "eater").container(json!({
        "resources": {"limits": {"cpu": "500m", "memory": "100Mi"}}
    }));
    service.run(&plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("eater", Some(&namespace));
    let mut terminal = open(&kubeconfig, home.path());
    terminal.wait_text("eater");
    terminal.keys("\r");
    terminal.wait_text("usage unknown: no metrics.k8s.io here");
    terminal.keys("\x03");
    terminal.wait_exit();
    let asked = plane.asked_by("eater");
    let asked = asked.iter().filter(|asked| asked.uri.starts_with(METRICS));
    assert_eq!(asked.count(), 1, "nobody asks again");

    plant(&plane);
    for (pod, memory) in service.pods(&plane).iter().zip(["92Mi", "20Mi"]) {
        let metrics = json!({
            "apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics",
            "metadata": {"name": pod["metadata"]["name"], "labels": pod["metadata"]["labels"]},
            "timestamp": "2026-01-01T00:00:00Z", "window": "15s",
            "containers": [{"name": "eater", "usage": {"cpu": "125000000n", "memory": memory}}],
        });
        let collection = format!("{METRICS}/namespaces/{namespace}/pods");
        wait::until("the planted kind is served", || {
            plane.admin().create(&collection, &metrics).ok()
        });
    }
    let mut terminal = open(&kubeconfig, home.path());
    terminal.wait_text("eater");
    terminal.keys("\r");
    terminal.wait_text("memory 92% of limit");
    terminal.wait_text("2 use 250m CPU, 112Mi");
    terminal.keys("\x03");
    terminal.wait_exit();
}

/// Objects of the shape in which a metrics server answers.
fn plant(plane: &ControlPlane) {
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "pods.metrics.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, planted by a test"},
        },
        "spec": {
            "group": "metrics.k8s.io", "scope": "Namespaced",
            "names": {"kind": "PodMetrics", "plural": "pods", "singular": "podmetrics"},
            "versions": [{"name": "v1beta1", "served": true, "storage": true, "schema": {"openAPIV3Schema": free}}],
        },
    });
    let collection = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    plane.admin().create(collection, &definition).unwrap();
}
