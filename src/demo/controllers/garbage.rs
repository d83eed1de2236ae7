//! Deletion along the owners: what nobody owns any more goes, and a foreground deletion ends when nothing is left.

use std::time::Duration;

use serde_json::Value;

use super::{Context, MANAGER};
use crate::demo::kube::delete::{self, Options};
use crate::demo::kube::kind::PODS;
use crate::demo::kube::object::{Key, items_at, set, text_at};
use crate::demo::kube::write::Write;

/// Deletes what an object owned that is gone. Returns what is to be looked at: those that are not gone at once.
pub fn collect(context: &Context, uid: &str) -> Vec<Key> {
    let store = &context.cluster.store;
    let mut left = Vec::new();
    for kept in store.all_owned_by(uid) {
        let owners = items_at(&kept.value(), "/metadata/ownerReferences").to_vec();
        let others: Vec<_> = owners.into_iter().filter(|o| o["uid"] != *uid).collect();
        if others.is_empty() {
            // What is gone already is as good as deleted.
            let _ = delete::delete(store, &kept.key, &Options::default(), context.now());
            left.extend((kept.key.kind == &PODS).then(|| kept.key.clone()));
        } else {
            let by = Write::by(MANAGER, context.now());
            let _ = store.update(&kept.key, &by, |value| {
                set(value, &["metadata", "ownerReferences"], others.into());
                Ok(())
            });
        }
    }
    left
}

/// An object that waits for those it owns: they are deleted first, then its finalizer is taken away.
pub fn foreground(context: &Context, key: &Key, uid: &str) -> Option<Duration> {
    let store = &context.cluster.store;
    let kept = store.get(key)?;
    let foreground = |name: &Value| name == "foregroundDeletion";
    let value = kept.value();
    if !items_at(&value, "/metadata/finalizers")
        .iter()
        .any(foreground)
    {
        return None;
    }
    let owned = store.all_owned_by(uid);
    for kept in &owned {
        if text_at(&kept.value(), "/metadata/deletionTimestamp").is_empty() {
            let how = Options {
                foreground: kept.key.kind != &PODS,
                ..Options::default()
            };
            let _ = delete::delete(store, &kept.key, &how, context.now());
        }
    }
    if owned.is_empty() {
        let by = Write::by(MANAGER, context.now());
        let ended = store.update(key, &by, |value| {
            if let Some(names) = value["metadata"]["finalizers"].as_array_mut() {
                names.retain(|name| !foreground(name));
            }
            Ok(())
        });
        if let Ok(kept) = ended {
            delete::finish(store, &kept);
        }
        return None;
    }
    Some(Duration::from_secs(1))
}
