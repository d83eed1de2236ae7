//! The verbs of a canary: promoting it by one step and aborting it here, the others beside it. They write into the status that its controller waits for.

use serde_json::json;

use crate::domain::canary::{At, Canary, PausedBy, at};
use crate::domain::version::version;
use crate::domain::{Failure, FailureKind, Revision, Verbatim};
use crate::plan::check::controller;
use crate::plan::follow::Turned;
use crate::plan::{
    CheckId, Difference, Evidence, Finding, Goal, Keeper, ObjectRef, Plan, Refusal, Side, Step,
    Verdict, git, kubectl,
};
use crate::text;

use super::live;

pub mod by_hand;
pub mod can;
pub mod flagger;
pub mod full;
mod half_way;
pub mod hand;
mod judged;
pub mod pair;
mod partition;
pub mod release;
pub mod restart;
pub mod retry;

/// Lets it go on from the pause that it waits at.
///
/// # Errors
/// Why there is nothing to promote, or why that would do something else.
pub fn promote(evidence: &Evidence) -> Result<Plan, Refusal> {
    let canary = partial(evidence)?;
    let id = &evidence.workload.id;
    let mut operations = bound(evidence, canary);
    operations.push(json!({"op": "remove", "path": "/status/pauseConditions"}));
    if judged::goes_past(canary) {
        // Without the next step the same analysis would run again.
        let next = canary.step.saturating_add(1);
        operations.push(json!({"op": "add", "path": "/status/controllerPause", "value": false}));
        operations
            .push(json!({"op": "replace", "path": "/status/currentStepIndex", "value": next}));
    }
    let now = current(evidence, canary);
    let then = text::canary::next(canary).unwrap_or_else(|| "all of it".into());
    let sides = (now.clone(), now);
    let mut plan = plan(evidence, canary, sides, &operations)?;
    plan.arrow = (plan.from.label(), format!("the same, then {then}"));
    plan.differences = vec![Difference {
        what: "canary".into(),
        text: format!("{} → {then}", where_it_is(evidence)),
    }];
    plan.meanwhile = judged::outlook(canary).into();
    plan.kubectl = kubectl::argo(id, "promote");
    plan.offers.push(full::offer());
    let told = [judged::of_step(evidence, canary), serving(evidence)];
    for verdict in told.into_iter().flatten() {
        plan.add(verdict.into());
    }
    Ok(plan)
}

/// All goes back to the stable revision. The template still asks for the other.
///
/// # Errors
/// Why there is nothing to abort.
pub fn abort(evidence: &Evidence) -> Result<Plan, Refusal> {
    let canary = partial(evidence)?;
    let id = &evidence.workload.id;
    let mut operations = bound(evidence, canary);
    operations.push(json!({"op": "test", "path": "/status/stableRS", "value": canary.stable}));
    operations.push(json!({"op": "add", "path": "/status/abort", "value": true}));
    if canary.promoted_fully {
        // The controller takes an abort back while this stands.
        operations.push(json!({"op": "replace", "path": "/status/promoteFull", "value": false}));
    }
    let sides = (current(evidence, canary), side(evidence, &canary.stable));
    let mut plan = plan(evidence, canary, sides, &operations)?;
    plan.differences = vec![Difference {
        what: "canary".into(),
        text: format!("{} → 0%", where_it_is(evidence)),
    }];
    plan.meanwhile = format!(
        "the pods of {} make room for those of {}; the template still asks for {}",
        plan.from.version, plan.to.version, plan.from.version
    );
    plan.kubectl = kubectl::argo(id, "abort");
    if canary.pause.is_some_and(|pause| pause.by == PausedBy::Hand) {
        hand::let_go(&mut plan, evidence);
    }
    Ok(plan)
}

/// Two revisions share it, its controller has seen the last change, and would do what it is told.
fn partial(evidence: &Evidence) -> Result<&Canary, Refusal> {
    let workload = &evidence.workload;
    let id = &workload.id;
    if let Some(why) = controller::unseen(evidence).filter(|_| workload.canary.is_some()) {
        let sentence = format!("Nothing acts on {id}: {why}.");
        return Err(refused(sentence, "look whether its controller runs"));
    }
    unseen(evidence)?;
    can::works(workload, evidence.request.verb)
}

