//! Who may do what: the reviews about oneself, and the words of a refusal.

use http::Method;
use serde_json::{Value, json};

use super::http::{Http, JSON_PATCH};
use super::place::{Place, deployment};

fn review(of: &Http, attributes: &Value) -> Value {
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let object = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes}});
    let answer = of.post(path, &object);
    assert_eq!(answer.status, 201);
    let answer = answer.ok();
    assert_eq!(answer["kind"], "SelfSubjectAccessReview");
    assert_eq!(
        answer["spec"]["resourceAttributes"]["verb"],
        attributes["verb"]
    );
    answer["status"].clone()
}

fn user(of: &Http) -> Value {
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let object = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    of.post(path, &object).ok()["status"]["userInfo"].clone()
}

#[test]
fn one_is_told_who_one_is() {
    let place = Place::new("who");
    let (admin, reader) = (user(&place.admin), user(&place.reader));
    for user in [&admin, &reader] {
        assert!(!user["username"].as_str().unwrap().is_empty());
        let groups = user["groups"].as_array().unwrap();
        assert!(groups.contains(&json!("system:authenticated")), "{user}");
    }
    assert_ne!(admin["username"], reader["username"]);
}

#[test]
fn one_is_told_what_one_may() {
    let place = Place::new("may");
    let namespace = &*place.namespace;
    let of = |verb: &str, resource: &str, group: &str| json!({"verb": verb, "resource": resource, "group": group, "namespace": namespace});
    for (verb, resource, group, allowed) in [
        ("get", "deployments", "apps", true),
        ("list", "pods", "", true),
        ("watch", "events", "", true),
        ("patch", "deployments", "apps", false),
        ("delete", "pods", "", false),
        ("create", "secrets", "", false),
    ] {
        let attributes = of(verb, resource, group);
        assert_eq!(
            review(&place.admin, &attributes)["allowed"],
            true,
            "{attributes}"
        );
        assert_eq!(
            review(&place.reader, &attributes)["allowed"],
            allowed,
            "{attributes}"
        );
    }
    let one = json!({"verb": "patch", "resource": "deployments", "group": "apps", "namespace": namespace, "name": "web"});
    assert_eq!(review(&place.reader, &one)["allowed"], false);
    let everywhere = json!({"verb": "list", "resource": "pods"});
    assert_eq!(review(&place.reader, &everywhere)["allowed"], true);
    let log =
        json!({"verb": "get", "resource": "pods", "subresource": "log", "namespace": namespace});
    assert_eq!(review(&place.reader, &log)["allowed"], true);
}

#[test]
fn one_is_told_all_the_rules() {
    let place = Place::new("rules");
    let rules = |of: &Http| {
        let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let object = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": place.namespace}});
        let status = of.post(path, &object).ok()["status"].clone();
        assert_eq!(status["incomplete"], false);
        assert!(status["nonResourceRules"].is_array());
        status["resourceRules"].clone()
    };
    let has = |rules: &Value, verb: &str| {
        rules.as_array().unwrap().iter().any(|rule| {
            let covers =
                |field: &str, word: &str| rule[field].as_array().unwrap().contains(&json!(word));
            let any = |field: &str, word: &str| covers(field, "*") || covers(field, word);
            any("verbs", verb) && any("apiGroups", "apps") && any("resources", "deployments")
        })
    };
    let (admin, reader) = (rules(&place.admin), rules(&place.reader));
    assert!(has(&admin, "patch") && has(&admin, "list"));
    assert!(
        has(&reader, "list") && has(&reader, "watch") && !has(&reader, "patch"),
        "{reader}"
    );
}

#[test]
fn a_reader_reads_and_is_refused_the_rest_by_name() {
    let place = Place::new("reader");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 1})),
    );
    place.wait_complete("deployments", "web", "1");
    let who = user(&place.reader)["username"].as_str().unwrap().to_owned();
    let deployments = place.apps("deployments");
    let path = format!("{deployments}/web");
    place.reader.get(&path).ok();
    assert_eq!(place.reader.items(&deployments).len(), 1);
    let name = place.pods_of("web")[0]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        place
            .reader
            .get(&format!("{}/{name}/log", place.core("pods")))
            .status,
        200
    );
    let ops = "[]".to_owned();
    let namespace = &place.namespace;
    let body = deployment("other", "1", &json!({})).to_string();
    let pods = place.core("pods");
    for (method, path, kind, body, message) in [
        (
            Method::PATCH,
            path.clone(),
            JSON_PATCH,
            &ops,
            format!(
                "deployments.apps \"web\" is forbidden: User \"{who}\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"{namespace}\""
            ),
        ),
        (
            Method::PATCH,
            format!("{path}/scale"),
            JSON_PATCH,
            &ops,
            format!(
                "deployments.apps \"web\" is forbidden: User \"{who}\" cannot patch resource \"deployments/scale\" in API group \"apps\" in the namespace \"{namespace}\""
            ),
        ),
        (
            Method::POST,
            deployments.clone(),
            "application/json",
            &body,
            format!(
                "deployments.apps is forbidden: User \"{who}\" cannot create resource \"deployments\" in API group \"apps\" in the namespace \"{namespace}\""
            ),
        ),
        (
            Method::DELETE,
            format!("{pods}/{name}"),
            "",
            &String::new(),
            format!(
                "pods \"{name}\" is forbidden: User \"{who}\" cannot delete resource \"pods\" in API group \"\" in the namespace \"{namespace}\""
            ),
        ),
        (
            Method::POST,
            "/api/v1/namespaces".into(),
            "application/json",
            &body,
            format!(
                "namespaces is forbidden: User \"{who}\" cannot create resource \"namespaces\" in API group \"\" at the cluster scope"
            ),
        ),
    ] {
        let status = place
            .reader
            .send(&method, &path, kind, body.clone())
            .refused(403);
        assert_eq!(status["reason"], "Forbidden");
        assert_eq!(status["message"], message);
    }
    let status = place
        .reader
        .patch(&path, JSON_PATCH, &json!([]))
        .refused(403);
    assert_eq!(
        status["details"],
        json!({"name": "web", "group": "apps", "kind": "deployments"})
    );
    let dry = format!("{path}?dryRun=All");
    place
        .reader
        .patch(&dry, JSON_PATCH, &json!([]))
        .refused(403);
    place.reader.get("/version").ok();
    place.reader.get("/apis").ok();
}
