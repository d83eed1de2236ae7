//! Deletion along the owners: what goes with a workload, and what is left behind.

use serde_json::{Value, json};

use super::place::{Place, daemon_set, deployment, name_of, stateful_set};
use crate::support::wait;

fn wait_gone(place: &Place, plural: &str, name: &str) {
    wait::until(&format!("{plural} of {name} are gone"), || {
        let path = format!("{}?labelSelector=app%3D{name}", place.collection(plural));
        place.admin.items(&path).is_empty().then_some(())
    });
}

#[test]
fn what_a_workload_owns_goes_with_it() {
    let place = Place::new("owned");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 2})),
    );
    place.create(
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 1})),
    );
    place.create("daemonsets", &daemon_set("agent", "1", &json!({})));
    for (plural, name, revisions) in [
        ("deployments", "web", "replicasets"),
        ("statefulsets", "db", "controllerrevisions"),
        ("daemonsets", "agent", "controllerrevisions"),
    ] {
        place.wait_complete(plural, name, "1");
        place
            .admin
            .delete(&format!("{}/{name}", place.apps(plural)), &Value::Null)
            .ok();
        wait_gone(&place, revisions, name);
        wait_gone(&place, "pods", name);
        place
            .admin
            .get(&format!("{}/{name}", place.apps(plural)))
            .refused(404);
    }
}

#[test]
fn orphans_stay_and_are_adopted() {
    let place = Place::new("orphan");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 1})),
    );
    place.wait_complete("deployments", "web", "1");
    let pod = place.pods_of("web").remove(0);
    let path = format!("{}/web", place.apps("deployments"));
    place
        .admin
        .delete(&path, &json!({"propagationPolicy": "Orphan"}))
        .ok();
    wait::until("the Deployment is gone", || {
        (place.admin.get(&path).status == 404).then_some(())
    });
    let set = wait::until("the ReplicaSet without an owner", || {
        let set = place.replica_sets_of("web").remove(0);
        set["metadata"]
            .get("ownerReferences")
            .is_none()
            .then_some(set)
    });
    assert_eq!(name_of(&place.pods_of("web")[0]), name_of(&pod));
    let web = place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 1})),
    );
    place.wait_complete("deployments", "web", "1");
    let sets = place.replica_sets_of("web");
    assert_eq!(sets.len(), 1);
    assert_eq!(name_of(&sets[0]), name_of(&set));
    assert_eq!(
        sets[0]["metadata"]["ownerReferences"][0]["uid"],
        web["metadata"]["uid"]
    );
    assert_eq!(
        name_of(&place.pods_of("web")[0]),
        name_of(&pod),
        "the same pod all the time"
    );
}

#[test]
fn in_the_foreground_the_owner_goes_last() {
    let place = Place::new("foreground");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 2})),
    );
    place.wait_complete("deployments", "web", "1");
    let path = format!("{}/web", place.apps("deployments"));
    let told = place
        .admin
        .delete(&path, &json!({"propagationPolicy": "Foreground"}))
        .ok();
    assert_eq!(
        told["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
    assert!(told["metadata"]["deletionTimestamp"].is_string());
    wait::until("the Deployment is gone", || {
        (place.admin.get(&path).status == 404).then_some(())
    });
    assert_eq!(place.replica_sets_of("web").len(), 0);
}
