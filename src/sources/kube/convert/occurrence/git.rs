//! What Argo CD and Flux brought, from the histories that they keep of themselves.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Error;

use super::{line, workload};
use crate::domain::occurrence::{Difference, Origin, What, Who};
use crate::domain::{ClusterId, Occurrence};
use crate::sources::kube::wire::{Condition, Object, Text, or_default};

#[derive(Debug, Default, Deserialize)]
struct Synced<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    status: Status<'a>,
}

/// Of all three kinds, each field absent where its kind has none.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    history: Vec<Entry<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    resources: Vec<Resource<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    last_applied_revision: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    conditions: Vec<Condition<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    revision: Text<'a>,
    deployed_at: Option<Timestamp>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    initiated_by: Initiator<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    chart_name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    chart_version: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    status: Text<'a>,
    last_deployed: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
struct Initiator<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    username: Text<'a>,
    #[serde(default, deserialize_with = "or_default")]
    automated: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    namespace: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    name: Text<'a>,
}

/// Its history holds every sync that changed something, oldest first.
pub fn application(
    cluster: &ClusterId,
    raw: &str,
    into: &mut Vec<Occurrence>,
) -> Result<(), Error> {
    let (object, synced): (Object<'_>, Synced<'_>) =
        (serde_json::from_str(raw)?, serde_json::from_str(raw)?);
    let (meta, status) = (&object.metadata, &synced.status);
    let mut before: Option<&Entry<'_>> = None;
    for entry in &status.history {
        let from = before.replace(entry);
        let Some(at) = entry.deployed_at else {
            continue;
        };
        let to = short(&entry.revision);
        let by = &entry.initiated_by;
        let resources = status.resources.iter();
        let services =
            resources.filter_map(|r| workload(cluster, &r.namespace, (&r.kind, &r.name)));
        into.push(Occurrence {
            at,
            what: What::Sync,
            services: services.collect(),
            words: match from {
                Some(from) => format!("{} → {to}", short(&from.revision)),
                None => format!("→ {to}"),
            },
            who: match &*by.username {
                "" if by.automated => Who::Manager("argocd, by itself".into()),
                "" => Who::Manager("argocd".into()),
                name => Who::Person(name.into()),
            },
            known_from: "Application history",
            difference: Difference::Words(vec![
                format!("Argo CD brought {} at {at}.", &*entry.revision),
                format!("argocd app history {}", &*meta.name),
            ]),
            ..line(
                cluster,
                (&meta.namespace, &meta.name),
                "application",
                Origin::ArgoCd,
            )
        });
    }
    Ok(())
}

/// The time of its Ready condition is near that of its last application, and not it.
pub fn kustomization(
    cluster: &ClusterId,
    raw: &str,
    into: &mut Vec<Occurrence>,
) -> Result<(), Error> {
    let (object, synced): (Object<'_>, Synced<'_>) =
        (serde_json::from_str(raw)?, serde_json::from_str(raw)?);
    let (meta, status) = (&object.metadata, &synced.status);
    let ready = status.conditions.iter().find(|c| &*c.kind == "Ready");
    let Some((ready, at)) = ready.and_then(|c| Some((c, c.last_transition_time?))) else {
        return Ok(());
    };
    let words = match &*ready.status {
        "True" => format!("→ {}", short(&status.last_applied_revision)),
        _ => format!("not ready: {}", &*ready.reason),
    };
    into.push(Occurrence {
        at,
        inferred: true,
        what: What::Sync,
        words,
        who: Who::Manager("kustomize-controller".into()),
        known_from: "Ready condition",
        difference: Difference::Words(vec![
            format!("Kustomization {}: {}", &*meta.name, &*ready.message),
            format!("last applied: {}", &*status.last_applied_revision),
        ]),
        ..line(
            cluster,
            (&meta.namespace, &meta.name),
            "kustomization",
            Origin::Kustomizations,
        )
    });
    Ok(())
}

/// Its history holds the releases of Helm that it made, newest first.
pub fn helm_release(
    cluster: &ClusterId,
    raw: &str,
    into: &mut Vec<Occurrence>,
) -> Result<(), Error> {
    let (object, synced): (Object<'_>, Synced<'_>) =
        (serde_json::from_str(raw)?, serde_json::from_str(raw)?);
    let (meta, history) = (&object.metadata, &synced.status.history);
    for (number, entry) in history.iter().enumerate() {
        let Some(at) = entry.last_deployed else {
            continue;
        };
        let (chart, to) = (&*entry.chart_name, &*entry.chart_version);
        let from = history.get(number + 1).map(|older| &*older.chart_version);
        into.push(Occurrence {
            at,
            what: What::Sync,
            words: match from {
                Some(from) if from != to => format!("{chart} {from} → {to}, {}", &*entry.status),
                Some(_) | None => format!("{chart} {to}, {}", &*entry.status),
            },
            who: Who::Manager("helm-controller".into()),
            known_from: "HelmRelease history",
            difference: Difference::Words(vec![format!(
                "Flux deployed {chart} {to} at {at}: {}.",
                &*entry.status
            )]),
            ..line(
                cluster,
                (&meta.namespace, &meta.name),
                "helmrelease",
                Origin::HelmReleases,
            )
        });
    }
    Ok(())
}

/// A commit by its first seven letters; anything else as it stands: `main@sha1:03fe21d`.
fn short(revision: &str) -> String {
    let (before, commit) = match revision.rsplit_once(':') {
        Some((before, commit)) => (format!("{before}:"), commit),
        None => (String::new(), revision),
    };
    let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    match commit.get(..7).filter(|_| is_commit) {
        Some(short) => format!("{before}{short}"),
        None if revision.is_empty() => "unknown".into(),
        None => revision.into(),
    }
}
