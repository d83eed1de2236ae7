//! Every shape of request that was seen on a real API server gets an answer here.

use http::{Method, Request};
use rolldeck::demo::scenario::Scenario;
use rolldeck::demo::{self, Options};
use serde_json::{Value, json};

use crate::contract::http::Http;
use crate::contract::place::name_of;
use crate::contract::shape::Shape;
use crate::support::api::RUNTIME;

#[test]
fn what_is_asked_of_a_real_server_is_answered() {
    let scenario = Scenario::find("tour").unwrap();
    let options = Options {
        scenario,
        seed: 1,
        speed: 1,
        services: None,
    };
    let world = RUNTIME.block_on(demo::start(options)).unwrap();
    let http = Http::new(&world.kubeconfig());
    let quota = json!({"metadata": {"name": "wide"}, "spec": {"hard": {"pods": "1000"}}});
    http.post("/api/v1/namespaces/default/resourcequotas", &quota)
        .ok();
    let scaler = json!({"metadata": {"name": "web"}, "spec": {"maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}});
    let scalers = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    http.post(scalers, &scaler).ok();
    let ingress = json!({"metadata": {"name": "web"}, "spec": {"rules": []}});
    let ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
    http.post(ingresses, &ingress).ok();
    // One of them is deleted on the way.
    for name in ["web", "other"] {
        let held = json!({"metadata": {"name": name}, "spec": {"holderIdentity": "me@here"}});
        let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
        http.post(leases, &held).ok();
    }
    let shapes = Shape::listed();
    assert!(shapes.len() > 90, "{}", shapes.len());
    for shape in shapes {
        let code = ask(&http, &shape);
        // The embedded cluster measures nothing, and says so.
        if shape.path.contains("metrics.k8s.io") {
            assert_eq!(code, 404, "{shape}");
            continue;
        }
        let expected = !matches!(code, 0 | 404 | 405 | 406 | 415) && code < 500;
        assert!(expected, "{shape}: {code}");
    }
}

/// The status of the answer to a request of this shape about objects that are there.
fn ask(http: &Http, shape: &Shape) -> u16 {
    let found = shape
        .path
        .contains("{name}")
        .then(|| example(http, &shape.path));
    let found = found.unwrap_or_default();
    let text = |pointer: &str| found.pointer(pointer).and_then(Value::as_str);
    let namespace = text("/metadata/namespace").unwrap_or("default");
    let path = shape
        .path
        .replace("{namespace}", namespace)
        .replace("{name}", name_of(&found));
    let container = text("/spec/containers/0/name").unwrap_or_default();
    let query: Vec<_> = shape
        .keys
        .iter()
        .map(|key| format!("{key}={}", value(key, container)))
        .collect();
    let uri = format!("{path}?{}", query.join("&"));
    let body = body(http, shape, &path);
    let mut request = Request::builder()
        .method(Method::from_bytes(shape.method.as_bytes()).unwrap())
        .uri(uri);
    if !shape.content_type.is_empty() {
        request = request.header("content-type", &shape.content_type);
    }
    http.status(request.body(body).unwrap())
}

/// An object of the kind that the path names.
fn example(http: &Http, path: &str) -> Value {
    let (collection, _) = path.split_once("/{name}").unwrap();
    let everywhere = collection.replace("/namespaces/{namespace}", "");
    let mut items = http.items(&everywhere);
    // What is on its way out may be gone by then.
    items.retain(|item| item["metadata"]["deletionTimestamp"].is_null());
    // A container that runs has a log.
    let running = items
        .iter()
        .position(|item| item["status"]["phase"] == "Running");
    assert!(!items.is_empty(), "nothing in {everywhere}");
    items.swap_remove(running.unwrap_or(0))
}

fn value(key: &str, container: &str) -> String {
    let value = match key {
        "watch"
        | "allowWatchBookmarks"
        | "sendInitialEvents"
        | "previous"
        | "follow"
        | "timestamps" => "true",
        "resourceVersionMatch" => "NotOlderThan",
        "dryRun" => "All",
        "fieldSelector" => "metadata.name%3Dx",
        "labelSelector" => "app%3Dx",
        "resourceVersion" => "",
        "includeObject" => "Object",
        "container" => container,
        _ => "1",
    };
    value.to_owned()
}

/// A body that changes nothing.
fn body(http: &Http, shape: &Shape, path: &str) -> Vec<u8> {
    match (&*shape.method, &*shape.content_type) {
        ("GET", _) => Vec::new(),
        ("PUT", _) => http.get(path).body,
        (_, "application/json-patch+json") => b"[]".to_vec(),
        (_, "application/vnd.kubernetes.protobuf") => {
            let (_, name) = path.rsplit_once('/').unwrap();
            protobuf(name)
        }
        _ => b"{}".to_vec(),
    }
}

/// An empty review, as kubectl encodes it: the magic, its type, and no fields.
fn protobuf(plural: &str) -> Vec<u8> {
    let (group, kind) = match plural {
        "selfsubjectreviews" => ("authentication.k8s.io/v1", "SelfSubjectReview"),
        "selfsubjectaccessreviews" => ("authorization.k8s.io/v1", "SelfSubjectAccessReview"),
        _ => ("authorization.k8s.io/v1", "SelfSubjectRulesReview"),
    };
    let field = |number: u8, bytes: &[u8]| {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend(bytes);
        out
    };
    let of = [field(1, group.as_bytes()), field(2, kind.as_bytes())].concat();
    [b"k8s\0".to_vec(), field(1, &of), field(2, b"")].concat()
}
