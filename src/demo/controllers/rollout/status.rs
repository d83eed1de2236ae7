//! What a Rollout says of itself: its conditions, and the phase and message that follow from them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, Rollout};
use crate::demo::controllers::event::Told;
use crate::demo::controllers::pods::write_status_by;
use crate::demo::controllers::{Context, condition};
use crate::demo::kube::object::{Key, int_at, items_at, set, text_at};

const ABORTED: &str = "RolloutAborted";
const LATE: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "RolloutPaused";
const INVALID: &str = "InvalidSpec";
const UNAVAILABLE: &str = "Rollout does not have minimum availability";

fn reason<'a>(status: &'a Value, kind: &str) -> &'a str {
    condition::of(status, kind).map_or("", |c| text_at(c, "/reason"))
}

fn is_true(status: &Value, kind: &str) -> bool {
    condition::of(status, kind).is_some_and(|c| c["status"] == "True")
}

/// Nothing of it is done until the spec is another.
pub fn invalid(context: &Context, key: &Key, value: &Value, why: &str) {
    let now = context.now();
    let message = format!("The Rollout \"{}\" is invalid: {why}", key.name);
    let generation = value["metadata"]["generation"].to_string();
    write_status_by(MANAGER, context, (key, value), |status| {
        if !status.is_object() {
            *status = json!({"canary": {}, "blueGreen": {}});
        }
        condition::set(status, INVALID, ("True", INVALID, &message), now);
        set(status, &["phase"], "Degraded".into());
        set(status, &["message"], format!("{INVALID}: {message}").into());
        set(status, &["observedGeneration"], generation.into());
    });
}

/// Says that it is paused, goes on, or is tried again. After an abort the old truth stays.
pub fn pauses(rollout: &mut Rollout, now: Timestamp) {
    let paused = rollout.is_held() || !items_at(rollout.was(), "/pauseConditions").is_empty();
    let was_aborted = reason(rollout.was(), "Progressing") == ABORTED;
    let told = reason(rollout.was(), "Progressing") == PAUSED;
    let says_paused = is_true(rollout.was(), "Paused");
    let (promoted, aborted) = (rollout.is_promoted(), rollout.is_aborted());
    let status = &mut rollout.status;
    if let Some(conditions) = status["conditions"].as_array_mut() {
        conditions.retain(|condition| condition["type"] != INVALID);
    }
    let mut says = |reason, message| {
        condition::set(status, "Progressing", ("Unknown", reason, message), now);
    };
    if paused != told && !was_aborted && !promoted {
        if paused {
            says(PAUSED, "Rollout is paused");
        } else {
            says("RolloutResumed", "Rollout is resumed");
        }
    }
    if was_aborted && !aborted {
        says("RolloutRetry", "Retrying Rollout after abort");
    }
    if paused != says_paused && !was_aborted {
        let truth = if paused { "True" } else { "False" };
        let why = (truth, PAUSED, "Rollout is paused");
        condition::set(status, "Paused", why, now);
    }
}

/// Its own wish to be given up when it comes no farther.
pub fn gives_up_late(context: &Context, rollout: &Rollout) -> Option<String> {
    let wished = rollout.spec()["progressDeadlineAbort"] == true;
    let over = wished && !rollout.is_aborted() && !is_complete(rollout) && !moved(rollout);
    (over && !is_open_ended(rollout) && is_late(context, rollout)).then(|| late_words(rollout))
}

/// Returns after how much scripted time the deadline is over.
pub fn conditions(
    context: &mut Context,
    rollout: &mut Rollout,
    why: Option<&str>,
) -> Option<Duration> {
    let now = context.now();
    let healthy = is_healthy(rollout);
    let paused = rollout.is_held() || !items_at(&rollout.status, "/pauseConditions").is_empty();
    let known = condition::of(rollout.was(), "Healthy").is_some();
    let fell = if healthy && !paused {
        let words = ("True", "RolloutHealthy", "Rollout is healthy");
        condition::set(&mut rollout.status, "Healthy", words, now);
        false
    } else if known {
        let words = ("False", "RolloutHealthy", "Rollout is not healthy");
        condition::set(&mut rollout.status, "Healthy", words, now)
    } else {
        false
    };
    let aborted = rollout.status["abort"] == true;
    if aborted {
        say_aborted(context, rollout, why);
    } else {
        progress(context, rollout, healthy, fell);
    }
    availability(rollout, now);
    completion(context, rollout);
    let told = reason(&rollout.status, "Progressing");
    let waits = !healthy && !paused && !aborted && told != LATE && !is_open_ended(rollout);
    waits.then(|| left(context, rollout)).flatten()
}

