//! Pairs of Deployments behind one Service: the canary of each stands in the workload that is called one.

use std::collections::{BTreeMap, BTreeSet};

use super::Fleet;
use crate::domain::canary::Provider;
use crate::domain::canary::flagger::Weighed;
use crate::domain::pair::route::{Route, RouteKind};
use crate::domain::pair::{self, Service};
use crate::domain::{Canary, ClusterId, Kind, Uid, Workload, WorkloadId};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs {
    services: Placed<Service>,
    routes: Placed<Route>,
    /// What each canary's Service sends to, slice by slice: those of the canary, and all others.
    endpoints: BTreeMap<WorkloadId, BTreeMap<Uid, (u32, u32)>>,
    /// Those that are called canaries, each with the one beside it where that is known.
    called: BTreeMap<WorkloadId, Option<WorkloadId>>,
}

/// Objects by their cluster and namespace: nothing of another one is looked at.
#[derive(Debug, Clone, PartialEq)]
struct Placed<T>(BTreeMap<(ClusterId, Box<str>), BTreeMap<Uid, T>>);

impl Pairs {
    /// The route that Flagger writes its weights into.
    pub(super) fn route_of(&self, of: &WorkloadId, weighed: &Weighed) -> Option<&Route> {
        let place = (of.cluster.clone(), of.namespace.clone());
        let mut routes = self.routes.of(&place);
        routes.find(|route| (route.kind, &route.name) == (weighed.kind, &weighed.name))
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

    /// The canaries that share a Service with their stable one, and that Service.
    pub fn shared_services(&self) -> impl Iterator<Item = (&WorkloadId, &str)> {
        self.pairs.called.keys().filter_map(|id| {
            let pair = self.workload(id)?.canary.as_ref()?.pair.as_ref()?;
            pair.route.is_none().then_some((id, &*pair.service))
        })
    }

    /// A workload was put or went: it may be one of a pair. `before` is what it was.
    pub(super) fn pair(
        &mut self,
        id: &WorkloadId,
        before: Option<&Workload>,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        if id.kind != Kind::Deployment {
            return;
        }
        let now = self.workload(id);
        let beside = self.called((&id.cluster, Some(&id.namespace)), |canary, stable| {
            let may_serve = |side: &Workload| {
                let canary = self.workload(canary);
                canary.is_some_and(|canary| pair::is_beside(canary, side))
            };
            let mut was_or_is = before.into_iter().chain(now);
            canary != id && (stable == Some(id) || was_or_is.any(may_serve))
        });
        if now.is_some_and(pair::is_called) {
            self.tell_pair(id.clone(), touched);
        } else if self.pairs.called.remove(id).is_some() {
            touched.insert(id.clone());
        }
        for canary in beside {
            self.tell_pair(canary, touched);
        }
    }

    pub(super) fn put_service(&mut self, service: Service, touched: &mut BTreeSet<WorkloadId>) {
        let place = (service.cluster.clone(), service.namespace.clone());
        let before = self.pairs.services.get(&place, &service.uid);
        let sides: Vec<_> = before.into_iter().chain([&service]).collect();
        let sent_to = self.sent_to(&place, &sides);
        let uid = service.uid.clone();
        self.pairs.services.put(place, uid, service);
        self.tell_weights(sent_to, touched);
    }

    pub(super) fn remove_service(
        &mut self,
        cluster: &ClusterId,
        uid: &Uid,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        if let Some((place, service)) = self.pairs.services.remove(cluster, uid) {
            let sent_to = self.sent_to(&place, &[&service]);
            self.tell_weights(sent_to, touched);
        }
    }

    /// Takes out the Services of a cluster and namespace that `kept` does not hold back.
    pub(super) fn clear_services(
        &mut self,
        place: (&ClusterId, Option<&str>),
        kept: impl Fn(&str) -> bool,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        self.pairs.services.clear(place, |_| true, kept);
        self.tell_weights(self.called(place, |_, _| true), touched);
    }

    pub(super) fn put_route(&mut self, route: Route, touched: &mut BTreeSet<WorkloadId>) {
        let place = (route.cluster.clone(), route.namespace.clone());
        let before = self.pairs.routes.get(&place, &route.uid);
        let weighs = weighs(&route) || before.is_some_and(weighs);
        let uid = route.uid.clone();
        self.pairs.routes.put(place.clone(), uid, route);
        if weighs {
            self.tell_routed((&place.0, Some(&place.1)), touched);
        }
    }

    pub(super) fn remove_route(
        &mut self,
        cluster: &ClusterId,
        uid: &Uid,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        if let Some((place, route)) = self.pairs.routes.remove(cluster, uid)
            && weighs(&route)
        {
            self.tell_routed((&place.0, Some(&place.1)), touched);
        }
    }

    /// The same for what routes to them.
    pub(super) fn clear_routes(
        &mut self,
        place: (&ClusterId, Option<&str>),
        kind: RouteKind,
        kept: impl Fn(&str) -> bool,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        let of_kind = |route: &Route| route.kind == kind;
        self.pairs.routes.clear(place, of_kind, kept);
        self.tell_routed(place, touched);
    }

    pub(super) fn put_endpoints(
        &mut self,
        of: WorkloadId,
        (uid, ready): (Uid, (u32, u32)),
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        let slices = self.pairs.endpoints.entry(of.clone()).or_default();
        slices.insert(uid, ready);
        self.tell_weights(vec![of], touched);
    }

    pub(super) fn remove_endpoints(
        &mut self,
        of: WorkloadId,
        uid: &Uid,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        if let Some(slices) = self.pairs.endpoints.get_mut(&of) {
            slices.remove(uid);
            self.tell_weights(vec![of], touched);
        }
    }

    pub(super) fn clear_endpoints(&mut self, of: &WorkloadId, touched: &mut BTreeSet<WorkloadId>) {
        if self.pairs.endpoints.remove(of).is_some() {
            self.tell_weights(vec![of.clone()], touched);
        }
    }

    /// What the Service really sends to, in place of what the two say of their pods.
    fn by_endpoints(&self, id: &WorkloadId, canary: &mut Canary) {
        let slices = self.pairs.endpoints.get(id).filter(|all| !all.is_empty());
        let shared = canary.pair.as_mut().filter(|pair| pair.route.is_none());
        if let (Some(slices), Some(pair)) = (slices, shared) {
            let sum = |(new, old): (u32, u32), (more, others): &(u32, u32)| {
                (new.saturating_add(*more), old.saturating_add(*others))
            };
            pair.serve = Some(slices.values().fold((0, 0), sum));
            pair.by_endpoints = true;
        }
    }

    /// Which workloads are there is new: those that are called canaries may have another one beside them.
    pub(super) fn tell_place(
        &mut self,
        place: (&ClusterId, Option<&str>),
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        for canary in self.called(place, |_, _| true) {
            self.tell_pair(canary, touched);
        }
    }

    /// What routes there is new.
    fn tell_routed(
        &mut self,
        place: (&ClusterId, Option<&str>),
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        self.tell_weights(self.called(place, |_, _| true), touched);
        for canary in self.canaries.weighed(place.0, place.1) {
            self.tell_canary(canary, touched);
        }
    }

    /// Those of a cluster or namespace that are called canaries and that `wanted` takes, which is asked with the one beside.
    fn called(
        &self,
        (cluster, namespace): (&ClusterId, Option<&str>),
        wanted: impl Fn(&WorkloadId, Option<&WorkloadId>) -> bool,
    ) -> Vec<WorkloadId> {
        let from = self.pairs.called.range(first(cluster, namespace)..);
        let here = from.take_while(|(id, _)| {
            id.cluster == *cluster && namespace.is_none_or(|only| *only == *id.namespace)
        });
        here.filter(|(id, stable)| wanted(id, stable.as_ref()))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Those that one of the Services sends to, or to the one beside.
    fn sent_to(&self, place: &(ClusterId, Box<str>), services: &[&Service]) -> Vec<WorkloadId> {
        self.called((&place.0, Some(&place.1)), |canary, stable| {
            let both = [Some(canary), stable].into_iter().flatten();
            let mut both = both.filter_map(|id| self.workload(id));
            both.any(|side| services.iter().any(|service| service.sends_to(side)))
        })
    }

    /// Looks for the one beside it.
    fn tell_pair(&mut self, id: WorkloadId, touched: &mut BTreeSet<WorkloadId>) {
        let Some(called) = self.workloads.get(&id) else {
            self.pairs.called.remove(&id);
            return;
        };
        let stable = pair::stable_of(called, self.near(&id));
        let stable = stable.map(|stable| stable.id.clone());
        self.pairs.called.insert(id.clone(), stable);
        self.tell_weights(vec![id], touched);
    }

    /// Writes what is known of pairs into those that are called their canaries.
    fn tell_weights(&mut self, called: Vec<WorkloadId>, touched: &mut BTreeSet<WorkloadId>) {
        for id in called {
            let canary = self.pair_of(&id);
            if let Some(workload) = self.workloads.get_mut(&id) {
                let other = workload.canary.as_ref();
                if other.is_none_or(|other| other.provider == Provider::Pair) {
                    workload.canary = canary.map(Box::new);
                }
            }
            touched.insert(id);
        }
    }

    fn pair_of(&self, id: &WorkloadId) -> Option<Canary> {
        let stable = self.pairs.called.get(id)?.as_ref()?;
        let both = (self.workload(id)?, self.workload(stable)?);
        let place = (id.cluster.clone(), id.namespace.clone());
        let (services, routes) = (&self.pairs.services, &self.pairs.routes);
        let mut canary = pair::canary(both, services.of(&place), routes.of(&place))?;
        self.by_endpoints(id, &mut canary);
        Some(canary)
    }

    /// The Deployments of its namespace.
    fn near(&self, id: &WorkloadId) -> impl Iterator<Item = &Workload> {
        let near = self
            .workloads
            .range(first(&id.cluster, Some(&id.namespace))..);
        let here = (id.cluster.clone(), id.namespace.clone());
        let near = near.take_while(move |(id, _)| {
            (&id.cluster, &id.namespace) == (&here.0, &here.1) && id.kind == Kind::Deployment
        });
        near.map(|(_, workload)| workload)
    }
}

/// Sorted before every Deployment there.
fn first(cluster: &ClusterId, namespace: Option<&str>) -> WorkloadId {
    WorkloadId {
        cluster: cluster.clone(),
        namespace: namespace.unwrap_or_default().into(),
        kind: Kind::Deployment,
        name: "".into(),
    }
}

/// Any other route tells nobody's weight.
fn weighs(route: &Route) -> bool {
    route.annotated.is_some() || route.rules.iter().any(|backends| backends.len() > 1)
}

impl<T> Default for Placed<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Placed<T> {
    fn of(&self, place: &(ClusterId, Box<str>)) -> impl Iterator<Item = &T> {
        self.0.get(place).into_iter().flat_map(BTreeMap::values)
    }

    fn get(&self, place: &(ClusterId, Box<str>), uid: &Uid) -> Option<&T> {
        self.0.get(place)?.get(uid)
    }

    fn put(&mut self, place: (ClusterId, Box<str>), uid: Uid, one: T) {
        self.0.entry(place).or_default().insert(uid, one);
    }

    fn remove(&mut self, cluster: &ClusterId, uid: &Uid) -> Option<((ClusterId, Box<str>), T)> {
        let mut places = self.0.iter_mut().filter(|((of, _), _)| of == cluster);
        let found = places.find_map(|(place, all)| Some((place.clone(), all.remove(uid)?)));
        self.0.retain(|_, all| !all.is_empty());
        found
    }

    /// Takes out what `kind` names in a cluster and namespace, but for the namespaces that `kept` holds back.
    fn clear(
        &mut self,
        (cluster, namespace): (&ClusterId, Option<&str>),
        kind: impl Fn(&T) -> bool,
        kept: impl Fn(&str) -> bool,
    ) {
        for ((of, place), all) in &mut self.0 {
            let here = of == cluster && namespace.is_none_or(|only| *only == **place);
            if here && !kept(place) {
                all.retain(|_, one| !kind(one));
            }
        }
        self.0.retain(|_, all| !all.is_empty());
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
    fn what_its_service_sends_to_counts_where_it_is_known() {
        let mut fleet = Fleet::default();
        put(&mut fleet, DEPLOYMENTS, listed("checkout", "stable", 8));
        put(
            &mut fleet,
            DEPLOYMENTS,
            listed("checkout-canary", "canary", 2),
        );
        put(&mut fleet, Feed::Services, service());
        let canary = || id("checkout-canary");
        let serve = |fleet: &Fleet| {
            let pair = fleet.workload(&canary())?.canary.as_ref()?.pair.clone()?;
            Some((pair.serve?, pair.by_endpoints))
        };
        assert_eq!(serve(&fleet), Some(((2, 8), false)));
        let shared: Vec<_> = fleet.shared_services().collect();
        assert_eq!(shared, [(&canary(), "checkout")]);
        let feed = Feed::EndpointsOf {
            workload: canary(),
            service: "checkout".into(),
        };
        let slice = |uid: &str, ready| Item::Endpoints {
            of: canary(),
            uid: uid.into(),
            ready,
        };
        put(&mut fleet, feed.clone(), slice("e1", (1, 8)));
        put(&mut fleet, feed.clone(), slice("e2", (0, 3)));
        assert_eq!(serve(&fleet), Some(((1, 11), true)), "a third one as well");
        let gone = Change::Gone(ItemId::Endpoints {
            of: canary(),
            uid: "e2".into(),
        });
        fleet.apply(&source(feed.clone()), gone);
        assert_eq!(serve(&fleet), Some(((1, 8), true)));
        put(
            &mut fleet,
            DEPLOYMENTS,
            listed("checkout-canary", "canary", 3),
        );
        assert_eq!(serve(&fleet), Some(((1, 8), true)), "it stays");
        fleet.forget(&source(feed));
        assert_eq!(serve(&fleet), Some(((3, 8), false)));
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

    #[test]
    fn a_service_or_a_workload_costs_only_the_pairs_that_it_is_of() {
        const MANY: usize = 5_010;
        let mut fleet = Fleet::default();
        let mut touched = 0;
        let service = |name: &str| {
            let Item::Service(mut service) = service() else {
                unreachable!()
            };
            (service.name, service.uid) = (name.into(), name.into());
            service.selector = Labels::new([("app", name)]);
            Item::Service(service)
        };
        let listed = |name: &str, track: &str| {
            let Item::Workload(mut one) = listed(name, track, 1) else {
                unreachable!()
            };
            let app = name.trim_end_matches("-canary");
            one.selector = format!("app={app},track={track}").into();
            Item::Workload(one)
        };
        let names: Vec<_> = (0..MANY).map(|n| format!("s{n}")).collect();
        for (n, name) in names.iter().enumerate() {
            touched += put(&mut fleet, DEPLOYMENTS, listed(name, "stable")).len();
            if n % 500 == 0 {
                let canary = listed(&format!("{name}-canary"), "canary");
                touched += put(&mut fleet, DEPLOYMENTS, canary).len();
            }
        }
        assert_eq!(touched, MANY + 11);
        let sent = |fleet: &mut Fleet| {
            let puts = names.iter().map(|name| service(name));
            let touched = puts.map(|one| put(fleet, Feed::Services, one).len());
            touched.sum::<usize>()
        };
        assert_eq!((sent(&mut fleet), sent(&mut fleet)), (11, 11));
        let paired = fleet.workloads().filter(|one| one.canary.is_some());
        assert_eq!(paired.count(), 11);
    }
}
