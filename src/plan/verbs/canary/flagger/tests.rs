//! What is written to a Canary of Flagger, and what is refused with the form that works.

use serde_json::{Value, json};

use super::*;
use crate::domain::canary::flagger::sample as canary;
use crate::domain::{Fleet, Kind};
use crate::plan::gate::{Answers, Missing, missing};
use crate::plan::verbs::canary::can;
use crate::plan::verbs::rollback::sample;
use crate::plan::{CheckState, Target, Verb, plan as make};

/// Six of six pods of the canary are ready.
fn evidence(verb: Verb, phase: Phase, change: impl FnOnce(&mut Flagger)) -> Evidence {
    let mut evidence = sample::evidence();
    evidence.request.verb = verb;
    let counts = &mut evidence.workload.counts;
    (counts.total, counts.updated, counts.ready, counts.available) = (6, 6, 6, 6);
    let mut canary = canary(phase);
    change(canary.flagger.as_mut().unwrap());
    if canary.flagger.as_ref().unwrap().suspended() {
        canary.pause = Some(crate::domain::canary::Pause {
            by: crate::domain::canary::PausedBy::Hand,
            since: None,
            until: None,
        });
    }
    evidence.workload.canary = Some(Box::new(canary));
    let mut primary = sample::workload("2.14.1");
    primary.id.name = "checkout-primary".into();
    evidence.serving = Some(primary);
    evidence
}

fn plan_of(evidence: &Evidence) -> Result<Plan, Refusal> {
    make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
}

fn said(evidence: &Evidence) -> String {
    let failure = plan_of(evidence).unwrap_err().failure;
    format!("{} {}", failure.sentence, failure.hints.join(" "))
}

fn body(step: &Step) -> Value {
    let (Step::JsonPatch { body, object, .. }
    | Step::StatusPatch { body, object, .. }
    | Step::WhenAtRest { body, object, .. }) = step
    else {
        panic!("a patch: {step:?}");
    };
    assert_eq!((object.resource, &*object.name), ("canaries", "checkout"));
    serde_json::from_str(&body.0).unwrap()
}

fn bound(phase: &str) -> [Value; 3] {
    [
        json!({"op": "test", "path": "/metadata/uid", "value": "c1"}),
        json!({"op": "test", "path": "/status/phase", "value": phase}),
        json!({"op": "test", "path": "/status/lastAppliedSpec", "value": "applied"}),
    ]
}

#[test]
fn an_abort_writes_as_many_failed_checks_as_it_takes() {
    for phase in [Phase::Progressing, Phase::WaitingPromotion] {
        let plan = plan_of(&evidence(Verb::Abort, phase, |_| {})).unwrap();
        let [step @ Step::StatusPatch { .. }] = &plan.steps[..] else {
            panic!("one: {:?}", plan.steps);
        };
        let body = body(step);
        assert_eq!(body.as_array().unwrap()[..3], bound(phase.word()));
        let write = json!({"op": "replace", "path": "/status/failedChecks", "value": 2});
        assert_eq!(body[3], write);
        assert_eq!(plan.arrow.1, "2.14.1 in checkout-primary");
        let end = "checkout-primary serves on; the template still asks for 2.15.0";
        assert!(plan.meanwhile.ends_with(end), "{}", plan.meanwhile);
        let typed = r#"patch canaries.flagger.app checkout --subresource status --type merge -p '{"status":{"failedChecks":2}}'"#;
        assert!(plan.kubectl.ends_with(typed), "{}", plan.kubectl);
    }
}

