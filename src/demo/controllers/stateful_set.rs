//! StatefulSets: pods with a number, made and renewed in the order of their numbers.

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::pods::{self, Pod};
use super::revision::{self, HASH, Revision};
use crate::demo::kube::object::{Key, int_at, set, text_at};

const NAME: &str = "statefulset.kubernetes.io/pod-name";
const INDEX: &str = "apps.kubernetes.io/pod-index";

pub fn reconcile(context: &mut Context, key: &Key, value: &Value) -> Option<Duration> {
    let all = revision::sync(context, value, "controller.kubernetes.io/hash");
    let update = all.last()?.clone();
    let current = text_at(value, "/status/currentRevision");
    let current = all.iter().find(|known| *known.key.name == *current);
    let set = Set {
        key,
        value,
        current: current.unwrap_or(&update).clone(),
        update,
    };
    let numbered = set.pods(context);
    if set.fill(context, &numbered) && set.shrink(context, &numbered) && set.is_rolling() {
        set.renew(context, &numbered);
    }
    let left = pods::owned(context, text_at(value, "/metadata/uid"));
    revision::forget(context, value, &all, |known| {
        let in_use = [&set.current.key, &set.update.key].contains(&&known.key);
        in_use || left.iter().any(|pod| *pod.label(HASH) == *known.key.name)
    });
    set.write_status(context, &left)
}

struct Set<'a> {
    key: &'a Key,
    value: &'a Value,
    /// What the pods were before the update that goes on.
    current: Revision,
    update: Revision,
}

/// Its pods by number: those that it wants, and those beyond, the last one first.
struct Numbered {
    wanted: Vec<Option<Pod>>,
    beyond: Vec<Pod>,
}

