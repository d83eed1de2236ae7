//! The weight of a pair in what routes to it: an `HTTPRoute` of the Gateway API, or an Ingress that nginx takes as a canary.

use serde_json::{Value, json};

use crate::domain::Verbatim;
use crate::domain::canary::Routed;
use crate::domain::pair::route::RouteKind;
use crate::plan::follow::Held;
use crate::plan::patch::pointer;
use crate::plan::verbs::live;
use crate::plan::{
    CheckId, Difference, Evidence, Finding, Goal, ObjectRef, Plan, Refusal, Step, Verdict, kubectl,
};

use super::super::{at_step, refused, where_it_is};

const WEIGHT: &str = "nginx.ingress.kubernetes.io/canary-weight";

/// # Errors
/// A controller takes it back, or it is what it is.
pub fn weight(evidence: &Evidence, routed: &Routed, percent: u32) -> Result<Plan, Refusal> {
    let (id, route) = (&evidence.workload.id, &routed.route);
    let name = format!("{}/{}", route.kind.short(), route.name);
    let from = at_step(evidence).map_or(0, |at| at.set);
    if from == percent {
        return Err(Refusal::say(format!(
            "{name} gives {percent}% to {id} already."
        )));
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
        differences: vec![Difference {
            what: "weight".into(),
            text: format!("{name}: {} → {percent}%", where_it_is(evidence)),
        }],
        steps: vec![step(evidence, routed, percent)?],
        meanwhile: format!("{have} of {want} pods of it serve, and stay"),
        kubectl: kubectl::edit(id, &name),
        ..live::draft(evidence, (side.clone(), side), goal)
    };
    let (finding, sentence) = match have {
        0 if percent > 0 => (
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
    plan.add(
        Verdict {
            check,
            finding,
            sentence,
        }
        .into(),
    );
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

/// Sets the weight that was shown to another, and no other one.
///
/// # Errors
/// A controller takes it back.
pub fn step(evidence: &Evidence, routed: &Routed, percent: u32) -> Result<Step, Refusal> {
    let route = &routed.route;
    let name = format!("{}/{}", route.kind.short(), route.name);
    if let Some(owner) = &route.owner {
        let sentence =
            format!("{owner} owns {name} and sets its weights: it would take this back.");
        return Err(refused(sentence, "that is where it is promoted or aborted"));
    }
    let mut operations = vec![json!({"op": "test", "path": "/metadata/uid", "value": route.uid})];
    match route.kind {
        RouteKind::HttpRoute => operations.extend(rules(evidence, routed, percent)),
        RouteKind::Ingress => operations.extend(annotation(routed, percent)),
    }
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
        what: format!(
            "set the weight of {} in {name} to {percent}%",
            evidence.workload.id
        ),
    })
}

/// In every rule that sends to both.
fn rules(evidence: &Evidence, routed: &Routed, percent: u32) -> Vec<Value> {
    let pair = evidence
        .workload
        .canary
        .as_ref()
        .and_then(|c| c.pair.as_ref());
    let canary = pair.map_or("", |pair| &pair.service);
    let mut operations = Vec::new();
    for (rule, at, beside) in routed.route.places(canary, &routed.stable) {
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

fn annotation(routed: &Routed, percent: u32) -> Vec<Value> {
    let Some((written, whole)) = &routed.route.annotated else {
        return Vec::new();
    };
    let path = format!("/metadata/annotations/{}", pointer(WEIGHT));
    let weight = u64::from(percent) * u64::from(*whole) / 100;
    vec![
        json!({"op": "test", "path": path, "value": written}),
        json!({"op": "replace", "path": path, "value": weight.to_string()}),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::evidence;
    use super::*;
    use crate::domain::pair::route::{Backend, Route};
    use crate::plan::verbs::canary::tests::plan_of;
    use crate::plan::{Target, Verb};

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
            rules: [[backend("checkout", 80), backend("checkout-canary", 20)].into()].into(),
            accepted: false,
            annotated: (kind == RouteKind::Ingress).then(|| ("20".into(), 100)),
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
}
