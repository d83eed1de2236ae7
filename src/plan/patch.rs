//! The bodies of writes, built by hand: what is tested repeats the server's own bytes.

use serde_json::Error;

use crate::domain::action_note::{ANNOTATION, TURN};
use crate::domain::template::RESTARTED_AT;
use crate::domain::{ActionNote, Autoscaler, Uid};

mod template;
mod unfilled;

pub use template::{template_of_revision, without_injected};
pub use unfilled::unfilled;

/// What is written beside the template, and whether there is a map of annotations to add it to.
pub struct Note<'a> {
    pub note: &'a ActionNote,
    pub into_map: bool,
}

/// A JSON Patch that replaces the pod template of the object that was shown, and of no other. `tested` goes in
/// verbatim: the server compares scalars byte by byte and writes & < > as escapes, so that the same value in
/// another spelling would be refused for ever.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn replace_template(
    uid: &Uid,
    tested: &str,
    replacement: &str,
    note: &Note<'_>,
) -> Result<String, Error> {
    let (bound, annotate) = (bound(uid, tested), annotate(ANNOTATION, note)?);
    Ok(format!(
        r#"[{bound},{{"op":"replace","path":"/spec/template","value":{replacement}}},{annotate}]"#
    ))
}

/// A JSON Patch that writes `at` into the annotations of the pod template that was shown: another template makes
/// other pods. `into_map`: the template has annotations already.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn restart(
    uid: &Uid,
    tested: &str,
    (at, into_map): (&str, bool),
    note: &Note<'_>,
) -> Result<String, Error> {
    let at = serde_json::to_string(at)?;
    let (bound, annotate) = (bound(uid, tested), annotate(ANNOTATION, note)?);
    let path = "/spec/template/metadata/annotations";
    let write = if into_map {
        let key = pointer(RESTARTED_AT);
        format!(r#"{{"op":"add","path":"{path}/{key}","value":{at}}}"#)
    } else {
        format!(r#"{{"op":"add","path":"{path}","value":{{"{RESTARTED_AT}":{at}}}}}"#)
    };
    Ok(format!("[{bound},{write},{annotate}]"))
}

/// A JSON Patch that sets the images of containers of the template that was shown, each by its place in there.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn set_images(
    uid: &Uid,
    tested: &str,
    fields: &[(&str, &str)],
    note: &Note<'_>,
) -> Result<String, Error> {
    let (bound, annotate) = (bound(uid, tested), annotate(ANNOTATION, note)?);
    let replaced = fields.iter().map(|(field, image)| {
        let image = serde_json::to_string(image)?;
        Ok(format!(
            r#"{{"op":"replace","path":"/spec/template{field}","value":{image}}}"#
        ))
    });
    let replaced = replaced.collect::<Result<Vec<_>, Error>>()?.join(",");
    Ok(format!("[{bound},{replaced},{annotate}]"))
}

/// The tests that bind a write to the object and the template that were shown.
fn bound(uid: &Uid, tested: &str) -> String {
    format!(
        r#"{},{{"op":"test","path":"/spec/template","value":{tested}}}"#,
        bound_to(uid)
    )
}

fn bound_to(uid: &Uid) -> String {
    let uid = serde_json::Value::from(&*uid.0);
    format!(r#"{{"op":"test","path":"/metadata/uid","value":{uid}}}"#)
}

/// The operations that leave our note.
fn annotate(key: &str, note: &Note<'_>) -> Result<String, Error> {
    let text = serde_json::to_string(note.note)?;
    let value = serde_json::to_string(&text)?;
    let annotations = "/metadata/annotations";
    Ok(into_map(annotations, note.into_map, key, &value))
}

/// The operations that add a key to a map, which is there or not. `value` is JSON.
pub fn into_map(path: &str, is_there: bool, key: &str, value: &str) -> String {
    if is_there {
        let key = pointer(key);
        return format!(r#"{{"op":"add","path":"{path}/{key}","value":{value}}}"#);
    }
    // Somebody else's first entry must not be lost.
    format!(
        r#"{{"op":"test","path":"{path}","value":null}},{{"op":"add","path":"{path}","value":{{"{key}":{value}}}}}"#
    )
}

/// A key as a part of a JSON pointer.
pub fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A JSON Patch that leaves our note on the template that was read, and on no other.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn note(uid: &Uid, tested: &str, note: &Note<'_>) -> Result<String, Error> {
    let (bound, annotate) = (bound(uid, tested), annotate(ANNOTATION, note)?);
    Ok(format!("[{bound},{annotate}]"))
}

/// A JSON Patch that pauses the Deployment that was shown, or lets it move again, with the template that was shown:
/// another one would wait, or go out, that nobody has looked at.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn turn_paused(
    uid: &Uid,
    tested: &str,
    paused: bool,
    note: &Note<'_>,
) -> Result<String, Error> {
    // The server leaves the field out while it is false.
    let (before, op) = if paused {
        ("null", "add")
    } else {
        ("true", "replace")
    };
    let (bound, annotate) = (bound(uid, tested), annotate(TURN, note)?);
    Ok(format!(
        r#"[{bound},{{"op":"test","path":"/spec/paused","value":{before}}},{{"op":"{op}","path":"/spec/paused","value":{paused}}},{annotate}]"#
    ))
}

/// The same for a Rollout, by its template when it has one of its own. Its server
/// keeps a false that somebody wrote, so what is not paused is not tested.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn turn_rollout(own: Option<&str>, paused: bool, note: &Note<'_>) -> Result<String, Error> {
    let template = own.map_or_else(String::new, |own| {
        format!(r#"{{"op":"test","path":"/spec/template","value":{own}}},"#)
    });
    let turn = if paused {
        r#"{"op":"add","path":"/spec/paused","value":true}"#
    } else {
        r#"{"op":"test","path":"/spec/paused","value":true},{"op":"remove","path":"/spec/paused"}"#
    };
    let annotate = annotate(TURN, note)?;
    Ok(format!("[{template}{turn},{annotate}]"))
}

/// A JSON Patch that sets the number of replicas where the one that was shown still stands. The scale subresource
/// would do for the number, but it can neither test the template nor take the note. `tested` is `None` of one that has
/// no template of its own.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn scale(
    uid: &Uid,
    tested: Option<&str>,
    (shown, to): (u32, u32),
    note: &Note<'_>,
) -> Result<String, Error> {
    let bound = tested.map_or_else(|| bound_to(uid), |tested| bound(uid, tested));
    let annotate = annotate(TURN, note)?;
    Ok(format!(
        r#"[{bound},{{"op":"test","path":"/spec/replicas","value":{shown}}},{{"op":"replace","path":"/spec/replicas","value":{to}}},{annotate}]"#
    ))
}

/// A JSON Patch that moves the bounds of the autoscaler that was shown.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn bounds(
    autoscaler: &Autoscaler,
    (min, max): (u32, u32),
    note: &ActionNote,
) -> Result<String, Error> {
    let (least, most) = (autoscaler.min, autoscaler.max);
    let least = least.map_or("null".into(), |least| least.to_string());
    let note = Note {
        note,
        into_map: autoscaler.has_annotations,
    };
    let (bound, annotate) = (bound_to(&autoscaler.uid), annotate(TURN, &note)?);
    Ok(format!(
        r#"[{bound},{{"op":"test","path":"/spec/minReplicas","value":{least}}},{{"op":"test","path":"/spec/maxReplicas","value":{most}}},{{"op":"add","path":"/spec/minReplicas","value":{min}}},{{"op":"replace","path":"/spec/maxReplicas","value":{max}}},{annotate}]"#
    ))
}

