//! StatefulSets and DaemonSets: their ControllerRevisions, their order, and the ways in which they wait.

use serde_json::{Value, json};

use super::http::STRATEGIC_PATCH;
use super::place::{Place, complete, condition, daemon_set, image, name_of, stateful_set};
use crate::support::fixtures::takes_pods;
use crate::support::wait;

/// Its revisions by number: name, number, and the tag in the template.
fn revisions(place: &Place, name: &str) -> Vec<(String, u64, String)> {
    let path = format!(
        "{}?labelSelector=app%3D{name}",
        place.apps("controllerrevisions")
    );
    let mut items = place.admin.items(&path);
    items.sort_by_key(|item| item["revision"].as_u64());
    items
        .iter()
        .map(|item| {
            let image = item["data"]["spec"]["template"]["spec"]["containers"][0]["image"]
                .as_str()
                .unwrap();
            let tag = image.rsplit(':').next().unwrap().to_owned();
            (
                name_of(item).to_owned(),
                item["revision"].as_u64().unwrap(),
                tag,
            )
        })
        .collect()
}

fn numbers(place: &Place, name: &str) -> Vec<(u64, String)> {
    revisions(place, name)
        .into_iter()
        .map(|(_, number, tag)| (number, tag))
        .collect()
}

/// The tags that its pods run, by their names.
fn tags(place: &Place, name: &str) -> Vec<String> {
    let mut pods = place.pods_of(name);
    pods.sort_by_key(|pod| name_of(pod).to_owned());
    let tag = |pod: &Value| {
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap();
        image.rsplit(':').next().unwrap().to_owned()
    };
    pods.iter().map(tag).collect()
}

fn ready(pod: &Value) -> bool {
    condition(pod, "Ready")["status"] == "True"
}

fn run(place: &Place, plural: &str, object: &Value, tag: &str) -> Value {
    place.create(plural, object);
    place.wait_complete(plural, name_of(object), tag)
}

fn release(place: &Place, plural: &str, name: &str, tag: &str) -> Value {
    place.set_image(plural, name, tag);
    place.wait_complete(plural, name, tag)
}

fn delete_pod(place: &Place, name: &str) {
    place
        .admin
        .delete(&format!("{}/{name}", place.core("pods")), &Value::Null)
        .ok();
}

#[test]
fn a_stateful_set_and_its_first_revision() {
    let place = Place::new("sts");
    let db = run(
        &place,
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 2})),
        "1",
    );
    let revision = revisions(&place, "db").remove(0);
    assert_eq!((revision.1, &*revision.2), (1, "1"));
    assert_eq!(db["status"]["currentRevision"], *revision.0);
    assert_eq!(db["status"]["updateRevision"], *revision.0);
    let object = place.read("controllerrevisions", &revision.0);
    let hash = object["metadata"]["labels"]["controller.kubernetes.io/hash"]
        .as_str()
        .unwrap();
    assert_eq!(revision.0, format!("db-{hash}"));
    assert_eq!(
        object["metadata"]["ownerReferences"][0]["uid"],
        db["metadata"]["uid"]
    );
    assert_eq!(object["metadata"]["ownerReferences"][0]["controller"], true);
    let mut template = object["data"]["spec"]["template"].clone();
    assert_eq!(template["$patch"], "replace");
    template.as_object_mut().unwrap().remove("$patch");
    assert_eq!(template, db["spec"]["template"]);
    assert_eq!(object["data"]["spec"].as_object().unwrap().len(), 1);
    let pods = place.pods_of("db");
    let names: Vec<_> = pods.iter().map(name_of).collect();
    assert_eq!(names, ["db-0", "db-1"]);
    let labels = json!({"app": "db", "apps.kubernetes.io/pod-index": "1", "controller-revision-hash": revision.0,
        "statefulset.kubernetes.io/pod-name": "db-1"});
    assert_eq!(pods[1]["metadata"]["labels"], labels);
    assert_eq!(
        pods[1]["metadata"]["ownerReferences"][0]["kind"],
        "StatefulSet"
    );
    let status = &db["status"];
    for field in [
        "replicas",
        "readyReplicas",
        "availableReplicas",
        "currentReplicas",
        "updatedReplicas",
    ] {
        assert_eq!(status[field], 2, "{field}");
    }
}

#[test]
fn a_stateful_set_goes_up_and_is_renewed_in_order() {
    let place = Place::new("order");
    let list = place.admin.get(&place.core("pods")).ok();
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    let lines = place.admin.lines(&format!(
        "{}?watch=1&resourceVersion={version}",
        place.core("pods")
    ));
    run(
        &place,
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 3})),
        "1",
    );
    release(&place, "statefulsets", "db", "2");
    // Which pod is new, which serves, which is gone, in the order of the watch.
    let mut told = Vec::new();
    let mut serving = [false; 3];
    while told.len() < 15 {
        let event = lines.event();
        let pod = &event["object"];
        let at: usize = name_of(pod).strip_prefix("db-").unwrap().parse().unwrap();
        match event["type"].as_str().unwrap() {
            "ADDED" => told.push(format!("{at} new")),
            "DELETED" => told.push(format!("{at} gone")),
            _ if ready(pod) && pod["metadata"]["deletionTimestamp"].is_null() => {
                if !serving[at] {
                    told.push(format!("{at} ready"));
                }
                serving[at] = true;
                continue;
            }
            _ => continue,
        }
        serving[at] = false;
    }
    let expected = [
        "0 new", "0 ready", "1 new", "1 ready", "2 new", "2 ready", "2 gone", "2 new", "2 ready",
        "1 gone", "1 new", "1 ready", "0 gone", "0 new", "0 ready",
    ];
    assert_eq!(told, expected);
    assert_eq!(numbers(&place, "db"), [(1, "1".into()), (2, "2".into())]);
}

