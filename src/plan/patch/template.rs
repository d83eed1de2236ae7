//! A revision's template as the workload itself has it: without what controllers add to their copies.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Error;
use serde_json::value::RawValue;

use crate::domain::template::{HASH_LABELS, PATCH};

/// A revision's template as the workload itself would have it: without the hash label of a ReplicaSet and the `$patch` of a ControllerRevision. Every other byte outside the labels stays as it is, so that large
/// integers and fractions survive.
///
/// # Errors
/// When `raw` is not a JSON object.
pub fn template_of_revision(raw: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Template<'a> {
        #[serde(borrow)]
        metadata: Option<Metadata<'a>>,
    }
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow)]
        labels: Option<&'a RawValue>,
    }
    let whole = without(raw, PATCH)?;
    let template: Template<'_> = serde_json::from_str(&whole)?;
    let Some(labels) = template.metadata.and_then(|metadata| metadata.labels) else {
        return Ok(whole.into_owned());
    };
    let labels = labels.get();
    let mut kept = Cow::Borrowed(labels);
    for hash in HASH_LABELS {
        kept = Cow::Owned(without(&kept, hash)?.into_owned());
    }
    // `labels` is a part of `whole`: the raw value was borrowed from it.
    let start = labels.as_ptr().addr() - whole.as_ptr().addr();
    Ok([&whole[..start], &kept, &whole[start + labels.len()..]].concat())
}

/// A template of a Rollout's revision as the Rollout itself has it: without what its controller adds for as long as that
/// revision is the canary or the stable one (`injected`, its own note of labels and annotations), and without the rule
/// that keeps the pods of two revisions apart. With any of these left in it, it would be another revision, and take
/// the steps again. A note that cannot be read is none.
///
/// # Errors
/// When `template` is not a JSON object.
pub fn without_injected(template: &str, injected: Option<&str>) -> Result<String, Error> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Injected {
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
    }
    let injected = injected.and_then(|note| serde_json::from_str(note).ok());
    let Injected {
        labels,
        annotations,
    } = injected.unwrap_or_default();
    let template = within(template, &["metadata", "labels"], &|map| {
        keys_kept(map, |key| !labels.contains_key(key))
    })?;
    let mut template = within(&template, &["metadata", "annotations"], &|map| {
        keys_kept(map, |key| !annotations.contains_key(key))
    })?;
    for strength in ["preferred", "required"] {
        let terms = format!("{strength}DuringSchedulingIgnoredDuringExecution");
        let path = ["spec", "affinity", "podAntiAffinity", &terms];
        template = within(&template, &path, &without_own_terms)?;
    }
    Ok(template)
}

/// A list of terms without those that name a revision of a Rollout: only its controller knows one.
fn without_own_terms(list: &str) -> Result<String, Error> {
    let terms: Option<Vec<&RawValue>> = serde_json::from_str(list)?;
    let own = |term: &&RawValue| !term.get().contains("\"rollouts-pod-template-hash\"");
    let kept = terms.into_iter().flatten().filter(own);
    let kept: Vec<_> = kept.map(RawValue::get).collect();
    Ok(format!("[{}]", kept.join(",")))
}

/// The object with what lies at the path changed; what becomes empty by that goes, as no server would keep it.
fn within(
    object: &str,
    path: &[&str],
    change: &dyn Fn(&str) -> Result<String, Error>,
) -> Result<String, Error> {
    let Some((first, rest)) = path.split_first() else {
        return change(object);
    };
    let entries: Option<Entries<'_>> = serde_json::from_str(object)?;
    let mut kept = Vec::new();
    for (key, value) in entries.iter().flat_map(|entries| &entries.0) {
        let before = value.get();
        let after = if **key == **first {
            Cow::Owned(within(before, rest, change)?)
        } else {
            Cow::Borrowed(before)
        };
        if *before == *after || !matches!(&*after, "{}" | "[]") {
            kept.push((key, after));
        }
    }
    match entries {
        Some(_) => written(&kept),
        None => Ok(object.to_owned()),
    }
}

/// A JSON object (or null) with some of its keys.
fn keys_kept(object: &str, keep: impl Fn(&str) -> bool) -> Result<String, Error> {
    let Some(Entries(entries)) = serde_json::from_str(object)? else {
        return Ok(object.to_owned());
    };
    let kept = entries.iter().filter(|(key, _)| keep(key));
    let kept: Vec<_> = kept
        .map(|(key, value)| (key, Cow::Borrowed(value.get())))
        .collect();
    written(&kept)
}

/// The same without one of its keys; as it is when it has none such.
fn without<'a>(object: &'a str, gone: &str) -> Result<Cow<'a, str>, Error> {
    let entries: Option<Entries<'_>> = serde_json::from_str(object)?;
    if entries.is_none_or(|Entries(entries)| entries.iter().all(|(key, _)| key != gone)) {
        return Ok(Cow::Borrowed(object));
    }
    keys_kept(object, |key| key != gone).map(Cow::Owned)
}

