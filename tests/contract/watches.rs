//! Watches: what they bring, in which order, how they end, and when they cannot begin.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::http::{Lines, MERGE_PATCH};
use super::place::{Place, name_of, version_of};

/// By name, as a client keeps it.
type Folded = BTreeMap<String, Value>;

fn fold(list: &Value) -> Folded {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| (name_of(item).to_owned(), plain(item)))
        .collect()
}

/// Items of a list may leave out what they are.
fn plain(item: &Value) -> Value {
    let mut item = item.clone();
    let object = item.as_object_mut().unwrap();
    object.remove("kind");
    object.remove("apiVersion");
    item
}

fn kind_of(event: &Value) -> &str {
    event["type"].as_str().unwrap()
}

fn apply(folded: &mut Folded, event: &Value) {
    let object = &event["object"];
    match kind_of(event) {
        "ADDED" | "MODIFIED" => drop(folded.insert(name_of(object).to_owned(), plain(object))),
        "DELETED" => drop(folded.remove(name_of(object))),
        "BOOKMARK" => {}
        other => panic!("{other}: {event}"),
    }
}

fn watch(place: &Place, query: &str) -> Lines {
    place
        .admin
        .lines(&format!("{}?watch=1&{query}", place.core("secrets")))
}

/// Forty writes to six names: creations, changes, changes of nothing, deletions.
fn stir(place: &Place) {
    let path = place.core("secrets");
    let mut there = [false; 6];
    for step in 0..40_usize {
        let at = (step * 5 + step / 7) % 6;
        let name = format!("s{at}");
        if !there[at] {
            place.secret(&name, &json!({}));
            there[at] = true;
        } else if step % 3 == 0 {
            place
                .admin
                .delete(&format!("{path}/{name}"), &Value::Null)
                .ok();
            there[at] = false;
        } else {
            let word = json!({"data": {"word": format!("{:04}", step / 2)}});
            place.change("secrets", &name, &word);
        }
    }
}

#[test]
fn from_the_version_of_a_list_nothing_is_missed_and_nothing_repeated() {
    let place = Place::new("fold");
    for name in ["s0", "before"] {
        place.secret(name, &json!({}));
    }
    place
        .admin
        .delete(&format!("{}/s0", place.core("secrets")), &json!({}))
        .ok();
    let a = place.admin.get(&place.core("secrets")).ok();
    let version = version_of(&a);
    // One watch sees it happen, the other comes later and reads the history.
    let early = watch(&place, &format!("resourceVersion={version}"));
    stir(&place);
    place.secret("last", &json!({}));
    let b = place.admin.get(&place.core("secrets")).ok();
    let late = watch(&place, &format!("resourceVersion={version}"));
    let mut seen = Vec::new();
    for lines in [early, late] {
        let mut folded = fold(&a);
        let mut events = Vec::new();
        loop {
            let event = lines.event();
            let new = !folded.contains_key(name_of(&event["object"]));
            assert_eq!(kind_of(&event) == "ADDED", new, "{event}");
            apply(&mut folded, &event);
            let last = name_of(&event["object"]) == "last";
            events.push((kind_of(&event).to_owned(), version_of(&event["object"])));
            if last {
                break;
            }
        }
        assert!(
            events.windows(2).all(|pair| pair[0].1 < pair[1].1),
            "{events:?}"
        );
        assert!(events[0].1 > version);
        assert_eq!(folded, fold(&b));
        seen.push(events);
    }
    assert_eq!(seen[0], seen[1]);
    for kind in ["ADDED", "MODIFIED", "DELETED"] {
        assert!(seen[0].iter().any(|(of, _)| of == kind), "{kind}");
    }
}

#[test]
fn without_a_version_it_starts_with_what_there_is() {
    let place = Place::new("start");
    let a = place.secret("a", &json!({}));
    for query in ["", "resourceVersion=0"] {
        let lines = watch(&place, query);
        let event = lines.event();
        assert_eq!(kind_of(&event), "ADDED");
        assert_eq!(plain(&event["object"]), plain(&a));
        assert_eq!(event["object"]["kind"], "Secret");
    }
}

#[test]
fn bookmarks_carry_the_version_and_the_watch_ends_in_time() {
    let (place, elsewhere) = (Place::new("bookmark"), Place::new("bookmark-beside"));
    place.secret("a", &json!({}));
    let version = version_of(&place.admin.get(&place.core("secrets")).ok());
    let query = format!("resourceVersion={version}&allowWatchBookmarks=true&timeoutSeconds=3");
    let lines = watch(&place, &query);
    // A server tells only what is newer than the version it was given, and it learns of that by what is written.
    elsewhere.secret("b", &json!({}));
    let mut bookmarks = Vec::new();
    while let Some(line) = lines.next() {
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(kind_of(&event), "BOOKMARK", "{event}");
        assert_eq!(event["object"]["kind"], "Secret");
        assert_eq!(event["object"]["apiVersion"], "v1");
        bookmarks.push(version_of(&event["object"]));
    }
    assert!(!bookmarks.is_empty());
    assert!(bookmarks.iter().all(|of| *of >= version), "{bookmarks:?}");
    let silent = watch(
        &place,
        &format!("resourceVersion={version}&timeoutSeconds=1"),
    );
    assert_eq!(silent.next(), None, "nobody asked for bookmarks");
}

