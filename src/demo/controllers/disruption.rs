//! Disruption budgets: how many pods may go is counted.

use std::time::Duration;

use serde_json::{Value, json};

use super::Context;
use super::pods::write_status;
use crate::demo::kube::disruption::counts;
use crate::demo::kube::kind::DISRUPTION_BUDGETS;
use crate::demo::kube::object::Key;

pub fn reconcile(context: &Context, key: &Key, budget: &Value) -> Option<Duration> {
    let counts = counts(&context.cluster.store, &key.namespace, budget);
    let generation = budget["metadata"]["generation"].clone();
    write_status(context, key, budget, |status| {
        *status = json!({
            "disruptionsAllowed": counts.allowed(), "currentHealthy": counts.healthy,
            "desiredHealthy": counts.desired, "expectedPods": counts.expected,
            "observedGeneration": generation,
        });
    });
    None
}

/// The budgets of a namespace.
pub fn keys(context: &Context, namespace: &str) -> Vec<Key> {
    let store = &context.cluster.store;
    let budgets = store.list(&DISRUPTION_BUDGETS, Some(namespace));
    budgets.iter().map(|budget| budget.key.clone()).collect()
}
