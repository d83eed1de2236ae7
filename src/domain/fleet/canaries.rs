//! What objects other than the workload say of its canary, by the workload that it is about.

use std::collections::{BTreeMap, BTreeSet};

use super::Fleet;
use crate::domain::canary::flagger::Weighed;
use crate::domain::canary::{Provider, flagger};
use crate::domain::pair::route::RouteKind;
use crate::domain::version::{self, Versions};
use crate::domain::{Canary, ClusterId, Uid, Workload, WorkloadId};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Canaries {
    by_workload: BTreeMap<WorkloadId, BTreeMap<Uid, Canary>>,
    /// The workload that an object is about.
    about: BTreeMap<(ClusterId, Uid), WorkloadId>,
    /// The workloads whose stable side one is.
    by_stable: BTreeMap<WorkloadId, BTreeSet<WorkloadId>>,
}

impl Canaries {
    /// Of several the one whose provider comes first.
    pub fn of(&self, workload: &WorkloadId) -> Option<&Canary> {
        let all = self.by_workload.get(workload)?;
        all.values().min_by_key(|canary| canary.provider)
    }

    /// The workload whose stable side this one is.
    pub fn whose_stable_is(&self, stable: &WorkloadId) -> Option<&WorkloadId> {
        self.by_stable.get(stable)?.first()
    }

    /// Returns the workload that the object was about before, when that is another.
    pub fn put(&mut self, of: WorkloadId, uid: Uid, canary: Canary) -> Option<WorkloadId> {
        let before = self.remove(&of.cluster, &uid);
        if let Some(stable) = stable_of(&of, &canary) {
            let of_stable = self.by_stable.entry(stable).or_default();
            of_stable.insert(of.clone());
        }
        let key = (of.cluster.clone(), uid.clone());
        self.about.insert(key, of.clone());
        let before = before.filter(|id| *id != of);
        self.by_workload.entry(of).or_default().insert(uid, canary);
        before
    }

    /// The workload that it was about.
    pub fn remove(&mut self, cluster: &ClusterId, uid: &Uid) -> Option<WorkloadId> {
        let of = self.about.remove(&(cluster.clone(), uid.clone()))?;
        let all = self.by_workload.get_mut(&of)?;
        let gone = all.remove(uid);
        let stable = gone.and_then(|gone| stable_of(&of, &gone));
        let named = |stable: &WorkloadId| {
            let mut others = all.values();
            others.any(|other| stable_of(&of, other).as_ref() == Some(stable))
        };
        if let Some(stable) = stable.filter(|stable| !named(stable))
            && let Some(of_stable) = self.by_stable.get_mut(&stable)
        {
            of_stable.remove(&of);
            if of_stable.is_empty() {
                self.by_stable.remove(&stable);
            }
        }
        if all.is_empty() {
            self.by_workload.remove(&of);
        }
        Some(of)
    }

    /// Takes out those of a provider in a cluster and namespace that `out` names; the workloads that they were about.
    pub fn clear(
        &mut self,
        (cluster, namespace): (&ClusterId, Option<&str>),
        provider: Provider,
        out: impl Fn(&WorkloadId) -> bool,
    ) -> BTreeSet<WorkloadId> {
        let in_scope = |id: &WorkloadId| {
            id.cluster == *cluster && namespace.is_none_or(|only| only == &*id.namespace)
        };
        let gone = self.by_workload.iter();
        let gone = gone.filter(|(id, _)| in_scope(id) && out(id));
        let gone = gone.flat_map(|(_, all)| all);
        let gone = gone.filter(|(_, canary)| canary.provider == provider);
        let gone: Vec<_> = gone.map(|(uid, _)| uid.clone()).collect();
        gone.iter()
            .filter_map(|uid| self.remove(cluster, uid))
            .collect()
    }

