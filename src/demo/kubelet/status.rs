//! A pod's status, from those of its containers.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::demo::controllers::condition;
use crate::demo::kube::object::{items_at, set, text_at, unset};
use crate::demo::kube::write::stamp;

pub fn is_ready(status: &Value) -> bool {
    let conditions = items_at(status, "/conditions");
    conditions
        .iter()
        .any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// Fills in everything that the kubelet says about a pod.
pub fn fill(pod: &mut Value, containers: Vec<Value>, now: Timestamp) {
    let quality = quality(pod);
    let unready: Vec<_> = containers
        .iter()
        .filter(|container| container["ready"] != true)
        .map(|container| text_at(container, "/name").to_owned())
        .collect();
    let began = |c: &Value| {
        c["state"].get("running").is_some() || c["lastState"].get("terminated").is_some()
    };
    let phase = if containers.iter().all(began) {
        "Running"
    } else {
        "Pending"
    };
    let (own, host) = addresses(pod);
    let status = &mut pod["status"];
    set(status, &["phase"], phase.into());
    if text_at(status, "/startTime").is_empty() {
        set(status, &["startTime"], stamp(now).into());
        set(status, &["qosClass"], quality.into());
        set(status, &["hostIP"], host.as_str().into());
        set(status, &["hostIPs"], json!([{"ip": host}]));
    }
    if phase == "Running" && text_at(status, "/podIP").is_empty() {
        set(status, &["podIP"], own.as_str().into());
        set(status, &["podIPs"], json!([{"ip": own}]));
    }
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    let serves = if unready.is_empty() {
        ("True", "", "")
    } else {
        ("False", "ContainersNotReady", message.as_str())
    };
    for (kind, why) in [
        ("PodReadyToStartContainers", ("True", "", "")),
        ("Initialized", ("True", "", "")),
        ("Ready", serves),
        ("ContainersReady", serves),
        ("PodScheduled", ("True", "", "")),
    ] {
        condition::set(status, kind, why, now);
    }
    tidy_conditions(status);
    set(status, &["containerStatuses"], containers.into());
}

/// Conditions of pods have a time of their last probe instead of one of their last update, and no empty words.
pub fn tidy_conditions(status: &mut Value) {
    let conditions = status["conditions"].as_array_mut();
    for condition in conditions.into_iter().flatten() {
        unset(condition, &["lastUpdateTime"]);
        set(condition, &["lastProbeTime"], Value::Null);
        for field in ["reason", "message"] {
            if condition[field] == "" {
                unset(condition, &[field]);
            }
        }
    }
}

/// `Guaranteed`, `Burstable` or `BestEffort`.
fn quality(pod: &Value) -> &'static str {
    let containers = items_at(pod, "/spec/containers");
    let given = |c: &Value, of: &str| {
        c["resources"][of]
            .as_object()
            .is_some_and(|map| !map.is_empty())
    };
    if !containers
        .iter()
        .any(|c| given(c, "limits") || given(c, "requests"))
    {
        return "BestEffort";
    }
    let equal = |c: &Value| {
        let resources = &c["resources"];
        let both = ["cpu", "memory"]
            .iter()
            .all(|name| resources["limits"].get(name).is_some());
        both && resources["limits"] == resources["requests"]
    };
    if containers.iter().all(equal) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Of the pod and of its node, made from its uid and the node's name: nobody connects to them.
fn addresses(pod: &Value) -> (String, String) {
    let sum = |text: &str| {
        text.bytes().fold(7_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        })
    };
    let node = sum(text_at(pod, "/spec/nodeName")) % 240;
    let own = sum(text_at(pod, "/metadata/uid"));
    let own = format!("10.244.{}.{}", own / 256 % 250, 1 + own % 250);
    (own, format!("10.0.0.{}", 10 + node))
}
