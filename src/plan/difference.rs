//! What differs between two pod templates, in lines for a person. Values of environment variables are never told.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Difference;
use crate::domain::image;
use crate::domain::template::HASH_LABELS;

/// The longest value that is shown; the yaml screen has the rest.
const LONGEST: usize = 80;

/// The longest value of a label or an annotation, whose key stands beside it.
const METADATA: usize = 22;

/// Fields of a container that have a word of their own; all others are named by their path.
const WORDS: [(&str, &str); 7] = [
    ("image", "image"),
    ("command", "command"),
    ("args", "args"),
    ("resources", "resources"),
    ("livenessProbe", "liveness probe"),
    ("readinessProbe", "readiness probe"),
    ("startupProbe", "startup probe"),
];

/// From `before` to `after`: images first, then env, then the rest.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    for group in ["containers", "initContainers"] {
        containers(group, before, after, &mut found);
    }
    volumes(before, after, &mut found);
    metadata(before, after, &mut found);
    others(before, after, &mut found);
    found.sort_by_key(|difference| match difference.what.as_str() {
        "image" => 0,
        "container" => 1,
        "env" => 2,
        _ => 3,
    });
    found
}

fn containers(group: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let old = by_name(&before["spec"][group]);
    let new = by_name(&after["spec"][group]);
    let alone = old.len() == 1 && new.len() == 1 && group == "containers";
    for (name, value) in &new {
        match old.get(name) {
            Some(was) => {
                let prefix = if alone {
                    String::new()
                } else {
                    format!("{name}: ")
                };
                container(was, value, &prefix, found);
            }
            None => push(
                found,
                "container",
                format!("+{name} ({})", short(&value["image"])),
            ),
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        push(found, "container", format!("-{name}"));
    }
}

fn container(old: &Value, new: &Value, prefix: &str, found: &mut Vec<Difference>) {
    for (field, word) in WORDS {
        if old[field] != new[field] {
            let words = match (field, old[field].as_str(), new[field].as_str()) {
                ("image", Some(from), Some(to)) => image::change(from, to),
                _ => format!("{} → {}", short(&old[field]), short(&new[field])),
            };
            push(found, word, format!("{prefix}{words}"));
        }
    }
    let env = names(&old["env"], &new["env"]);
    if !env.is_empty() {
        push(found, "env", format!("{prefix}{env}"));
    } else if old["env"] != new["env"] {
        push(found, "env", format!("{prefix}in another order"));
    }
    let known = |key: &str| key == "env" || WORDS.iter().any(|(field, _)| *field == key);
    for key in keys(old, new) {
        if !known(&key) {
            by_path(&format!("{prefix}{key}"), &old[&key], &new[&key], found);
        }
    }
}

fn volumes(before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let (old, new) = (&before["spec"]["volumes"], &after["spec"]["volumes"]);
    let text = names(old, new);
    if !text.is_empty() {
        push(found, "volumes", text);
    } else if old != new {
        push(found, "volumes", "in another order".into());
    }
}

/// By the whole key, which has dots of its own; the hash labels are none.
fn metadata(before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let (old, new) = (&before["metadata"], &after["metadata"]);
    for (field, word) in [("annotations", "annotation"), ("labels", "label")] {
        let (old, new) = (&old[field], &new[field]);
        let differ = |key: &String| !HASH_LABELS.contains(&&**key) && old[key] != new[key];
        for key in keys(old, new).into_iter().filter(differ) {
            let words = words(&old[&key], &new[&key], METADATA);
            push(found, word, format!("{key} {words}"));
        }
    }
    let had_lines = ["annotations", "labels"];
    for key in keys(old, new) {
        if !had_lines.contains(&key.as_str()) {
            by_path(&format!("metadata.{key}"), &old[&key], &new[&key], found);
        }
    }
}

/// What has no lines of its own.
fn others(before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let had_lines = ["containers", "initContainers", "volumes"];
    for key in keys(before, after) {
        if key != "spec" && key != "metadata" {
            by_path(&key, &before[&key], &after[&key], found);
        }
    }
    let (old, new) = (&before["spec"], &after["spec"]);
    for key in keys(old, new) {
        if !had_lines.contains(&key.as_str()) {
            by_path(&key, &old[&key], &new[&key], found);
        }
    }
    // The same containers in another order start in another order.
    for group in ["containers", "initContainers"] {
        let differ = old[group] != new[group];
        if differ && by_name(&old[group]) == by_name(&new[group]) {
            push(found, group, "in another order".into());
        }
    }
}

/// Down to the fields that differ.
fn by_path(path: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Value::Object(_) | Value::Null, Value::Object(_)) | (Value::Object(_), Value::Null) => {
            for key in keys(old, new) {
                by_path(&format!("{path}.{key}"), &old[&key], &new[&key], found);
            }
        }
        (old, new) => push(found, path, words(old, new, LONGEST)),
    }
}

