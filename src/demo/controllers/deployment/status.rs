//! What a Deployment says of itself: counts, and the conditions of availability, progress and failure.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Rollout;
use crate::demo::controllers::Context;
use crate::demo::controllers::condition;
use crate::demo::controllers::pods::write_status;
use crate::demo::controllers::sets::Set;
use crate::demo::kube::object::{Key, int_at, set, text_at, unset};

const DONE: &str = "NewReplicaSetAvailable";
const LATE: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";

fn reason(status: &Value) -> &str {
    condition::of(status, "Progressing").map_or("", |condition| text_at(condition, "/reason"))
}

/// Says that a rollout is paused, or goes on.
pub fn pause(context: &mut Context, key: &Key, value: &Value, paused: bool) {
    let says_paused = reason(&value["status"]) == PAUSED;
    if paused == says_paused || reason(&value["status"]) == LATE || deadline(value).is_none() {
        return;
    }
    let now = context.now();
    let why = if paused {
        ("Unknown", PAUSED, "Deployment is paused")
    } else {
        context.note(text_at(value, "/metadata/uid"));
        ("Unknown", "DeploymentResumed", "Deployment is resumed")
    };
    write_status(context, key, value, |status| {
        condition::set(status, "Progressing", why, now);
    });
}

/// A new ReplicaSet is progress.
pub fn created(context: &mut Context, rollout: &Rollout<'_>, name: &str) {
    context.note(rollout.uid());
    let now = context.now();
    let message = format!("Created new replica set \"{name}\"");
    write_status(context, rollout.key, rollout.value, |status| {
        let why = ("True", "NewReplicaSetCreated", message.as_str());
        condition::set(status, "Progressing", why, now);
    });
}

/// Every wanted pod is of the new template and serves, and no other is left.
pub fn complete(rollout: &Rollout<'_>) -> bool {
    let Some(new) = &rollout.new else {
        return false;
    };
    let wanted = rollout.wanted();
    let all: i64 = rollout.all().map(|set| set.counted("replicas")).sum();
    new.counted("replicas") == wanted && new.available() == wanted && all == wanted
}

/// Returns after how much scripted time the deadline is over.
pub fn write(context: &mut Context, rollout: &Rollout<'_>) -> Option<Duration> {
    let kept = context.cluster.store.get(rollout.key)?;
    let before = kept.value();
    let mut status = before["status"].clone();
    if !status.is_object() {
        status = json!({});
    }
    let now = context.now();
    counts(rollout, &mut status);
    available(rollout, &mut status, now);
    failure(rollout, &mut status, now);
    let next = progressing(context, rollout, (&before["status"], &mut status), now);
    let generation = rollout.value["metadata"]["generation"].clone();
    set(&mut status, &["observedGeneration"], generation);
    write_status(context, rollout.key, rollout.value, |is| *is = status);
    next
}

fn counts(rollout: &Rollout<'_>, status: &mut Value) {
    let sum = |field: &str| rollout.all().map(|set| set.counted(field)).sum::<i64>();
    let updated = rollout
        .new
        .as_ref()
        .map_or(0, |new| new.counted("replicas"));
    let available = sum("availableReplicas");
    let missing = (rollout.pods() - available).max(0);
    set(
        status,
        &["terminatingReplicas"],
        sum("terminatingReplicas").into(),
    );
    for (field, count) in [
        ("replicas", sum("replicas")),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", missing),
    ] {
        match count {
            0 => unset(status, &[field]),
            count => set(status, &[field], count.into()),
        }
    }
}

fn available(rollout: &Rollout<'_>, status: &mut Value, now: Timestamp) {
    let (_, unavailable) = rollout.fences();
    let serving: i64 = rollout.all().map(Set::available).sum();
    let why = if serving >= rollout.wanted() - unavailable {
        (
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        )
    } else {
        (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    condition::set(status, "Available", why, now);
}

fn failure(rollout: &Rollout<'_>, status: &mut Value, now: Timestamp) {
    let of = |set: &Set| condition::of(&set.value["status"], "ReplicaFailure").cloned();
    let failing = rollout.new.iter().chain(&rollout.old).find_map(of);
    match failing {
        // Each try names another pod: what was said first stays.
        Some(_) if condition::of(status, "ReplicaFailure").is_some() => {}
        Some(found) => {
            let (reason, message) = (text_at(&found, "/reason"), text_at(&found, "/message"));
            condition::set(status, "ReplicaFailure", ("True", reason, message), now);
        }
        None => {
            if let Some(conditions) = status["conditions"].as_array_mut() {
                conditions.retain(|condition| condition["type"] != "ReplicaFailure");
            }
        }
    }
}

fn deadline(value: &Value) -> Option<Duration> {
    let seconds = int_at(value, "/spec/progressDeadlineSeconds")?;
    let seconds = u64::try_from(seconds).ok()?;
    (seconds < i32::MAX.unsigned_abs().into()).then(|| Duration::from_secs(seconds))
}

fn progressing(
    context: &mut Context,
    rollout: &Rollout<'_>,
    (before, status): (&Value, &mut Value),
    now: Timestamp,
) -> Option<Duration> {
    let limit = deadline(rollout.value)?;
    let told = reason(before).to_owned();
    let complete = complete(rollout);
    let updated = int_at(before, "/updatedReplicas").unwrap_or(0);
    let all = int_at(before, "/replicas").unwrap_or(0);
    if rollout.value["spec"]["paused"] == true
        || (told == DONE && complete)
        || (told == DONE && all == updated && !moved(before, status))
    {
        return None;
    }
    let name = rollout.new.as_ref().map_or("", |new| &*new.key.name);
    let said = |words: &str| match name {
        "" => format!("Deployment \"{}\" {words}", rollout.key.name),
        name => format!("ReplicaSet \"{name}\" {words}"),
    };
    if complete {
        let message = said("has successfully progressed.");
        condition::set(status, "Progressing", ("True", DONE, &message), now);
        return None;
    }
    if moved(before, status) {
        context.note(rollout.uid());
        let message = said("is progressing.");
        let why = ("True", "ReplicaSetUpdated", message.as_str());
        if !condition::set(status, "Progressing", why, now) {
            condition::touch(status, "Progressing", now);
        }
        return Some(limit);
    }
    if told.is_empty() || told == DONE || told == LATE || told == PAUSED {
        return None;
    }
    let stamp = condition::of(before, "Progressing").map_or("", |c| text_at(c, "/lastUpdateTime"));
    let left = limit.saturating_sub(context.since(rollout.uid(), stamp));
    if left.is_zero() {
        let message = said("has timed out progressing.");
        condition::set(status, "Progressing", ("False", LATE, &message), now);
        return None;
    }
    Some(left)
}

/// More pods of the new template, fewer of the others, more that serve.
fn moved(before: &Value, after: &Value) -> bool {
    let count = |status: &Value, field: &str| int_at(&status[field], "").unwrap_or(0);
    let old = |status: &Value| count(status, "replicas") - count(status, "updatedReplicas");
    let more = |field: &str| count(after, field) > count(before, field);
    more("updatedReplicas")
        || old(after) < old(before)
        || more("readyReplicas")
        || more("availableReplicas")
}
