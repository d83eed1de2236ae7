//! One object as it is kept: its text, and what lists and watches choose it by.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::go_json;
use super::kind::Kind;

pub type Kept = Arc<Object>;

/// Where an object stands: lists are in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub kind: &'static Kind,
    /// Empty for what is in none.
    pub namespace: Box<str>,
    pub name: Box<str>,
}

/// The text costs a tenth of the parsed value, and is what every answer repeats. It is without `apiVersion` and
/// `kind`, which lists leave out.
#[derive(Debug)]
pub struct Object {
    pub key: Key,
    pub uid: Box<str>,
    pub version: u64,
    pub text: Box<str>,
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// The uids of its owner references.
    pub owners: Vec<Box<str>>,
}

impl Key {
    pub fn new(kind: &'static Kind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Where a value says that it stands.
    pub fn of(kind: &'static Kind, value: &Value) -> Self {
        let namespace = text_at(value, "/metadata/namespace");
        Self::new(kind, namespace, text_at(value, "/metadata/name"))
    }
}

impl Object {
    pub fn new(kind: &'static Kind, mut value: Value, version: u64) -> Self {
        set(
            &mut value,
            &["metadata", "resourceVersion"],
            version.to_string().into(),
        );
        unset(&mut value, &["apiVersion"]);
        unset(&mut value, &["kind"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().into();
        let labels = value.pointer("/metadata/labels").and_then(Value::as_object);
        let owners = value
            .pointer("/metadata/ownerReferences")
            .and_then(Value::as_array);
        Self {
            key: Key::of(kind, &value),
            uid: text_at(&value, "/metadata/uid").into(),
            version,
            labels: labels
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.as_str().into(), text(value)))
                .collect(),
            owners: owners
                .into_iter()
                .flatten()
                .map(|owner| text_at(owner, "/uid").into())
                .collect(),
            text: go_json::text(&value).into(),
        }
    }

    /// Parsed, with its kind. Null only if the store were broken.
    pub fn value(&self) -> Value {
        let mut value: Value = serde_json::from_str(&self.text).unwrap_or_default();
        value["apiVersion"] = self.key.kind.api_version().into();
        value["kind"] = self.key.kind.name.into();
        value
    }

    /// The text with its kind.
    pub fn whole(&self) -> String {
        let kind = self.key.kind;
        let rest = self.text.strip_prefix('{').unwrap_or_default();
        format!(
            r#"{{"kind":"{}","apiVersion":"{}",{rest}"#,
            kind.name,
            kind.api_version()
        )
    }
}

/// The string at a JSON pointer, empty when there is none.
pub fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The whole number at a JSON pointer.
pub fn int_at(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

/// The list at a JSON pointer, empty when there is none.
pub fn items_at<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Puts a value at a path of keys, making the objects on the way.
pub fn set(value: &mut Value, path: &[&str], to: Value) {
    let mut at = value;
    for key in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[*key];
    }
    *at = to;
}

/// Takes the value at a path of keys away.
pub fn unset(value: &mut Value, path: &[&str]) {
    let Some((last, way)) = path.split_last() else {
        return;
    };
    let mut at = Some(value);
    for key in way {
        at = at.and_then(|value| value.get_mut(key));
    }
    if let Some(map) = at.and_then(Value::as_object_mut) {
        map.remove(*last);
    }
}
