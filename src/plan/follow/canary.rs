//! The end of a promotion or an abort, by what the canary's controller says.

use jiff::{SignedDuration, Timestamp};

use crate::domain::canary::{Canary, Reported, at};
use crate::domain::{Fleet, Phase, Workload};
use crate::plan::Verb;
use crate::text;

use super::{Follow, Goal, accepted, failed, step};

/// A controller that is well answers a write into the status within a second.
const ANSWERS_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// What was shown when it was promoted or aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// Of the revision that was on its way.
    pub hash: Box<str>,
    pub step: u32,
}

pub(super) fn follow(
    fleet: &Fleet,
    workload: &Workload,
    (goal, turned): (&Goal, &Turned),
    now: Timestamp,
) -> Follow {
    let Some(canary) = workload.canary.as_deref() else {
        return failed("it is no canary any more");
    };
    if canary.current != turned.hash {
        return failed("superseded: another revision was released since");
    }
    match goal.verb {
        Verb::Abort => aborted(fleet, (workload, canary), goal, now),
        _ => promoted(fleet, (workload, canary), (goal, turned), now),
    }
}

/// Whether a later read has it in it.
pub fn is_done(verb: Verb, turned: &Turned, now: &Canary) -> bool {
    let same = now.current == turned.hash;
    match verb {
        Verb::Abort => same && now.aborted,
        _ => same && (now.step > turned.step || now.pause.is_none() || now.is_promoted()),
    }
}

fn promoted(
    fleet: &Fleet,
    (workload, canary): (&Workload, &Canary),
    (goal, turned): (&Goal, &Turned),
    now: Timestamp,
) -> Follow {
    if canary.aborted {
        return failed("it was aborted");
    }
    let counts = workload.counts;
    if canary.is_promoted() && canary.reported == Reported::Healthy {
        let words = format!(
            "verified: promoted, {} of {} serve",
            counts.available, workload.desired
        );
        return Follow::Done(words);
    }
    if !is_done(goal.verb, turned, canary) {
        return unanswered(goal, now);
    }
    if let Some(standing) = fleet.standing(&workload.id, now)
        && matches!(standing.phase, Phase::Stalled | Phase::Degraded)
    {
        return failed(
            &standing
                .why
                .map_or_else(|| standing.phase.to_string(), |why| why.text),
        );
    }
    let at = at(workload, fleet.revisions(workload));
    let is_at = at.map_or_else(
        || "all steps are done".to_owned(),
        |at| text::canary::at(&at),
    );
    if canary.pause.is_some() && canary.step > turned.step {
        return Follow::Done(format!("verified: {is_at}, and waits there"));
    }
    Follow::Pending(vec![
        accepted(),
        step(true, "controller goes on"),
        step(false, is_at),
    ])
}

fn aborted(
    fleet: &Fleet,
    (workload, canary): (&Workload, &Canary),
    goal: &Goal,
    now: Timestamp,
) -> Follow {
    if canary.is_promoted() {
        return failed("it was promoted before the controller saw the abort");
    }
    if !canary.aborted {
        return unanswered(goal, now);
    }
    let revisions = fleet.revisions(workload);
    let stable = revisions.iter().find(|r| r.pod_hash == canary.stable);
    let serve = stable.map_or(workload.counts.available, |r| r.available);
    let (want, to) = (workload.desired, &goal.to_version);
    if serve >= want {
        let asked = &goal.from_version;
        return Follow::Done(format!(
            "verified: {serve} of {want} pods serve {to}; the template still asks for {asked}"
        ));
    }
    Follow::Pending(vec![
        accepted(),
        step(true, "controller aborted it"),
        step(false, format!("{serve} of {want} pods serve {to}")),
    ])
}

fn unanswered(goal: &Goal, now: Timestamp) -> Follow {
    let waited = now.duration_since(goal.accepted);
    let words = if waited > ANSWERS_WITHIN {
        format!(
            "controller has not answered for {}",
            text::age(goal.accepted, now)
        )
    } else {
        "controller saw it".to_owned()
    };
    Follow::Pending(vec![accepted(), step(false, words)])
}