#[test]
fn going_back_gives_the_old_revision_a_new_number() {
    let place = Place::new("again");
    run(
        &place,
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 1})),
        "1",
    );
    run(
        &place,
        "daemonsets",
        &daemon_set("agent", "1", &json!({})),
        "1",
    );
    for (plural, name) in [("statefulsets", "db"), ("daemonsets", "agent")] {
        let first = revisions(&place, name).remove(0).0;
        release(&place, plural, name, "2");
        assert_eq!(
            numbers(&place, name),
            [(1, "1".into()), (2, "2".into())],
            "{name}"
        );
        // As kubectl does it: the revision's data are the patch.
        let data = place.read("controllerrevisions", &first)["data"].clone();
        let path = format!("{}/{name}", place.apps(plural));
        place.admin.patch(&path, STRATEGIC_PATCH, &data).ok();
        place.wait_complete(plural, name, "1");
        wait::until("the new number", || {
            (numbers(&place, name) == [(2, "2".into()), (3, "1".into())]).then_some(())
        });
        assert_eq!(revisions(&place, name)[1].0, first, "the same object");
    }
    let db = place.read("statefulsets", "db");
    assert_eq!(
        db["status"]["updateRevision"],
        *revisions(&place, "db")[1].0
    );
}

#[test]
fn an_ordered_one_waits_for_its_broken_pod_until_that_is_deleted() {
    let place = Place::new("stuck");
    run(
        &place,
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 2})),
        "1",
    );
    place.set_image("statefulsets", "db", "2-unpullable");
    place.wait_waiting("db", "ImagePullBackOff");
    let stuck = place.read("statefulsets", "db");
    assert_eq!(tags(&place, "db"), ["1", "2-unpullable"]);
    assert_ne!(
        stuck["status"]["currentRevision"],
        stuck["status"]["updateRevision"]
    );
    let good = place.set_image("statefulsets", "db", "1");
    place.wait("statefulsets", "db", "seen", |db| {
        db["status"]["observedGeneration"] == good["metadata"]["generation"]
            && db["status"]["updateRevision"] == db["status"]["currentRevision"]
    });
    assert_eq!(
        tags(&place, "db"),
        ["1", "2-unpullable"],
        "the pod is not touched"
    );
    delete_pod(&place, "db-1");
    place.wait_complete("statefulsets", "db", "1");
    assert_eq!(tags(&place, "db"), ["1", "1"]);
}

#[test]
fn a_partition_holds_the_lower_pods_back() {
    let place = Place::new("partition");
    let spec = json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
    run(&place, "statefulsets", &stateful_set("db", "1", &spec), "1");
    place.set_image("statefulsets", "db", "2");
    let db = place.wait("statefulsets", "db", "the upper one is new", |db| {
        let status = &db["status"];
        status["observedGeneration"] == db["metadata"]["generation"]
            && status["updatedReplicas"] == 1
            && status["readyReplicas"] == 3
    });
    assert_eq!(tags(&place, "db"), ["1", "1", "2"]);
    let status = &db["status"];
    assert_ne!(status["currentRevision"], status["updateRevision"]);
    assert_eq!(status["currentReplicas"], 2);
    // What is deleted below the partition comes back as it was.
    let uid = place.read("pods", "db-0")["metadata"]["uid"].clone();
    delete_pod(&place, "db-0");
    wait::until("db-0 again", || {
        let pod = place
            .admin
            .get(&format!("{}/db-0", place.core("pods")))
            .json();
        (pod["metadata"]["uid"] != uid && ready(&pod)).then_some(())
    });
    assert_eq!(tags(&place, "db"), ["1", "1", "2"]);
    let all = json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}});
    place.change("statefulsets", "db", &all);
    place.wait_complete("statefulsets", "db", "2");
    assert_eq!(tags(&place, "db"), ["2", "2", "2"]);
}

#[test]
fn on_delete_waits_for_somebody_to_delete() {
    let place = Place::new("ondelete");
    let spec = json!({"updateStrategy": {"type": "OnDelete"}});
    let mut set = stateful_set("db", "1", &spec);
    set["spec"]["replicas"] = 2.into();
    run(&place, "statefulsets", &set, "1");
    run(&place, "daemonsets", &daemon_set("agent", "1", &spec), "1");
    for (plural, name) in [("statefulsets", "db"), ("daemonsets", "agent")] {
        let changed = place.set_image(plural, name, "2");
        place.wait(plural, name, "seen", |object| {
            object["status"]["observedGeneration"] == changed["metadata"]["generation"]
        });
        wait::until("the revision", || {
            (numbers(&place, name).len() == 2).then_some(())
        });
        assert!(tags(&place, name).iter().all(|tag| tag == "1"), "{name}");
        let pods = place.pods_of(name);
        let old = name_of(&pods[0]);
        delete_pod(&place, old);
        wait::until("one new pod", || {
            let tags = tags(&place, name);
            (tags.len() == pods.len() && tags.iter().filter(|tag| *tag == "2").count() == 1)
                .then_some(())
        });
    }
}

