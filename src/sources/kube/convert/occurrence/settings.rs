//! ConfigMaps and Secrets, from their metadata alone, and Helm's releases, which are kept as Secrets.

use jiff::Timestamp;
use serde_json::Error;

use super::{TOGETHER, line, writes};
use crate::domain::occurrence::{Difference, Origin, What, Who, Written};
use crate::domain::{ClusterId, Occurrence};
use crate::sources::kube::wire::{Tracked, TrackedMeta};

/// What the fields of a write have to lie below to be what the pods read.
const CONTENT: [&str; 3] = ["data", "binaryData", "stringData"];
/// A ConfigMap that somebody uses as a lock changes every two seconds.
const LOCK: &str = "control-plane.alpha.kubernetes.io/leader";
/// The cluster puts its own authority into every namespace.
const AUTHORITY: &str = "kube-root-ca.crt";
const TOKEN: &str = "kubernetes.io/service-account.name";
const HELM: &str = "sh.helm.release.v1.";

pub fn config_map(cluster: &ClusterId, raw: &str, into: &mut Vec<Occurrence>) -> Result<(), Error> {
    let object: Tracked<'_> = serde_json::from_str(raw)?;
    let meta = &object.metadata;
    if !meta.annotated(LOCK) && &*meta.name != AUTHORITY {
        written(cluster, meta, ("cm", Origin::ConfigMaps), into);
    }
    Ok(())
}

pub fn secret(cluster: &ClusterId, raw: &str, into: &mut Vec<Occurrence>) -> Result<(), Error> {
    let object: Tracked<'_> = serde_json::from_str(raw)?;
    let meta = &object.metadata;
    if meta.name.starts_with(HELM) {
        into.extend(helm(cluster, meta));
    } else if !meta.annotated(TOKEN) {
        written(cluster, meta, ("secret", Origin::Secrets), into);
    }
    Ok(())
}

/// The creation, and the last write of each manager since.
fn written(
    cluster: &ClusterId,
    meta: &TrackedMeta<'_>,
    (kind, origin): (&str, Origin),
    into: &mut Vec<Occurrence>,
) {
    let Some(created) = meta.creation_timestamp else {
        return;
    };
    let base = || Occurrence {
        what: if origin == Origin::Secrets {
            What::Secret
        } else {
            What::Config
        },
        ..line(cluster, (&meta.namespace, &meta.name), kind, origin)
    };
    let writes = writes(meta);
    let first = writes.iter().min_by_key(|write| write.at);
    let maker = first.filter(|write| write.at <= created + TOGETHER);
    into.push(Occurrence {
        at: created,
        words: "created".into(),
        who: maker.map_or(Who::Unknown, |write| Who::Manager(write.manager.clone())),
        known_from: "creationTimestamp",
        difference: Difference::Words(vec![format!(
            "{kind}/{} was created at {created}.",
            &*meta.name
        )]),
        ..base()
    });
    let content = |write: &&Written| {
        let root = |field: &str| {
            field
                .split('.')
                .next()
                .is_some_and(|root| CONTENT.contains(&root))
        };
        write.at > created + TOGETHER && write.fields.iter().any(|field| root(field))
    };
    into.extend(writes.iter().filter(content).map(|write| Occurrence {
        at: write.at,
        words: "content changed".into(),
        who: Who::Manager(write.manager.clone()),
        difference: Difference::Words(told(kind, &meta.name, write)),
        ..base()
    }));
}

fn told(kind: &str, name: &str, write: &Written) -> Vec<String> {
    let keys = CONTENT.iter().flat_map(|root| write.below(root));
    let keys: Vec<_> = keys.collect();
    vec![
        format!("{kind}/{name} was written by {} at {}.", write.manager, write.at),
        match keys.as_slice() {
            [] => "Which keys it owns is not kept.".into(),
            keys => format!("Keys that it owns since then: {}.", keys.join(", ")),
        },
        "Which of them changed, and what they held, Kubernetes does not keep. rolldeck never reads values.".into(),
    ]
}

/// Each revision of a release is a Secret of its own, made when it was deployed.
fn helm(cluster: &ClusterId, meta: &TrackedMeta<'_>) -> Option<Occurrence> {
    let label = |key: &str| meta.labels.get(key).map(|text| &**text);
    let (name, number) = meta.name.strip_prefix(HELM)?.rsplit_once(".v")?;
    let name = label("name").unwrap_or(name);
    let number: u64 = label("version").unwrap_or(number).parse().ok()?;
    let status = label("status").unwrap_or("unknown");
    let at = meta
        .creation_timestamp
        .or_else(|| seconds(label("createdAt")?))?;
    let words = match number {
        0 | 1 => format!("installed, {status}"),
        _ => format!("rev {} → {number}, {status}", number - 1),
    };
    Some(Occurrence {
        at,
        what: What::Helm,
        who: Who::Manager("helm".into()),
        known_from: "Helm's Secret",
        difference: Difference::Words(vec![
            format!("Helm release {name}, revision {number}: {status}."),
            format!("helm history {name} -n {}", &*meta.namespace),
        ]),
        words,
        ..line(cluster, (&meta.namespace, name), "helm", Origin::Secrets)
    })
}

fn seconds(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.parse().ok()?).ok()
}
