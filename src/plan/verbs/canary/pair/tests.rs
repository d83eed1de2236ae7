//! Plans for the canary of a pair, beside eight pods that serve.

use serde_json::json;

use super::super::tests::plan_of;
use super::*;
use crate::domain::canary::{Pair, PausedBy, Provider};
use crate::domain::{Autoscaler, Kind, Manager, TemplateHash};
use crate::plan::git::tests::healing;
use crate::plan::verbs::rollback::sample;
use crate::plan::{CheckState, OfferId, Verb};

/// Two pods of 2.15.0 beside eight of 2.14.1.
pub fn evidence(verb: Verb) -> Evidence {
    let mut e = sample::evidence();
    e.request.verb = verb;
    e.workload.id.name = "checkout-canary".into();
    e.request.workload = e.workload.id.clone();
    e.workload.desired = 2;
    (e.workload.counts.total, e.workload.counts.available) = (2, 2);
    let mut stable = sample::workload("2.14.1");
    stable.uid = "d0".into();
    stable.desired = 8;
    stable.counts.available = 8;
    e.serving = Some(stable);
    e.beside = Some(Beside {
        template: Verbatim(sample::template("2.14.1").to_string().into()),
        has_annotations: true,
        keeper: Keeper::None,
        route_keeper: Keeper::None,
        autoscaling: Autoscaling::None,
    });
    e.workload.canary = Some(Box::new(Canary {
        stable_in: Some("checkout".into()),
        pair: Some(Box::new(Pair {
            service: "checkout".into(),
            serve: Some((2, 8)),
            by_endpoints: true,
            route: None,
        })),
        ..Canary::by_pods(Provider::Pair, PausedBy::Step, (2, 10))
    }));
    e
}

fn said(plan: &Plan, id: CheckId) -> Option<(Finding, &str)> {
    plan.checks.iter().find_map(|check| match &check.state {
        CheckState::Answered(verdict) if check.id == id => {
            Some((verdict.finding, &*verdict.sentence))
        }
        _ => None,
    })
}

#[test]
fn a_promotion_gives_the_images_first_and_stops_the_canary_once_they_run() {
    let plan = plan_of(&evidence(Verb::Promote)).unwrap();
    let [
        Step::Beside { object, body, .. },
        Step::After {
            object: own,
            body: scale,
            runs,
            ..
        },
    ] = &plan.steps[..]
    else {
        panic!("{:?}", plan.steps);
    };
    assert_eq!((&*object.name, &*own.name), ("checkout", "checkout-canary"));
    let written: Value = serde_json::from_str(&body.0).unwrap();
    assert_eq!(written[0]["value"], "d0");
    assert_eq!(written[1]["value"], sample::template("2.14.1"));
    let image = json!({
        "op": "replace", "path": "/spec/template/spec/containers/0/image",
        "value": "shop/checkout:2.15.0",
    });
    assert_eq!(written[2], image);
    let part = r#"{"op":"test","path":"/spec/replicas","value":2},{"op":"replace","path":"/spec/replicas","value":0}"#;
    assert!(scale.0.contains(part), "{}", scale.0);
    assert_eq!(&*runs.containers[0].image, "shop/checkout:2.15.0");
    assert!(!plan.begins_at(&plan.steps[0]) && plan.begins_at(&plan.steps[1]));
    assert_eq!((plan.number(0), plan.number(1)), (0, 0));
    assert_eq!(plan.replicas_before(), Some(2));
    assert_eq!(plan.arrow.0, "2.14.1 of deploy/checkout");
    let waits = "rollout status deploy/checkout && ";
    assert!(plan.kubectl.contains(waits), "{}", plan.kubectl);
    assert_eq!(said(&plan, CheckId::Differs).unwrap().0, Finding::Ok);
}

#[test]
fn the_digest_that_its_pods_run_is_written_where_they_agree() {
    let mut e = evidence(Verb::Promote);
    let mut pods = [1, 2].map(|n| sample::pod(&e.workload.id, n, (42, "2.15.0")));
    e.pods = pods.clone().into();
    let image = |e: &Evidence| images(e, &sample::template("2.14.1"))[0].image.clone();
    assert_eq!(image(&e), "shop/checkout:2.15.0@sha256:77c01d00");
    pods[1].containers[0].image_id = "shop/checkout@sha256:0000".into();
    e.pods = pods.clone().into();
    assert_eq!(image(&e), "shop/checkout:2.15.0", "two of one tag");
    pods[1].containers[0].image_id = "mirror/checkout@sha256:77c01d00".into();
    e.pods = pods.into();
    assert_eq!(image(&e), "shop/checkout:2.15.0", "another repository");
}

#[test]
fn what_else_differs_is_told_and_not_copied() {
    let mut e = evidence(Verb::Promote);
    let mut own = sample::template("2.15.0");
    own["spec"]["containers"][0]["command"] = json!(["sh"]);
    own["metadata"]["labels"]["track"] = json!("canary");
    e.template = Verbatim(own.to_string().into());
    e.workload.template = TemplateHash::of(&e.template.0);
    e.request.shown = e.workload.template;
    let plan = plan_of(&e).unwrap();
    let (finding, words) = said(&plan, CheckId::Differs).unwrap();
    assert_eq!(finding, Finding::Warn);
    assert!(words.ends_with("more than is copied: command"), "{words}");
}

