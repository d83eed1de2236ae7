//! Quotas on the number of pods: what is used is counted.

use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::pods::write_status;
use crate::demo::kube::kind::RESOURCE_QUOTAS;
use crate::demo::kube::object::{Key, set};
use crate::demo::kube::quota::used;

const LIMIT: &str = "/spec/hard/pods";

/// Counts what is used.
pub fn reconcile(context: &Context, key: &Key, quota: &Value) -> Option<Duration> {
    let limit = quota.pointer(LIMIT)?.clone();
    let used = used(&context.cluster.store, &key.namespace).to_string();
    write_status(context, key, quota, |status| {
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
