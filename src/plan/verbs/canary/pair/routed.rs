//! The weight of a pair in what routes to it: an `HTTPRoute` of the Gateway API, or an Ingress that nginx takes as a canary.

use serde_json::{Value, json};

use crate::domain::canary::{Canary, Routed};
use crate::domain::pair::route::{Annotated, RouteKind};
use crate::domain::{Verbatim, WorkloadId};
use crate::plan::follow::Held;
use crate::plan::git::{self, Manifest, Written};
use crate::plan::patch::pointer;
use crate::plan::verbs::live;
use crate::plan::{
    CheckId, Difference, Evidence, Finding, Goal, Keeper, ObjectRef, Plan, Refusal, Step, Verdict,
    kubectl,
};

use super::super::{at_step, refused, where_it_is};

const WEIGHT: &str = "nginx.ingress.kubernetes.io/canary-weight";

/// # Errors
/// A controller takes it back, or it is what it is.
pub fn weight(evidence: &Evidence, routed: &Routed, percent: u32) -> Result<Plan, Refusal> {
    let (id, name) = (&evidence.workload.id, routed.route.called());
    let canary = evidence.workload.canary.as_deref();
    let shares = canary.map(Canary::shares).unwrap_or_default();
    let from = at_step(evidence).map_or(0, |at| at.set);
    if from == percent && shares.iter().all(|share| *share == percent) {
        return Err(already(id, (&name, percent), canary.and_then(Canary::also)));
    }
    let side = live::side(evidence)?;
    let workload = &evidence.workload;
    let (have, want) = (workload.counts.available, workload.desired);
    let goal = Goal {
        generation: workload.generation,
        held: Some(Held::Weight { from, to: percent }),
        ..live::goal(evidence, &side)?
    };
    let mut plan = Plan {
        arrow: (
            format!("{from}% to {}", side.label()),
            format!("{percent}%"),
        ),
        differences: differences(evidence, routed, &shares, percent),
        steps: vec![step(evidence, routed, percent)?],
        meanwhile: format!("{have} of {want} pods of it serve, and stay"),
        kubectl: kubectl::edit(id, &name),
        ..live::draft(evidence, (side.clone(), side), goal)
    };
    let told = [
        Some(readiness(evidence, percent)),
        canary.and_then(|canary| also(canary, false)),
    ];
    for verdict in told.into_iter().flatten() {
        plan.add(verdict.into());
    }
    git::guard_all(&mut plan, evidence, &[written(evidence, routed, percent)]);
    Ok(plan)
}

/// It gets nothing more. Its pods stay, because what they began may not be done.
///
/// # Errors
/// A controller takes it back, or it gets nothing already.
pub fn abort(evidence: &Evidence, routed: &Routed) -> Result<Plan, Refusal> {
    let mut plan = weight(evidence, routed, 0)?;
    plan.meanwhile = format!(
        "its pods stay: scale {} down once they are done",
        plan.workload
    );
    Ok(plan)
}

/// What a weight does not move: it goes on, or fails once the pods stop.
pub fn also(canary: &Canary, stops: bool) -> Option<Verdict> {
    let (also, name) = (canary.also()?, canary.route()?.route.called());
    let (check, words) = if stops {
        let words = "fails once its pods are gone: take that out of it first";
        (CheckId::Downtime, words)
    } else {
        (CheckId::Strategy, "goes to it whatever the weight")
    };
    Some(Verdict {
        check,
        finding: Finding::Warn,
        sentence: format!("what comes by {also} of {name} {words}"),
    })
}

