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
    let want = r#"
name          checkout
namespace     shop
kind          Deployment (apps/v1)
created       2026-11-19T12:00:00Z, 4d ago
labels        app=checkout
              team=a
annotations   note=x
pods          6 wanted, 2 updated, 5 ready
selects       app=checkout
strategy      RollingUpdate maxSurge 25%, maxUnavailable 1
paused        yes
gives up in   600s

POD TEMPLATE
  labels        app=checkout
  account       shop
  node selector disk=fast
  tolerates     team=a NoSchedule
                everything for 300s

INIT CONTAINER wait
  image         busybox:1
  command       sh -c "sleep 1"

CONTAINER web
  image         shop/checkout:2.15.0
  arguments     --port 80 ""
  ports         80/TCP http, 81/TCP
  requests      cpu 10m, memory 16Mi
  limits        memory 32Mi
  readiness     GET :http/healthz, every 10s, fails after 3
  liveness      runs true, after 5s
  env           LOG_LEVEL=debug
                PASSWORD from secret login, key password
                NODE from spec.nodeName
                EMPTY=
  env from      all of configmap settings
                all of secret db, as DB_…
  mounts        /etc/app from files, its a, read only

VOLUMES
  files         configmap files, if there is one
  data          claim data-0
  tmp           an empty folder
  all           secret key + a token

CONDITIONS
  Available    True   MinimumReplicasAvailable    4m  Deployment has minimum availability.
  Progressing  False  ProgressDeadlineExceeded

EVENTS
   30s x9    Warning  Odd                often (x)
   10m       Normal   ScalingReplicaSet  Scaled up (deployment-controller)"#;
    assert_eq!(format!("\n{}", told(&object, &events)), want);
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
    let want = r#"
name          checkout-1
namespace     shop
kind          Pod (v1)
deleting      2026-11-23T11:59:00Z, 1m ago
owner         ReplicaSet/checkout-7d9f
phase         Running
started       2026-11-23T11:00:00Z, 1h ago
address       10.0.0.1
account       shop
quality       Burstable
node selector disk=fast
tolerates     team=a NoSchedule
              everything for 300s

INIT CONTAINER wait
  state         ended 2026-11-23T11:00:05Z, 59m ago, exit 0: Completed
  ready         yes
  restarts      0
  image         busybox:1
  command       sh -c "sleep 1"

CONTAINER web
  state         waiting: CrashLoopBackOff: back-off 5m0s
  before        ended 2026-11-23T11:58:00Z, 2m ago, exit 137: OOMKilled
  ready         no
  restarts      14
  image         shop/checkout:2.15.0
  image id      shop/checkout@sha256:77c0
  arguments     --port 80 ""
  ports         80/TCP http, 81/TCP
  requests      cpu 10m, memory 16Mi
  limits        memory 32Mi
  readiness     GET :http/healthz, every 10s, fails after 3
  liveness      runs true, after 5s
  env           LOG_LEVEL=debug
                PASSWORD from secret login, key password
                NODE from spec.nodeName
                EMPTY=
  env from      all of configmap settings
                all of secret db, as DB_…
  mounts        /etc/app from files, its a, read only

VOLUMES
  files         configmap files, if there is one
  data          claim data-0
  tmp           an empty folder
  all           secret key + a token

EVENTS
  none in the last hour"#;
    assert_eq!(format!("\n{}", told(&object, &[])), want);
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
    let want = r#"
name          odd
kind          Odd (example.com/v1)

SPEC
  blank         ""
  empty         {}
  names         a, b
  none          []
  replicas      2
  rules
    - host          a.example
      paths
        - path          /
          port          80
    - host          b.example
  text
    one
    two

STATUS
  phase         Ready

CONDITIONS
  Ready  True

EVENTS
  none in the last hour"#;
    assert_eq!(format!("\n{}", told(&object, &[])), want);
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
        told.len() < 20_000 && told.contains("see the yaml"),
        "{}",
        told.len()
    );
    assert!(told.ends_with("EVENTS\n  none in the last hour"), "{told}");
}
