//! Creations, changes and deletions: what the server fills in, counts, notes and refuses.

use http::Method;
use serde_json::{Value, json};

use super::http::{JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH};
use super::place::{
    Place, complete, condition, daemon_set, deployment, image, name_of, stateful_set, version_of,
};

fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap()
}

fn fields_of(status: &Value) -> Vec<&str> {
    let causes = status["details"]["causes"].as_array().expect("causes");
    let fields = causes.iter().map(|cause| cause["field"].as_str().unwrap());
    fields.collect()
}

#[test]
fn a_deployment_is_filled_in() {
    let place = Place::new("defaults");
    let answer = place.admin.post(
        &place.apps("deployments"),
        &deployment("web", "1", &json!({"paused": true})),
    );
    assert_eq!(answer.status, 201);
    let object = answer.ok();
    assert_eq!(object["apiVersion"], "apps/v1");
    assert_eq!(object["kind"], "Deployment");
    let container = json!({
        "name": "app", "image": image("web", "1"), "imagePullPolicy": "IfNotPresent", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    });
    let spec = json!({
        "paused": true, "progressDeadlineSeconds": 600, "replicas": 1, "revisionHistoryLimit": 10,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
                "schedulerName": "default-scheduler", "securityContext": {}, "terminationGracePeriodSeconds": 0},
        },
    });
    assert_eq!(object["spec"], spec);
    let metadata = &object["metadata"];
    assert_eq!(metadata["generation"], 1);
    assert_eq!(metadata["namespace"], *place.namespace);
    assert_eq!(metadata["uid"].as_str().unwrap().len(), 36);
    let created: jiff::Timestamp = metadata["creationTimestamp"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(created.subsec_nanosecond(), 0);
}

#[test]
fn the_other_kinds_are_filled_in() {
    let place = Place::new("filled");
    let object = place.create(
        "statefulsets",
        &stateful_set("db", "latest", &json!({"replicas": 0})),
    );
    let spec = &object["spec"];
    assert_eq!(spec["podManagementPolicy"], "OrderedReady");
    assert_eq!(spec["revisionHistoryLimit"], 10);
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
    let mut found = spec["updateStrategy"].clone();
    found["rollingUpdate"]
        .as_object_mut()
        .unwrap()
        .remove("maxUnavailable");
    assert_eq!(found, strategy);
    let container = &spec["template"]["spec"]["containers"][0];
    assert_eq!(
        container["imagePullPolicy"], "Always",
        "of what is called latest"
    );
    let object = place.create("daemonsets", &daemon_set("agent", "1", &json!({})));
    let spec = &object["spec"];
    assert_eq!(spec["revisionHistoryLimit"], 10);
    let strategy =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}});
    assert_eq!(spec["updateStrategy"], strategy);
}

#[test]
fn what_may_not_be_is_422_with_causes() {
    let place = Place::new("invalid");
    let path = place.apps("deployments");
    let refused = |object: &Value| place.admin.post(&path, object).refused(422);
    let status = refused(&deployment("web", "1", &json!({"replicas": -1})));
    assert_eq!(status["reason"], "Invalid");
    assert_eq!(fields_of(&status), ["spec.replicas"]);
    let message = status["message"].as_str().unwrap();
    assert_eq!(
        message,
        "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    );
    assert_eq!(status["details"]["name"], "web");
    assert_eq!(status["details"]["group"], "apps");
    assert_eq!(status["details"]["kind"], "Deployment");
    let status = refused(&deployment(
        "web",
        "1",
        &json!({"selector": {"matchLabels": {"app": "other"}}}),
    ));
    assert_eq!(fields_of(&status), ["spec.template.metadata.labels"]);
    let message = status["message"].as_str().unwrap();
    assert!(
        message.ends_with("`selector` does not match template `labels`"),
        "{message}"
    );
    let empty = json!({"template": {"spec": {"containers": []}}});
    assert_eq!(
        fields_of(&refused(&deployment("web", "1", &empty))),
        ["spec.template.spec.containers"]
    );
    let mut nameless = deployment("web", "1", &json!({}));
    nameless["metadata"] = json!({});
    assert_eq!(fields_of(&refused(&nameless))[0], "metadata.name");
    let wrong = refused(&deployment("Not_A_Name", "1", &json!({})));
    assert_eq!(fields_of(&wrong), ["metadata.name"]);
    assert_eq!(place.admin.items(&path).len(), 0);
    // The same holds for a change.
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"paused": true})),
    );
    let web = format!("{path}/web");
    let image = "/spec/template/spec/containers/0/image";
    let patch = json!([{"op": "replace", "path": image, "value": ""}]);
    let status = place.admin.patch(&web, JSON_PATCH, &patch).refused(422);
    assert_eq!(
        fields_of(&status),
        ["spec.template.spec.containers[0].image"]
    );
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .ends_with("Required value"),
        "{status}"
    );
    let selector = json!({"spec": {"selector": {"matchLabels": {"more": "x"}},
        "template": {"metadata": {"labels": {"more": "x"}}}}});
    let status = place.admin.patch(&web, MERGE_PATCH, &selector).refused(422);
    assert_eq!(fields_of(&status), ["spec.selector"]);
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .ends_with("field is immutable"),
        "{status}"
    );
}

