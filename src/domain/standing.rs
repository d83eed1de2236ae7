//! How a workload stands: its phase, how far its rollout is, and why it is stuck, from what the cluster says.

use jiff::{SignedDuration, Timestamp};

use super::canary::Provider;
use super::{Kind, Manager, Phase, Pod, Progress, Revision, Truth, Warning, Workload};

mod canary;
mod create;
mod event;
mod flagger;
mod pod;
mod rollout;
#[cfg(test)]
mod tests;
mod trouble;
mod words;

use rollout::{Stage, rollout};

/// A controller that is well sees a change within a second or two: until then that is not worth a word.
const SEEN_SOON: SignedDuration = SignedDuration::from_secs(3);
/// Any other is stuck.
const SEEN_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// A change that is not seen yet is taken for the one our note speaks of.
const ACTED_LATELY: SignedDuration = SignedDuration::from_mins(10);

/// What a workload's row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub phase: Phase,
    /// Present while a rollout is under way or stuck.
    pub progress: Option<Progress>,
    /// Since when the rollout is on its way.
    pub since: Option<Timestamp>,
    /// When the controller gives up.
    pub gives_up: Option<Timestamp>,
    pub why: Option<Why>,
}

/// Why a workload is not steady: a kind that code can ask for, and one clause for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub reason: Reason,
    /// Not escaped: it may hold words from the cluster.
    pub text: String,
    /// The pod that shows it, when one does.
    pub pod: Option<Box<str>>,
}

/// The reasons that have a meaning of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    ImagePull,
    CrashLoop,
    OutOfMemory,
    Config,
    CreateFailed,
    Unschedulable,
    Quota,
    Admission,
    NotReady,
    Evicted,
    DeadlineExceeded,
    NoProgress,
    Paused,
    Partition,
    OnDelete,
    Draining,
    NotSeenYet,
    Unavailable,
    /// A canary waits for somebody, or for its time.
    Waits,
    /// A canary was given up.
    Aborted,
    /// What part it has in a canary, when all is well.
    Part,
    Other,
}

/// Everything that is known about one workload; the parts that are not watched are empty.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub workload: &'a Workload,
    /// The one that serves in its place, when its canary has the stable side in another.
    pub serving: Option<&'a Workload>,
    pub revisions: &'a [Revision],
    pub pods: &'a [&'a Pod],
    pub warnings: &'a [&'a Warning],
}

/// How a workload stands, from what is known of it alone. A few answers hang on `now` (how long a pod waits, how
/// old a warning is), so a workload that is not steady is worth asking about again as time goes by.
pub fn standing(evidence: Evidence<'_>, now: Timestamp) -> Standing {
    let workload = evidence.workload;
    if workload.deleting {
        return at(Phase::Unknown, why(Reason::Other, "is being deleted"));
    }
    let rollout = rollout(evidence);
    match rollout.stage {
        Stage::NotSeen => not_seen(evidence, rollout.progress, now),
        Stage::Zero => zero(workload),
        Stage::UnderWay { finished: true } => not_available(evidence, rollout.progress, now),
        Stage::UnderWay { finished: false } => under_way(evidence, rollout.progress, now),
        Stage::Held(held) => held_back(evidence, held, rollout.progress, now),
        Stage::Complete => complete(evidence, now),
        Stage::Reported => canary::standing(evidence, rollout.progress, now),
    }
}

/// What keeps one pod from serving and does not heal by waiting, as far as the pod itself tells.
pub fn broken(pod: &Pod, now: Timestamp) -> Option<Why> {
    let trouble = pod::trouble(pod, &[], now).filter(|trouble| trouble.stalls)?;
    Some(trouble.why)
}

