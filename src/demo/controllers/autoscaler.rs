//! Autoscalers, as far as their bounds: nothing is measured here, so that within them the number stays as it is.

use std::time::Duration;

use serde_json::{Value, json};

use super::event::Told;
use super::pods::write_status;
use super::{Context, MANAGER};
use crate::demo::kube::kind::{AUTOSCALERS, Kind};
use crate::demo::kube::object::{Key, int_at, set, text_at};
use crate::demo::kube::write::{Part, Write, stamp};

pub fn reconcile(context: &mut Context, key: &Key, autoscaler: &Value) -> Option<Duration> {
    let target = target(key, autoscaler)?;
    let now = context.cluster.store.get(&target)?.value();
    let now = int_at(&now, "/spec/replicas").unwrap_or(1);
    let min = int_at(autoscaler, "/spec/minReplicas").unwrap_or(1);
    let max = int_at(autoscaler, "/spec/maxReplicas").unwrap_or(now);
    // At zero it stands still.
    let wanted = if now == 0 {
        0
    } else {
        now.clamp(min, max.max(min))
    };
    if wanted != now {
        let side = if wanted > now {
            "below Spec.MinReplicas"
        } else {
            "above Spec.MaxReplicas"
        };
        let message = format!("New size: {wanted}; reason: Current number of replicas {side}");
        let told = Told::normal("horizontal-pod-autoscaler", "SuccessfulRescale", message);
        let Context {
            cluster, events, ..
        } = context;
        let mut about = autoscaler.clone();
        about["apiVersion"] = key.kind.api_version().into();
        about["kind"] = key.kind.name.into();
        events.tell(cluster, &about, &told);
        let by = Write {
            part: Part::Scale,
            ..Write::by(MANAGER, context.now())
        };
        // One that is gone in the meantime needs no number.
        let _ = context.cluster.store.update(&target, &by, |value| {
            set(value, &["spec", "replicas"], wanted.into());
            Ok(())
        });
    }
    let moved = stamp(context.now());
    write_status(context, key, autoscaler, |status| {
        if !status.is_object() {
            *status = json!({});
        }
        set(status, &["currentReplicas"], now.into());
        set(status, &["desiredReplicas"], wanted.into());
        if wanted != now {
            set(status, &["lastScaleTime"], moved.clone().into());
        }
    });
    None
}

fn target(key: &Key, autoscaler: &Value) -> Option<Key> {
    let of = |field: &str| text_at(autoscaler, &format!("/spec/scaleTargetRef/{field}")).to_owned();
    let kind = Kind::of(&of("apiVersion"), &of("kind"))?;
    Some(Key::new(kind, &key.namespace, &of("name")))
}

/// The autoscalers of a namespace.
pub fn keys(context: &Context, namespace: &str) -> Vec<Key> {
    let all = context.cluster.store.list(&AUTOSCALERS, Some(namespace));
    all.iter().map(|kept| kept.key.clone()).collect()
}
