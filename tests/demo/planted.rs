//! What stands in the cluster before the first request, as rolldeck itself reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use rolldeck::demo::cluster::Cluster;
use rolldeck::demo::controllers::{Context, reconcile};
use rolldeck::demo::kube::kind::{
    ANALYSIS_RUNS, CONTROLLER_REVISIONS, DAEMON_SETS, DEPLOYMENTS, ENDPOINT_SLICES, EVENTS, KINDS,
    Kind as Table, PODS, REPLICA_SETS, ROLLOUTS, STATEFUL_SETS,
};
use rolldeck::demo::kube::object::Kept;
use rolldeck::demo::scenario::Scenario;
use rolldeck::demo::world::Planter;
use rolldeck::domain::canary;
use rolldeck::domain::source::Feed;
use rolldeck::domain::standing::Reason;
use rolldeck::domain::{Change, Fleet, Health, Item, Kind, Phase, SourceId, Update};
use rolldeck::sources::kube::convert;

/// When every planted world begins.
pub fn start() -> Timestamp {
    "2026-11-23T14:04:12Z".parse().unwrap()
}

/// A scenario's world at its start.
pub fn planted(name: &str, seed: u64) -> (Scenario, Cluster) {
    let scenario = Scenario::find(name).unwrap();
    let few = (scenario.generated > 0).then_some(3);
    let scenario = scenario.grown(few);
    let cluster = Cluster::new(seed, 1, 10_000);
    let at = (start(), "registry.example.com");
    Planter::new(&cluster, &scenario, seed, at).plant().unwrap();
    (scenario, cluster)
}

