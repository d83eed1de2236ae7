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
        Verb::Pause | Verb::Resume => hand(said, (goal.verb, turned)),
        Verb::Abort if canary.current == turned.hash => aborted(fleet, said, goal, now),
        Verb::Promote if canary.current == turned.hash => promoted(fleet, said, goal, now),
        Verb::Abort | Verb::Promote => failed("superseded: another template was released since"),
        _ if flagger.suspended() => failed("its Canary is suspended: nothing comes of it"),
        _ => released(fleet, said, (goal, turned), now),
    }
}

/// Whether a later read has it in it.
pub fn is_done(verb: Verb, turned: &Turned, (canary, flagger): (&Canary, &Flagger)) -> bool {
    let same = canary.current == turned.hash;
    match verb {
        Verb::Pause => flagger.suspended(),
        Verb::Resume if turned.suspended => !flagger.suspended(),
        Verb::Resume => !canary.promoted_fully,
        Verb::Abort => same && (canary.aborted || flagger.failed >= flagger.threshold),
        Verb::Promote => same && (canary.promoted_fully || canary.is_promoted()),
        _ => !same,
    }
}

fn hand((_, canary, flagger): Said<'_>, (verb, turned): (Verb, &Turned)) -> Follow {
    if !is_done(verb, turned, (canary, flagger)) {
        let words = format!("its Canary {} says so", flagger.name);
        return Follow::Pending(vec![accepted(), step(false, words)]);
    }
    let primary = canary.stable_in.as_deref().unwrap_or_default();
    Follow::Done(match (verb, canary.is_partial()) {
        (Verb::Pause, true) => "verified: its Canary is suspended, and stands still".to_owned(),
        (Verb::Pause, false) => format!("verified: its Canary is suspended, {primary} serves"),
        _ if turned.suspended => format!("verified: its Canary is on again, {}", looks(flagger)),
        _ => format!("verified: its analysis is on again, {}", looks(flagger)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::flagger::sample;
    use crate::domain::fixture::{IMAGE, OLD_IMAGE, ago, containers, id, now, workload};
    use crate::domain::{Change, Feed, Item, Kind, SourceId};
    use crate::plan::verbs::rollback::sample as plans;

    /// Of `2.15.0` on its way beside `2.14.1`, so many seconds after it was accepted.
    fn ends(verb: Verb, was: &Canary, now_is: Canary, seconds: i64) -> String {
        let kind = Kind::Deployment;
        let turned = Turned {
            hash: was.current.clone(),
            stable: was.stable.clone(),
            step: was.step,
            aborted: was.aborted,
            aborted_at: was.aborted_at,
            phase: None,
            suspended: was.flagger.as_ref().unwrap().suspended(),
        };
        let mut target = workload(kind);
        target.containers = containers(IMAGE);
        let mut primary = target.clone();
        primary.id.name = "checkout-primary".into();
        let serves_new = now_is.is_promoted();
        primary.containers = containers(if serves_new { IMAGE } else { OLD_IMAGE });
        let note = verb == Verb::Retry || verb == Verb::Rollback;
        target.action = note.then(|| {
            let mut note = plans::note(42, "2.14.1");
            note.id = "r1".into();
            note
        });
        let goal = Goal {
            verb,
            id: "r1".into(),
            workload: id(kind),
            uid: target.uid.clone(),
            template: (!note).then_some(target.template),
            generation: target.generation,
            from_version: "2.15.0".into(),
            accepted: ago(seconds),
            turned: Some(turned),
            ..plans::plan().goal
        };
        let mut fleet = Fleet::default();
        let canary = Item::Canary {
            of: id(kind),
            uid: "c1".into(),
            canary: Box::new(now_is),
        };
        let listed = [target, primary].map(|one| Item::Workload(Box::new(one)));
        for (feed, item) in listed
            .into_iter()
            .map(|item| (Feed::Workloads(kind), item))
            .chain([(Feed::Canaries, canary)])
        {
            let source = SourceId {
                cluster: id(kind).cluster,
                namespace: None,
                feed,
            };
            fleet.apply(&source, Change::Put(item));
        }
        match super::super::super::follow(&fleet, &goal, now()) {
            Follow::Pending(milestones) => {
                let texts = milestones.iter().map(|m| m.text.clone());
                texts.collect::<Vec<_>>().join(", ")
            }
            Follow::Done(words) | Follow::Failed(words) => words,
        }
    }

    fn with(phase: Phase, change: impl FnOnce(&mut Canary)) -> Canary {
        let mut canary = sample(phase);
        change(&mut canary);
        canary
    }

    fn failing(canary: &mut Canary, failed: u32) {
        canary.flagger.as_mut().unwrap().failed = failed;
    }

    #[test]
    fn an_abort_ends_when_flagger_gave_it_up() {
        let was = sample(Phase::Progressing);
        let serves = "6 of 6 of checkout-primary serve 2.14.1";
        let given_up = format!("verified: {serves}; the template still asks for 2.15.0");
        for (now_is, seconds, want) in [
            (
                with(Phase::Progressing, |c| failing(c, 2)),
                5,
                "server accepted, check 2/3, Flagger looks every 10s",
            ),
            (
                sample(Phase::Progressing),
                5,
                "server accepted, check 2/3, Flagger looks every 10s",
            ),
            (
                sample(Phase::Progressing),
                25,
                "not verified: Flagger wrote its own count over it: abort it again",
            ),
            (sample(Phase::Failed), 9, &*given_up),
            (
                sample(Phase::Promoting),
                9,
                "not verified: it had passed before Flagger saw the abort",
            ),
            (
                with(Phase::Progressing, |c| c.current = "other".into()),
                9,
                "not verified: superseded: another template was released since",
            ),
        ] {
            assert_eq!(ends(Verb::Abort, &was, now_is, seconds), want);
        }
    }

    #[test]
    fn a_promotion_ends_when_its_analysis_is_on_again() {
        let was = sample(Phase::Progressing);
        let still_off = |c: &mut Canary| c.promoted_fully = true;
        for (now_is, seconds, want) in [
            (
                with(Phase::Finalising, still_off),
                9,
                "server accepted, passed, its primary takes it over, Flagger looks every 10s",
            ),
            (
                with(Phase::Succeeded, still_off),
                9,
                "server accepted, promoted, its analysis is on again",
            ),
            (
                with(Phase::Succeeded, still_off),
                40,
                "not verified: promoted, but skipAnalysis is still on: the next template goes to all unchecked",
            ),
            (
                sample(Phase::Succeeded),
                12,
                "verified: promoted, 6 of 6 of checkout-primary serve 2.15.0",
            ),
            (sample(Phase::Failed), 12, "not verified: it failed"),
        ] {
            assert_eq!(ends(Verb::Promote, &was, now_is, seconds), want);
        }
    }

    #[test]
    fn a_template_ends_with_the_release_that_is_made_of_it() {
        let was = with(Phase::Failed, |c| {
            (c.current, c.aborted_at) = ("bad".into(), Some(ago(500)));
        });
        let same = || {
            with(Phase::Failed, |c| {
                (c.current, c.aborted_at) = ("bad".into(), Some(ago(500)));
            })
        };
        // Its controller writes the new name before it begins.
        let seen = with(Phase::Failed, |c| c.aborted_at = Some(ago(500)));
        let again = with(Phase::Failed, |c| c.aborted_at = Some(ago(5)));
        let taken_back = with(Phase::Failed, |c| c.aborted = false);
        let waits = with(Phase::Waiting, |c| {
            c.current = "bad".into();
            c.pause.as_mut().unwrap().since = Some(ago(5));
        });
        for (now_is, want) in [
            (
                same(),
                "server accepted, Flagger sees it, Flagger looks every 10s",
            ),
            (
                seen,
                "server accepted, Flagger sees it, Flagger looks every 10s",
            ),
            (
                sample(Phase::Progressing),
                "server accepted, check 2/3, Flagger looks every 10s",
            ),
            (
                sample(Phase::WaitingPromotion),
                "verified: check 2/3, and waits for its gate",
            ),
            (waits, "verified: check 2/3, and waits for its gate"),
            (again, "not verified: it failed"),
            (
                sample(Phase::Succeeded),
                "verified: 6 of 6 of checkout-primary serve 2.15.0",
            ),
            (
                taken_back,
                "verified: 6 of 6 of checkout-primary serve 2.14.1",
            ),
        ] {
            assert_eq!(ends(Verb::Retry, &was, now_is, 10), want);
        }
    }

    #[test]
    fn a_suspension_ends_when_the_canary_says_so() {
        let was = sample(Phase::Progressing);
        let held = || {
            with(Phase::Progressing, |c| {
                c.flagger.as_mut().unwrap().suspend = Some(true);
            })
        };
        assert_eq!(
            ends(Verb::Pause, &was, held(), 1),
            "verified: its Canary is suspended, and stands still"
        );
        assert_eq!(
            ends(Verb::Pause, &was, sample(Phase::Progressing), 1),
            "server accepted, its Canary checkout says so"
        );
        assert_eq!(
            ends(Verb::Resume, &held(), sample(Phase::Progressing), 1),
            "verified: its Canary is on again, Flagger looks every 10s"
        );
        let unchecked = || with(Phase::Succeeded, |c| c.promoted_fully = true);
        assert_eq!(
            ends(Verb::Resume, &unchecked(), unchecked(), 1),
            "server accepted, its Canary checkout says so"
        );
        assert_eq!(
            ends(Verb::Resume, &unchecked(), sample(Phase::Succeeded), 1),
            "verified: its analysis is on again, Flagger looks every 10s"
        );
    }
}