/// The same, and the paused Deployment moves again in the same call: no moment is left in which it goes on with the
/// template that it is to leave.
pub fn resuming(body: &str) -> String {
    let rest = body.strip_suffix(']').unwrap_or(body);
    format!(
        r#"{rest},{{"op":"test","path":"/spec/paused","value":true}},{{"op":"remove","path":"/spec/paused"}}]"#
    )
}

/// A JSON Patch that sets the partition of the StatefulSet that was shown, from the one that was shown.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn partition(
    uid: &Uid,
    tested: &str,
    (shown, to): (u32, u32),
    note: &Note<'_>,
) -> Result<String, Error> {
    let (bound, annotate) = (bound(uid, tested), annotate(TURN, note)?);
    let path = "/spec/updateStrategy/rollingUpdate/partition";
    Ok(format!(
        r#"[{bound},{{"op":"test","path":"{path}","value":{shown}}},{{"op":"replace","path":"{path}","value":{to}}},{annotate}]"#
    ))
}

/// The same patch, refused as well where one of these tests fails.
pub fn only_where(tests: &[serde_json::Value], patch: String) -> String {
    match patch.strip_prefix('[') {
        Some(operations) if !tests.is_empty() => {
            let tests: Vec<_> = tests.iter().map(ToString::to_string).collect();
            format!("[{},{operations}", tests.join(","))
        }
        _ => patch,
    }
}

