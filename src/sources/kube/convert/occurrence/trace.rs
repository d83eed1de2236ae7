//! A workload with its bookkeeping, and the ConfigMaps and Secrets that its pods take their settings from.

use std::collections::BTreeSet;

use serde_json::{Error, Value};

use super::writes;
use crate::domain::occurrence::{Trace, Use, UseKind};
use crate::domain::{ClusterId, Kind};
use crate::sources::kube::convert::{REASON, capped, raw_template, workload};
use crate::sources::kube::wire::{Tracked, TrackedMeta};

pub fn trace(cluster: &ClusterId, kind: Kind, raw: &str) -> Result<Trace, Error> {
    let tracked: Tracked<'_> = serde_json::from_str(raw)?;
    let template: Value = serde_json::from_str(raw_template(raw)?)?;
    let mut uses = BTreeSet::new();
    find(&template["spec"], &mut uses);
    Ok(Trace {
        workload: workload(cluster, kind, raw)?,
        writes: writes(&tracked.metadata),
        scaled_by: scaled_by(&tracked.metadata),
        uses: uses.into_iter().collect(),
    })
}

fn scaled_by(meta: &TrackedMeta<'_>) -> Option<Box<str>> {
    let mut writes = meta.managed_fields.iter();
    let untimed = writes.find(|write| &*write.subresource == "scale" && write.time.is_none())?;
    Some(capped(&untimed.manager, REASON))
}

/// The fields of a pod spec that name one, wherever they stand. Optional ones count: they may have changed as well.
fn find(value: &Value, uses: &mut BTreeSet<Use>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| find(item, uses)),
        Value::Object(fields) => {
            for (field, inner) in fields {
                let (kind, name) = match field.as_str() {
                    "configMap" | "configMapRef" | "configMapKeyRef" => {
                        (UseKind::ConfigMap, &inner["name"])
                    }
                    "secret" if inner["secretName"].is_string() => {
                        (UseKind::Secret, &inner["secretName"])
                    }
                    "secret" | "secretRef" | "secretKeyRef" => (UseKind::Secret, &inner["name"]),
                    _ => {
                        find(inner, uses);
                        continue;
                    }
                };
                uses.extend(name.as_str().map(|name| Use {
                    kind,
                    name: name.into(),
                }));
            }
        }
        _ => {}
    }
}
