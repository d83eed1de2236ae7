//! DaemonSets: a pod on every node that is chosen.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::pods::{self, Pod};
use super::revision::{self, HASH, Revision};
use super::scheduler;
use crate::demo::kube::kind::NODES;
use crate::demo::kube::object::{Kept, Key, set, text_at};

const GENERATION: &str = "pod-template-generation";

pub fn reconcile(context: &mut Context, key: &Key, value: &Value) -> Option<Duration> {
    let all = revision::sync(context, value, HASH);
    let set = Set {
        key,
        value,
        update: all.last()?.clone(),
    };
    let nodes = set.nodes(context);
    if !set.manage(context, &nodes) && text_at(value, "/spec/updateStrategy/type") != "OnDelete" {
        match set.surge(&nodes) {
            0 => set.renew_in_place(context, &nodes),
            surge => set.renew_beside(context, &nodes, surge),
        }
    }
    let nodes = set.nodes(context);
    revision::forget(context, value, &all, |known| {
        let mut left = nodes.values().flat_map(|node| &node.pods);
        known.key == set.update.key || left.any(|pod| pod.label(HASH) == known.label())
    });
    set.write_status(context, &nodes)
}

struct Set<'a> {
    key: &'a Key,
    value: &'a Value,
    update: Revision,
}

/// Every chosen node, and every other one with such a pod.
type Nodes = BTreeMap<Box<str>, Node>;

#[derive(Default)]
struct Node {
    chosen: bool,
    /// Oldest first.
    pods: Vec<Pod>,
}

impl Node {
    fn alive(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| !pod.deleting())
    }
}

