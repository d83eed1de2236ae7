//! How a workload stands that Flagger moves: between releases another serves in its place, and it is at zero on purpose.

use jiff::Timestamp;

use crate::domain::canary::flagger::{Flagger, Phase as Stage, told};
use crate::domain::canary::{Canary, Pause};
use crate::domain::{Phase, Progress, Workload, version};

use super::trouble::{self, Trouble};
use super::{Evidence, Reason, Standing, Why, at, rollout, standing as stands, why, words};

pub(super) fn standing(
    evidence: Evidence<'_>,
    (canary, flagger): (&Canary, &Flagger),
    progress: Progress,
    now: Timestamp,
) -> Standing {
    if canary.aborted {
        return Standing {
            since: canary.aborted_at,
            ..at(Phase::Degraded, failed(evidence, canary, now))
        };
    }
    if !flagger.phase.is_under_way() {
        return at_rest(evidence, flagger, now);
    }
    let (phase, why) = under_way(evidence, (canary, flagger), now);
    // Before it may begin nothing of it runs.
    let moves = flagger.phase != Stage::Waiting;
    Standing {
        progress: moves.then_some(progress),
        since: rollout::since(evidence),
        ..at(phase, why)
    }
}

fn under_way(
    evidence: Evidence<'_>,
    (canary, flagger): (&Canary, &Flagger),
    now: Timestamp,
) -> (Phase, Option<Why>) {
    if flagger.suspended() {
        let text = "suspended: nothing of it moves until it is resumed";
        return (Phase::Paused, why(Reason::Paused, text));
    }
    if flagger.phase.is_past_analysis() {
        return (Phase::Canary, promoting(evidence, canary));
    }
    let trouble = trouble::of_rollout(evidence, now);
    let phase = match &trouble {
        Some(Trouble { stalls: true, .. }) => Phase::Stalled,
        _ => Phase::Canary,
    };
    let held = || canary.pause.map(|pause| held(flagger, pause, now));
    let why = trouble.map(|trouble| trouble.why);
    let why = why.or_else(|| super::why(Reason::Waits, held()?));
    (
        phase,
        why.or_else(|| checks(evidence, (canary, flagger), now)),
    )
}

/// `waits for leave, gate go, 2m`: that is given elsewhere.
fn held(flagger: &Flagger, pause: Pause, now: Timestamp) -> String {
    let names: Vec<_> = flagger.held_by().map(|gate| &*gate.name).collect();
    let gate = match names[..] {
        [name] => format!(", gate {name}"),
        [] => String::new(),
        _ => format!(", one of the gates {}", names.join(" and ")),
    };
    let since = pause
        .since
        .map(|since| words::span(now.duration_since(since)));
    let since = since.map_or_else(String::new, |since| format!(", {since}"));
    let what = match flagger.phase {
        Stage::Waiting => "waits to begin",
        _ => "waits for leave",
    };
    format!("{what}{gate}{since}")
}

/// What its last looks found.
fn checks(
    evidence: Evidence<'_>,
    (canary, flagger): (&Canary, &Flagger),
    now: Timestamp,
) -> Option<Why> {
    let said = told(canary, evidence.warnings.iter().copied(), now);
    let said = said.map(words::clause);
    let (failed, most) = (flagger.failed.min(flagger.threshold), flagger.threshold);
    match (failed, said) {
        (0, None) => None,
        (0, Some(said)) => why(Reason::Other, said),
        (_, None) => why(Reason::Other, format!("{failed} of {most} failed checks")),
        (_, Some(said)) => why(
            Reason::Other,
            format!("{failed} of {most} failed checks: {said}"),
        ),
    }
}

fn promoting(evidence: Evidence<'_>, canary: &Canary) -> Option<Why> {
    let name = canary.stable_in.as_deref().unwrap_or_default();
    let text = match evidence.serving {
        Some(serving) => format!(
            "passed: {name} takes it over, {} of {} serve",
            serving.counts.available.min(serving.counts.updated),
            serving.desired
        ),
        None => format!("passed: {name} takes it over"),
    };
    why(Reason::Other, text)
}

