//! The end of what a canary is told, by what the canary's controller says.

use jiff::{SignedDuration, Timestamp};

use crate::domain::canary::flagger::Phase as Stage;
use crate::domain::canary::{Canary, Pause, PausedBy, Reported, at};
use crate::domain::{Fleet, Phase, Workload};
use crate::plan::Verb;
use crate::text;

use super::{Follow, Goal, accepted, failed, step};

mod flagger;

/// A controller that is well answers a write into the status within a second.
const ANSWERS_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// What was shown when it was promoted or aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// Of the revision that was on its way.
    pub hash: Box<str>,
    /// Of the one beside it.
    pub stable: Box<str>,
    pub step: u32,
    pub aborted: bool,
    pub aborted_at: Option<Timestamp>,
    /// Of Flagger, which goes on by itself within one.
    pub phase: Option<Stage>,
    /// Flagger was told to do nothing at all.
    pub suspended: bool,
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
    if let Some(flagger) = &canary.flagger {
        return flagger::follow(fleet, (workload, canary, flagger), (goal, turned), now);
    }
    if canary.current != turned.hash {
        return failed("superseded: another revision was released since");
    }
    match goal.verb {
        Verb::Abort => aborted(fleet, (workload, canary), goal, now),
        _ => goes_on(fleet, (workload, canary), (goal, turned), now),
    }
}

/// What its Canary says is not told by the generation of the workload.
pub(super) fn is_of_flagger(workload: &Workload) -> bool {
    let canary = workload.canary.as_deref();
    canary.is_some_and(|canary| canary.flagger.is_some())
}

/// Whether a later read has it in it.
pub fn is_done(verb: Verb, turned: &Turned, now: &Canary) -> bool {
    if let Some(flagger) = &now.flagger {
        return flagger::is_done(verb, turned, (now, flagger));
    }
    let same = now.current == turned.hash;
    match verb {
        Verb::Abort => same && now.aborted,
        // Until its controller has answered, its message still tells of the abort.
        Verb::Retry => same && !now.aborted && !now.message.starts_with("RolloutAborted"),
        Verb::PromoteFull => same && (now.promoted_fully || now.is_promoted()),
        _ => same && (now.step > turned.step || now.pause.is_none() || now.is_promoted()),
    }
}

