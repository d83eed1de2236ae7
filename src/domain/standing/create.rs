//! Pods that cannot even be made: quota, admission, webhooks.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Kind, Truth};

use super::trouble::Trouble;
use super::{Evidence, Reason, rollout, words};

/// The controllers try again at growing intervals, up to about this.
const TRIES_WITHIN: SignedDuration = SignedDuration::from_mins(20);
/// The condition follows its event at once; an event without one is news only for so long.
const AHEAD_OF_CONDITION: SignedDuration = SignedDuration::from_secs(60);
/// Denials that name their author themselves.
const SAY_WHO: [&str; 3] = [
    "violates PodSecurity",
    "admission webhook",
    "failed calling webhook",
];

/// The newest event is told rather than the condition, whose message stays at the first cause.
pub(super) fn failure(evidence: Evidence<'_>, now: Timestamp) -> Option<Trouble> {
    let workload = evidence.workload;
    let current =
        rollout::current_revision(evidence).filter(|_| workload.id.kind.has_replica_sets());
    let condition = match current {
        Some(revision) => revision.failure.as_deref(),
        None => workload.condition("ReplicaFailure"),
    };
    let condition = condition.filter(|c| c.status == Truth::True);
    let mut events = evidence.warnings.iter().filter(|w| {
        let about = current.is_none_or(|r| r.name == w.about) || w.about == workload.id.name;
        &*w.reason == "FailedCreate" && &*w.about_kind != "Pod" && about
    });
    let event = events.next();
    let counts_for = match workload.id.kind {
        Kind::Deployment | Kind::Rollout => AHEAD_OF_CONDITION,
        Kind::StatefulSet | Kind::DaemonSet => TRIES_WITHIN,
    };
    let news = event.filter(|w| {
        now.duration_since(w.last_seen) <= counts_for && workload.counts.total < workload.desired
    });
    let message = match (condition, event, news) {
        (Some(_), Some(event), _) | (None, _, Some(event)) => &event.message,
        (Some(condition), None, _) => &condition.message,
        (None, _, None) => return None,
    };
    let (reason, text) = classify(message);
    Some(Trouble::new(reason, text, true))
}

fn classify(message: &str) -> (Reason, String) {
    let denied = message
        .split_once(" is forbidden: ")
        .map_or(message, |(_, why)| why);
    let denied = denied.strip_prefix("Error creating: ").unwrap_or(denied);
    if message.contains("exceeded quota") {
        (Reason::Quota, exceeded(denied))
    } else if message.contains("failed quota") {
        (Reason::Quota, format!("quota: {}", words::clause(denied)))
    } else if SAY_WHO.iter().any(|by| message.contains(by)) {
        (Reason::Admission, words::clause(denied))
    } else if message.contains(" usage per ") || message.contains("is forbidden") {
        (
            Reason::Admission,
            format!("not admitted: {}", words::clause(denied)),
        )
    } else {
        (
            Reason::CreateFailed,
            format!("cannot create pods: {}", words::clause(denied)),
        )
    }
}

/// `exceeded quota: compute, requested: pods=1, used: pods=20, limited: pods=20`
fn exceeded(message: &str) -> String {
    let name = message
        .split("exceeded quota: ")
        .nth(1)
        .and_then(|rest| rest.split(", ").next());
    let limited = message.split("limited: ").nth(1).map(words::clause);
    match (name, limited) {
        (Some(name), Some(limited)) => format!("quota: exceeded {limited} ({name})"),
        _ => format!("quota: {}", words::clause(message)),
    }
}
