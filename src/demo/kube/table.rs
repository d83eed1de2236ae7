//! Rows for a person: what `kubectl get` prints.

use serde_json::{Value, json};

use super::kind::Kind;
use super::object::Kept;
use super::server::Call;

/// A list as a table.
pub fn of(call: &Call, kind: &'static Kind, items: &[Kept], metadata: &Value) -> Value {
    let rows = items.iter().map(|item| one(call, kind, item));
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": columns(kind), "rows": rows.collect::<Vec<_>>(),
    })
}

/// One object as a table of one row, with or without the columns' names.
pub fn row(call: &Call, kind: &'static Kind, item: &Kept, named: bool) -> Value {
    let columns = if named { columns(kind) } else { Value::Null };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": item.version.to_string()},
        "columnDefinitions": columns, "rows": [one(call, kind, item)],
    })
}

fn columns(_kind: &'static Kind) -> Value {
    json!([{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}])
}

fn one(_call: &Call, _kind: &'static Kind, item: &Kept) -> Value {
    json!({"cells": [&*item.key.name], "object": item.value()})
}