/// A JSON Patch that asks the controller of a Rollout to make its pods anew that are older than `at`.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn restart_rollout(
    uid: &Uid,
    tested: Option<&str>,
    at: &str,
    note: &Note<'_>,
) -> Result<String, Error> {
    let bound = tested.map_or_else(|| bound_to(uid), |tested| bound(uid, tested));
    let annotate = annotate(ANNOTATION, note)?;
    let at = serde_json::to_string(at)?;
    Ok(format!(
        r#"[{bound},{{"op":"add","path":"/spec/restartAt","value":{at}}},{annotate}]"#
    ))
}

/// A JSON Patch that lets a paused Deployment move again, whatever its template.
pub fn resume(uid: &Uid) -> String {
    let bound = bound_to(uid);
    format!(r#"[{bound},{{"op":"replace","path":"/spec/paused","value":false}}]"#)
}

/// The same for a Rollout, whether it is paused or not.
pub fn let_go(uid: &Uid) -> String {
    let bound = bound_to(uid);
    format!(r#"[{bound},{{"op":"add","path":"/spec/paused","value":false}}]"#)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::template::canonical_hash;

    pub const HARD: &str = r#"{"metadata":{"creationTimestamp":null,"labels":{"app":"wäb","pod-template-hash":"7d9f","x":""}},"spec":{"n":9007199254740993,"big":123456789012345678901234567890,"f":1.0,"e":1e3,"containers":[{"command":["sh","-c","a \u0026\u0026 b \u003cc\u003e"],"image":"web:2","empty":""}]}}"#;

    fn note() -> ActionNote {
        ActionNote {
            id: "a1".into(),
            verb: "rollback".into(),
            from: "web-2".into(),
            from_version: "2".into(),
            to: canonical_hash(HARD).unwrap(),
            by: "me\"@here".into(),
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            replicas: None,
        }
    }

    #[test]
    fn tested_bytes_are_verbatim() {
        let replacement = template_of_revision(HARD).unwrap();
        for (into_map, end) in [
            (
                true,
                r#"{"op":"add","path":"/metadata/annotations/rolldeck.dev~1action","value":""#,
            ),
            (
                false,
                r#"{"op":"test","path":"/metadata/annotations","value":null},{"op":"add","path":"/metadata/annotations","value":{"rolldeck.dev/action":""#,
            ),
        ] {
            let note = note();
            let note = Note {
                note: &note,
                into_map,
            };
            let body = replace_template(&"u\"1".into(), HARD, &replacement, &note).unwrap();
            let start = format!(
                r#"[{{"op":"test","path":"/metadata/uid","value":"u\"1"}},{{"op":"test","path":"/spec/template","value":{HARD}}},{{"op":"replace","path":"/spec/template","value":{replacement}}},{end}"#
            );
            assert!(body.starts_with(&start), "{body}");
            let operations: serde_json::Value = serde_json::from_str(&body).unwrap();
            let last = operations.as_array().unwrap().last().unwrap();
            let value = &last["value"];
            let text = value
                .as_str()
                .or_else(|| value["rolldeck.dev/action"].as_str());
            let read: ActionNote = serde_json::from_str(text.unwrap()).unwrap();
            assert_eq!(read, *note.note);
        }
    }
}
