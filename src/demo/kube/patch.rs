//! The patches that the server takes: JSON patch with its peculiar `test`, merge patch, and strategic merge patch.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::go_json;
use super::refusal::Refusal;

pub enum Patch {
    Json(Vec<Operation>),
    Merge(Value),
    Strategic(Value),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Operation {
    op: String,
    path: String,
    from: String,
    /// As it came: `test` compares these very bytes.
    value: Option<Box<RawValue>>,
}

impl Patch {
    pub fn read(media_type: &str, body: &[u8]) -> Result<Self, Refusal> {
        let bad = |error: serde_json::Error| {
            Refusal::BadRequest(format!("error decoding patch: {error}"))
        };
        let object = || match serde_json::from_slice::<Value>(body) {
            Ok(value) if value.is_object() => Ok(value),
            Ok(_) => {
                let why = "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}";
                Err(Refusal::BadRequest(why.into()))
            }
            Err(error) => Err(bad(error)),
        };
        match media_type {
            "application/json-patch+json" => {
                serde_json::from_slice(body).map(Self::Json).map_err(bad)
            }
            "application/merge-patch+json" => object().map(Self::Merge),
            "application/strategic-merge-patch+json" => object().map(Self::Strategic),
            _ => {
                let why = "415: Unsupported Media Type";
                Err(Refusal::UnsupportedMediaType(why.into()))
            }
        }
    }

    pub fn apply(self, value: &mut Value) -> Result<(), Refusal> {
        match self {
            Self::Json(operations) => operations
                .iter()
                .try_for_each(|operation| operation.apply(value))
                .ok_or(Refusal::NotApplicable),
            Self::Merge(patch) => {
                merge(value, patch);
                Ok(())
            }
            Self::Strategic(patch) => strategic(value, patch),
        }
    }
}

impl Operation {
    /// `None` when it does not apply.
    fn apply(&self, root: &mut Value) -> Option<()> {
        let value = || match &self.value {
            Some(raw) => serde_json::from_str(raw.get()).ok(),
            None => Some(Value::Null),
        };
        match &*self.op {
            "add" => add(root, &self.path, value()?),
            "replace" => replace(root, &self.path, value()?),
            "remove" => remove(root, &self.path).map(drop),
            "move" => {
                let moved = remove(root, &self.from)?;
                add(root, &self.path, moved)
            }
            "copy" => {
                let copied = root.pointer(&self.from)?.clone();
                add(root, &self.path, copied)
            }
            "test" => self.test(root),
            _ => None,
        }
    }

