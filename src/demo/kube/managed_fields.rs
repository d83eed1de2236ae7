//! `metadata.managedFields`: which manager wrote which field last.

use serde_json::{Map, Value, json};

use super::object::{items_at, set, text_at};
use super::write::{Part, Write, stamp};

/// Gives the fields that differ to the writer, and takes them from the others.
pub fn record(before: &Value, after: &mut Value, by: &Write<'_>) {
    let mut written = changed(before, after);
    forget_identity(&mut written);
    if written.is_empty() {
        return;
    }
    let part = match by.part {
        Part::Main | Part::Deletion => "",
        Part::Status => "status",
        Part::Scale => "scale",
    };
    let mut entries: Vec<Value> = items_at(after, "/metadata/managedFields").to_vec();
    let own = |entry: &Value| {
        text_at(entry, "/manager") == by.manager && text_at(entry, "/subresource") == part
    };
    let mut fields = Map::new();
    for entry in &mut entries {
        let Some(owned) = entry["fieldsV1"].as_object_mut() else {
            continue;
        };
        take(owned, &written);
        if own(entry) {
            fields = entry["fieldsV1"].as_object().cloned().unwrap_or_default();
        }
    }
    entries.retain(|entry| !own(entry) && entry["fieldsV1"] != json!({}));
    give(&mut fields, written);
    let mut entry = json!({
        "manager": by.manager, "operation": "Update", "apiVersion": after["apiVersion"],
        "time": stamp(by.at), "fieldsType": "FieldsV1", "fieldsV1": fields,
    });
    if !part.is_empty() {
        entry["subresource"] = part.into();
    }
    // A real server keeps no time of what is written through the scale.
    if by.part == Part::Scale
        && let Some(entry) = entry.as_object_mut()
    {
        entry.remove("time");
    }
    entries.push(entry);
    set(after, &["metadata", "managedFields"], entries.into());
}

/// The fields of `after` that `before` has not, or has otherwise, as `f:` keys.
fn changed(before: &Value, after: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in after.as_object().into_iter().flatten() {
        let old = before.get(key).unwrap_or(&Value::Null);
        if old == value {
            continue;
        }
        let inner = items(old, value).unwrap_or_else(|| changed(old, value));
        out.insert(format!("f:{key}"), Value::Object(inner));
    }
    out
}

/// The same for a list whose items have a key of their own; any other list counts as one field.
fn items(before: &Value, after: &Value) -> Option<Map<String, Value>> {
    let list = after.as_array().filter(|list| !list.is_empty())?;
    let key = ["name", "type"]
        .into_iter()
        .find(|key| list.iter().all(|item| item[*key].is_string()))?;
    let mut out = Map::new();
    for item in list {
        let mut olds = before.as_array().into_iter().flatten();
        let old = olds.find(|old| old[key] == item[key]);
        let inner = changed(old.unwrap_or(&Value::Null), item);
        if !inner.is_empty() {
            out.insert(format!("k:{}", json!({key: item[key]})), inner.into());
        }
    }
    Some(out)
}

/// What every object has by itself belongs to nobody.
fn forget_identity(written: &mut Map<String, Value>) {
    written.retain(|key, _| key != "f:apiVersion" && key != "f:kind");
    let Some(metadata) = written.get_mut("f:metadata").and_then(Value::as_object_mut) else {
        return;
    };
    let own = |key: &str| {
        matches!(
            key,
            "f:labels" | "f:annotations" | "f:ownerReferences" | "f:finalizers"
        )
    };
    metadata.retain(|key, _| own(key));
    if metadata.is_empty() {
        written.remove("f:metadata");
    }
}

fn take(owned: &mut Map<String, Value>, written: &Map<String, Value>) {
    for (key, inner) in written {
        let (Some(mine), Some(theirs)) = (
            owned.get_mut(key).and_then(Value::as_object_mut),
            inner.as_object(),
        ) else {
            continue;
        };
        take(mine, theirs);
        if mine.is_empty() || theirs.is_empty() {
            owned.remove(key);
        }
    }
}

fn give(fields: &mut Map<String, Value>, written: Map<String, Value>) {
    for (key, inner) in written {
        match (fields.get_mut(&key).and_then(Value::as_object_mut), inner) {
            (Some(mine), Value::Object(more)) => give(mine, more),
            (_, inner) => drop(fields.insert(key, inner)),
        }
    }
}
