//! What the workload controllers share: their pods, made from a template, counted and deleted.

use std::time::Duration;

use serde_json::{Value, json};

use super::event::Told;
use super::{Context, MANAGER};
use crate::demo::kube::delete::{self, Options};
use crate::demo::kube::kind::PODS;
use crate::demo::kube::object::{Kept, Key, int_at, items_at, set, text_at};
use crate::demo::kube::quota;
use crate::demo::kube::refusal::Refusal;
use crate::demo::kube::write::Write;

/// Until what could not be made is tried again.
pub const AGAIN: Duration = Duration::from_secs(5);

/// A pod of a workload.
pub struct Pod {
    pub key: Key,
    pub uid: Box<str>,
    pub value: Value,
}

impl Pod {
    pub fn of(kept: &Kept) -> Self {
        Self {
            key: kept.key.clone(),
            uid: kept.uid.clone(),
            value: kept.value(),
        }
    }

    pub fn deleting(&self) -> bool {
        !text_at(&self.value, "/metadata/deletionTimestamp").is_empty()
    }

    pub fn ready(&self) -> bool {
        self.ready_since().is_some()
    }

    /// The stamp of its Ready condition.
    fn ready_since(&self) -> Option<&str> {
        let conditions = items_at(&self.value, "/status/conditions");
        let ready = conditions.iter().find(|c| c["type"] == "Ready")?;
        (ready["status"] == "True").then(|| text_at(ready, "/lastTransitionTime"))
    }

    /// The scripted time until it counts as available; none when it is not ready.
    pub fn available_in(&self, context: &Context, min_ready: Duration) -> Option<Duration> {
        let since = self.ready_since()?;
        Some(min_ready.saturating_sub(context.since(&self.uid, since)))
    }

    pub fn is_available(&self, context: &Context, min_ready: Duration) -> bool {
        self.available_in(context, min_ready) == Some(Duration::ZERO)
    }

    /// It ended for good.
    pub fn is_over(&self) -> bool {
        let phase = text_at(&self.value, "/status/phase");
        matches!(phase, "Failed" | "Succeeded")
    }

    pub fn label(&self, name: &str) -> &str {
        let label = &self.value["metadata"]["labels"][name];
        label.as_str().unwrap_or_default()
    }
}

/// The pods that a controller owns.
pub fn owned(context: &Context, uid: &str) -> Vec<Pod> {
    let kept = context.cluster.store.owned_by(uid, &PODS);
    kept.iter().map(Pod::of).collect()
}

/// `minReadySeconds`.
pub fn min_ready(workload: &Value) -> Duration {
    let seconds = int_at(workload, "/spec/minReadySeconds").unwrap_or(0);
    Duration::from_secs(seconds.unsigned_abs())
}

/// A number, or a percentage of the wanted pods.
pub fn share(given: &Value, wanted: usize, up: bool) -> usize {
    let percent = given.as_str().and_then(|text| text.strip_suffix('%'));
    match percent.and_then(|digits| digits.parse::<usize>().ok()) {
        Some(percent) if up => (wanted * percent).div_ceil(100),
        Some(percent) => wanted * percent / 100,
        None => usize::try_from(given.as_u64().unwrap_or(0)).unwrap_or(usize::MAX),
    }
}

/// Counts of zero are left out of a status, as Go does, but for a few.
pub fn counted(mut status: Value, always: &[&str]) -> Value {
    if let Some(fields) = status.as_object_mut() {
        fields.retain(|field, count| *count != 0 || always.contains(&field.as_str()));
    }
    status
}

/// How many of the pods are available, and after which scripted time there may be more.
pub fn available<'a>(
    context: &Context,
    pods: impl IntoIterator<Item = &'a Pod>,
    min_ready: Duration,
) -> (i64, Option<Duration>) {
    let mut count = 0;
    let mut next: Option<Duration> = None;
    for pod in pods {
        match pod.available_in(context, min_ready) {
            Some(Duration::ZERO) => count += 1,
            Some(wait) => next = Some(next.map_or(wait, |next| next.min(wait))),
            None => {}
        }
    }
    (count, next)
}

/// Makes a pod from a template; `metadata` has its name or `generateName` and what else the controller adds.
///
/// # Errors
/// The server does not take it, or a quota is full; an event about the owner says so too.
pub fn create(
    context: &mut Context,
    owner: &Value,
    template: &Value,
    change: impl FnOnce(&mut Value),
) -> Result<Kept, Refusal> {
    let mut pod = json!({"metadata": template["metadata"], "spec": template["spec"]});
    let namespace = owner["metadata"]["namespace"].clone();
    set(&mut pod, &["metadata", "namespace"], namespace);
    set(
        &mut pod,
        &["metadata", "ownerReferences"],
        json!([reference(owner)]),
    );
    set(&mut pod, &["status"], json!({"phase": "Pending"}));
    change(&mut pod);
    let by = Write::by(MANAGER, context.now());
    let cluster = &context.cluster;
    let made = quota::create(&cluster.store, pod, &by);
    let controller = controller(owner);
    let told = match &made {
        Ok(kept) => {
            let message = match text_at(owner, "/kind") {
                "StatefulSet" => format!(
                    "create Pod {} in StatefulSet {} successful",
                    kept.key.name,
                    text_at(owner, "/metadata/name")
                ),
                _ => format!("Created pod: {}", kept.key.name),
            };
            Told::normal(controller, "SuccessfulCreate", message)
        }
        Err(refusal) => {
            let message = format!("Error creating: {}", refusal.message());
            Told::warning(controller, "FailedCreate", message)
        }
    };
    context.events.tell(cluster, owner, &told);
    made
}

/// Deletes with the pod's own grace period.
pub fn delete(context: &mut Context, owner: &Value, pod: &Pod) {
    let cluster = &context.cluster;
    let at = cluster.clock.now();
    if delete::delete(&cluster.store, &pod.key, &Options::default(), at).is_err() {
        return; // gone already
    }
    let name = &pod.key.name;
    let message = match text_at(owner, "/kind") {
        "StatefulSet" => format!(
            "delete Pod {name} in StatefulSet {} successful",
            text_at(owner, "/metadata/name")
        ),
        _ => format!("Deleted pod: {name}"),
    };
    let told = Told::normal(controller(owner), "SuccessfulDelete", message);
    context.events.tell(cluster, owner, &told);
}

/// The owner reference to a controller.
pub fn reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

/// Writes the status of an object that was read; the same one again is no write.
pub fn write_status(context: &Context, key: &Key, read: &Value, change: impl FnOnce(&mut Value)) {
    write_status_by(MANAGER, context, (key, read), change);
}

/// The same by another controller.
pub fn write_status_by(
    manager: &str,
    context: &Context,
    (key, read): (&Key, &Value),
    change: impl FnOnce(&mut Value),
) {
    let by = Write::by(manager, context.now()).status();
    // One that is gone needs no status, and another of its name is not the one that was counted.
    let _ = context.cluster.store.update(key, &by, |value| {
        if value["metadata"]["uid"] != read["metadata"]["uid"] {
            return Err(Refusal::NotFound(key.clone()));
        }
        change(&mut value["status"]);
        Ok(())
    });
}

/// Which controller tells about an object.
fn controller(owner: &Value) -> &'static str {
    match text_at(owner, "/kind") {
        "ReplicaSet" => "replicaset-controller",
        "StatefulSet" => "statefulset-controller",
        "DaemonSet" => "daemonset-controller",
        _ => "deployment-controller",
    }
}
