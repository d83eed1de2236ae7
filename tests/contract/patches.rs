//! Patches: which apply, which are refused, and with which words.

use http::Method;
use serde_json::{Value, json};

use super::http::{JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH};
use super::place::{Place, deployment};
use crate::support::fixtures::merge;

const REJECTED: &str = "the server rejected our request due to an error in our request";

/// A paused Deployment: no controller writes an annotation or a status that matters here.
fn paused(place: &Place, container: &Value) -> String {
    let mut object = deployment("web", "1", &json!({"replicas": 0, "paused": true}));
    merge(
        &mut object["spec"]["template"]["spec"]["containers"][0],
        container,
    );
    place.create("deployments", &object);
    format!("{}/web", place.apps("deployments"))
}

/// What only verbatim bytes get through.
fn hard() -> Value {
    json!({
        "command": ["sh", "-c", "a && b <c> > d", "", "w\u{e4}b \u{2603} \u{2028} \u{1f600}", "\t\"\\\n"],
        "env": [{"name": "EMPTY", "value": ""}, {"name": "N", "value": "9007199254740993"}],
        "securityContext": {"runAsUser": 2_147_483_647_i64, "runAsGroup": 0},
    })
}

/// The bytes of `/spec/template` in the text of the object.
fn template(text: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        spec: Spec<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Spec<'a> {
        #[serde(borrow)]
        template: &'a serde_json::value::RawValue,
    }
    let object: Object = serde_json::from_str(text).unwrap();
    object.spec.template.get().to_owned()
}

#[test]
fn a_failing_test_is_422_without_causes_and_changes_nothing() {
    let place = Place::new("test");
    let path = paused(&place, &json!({}));
    let before = place.admin.get(&path).ok();
    let uid = &before["metadata"]["uid"];
    let replace = json!({"op": "replace", "path": "/spec/replicas", "value": 3});
    for failing in [
        json!({"op": "test", "path": "/metadata/uid", "value": "another"}),
        json!({"op": "test", "path": "/spec/replicas", "value": 1}),
        json!({"op": "test", "path": "/spec/replicas", "value": "0"}),
        json!({"op": "test", "path": "/spec/template", "value": {}}),
        json!({"op": "test", "path": "/spec/nothing", "value": 1}),
        json!({"op": "test", "path": "/spec/paused", "value": null}),
    ] {
        let patch =
            json!([{"op": "test", "path": "/metadata/uid", "value": uid}, failing, replace]);
        let status = place.admin.patch(&path, JSON_PATCH, &patch).refused(422);
        assert_eq!(status["reason"], "Invalid", "{failing}");
        assert_eq!(status["message"], REJECTED, "{failing}");
        assert_eq!(status["details"].get("causes"), None, "{failing}");
    }
    assert_eq!(wanted(&place.admin.get(&path).ok()), wanted(&before));
}

/// Without what controllers may write meanwhile.
fn wanted(object: &Value) -> (&Value, &Value, &Value) {
    let metadata = &object["metadata"];
    (
        &object["spec"],
        &metadata["generation"],
        &metadata["annotations"],
    )
}

#[test]
fn a_path_that_is_not_there_is_422_too() {
    let place = Place::new("missing");
    let path = paused(&place, &json!({}));
    let before = place.admin.get(&path).ok();
    for operation in [
        json!({"op": "replace", "path": "/spec/nothing/more", "value": 1}),
        json!({"op": "remove", "path": "/spec/nothing"}),
        json!({"op": "add", "path": "/spec/nothing/more", "value": 1}),
        json!({"op": "remove", "path": "/spec/template/spec/containers/7"}),
    ] {
        let status = place
            .admin
            .patch(&path, JSON_PATCH, &json!([operation]))
            .refused(422);
        assert_eq!(status["message"], REJECTED, "{operation}");
        assert_eq!(status["details"].get("causes"), None, "{operation}");
    }
    assert_eq!(wanted(&place.admin.get(&path).ok()), wanted(&before));
}

