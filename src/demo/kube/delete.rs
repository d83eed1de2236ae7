//! Deletion: at once, or after the grace that a pod on a node is given, or when the last finalizer is gone.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::kind::{DELETE_OPTIONS, KINDS, NAMESPACES, PODS};
use super::object::{Kept, Key, int_at, items_at, set, text_at};
use super::query::bad_option;
use super::refusal::Refusal;
use super::server::Call;
use super::store::Store;
use super::write::{Part, Write, stamp};

/// How something is to go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Seconds; the object's own when not given.
    pub grace: Option<i64>,
    pub uid: Option<String>,
    pub version: Option<String>,
    /// What it owns stays, without an owner.
    pub orphan: bool,
    /// What it owns goes first.
    pub foreground: bool,
    pub dry_run: bool,
}

/// What became of it: its last state, and whether it is gone already.
pub struct Deleted {
    pub kept: Kept,
    pub gone: bool,
}

/// Deletes as the API does. Dependents are the garbage collector's business.
///
/// # Errors
/// When there is no such object, or when it is not the one that was meant.
pub fn delete(store: &Store, key: &Key, how: &Options, at: Timestamp) -> Result<Deleted, Refusal> {
    let kept = store.get(key);
    let kept = kept.ok_or_else(|| Refusal::NotFound(key.clone()))?;
    check(&kept, how)?;
    let value = kept.value();
    let grace = grace(key, &value, how);
    let foreground = how.foreground && !store.all_owned_by(&kept.uid).is_empty();
    let stays = grace > 0 || foreground || !items_at(&value, "/metadata/finalizers").is_empty();
    if how.dry_run {
        return Ok(Deleted { kept, gone: !stays });
    }
    if how.orphan {
        orphan(store, &kept, at);
    }
    if key.kind == &NAMESPACES {
        empty(store, &key.name);
    }
    if stays {
        let kept = mark(store, key, (grace, foreground), at)?;
        return Ok(Deleted { kept, gone: false });
    }
    let kept = store.remove(key);
    let kept = kept.ok_or_else(|| Refusal::NotFound(key.clone()))?;
    Ok(Deleted { kept, gone: true })
}

/// Removes what was being deleted and has nothing left to wait for.
pub fn finish(store: &Store, kept: &Kept) {
    let value = kept.value();
    let waits = int_at(&value, "/metadata/deletionGracePeriodSeconds").is_some_and(|s| s > 0)
        || !items_at(&value, "/metadata/finalizers").is_empty();
    if !text_at(&value, "/metadata/deletionTimestamp").is_empty() && !waits {
        store.remove(&kept.key);
    }
}

fn check(kept: &Kept, how: &Options) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal::Precondition(kept.key.clone(), why));
    if let Some(uid) = how.uid.as_ref().filter(|uid| ***uid != *kept.uid) {
        return refuse(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            kept.uid
        ));
    }
    let record = kept.version.to_string();
    if let Some(version) = how.version.as_ref().filter(|version| **version != record) {
        return refuse(format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({record}). The object might have been modified"
        ));
    }
    Ok(())
}

