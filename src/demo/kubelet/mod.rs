//! The kubelets of the embedded cluster: the life of a pod, from its node to its end, as its images tell it.

mod container;
mod fate;
mod status;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::controllers::{Context, Told, schedule};
use super::kube::delete::{self, Options};
use super::kube::object::{Key, items_at, set, text_at};
use super::kube::write::Write;
use fate::Fate;

pub use status::tidy_conditions;

pub const MANAGER: &str = "kubelet";

/// From a pod's deletion to its end.
const STOPS: Duration = Duration::from_secs(1);
/// A volume that could not be mounted is tried again after so long.
const REMOUNTS: Duration = Duration::from_secs(10);

/// What a kubelet remembers beside the objects.
#[derive(Default)]
pub struct Lives {
    /// Pod uid -> one for each container.
    pods: HashMap<Box<str>, Vec<Life>>,
    /// Node -> how many pods were put there.
    pub placed: BTreeMap<String, u64>,
}

/// Of one container: when its state began, and how often it failed.
#[derive(Debug, Clone, Copy, Default)]
struct Life {
    since: Option<Timestamp>,
    failures: u32,
    /// Lines of chatter, or failed probes, of this run.
    said: u32,
}

impl Lives {
    pub fn forget(&mut self, uid: &str) {
        self.pods.remove(uid);
    }
}

/// Takes a pod one step further. Returns after how much scripted time the next step is due.
pub fn reconcile(context: &mut Context, key: &Key, pod: &Value) -> Option<Duration> {
    let uid = text_at(pod, "/metadata/uid").to_owned();
    if !text_at(pod, "/metadata/deletionTimestamp").is_empty() {
        return stop(context, key, pod, &uid);
    }
    if text_at(pod, "/spec/nodeName").is_empty() {
        return schedule(context, key, pod);
    }
    if matches!(text_at(pod, "/status/phase"), "Succeeded" | "Failed") {
        return None;
    }
    let specs = items_at(pod, "/spec/containers");
    let mut lives = context.lives.pods.remove(&*uid).unwrap_or_default();
    lives.resize(specs.len(), Life::default());
    if let Some(missing) = fate::missing_volume(&context.cluster, pod) {
        context.lives.pods.insert(uid.into(), lives);
        unmounted(context, key, pod, &missing);
        return Some(REMOUNTS);
    }
    let mut next: Option<Duration> = None;
    let mut statuses = Vec::new();
    for (spec, life) in specs.iter().zip(&mut lives) {
        let name = text_at(spec, "/name");
        let known = items_at(pod, "/status/containerStatuses");
        let before = known.iter().find(|status| status["name"] == *name).cloned();
        let fate = fate::of(&context.cluster, &key.namespace, spec);
        let step = container::step(context, pod, (spec, before, &fate), life);
        statuses.push(step.status);
        next = [next, step.next].into_iter().flatten().min();
    }
    context.lives.pods.insert(uid.as_str().into(), lives);
    write(context, key, pod, statuses);
    next
}

fn write(context: &mut Context, key: &Key, pod: &Value, statuses: Vec<Value>) {
    let was = status::is_ready(&pod["status"]);
    let now = context.now();
    let by = Write::by(MANAGER, now).status();
    let written = context.cluster.store.update(key, &by, |value| {
        status::fill(value, statuses, now);
        Ok(())
    });
    // A pod that is gone in the meantime needs no status.
    let Ok(kept) = written else { return };
    if !was && status::is_ready(&kept.value()["status"]) {
        context.note(&kept.uid);
    }
}

/// It is given a moment to end, and is gone then.
fn stop(context: &mut Context, key: &Key, pod: &Value, uid: &str) -> Option<Duration> {
    let lives = context.lives.pods.entry(uid.into()).or_default();
    if lives.is_empty() {
        lives.push(Life::default());
    }
    let failures = std::mem::replace(&mut lives[0].failures, u32::MAX);
    if failures != u32::MAX && !text_at(pod, "/spec/nodeName").is_empty() {
        for container in items_at(pod, "/status/containerStatuses") {
            if container["state"].get("running").is_some() {
                let name = text_at(container, "/name");
                let message = format!("Stopping container {name}");
                let told = Told::normal(MANAGER, "Killing", message).of_container(name);
                context.events.tell(&context.cluster, pod, &told);
            }
        }
        return Some(STOPS);
    }
    let how = Options {
        grace: Some(0),
        ..Options::default()
    };
    // Somebody else may have ended it.
    let _ = delete::delete(&context.cluster.store, key, &how, context.now());
    context.cluster.logs.forget(uid);
    None
}

/// A volume cannot be mounted: the containers wait.
fn unmounted(context: &mut Context, key: &Key, pod: &Value, why: &str) {
    let message = format!("MountVolume.SetUp failed for volume {why}");
    let told = Told::warning(MANAGER, "FailedMount", message);
    context.events.tell(&context.cluster, pod, &told);
    let waiting = |spec: &Value| {
        let mut status = container::blank(spec);
        let state = json!({"waiting": {"reason": "ContainerCreating"}});
        set(&mut status, &["state"], state);
        status
    };
    let statuses = items_at(pod, "/spec/containers")
        .iter()
        .map(waiting)
        .collect();
    write(context, key, pod, statuses);
}
