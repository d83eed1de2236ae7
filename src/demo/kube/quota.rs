//! Quotas on the number of pods: one more than the limit is forbidden.

use serde_json::Value;

use super::kind::{PODS, RESOURCE_QUOTAS};
use super::object::{Kept, text_at};
use super::refusal::Refusal;
use super::store::Store;
use super::write::Write;

/// Makes a pod, if the quotas of its namespace have room for it.
///
/// # Errors
/// A quota is full, or the server does not take the pod.
pub fn create(store: &Store, pod: Value, by: &Write<'_>) -> Result<Kept, Refusal> {
    let namespace = text_at(&pod, "/metadata/namespace").to_owned();
    for quota in store.list(&RESOURCE_QUOTAS, Some(&namespace)) {
        let limit = text_at(&quota.value(), "/spec/hard/pods").parse::<usize>();
        let Ok(limit) = limit else {
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

/// Pods that have not ended for good.
pub fn used(store: &Store, namespace: &str) -> usize {
    let pods = store.list(&PODS, Some(namespace));
    let ended = |kept: &&Kept| {
        let pod = kept.value();
        matches!(text_at(&pod, "/status/phase"), "Succeeded" | "Failed")
    };
    pods.iter().filter(|kept| !ended(kept)).count()
}