/// Who reads that it failed has to know what serves.
fn failed(evidence: Evidence<'_>, canary: &Canary, now: Timestamp) -> Option<Why> {
    let named = |one: &Workload, other: Option<&Workload>| {
        let other = other.map(|other| &*other.containers);
        version::version(&one.containers, one.version_label.as_deref(), other)
    };
    let asked = named(evidence.workload, evidence.serving);
    let serves = match evidence.serving {
        Some(serving) => format!("{} serves", named(serving, Some(evidence.workload))),
        None => format!("{} serves", canary.stable_in.as_deref().unwrap_or_default()),
    };
    let cause = told(canary, evidence.warnings.iter().copied(), now);
    let cause = cause.map_or_else(String::new, |said| format!("; {}", words::clause(said)));
    let text = format!("failed: {serves}, {asked} is still asked for{cause}");
    why(Reason::Aborted, text)
}

/// As the one does that serves in its place.
fn at_rest(evidence: Evidence<'_>, flagger: &Flagger, now: Timestamp) -> Standing {
    let canary = evidence.workload.canary.as_deref();
    let name = canary.and_then(|canary| canary.stable_in.as_deref());
    let name = name.unwrap_or_default();
    let Some(serving) = evidence.serving else {
        let text = format!("{name} serves in its place, and is not known");
        return at(Phase::Unknown, why(Reason::Unavailable, text));
    };
    let serves = stands(
        Evidence {
            workload: serving,
            serving: None,
            revisions: &[],
            pods: &[],
            warnings: &[],
        },
        now,
    );
    if serves.phase != Phase::Steady {
        let text = match &serves.why {
            Some(found) => format!("{name}: {}", found.text),
            None => format!("{name} is {}", serves.phase),
        };
        let reason = serves
            .why
            .as_ref()
            .map_or(Reason::Unavailable, |found| found.reason);
        return Standing {
            why: why(reason, text),
            ..serves
        };
    }
    if flagger.suspended() {
        let text = format!("suspended, {name} serves: a new template waits until it is resumed");
        return at(Phase::Paused, why(Reason::Paused, text));
    }
    if flagger.is_unchecked() {
        let text =
            format!("skipAnalysis is on: a new template goes to all unchecked; {name} serves");
        return at(Phase::Steady, why(Reason::Other, text));
    }
    let text = match flagger.phase {
        Stage::Failed => format!("{name} serves: what failed is no longer asked for"),
        _ => format!("{name} serves"),
    };
    at(Phase::Steady, why(Reason::Part, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::flagger::sample;
    use crate::domain::fixture::{IMAGE, OLD_IMAGE, ago, containers, now, warning, workload};
    use crate::domain::{Counts, Kind, Warning};

    /// The target at zero, and what serves in its place.
    fn world(canary: Canary) -> (Workload, Workload) {
        let mut target = workload(Kind::Deployment);
        target.containers = containers(IMAGE);
        (target.desired, target.counts) = (0, Counts::default());
        target.canary = Some(Box::new(canary));
        let mut primary = workload(Kind::Deployment);
        primary.id.name = "checkout-primary".into();
        primary.containers = containers(OLD_IMAGE);
        (target, primary)
    }

    fn said(message: &str, seconds: i64) -> Warning {
        let mut said = warning("Canary", "checkout", "c1", "Synced", message);
        said.last_seen = ago(seconds);
        said
    }

    #[track_caller]
    fn stands((target, primary): &(Workload, Workload), warnings: &[Warning], want: (Phase, &str)) {
        let found = stands_with(target, Some(primary), warnings);
        let text = found.why.map(|why| why.text).unwrap_or_default();
        assert_eq!((found.phase, &*text), want);
    }

    fn stands_with(
        target: &Workload,
        serving: Option<&Workload>,
        warnings: &[Warning],
    ) -> Standing {
        let evidence = Evidence {
            workload: target,
            serving,
            revisions: &[],
            pods: &[],
            warnings: &warnings.iter().collect::<Vec<_>>(),
        };
        super::super::standing(evidence, now())
    }

    #[test]
    fn a_target_at_zero_stands_as_the_one_that_serves_in_its_place() {
        for stage in [Stage::Initialized, Stage::Succeeded] {
            let mut world = world(sample(stage));
            stands(&world, &[], (Phase::Steady, "checkout-primary serves"));
            world.1.desired = 0;
            world.1.counts = Counts::default();
            let words = "checkout-primary is scaled to zero";
            stands(&world, &[], (Phase::ScaledToZero, words));
            world.1.generation += 1;
            let found = stands_with(&world.0, Some(&world.1), &[]);
            assert_eq!(found.phase, Phase::Stalled, "it is not seen for long");
        }
        let (target, _) = world(sample(Stage::Succeeded));
        assert_eq!(stands_with(&target, None, &[]).phase, Phase::Unknown);
        // Before it is set up it is one like any other.
        let mut early = world(sample(Stage::Initializing)).0;
        early.desired = 6;
        assert_ne!(stands_with(&early, None, &[]).phase, Phase::Unknown);
    }

    #[test]
    fn what_stands_still_or_goes_out_unchecked_is_said() {
        let with = |change: fn(&mut Flagger)| {
            let mut canary = sample(Stage::Succeeded);
            change(canary.flagger.as_mut().unwrap());
            world(canary)
        };
        let words = "suspended, checkout-primary serves: a new template waits until it is resumed";
        stands(
            &with(|f| f.suspend = Some(true)),
            &[],
            (Phase::Paused, words),
        );
        let words =
            "skipAnalysis is on: a new template goes to all unchecked; checkout-primary serves";
        stands(
            &with(|f| f.skip_analysis = Some(true)),
            &[],
            (Phase::Steady, words),
        );
    }

    #[test]
    fn one_on_its_way_says_what_holds_it_or_what_its_looks_found() {
        let waiting = world(sample(Stage::Waiting));
        stands(
            &waiting,
            &[],
            (Phase::Canary, "waits to begin, gate begin, 2m"),
        );
        let held = world(sample(Stage::WaitingPromotion));
        stands(&held, &[], (Phase::Canary, "waits for leave, gate go, 2m"));
        let mut canary = sample(Stage::Progressing);
        canary.flagger.as_mut().unwrap().failed = 5;
        let failing = world(canary);
        stands(&failing, &[], (Phase::Canary, "2 of 2 failed checks"));
        let halts = [
            said("Halt checkout.shop advancement errors 60.00 > 1", 25),
            said(
                "(combined from similar events): Halt checkout.shop advancement errors 50.00 > 1",
                5,
            ),
        ];
        let words = "2 of 2 failed checks: errors 50.00 > 1";
        stands(&failing, &halts, (Phase::Canary, words));
        let old = [said("Halt checkout.shop advancement errors 60.00 > 1", 100)];
        stands(&failing, &old, (Phase::Canary, "2 of 2 failed checks"));
        let promoting = world(sample(Stage::Promoting));
        let found = stands_with(&promoting.0, Some(&promoting.1), &[])
            .why
            .unwrap();
        assert!(
            found
                .text
                .starts_with("passed: checkout-primary takes it over"),
            "{}",
            found.text
        );
    }

    #[test]
    fn one_that_failed_says_what_serves_and_why_as_long_as_events_tell() {
        let mut canary = sample(Stage::Failed);
        canary.aborted_at = Some(ago(3000));
        let failed = world(canary);
        let words = "failed: 2.14.1 serves, 2.15.0 is still asked for";
        stands(&failed, &[], (Phase::Degraded, words));
        let halts = [
            said("Canary failed! Scaling down checkout.shop", 3000),
            said(
                "Rolling back checkout.shop failed checks threshold reached 2",
                3000,
            ),
            said("Halt checkout.shop advancement errors 50.00 > 1", 3010),
        ];
        let words = "failed: 2.14.1 serves, 2.15.0 is still asked for; errors 50.00 > 1";
        stands(&failed, &halts, (Phase::Degraded, words));
        let words =
            "failed: 2.14.1 serves, 2.15.0 is still asked for; failed checks threshold reached 2";
        stands(&failed, &halts[..2], (Phase::Degraded, words));
    }
}