    /// Those whose weights are written into something that is read.
    pub fn weighed(&self, cluster: &ClusterId, namespace: Option<&str>) -> Vec<WorkloadId> {
        let here = self.by_workload.iter().filter(|(id, all)| {
            id.cluster == *cluster
                && namespace.is_none_or(|only| *only == *id.namespace)
                && all.values().any(|canary| weighed(canary).is_some())
        });
        here.map(|(id, _)| id.clone()).collect()
    }

    /// The workload that the object is about.
    pub fn about(&self, cluster: &ClusterId, uid: &Uid) -> Option<WorkloadId> {
        self.about.get(&(cluster.clone(), uid.clone())).cloned()
    }
}

/// The workload that serves in place of this one, by its canary.
fn stable_of(of: &WorkloadId, canary: &Canary) -> Option<WorkloadId> {
    let name = canary.stable_in.clone()?;
    Some(WorkloadId { name, ..of.clone() })
}

impl Fleet {
    /// The one that serves in its place: that of the stable side, when its canary has it in another one.
    pub fn served_by(&self, workload: &Workload) -> Option<&Workload> {
        let named = workload.canary.as_ref()?.stable_in.as_ref()?;
        self.workload(&WorkloadId {
            name: named.clone(),
            ..workload.id.clone()
        })
    }

    /// The workload whose pods are to be looked at: what serves in its place, while it has none of its own on purpose.
    pub fn stand_in<'a>(&'a self, workload: &'a Workload) -> &'a Workload {
        let flagger = workload.canary.as_ref().and_then(|c| c.flagger.as_ref());
        let away = flagger.is_some_and(|flagger| flagger.phase.is_without_pods());
        let serving = self.served_by(workload).filter(|_| away);
        serving.unwrap_or(workload)
    }

    /// The version of its template and, while a rollout is under way, the one it replaces; of one that another serves for
    /// the version that is served.
    pub fn versions(&self, workload: &Workload, under_way: bool) -> Versions {
        let served = self.served_by(workload);
        match served {
            Some(serving) => version::beside(workload, serving, under_way),
            None => version::rollout_versions(workload, self.revisions(workload), under_way),
        }
    }

    /// Where, and in what, weights of releases of Flagger stand that are on their way.
    pub fn weighed_places(&self) -> BTreeSet<(&ClusterId, &str, RouteKind)> {
        let all = self.canaries.by_workload.iter();
        let all = all.flat_map(|(id, all)| all.values().map(move |canary| (id, canary)));
        let moving = all.filter(|(_, canary)| canary.is_partial() && !canary.aborted);
        moving
            .filter_map(|(id, canary)| Some((&id.cluster, &*id.namespace, weighed(canary)?.kind)))
            .collect()
    }

    /// What another object says of it, with what its route and the events about that object say.
    pub(super) fn canary_of(&self, of: &WorkloadId) -> Option<Canary> {
        let mut canary = self.canaries.of(of)?.clone();
        if let Some(name) = canary.flagger.as_ref().map(|flagger| flagger.name.clone()) {
            let recent = self.warnings.get(&of.cluster);
            let mut said = recent.map_or_else(Vec::new, |r| r.about(&of.namespace, &name));
            said.sort_by_key(|warning| warning.last_seen);
            flagger::measure(&mut canary, said);
        }
        self.weigh(of, &mut canary);
        Some(canary)
    }

    /// Writes what really stands in its route.
    fn weigh(&self, of: &WorkloadId, canary: &mut Canary) {
        let Some(weighed) = weighed(canary) else {
            return;
        };
        let Some(route) = self.pairs.route_of(of, weighed) else {
            return;
        };
        let split = route.split(&weighed.canary, &weighed.stable);
        let taken = route.accepted;
        if let Some((weight, all)) = split.filter(|(_, all)| *all > 0) {
            let whole = u64::from(canary.whole);
            let part = u64::from(weight) * whole / u64::from(all);
            canary.routed = u32::try_from(part).ok();
        }
        if let Some(flagger) = canary.flagger.as_mut()
            && let Some(weighed) = &mut flagger.weighed
        {
            weighed.taken = Some(taken);
        }
    }