pub(super) fn written(entries: &[(&Cow<'_, str>, Cow<'_, str>)]) -> Result<String, Error> {
    let mut object = String::from("{");
    for (key, value) in entries {
        if object.len() > 1 {
            object.push(',');
        }
        object.push_str(&serde_json::to_string(key)?);
        object.push(':');
        object.push_str(value);
    }
    object.push('}');
    Ok(object)
}

/// A JSON object in its own order, values as they are spelled.
pub(super) struct Entries<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push((Cow::Owned(key), value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::HARD;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_controllers_add_goes() {
        let want = HARD.replace(r#""pod-template-hash":"7d9f","#, "");
        assert_eq!(template_of_revision(HARD).unwrap(), want);
        assert_eq!(template_of_revision(&want).unwrap(), want);
        for (raw, want) in [
            (
                r#"{"$patch":"replace","spec":{"n":9007199254740993,"a":"\u0026"}}"#,
                r#"{"spec":{"n":9007199254740993,"a":"\u0026"}}"#,
            ),
            (
                r#"{"$patch":"replace","metadata":{"labels":{"app":"db"}},"spec":{"$patch":1}}"#,
                r#"{"metadata":{"labels":{"app":"db"}},"spec":{"$patch":1}}"#,
            ),
            (
                r#"{"metadata":{"labels":{"pod-template-hash":"x"}},"spec":{}}"#,
                r#"{"metadata":{"labels":{}},"spec":{}}"#,
            ),
            (
                r#"{"metadata":{"labels":null}}"#,
                r#"{"metadata":{"labels":null}}"#,
            ),
            (
                r#"{"metadata":null,"spec":{}}"#,
                r#"{"metadata":null,"spec":{}}"#,
            ),
            (r#"{ "spec" : {} }"#, r#"{ "spec" : {} }"#),
        ] {
            assert_eq!(template_of_revision(raw).unwrap(), want, "{raw}");
        }
        assert!(template_of_revision("7").is_err());
    }

    #[test]
    fn what_a_rollout_has_for_a_time_goes() {
        let note = r#"{"labels":{"role":"stable"},"annotations":{"team/side":"old"}}"#;
        let term = |key: &str| {
            format!(
                r#"{{"labelSelector":{{"matchExpressions":[{{"key":"{key}","operator":"In","values":["x"]}}]}},"topologyKey":"kubernetes.io/hostname"}}"#
            )
        };
        let ours = term("rollouts-pod-template-hash");
        let template = |labels: &str, annotations: &str, affinity: &str| {
            format!(
                r#"{{"metadata":{{"labels":{labels}{annotations}}},"spec":{{"n":9007199254740993,"empty":{{}}{affinity}}}}}"#
            )
        };
        let rules = |list: &str| {
            format!(
                r#","affinity":{{"podAntiAffinity":{{"requiredDuringSchedulingIgnoredDuringExecution":[{list}]}}}}"#
            )
        };
        let plain = template(r#"{"app":"cart"}"#, "", "");
        let with = template(
            r#"{"app":"cart","role":"stable"}"#,
            r#","annotations":{"team/side":"old"}"#,
            &rules(&ours),
        );
        assert_eq!(without_injected(&with, Some(note)).unwrap(), plain);
        for (raw, want, note) in [
            (&plain, &plain, Some(note)),
            (&with, &with.replace(&rules(&ours), ""), None),
            (&with, &with.replace(&rules(&ours), ""), Some("no JSON")),
            (
                &template(
                    r#"{"role":"a"}"#,
                    "",
                    &rules(&format!("{},{ours}", term("zone"))),
                ),
                &template(r#"{"role":"a"}"#, "", &rules(&term("zone"))),
                None,
            ),
        ] {
            assert_eq!(&without_injected(raw, note).unwrap(), want, "{raw}");
        }
        let null = r#"{"metadata":null,"spec":{"affinity":null}}"#;
        assert_eq!(without_injected(null, Some(note)).unwrap(), null);
        assert!(without_injected("7", None).is_err());
    }

    proptest! {
        #[test]
        fn labels_keep_their_values(labels in proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..5)) {
            let mut with = labels.clone();
            with.insert("pod-template-hash".into(), "x".into());
            let raw = serde_json::json!({"metadata": {"labels": with}, "spec": {"a": "<&>"}}).to_string();
            let bare = template_of_revision(&raw).unwrap();
            let mut want = labels;
            want.remove("pod-template-hash");
            let read: serde_json::Value = serde_json::from_str(&bare).unwrap();
            prop_assert_eq!(&read["metadata"]["labels"], &serde_json::json!(want));
            prop_assert_eq!(&read["spec"]["a"], "<&>");
        }
    }
}
