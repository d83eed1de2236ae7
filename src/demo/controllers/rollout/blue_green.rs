//! Two sides: the new one stands beside the old one, and all of the traffic is switched at once.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::outcome::{self, begins_anew};
use super::{
    Context, HASH, MANAGER, Rollout, SCALE_DOWN, SCALE_DOWN_DELAY, SWITCH_PAUSE, Set, Turn,
    duration, pause_moment, sooner,
};
use crate::demo::controllers::sets;
use crate::demo::kube::kind::SERVICES;
use crate::demo::kube::object::{Key, set, text_at, unset};
use crate::demo::kube::write::{Write, stamp};

pub fn step(context: &mut Context, rollout: &mut Rollout) -> Option<Duration> {
    let mut turn = Turn::default();
    let new = rollout.current.clone();
    point(context, rollout, "preview", &new);
    if begins_anew(rollout) {
        (turn.goes_on, turn.no_abort) = (true, true);
        outcome::forget_release(rollout);
        tell_sides(context, rollout);
        return outcome::write(context, rollout, &turn);
    }
    let mut left = None;
    let returns = returns(rollout);
    if !rollout.halts() {
        left = scale(context, rollout);
    }
    let serves = serves(rollout);
    if serves && !rollout.halts() {
        left = sooner(left, pause(context, rollout, &mut turn, returns));
        switch(context, rollout, &turn);
    }
    if rollout.is_told_all() {
        (turn.goes_on, turn.no_abort) = (true, true);
    }
    tell_sides(context, rollout);
    let active = text_at(&rollout.status, "/blueGreen/activeSelector");
    let aborted = rollout.is_aborted() && !turn.no_abort && !rollout.is_promoted();
    if active.is_empty() || (active == rollout.current && !aborted) {
        let reason = match rollout.stable() {
            None => "Initial deploy",
            Some(_) if rollout.is_told_all() => "Full promotion requested",
            Some(_) => "Completed blue-green update",
        };
        outcome::promote(context, rollout, &mut turn, reason);
    }
    let deadline = outcome::write(context, rollout, &turn);
    sooner(left, deadline)
}

/// Both sides whole; what gets no traffic any more keeps its pods for a while.
fn scale(context: &mut Context, rollout: &mut Rollout) -> Option<Duration> {
    let wanted = rollout.wanted();
    let mut left = None;
    if let Some(stable) = rollout.stable().cloned() {
        keep(context, rollout, &stable);
        rollout.scale(context, &stable, wanted);
    }
    if let Some(new) = rollout.newest().cloned() {
        if rollout.is_aborted() && !rollout.is_promoted() {
            left = fade(context, rollout, &new);
        } else {
            keep(context, rollout, &new);
            rollout.scale(context, &new, wanted);
        }
    }
    for old in rollout.others().iter().filter(|set| set.replicas() > 0) {
        left = sooner(left, fade(context, rollout, old));
    }
    left
}

/// It is used again.
fn keep(context: &Context, rollout: &mut Rollout, of: &Set) {
    if of.annotation(SCALE_DOWN).is_empty() {
        return;
    }
    let changed = sets::change(context, MANAGER, of, |value| {
        unset(value, &["metadata", "annotations", SCALE_DOWN]);
    });
    renew(rollout, changed);
}

/// Its pods go once its deadline is over. Returns what is left until then.
fn fade(context: &mut Context, rollout: &mut Rollout, of: &Set) -> Option<Duration> {
    let now = context.now();
    let Ok(until) = of.annotation(SCALE_DOWN).parse::<Timestamp>() else {
        let until = now + context.cluster.clock.real(SCALE_DOWN_DELAY);
        let changed = sets::change(context, MANAGER, of, |value| {
            let path = ["metadata", "annotations", SCALE_DOWN];
            set(value, &path, stamp(until).into());
        });
        renew(rollout, changed);
        return Some(SCALE_DOWN_DELAY);
    };
    if until > now {
        return Some(context.cluster.clock.scripted(until.duration_since(now)));
    }
    rollout.scale(context, of, 0);
    None
}

fn renew(rollout: &mut Rollout, changed: Option<Set>) {
    let Some(changed) = changed else { return };
    let mut sets = rollout.sets.iter_mut();
    if let Some(known) = sets.find(|set| set.key == changed.key) {
        *known = changed;
    }
}