    /// Writes what is known of a workload's canary into it, when the workload itself is known.
    pub(super) fn tell_canary(&mut self, of: WorkloadId, touched: &mut BTreeSet<WorkloadId>) {
        let told = self.canary_of(&of);
        if let Some(workload) = self.workloads.get_mut(&of) {
            workload.canary = told.map(Box::new);
        }
        touched.insert(of);
    }
}

fn weighed(canary: &Canary) -> Option<&Weighed> {
    canary.flagger.as_ref()?.weighed.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::flagger::{Phase, sample};
    use crate::domain::fixture::{id, workload};
    use crate::domain::{Change, Feed, Item, ItemId, Kind, SourceId};

    fn source(feed: Feed) -> SourceId {
        SourceId {
            cluster: id(Kind::Deployment).cluster,
            namespace: None,
            feed,
        }
    }

    fn said(of: &str, phase: Phase) -> Item {
        Item::Canary {
            of: named(of),
            uid: "c1".into(),
            canary: Box::new(sample(phase)),
        }
    }

    fn named(name: &str) -> WorkloadId {
        WorkloadId {
            name: name.into(),
            ..id(Kind::Deployment)
        }
    }

    fn listed(name: &str) -> Item {
        let mut listed = workload(Kind::Deployment);
        listed.id = named(name);
        Item::Workload(Box::new(listed))
    }

    fn put(fleet: &mut Fleet, feed: Feed, item: Item) -> Vec<WorkloadId> {
        fleet.apply(&source(feed), Change::Put(item))
    }

    fn phase(fleet: &Fleet, name: &str) -> Option<Phase> {
        let canary = fleet.workload(&named(name))?.canary.as_deref()?;
        Some(canary.flagger.as_ref()?.phase)
    }

    const WORKLOADS: Feed = Feed::Workloads(Kind::Deployment);

    #[test]
    fn what_is_said_of_a_workload_stands_in_it_whichever_came_first() {
        for order in [[0, 1], [1, 0]] {
            let mut fleet = Fleet::default();
            for which in order {
                let _ = match which {
                    0 => put(&mut fleet, WORKLOADS, listed("checkout")),
                    _ => put(&mut fleet, Feed::Canaries, said("checkout", Phase::Waiting)),
                };
            }
            assert_eq!(phase(&fleet, "checkout"), Some(Phase::Waiting));
            put(&mut fleet, WORKLOADS, listed("checkout"));
            assert_eq!(phase(&fleet, "checkout"), Some(Phase::Waiting), "again");
        }
    }

    #[test]
    fn it_goes_with_the_object_that_said_it() {
        let mut fleet = Fleet::default();
        put(&mut fleet, WORKLOADS, listed("checkout"));
        put(&mut fleet, WORKLOADS, listed("cart"));
        put(&mut fleet, Feed::Canaries, said("checkout", Phase::Failed));
        let touched = put(&mut fleet, Feed::Canaries, said("cart", Phase::Failed));
        assert_eq!(
            touched,
            [named("cart"), named("checkout")],
            "another target"
        );
        assert_eq!(phase(&fleet, "checkout"), None);
        let gone = ItemId::Canary {
            cluster: named("cart").cluster,
            uid: "c1".into(),
        };
        let touched = fleet.apply(&source(Feed::Canaries), Change::Gone(gone));
        assert_eq!(
            (touched, phase(&fleet, "cart")),
            (vec![named("cart")], None)
        );
        put(&mut fleet, Feed::Canaries, said("cart", Phase::Failed));
        fleet.apply(
            &source(Feed::Canaries),
            Change::Reset(
                source(Feed::Canaries),
                vec![said("checkout", Phase::Waiting)],
            ),
        );
        assert_eq!(phase(&fleet, "cart"), None);
        assert_eq!(phase(&fleet, "checkout"), Some(Phase::Waiting));
        fleet.forget(&source(Feed::Canaries));
        assert_eq!(phase(&fleet, "checkout"), None);
    }

    #[test]
    fn the_workload_of_its_stable_side_serves_and_touches_it() {
        let mut fleet = Fleet::default();
        put(&mut fleet, WORKLOADS, listed("checkout"));
        put(
            &mut fleet,
            Feed::Canaries,
            said("checkout", Phase::Succeeded),
        );
        let serves = |fleet: &Fleet| {
            let target = fleet.workload(&named("checkout")).unwrap();
            fleet.served_by(target).map(|w| w.id.name.to_string())
        };
        assert_eq!(serves(&fleet), None, "the other is not known");
        let touched = put(&mut fleet, WORKLOADS, listed("checkout-primary"));
        assert_eq!(touched, [named("checkout"), named("checkout-primary")]);
        assert_eq!(serves(&fleet).as_deref(), Some("checkout-primary"));
    }

    #[test]
    fn its_pods_are_looked_at_while_the_target_has_none_on_purpose() {
        let mut fleet = Fleet::default();
        put(&mut fleet, WORKLOADS, listed("checkout"));
        put(&mut fleet, WORKLOADS, listed("checkout-primary"));
        for (phase, name) in [
            (Phase::Succeeded, "checkout-primary"),
            (Phase::Failed, "checkout-primary"),
            (Phase::Progressing, "checkout"),
            (Phase::Waiting, "checkout-primary"),
            (Phase::Initializing, "checkout"),
        ] {
            put(&mut fleet, Feed::Canaries, said("checkout", phase));
            let target = fleet.workload(&named("checkout")).unwrap();
            assert_eq!(&*fleet.stand_in(target).id.name, name, "{phase:?}");
        }
    }
    #[test]
    fn its_weight_is_what_stands_in_its_route() {
        use crate::domain::pair::route::{Backend, Route};
        let mut fleet = Fleet::default();
        put(&mut fleet, WORKLOADS, listed("checkout"));
        let mut moving = sample(Phase::Progressing);
        (moving.set, moving.routed) = (30, Some(30));
        moving.flagger.as_mut().unwrap().weighed = Some(Weighed {
            kind: RouteKind::HttpRoute,
            name: "checkout".into(),
            canary: "checkout-canary".into(),
            stable: "checkout-primary".into(),
            taken: None,
        });
        let said = Item::Canary {
            of: named("checkout"),
            uid: "c1".into(),
            canary: Box::new(moving),
        };
        put(&mut fleet, Feed::Canaries, said);
        assert_eq!(fleet.weighed_places().len(), 1);
        let backend = |service: &str, weight| Backend {
            service: service.into(),
            weight: Some(weight),
        };
        let rule = [
            backend("checkout-primary", 95),
            backend("checkout-canary", 5),
        ];
        let route = Route {
            cluster: named("checkout").cluster,
            namespace: named("checkout").namespace,
            name: "checkout".into(),
            uid: "r1".into(),
            kind: RouteKind::HttpRoute,
            owner: None,
            manager: None,
            rules: [rule.into()].into(),
            accepted: false,
            annotated: None,
        };
        let feed = Feed::Routes(RouteKind::HttpRoute);
        let touched = put(&mut fleet, feed.clone(), Item::Route(Box::new(route)));
        assert_eq!(touched, [named("checkout")]);
        let known = |fleet: &Fleet| {
            let canary = fleet.workload(&named("checkout")).unwrap().canary.clone();
            let canary = canary.unwrap();
            let taken = weighed(&canary).unwrap().taken;
            (canary.set, canary.routed, taken)
        };
        assert_eq!(known(&fleet), (30, Some(5), Some(false)));
        fleet.forget(&source(feed));
        assert_eq!(known(&fleet), (30, Some(30), None), "as its status says");
    }
}
