//! Folds: a listing and its events say the same as a later listing, whatever the order and the feed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::domain::Phase;
use crate::domain::fixture::{IMAGE, ago, id, now, pod, revision, warning, workload};

use super::*;

fn source(namespace: Option<&str>, feed: Feed) -> SourceId {
    SourceId {
        cluster: "prod-eu".into(),
        namespace: namespace.map(Into::into),
        feed,
    }
}

fn of_cluster(feed: Feed) -> SourceId {
    source(None, feed)
}

fn pods_of(kind: Kind) -> SourceId {
    of_cluster(Feed::PodsOf {
        workload: id(kind),
        selector: "app=checkout".into(),
    })
}

fn revisions_of(kind: Kind) -> SourceId {
    of_cluster(Feed::RevisionsOf {
        workload: id(kind),
        selector: "app=checkout".into(),
    })
}

fn put(fleet: &mut Fleet, from: &SourceId, item: Item) -> Vec<WorkloadId> {
    fleet.apply(from, Change::Put(item))
}

/// A Deployment with two revisions and a pod of each, all from feeds.
fn fleet() -> Fleet {
    let mut fleet = Fleet::default();
    let kind = Kind::Deployment;
    put(
        &mut fleet,
        &of_cluster(Feed::Workloads(kind)),
        Item::Workload(workload(kind).into()),
    );
    for (number, hash) in [(41, "old"), (42, "new")] {
        let revision = Item::Revision(revision(kind, number, hash, IMAGE).into());
        put(&mut fleet, &of_cluster(Feed::ReplicaSets), revision);
        put(
            &mut fleet,
            &pods_of(kind),
            Item::Pod(pod(kind, hash, "x2x4k").into()),
        );
    }
    fleet
}

fn deployment(fleet: &Fleet) -> &Workload {
    fleet.workload(&id(Kind::Deployment)).unwrap()
}

#[test]
fn revisions_come_newest_first_and_keep_to_their_owner() {
    let mut fleet = fleet();
    let numbers: Vec<_> = fleet
        .revisions(deployment(&fleet))
        .iter()
        .map(|r| r.number)
        .collect();
    assert_eq!(numbers, [42, 41]);
    // A rollback renumbers.
    let mut old = revision(Kind::Deployment, 43, "old", IMAGE);
    old.former = [41].into();
    let touched = put(
        &mut fleet,
        &revisions_of(Kind::Deployment),
        Item::Revision(old.into()),
    );
    assert_eq!(touched, [id(Kind::Deployment)]);
    let numbers: Vec<_> = fleet
        .revisions(deployment(&fleet))
        .iter()
        .map(|r| r.number)
        .collect();
    assert_eq!(numbers, [43, 42]);
    // The Deployment is made anew under its name.
    let again = Workload {
        uid: "w2".into(),
        created: ago(5),
        ..workload(Kind::Deployment)
    };
    put(
        &mut fleet,
        &of_cluster(Feed::Workloads(Kind::Deployment)),
        Item::Workload(again.into()),
    );
    assert!(fleet.revisions(deployment(&fleet)).is_empty());
    assert!(
        fleet.pods(deployment(&fleet)).is_empty(),
        "they are older than it"
    );
}

#[test]
fn pods_belong_by_owner_and_by_name_until_their_revision_is_known() {
    let mut fleet = fleet();
    assert_eq!(fleet.pods(deployment(&fleet)).len(), 2);
    let mut stranger = pod(Kind::Deployment, "new", "other");
    stranger.owner = "somebody".into();
    put(
        &mut fleet,
        &pods_of(Kind::Deployment),
        Item::Pod(stranger.into()),
    );
    assert_eq!(fleet.pods(deployment(&fleet)).len(), 2);
    put(
        &mut fleet,
        &pods_of(Kind::Deployment),
        Item::Pod(pod(Kind::Deployment, "newest", "x").into()),
    );
    assert_eq!(fleet.pods(deployment(&fleet)).len(), 3);
    fleet.forget(&of_cluster(Feed::ReplicaSets));
    assert_eq!(fleet.pods(deployment(&fleet)).len(), 4);
}

