//! Any other object: its fields as indented words, its conditions in columns.

use serde_json::Value;

use super::page::{Page, array, conditions, text};

/// Words of a list that are written on one line.
const SHORT: usize = 60;

pub fn generic(page: &mut Page, object: &Value) {
    let fields = object.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| !is_identity(name)) {
        page.title(&name.to_uppercase());
        page.under(|page| tree(page, value));
    }
    conditions(page, array(&object["status"]["conditions"]));
}

fn is_identity(field: &str) -> bool {
    matches!(field, "apiVersion" | "kind" | "metadata")
}

fn tree(page: &mut Page, value: &Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if !(name == "conditions" && is_conditions(value)) {
                    field(page, name, value);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| self::item(page, item)),
        Value::String(words) => words.lines().for_each(|line| page.line(line)),
        plain => page.line(&text(plain)),
    }
}

fn is_conditions(value: &Value) -> bool {
    array(value)
        .iter()
        .all(|one| one["type"].is_string() && one["status"].is_string())
}

fn field(page: &mut Page, name: &str, value: &Value) {
    match value {
        Value::Object(fields) if fields.is_empty() => page.field(name, "{}"),
        Value::Array(items) if items.is_empty() => page.field(name, "[]"),
        Value::Array(items) if one_line(items).is_some() => {
            page.field(name, &one_line(items).unwrap_or_default());
        }
        Value::String(words) if words.is_empty() => page.field(name, r#""""#),
        Value::String(words) if words.contains('\n') => below(page, name, value),
        Value::Object(_) | Value::Array(_) => below(page, name, value),
        plain => page.field(name, &text(plain)),
    }
}

fn below(page: &mut Page, name: &str, value: &Value) {
    page.line(name);
    page.under(|page| tree(page, value));
}

/// Plain values that are short together.
fn one_line(items: &[Value]) -> Option<String> {
    let plain = items
        .iter()
        .all(|item| !item.is_object() && !item.is_array());
    let words = items.iter().map(text).collect::<Vec<_>>().join(", ");
    (plain && words.len() <= SHORT).then_some(words)
}

/// A dash before the first line of an item, and the others below it.
fn item(page: &mut Page, item: &Value) {
    let before = page.lines.len();
    page.under(|page| tree(page, item));
    if let Some(first) = page.lines.get_mut(before) {
        let indent = first.len() - first.trim_start().len();
        if indent >= 2 {
            first.replace_range(indent - 2..indent, "- ");
        }
    }
}
