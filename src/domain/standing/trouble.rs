//! The one cause worth telling, by order of trust: container states, scheduling, Warning events, conditions.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Kind, Pod, Strategy, Warning};

use super::{Evidence, Reason, Why, create, event, pod, rollout};

/// Events about pods that nobody watches count for this long: their writer repeats them while it goes on.
const EVENT_COUNTS: SignedDuration = SignedDuration::from_mins(15);

/// A cause, and whether it is one that does not heal by waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub why: Why,
    pub stalls: bool,
}

impl Trouble {
    pub fn new(reason: Reason, text: impl Into<String>, stalls: bool) -> Self {
        Self {
            why: Why {
                reason,
                text: text.into(),
                pod: None,
            },
            stalls,
        }
    }
}

/// What keeps the rollout's own pods from serving.
pub(super) fn of_rollout(evidence: Evidence<'_>, now: Timestamp) -> Option<Trouble> {
    let counts = |pod: &Pod| rollout::is_current(evidence, pod);
    worst(evidence, now, counts)
        .or_else(|| blocks_the_order(evidence, now))
        .or_else(|| create::failure(evidence, now))
        .or_else(|| from_events(evidence, now))
}

/// What is wrong with a workload that no rollout moves.
pub(super) fn at_rest(evidence: Evidence<'_>, now: Timestamp) -> Option<Trouble> {
    let short = evidence.workload.counts.available < evidence.workload.desired;
    let pods = blocks_the_order(evidence, now).or_else(|| worst(evidence, now, |_| true));
    if !short {
        return pods;
    }
    pods.or_else(|| create::failure(evidence, now))
        .or_else(|| from_events(evidence, now))
}

fn worst(evidence: Evidence<'_>, now: Timestamp, counts: impl Fn(&Pod) -> bool) -> Option<Trouble> {
    let pods = evidence
        .pods
        .iter()
        .filter(|pod| !pod.terminating && counts(pod));
    let found = pods.filter_map(|pod| {
        let warnings = evidence
            .warnings
            .iter()
            .copied()
            .filter(|w| w.about_uid == pod.uid);
        let warnings: Vec<_> = warnings.collect();
        let mut trouble = pod::trouble(pod, &warnings, now)?;
        // A pod that failed for good was replaced; it explains something only while there are too few.
        let replaced = trouble.why.reason == Reason::Evicted
            && evidence.workload.counts.available >= evidence.workload.desired;
        trouble.why.pod = Some(pod.name.clone());
        (!replaced).then_some(trouble)
    });
    found.min_by_key(|t| (!t.stalls, rank(t.why.reason)))
}

/// An ordered `StatefulSet` waits for each pod, also for a broken one of the old template.
fn blocks_the_order(evidence: Evidence<'_>, now: Timestamp) -> Option<Trouble> {
    let ordered = matches!(
        evidence.workload.strategy,
        Strategy::Rolling { ordered: true, .. }
    );
    if evidence.workload.id.kind != Kind::StatefulSet || !ordered {
        return None;
    }
    let old = |pod: &Pod| !pod.ready && !rollout::is_current(evidence, pod);
    let mut trouble = worst(evidence, now, old).filter(|t| t.stalls)?;
    let pod = trouble.why.pod.clone().unwrap_or_default();
    trouble.why.text = format!("old pod {pod} blocks the order: {}", trouble.why.text);
    Some(trouble)
}

/// Pods are not watched for every workload; their events are.
fn from_events(evidence: Evidence<'_>, now: Timestamp) -> Option<Trouble> {
    if !evidence.pods.is_empty() {
        return None;
    }
    let since = rollout::since(evidence).unwrap_or(Timestamp::MIN);
    let recent =
        |w: &Warning| w.last_seen >= since && now.duration_since(w.last_seen) <= EVENT_COUNTS;
    let current = rollout::current_revision(evidence)
        .filter(|_| evidence.workload.id.kind.has_replica_sets());
    let of_current = |w: &Warning| current.is_none_or(|r| w.about.starts_with(&*r.name));
    let pods = evidence.warnings.iter().filter(|w| &*w.about_kind == "Pod");
    let found = pods
        .filter(|w| recent(w) && of_current(w))
        .filter_map(|warning| {
            let mut trouble = event::trouble(warning, &evidence.workload.containers)?;
            trouble.why.pod = Some(warning.about.clone());
            Some(trouble)
        });
    found.min_by_key(|t| (!t.stalls, rank(t.why.reason)))
}

/// The surest and most telling first.
fn rank(reason: Reason) -> u8 {
    match reason {
        Reason::ImagePull => 0,
        Reason::Config => 1,
        Reason::OutOfMemory => 2,
        Reason::CrashLoop => 3,
        Reason::CreateFailed => 4,
        Reason::Quota | Reason::Admission => 5,
        Reason::Unschedulable => 6,
        Reason::NotReady => 7,
        Reason::Evicted => 8,
        Reason::DeadlineExceeded
        | Reason::NoProgress
        | Reason::Paused
        | Reason::Partition
        | Reason::OnDelete
        | Reason::Draining
        | Reason::NotSeenYet
        | Reason::Unavailable
        | Reason::Waits
        | Reason::Aborted
        | Reason::Part
        | Reason::Other => 9,
    }
}