impl Set<'_> {
    fn rolling(&self, field: &str) -> &Value {
        &self.value["spec"]["updateStrategy"]["rollingUpdate"][field]
    }

    /// How many nodes may have a second pod.
    fn surge(&self, nodes: &Nodes) -> usize {
        pods::share(self.rolling("maxSurge"), nodes.len(), true)
    }

    fn serves(&self, context: &Context, pod: &Pod) -> bool {
        pod.is_available(context, pods::min_ready(self.value))
    }

    fn is_new(&self, pod: &Pod) -> bool {
        pod.label(HASH) == self.update.label()
    }

    fn chooses(&self, node: &Kept) -> bool {
        let wanted = self.value.pointer("/spec/template/spec/nodeSelector");
        let wanted = wanted.and_then(Value::as_object).into_iter().flatten();
        let has = |(name, text): (&String, &Value)| {
            let has = node.labels.get(name.as_str());
            has.is_some_and(|has| *text == **has)
        };
        wanted.into_iter().all(has)
    }

    fn nodes(&self, context: &Context) -> Nodes {
        let chosen = context.cluster.store.list(&NODES, None).into_iter();
        let chosen = chosen.filter(|node| self.chooses(node)).map(|node| {
            let pods = Vec::new();
            (node.key.name.clone(), Node { chosen: true, pods })
        });
        let mut nodes: Nodes = chosen.collect();
        for pod in pods::owned(context, text_at(self.value, "/metadata/uid")) {
            let name = match text_at(&pod.value, "/spec/nodeName") {
                "" => scheduler::only_node(&pod.value).unwrap_or_default(),
                name => name,
            };
            nodes.entry(name.into()).or_default().pods.push(pod);
        }
        for node in nodes.values_mut() {
            node.pods.sort_by_cached_key(|pod| {
                let born = text_at(&pod.value, "/metadata/creationTimestamp");
                (born.to_owned(), pod.key.clone())
            });
        }
        nodes
    }

    /// A pod for each chosen node that has none, and none anywhere else. Whether anything was done.
    fn manage(&self, context: &mut Context, nodes: &Nodes) -> bool {
        let surges = self.surge(nodes) > 0;
        let mut acted = false;
        for (name, node) in nodes {
            let room = match (node.chosen, surges) {
                (false, _) => 0,
                (true, false) => 1,
                (true, true) => 2,
            };
            for (at, pod) in node.alive().enumerate() {
                if at >= room || pod.is_over() {
                    pods::delete(context, self.value, pod);
                    acted = true;
                }
            }
            let empty = node.pods.is_empty() || (surges && node.alive().next().is_none());
            if node.chosen && empty {
                self.create(context, name);
                acted = true;
            }
        }
        acted
    }

    /// Deletes old pods, as many as may be missing, and those that do not serve in any case.
    fn renew_in_place(&self, context: &mut Context, nodes: &Nodes) {
        let most = pods::share(self.rolling("maxUnavailable"), nodes.len(), true).max(1);
        let mut missing = 0;
        let (mut broken, mut fine) = (Vec::new(), Vec::new());
        for node in nodes.values() {
            let Some(pod) = node.alive().next() else {
                missing += 1;
                continue;
            };
            let serves = self.serves(context, pod);
            missing += usize::from(!serves);
            match (self.is_new(pod), serves) {
                (true, _) => {}
                (false, true) => fine.push(pod),
                (false, false) => broken.push(pod),
            }
        }
        fine.truncate(most.saturating_sub(missing));
        for pod in broken.into_iter().chain(fine) {
            pods::delete(context, self.value, pod);
        }
    }

    /// Makes new pods beside the old ones, and deletes an old one when its new one serves.
    fn renew_beside(&self, context: &mut Context, nodes: &Nodes, surge: usize) {
        let mut beside = 0;
        let (mut at_once, mut later, mut replaced) = (Vec::new(), Vec::new(), Vec::new());
        for (name, node) in nodes {
            let Some(old) = node.alive().find(|pod| !self.is_new(pod)) else {
                continue;
            };
            match node.alive().find(|pod| self.is_new(pod)) {
                Some(new) if self.serves(context, new) => replaced.push(old),
                Some(_) => beside += 1,
                None if self.serves(context, old) => later.push(name),
                None => at_once.push(name),
            }
        }
        later.truncate(surge.saturating_sub(beside));
        for pod in replaced {
            pods::delete(context, self.value, pod);
        }
        for name in at_once.into_iter().chain(later) {
            self.create(context, name);
        }
    }

    /// For one node: the scheduler reads which one.
    fn create(&self, context: &mut Context, node: &str) {
        let (prefix, label) = (format!("{}-", self.key.name), self.update.label());
        let annotations = &self.value["metadata"]["annotations"];
        let generation = annotations["deprecated.daemonset.template.generation"].clone();
        // One that could not be made was told about, and is tried again.
        let _ = pods::create(
            context,
            self.value,
            &self.value["spec"]["template"],
            |pod| {
                set(pod, &["metadata", "generateName"], prefix.into());
                set(pod, &["metadata", "labels", HASH], label.into());
                if generation.is_string() {
                    set(pod, &["metadata", "labels", GENERATION], generation);
                }
                scheduler::bind_to(pod, node);
            },
        );
    }

    fn write_status(&self, context: &Context, nodes: &Nodes) -> Option<Duration> {
        let chosen = || nodes.values().filter(|node| node.chosen);
        let first: Vec<_> = chosen().filter_map(|node| node.pods.first()).collect();
        let count = |fits: &dyn Fn(&Pod) -> bool| first.iter().filter(|pod| fits(pod)).count();
        let min_ready = pods::min_ready(self.value);
        let (available, next) = pods::available(context, first.iter().copied(), min_ready);
        let wanted = chosen().count();
        let missing = i64::try_from(wanted).unwrap_or(0) - available;
        let status = pods::counted(
            json!({
                "observedGeneration": self.value["metadata"]["generation"],
                "desiredNumberScheduled": wanted, "currentNumberScheduled": first.len(),
                "numberMisscheduled": nodes.values().filter(|node| !node.chosen).count(),
                "numberReady": count(&Pod::ready),
                "updatedNumberScheduled": count(&|pod| self.is_new(pod)),
                "numberAvailable": available, "numberUnavailable": missing,
            }),
            &[
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberMisscheduled",
                "numberReady",
            ],
        );
        pods::write_status(context, self.key, self.value, |now| *now = status);
        next.or_else(|| (first.len() < wanted).then_some(pods::AGAIN))
    }
}