#[test]
fn an_abort_that_would_do_nothing_is_refused_with_what_works() {
    let mut unready = evidence(Verb::Abort, Phase::Progressing, |_| {});
    unready.workload.counts.available = 2;
    for (evidence, words) in [
        (
            unready,
            [
                "while 2 of 6 of its pods are ready",
                r#""progressDeadlineSeconds":5"#,
            ],
        ),
        (
            evidence(Verb::Abort, Phase::Waiting, |_| {}),
            [
                "gate begin (http://gate.shop/begin) opens",
                "a rollback puts the old template back",
            ],
        ),
        (
            evidence(Verb::Abort, Phase::Promoting, |_| {}),
            ["checkout-primary has its template", "a release of its own"],
        ),
        (
            evidence(Verb::Abort, Phase::Progressing, |f| f.suspend = Some(true)),
            ["is suspended", "resume it first"],
        ),
        (
            evidence(Verb::Abort, Phase::Failed, |_| {}),
            ["was given up already", ""],
        ),
        (
            evidence(Verb::Abort, Phase::Succeeded, |_| {}),
            ["nothing to be aborted", ""],
        ),
    ] {
        let said = said(&evidence);
        assert!(
            words.iter().all(|words| said.contains(words)),
            "{words:?}: {said}"
        );
    }
}

#[test]
fn a_promotion_switches_the_analysis_off_and_on_again_as_it_was() {
    for (was, back) in [
        (None, json!({"op": "remove", "path": "/spec/skipAnalysis"})),
        (
            Some(false),
            json!({"op": "replace", "path": "/spec/skipAnalysis", "value": false}),
        ),
    ] {
        let evidence = evidence(Verb::Promote, Phase::Progressing, |f| f.skip_analysis = was);
        let plan = plan_of(&evidence).unwrap();
        let [off, on @ Step::WhenAtRest { .. }] = &plan.steps[..] else {
            panic!("two: {:?}", plan.steps);
        };
        let off = body(off);
        assert_eq!(off.as_array().unwrap()[..3], bound("Progressing"));
        let switch = |op, value| json!({"op": op, "path": "/spec/skipAnalysis", "value": value});
        assert_eq!(off[3], switch("test", json!(was)));
        assert_eq!(off[4], switch("add", json!(true)));
        let on = body(on);
        assert_eq!(on[1], switch("test", json!(true)));
        assert_eq!(on[2], back);
        assert!(plan.begins_at(&plan.steps[0]) && !plan.begins_at(&plan.steps[1]));
    }
    let fully = evidence(Verb::PromoteFull, Phase::Progressing, |_| {});
    let words = "cannot be promoted fully: Flagger knows one promotion, which is to the end";
    assert!(said(&fully).contains(words), "{}", said(&fully));
}

#[test]
fn past_what_judges_it_one_goes_only_with_a_reason() {
    for (phase, failed, words) in [
        (Phase::Progressing, 0, "the checks that are left never run"),
        (Phase::Progressing, 1, "past 1 of 2 failed checks"),
        (
            Phase::WaitingPromotion,
            0,
            "past gate go (http://gate.shop/go), which has not said yes",
        ),
    ] {
        let plan = plan_of(&evidence(Verb::Promote, phase, |f| f.failed = failed)).unwrap();
        let check = Missing::Override(CheckId::Analysis);
        assert!(missing(plan.level, &plan, &[], &Answers::default()).contains(&check));
        assert!(told(&plan).contains(words), "{}", told(&plan));
    }
}