/// A rollout that is on its way, or stuck.
fn under_way(evidence: Evidence<'_>, progress: Progress, now: Timestamp) -> Standing {
    let workload = evidence.workload;
    let since = rollout::since(evidence);
    let trouble = trouble::of_rollout(evidence, now);
    let gave_up = rollout::gave_up(workload, since);
    let still = rollout::without_progress(evidence, now);
    let stalls = trouble.as_ref().is_some_and(|t| t.stalls);
    let phase = if gave_up || ((stalls || still.is_some()) && !workload.paused) {
        Phase::Stalled
    } else if workload.paused {
        // What is broken does not wait to be promoted.
        if is_held(workload, Provider::PausedDeployment) && !stalls {
            Phase::Canary
        } else {
            Phase::Paused
        }
    } else {
        moving(workload)
    };
    let why = trouble
        .map(|t| t.why)
        .or_else(|| gave_up.then(|| deadline_exceeded(workload))?)
        .or_else(|| workload.paused.then(|| paused_half_way(workload))?)
        .or_else(|| {
            still.and_then(|s| {
                why(
                    Reason::NoProgress,
                    format!("no progress for {}", words::span(s)),
                )
            })
        })
        .or_else(|| short_of_pods(workload))
        .or_else(|| old_pods_left(workload));
    Standing {
        phase,
        progress: Some(progress),
        since,
        gives_up: rollout::gives_up(workload, gave_up),
        why,
    }
}

/// The rollout was complete once; what is missing now is a matter of health.
fn not_available(evidence: Evidence<'_>, progress: Progress, now: Timestamp) -> Standing {
    let workload = evidence.workload;
    let trouble = trouble::at_rest(evidence, now);
    let unavailable = workload
        .condition("Available")
        .is_some_and(|c| c.status == Truth::False);
    if trouble.is_none() && !unavailable && rollout::starting(evidence, now) {
        return Standing {
            progress: Some(progress),
            ..at(Phase::Rolling, None)
        };
    }
    let counts = workload.counts;
    let short = || {
        why(
            Reason::Unavailable,
            format!("{} of {} available", counts.available, workload.desired),
        )
    };
    at(Phase::Degraded, trouble.map(|t| t.why).or_else(short))
}

fn complete(evidence: Evidence<'_>, now: Timestamp) -> Standing {
    let workload = evidence.workload;
    let unavailable = workload
        .condition("Available")
        .filter(|c| c.status == Truth::False);
    let trouble = trouble::at_rest(evidence, now).filter(|t| t.stalls);
    if unavailable.is_some() || trouble.is_some() {
        let said = || unavailable.and_then(|c| why(Reason::Unavailable, words::clause(&c.message)));
        return at(Phase::Degraded, trouble.map(|t| t.why).or_else(said));
    }
    if workload.paused {
        return at(
            Phase::Paused,
            why(
                Reason::Paused,
                "paused: a new template waits until it is resumed",
            ),
        );
    }
    if let Some(beside) = workload.canary.as_ref().and_then(|c| c.beside()) {
        let text = format!("waits for you: serves beside {beside}");
        return at(Phase::Canary, why(Reason::Waits, text));
    }
    at(Phase::Steady, draining(evidence).or_else(|| kept(workload)))
}

/// It is the stable side of another's canary.
fn kept(workload: &Workload) -> Option<Why> {
    let Some(Manager::Flagger(canary)) = &workload.manager else {
        return None;
    };
    why(Reason::Part, format!("kept by the Canary {canary}"))
}

fn not_seen(evidence: Evidence<'_>, progress: Progress, now: Timestamp) -> Standing {
    let since = rollout::since(evidence);
    // The scale may have been written long after the template.
    let written = evidence.workload.spec_written.or(since);
    let waited = written.map(|written| now.duration_since(written));
    let stalled = waited.filter(|waited| *waited > SEEN_WITHIN);
    let late = waited.is_some_and(|waited| waited >= SEEN_SOON);
    let phase = if stalled.is_some() {
        Phase::Stalled
    } else if acted_lately(evidence.workload, now) {
        // Our note stays until the next template; this may be a change of something else.
        moving(evidence.workload)
    } else {
        Phase::Rolling
    };
    let how_long = match stalled {
        Some(waited) => format!("for {}", words::span(waited)),
        None => "yet".to_owned(),
    };
    let text = format!("the controller has not seen the change {how_long}");
    Standing {
        progress: Some(progress),
        since,
        ..at(phase, late.then(|| why(Reason::NotSeenYet, text)).flatten())
    }
}

fn zero(workload: &Workload) -> Standing {
    let left = workload.counts.total + workload.counts.terminating.unwrap_or(0);
    let text = match (left, workload.id.kind) {
        (0, Kind::DaemonSet) => why(Reason::Other, "no node wants it"),
        (0, Kind::Deployment | Kind::StatefulSet | Kind::Rollout) => None,
        (left, _) => why(Reason::Draining, format!("{} left", words::pods(left))),
    };
    at(Phase::ScaledToZero, text)
}