#[test]
fn verbatim_bytes_pass_the_test_and_written_anew_they_do_not() {
    let place = Place::new("verbatim");
    let path = paused(&place, &hard());
    let text = place.admin.get(&path).text();
    let shown = template(&text);
    for escape in ["\\u0026", "\\u003c", "\\u003e", "\\u2028"] {
        assert!(shown.contains(escape), "{escape}: {shown}");
    }
    let tested = |value: &str, annotation: &str| {
        let patch = format!(
            r#"[{{"op":"test","path":"/spec/template","value":{value}}},{{"op":"add","path":"/metadata/labels","value":{{"by":"{annotation}"}}}}]"#
        );
        place.admin.send(&Method::PATCH, &path, JSON_PATCH, patch)
    };
    let object = tested(&shown, "verbatim").ok();
    assert_eq!(object["metadata"]["labels"]["by"], "verbatim");
    let again: Value = serde_json::from_str(&shown).unwrap();
    let again = again.to_string();
    assert_ne!(again, shown);
    let status = tested(&again, "anew").refused(422);
    assert_eq!(status["message"], REJECTED);
    assert_eq!(template(&place.admin.get(&path).text()), shown);
    // The order of keys is none of its business.
    let spec = json!({"z": 1, "a": serde_json::from_str::<Value>(&shown).unwrap()["metadata"]});
    assert!(
        spec.to_string().starts_with("{\"a\""),
        "keys are sorted here"
    );
    let turned: serde_json::Map<String, Value> = serde_json::from_str(&shown).unwrap();
    let raw = |key: &str| template_part(&shown, key);
    assert!(turned.contains_key("metadata") && turned.contains_key("spec"));
    let turned = format!(
        r#"{{"spec":{},"metadata":{}}}"#,
        raw("spec"),
        raw("metadata")
    );
    tested(&turned, "turned").ok();
    // And what was shown can be written back as it is.
    let write = format!(r#"[{{"op":"replace","path":"/spec/template","value":{shown}}}]"#);
    place
        .admin
        .send(&Method::PATCH, &path, JSON_PATCH, write)
        .ok();
    assert_eq!(template(&place.admin.get(&path).text()), shown);
}

fn template_part(template: &str, key: &str) -> String {
    let parts: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(template).unwrap();
    parts[key].get().to_owned()
}

#[test]
fn a_missing_map_is_tested_as_null_and_added_once() {
    let place = Place::new("null");
    let path = paused(&place, &json!({}));
    let patch = json!([
        {"op": "test", "path": "/metadata/annotations", "value": null},
        {"op": "add", "path": "/metadata/annotations", "value": {"rolldeck.dev/action": "1"}},
    ]);
    let object = place.admin.patch(&path, JSON_PATCH, &patch).ok();
    assert_eq!(
        object["metadata"]["annotations"]["rolldeck.dev/action"],
        "1"
    );
    place.admin.patch(&path, JSON_PATCH, &patch).refused(422);
    let patch =
        json!([{"op": "add", "path": "/metadata/annotations/rolldeck.dev~1action", "value": "2"}]);
    let object = place.admin.patch(&path, JSON_PATCH, &patch).ok();
    assert_eq!(
        object["metadata"]["annotations"],
        json!({"rolldeck.dev/action": "2"})
    );
}

#[test]
fn every_operation_of_a_json_patch() {
    let place = Place::new("operations");
    let path = paused(&place, &json!({"args": ["a", "c"]}));
    let container = "/spec/template/spec/containers/0";
    let patch = json!([
        {"op": "add", "path": format!("{container}/args/1"), "value": "b"},
        {"op": "add", "path": format!("{container}/args/-"), "value": "d"},
        {"op": "copy", "from": format!("{container}/args/0"), "path": format!("{container}/args/-")},
        {"op": "replace", "path": format!("{container}/args/0"), "value": "A"},
        {"op": "add", "path": "/metadata/labels", "value": {"x": "1", "y": "2"}},
        {"op": "move", "from": "/metadata/labels/x", "path": "/metadata/labels/z"},
        {"op": "remove", "path": "/metadata/labels/y"},
        // A member that is not there is added, which the standard forbids.
        {"op": "replace", "path": "/metadata/labels/w", "value": "4"},
    ]);
    let object = place.admin.patch(&path, JSON_PATCH, &patch).ok();
    let args = &object["spec"]["template"]["spec"]["containers"][0]["args"];
    assert_eq!(*args, json!(["A", "b", "c", "d", "a"]));
    assert_eq!(object["metadata"]["labels"], json!({"w": "4", "z": "1"}));
}

#[test]
fn a_merge_patch_sets_replaces_and_takes_away() {
    let place = Place::new("merge");
    let path = paused(&place, &json!({"args": ["a", "c"]}));
    let change =
        json!({"metadata": {"annotations": {"a": "1", "b": "2"}}, "spec": {"replicas": 0}});
    place.admin.patch(&path, MERGE_PATCH, &change).ok();
    let change =
        json!({"metadata": {"annotations": {"a": null, "c": "3"}}, "spec": {"paused": null}});
    let object = place.admin.patch(&path, MERGE_PATCH, &change).ok();
    let annotations = &object["metadata"]["annotations"];
    assert_eq!(
        (&annotations["b"], &annotations["c"]),
        (&json!("2"), &json!("3"))
    );
    assert!(annotations.get("a").is_none());
    assert!(object["spec"].get("paused").is_none());
    // A list is replaced as a whole.
    let containers = json!([{"name": "other", "image": "registry.test/shop/other:1"}]);
    let change = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    let object = place.admin.patch(&path, MERGE_PATCH, &change).ok();
    let containers = object["spec"]["template"]["spec"]["containers"]
        .as_array()
        .unwrap();
    assert_eq!(containers.len(), 1);
    assert_eq!(containers[0]["name"], "other");
    assert!(containers[0].get("args").is_none());
}

#[test]
fn a_strategic_patch_finds_containers_by_their_names() {
    let place = Place::new("strategic");
    let path = paused(&place, &json!({"args": ["a", "c"]}));
    let change = json!([{"op": "add", "path": "/spec/template/spec/containers/-",
        "value": {"name": "side", "image": "registry.test/shop/side:1"}}]);
    place.admin.patch(&path, JSON_PATCH, &change).ok();
    let change = json!({"spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "app"}, {"name": "side"}],
        "containers": [{"name": "side", "image": "registry.test/shop/side:2"}]}}}});
    let object = place.admin.patch(&path, STRATEGIC_PATCH, &change).ok();
    let containers = object["spec"]["template"]["spec"]["containers"]
        .as_array()
        .unwrap();
    let images: Vec<_> = containers
        .iter()
        .map(|one| one["image"].as_str().unwrap())
        .collect();
    assert_eq!(
        images,
        ["registry.test/shop/web:1", "registry.test/shop/side:2"]
    );
    assert_eq!(containers[0]["args"], json!(["a", "c"]));
}

#[test]
fn what_is_no_patch_is_refused() {
    let place = Place::new("nopatch");
    let path = paused(&place, &json!({}));
    let send = |kind: &str, body: &str| place.admin.send(&Method::PATCH, &path, kind, body);
    for kind in [JSON_PATCH, MERGE_PATCH] {
        assert_eq!(send(kind, "{nonsense").refused(400)["reason"], "BadRequest");
    }
    assert_eq!(send(JSON_PATCH, "{}").refused(400)["reason"], "BadRequest");
    let status = send("text/plain", "{}").refused(415);
    assert_eq!(status["reason"], "UnsupportedMediaType");
    assert_eq!(status["message"], "415: Unsupported Media Type");
}
