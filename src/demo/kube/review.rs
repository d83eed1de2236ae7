//! What a user may do, and who it is, as the user itself may ask.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::go_json;
use super::kind::REVIEWED;
use super::object::{Key, text_at};
use super::protobuf;
use super::refusal::Refusal;
use super::route::{self, Rights};
use super::server::Call;
use super::write::stamp;

/// Group, resource, kind.
pub const REVIEWS: [(&str, &str, &str); 3] = [
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
    ),
    (
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
    ),
    (
        "authentication.k8s.io",
        "selfsubjectreviews",
        "SelfSubjectReview",
    ),
];

/// The kind that a path under `/apis/` reviews.
pub fn name_of(path: &str) -> Option<&'static str> {
    let found = REVIEWS.iter().find(|(group, plural, _)| {
        path.strip_prefix(group)
            .and_then(|rest| rest.strip_prefix("/v1/"))
            == Some(plural)
    });
    found.map(|(.., name)| *name)
}

pub fn review(call: &Call, name: &'static str) -> Result<Answer, Refusal> {
    let spec = spec(call, name)?;
    let at = stamp(call.api.cluster.clock.now());
    let (group, metadata, spec, status) = match name {
        "SelfSubjectAccessReview" => (REVIEWS[0].0, json!({}), spec.clone(), access(call, &spec)?),
        "SelfSubjectRulesReview" if text_at(&spec, "/namespace").is_empty() => {
            return Err(Refusal::BadRequest("no namespace on request".into()));
        }
        "SelfSubjectRulesReview" => (REVIEWS[0].0, json!({}), json!({}), rules(call)),
        _ => {
            let user = json!({"username": call.api.user.name, "groups": ["system:authenticated"]});
            let metadata = json!({"creationTimestamp": at});
            (
                REVIEWS[2].0,
                metadata,
                Value::Null,
                json!({"userInfo": user}),
            )
        }
    };
    let mut value = json!({
        "kind": name, "apiVersion": format!("{group}/v1"), "metadata": metadata, "status": status,
    });
    if !spec.is_null() {
        value["spec"] = spec;
    }
    Ok(Answer::Json(StatusCode::CREATED, go_json::text(&value)))
}

/// kubectl writes these in protobuf.
fn spec(call: &Call, name: &str) -> Result<Value, Refusal> {
    if call.body_type() == "application/vnd.kubernetes.protobuf" {
        let spec = protobuf::spec(&call.body, name);
        return spec.ok_or_else(|| {
            Refusal::BadRequest("the body of the request is no protobuf object".into())
        });
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|error| {
        Refusal::BadRequest(format!("the object provided is unrecognized: {error}"))
    })?;
    Ok(body.get("spec").cloned().unwrap_or_else(|| json!({})))
}

fn access(call: &Call, spec: &Value) -> Result<Value, Refusal> {
    let attributes = ["resourceAttributes", "nonResourceAttributes"];
    let asked: Vec<_> = attributes
        .iter()
        .filter_map(|name| spec.get(name))
        .collect();
    let [asked] = *asked else {
        let why = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified";
        let causes = vec![("spec.resourceAttributes".into(), why.into())];
        return Err(Refusal::Invalid(Key::new(&REVIEWED, "", ""), causes));
    };
    let own = REVIEWS.iter().any(|(group, plural, _)| {
        text_at(asked, "/group") == *group && text_at(asked, "/resource") == *plural
    });
    let allowed = own || route::may(&call.api.user, text_at(asked, "/verb"));
    Ok(json!({"allowed": allowed}))
}

fn rules(call: &Call) -> Value {
    let (verbs, other) = match call.api.user.rights {
        Rights::All => (
            json!(["*"]),
            json!({"verbs": ["*"], "nonResourceURLs": ["*"]}),
        ),
        Rights::Read => (json!(["get", "list", "watch"]), Value::Null),
    };
    let create = |group, plurals: &[&str]| json!({"verbs": ["create"], "apiGroups": [group], "resources": plurals});
    let [first, second, third] = REVIEWS;
    let mut rules = json!({
        "resourceRules": [
            {"verbs": verbs, "apiGroups": ["*"], "resources": ["*"]},
            create(first.0, &[first.1, second.1]),
            create(third.0, &[third.1]),
        ],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": [
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
            "/version", "/version/",
        ]}],
        "incomplete": false,
    });
    if let (false, Some(urls)) = (other.is_null(), rules["nonResourceRules"].as_array_mut()) {
        urls.push(other);
    }
    rules
}
