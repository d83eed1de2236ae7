//! What is wrong with one pod, from its containers' states, its scheduling and the events about it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::pod::{Ended, HoldKind};
use crate::domain::{ContainerState, Pod, Run, Warning};

use super::Reason;
use super::event;
use super::trouble::Trouble;
use super::words;

/// Nodes may be on their way, and secrets about to be made: waiting for them is a stall only after this.
const WAITS: SignedDuration = SignedDuration::from_secs(60);
/// A restart that is longer ago says nothing about now.
const RECENT: SignedDuration = SignedDuration::from_mins(10);
/// Once may be an accident, or a dependency that was late.
const LOOPS_FROM: u32 = 2;
/// A container that serves between its crashes has to have shown more.
const LOOPS_WHILE_READY_FROM: u32 = 3;

pub(super) fn trouble(pod: &Pod, warnings: &[&Warning], now: Timestamp) -> Option<Trouble> {
    if let Some(trouble) = lost(pod) {
        return Some(trouble);
    }
    let crowd = pod.containers.iter().filter(|c| !c.init).count() > 1;
    let containers = pod.containers.iter().filter_map(|c| {
        let mut trouble = container(c, warnings, now)?;
        if c.init {
            trouble.why.text = format!("init {}: {}", c.name, trouble.why.text);
        } else if crowd && trouble.why.reason != Reason::ImagePull {
            trouble.why.text = format!("{}: {}", c.name, trouble.why.text);
        }
        Some(trouble)
    });
    containers
        .min_by_key(|t| !t.stalls)
        .or_else(|| unscheduled(pod, now))
        .or_else(|| creating(pod, warnings, now))
        .or_else(|| held(pod))
}

/// What a condition of the pod says when nothing nearer to its containers does. A pod that serves is not held.
fn held(pod: &Pod) -> Option<Trouble> {
    let hold = pod.hold.as_ref().filter(|_| !pod.ready)?;
    let told = match words::clause(&hold.message) {
        message if message.is_empty() => hold.reason.to_string(),
        message => message,
    };
    let (reason, text) = match hold.kind {
        HoldKind::Disruption => (Reason::Evicted, format!("moved off its node: {told}")),
        HoldKind::RestartingAll => (Reason::NotReady, "all containers restart".to_owned()),
        HoldKind::ResizePending => (
            Reason::Unschedulable,
            format!("resize {}: {told}", hold.reason.to_lowercase()),
        ),
        HoldKind::ReadinessGate => (Reason::NotReady, format!("readiness gate: {told}")),
    };
    Some(Trouble::new(reason, text, false))
}

/// The whole pod failed: evicted, its node lost, not admitted.
fn lost(pod: &Pod) -> Option<Trouble> {
    let (reason, message) = pod.reason.as_ref()?;
    let text = match (&**reason, words::clause(message)) {
        ("Evicted", message) => format!("evicted: {message}"),
        ("NodeLost", _) => "its node is lost".to_owned(),
        (reason, message) if message.is_empty() => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    };
    Some(Trouble::new(Reason::Evicted, text, false))
}

fn unscheduled(pod: &Pod, now: Timestamp) -> Option<Trouble> {
    let (reason, message) = pod.unscheduled.as_ref()?;
    let waited = now.duration_since(pod.created) > WAITS;
    let text = match &**reason {
        "SchedulingGated" => "scheduling gated: waits for whoever set the gate".to_owned(),
        "SchedulerError" => format!("scheduler error: {}", words::clause(message)),
        _ => words::unschedulable(message),
    };
    let stalls = waited && &**reason != "SchedulingGated";
    Some(Trouble::new(Reason::Unschedulable, text, stalls))
}

/// Creating is normal; only an event says why it takes long.
fn creating(pod: &Pod, warnings: &[&Warning], now: Timestamp) -> Option<Trouble> {
    let waiting = |c: &ContainerState| matches!(&c.run, Run::Waiting { .. } | Run::Unknown);
    if !pod.containers.iter().any(waiting) {
        return None;
    }
    let mut found = warnings.iter().find_map(|w| event::preparing(w))?;
    found.stalls = now.duration_since(pod.created) > WAITS;
    Some(found)
}

