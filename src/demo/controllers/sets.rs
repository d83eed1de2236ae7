//! ReplicaSets as the controllers see them that own them.

use serde_json::Value;

use super::Context;
use crate::demo::kube::kind::REPLICA_SETS;
use crate::demo::kube::object::{Kept, Key, int_at, text_at};
use crate::demo::kube::write::Write;

/// A ReplicaSet with what is asked of it most.
#[derive(Clone)]
pub struct Set {
    pub key: Key,
    pub value: Value,
}

impl Set {
    pub fn of(kept: &Kept) -> Self {
        Self {
            key: kept.key.clone(),
            value: kept.value(),
        }
    }

    pub fn replicas(&self) -> i64 {
        int_at(&self.value, "/spec/replicas").unwrap_or(0)
    }

    /// Those that serve and are to stay: a status may still count pods that a smaller size has given up.
    pub fn available(&self) -> i64 {
        self.counted("availableReplicas").min(self.replicas())
    }

    pub fn counted(&self, field: &str) -> i64 {
        int_at(&self.value["status"], &format!("/{field}")).unwrap_or(0)
    }

    pub fn label(&self, name: &str) -> &str {
        let label = &self.value["metadata"]["labels"][name];
        label.as_str().unwrap_or_default()
    }

    pub fn annotation(&self, name: &str) -> &str {
        let text = &self.value["metadata"]["annotations"][name];
        text.as_str().unwrap_or_default()
    }

    pub fn born(&self) -> (&str, &str) {
        let at = text_at(&self.value, "/metadata/creationTimestamp");
        (at, &self.key.name)
    }
}

/// Those of an owner, oldest first.
pub fn owned(context: &Context, uid: &str) -> Vec<Set> {
    let owned = context.cluster.store.owned_by(uid, &REPLICA_SETS);
    let mut sets: Vec<_> = owned.iter().map(Set::of).collect();
    sets.sort_by(|a, b| a.born().cmp(&b.born()));
    sets
}

/// `None` when it is gone.
pub fn change(
    context: &Context,
    manager: &str,
    of: &Set,
    with: impl FnOnce(&mut Value),
) -> Option<Set> {
    let by = Write::by(manager, context.now());
    let kept = context.cluster.store.update(&of.key, &by, |value| {
        with(value);
        Ok(())
    });
    kept.ok().map(|kept| Set::of(&kept))
}

/// A number, or a percentage of the wanted pods.
pub fn share(given: &Value, wanted: i64, up: bool) -> i64 {
    let percent = given.as_str().and_then(|text| text.strip_suffix('%'));
    match percent.and_then(|digits| digits.parse::<i64>().ok()) {
        Some(percent) if up => (wanted * percent + 99) / 100,
        Some(percent) => wanted * percent / 100,
        None => given.as_i64().unwrap_or(0),
    }
}
