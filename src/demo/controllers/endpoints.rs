//! What Services send to: the pods that their selectors choose, as one slice of endpoints each. A Service that stood
//! there before the first request has one once any of its pods changes.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::pods::{Pod, reference};
use super::{Context, MANAGER};
use crate::demo::kube::kind::{ENDPOINT_SLICES, PODS, SERVICES};
use crate::demo::kube::object::{Kept, Key, items_at, set, text_at};
use crate::demo::kube::store::Change;
use crate::demo::kube::write::Write;

pub fn reconcile(context: &Context, key: &Key, service: &Value) -> Option<Duration> {
    let selector = selector(service)?;
    let store = &context.cluster.store;
    let pods = store.list(&PODS, Some(&key.namespace));
    let chosen = pods.iter().filter(|pod| chooses(selector, pod));
    let endpoints: Vec<_> = chosen.filter_map(|pod| endpoint(&Pod::of(pod))).collect();
    let by = Write::by(MANAGER, context.now());
    let uid = text_at(service, "/metadata/uid");
    // One that is gone in the meantime needs none, and what is full or not taken is tried with the next change.
    let _ = match store.owned_by(uid, &ENDPOINT_SLICES).first() {
        Some(slice) => store.update(&slice.key, &by, |value| {
            set(value, &["endpoints"], endpoints.into());
            Ok(())
        }),
        None => store.create(&ENDPOINT_SLICES, slice(key, service, &endpoints), &by),
    };
    None
}

/// The Services of a pod that begins or ceases to serve.
pub fn keys(context: &Context, change: &Change) -> Vec<Key> {
    let serves = |pod: &Kept| {
        let says = |text: &str| pod.text.contains(text);
        says(r#""podIP""#) && !says(r#""ready":false"#) && !says(r#""deletionTimestamp""#)
    };
    // A new one has no address yet.
    let Some(before) = &change.before else {
        return Vec::new();
    };
    let same = serves(before) == serves(&change.after) && before.labels == change.after.labels;
    if same && !change.deleted {
        return Vec::new();
    }
    let namespace = &change.after.key.namespace;
    let services = context.cluster.store.list(&SERVICES, Some(namespace));
    let chosen = services.iter().filter(|service| {
        let service = service.value();
        let mut pods = [before, &change.after].into_iter();
        selector(&service).is_some_and(|selector| pods.any(|pod| chooses(selector, pod)))
    });
    chosen.map(|service| service.key.clone()).collect()
}

/// `None` of one that chooses no pods by itself.
fn selector(service: &Value) -> Option<&Map<String, Value>> {
    let selector = service["spec"]["selector"].as_object();
    selector.filter(|labels| !labels.is_empty())
}

fn chooses(selector: &Map<String, Value>, pod: &Kept) -> bool {
    let mut labels = selector.iter();
    labels.all(|(key, value)| pod.labels.get(&**key).map(|label| &**label) == value.as_str())
}

/// `None` of a pod that has no address yet, or ended for good.
fn endpoint(pod: &Pod) -> Option<Value> {
    let address = text_at(&pod.value, "/status/podIP");
    if address.is_empty() || pod.is_over() {
        return None;
    }
    let (ready, going) = (pod.ready(), pod.deleting());
    Some(json!({
        "addresses": [address],
        "conditions": {"ready": ready && !going, "serving": ready, "terminating": going},
        "nodeName": pod.value["spec"]["nodeName"],
        "targetRef": {
            "kind": "Pod", "namespace": pod.key.namespace, "name": pod.key.name, "uid": pod.uid,
        },
    }))
}

fn slice(key: &Key, service: &Value, endpoints: &[Value]) -> Value {
    let ports = items_at(service, "/spec/ports").iter();
    let ports: Vec<_> = ports
        .map(|port| {
            let name = text_at(port, "/name");
            json!({"name": name, "port": port["targetPort"], "protocol": port["protocol"]})
        })
        .collect();
    json!({
        "metadata": {
            "generateName": format!("{}-", key.name),
            "namespace": key.namespace,
            "labels": {
                "kubernetes.io/service-name": key.name,
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            "ownerReferences": [reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": ports,
    })
}
