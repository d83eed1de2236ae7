//! The end of what gives a Rollout other pods: another template, a restart, another number of them.

use jiff::Timestamp;

use crate::domain::canary::{Canary, at};
use crate::domain::{Fleet, Kind, Phase, Pod, Workload};
use crate::plan::Verb;
use crate::text;

use super::sight::Sight;
use super::{Follow, Goal, accepted, failed, ready_long, ready_words, rollout, step};

/// `None` of what ends like that of any other workload.
pub(super) fn follow(
    fleet: &Fleet,
    workload: &Workload,
    goal: &Goal,
    now: Timestamp,
) -> Option<Follow> {
    let canary = workload.canary.as_deref();
    let canary = canary.filter(|_| workload.id.kind == Kind::Rollout)?;
    let seen = (fleet, workload, canary);
    match goal.verb {
        Verb::Rollback | Verb::SetImage => Some(released(seen, goal, now)),
        Verb::Restart => Some(restarted(seen, goal, now)),
        Verb::Scale if canary.is_partial() => Some(scaled(seen, now)),
        _ => None,
    }
}

type Seen<'a> = (&'a Fleet, &'a Workload, &'a Canary);

/// It waits at a step of its release, or all of its pods run the template.
fn released((fleet, workload, canary): Seen<'_>, goal: &Goal, now: Timestamp) -> Follow {
    if canary.aborted {
        return failed(&why(fleet, workload, now).unwrap_or_else(|| "it was aborted".into()));
    }
    if !canary.is_partial() {
        return rollout(&Sight::new(fleet, workload, goal), goal, now);
    }
    if let Some(why) = why(fleet, workload, now) {
        return failed(&why);
    }
    let at = at(workload, fleet.revisions(workload));
    let is_at = place(fleet, workload, canary);
    if workload.paused {
        let words = "paused by hand: no new pod starts until it is resumed";
        return Follow::Pending(vec![
            accepted(),
            step(true, "controller saw it"),
            step(false, words),
        ]);
    }
    // Its revisions come by another feed: none of it serves only until they are heard of.
    let arrived = at.is_none_or(|at| at.set == 0 || at.real != Some(0));
    if canary.pause.is_some() && arrived {
        return Follow::Done(format!("verified: {is_at}, and waits there"));
    }
    Follow::Pending(vec![
        accepted(),
        step(true, "controller saw it"),
        step(false, is_at),
    ])
}

/// No pod is older than the restart, and its controller says that it is done.
fn restarted((fleet, workload, canary): Seen<'_>, goal: &Goal, now: Timestamp) -> Follow {
    let pods = fleet.pods(workload);
    let pods = pods.into_iter().filter(|pod| !pod.ended());
    let since = canary.restart.map(|restart| restart.at);
    let is_new = |pod: &&Pod| since.is_some_and(|at| pod.created >= at) && !pod.terminating;
    let (new, old): (Vec<_>, Vec<_>) = pods.partition(is_new);
    let ready: Vec<_> = new.iter().copied().filter(|pod| pod.ready).collect();
    let wanted = usize::try_from(workload.desired).unwrap_or(usize::MAX);
    let says_so = canary.restart.is_some_and(|restart| restart.done);
    let all_ready = new.len() >= wanted && ready.len() == new.len();
    let stable = all_ready && ready.iter().all(|pod| ready_long(pod, goal, now));
    if says_so && stable && old.is_empty() {
        return Follow::Done(format!(
            "verified: {} of {wanted} pods are made anew, {}",
            new.len(),
            ready_words(&ready, true, goal, now)
        ));
    }
    let stalls = fleet.standing(&workload.id, now).and_then(|s| s.why);
    let of_new = stalls.filter(|why| {
        let named = why.pod.as_deref();
        named.is_some_and(|name| new.iter().any(|pod| *pod.name == *name))
    });
    let mut milestones = vec![
        accepted(),
        step(true, "controller saw it"),
        step(
            says_so && old.is_empty(),
            format!("{} of {wanted} pods are made anew", new.len()),
        ),
        step(stable, ready_words(&ready, stable, goal, now)),
    ];
    milestones.extend(of_new.map(|why| step(false, why.text)));
    Follow::Pending(milestones)
}

