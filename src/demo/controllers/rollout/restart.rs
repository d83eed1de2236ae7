//! Pods that are older than `spec.restartAt` go, so many at a time as may be missing.

use std::time::Duration;

use jiff::Timestamp;

use super::Rollout;
use crate::demo::controllers::Context;
use crate::demo::controllers::pods::{self, Pod};
use crate::demo::kube::object::{set, text_at};

const AGAIN: Duration = Duration::from_secs(2);

pub fn step(context: &mut Context, rollout: &mut Rollout) -> Option<Duration> {
    let asked = rollout.spec().get("restartAt").filter(|at| !at.is_null());
    let asked = asked.cloned()?;
    if rollout.was().get("restartedAt") == Some(&asked) {
        return None;
    }
    let at: Timestamp = asked.as_str()?.parse().ok()?;
    let now = context.now();
    if at > now {
        return Duration::try_from(at.duration_since(now)).ok();
    }
    let (mut old, mut serving) = (Vec::new(), 0);
    for set in &rollout.sets {
        for pod in pods::owned(context, text_at(&set.value, "/metadata/uid")) {
            serving += i64::from(pod.ready() && !pod.deleting());
            if is_older(&pod, at) {
                old.push((set.value.clone(), pod));
            }
        }
    }
    if old.is_empty() {
        set(&mut rollout.status, &["restartedAt"], asked);
        return None;
    }
    let all: i64 = rollout.sets.iter().map(super::Set::replicas).sum();
    let (_, unavailable) = rollout.fences();
    let mut room = serving - (all.max(rollout.wanted()) - unavailable.max(1));
    for (owner, pod) in old.iter().filter(|(_, pod)| !pod.deleting()) {
        if room <= 0 {
            break;
        }
        pods::delete(context, owner, pod);
        room -= 1;
    }
    Some(AGAIN)
}

fn is_older(pod: &Pod, at: Timestamp) -> bool {
    let born = text_at(&pod.value, "/metadata/creationTimestamp");
    born.parse::<Timestamp>().is_ok_and(|born| born < at)
}
