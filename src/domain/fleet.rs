//! Everything that is known of all clusters, folded from their changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::canary::{Analysis, Provider};
use super::standing::{Evidence, standing};
use super::{
    Change, ClusterId, Feed, Item, ItemId, Kind, Pod, Revision, SourceId, Standing, Sync, SyncId,
    Uid, Warning, Workload, WorkloadId, generated_name,
};

mod canaries;
mod pairs;
mod syncs;
#[cfg(test)]
mod tests;
mod warnings;

use canaries::Canaries;
use pairs::Pairs;
use syncs::Syncs;
use warnings::Recent;

/// The server forgets events after an hour by default; a poll that fails must not keep them longer.
const WARNINGS_LAST: SignedDuration = SignedDuration::from_hours(1);

/// The maps are sorted by [`WorkloadId`], so that a cluster, a namespace and a kind in it are ranges.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fleet {
    workloads: BTreeMap<WorkloadId, Workload>,
    /// By the owner's uid under the name: a re-created workload does not inherit revisions. Newest number first.
    revisions: BTreeMap<WorkloadId, BTreeMap<Uid, Vec<Revision>>>,
    /// By name under the workload.
    pods: BTreeMap<WorkloadId, BTreeMap<Box<str>, Pod>>,
    warnings: BTreeMap<ClusterId, Recent>,
    syncs: Syncs,
    /// Only of what is looked at.
    analyses: BTreeMap<WorkloadId, BTreeMap<Uid, Analysis>>,
    /// What other objects say of workloads. It stands in each workload's `canary` too.
    canaries: Canaries,
    pairs: Pairs,
    /// Those that brought something, and whether their first listing is complete.
    sources: BTreeMap<SourceId, bool>,
}

impl Fleet {
    /// Folds one change in. Returns the workloads whose standing may have changed, known or not, each once.
    pub fn apply(&mut self, from: &SourceId, change: Change) -> Vec<WorkloadId> {
        let mut touched = BTreeSet::new();
        if !self.sources.contains_key(from) {
            self.sources.insert(from.clone(), false);
        }
        match change {
            Change::Put(item) => self.put(item, &mut touched),
            Change::Gone(id) => self.remove(id, &mut touched),
            Change::Synced(source) => {
                self.sources.insert(source, true);
            }
            Change::Reset(source, items) => {
                self.clear(&source, |_, _| false, &mut touched);
                for item in items {
                    self.put(item, &mut touched);
                }
                self.sources.insert(source, true);
            }
        }
        self.warnings.retain(|_, recent| !recent.is_empty());
        touched.into_iter().collect()
    }

    /// Drops a source and what no other source brings as well. Returns the workloads it touched.
    pub fn forget(&mut self, source: &SourceId) -> Vec<WorkloadId> {
        let mut touched = BTreeSet::new();
        if self.sources.remove(source).is_some() {
            let others: Vec<_> = self
                .sources
                .keys()
                .filter(|other| other.cluster == source.cluster)
                .cloned()
                .collect();
            let kept = |id: Option<&WorkloadId>, namespace: &str| {
                others
                    .iter()
                    .any(|o| brings_the_same(o, &source.feed, id, namespace))
            };
            self.clear(source, kept, &mut touched);
            self.warnings.retain(|_, recent| !recent.is_empty());
        }
        touched.into_iter().collect()
    }

    /// Drops Warning events that are over an hour old. Returns the workloads it touched.
    pub fn expire(&mut self, now: Timestamp) -> Vec<WorkloadId> {
        let limit = now.saturating_sub(WARNINGS_LAST).unwrap_or(Timestamp::MIN);
        let old: Vec<_> = self
            .warnings
            .values_mut()
            .flat_map(|recent| recent.expire(limit))
            .collect();
        self.warnings.retain(|_, recent| !recent.is_empty());
        let mut touched = BTreeSet::new();
        for warning in &old {
            self.touch(warning, &mut touched);
        }
        touched.into_iter().collect()
    }

    pub fn workload(&self, id: &WorkloadId) -> Option<&Workload> {
        self.workloads.get(id)
    }

