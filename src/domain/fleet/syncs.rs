//! What keeps workloads as git has them: that of each workload that was looked at, and all that are suspended by us.

use std::collections::BTreeMap;

use crate::domain::{ClusterId, Sync, SyncId, SyncKind, Workload, WorkloadId};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Syncs {
    of: BTreeMap<WorkloadId, Sync>,
    suspended: BTreeMap<SyncId, Sync>,
}

impl Syncs {
    /// By the marks that the workload has now.
    pub fn of(&self, workload: &Workload) -> Option<&Sync> {
        let named = workload.kept_by()?;
        let found = self.of.get(&workload.id).filter(|sync| sync.id.is(named));
        found.or_else(|| {
            let mut suspended = self.suspended.values();
            suspended.find(|s| s.id.cluster == workload.id.cluster && s.id.is(named))
        })
    }

    pub fn suspended(&self) -> impl Iterator<Item = &Sync> {
        self.suspended.values().filter(|s| s.suspension.is_some())
    }

    /// Of two with the same name the one that says that it keeps the workload stays.
    pub fn put(&mut self, of: Option<WorkloadId>, sync: Sync) {
        let Some(workload) = of else {
            self.suspended.insert(sync.id.clone(), sync);
            return;
        };
        let known = self.of.get(&workload).filter(|known| known.id != sync.id);
        if known.is_none_or(|known| known.keeps != Some(true)) {
            self.of.insert(workload, sync);
        }
    }

    pub fn remove(&mut self, of: Option<&WorkloadId>, id: &SyncId) {
        match of {
            None => drop(self.suspended.remove(id)),
            Some(workload) if self.of.get(workload).is_some_and(|s| s.id == *id) => {
                self.of.remove(workload);
            }
            Some(_) => {}
        }
    }

    /// Whether there was one.
    pub fn forget(&mut self, workload: &WorkloadId) -> bool {
        self.of.remove(workload).is_some()
    }

    /// Those that go.
    pub fn clear(&mut self, cluster: &ClusterId, kind: SyncKind) -> Vec<SyncId> {
        let goes = |id: &SyncId| id.cluster == *cluster && id.kind == kind;
        let gone: Vec<_> = self
            .suspended
            .keys()
            .filter(|id| goes(id))
            .cloned()
            .collect();
        self.suspended.retain(|id, _| !goes(id));
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::workload;
    use crate::domain::sync::sample;
    use crate::domain::{Automatic, Kind, Manager, Suspension, SyncRef};

    fn kept() -> Workload {
        let mut kept = workload(Kind::Deployment);
        kept.manager = Some(Manager::Sync(SyncRef {
            kind: SyncKind::Application,
            namespace: None,
            name: "shop".into(),
        }));
        kept
    }

    fn suspended() -> Sync {
        let mut sync = sample(Automatic::Off);
        sync.suspension = Some(Box::new(Suspension {
            id: "i1".into(),
            by: "me@here".into(),
            at: jiff::Timestamp::UNIX_EPOCH,
            was: "{}".into(),
        }));
        sync
    }

    #[test]
    fn of_two_with_one_name_the_one_that_keeps_the_workload_counts() {
        let (mut syncs, kept) = (Syncs::default(), kept());
        let mut other = sample(Automatic::Off);
        (other.id.namespace, other.keeps) = ("team".into(), Some(false));
        let of = || Some(kept.id.clone());
        for order in [
            [&sample(Automatic::NextChange), &other],
            [&other, &sample(Automatic::NextChange)],
        ] {
            for sync in order {
                syncs.put(of(), sync.clone());
            }
            assert_eq!(&*syncs.of(&kept).unwrap().id.namespace, "argocd");
        }
        syncs.remove(of().as_ref(), &other.id);
        assert!(syncs.of(&kept).is_some());
        assert!(syncs.forget(&kept.id) && syncs.of(&kept).is_none());
    }

    #[test]
    fn what_is_suspended_is_known_without_being_looked_at() {
        let (mut syncs, kept) = (Syncs::default(), kept());
        syncs.put(None, suspended());
        assert_eq!(syncs.suspended().count(), 1);
        assert!(syncs.of(&kept).is_some());
        let mut free = kept.clone();
        free.manager = None;
        assert!(syncs.of(&free).is_none());
        let cluster = &kept.id.cluster;
        assert!(syncs.clear(cluster, SyncKind::Kustomization).is_empty());
        assert_eq!(syncs.clear(cluster, SyncKind::Application).len(), 1);
        assert_eq!(syncs, Syncs::default());
    }
}
