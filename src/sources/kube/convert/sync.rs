//! The objects of Argo CD and Flux: how they stand, and the exact bytes of what a suspension changes.

use serde_json::Error;

use super::{MESSAGE, REASON, capped, required};
use crate::domain::sync::ANNOTATION;
use crate::domain::{
    Automatic, ClusterId, Suspension, Sync, SyncId, SyncKind, SyncParts, SyncState, WorkloadId,
};
use crate::sources::kube::wire;

/// `of` is the workload that it is looked at for.
///
/// # Errors
/// When it has no name or uid, or a field of another type.
pub fn sync(
    cluster: &ClusterId,
    kind: SyncKind,
    of: Option<&WorkloadId>,
    raw: &str,
) -> Result<Sync, Error> {
    match kind {
        SyncKind::Application => application(cluster, of, raw),
        SyncKind::Kustomization => kustomization(cluster, of, raw),
        SyncKind::HelmRelease => helm_release(cluster, raw),
    }
}

pub fn id(cluster: &ClusterId, kind: SyncKind, meta: &wire::Meta<'_>) -> SyncId {
    SyncId {
        cluster: cluster.clone(),
        kind,
        namespace: meta.namespace[..].into(),
        name: meta.name[..].into(),
    }
}

/// What every kind says in the same way; the rest is filled in.
fn started(cluster: &ClusterId, kind: SyncKind, meta: &wire::Meta<'_>) -> Result<Sync, Error> {
    required(&meta.name, "name")?;
    Ok(Sync {
        id: id(cluster, kind, meta),
        uid: required(&meta.uid, "uid")?.into(),
        automatic: Automatic::Off,
        prunes: false,
        state: SyncState::Unknown,
        health: Box::default(),
        message: Box::default(),
        source: Box::default(),
        target: Box::default(),
        applied: Box::default(),
        suspension: suspension(meta),
        parent: parent(meta),
        keeps: None,
    })
}

fn application(cluster: &ClusterId, of: Option<&WorkloadId>, raw: &str) -> Result<Sync, Error> {
    let object: wire::Application<'_> = serde_json::from_str(raw)?;
    let (spec, status) = (&object.spec, &object.status);
    let automated = spec.sync_policy.as_ref().and_then(|p| p.automated);
    let automated: Option<wire::Automated> = automated
        .map(|raw| serde_json::from_str(raw.get()))
        .transpose()?;
    let on = automated.filter(|automated| automated.enabled != Some(false));
    let source = spec.source.as_ref().or(spec.sources.first());
    let others = spec.sources.len().saturating_sub(1);
    let failed = matches!(&*status.operation_state.phase, "Failed" | "Error");
    Ok(Sync {
        automatic: match &on {
            None => Automatic::Off,
            Some(on) if on.self_heal => Automatic::Heals { within: None },
            Some(_) => Automatic::NextChange,
        },
        prunes: on.is_some_and(|on| on.prune),
        state: match &*status.sync.status {
            "Synced" => SyncState::InSync,
            "OutOfSync" if failed => SyncState::Failing,
            "OutOfSync" => SyncState::OutOfSync,
            _ => SyncState::Unknown,
        },
        health: capped(&status.health.status, REASON),
        message: if failed {
            capped(&status.operation_state.message, MESSAGE)
        } else {
            Box::default()
        },
        source: source.map_or_else(Box::default, |source| from(source, others)),
        target: source.map_or_else(Box::default, |s| capped(&s.target_revision, REASON)),
        applied: capped(short(&status.sync.revision), REASON),
        keeps: of.filter(|_| !status.resources.is_empty()).map(|of| {
            let is = |kept: &wire::Kept<'_>| {
                *kept.kind == *of.kind.name()
                    && *kept.name == *of.name
                    && *kept.namespace == *of.namespace
            };
            status.resources.iter().any(is)
        }),
        ..started(cluster, SyncKind::Application, &object.metadata)?
    })
}

