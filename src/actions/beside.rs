//! Reads what objects other than a workload say of its canary, and the workload that serves in its place.

use serde_json::value::RawValue;

use super::fresh;
use super::pages::every;
use crate::domain::{Canary, Kind, Workload, WorkloadId};
use crate::plan::{Beside, StableOf};
use crate::sources::kube::canary::flagger;
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error, convert};

/// What other objects tell of a workload.
#[derive(Default)]
pub struct Told {
    pub canary: Option<Canary>,
    /// The workload that serves in its place.
    pub serving: Option<Workload>,
    /// The canary that it is the stable side of, as another object says.
    pub stable_of: Option<Box<StableOf>>,
    /// The raw parts of what serves in its place, of a pair.
    pub beside: Option<Beside>,
    /// It is itself what serves, beside this one.
    pub has_beside: Option<WorkloadId>,
}

/// # Errors
/// A read failed.
pub async fn told(cluster: &Cluster, of: &WorkloadId) -> Result<Told, Error> {
    let canaries = canaries(cluster, of).await?;
    let is_stable = |target: &WorkloadId, canary: &Canary| {
        target.kind == of.kind && canary.stable_in.as_ref() == Some(&of.name)
    };
    let stable_of = canaries
        .iter()
        .find(|(target, canary)| is_stable(target, canary))
        .map(|(target, canary)| StableOf {
            target: target.clone(),
            canary: canary.clone(),
        });
    let canary = about(canaries, of);
    Ok(Told {
        serving: serving(cluster, of, canary.as_ref()).await?,
        canary,
        stable_of: stable_of.map(Box::new),
        ..Told::default()
    })
}

/// What another object says of its canary.
///
/// # Errors
/// The read failed.
pub async fn canary(cluster: &Cluster, of: &WorkloadId) -> Result<Option<Canary>, Error> {
    Ok(about(canaries(cluster, of).await?, of))
}

fn about(canaries: Vec<(WorkloadId, Canary)>, of: &WorkloadId) -> Option<Canary> {
    let mut found = canaries.into_iter();
    found
        .find(|(about, _)| about == of)
        .map(|(_, canary)| canary)
}

/// Those of its namespace, each with the workload that it is about. Where there is no such kind, or it may not be
/// read, nobody says anything.
async fn canaries(cluster: &Cluster, of: &WorkloadId) -> Result<Vec<(WorkloadId, Canary)>, Error> {
    if !matches!(of.kind, Kind::Deployment | Kind::DaemonSet) {
        return Ok(Vec::new());
    }
    let list = path::collection(Resource::Canaries, Some(&of.namespace), &[]);
    let items: Vec<Box<RawValue>> = match every(cluster, &list).await {
        Ok(items) => items,
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // One that cannot be read costs itself.
    let read = items
        .iter()
        .filter_map(|raw| flagger::canary(cluster.id(), raw.get()).ok().flatten());
    Ok(read.collect())
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