/// Every pod of the new side.
fn serves(rollout: &Rollout) -> bool {
    let wanted = rollout.wanted();
    let whole = |new: &Set| new.replicas() == wanted && new.counted("availableReplicas") == wanted;
    rollout.newest().is_some_and(whole)
}

/// Waits before the switch. Returns what is left of a wait that ends by itself.
fn pause(
    context: &mut Context,
    rollout: &Rollout,
    turn: &mut Turn,
    returns: bool,
) -> Option<Duration> {
    if rollout.is_aborted() {
        return None;
    }
    let strategy = &rollout.spec()["strategy"]["blueGreen"];
    let lasts = duration(&strategy["autoPromotionSeconds"]).filter(|d| !d.is_zero());
    let waits = strategy["autoPromotionEnabled"] == false || lasts.is_some();
    if !waits || returns || is_fast(context, rollout) {
        turn.ends = Some(SWITCH_PAUSE);
        return None;
    }
    let Some(pause) = rollout.pause(SWITCH_PAUSE) else {
        if !rollout.controller_paused() {
            turn.begins = Some(SWITCH_PAUSE);
            context.note(&pause_moment(rollout.uid()));
        }
        return None;
    };
    let begun = text_at(pause, "/startTime");
    let gone = context.since(&pause_moment(rollout.uid()), begun);
    let left = lasts?.saturating_sub(gone);
    if left.is_zero() {
        turn.ends = Some(SWITCH_PAUSE);
        return None;
    }
    Some(left)
}

/// Nobody is asked: it is the way back, it is told so, or the traffic is there already.
fn is_fast(context: &Context, rollout: &Rollout) -> bool {
    let active = selected(context, rollout, "active");
    rollout.is_promoted() || rollout.is_told_all() || active.is_empty() || active == rollout.current
}

/// The way back to a side whose pods are still there.
fn returns(rollout: &Rollout) -> bool {
    let pair = rollout.newest().zip(rollout.stable());
    pair.is_some_and(|(new, stable)| {
        !new.annotation(SCALE_DOWN).is_empty() && new.born().0 < stable.born().0
    })
}

fn switch(context: &Context, rollout: &Rollout, turn: &Turn) {
    if rollout.is_aborted() {
        let stable = rollout.stable_hash().to_owned();
        point(context, rollout, "active", &stable);
        return;
    }
    // A pause that the controller began, and that a person took away.
    let promoted = rollout.controller_paused() && rollout.pause(SWITCH_PAUSE).is_none();
    let over = turn.ends.is_some() && turn.begins.is_none();
    if over || (promoted && turn.begins.is_none()) {
        point(context, rollout, "active", &rollout.current);
    }
}

fn service(rollout: &Rollout, side: &str) -> Option<Key> {
    let strategy = &rollout.spec()["strategy"]["blueGreen"];
    let name = strategy[format!("{side}Service")].as_str()?;
    Some(Key::new(&SERVICES, &rollout.key.namespace, name))
}

/// The hash that a side's Service selects, empty when it selects none.
fn selected(context: &Context, rollout: &Rollout, side: &str) -> String {
    let kept = service(rollout, side).and_then(|key| context.cluster.store.get(&key));
    let value = kept.map(|kept| kept.value()).unwrap_or_default();
    value["spec"]["selector"][HASH]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn point(context: &Context, rollout: &Rollout, side: &str, hash: &str) {
    let Some(key) = service(rollout, side).filter(|_| !hash.is_empty()) else {
        return;
    };
    let by = Write::by(MANAGER, context.now());
    // Without a Service there is nothing to switch.
    let _ = context.cluster.store.update(&key, &by, |value| {
        set(value, &["spec", "selector", HASH], hash.into());
        Ok(())
    });
}

fn tell_sides(context: &Context, rollout: &mut Rollout) {
    let mut sides = json!({});
    for side in ["active", "preview"] {
        let hash = selected(context, rollout, side);
        if !hash.is_empty() {
            sides[format!("{side}Selector")] = Value::from(hash);
        }
    }
    set(&mut rollout.status, &["blueGreen"], sides);
}
