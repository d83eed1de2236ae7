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

/// What an object of one of the three kinds tells.
pub fn git(
    cluster: &ClusterId,
    origin: Origin,
    raw: &str,
    into: &mut Vec<Occurrence>,
) -> Result<(), Error> {
    let (object, synced): (Object<'_>, Synced<'_>) =
        (serde_json::from_str(raw)?, serde_json::from_str(raw)?);
    let (meta, status) = (&object.metadata, &synced.status);
    let (kind, tell): (_, fn(&Occurrence, &Status<'_>) -> Vec<Occurrence>) = match origin {
        Origin::Kustomizations => ("kustomization", kustomization),
        Origin::HelmReleases => ("helmrelease", helm_release),
        _ => ("application", application),
    };
    let base = Occurrence {
        what: What::Sync,
        ..line(cluster, (&meta.namespace, &meta.name), kind, origin)
    };
    into.extend(tell(&base, status));
    Ok(())
}

/// Its history holds every sync that changed something, oldest first.
fn application(base: &Occurrence, status: &Status<'_>) -> Vec<Occurrence> {
    let resources = status.resources.iter();
    let services =
        resources.filter_map(|r| workload(&base.subject.cluster, &r.namespace, (&r.kind, &r.name)));
    let services: Vec<_> = services.collect();
    let told = |(number, entry): (usize, &Entry<'_>)| {
        let at = entry.deployed_at?;
        let from = number.checked_sub(1).map(|n| &status.history[n]);
        let to = short(&entry.revision);
        let by = &entry.initiated_by;
        Some(Occurrence {
            at,
            services: services.clone(),
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
                format!("argocd app history {}", base.subject.name),
            ]),
            ..base.clone()
        })
    };
    status.history.iter().enumerate().filter_map(told).collect()
}

/// The time of its Ready condition is near that of its last application, and not it.
fn kustomization(base: &Occurrence, status: &Status<'_>) -> Vec<Occurrence> {
    let ready = status.conditions.iter().find(|c| &*c.kind == "Ready");
    let told = ready.and_then(|ready| {
        Some(Occurrence {
            at: ready.last_transition_time?,
            inferred: true,
            words: match &*ready.status {
                "True" => format!("→ {}", short(&status.last_applied_revision)),
                _ => format!("not ready: {}", &*ready.reason),
            },
            who: Who::Manager("kustomize-controller".into()),
            known_from: "Ready condition",
            difference: Difference::Words(vec![
                format!("Kustomization {}: {}", base.subject.name, &*ready.message),
                format!("last applied: {}", &*status.last_applied_revision),
            ]),
            ..base.clone()
        })
    });
    told.into_iter().collect()
}

/// Its history holds the releases of Helm that it made, newest first.
fn helm_release(base: &Occurrence, status: &Status<'_>) -> Vec<Occurrence> {
    let told = |(number, entry): (usize, &Entry<'_>)| {
        let at = entry.last_deployed?;
        let (chart, to) = (&*entry.chart_name, &*entry.chart_version);
        let older = status.history.get(number + 1);
        Some(Occurrence {
            at,
            words: match older.map(|older| &*older.chart_version) {
                Some(from) if from != to => format!("{chart} {from} → {to}, {}", &*entry.status),
                Some(_) | None => format!("{chart} {to}, {}", &*entry.status),
            },
            who: Who::Manager("helm-controller".into()),
            known_from: "HelmRelease history",
            difference: Difference::Words(vec![format!(
                "Flux deployed {chart} {to} at {at}: {}.",
                &*entry.status
            )]),
            ..base.clone()
        })
    };
    status.history.iter().enumerate().filter_map(told).collect()
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
