//! What objects of each kind tell, line by line, and what they do not.

use serde_json::{Value, json};

use super::*;

const SECRET: &str = "hunter2";

fn gathered(origin: Origin, object: &Value) -> Gathered {
    let mut into = Gathered::default();
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    occurrences(
        (&"prod-eu".into(), origin),
        &object.to_string(),
        since,
        &mut into,
    )
    .unwrap();
    assert!(!format!("{into:?}").contains(SECRET), "{into:?}");
    into
}

/// `14:02:00 deploy/checkout: words by whom` of each line, with `~` when the time is inferred.
fn told(origin: Origin, object: &Value) -> Vec<String> {
    let line = |one: &Occurrence| {
        let (mark, at) = (if one.inferred { "~" } else { "" }, one.at);
        let by = one.who.name().unwrap_or("?");
        format!(
            "{mark}{} {}: {} by {by}",
            at.strftime("%H:%M:%S"),
            one.subject,
            one.words
        )
    };
    gathered(origin, object).others.iter().map(line).collect()
}

fn at(time: &str) -> String {
    format!("2026-11-23T{time}Z")
}

/// One entry of managedFields.
fn write(manager: &str, time: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": "Update", "time": at(time), "fieldsV1": fields})
}

fn config(name: &str, extra: &Value) -> Value {
    let mut object = json!({"metadata": {"name": name, "namespace": "shop",
        "creationTimestamp": at("12:00:00")}, "data": {"PASSWORD": SECRET}});
    merge(&mut object, extra);
    object
}

fn merge(into: &mut Value, from: &Value) {
    match (&mut *into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

#[test]
fn settings_tell_who_wrote_them_and_never_what() {
    let data = json!({"f:data": {".": {}, "f:PASSWORD": {}}});
    let labels = json!({"f:metadata": {"f:labels": {"f:a": {}}}});
    let writes = json!({"metadata": {"managedFields": [
        write("helm", "12:00:01", &data),
        write("kubectl-edit", "13:00:00", &data),
        // Labels are no settings.
        write("labeller", "14:00:00", &labels),
    ]}});
    let want = [
        "12:00:00 cm/settings: created by helm",
        "13:00:00 cm/settings: content changed by kubectl-edit",
    ];
    assert_eq!(told(Origin::ConfigMaps, &config("settings", &writes)), want);
    let secret = config("login", &writes);
    let lines = gathered(Origin::Secrets, &secret).others;
    assert!(lines.iter().all(|one| one.what == What::Secret));
    let Difference::Words(words) = &lines[1].difference else {
        panic!("{lines:?}")
    };
    assert_eq!(words[1], "Keys that it owns since then: PASSWORD.");
}

#[test]
fn what_the_cluster_writes_for_itself_is_no_change() {
    let lock =
        json!({"metadata": {"annotations": {"control-plane.alpha.kubernetes.io/leader": SECRET}}});
    let token = json!({"metadata": {"annotations": {"kubernetes.io/service-account.name": "x"}}});
    let authority = config("kube-root-ca.crt", &json!({}));
    assert!(told(Origin::ConfigMaps, &config("lock", &lock)).is_empty());
    assert!(told(Origin::ConfigMaps, &authority).is_empty());
    assert!(told(Origin::Secrets, &config("token", &token)).is_empty());
}

#[test]
fn what_is_older_than_asked_for_is_left_out() {
    let old = json!({"metadata": {"creationTimestamp": "2026-11-01T00:00:00Z"}});
    assert!(told(Origin::ConfigMaps, &config("settings", &old)).is_empty());
}

#[test]
fn a_release_of_helm_is_read_from_the_name_and_labels_of_its_secret() {
    let of = |name: &str, labels: Value| {
        let labels = json!({"metadata": {"labels": labels}});
        told(Origin::Secrets, &config(name, &labels))
    };
    let labels = |version: &str, status: &str| json!({"name": "shop", "owner": "helm", "version": version, "status": status});
    assert_eq!(
        of("sh.helm.release.v1.shop.v1", labels("1", "superseded")),
        ["12:00:00 helm/shop: installed, superseded by helm"]
    );
    assert_eq!(
        of("sh.helm.release.v1.shop.v12", labels("12", "deployed")),
        ["12:00:00 helm/shop: rev 11 → 12, deployed by helm"]
    );
    assert_eq!(
        of("sh.helm.release.v1.a.v.b.v3", json!({})),
        ["12:00:00 helm/a.v.b: rev 2 → 3, unknown by helm"]
    );
    assert!(of("sh.helm.release.v1.shop", json!({})).is_empty());
}

#[test]
fn an_autoscaler_tells_its_move_its_limit_and_its_bounds() {
    let object = json!({
        "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": at("10:00:00"), "managedFields": [
            write("kubectl-create", "10:00:00", &json!({"f:spec": {"f:maxReplicas": {}}})),
            write("kubectl-edit", "11:00:00", &json!({"f:spec": {"f:maxReplicas": {}}})),
            {"manager": "kube-controller-manager", "subresource": "status", "time": at("12:00:00"),
                "fieldsV1": {"f:status": {"f:lastScaleTime": {}}}},
        ]},
        "spec": {"minReplicas": 2, "maxReplicas": 10, "scaleTargetRef": {"kind": "Deployment", "name": "checkout"}},
        "status": {"lastScaleTime": at("12:00:00"), "desiredReplicas": 10, "conditions": [
            {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas",
                "lastTransitionTime": at("12:00:30")},
            {"type": "AbleToScale", "status": "True", "lastTransitionTime": at("10:00:00")},
        ]},
    });
    let want = [
        "12:00:00 hpa/web: → 10 replicas (2 to 10) by autoscaler",
        "12:00:30 hpa/web: at its limit: TooManyReplicas by ?",
        "10:00:00 hpa/web: created, 2 to 10 by kubectl-create",
        "11:00:00 hpa/web: bounds 2 to 10 by kubectl-edit",
    ];
    assert_eq!(told(Origin::Autoscalers, &object), want);
    let lines = gathered(Origin::Autoscalers, &object).others;
    assert!(
        lines
            .iter()
            .all(|one| one.services[0].to_string() == "deploy/checkout")
    );
}

#[test]
fn a_node_tells_what_is_wrong_since_when_and_who_took_it_out() {
    let object = json!({
        "metadata": {"name": "node-1", "creationTimestamp": "2026-11-01T00:00:00Z", "managedFields": [
            write("kubectl-cordon", "11:00:00", &json!({"f:spec": {"f:unschedulable": {}}})),
        ]},
        "spec": {"unschedulable": true, "taints": [
            {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": at("11:00:01")},
            {"key": "team", "effect": "NoExecute", "timeAdded": at("11:30:00")},
            {"key": "untimed", "effect": "NoSchedule"},
        ]},
        "status": {"conditions": [
            {"type": "Ready", "status": "Unknown", "lastTransitionTime": at("12:00:00")},
            {"type": "DiskPressure", "status": "True", "lastTransitionTime": at("12:30:00")},
            {"type": "MemoryPressure", "status": "False", "lastTransitionTime": at("12:40:00")},
            {"type": "Untimed", "status": "True"},
        ]},
    });
    let want = [
        "12:00:00 node/node-1: not ready by ?",
        "12:30:00 node/node-1: DiskPressure by ?",
        "11:00:00 node/node-1: cordoned by kubectl-cordon",
        "11:30:00 node/node-1: tainted team NoExecute by ?",
    ];
    assert_eq!(told(Origin::Nodes, &object), want);
    let fresh = json!({"metadata": {"name": "node-2", "creationTimestamp": at("12:00:00")},
        "status": {"conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": at("12:03:00")}]}});
    assert_eq!(
        told(Origin::Nodes, &fresh),
        ["12:00:00 node/node-2: joined the cluster by ?"]
    );
    let again = json!({"metadata": {"name": "node-2", "creationTimestamp": "2026-11-01T00:00:00Z"},
        "status": {"conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": at("12:03:00")}]}});
    assert_eq!(
        told(Origin::Nodes, &again),
        ["12:03:00 node/node-2: ready again by ?"]
    );
}