fn say_aborted(context: &mut Context, rollout: &mut Rollout, why: Option<&str>) {
    if reason(&rollout.status, "Progressing") == ABORTED {
        return; // What was said first stays.
    }
    let mut message = format!("Rollout aborted update to revision {}", rollout.revision());
    if let Some(why) = why {
        message = format!("{message}: {why}");
    }
    let words = ("False", ABORTED, message.as_str());
    condition::set(&mut rollout.status, "Progressing", words, context.now());
    let told = Told::warning(MANAGER, ABORTED, message);
    context.events.tell(&context.cluster, &rollout.value, &told);
}

fn progress(context: &mut Context, rollout: &mut Rollout, healthy: bool, fell: bool) {
    let now = context.now();
    let name = rollout.newest().map_or("", |new| &*new.key.name).to_owned();
    if healthy {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        let words = ("True", "NewReplicaSetAvailable", message.as_str());
        condition::set(&mut rollout.status, "Progressing", words, now);
    } else if moved(rollout) || fell {
        context.note(rollout.uid());
        let message = format!("ReplicaSet \"{name}\" is progressing.");
        let words = if fell && is_complete(rollout) {
            ("True", "ReplicaSetNotAvailable", UNAVAILABLE)
        } else {
            ("True", "ReplicaSetUpdated", message.as_str())
        };
        if !condition::set(&mut rollout.status, "Progressing", words, now) {
            condition::touch(&mut rollout.status, "Progressing", now);
        }
    } else if !is_open_ended(rollout) && is_late(context, rollout) {
        let message = late_words(rollout);
        let words = ("False", LATE, message.as_str());
        condition::set(&mut rollout.status, "Progressing", words, now);
    }
}

fn availability(rollout: &mut Rollout, now: Timestamp) {
    let wanted = rollout.wanted();
    let active = text_at(&rollout.status, "/blueGreen/activeSelector");
    let enough = if rollout.is_blue_green() {
        let active = rollout.by_hash(active);
        active.is_some_and(|set| set.counted("availableReplicas") == wanted)
    } else {
        rollout.sum("availableReplicas") >= wanted
    };
    let words = if enough {
        (
            "True",
            "AvailableReason",
            "Rollout has minimum availability",
        )
    } else {
        ("False", "AvailableReason", UNAVAILABLE)
    };
    condition::set(&mut rollout.status, "Available", words, now);
}

fn completion(context: &mut Context, rollout: &mut Rollout) {
    const DONE: &str = "RolloutCompleted";
    let complete = is_complete(rollout);
    let truth = if complete { "True" } else { "False" };
    let now = context.now();
    let changed = condition::set(&mut rollout.status, "Completed", (truth, DONE, DONE), now);
    if changed && !complete {
        let (number, hash) = (rollout.revision(), &rollout.current);
        let message =
            format!("Rollout not completed, started update to revision {number} ({hash})");
        rollout.tell(context, "RolloutNotCompleted", message);
    }
}

/// All goes to the revision of the template.
fn is_complete(rollout: &Rollout) -> bool {
    let stable = text_at(&rollout.status, "/stableRS");
    !stable.is_empty() && stable == rollout.current
}

fn count(status: &Value, field: &str) -> i64 {
    int_at(&status[field], "").unwrap_or(0)
}

fn is_healthy(rollout: &Rollout) -> bool {
    let (status, wanted) = (&rollout.status, rollout.wanted());
    let seen = rollout.was()["observedGeneration"] == status["observedGeneration"];
    let whole = if rollout.is_blue_green() {
        let selects = |side: &str| {
            let selector = text_at(status, &format!("/blueGreen/{side}Selector"));
            selector.is_empty() && side == "preview" || selector == rollout.current
        };
        selects("active") && selects("preview")
    } else {
        let steps = rollout.steps().len();
        let index = int_at(status, "/currentStepIndex");
        let done = steps == 0 || index.is_none_or(|at| usize::try_from(at) == Ok(steps));
        done && is_complete(rollout) && count(status, "replicas") == wanted
    };
    let all = |field: &str| count(status, field) == wanted;
    seen && whole && all("updatedReplicas") && all("availableReplicas")
}