/// As many serve as are wanted, at the same step.
fn scaled((fleet, workload, canary): Seen<'_>, now: Timestamp) -> Follow {
    let (counts, want) = (workload.counts, workload.desired);
    let is_at = place(fleet, workload, canary);
    // Two shares that are rounded up are one more together; what a router shares out has all of the stable one.
    let apart = canary.steps.is_empty() || canary.routed.is_some();
    let revisions = fleet.revisions(workload);
    let serve = counts.available;
    let as_many = if apart {
        let mut stable = revisions.iter().filter(|r| r.pod_hash == canary.stable);
        stable.next().is_some_and(|stable| stable.desired == want)
    } else {
        // Its revisions come by another feed.
        let heard_of: u32 = revisions.iter().map(|revision| revision.available).sum();
        (want..=want.saturating_add(1)).contains(&counts.total) && heard_of == serve
    };
    if as_many && serve >= want {
        return Follow::Done(format!("verified: {serve} of {want} serve, {is_at}"));
    }
    if let Some(why) = why(fleet, workload, now) {
        return failed(&why);
    }
    Follow::Pending(vec![
        accepted(),
        step(true, "controller saw it"),
        step(false, format!("{serve} of {want} serve, {is_at}")),
    ])
}

/// `20% step 2/5`.
fn place(fleet: &Fleet, workload: &Workload, canary: &Canary) -> String {
    match at(workload, fleet.revisions(workload)).filter(|at| at.steps > 0) {
        Some(at) => text::canary::at(&at),
        None if canary.steps.is_empty() => "it is before the switch of its traffic".into(),
        None => "all steps are done".into(),
    }
}

/// What does not heal by waiting.
fn why(fleet: &Fleet, workload: &Workload, now: Timestamp) -> Option<String> {
    let standing = fleet.standing(&workload.id, now)?;
    let stuck = matches!(standing.phase, Phase::Stalled | Phase::Degraded);
    stuck.then(|| {
        let phase = standing.phase.to_string();
        standing.why.map_or(phase, |why| why.text)
    })
}

#[cfg(test)]
mod tests {
    use super::super::canary::tests::{stands, words};
    use super::*;
    use crate::domain::canary::{healthy, sample};

    #[test]
    fn another_template_waits_at_a_step_or_is_given_up() {
        let on_its_way = Canary {
            pause: None,
            ..sample()
        };
        let given_up = Canary {
            aborted: true,
            message: "RolloutAborted: Rollout aborted update to revision 3: metric x failed".into(),
            ..sample()
        };
        for (canary, serve, want) in [
            (
                sample(),
                (1, 5),
                "verified: 20% (16% now) step 2/5, and waits there",
            ),
            // Its revisions have not been heard of.
            (
                sample(),
                (0, 6),
                "server accepted, controller saw it, 20% (0% now) step 2/5",
            ),
            (
                on_its_way,
                (1, 5),
                "server accepted, controller saw it, 20% (16% now) step 2/5",
            ),
        ] {
            assert_eq!(words(&stands(Verb::SetImage, canary, serve)), want);
        }
        let said = words(&stands(Verb::Rollback, given_up, (0, 6)));
        assert!(said.starts_with("not verified: aborted: "), "{said}");
        assert!(said.ends_with("metric x failed"), "{said}");
        // Without a canary its pods tell, as of any other workload.
        let said = words(&stands(Verb::Rollback, healthy(), (6, 0)));
        assert!(said.contains("0 of 6 pods run 2.14.1"), "{said}");
    }

    #[test]
    fn a_restart_is_done_when_its_controller_says_so_and_no_old_pod_is_left() {
        let said = words(&stands(Verb::Restart, sample(), (1, 5)));
        assert!(said.contains("0 of 6 pods are made anew"), "{said}");
    }

    #[test]
    fn a_scale_ends_at_the_same_step() {
        let said = |serve| words(&stands(Verb::Scale, sample(), serve));
        assert_eq!(
            said((1, 5)),
            "verified: 6 of 6 serve, 20% (16% now) step 2/5"
        );
        let heard_of_later =
            "server accepted, controller saw it, 6 of 6 serve, 20% (0% now) step 2/5";
        assert_eq!(said((0, 5)), heard_of_later);
    }
}