fn told(plan: &Plan) -> String {
    let verdicts = plan.checks.iter().filter_map(|check| match &check.state {
        CheckState::Answered(verdict) => Some(verdict.sentence.clone()),
        CheckState::Asking(_) => None,
    });
    verdicts.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_promotion_that_would_do_nothing_is_refused() {
    for (phase, words) in [
        (
            Phase::Waiting,
            "gate begin (http://gate.shop/begin) holds it, and no write",
        ),
        (Phase::Finalising, "checkout-primary takes it over already"),
        (Phase::Failed, "a retry begins it anew"),
        (
            Phase::Succeeded,
            "checkout-primary serves what deploy/checkout asks for",
        ),
    ] {
        let said = said(&evidence(Verb::Promote, phase, |_| {}));
        assert!(said.contains(words), "{said}");
    }
    let told = evidence(Verb::Promote, Phase::Progressing, |f| {
        f.skip_analysis = Some(true);
    });
    let mut told = told;
    told.workload.canary.as_mut().unwrap().promoted_fully = true;
    assert!(said(&told).contains("told already"));
}

#[test]
fn it_is_suspended_and_resumed() {
    let plan = plan_of(&evidence(Verb::Pause, Phase::Progressing, |_| {})).unwrap();
    let written = body(&plan.steps[0]);
    assert_eq!(
        written[3],
        json!({"op": "test", "path": "/spec/suspend", "value": null})
    );
    assert_eq!(
        written[4],
        json!({"op": "add", "path": "/spec/suspend", "value": true})
    );
    assert!(
        plan.meanwhile.contains("stands still at check 2/3"),
        "{}",
        plan.meanwhile
    );
    let plan = plan_of(&evidence(Verb::Resume, Phase::Progressing, |f| {
        f.suspend = Some(true);
    }));
    let written = body(&plan.unwrap().steps[0]);
    assert_eq!(written[4], json!({"op": "remove", "path": "/spec/suspend"}));
    for (verb, phase, words) in [
        (
            Verb::Resume,
            Phase::Waiting,
            "gate begin (http://gate.shop/begin) holds it",
        ),
        (Verb::Resume, Phase::Progressing, "is not suspended"),
    ] {
        let said = said(&evidence(verb, phase, |_| {}));
        assert!(said.contains(words), "{said}");
    }
    let twice = evidence(Verb::Pause, Phase::Progressing, |f| f.suspend = Some(true));
    assert!(said(&twice).contains("suspended already"));
}

#[test]
fn an_analysis_that_was_left_off_is_put_on_again_by_a_resume() {
    let unchecked = |verb, phase, suspend: bool| {
        evidence(verb, phase, |f| {
            f.skip_analysis = Some(true);
            f.suspend = suspend.then_some(true);
        })
    };
    let plan = plan_of(&unchecked(Verb::Resume, Phase::Succeeded, false)).unwrap();
    let written = body(&plan.steps[0]);
    assert_eq!(written.as_array().unwrap()[..3], bound("Succeeded"));
    let test = json!({"op": "test", "path": "/spec/skipAnalysis", "value": true});
    assert_eq!(written[3], test);
    assert_eq!(
        written[4],
        json!({"op": "remove", "path": "/spec/skipAnalysis"})
    );
    assert_eq!(plan.differences[0].text, "yes → no");
    assert!(!plan.goal.turned.unwrap().suspended);
    // One thing after the other: what stands still is let go first.
    let both = plan_of(&unchecked(Verb::Resume, Phase::Succeeded, true)).unwrap();
    assert_eq!(body(&both.steps[0])[4]["path"], "/spec/suspend");
    let one_key =
        |suspend| can::pauses(&unchecked(Verb::Pause, Phase::Succeeded, suspend).workload);
    assert_eq!([one_key(false), one_key(true)], [Verb::Resume; 2]);
    let checked = evidence(Verb::Pause, Phase::Succeeded, |_| {});
    assert_eq!(can::pauses(&checked.workload), Verb::Pause);
}

#[test]
fn a_retry_writes_a_time_into_the_template_of_the_target() {
    let mut failed = evidence(Verb::Retry, Phase::Failed, |_| {});
    // It is at zero, which keeps no retry away.
    failed.workload.desired = 0;
    let plan = plan_of(&failed).unwrap();
    let [Step::JsonPatch { object, body, .. }] = &plan.steps[..] else {
        panic!("one: {:?}", plan.steps);
    };
    assert_eq!(object.resource, "deployments");
    assert!(body.0.contains("restartedAt"), "{}", body.0);
    assert_eq!(plan.differences[0].text, "failed → 3 checks");
    assert_eq!(plan.goal.template, None);
    assert!(plan.goal.turned.is_some());
    let running = evidence(Verb::Retry, Phase::Progressing, |_| {});
    assert!(said(&running).contains("has not failed"));
}

#[test]
fn other_verbs_on_the_target_are_refused_or_say_what_comes_of_them() {
    for phase in [Phase::Progressing, Phase::WaitingPromotion] {
        let said = said(&evidence(Verb::Rollback, phase, |_| {}));
        assert!(
            said.contains("is no abort") && said.contains("an abort gives"),
            "{said}"
        );
    }
    let after = plan_of(&evidence(Verb::Rollback, Phase::Failed, |_| {})).unwrap();
    let words = "of what checkout-primary serves Flagger makes no release";
    assert!(told(&after).contains(words), "{}", told(&after));
    assert!(after.goal.turned.is_some(), "it ends as its Canary says");
    assert_eq!(after.expected, None);
    let anew = plan_of(&evidence(Verb::Restart, Phase::Progressing, |_| {})).unwrap();
    let words = "Flagger begins anew with it: 3 checks, a look every 10s";
    assert!(told(&anew).contains(words), "{}", told(&anew));
    for (verb, hint) in [
        (Verb::Restart, "restart deploy/checkout-primary"),
        (Verb::Scale, "the next release takes its number over"),
    ] {
        let mut idle = evidence(verb, Phase::Succeeded, |_| {});
        idle.request.target = Target::Replicas { shown: 6, to: 8 };
        let said = said(&idle);
        assert!(
            said.contains("is kept at zero") && said.contains(hint),
            "{said}"
        );
    }
    // Another kind, or one that is not set up yet, is as it always was.
    let early = evidence(Verb::Restart, Phase::Initializing, |_| {});
    assert!(plan_of(&early).is_ok());
    assert_eq!(early.workload.id.kind, Kind::Deployment);
}

/// On what serves in the place of a target in that phase.
fn on_primary(verb: Verb, phase: Phase, change: impl FnOnce(&mut Canary)) -> Evidence {
    let mut evidence = sample::evidence();
    let target = evidence.workload.id.clone();
    let name: Box<str> = "checkout-primary".into();
    evidence.request.workload.name.clone_from(&name);
    (evidence.request.verb, evidence.workload.id.name) = (verb, name);
    evidence.request.target = Target::Replicas { shown: 6, to: 8 };
    let mut canary = canary(phase);
    change(&mut canary);
    evidence.stable_of = Some(Box::new(crate::plan::StableOf { target, canary }));
    evidence
}

#[test]
fn a_restart_or_scale_of_what_serves_says_what_flagger_makes_of_it() {
    for (verb, phase, words) in [
        (
            Verb::Restart,
            Phase::Succeeded,
            "Flagger leaves it: the next promotion of deploy/checkout makes these pods anew anyway",
        ),
        (
            Verb::Restart,
            Phase::Progressing,
            "deploy/checkout is on its way: it stands still until these pods are ready",
        ),
        (
            Verb::Restart,
            Phase::Promoting,
            "the pods of deploy/checkout come in right now",
        ),
        (
            Verb::Scale,
            Phase::Failed,
            "the next release of deploy/checkout begins with this number",
        ),
        (
            Verb::Scale,
            Phase::WaitingPromotion,
            "when it is promoted, its own number is written over this",
        ),
    ] {
        let plan = plan_of(&on_primary(verb, phase, |_| {})).unwrap();
        assert!(told(&plan).contains(words), "{phase:?}: {}", told(&plan));
        assert_eq!(plan.goal.turned, None, "it ends as any other");
    }
    let mut none = on_primary(Verb::Scale, Phase::Succeeded, |_| {});
    none.request.target = Target::Replicas { shown: 6, to: 0 };
    let none = told(&plan_of(&none).unwrap());
    assert!(
        none.contains("its next release begins with 1 pod"),
        "{none}"
    );
    let suspended = |canary: &mut Canary| {
        canary.flagger.as_mut().unwrap().suspend = Some(true);
    };
    let still = told(&plan_of(&on_primary(Verb::Restart, Phase::Progressing, suspended)).unwrap());
    assert!(still.contains("Flagger leaves it"), "{still}");
}

#[test]
fn what_flagger_undoes_at_its_next_look_is_refused() {
    for verb in [Verb::Restart, Verb::Scale] {
        let at_once = on_primary(verb, Phase::Progressing, |canary| {
            canary.promoted_fully = true;
        });
        let said = said(&at_once);
        let words = "within 10s Flagger writes deploy/checkout over it. ask again";
        assert!(said.contains(words), "{said}");
    }
}
