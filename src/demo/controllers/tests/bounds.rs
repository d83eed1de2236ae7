//! Whatever a Deployment's size and strategy, a release keeps within its surge and its unavailability.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::World;
use crate::demo::kube::kind::{Kind, PODS, REPLICA_SETS};
use crate::demo::kube::object::{int_at, items_at, text_at};

/// What the API server's rules make of a number or a percentage.
fn share(amount: &str, of: u32, up: bool) -> u32 {
    let Some(percent) = amount.strip_suffix('%') else {
        return amount.parse().unwrap();
    };
    let part = f64::from(of) * percent.parse::<f64>().unwrap() / 100.0;
    let part = if up { part.ceil() } else { part.floor() };
    part.to_string().parse().unwrap()
}

fn json_of(amount: &str) -> Value {
    amount
        .parse::<u32>()
        .map_or_else(|_| amount.into(), Value::from)
}

/// The least pods that served at once, and the most that were asked for, from a version on.
fn extremes(world: &World, from: u64) -> (u32, u32) {
    let serves = |pod: &Value| {
        let conditions = items_at(pod, "/status/conditions").iter();
        let mut ready = conditions.filter(|c| c["type"] == "Ready" && c["status"] == "True");
        ready.next().is_some() && pod["metadata"].get("deletionTimestamp").is_none()
    };
    let serving = sums(world, &PODS, from, |pod| serves(pod).into());
    let asked = |set: &Value| int_at(set, "/spec/replicas").unwrap();
    let asked = sums(world, &REPLICA_SETS, from, asked);
    let number = |sum: Option<i64>| u32::try_from(sum.unwrap()).unwrap();
    (
        number(serving.into_iter().min()),
        number(asked.into_iter().max()),
    )
}

/// What the objects of a kind came to after each change.
fn sums(world: &World, kind: &'static Kind, from: u64, of: impl Fn(&Value) -> i64) -> Vec<i64> {
    let mut live = BTreeMap::new();
    let mut sums = Vec::new();
    for change in world.cluster.store.since(kind, 0).unwrap() {
        let key = change.after.key.clone();
        if change.deleted {
            live.remove(&key);
        } else {
            live.insert(key, of(&change.after.value()));
        }
        if change.version > from {
            sums.push(live.values().sum());
        }
    }
    sums
}

async fn released(replicas: u32, surge: &str, unavailable: &str, tags: &[&str]) -> (u32, u32) {
    let world = World::new();
    let key = world.deploy("web", "0", replicas);
    world.change(&key, |value| {
        value["spec"]["strategy"]["rollingUpdate"] =
            json!({"maxSurge": json_of(surge), "maxUnavailable": json_of(unavailable)});
    });
    world.complete(&key).await;
    let from = world.cluster.store.version();
    for tag in tags {
        world.release(&key, tag);
        let seen = |world: &World| {
            let pods = world.all(&PODS);
            let image = |pod: &Value| text_at(pod, "/spec/containers/0/image").to_owned();
            pods.iter()
                .any(|pod| image(pod).ends_with(&format!(":{tag}")))
        };
        world.until("a pod of it", seen).await;
    }
    world.complete(&key).await;
    extremes(&world, from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_release_keeps_within_its_bounds(
        replicas in 1_u32..9,
        surge in prop::sample::select(vec!["0", "1", "3", "25%", "100%"]),
        unavailable in prop::sample::select(vec!["1", "2", "25%", "50%"]),
        tags in prop::sample::select(vec![vec!["1"], vec!["1", "2"], vec!["1-unpullable", "2"], vec!["1", "0"]]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (least, most) = runtime.block_on(released(replicas, surge, unavailable, &tags));
        let beyond = share(surge, replicas, true);
        let missing = share(unavailable, replicas, false).min(replicas).max(u32::from(beyond == 0));
        prop_assert!(most <= replicas + beyond, "{} asked for, of {} and {}", most, replicas, beyond);
        prop_assert!(least >= replicas - missing, "{} served of {} but {}", least, replicas, missing);
    }
}