#[test]
fn argo_cd_tells_each_sync_and_who_began_it() {
    let (first, second) = ("a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c", "6.2.1");
    let object = json!({
        "metadata": {"name": "shop", "namespace": "argocd"},
        "status": {
            "resources": [
                {"kind": "Deployment", "namespace": "shop", "name": "checkout"},
                {"kind": "Service", "namespace": "shop", "name": "checkout"},
            ],
            "history": [
                {"revision": first, "deployedAt": at("10:00:00"), "initiatedBy": {"automated": true}},
                {"revision": "untimed"},
                {"revision": second, "deployedAt": at("11:00:00"), "initiatedBy": {"username": "ada"}},
                {"deployedAt": at("12:00:00")},
            ],
        },
    });
    let want = [
        "10:00:00 application/shop: → a1b9e3c by argocd, by itself",
        "11:00:00 application/shop: untimed → 6.2.1 by ada",
        "12:00:00 application/shop: 6.2.1 → unknown by argocd",
    ];
    assert_eq!(told(Origin::ArgoCd, &object), want);
    let lines = gathered(Origin::ArgoCd, &object).others;
    assert!(matches!(lines[1].who, Who::Person(_)) && lines[1].services.len() == 1);
}

#[test]
fn flux_tells_what_it_applied_about_when_and_each_release() {
    let ready = |status: &str| {
        json!({"metadata": {"name": "apps", "namespace": "flux"}, "status": {
            "lastAppliedRevision": "main@sha1:a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c",
            "conditions": [{"type": "Ready", "status": status, "reason": "BuildFailed",
                "lastTransitionTime": at("10:00:00")}]}})
    };
    let by = "by kustomize-controller";
    assert_eq!(
        told(Origin::Kustomizations, &ready("True")),
        [format!(
            "~10:00:00 kustomization/apps: → main@sha1:a1b9e3c {by}"
        )]
    );
    assert_eq!(
        told(Origin::Kustomizations, &ready("False")),
        [format!(
            "~10:00:00 kustomization/apps: not ready: BuildFailed {by}"
        )]
    );
    assert!(
        told(
            Origin::Kustomizations,
            &json!({"metadata": {"name": "new"}})
        )
        .is_empty()
    );
    let entry = |version: &str, status: &str, time: &str| json!({"chartName": "shop", "chartVersion": version, "status": status, "lastDeployed": at(time)});
    let object = json!({"metadata": {"name": "shop", "namespace": "flux"}, "status": {"history": [
        entry("1.1.0", "deployed", "12:00:00"), entry("1.1.0", "superseded", "11:00:00"),
        entry("1.0.0", "superseded", "10:00:00")]}});
    let want = [
        "12:00:00 helmrelease/shop: shop 1.1.0, deployed by helm-controller",
        "11:00:00 helmrelease/shop: shop 1.0.0 → 1.1.0, superseded by helm-controller",
        "10:00:00 helmrelease/shop: shop 1.0.0, superseded by helm-controller",
    ];
    assert_eq!(told(Origin::HelmReleases, &object), want);
}