/// Nobody knows yet what its controller makes of the last change.
fn unseen(evidence: &Evidence) -> Result<(), Refusal> {
    let workload = &evidence.workload;
    if workload.canary.is_none() || workload.generation <= workload.observed_generation {
        return Ok(());
    }
    let id = &workload.id;
    let sentence = format!("The controller has not seen the last change of {id} yet.");
    Err(refused(sentence, "ask again in a moment"))
}

/// The template that a write is bound to; what runs another's has none.
pub(super) fn own_template(evidence: &Evidence) -> Option<&str> {
    let canary = evidence.workload.canary.as_deref();
    let borrowed = canary.is_some_and(|canary| canary.template_of.is_some());
    (!borrowed).then_some(&*evidence.template.0)
}

/// As it was shown.
pub(super) fn turned(canary: &Canary) -> Turned {
    Turned {
        hash: canary.current.clone(),
        stable: canary.stable.clone(),
        step: canary.step,
        aborted: canary.aborted,
        aborted_at: canary.aborted_at,
        phase: canary.flagger.as_ref().map(|flagger| flagger.phase),
        suspended: canary.flagger.as_ref().is_some_and(|f| f.suspended()),
    }
}

/// Who has the field otherwise that is written, beside the template.
fn guard_field(plan: &mut Plan, evidence: &Evidence, change: git::Change<'_>) {
    let workload = &evidence.workload;
    if evidence.keeper != Keeper::None || workload.manager.is_some() {
        let own = git::Written::workload(workload, &evidence.keeper, change);
        git::guard_all(plan, evidence, &[own]);
    }
}

fn refused(sentence: String, hint: &str) -> Refusal {
    Refusal::still(Failure::new(FailureKind::Refused, sentence).hint(hint))
}

/// The tests that bind the write to what was shown: another release or another step, and it is refused.
fn bound(evidence: &Evidence, canary: &Canary) -> Vec<serde_json::Value> {
    let test =
        |path: &str, value: serde_json::Value| json!({"op": "test", "path": path, "value": value});
    let mut tests = vec![test("/metadata/uid", json!(evidence.workload.uid))];
    if canary.current.is_empty() {
        // Its controller has said nothing of it.
        return tests;
    }
    tests.push(test("/status/currentPodHash", json!(canary.current)));
    if !canary.steps.is_empty() {
        tests.push(test("/status/currentStepIndex", json!(canary.step)));
    }
    tests
}

fn plan(
    evidence: &Evidence,
    canary: &Canary,
    (from, to): (Side, Side),
    operations: &[serde_json::Value],
) -> Result<Plan, Refusal> {
    let workload = &evidence.workload;
    let body = serde_json::to_string(operations).map_err(Refusal::unreadable)?;
    let step = Step::StatusPatch {
        object: ObjectRef::of(workload),
        body: Verbatim(body.into()),
        what: format!("{} {}", evidence.request.verb.name(), workload.id),
    };
    let goal = Goal {
        from_version: from.version.clone(),
        // The status is no part of a generation.
        generation: workload.generation,
        turned: Some(turned(canary)),
        ..live::goal(evidence, &to)?
    };
    Ok(Plan {
        steps: vec![step],
        ..live::draft(evidence, (from, to), goal)
    })
}

fn of_hash<'a>(evidence: &'a Evidence, hash: &str) -> Option<&'a Revision> {
    let mut revisions = evidence.revisions.iter().map(|fresh| &fresh.revision);
    revisions.find(|revision| *revision.pod_hash == *hash)
}

fn side(evidence: &Evidence, hash: &str) -> Side {
    let found = of_hash(evidence, hash);
    let named = |r: &Revision| version(&r.containers, r.version_label.as_deref(), None);
    Side {
        revision: found.map_or(0, |r| r.number),
        name: found.map(|r| r.name.clone()).unwrap_or_default(),
        version: found.map_or_else(|| hash.to_owned(), named),
        short_digest: found.and_then(|r| live::digest(r, &evidence.pods)),
        template: found.map_or(evidence.workload.template, |r| r.template),
    }
}