/// The planted objects as the feeds would bring them: the workloads, all ReplicaSets, and what belongs to each workload
/// that is not steady.
pub fn news(cluster: &Cluster, id: &str) -> Vec<(SourceId, Vec<Update>)> {
    let source = |feed: Feed| SourceId {
        cluster: id.into(),
        namespace: match &feed {
            Feed::PodsOf { workload, .. } | Feed::RevisionsOf { workload, .. } => {
                Some(workload.namespace.clone())
            }
            _ => None,
        },
        feed,
    };
    let mut news = Vec::new();
    let tables: [(Kind, &'static Table); 4] = [
        (Kind::Deployment, &DEPLOYMENTS),
        (Kind::StatefulSet, &STATEFUL_SETS),
        (Kind::DaemonSet, &DAEMON_SETS),
        (Kind::Rollout, &ROLLOUTS),
    ];
    let mut workloads = Vec::new();
    for (kind, table) in tables {
        let feed = source(Feed::Workloads(kind));
        let items = read(&feed, cluster.store.list(table, None));
        workloads.extend(items.iter().filter_map(|item| match item {
            Item::Workload(workload) => Some((**workload).clone()),
            _ => None,
        }));
        news.push((feed, items));
    }
    let all = source(Feed::ReplicaSets);
    let items = read(&all, cluster.store.list(&REPLICA_SETS, None));
    news.push((all, items));
    let all = source(Feed::Warnings);
    let items = read(&all, cluster.store.list(&EVENTS, None));
    news.push((all, items));
    for workload in workloads {
        let own = |table| {
            let all = cluster
                .store
                .list(table, Some(&workload.id.namespace))
                .into_iter();
            let app = workload.id.name.clone();
            all.filter(move |kept| kept.labels.get("app").is_some_and(|name| *name == app))
        };
        let pods = source(Feed::PodsOf {
            workload: workload.id.clone(),
            selector: workload.selector.clone(),
        });
        let items = read(&pods, own(&PODS));
        news.push((pods, items));
        if matches!(workload.id.kind, Kind::StatefulSet | Kind::DaemonSet) {
            let revisions = source(Feed::RevisionsOf {
                workload: workload.id.clone(),
                selector: workload.selector.clone(),
            });
            let items = read(&revisions, own(&CONTROLLER_REVISIONS));
            news.push((revisions, items));
        }
    }
    news.into_iter()
        .map(|(source, items)| {
            let listed = items.into_iter().map(Change::Put);
            let all = listed.chain([Change::Synced(source.clone())]);
            let updates = all
                .map(Update::Change)
                .chain([Update::Health(Health::Live)]);
            (source, updates.collect())
        })
        .collect()
}

fn read(source: &SourceId, objects: impl IntoIterator<Item = Kept>) -> Vec<Item> {
    let read = |kept: Kept| convert::item(source, &kept.text).unwrap();
    objects.into_iter().filter_map(read).collect()
}

fn fleet(cluster: &Cluster) -> Fleet {
    let mut fleet = Fleet::default();
    for (source, updates) in news(cluster, "demo") {
        for update in updates {
            let Update::Change(change) = update else {
                continue;
            };
            fleet.apply(&source, change);
        }
    }
    fleet
}

#[test]
fn all_is_steady_but_for_the_broken_service() {
    for (name, broken, reason, words) in [
        ("tour", "checkout", Reason::ImagePull, "image not found"),
        ("bad-image", "catalog", Reason::ImagePull, "image not found"),
        ("crash-loop", "payments", Reason::CrashLoop, "exit 1"),
        (
            "config-gone",
            "orders",
            Reason::Config,
            "configmap \"orders-v7\" not found",
        ),
        (
            "two-operators",
            "checkout",
            Reason::ImagePull,
            "image not found",
        ),
        ("db-ordered-ready", "ledger-db", Reason::CrashLoop, "exit 1"),
        ("fleet", "checkout", Reason::ImagePull, "image not found"),
    ] {
        let (_, cluster) = planted(name, 1);
        let fleet = fleet(&cluster);
        let mut stalled = Vec::new();
        let mut canaries = Vec::new();
        for workload in fleet.workloads() {
            let standing = fleet.standing(&workload.id, start()).unwrap();
            match (standing.phase, standing.why) {
                (Phase::Steady | Phase::ScaledToZero, None) => {}
                (Phase::Canary, Some(why)) => {
                    assert!(why.text.contains("waits for you"), "{name}: {}", why.text);
                    canaries.push(format!("{} {name}", workload.id.name));
                }
                (Phase::Stalled, Some(why)) => {
                    assert_eq!(why.reason, reason, "{name}");
                    assert!(why.text.contains(words), "{name}: {}", why.text);
                    let revisions = fleet.revisions(workload);
                    let serving: u32 = revisions.iter().map(|r| r.available).sum();
                    assert!(
                        workload.id.kind != Kind::Deployment || serving > 2,
                        "{name}"
                    );
                    stalled.push(workload.id.name.to_string());
                }
                other => panic!("{name}: {} {other:?}", workload.id),
            }
        }
        assert_eq!(stalled, [broken], "{name}");
        let waits = (name == "tour").then(|| "cart tour".to_owned());
        assert_eq!(canaries, Vec::from_iter(waits), "{name}");
    }
}

#[test]
fn a_canary_stands_as_its_drill_begins() {
    for (name, words) in [
        ("bad-canary", "analysis payments-"),
        ("no-traffic", "analysis inconclusive: waits for you, 39m"),
    ] {
        let (_, cluster) = planted(name, 1);
        let fleet = fleet(&cluster);
        let mut rollouts = fleet.workloads().filter(|w| w.id.kind == Kind::Rollout);
        let one = rollouts.next().unwrap();
        let standing = fleet.standing(&one.id, start()).unwrap();
        assert_eq!(standing.phase, Phase::Canary, "{name}");
        let why = standing.why.unwrap().text;
        assert!(why.starts_with(words), "{name}: {why}");
        let at = canary::at(one, fleet.revisions(one)).unwrap();
        assert_eq!((at.set, at.real, at.step, at.steps), (20, Some(20), 2, 5));
    }
}

#[test]
fn the_same_seed_plants_the_same_world() {
    let texts = |seed| -> Vec<_> {
        let (_, cluster) = planted("tour", seed);
        let all = KINDS.iter().flat_map(|kind| cluster.store.list(kind, None));
        all.map(|kept| kept.text.clone()).collect()
    };
    assert_eq!(texts(7), texts(7));
    assert_ne!(texts(7), texts(8));
}

#[test]
fn every_pod_runs_the_digest_that_the_registry_serves() {
    let (_, cluster) = planted("tour", 1);
    let mut seen = BTreeMap::new();
    for pod in cluster.store.list(&PODS, None) {
        let value = pod.value();
        let status = &value["status"]["containerStatuses"][0];
        let image = status["image"].as_str().unwrap();
        let id = status["imageID"].as_str().unwrap();
        match cluster.images.find(image) {
            Some(found) => assert!(id.ends_with(&format!("@{}", found.digest)), "{image} {id}"),
            None => assert_eq!(id, "", "{image}"),
        }
        seen.insert(image.to_owned(), id.to_owned());
    }
    assert_eq!(seen["registry.example.com/shop/checkout:2.15.0"], "");
}

#[test]
fn the_controllers_find_nothing_to_do_but_for_the_broken_service() {
    for name in ["tour", "bad-canary", "no-traffic", "promote-fleet"] {
        find_nothing_to_do(name);
    }
}

fn find_nothing_to_do(name: &str) {
    let (_, cluster) = planted(name, 1);
    let cluster = Arc::new(cluster);
    let mut context = Context::new(Arc::clone(&cluster));
    let planted = cluster.store.version();
    for key in KINDS.iter().flat_map(|kind| cluster.store.list(kind, None)) {
        reconcile(&mut context, &key.key);
    }
    let changes = KINDS
        .iter()
        .flat_map(|kind| cluster.store.since(kind, planted).unwrap());
    let all: Vec<_> = changes.map(|change| change.after).collect();
    let broken = |kept: &Kept| {
        let name = kept.key.name.starts_with("checkout-") || &*kept.key.name == "checkout";
        name && &*kept.key.namespace == "shop-prod"
    };
    // It is long after the start of a planted world, and the next sample is due. What a Service sends to is written
    // down once it changes.
    let measures = |kept: &Kept| [&ANALYSIS_RUNS, &ENDPOINT_SLICES].contains(&kept.key.kind);
    for kept in all.iter().filter(|kept| !measures(kept)) {
        assert!(broken(kept), "{:?} is {}", kept.key, kept.text);
    }
    assert!(
        name != "tour" || !all.is_empty(),
        "the pulls are tried again"
    );
}