fn goes_on(
    fleet: &Fleet,
    (workload, canary): (&Workload, &Canary),
    (goal, turned): (&Goal, &Turned),
    now: Timestamp,
) -> Follow {
    let as_before = turned.aborted && canary.aborted_at == turned.aborted_at;
    if canary.aborted && !as_before {
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
    let unsure =
        |pause: Pause| pause.by == PausedBy::Inconclusive && pause.since >= Some(goal.accepted);
    if canary.pause.is_some_and(unsure) {
        return failed("its analysis told neither good nor bad");
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
    let is_at = match at.filter(|at| at.steps > 0) {
        Some(at) => text::canary::at(&at),
        None if canary.steps.is_empty() => "it is before the switch of its traffic".to_owned(),
        None => "all steps are done".to_owned(),
    };
    let stops = match goal.verb {
        Verb::Retry => true,
        Verb::PromoteFull => false,
        _ => canary.step > turned.step,
    };
    // Its revisions come by another feed: none of it serves only until they are heard of.
    let arrived = at.is_none_or(|at| at.set == 0 || at.real != Some(0));
    if canary.pause.is_some() && stops && arrived {
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
    // The write itself says that it is aborted; when, only its controller.
    if !canary.aborted || canary.aborted_at.is_none() {
        return unanswered(goal, now);
    }
    let revisions = fleet.revisions(workload);
    let stable = revisions.iter().find(|r| r.pod_hash == canary.stable);
    let serve = stable.map_or(workload.counts.available, |r| r.available);
    let (want, to) = (workload.desired, &goal.to_version);
    let gets = canary.gets().unwrap_or(0);
    if serve >= want && gets == 0 {
        let asked = &goal.from_version;
        return Follow::Done(format!(
            "verified: {serve} of {want} pods serve {to}; the template still asks for {asked}"
        ));
    }
    let mut steps = vec![
        accepted(),
        step(true, "controller aborted it"),
        step(serve >= want, format!("{serve} of {want} pods serve {to}")),
    ];
    if gets > 0 {
        let asked = &goal.from_version;
        steps.push(step(
            false,
            format!("{asked} still gets {gets}% of the traffic"),
        ));
    }
    Follow::Pending(steps)
}

/// A pause by hand is taken back: what comes then is its steps' own.
pub(super) fn resumed(fleet: &Fleet, workload: &Workload, canary: &Canary) -> Follow {
    let at = at(workload, fleet.revisions(workload));
    let is_at = match at.filter(|at| at.steps > 0) {
        _ if canary.aborted => "it stays aborted".to_owned(),
        Some(at) => text::canary::at(&at),
        None if canary.is_promoted() => "all of it is of one revision".to_owned(),
        None => "it goes on".to_owned(),
    };
    Follow::Done(format!(
        "verified: the controller has seen the resume, {is_at}"
    ))
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::canary::{healthy, sample};
    use crate::domain::fixture::{IMAGE, OLD_IMAGE, ago, id, now, revision, workload};
    use crate::domain::template::CanonicalHash;
    use crate::domain::{Change, Feed, Item, Kind, SourceId};

    /// Ten seconds after it was accepted.
    pub fn stands(verb: Verb, canary: Canary, serve: (u32, u32)) -> Follow {
        let mut cart = workload(Kind::Rollout);
        cart.canary = Some(Box::new(canary));
        let goal = Goal {
            verb,
            id: "r1".into(),
            workload: id(Kind::Rollout),
            uid: cart.uid.clone(),
            from_version: "2.15.0".into(),
            to_version: "2.14.1".into(),
            to: CanonicalHash("h".into()),
            template: Some(cart.template),
            generation: cart.generation,
            revision_name: "".into(),
            containers: cart.containers.clone(),
            accepted: ago(10),
            by: "me".into(),
            ready_for: 30,
            scaled: None,
            expected: None,
            gone: None,
            turned: Some(Turned {
                hash: "new".into(),
                stable: "old".into(),
                step: 1,
                aborted: verb == Verb::Retry,
                aborted_at: (verb == Verb::Retry).then(|| ago(60)),
                phase: None,
                suspended: false,
            }),
            held: None,
        };
        let mut new = revision(Kind::Rollout, 42, "new", IMAGE);
        let mut old = revision(Kind::Rollout, 41, "old", OLD_IMAGE);
        (new.available, old.available) = serve;
        let source = |feed| SourceId {
            cluster: "prod-eu".into(),
            namespace: None,
            feed,
        };
        let mut fleet = Fleet::default();
        let put = |fleet: &mut Fleet, feed, item| {
            fleet.apply(&source(feed), Change::Put(item));
        };
        let rollouts = Feed::Workloads(Kind::Rollout);
        put(&mut fleet, rollouts, Item::Workload(Box::new(cart)));
        for revision in [new, old] {
            let item = Item::Revision(Box::new(revision));
            put(&mut fleet, Feed::ReplicaSets, item);
        }
        super::super::follow(&fleet, &goal, now())
    }

    pub fn words(follow: &Follow) -> String {
        match follow {
            Follow::Pending(milestones) => {
                let texts = milestones.iter().map(|m| m.text.clone());
                texts.collect::<Vec<_>>().join(", ")
            }
            Follow::Done(words) | Follow::Failed(words) => words.clone(),
        }
    }

    #[test]
    fn a_promotion() {
        let at = |step, pause: Option<PausedBy>| Canary {
            step,
            set: 60,
            pause: pause.map(|by| Pause {
                by,
                since: Some(ago(1)),
                until: None,
            }),
            ..sample()
        };
        let moving = Canary {
            reported: Reported::Progressing,
            ..at(2, None)
        };
        let other = Canary {
            current: "newer".into(),
            ..sample()
        };
        for (canary, serve, want) in [
            (
                sample(),
                (1, 5),
                "server accepted, controller has not answered for 10s",
            ),
            (
                moving,
                (2, 4),
                "server accepted, controller goes on, 60% (33% now) step 3/5",
            ),
            (
                at(3, Some(PausedBy::Step)),
                (4, 2),
                "verified: 60% (66% now) step 4/5, and waits there",
            ),
            (healthy(), (6, 0), "verified: promoted, 6 of 6 serve"),
            (
                other,
                (1, 5),
                "not verified: superseded: another revision was released since",
            ),
            (
                Canary {
                    aborted: true,
                    ..sample()
                },
                (0, 6),
                "not verified: it was aborted",
            ),
            (
                Canary {
                    pause: Some(Pause {
                        by: PausedBy::Inconclusive,
                        since: Some(ago(2)),
                        until: None,
                    }),
                    ..sample()
                },
                (1, 5),
                "not verified: its analysis told neither good nor bad",
            ),
        ] {
            assert_eq!(words(&stands(Verb::Promote, canary, serve)), want);
        }
    }

    #[test]
    fn an_abort() {
        let written = || Canary {
            aborted: true,
            ..sample()
        };
        let aborted = || Canary {
            aborted_at: Some(ago(9)),
            ..written()
        };
        let routed = |weight| Canary {
            routed: Some(weight),
            ..aborted()
        };
        for (canary, serve, want) in [
            (
                sample(),
                (1, 5),
                "server accepted, controller has not answered for 10s",
            ),
            (
                written(),
                (0, 6),
                "server accepted, controller has not answered for 10s",
            ),
            (
                routed(60),
                (4, 6),
                "server accepted, controller aborted it, 6 of 6 pods serve 2.14.1, 2.15.0 still gets 60% of the traffic",
            ),
            (
                routed(0),
                (4, 6),
                "verified: 6 of 6 pods serve 2.14.1; the template still asks for 2.15.0",
            ),
            (
                aborted(),
                (1, 5),
                "server accepted, controller aborted it, 5 of 6 pods serve 2.14.1",
            ),
            (
                aborted(),
                (0, 6),
                "verified: 6 of 6 pods serve 2.14.1; the template still asks for 2.15.0",
            ),
            (
                healthy(),
                (6, 0),
                "not verified: it was promoted before the controller saw the abort",
            ),
        ] {
            assert_eq!(words(&stands(Verb::Abort, canary, serve)), want);
        }
    }

    #[test]
    fn a_retry() {
        let again = |at| Canary {
            aborted: true,
            aborted_at: Some(ago(at)),
            ..sample()
        };
        let unanswered = Canary {
            message: "RolloutAborted: Rollout aborted update to revision 3".into(),
            ..sample()
        };
        for (canary, want) in [
            (
                again(60),
                "server accepted, controller has not answered for 10s",
            ),
            (
                unanswered,
                "server accepted, controller has not answered for 10s",
            ),
            (again(5), "not verified: it was aborted"),
            (
                sample(),
                "verified: 20% (16% now) step 2/5, and waits there",
            ),
        ] {
            assert_eq!(words(&stands(Verb::Retry, canary, (1, 5))), want);
        }
    }

    #[test]
    fn a_full_promotion() {
        let told = Canary {
            promoted_fully: true,
            ..sample()
        };
        for (canary, serve, want) in [
            (
                sample(),
                (1, 5),
                "server accepted, controller has not answered for 10s",
            ),
            (
                told,
                (1, 5),
                "server accepted, controller goes on, 20% (16% now) step 2/5",
            ),
            (healthy(), (6, 0), "verified: promoted, 6 of 6 serve"),
        ] {
            assert_eq!(words(&stands(Verb::PromoteFull, canary, serve)), want);
        }
    }
}
