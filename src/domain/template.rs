//! Pod templates as bytes: what was shown, and what a write must repeat.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The labels that the controllers of Deployments and of Argo Rollouts add to the template of a ReplicaSet.
pub const HASH_LABELS: [&str; 2] = ["pod-template-hash", "rollouts-pod-template-hash"];
/// The annotation of a template that a restart changes, and nothing else.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
/// The key in the template of a ControllerRevision, which is kept as a patch that replaces the whole.
pub const PATCH: &str = "$patch";

/// JSON exactly as the API server sent it. A write that tests a template repeats these bytes, because the
/// server compares scalars byte by byte.
#[derive(Clone, PartialEq, Eq)]
pub struct Verbatim(pub Box<str>);

impl fmt::Debug for Verbatim {
    /// Only the size: a template may be long and may hold what should not be in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verbatim({} bytes)", self.0.len())
    }
}

/// The first 16 bytes of the SHA-256 of a raw `/spec/template`: "the template that was shown".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TemplateHash(pub [u8; 16]);

impl TemplateHash {
    pub fn of(raw: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, raw.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_ref()[..16]);
        Self(bytes)
    }
}

impl fmt::Debug for TemplateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// The SHA-256, in hex, of a template as key-sorted JSON without what controllers add to it: the
/// hash labels, the `$patch` of a ControllerRevision, a creation time that is null. Two templates that
/// mean the same have the same, whatever order a server writes their keys in.
///
/// # Errors
/// When `raw` is not JSON.
pub fn canonical_hash(raw: &str) -> Result<CanonicalHash, serde_json::Error> {
    Ok(hash_of(&canonical(raw)?))
}

/// The same without what a restart writes: a template and the one that restarted it have the same.
///
/// # Errors
/// When `raw` is not JSON.
pub fn restarted_hash(raw: &str) -> Result<CanonicalHash, serde_json::Error> {
    let mut template = canonical(raw)?;
    let meta = template.pointer_mut("/metadata");
    if let Some(meta) = meta.and_then(Value::as_object_mut) {
        let annotations = meta.get_mut("annotations").and_then(Value::as_object_mut);
        let none = annotations.is_none_or(|annotations| {
            annotations.remove(RESTARTED_AT);
            annotations.is_empty()
        });
        if none {
            meta.remove("annotations");
        }
    }
    Ok(hash_of(&template))
}

fn canonical(raw: &str) -> Result<Value, serde_json::Error> {
    let mut template: Value = serde_json::from_str(raw)?;
    if let Some(template) = template.as_object_mut() {
        template.remove(PATCH);
    }
    if let Some(meta) = template
        .pointer_mut("/metadata")
        .and_then(Value::as_object_mut)
    {
        // A ControllerRevision keeps the bytes of the server version that made it, and only older ones wrote it.
        meta.retain(|key, value| key != "creationTimestamp" || !value.is_null());
        if let Some(labels) = meta.get_mut("labels").and_then(Value::as_object_mut) {
            labels.retain(|key, _| !HASH_LABELS.contains(&&**key));
        }
    }
    Ok(template)
}

fn hash_of(template: &Value) -> CanonicalHash {
    let mut text = String::new();
    write_sorted(template, &mut text);
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    CanonicalHash(hex(digest.as_ref()).into())
}

/// See [`canonical_hash`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CanonicalHash(pub Box<str>);

/// Sorts by itself, so that the answer does not hang on how `serde_json` keeps its maps.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (i, (key, value)) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_sorted(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_sorted(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_the_hash_label_do_not_matter() {
        let a = r#"{"metadata":{"labels":{"app":"x","pod-template-hash":"7d9f"}},"spec":{"a":1,"b":[1,{"d":2,"c":3}]}}"#;
        let b = r#"{"spec":{"b":[1,{"c":3,"d":2}],"a":1},"metadata":{"labels":{"app":"x"}}}"#;
        assert_eq!(canonical_hash(a).unwrap(), canonical_hash(b).unwrap());
        assert_ne!(
            canonical_hash(a).unwrap(),
            canonical_hash(r#"{"spec":{}}"#).unwrap()
        );
        assert_ne!(TemplateHash::of(a), TemplateHash::of(b));
        let revision = r#"{"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"app":"x"}},"spec":{"a":1,"b":[1,{"c":3,"d":2}]}}"#;
        assert_eq!(
            canonical_hash(a).unwrap(),
            canonical_hash(revision).unwrap()
        );
    }
}