/// Held on purpose (partition, `OnDelete`): only what is broken outranks that.
fn held_back(evidence: Evidence<'_>, held: Why, progress: Progress, now: Timestamp) -> Standing {
    let workload = evidence.workload;
    let trouble = trouble::at_rest(evidence, now);
    let short = workload.counts.available < workload.desired;
    let (phase, why) = match trouble {
        Some(trouble) if trouble.stalls || short => (Phase::Degraded, trouble.why),
        Some(_) | None if is_held(workload, Provider::Partition) => {
            let text = format!("waits for you: {}", held.text);
            let reason = Reason::Waits;
            (
                Phase::Canary,
                Why {
                    reason,
                    text,
                    ..held
                },
            )
        }
        Some(_) | None => (Phase::Paused, held),
    };
    Standing {
        progress: Some(progress),
        since: rollout::since(evidence),
        ..at(phase, Some(why))
    }
}

/// A canary without a controller, which waits for somebody.
fn is_held(workload: &Workload, by: Provider) -> bool {
    workload.canary.as_ref().is_some_and(|c| c.provider == by)
}

fn acted_lately(workload: &Workload, now: Timestamp) -> bool {
    let lately = |at: Timestamp| now.duration_since(at) < ACTED_LATELY;
    workload.action.as_ref().is_some_and(|note| lately(note.at))
}

fn moving(workload: &Workload) -> Phase {
    let back = workload
        .action
        .as_ref()
        .is_some_and(|note| note.rolls_back());
    if back {
        Phase::RollingBack
    } else {
        Phase::Rolling
    }
}

fn deadline_exceeded(workload: &Workload) -> Option<Why> {
    let text = match workload.deadline_seconds {
        Some(seconds) => format!(
            "no progress for {}",
            words::span(SignedDuration::from_secs(seconds.into()))
        ),
        None => "no progress within the deadline".into(),
    };
    why(Reason::DeadlineExceeded, text)
}

fn paused_half_way(workload: &Workload) -> Option<Why> {
    if is_held(workload, Provider::PausedDeployment) {
        return why(Reason::Waits, "waits for you: paused half-way");
    }
    let text = match workload.counts.updated {
        0 => "paused: the new template waits until it is resumed".to_owned(),
        updated => format!("paused half-way: {updated} of {} updated", workload.desired),
    };
    why(Reason::Paused, text)
}

fn short_of_pods(workload: &Workload) -> Option<Why> {
    workload
        .condition("Available")
        .filter(|c| c.status == Truth::False)?;
    let text = format!(
        "only {} of {} available",
        workload.counts.available, workload.desired
    );
    why(Reason::Unavailable, text)
}

/// New pods are complete, and the old ones have not been told to go yet.
fn old_pods_left(workload: &Workload) -> Option<Why> {
    let counts = workload.counts;
    let left = counts.total.saturating_sub(counts.updated);
    let all_new =
        counts.updated >= workload.desired && left > 0 && workload.id.kind == Kind::Deployment;
    all_new.then(|| {
        why(
            Reason::Draining,
            format!("{} of the old revision left", words::pods(left)),
        )
    })?
}

/// Complete as kubectl sees it, and pods are still on their way out.
fn draining(evidence: Evidence<'_>) -> Option<Why> {
    let seen = evidence.pods.iter().filter(|pod| pod.terminating).count();
    let told = evidence.workload.counts.terminating.unwrap_or(0);
    match u32::try_from(seen).unwrap_or(u32::MAX).max(told) {
        0 => None,
        n => why(Reason::Draining, format!("{} terminating", words::pods(n))),
    }
}

fn at(phase: Phase, why: Option<Why>) -> Standing {
    Standing {
        phase,
        progress: None,
        since: None,
        gives_up: None,
        why,
    }
}

/// Optional, because so is every place it goes to.
#[allow(clippy::unnecessary_wraps)]
fn why(reason: Reason, text: impl Into<String>) -> Option<Why> {
    Some(Why {
        reason,
        text: text.into(),
        pod: None,
    })
}
