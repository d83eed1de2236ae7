//! What objects other than the workload say of its canary, by the workload that it is about.

use std::collections::{BTreeMap, BTreeSet};

use super::Fleet;
use crate::domain::canary::{Provider, flagger};
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

    /// The version of its template and, while a rollout is under way, the one it replaces; of one that another serves for
    /// the version that is served.
    pub fn versions(&self, workload: &Workload, under_way: bool) -> Versions {
        let served = self.served_by(workload);
        match served {
            Some(serving) => version::beside(workload, serving, under_way),
            None => version::rollout_versions(workload, self.revisions(workload), under_way),
        }
    }

    /// What another object says of it, with what the events about that object say.
    pub(super) fn canary_of(&self, of: &WorkloadId) -> Option<Canary> {
        let mut canary = self.canaries.of(of)?.clone();
        if let Some(name) = canary.flagger.as_ref().map(|flagger| flagger.name.clone()) {
            let recent = self.warnings.get(&of.cluster);
            let mut said = recent.map_or_else(Vec::new, |r| r.about(&of.namespace, &name));
            said.sort_by_key(|warning| warning.last_seen);
            flagger::measure(&mut canary, said);
        }
        Some(canary)
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
}
