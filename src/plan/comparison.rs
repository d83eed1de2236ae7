//! Two pod templates line by line, for a person to read. Values of environment variables are never in it.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::domain::template::HASH_LABELS;

/// Unchanged lines kept around each change.
const CONTEXT: usize = 3;
/// What stands for the value of an environment variable.
const HIDDEN: &str = "(not shown)";
const SAME: &str = "(same)";
const CHANGED: &str = "(changed)";

/// From `before` to `after`: `- ` gone, `+ ` new, two spaces for what stays, `…` between distant places.
///
/// # Errors
/// When a template cannot be written as YAML.
pub fn comparison(before: &Value, after: &Value) -> Result<Vec<String>, serde_yaml::Error> {
    let (before, after) = (
        readable(before, after, false),
        readable(after, before, true),
    );
    let (old, new) = (
        serde_yaml::to_string(&before)?,
        serde_yaml::to_string(&after)?,
    );
    let diff = TextDiff::from_lines(&old, &new);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        if !lines.is_empty() {
            lines.push("…".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(format!("{sign} {}", change.value().trim_end_matches('\n')));
        }
    }
    if lines.is_empty() {
        lines.push("the pod templates do not differ".to_owned());
    }
    Ok(lines)
}

/// Without what the controllers add, and without the values of environment variables.
fn readable(template: &Value, other: &Value, newer: bool) -> Value {
    let mut readable = template.clone();
    if let Some(template) = readable.as_object_mut() {
        template.remove("$patch");
    }
    if let Some(meta) = readable.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.retain(|key, value| key != "creationTimestamp" || !value.is_null());
        if let Some(labels) = meta.get_mut("labels").and_then(Value::as_object_mut) {
            labels.retain(|key, _| !HASH_LABELS.contains(&&**key));
        }
    }
    for group in ["containers", "initContainers", "ephemeralContainers"] {
        let Some(containers) = readable
            .pointer_mut(&format!("/spec/{group}"))
            .and_then(Value::as_array_mut)
        else {
            continue;
        };
        for container in containers {
            let was = named(&other["spec"][group], &container["name"]).map(|c| &c["env"]);
            hide(container, was, newer);
        }
    }
    readable
}

/// A change must show as one, so only the newer side says that it is one.
fn hide(container: &mut Value, was: Option<&Value>, newer: bool) {
    let Some(env) = container.get_mut("env").and_then(Value::as_array_mut) else {
        return;
    };
    for variable in env {
        let other = was.and_then(|env| named(env, &variable["name"]));
        let other = other.and_then(|other| other.get("value"));
        let Some(value) = variable.get_mut("value") else {
            continue;
        };
        let word = match other {
            Some(other) if other == value => SAME,
            Some(_) if newer => CHANGED,
            Some(_) | None => HIDDEN,
        };
        *value = Value::from(word);
    }
}

fn named<'a>(list: &'a Value, name: &Value) -> Option<&'a Value> {
    list.as_array()?.iter().find(|item| item["name"] == *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn web(image: &str, hash: &str, env: &Value) -> Value {
        json!({"metadata": {"creationTimestamp": null, "labels": {"app": "web", "pod-template-hash": hash}},
            "spec": {"containers": [{"name": "web", "image": image, "env": env}]}})
    }

    #[test]
    fn changes_stand_in_their_places() {
        let before = web(
            "web:1",
            "a",
            &json!([{"name": "A", "value": "x"}, {"name": "B", "value": "y"}]),
        );
        let after = web(
            "web:2",
            "b",
            &json!([{"name": "A", "value": "x"}, {"name": "B", "value": "z"}]),
        );
        assert_eq!(
            comparison(&before, &after).unwrap(),
            [
                "      - name: A",
                "        value: (same)",
                "      - name: B",
                "-       value: (not shown)",
                "-     image: web:1",
                "+       value: (changed)",
                "+     image: web:2",
                "      name: web",
            ]
        );
    }

    #[test]
    fn what_only_the_controllers_write_is_no_difference() {
        let (one, two) = (web("web:1", "a", &json!([])), web("web:1", "b", &json!([])));
        let none = ["the pod templates do not differ"];
        assert_eq!(comparison(&one, &two).unwrap(), none);
        let mut patch = one.clone();
        patch["$patch"] = json!("replace");
        assert_eq!(comparison(&patch, &two).unwrap(), none);
    }

    proptest! {
        #[test]
        fn env_values_never_show(value in "[a-z]{12}", other in "[a-z]{12}", group in 0_usize..3) {
            let group = ["containers", "initContainers", "ephemeralContainers"][group];
            let with = |env: Value| json!({"spec": {group: [{"name": "web", "env": env}]}});
            let one = with(json!([{"name": "A", "value": value}, {"name": "B", "value": other}]));
            let two = with(json!([{"name": "A", "value": other}, {"name": "C", "value": value}]));
            for line in comparison(&one, &two).unwrap() {
                prop_assert!(!line.contains(&value) && !line.contains(&other), "{}", line);
            }
        }
    }
}