/// The side of the live template.
pub(super) fn current(evidence: &Evidence, canary: &Canary) -> Side {
    Side {
        template: evidence.workload.template,
        ..side(evidence, &canary.current)
    }
}

/// `20% step 2/5`; a blue-green release has two sides and no steps.
fn where_it_is(evidence: &Evidence) -> String {
    at_step(evidence).map_or_else(|| "its new side".into(), |at| text::canary::at(&at))
}

fn at_step(evidence: &Evidence) -> Option<At> {
    let revisions = evidence.revisions.iter().map(|fresh| &fresh.revision);
    at(&evidence.workload, revisions).filter(At::is_told)
}

/// Whether the canary gets what it is to get. More of one that does not serve is seldom what somebody wants.
fn serving(evidence: &Evidence) -> Option<Verdict> {
    let at = at_step(evidence)?;
    let (finding, words) = match at.real {
        Some(real) if real < at.set && !at.routed => (
            Finding::Warn,
            format!(
                "{real}% of the pods that serve are of the canary, {}% are wanted",
                at.set
            ),
        ),
        Some(real) => (
            Finding::Ok,
            format!("the canary gets {real}%, {}% are set", at.set),
        ),
        None => (
            Finding::Unverified,
            "what the canary gets is not known".into(),
        ),
    };
    Some(Verdict {
        check: CheckId::Readiness,
        finding,
        sentence: words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::{Pause, Step as Stage, sample as canary};
    use crate::domain::{Fleet, Kind};
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{Verb, plan as make};

    pub fn evidence(verb: Verb, change: impl FnOnce(&mut Canary)) -> Evidence {
        let mut evidence = sample::evidence();
        evidence.request.verb = verb;
        evidence.request.workload.kind = Kind::Rollout;
        evidence.workload.id.kind = Kind::Rollout;
        let hash = |n: usize, evidence: &Evidence| evidence.revisions[n].revision.pod_hash.clone();
        let mut canary = canary();
        canary.current = hash(0, &evidence);
        canary.stable = hash(1, &evidence);
        change(&mut canary);
        evidence.workload.canary = Some(Box::new(canary));
        evidence
    }

    pub fn plan_of(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    pub fn body(plan: &Plan) -> serde_json::Value {
        let [Step::StatusPatch { body, .. }] = &plan.steps[..] else {
            panic!("one step: {:?}", plan.steps);
        };
        serde_json::from_str(&body.0).unwrap()
    }

    #[test]
    fn a_promotion_is_bound_to_the_release_and_the_step_that_were_shown() {
        let evidence = evidence(Verb::Promote, |_| {});
        let hash = &evidence.workload.canary.as_ref().unwrap().current;
        let plan = plan_of(&evidence).unwrap();
        let want = json!([
            {"op": "test", "path": "/metadata/uid", "value": "d1"},
            {"op": "test", "path": "/status/currentPodHash", "value": hash},
            {"op": "test", "path": "/status/currentStepIndex", "value": 1},
            {"op": "remove", "path": "/status/pauseConditions"},
        ]);
        assert_eq!(body(&plan), want);
        assert!(
            plan.arrow.1.ends_with("then 60%, pause 30s, 100%"),
            "{:?}",
            plan.arrow
        );
        assert!(
            plan.kubectl
                .starts_with("kubectl argo rollouts promote checkout "),
            "{}",
            plan.kubectl
        );
        let (_, verb, subresource) = plan.steps[0].permission().unwrap();
        assert_eq!((verb, subresource), ("patch", "status"));
    }

    #[test]
    fn one_whose_analysis_told_nothing_goes_past_it() {
        let inconclusive = |steps: &[Stage]| {
            let evidence = evidence(Verb::Promote, |canary| {
                canary.pause.as_mut().unwrap().by = PausedBy::Inconclusive;
                canary.steps = steps.into();
            });
            plan_of(&evidence).unwrap()
        };
        let of_step = body(&inconclusive(&[Stage::Weight(20), Stage::Analysis]));
        assert_eq!(of_step[5]["value"], 2);
        assert_eq!(of_step[4]["path"], "/status/controllerPause");
        // One beside the steps begins anew, and no step is left out.
        let beside = inconclusive(&[Stage::Weight(20), Stage::Weight(60)]);
        assert_eq!(body(&beside).as_array().unwrap().len(), 4);
        assert!(
            beside.meanwhile.ends_with("measures anew beside that"),
            "{}",
            beside.meanwhile
        );
        let of_two_sides = inconclusive(&[]);
        assert!(
            of_two_sides.meanwhile.ends_with("once that is good"),
            "{}",
            of_two_sides.meanwhile
        );
    }

    #[test]
    fn an_abort_is_bound_and_takes_a_full_promotion_back() {
        let plan = plan_of(&evidence(Verb::Abort, |_| {})).unwrap();
        let operations = body(&plan);
        assert_eq!(operations[3]["path"], "/status/stableRS");
        assert_eq!(
            operations[4],
            json!({"op": "add", "path": "/status/abort", "value": true})
        );
        assert_eq!(operations.as_array().unwrap().len(), 5);
        assert!(
            plan.meanwhile
                .ends_with("the template still asks for 2.15.0"),
            "{}",
            plan.meanwhile
        );
        let full = evidence(Verb::Abort, |canary| canary.promoted_fully = true);
        let operations = body(&plan_of(&full).unwrap());
        assert_eq!(operations[5]["path"], "/status/promoteFull");
    }

    #[test]
    fn one_that_is_paused_by_hand_is_let_go_as_well() {
        let held = evidence(Verb::Abort, |canary| {
            canary.pause.as_mut().unwrap().by = PausedBy::Hand;
        });
        let plan = plan_of(&held).unwrap();
        let [Step::StatusPatch { .. }, Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("{:?}", plan.steps);
        };
        assert!(
            body.0
                .ends_with(r#"{"op":"add","path":"/spec/paused","value":false}]"#),
            "{}",
            body.0
        );
        let paused = |paused| {
            let mut now = held.workload.clone();
            now.canary.as_mut().unwrap().aborted = true;
            now.paused = paused;
            [0, 1].map(|n| plan.applied(n, &now))
        };
        assert_eq!(paused(true), [true, false]);
        assert_eq!(paused(false), [true, true]);
    }

    #[test]
    fn what_would_do_nothing_or_something_else_is_refused() {
        type Change = fn(&mut Canary);
        let by_hand = |canary: &mut Canary| {
            canary.pause = Some(Pause {
                by: PausedBy::Hand,
                since: None,
                until: None,
            });
        };
        let promoted = |canary: &mut Canary| canary.stable = canary.current.clone();
        let one_revision = "all of rollout/checkout is of one revision";
        let aborted = |canary: &mut Canary| canary.aborted = true;
        let moving = |canary: &mut Canary| canary.pause = None;
        let cases: [(Verb, Change, &str); 6] = [
            (Verb::Promote, aborted, "was aborted"),
            (Verb::Promote, moving, "does not wait"),
            (Verb::Promote, by_hand, "is paused by hand"),
            (Verb::Promote, promoted, one_revision),
            (Verb::Abort, promoted, one_revision),
            (Verb::Abort, aborted, "is aborted already"),
        ];
        let refused = |evidence: &Evidence, words: &str| {
            let said = plan_of(evidence).unwrap_err().failure.sentence;
            assert!(said.contains(words), "{said}");
        };
        for (verb, change, words) in cases {
            refused(&evidence(verb, change), words);
        }
        let mut unseen = evidence(Verb::Abort, |_| {});
        unseen.workload.generation += 1;
        refused(&unseen, "has not seen the last change");
        let mut plain = sample::evidence();
        plain.request.verb = Verb::Promote;
        refused(&plain, "is no canary");
    }
}
