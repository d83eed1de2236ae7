//! Gives a pod a node: the one that got the fewest pods of those that are large enough for it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::condition;
use super::event::Told;
use crate::demo::kube::kind::NODES;
use crate::demo::kube::object::{Key, items_at, set, text_at};
use crate::demo::kube::write::Write;

const SCHEDULER: &str = "default-scheduler";
const OTHER_NODE: &str = "node(s) didn't match Pod's node affinity/selector";
const CORDONED: &str = "node(s) were unschedulable";
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
    let nodes: Vec<_> = nodes.iter().map(|node| node.value()).collect();
    let mut reasons = BTreeMap::new();
    let mut fitting = Vec::new();
    for node in &nodes {
        match obstacle(node, pod) {
            Some(reason) => *reasons.entry(reason).or_default() += 1,
            None => fitting.push(text_at(node, "/metadata/name")),
        }
    }
    let Some(node) = pick(context, &fitting) else {
        unschedulable(
            context,
            key,
            pod,
            &unschedulable_message(nodes.len(), &reasons),
        );
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

/// Why a pod cannot go to a node. What other pods ask for does not count.
fn obstacle(node: &Value, pod: &Value) -> Option<&'static str> {
    let only = only_node(pod);
    let wanted = pod.pointer("/spec/nodeSelector").and_then(Value::as_object);
    let mut wanted = wanted.into_iter().flatten();
    let labels = &node["metadata"]["labels"];
    if only.is_some_and(|only| only != text_at(node, "/metadata/name"))
        || !wanted.all(|(name, text)| labels[name] == *text)
    {
        return Some(OTHER_NODE);
    }
    if node["spec"]["unschedulable"] == true && only.is_none() {
        return Some(CORDONED);
    }
    let room = &node["status"]["allocatable"];
    let room = if room.is_null() {
        &node["status"]["capacity"]
    } else {
        room
    };
    let lacks = |name: &str| amount(&room[name]) < requested(pod, name);
    match () {
        () if lacks("cpu") => Some("Insufficient cpu"),
        () if lacks("memory") => Some("Insufficient memory"),
        () => None,
    }
}

/// The node that got the fewest pods, so that nothing has to be counted.
fn pick(context: &mut Context, names: &[&str]) -> Option<String> {
    let counts: &mut BTreeMap<String, u64> = &mut context.lives.placed;
    let count = |name: &&&str| counts.get(**name).copied().unwrap_or(0);
    let name = (*names.iter().min_by_key(count)?).to_owned();
    *counts.entry(name.clone()).or_default() += 1;
    Some(name)
}

fn unschedulable_message(nodes: usize, reasons: &BTreeMap<&str, usize>) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut told: Vec<_> = reasons
        .iter()
        .map(|(why, n)| format!("{n} {why}"))
        .collect();
    told.sort();
    let hopeless = [OTHER_NODE, CORDONED].map(|why| reasons.get(why).copied().unwrap_or(0));
    let hopeless: usize = hopeless.iter().sum();
    let preemption = [
        (
            nodes - hopeless,
            "No preemption victims found for incoming pod",
        ),
        (hopeless, "Preemption is not helpful for scheduling"),
    ];
    let preemption = preemption.iter().filter(|(count, _)| *count > 0);
    let mut preemption: Vec<_> = preemption.map(|(n, why)| format!("{n} {why}")).collect();
    preemption.sort();
    format!(
        "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {}.",
        told.join(", "),
        preemption.join(", ")
    )
}

fn unschedulable(context: &mut Context, key: &Key, pod: &Value, message: &str) {
    let now = context.now();
    let by = Write::by("kube-scheduler", now).status();
    let _ = context.cluster.store.update(key, &by, |value| {
        let why = ("False", "Unschedulable", message);
        set_pod_condition(&mut value["status"], why, now);
        Ok(())
    });
    let told = Told::warning(SCHEDULER, "FailedScheduling", message.to_owned());
    context.events.tell(&context.cluster, pod, &told);
}

fn set_pod_condition(status: &mut Value, cause: (&str, &str, &str), now: jiff::Timestamp) {
    if !status.is_object() {
        *status = json!({"phase": "Pending"});
    }
    condition::set(status, "PodScheduled", cause, now);
    crate::demo::kubelet::tidy_conditions(status);
}

fn requested(pod: &Value, name: &str) -> f64 {
    let containers = items_at(pod, "/spec/containers").iter();
    let requests = containers.map(|c| amount(&c["resources"]["requests"][name]));
    requests.sum()
}

/// A quantity: `250m`, `1.5`, `64Mi`, `1k`. Nothing is nothing.
fn amount(quantity: &Value) -> f64 {
    const UNITS: [(&str, f64); 9] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("m", 0.001),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
    ];
    let Some(text) = quantity.as_str() else {
        return quantity.as_f64().unwrap_or(0.0);
    };
    let mut units = UNITS.iter();
    let in_unit = units.find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (digits, factor) = in_unit.unwrap_or((text, 1.0));
    digits.parse::<f64>().unwrap_or(0.0) * factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_fits_or_says_why_not() {
        let node = json!({"metadata": {"name": "a", "labels": {"disk": "fast"}},
            "status": {"allocatable": {"cpu": "2", "memory": "4Gi"}}});
        let asks = |cpu: &str, memory: &str| json!({"spec": {"containers": [{"resources": {"requests": {"cpu": cpu, "memory": memory}}}]}});
        let on = |field: &str, value: Value| {
            let mut pod = asks("1", "1Gi");
            pod["spec"][field] = value;
            pod
        };
        let mut bound = asks("1", "1Gi");
        bind_to(&mut bound, "b");
        for (pod, why) in [
            (asks("2000m", "4096Mi"), None),
            (asks("2.5", "1Gi"), Some("Insufficient cpu")),
            (asks("500m", "5G"), Some("Insufficient memory")),
            (on("nodeSelector", json!({"disk": "fast"})), None),
            (
                on("nodeSelector", json!({"disk": "slow"})),
                Some(OTHER_NODE),
            ),
            (bound, Some(OTHER_NODE)),
        ] {
            assert_eq!(obstacle(&node, &pod), why, "{pod}");
        }
    }

    #[test]
    fn every_node_is_counted() {
        let reasons = BTreeMap::from([(OTHER_NODE, 1), ("Insufficient cpu", 2)]);
        assert_eq!(
            unschedulable_message(3, &reasons),
            "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 Insufficient cpu. \
             no new claims to deallocate, preemption: 0/3 nodes are available: \
             1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
        );
    }
}