    /// By cluster, namespace, kind and name.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        self.workloads.values()
    }

    /// Those that this very object owns, newest number first. Empty while none are known.
    pub fn revisions(&self, workload: &Workload) -> &[Revision] {
        self.revisions
            .get(&workload.id)
            .and_then(|owners| owners.get(&workload.uid))
            .map_or(&[], Vec::as_slice)
    }

    /// Those that this very object owns, by name. Empty while they are not watched.
    pub fn pods(&self, workload: &Workload) -> Vec<&Pod> {
        let revisions = self.revisions(workload);
        let pods = self
            .pods
            .get(&workload.id)
            .into_iter()
            .flat_map(BTreeMap::values);
        pods.filter(|pod| owns(workload, revisions, pod)).collect()
    }

    /// About the workload, its revisions and its pods, newest first.
    pub fn warnings(&self, workload: &Workload) -> Vec<&Warning> {
        let Some(recent) = self.warnings.get(&workload.id.cluster) else {
            return Vec::new();
        };
        let prefix = generated_name::common_prefix(&workload.id);
        let mut found = recent.about(&workload.id.namespace, prefix);
        found.retain(|warning| self.concerns(warning, workload));
        if let Some(flagger) = workload.canary.as_ref().and_then(|c| c.flagger.as_ref()) {
            let of_canary = recent.about(&workload.id.namespace, &flagger.name);
            found.extend(of_canary.into_iter().filter(|w| w.about_uid == flagger.uid));
        }
        found.sort_by(|a, b| {
            b.last_seen
                .cmp(&a.last_seen)
                .then_with(|| a.name.cmp(&b.name))
        });
        found
    }

    /// The runs that judge it, newest first: those that are watched, else those that its status names.
    pub fn analyses<'a>(&'a self, workload: &'a Workload) -> Vec<&'a Analysis> {
        let watched = self.analyses.get(&workload.id).into_iter();
        let mut found: Vec<_> = watched.flat_map(BTreeMap::values).collect();
        let named = workload.canary.iter().flat_map(|canary| &canary.analyses);
        let missing = |run: &&Analysis| !found.iter().any(|known| known.name == run.name);
        let missing: Vec<_> = named.filter(missing).collect();
        found.extend(missing);
        found.sort_by(|a, b| (&b.created, &b.name).cmp(&(&a.created, &a.name)));
        found
    }

    /// Whether the source's first listing is complete.
    pub fn synced(&self, source: &SourceId) -> bool {
        self.sources.get(source).copied().unwrap_or(false)
    }

    /// How a workload stands, from everything known of it; `None` when it is not known.
    pub fn standing(&self, id: &WorkloadId, now: Timestamp) -> Option<Standing> {
        let workload = self.workload(id)?;
        let evidence = Evidence {
            workload,
            serving: self.served_by(workload),
            revisions: self.revisions(workload),
            pods: &self.pods(workload),
            warnings: &self.warnings(workload),
        };
        Some(standing(evidence, now))
    }

    /// What keeps a workload as git has it, as far as it was looked for or is suspended by a rolldeck.
    pub fn sync(&self, workload: &Workload) -> Option<&Sync> {
        self.syncs.of(workload)
    }

    /// Those that a rolldeck suspended, of the kinds that are listed.
    pub fn suspended(&self) -> impl Iterator<Item = &Sync> {
        self.syncs.suspended()
    }

    fn put(&mut self, item: Item, touched: &mut BTreeSet<WorkloadId>) {
        match item {
            Item::Workload(workload) => self.put_workload(*workload, touched),
            Item::Revision(revision) => {
                touched.insert(revision.workload.clone());
                self.put_revision(*revision);
            }
            Item::Pod(pod) => {
                touched.insert(pod.workload.clone());
                let pods = self.pods.entry(pod.workload.clone()).or_default();
                pods.insert(pod.name.clone(), *pod);
            }
            Item::Warning(warning) => {
                self.touch(&warning, touched);
                let of = self.canaries.about(&warning.cluster, &warning.about_uid);
                let recent = self.warnings.entry(warning.cluster.clone()).or_default();
                for dropped in recent.put(*warning) {
                    self.touch(&dropped, touched);
                }
                if let Some(of) = of {
                    self.tell_canary(of, touched);
                }
            }
            Item::Analysis { of, uid, run } => {
                touched.insert(of.clone());
                self.analyses.entry(of).or_default().insert(uid, *run);
            }
            Item::Canary { of, uid, canary } => {
                let before = self.canaries.put(of.clone(), uid, *canary);
                for id in before.into_iter().chain([of]) {
                    self.tell_canary(id, touched);
                }
            }
            Item::Service(service) => self.put_service(*service, touched),
            Item::Route(route) => self.put_route(*route, touched),
            Item::Endpoints { of, uid, ready } => self.put_endpoints(of, (uid, ready), touched),
            Item::Sync { of, sync } => {
                self.touch_kept(of.as_ref(), &sync.id, touched);
                self.syncs.put(of, *sync);
            }
        }
    }

    fn put_workload(&mut self, mut workload: Workload, touched: &mut BTreeSet<WorkloadId>) {
        let id = workload.id.clone();
        if workload.canary.is_none() {
            workload.canary = self.canary_of(&id).map(Box::new);
        }
        touched.extend(self.canaries.whose_stable_is(&id).cloned());
        touched.insert(id.clone());
        let before = self.workloads.insert(id.clone(), workload);
        self.pair(&id, before.as_ref(), touched);
    }

    fn put_revision(&mut self, revision: Revision) {
        let owners = self.revisions.entry(revision.workload.clone()).or_default();
        // A name that is used again, perhaps for another owner, takes the place of the old object.
        owners.retain(|_, revisions| {
            revisions.retain(|r| r.uid != revision.uid && r.name != revision.name);
            !revisions.is_empty()
        });
        let revisions = owners.entry(revision.owner.clone()).or_default();
        let at = revisions.partition_point(|r| newest_first(r) <= newest_first(&revision));
        revisions.insert(at, revision);
    }

    fn remove(&mut self, id: ItemId, touched: &mut BTreeSet<WorkloadId>) {
        match id {
            ItemId::Workload(id, uid) => {
                if self.workloads.get(&id).is_some_and(|w| w.uid == uid) {
                    let before = self.workloads.remove(&id);
                    touched.extend(self.canaries.whose_stable_is(&id).cloned());
                    self.pair(&id, before.as_ref(), touched);
                    touched.insert(id);
                }
            }
            ItemId::Revision { workload, uid } => {
                if let Some(owners) = self.revisions.get_mut(&workload) {
                    owners.retain(|_, revisions| {
                        revisions.retain(|r| r.uid != uid);
                        !revisions.is_empty()
                    });
                    if owners.is_empty() {
                        self.revisions.remove(&workload);
                    }
                    touched.insert(workload);
                }
            }
            ItemId::Pod { workload, uid } => {
                if let Some(pods) = self.pods.get_mut(&workload) {
                    pods.retain(|_, pod| pod.uid != uid);
                    if pods.is_empty() {
                        self.pods.remove(&workload);
                    }
                    touched.insert(workload);
                }
            }
            ItemId::Warning {
                cluster,
                namespace,
                name,
            } => {
                let recent = self.warnings.get_mut(&cluster);
                if let Some(warning) = recent.and_then(|recent| recent.remove(&namespace, &name)) {
                    self.touch(&warning, touched);
                }
            }
            ItemId::Analysis { of, uid } => {
                if let Some(runs) = self.analyses.get_mut(&of) {
                    runs.remove(&uid);
                    touched.insert(of);
                }
            }
            ItemId::Canary { cluster, uid } => {
                if let Some(of) = self.canaries.remove(&cluster, &uid) {
                    self.tell_canary(of, touched);
                }
            }
            ItemId::Service { cluster, uid } => self.remove_service(&cluster, &uid, touched),
            ItemId::Route { cluster, uid } => self.remove_route(&cluster, &uid, touched),
            ItemId::Endpoints { of, uid } => self.remove_endpoints(of, &uid, touched),
            ItemId::Sync { of, id } => {
                self.touch_kept(of.as_ref(), &id, touched);
                self.syncs.remove(of.as_ref(), &id);
            }
        }
    }

    /// Takes out what a source brings, but for what `kept` holds back (asked with the workload, or for a
    /// Warning with its namespace alone).
    fn clear(
        &mut self,
        source: &SourceId,
        kept: impl Fn(Option<&WorkloadId>, &str) -> bool,
        touched: &mut BTreeSet<WorkloadId>,
    ) {
        let out = |id: &WorkloadId| !kept(Some(id), &id.namespace);
        match &source.feed {
            Feed::Workloads(kind) => {
                take(&mut self.workloads, source, *kind, out, touched);
                let place = (&source.cluster, source.namespace.as_deref());
                self.tell_place(place, touched);
            }
            Feed::ReplicaSets => {
                for kind in [Kind::Deployment, Kind::Rollout] {
                    take(&mut self.revisions, source, kind, out, touched);
                }
            }
            Feed::RevisionsOf { workload, .. } => {
                if out(workload) && self.revisions.remove(workload).is_some() {
                    touched.insert(workload.clone());
                }
            }
            Feed::PodsOf { workload, .. } => {
                if out(workload) && self.pods.remove(workload).is_some() {
                    touched.insert(workload.clone());
                }
            }
            Feed::AnalysesOf { workload, .. } => {
                if out(workload) && self.analyses.remove(workload).is_some() {
                    touched.insert(workload.clone());
                }
            }
            Feed::Canaries => {
                let scope = (&source.cluster, source.namespace.as_deref());
                for of in self.canaries.clear(scope, Provider::Flagger, out) {
                    self.tell_canary(of, touched);
                }
            }
            Feed::Services => {
                let place = (&source.cluster, source.namespace.as_deref());
                self.clear_services(place, |namespace| kept(None, namespace), touched);
            }
            Feed::Routes(kind) => {
                let place = (&source.cluster, source.namespace.as_deref());
                let kept = |namespace: &str| kept(None, namespace);
                self.clear_routes(place, *kind, kept, touched);
            }
            Feed::EndpointsOf { workload, .. } => {
                if out(workload) {
                    self.clear_endpoints(workload, touched);
                }
            }
            Feed::Warnings => {
                let recent = self.warnings.get_mut(&source.cluster);
                let gone = recent.map(|recent| {
                    recent.clear(source.namespace.as_deref(), |namespace| {
                        kept(None, namespace)
                    })
                });
                for warning in gone.unwrap_or_default() {
                    self.touch(&warning, touched);
                }
            }
            Feed::SyncOf { workload, .. } => {
                if out(workload) && self.syncs.forget(workload) {
                    touched.insert(workload.clone());
                }
            }
            Feed::Suspended(kind) => {
                for gone in self.syncs.clear(&source.cluster, *kind) {
                    self.touch_kept(None, &gone, touched);
                }
            }
        }
    }

    /// Adds the workload that it was looked for, else the known ones whose marks name it.
    fn touch_kept(&self, of: Option<&WorkloadId>, id: &SyncId, touched: &mut BTreeSet<WorkloadId>) {
        match of {
            Some(workload) => drop(touched.insert(workload.clone())),
            None => touched.extend(self.kept_by(id).map(|workload| workload.id.clone())),
        }
    }

    /// The workloads whose marks name it.
    pub fn kept_by(&self, id: &SyncId) -> impl Iterator<Item = &Workload> {
        self.workloads.values().filter(move |workload| {
            let named = workload.kept_by();
            workload.id.cluster == id.cluster && named.is_some_and(|named| id.is(named))
        })
    }

    /// Adds the known workloads that a Warning may be about.
    fn touch(&self, warning: &Warning, touched: &mut BTreeSet<WorkloadId>) {
        let id = |kind, name: &str| WorkloadId {
            cluster: warning.cluster.clone(),
            namespace: warning.namespace.clone(),
            kind,
            name: name.into(),
        };
        let (kind, about) = (&*warning.about_kind, &*warning.about);
        touched.extend(self.canaries.about(&warning.cluster, &warning.about_uid));
        if generated_name::is_cut(kind, about) {
            let first = id(Kind::Deployment, "");
            let near = self.workloads.range(first..).map(|(id, _)| id);
            let near = near.take_while(|id| {
                id.cluster == warning.cluster && id.namespace == warning.namespace
            });
            touched.extend(
                near.filter(|id| generated_name::belongs(id, kind, about))
                    .cloned(),
            );
        } else {
            let owners = generated_name::owners(kind, about).map(|(kind, name)| id(kind, name));
            touched.extend(owners.filter(|id| self.workloads.contains_key(id)));
        }
    }

    /// The uid decides where it is known; else the name does, as long as the object cannot be of a former owner.
    fn concerns(&self, warning: &Warning, workload: &Workload) -> bool {
        if !generated_name::belongs(&workload.id, &warning.about_kind, &warning.about) {
            return false;
        }
        match &*warning.about_kind {
            "ReplicaSet" => {
                let revisions = self.revisions(workload);
                match revisions.iter().find(|r| r.name == warning.about) {
                    Some(revision) => revision.uid == warning.about_uid,
                    None => warning.last_seen >= workload.created,
                }
            }
            "Pod" => {
                let pods = self.pods.get(&workload.id);
                match pods.and_then(|pods| pods.get(&warning.about)) {
                    Some(pod) => {
                        pod.uid == warning.about_uid
                            && owns(workload, self.revisions(workload), pod)
                    }
                    None => warning.last_seen >= workload.created,
                }
            }
            _ => warning.about_uid == workload.uid,
        }
    }
}

