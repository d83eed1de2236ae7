//! What a look comes to: the counts, the pauses and the abort of a status, and whether a release is whole.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, Rollout, Turn, status};
use crate::demo::controllers::{Context, hash};
use crate::demo::kube::object::{items_at, set, text_at, unset};
use crate::demo::kube::refusal::Refusal;
use crate::demo::kube::selector;
use crate::demo::kube::write::{Write, stamp};

/// Another template or other steps than those that the status speaks of.
pub fn begins_anew(rollout: &Rollout) -> bool {
    let known = |field: &str| text_at(rollout.was(), field).to_owned();
    let (template, steps) = (known("/currentPodHash"), known("/currentStepHash"));
    (!template.is_empty() && template != rollout.current)
        || (!steps.is_empty() && steps != steps_of(rollout))
}

fn steps_of(rollout: &Rollout) -> String {
    if rollout.is_blue_green() {
        return String::new();
    }
    steps_hash(rollout.steps())
}

/// By which other steps are told from those that the status speaks of.
pub fn steps_hash(steps: &[Value]) -> String {
    hash::of(&json!(steps))
}

/// What was said of the release before.
pub fn forget_release(rollout: &mut Rollout) {
    unset(&mut rollout.status, &["promoteFull"]);
    // Its pods are all newer.
    if let Some(at) = rollout.spec().get("restartAt").cloned() {
        set(&mut rollout.status, &["restartedAt"], at);
    }
}

/// The revision of the template is what all goes to from now on.
pub fn promote(context: &mut Context, rollout: &mut Rollout, turn: &mut Turn, reason: &str) {
    (turn.goes_on, turn.no_abort) = (true, true);
    unset(&mut rollout.status, &["promoteFull"]);
    match rollout.steps().len() {
        0 => unset(&mut rollout.status, &["currentStepIndex"]),
        steps => set(&mut rollout.status, &["currentStepIndex"], steps.into()),
    }
    if rollout.is_promoted() {
        return;
    }
    let hash = rollout.current.clone();
    let number = rollout.revision();
    let message = format!("Rollout completed update to revision {number} ({hash}): {reason}");
    rollout.tell(context, "RolloutCompleted", message);
    set(&mut rollout.status, &["stableRS"], hash.into());
}

/// Writes the status; the same one again is no write. Returns after how much scripted time its deadline is over.
pub fn write(context: &mut Context, rollout: &mut Rollout, turn: &Turn) -> Option<Duration> {
    let now = context.now();
    base(rollout, turn);
    let abort = status::gives_up_late(context, rollout);
    let abort = turn.aborts.clone().or(abort);
    pauses(rollout, turn, abort.is_some(), now);
    let next = status::conditions(context, rollout, abort.as_deref());
    let (phase, message) = status::phase(rollout);
    set(&mut rollout.status, &["phase"], phase.into());
    match &*message {
        "" => unset(&mut rollout.status, &["message"]),
        text => set(&mut rollout.status, &["message"], text.into()),
    }
    tell_pause(context, rollout);
    let by = Write::by(MANAGER, now).status();
    let (read, status) = (&rollout.value["metadata"], &rollout.status);
    // What somebody wrote meanwhile comes as news, and is looked at before anything else is said.
    let _ = context.cluster.store.update(&rollout.key, &by, |value| {
        if value["metadata"]["resourceVersion"] != read["resourceVersion"] {
            return Err(Refusal::Conflict(rollout.key.clone(), String::new()));
        }
        value["status"].clone_from(status);
        Ok(())
    });
    next
}

/// The counts, and what is always there.
fn base(rollout: &mut Rollout, turn: &Turn) {
    let steps = steps_of(rollout);
    let generation = rollout.value["metadata"]["generation"].to_string();
    let current = rollout.current.clone();
    let told_all = rollout.is_promoted() && rollout.is_told_all();
    let blue_green = rollout.is_blue_green();
    let (counts, selector) = counts(rollout);
    let status = &mut rollout.status;
    for (field, count) in counts {
        match count {
            0 => unset(status, &[field]),
            count => set(status, &[field], count.into()),
        }
    }
    if told_all {
        unset(status, &["promoteFull"]);
    }
    set(status, &["selector"], selector.into());
    set(status, &["currentPodHash"], current.into());
    set(status, &["observedGeneration"], generation.into());
    if !steps.is_empty() {
        set(status, &["currentStepHash"], steps.into());
    }
    let run = turn.run.as_ref().map_or_else(
        || json!({}),
        |run| json!({"currentStepAnalysisRunStatus": run}),
    );
    set(status, &["canary"], run);
    if !blue_green {
        set(status, &["blueGreen"], json!({}));
    }
}

/// Of a blue-green release those count that get the traffic.
fn counts(rollout: &Rollout) -> ([(&'static str, i64); 5], String) {
    let active = text_at(&rollout.status, "/blueGreen/activeSelector");
    let active = rollout.by_hash(active).filter(|_| rollout.is_blue_green());
    let serving = |field: &str| active.map_or_else(|| rollout.sum(field), |set| set.counted(field));
    let updated = rollout.newest().map_or(0, |new| new.counted("replicas"));
    let counts = [
        ("replicas", rollout.sum("replicas")),
        ("updatedReplicas", updated),
        ("HPAReplicas", serving("replicas")),
        ("readyReplicas", serving("readyReplicas")),
        ("availableReplicas", serving("availableReplicas")),
    ];
    let spec = active.map_or(rollout.spec(), |set| &set.value["spec"]);
    (counts, selector::text(&spec["selector"]))
}

/// An abort ends every pause; of the pauses those stay that nothing ended.
fn pauses(rollout: &mut Rollout, turn: &Turn, aborts: bool, now: Timestamp) {
    let aborted = aborts || (rollout.is_aborted() && !turn.no_abort);
    let mut pauses = items_at(rollout.was(), "/pauseConditions").to_vec();
    let had = |pauses: &[Value], reason: &str| pauses.iter().any(|p| p["reason"] == reason);
    let begins = turn.begins.filter(|reason| !had(&pauses, reason));
    pauses.retain(|pause| turn.ends.is_none_or(|reason| pause["reason"] != reason));
    if let Some(reason) = begins {
        pauses.push(json!({"reason": reason, "startTime": stamp(now)}));
    }
    let by_controller = begins.is_some() || rollout.controller_paused();
    let status = &mut rollout.status;
    if aborted {
        set(status, &["abort"], true.into());
        if status.get("abortedAt").is_none() {
            set(status, &["abortedAt"], stamp(now).into());
        }
    } else {
        // A false that a client wrote stays.
        if status["abort"] == true {
            unset(status, &["abort"]);
        }
        unset(status, &["abortedAt"]);
    }
    if aborted || turn.goes_on || pauses.is_empty() {
        unset(status, &["pauseConditions"]);
        unset(status, &["controllerPause"]);
        return;
    }
    set(status, &["pauseConditions"], pauses.into());
    if by_controller {
        set(status, &["controllerPause"], true.into());
    }
}

fn tell_pause(context: &mut Context, rollout: &Rollout) {
    let first = |status: &Value| items_at(status, "/pauseConditions").first().cloned();
    match (first(rollout.was()), first(&rollout.status)) {
        (None, Some(pause)) => {
            let message = format!("Rollout is paused ({})", text_at(&pause, "/reason"));
            rollout.tell(context, "RolloutPaused", message);
        }
        (Some(_), None) if rollout.status.get("abortedAt").is_none() => {
            let message = "Rollout is resumed".to_owned();
            rollout.tell(context, "RolloutResumed", message);
        }
        _ => {}
    }
}