#[test]
fn an_abort_stops_the_canary_and_looks_whether_the_other_one_serves() {
    let plan = plan_of(&evidence(Verb::Abort)).unwrap();
    assert_eq!(plan.goal.scaled, Some(Scaled::To(0)));
    let words = "2 of its pods stop; 8 of 8 of deploy/checkout serve all";
    assert_eq!(plan.meanwhile, words);
    assert_eq!(plan.differences[0].text, "20% 2 of 10 pods → 0%");
    let mut e = evidence(Verb::Abort);
    e.serving.as_mut().unwrap().counts.available = 0;
    let plan = plan_of(&e).unwrap();
    assert_eq!(said(&plan, CheckId::Readiness).unwrap().0, Finding::Block);
}

#[test]
fn a_weight_is_so_many_pods() {
    let at = |percent, change: &dyn Fn(&mut Evidence)| {
        let mut e = evidence(Verb::SetWeight);
        e.request.target = Target::Weight(percent);
        change(&mut e);
        plan_of(&e)
    };
    let plan = at(33, &|_| {}).unwrap();
    assert_eq!(plan.goal.scaled, Some(Scaled::To(4)));
    assert_eq!(plan.differences[0].text, "20% 2 of 10 pods → 4 of 12 pods");
    let by = |e: &mut Evidence| {
        e.autoscaling = Autoscaling::By(Autoscaler {
            name: "web".into(),
            uid: "h1".into(),
            target: Some((Kind::Deployment.name().into(), "checkout-canary".into())),
            min: Some(1),
            max: 5,
            wants: None,
            blind: None,
            has_annotations: false,
            turn: None,
        });
    };
    for (plan, words) in [
        (at(20, &|_| {}), "which it has"),
        (at(100, &|_| {}), "cannot go to deploy/checkout-canary"),
        (at(33, &by), "hpa/web sets the number"),
    ] {
        let said = plan.unwrap_err().failure.sentence;
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn another_one_that_moves_the_share_is_told() {
    let mut e = evidence(Verb::SetWeight);
    e.request.target = Target::Weight(33);
    let beside = e.beside.as_mut().unwrap();
    beside.autoscaling = Autoscaling::Unknown("needs list".into());
    let plan = plan_of(&e).unwrap();
    let (finding, words) = said(&plan, CheckId::Autoscaler).unwrap();
    assert_eq!(finding, Finding::Unverified);
    assert!(words.contains("deploy/checkout"), "{words}");
    e.request.target = Target::Weight(0);
    assert_eq!(said(&plan_of(&e).unwrap(), CheckId::Autoscaler), None);
}

#[test]
fn the_stable_one_names_its_canary() {
    for (verb, hint) in [
        (Verb::Promote, "promote deploy/checkout-canary"),
        (Verb::PromoteFull, "promote deploy/checkout-canary --full"),
        (Verb::Abort, "abort deploy/checkout-canary"),
        (Verb::SetWeight, "weight deploy/checkout-canary PERCENT"),
    ] {
        let mut e = sample::evidence();
        e.request.verb = verb;
        e.has_beside = Some(evidence(verb).workload.id);
        let why = plan_of(&e).unwrap_err().failure;
        let words =
            "deploy/checkout is the stable one of a pair: its canary deploy/checkout-canary";
        assert!(why.sentence.starts_with(words), "{}", why.sentence);
        assert_eq!(why.hints, [hint]);
    }
}

#[test]
fn each_object_that_git_keeps_is_named_and_suspended_once() {
    let mut e = evidence(Verb::Promote);
    e.keeper = healing();
    e.beside.as_mut().unwrap().keeper = healing();
    let mut plan = plan_of(&e).unwrap();
    let (finding, words) = said(&plan, CheckId::Owner).unwrap();
    assert_eq!(finding, Finding::Block);
    let both = "application shop owns deploy/checkout and deploy/checkout-canary, and";
    assert!(words.contains(both), "{words}");
    plan.take(OfferId::SuspendSync, true);
    let suspended = plan.all_steps().filter(|step| step.is_of_sync());
    assert_eq!(suspended.count(), 1);
    let text = &plan.offers[1].document.as_ref().unwrap().text;
    let [first, second] = text.split("---\n").collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    assert!(first.contains("image: \"shop/checkout:2.15.0\""), "{text}");
    assert!(second.contains("replicas: 0"), "{text}");
    // One that only the stable one belongs to.
    let mut e = evidence(Verb::Promote);
    e.serving.as_mut().unwrap().manager = Some(Manager::Helm("shop".into()));
    let plan = plan_of(&e).unwrap();
    let (finding, words) = said(&plan, CheckId::Owner).unwrap();
    assert_eq!(finding, Finding::Warn);
    assert!(
        words.starts_with("Helm release shop owns deploy/checkout:"),
        "{words}"
    );
    assert!(plan.offers.is_empty());
    assert_eq!(
        said(&plan_of(&evidence(Verb::Promote)).unwrap(), CheckId::Owner)
            .unwrap()
            .0,
        Finding::Ok
    );
}

#[test]
fn what_would_do_nothing_is_refused() {
    let paused = |e: &mut Evidence| e.serving.as_mut().unwrap().paused = true;
    let same = |e: &mut Evidence| e.beside.as_mut().unwrap().template = e.template.clone();
    let gone = |e: &mut Evidence| e.serving = None;
    for (change, words) in [
        (paused as fn(&mut Evidence), "deploy/checkout is paused"),
        (same, "has the images of deploy/checkout-canary already"),
        (gone, "is gone"),
    ] {
        let mut e = evidence(Verb::Promote);
        change(&mut e);
        let said = plan_of(&e).unwrap_err().failure.sentence;
        assert!(said.contains(words), "{said}");
    }
}