fn words(old: &Value, new: &Value, longest: usize) -> String {
    let cut = |value| cut(value, longest);
    match (old, new) {
        (Value::Null, new) => format!("+{}", cut(new)),
        (old, Value::Null) => format!("-{}", cut(old)),
        (old, new) => format!("{} → {}", cut(old), cut(new)),
    }
}

/// `+ADDED -GONE ~CHANGED` of two lists of things with names.
fn names(old: &Value, new: &Value) -> String {
    let (old, new) = (by_name(old), by_name(new));
    let mut words = Vec::new();
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        words.push(format!("+{name}"));
    }
    for (name, was) in &old {
        match new.get(name) {
            None => words.push(format!("-{name}")),
            Some(is) if is != was => words.push(format!("~{name}")),
            Some(_) => {}
        }
    }
    words.join(" ")
}

fn by_name(list: &Value) -> BTreeMap<&str, &Value> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| Some((item["name"].as_str()?, item)))
        .collect()
}

fn keys(old: &Value, new: &Value) -> Vec<String> {
    let of = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default()
    };
    let mut keys = of(old);
    keys.extend(of(new));
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn short(value: &Value) -> String {
    cut(value, LONGEST)
}

fn cut(value: &Value, longest: usize) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    if text.chars().count() <= longest {
        return text;
    }
    let cut: String = text.chars().take(longest - 1).collect();
    format!("{cut}…")
}

fn push(found: &mut Vec<Difference>, what: &str, text: String) {
    found.push(Difference {
        what: what.to_owned(),
        text,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        let lines = differences(before, after).into_iter();
        lines.map(|d| format!("{} {}", d.what, d.text)).collect()
    }

    fn web(fields: &Value) -> Value {
        let mut container = json!({"name": "web", "image": "web:2"});
        for (key, value) in fields.as_object().unwrap() {
            container[key] = value.clone();
        }
        json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}})
    }

    #[test]
    fn table() {
        for (before, after, want) in [
            (json!({}), json!({}), vec![]),
            (
                json!({}),
                json!({"image": "web:1"}),
                vec!["image web  2 → 1"],
            ),
            (
                json!({"env": [{"name": "A", "value": "secret1"}, {"name": "B", "value": "x"}, {"name": "C"}]}),
                json!({"env": [{"name": "A", "value": "secret2"}, {"name": "C"}, {"name": "D", "value": "s"}]}),
                vec!["env +D ~A -B"],
            ),
            (
                json!({"args": ["a", "b"]}),
                json!({"command": ["sh"]}),
                vec!["command none → [\"sh\"]", "args [\"a\",\"b\"] → none"],
            ),
            (
                json!({"resources": {"limits": {"cpu": "1"}}}),
                json!({"readinessProbe": {"periodSeconds": 3}}),
                vec![
                    "resources {\"limits\":{\"cpu\":\"1\"}} → none",
                    "readiness probe none → {\"periodSeconds\":3}",
                ],
            ),
            (
                json!({"securityContext": {"runAsUser": 1}}),
                json!({"securityContext": {"runAsUser": 2}}),
                vec!["securityContext.runAsUser 1 → 2"],
            ),
        ] {
            assert_eq!(lines(&web(&before), &web(&after)), want);
        }
    }

    #[test]
    fn the_rest_of_the_template() {
        let before = json!({"metadata": {"labels": {"app": "web", "pod-template-hash": "1"}}, "spec": {
            "containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}],
            "volumes": [{"name": "v", "configMap": {"name": "x"}}, {"name": "w"}], "nodeSelector": {"d": "s"}}});
        let after = json!({"metadata": {"labels": {"app": "web"}, "annotations": {"t": "1"}}, "spec": {
            "containers": [{"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}],
            "volumes": [{"name": "v", "configMap": {"name": "y"}}, {"name": "z"}], "hostNetwork": true}});
        assert_eq!(
            lines(&before, &after),
            [
                "image b: b  1 → 2",
                "container +c (c:1)",
                "container -a",
                "volumes +z ~v -w",
                "annotation t +1",
                "hostNetwork +true",
                "nodeSelector.d -s",
            ]
        );
    }

    proptest! {
        #[test]
        fn env_values_never_show(value in "[a-z]{12}", other in "[a-z]{12}") {
            let env = |value: &str| web(&json!({"env": [{"name": "A", "value": value}]}));
            for line in lines(&env(&value), &env(&other)) {
                prop_assert!(!line.contains(&value) && !line.contains(&other), "{}", line);
            }
        }
    }
}
