//! Argo Rollouts: a release by steps, with the pauses that a person ends, and the way back.

mod analysis;
mod blue_green;
mod canary;
mod outcome;
mod restart;
mod revision;
mod sizes;
mod status;

use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::event::Told;
use super::sets::{self, Set, share};
use crate::demo::kube::object::{Key, int_at, items_at, set, text_at};
use crate::demo::kube::write::Write;

pub use outcome::steps_hash;
pub use sizes::split;

/// The field manager of the real one.
pub const MANAGER: &str = "rollouts-controller";
/// The label of the ReplicaSets and pods of a template.
pub const HASH: &str = "rollouts-pod-template-hash";
pub const REVISION: &str = "rollout.argoproj.io/revision";
pub const DESIRED: &str = "rollout.argoproj.io/desired-replicas";
/// Until when a ReplicaSet that gets no traffic any more keeps its pods.
const SCALE_DOWN: &str = "scale-down-deadline";
const SCALE_DOWN_DELAY: Duration = Duration::from_secs(30);

/// Why it waits.
const STEP_PAUSE: &str = "CanaryPauseStep";
const SWITCH_PAUSE: &str = "BlueGreenPause";
const INCONCLUSIVE: &str = "InconclusiveAnalysisRun";

/// A Rollout as it was read, its ReplicaSets, and the status that it is to get.
struct Rollout {
    key: Key,
    value: Value,
    status: Value,
    /// Oldest first.
    sets: Vec<Set>,
    /// The hash of its template.
    current: String,
}

/// What one look decides beside the numbers.
#[derive(Default)]
struct Turn {
    begins: Option<&'static str>,
    ends: Option<&'static str>,
    /// All pauses end.
    goes_on: bool,
    /// It is given up, for this reason.
    aborts: Option<String>,
    no_abort: bool,
    /// The analysis of its step.
    run: Option<Value>,
}

pub fn reconcile(context: &mut Context, key: &Key, value: &Value) -> Option<Duration> {
    if fill_resources(context, key, value) {
        return None; // The write comes back as news.
    }
    if let Some(why) = mistake(value) {
        status::invalid(context, key, value, &why);
        return None;
    }
    let mut rollout = Rollout {
        key: key.clone(),
        value: value.clone(),
        status: value["status"].clone(),
        sets: sets::owned(context, text_at(value, "/metadata/uid")),
        current: String::new(),
    };
    if !rollout.status.is_object() {
        rollout.status = json!({});
    }
    revision::renew(context, &mut rollout)?;
    status::pauses(&mut rollout, context.now());
    let restarts = restart::step(context, &mut rollout);
    let strategy = if rollout.is_blue_green() {
        blue_green::step(context, &mut rollout)
    } else {
        canary::step(context, &mut rollout)
    };
    revision::forget_history(context, &rollout);
    sooner(restarts, strategy)
}

impl Rollout {
    fn uid(&self) -> &str {
        text_at(&self.value, "/metadata/uid")
    }

    fn spec(&self) -> &Value {
        &self.value["spec"]
    }

    /// The status as it was read.
    fn was(&self) -> &Value {
        &self.value["status"]
    }

    fn wanted(&self) -> i64 {
        int_at(&self.value, "/spec/replicas").unwrap_or(1)
    }

    fn is_blue_green(&self) -> bool {
        self.spec()["strategy"]["blueGreen"].is_object()
    }

    fn by_hash(&self, hash: &str) -> Option<&Set> {
        let mut sets = self.sets.iter();
        sets.find(|set| set.label(HASH) == hash && !hash.is_empty())
    }

    fn newest(&self) -> Option<&Set> {
        self.by_hash(&self.current)
    }

    /// The hash of what all goes to without a canary; empty before there is one.
    fn stable_hash(&self) -> &str {
        text_at(self.was(), "/stableRS")
    }

    fn stable(&self) -> Option<&Set> {
        self.by_hash(self.stable_hash())
    }

    /// Those of neither.
    fn others(&self) -> Vec<Set> {
        let both = [&*self.current, self.stable_hash()];
        let others = self.sets.iter().filter(|s| !both.contains(&s.label(HASH)));
        others.cloned().collect()
    }

    fn is_promoted(&self) -> bool {
        self.current == self.stable_hash()
    }

    fn is_aborted(&self) -> bool {
        self.was()["abort"] == true
    }

    fn is_told_all(&self) -> bool {
        self.was()["promoteFull"] == true
    }

    fn is_held(&self) -> bool {
        self.spec()["paused"] == true
    }

    /// The pause of this reason, as it was read.
    fn pause(&self, reason: &str) -> Option<&Value> {
        let mut pauses = items_at(self.was(), "/pauseConditions").iter();
        pauses.find(|pause| pause["reason"] == reason)
    }

