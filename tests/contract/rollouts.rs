//! The way from one revision to the next: its bounds, its pauses, its deadline, and what counts as serving.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::deployments::{release, run, sets};
use super::place::{Place, condition, deployment, name_of, version_of};

/// Does something, waits until it is done, and then goes through every state of a collection in between.
fn states(
    place: &Place,
    plural: &str,
    name: &str,
    act: impl FnOnce(),
    mut see: impl FnMut(&BTreeMap<String, Value>),
) {
    let path = format!("{}?labelSelector=app%3D{name}", place.collection(plural));
    let list = place.admin.get(&path).ok();
    let lines = place.admin.lines(&format!(
        "{path}&watch=1&resourceVersion={}",
        version_of(&list)
    ));
    let by_name = |list: &Value| -> BTreeMap<String, Value> {
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| (name_of(item).to_owned(), item.clone()))
            .collect()
    };
    let versions = |state: &BTreeMap<String, Value>| -> Vec<(String, u64)> {
        state
            .iter()
            .map(|(name, object)| (name.clone(), version_of(object)))
            .collect()
    };
    let mut state = by_name(&list);
    see(&state);
    act();
    let end = versions(&by_name(&place.admin.get(&path).ok()));
    while versions(&state) != end {
        let event = lines.event();
        let object = event["object"].clone();
        if event["type"] == "DELETED" {
            state.remove(name_of(&object));
        } else {
            state.insert(name_of(&object).to_owned(), object);
        }
        see(&state);
    }
}

pub fn serves(pod: &&Value) -> bool {
    condition(pod, "Ready")["status"] == "True" && pod["metadata"]["deletionTimestamp"].is_null()
}

#[test]
fn a_release_stays_within_surge_and_unavailability() {
    let place = Place::new("bounds");
    for (name, surge, unavailable, most, fewest) in [
        ("both", json!(1), json!(1), 5, 3),
        ("surge", json!("50%"), json!(0), 6, 4),
        ("room", json!(0), json!("25%"), 4, 3),
    ] {
        let strategy = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        let spec = json!({"replicas": 4, "strategy": {"rollingUpdate": strategy}});
        run(&place, name, "1", &spec);
        let mut wanted = 0;
        states(
            &place,
            "replicasets",
            name,
            || drop(release(&place, name, "2")),
            |sets| {
                let sum = sets
                    .values()
                    .filter_map(|set| set["spec"]["replicas"].as_u64())
                    .sum();
                wanted = wanted.max(sum);
            },
        );
        let mut served = usize::MAX;
        states(
            &place,
            "pods",
            name,
            || drop(release(&place, name, "3")),
            |pods| {
                served = served.min(pods.values().filter(serves).count());
            },
        );
        assert!(wanted <= most, "{name}: {wanted} of {most} wanted at once");
        assert!(served >= fewest, "{name}: {served} of {fewest} served");
        assert!(wanted > 4 || served < 4, "{name}: it uses its room");
    }
}

#[test]
fn recreate_takes_all_away_first() {
    let place = Place::new("recreate");
    let strategy = json!({"type": "Recreate"});
    run(
        &place,
        "web",
        "1",
        &json!({"replicas": 3, "strategy": strategy}),
    );
    states(
        &place,
        "pods",
        "web",
        || drop(release(&place, "web", "2")),
        |pods| {
            let mut tags: Vec<_> = pods
                .values()
                .map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap())
                .collect();
            tags.sort_unstable();
            tags.dedup();
            assert!(tags.len() < 2, "{tags:?}");
        },
    );
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 1, 0), ("2".into(), 2, 3)]
    );
}

#[test]
fn a_paused_one_waits_and_goes_on() {
    let place = Place::new("pause");
    run(&place, "web", "1", &json!({"replicas": 2}));
    place.change("deployments", "web", &json!({"spec": {"paused": true}}));
    let why = |reason: &'static str| {
        move |object: &Value| condition(object, "Progressing")["reason"] == reason
    };
    let web = place.wait("deployments", "web", "paused", why("DeploymentPaused"));
    assert_eq!(condition(&web, "Progressing")["status"], "Unknown");
    assert_eq!(
        condition(&web, "Progressing")["message"],
        "Deployment is paused"
    );
    place.set_image("deployments", "web", "2");
    // The number of pods is still followed, of the old template.
    place.change("deployments", "web", &json!({"spec": {"replicas": 3}}));
    place.wait("deployments", "web", "three old ones", |object| {
        let status = &object["status"];
        status["observedGeneration"] == object["metadata"]["generation"]
            && status["availableReplicas"] == 3
    });
    assert_eq!(sets(&place, "web"), [("1".into(), 1, 3)]);
    let web = place.read("deployments", "web");
    assert_eq!(
        web["status"].get("updatedReplicas"),
        None,
        "none is of the new template"
    );
    place.change("deployments", "web", &json!({"spec": {"paused": null}}));
    place.wait_complete("deployments", "web", "2");
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 1, 0), ("2".into(), 2, 3)]
    );
}

#[test]
fn the_deadline_passes_and_a_good_release_ends_it() {
    let place = Place::new("deadline");
    run(
        &place,
        "web",
        "1",
        &json!({"replicas": 2, "progressDeadlineSeconds": place.side.lasting(2)}),
    );
    place.set_image("deployments", "web", "2-unpullable");
    let web = place.wait("deployments", "web", "past its deadline", |object| {
        condition(object, "Progressing")["reason"] == "ProgressDeadlineExceeded"
    });
    let bad = name_of(&place.replica_sets_of("web")[1]).to_owned();
    let progressing = condition(&web, "Progressing");
    assert_eq!(progressing["status"], "False");
    assert_eq!(
        progressing["message"],
        format!("ReplicaSet \"{bad}\" has timed out progressing.")
    );
    assert_eq!(
        condition(&web, "Available")["status"],
        "True",
        "the old pods serve"
    );
    let status = &web["status"];
    assert_eq!(status["updatedReplicas"], 1);
    assert_eq!(status["replicas"], 3);
    assert_eq!(status["availableReplicas"], 2);
    assert_eq!(status["unavailableReplicas"], 1);
    assert_eq!(
        sets(&place, "web"),
        [("1".into(), 1, 2), ("2-unpullable".into(), 2, 1)]
    );
    let web = release(&place, "web", "1");
    assert_eq!(
        condition(&web, "Progressing")["reason"],
        "NewReplicaSetAvailable"
    );
    assert_eq!(
        sets(&place, "web"),
        [("2-unpullable".into(), 2, 0), ("1".into(), 3, 2)]
    );
}

#[test]
fn minimum_ready_seconds_come_between_ready_and_available() {
    let place = Place::new("minimum");
    place.create(
        "deployments",
        &deployment(
            "web",
            "1",
            &json!({"replicas": 2, "minReadySeconds": place.side.lasting(2)}),
        ),
    );
    let mut waited = false;
    states(
        &place,
        "replicasets",
        "web",
        || drop(place.wait_complete("deployments", "web", "1")),
        |sets| {
            let status = sets.values().next().map(|set| &set["status"]);
            waited |= status.is_some_and(|status| {
                status["readyReplicas"] == 2 && status["availableReplicas"] != 2
            });
        },
    );
    assert!(waited, "ready pods that are not yet available");
}