#[test]
fn a_parallel_one_does_not_wait() {
    let place = Place::new("parallel");
    let spec = json!({"replicas": 2, "podManagementPolicy": "Parallel"});
    place.create("statefulsets", &stateful_set("db", "1-unready", &spec));
    wait::until("both pods", || {
        (place.pods_of("db").len() == 2).then_some(())
    });
    let serial = json!({"replicas": 2});
    place.create("statefulsets", &stateful_set("slow", "1-unready", &serial));
    place.wait("statefulsets", "slow", "one", |set| {
        set["status"]["replicas"] == 1
    });
    assert_eq!(place.pods_of("slow").len(), 1);
}

#[test]
fn a_stateful_set_shrinks_from_the_end() {
    let place = Place::new("shrink");
    run(
        &place,
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 3})),
        "1",
    );
    place.change("statefulsets", "db", &json!({"spec": {"replicas": 1}}));
    place.wait("statefulsets", "db", "one", complete);
    let pods = place.pods_of("db");
    assert_eq!(pods.iter().map(name_of).collect::<Vec<_>>(), ["db-0"]);
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node() {
    let place = Place::new("daemon");
    let mut nodes = place.admin.items("/api/v1/nodes");
    nodes.retain(takes_pods);
    let agent = run(
        &place,
        "daemonsets",
        &daemon_set("agent", "1", &json!({})),
        "1",
    );
    let mut on: Vec<_> = place
        .pods_of("agent")
        .iter()
        .map(|pod| pod["spec"]["nodeName"].clone())
        .collect();
    on.sort_by_key(Value::to_string);
    let names: Vec<_> = nodes.iter().map(|node| json!(name_of(node))).collect();
    assert_eq!(on, names);
    let status = &agent["status"];
    for field in [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "numberAvailable",
        "updatedNumberScheduled",
    ] {
        assert_eq!(status[field], nodes.len(), "{field}");
    }
    assert_eq!(status["numberMisscheduled"], 0);
    let revision = revisions(&place, "agent").remove(0);
    let object = place.read("controllerrevisions", &revision.0);
    let hash = &object["metadata"]["labels"]["controller-revision-hash"];
    assert_eq!(revision.0, format!("agent-{}", hash.as_str().unwrap()));
    for pod in place.pods_of("agent") {
        let labels = &pod["metadata"]["labels"];
        assert_eq!(labels["controller-revision-hash"], *hash);
        assert_eq!(labels["pod-template-generation"], "1");
    }
    assert_eq!(
        agent["metadata"]["annotations"]["deprecated.daemonset.template.generation"],
        "1"
    );
    let mut template = object["data"]["spec"]["template"].clone();
    assert_eq!(template["$patch"], "replace");
    template.as_object_mut().unwrap().remove("$patch");
    assert_eq!(template, agent["spec"]["template"]);
}

#[test]
fn a_daemon_set_is_renewed_node_by_node() {
    let place = Place::new("renewed");
    let agent = run(
        &place,
        "daemonsets",
        &daemon_set("agent", "1", &json!({})),
        "1",
    );
    let wanted = agent["status"]["desiredNumberScheduled"].as_u64().unwrap();
    let path = format!(
        "{}?watch=1&fieldSelector=metadata.name%3Dagent",
        place.apps("daemonsets")
    );
    let lines = place.admin.lines(&path);
    release(&place, "daemonsets", "agent", "2");
    loop {
        let event = lines.event();
        let agent = &event["object"];
        let available = agent["status"]["numberAvailable"]
            .as_u64()
            .unwrap_or_default();
        assert!(available + 1 >= wanted, "{available} of {wanted}");
        if complete(agent)
            && agent["spec"]["template"]["spec"]["containers"][0]["image"] == *image("agent", "2")
        {
            break;
        }
    }
    assert_eq!(numbers(&place, "agent"), [(1, "1".into()), (2, "2".into())]);
    let agent = place.read("daemonsets", "agent");
    assert_eq!(
        agent["metadata"]["annotations"]["deprecated.daemonset.template.generation"],
        "2"
    );
    // A broken one stops after the first.
    place.set_image("daemonsets", "agent", "3-unpullable");
    place.wait_waiting("agent", "ImagePullBackOff");
    let stuck = place.wait("daemonsets", "agent", "one of them broken", |agent| {
        agent["status"]["numberUnavailable"] == 1 && agent["status"]["updatedNumberScheduled"] == 1
    });
    assert_eq!(stuck["status"]["numberAvailable"], wanted - 1);
    release(&place, "daemonsets", "agent", "2");
}