    fn controller_paused(&self) -> bool {
        self.was()["controllerPause"] == true
    }

    /// Nothing of it is scaled or switched.
    fn halts(&self) -> bool {
        self.is_held() || self.pause(INCONCLUSIVE).is_some()
    }

    fn steps(&self) -> &[Value] {
        items_at(&self.value, "/spec/strategy/canary/steps")
    }

    fn index(&self) -> usize {
        let index = int_at(self.was(), "/currentStepIndex").unwrap_or(0);
        usize::try_from(index).unwrap_or(0)
    }

    fn step(&self) -> Option<&Value> {
        self.steps().get(self.index())
    }

    fn sum(&self, field: &str) -> i64 {
        self.sets.iter().map(|set| set.counted(field)).sum()
    }

    /// How many more and how many fewer pods than wanted there may be.
    fn fences(&self) -> (i64, i64) {
        let canary = &self.spec()["strategy"]["canary"];
        let given = |field: &str| match &canary[field] {
            Value::Null => json!("25%"),
            given => given.clone(),
        };
        let surge = share(&given("maxSurge"), self.wanted(), true);
        let unavailable = share(&given("maxUnavailable"), self.wanted(), false);
        match (surge, unavailable) {
            (0, 0) => (0, 1),
            (surge, unavailable) => (surge, unavailable.min(self.wanted())),
        }
    }

    fn revision(&self) -> &str {
        let text = &self.value["metadata"]["annotations"][REVISION];
        text.as_str().unwrap_or_default()
    }

    fn tell(&self, context: &mut Context, reason: &'static str, message: String) {
        let told = Told::normal(MANAGER, reason, message);
        context.events.tell(&context.cluster, &self.value, &told);
    }

    /// Gives a ReplicaSet another size, and tells so. True when it was another.
    fn scale(&mut self, context: &mut Context, of: &Set, to: i64) -> bool {
        let (before, wanted) = (of.replicas(), self.wanted().to_string());
        let changed = sets::change(context, MANAGER, of, |value| {
            set(value, &["spec", "replicas"], to.into());
            let path = ["metadata", "annotations", DESIRED];
            set(value, &path, wanted.into());
        });
        let Some(changed) = changed else { return false };
        if let Some(known) = self.sets.iter_mut().find(|set| set.key == of.key) {
            *known = changed;
        }
        if before == to {
            return false;
        }
        let way = if to > before { "up" } else { "down" };
        let (name, number) = (&of.key.name, of.annotation(REVISION));
        let message =
            format!("Scaled {way} ReplicaSet {name} (revision {number}) from {before} to {to}");
        self.tell(context, "ScalingReplicaSet", message);
        true
    }
}

/// The real one writes into the spec what a container leaves out: one more generation for the same template.
fn fill_resources(context: &Context, key: &Key, value: &Value) -> bool {
    let containers = items_at(value, "/spec/template/spec/containers");
    if containers.iter().all(|c| c.get("resources").is_some()) {
        return false;
    }
    let by = Write::by(MANAGER, context.now());
    let filled = context.cluster.store.update(key, &by, |value| {
        let containers = value.pointer_mut("/spec/template/spec/containers");
        for container in containers
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if container.get("resources").is_none() {
                set(container, &["resources"], json!({}));
            }
        }
        Ok(())
    });
    filled.is_ok()
}

/// What the server takes and the controller does not.
fn mistake(value: &Value) -> Option<String> {
    let strategy = &value["spec"]["strategy"];
    if !strategy["canary"].is_object() && !strategy["blueGreen"].is_object() {
        return Some("spec.strategy: Required value".into());
    }
    if items_at(value, "/spec/template/spec/containers").is_empty() {
        return Some("spec.template.spec.containers: Required value".into());
    }
    let steps = items_at(strategy, "/canary/steps").iter().enumerate();
    let mut weights = steps.filter_map(|(at, step)| Some((at, step["setWeight"].as_i64()?)));
    let (at, weight) = weights.find(|(_, weight)| !(0..=100).contains(weight))?;
    Some(format!(
        "spec.strategy.steps[{at}].setWeight: Invalid value: {weight}: SetWeight needs to be between 0 and 100"
    ))
}

/// Under which the moment is kept at which a pause of it began.
pub fn pause_moment(uid: &str) -> String {
    format!("{uid}/pause")
}

/// Seconds, as a number or in digits, or Go's way: `1h30m`.
pub fn duration(given: &Value) -> Option<Duration> {
    if let Some(seconds) = given.as_u64() {
        return Some(Duration::from_secs(seconds));
    }
    let text = given.as_str()?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let length: jiff::SignedDuration = text.parse().ok()?;
    length.try_into().ok()
}

pub fn sooner(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}
