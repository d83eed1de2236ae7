//! Wire JSON turned into the domain: free functions, one object each.

mod autoscaler;
mod chart;
mod manager;
mod occurrence;
mod pod;
mod revision;
mod running;
mod selector;
mod sync;
mod warning;
mod workload;

pub use self::autoscaler::autoscaler;
pub use self::chart::{chart_manifest, chart_release};
pub(super) use self::manager::manager;
pub use self::manager::{DataWritten, data_written};
pub use self::occurrence::occurrences;
pub use self::pod::{Seen, pod, seen};
pub use self::revision::{controller_revision, replica_set, revision, revision_template};
pub use self::running::running;
pub(super) use self::selector::selector;
pub use self::sync::{sync, sync_parts};
pub use self::warning::warning;
pub use self::workload::workload;
pub(super) use self::workload::{amount, bare_workload};

use jiff::Timestamp;
use serde::de::Error as _;
use serde_json::Error;

use super::canary::{argo, flagger, pair, route};
use super::wire;
use crate::domain::{
    ActionNote, Condition, Container, Feed, Item, ItemId, SourceId, Truth, WorkloadId,
};

/// Messages and reasons come from outside and may be of any length; bytes kept of each.
pub(super) const MESSAGE: usize = 1024;
pub(super) const REASON: usize = 256;

/// What `source` makes of one of its objects; `None` when it is none of its own, like the ReplicaSet of an
/// Argo Rollout.
///
/// # Errors
/// When the object cannot be read: it costs its own row and no other.
pub fn item(source: &SourceId, raw: &str) -> Result<Option<Item>, Error> {
    let cluster = &source.cluster;
    Ok(match &source.feed {
        Feed::Workloads(kind) => Some(Item::Workload(Box::new(workload(cluster, *kind, raw)?))),
        Feed::Warnings => Some(Item::Warning(Box::new(warning(cluster, raw)?))),
        Feed::ReplicaSets => replica_set(cluster, raw)?.map(Box::new).map(Item::Revision),
        Feed::RevisionsOf { workload, .. } => {
            revision(workload, raw)?.map(Box::new).map(Item::Revision)
        }
        Feed::PodsOf { workload, .. } => Some(Item::Pod(Box::new(pod(workload, raw)?))),
        Feed::AnalysesOf { workload, .. } => argo::analysis(workload, raw)?.map(|(uid, run)| {
            let (of, run) = (workload.clone(), Box::new(run));
            Item::Analysis { of, uid, run }
        }),
        Feed::Canaries => flagger::canary(cluster, raw)?.map(|(of, canary)| {
            let uid = canary.flagger.as_ref().map(|f| f.uid.clone());
            let (uid, canary) = (uid.unwrap_or_default(), Box::new(canary));
            Item::Canary { of, uid, canary }
        }),
        Feed::Services => pair::service(cluster, raw)?
            .map(Box::new)
            .map(Item::Service),
        Feed::Routes(kind) => Some(Item::Route(Box::new(route::route(cluster, *kind, raw)?))),
        Feed::EndpointsOf { workload, .. } => Some(pair::endpoints(workload, raw)?),
        Feed::SyncOf {
            workload,
            sync: named,
        } => {
            let sync = Box::new(sync(cluster, named.kind, Some(workload), raw)?);
            let of = Some(workload.clone());
            Some(Item::Sync { of, sync })
        }
        Feed::Suspended(kind) => {
            let sync = Box::new(sync(cluster, *kind, None, raw)?);
            Some(Item::Sync { of: None, sync })
        }
    })
}

/// How the row that `source` made of an object is named, from no more than the object's metadata.
///
/// # Errors
/// When even that cannot be read.
pub fn item_id(source: &SourceId, raw: &str) -> Result<Option<ItemId>, Error> {
    let object: wire::Object<'_> = serde_json::from_str(raw)?;
    let meta = &object.metadata;
    let (name, uid) = (required(&meta.name, "name")?, meta.uid[..].into());
    Ok(match &source.feed {
        Feed::Workloads(kind) => {
            let id = WorkloadId {
                cluster: source.cluster.clone(),
                namespace: meta.namespace[..].into(),
                kind: *kind,
                name: name.into(),
            };
            Some(ItemId::Workload(id, uid))
        }
        Feed::Warnings => Some(ItemId::Warning {
            cluster: source.cluster.clone(),
            namespace: meta.namespace[..].into(),
            name: name.into(),
        }),
        Feed::ReplicaSets => revision::owner(&source.cluster, meta)
            .map(|workload| ItemId::Revision { workload, uid }),
        Feed::RevisionsOf { workload, .. } => Some(ItemId::Revision {
            workload: workload.clone(),
            uid,
        }),
        Feed::PodsOf { workload, .. } => Some(ItemId::Pod {
            workload: workload.clone(),
            uid,
        }),
        Feed::AnalysesOf { workload, .. } => Some(ItemId::Analysis {
            of: workload.clone(),
            uid,
        }),
        Feed::Canaries => Some(ItemId::Canary {
            cluster: source.cluster.clone(),
            uid,
        }),
        Feed::Services => Some(ItemId::Service {
            cluster: source.cluster.clone(),
            uid,
        }),
        Feed::Routes(_) => Some(ItemId::Route {
            cluster: source.cluster.clone(),
            uid,
        }),
        Feed::EndpointsOf { workload, .. } => Some(ItemId::Endpoints {
            of: workload.clone(),
            uid,
        }),
        Feed::SyncOf { workload, sync } => Some(ItemId::Sync {
            of: Some(workload.clone()),
            id: sync::id(&source.cluster, sync.kind, meta),
        }),
        Feed::Suspended(kind) => Some(ItemId::Sync {
            of: None,
            id: sync::id(&source.cluster, *kind, meta),
        }),
    })
}