/// `https://git.example/shop deploy/prod`; `chart redis of https://charts.example`.
fn from(source: &wire::Source<'_>, others: usize) -> Box<str> {
    let (repo, path) = (&*source.repo_url, &*source.path);
    let words = match &*source.chart {
        "" if path.is_empty() => repo.to_owned(),
        "" => format!("{repo} {path}"),
        chart => format!("chart {chart} of {repo}"),
    };
    let more = match others {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    capped(&(words + &more), REASON)
}

fn kustomization(cluster: &ClusterId, of: Option<&WorkloadId>, raw: &str) -> Result<Sync, Error> {
    let object: wire::Kustomization<'_> = serde_json::from_str(raw)?;
    let (spec, status) = (&object.spec, &object.status);
    let (state, message) = ready(status);
    let from = &spec.source_ref;
    let entries = &status.inventory.entries;
    Ok(Sync {
        automatic: if spec.suspend {
            Automatic::Off
        } else {
            Automatic::Heals {
                within: Some(capped(&spec.interval, REASON)),
            }
        },
        prunes: spec.prune,
        state,
        message,
        source: capped(
            &format!("{} {} {}", &*from.kind, &*from.name, &*spec.path),
            REASON,
        ),
        applied: capped(short(&status.last_applied_revision), REASON),
        keeps: of.filter(|_| !entries.is_empty()).map(|of| {
            let entry = format!("{}_{}_apps_{}", of.namespace, of.name, of.kind.name());
            entries.iter().any(|kept| *kept.id == *entry)
        }),
        ..started(cluster, SyncKind::Kustomization, &object.metadata)?
    })
}

fn helm_release(cluster: &ClusterId, raw: &str) -> Result<Sync, Error> {
    let object: wire::HelmRelease<'_> = serde_json::from_str(raw)?;
    let (spec, status) = (&object.spec, &object.status);
    let (state, message) = ready(status);
    let chart = &spec.chart.spec;
    let source = match &spec.chart_ref {
        Some(of) => format!("{} {}", &*of.kind, &*of.name),
        None => format!("chart {} of {}", &*chart.chart, &*chart.source_ref.name),
    };
    Ok(Sync {
        automatic: match &*spec.drift_detection.mode {
            _ if spec.suspend => Automatic::Off,
            "enabled" => Automatic::Heals {
                within: Some(capped(&spec.interval, REASON)),
            },
            _ => Automatic::NextChange,
        },
        state,
        message,
        source: capped(&source, REASON),
        target: capped(&chart.version, REASON),
        applied: status
            .history
            .first()
            .map_or_else(Box::default, |last| capped(&last.chart_version, REASON)),
        ..started(cluster, SyncKind::HelmRelease, &object.metadata)?
    })
}

fn ready(status: &wire::FluxStatus<'_>) -> (SyncState, Box<str>) {
    let mut conditions = status.conditions.iter();
    let Some(ready) = conditions.find(|c| &*c.kind == "Ready") else {
        return (SyncState::Unknown, Box::default());
    };
    match &*ready.status {
        "True" => (SyncState::InSync, Box::default()),
        "False" => (SyncState::Failing, capped(&ready.message, MESSAGE)),
        _ => (SyncState::Unknown, capped(&ready.message, MESSAGE)),
    }
}

/// A commit's first digits are enough to know it by: `a1b9e3c`, `main@sha1:a1b9e3c`.
fn short(revision: &str) -> &str {
    let start = revision.rfind([':', '@', '/']).map_or(0, |at| at + 1);
    let digits = &revision[start..];
    let is_hash = digits.len() >= 40 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash {
        &revision[..start + 7]
    } else {
        revision
    }
}

/// A note that cannot be read is no note.
fn suspension(meta: &wire::Meta<'_>) -> Option<Box<Suspension>> {
    serde_json::from_str(meta.annotations.suspended.as_deref()?).ok()
}

/// Who would put a change of it back: what generated it, else what keeps it as git has it.
fn parent(meta: &wire::Meta<'_>) -> Option<Box<str>> {
    if let Some(owner) = meta.controller() {
        return Some(capped(
            &format!("{} {}", &*owner.kind, &*owner.name),
            REASON,
        ));
    }
    let manager = super::manager::manager(meta)?;
    match manager {
        crate::domain::Manager::Sync(sync) => Some(sync.to_string().into()),
        crate::domain::Manager::Helm(_)
        | crate::domain::Manager::LastApplied
        | crate::domain::Manager::Apply(_)
        | crate::domain::Manager::Flagger(_) => None,
    }
}

/// # Errors
/// When it is no such object.
pub fn sync_parts(kind: SyncKind, raw: &str) -> Result<SyncParts, Error> {
    let object: wire::RawSync<'_> = serde_json::from_str(raw)?;
    let (meta, spec) = (object.metadata, object.spec);
    let automated = spec
        .sync_policy
        .as_ref()
        .and_then(|policy| policy.automated);
    let switch = match kind {
        SyncKind::Application => automated,
        SyncKind::Kustomization | SyncKind::HelmRelease => spec.suspend,
    };
    let noted = meta
        .annotations
        .as_ref()
        .and_then(|map| map.get(ANNOTATION));
    let label = meta.labels.as_ref();
    Ok(SyncParts {
        sync_policy: spec.sync_policy.is_some(),
        switch: switch.map(|raw| raw.get().to_owned()),
        labels: meta.labels.is_some(),
        annotations: meta.annotations.is_some(),
        note: noted.map(|raw| raw.get().to_owned()),
        label: label.is_some_and(|map| map.contains_key(crate::domain::sync::LABEL)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::Kind;

    fn read(kind: SyncKind, mut object: Value) -> Sync {
        let meta = object["metadata"].as_object_mut().unwrap();
        meta.insert("name".into(), "shop".into());
        meta.insert("namespace".into(), "argocd".into());
        meta.insert("uid".into(), "u1".into());
        let of = WorkloadId {
            cluster: "c".into(),
            namespace: "shop".into(),
            kind: Kind::Deployment,
            name: "web".into(),
        };
        sync(&"c".into(), kind, Some(&of), &object.to_string()).unwrap()
    }

    #[test]
    fn an_application_says_what_it_does_with_a_change() {
        let automated = |automated: Value| {
            let spec = json!({"syncPolicy": {"automated": automated}});
            let sync = read(SyncKind::Application, json!({"metadata": {}, "spec": spec}));
            (sync.automatic, sync.prunes)
        };
        let heals = || Automatic::Heals { within: None };
        for (value, want) in [
            (Value::Null, (Automatic::Off, false)),
            (json!({}), (Automatic::NextChange, false)),
            (json!({"prune": true}), (Automatic::NextChange, true)),
            (json!({"selfHeal": true, "prune": false}), (heals(), false)),
            (
                json!({"selfHeal": true, "enabled": true, "prune": true}),
                (heals(), true),
            ),
            (
                json!({"selfHeal": true, "enabled": false}),
                (Automatic::Off, false),
            ),
        ] {
            assert_eq!(automated(value.clone()), want, "{value}");
        }
    }

    #[test]
    fn how_an_application_stands() {
        let commit = "a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c";
        let object = json!({
            "metadata": {"ownerReferences": [{"kind": "ApplicationSet", "name": "all", "controller": true}]},
            "spec": {"source": {"repoURL": "https://git.example/shop", "path": "deploy", "targetRevision": "main"}},
            "status": {"sync": {"status": "OutOfSync", "revision": commit}, "health": {"status": "Progressing"},
                "resources": [{"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web"}]},
        });
        let shop = read(SyncKind::Application, object.clone());
        assert_eq!(shop.state, SyncState::OutOfSync);
        assert_eq!(&*shop.health, "Progressing");
        assert_eq!(&*shop.source, "https://git.example/shop deploy");
        assert_eq!((&*shop.target, &*shop.applied), ("main", "a1b9e3c"));
        assert_eq!(shop.parent.as_deref(), Some("ApplicationSet all"));
        assert_eq!(shop.keeps, Some(true));
        let mut failing = object;
        failing["status"]["operationState"] = json!({"phase": "Failed", "message": "hook died"});
        failing["status"]["resources"][0]["name"] = json!("other");
        failing["spec"]["source"] = json!({"repoURL": "https://charts.example", "chart": "redis", "targetRevision": "1.2.3"});
        let failing = read(SyncKind::Application, failing);
        assert_eq!(
            (failing.state, &*failing.message),
            (SyncState::Failing, "hook died")
        );
        assert_eq!(failing.keeps, Some(false));
        assert_eq!(&*failing.source, "chart redis of https://charts.example");
    }

    #[test]
    fn how_the_kinds_of_flux_stand() {
        let conditions = |status: &str| json!([{"type": "Ready", "status": status, "message": "path not found"}]);
        let apps = read(
            SyncKind::Kustomization,
            json!({"metadata": {}, "spec": {"interval": "10m0s", "path": "./apps", "prune": true,
                "sourceRef": {"kind": "GitRepository", "name": "shop"}},
                "status": {"conditions": conditions("True"), "lastAppliedRevision": "main@sha1:a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c",
                "inventory": {"entries": [{"id": "shop_web_apps_Deployment", "v": "v1"}]}}}),
        );
        assert_eq!(
            apps.automatic,
            Automatic::Heals {
                within: Some("10m0s".into())
            }
        );
        assert_eq!(
            (apps.state, apps.prunes, apps.keeps),
            (SyncState::InSync, true, Some(true))
        );
        assert_eq!(
            (&*apps.source, &*apps.applied),
            ("GitRepository shop ./apps", "main@sha1:a1b9e3c")
        );
        let suspended = read(
            SyncKind::Kustomization,
            json!({"metadata": {}, "spec": {"suspend": true}, "status": {"conditions": conditions("False")}}),
        );
        assert_eq!(suspended.automatic, Automatic::Off);
        assert_eq!(
            (suspended.state, &*suspended.message),
            (SyncState::Failing, "path not found")
        );
        let chart =
            json!({"spec": {"chart": "web", "version": "1.x", "sourceRef": {"name": "charts"}}});
        let drift = |mode: &str| {
            read(
                SyncKind::HelmRelease,
                json!({"metadata": {}, "spec": {"interval": "5m", "chart": chart, "driftDetection": {"mode": mode}},
                    "status": {"history": [{"chartVersion": "1.4.0"}, {"chartVersion": "1.3.0"}]}}),
            )
        };
        let web = drift("warn");
        assert_eq!(web.automatic, Automatic::NextChange);
        assert_eq!(
            (&*web.source, &*web.target, &*web.applied),
            ("chart web of charts", "1.x", "1.4.0")
        );
        assert_eq!(
            drift("enabled").automatic,
            Automatic::Heals {
                within: Some("5m".into())
            }
        );
    }

    #[test]
    fn a_suspension_is_read_and_its_parts_are_the_exact_bytes() {
        let note =
            r#"{"id":"1","by":"me@here","at":"2026-01-01T00:00:00Z","was":"{ \"prune\":true }"}"#;
        let raw = json!({"metadata": {"annotations": {"rolldeck.dev/suspended": note}, "labels": {"rolldeck.dev/suspended": ""}},
            "spec": {"syncPolicy": {}}});
        let suspended = read(SyncKind::Application, raw.clone());
        assert_eq!(suspended.suspension.unwrap().was, r#"{ "prune":true }"#);
        let parts = sync_parts(SyncKind::Application, &raw.to_string()).unwrap();
        assert!(parts.sync_policy && parts.labels && parts.annotations && parts.label);
        assert_eq!(parts.note.unwrap(), Value::from(note).to_string());
        let bytes = r#"{ "selfHeal" : true }"#;
        let raw = format!(
            r#"{{"metadata":{{}},"spec":{{"suspend": true, "syncPolicy":{{"automated":{bytes}}}}}}}"#
        );
        let parts = sync_parts(SyncKind::Application, &raw).unwrap();
        assert_eq!(parts.switch.as_deref(), Some(bytes));
        assert!(!parts.labels && !parts.annotations && parts.note.is_none());
        let parts = sync_parts(SyncKind::Kustomization, &raw).unwrap();
        assert_eq!(parts.switch.as_deref(), Some("true"));
    }
}
