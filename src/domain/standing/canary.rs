//! How a workload stands that its controller moves by steps: as the controller reports, with what its pods say.

use jiff::{SignedDuration, Timestamp};

use crate::domain::canary::{Canary, Pause, PausedBy, Reported, Verdict};
use crate::domain::{Phase, Progress, Revision, version};

use super::trouble::{self, Trouble};
use super::{Evidence, Reason, Standing, Why, at, complete, flagger, moving, rollout, why, words};

pub(super) fn standing(evidence: Evidence<'_>, progress: Progress, now: Timestamp) -> Standing {
    let Some(canary) = evidence.workload.canary.as_deref() else {
        return at(Phase::Unknown, None);
    };
    if let Some(flagger) = &canary.flagger {
        return flagger::standing(evidence, (canary, flagger), progress, now);
    }
    if canary.aborted {
        return Standing {
            since: rollout::since(evidence),
            ..at(Phase::Degraded, aborted(evidence, canary))
        };
    }
    match canary.reported {
        Reported::Healthy => complete(evidence, now),
        Reported::Nothing => at(
            Phase::Unknown,
            why(Reason::NotSeenYet, "its controller has said nothing of it"),
        ),
        Reported::Degraded => {
            let (phase, why) = degraded(evidence, canary, now);
            Standing {
                progress: (phase == Phase::Stalled).then_some(progress),
                since: rollout::since(evidence),
                ..at(phase, why)
            }
        }
        Reported::Paused | Reported::Progressing => {
            let (phase, why) = under_way(evidence, canary, now);
            Standing {
                progress: Some(progress),
                since: rollout::since(evidence),
                ..at(phase, why)
            }
        }
    }
}

/// Its controller calls it degraded, while all goes to what served before: who reads that has to know both.
fn aborted(evidence: Evidence<'_>, canary: &Canary) -> Option<Why> {
    let (stable, asked) = (
        named(evidence, canary, &canary.stable),
        named(evidence, canary, &canary.current),
    );
    let counts = evidence.workload.counts;
    let serves = of_hash(evidence, &canary.stable).map_or(counts.available, |r| r.available);
    let wanted = evidence.workload.desired;
    let gets = canary.gets().filter(|gets| *gets > 0);
    let text = if let Some(gets) = gets {
        format!("aborted: back to {stable}, {asked} still gets {gets}% of the traffic")
    } else if serves >= wanted {
        format!("aborted: {stable} serves, {asked} is still asked for")
    } else {
        format!("aborted: back to {stable}, {serves} of {wanted} serve")
    };
    let cause = canary.cause().map(words::clause);
    let cause = cause.map_or_else(String::new, |cause| format!("; {cause}"));
    why(Reason::Aborted, format!("{text}{cause}"))
}

fn degraded(evidence: Evidence<'_>, canary: &Canary, now: Timestamp) -> (Phase, Option<Why>) {
    let trouble = trouble::of_rollout(evidence, now).map(|trouble| trouble.why);
    let message = &*canary.message;
    if let Some(said) = message.strip_prefix("ProgressDeadlineExceeded: ") {
        let said = || why(Reason::DeadlineExceeded, words::clause(said));
        return (Phase::Stalled, trouble.or_else(said));
    }
    if message.starts_with("InvalidSpec") {
        let said = message
            .split_once("is invalid: ")
            .map_or(message, |(_, why)| why);
        let text = format!("invalid spec: {}", words::clause(said));
        return (Phase::Degraded, why(Reason::Config, text));
    }
    let said = || why(Reason::Other, words::clause(message));
    (Phase::Degraded, trouble.or_else(said))
}

/// What does not heal by waiting is stuck, whether its controller waits on purpose or not.
fn under_way(evidence: Evidence<'_>, canary: &Canary, now: Timestamp) -> (Phase, Option<Why>) {
    let trouble = trouble::of_rollout(evidence, now);
    let phase = match (&trouble, &canary.pause) {
        (Some(Trouble { stalls: true, .. }), _) => Phase::Stalled,
        (
            _,
            Some(Pause {
                by: PausedBy::Hand, ..
            }),
        ) => Phase::Paused,
        // Without steps or a pause it is moved like any other.
        _ if canary.is_partial() && (!canary.steps.is_empty() || canary.pause.is_some()) => {
            Phase::Canary
        }
        _ => moving(evidence.workload),
    };
    let waits = || canary.pause.as_ref().and_then(|pause| waits(*pause, now));
    let why = trouble.map(|trouble| trouble.why);
    (phase, why.or_else(waits).or_else(|| analysis(canary)))
}

/// What it waits for, and for how long it has.
fn waits(pause: Pause, now: Timestamp) -> Option<Why> {
    let since = pause.since.map(|since| now.duration_since(since));
    let ago = since.map_or_else(String::new, |since| format!(", {}", words::span(since)));
    let text = match (pause.by, pause.until) {
        (PausedBy::Hand, _) => "paused by hand".to_owned(),
        (PausedBy::Inconclusive, _) => format!("analysis inconclusive: waits for you{ago}"),
        (_, Some(until)) => {
            let left = until.duration_since(now).max(SignedDuration::ZERO);
            format!("goes on in {}", words::span(left))
        }
        (PausedBy::Step | PausedBy::BlueGreen, None) => format!("waits for you{ago}"),
        (PausedBy::Gate, None) => format!("waits for its gate{ago}"),
        (PausedBy::Other, None) => format!("paused{ago}"),
    };
    why(Reason::Waits, text)
}

/// The controller's own words for a step that analyses are misleading.
fn analysis(canary: &Canary) -> Option<Why> {
    let runs = |verdict| matches!(verdict, Verdict::Running | Verdict::Pending);
    let running = canary.analyses.iter().find(|run| runs(run.verdict))?;
    why(Reason::Waits, format!("analysis {} runs", running.name))
}

fn of_hash<'a>(evidence: Evidence<'a>, hash: &str) -> Option<&'a Revision> {
    evidence.revisions.iter().find(|r| *r.pod_hash == *hash)
}

/// The version of the revision with this hash, else the hash.
fn named(evidence: Evidence<'_>, canary: &Canary, hash: &str) -> String {
    let Some(revision) = of_hash(evidence, hash) else {
        return hash.to_owned();
    };
    let other = if *hash == *canary.stable {
        &canary.current
    } else {
        &canary.stable
    };
    let other = of_hash(evidence, other).map(|r| &*r.containers);
    version::version(
        &revision.containers,
        revision.version_label.as_deref(),
        other,
    )
}
