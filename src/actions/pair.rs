//! Reads the other side of a pair: the Deployment that a canary serves beside, and the Service that sends to both.

use serde_json::value::RawValue;

use super::beside::Told;
use super::pages::every;
use super::{beside, fresh};
use crate::domain::canary::Canary;
use crate::domain::pair::route::{Route, RouteKind};
use crate::domain::{Kind, Verbatim, Workload, pair};
use crate::plan::Beside;
use crate::sources::kube::canary::{pair as wire, route};
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error, convert};

/// What is known of a canary that serves beside another.
struct Found {
    canary: Canary,
    stable: Workload,
    beside: Beside,
}

/// What other objects say of it, else what the pair does that it is one of; and the raw parts of what serves in its
/// place, of a pair.
///
/// # Errors
/// A read failed.
pub async fn told(cluster: &Cluster, workload: &Workload) -> Result<(Told, Option<Beside>), Error> {
    let told = beside::told(cluster, &workload.id).await?;
    if told.canary.is_some() {
        return Ok((told, None));
    }
    let Some(found) = Box::pin(read(cluster, workload)).await? else {
        return Ok((told, None));
    };
    let told = Told {
        canary: Some(found.canary),
        serving: Some(found.stable),
        ..told
    };
    Ok((told, Some(found.beside)))
}

/// `None` of what is no canary of a pair, and where its Services may not be read.
async fn read(cluster: &Cluster, workload: &Workload) -> Result<Option<Found>, Error> {
    if workload.canary.is_some() || !pair::is_called(workload) {
        return Ok(None);
    }
    let namespace = &workload.id.namespace;
    let list = |resource| path::collection(resource, Some(namespace), &[]);
    let (deployments, services) = (list(Kind::Deployment.into()), list(Resource::Services));
    let (deployments, services) =
        tokio::join!(every(cluster, &deployments), every(cluster, &services));
    let services: Vec<Box<RawValue>> = match services {
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => return Ok(None),
        other => other?,
    };
    let deployments: Vec<Box<RawValue>> = deployments?;
    let read = deployments.iter().filter_map(|raw| {
        let read = convert::workload(cluster.id(), Kind::Deployment, raw.get());
        Some((read.ok()?, raw))
    });
    let all: Vec<_> = read.collect();
    let Some(stable) = pair::stable_of(workload, all.iter().map(|(one, _)| one)) else {
        return Ok(None);
    };
    let services = services.iter().filter_map(|raw| {
        let read = wire::service(cluster.id(), raw.get());
        read.ok().flatten()
    });
    let services: Vec<_> = services.collect();
    let routes = routes(cluster, namespace).await;
    let known = pair::canary((workload, stable), services.iter(), routes.iter());
    let Some(mut canary) = known else {
        return Ok(None);
    };
    if let Some(pair) = canary.pair.as_mut().filter(|pair| pair.route.is_none()) {
        let ready = ready(cluster, workload, &pair.service).await;
        pair.serve = ready.or(pair.serve);
    }
    let raw = all.iter().find(|(one, _)| one.id == stable.id);
    let raw = raw.map_or("", |(_, raw)| raw.get());
    let unusable = |error: serde_json::Error| fresh::unusable(&stable.id, &error);
    let beside = Beside {
        template: Verbatim(convert::raw_template(raw).map_err(unusable)?.into()),
        has_annotations: super::gather::annotations(raw).map_err(unusable)?.is_some(),
    };
    Ok(Some(Found {
        canary,
        stable: stable.clone(),
        beside,
    }))
}

/// What routes by weight there; what may not be read, or is of no kind that is there, tells nothing.
async fn routes(cluster: &Cluster, namespace: &str) -> Vec<Route> {
    let mut found = Vec::new();
    for kind in RouteKind::ALL {
        let list = path::collection(Resource::Routes(kind), Some(namespace), &[]);
        let items: Vec<Box<RawValue>> = every(cluster, &list).await.unwrap_or_default();
        let read = items
            .iter()
            .filter_map(|raw| route::route(cluster.id(), kind, raw.get()).ok());
        found.extend(read);
    }
    found
}

/// The endpoints that are ready, of the canary and of all others; `None` where they cannot be read.
async fn ready(cluster: &Cluster, canary: &Workload, service: &str) -> Option<(u32, u32)> {
    let named = format!("kubernetes.io/service-name={service}");
    let query = [("labelSelector", named.as_str())];
    let list = path::collection(Resource::EndpointSlices, Some(&canary.id.namespace), &query);
    let slices: Vec<Box<RawValue>> = every(cluster, &list).await.ok()?;
    let counts = slices
        .iter()
        .map(|raw| wire::ready(&canary.id, raw.get()).ok());
    counts.into_iter().try_fold((0, 0), |(new, old), counts| {
        let (more, others) = counts?;
        Some((new + more, old + others))
    })
}
