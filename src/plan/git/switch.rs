//! The bodies that switch off, and on again, what keeps a workload as git has it.

use serde_json::value::RawValue;

use crate::domain::sync::{ANNOTATION, LABEL};
use crate::domain::{Suspension, Sync, SyncKind, SyncParts};
use crate::plan::patch::{into_map, pointer};

const AUTOMATED: &str = "/spec/syncPolicy/automated";
const SUSPEND: &str = "/spec/suspend";

/// A JSON Patch that suspends the object that was read, and leaves the note of it. What is tested and kept are the
/// exact bytes of what stood there.
///
/// # Errors
/// Never in practice: when the note cannot be written as JSON.
pub fn off(sync: &Sync, parts: &SyncParts, note: &Suspension) -> Result<String, serde_json::Error> {
    let was = parts.switch.as_deref().unwrap_or("null");
    let switch = match sync.id.kind {
        SyncKind::Application => {
            format!(
                r#"{},{{"op":"remove","path":"{AUTOMATED}"}}"#,
                test(AUTOMATED, was)
            )
        }
        SyncKind::Kustomization | SyncKind::HelmRelease => {
            format!(
                r#"{},{{"op":"add","path":"{SUSPEND}","value":true}}"#,
                test(SUSPEND, was)
            )
        }
    };
    let text = serde_json::to_string(&serde_json::to_string(note)?)?;
    let annotate = into_map(
        "/metadata/annotations",
        parts.annotations,
        ANNOTATION,
        &text,
    );
    let label = into_map("/metadata/labels", parts.labels, LABEL, r#""true""#);
    Ok(format!("[{},{switch},{annotate},{label}]", of_uid(sync)))
}

/// A JSON Patch that puts back what our note says stood there, and takes the note away. `None` when the note does not
/// hold what can be put back. What somebody else switched on already stays as it is.
pub fn on(sync: &Sync, parts: &SyncParts) -> Option<String> {
    let note = sync.suspension.as_deref()?;
    let raw = parts.note.as_deref()?;
    let mut operations = vec![of_uid(sync), test(&annotation(), raw)];
    if sync.reverts().is_none() {
        operations.extend(switched_on(sync.id.kind, parts, &note.was)?);
    }
    operations.push(remove(&annotation()));
    if parts.label {
        operations.push(remove(&format!("/metadata/labels/{}", pointer(LABEL))));
    }
    Some(format!("[{}]", operations.join(",")))
}

fn switched_on(kind: SyncKind, parts: &SyncParts, was: &str) -> Option<Vec<String>> {
    let add =
        |path: &str, value: &str| format!(r#"{{"op":"add","path":"{path}","value":{value}}}"#);
    match kind {
        SyncKind::Application => {
            // It comes from outside, and goes into a patch as it is.
            let was: &RawValue = serde_json::from_str(was).ok()?;
            let was = was.get();
            let now = parts.switch.as_deref().unwrap_or("null");
            Some(if parts.sync_policy {
                vec![test(AUTOMATED, now), add(AUTOMATED, was)]
            } else {
                let policy = format!(r#"{{"automated":{was}}}"#);
                vec![
                    test("/spec/syncPolicy", "null"),
                    add("/spec/syncPolicy", &policy),
                ]
            })
        }
        SyncKind::Kustomization | SyncKind::HelmRelease => {
            let back = match was {
                "" => remove(SUSPEND),
                _ => add(SUSPEND, "false"),
            };
            Some(vec![test(SUSPEND, "true"), back])
        }
    }
}

fn annotation() -> String {
    format!("/metadata/annotations/{}", pointer(ANNOTATION))
}

fn of_uid(sync: &Sync) -> String {
    test(
        "/metadata/uid",
        &serde_json::Value::from(&*sync.uid.0).to_string(),
    )
}

fn test(path: &str, value: &str) -> String {
    format!(r#"{{"op":"test","path":"{path}","value":{value}}}"#)
}

fn remove(path: &str) -> String {
    format!(r#"{{"op":"remove","path":"{path}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Automatic;
    use crate::domain::sync::sample;

    const WAS: &str = r#"{ "selfHeal" : true }"#;

    fn note(was: &str) -> Suspension {
        Suspension {
            id: "i1".into(),
            by: "me@here".into(),
            at: "2026-01-01T12:00:00Z".parse().unwrap(),
            was: was.into(),
        }
    }

    #[test]
    fn what_stood_there_is_tested_kept_and_put_back() {
        let application = sample(Automatic::Heals { within: None });
        let parts = SyncParts {
            sync_policy: true,
            switch: Some(WAS.into()),
            labels: true,
            ..SyncParts::default()
        };
        let body = off(&application, &parts, &note(WAS)).unwrap();
        let start = format!(
            r#"[{{"op":"test","path":"/metadata/uid","value":"a1"}},{{"op":"test","path":"/spec/syncPolicy/automated","value":{WAS}}},{{"op":"remove","path":"/spec/syncPolicy/automated"}},{{"op":"test","path":"/metadata/annotations","value":null}}"#
        );
        assert!(body.starts_with(&start), "{body}");
        let label =
            r#"{"op":"add","path":"/metadata/labels/rolldeck.dev~1suspended","value":"true"}]"#;
        assert!(body.ends_with(label), "{body}");

        let mut suspended = sample(Automatic::Off);
        suspended.suspension = Some(Box::new(note(WAS)));
        let parts = SyncParts {
            sync_policy: true,
            switch: None,
            labels: true,
            annotations: true,
            note: Some(r#""n""#.into()),
            label: true,
        };
        let back = on(&suspended, &parts).unwrap();
        let want = format!(
            r#"[{{"op":"test","path":"/metadata/uid","value":"a1"}},{{"op":"test","path":"/metadata/annotations/rolldeck.dev~1suspended","value":"n"}},{{"op":"test","path":"/spec/syncPolicy/automated","value":null}},{{"op":"add","path":"/spec/syncPolicy/automated","value":{WAS}}},{{"op":"remove","path":"/metadata/annotations/rolldeck.dev~1suspended"}},{{"op":"remove","path":"/metadata/labels/rolldeck.dev~1suspended"}}]"#
        );
        assert_eq!(back, want);
        let bare = SyncParts {
            sync_policy: false,
            ..parts.clone()
        };
        let back = on(&suspended, &bare).unwrap();
        assert!(
            back.contains(&format!(
                r#""path":"/spec/syncPolicy","value":{{"automated":{WAS}}}"#
            )),
            "{back}"
        );
        suspended.suspension = Some(Box::new(note("nonsense}],")));
        assert_eq!(on(&suspended, &parts), None);
        // Somebody else was quicker: only the note goes.
        let mut again = sample(Automatic::NextChange);
        again.suspension = Some(Box::new(note(WAS)));
        assert!(!on(&again, &parts).unwrap().contains("syncPolicy"));
    }

    #[test]
    fn flux_is_suspended_by_its_own_field() {
        let mut apps = sample(Automatic::Heals {
            within: Some("10m".into()),
        });
        apps.id.kind = SyncKind::Kustomization;
        let parts = SyncParts {
            annotations: true,
            ..SyncParts::default()
        };
        let body = off(&apps, &parts, &note("")).unwrap();
        let middle = r#"{"op":"test","path":"/spec/suspend","value":null},{"op":"add","path":"/spec/suspend","value":true}"#;
        assert!(body.contains(middle), "{body}");
        apps.automatic = Automatic::Off;
        let parts = SyncParts {
            note: Some(r#""n""#.into()),
            switch: Some("true".into()),
            ..parts
        };
        for (was, want) in [
            ("", r#"{"op":"remove","path":"/spec/suspend"}"#),
            (
                "false",
                r#"{"op":"add","path":"/spec/suspend","value":false}"#,
            ),
        ] {
            apps.suspension = Some(Box::new(note(was)));
            let back = on(&apps, &parts).unwrap();
            assert!(back.contains(want), "{back}");
            assert!(back.contains(r#"{"op":"test","path":"/spec/suspend","value":true}"#));
        }
    }
}
