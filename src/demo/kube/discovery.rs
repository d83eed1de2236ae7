//! What the server serves, in the forms that clients ask for it, and who it is.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, PLAIN};
use super::go_json;
use super::kind::{KINDS, Kind, PODS};
use super::refusal::Refusal;
use super::review::REVIEWS;
use super::server::Call;

/// The version whose behaviour the embedded world follows.
pub const VERSION: &str = "v1.36.3";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const VERBS: [&str; 7] = [
    "create", "delete", "get", "list", "patch", "update", "watch",
];
const SUB_VERBS: [&str; 3] = ["get", "patch", "update"];

pub fn document(call: &Call) -> Result<Answer, Refusal> {
    let aggregated = call.accepts().contains("as=APIGroupDiscoveryList");
    let path = call.path.trim_end_matches('/');
    let parts: Vec<_> = path.split('/').skip(1).collect();
    let value = match &*parts {
        ["healthz" | "livez" | "readyz", ..] => {
            return Ok(Answer::Whole(StatusCode::OK, PLAIN, "ok".into()));
        }
        ["version"] => version(),
        ["api"] if aggregated => return Ok(all(&[""])),
        ["apis"] if aggregated => return Ok(all(&groups())),
        ["api"] => {
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        }
        ["apis"] => {
            let groups: Vec<_> = groups().into_iter().map(group).collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        ["apis", name] if groups().contains(name) => {
            let mut group = group(name);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }
        ["api", "v1"] => resources("", "v1"),
        ["apis", name, version] if groups().contains(name) && *version == version_of(name) => {
            resources(name, version)
        }
        // Without a schema kubectl checks nothing itself.
        ["openapi", "v3"] => json!({"paths": {}}),
        _ => return nothing_at(path),
    };
    Ok(Answer::value(&value))
}

/// A path that is not served: within a group it is refused as a Status, elsewhere in plain words.
pub fn nothing_at(path: &str) -> Result<Answer, Refusal> {
    let group = path
        .strip_prefix("/apis/")
        .and_then(|rest| rest.split('/').next());
    let known = group.is_some_and(|group| groups().contains(&group));
    if known || path.starts_with("/api/") {
        return Err(Refusal::NoSuchPath);
    }
    Ok(Answer::nothing())
}

/// Says in its platform that it is none.
fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "",
        "platform": "rolldeck-demo",
    })
}

fn groups() -> Vec<&'static str> {
    let mut groups: Vec<_> = KINDS.iter().map(|kind| kind.group).collect();
    groups.extend(REVIEWS.iter().map(|(group, ..)| *group));
    groups.retain(|group| !group.is_empty());
    groups.dedup();
    groups
}

fn version_of(group: &str) -> &'static str {
    let found = KINDS.iter().find(|kind| kind.group == group);
    found.map_or("v1", |kind| kind.version)
}

fn group(name: &str) -> Value {
    let version = version_of(name);
    let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

fn kinds(group: &str) -> Vec<&'static Kind> {
    let kinds = KINDS.iter().copied();
    let mut kinds: Vec<_> = kinds.filter(|kind| kind.group == group).collect();
    kinds.sort_by_key(|kind| kind.plural);
    kinds
}

fn singular(kind: &Kind) -> String {
    kind.name.to_lowercase()
}

fn is_for_all(kind: &Kind) -> bool {
    let also = ["services", "horizontalpodautoscalers"].contains(&kind.plural);
    kind == &PODS || also || kind.group == "apps" && kind.plural != "controllerrevisions"
}

/// A part of an object with a path of its own.
struct Sub {
    name: &'static str,
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    verbs: &'static [&'static str],
}

fn subs(kind: &'static Kind) -> Vec<Sub> {
    let own = |name, verbs| Sub {
        name,
        group: "",
        version: "",
        kind: kind.name,
        verbs,
    };
    let mut subs = Vec::new();
    if kind == &PODS {
        subs.push(Sub {
            name: "eviction",
            group: "policy",
            version: "v1",
            kind: "Eviction",
            verbs: &["create"],
        });
        subs.push(own("log", &SUB_VERBS[..1]));
    }
    if kind.scale {
        subs.push(Sub {
            name: "scale",
            group: "autoscaling",
            version: "v1",
            kind: "Scale",
            verbs: &SUB_VERBS,
        });
    }
    if kind.status {
        subs.push(own("status", &SUB_VERBS));
    }
    subs
}

fn resources(group: &str, version: &str) -> Value {
    let mut list = Vec::new();
    for kind in kinds(group) {
        let mut resource = json!({
            "name": kind.plural, "singularName": singular(kind), "namespaced": kind.namespaced,
            "kind": kind.name, "verbs": VERBS,
        });
        if !kind.short.is_empty() {
            resource["shortNames"] = json!(kind.short);
        }
        if is_for_all(kind) {
            resource["categories"] = json!(["all"]);
        }
        list.push(resource);
        for sub in subs(kind) {
            let mut resource = json!({
                "name": format!("{}/{}", kind.plural, sub.name), "singularName": "",
                "namespaced": kind.namespaced, "kind": sub.kind, "verbs": sub.verbs,
            });
            if !sub.group.is_empty() {
                resource["group"] = sub.group.into();
                resource["version"] = sub.version.into();
            }
            list.push(resource);
        }
    }
    for (_, plural, name) in REVIEWS.iter().filter(|(of, ..)| *of == group) {
        list.push(json!({
            "name": plural, "singularName": name.to_lowercase(), "namespaced": false,
            "kind": name, "verbs": ["create"],
        }));
    }
    let group_version = match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list})
}

/// All groups in one answer.
fn all(groups: &[&str]) -> Answer {
    let items: Vec<_> = groups
        .iter()
        .map(|group| {
            let version = json!({
                "version": version_of(group), "resources": described(group), "freshness": "Current",
            });
            let metadata = match *group {
                "" => json!({}),
                name => json!({"name": name}),
            };
            json!({"metadata": metadata, "versions": [version]})
        })
        .collect();
    let value = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    Answer::Whole(StatusCode::OK, AGGREGATED, go_json::text(&value) + "\n")
}

fn described(group: &str) -> Vec<Value> {
    let response = |group, version, kind| json!({"group": group, "version": version, "kind": kind});
    let mut list: Vec<_> = kinds(group)
        .into_iter()
        .map(|kind| {
            let subs: Vec<_> = subs(kind)
                .into_iter()
                .map(|sub| {
                    let kind = response(sub.group, sub.version, sub.kind);
                    json!({"subresource": sub.name, "responseKind": kind, "verbs": sub.verbs})
                })
                .collect();
            let scope = if kind.namespaced { "Namespaced" } else { "Cluster" };
            json!({
                "resource": kind.plural, "responseKind": response("", "", kind.name), "scope": scope,
                "singularResource": singular(kind), "verbs": VERBS, "shortNames": kind.short,
                "categories": if is_for_all(kind) { vec!["all"] } else { Vec::new() },
                "subresources": subs,
            })
        })
        .collect();
    for (_, plural, name) in REVIEWS.iter().filter(|(of, ..)| *of == group) {
        list.push(json!({
            "resource": plural, "responseKind": response("", "", name), "scope": "Cluster",
            "singularResource": name.to_lowercase(), "verbs": ["create"],
        }));
    }
    list
}