/// More pods of the template, fewer of the others, more that serve, another step.
fn moved(rollout: &Rollout) -> bool {
    let (before, after) = (rollout.was(), &rollout.status);
    let old = |status: &Value| count(status, "replicas") - count(status, "updatedReplicas");
    let more = |field: &str| count(after, field) > count(before, field);
    let other = |path: &str| {
        let (one, two) = (before.pointer(path), after.pointer(path));
        one.is_some() && one != two
    };
    count(after, "updatedReplicas") != count(before, "updatedReplicas")
        || old(after) < old(before)
        || more("readyReplicas")
        || more("availableReplicas")
        || other("/stableRS")
        || other("/currentStepIndex")
        || other("/currentStepHash")
        || other("/blueGreen/activeSelector")
        || other("/blueGreen/previewSelector")
}

/// What it waits for takes as long as it takes.
fn is_open_ended(rollout: &Rollout) -> bool {
    let step = rollout.step().filter(|_| !rollout.is_blue_green());
    let long = |step: &Value| step.get("pause").or(step.get("analysis")).is_some();
    step.is_some_and(long) || is_true(&rollout.status, "Paused")
}

fn deadline(rollout: &Rollout) -> Duration {
    let seconds = int_at(&rollout.value, "/spec/progressDeadlineSeconds").unwrap_or(600);
    Duration::from_secs(seconds.unsigned_abs())
}

/// `None` when nothing of its progress is known.
fn left(context: &Context, rollout: &Rollout) -> Option<Duration> {
    let progressing = condition::of(&rollout.status, "Progressing")?;
    if matches!(text_at(progressing, "/reason"), ABORTED | PAUSED) {
        return None;
    }
    let moved = text_at(progressing, "/lastUpdateTime");
    let gone = context.since(rollout.uid(), moved);
    Some(deadline(rollout).saturating_sub(gone))
}

fn is_late(context: &Context, rollout: &Rollout) -> bool {
    reason(&rollout.status, "Progressing") == LATE || left(context, rollout) == Some(Duration::ZERO)
}

fn late_words(rollout: &Rollout) -> String {
    let name = rollout.newest().map_or("", |new| &*new.key.name);
    format!("ReplicaSet \"{name}\" has timed out progressing.")
}

/// By the rules of the real one, in their order.
pub fn phase(rollout: &Rollout) -> (&'static str, String) {
    let (status, spec) = (&rollout.status, rollout.spec());
    let progressing = condition::of(status, "Progressing");
    if let Some(bad) = progressing.filter(|c| c["reason"] == ABORTED || c["reason"] == LATE) {
        let message = format!("{}: {}", text_at(bad, "/reason"), text_at(bad, "/message"));
        return ("Degraded", message);
    }
    if rollout.is_held() {
        return ("Paused", "manually paused".into());
    }
    if let Some(pause) = items_at(status, "/pauseConditions").first() {
        return ("Paused", text_at(pause, "/reason").to_owned());
    }
    let restarts = spec.get("restartAt").filter(|at| !at.is_null());
    if restarts.is_some_and(|at| status.get("restartedAt") != Some(at)) {
        return ("Progressing", "rollout is restarting".into());
    }
    match waits_for(rollout) {
        Some(what) => ("Progressing", what.to_owned()),
        None => ("Healthy", String::new()),
    }
}

fn waits_for(rollout: &Rollout) -> Option<&'static str> {
    let status = &rollout.status;
    let updated = count(status, "updatedReplicas");
    if updated < rollout.wanted() {
        return Some("more replicas need to be updated");
    }
    if count(status, "availableReplicas") < updated {
        return Some("updated replicas are still becoming available");
    }
    if rollout.is_blue_green() {
        if text_at(status, "/blueGreen/activeSelector") != rollout.current {
            return Some("active service cutover pending");
        }
        let verified = is_complete(rollout);
        return (!verified).then_some("waiting for post-promotion verification to complete");
    }
    if count(status, "replicas") > updated {
        return Some("old replicas are pending termination");
    }
    (!is_complete(rollout)).then_some("waiting for all steps to complete")
}
