//! The history of a Helm release, from where Helm keeps it: Secrets, else ConfigMaps.

use super::path::{self, Resource};
use super::{Cluster, Error, convert, wire};
use crate::domain::{ChartManifest, ChartRelease, WorkloadId};

/// Helm keeps ten by default.
const MOST: &str = "50";

/// Newest first; those that cannot be read are left out, and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History<T> {
    pub releases: Vec<T>,
    pub unreadable: usize,
    /// `secrets` or `configmaps`.
    pub kept_in: &'static str,
}

/// Empty when Helm keeps none of that name there.
///
/// # Errors
/// Neither may be read, or no answer.
pub async fn history(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> Result<History<ChartRelease>, Error> {
    let of = (namespace, name);
    let mut history = find(cluster, of, convert::chart_release).await?;
    let releases = &mut history.releases;
    releases.sort_by_key(|release| std::cmp::Reverse(release.revision));
    Ok(history)
}

/// The same with what each puts into the cluster.
///
/// # Errors
/// As above.
pub async fn manifests(
    cluster: &Cluster,
    workload: &WorkloadId,
    name: &str,
) -> Result<History<(ChartRelease, ChartManifest)>, Error> {
    let both = |raw: &str, secret| {
        let release = convert::chart_release(raw, secret)?;
        Ok((release, convert::chart_manifest(raw, secret, workload)?))
    };
    let mut history = find(cluster, (&workload.namespace, name), both).await?;
    let releases = &mut history.releases;
    releases.sort_by_key(|(release, _)| std::cmp::Reverse(release.revision));
    Ok(history)
}

async fn find<T>(
    cluster: &Cluster,
    of: (&str, &str),
    convert: impl Fn(&str, bool) -> Result<T, serde_json::Error>,
) -> Result<History<T>, Error> {
    let secrets = read(cluster, Resource::Secrets, of, &convert).await;
    match secrets {
        Ok(found) if !found.releases.is_empty() || found.unreadable > 0 => Ok(found),
        Ok(_) => read(cluster, Resource::ConfigMaps, of, &convert).await,
        Err(denied @ Error::Forbidden { .. }) => {
            match read(cluster, Resource::ConfigMaps, of, &convert).await {
                Ok(found) if !found.releases.is_empty() => Ok(found),
                Ok(_) | Err(_) => Err(denied),
            }
        }
        Err(error) => Err(error),
    }
}

async fn read<T>(
    cluster: &Cluster,
    resource: Resource,
    (namespace, name): (&str, &str),
    convert: impl Fn(&str, bool) -> Result<T, serde_json::Error>,
) -> Result<History<T>, Error> {
    let labels = format!("owner=helm,name={name}");
    let query = [("labelSelector", labels.as_str()), ("limit", MOST)];
    let place = path::collection(resource, Some(namespace), &query);
    let answer = cluster.list(&place).await?;
    let list: wire::List<'_> = serde_json::from_slice(&answer.body).map_err(|error| {
        // Only the place: the words of a parser may hold a piece of the text.
        super::list::unusable(resource.plural(), &format!("at column {}", error.column()))
    })?;
    let secret = resource == Resource::Secrets;
    let mut history = History {
        releases: Vec::new(),
        unreadable: 0,
        kept_in: resource.plural(),
    };
    for raw in &list.items {
        match convert(raw.get(), secret) {
            Ok(release) => history.releases.push(release),
            Err(_) => history.unreadable += 1,
        }
    }
    Ok(history)
}
