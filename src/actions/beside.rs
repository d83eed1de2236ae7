//! Reads what objects other than a workload say of its canary, and the workload that serves in its place.

use serde_json::value::RawValue;

use super::fresh;
use super::pages::every;
use crate::domain::{Canary, Kind, Workload, WorkloadId};
use crate::sources::kube::canary::flagger;
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error, convert};

/// What another object says of its canary, and the workload that serves in its place, where there is one.
///
/// # Errors
/// A read failed.
pub async fn told(
    cluster: &Cluster,
    of: &WorkloadId,
) -> Result<(Option<Canary>, Option<Workload>), Error> {
    let canary = canary(cluster, of).await?;
    let serving = serving(cluster, of, canary.as_ref()).await?;
    Ok((canary, serving))
}

/// What another object says of its canary. Where there is no such kind, or it may not be read, nobody says anything.
///
/// # Errors
/// The read failed.
pub async fn canary(cluster: &Cluster, of: &WorkloadId) -> Result<Option<Canary>, Error> {
    if !matches!(of.kind, Kind::Deployment | Kind::DaemonSet) {
        return Ok(None);
    }
    let list = path::collection(Resource::Canaries, Some(&of.namespace), &[]);
    let items: Vec<Box<RawValue>> = match every(cluster, &list).await {
        Ok(items) => items,
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    // One that cannot be read costs itself.
    let mut found = items
        .iter()
        .filter_map(|raw| flagger::canary(cluster.id(), raw.get()).ok().flatten());
    Ok(found
        .find(|(about, _)| about == of)
        .map(|(_, canary)| canary))
}

/// The workload that the stable side of its canary is in; `None` when that is its own, or not there.
async fn serving(
    cluster: &Cluster,
    of: &WorkloadId,
    canary: Option<&Canary>,
) -> Result<Option<Workload>, Error> {
    let Some(name) = canary.and_then(|canary| canary.stable_in.as_ref()) else {
        return Ok(None);
    };
    let answer = match cluster
        .get(&path::object(of.kind, &of.namespace, name))
        .await
    {
        Ok(answer) => answer,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let raw = fresh::text(&answer.body, of)?;
    let read = convert::workload(cluster.id(), of.kind, raw);
    read.map(Some).map_err(|error| fresh::unusable(of, &error))
}