#[test]
fn a_deletion_that_is_late_spares_what_came_after_it() {
    let mut fleet = fleet();
    let feed = of_cluster(Feed::Workloads(Kind::Deployment));
    let late = ItemId::Workload(id(Kind::Deployment), "before".into());
    assert!(fleet.apply(&feed, Change::Gone(late)).is_empty());
    assert!(fleet.workload(&id(Kind::Deployment)).is_some());
    let now_gone = ItemId::Workload(id(Kind::Deployment), "w".into());
    assert_eq!(
        fleet.apply(&feed, Change::Gone(now_gone)),
        [id(Kind::Deployment)]
    );
    assert!(fleet.workload(&id(Kind::Deployment)).is_none());
}

#[test]
fn a_reset_swaps_its_scope_and_nothing_else() {
    let mut fleet = fleet();
    let feed = source(Some("shop"), Feed::ReplicaSets);
    assert!(!fleet.synced(&feed));
    let only = revision(Kind::Deployment, 44, "only", IMAGE);
    fleet.apply(
        &feed,
        Change::Reset(feed.clone(), vec![Item::Revision(only.into())]),
    );
    assert!(fleet.synced(&feed));
    assert_eq!(fleet.revisions(deployment(&fleet)).len(), 1);
    let elsewhere = source(Some("else"), Feed::ReplicaSets);
    fleet.apply(&elsewhere, Change::Reset(elsewhere.clone(), Vec::new()));
    assert_eq!(fleet.revisions(deployment(&fleet)).len(), 1);
    let other = SourceId {
        cluster: "other".into(),
        ..of_cluster(Feed::ReplicaSets)
    };
    fleet.apply(&other, Change::Reset(other.clone(), Vec::new()));
    assert_eq!(fleet.revisions(deployment(&fleet)).len(), 1);
}

#[test]
fn what_another_source_brings_as_well_is_not_forgotten() {
    let mut fleet = fleet();
    let own = revisions_of(Kind::Deployment);
    fleet.apply(&own, Change::Synced(own.clone()));
    assert!(fleet.forget(&own).is_empty());
    assert_eq!(fleet.revisions(deployment(&fleet)).len(), 2);
    assert_eq!(
        fleet.forget(&of_cluster(Feed::ReplicaSets)),
        [id(Kind::Deployment)]
    );
    assert!(fleet.revisions(deployment(&fleet)).is_empty());
    assert_eq!(
        fleet.forget(&pods_of(Kind::Deployment)),
        [id(Kind::Deployment)]
    );
    assert!(fleet.pods(deployment(&fleet)).is_empty());
}

#[test]
fn warnings_find_their_workload_by_uid_or_name() {
    let mut fleet = fleet();
    let feed = of_cluster(Feed::Warnings);
    for (kind, about, uid, touches, counts) in [
        ("Deployment", "checkout", "w", true, true),
        ("Deployment", "checkout", "w0", true, false),
        ("ReplicaSet", "checkout-new", "r-new", true, true),
        ("ReplicaSet", "checkout-new", "r-before", true, false),
        ("ReplicaSet", "checkout-newest", "any", true, true),
        ("Pod", "checkout-new-x2x4k", "p-new-x2x4k", true, true),
        ("Pod", "checkout-new-x2x4k", "p-before", true, false),
        ("Pod", "checkout-newest-abcde", "any", true, true),
        ("Pod", "checkout-api-new-abcde", "any", false, false),
        ("Node", "checkout", "n", false, false),
    ] {
        let event = warning(kind, about, uid, "Failed", "x");
        let gone = ItemId::Warning {
            cluster: event.cluster.clone(),
            namespace: event.namespace.clone(),
            name: event.name.clone(),
        };
        let touched = put(&mut fleet, &feed, Item::Warning(event.into()));
        assert_eq!(!touched.is_empty(), touches, "{about}");
        assert_eq!(
            !fleet.warnings(deployment(&fleet)).is_empty(),
            counts,
            "{about} {uid}"
        );
        assert_eq!(fleet.apply(&feed, Change::Gone(gone)), touched);
    }
}

