//! Reads the other side of a pair: the Deployment that a canary serves beside, and the Service that sends to both.

use serde_json::value::RawValue;

use super::beside::Told;
use super::pages::every;
use super::{beside, fresh, keeper};
use crate::domain::canary::Canary;
use crate::domain::pair::route::{Route, RouteKind};
use crate::domain::{Kind, Verbatim, Workload, WorkloadId, pair};
use crate::plan::{Beside, Verb};
use crate::sources::kube::canary::{pair as wire, route};
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error, convert};

/// What other objects say of it, else what the pair does that it is one of.
///
/// # Errors
/// A read failed.
pub async fn told(cluster: &Cluster, workload: &Workload, verb: Verb) -> Result<Told, Error> {
    let told = beside::told(cluster, &workload.id).await?;
    let moves_one = matches!(
        verb,
        Verb::Promote | Verb::PromoteFull | Verb::Abort | Verb::SetWeight
    );
    let has_one = told.canary.is_some() || workload.canary.is_some();
    if has_one || workload.id.kind != Kind::Deployment {
        return Ok(told);
    }
    if !pair::is_called(workload) && !moves_one {
        return Ok(told);
    }
    let Some(near) = Near::read(cluster, workload).await? else {
        return Ok(told);
    };
    if !pair::is_called(workload) {
        let has_beside = near.beside(workload);
        return Ok(Told { has_beside, ..told });
    }
    let found = Box::pin(near.pair(cluster, workload, verb)).await?;
    Ok(match found {
        Some(found) => Told {
            stable_of: told.stable_of,
            ..found
        },
        None => told,
    })
}

/// What a pair is told by, of one namespace.
struct Near {
    deployments: Vec<(Workload, Box<RawValue>)>,
    services: Vec<pair::Service>,
    routes: Vec<Route>,
}

impl Near {
    /// `None` where the Services may not be read.
    async fn read(cluster: &Cluster, workload: &Workload) -> Result<Option<Self>, Error> {
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
        let read = deployments.into_iter().filter_map(|raw| {
            let read = convert::workload(cluster.id(), Kind::Deployment, raw.get());
            Some((read.ok()?, raw))
        });
        let services = services.iter().filter_map(|raw| {
            let read = wire::service(cluster.id(), raw.get());
            read.ok().flatten()
        });
        Ok(Some(Self {
            deployments: read.collect(),
            services: services.collect(),
            routes: routes(cluster, namespace).await,
        }))
    }

    fn all(&self) -> impl Iterator<Item = &Workload> {
        self.deployments.iter().map(|(one, _)| one)
    }

    fn canary(&self, (canary, stable): (&Workload, &Workload)) -> Option<Canary> {
        pair::canary((canary, stable), self.services.iter(), self.routes.iter())
    }

    /// The canary that serves beside this one.
    fn beside(&self, stable: &Workload) -> Option<WorkloadId> {
        let mut called = self.all().filter(|one| pair::is_called(one));
        let found = called.find(|one| {
            let of = pair::stable_of(one, self.all());
            of.is_some_and(|of| of.id == stable.id) && self.canary((one, stable)).is_some()
        });
        found.map(|one| one.id.clone())
    }

    /// `None` of what is no canary of a pair.
    async fn pair(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        verb: Verb,
    ) -> Result<Option<Told>, Error> {
        let stable = pair::stable_of(workload, self.all());
        let Some((stable, mut canary)) =
            stable.and_then(|stable| Some((stable, self.canary((workload, stable))?)))
        else {
            return Ok(None);
        };
        if let Some(pair) = canary.pair.as_mut().filter(|pair| pair.route.is_none()) {
            let ready = ready(cluster, workload, &pair.service).await;
            pair.by_endpoints = ready.is_some();
            pair.serve = ready.or(pair.serve);
        }
        let raw = self.deployments.iter().find(|(one, _)| one.id == stable.id);
        let raw = raw.map_or("", |(_, raw)| raw.get());
        let unusable = |error: serde_json::Error| fresh::unusable(&stable.id, &error);
        let manager = canary.route().and_then(|of| of.route.manager.as_ref());
        // The share of pods is another with each pod of the stable one.
        let scaled = verb == Verb::SetWeight && canary.route().is_none();
        let (keeper, route_keeper, autoscaling) = tokio::join!(
            keeper::keeper(cluster, stable),
            keeper::of_manager(cluster, &workload.id, manager),
            super::gather::autoscaling(cluster, &stable.id, scaled),
        );
        let beside = Beside {
            template: Verbatim(convert::raw_template(raw).map_err(unusable)?.into()),
            has_annotations: super::gather::annotations(raw).map_err(unusable)?.is_some(),
            keeper,
            route_keeper,
            autoscaling,
        };
        Ok(Some(Told {
            serving: Some(stable.clone()),
            beside: Some(beside),
            canary: Some(canary),
            ..Told::default()
        }))
    }
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
    let named = wire::of_service(service);
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
