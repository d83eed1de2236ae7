//! The controllers and kubelets of the embedded cluster: one task that acts on what changed, and sleeps otherwise.

pub mod analysis_run;
mod autoscaler;
pub mod condition;
mod daemon_set;
mod deployment;
mod disruption;
mod endpoints;
mod event;
mod garbage;
mod hash;
mod pods;
mod quota;
mod replica_set;
mod revision;
pub mod rollout;
mod scheduler;
mod sets;
mod stateful_set;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::clock;
use super::cluster::Cluster;
use super::kube::kind::{
    ANALYSIS_RUNS, AUTOSCALERS, CONTROLLER_REVISIONS, DAEMON_SETS, DEPLOYMENTS, DISRUPTION_BUDGETS,
    Kind, NODES, PODS, REPLICA_SETS, RESOURCE_QUOTAS, ROLLOUTS, SERVICES, STATEFUL_SETS,
};
use super::kube::object::{Kept, Key, items_at, text_at};
use super::kube::store::Change;
use super::kubelet::{self, Lives};
use event::Events;

pub use event::Told;
pub use pods::share;
pub use scheduler::reconcile as schedule;

/// The field manager and user agent of the real one.
pub const MANAGER: &str = "kube-controller-manager";

const KINDS: [&Kind; 13] = [
    &DEPLOYMENTS,
    &ROLLOUTS,
    &ANALYSIS_RUNS,
    &REPLICA_SETS,
    &STATEFUL_SETS,
    &DAEMON_SETS,
    &CONTROLLER_REVISIONS,
    &PODS,
    &SERVICES,
    &NODES,
    &RESOURCE_QUOTAS,
    &DISRUPTION_BUDGETS,
    &AUTOSCALERS,
];
/// After so many objects the other tasks get a turn.
const TURN: usize = 64;

/// What the controllers know beside the objects.
pub struct Context {
    pub cluster: Arc<Cluster>,
    pub events: Events,
    pub lives: Lives,
    /// When a pod got ready or a rollout moved: the objects keep whole seconds, which a fast world cannot be timed by.
    moments: HashMap<Box<str>, Timestamp>,
}

impl Context {
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self {
            cluster,
            events: Events::default(),
            lives: Lives::default(),
            moments: HashMap::new(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.cluster.clock.now()
    }

    pub fn note(&mut self, uid: &str) {
        let now = self.now();
        self.moments.insert(uid.into(), now);
    }

    /// The scripted time since the moment of this object; without one since a time that its status gives.
    pub fn since(&self, uid: &str, stamp: &str) -> Duration {
        let known = self.moments.get(uid).copied();
        let at = known.or_else(|| stamp.parse().ok());
        at.map_or(Duration::ZERO, |at| self.cluster.clock.scripted_since(at))
    }

    fn forget(&mut self, uid: &str) {
        self.moments.remove(uid);
        self.moments.remove(&*rollout::pause_moment(uid));
        self.lives.forget(uid);
        self.events.forget(uid);
    }
}

/// Never ends.
pub async fn run(cluster: Arc<Cluster>) {
    let mut news = cluster.store.news();
    let mut work = Work::default();
    let mut context = Context::new(cluster);
    work.take_over(&context);
    loop {
        work.take_in(&mut context);
        for turn in 0.. {
            let Some(key) = work.next() else { break };
            if let Some(after) = reconcile(&mut context, &key) {
                work.later(key, context.cluster.clock.real(after));
            }
            work.take_in(&mut context);
            if turn % TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
        let next = work.timers.first().map(|(at, _)| *at);
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            () = sleep_until(next.unwrap_or_else(clock::instant)), if next.is_some() => {}
        }
    }
}

/// Brings one object nearer to what is wanted. Returns after how much scripted time it is to be looked at again.
pub fn reconcile(context: &mut Context, key: &Key) -> Option<Duration> {
    let kept = context.cluster.store.get(key)?;
    let value = kept.value();
    match key.kind.plural {
        "pods" => kubelet::reconcile(context, key, &value),
        "resourcequotas" => quota::reconcile(context, key, &value),
        "poddisruptionbudgets" => disruption::reconcile(context, key, &value),
        "horizontalpodautoscalers" => autoscaler::reconcile(context, key, &value),
        "services" => endpoints::reconcile(context, key, &value),
        _ if !text_at(&value, "/metadata/deletionTimestamp").is_empty() => {
            garbage::foreground(context, key, &kept.uid)
        }
        "rollouts" => rollout::reconcile(context, key, &value),
        "analysisruns" => analysis_run::reconcile(context, key, &value),
        "deployments" => deployment::reconcile(context, key, &value),
        "replicasets" => replica_set::reconcile(context, key, &value),
        "statefulsets" => stateful_set::reconcile(context, key, &value),
        "daemonsets" => daemon_set::reconcile(context, key, &value),
        _ => None,
    }
}

/// What is to be looked at, now and later.
#[derive(Default)]
struct Work {
    /// In the order in which things happened: a ReplicaSet that is to shrink does so before others go on.
    queue: VecDeque<Key>,
    queued: BTreeSet<Key>,
    timers: BTreeSet<(Instant, Key)>,
    due: BTreeMap<Key, Instant>,
    seen: BTreeMap<&'static Kind, u64>,
}

impl Work {
    fn add(&mut self, key: Key) {
        if self.queued.insert(key.clone()) {
            self.queue.push_back(key);
        }
    }