/// The exact bytes of `/spec/template`.
///
/// # Errors
/// When `raw` is not an object that has one.
pub fn raw_template(raw: &str) -> Result<&str, Error> {
    // Nothing else is looked at: a Rollout has fields of other types.
    let object: wire::RevisionData<'_> = serde_json::from_str(raw)?;
    let template = object.spec.template;
    template
        .map(serde_json::value::RawValue::get)
        .ok_or_else(|| missing("spec.template"))
}

fn template_of<'a>(spec: &wire::WorkloadSpec<'a>) -> Result<&'a str, Error> {
    spec.template
        .map(serde_json::value::RawValue::get)
        .ok_or_else(|| missing("spec.template"))
}

pub(super) fn required<'t>(value: &'t wire::Text<'_>, field: &str) -> Result<&'t str, Error> {
    if value.is_empty() {
        return Err(missing(&format!("metadata.{field}")));
    }
    Ok(value)
}

fn created(meta: &wire::Meta<'_>) -> Result<Timestamp, Error> {
    meta.creation_timestamp
        .ok_or_else(|| missing("metadata.creationTimestamp"))
}

pub(super) fn missing(field: &str) -> Error {
    Error::custom(format!("{field} is missing"))
}

/// Counts of the API are 32-bit and never below zero; a server that says otherwise gets the nearest.
pub(super) fn count(value: Option<i64>) -> u32 {
    let value = value.unwrap_or(0).clamp(0, i64::from(u32::MAX));
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The text, cut to `bytes` at a character and marked with `…`.
pub(super) fn capped(text: &str, bytes: usize) -> Box<str> {
    if text.len() <= bytes {
        return text.into();
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at));
    format!("{}…", &text[..end.unwrap_or(0)]).into()
}

fn optional(text: Option<&wire::Text<'_>>) -> Option<Box<str>> {
    text.filter(|text| !text.is_empty())
        .map(|text| text[..].into())
}

fn reason_of(reason: &str, message: &str) -> (Box<str>, Box<str>) {
    (capped(reason, REASON), capped(message, MESSAGE))
}

pub(super) fn condition(wire: &wire::Condition<'_>) -> Condition {
    Condition {
        kind: capped(&wire.kind, REASON),
        status: match &wire.status[..] {
            "True" => Truth::True,
            "False" => Truth::False,
            _ => Truth::Unknown,
        },
        reason: capped(&wire.reason, REASON),
        message: capped(&wire.message, MESSAGE),
        updated: wire.last_update_time,
        changed: wire.last_transition_time,
    }
}

/// Init containers come first, as in the spec; one that is always restarted is a sidecar and counts as a container.
fn containers(spec: &wire::PodSpec<'_>) -> Box<[Container]> {
    let init = spec.init_containers.iter().map(|container| {
        let sidecar = container.restart_policy.as_deref() == Some("Always");
        (container, !sidecar)
    });
    init.chain(spec.containers.iter().map(|container| (container, false)))
        .map(|(container, init)| Container {
            name: container.name[..].into(),
            image: container.image[..].into(),
            init,
        })
        .collect()
}

/// A note that cannot be read is no note.
fn action_note(annotation: Option<&wire::Text<'_>>) -> Option<Box<ActionNote>> {
    serde_json::from_str(annotation?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_the_exact_bytes() {
        let template = r#"{ "b":"a \u0026\u0026 b <c>",  "a": 1.0e2 }"#;
        let raw = format!(r#"{{"kind":"Deployment","spec":{{"x":[1],"template":{template}}}}}"#);
        assert_eq!(raw_template(&raw).unwrap(), template);
        assert!(raw_template(r#"{"spec":{}}"#).is_err());
        assert!(raw_template("nonsense").is_err());
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(&*capped("short", 10), "short");
        assert_eq!(&*capped("aé", 2), "a…");
        assert_eq!(
            capped(&"x".repeat(5000), MESSAGE).len(),
            MESSAGE + "…".len()
        );
    }

    #[test]
    fn counts_stay_in_range() {
        for (value, want) in [
            (None, 0),
            (Some(-3), 0),
            (Some(7), 7),
            (Some(i64::MAX), u32::MAX),
        ] {
            assert_eq!(count(value), want);
        }
    }

    #[test]
    fn a_row_is_named_from_metadata_alone() {
        let raw = r#"{"metadata":{"name":"n","namespace":"shop","uid":"u",
            "ownerReferences":[{"uid":"x"},{"uid":"o","kind":"Deployment","name":"n","controller":true}]},"spec":7}"#;
        let workload = WorkloadId {
            cluster: "c".into(),
            namespace: "shop".into(),
            kind: crate::domain::Kind::Deployment,
            name: "n".into(),
        };
        let selector: Box<str> = "app=n".into();
        for (feed, want) in [
            (
                Feed::Workloads(crate::domain::Kind::Deployment),
                ItemId::Workload(workload.clone(), "u".into()),
            ),
            (
                Feed::ReplicaSets,
                ItemId::Revision {
                    workload: workload.clone(),
                    uid: "u".into(),
                },
            ),
            (
                Feed::PodsOf {
                    workload: workload.clone(),
                    selector,
                },
                ItemId::Pod {
                    workload: workload.clone(),
                    uid: "u".into(),
                },
            ),
            (
                Feed::Warnings,
                ItemId::Warning {
                    cluster: "c".into(),
                    namespace: "shop".into(),
                    name: "n".into(),
                },
            ),
        ] {
            let source = SourceId {
                cluster: "c".into(),
                namespace: None,
                feed,
            };
            assert_eq!(item_id(&source, raw).unwrap(), Some(want));
            assert!(item_id(&source, r#"{"metadata":{}}"#).is_err());
        }
    }
}
