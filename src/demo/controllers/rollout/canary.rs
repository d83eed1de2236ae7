//! A release by steps: weights, pauses, analyses.

use std::time::Duration;

use serde_json::Value;

use super::outcome::{self, begins_anew};
use super::{
    Context, INCONCLUSIVE, Rollout, STEP_PAUSE, Set, Turn, analysis, duration, pause_moment, sizes,
    sooner,
};
use crate::demo::kube::object::{set, text_at};

pub fn step(context: &mut Context, rollout: &mut Rollout) -> Option<Duration> {
    let mut turn = Turn::default();
    if begins_anew(rollout) {
        reset(context, rollout, &mut turn);
        return outcome::write(context, rollout, &turn);
    }
    analysis::step(context, rollout, &mut turn);
    let scaled = turn.begins.is_none() && !rollout.halts() && scale(context, rollout);
    if !scaled && turn.begins.is_none() {
        pause(context, rollout, &mut turn);
    }
    let left = timer(context, rollout);
    go_on(context, rollout, &mut turn);
    sooner(left, outcome::write(context, rollout, &turn))
}

/// Another template begins at the first step; the stable one needs none.
fn reset(context: &mut Context, rollout: &mut Rollout, turn: &mut Turn) {
    turn.goes_on = true;
    turn.no_abort = true;
    outcome::forget_release(rollout);
    let steps = rollout.steps().len();
    if steps == 0 {
        return;
    }
    let back = rollout.stable_hash() == rollout.current;
    if back {
        let message = "Rollback to stable ReplicaSets".to_owned();
        rollout.tell(context, "SkipSteps", message);
    }
    set_index(rollout, if back { steps } else { 0 });
}

/// One look changes one side. True when a size changed.
fn scale(context: &mut Context, rollout: &mut Rollout) -> bool {
    let stable = rollout.stable().filter(|_| !rollout.is_promoted()).cloned();
    let (canary, kept) = sizes::next(rollout);
    if let Some(stable) = stable
        && rollout.scale(context, &stable, kept)
    {
        return true;
    }
    let new = rollout.newest().cloned();
    if let Some(new) = new
        && rollout.scale(context, &new, canary)
    {
        return true;
    }
    scale_others(context, rollout)
}

/// Whatever is neither goes, those that do not serve first, as far as enough others serve.
fn scale_others(context: &mut Context, rollout: &mut Rollout) -> bool {
    let mut scaled = false;
    let (_, unavailable) = rollout.fences();
    let mut spare = rollout.sum("availableReplicas") - (rollout.wanted() - unavailable);
    let others = rollout.others();
    for old in others.iter().rev().filter(|set| set.replicas() > 0) {
        let serving = old.available();
        let gone = serving.min(spare.max(0));
        spare -= gone;
        scaled |= rollout.scale(context, old, serving - gone);
    }
    scaled
}

fn pause(context: &mut Context, rollout: &Rollout, turn: &mut Turn) {
    let waits = rollout.step().is_some_and(|step| step["pause"].is_object());
    let fresh = rollout.pause(STEP_PAUSE).is_none() && !rollout.controller_paused();
    if waits && fresh && !rollout.is_held() && !rollout.is_told_all() {
        turn.begins = Some(STEP_PAUSE);
        context.note(&pause_moment(rollout.uid()));
    }
}

/// What is left of a pause that ends by itself.
fn timer(context: &Context, rollout: &Rollout) -> Option<Duration> {
    let lasts = duration(&rollout.step()?["pause"]["duration"])?;
    let pause = rollout.pause(STEP_PAUSE)?;
    let begun = text_at(pause, "/startTime");
    let gone = context.since(&pause_moment(rollout.uid()), begun);
    let left = lasts.saturating_sub(gone);
    (!left.is_zero()).then_some(left)
}

fn go_on(context: &mut Context, rollout: &mut Rollout, turn: &mut Turn) {
    let steps = rollout.steps().len();
    let mut index = rollout.index();
    if rollout.is_told_all() {
        (turn.goes_on, turn.no_abort) = (true, true);
        index = steps;
    }
    let aborted = turn.aborts.is_some() || (rollout.is_aborted() && !turn.no_abort);
    if let Some(reason) = completes(rollout, index, aborted) {
        outcome::promote(context, rollout, turn, &reason);
        return;
    }
    if aborted {
        // At the first step; fully promoted there is nothing to give up.
        index = if rollout.is_promoted() { steps } else { 0 };
    } else if !rollout.is_told_all() && is_done(context, rollout, turn) {
        let named = rollout.step().map_or_else(String::new, named);
        index += 1;
        turn.run = None;
        turn.ends = Some(STEP_PAUSE);
        let message = format!("Rollout step {index}/{steps} completed ({named})");
        rollout.tell(context, "RolloutStepCompleted", message);
    }
    if steps > 0 {
        set_index(rollout, index);
    }
}

/// Why all of it is promoted now.
fn completes(rollout: &Rollout, index: usize, aborted: bool) -> Option<String> {
    if rollout.stable().is_none() {
        return Some("Initial deploy".into());
    }
    let serving = |set: &Set| set.counted("availableReplicas");
    if rollout.newest().map_or(0, serving) < rollout.wanted() || aborted && !rollout.is_promoted() {
        return None;
    }
    if rollout.is_told_all() {
        return Some("Full promotion requested".into());
    }
    if rollout.is_promoted() {
        return Some("Fast rollback".into());
    }
    let steps = rollout.steps().len();
    (index >= steps).then(|| format!("Completed all {steps} canary steps"))
}

/// Whether the step that it is at is over.
fn is_done(context: &Context, rollout: &Rollout, turn: &Turn) -> bool {
    let Some(step) = rollout.step().filter(|_| !rollout.is_held()) else {
        return false;
    };
    if step["pause"].is_object() {
        let waits = rollout.pause(STEP_PAUSE).is_some();
        let timed = duration(&step["pause"]["duration"]).is_some();
        let over = waits && timed && timer(context, rollout).is_none();
        return over || (rollout.controller_paused() && !waits);
    }
    if step.get("setWeight").is_some() {
        return sizes::reached(rollout);
    }
    if step.get("analysis").is_some() {
        let phase = turn.run.as_ref().map_or("", |run| text_at(run, "/status"));
        return phase == "Successful" && rollout.pause(INCONCLUSIVE).is_none();
    }
    true
}

/// `setWeight: 20`.
fn named(step: &Value) -> String {
    if let Some(weight) = step["setWeight"].as_i64() {
        return format!("setWeight: {weight}");
    }
    if let Some(pause) = step.get("pause") {
        return match pause["duration"].as_str() {
            Some(text) => format!("pause: {text}"),
            None => "pause".into(),
        };
    }
    let fields = step.as_object();
    let name = fields.and_then(|fields| fields.keys().next());
    name.cloned().unwrap_or_default()
}

fn set_index(rollout: &mut Rollout, index: usize) {
    set(&mut rollout.status, &["currentStepIndex"], index.into());
}