#[test]
fn events_warn_and_tell_from_how_many_to_how_many() {
    let event = |reason: &str, kind: &str, name: &str, message: &str, count: u32| {
        json!({"metadata": {"name": "e", "namespace": "shop"}, "reason": reason, "message": message,
            "involvedObject": {"kind": kind, "name": name, "namespace": "shop"},
            "lastTimestamp": at("12:00:00"), "count": count})
    };
    let warning = event(
        "BackOff",
        "Pod",
        "checkout-7d9f8c7b5-x2x4k",
        "restarting",
        14,
    );
    assert_eq!(
        told(Origin::Events, &warning),
        ["12:00:00 pod/checkout-7d9f8c7b5-x2x4k: BackOff: restarting (x14) by ?"]
    );
    let services = gathered(Origin::Events, &warning).others.remove(0).services;
    let services: Vec<_> = services.iter().map(ToString::to_string).collect();
    assert!(services.contains(&"deploy/checkout".into()), "{services:?}");
    let scaled = |message: &str| {
        let event = event("ScalingReplicaSet", "Deployment", "checkout", message, 1);
        let gathered = gathered(Origin::Events, &event);
        assert!(gathered.others.is_empty());
        let scalings = gathered.scalings.iter().map(|told| (told.from, told.to));
        scalings.collect::<Vec<_>>()
    };
    let message = "Scaled up replica set checkout-7d9f from 2 to 6";
    assert_eq!(scaled(message), [(2, 6)]);
    // As servers before 1.30 say it.
    assert!(scaled("Scaled up replica set checkout-7d9f to 6").is_empty());
}

#[test]
fn a_template_names_its_settings_wherever_it_takes_them_from() {
    let spec = json!({
        "volumes": [
            {"name": "a", "configMap": {"name": "files"}},
            {"name": "b", "secret": {"secretName": "login"}},
            {"name": "c", "projected": {"sources": [{"configMap": {"name": "part"}}, {"secret": {"name": "key"}}]}},
            {"name": "d", "emptyDir": {}},
        ],
        "containers": [{"name": "web", "image": "x:1",
            "envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "all-of-it"}}],
            "env": [
                {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "one", "key": "a"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "word", "key": "b", "optional": true}}},
                {"name": "C", "value": SECRET},
            ]}],
    });
    let object = json!({"metadata": {"name": "checkout", "namespace": "shop", "uid": "u",
        "creationTimestamp": at("10:00:00"), "managedFields": [
            write("kubectl", "11:00:00", &json!({"f:spec": {"f:replicas": {}}})),
            {"manager": "kube-controller-manager", "subresource": "status", "time": at("12:00:00"),
                "fieldsV1": {"f:status": {"f:replicas": {}}}},
            {"manager": "keda", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        ]},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "checkout"}},
            "template": {"metadata": {"labels": {"app": "checkout"}}, "spec": spec}}});
    let trace = gathered(Origin::Workloads(Kind::Deployment), &object)
        .traces
        .remove(0);
    let uses: Vec<_> = trace.uses.iter().map(|used| &*used.name).collect();
    let want = [
        "all",
        "files",
        "one",
        "part",
        "all-of-it",
        "key",
        "login",
        "word",
    ];
    assert_eq!(uses, want);
    let writers: Vec<_> = trace.writes.iter().map(|write| &*write.manager).collect();
    assert_eq!(writers, ["kubectl"], "writes of the status are no changes");
    assert_eq!(trace.scaled_by.as_deref(), Some("keda"));
}

#[test]
fn an_object_that_cannot_be_read_is_an_error_and_costs_no_other() {
    let mut into = Gathered::default();
    let since = Timestamp::MIN;
    for origin in Origin::READ {
        let read = occurrences((&"prod-eu".into(), origin), "[1]", since, &mut into);
        assert!(read.is_err(), "{origin:?}");
    }
    assert_eq!(into, Gathered::default());
}