#[test]
fn warnings_are_few_and_young() {
    let mut fleet = fleet();
    let feed = of_cluster(Feed::Warnings);
    for n in 0..warnings::MOST + 50 {
        let mut event = warning("Deployment", "checkout", "w", "Failed", "x");
        event.name = format!("e{n}").into();
        event.last_seen = ago(i64::try_from(n).unwrap() * 2);
        put(&mut fleet, &feed, Item::Warning(event.into()));
    }
    let kept = fleet.warnings(deployment(&fleet));
    assert_eq!(kept.len(), warnings::MOST);
    assert_eq!(
        (&*kept[0].name, &*kept.last().unwrap().name),
        ("e0", "e1999")
    );
    assert_eq!(fleet.expire(now()), [id(Kind::Deployment)]);
    assert_eq!(fleet.warnings(deployment(&fleet)).len(), 1_801);
}

#[test]
fn a_standing_is_made_of_everything() {
    let mut fleet = fleet();
    let stand = |fleet: &Fleet| fleet.standing(&id(Kind::Deployment), now()).unwrap().phase;
    assert_eq!(stand(&fleet), Phase::Steady);
    let mut rolling = workload(Kind::Deployment);
    rolling.counts.updated = 1;
    put(
        &mut fleet,
        &of_cluster(Feed::Workloads(Kind::Deployment)),
        Item::Workload(rolling.into()),
    );
    assert_eq!(stand(&fleet), Phase::Rolling);
    fleet.forget(&pods_of(Kind::Deployment));
    let event = warning(
        "Pod",
        "checkout-new-x2x4k",
        "any",
        "Failed",
        "Failed to pull image: not found",
    );
    put(
        &mut fleet,
        &of_cluster(Feed::Warnings),
        Item::Warning(event.into()),
    );
    assert_eq!(stand(&fleet), Phase::Stalled);
    assert_eq!(fleet.standing(&id(Kind::DaemonSet), now()), None);
}

/// What a server holds: by slot, the life it is in and the item. Slots 0..3 are workloads, then `ReplicaSet`s,
/// pods and warnings.
type Server = BTreeMap<usize, (u32, Item)>;

const SLOTS: usize = 12;

fn feed(slot: usize) -> SourceId {
    match slot / 3 {
        0 => of_cluster(Feed::Workloads(Kind::ALL[slot % 3])),
        1 => of_cluster(Feed::ReplicaSets),
        2 => pods_of(Kind::Deployment),
        _ => of_cluster(Feed::Warnings),
    }
}

fn item(slot: usize, life: u32, variant: u32) -> Item {
    let kind = Kind::Deployment;
    let uid = || Uid::from(&*format!("{slot}-{life}"));
    let name = ["a", "b", "c"][slot % 3];
    match slot / 3 {
        0 => {
            let mut workload = workload(Kind::ALL[slot % 3]);
            (workload.uid, workload.desired) = (uid(), variant);
            Item::Workload(workload.into())
        }
        1 => {
            let mut revision = revision(kind, variant.into(), name, IMAGE);
            (revision.uid, revision.owner) = (
                uid(),
                Uid::from(if variant.is_multiple_of(2) { "w" } else { "v" }),
            );
            Item::Revision(revision.into())
        }
        2 => {
            let mut pod = pod(kind, name, "x2x4k");
            (pod.uid, pod.ready) = (uid(), variant.is_multiple_of(2));
            Item::Pod(pod.into())
        }
        _ => {
            let mut warning = warning("Pod", name, "u", "Failed", "x");
            (warning.count, warning.last_seen) = (variant, ago(variant.into()));
            Item::Warning(warning.into())
        }
    }
}

