//! The few texts that are read out of protobuf bodies: kubectl asks for its rights in no other format.

use serde_json::{Value, json};

const MAGIC: &[u8] = b"k8s\0";
/// The fields of `ResourceAttributes`, by number from 1.
const RESOURCE: [&str; 7] = [
    "namespace",
    "verb",
    "group",
    "version",
    "resource",
    "subresource",
    "name",
];
const NON_RESOURCE: [&str; 2] = ["path", "verb"];

/// The `spec` of a review. `None` when the bytes are no such object.
pub fn spec(body: &[u8], name: &str) -> Option<Value> {
    let envelope = body.strip_prefix(MAGIC)?;
    let spec = field(field(envelope, 2)?, 2)?;
    Some(match name {
        "SelfSubjectAccessReview" => {
            let mut value = json!({});
            let resource = field(spec, 1)?;
            if !resource.is_empty() {
                value["resourceAttributes"] = texts(resource, &RESOURCE)?;
            }
            let other = field(spec, 2)?;
            if !other.is_empty() {
                value["nonResourceAttributes"] = texts(other, &NON_RESOURCE)?;
            }
            value
        }
        "SelfSubjectRulesReview" => texts(spec, &["namespace"])?,
        _ => json!({}),
    })
}

fn texts(message: &[u8], names: &[&str]) -> Option<Value> {
    let mut value = json!({});
    for (number, name) in (1..).zip(names) {
        let bytes = field(message, number)?;
        if !bytes.is_empty() {
            value[*name] = str::from_utf8(bytes).ok()?.into();
        }
    }
    Some(value)
}

/// The bytes of a field with a length, none when it is not there. `None` when the message is broken.
fn field(mut message: &[u8], wanted: u64) -> Option<&[u8]> {
    let mut found = &[][..];
    while !message.is_empty() {
        let tag = number(&mut message)?;
        let length = match tag & 7 {
            0 => {
                number(&mut message)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(number(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (bytes, rest) = message.split_at_checked(length)?;
        message = rest;
        if tag >> 3 == wanted && tag & 7 == 2 {
            found = bytes;
        }
    }
    Some(found)
}

fn number(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As kubectl 1.36 writes `auth can-i create deployments -n shop-1`.
    const ASKED: &[u8] = b"k8s\0\x0a\x32\x0a\x17authorization.k8s.io/v1\x12\x17SelfSubjectAccessReview\
        \x12\x49\x0a\x10\x0a\x00\x12\x00\x1a\x00\x22\x00\x2a\x00\x32\x00\x38\x00\x42\x00\x12\x2b\x0a\x29\
        \x0a\x06shop-1\x12\x06create\x1a\x04apps\x22\x00\x2a\x0bdeployments\x32\x00\x3a\x00\
        \x1a\x08\x08\x00\x12\x00\x1a\x00\x20\x00\x1a\x00\x22\x00";

    #[test]
    fn the_question_is_read() {
        let want = json!({"resourceAttributes": {
            "namespace": "shop-1", "verb": "create", "group": "apps", "resource": "deployments"}});
        assert_eq!(spec(ASKED, "SelfSubjectAccessReview"), Some(want));
    }

    #[test]
    fn broken_bytes_are_no_question() {
        for end in 1..ASKED.len() {
            let cut = spec(&ASKED[..end], "SelfSubjectAccessReview");
            assert!(cut.is_none() || end == 4 || end >= 56, "{end}: {cut:?}");
        }
        assert_eq!(spec(b"{}", "SelfSubjectReview"), None);
    }
}
