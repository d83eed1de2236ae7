//! Pairs of Deployments behind one Service: the canary of each stands in the workload that is called one.

use std::collections::{BTreeMap, BTreeSet};

use super::Fleet;
use crate::domain::canary::Provider;
use crate::domain::canary::flagger::Weighed;
use crate::domain::pair::route::{Route, RouteKind};
use crate::domain::pair::{self, Service};
use crate::domain::{ClusterId, Kind, Uid, Workload, WorkloadId};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs {
    services: BTreeMap<(ClusterId, Uid), Service>,
    routes: BTreeMap<(ClusterId, Uid), Route>,
    /// Those that are called canaries, each with the one beside it where that is known.
    called: BTreeMap<WorkloadId, Option<WorkloadId>>,
}

impl Pairs {
    /// The route that Flagger writes its weights into.
    pub(super) fn route_of(&self, of: &WorkloadId, weighed: &Weighed) -> Option<&Route> {
        let mut routes = self.routes.values();
        routes.find(|route| {
            (&route.cluster, &route.namespace) == (&of.cluster, &of.namespace)
                && (route.kind, &route.name) == (weighed.kind, &weighed.name)
        })
    }
}

impl Fleet {
    /// The places of those that are called canaries and have a stable one beside them: their Services tell the rest.
    pub fn pair_places(&self) -> BTreeSet<(&ClusterId, &str)> {
        let paired = self
            .pairs
            .called
            .iter()
            .filter(|(_, stable)| stable.is_some());
        paired
            .map(|(id, _)| (&id.cluster, &*id.namespace))
            .collect()
    }

    /// A workload was put or went: it may be one of a pair.
    pub(super) fn pair(&mut self, id: &WorkloadId, touched: &mut BTreeSet<WorkloadId>) {
        if id.kind != Kind::Deployment {
            return;
        }
        let called = self.workload(id).is_some_and(pair::is_called);
        if called {
            self.tell_pair(id.clone(), touched);
        } else if self.pairs.called.remove(id).is_some() {
            touched.insert(id.clone());
        }
        let beside = self.pairs.called.iter().filter(|(canary, stable)| {
            let here = (&canary.cluster, &canary.namespace) == (&id.cluster, &id.namespace);
            here && *canary != id && stable.as_ref().is_none_or(|stable| stable == id)
        });
        let beside: Vec<_> = beside.map(|(canary, _)| canary.clone()).collect();
        for canary in beside {
            self.tell_pair(canary, touched);
        }
    }

    pub(super) fn put_service(&mut self, service: Service, touched: &mut BTreeSet<WorkloadId>) {
        let place = (service.cluster.clone(), service.namespace.clone());
        let key = (service.cluster.clone(), service.uid.clone());
        self.pairs.services.insert(key, service);
        self.tell_place((&place.0, Some(&place.1)), touched);
    }

    pub(super) fn remove_service(
        &mut self,
        cluster: &ClusterId,
        uid: &Uid,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        let key = (cluster.clone(), uid.clone());
        if let Some(service) = self.pairs.services.remove(&key) {
            self.tell_place((cluster, Some(&service.namespace)), touched);
        }
    }

    /// Takes out the Services of a cluster and namespace that `kept` does not hold back.
    pub(super) fn clear_services(
        &mut self,
        (cluster, namespace): (&ClusterId, Option<&str>),
        kept: impl Fn(&str) -> bool,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        self.pairs.services.retain(|(of, _), service| {
            let here = of == cluster && namespace.is_none_or(|only| *only == *service.namespace);
            !here || kept(&service.namespace)
        });
        self.tell_place((cluster, namespace), touched);
    }

    pub(super) fn put_route(&mut self, route: Route, touched: &mut BTreeSet<WorkloadId>) {
        let place = (route.cluster.clone(), route.namespace.clone());
        let key = (route.cluster.clone(), route.uid.clone());
        self.pairs.routes.insert(key, route);
        self.tell_place((&place.0, Some(&place.1)), touched);
    }

    pub(super) fn remove_route(
        &mut self,
        cluster: &ClusterId,
        uid: &Uid,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        let key = (cluster.clone(), uid.clone());
        if let Some(route) = self.pairs.routes.remove(&key) {
            self.tell_place((cluster, Some(&route.namespace)), touched);
        }
    }

    /// The same for what routes to them.
    pub(super) fn clear_routes(
        &mut self,
        (cluster, namespace): (&ClusterId, Option<&str>),
        kind: RouteKind,
        kept: impl Fn(&str) -> bool,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        self.pairs.routes.retain(|(of, _), route| {
            let here = of == cluster && namespace.is_none_or(|only| *only == *route.namespace);
            !here || route.kind != kind || kept(&route.namespace)
        });
        self.tell_place((cluster, namespace), touched);
    }

    pub(super) fn tell_place(
        &mut self,
        (cluster, namespace): (&ClusterId, Option<&str>),
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        let here = self.pairs.called.keys().filter(|id| {
            id.cluster == *cluster && namespace.is_none_or(|only| *only == *id.namespace)
        });
        let here: Vec<_> = here.cloned().collect();
        for canary in here {
            self.tell_pair(canary, touched);
        }
        for canary in self.canaries.weighed(cluster, namespace) {
            self.tell_canary(canary, touched);
        }
    }

