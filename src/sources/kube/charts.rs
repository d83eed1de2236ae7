//! The history of a Helm release, from where Helm keeps it: Secrets, else ConfigMaps.

use super::path::{self, Resource};
use super::{Cluster, Error, convert, wire};
use crate::domain::ChartRelease;

/// Helm keeps ten by default.
const MOST: &str = "50";

/// Newest first; those that cannot be read are left out, and counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    pub releases: Vec<ChartRelease>,
    pub unreadable: usize,
}

/// Empty when Helm keeps none of that name there.
///
/// # Errors
/// Neither may be read, or no answer.
pub async fn history(cluster: &Cluster, namespace: &str, name: &str) -> Result<History, Error> {
    let secrets = read(cluster, Resource::Secrets, (namespace, name)).await;
    match secrets {
        Ok(found) if !found.releases.is_empty() || found.unreadable > 0 => Ok(found),
        Ok(_) => read(cluster, Resource::ConfigMaps, (namespace, name)).await,
        Err(denied @ Error::Forbidden { .. }) => {
            match read(cluster, Resource::ConfigMaps, (namespace, name)).await {
                Ok(found) if !found.releases.is_empty() => Ok(found),
                Ok(_) | Err(_) => Err(denied),
            }
        }
        Err(error) => Err(error),
    }
}

async fn read(
    cluster: &Cluster,
    resource: Resource,
    (namespace, name): (&str, &str),
) -> Result<History, Error> {
    let labels = format!("owner=helm,name={name}");
    let query = [("labelSelector", labels.as_str()), ("limit", MOST)];
    let place = path::collection(resource, Some(namespace), &query);
    let answer = cluster.list(&place).await?;
    let list: wire::List<'_> = serde_json::from_slice(&answer.body).map_err(|error| {
        // Only the place: the words of a parser may hold a piece of the text.
        super::list::unusable(resource.plural(), &format!("at column {}", error.column()))
    })?;
    let secret = resource == Resource::Secrets;
    let mut history = History::default();
    for raw in &list.items {
        match convert::chart_release(raw.get(), secret) {
            Ok(release) => history.releases.push(release),
            Err(_) => history.unreadable += 1,
        }
    }
    history
        .releases
        .sort_by_key(|release| std::cmp::Reverse(release.revision));
    Ok(history)
}
