//! Objects as servers give them, and what is told of each.

use serde_json::json;

use super::*;

fn told(object: &Value, events: &[Value]) -> String {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    describe(object, Ok(events), now).join("\n")
}

fn spec() -> Value {
    json!({
        "serviceAccountName": "shop",
        "nodeSelector": {"disk": "fast"},
        "tolerations": [
            {"key": "team", "value": "a", "effect": "NoSchedule"},
            {"operator": "Exists", "tolerationSeconds": 300},
        ],
        "initContainers": [{"name": "wait", "image": "busybox:1", "command": ["sh", "-c", "sleep 1"]}],
        "containers": [{
            "name": "web", "image": "shop/checkout:2.15.0", "args": ["--port", "80", ""],
            "ports": [{"containerPort": 80, "name": "http", "protocol": "TCP"}, {"containerPort": 81}],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 3},
            "livenessProbe": {"exec": {"command": ["true"]}, "initialDelaySeconds": 5},
            "env": [
                {"name": "LOG_LEVEL", "value": "debug"},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                {"name": "EMPTY"},
            ],
            "envFrom": [{"configMapRef": {"name": "settings"}}, {"prefix": "DB_", "secretRef": {"name": "db"}}],
            "volumeMounts": [{"name": "files", "mountPath": "/etc/app", "readOnly": true, "subPath": "a"}],
        }],
        "volumes": [
            {"name": "files", "configMap": {"name": "files", "optional": true}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "all", "projected": {"sources": [{"secret": {"name": "key"}}, {"serviceAccountToken": {"path": "t"}}]}},
        ],
    })
}

#[test]
fn a_deployment() {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "checkout", "namespace": "shop", "creationTimestamp": "2026-11-19T12:00:00Z",
            "labels": {"app": "checkout", "team": "a"},
            "annotations": {"note": "x", "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
        "spec": {"replicas": 6, "paused": true, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": "checkout"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
            "template": {"metadata": {"labels": {"app": "checkout"}}, "spec": spec()}},
        "status": {"replicas": 6, "updatedReplicas": 2, "readyReplicas": 5, "conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                "lastTransitionTime": "2026-11-23T11:56:00Z", "message": "Deployment has minimum availability."},
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]},
    });
    let events = [
        json!({"type": "Normal", "reason": "ScalingReplicaSet", "message": "Scaled up", "count": 1,
            "source": {"component": "deployment-controller"}, "lastTimestamp": "2026-11-23T11:50:00Z"}),
        json!({"type": "Warning", "reason": "Odd", "message": "often", "series": {"count": 9,
            "lastObservedTime": "2026-11-23T11:59:30.000000Z"}, "reportingComponent": "x"}),
    ];
    insta::assert_snapshot!(told(&object, &events), @"");
}

#[test]
fn a_pod() {
    let object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "checkout-1", "namespace": "shop", "deletionTimestamp": "2026-11-23T11:59:00Z",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "checkout-7d9f", "controller": true}]},
        "spec": spec(),
        "status": {"phase": "Running", "podIP": "10.0.0.1", "qosClass": "Burstable", "startTime": "2026-11-23T11:00:00Z",
            "initContainerStatuses": [{"name": "wait", "ready": true, "restartCount": 0,
                "state": {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-11-23T11:00:05Z"}}}],
            "containerStatuses": [{"name": "web", "ready": false, "restartCount": 14, "imageID": "shop/checkout@sha256:77c0",
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-23T11:58:00Z"}}}]},
    });
    insta::assert_snapshot!(told(&object, &[]), @"");
}

/// It may be asked for with everything that it holds: nothing of that is told.
#[test]
fn a_secret_tells_its_keys_and_nothing_else() {
    let object = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "login", "namespace": "shop", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"password\":\"aHVudGVyMg==\"}}"},
            "managedFields": [{"manager": "helm", "fieldsV1": {"f:data": {".": {}, "f:password": {}, "f:user": {}}}},
                {"manager": "other", "fieldsV1": {"f:metadata": {}}}]},
        "data": {"password": "aHVudGVyMg=="}, "stringData": {"password": "hunter2"},
    });
    let told = told(&object, &[]);
    assert!(
        !told.contains("hunter2") && !told.contains("aHVudGVyMg"),
        "{told}"
    );
    assert!(
        told.contains("KEYS\n  password\n  user\n  rolldeck does not read"),
        "{told}"
    );
}

#[test]
fn any_other_object() {
    let object = json!({
        "apiVersion": "example.com/v1", "kind": "Odd", "metadata": {"name": "odd"},
        "spec": {"replicas": 2, "empty": {}, "names": ["a", "b"], "none": [], "blank": "",
            "text": "one\ntwo",
            "rules": [{"host": "a.example", "paths": [{"path": "/", "port": 80}]}, {"host": "b.example"}]},
        "status": {"phase": "Ready", "conditions": [{"type": "Ready", "status": "True"}]},
    });
    insta::assert_snapshot!(told(&object, &[]), @"");
}

#[test]
fn events_that_may_not_be_read_are_said_to_be_missing() {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let object = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}});
    let lines = describe(&object, Err("not known: no right to list events"), now);
    assert_eq!(
        lines.last().unwrap(),
        "  not known: no right to list events"
    );
}

/// One object may be as large as the server allows.
#[test]
fn what_is_long_is_cut() {
    let object = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"},
        "data": {"lines": "x\n".repeat(100_000), "line": "y".repeat(1_000_000)}});
    let told = told(&object, &[]);
    assert!(
        told.len() < 10_000 && told.contains("see the yaml"),
        "{}",
        told.len()
    );
    assert!(told.contains("EVENTS") || told.contains("… and more"));
}
