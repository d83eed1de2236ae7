//! Whether everything that the target's template names is there. Names and keys only, never values.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::join_all;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::timeout;

use super::{LIMIT, verdict};
use crate::plan::check::{Reference, ReferenceKind};
use crate::plan::{CheckId, Finding, Plan, Verdict};
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error};

/// Missing blocks; what may not be read, or is late, stays unverified.
pub async fn ask(cluster: Cluster, plan: Arc<Plan>, names: Vec<Reference>) -> Verdict {
    let mut objects: BTreeMap<(ReferenceKind, Box<str>), BTreeSet<Box<str>>> = BTreeMap::new();
    for name in names {
        let keys = objects.entry((name.kind, name.name)).or_default();
        keys.extend(name.key);
    }
    let namespace = &plan.workload.namespace;
    let asked = objects.iter().map(|((kind, name), keys)| {
        let one = look(&cluster, namespace, (*kind, name), keys);
        async move {
            let found = timeout(LIMIT, one).await;
            found.unwrap_or_else(|_| {
                Found::Unknown(format!("{} {name} had no answer within 10s", kind.word()))
            })
        }
    });
    summary(&join_all(asked).await)
}

/// What one object's read said.
enum Found {
    There(ReferenceKind),
    Missing(String),
    Unknown(String),
}

async fn look(
    cluster: &Cluster,
    namespace: &str,
    (kind, name): (ReferenceKind, &str),
    keys: &BTreeSet<Box<str>>,
) -> Found {
    let place = path::object(resource(kind), namespace, name);
    let label = format!("{} {name}", kind.word());
    let read = if keys.is_empty() {
        cluster.get_metadata(&place).await.map(|_| Vec::new())
    } else {
        keys_of(cluster, &place).await
    };
    match read {
        Ok(have) => {
            let gone: Vec<_> = keys
                .iter()
                .filter(|key| !have.contains(*key))
                .map(|key| &**key)
                .collect();
            if gone.is_empty() {
                Found::There(kind)
            } else {
                Found::Missing(format!("{label} has no key {}", gone.join(", ")))
            }
        }
        Err(Error::NotFound { .. }) => Found::Missing(format!("{label} is missing")),
        Err(Error::Forbidden { .. }) => Found::Unknown(format!("no rights to read {label}")),
        Err(error) => Found::Unknown(format!("{label}: {error}")),
    }
}

/// The names of the keys; the values are skipped while reading and dropped with the answer.
#[allow(clippy::zero_sized_map_values)] // serde can only skip a value into something
pub(super) async fn keys_of(cluster: &Cluster, place: &str) -> Result<Vec<Box<str>>, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Keys {
        data: Option<HashMap<Box<str>, IgnoredAny>>,
        binary_data: Option<HashMap<Box<str>, IgnoredAny>>,
    }
    let answer = cluster.get(place).await?;
    let keys: Keys = serde_json::from_slice(&answer.body).map_err(|error| Error::Unusable {
        about: format!("read {}", path::describe(place)),
        status: 200,
        // Only the place: the words of a parser may hold a piece of the text.
        message: format!("the answer cannot be read at column {}", error.column()),
    })?;
    let maps = [keys.data, keys.binary_data];
    Ok(maps
        .into_iter()
        .flatten()
        .flat_map(HashMap::into_keys)
        .collect())
}

fn summary(found: &[Found]) -> Verdict {
    let missing: Vec<_> = found
        .iter()
        .filter_map(|one| match one {
            Found::Missing(words) => Some(words.as_str()),
            Found::There(_) | Found::Unknown(_) => None,
        })
        .collect();
    let unknown: Vec<_> = found
        .iter()
        .filter_map(|one| match one {
            Found::Unknown(words) => Some(words.as_str()),
            Found::There(_) | Found::Missing(_) => None,
        })
        .collect();
    if !missing.is_empty() {
        return verdict(CheckId::Config, Finding::Block, missing.join("; "));
    }
    if !unknown.is_empty() {
        return verdict(CheckId::Config, Finding::Unverified, unknown.join("; "));
    }
    let mut counts: BTreeMap<ReferenceKind, usize> = BTreeMap::new();
    for one in found {
        if let Found::There(kind) = one {
            *counts.entry(*kind).or_default() += 1;
        }
    }
    let words: Vec<_> = counts
        .iter()
        .map(|(kind, n)| format!("{n} {}{}", kind.word(), if *n == 1 { "" } else { "s" }))
        .collect();
    verdict(
        CheckId::Config,
        Finding::Ok,
        format!("what it names is there: {}", words.join(", ")),
    )
}

pub(super) fn resource(kind: ReferenceKind) -> Resource {
    match kind {
        ReferenceKind::ConfigMap => Resource::ConfigMaps,
        ReferenceKind::Secret | ReferenceKind::PullSecret => Resource::Secrets,
        ReferenceKind::ServiceAccount => Resource::ServiceAccounts,
    }
}
