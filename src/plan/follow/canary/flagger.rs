//! The end of what is done to a canary of Flagger, by what its Canary says at each of its looks.

use jiff::Timestamp;

use crate::domain::canary::flagger::{Flagger, Phase, told};
use crate::domain::canary::{Canary, at};
use crate::domain::version::version;
use crate::domain::{Fleet, Workload};
use crate::plan::Verb;
use crate::text;

use super::super::{Follow, Goal, accepted, failed, step};
use super::Turned;

/// The workload, what its Canary says, and what only Flagger does.
type Said<'a> = (&'a Workload, &'a Canary, &'a Flagger);

pub fn follow(
    fleet: &Fleet,
    said: Said<'_>,
    (goal, turned): (&Goal, &Turned),
    now: Timestamp,
) -> Follow {
    let (_, canary, flagger) = said;
    match goal.verb {
        Verb::Pause | Verb::Resume => hand(said, goal.verb == Verb::Pause),
        Verb::Abort if canary.current == turned.hash => aborted(fleet, said, goal, now),
        Verb::Promote | Verb::PromoteFull if canary.current == turned.hash => {
            promoted(fleet, said, goal, now)
        }
        Verb::Abort | Verb::Promote | Verb::PromoteFull => {
            failed("superseded: another template was released since")
        }
        _ if flagger.suspended() => failed("its Canary is suspended: nothing comes of it"),
        _ => released(fleet, said, (goal, turned), now),
    }
}

/// Whether a later read has it in it. `same`: it is about the same release.
pub fn is_done(verb: Verb, same: bool, (canary, flagger): (&Canary, &Flagger)) -> bool {
    match verb {
        Verb::Pause => flagger.suspended(),
        Verb::Resume => !flagger.suspended(),
        Verb::Abort => same && (canary.aborted || flagger.failed >= flagger.threshold),
        Verb::Promote | Verb::PromoteFull => {
            same && (canary.promoted_fully || canary.is_promoted())
        }
        _ => !same,
    }
}

fn hand((_, canary, flagger): Said<'_>, suspend: bool) -> Follow {
    if flagger.suspended() != suspend {
        let words = format!("its Canary {} says so", flagger.name);
        return Follow::Pending(vec![accepted(), step(false, words)]);
    }
    let primary = canary.stable_in.as_deref().unwrap_or_default();
    Follow::Done(match (suspend, canary.is_partial()) {
        (true, true) => "verified: its Canary is suspended, and stands still".to_owned(),
        (true, false) => format!("verified: its Canary is suspended, {primary} serves"),
        (false, _) => format!("verified: its Canary is on again, {}", looks(flagger)),
    })
}

fn aborted(fleet: &Fleet, said: Said<'_>, goal: &Goal, now: Timestamp) -> Follow {
    let (workload, canary, flagger) = said;
    if canary.is_promoted() || flagger.phase.is_past_analysis() {
        return failed("it had passed before Flagger saw the abort");
    }
    if canary.aborted {
        let (serves, all) = served(fleet, workload);
        let asked = &goal.from_version;
        let words = format!("{serves}; the template still asks for {asked}");
        return end(all, &words, "Flagger gave it up");
    }
    // Its own count of the same moment wins.
    let late = now.duration_since(goal.accepted) > flagger.looks(2);
    if late && flagger.failed < flagger.threshold {
        return failed("Flagger wrote its own count over it: abort it again");
    }
    waits(said)
}

fn promoted(fleet: &Fleet, said: Said<'_>, goal: &Goal, now: Timestamp) -> Follow {
    let (workload, canary, flagger) = said;
    if canary.aborted {
        return failed(&gave_up(fleet, said, now));
    }
    if !canary.is_promoted() {
        return waits(said);
    }
    if canary.promoted_fully {
        // The step that switches it on again waits for the same news.
        let late = now.duration_since(goal.accepted) > flagger.looks(3);
        if late {
            return failed(
                "promoted, but skipAnalysis is still on: the next template goes to all unchecked",
            );
        }
        let words = "its analysis is on again";
        return Follow::Pending(vec![accepted(), step(true, "promoted"), step(false, words)]);
    }
    let (serves, all) = served(fleet, workload);
    end(all, &format!("promoted, {serves}"), "promoted")
}

/// A template that was written: Flagger makes a release of it, or takes it for what serves already.
fn released(
    fleet: &Fleet,
    said: Said<'_>,
    (goal, turned): (&Goal, &Turned),
    now: Timestamp,
) -> Follow {
    let (workload, canary, flagger) = said;
    let again = canary.aborted && canary.aborted_at != turned.aborted_at;
    if again {
        return failed(&gave_up(fleet, said, now));
    }
    let begun = flagger.phase.is_under_way() && canary.current != turned.hash;
    if let Some(pause) = canary.pause.filter(|_| flagger.phase.is_under_way()) {
        // Before its gate lets it begin, nothing of it is applied.
        let new = pause.since.is_some_and(|since| since >= goal.accepted);
        if begun || (new && flagger.phase == Phase::Waiting) {
            return Follow::Done(format!(
                "verified: {}, and waits for its gate",
                place(workload)
            ));
        }
    }
    let ended = !flagger.phase.is_under_way() && canary.current != turned.hash && !canary.aborted;
    if ended {
        let (serves, all) = served(fleet, workload);
        return end(all, &serves, "Flagger is done with it");
    }
    if begun {
        return waits(said);
    }
    Follow::Pending(vec![
        accepted(),
        step(false, format!("Flagger sees it, {}", looks(flagger))),
    ])
}

fn waits((workload, _, flagger): Said<'_>) -> Follow {
    let what = match flagger.phase {
        Phase::Promoting | Phase::Finalising => "passed, its primary takes it over".to_owned(),
        _ => place(workload),
    };
    Follow::Pending(vec![
        accepted(),
        step(false, format!("{what}, {}", looks(flagger))),
    ])
}

/// `Flagger looks every 10s`.
fn looks(flagger: &Flagger) -> String {
    format!(
        "Flagger looks every {}",
        text::duration(flagger.interval.into())
    )
}

fn place(workload: &Workload) -> String {
    at(workload, &[]).map_or_else(|| "at rest".to_owned(), |at| text::canary::at(&at))
}

/// Why it failed, as far as events tell.
fn gave_up(fleet: &Fleet, (workload, canary, _): Said<'_>, now: Timestamp) -> String {
    match told(canary, fleet.warnings(workload), now) {
        Some(said) => format!("it failed: {said}"),
        None => "it failed".to_owned(),
    }
}

/// What serves in its place, and whether all of it does.
fn served(fleet: &Fleet, workload: &Workload) -> (String, bool) {
    let Some(serving) = fleet.served_by(workload) else {
        return ("what serves in its place is not known".into(), false);
    };
    let beside = Some(&*workload.containers);
    let version = version(
        &serving.containers,
        serving.version_label.as_deref(),
        beside,
    );
    let counts = serving.counts;
    let (serve, of) = (counts.available.min(counts.updated), serving.desired);
    let words = format!("{serve} of {of} of {} serve {version}", serving.id.name);
    (words, serve >= of)
}

/// Verified, once all of it serves.
fn end(all: bool, words: &str, before: &str) -> Follow {
    if all {
        return Follow::Done(format!("verified: {words}"));
    }
    Follow::Pending(vec![accepted(), step(true, before), step(false, words)])
}
