//! How far a rollout is, by the rules of `kubectl rollout status` and of the controllers.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Kind, Pod, Progress, Revision, Strategy, Truth, Workload, revision};

use super::{Evidence, Reason, Why};

/// `StatefulSet`s and `DaemonSet`s have no deadline: this is what a Deployment has by default.
const STILL_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// A pod that is younger and not ready is only starting.
const STARTS_WITHIN: SignedDuration = SignedDuration::from_mins(2);
/// A deadline of this many seconds is none: the API's way to switch it off.
const NO_DEADLINE: u32 = i32::MAX as u32;

pub(super) struct Rollout {
    pub stage: Stage,
    pub progress: Progress,
}

pub(super) enum Stage {
    /// The status speaks of an older spec.
    NotSeen,
    Zero,
    /// Something is missing. `finished`: the rollout was complete before.
    UnderWay {
        finished: bool,
    },
    /// Stops part-way because the spec says so.
    Held(Why),
    Complete,
    /// As its controller says.
    Reported,
}

pub(super) fn rollout(evidence: Evidence<'_>) -> Rollout {
    let workload = evidence.workload;
    let unseen = workload.generation > workload.observed_generation
        || (workload.id.kind == Kind::StatefulSet && workload.observed_generation == 0);
    let stage = if unseen {
        Stage::NotSeen
    } else if workload
        .canary
        .as_ref()
        .is_some_and(|c| c.is_moved_by_flagger())
    {
        Stage::Reported
    } else if workload.desired == 0 && workload.counts.updated == workload.counts.total {
        Stage::Zero
    } else {
        match workload.id.kind {
            Kind::Deployment => deployment(workload),
            Kind::StatefulSet => stateful_set(workload),
            Kind::DaemonSet => daemon_set(workload),
            Kind::Rollout => Stage::Reported,
        }
    };
    let done = if unseen { 0 } else { serving(evidence) };
    let of = workload.desired;
    Rollout {
        stage,
        progress: Progress {
            done: done.min(of),
            of,
        },
    }
}

/// Since when it is on its way: the newest write of the template that is known. `None` when nothing tells.
pub(super) fn since(evidence: Evidence<'_>) -> Option<Timestamp> {
    let workload = evidence.workload;
    let written = workload.written_by.as_ref().map(|(_, at)| *at);
    let acted = workload.action.as_ref().map(|note| note.at);
    written
        .max(acted)
        .or_else(|| current_revision(evidence).map(|r| r.created))
}

/// Whether the controller called this rollout failed. A verdict that is older than the template is about another.
pub(super) fn gave_up(workload: &Workload, since: Option<Timestamp>) -> bool {
    workload.condition("Progressing").is_some_and(|c| {
        let stale = matches!((c.updated, since), (Some(at), Some(since)) if at < since);
        &*c.reason == "ProgressDeadlineExceeded" && !stale
    })
}

/// When the Deployment controller will give up: the clock starts again with each progress.
pub(super) fn gives_up(workload: &Workload, gave_up: bool) -> Option<Timestamp> {
    let seconds = workload.deadline_seconds.filter(|s| *s < NO_DEADLINE)?;
    let progressing = workload.condition("Progressing")?;
    if workload.paused || gave_up || progressing.status != Truth::True {
        return None;
    }
    let deadline = SignedDuration::from_secs(seconds.into());
    progressing.updated?.checked_add(deadline).ok()
}

/// How long nothing has moved, when that is long and there is no controller that watches a deadline. Only pods
/// tell, so without them there is no answer.
pub(super) fn without_progress(evidence: Evidence<'_>, now: Timestamp) -> Option<SignedDuration> {
    if evidence.workload.id.kind.has_replica_sets() {
        return None;
    }
    let moved = evidence
        .pods
        .iter()
        .map(|pod| pod.ready_changed.max(Some(pod.created)))
        .max()?;
    let still = now.duration_since(moved.max(since(evidence))?);
    (still >= STILL_AFTER).then_some(still)
}