#[test]
fn conflicts_are_409() {
    let place = Place::new("conflict");
    place.secret("a", &json!({}));
    let path = format!("{}/a", place.core("secrets"));
    let old = place.admin.get(&path).ok();
    place.change("secrets", "a", &json!({"metadata": {"labels": {"x": "1"}}}));
    let change = json!({"metadata": {"resourceVersion": old["metadata"]["resourceVersion"], "labels": {"x": "2"}}});
    let status = place.admin.patch(&path, MERGE_PATCH, &change).refused(409);
    assert_eq!(status["reason"], "Conflict");
    assert_eq!(
        status["message"],
        "Operation cannot be fulfilled on secrets \"a\": the object has been modified; please apply your changes to the latest version and try again"
    );
    let change = json!({"metadata": {"uid": "another", "labels": {"x": "2"}}});
    let status = place.admin.patch(&path, MERGE_PATCH, &change).refused(422);
    assert_eq!(fields_of(&status)[0], "metadata.uid");
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .ends_with("field is immutable"),
        "{status}"
    );
    let status = place
        .admin
        .post(&place.core("secrets"), &json!({"metadata": {"name": "a"}}))
        .refused(409);
    assert_eq!(status["reason"], "AlreadyExists");
    assert_eq!(status["message"], "secrets \"a\" already exists");
    let status = place
        .admin
        .delete(&path, &json!({"preconditions": {"uid": "another"}}))
        .refused(409);
    assert_eq!(status["reason"], "Conflict");
    let uid = old["metadata"]["uid"].as_str().unwrap();
    assert_eq!(
        status["message"],
        format!(
            "Operation cannot be fulfilled on Secret \"a\": the UID in the precondition (another) does not match the UID in record ({uid}). The object might have been deleted and then recreated"
        )
    );
    assert_eq!(place.read("secrets", "a")["metadata"]["labels"]["x"], "1");
    let now = place.read("secrets", "a");
    let change = json!({"metadata": {"resourceVersion": now["metadata"]["resourceVersion"], "labels": {"x": "2"}}});
    place.admin.patch(&path, MERGE_PATCH, &change).ok();
}

#[test]
fn what_is_not_there_is_404_in_the_servers_words() {
    let place = Place::new("absent");
    let message = |path: &str| {
        let status = place.admin.get(path).refused(404);
        assert_eq!(status["reason"], "NotFound");
        status["message"].as_str().unwrap().to_owned()
    };
    let path = place.apps("deployments");
    assert_eq!(
        message(&format!("{path}/nobody")),
        "deployments.apps \"nobody\" not found"
    );
    assert_eq!(
        message(&format!("{}/nobody", place.core("pods"))),
        "pods \"nobody\" not found"
    );
    assert_eq!(
        message("/api/v1/namespaces/nowhere-at-all"),
        "namespaces \"nowhere-at-all\" not found"
    );
    assert_eq!(
        message(&place.apps("nonsense")),
        "the server could not find the requested resource"
    );
    let patch = json!({"metadata": {"labels": {"x": "1"}}});
    let status = place
        .admin
        .patch(&format!("{path}/nobody"), MERGE_PATCH, &patch)
        .refused(404);
    assert_eq!(
        status["details"],
        json!({"name": "nobody", "group": "apps", "kind": "deployments"})
    );
    place
        .admin
        .delete(&format!("{path}/nobody"), &Value::Null)
        .refused(404);
    let nowhere = "/apis/apps/v1/namespaces/nowhere-at-all/deployments";
    let status = place
        .admin
        .post(nowhere, &deployment("web", "1", &json!({})))
        .refused(404);
    assert_eq!(status["message"], "namespaces \"nowhere-at-all\" not found");
    assert_eq!(
        place.admin.items(nowhere).len(),
        0,
        "a list of nothing is no error"
    );
    assert_eq!(place.admin.get("/nonsense").status, 404);
    assert_eq!(place.admin.get("/apis/nonsense.test/v1/things").status, 404);
}