    fn test(&self, root: &Value) -> Option<()> {
        let (place, last) = self.path.rsplit_once('/')?;
        let found = match root.pointer(place)? {
            Value::Object(map) => map.get(&unescaped(last)),
            _ => Some(root.pointer(&self.path)?),
        };
        let found = found.filter(|value| !value.is_null());
        let equal = match (found, &self.value) {
            (None, None) => true,
            (Some(found), Some(raw)) => same(found, raw),
            _ => false,
        };
        equal.then_some(())
    }
}

/// As the server compares: objects and lists by what is in them, anything else by the bytes that the server itself
/// would write.
fn same(ours: &Value, given: &RawValue) -> bool {
    let text = given.get();
    match ours {
        Value::Object(map) => {
            let Ok(given) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else {
                return false;
            };
            map.len() == given.len()
                && map
                    .iter()
                    .all(|(key, value)| given.get(key).is_some_and(|given| same(value, given)))
        }
        Value::Array(list) => {
            let Ok(given) = serde_json::from_str::<Vec<&RawValue>>(text) else {
                return false;
            };
            list.len() == given.len() && list.iter().zip(given).all(|(one, given)| same(one, given))
        }
        scalar => go_json::text(scalar) == text,
    }
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

fn parent<'a>(root: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let (place, last) = path.rsplit_once('/')?;
    Some((root.pointer_mut(place)?, unescaped(last)))
}

/// Of a list; a negative one counts from the end.
fn index(key: &str, length: usize) -> Option<usize> {
    match key.strip_prefix('-') {
        Some(back) => length.checked_sub(back.parse().ok()?),
        None => key.parse().ok(),
    }
}

fn add(root: &mut Value, path: &str, value: Value) -> Option<()> {
    match parent(root, path)? {
        (Value::Object(map), key) => drop(map.insert(key, value)),
        (Value::Array(list), key) if key == "-" => list.push(value),
        (Value::Array(list), key) => {
            let at = index(&key, list.len() + 1).filter(|at| *at <= list.len())?;
            list.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

/// In an object the server also replaces what is not there.
fn replace(root: &mut Value, path: &str, value: Value) -> Option<()> {
    match parent(root, path)? {
        (Value::Object(map), key) => drop(map.insert(key, value)),
        (Value::Array(list), key) => {
            let at = index(&key, list.len())?;
            *list.get_mut(at)? = value;
        }
        _ => return None,
    }
    Some(())
}

fn remove(root: &mut Value, path: &str) -> Option<Value> {
    match parent(root, path)? {
        (Value::Object(map), key) => map.remove(&key),
        (Value::Array(list), key) => {
            let at = index(&key, list.len()).filter(|at| *at < list.len())?;
            Some(list.remove(at))
        }
        _ => None,
    }
}

fn merge(value: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *value = patch;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    for (key, change) in patch {
        if change.is_null() {
            if let Some(map) = value.as_object_mut() {
                map.remove(&key);
            }
        } else {
            merge(&mut value[&key], change);
        }
    }
}

/// The field by which the items of a list are told apart; other lists are replaced as a whole.
fn merge_key(list: &str, item: &Value) -> Option<&'static str> {
    Some(match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets" => "name",
        "volumeMounts" => "mountPath",
        "ports" if item.get("containerPort").is_some() => "containerPort",
        "ports" => "port",
        "conditions" => "type",
        "ownerReferences" => "uid",
        _ => return None,
    })
}

fn strategic(value: &mut Value, patch: Value) -> Result<(), Refusal> {
    let Value::Object(mut patch) = patch else {
        *value = patch;
        return Ok(());
    };
    let directive = patch.remove("$patch");
    if !value.is_object() || directive == Some("replace".into()) {
        *value = Value::Object(Map::new());
    }
    let mut orders = take_prefixed(&mut patch, "$setElementOrder/");
    for (name, gone) in take_prefixed(&mut patch, "$deleteFromPrimitiveList/") {
        if let Some(Value::Array(list)) = value.get_mut(&name) {
            list.retain(|item| !gone.as_array().is_some_and(|gone| gone.contains(item)));
        }
    }
    if let (Some(Value::Array(keys)), Some(map)) =
        (patch.remove("$retainKeys"), value.as_object_mut())
    {
        map.retain(|key, _| keys.contains(&key.as_str().into()));
    }
    for (name, order) in &orders {
        if order.is_array() && !patch.contains_key(name) && value.get(name).is_some() {
            patch.insert(name.clone(), Value::Array(Vec::new()));
        }
    }
    for (key, change) in patch {
        match change {
            Value::Null => drop(value.as_object_mut().and_then(|map| map.remove(&key))),
            Value::Array(items) => {
                let order = orders.remove(&key);
                merge_list(&key, &mut value[&key], items, order)?;
            }
            change => strategic(&mut value[&key], change)?,
        }
    }
    Ok(())
}

fn take_prefixed(patch: &mut Map<String, Value>, prefix: &str) -> BTreeMap<String, Value> {
    let names: Vec<_> = patch
        .keys()
        .filter(|key| key.starts_with(prefix))
        .cloned()
        .collect();
    let take = |key: String| Some((key[prefix.len()..].to_owned(), patch.remove(&key)?));
    names.into_iter().filter_map(take).collect()
}

fn merge_list(
    name: &str,
    list: &mut Value,
    changes: Vec<Value>,
    order: Option<Value>,
) -> Result<(), Refusal> {
    let replaces = changes.iter().any(|change| change["$patch"] == "replace");
    let keyed = changes
        .iter()
        .all(|change| merge_key(name, change).is_some());
    if !keyed || replaces {
        let real = |change: &Value| change.get("$patch").is_none();
        *list = changes.into_iter().filter(real).collect();
        return Ok(());
    }
    let items = match list.take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    let ids = |list: &[Value]| list.iter().map(|item| id(name, item)).collect::<Vec<_>>();
    let before = ids(&items);
    let order = match order {
        Some(Value::Array(order)) => ids(&order),
        _ => ids(&changes),
    };
    let items = merge_items(name, items, changes)?;
    *list = Value::Array(arrange(name, items, &order, &before));
    Ok(())
}

fn merge_items(
    name: &str,
    mut items: Vec<Value>,
    changes: Vec<Value>,
) -> Result<Vec<Value>, Refusal> {
    for mut change in changes {
        let key = merge_key(name, &change).unwrap_or_default();
        let Some(id) = change.get(key).cloned() else {
            let why = format!("map: {change} does not contain declared merge key: {key}");
            return Err(Refusal::Internal(why));
        };
        let directive = change.as_object_mut().and_then(|map| map.remove("$patch"));
        if directive == Some("delete".into()) {
            items.retain(|item| item[key] != id);
            continue;
        }
        if let Some(item) = items.iter_mut().find(|item| item[key] == id) {
            strategic(item, change)?;
            continue;
        }
        let mut item = Value::Null;
        strategic(&mut item, change)?;
        items.push(item);
    }
    Ok(items)
}

/// What tells an item apart.
fn id(list: &str, item: &Value) -> Value {
    match merge_key(list, item) {
        Some(key) if item.is_object() => item[key].clone(),
        _ => item.clone(),
    }
}

/// The items that the patch names in its order, and between them the others where they stood `before`.
fn arrange(name: &str, items: Vec<Value>, order: &[Value], before: &[Value]) -> Vec<Value> {
    let place = |ids: &[Value], item: &Value| ids.iter().position(|one| *one == id(name, item));
    let (mut named, others): (Vec<_>, Vec<_>) = items
        .into_iter()
        .partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    let mut named = named.into_iter().peekable();
    let mut arranged = Vec::new();
    for other in others {
        let stays_behind = |item: &Value| match (place(before, &other), place(before, item)) {
            (Some(other), Some(item)) => other > item,
            _ => true,
        };
        while let Some(item) = named.next_if(|item| stays_behind(item)) {
            arranged.push(item);
        }
        arranged.push(other);
    }
    arranged.extend(named);
    arranged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(kind: &str, mut value: Value, patch: &str) -> Result<Value, Refusal> {
        let kind = format!("application/{kind}+json");
        Patch::read(&kind, patch.as_bytes())?.apply(&mut value)?;
        Ok(value)
    }

    fn workload() -> Value {
        json!({"metadata": {"name": "web", "annotations": {"a": "1"}}, "spec": {"replicas": 2, "template": {"spec": {
            "containers": [{"name": "web", "image": "a:1", "args": ["a && b"]}, {"name": "side", "image": "b:1"}]}}}})
    }

    #[test]
    fn operations_apply_or_nothing_does() {
        for (patch, applies) in [
            (r#"[{"op":"test","path":"/spec/replicas","value":2}]"#, true),
            (
                r#"[{"op":"test","path":"/spec/replicas","value":2.0}]"#,
                false,
            ),
            (
                r#"[{"op":"test","path":"/spec/paused","value":null}]"#,
                true,
            ),
            (r#"[{"op":"test","path":"/spec/paused"}]"#, true),
            (
                r#"[{"op":"test","path":"/nope/paused","value":null}]"#,
                false,
            ),
            (
                r#"[{"op":"test","path":"/metadata/name","value":"w\u0065b"}]"#,
                false,
            ),
            (
                r#"[{"op":"test","path":"/spec/template/spec/containers/0/args","value":["a \u0026\u0026 b"]}]"#,
                true,
            ),
            (
                r#"[{"op":"test","path":"/spec/template/spec/containers/0/args","value":["a && b"]}]"#,
                false,
            ),
            (
                r#"[{"op":"test","path":"/metadata","value":{"annotations": {"a" :"1"},"name":"web"}}]"#,
                true,
            ),
            (
                r#"[{"op":"replace","path":"/metadata/labels","value":{}}]"#,
                true,
            ),
            (
                r#"[{"op":"replace","path":"/metadata/nope/x","value":1}]"#,
                false,
            ),
            (
                r#"[{"op":"remove","path":"/metadata/annotations/b"}]"#,
                false,
            ),
            (
                r#"[{"op":"add","path":"/spec/template/spec/containers/-","value":{}}]"#,
                true,
            ),
            (
                r#"[{"op":"add","path":"/spec/template/spec/containers/5","value":{}}]"#,
                false,
            ),
            (
                r#"[{"op":"copy","from":"/metadata/name","path":"/metadata/annotations/c~1d"}]"#,
                true,
            ),
            (
                r#"[{"op":"move","from":"/metadata/none","path":"/metadata/x"}]"#,
                false,
            ),
            (r#"[{"op":"nope","path":"/spec"}]"#, false),
            ("[]", true),
        ] {
            let got = patched("json-patch", workload(), patch);
            assert_eq!(got.is_ok(), applies, "{patch}");
        }
    }

    #[test]
    fn a_merge_takes_nulls_away() {
        let got = patched(
            "merge-patch",
            workload(),
            r#"{"metadata":{"annotations":null,"labels":{"x":"y"}},"spec":{"replicas":3}}"#,
        );
        let got = got.unwrap();
        assert_eq!(
            got["metadata"],
            json!({"name": "web", "labels": {"x": "y"}})
        );
        assert_eq!(got["spec"]["replicas"], 3);
    }

    #[test]
    fn containers_are_merged_by_name() {
        let got = patched(
            "strategic-merge-patch",
            workload(),
            r#"{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"side"},{"name":"web"}],
                "containers":[{"name":"web","image":"a:2"},{"name":"new","image":"c"}]}}}}"#,
        );
        let got = got.unwrap();
        let containers = &got["spec"]["template"]["spec"]["containers"];
        let want = json!([{"name": "side", "image": "b:1"}, {"name": "web", "image": "a:2", "args": ["a && b"]},
            {"name": "new", "image": "c"}]);
        assert_eq!(*containers, want);
        let nameless = r#"{"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}"#;
        assert!(patched("strategic-merge-patch", workload(), nameless).is_err());
    }

    #[test]
    fn directives_replace_and_delete() {
        let got = patched(
            "strategic-merge-patch",
            workload(),
            r#"{"spec":{"template":{"$patch":"replace","spec":{"containers":[{"name":"db"}]}}}}"#,
        );
        let template = json!({"spec": {"containers": [{"name": "db"}]}});
        assert_eq!(got.unwrap()["spec"]["template"], template);
        let got = patched(
            "strategic-merge-patch",
            workload(),
            r#"{"spec":{"paused":null,"template":{"spec":{"containers":[{"name":"web","$patch":"delete"}]}}}}"#,
        );
        let left = json!([{"name": "side", "image": "b:1"}]);
        assert_eq!(got.unwrap()["spec"]["template"]["spec"]["containers"], left);
    }

    #[test]
    fn other_patches_are_not_taken() {
        for kind in ["apply-patch", "text"] {
            let refusal = patched(kind, workload(), "{}").unwrap_err();
            assert_eq!(refusal.code(), 415, "{kind}");
        }
        assert_eq!(
            patched("json-patch", workload(), "{}").unwrap_err().code(),
            400
        );
        assert_eq!(
            patched("merge-patch", workload(), "[]").unwrap_err().code(),
            400
        );
    }
}