fn item_id(item: &Item) -> ItemId {
    match item {
        Item::Workload(w) => ItemId::Workload(w.id.clone(), w.uid.clone()),
        Item::Revision(r) => ItemId::Revision {
            workload: r.workload.clone(),
            uid: r.uid.clone(),
        },
        Item::Pod(p) => ItemId::Pod {
            workload: p.workload.clone(),
            uid: p.uid.clone(),
        },
        Item::Warning(w) => ItemId::Warning {
            cluster: w.cluster.clone(),
            namespace: w.namespace.clone(),
            name: w.name.clone(),
        },
        Item::Route(r) => ItemId::Route {
            cluster: r.cluster.clone(),
            uid: r.uid.clone(),
        },
        Item::Endpoints { of, uid, .. } => ItemId::Endpoints {
            of: of.clone(),
            uid: uid.clone(),
        },
        Item::Service(s) => ItemId::Service {
            cluster: s.cluster.clone(),
            uid: s.uid.clone(),
        },
        Item::Analysis { of, uid, .. } => ItemId::Analysis {
            of: of.clone(),
            uid: uid.clone(),
        },
        Item::Canary { of, uid, .. } => ItemId::Canary {
            cluster: of.cluster.clone(),
            uid: uid.clone(),
        },
        Item::Sync { of, sync } => ItemId::Sync {
            of: of.clone(),
            id: sync.id.clone(),
        },
    }
}

/// One thing that happens to a slot: `None` deletes; a new life is a re-creation. Returns the watch's events.
fn happen(server: &mut Server, slot: usize, what: Option<(bool, u32)>) -> Vec<Change> {
    let before = server.get(&slot).cloned();
    let Some((anew, variant)) = what else {
        let gone = server.remove(&slot);
        return gone
            .iter()
            .map(|(_, item)| Change::Gone(item_id(item)))
            .collect();
    };
    let life = before
        .as_ref()
        .map_or(variant, |(life, _)| life + u32::from(anew));
    let new = item(slot, life, variant);
    server.insert(slot, (life, new.clone()));
    let gone = before
        .filter(|_| anew)
        .map(|(_, old)| Change::Gone(item_id(&old)));
    gone.into_iter().chain([Change::Put(new)]).collect()
}

fn list(server: &Server, fleet: &mut Fleet, swap: bool) {
    let feeds: BTreeSet<_> = (0..SLOTS).map(feed).collect();
    for source in feeds {
        let items = server.iter().filter(|(slot, _)| feed(**slot) == source);
        let items: Vec<_> = items.map(|(_, (_, item))| item.clone()).collect();
        if swap {
            fleet.apply(&source, Change::Reset(source.clone(), items));
        } else {
            for item in items {
                put(fleet, &source, item);
            }
            fleet.apply(&source, Change::Synced(source.clone()));
        }
    }
}

fn script() -> impl Strategy<Value = Vec<(usize, Option<(bool, u32)>)>> {
    let what = proptest::option::weighted(0.75, (any::<bool>(), 0_u32..5));
    proptest::collection::vec((0..SLOTS, what), 0..40)
}

proptest! {
    #[test]
    fn a_listing_and_its_events_are_a_later_listing(before in script(), after in script(), swap: bool) {
        let mut server = Server::new();
        for (slot, what) in before {
            happen(&mut server, slot, what);
        }
        let mut folded = Fleet::default();
        list(&server, &mut folded, swap);
        for (slot, what) in after {
            for change in happen(&mut server, slot, what) {
                folded.apply(&feed(slot), change);
            }
        }
        let mut listed = Fleet::default();
        list(&server, &mut listed, !swap);
        prop_assert_eq!(&folded, &listed);
        // A relist over what is there is that listing, too.
        list(&server, &mut folded, true);
        prop_assert_eq!(&folded, &listed);
    }

    #[test]
    fn nothing_is_left_of_sources_that_are_forgotten(before in script()) {
        let mut server = Server::new();
        for (slot, what) in before {
            happen(&mut server, slot, what);
        }
        let mut fleet = Fleet::default();
        list(&server, &mut fleet, false);
        for slot in 0..SLOTS {
            fleet.forget(&feed(slot));
        }
        prop_assert_eq!(fleet, Fleet::default());
    }
}