#[test]
fn a_method_that_is_none_is_405() {
    let place = Place::new("method");
    place.secret("a", &json!({}));
    let collection = place.core("secrets");
    for (method, path) in [
        (Method::POST, format!("{collection}/a")),
        (Method::PATCH, collection),
    ] {
        let status = place
            .admin
            .send(&method, &path, MERGE_PATCH, "{}")
            .refused(405);
        assert_eq!(status["reason"], "MethodNotAllowed");
        assert_eq!(
            status["message"],
            "the server does not allow this method on the requested resource"
        );
    }
}

#[test]
fn a_dry_run_answers_the_same_and_changes_nothing() {
    let place = Place::new("dry");
    let collection = place.apps("deployments");
    let object = deployment("web", "1", &json!({"paused": true}));
    let answer = place
        .admin
        .post(&format!("{collection}?dryRun=All"), &object);
    assert_eq!(answer.status, 201);
    assert_eq!(answer.ok()["spec"]["replicas"], 1);
    place.admin.get(&format!("{collection}/web")).refused(404);
    place.create("deployments", &object);
    let path = format!("{collection}/web");
    let before = place.admin.get(&path).ok();
    let patch = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image("web", "2")}]);
    let dry = format!("{path}?dryRun=All&fieldManager=rolldeck");
    let told = place.admin.patch(&dry, JSON_PATCH, &patch).ok();
    assert_eq!(generation(&told), generation(&before) + 1);
    assert_eq!(
        told["spec"]["template"]["spec"]["containers"][0]["image"],
        *image("web", "2")
    );
    let kept = place.admin.get(&path).ok();
    assert_eq!(kept["spec"], before["spec"]);
    assert_eq!(generation(&kept), generation(&before));
    let done = place
        .admin
        .patch(&format!("{path}?fieldManager=rolldeck"), JSON_PATCH, &patch)
        .ok();
    assert_eq!(done["spec"], told["spec"]);
    assert_eq!(generation(&done), generation(&told));
    let bad = json!([{"op": "test", "path": "/metadata/uid", "value": "another"}]);
    place.admin.patch(&dry, JSON_PATCH, &bad).refused(422);
    place
        .admin
        .delete(&format!("{path}?dryRun=All"), &Value::Null)
        .ok();
    place.admin.delete(&path, &json!({"dryRun": ["All"]})).ok();
    place.admin.get(&path).ok();
}

#[test]
fn the_generation_counts_what_a_controller_must_see() {
    let place = Place::new("generation");
    let spec = json!({"replicas": 0});
    let mut paused = deployment("web", "1", &spec);
    paused["spec"]["paused"] = true.into();
    place.create("deployments", &paused);
    place.create("statefulsets", &stateful_set("web", "1", &spec));
    place.create("daemonsets", &daemon_set("web", "1", &json!({})));
    let note = json!({"metadata": {"annotations": {"note": "1"}}});
    let label = json!({"metadata": {"labels": {"label": "1"}}});
    let step = |plural: &str, change: &Value| {
        let before = generation(&place.read(plural, "web"));
        generation(&place.change(plural, "web", change)) - before
    };
    assert_eq!(step("deployments", &note), 1, "an annotation alone");
    assert_eq!(step("deployments", &note), 0, "a change of nothing");
    assert_eq!(step("statefulsets", &note), 0);
    assert_eq!(step("daemonsets", &note), 0);
    for plural in ["deployments", "statefulsets", "daemonsets"] {
        assert_eq!(step(plural, &label), 0, "{plural}");
        let before = generation(&place.read(plural, "web"));
        assert_eq!(
            generation(&place.set_image(plural, "web", "2")) - before,
            1,
            "{plural}"
        );
        let status = json!({"status": {"observedGeneration": 77}});
        assert_eq!(step(plural, &status), 0, "{plural}");
        let object = place.read(plural, "web");
        assert_ne!(
            object["status"]["observedGeneration"], 77,
            "it is no part of the object"
        );
    }
    assert_eq!(step("deployments", &json!({"spec": {"replicas": 1}})), 1);
}

#[test]
fn the_status_is_a_part_of_its_own() {
    let place = Place::new("status");
    // Nobody's: no controller looks after a pod that no node has, and this one can go nowhere.
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lost"},
        "spec": {"nodeSelector": {"nowhere": "yes"}, "containers": [{"name": "app", "image": image("lost", "1")}]}});
    place.create("pods", &pod);
    let path = format!("{}/lost/status", place.core("pods"));
    let change = json!({"metadata": {"labels": {"x": "1"}}, "status": {"message": "said"}});
    let object = place.admin.patch(&path, MERGE_PATCH, &change).ok();
    assert_eq!(object["status"]["message"], "said");
    let object = place.change("pods", "lost", &json!({"status": {"message": "other"}}));
    assert_eq!(object["status"]["message"], "said");
    assert_eq!(place.admin.get(&path).ok()["status"]["message"], "said");
    place.wait("pods", "lost", "not scheduled", |pod| {
        let scheduled = condition(pod, "PodScheduled");
        scheduled["status"] == "False" && scheduled["reason"] == "Unschedulable"
    });
}