/// Sets the weight that was shown to another, and no other one.
///
/// # Errors
/// A controller takes it back, or it cannot be said.
pub fn step(evidence: &Evidence, routed: &Routed, percent: u32) -> Result<Step, Refusal> {
    let (id, route) = (&evidence.workload.id, &routed.route);
    let name = route.called();
    if let Some(owner) = &route.owner {
        let sentence =
            format!("{owner} owns {name} and sets its weights: it would take this back.");
        return Err(refused(sentence, "that is where it is promoted or aborted"));
    }
    if let Some(third) = route.third(service(evidence), &routed.stable) {
        let sentence = format!(
            "{name} sends to {third} as well: with two weights of {id} nobody knows what the third gets."
        );
        return Err(refused(sentence, "set all of them in one edit of it"));
    }
    let mut operations = vec![json!({"op": "test", "path": "/metadata/uid", "value": route.uid})];
    operations.extend(changes(evidence, routed, percent)?);
    let body = Value::from(operations).to_string();
    Ok(Step::JsonPatch {
        object: ObjectRef {
            cluster: route.cluster.clone(),
            namespace: route.namespace.clone(),
            api: route.kind.api(),
            resource: route.kind.plural(),
            name: route.name.clone(),
        },
        body: Verbatim(body.into()),
        what: format!("set the weight of {id} in {name} to {percent}%"),
    })
}

/// The same for git. What cannot be said has no plan, and so no change either.
pub fn written<'a>(evidence: &'a Evidence, routed: &'a Routed, percent: u32) -> Written<'a> {
    let route = &routed.route;
    let mut operations = changes(evidence, routed, percent).unwrap_or_default();
    operations.retain(|one| one["op"] != "test");
    let manifest = match (route.kind, operations.first()) {
        (RouteKind::HttpRoute, _) => Manifest::Operations(operations.into()),
        (RouteKind::Ingress, first) => Manifest::Merge(json!({
            "apiVersion": route.kind.api(),
            "kind": "Ingress",
            "metadata": {
                "name": route.name,
                "namespace": route.namespace,
                "annotations": {WEIGHT: first.map(|one| &one["value"])},
            },
        })),
    };
    let beside = evidence.beside.as_ref();
    Written {
        name: route.called(),
        manager: route.manager.as_ref(),
        keeper: beside.map_or(&Keeper::None, |beside| &beside.route_keeper),
        manifest: Some(manifest),
        perhaps: false,
    }
}

fn already(id: &WorkloadId, (name, percent): (&str, u32), also: Option<String>) -> Refusal {
    let sentence = format!("{name} gives {percent}% to {id} already.");
    match also {
        None => Refusal::say(sentence),
        Some(also) => {
            let hint = format!("what comes by {also} goes to it whatever the weight");
            refused(sentence, &hint)
        }
    }
}

/// One line, or one for each rule where they have different weights.
fn differences(evidence: &Evidence, routed: &Routed, shares: &[u32], to: u32) -> Vec<Difference> {
    let route = &routed.route;
    let name = route.called();
    let line = |text| Difference {
        what: "weight".into(),
        text,
    };
    let same = shares.iter().all(|share| Some(share) == shares.first());
    if same {
        return vec![line(format!("{name}: {} → {to}%", where_it_is(evidence)))];
    }
    let places = route.places(service(evidence), &routed.stable);
    let each = places.zip(shares).map(|((rule, ..), share)| {
        let number = rule + 1;
        line(format!("{name}, rule {number}: {share}% → {to}%"))
    });
    each.collect()
}

/// Whether those serve that get more.
fn readiness(evidence: &Evidence, percent: u32) -> Verdict {
    let workload = match &evidence.serving {
        Some(stable) if percent == 0 => stable,
        _ => &evidence.workload,
    };
    let (id, have, want) = (&workload.id, workload.counts.available, workload.desired);
    let (finding, sentence) = match have {
        0 => (
            Finding::Block,
            format!("no pod of {id} serves: its share would fail"),
        ),
        have if have < want => (
            Finding::Warn,
            format!("only {have} of {want} pods of {id} serve"),
        ),
        have => (Finding::Ok, format!("{have} of {want} pods of {id} serve")),
    };
    let check = CheckId::Readiness;
    Verdict {
        check,
        finding,
        sentence,
    }
}

/// What is tested and changed in it.
fn changes(evidence: &Evidence, routed: &Routed, percent: u32) -> Result<Vec<Value>, Refusal> {
    match routed.route.kind {
        RouteKind::HttpRoute => Ok(rules(evidence, routed, percent)),
        RouteKind::Ingress => annotation(routed, percent),
    }
}

/// The Service of the canary alone.
fn service(evidence: &Evidence) -> &str {
    let canary = evidence.workload.canary.as_ref();
    let pair = canary.and_then(|canary| canary.pair.as_ref());
    pair.map_or("", |pair| &pair.service)
}