    /// Writes what is known of the pair into the one that is called its canary.
    fn tell_pair(&mut self, id: WorkloadId, touched: &mut BTreeSet<WorkloadId>) {
        let Some(called) = self.workloads.get(&id) else {
            self.pairs.called.remove(&id);
            return;
        };
        let stable = pair::stable_of(called, self.near(&id));
        let canary = stable.and_then(|stable| {
            let (services, routes) = (self.pairs.services.values(), self.pairs.routes.values());
            pair::canary((called, stable), services, routes)
        });
        let stable = stable.map(|stable| stable.id.clone());
        if let Some(workload) = self.workloads.get_mut(&id) {
            let other = workload.canary.as_ref();
            if other.is_none_or(|other| other.provider == Provider::Pair) {
                workload.canary = canary.map(Box::new);
            }
        }
        self.pairs.called.insert(id.clone(), stable);
        touched.insert(id);
    }

    /// The Deployments of its namespace.
    fn near(&self, id: &WorkloadId) -> impl Iterator<Item = &Workload> {
        let first = WorkloadId {
            kind: Kind::Deployment,
            name: "".into(),
            ..id.clone()
        };
        let here = (id.cluster.clone(), id.namespace.clone());
        let near = self.workloads.range(first..);
        let near = near.take_while(move |(id, _)| {
            (&id.cluster, &id.namespace) == (&here.0, &here.1) && id.kind == Kind::Deployment
        });
        near.map(|(_, workload)| workload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::workload;
    use crate::domain::{Change, Feed, Item, ItemId, Labels, SourceId};

    const DEPLOYMENTS: Feed = Feed::Workloads(Kind::Deployment);

    fn source(feed: Feed) -> SourceId {
        SourceId {
            cluster: id("checkout").cluster,
            namespace: None,
            feed,
        }
    }

    fn id(name: &str) -> WorkloadId {
        WorkloadId {
            name: name.into(),
            ..workload(Kind::Deployment).id
        }
    }

    fn listed(name: &str, track: &str, desired: u32) -> Item {
        let mut one = workload(Kind::Deployment);
        one.id = id(name);
        one.uid = name.into();
        one.selector = format!("app=checkout,track={track}").into();
        (one.desired, one.counts.available) = (desired, desired);
        Item::Workload(Box::new(one))
    }

    fn service() -> Item {
        let id = id("checkout");
        Item::Service(Box::new(Service {
            cluster: id.cluster,
            namespace: id.namespace,
            name: "checkout".into(),
            uid: "s1".into(),
            selector: Labels::new([("app", "checkout")]),
        }))
    }

    fn put(fleet: &mut Fleet, feed: Feed, item: Item) -> Vec<WorkloadId> {
        fleet.apply(&source(feed), Change::Put(item))
    }

    fn share(fleet: &Fleet) -> Option<(u32, u32)> {
        let canary = fleet.workload(&id("checkout-canary"))?.canary.as_deref()?;
        Some((canary.set, canary.whole))
    }

    #[test]
    fn a_pair_is_known_whichever_of_its_parts_came_last() {
        let parts = || {
            [
                (DEPLOYMENTS, listed("checkout", "stable", 8)),
                (DEPLOYMENTS, listed("checkout-canary", "canary", 2)),
                (Feed::Services, service()),
            ]
        };
        for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
            let mut fleet = Fleet::default();
            for which in order {
                assert_eq!(share(&fleet), None, "{order:?}");
                let (feed, item) = parts().into_iter().nth(which).unwrap();
                put(&mut fleet, feed, item);
            }
            assert_eq!(share(&fleet), Some((2, 10)), "{order:?}");
            assert_eq!(fleet.pair_places().len(), 1);
        }
    }

    #[test]
    fn it_follows_both_and_goes_with_any_of_them() {
        let mut fleet = Fleet::default();
        put(&mut fleet, DEPLOYMENTS, listed("checkout", "stable", 8));
        put(
            &mut fleet,
            DEPLOYMENTS,
            listed("checkout-canary", "canary", 2),
        );
        put(&mut fleet, Feed::Services, service());
        let touched = put(&mut fleet, DEPLOYMENTS, listed("checkout", "stable", 6));
        assert!(touched.contains(&id("checkout-canary")), "{touched:?}");
        assert_eq!(share(&fleet), Some((2, 8)));
        put(
            &mut fleet,
            DEPLOYMENTS,
            listed("checkout-canary", "canary", 3),
        );
        assert_eq!(share(&fleet), Some((3, 9)));
        let cluster = id("checkout").cluster;
        let gone = ItemId::Service {
            cluster,
            uid: "s1".into(),
        };
        fleet.apply(&source(Feed::Services), Change::Gone(gone));
        assert_eq!(share(&fleet), None, "its Service");
        put(&mut fleet, Feed::Services, service());
        fleet.forget(&source(Feed::Services));
        assert_eq!(share(&fleet), None, "the feed");
        put(&mut fleet, Feed::Services, service());
        let gone = ItemId::Workload(id("checkout"), "checkout".into());
        fleet.apply(&source(DEPLOYMENTS), Change::Gone(gone));
        assert_eq!(share(&fleet), None, "the stable one");
        assert!(fleet.pair_places().is_empty());
    }
}