/// Whether the pods that are missing are only young. A Deployment that is available is given the benefit of the
/// doubt until its pods are watched: it may just have been scaled up.
pub(super) fn starting(evidence: Evidence<'_>, now: Timestamp) -> bool {
    let workload = evidence.workload;
    let young = |at: Timestamp| now.duration_since(at) < STARTS_WITHIN;
    let mut waiting = evidence
        .pods
        .iter()
        .filter(|pod| !pod.ready && !pod.terminating)
        .peekable();
    match waiting.peek() {
        Some(_) => waiting.all(|pod| young(pod.created)),
        None if workload.id.kind.has_replica_sets() => evidence.pods.is_empty(),
        None => young(workload.created) || workload.counts.total < workload.desired,
    }
}

/// See [`revision::current`].
pub(super) fn current_revision(evidence: Evidence<'_>) -> Option<&Revision> {
    revision::current(evidence.workload, evidence.revisions)
}

/// Whether a pod is of the workload's template, as far as can be told.
pub(super) fn is_current(evidence: Evidence<'_>, pod: &Pod) -> bool {
    let workload = evidence.workload;
    if let (Kind::StatefulSet, Some(update)) = (workload.id.kind, &workload.update_revision) {
        return pod.revision == *update;
    }
    if let Some(revision) = current_revision(evidence) {
        return revision.pod_hash == pod.revision;
    }
    let wants = |name: &str| workload.containers.iter().find(|c| &*c.name == name);
    pod.containers
        .iter()
        .all(|c| wants(&c.name).is_none_or(|w| w.image == c.image))
}

fn deployment(workload: &Workload) -> Stage {
    let counts = workload.counts;
    let finished = workload.rollout_is_finished();
    let gave_up = workload
        .condition("Progressing")
        .is_some_and(|c| &*c.reason == "ProgressDeadlineExceeded");
    if counts.updated < workload.desired
        || counts.total > counts.updated
        || counts.available < counts.updated
        || gave_up
    {
        Stage::UnderWay { finished }
    } else {
        Stage::Complete
    }
}

fn stateful_set(workload: &Workload) -> Stage {
    let (counts, desired) = (workload.counts, workload.desired);
    let settled = workload.rollout_is_finished();
    let updated = if settled { desired } else { counts.updated };
    if let Some(held) = on_delete(workload) {
        return held;
    }
    let partition = match workload.strategy {
        Strategy::Rolling { partition, .. } => partition,
        Strategy::Recreate | Strategy::OnDelete | Strategy::Other(_) => 0,
    };
    let missing = counts.ready < desired || counts.available < desired;
    if updated < desired.saturating_sub(partition) || (missing && !settled) {
        Stage::UnderWay { finished: false }
    } else if missing {
        Stage::UnderWay { finished: true }
    } else if updated < desired {
        Stage::Held(Why {
            reason: Reason::Partition,
            text: format!("partition {partition}: {updated} of {desired} updated"),
            pod: None,
        })
    } else {
        Stage::Complete
    }
}

fn daemon_set(workload: &Workload) -> Stage {
    let (counts, desired) = (workload.counts, workload.desired);
    if let Some(held) = on_delete(workload) {
        held
    } else if counts.updated < desired || counts.available < desired {
        Stage::UnderWay {
            finished: workload.rollout_is_finished(),
        }
    } else {
        Stage::Complete
    }
}

/// The revisions that a StatefulSet names tell nothing here: back at the first template they agree at once, whatever
/// the pods run.
fn on_delete(workload: &Workload) -> Option<Stage> {
    let there = workload.counts.total.min(workload.desired);
    let left = there.saturating_sub(workload.counts.updated);
    (workload.strategy == Strategy::OnDelete && left > 0).then(|| {
        Stage::Held(Why {
            reason: Reason::OnDelete,
            text: format!(
                "OnDelete: {} to be deleted by hand",
                super::words::pods(left)
            ),
            pod: None,
        })
    })
}

/// Pods of the new revision that serve: as the revision says, else as the pods say, else what the counts prove.
fn serving(evidence: Evidence<'_>) -> u32 {
    let workload = evidence.workload;
    let counts = workload.counts;
    if workload.id.kind.has_replica_sets()
        && let Some(revision) = current_revision(evidence)
    {
        return revision.available;
    }
    let old = counts.total.saturating_sub(counts.updated);
    let proven = counts.available.saturating_sub(old).min(counts.updated);
    let seen = evidence
        .pods
        .iter()
        .filter(|p| p.ready && !p.terminating && is_current(evidence, p));
    proven.max(u32::try_from(seen.count()).unwrap_or(u32::MAX))
}