/// In every rule that sends to both.
fn rules(evidence: &Evidence, routed: &Routed, percent: u32) -> Vec<Value> {
    let mut operations = Vec::new();
    for (rule, at, beside) in routed.route.places(service(evidence), &routed.stable) {
        for (at, weight) in [(at, percent), (beside, 100_u32.saturating_sub(percent))] {
            let backend = &routed.route.rules[rule][at];
            let path = format!("/spec/rules/{rule}/backendRefs/{at}");
            let test = |field: &str, value: Value| json!({"op": "test", "path": format!("{path}/{field}"), "value": value});
            operations.push(test("name", json!(backend.service)));
            operations.push(test("weight", json!(backend.weight)));
            operations
                .push(json!({"op": "add", "path": format!("{path}/weight"), "value": weight}));
        }
    }
    operations
}

/// The controller counts in whole parts of what it calls all of it.
fn annotation(routed: &Routed, percent: u32) -> Result<Vec<Value>, Refusal> {
    let route = &routed.route;
    let Some(Annotated { weight, whole, .. }) = &route.annotated else {
        return Ok(Vec::new());
    };
    let parts = u64::from(percent) * u64::from(*whole);
    if !parts.is_multiple_of(100) {
        let below = parts / 100;
        let share = |part: u64| part * 100 / u64::from(*whole);
        let sentence = format!(
            "{} counts in parts of {whole}: {percent}% lies between {}% and {}%.",
            route.called(),
            share(below),
            share(below + 1)
        );
        return Err(refused(sentence, "one of those can be set"));
    }
    let path = format!("/metadata/annotations/{}", pointer(WEIGHT));
    let op = if weight.is_some() { "replace" } else { "add" };
    Ok(vec![
        json!({"op": "test", "path": path, "value": weight}),
        json!({"op": op, "path": path, "value": (parts / 100).to_string()}),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::tests::evidence;
    use super::*;
    use crate::domain::pair::route::{Backend, Route};
    use crate::plan::check::CheckState;
    use crate::plan::git::tests::healing;
    use crate::plan::verbs::canary::tests::plan_of;
    use crate::plan::{OfferId, Target, Verb};

    fn routed(kind: RouteKind, verb: Verb, change: impl FnOnce(&mut Route)) -> Evidence {
        let mut e = evidence(verb);
        e.request.target = Target::Weight(40);
        let backend = |name: &str, weight| Backend {
            service: name.into(),
            weight: (kind == RouteKind::HttpRoute).then_some(weight),
        };
        let mut route = Route {
            cluster: e.workload.id.cluster.clone(),
            namespace: e.workload.id.namespace.clone(),
            name: "checkout".into(),
            uid: "r1".into(),
            kind,
            owner: None,
            manager: None,
            rules: [[backend("checkout", 80), backend("checkout-canary", 20)].into()].into(),
            accepted: false,
            annotated: (kind == RouteKind::Ingress).then(|| Annotated {
                weight: Some("20".into()),
                whole: 100,
                also: None,
            }),
        };
        change(&mut route);
        let canary = e.workload.canary.as_mut().unwrap();
        (canary.set, canary.whole) = (20, 100);
        let pair = canary.pair.as_mut().unwrap();
        pair.service = "checkout-canary".into();
        pair.serve = None;
        pair.route = Some(Routed {
            route: Box::new(route),
            stable: "checkout".into(),
        });
        e
    }

    fn written(step: &Step) -> Value {
        match step {
            Step::JsonPatch { body, .. } | Step::After { body, .. } => {
                serde_json::from_str(&body.0).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_weights_of_a_route_are_set_from_those_that_were_shown() {
        let plan = plan_of(&routed(RouteKind::HttpRoute, Verb::SetWeight, |_| {})).unwrap();
        let path = "/spec/rules/0/backendRefs";
        let want = json!([
            {"op": "test", "path": "/metadata/uid", "value": "r1"},
            {"op": "test", "path": format!("{path}/1/name"), "value": "checkout-canary"},
            {"op": "test", "path": format!("{path}/1/weight"), "value": 20},
            {"op": "add", "path": format!("{path}/1/weight"), "value": 40},
            {"op": "test", "path": format!("{path}/0/name"), "value": "checkout"},
            {"op": "test", "path": format!("{path}/0/weight"), "value": 80},
            {"op": "add", "path": format!("{path}/0/weight"), "value": 60},
        ]);
        assert_eq!(written(&plan.steps[0]), want);
        assert_eq!(
            plan.differences[0].text,
            "httproute/checkout: 20% by its route → 40%"
        );
        let (object, verb, _) = plan.steps[0].permission().unwrap();
        assert_eq!(
            (object.api, object.resource, verb),
            ("gateway.networking.k8s.io/v1", "httproutes", "patch")
        );
    }

    #[test]
    fn that_of_an_ingress_is_an_annotation() {
        let plan = plan_of(&routed(RouteKind::Ingress, Verb::Abort, |_| {})).unwrap();
        let path = "/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight";
        let want = json!([
            {"op": "test", "path": "/metadata/uid", "value": "r1"},
            {"op": "test", "path": path, "value": "20"},
            {"op": "replace", "path": path, "value": "0"},
        ]);
        assert_eq!(written(&plan.steps[0]), want);
        assert!(
            plan.meanwhile.starts_with("its pods stay"),
            "{}",
            plan.meanwhile
        );
    }

    #[test]
    fn a_promotion_gives_it_nothing_more_before_its_pods_stop() {
        let plan = plan_of(&routed(RouteKind::Ingress, Verb::Promote, |_| {})).unwrap();
        let [
            Step::Beside { .. },
            route @ Step::After { .. },
            stop @ Step::JsonPatch { .. },
        ] = &plan.steps[..]
        else {
            panic!("{:?}", plan.steps);
        };
        assert_eq!(written(route)[2]["value"], "0");
        assert_eq!(stop.name(), "checkout-canary");
        assert!(!plan.begins_at(route) && plan.begins_at(stop));
    }

    #[test]
    fn what_a_controller_owns_or_is_so_already_is_refused() {
        let owned = |route: &mut Route| route.owner = Some("Canary checkout".into());
        let refused = |e: &Evidence| plan_of(e).unwrap_err().failure.sentence;
        let said = refused(&routed(RouteKind::HttpRoute, Verb::SetWeight, owned));
        assert!(
            said.starts_with("Canary checkout owns httproute/checkout"),
            "{said}"
        );
        let mut same = routed(RouteKind::HttpRoute, Verb::SetWeight, |_| {});
        same.request.target = Target::Weight(20);
        assert!(refused(&same).contains("already"));
    }

    fn backend(service: &str, weight: u32) -> Backend {
        Backend {
            service: service.into(),
            weight: Some(weight),
        }
    }

    fn annotated(route: &mut Route) -> &mut Annotated {
        route.annotated.as_mut().unwrap()
    }

    fn warned(plan: &Plan, id: CheckId) -> Option<&str> {
        plan.checks.iter().find_map(|check| match &check.state {
            CheckState::Answered(verdict) if check.id == id => {
                assert_eq!(verdict.finding, Finding::Warn);
                Some(&*verdict.sentence)
            }
            _ => None,
        })
    }

    #[test]
    fn what_two_weights_cannot_say_is_refused() {
        let third = |weight| {
            let change = |route: &mut Route| {
                let rule = [("checkout", 60), ("checkout-canary", 20), ("old", weight)];
                let rule = rule.map(|(name, weight)| backend(name, weight));
                route.rules = [rule.into()].into();
            };
            plan_of(&routed(RouteKind::HttpRoute, Verb::SetWeight, change))
        };
        let said = third(20).unwrap_err().failure.sentence;
        assert!(
            said.starts_with("httproute/checkout sends to old as well"),
            "{said}"
        );
        assert!(third(0).is_ok(), "it gets nothing");
        let coarse = |percent| {
            let whole = |route: &mut Route| annotated(route).whole = 10;
            let mut e = routed(RouteKind::Ingress, Verb::SetWeight, whole);
            e.request.target = Target::Weight(percent);
            plan_of(&e)
        };
        let said = coarse(25).unwrap_err().failure.sentence;
        let words = "ingress/checkout counts in parts of 10: 25% lies between 20% and 30%.";
        assert_eq!(said, words);
        assert_eq!(written(&coarse(30).unwrap().steps[0])[2]["value"], "3");
    }

    #[test]
    fn what_comes_whatever_the_weight_is_told() {
        let header = |route: &mut Route| {
            annotated(route).also = Some("header x-canary".into());
            annotated(route).weight = None;
        };
        let of = |verb| {
            let mut e = routed(RouteKind::Ingress, verb, header);
            e.workload.canary.as_mut().unwrap().set = 0;
            e
        };
        let plan = plan_of(&of(Verb::SetWeight)).unwrap();
        let words =
            "what comes by header x-canary of ingress/checkout goes to it whatever the weight";
        assert_eq!(warned(&plan, CheckId::Strategy), Some(words));
        let body = written(&plan.steps[0]);
        assert_eq!(
            (&body[1]["value"], &body[2]["op"]),
            (&Value::Null, &json!("add"))
        );
        let why = plan_of(&of(Verb::Abort)).unwrap_err().failure;
        assert!(
            why.sentence
                .ends_with("0% to deploy/checkout-canary already.")
        );
        assert!(why.hints[0].contains("header x-canary"), "{:?}", why.hints);
        let plan = plan_of(&of(Verb::Promote)).unwrap();
        let said = warned(&plan, CheckId::Downtime).unwrap();
        assert!(said.contains("fails once its pods are gone"), "{said}");
    }

    #[test]
    fn rules_with_other_weights_are_told_one_by_one() {
        let two = |route: &mut Route| {
            let rule = |weight| {
                let stable = backend("checkout", 100 - weight);
                [stable, backend("checkout-canary", weight)].into()
            };
            route.rules = [rule(20), [backend("cart", 1)].into(), rule(40)].into();
        };
        let mut e = routed(RouteKind::HttpRoute, Verb::SetWeight, two);
        e.workload.canary.as_mut().unwrap().set = 40;
        let plan = plan_of(&e).unwrap();
        let told: Vec<_> = plan.differences.iter().map(|d| &*d.text).collect();
        let words = [
            "httproute/checkout, rule 1: 20% → 40%",
            "httproute/checkout, rule 3: 40% → 40%",
        ];
        assert_eq!(told, words);
    }

    #[test]
    fn an_abort_looks_at_those_that_get_it_all() {
        let mut e = routed(RouteKind::HttpRoute, Verb::Abort, |_| {});
        e.serving.as_mut().unwrap().counts.available = 5;
        let plan = plan_of(&e).unwrap();
        let words = "only 5 of 8 pods of deploy/checkout serve";
        assert_eq!(warned(&plan, CheckId::Readiness), Some(words));
    }

    #[test]
    fn a_route_that_git_keeps_is_guarded_and_offered_as_what_it_takes() {
        for (kind, line) in [
            (
                RouteKind::HttpRoute,
                "path: \"/spec/rules/0/backendRefs/1/weight\"",
            ),
            (
                RouteKind::Ingress,
                "\"nginx.ingress.kubernetes.io/canary-weight\": \"40\"",
            ),
        ] {
            let mut e = routed(kind, Verb::SetWeight, |_| {});
            e.beside.as_mut().unwrap().route_keeper = healing();
            let plan = plan_of(&e).unwrap();
            let owner = plan.checks.iter().find(|c| c.id == CheckId::Owner).unwrap();
            let CheckState::Answered(verdict) = &owner.state else {
                panic!("{owner:?}");
            };
            assert_eq!(verdict.finding, Finding::Block);
            let name = format!("application shop owns {}/checkout, and", kind.short());
            assert!(verdict.sentence.contains(&name), "{}", verdict.sentence);
            let ids: Vec<_> = plan.offers.iter().map(|offer| offer.id).collect();
            assert_eq!(ids, [OfferId::SuspendSync, OfferId::GitPatch]);
            let text = &plan.offers[1].document.as_ref().unwrap().text;
            assert!(text.contains(line), "{text}");
            assert!(!text.contains("test"), "{text}");
        }
    }
}
