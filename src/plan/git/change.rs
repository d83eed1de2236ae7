//! A change as a strategic merge patch of the workload's manifest.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::domain::WorkloadId;
use crate::domain::template::HASH_LABELS;

/// The lists of a pod template whose items the API server tells apart by a key of theirs; all others are replaced.
const KEYS: [(&str, &str); 11] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("env", "name"),
    ("ports", "containerPort"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("imagePullSecrets", "name"),
    ("hostAliases", "ip"),
    ("topologySpreadConstraints", "topologyKey"),
];

/// What differs between two pod templates. `None` when nothing does.
pub fn template(id: &WorkloadId, before: &Value, after: &Value) -> Option<Value> {
    let template = change(&bare(before), &bare(after))?;
    Some(manifest(id, &json!({"template": template})))
}

pub fn replicas(id: &WorkloadId, count: u32) -> Value {
    manifest(id, &json!({"replicas": count}))
}

pub fn partition(id: &WorkloadId, to: u32) -> Value {
    let rolling = json!({"rollingUpdate": {"partition": to}});
    manifest(id, &json!({"updateStrategy": rolling}))
}

pub fn resumed(id: &WorkloadId) -> Value {
    manifest(id, &json!({"paused": false}))
}

/// Kind, name and the fields of the spec that change.
fn manifest(id: &WorkloadId, spec: &Value) -> Value {
    json!({
        "apiVersion": id.kind.api(),
        "kind": id.kind.name(),
        "metadata": {"name": &*id.name, "namespace": &*id.namespace},
        "spec": spec,
    })
}

/// Without what only controllers write.
fn bare(template: &Value) -> Value {
    let mut bare = template.clone();
    if let Some(labels) = bare
        .pointer_mut("/metadata/labels")
        .and_then(Value::as_object_mut)
    {
        labels.retain(|key, _| !HASH_LABELS.contains(&&**key));
    }
    bare
}

fn change(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let mut changed = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        changed.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        let was = &before[key];
        let by = KEYS.iter().find(|(list, _)| list == key);
        let differs = match (was, value, by) {
            (Value::Array(old), Value::Array(new), Some((_, by))) => items(old, new, by),
            _ => change(was, value),
        };
        if let Some(value) = differs.filter(|value| !(value.is_null() && was.is_null())) {
            changed.insert(key.clone(), value);
        }
    }
    (!changed.is_empty()).then_some(Value::Object(changed))
}

/// Of the items that differ their key and what differs; those that are gone are deleted.
fn items(old: &[Value], new: &[Value], by: &str) -> Option<Value> {
    if old == new {
        return None;
    }
    let whole = || {
        let replace = std::iter::once(json!({"$patch": "replace"}));
        replace.chain(new.iter().cloned()).collect()
    };
    let (Some(_), Some(kept)) = (keys(old, by), keys(new, by)) else {
        return Some(whole());
    };
    let stays = |was: &&Value| kept.contains(&was[by].to_string());
    // Where a new one goes a merge does not say, and of variables that use each other the order matters.
    if !old
        .iter()
        .filter(stays)
        .map(|was| &was[by])
        .eq(new.iter().map(|item| &item[by]))
    {
        return Some(whole());
    }
    let mut changed = Vec::new();
    for (was, item) in old.iter().filter(stays).zip(new) {
        if let Some(Value::Object(mut differs)) = change(was, item) {
            differs.insert(by.to_owned(), item[by].clone());
            changed.push(Value::Object(differs));
        }
    }
    let gone = old.iter().filter(|was| !stays(was));
    changed.extend(gone.map(|was| json!({by: was[by], "$patch": "delete"})));
    Some(Value::Array(changed))
}

/// `None` when an item has no key, or two have the same.
fn keys(items: &[Value], by: &str) -> Option<BTreeSet<String>> {
    let mut seen = BTreeSet::new();
    let once = |item: &Value| !item[by].is_null() && seen.insert(item[by].to_string());
    items.iter().all(once).then_some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(fields: &Value) -> Value {
        let mut container = json!({"name": "web", "image": "web:2"});
        for (key, value) in fields.as_object().unwrap() {
            container[key] = value.clone();
        }
        json!({"metadata": {"labels": {"app": "web", "pod-template-hash": "x"}}, "spec": {"containers": [container]}})
    }

    #[test]
    fn only_what_differs_is_in_it() {
        for (before, after, want) in [
            (json!({}), json!({}), None),
            (
                json!({}),
                json!({"image": "web:1"}),
                Some(json!({"image": "web:1"})),
            ),
            (
                json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]}),
                json!({"env": [{"name": "A", "value": "1"}, {"name": "C", "value": "4"}]}),
                Some(
                    json!({"env": [{"name": "C", "value": "4"}, {"name": "B", "$patch": "delete"}]}),
                ),
            ),
            (
                json!({"env": [{"name": "A"}]}),
                json!({"env": [{"name": "B"}, {"name": "A"}]}),
                Some(json!({"env": [{"$patch": "replace"}, {"name": "B"}, {"name": "A"}]})),
            ),
            (
                json!({"env": [{"name": "A", "value": "1"}], "args": ["a", "b"]}),
                json!({"env": [{"name": "A", "valueFrom": {"x": 1}}], "args": ["b"]}),
                Some(
                    json!({"env": [{"name": "A", "value": null, "valueFrom": {"x": 1}}], "args": ["b"]}),
                ),
            ),
            (
                json!({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}),
                json!({"resources": {"limits": {"cpu": "2"}}}),
                Some(json!({"resources": {"limits": {"cpu": "2", "memory": null}}})),
            ),
            (
                json!({"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]}),
                json!({"ports": [{"containerPort": 80}]}),
                Some(json!({"ports": [{"$patch": "replace"}, {"containerPort": 80}]})),
            ),
        ] {
            let found = change(&bare(&web(&before)), &bare(&web(&after)));
            let want = want.map(|mut fields| {
                fields["name"] = json!("web");
                json!({"spec": {"containers": [fields]}})
            });
            assert_eq!(found, want);
        }
    }
}
