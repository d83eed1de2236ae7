//! Every way in which an API server answers a feed, in paused time.

use std::time::Duration;

use proptest::prelude::*;

use super::fake::{Piece, Reply, Scene, clock, ok, pieces, status, watch};
use super::*;
use crate::domain::{Fleet, Kind, WorkloadId};

mod optional;

fn source(feed: Feed) -> SourceId {
    SourceId {
        cluster: "c".into(),
        namespace: None,
        feed,
    }
}

fn deployments() -> SourceId {
    source(Feed::Workloads(Kind::Deployment))
}

fn object(name: &str, version: u32, replicas: u32) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"uid-{name}","resourceVersion":"{version}","creationTimestamp":"2026-01-01T00:00:00Z"}},"spec":{{"replicas":{replicas},"template":{{}}}}}}"#
    )
}

fn listing(items: &[String], version: &str, next: &str) -> String {
    let items = items.join(",");
    format!(
        r#"{{"metadata":{{"resourceVersion":"{version}","continue":"{next}"}},"items":[{items}]}}"#
    )
}

fn list(names: &[&str], version: &str) -> Reply {
    let items: Vec<_> = names.iter().map(|name| object(name, 1, 1)).collect();
    ok(listing(&items, version, ""))
}

fn event(kind: &str, object: &str) -> String {
    format!(r#"{{"type":"{kind}","object":{object}}}"#)
}

fn bookmark(version: u32) -> String {
    event(
        "BOOKMARK",
        &format!(r#"{{"metadata":{{"resourceVersion":"{version}"}}}}"#),
    )
}

fn too_old() -> String {
    event(
        "ERROR",
        r#"{"code":410,"reason":"Expired","message":"too old resource version"}"#,
    )
}

/// A healthy watch: says its lines and is ended by the server after 30 s.
fn healthy(lines: &[String]) -> Reply {
    let text = lines.join("\n") + "\n";
    pieces(vec![
        Piece::Says(text),
        Piece::Waits(Duration::from_secs(30)),
    ])
}

/// One word an update.
fn words(updates: &[Update]) -> Vec<String> {
    updates.iter().map(word).collect()
}

fn word(update: &Update) -> String {
    let name = |item: &Item| match item {
        Item::Workload(workload) => workload.id.name.to_string(),
        Item::Revision(revision) => revision.name.to_string(),
        Item::Pod(pod) => pod.name.to_string(),
        Item::Warning(warning) => warning.name.to_string(),
        Item::Sync { sync, .. } => sync.id.name.to_string(),
        Item::Analysis { run, .. } => run.name.to_string(),
        Item::Canary { of, .. } | Item::Endpoints { of, .. } => of.name.to_string(),
        Item::Service(service) => service.name.to_string(),
        Item::Route(route) => route.name.to_string(),
    };
    match update {
        Update::Change(Change::Put(item)) => format!("put {}", name(item)),
        Update::Change(Change::Gone(_)) => "gone".into(),
        Update::Change(Change::Synced(_)) => "synced".into(),
        Update::Change(Change::Reset(_, items)) => {
            let names: Vec<_> = items.iter().map(name).collect();
            format!("reset {}", names.join(" "))
        }
        Update::Health(Health::Live) => "live".into(),
        Update::Health(Health::Absent) => "absent".into(),
        Update::Health(Health::Listing(count)) => format!("listing {count}"),
        Update::Health(Health::Quiet { .. }) => "quiet".into(),
        Update::Health(Health::Retrying { why, .. }) => format!("retrying: {why}"),
        Update::Health(Health::Denied(why)) => format!("denied: {why}"),
        Update::Health(Health::AuthExpired(why)) => format!("expired: {why}"),
        Update::Health(Health::Undecodable(count)) => format!("undecodable {count}"),
        Update::Skew(seconds) => format!("skew {seconds}"),
    }
}

fn has(updates: &[Update], start: &str) -> bool {
    words(updates).iter().any(|word| word.starts_with(start))
}

#[tokio::test(start_paused = true)]
async fn the_next_page_is_asked_for_while_one_comes() {
    let whole = listing(&[object("a", 1, 1)], "7", "more");
    let (start, rest) = whole.split_at(whole.find("[{").unwrap() + 1);
    let slow = pieces(vec![
        Piece::Says(start.into()),
        Piece::Waits(Duration::from_secs(3)),
        Piece::Says(rest.into()),
    ]);
    let mut scene = Scene::first(deployments(), vec![slow, list(&["b"], "7"), watch(&[])]);
    let heard = words(&scene.hear(2).await);
    assert_eq!(heard, [""; 0], "the first page is not whole");
    assert_eq!(scene.asked().len(), 2);
    let heard = words(&scene.hear(2).await);
    let want = [
        "listing 1",
        "put a",
        "listing 2",
        "put b",
        "synced",
        "live",
        "live",
    ];
    assert_eq!(heard, want, "in order");
}

#[tokio::test(start_paused = true)]
async fn rows_come_page_by_page_and_then_the_watch_goes_on_from_the_list() {
    let first = ok(listing(&[object("a", 1, 1)], "7", "more"));
    let mut scene = Scene::first(
        deployments(),
        vec![
            first,
            list(&["b"], "7"),
            watch(&[
                event("ADDED", &object("c", 8, 1)),
                event("DELETED", &object("a", 9, 1)),
            ]),
        ],
    );
    let heard = words(&scene.hear(5).await);
    let want = [
        "listing 1",
        "put a",
        "listing 2",
        "put b",
        "synced",
        "live",
        "live",
        "put c",
        "gone",
    ];
    assert_eq!(heard, want);
    let asked = scene.asked();
    assert_eq!(asked[0].1, "/apis/apps/v1/deployments?limit=100");
    assert_eq!(
        asked[1].1,
        "/apis/apps/v1/deployments?limit=500&continue=more"
    );
    for part in [
        "watch=1",
        "resourceVersion=7",
        "allowWatchBookmarks=true",
        "timeoutSeconds=30",
    ] {
        assert!(asked[2].1.contains(part), "{} has no {part}", asked[2].1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_is_opened_again_from_its_last_bookmark() {
    let script = vec![
        list(&["a"], "7"),
        healthy(&[bookmark(40)]),
        healthy(&[]),
        healthy(&[event("MODIFIED", &object("a", 41, 2))]),
    ];
    let mut scene = Scene::first(deployments(), script);
    let heard = scene.hear(80).await;
    assert!(
        !has(&heard, "retrying") && !has(&heard, "quiet"),
        "{:?}",
        words(&heard)
    );
    assert!(has(&heard[5..], "put a"));
    let asked = scene.asked();
    let versions: Vec<_> = asked
        .iter()
        .map(|(at, path)| (*at, path.contains("resourceVersion=40")))
        .collect();
    assert_eq!(versions, [(0, false), (0, false), (30, true), (60, true)]);
    let live = words(&heard).iter().filter(|word| *word == "live").count();
    assert_eq!(live, 4, "each watch says that it stands");
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_is_noticed_and_the_rows_stay() {
    let script = vec![list(&["a"], "7"), watch(&[]), watch(&[bookmark(8)])];
    let mut scene = Scene::first(deployments(), script);
    scene.hear(20).await;
    let heard = scene.hear(30).await;
    let heard_words = words(&heard);
    assert_eq!(heard_words[0], "quiet");
    assert_eq!(
        heard_words[1],
        "retrying: watch deployments: no answer within 35s"
    );
    assert_eq!(heard_words[2], "live", "the next contact ends the silence");
    let Update::Health(Health::Retrying { since, next, .. }) = &heard[1] else {
        panic!("retrying")
    };
    assert!(
        next.duration_since(*since) >= SignedDuration::from_secs(35),
        "since the last contact"
    );
    assert!(!has(&heard, "reset"), "{heard_words:?}");
    assert!(scene.asked()[2].1.contains("resourceVersion=7"));
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_goes_on_where_it_was() {
    let torn = pieces(vec![
        Piece::Says(format!("{}\n{{\"type\":\"ADD", bookmark(9))),
        Piece::Breaks,
    ]);
    let script = vec![
        list(&["a"], "7"),
        torn,
        watch(&[event("ADDED", &object("b", 10, 1))]),
    ];
    let mut scene = Scene::first(deployments(), script);
    let heard = scene.hear(10).await;
    assert!(has(&heard, "retrying: "), "{:?}", words(&heard));
    assert!(has(&heard, "put b") && !has(&heard, "undecodable"));
    assert!(scene.asked()[2].1.contains("resourceVersion=9"));
}

#[tokio::test(start_paused = true)]
async fn gone_in_each_of_its_forms_lists_again_and_swaps_at_once() {
    let gone = || {
        status(
            410,
            r#"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#,
        )
    };
    for (name, end) in [
        ("at the start of a watch", gone()),
        ("in a watch", watch(&[too_old()])),
    ] {
        let script = vec![list(&["a"], "7"), end, list(&["b"], "90"), watch(&[])];
        let mut scene = Scene::first(deployments(), script);
        let heard = scene.hear(5).await;
        let at = words(&heard).iter().position(|word| word == "reset b");
        let at = at.unwrap_or_else(|| panic!("{name}: {:?}", words(&heard)));
        assert_eq!(word(&heard[at + 1]), "synced", "{name}");
        assert!(scene.asked()[3].1.contains("resourceVersion=90"), "{name}");
    }
    let first = ok(listing(&[object("a", 1, 1)], "7", "more"));
    let mut scene = Scene::first(
        deployments(),
        vec![first, gone(), list(&["b"], "90"), watch(&[])],
    );
    let heard = scene.hear(5).await;
    assert!(
        has(&heard, "reset b"),
        "in the middle of a list: {:?}",
        words(&heard)
    );
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_always_too_old_makes_no_loop() {
    let round = || [list(&["a"], "7"), watch(&[too_old()])];
    let script = (0..100).flat_map(|_| round()).collect();
    let mut scene = Scene::first(deployments(), script);
    scene.hear(300).await;
    let count = scene.asked().len();
    assert!((10..50).contains(&count), "{count} requests in 300 s");
}

#[tokio::test(start_paused = true)]
async fn watches_that_end_at_once_make_no_loop() {
    let mut script = vec![list(&["a"], "7")];
    script.extend((0..100).map(|_| ok("")));
    let mut scene = Scene::first(deployments(), script);
    scene.hear(300).await;
    let count = scene.asked().len();
    assert!((8..30).contains(&count), "{count} requests in 300 s");
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_said_once_and_nothing_more_is_asked() {
    let script = vec![status(
        401,
        r#"{"kind":"Status","code":401,"message":"Unauthorized"}"#,
    )];
    let mut scene = Scene::first(deployments(), script);
    let heard = scene.hear(3600).await;
    assert_eq!(heard.len(), 1, "{:?}", words(&heard));
    assert!(has(&heard, "expired: ") && words(&heard)[0].contains("log in again"));
    assert_eq!(scene.asked().len(), 1);
}

const FORBIDDEN: &str = r#"{"kind":"Status","code":403,"reason":"Forbidden","message":"deployments.apps is forbidden: User \"reader\" cannot list resource \"deployments\" in API group \"apps\" at the cluster scope"}"#;

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_named_and_asked_for_slowly_until_it_is_given() {
    let mut script: Vec<_> = (0..3).map(|_| status(403, FORBIDDEN)).collect();
    script.extend([list(&["a"], "7"), watch(&[])]);
    let mut scene = Scene::first(deployments(), script);
    let heard = words(&scene.hear(100).await);
    assert_eq!(
        heard[0],
        "denied: needs list deployments.apps in all namespaces"
    );
    assert!(heard[3..].contains(&"put a".to_owned()) && heard[3..].contains(&"live".to_owned()));
    let times: Vec<_> = scene.asked().iter().map(|(at, _)| *at).collect();
    assert_eq!(times[..4], [0, 30, 60, 90]);
}

#[tokio::test(start_paused = true)]
async fn list_without_watch_is_polled_politely_and_said() {
    let refused = || status(403, FORBIDDEN.replace("cannot list", "cannot watch"));
    let script = vec![
        list(&["a"], "7"),
        refused(),
        list(&["a", "b"], "8"),
        refused(),
    ];
    let mut scene = Scene::first(deployments(), script);
    let heard = words(&scene.hear(16).await);
    let said = "denied: deployments cannot be watched, read every 15s instead: needs watch deployments.apps in all namespaces";
    assert!(heard.contains(&said.to_owned()), "{heard:?}");
    assert!(heard.contains(&"reset a b".to_owned()), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some(said));
    let times: Vec<_> = scene.asked().iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 0, 15, 15]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_says_when_to_come_back() {
    for code in [429, 503] {
        let busy =
            status(code, r#"{"kind":"Status","message":"busy"}"#).header("retry-after", "20");
        let mut scene = Scene::first(deployments(), vec![busy, list(&["a"], "7"), watch(&[])]);
        let heard = scene.hear(25).await;
        assert!(
            has(&heard, "retrying: ") && has(&heard, "put a"),
            "{:?}",
            words(&heard)
        );
        assert_eq!(scene.asked()[1].0, 20, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_grow_while_nothing_gets_better_and_start_small_after_progress() {
    let mut script: Vec<_> = (0..5).map(|_| status(500, "oops")).collect();
    script.extend([
        list(&["a"], "7"),
        healthy(&[bookmark(8)]),
        status(500, "oops"),
    ]);
    script.extend([list(&["a"], "9"), watch(&[])]);
    let mut scene = Scene::first(deployments(), script);
    scene.hear(150).await;
    let times: Vec<_> = scene.asked().iter().map(|(at, _)| *at).collect();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[3] >= 6 && gaps[4] >= 12, "{gaps:?}");
    assert!(gaps[7] <= 2, "after a good watch: {gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_breaks_is_made_again_as_one_swap() {
    let first = ok(listing(&[object("a", 1, 1)], "7", "more"));
    let half = pieces(vec![
        Piece::Says(r#"{"metadata":{"resourceVersion":"7"},"items":[{"#.into()),
        Piece::Breaks,
    ]);
    let mut scene = Scene::first(
        deployments(),
        vec![first, half, list(&["b"], "8"), watch(&[])],
    );
    let heard = words(&scene.hear(10).await);
    assert_eq!(heard[1], "put a");
    assert!(heard.contains(&"reset b".to_owned()), "{heard:?}");
    let synced = heard.iter().filter(|word| *word == "synced").count();
    assert_eq!(synced, 1, "not before it is whole");
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_that_parses_is_no_listing() {
    let script = vec![
        ok("<html>hello</html>"),
        ok("{}"),
        list(&["a"], "7"),
        watch(&[]),
    ];
    let mut scene = Scene::first(deployments(), script);
    let heard = words(&scene.hear(20).await);
    assert!(heard[0].starts_with("retrying: "), "{heard:?}");
    assert!(heard.contains(&"synced".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_reopened_feed_swaps_what_was_on_the_board() {
    let pages = [
        ok(listing(&[object("a", 1, 1)], "7", "more")),
        list(&["b"], "7"),
    ];
    let script = pages.into_iter().chain([watch(&[])]).collect();
    let mut scene = Scene::again(deployments(), script);
    let heard = words(&scene.hear(5).await);
    assert!(heard.contains(&"reset a b".to_owned()), "{heard:?}");
    assert!(!heard.iter().any(|word| word.starts_with("put")));
}

#[tokio::test(start_paused = true)]
async fn objects_that_cannot_be_read_are_counted_until_they_can() {
    let bad = r#"{"metadata":{"name":"bad","namespace":"shop","uid":"uid-bad","resourceVersion":"8"},"spec":3}"#;
    let items = [object("a", 1, 1), bad.to_owned()];
    let turned = object("a", 9, 1).replace(r#""replicas":1"#, r#""replicas":"x""#);
    let script = vec![
        ok(listing(&items, "7", "")),
        watch(&[
            event("MODIFIED", &turned),
            event("MODIFIED", &object("bad", 10, 1)),
        ]),
    ];
    let mut scene = Scene::first(deployments(), script);
    let heard = words(&scene.hear(5).await);
    let want = [
        "listing 1",
        "put a",
        "synced",
        "undecodable 1",
        "live",
        "live",
        "gone",
        "put bad",
    ];
    assert_eq!(
        heard, want,
        "one turned bad and lost its row, one turned good"
    );
}

#[tokio::test(start_paused = true)]
async fn the_servers_clock_is_told_when_it_moves() {
    let dated = |reply: Reply, seconds: i64| {
        let date = clock() + SignedDuration::from_secs(seconds);
        let date = jiff::fmt::rfc2822::to_string(&date.to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
        reply.header("date", date.replace("+0000", "GMT"))
    };
    let script = vec![dated(list(&["a"], "7"), 90), dated(watch(&[]), 90)];
    let mut scene = Scene::first(deployments(), script);
    let heard = words(&scene.hear(5).await);
    let told: Vec<_> = heard
        .iter()
        .filter(|word| word.starts_with("skew"))
        .collect();
    assert_eq!(told, ["skew 90"], "once");
    let script = vec![dated(list(&["a"], "7"), -1), dated(watch(&[]), 0)];
    let heard = Scene::first(deployments(), script).hear(3).await;
    assert!(
        !has(&heard, "skew"),
        "less than a second: {:?}",
        words(&heard)
    );
}

#[tokio::test(start_paused = true)]
async fn an_endless_line_costs_one_object_and_no_memory() {
    let mut body: Vec<_> = (0..20).map(|_| Piece::Says("x".repeat(1 << 20))).collect();
    let good = event("ADDED", &object("b", 9, 1));
    body.extend([Piece::Says(format!("\n{good}\n")), Piece::Hangs]);
    let mut scene = Scene::first(deployments(), vec![list(&["a"], "7"), pieces(body)]);
    let heard = words(&scene.hear(5).await);
    assert!(heard.contains(&"undecodable 1".to_owned()), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("put b"));
}

#[tokio::test(start_paused = true)]
async fn the_fleets_replica_sets_take_their_time() {
    let page = |next: &str| ok(listing(&[], "7", next));
    let script = vec![page("one"), page("two"), page(""), watch(&[])];
    let mut scene = Scene::first(source(Feed::ReplicaSets), script);
    let start = clock();
    let heard = scene.hear(3).await;
    assert!(has(&heard, "synced"), "{:?}", words(&heard));
    assert!(clock() > start);
    assert_eq!(scene.asked().len(), 4);
}

proptest! {
    /// What the watch says between two listings turns the one into the other.
    #[test]
    fn a_list_and_the_events_after_it_make_the_next_list(
        before in prop::collection::vec((0_u32..6, 0_u32..4), 0..12),
        after in prop::collection::vec((0_u32..6, 0_u32..4), 0..12),
    ) {
        let source = deployments();
        let mut world = std::collections::BTreeMap::new();
        let mut lines = Vec::new();
        let change = |world: &mut std::collections::BTreeMap<String, String>, version: usize, (name, replicas): (u32, u32)| {
            let name = format!("w{name}");
            let version = u32::try_from(version).unwrap();
            // Zero deletes.
            if replicas == 0 {
                return world.remove(&name).map(|_| event("DELETED", &object(&name, version, 9)));
            }
            let object = object(&name, version, replicas);
            let known = world.insert(name, object.clone()).is_some();
            Some(event(if known { "MODIFIED" } else { "ADDED" }, &object))
        };
        for (version, step) in before.into_iter().enumerate() {
            change(&mut world, version, step);
        }
        let mut fleet = fold_list(&source, &world);
        for (version, step) in after.into_iter().enumerate() {
            lines.extend(change(&mut world, 100 + version, step));
        }
        for line in lines {
            let News::Changed { what, .. } = watch::news(&source, line.as_bytes()) else {
                panic!("a change")
            };
            match what {
                What::Put(item) => fleet.apply(&source, Change::Put(item)),
                What::Gone(id) => fleet.apply(&source, Change::Gone(id)),
                What::Nothing | What::Unreadable(_) => panic!("news"),
            };
        }
        prop_assert_eq!(fleet, fold_list(&source, &world));
    }
}

fn fold_list(source: &SourceId, world: &std::collections::BTreeMap<String, String>) -> Fleet {
    let items: Vec<_> = world.values().cloned().collect();
    let page = list::page(source, listing(&items, "1", "").as_bytes()).unwrap();
    let mut fleet = Fleet::default();
    for item in page.items {
        fleet.apply(source, Change::Put(item));
    }
    fleet.apply(source, Change::Synced(source.clone()));
    fleet
}

#[test]
fn a_feed_of_pods_names_its_workload() {
    let workload = WorkloadId {
        cluster: "c".into(),
        namespace: "shop".into(),
        kind: Kind::Deployment,
        name: "web".into(),
    };
    let pods = source(Feed::PodsOf {
        workload,
        selector: "app=web".into(),
    });
    let pod = r#"{"type":"ADDED","object":{"metadata":{"name":"web-1","namespace":"shop","uid":"p","creationTimestamp":"2026-01-01T00:00:00Z"}}}"#;
    assert!(matches!(
        watch::news(&pods, pod.as_bytes()),
        News::Changed {
            what: What::Put(Item::Pod(_)),
            ..
        }
    ));
}