impl Set<'_> {
    fn wanted(&self) -> usize {
        usize::try_from(int_at(self.value, "/spec/replicas").unwrap_or(1)).unwrap_or(0)
    }

    /// The number of its first pod.
    fn first(&self) -> usize {
        let first = int_at(self.value, "/spec/ordinals/start").unwrap_or(0);
        usize::try_from(first).unwrap_or(0)
    }

    fn rolling(&self, field: &str) -> &Value {
        &self.value["spec"]["updateStrategy"]["rollingUpdate"][field]
    }

    fn is_rolling(&self) -> bool {
        text_at(self.value, "/spec/updateStrategy/type") != "OnDelete"
    }

    /// How many of the first pods are not renewed.
    fn partition(&self) -> usize {
        let partition = self.rolling("partition").as_u64().unwrap_or(0);
        usize::try_from(partition).unwrap_or(usize::MAX)
    }

    fn is_ordered(&self) -> bool {
        text_at(self.value, "/spec/podManagementPolicy") != "Parallel"
    }

    fn serves(&self, context: &Context, pod: &Pod) -> bool {
        pod.is_available(context, pods::min_ready(self.value)) && !pod.deleting()
    }

    fn pods(&self, context: &Context) -> Numbered {
        let mut numbered = Numbered {
            wanted: (0..self.wanted()).map(|_| None).collect(),
            beyond: Vec::new(),
        };
        for pod in pods::owned(context, text_at(self.value, "/metadata/uid")) {
            let Some(number) = number(&pod) else { continue };
            let at = number.checked_sub(self.first());
            match at.and_then(|at| numbered.wanted.get_mut(at)) {
                Some(place) => *place = Some(pod),
                None => numbered.beyond.push(pod),
            }
        }
        numbered.beyond.sort_by_key(|pod| Reverse(number(pod)));
        numbered
    }

    /// Makes what is missing; false while it waits. An ordered one waits for each pod before it does anything else, so
    /// a broken pod holds everything up, even when the template was put right: somebody has to delete that pod.
    fn fill(&self, context: &mut Context, numbered: &Numbered) -> bool {
        for (at, pod) in numbered.wanted.iter().enumerate() {
            let Some(pod) = pod else {
                self.create(context, at);
                if self.is_ordered() {
                    return false;
                }
                continue;
            };
            if pod.is_over() && !pod.deleting() {
                pods::delete(context, self.value, pod);
            }
            if self.is_ordered() && !self.serves(context, pod) {
                return false;
            }
        }
        true
    }

    /// Takes away what is beyond, the last one first; false while it waits.
    fn shrink(&self, context: &mut Context, numbered: &Numbered) -> bool {
        let broken = |pod: &&Pod| !self.serves(context, pod);
        let first_broken = numbered.beyond.iter().rfind(broken);
        let first_broken = first_broken.map(|pod| pod.key.clone());
        for pod in &numbered.beyond {
            let its_turn = self.serves(context, pod) || first_broken.as_ref() == Some(&pod.key);
            if !pod.deleting() && (its_turn || !self.is_ordered()) {
                pods::delete(context, self.value, pod);
            }
            if self.is_ordered() {
                return false;
            }
        }
        true
    }

    /// Deletes the last pods of another revision, as many as may be missing.
    fn renew(&self, context: &mut Context, numbered: &Numbered) {
        let all = numbered.wanted.iter();
        let serving = all.flatten().filter(|pod| self.serves(context, pod));
        let missing = self.wanted().saturating_sub(serving.count());
        let most = pods::share(self.rolling("maxUnavailable"), self.wanted(), false).max(1);
        let renewed = numbered.wanted.iter().skip(self.partition()).rev();
        let old = renewed
            .flatten()
            .filter(|pod| !pod.deleting() && *pod.label(HASH) != *self.update.key.name);
        for pod in old.take(most.saturating_sub(missing)) {
            pods::delete(context, self.value, pod);
        }
    }

    /// Below the partition a pod is of the revision that it had.
    fn create(&self, context: &mut Context, at: usize) {
        let held_back = self.is_rolling() && at < self.partition();
        let revision = if held_back {
            &self.current
        } else {
            &self.update
        };
        let number = (self.first() + at).to_string();
        let own = &self.key.name;
        let name = format!("{own}-{number}");
        let service = self.value["spec"].get("serviceName").cloned();
        let labels = [
            (HASH, &*revision.key.name),
            (NAME, &*name),
            (INDEX, &*number),
        ];
        // One that could not be made was told about, and is tried again.
        let _ = pods::create(context, self.value, &revision.template(), |pod| {
            set(pod, &["metadata", "name"], name.as_str().into());
            set(pod, &["metadata", "generateName"], format!("{own}-").into());
            for (label, text) in labels {
                set(pod, &["metadata", "labels", label], text.into());
            }
            set(pod, &["spec", "hostname"], name.as_str().into());
            if let Some(service) = service {
                set(pod, &["spec", "subdomain"], service);
            }
        });
    }

    fn write_status(&self, context: &Context, all: &[Pod]) -> Option<Duration> {
        let (available, next) = pods::available(context, all, pods::min_ready(self.value));
        let ready = all.iter().filter(|pod| pod.ready()).count();
        let of = |revision: &Revision| {
            let own = |pod: &&Pod| !pod.deleting() && *pod.label(HASH) == *revision.key.name;
            all.iter().filter(own).count()
        };
        let updated = of(&self.update);
        let done = self.is_rolling() && [updated, ready, all.len()] == [self.wanted(); 3];
        let current = if done { &self.update } else { &self.current };
        let status = pods::counted(
            json!({
                "observedGeneration": self.value["metadata"]["generation"],
                "replicas": all.len(), "readyReplicas": ready, "availableReplicas": available,
                "currentReplicas": of(current), "updatedReplicas": updated,
                "currentRevision": &*current.key.name, "updateRevision": &*self.update.key.name,
                "collisionCount": 0,
            }),
            &["replicas", "availableReplicas", "collisionCount"],
        );
        pods::write_status(context, self.key, self.value, |now| *now = status);
        let missing = all.len() < self.wanted();
        next.or_else(|| missing.then_some(pods::AGAIN))
    }
}

fn number(pod: &Pod) -> Option<usize> {
    pod.key.name.rsplit_once('-')?.1.parse().ok()
}
