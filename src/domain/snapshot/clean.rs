//! Takes off an object what its cluster added to it: what is left makes the same object anywhere.

use serde_json::{Map, Value};

use crate::domain::action_note;

/// Notes that speak of one object in one cluster: those of controllers, of kubectl, and our own.
const NOTES: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.daemonset.template.generation",
    "rollout.argoproj.io/revision",
    "rollout.argoproj.io/workload-generation",
    "argo-rollouts.argoproj.io/managed-by-rollouts",
    action_note::ANNOTATION,
    action_note::TURN,
];
const NOTES_OF: &[&str] = &[
    "deployment.kubernetes.io/",
    "autoscaling.alpha.kubernetes.io/",
    "endpoints.kubernetes.io/",
];

/// What Argo Rollouts adds to the selectors of Services, so that each sends to one side.
const SIDE: &str = "rollouts-pod-template-hash";

/// Of its metadata the name, labels and annotations stay.
pub fn clean(mut body: Value) -> Value {
    let kind = body["kind"].as_str().unwrap_or_default().to_owned();
    if let Some(object) = body.as_object_mut() {
        object.remove("status");
        let metadata = object.remove("metadata").unwrap_or_default();
        object.insert("metadata".into(), kept(metadata));
        if kind == "ServiceAccount" {
            // Tokens of before.
            object.remove("secrets");
        }
    }
    if kind == "Service" {
        of_service(&mut body["spec"]);
    }
    // A pause is of the moment: what is made with one gets no pods at all.
    if ["Deployment", "Rollout"].contains(&&*kind)
        && let Some(spec) = body["spec"].as_object_mut()
    {
        spec.remove("paused");
    }
    let claims = body.pointer_mut("/spec/volumeClaimTemplates");
    for claim in claims.and_then(Value::as_array_mut).into_iter().flatten() {
        *claim = clean(claim.take());
    }
    // Older servers write `creationTimestamp: null` into templates.
    let template = body.pointer_mut("/spec/template/metadata");
    if let Some(metadata) = template.and_then(Value::as_object_mut) {
        metadata.remove("creationTimestamp");
    }
    body
}

fn kept(mut metadata: Value) -> Value {
    let mut kept = Map::new();
    for field in ["name", "labels", "annotations"] {
        let mut value = metadata[field].take();
        if let (Some(notes), "annotations") = (value.as_object_mut(), field) {
            let ours = |key: &str| {
                NOTES.contains(&key) || NOTES_OF.iter().any(|start| key.starts_with(start))
            };
            notes.retain(|key, _| !ours(key));
        }
        if !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty()) {
            kept.insert(field.into(), value);
        }
    }
    kept.into()
}

/// Addresses and node ports are given out by each cluster.
fn of_service(spec: &mut Value) {
    let headless = spec["clusterIP"] == "None";
    let one_family = spec["ipFamilyPolicy"] == "SingleStack";
    let Some(fields) = spec.as_object_mut() else {
        return;
    };
    fields.remove("clusterIPs");
    fields.remove("healthCheckNodePort");
    if let Some(selector) = fields.get_mut("selector").and_then(Value::as_object_mut) {
        selector.remove(SIDE);
    }
    if !headless {
        fields.remove("clusterIP");
    }
    if one_family {
        fields.remove("ipFamilies");
        fields.remove("ipFamilyPolicy");
    }
    let ports = fields.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            port.remove("nodePort");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_cluster_added_is_taken_off() {
        let live = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": 3,
                "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [{}], "labels": {"team": "a"},
                "finalizers": ["x"], "ownerReferences": [{"uid": "o"}],
                "annotations": {
                    "deployment.kubernetes.io/revision": "3", "rolldeck.dev/action": "{}",
                    "rolldeck.dev/job": "shop/web",
                },
            },
            "spec": {"replicas": 2, "template": {"metadata": {"creationTimestamp": null, "labels": {"app": "web"}}}},
            "status": {"replicas": 2},
        });
        let want = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"team": "a"}, "annotations": {"rolldeck.dev/job": "shop/web"}},
            "spec": {"replicas": 2, "template": {"metadata": {"labels": {"app": "web"}}}},
        });
        assert_eq!(clean(live), want);
        assert_eq!(clean(want.clone()), want);
        let settings =
            json!({"kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "1"}});
        assert_eq!(clean(settings.clone()), settings);
    }

    #[test]
    fn what_a_release_in_its_middle_wrote_is_taken_off_as_well() {
        let service = json!({"kind": "Service", "metadata": {"name": "active", "annotations": {
                "argo-rollouts.argoproj.io/managed-by-rollouts": "cart"}},
            "spec": {"selector": {"app": "cart", "rollouts-pod-template-hash": "7d9"}}});
        assert_eq!(
            clean(service),
            json!({"kind": "Service", "metadata": {"name": "active"}, "spec": {"selector": {"app": "cart"}}})
        );
        for kind in ["Deployment", "Rollout"] {
            let paused = json!({"kind": kind, "metadata": {"name": "cart"}, "spec": {"paused": true, "replicas": 2}});
            assert_eq!(clean(paused)["spec"], json!({"replicas": 2}));
        }
    }

    #[test]
    fn a_service_gets_its_address_anew_and_a_headless_one_stays_so() {
        let service = |address: &str| {
            json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {
                "clusterIP": address, "clusterIPs": [address], "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack", "ports": [{"port": 80, "nodePort": 30001}]}})
        };
        let cleaned = clean(service("10.0.0.7"));
        assert_eq!(cleaned["spec"], json!({"ports": [{"port": 80}]}));
        let headless = json!({"clusterIP": "None", "ports": [{"port": 80}]});
        assert_eq!(clean(service("None"))["spec"], headless);
    }
}
