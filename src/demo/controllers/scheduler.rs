//! Gives a pod a node: the one with the fewest pods of those that have room.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::event::Told;
use super::pods::set_condition;
use crate::demo::kube::kind::NODES;
use crate::demo::kube::object::{Key, items_at, set, text_at};
use crate::demo::kube::write::Write;

const SCHEDULER: &str = "default-scheduler";
const AGAIN: Duration = Duration::from_secs(10);

/// Where the name of the only node of a pod stands.
const ONLY_NODE: [&str; 4] = [
    "spec",
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
];

/// Leaves a pod no other node.
pub fn bind_to(pod: &mut Value, node: &str) {
    let field = json!({"key": "metadata.name", "operator": "In", "values": [node]});
    let required = json!({"nodeSelectorTerms": [{"matchFields": [field]}]});
    set(pod, &ONLY_NODE, required);
}

/// The node that a pod was bound to before it was scheduled.
pub fn only_node(pod: &Value) -> Option<&str> {
    let path = format!(
        "/{}/nodeSelectorTerms/0/matchFields/0/values/0",
        ONLY_NODE.join("/")
    );
    pod.pointer(&path)?.as_str()
}

pub fn reconcile(context: &mut Context, key: &Key, pod: &Value) -> Option<Duration> {
    let nodes = context.cluster.store.list(&NODES, None);
    let wanted = milli_cpu(pod);
    let only = only_node(pod);
    let room = |node: &Value| {
        milli(text_at(node, "/status/allocatable/cpu")) >= wanted
            && only.is_none_or(|only| only == text_at(node, "/metadata/name"))
    };
    let nodes: Vec<_> = nodes.iter().map(|node| node.value()).filter(room).collect();
    let Some(node) = pick(context, &nodes) else {
        unschedulable(context, key, pod);
        return Some(AGAIN);
    };
    let by = Write::by("kube-scheduler", context.now());
    let store = &context.cluster.store;
    let bound = store.update(key, &by, |value| {
        set(value, &["spec", "nodeName"], node.as_str().into());
        Ok(())
    });
    bound.ok()?;
    let now = context.now();
    let _ = store.update(key, &by.status(), |value| {
        set_pod_condition(&mut value["status"], ("True", "", ""), now);
        Ok(())
    });
    let message = format!(
        "Successfully assigned {}/{} to {node}",
        key.namespace, key.name
    );
    let told = Told::normal(SCHEDULER, "Scheduled", message);
    context.events.tell(&context.cluster, pod, &told);
    None
}

/// The node with the fewest pods that came lately, so that nothing has to be counted.
fn pick(context: &mut Context, nodes: &[Value]) -> Option<String> {
    let names = nodes.iter().map(|node| text_at(node, "/metadata/name"));
    let counts: &mut BTreeMap<String, u64> = &mut context.lives.placed;
    let name = names.min_by_key(|name| counts.get(*name).copied().unwrap_or(0))?;
    *counts.entry(name.to_owned()).or_default() += 1;
    Some(name.to_owned())
}

fn unschedulable(context: &mut Context, key: &Key, pod: &Value) {
    let count = context.cluster.store.list(&NODES, None).len();
    let message = match count {
        0 => "no nodes available to schedule pods".to_owned(),
        count => format!(
            "0/{count} nodes are available: {count} Insufficient cpu. preemption: 0/{count} nodes are available: {count} No preemption victims found for incoming pod."
        ),
    };
    let now = context.now();
    let by = Write::by("kube-scheduler", now).status();
    let _ = context.cluster.store.update(key, &by, |value| {
        let why = ("False", "Unschedulable", message.as_str());
        set_pod_condition(&mut value["status"], why, now);
        Ok(())
    });
    let told = Told::warning(SCHEDULER, "FailedScheduling", message);
    context.events.tell(&context.cluster, pod, &told);
}

fn set_pod_condition(status: &mut Value, cause: (&str, &str, &str), now: jiff::Timestamp) {
    if !status.is_object() {
        *status = json!({"phase": "Pending"});
    }
    set_condition(status, "PodScheduled", cause, now);
    crate::demo::kubelet::tidy_conditions(status);
}

fn milli_cpu(pod: &Value) -> u64 {
    let containers = items_at(pod, "/spec/containers");
    let asked = |c: &Value| milli(text_at(c, "/resources/requests/cpu"));
    containers.iter().map(asked).sum()
}

/// Thousandths of a core: `250m`, `2`, `1k`.
fn milli(quantity: &str) -> u64 {
    let (digits, factor) = if let Some(digits) = quantity.strip_suffix('m') {
        (digits, 1)
    } else if let Some(digits) = quantity.strip_suffix('k') {
        (digits, 1_000_000)
    } else {
        (quantity, 1_000)
    };
    digits.parse::<u64>().unwrap_or(0) * factor
}
