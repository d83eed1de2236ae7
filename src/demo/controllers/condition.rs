//! Conditions of a status.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::demo::kube::object::{items_at, text_at};
use crate::demo::kube::write::stamp;

pub fn of<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = items_at(status, "/conditions");
    conditions
        .iter()
        .find(|condition| condition["type"] == kind)
}

/// Sets a condition of a status; its transition time moves with its truth only. True when something differs.
pub fn set(
    status: &mut Value,
    kind: &str,
    (truth, reason, message): (&str, &str, &str),
    now: Timestamp,
) -> bool {
    if !status.is_object() {
        *status = json!({});
    }
    let before = of(status, kind).cloned();
    let same = |field: &str, is: &str| before.as_ref().is_some_and(|c| text_at(c, field) == is);
    if same("/status", truth) && same("/reason", reason) && same("/message", message) {
        return false;
    }
    let since = match &before {
        Some(before) if same("/status", truth) => before["lastTransitionTime"].clone(),
        _ => stamp(now).into(),
    };
    let mut conditions = items_at(status, "/conditions").to_vec();
    conditions.retain(|condition| condition["type"] != kind);
    conditions.push(json!({
        "type": kind, "status": truth, "reason": reason, "message": message,
        "lastTransitionTime": since, "lastUpdateTime": stamp(now),
    }));
    status["conditions"] = conditions.into();
    true
}

/// The same words, said again now.
pub fn touch(status: &mut Value, kind: &str, now: Timestamp) {
    let conditions = status["conditions"].as_array_mut();
    for condition in conditions.into_iter().flatten() {
        if condition["type"] == kind {
            condition["lastUpdateTime"] = stamp(now).into();
        }
    }
}
