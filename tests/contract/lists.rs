//! Lists: their pages, their order, and what chooses from them.

use serde_json::{Value, json};

use super::place::{Place, deployment, name_of, version_of};

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(name_of).collect()
}

#[test]
fn pages_are_of_the_version_of_the_first() {
    let place = Place::new("pages");
    for name in ["a", "b", "c", "d", "e"] {
        place.secret(name, &json!({}));
    }
    let path = place.core("secrets");
    let page = |token: &Value| {
        let token = token.as_str().unwrap_or_default();
        place
            .admin
            .get(&format!("{path}?limit=2&continue={token}"))
            .ok()
    };
    let first = page(&Value::Null);
    assert_eq!(first["kind"], "SecretList");
    assert_eq!(first["apiVersion"], "v1");
    assert_eq!(names(first["items"].as_array().unwrap()), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    // What happens meanwhile is not in the later pages.
    let new = json!({"data": {"word": "bmV3"}});
    place.change("secrets", "c", &new);
    place.admin.delete(&format!("{path}/d"), &Value::Null).ok();
    place.secret("f", &json!({}));
    let second = page(&first["metadata"]["continue"]);
    assert_eq!(names(second["items"].as_array().unwrap()), ["c", "d"]);
    assert_eq!(second["items"][0]["data"]["word"], "b2xk", "as it was");
    assert_eq!(second["metadata"]["remainingItemCount"], 1);
    let third = page(&second["metadata"]["continue"]);
    assert_eq!(names(third["items"].as_array().unwrap()), ["e"]);
    for later in [&second, &third] {
        let version = &later["metadata"]["resourceVersion"];
        assert_eq!(*version, first["metadata"]["resourceVersion"]);
    }
    assert!(
        third["metadata"]["continue"]
            .as_str()
            .unwrap_or_default()
            .is_empty()
    );
    let whole = place.admin.get(&path).ok();
    assert_eq!(
        names(whole["items"].as_array().unwrap()),
        ["a", "b", "c", "e", "f"]
    );
    assert_eq!(whole["items"][2]["data"]["word"], "bmV3");
    assert!(version_of(&whole) > version_of(&first));
    assert!(whole["metadata"].get("remainingItemCount").is_none());
}

#[test]
fn a_page_of_a_forgotten_version_is_gone() {
    let place = Place::new("expired");
    for name in ["a", "b", "c"] {
        place.secret(name, &json!({}));
    }
    let path = place.core("secrets");
    let past = place.side.forget(&path);
    let page = format!("{path}?limit=1&continue={}", past.token);
    let status = past.admin.get(&page).refused(410);
    assert_eq!(status["reason"], "Expired");
    let message = status["message"].as_str().unwrap();
    assert!(
        message.starts_with("The provided continue parameter is too old"),
        "{message}"
    );
}

#[test]
fn a_token_that_nobody_gave_is_refused() {
    let place = Place::new("token");
    let path = place.core("secrets");
    let status = place
        .admin
        .get(&format!("{path}?limit=1&continue=what"))
        .refused(400);
    assert_eq!(status["reason"], "BadRequest");
}

#[test]
fn labels_choose() {
    let place = Place::new("labels");
    place.secret("a", &json!({"app": "web", "tier": "front"}));
    place.secret("b", &json!({"app": "web", "tier": "back"}));
    place.secret("c", &json!({"app": "db"}));
    place.secret("d", &json!({}));
    for (selector, chosen) in [
        ("app=web", &["a", "b"][..]),
        ("app==web", &["a", "b"]),
        ("app!=web", &["c", "d"]),
        ("app=web,tier=back", &["b"]),
        ("app+in+(web,db)", &["a", "b", "c"]),
        ("app+notin+(web,x)", &["c", "d"]),
        ("tier", &["a", "b"]),
        ("!tier", &["c", "d"]),
        ("app,!tier", &["c"]),
        ("app=nobody", &[]),
        ("", &["a", "b", "c", "d"]),
    ] {
        let selector = selector.replace('=', "%3D").replace(',', "%2C");
        let path = format!("{}?labelSelector={selector}", place.core("secrets"));
        assert_eq!(names(&place.admin.items(&path)), chosen, "{selector}");
    }
    let path = format!("{}?labelSelector=a%20b%20c", place.core("secrets"));
    assert_eq!(place.admin.get(&path).refused(400)["reason"], "BadRequest");
}

#[test]
fn fields_choose() {
    let place = Place::new("fields");
    for name in ["one", "two"] {
        place.create(
            "deployments",
            &deployment(name, "1", &json!({"replicas": 1})),
        );
        place.wait_complete("deployments", name, "1");
    }
    let count = |plural: &str, selector: &str| {
        let path = format!("{}?fieldSelector={selector}", place.collection(plural));
        place.admin.items(&path).len()
    };
    assert_eq!(count("deployments", "metadata.name%3Done"), 1);
    assert_eq!(count("deployments", "metadata.name!%3Done"), 1);
    assert_eq!(count("deployments", "metadata.name%3Dnobody"), 0);
    assert_eq!(count("pods", "status.phase%3DRunning"), 2);
    assert_eq!(count("pods", "status.phase!%3DRunning"), 0);
    let pod = place.pods_of("one").remove(0);
    let node = pod["spec"]["nodeName"].as_str().unwrap();
    assert!(count("pods", &format!("spec.nodeName%3D{node}")) >= 1);
    let both = format!("metadata.name%3D{},spec.nodeName%3D{node}", name_of(&pod));
    assert_eq!(count("pods", &both), 1);
    assert!(
        count(
            "events",
            "involvedObject.name%3Done,reason%3DScalingReplicaSet"
        ) >= 1
    );
    assert_eq!(
        count(
            "events",
            "involvedObject.name%3Done,involvedObject.kind%3DPod"
        ),
        0
    );
    assert!(count("events", "type%3DNormal") >= 2);
    assert_eq!(count("events", "type%3DWarning"), 0);
    let path = format!(
        "{}?fieldSelector=spec.replicas%3D1",
        place.apps("deployments")
    );
    let message = place.admin.get(&path).refused(400)["message"].to_string();
    assert!(
        message.contains("is not a known field selector"),
        "{message}"
    );
}

#[test]
fn every_namespace_at_once_in_the_order_of_the_names() {
    let (one, other) = (Place::new("all"), Place::new("all"));
    one.secret("x", &json!({"of": one.namespace}));
    one.secret("a", &json!({"of": one.namespace}));
    let there = one.side.namespace("all");
    let path = format!("/api/v1/namespaces/{there}/secrets");
    let object = json!({"metadata": {"name": "m", "labels": {"of": one.namespace}}});
    one.admin.post(&path, &object).ok();
    other.secret("z", &json!({"of": "nobody"}));
    let path = format!("/api/v1/secrets?labelSelector=of%3D{}", one.namespace);
    let items = one.admin.items(&path);
    let mut found: Vec<_> = items
        .iter()
        .map(|item| {
            (
                item["metadata"]["namespace"].as_str().unwrap(),
                name_of(item),
            )
        })
        .collect();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    assert_eq!(found, sorted);
    found.retain(|(namespace, _)| *namespace == one.namespace);
    assert_eq!(found.len(), 2);
    assert_eq!(items.len(), 3);
}

/// Who wrote which keys when is metadata; what they hold is not, and stays on the server.
#[test]
fn metadata_alone_in_pages() {
    let place = Place::new("bare");
    for name in ["a", "b", "c"] {
        place.secret(name, &json!({"app": "web"}));
    }
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    let path = format!("{}?limit=2", place.core("secrets"));
    let answer = place.admin.get_as(&path, accept);
    assert!(!answer.text().contains("b2xk"), "{}", answer.text());
    let list = answer.ok();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["apiVersion"], "meta.k8s.io/v1");
    assert_eq!(names(list["items"].as_array().unwrap()), ["a", "b"]);
    let first = &list["items"][0];
    assert_eq!(first["kind"], "PartialObjectMetadata");
    assert_eq!(first["metadata"]["labels"]["app"], "web");
    let fields = first["metadata"]["managedFields"].as_array().unwrap();
    assert!(fields.iter().any(|entry| {
        entry["fieldsV1"]["f:data"]["f:word"].is_object() && entry["time"].is_string()
    }));
    let next = list["metadata"]["continue"].as_str().unwrap();
    let rest = place
        .admin
        .get_as(&format!("{path}&continue={next}"), accept)
        .ok();
    assert_eq!(names(rest["items"].as_array().unwrap()), ["c"]);
}

/// Without its API a kind is not there, and everybody may know that.
#[test]
fn a_kind_that_nobody_installed_is_not_found() {
    let place = Place::new("absent");
    let path = format!(
        "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{}/kustomizations",
        place.namespace
    );
    assert_eq!(place.admin.get(&path).status, 404);
    for who in [&place.admin, &place.side.reader()] {
        assert_eq!(who.get("/apis/kustomize.toolkit.fluxcd.io/v1").status, 404);
    }
}