    /// What stood there before: only what does not stand still is looked at.
    fn take_over(&mut self, context: &Context) {
        let store = &context.cluster.store;
        // Every pod of theirs would be read.
        self.seen.insert(&SERVICES, store.version());
        for kept in KINDS.iter().flat_map(|kind| store.list(kind, None)) {
            let mut restless = (!is_settled(&kept)).then_some(kept);
            while let Some(kept) = restless {
                let owner = owner_key(&kept.value());
                restless = owner.and_then(|key| store.get(&key));
                self.add(kept.key.clone());
            }
        }
    }

    fn all(&mut self, context: &Context, kind: &'static Kind) {
        self.seen.insert(kind, context.cluster.store.version());
        self.look_at(context, kind);
    }

    fn look_at(&mut self, context: &Context, kind: &'static Kind) {
        for kept in context.cluster.store.list(kind, None) {
            self.add(kept.key.clone());
        }
    }

    fn take_in(&mut self, context: &mut Context) {
        for kind in KINDS {
            let seen = self.seen.get(kind).copied().unwrap_or(0);
            match context.cluster.store.since(kind, seen) {
                Ok(changes) => {
                    for change in changes {
                        self.seen.insert(kind, change.version);
                        self.changed(context, &change);
                    }
                }
                // More at once than the history holds: everything of the kind is looked at.
                Err(_) => self.all(context, kind),
            }
        }
    }

    fn changed(&mut self, context: &mut Context, change: &Change) {
        let key = &change.after.key;
        let begins = change.before.is_none();
        if !change.deleted {
            self.add(key.clone());
        }
        let mut touched = controller(change);
        if key.kind == &PODS && (change.deleted || begins) {
            touched.extend(quota::keys(context, &key.namespace));
        }
        if key.kind == &PODS {
            touched.extend(disruption::keys(context, &key.namespace));
            touched.extend(endpoints::keys(context, change));
        }
        if key.kind.scale {
            touched.extend(autoscaler::keys(context, &key.namespace));
        }
        if key.kind == &NODES && (change.deleted || begins) {
            self.look_at(context, &DAEMON_SETS);
        }
        if change.deleted {
            context.forget(&change.after.uid);
            touched.extend(garbage::collect(context, &change.after.uid));
        }
        for key in touched {
            self.add(key);
        }
    }

    fn next(&mut self) -> Option<Key> {
        let now = clock::instant();
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, key)) = self.timers.pop_first() else {
                break;
            };
            self.due.remove(&key);
            self.add(key);
        }
        let key = self.queue.pop_front()?;
        self.queued.remove(&key);
        Some(key)
    }

    /// One timer for an object: the newest answer counts.
    fn later(&mut self, key: Key, after: Duration) {
        let at = clock::instant() + after;
        if let Some(before) = self.due.insert(key.clone(), at) {
            self.timers.remove(&(before, key.clone()));
        }
        self.timers.insert((at, key));
    }
}

/// By its text, since there are thousands: a pod that serves, a workload that its controller has seen.
fn is_settled(kept: &Kept) -> bool {
    let says = |text: &str| kept.text.contains(text);
    match kept.key.kind.plural {
        "pods" => {
            says(r#""phase":"Running""#)
                && !says(r#""ready":false"#)
                && !says(r#""deletionTimestamp""#)
        }
        "resourcequotas" | "poddisruptionbudgets" | "horizontalpodautoscalers" => false,
        "nodes" | "controllerrevisions" | "services" => true,
        "analysisruns" => !says(r#""phase":"Running""#),
        "rollouts" => says(r#""observedGeneration""#) && !says(r#""controllerPause":true"#),
        _ => says(r#""observedGeneration""#),
    }
}

/// The object that manages what changed, before and after.
fn controller(change: &Change) -> Vec<Key> {
    let both = change.before.iter().chain([&change.after]);
    let owned = both.filter(|kept| !kept.owners.is_empty());
    let mut keys: Vec<_> = owned.filter_map(|kept| owner_key(&kept.value())).collect();
    keys.dedup();
    keys
}

/// The key of an object's controller.
pub fn owner_key(value: &serde_json::Value) -> Option<Key> {
    let owners = items_at(value, "/metadata/ownerReferences");
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    let kind = Kind::of(text_at(owner, "/apiVersion"), text_at(owner, "/kind"))?;
    Some(Key::new(
        kind,
        text_at(value, "/metadata/namespace"),
        text_at(owner, "/name"),
    ))
}

#[cfg(test)]
mod tests;
