//! Quotas on the number of pods: what is used is counted, and more than the limit is forbidden.

use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::pods::write_status;
use crate::demo::kube::kind::{PODS, RESOURCE_QUOTAS};
use crate::demo::kube::object::{Kept, Key, set, text_at};
use crate::demo::kube::refusal::Refusal;
use crate::demo::kube::store::Store;
use crate::demo::kube::write::Write;

const LIMIT: &str = "/spec/hard/pods";

/// Makes a pod, if the quotas of its namespace have room for it.
///
/// # Errors
/// A quota is full, or the server does not take the pod.
pub fn create(store: &Store, pod: Value, by: &Write<'_>) -> Result<Kept, Refusal> {
    let namespace = text_at(&pod, "/metadata/namespace").to_owned();
    for quota in store.list(&RESOURCE_QUOTAS, Some(&namespace)) {
        let value = quota.value();
        let Ok(limit) = text_at(&value, LIMIT).parse::<usize>() else {
            continue;
        };
        let used = used(store, &namespace);
        if used >= limit {
            let tried = Write {
                dry_run: true,
                ..by.clone()
            };
            let named = store.create(&PODS, pod, &tried)?;
            let why = format!(
                "exceeded quota: {}, requested: pods=1, used: pods={used}, limited: pods={limit}",
                quota.key.name
            );
            return Err(Refusal::Forbidden(named.key.clone(), why));
        }
    }
    store.create(&PODS, pod, by)
}

/// Counts what is used.
pub fn reconcile(context: &Context, key: &Key, quota: &Value) -> Option<Duration> {
    let limit = quota.pointer(LIMIT)?.clone();
    let used = used(&context.cluster.store, &key.namespace).to_string();
    write_status(context, key, |status| {
        *status = json!({"hard": {}, "used": {}});
        set(status, &["hard", "pods"], limit);
        set(status, &["used", "pods"], used.into());
    });
    None
}

/// The quotas of a namespace.
pub fn keys(context: &Context, namespace: &str) -> Vec<Key> {
    let quotas = context
        .cluster
        .store
        .list(&RESOURCE_QUOTAS, Some(namespace));
    quotas.iter().map(|quota| quota.key.clone()).collect()
}

/// Pods that have not ended for good.
fn used(store: &Store, namespace: &str) -> usize {
    let pods = store.list(&PODS, Some(namespace));
    let ended = |kept: &&Kept| {
        matches!(
            text_at(&kept.value(), "/status/phase"),
            "Succeeded" | "Failed"
        )
    };
    pods.iter().filter(|kept| !ended(kept)).count()
}