/// By owner. A Deployment's pods are owned by its ReplicaSets: those of a revision that is not known yet are
/// told by their generated name, and by being younger than the Deployment.
fn owns(workload: &Workload, revisions: &[Revision], pod: &Pod) -> bool {
    match workload.id.kind {
        Kind::StatefulSet | Kind::DaemonSet => pod.owner == workload.uid,
        Kind::Deployment | Kind::Rollout => {
            let known = revisions
                .iter()
                .find(|r| r.pod_hash == pod.revision || r.uid == pod.owner);
            match known {
                Some(revision) => revision.uid == pod.owner,
                None => {
                    pod.created >= workload.created
                        && generated_name::belongs(&workload.id, "Pod", &pod.name)
                }
            }
        }
    }
}

/// The sort key of revisions: highest number, then youngest, then by name.
fn newest_first(revision: &Revision) -> (std::cmp::Reverse<(u64, Timestamp)>, &str) {
    (
        std::cmp::Reverse((revision.number, revision.created)),
        &revision.name,
    )
}

/// Whether `other` brings the same kind of item about this workload, or namespace, as `feed` does.
fn brings_the_same(
    other: &SourceId,
    feed: &Feed,
    id: Option<&WorkloadId>,
    namespace: &str,
) -> bool {
    let in_scope = other
        .namespace
        .as_deref()
        .is_none_or(|only| only == namespace);
    let about = |workload: &WorkloadId| id == Some(workload);
    match (feed, &other.feed) {
        (Feed::Workloads(kind), Feed::Workloads(same)) => in_scope && kind == same,
        (Feed::Warnings, Feed::Warnings)
        | (Feed::Canaries, Feed::Canaries)
        | (Feed::Services, Feed::Services) => in_scope,
        (Feed::Routes(kind), Feed::Routes(same)) => in_scope && kind == same,
        (Feed::ReplicaSets | Feed::RevisionsOf { .. }, Feed::ReplicaSets) => {
            in_scope && id.is_some_and(|id| id.kind.has_replica_sets())
        }
        (Feed::ReplicaSets | Feed::RevisionsOf { .. }, Feed::RevisionsOf { workload, .. })
        | (Feed::PodsOf { .. }, Feed::PodsOf { workload, .. })
        | (Feed::AnalysesOf { .. }, Feed::AnalysesOf { workload, .. })
        | (Feed::EndpointsOf { .. }, Feed::EndpointsOf { workload, .. })
        | (Feed::SyncOf { .. }, Feed::SyncOf { workload, .. }) => about(workload),
        (
            Feed::Workloads(_)
            | Feed::Warnings
            | Feed::ReplicaSets
            | Feed::RevisionsOf { .. }
            | Feed::PodsOf { .. }
            | Feed::AnalysesOf { .. }
            | Feed::Canaries
            | Feed::Services
            | Feed::Routes(_)
            | Feed::EndpointsOf { .. }
            | Feed::SyncOf { .. }
            | Feed::Suspended(_),
            _,
        ) => false,
    }
}

/// Takes out the entries of one kind in a source's cluster and namespace that `out` names.
fn take<T>(
    map: &mut BTreeMap<WorkloadId, T>,
    source: &SourceId,
    kind: Kind,
    out: impl Fn(&WorkloadId) -> bool,
    touched: &mut BTreeSet<WorkloadId>,
) {
    let first = WorkloadId {
        cluster: source.cluster.clone(),
        namespace: source.namespace.clone().unwrap_or_default(),
        kind: Kind::Deployment,
        name: "".into(),
    };
    let in_scope = |id: &WorkloadId| {
        id.cluster == source.cluster
            && source
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == id.namespace)
    };
    let gone: Vec<_> = map
        .range(first..)
        .map(|(id, _)| id)
        .take_while(|id| in_scope(id))
        .filter(|id| id.kind == kind && out(id))
        .cloned()
        .collect();
    for id in gone {
        map.remove(&id);
        touched.insert(id);
    }
}
