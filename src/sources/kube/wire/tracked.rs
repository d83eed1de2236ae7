//! An object's bookkeeping: who wrote which fields when. Values are skipped while reading, those of annotations too:
//! one of them repeats all that was applied.

#![allow(clippy::zero_sized_map_values)] // serde can only skip a value into something

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Labels, Text, or_default};

#[derive(Debug, Default, Deserialize)]
pub struct Tracked<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: TrackedMeta<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackedMeta<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub namespace: Text<'a>,
    pub creation_timestamp: Option<Timestamp>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub labels: Labels<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    annotations: Keys<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub managed_fields: Vec<TrackedWrite<'a>>,
}

impl TrackedMeta<'_> {
    pub fn annotated(&self, key: &str) -> bool {
        self.annotations.contains_key(key)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackedWrite<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub manager: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub subresource: Text<'a>,
    pub time: Option<Timestamp>,
    #[serde(borrow, rename = "fieldsV1")]
    fields: Option<&'a RawValue>,
}

type Keys<'a> = BTreeMap<Text<'a>, IgnoredAny>;

impl TrackedWrite<'_> {
    /// `spec.replicas`, `data.LOG_LEVEL`: two levels. What cannot be read names nothing.
    pub fn names(&self, most: usize) -> Vec<Box<str>> {
        let raw = self.fields.map_or("{}", RawValue::get);
        let fields: BTreeMap<Text<'_>, Keys<'_>> = serde_json::from_str(raw).unwrap_or_default();
        let mut names = Vec::new();
        for (root, below) in &fields {
            let Some(root) = root.strip_prefix("f:") else {
                continue;
            };
            let below = below.keys().filter_map(|key| key.strip_prefix("f:"));
            let before = names.len();
            names.extend(below.map(|key| format!("{root}.{key}").into()));
            if names.len() == before {
                names.push(root.into());
            }
        }
        names.truncate(most);
        names
    }
}