/// Only a pod that runs on a node has somebody to end it in peace.
fn grace(key: &Key, value: &Value, how: &Options) -> i64 {
    let over = matches!(text_at(value, "/status/phase"), "Succeeded" | "Failed");
    if key.kind != &PODS || text_at(value, "/spec/nodeName").is_empty() || over {
        return 0;
    }
    let own = int_at(value, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
    let wanted = how.grace.unwrap_or(own).max(0);
    let given = int_at(value, "/metadata/deletionGracePeriodSeconds");
    given.map_or(wanted, |given| given.min(wanted))
}

fn mark(
    store: &Store,
    key: &Key,
    (grace, foreground): (i64, bool),
    at: Timestamp,
) -> Result<Kept, Refusal> {
    let by = Write {
        part: Part::Deletion,
        ..Write::by("", at)
    };
    store.update(key, &by, |value| {
        let given = int_at(value, "/metadata/deletionGracePeriodSeconds");
        if foreground {
            let names = items_at(value, "/metadata/finalizers").iter().cloned();
            let names = names.chain(["foregroundDeletion".into()]).collect();
            set(value, &["metadata", "finalizers"], names);
        }
        if given.is_some_and(|given| given <= grace) {
            return Ok(());
        }
        let wait = Duration::from_secs(grace.unsigned_abs());
        let end = at.checked_add(wait).unwrap_or(at);
        set(value, &["metadata", "deletionTimestamp"], stamp(end).into());
        set(
            value,
            &["metadata", "deletionGracePeriodSeconds"],
            grace.into(),
        );
        Ok(())
    })
}

fn orphan(store: &Store, owner: &Kept, at: Timestamp) {
    let by = Write::by("kube-controller-manager", at);
    for kept in store.all_owned_by(&owner.uid) {
        // Gone in the meantime is orphaned too.
        let _ = store.update(&kept.key, &by, |value| {
            if let Some(owners) = value["metadata"]["ownerReferences"].as_array_mut() {
                owners.retain(|reference| reference["uid"] != *owner.uid);
            }
            Ok(())
        });
    }
}

fn empty(store: &Store, namespace: &str) {
    for kind in KINDS.iter().filter(|kind| kind.namespaced) {
        for kept in store.list(kind, Some(namespace)) {
            store.remove(&kept.key);
        }
    }
}

/// A DELETE: its options stand in the body or in the query.
pub fn answer(call: &Call, key: &Key) -> Result<Answer, Refusal> {
    let how = options(call)?;
    let at = call.api.cluster.clock.now();
    let deleted = delete(&call.api.cluster.store, key, &how, at)?;
    if key.kind == &PODS || !deleted.gone {
        return Ok(Answer::ok(deleted.kept.whole()));
    }
    let mut details =
        json!({"name": &*key.name, "kind": key.kind.plural, "uid": &*deleted.kept.uid});
    if !key.kind.group.is_empty() {
        details["group"] = key.kind.group.into();
    }
    Ok(Answer::value(&json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
    })))
}

fn options(call: &Call) -> Result<Options, Refusal> {
    let query = &call.query;
    let mut how = Options {
        grace: query.number("gracePeriodSeconds")?,
        orphan: query.get("propagationPolicy") == "Orphan",
        foreground: query.get("propagationPolicy") == "Foreground",
        dry_run: query.dry_run(&DELETE_OPTIONS)?,
        ..Options::default()
    };
    check_policy(query.get("propagationPolicy"))?;
    if call.body.is_empty() {
        return Ok(how);
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|error| {
        Refusal::BadRequest(format!(
            "couldn't get version/kind; json parse error: {error}"
        ))
    })?;
    let text = |pointer: &str| Some(text_at(&body, pointer).to_owned()).filter(|t| !t.is_empty());
    how.uid = text("/preconditions/uid");
    how.version = text("/preconditions/resourceVersion");
    how.grace = int_at(&body, "/gracePeriodSeconds").or(how.grace);
    how.orphan |= text_at(&body, "/propagationPolicy") == "Orphan";
    check_policy(text_at(&body, "/propagationPolicy"))?;
    how.foreground |= text_at(&body, "/propagationPolicy") == "Foreground";
    for asked in items_at(&body, "/dryRun") {
        if asked != "All" {
            let why = format!(r#"Unsupported value: [{asked}]: supported values: "All""#);
            return Err(bad_option(&DELETE_OPTIONS, "dryRun", why));
        }
        how.dry_run = true;
    }
    Ok(how)
}

fn check_policy(policy: &str) -> Result<(), Refusal> {
    if matches!(policy, "" | "Foreground" | "Background" | "Orphan") {
        return Ok(());
    }
    let known = r#""Foreground", "Background", "Orphan", "nil""#;
    let why = format!("Unsupported value: {policy:?}: supported values: {known}");
    Err(bad_option(&DELETE_OPTIONS, "propagationPolicy", why))
}
