//! A copy of a template as its author writes it: without what a server fills in where something is left out.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Error, Map, Value};

use super::template::{Entries, written};
use crate::domain::image::ImageRef;

/// `raw` without what `filled`, the copy of `own`, has beyond that, where both have the same. Argo Rollouts knows a
/// revision by the hash of what its author wrote.
///
/// # Errors
/// When `raw` is not JSON.
pub fn unfilled(raw: &str, filled: &Value, own: &Value) -> Result<String, Error> {
    match (filled, own) {
        (Value::Object(filled), Value::Object(own)) if raw.starts_with('{') => {
            of_object(raw, filled, own)
        }
        (Value::Array(filled), Value::Array(own)) if raw.starts_with('[') => {
            of_list(raw, filled, own)
        }
        _ => Ok(raw.to_owned()),
    }
}

fn of_object(
    raw: &str,
    filled: &Map<String, Value>,
    own: &Map<String, Value>,
) -> Result<String, Error> {
    let Entries(entries) = serde_json::from_str(raw)?;
    let object: Value = serde_json::from_str(raw)?;
    // A server pulls always what has no tag or the latest one.
    let alike = floats(&object["image"]) == filled.get("image").is_some_and(floats);
    let mut kept = Vec::new();
    for (key, value) in &entries {
        let own = own.get(&**key);
        let after = match filled.get(&**key) {
            Some(was)
                if own.is_none()
                    && object[&**key] == *was
                    && (alike || *key != "imagePullPolicy") =>
            {
                continue;
            }
            Some(was) => Cow::Owned(unfilled(value.get(), was, own.unwrap_or(&Value::Null))?),
            None => Cow::Borrowed(value.get()),
        };
        kept.push((key, after));
    }
    written(&kept)
}

/// Items are the same by their names; without names, in lists of one length, by their places.
fn of_list(raw: &str, filled: &[Value], own: &[Value]) -> Result<String, Error> {
    let items: Vec<&RawValue> = serde_json::from_str(raw)?;
    let placed = items.len() == filled.len() && items.len() == own.len();
    let mut kept = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let value: Value = serde_json::from_str(item.get())?;
        let same = |list: &[Value]| match value.get("name") {
            Some(name) => list.iter().find(|other| other["name"] == *name).cloned(),
            None => list.get(at).filter(|_| placed).cloned(),
        };
        kept.push(match (same(filled), same(own)) {
            (Some(filled), Some(own)) => unfilled(item.get(), &filled, &own)?,
            _ => item.get().to_owned(),
        });
    }
    Ok(format!("[{}]", kept.join(",")))
}

fn floats(image: &Value) -> bool {
    let image = ImageRef::parse(image.as_str().unwrap_or_default());
    image.digest.is_none() && image.tag.is_none_or(|tag| tag == "latest")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merge(object: &mut Value, more: &Value) {
        for (key, value) in more.as_object().unwrap() {
            object[key] = value.clone();
        }
    }

    #[test]
    fn what_a_server_fills_in_goes_and_what_somebody_wrote_stays() {
        let container = |tag: &str, more: Value| {
            let mut container = json!({"name": "web", "image": format!("web:{tag}")});
            merge(&mut container, &more);
            container
        };
        let template = |container: Value, more: Value| {
            let mut spec = json!({"containers": [container]});
            merge(&mut spec, &more);
            json!({"metadata": {"labels": {"app": "web"}}, "spec": spec})
        };
        let fills =
            || json!({"imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File"});
        let more = || json!({"dnsPolicy": "ClusterFirst", "securityContext": {}});
        let own = template(container("2", json!({})), json!({}));
        let filled = template(container("2", fills()), more());
        let back = |copy: Value| -> Value {
            let raw = unfilled(&copy.to_string(), &filled, &own).unwrap();
            serde_json::from_str(&raw).unwrap()
        };
        let copy = template(container("1", fills()), more());
        assert_eq!(back(copy), template(container("1", json!({})), json!({})));
        let hand = json!({"dnsPolicy": "Default", "serviceAccountName": "robot"});
        let copy = template(container("1", json!({"args": ["a"]})), hand.clone());
        assert_eq!(
            back(copy.clone()),
            copy,
            "another value, and what only it has"
        );
        // Without a tag the same word would be somebody's own.
        let copy = template(container("latest", fills()), json!({}));
        let want = container("latest", json!({"imagePullPolicy": "IfNotPresent"}));
        assert_eq!(back(copy), template(want, json!({})));
        let mut other = container("1", fills());
        other["name"] = json!("sidecar");
        let copy = template(other.clone(), json!({}));
        assert_eq!(
            back(copy.clone()),
            copy,
            "nobody knows what of it was filled in"
        );
    }

    #[test]
    fn numbers_keep_their_spelling() {
        let raw = r#"{"n":9007199254740993,"a":"\u0026","list":[{"x":1.0,"y":2}]}"#;
        let filled = json!({"list": [{"x": 2, "y": 2}]});
        let own = json!({"list": [{"x": 2}]});
        let want = r#"{"n":9007199254740993,"a":"\u0026","list":[{"x":1.0}]}"#;
        assert_eq!(unfilled(raw, &filled, &own).unwrap(), want);
    }
}