#[test]
fn from_a_forgotten_version_it_says_so_and_ends() {
    let place = Place::new("forgotten");
    for name in ["a", "b"] {
        place.secret(name, &json!({}));
    }
    let path = place.core("secrets");
    let past = place.side.forget(&path);
    let version = past.version;
    let lines = past
        .admin
        .lines(&format!("{path}?watch=1&resourceVersion={version}"));
    let event = lines.event();
    assert_eq!(kind_of(&event), "ERROR");
    let status = &event["object"];
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["code"], 410);
    assert_eq!(status["reason"], "Expired");
    let message = status["message"].as_str().unwrap();
    assert!(
        message.starts_with(&format!("too old resource version: {version}")),
        "{message}"
    );
    assert_eq!(lines.next(), None);
}

#[test]
fn a_streaming_list_ends_in_a_bookmark_and_goes_on() {
    let place = Place::new("stream");
    for name in ["a", "b"] {
        place.secret(name, &json!({}));
    }
    let list = place.admin.get(&place.core("secrets")).ok();
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let lines = watch(&place, query);
    let mut folded = Folded::new();
    let end = loop {
        let event = lines.event();
        if kind_of(&event) == "BOOKMARK" {
            break event;
        }
        assert_eq!(kind_of(&event), "ADDED");
        apply(&mut folded, &event);
    };
    assert_eq!(folded, fold(&list));
    let annotations = &end["object"]["metadata"]["annotations"];
    assert_eq!(annotations["k8s.io/initial-events-end"], "true", "{end}");
    assert!(version_of(&end["object"]) >= version_of(&list));
    place.secret("c", &json!({}));
    let event = lines.event();
    assert_eq!((kind_of(&event), name_of(&event["object"])), ("ADDED", "c"));
}

#[test]
fn a_streaming_list_without_its_match_is_refused() {
    let place = Place::new("match");
    let path = format!("{}?watch=1&sendInitialEvents=true", place.core("secrets"));
    let status = place.admin.get(&path).refused(422);
    assert_eq!(status["reason"], "Invalid");
}

#[test]
fn what_leaves_the_selection_is_deleted_and_what_enters_added() {
    let place = Place::new("leave");
    place.secret("a", &json!({"in": "yes"}));
    let version = version_of(&place.admin.get(&place.core("secrets")).ok());
    let lines = watch(
        &place,
        &format!("resourceVersion={version}&labelSelector=in%3Dyes"),
    );
    let out = place.change(
        "secrets",
        "a",
        &json!({"metadata": {"labels": {"in": "no"}}}),
    );
    place.change(
        "secrets",
        "a",
        &json!({"metadata": {"labels": {"other": "change"}}}),
    );
    let back = place.change(
        "secrets",
        "a",
        &json!({"metadata": {"labels": {"in": "yes"}}}),
    );
    place.change(
        "secrets",
        "a",
        &json!({"metadata": {"labels": {"in": "yes", "more": "x"}}}),
    );
    let events: Vec<_> = (0..3).map(|_| lines.event()).collect();
    let kinds: Vec<_> = events.iter().map(kind_of).collect();
    assert_eq!(kinds, ["DELETED", "ADDED", "MODIFIED"]);
    assert_eq!(
        events[0]["object"]["metadata"]["labels"]["in"], "yes",
        "its last state"
    );
    assert_eq!(
        version_of(&events[0]["object"]),
        version_of(&out),
        "the version of the change"
    );
    assert_eq!(plain(&events[1]["object"]), plain(&back));
}

#[test]
fn one_object_is_watched_by_its_name() {
    let place = Place::new("single");
    place.secret("a", &json!({}));
    let lines = watch(&place, "fieldSelector=metadata.name%3Da");
    assert_eq!(name_of(&lines.event()["object"]), "a");
    place.secret("b", &json!({}));
    let path = format!("{}/a", place.core("secrets"));
    let change = json!({"metadata": {"annotations": {"x": "y"}}});
    let changed = place.admin.patch(&path, MERGE_PATCH, &change).ok();
    // A change of nothing is no event.
    place.admin.patch(&path, MERGE_PATCH, &change).ok();
    place.admin.delete(&path, &Value::Null).ok();
    let first = place.secret("a", &json!({}));
    let events: Vec<_> = (0..3).map(|_| lines.event()).collect();
    let kinds: Vec<_> = events.iter().map(kind_of).collect();
    assert_eq!(kinds, ["MODIFIED", "DELETED", "ADDED"]);
    assert_eq!(plain(&events[0]["object"]), plain(&changed));
    let uid = |object: &Value| object["metadata"]["uid"].clone();
    assert_eq!(uid(&events[1]["object"]), uid(&changed));
    assert_eq!(uid(&events[2]["object"]), uid(&first));
    assert_ne!(uid(&first), uid(&changed));
    assert!(version_of(&events[1]["object"]) > version_of(&changed));
}
