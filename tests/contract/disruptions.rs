//! What evictions and autoscalers do: a disruption budget says no in words, and bounds are held.

use serde_json::{Value, json};

use super::http::JSON_PATCH;
use super::place::{Place, complete, deployment, name_of};

fn budgets(place: &Place) -> String {
    let namespace = &place.namespace;
    format!("/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")
}

fn eviction(pod: &Value, options: &Value) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name_of(pod)},
        "deleteOptions": options})
}

#[test]
fn an_eviction_asks_the_disruption_budget() {
    let place = Place::new("evict");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 2})),
    );
    place.wait_complete("deployments", "web", "1");
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}});
    place.admin.post(&budgets(&place), &budget).ok();
    let path = format!("{}/web", budgets(&place));
    let counted = crate::support::wait::until("the budget is counted", || {
        let status = place.admin.get(&path).ok()["status"].take();
        (status["currentHealthy"] == 2).then_some(status)
    });
    assert_eq!(
        (
            &counted["disruptionsAllowed"],
            &counted["desiredHealthy"],
            &counted["expectedPods"]
        ),
        (&json!(0), &json!(2), &json!(2))
    );
    let pod = place.pods_of("web").remove(0);
    let at = format!("{}/{}/eviction", place.core("pods"), name_of(&pod));
    for (query, options) in [("", json!({})), ("?dryRun=All", json!({"dryRun": ["All"]}))] {
        let answer = place
            .admin
            .post(&format!("{at}{query}"), &eviction(&pod, &options));
        assert_eq!(answer.status, 429, "{query}");
        let status = answer.json();
        assert_eq!(status["reason"], "TooManyRequests");
        assert_eq!(
            status["message"],
            "Cannot evict pod as it would violate the pod's disruption budget."
        );
        let cause = &status["details"]["causes"][0];
        assert_eq!(cause["reason"], "DisruptionBudget");
        assert_eq!(
            cause["message"],
            "The disruption budget web needs 2 healthy pods and has 2 currently"
        );
    }
    place.admin.delete(&path, &Value::Null).ok();
    let other = json!({"preconditions": {"uid": "another"}});
    let answer = place.admin.post(&at, &eviction(&pod, &other));
    assert_eq!(answer.status, 409);
    let dry = json!({"dryRun": ["All"]});
    let answer = place
        .admin
        .post(&format!("{at}?dryRun=All"), &eviction(&pod, &dry));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["status"], "Success");
    assert!(
        place
            .pods_of("web")
            .iter()
            .any(|p| p["metadata"]["uid"] == pod["metadata"]["uid"]
                && p["metadata"]["deletionTimestamp"].is_null())
    );
    let bound = json!({"preconditions": {"uid": pod["metadata"]["uid"],
        "resourceVersion": place.read("pods", name_of(&pod))["metadata"]["resourceVersion"]}});
    let answer = place.admin.post(&at, &eviction(&pod, &bound));
    assert_eq!(answer.status, 201);
    crate::support::wait::until("another took its place", || {
        let pods = place.pods_of("web");
        let gone = pods
            .iter()
            .all(|p| p["metadata"]["uid"] != pod["metadata"]["uid"]);
        (gone && pods.len() == 2).then_some(())
    });
    let answer = place.admin.post(&at, &eviction(&pod, &json!({})));
    assert_eq!(answer.status, 404);
    let answer = place.reader.post(&at, &eviction(&pod, &json!({})));
    assert_eq!(answer.status, 403);
    let said = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(
        said.contains(r#"cannot create resource "pods/eviction""#),
        "{said}"
    );
}

#[test]
fn an_autoscaler_holds_its_bounds() {
    let place = Place::new("bounds");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 1})),
    );
    place.wait_complete("deployments", "web", "1");
    let object = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 4, "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]}});
    let namespace = &place.namespace;
    let collection =
        format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers");
    let made = place.admin.post(&collection, &object).ok();
    assert_eq!(made["spec"]["minReplicas"], 1);
    assert_eq!(made["metadata"]["annotations"], Value::Null);
    let path = format!("{collection}/web");
    let uid = &made["metadata"]["uid"];
    let bound = |least: u32, min: u32| {
        json!([
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "test", "path": "/spec/minReplicas", "value": least},
            {"op": "test", "path": "/spec/maxReplicas", "value": 4},
            {"op": "add", "path": "/spec/minReplicas", "value": min},
            {"op": "replace", "path": "/spec/maxReplicas", "value": 4},
            {"op": "test", "path": "/metadata/annotations", "value": null},
            {"op": "add", "path": "/metadata/annotations", "value": {"rolldeck.dev/turn": "x"}},
        ])
    };
    let refused = place.admin.patch(&path, JSON_PATCH, &bound(2, 3));
    assert_eq!(refused.status, 422);
    let bounded = place.admin.patch(&path, JSON_PATCH, &bound(1, 3)).ok();
    assert_eq!(bounded["spec"]["minReplicas"], 3);
    place.wait("deployments", "web", "three of them", |object| {
        object["spec"]["replicas"] == 3 && complete(object)
    });
}