fn container(c: &ContainerState, warnings: &[&Warning], now: Timestamp) -> Option<Trouble> {
    match &c.run {
        Run::Waiting { reason, message } => waiting(c, reason, message, warnings),
        Run::Running { since } => running(c, *since, warnings, now),
        Run::Ended(ended) if c.init && ended.exit_code == 0 => None,
        Run::Ended(ended) => Some(crashed(
            c,
            ended,
            cannot_start(ended) || c.restarts >= LOOPS_FROM,
        )),
        Run::Unknown => None,
    }
}

fn waiting(
    c: &ContainerState,
    reason: &str,
    message: &str,
    warnings: &[&Warning],
) -> Option<Trouble> {
    let (kind, text) = match reason {
        "CrashLoopBackOff" => {
            return Some(match &c.last {
                Some(ended) => crashed(c, ended, true),
                None => Trouble::new(
                    Reason::CrashLoop,
                    format!("crash loop{}", words::restarts(c.restarts)),
                    true,
                ),
            });
        }
        "CreateContainerConfigError" => (
            Reason::Config,
            format!("config: {}", words::clause(message)),
        ),
        "CreateContainerError" | "RunContainerError" => (
            Reason::CreateFailed,
            format!("cannot start: {}", words::clause(message)),
        ),
        "PreStartHookError" | "PostStartHookError" => (
            Reason::CreateFailed,
            format!(
                "{} failed: {}",
                reason.trim_end_matches("Error"),
                words::clause(message)
            ),
        ),
        "ImageVolumeMountFailed" => (
            Reason::ImagePull,
            format!("image volume cannot be mounted: {}", words::clause(message)),
        ),
        "RROUnsupported" => (
            Reason::CreateFailed,
            "the node has no recursive read-only mounts".to_owned(),
        ),
        reason if words::is_image_reason(reason) => {
            let told = warnings
                .iter()
                .find(|w| w.message.contains(&*c.image) && w.message.contains("pull"));
            let told = told.map_or(message, |w| &w.message);
            let message = if message.contains(": ") {
                message
            } else {
                told
            };
            (Reason::ImagePull, words::image(reason, message, &c.image))
        }
        _ => return None,
    };
    Some(Trouble::new(kind, text, true))
}

fn running(
    c: &ContainerState,
    since: Option<Timestamp>,
    warnings: &[&Warning],
    now: Timestamp,
) -> Option<Trouble> {
    let recent = |ended: &&Ended| ended.at.is_some_and(|at| now.duration_since(at) < RECENT);
    let last = c.last.as_deref().filter(recent);
    let needed = if c.ready {
        LOOPS_WHILE_READY_FROM
    } else {
        LOOPS_FROM
    };
    if let Some(last) = last.filter(|_| c.restarts >= needed) {
        return Some(crashed(c, last, true));
    }
    if c.ready || c.init {
        return None;
    }
    let told = warnings
        .iter()
        .find(|w| &*w.reason == "Unhealthy" && since.is_none_or(|since| w.last_seen >= since))?;
    Some(Trouble::new(
        Reason::NotReady,
        words::unhealthy(&told.message),
        false,
    ))
}

fn cannot_start(ended: &Ended) -> bool {
    matches!(&*ended.reason, "StartError" | "ContainerCannotRun")
}

fn crashed(c: &ContainerState, ended: &Ended, stalls: bool) -> Trouble {
    let reason = match &*ended.reason {
        "OOMKilled" => Reason::OutOfMemory,
        "StartError" | "ContainerCannotRun" => Reason::CreateFailed,
        _ => Reason::CrashLoop,
    };
    Trouble::new(reason, words::ended(ended, c.restarts), stalls)
}
