//! ReplicaSets: as many pods as they want, those that serve last in the order of deletion.

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::condition;
use super::pods::{self, Pod, write_status};
use crate::demo::kube::object::{Key, int_at, set, text_at, unset};

/// A creation that failed is tried again after so long.
const AGAIN: Duration = Duration::from_secs(5);

pub fn reconcile(context: &mut Context, key: &Key, value: &Value) -> Option<Duration> {
    let all = pods::owned(context, text_at(value, "/metadata/uid"));
    let (going, mut active): (Vec<_>, Vec<_>) = all.into_iter().partition(Pod::deleting);
    let wanted = usize::try_from(int_at(value, "/spec/replicas").unwrap_or(0)).unwrap_or(0);
    let mut failure = None;
    for _ in active.len()..wanted {
        let prefix = format!("{}-", key.name);
        let made = pods::create(context, value, &value["spec"]["template"], |pod| {
            set(pod, &["metadata", "generateName"], prefix.into());
        });
        if let Err(refusal) = made {
            failure = Some(refusal.message());
            break;
        }
    }
    if active.len() > wanted {
        active.sort_by_cached_key(rank);
        for pod in active.drain(..active.len() - wanted) {
            pods::delete(context, value, &pod);
        }
    }
    // The pods just made or deleted come back as news, and are counted then.
    let next = status(
        context,
        key,
        value,
        (&active, going.len()),
        failure.as_deref(),
    );
    failure.map(|_| AGAIN).or(next)
}

/// Those without a node first, then those not ready, then the youngest.
fn rank(pod: &Pod) -> (bool, bool, Reverse<String>) {
    let scheduled = !text_at(&pod.value, "/spec/nodeName").is_empty();
    let born = text_at(&pod.value, "/metadata/creationTimestamp").to_owned();
    (scheduled, pod.ready(), Reverse(born))
}

fn status(
    context: &Context,
    key: &Key,
    value: &Value,
    (active, going): (&[Pod], usize),
    failure: Option<&str>,
) -> Option<Duration> {
    let now = context.now();
    let (available, next) = pods::available(context, active, pods::min_ready(value));
    let ready = active.iter().filter(|pod| pod.ready()).count();
    let generation = value["metadata"]["generation"].clone();
    write_status(context, key, value, |status| {
        if !status.is_object() {
            *status = json!({});
        }
        set(status, &["replicas"], active.len().into());
        set(status, &["terminatingReplicas"], going.into());
        set(status, &["observedGeneration"], generation);
        let available = usize::try_from(available).unwrap_or(0);
        for (field, count) in [
            ("fullyLabeledReplicas", active.len()),
            ("readyReplicas", ready),
            ("availableReplicas", available),
        ] {
            match count {
                0 => unset(status, &[field]),
                count => set(status, &[field], count.into()),
            }
        }
        match failure {
            // Each try names another pod: what was said first stays.
            Some(_) if status.get("conditions").is_some() => {}
            Some(message) => {
                let cause = ("True", "FailedCreate", message);
                condition::set(status, "ReplicaFailure", cause, now);
            }
            None => unset(status, &["conditions"]),
        }
        if let Some(conditions) = status["conditions"].as_array_mut() {
            for condition in conditions {
                unset(condition, &["lastUpdateTime"]);
            }
        } else {
            unset(status, &["conditions"]);
        }
    });
    next
}