#[test]
fn a_scale_is_read_and_written() {
    let place = Place::new("scale");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 2})),
    );
    let before = place.wait_complete("deployments", "web", "1");
    let path = format!("{}/web/scale", place.apps("deployments"));
    let scale = place.admin.get(&path).ok();
    assert_eq!(
        (&scale["kind"], &scale["apiVersion"]),
        (&json!("Scale"), &json!("autoscaling/v1"))
    );
    assert_eq!(name_of(&scale), "web");
    assert_eq!(scale["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(scale["spec"], json!({"replicas": 2}));
    assert_eq!(
        scale["status"],
        json!({"replicas": 2, "selector": "app=web"})
    );
    let change = json!({"spec": {"replicas": 3}});
    let scale = place
        .admin
        .patch(&format!("{path}?fieldManager=scaler"), MERGE_PATCH, &change)
        .ok();
    assert_eq!(scale["kind"], "Scale");
    assert_eq!(scale["spec"]["replicas"], 3);
    let after = place.wait("deployments", "web", "three of them", |object| {
        object["spec"]["replicas"] == 3 && complete(object)
    });
    assert_eq!(generation(&after), generation(&before) + 1);
    let fields = after["metadata"]["managedFields"].as_array().unwrap();
    let entry = fields
        .iter()
        .find(|entry| entry["manager"] == "scaler")
        .unwrap();
    assert_eq!(entry["subresource"], "scale");
    assert_eq!(entry["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}));
    place
        .admin
        .get(&format!("{}/web/scale", place.apps("daemonsets")))
        .refused(404);
}

#[test]
fn who_wrote_the_image_last_is_noted() {
    let place = Place::new("managers");
    let collection = place.apps("deployments");
    let object = deployment("web", "1", &json!({"paused": true}));
    place
        .admin
        .post(&format!("{collection}?fieldManager=creator"), &object)
        .ok();
    let path = format!("{collection}/web");
    let writers = |object: &Value| -> Vec<String> {
        let container = r#"k:{"name":"app"}"#;
        let fields = object["metadata"]["managedFields"]
            .as_array()
            .unwrap()
            .iter();
        let owning = fields.filter(|entry| {
            let template = &entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"];
            template[container].get("f:image").is_some()
        });
        owning
            .map(|entry| entry["manager"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(writers(&place.admin.get(&path).ok()), ["creator"]);
    let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image("web", "2")}]}}}});
    place
        .admin
        .patch(
            &format!("{path}?fieldManager=setter"),
            STRATEGIC_PATCH,
            &change,
        )
        .ok();
    let object = place.admin.get(&path).ok();
    assert_eq!(writers(&object), ["setter"]);
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let setter = entries
        .iter()
        .find(|entry| entry["manager"] == "setter")
        .unwrap();
    assert_eq!(setter["operation"], "Update");
    assert_eq!(setter["apiVersion"], "apps/v1");
    assert_eq!(setter["fieldsType"], "FieldsV1");
    let _: jiff::Timestamp = setter["time"].as_str().unwrap().parse().unwrap();
    assert!(
        entries.iter().any(|entry| entry["manager"] == "creator"),
        "of what it still holds"
    );
}

#[test]
fn a_deletion_tells_what_is_gone() {
    let place = Place::new("delete");
    let secret = place.secret("a", &json!({}));
    let path = format!("{}/a", place.core("secrets"));
    let status = place.admin.delete(&path, &Value::Null).ok();
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["status"], "Success");
    let details = json!({"name": "a", "kind": "secrets", "uid": secret["metadata"]["uid"]});
    assert_eq!(status["details"], details);
    place.admin.get(&path).refused(404);
    let again = place.secret("a", &json!({}));
    assert!(version_of(&again) > version_of(&secret));
    assert_ne!(again["metadata"]["uid"], secret["metadata"]["uid"]);
}

#[test]
fn a_name_is_generated() {
    let place = Place::new("generate");
    let object =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"generateName": "part-"}});
    let (one, two) = (
        place.create("secrets", &object),
        place.create("secrets", &object),
    );
    for name in [name_of(&one), name_of(&two)] {
        assert!(name.starts_with("part-") && name.len() == 10, "{name}");
    }
    assert_ne!(name_of(&one), name_of(&two));
}
