//! Autoscalers: their last move, their bounds, and the limit that they stand at.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Error;

use super::{TOGETHER, line, workload, writes};
use crate::domain::occurrence::{Difference, Origin, What, Who};
use crate::domain::{ClusterId, Occurrence};
use crate::sources::kube::wire::{Condition, Text, Tracked, or_default};

#[derive(Debug, Default, Deserialize)]
struct Autoscaler<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    spec: Spec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    status: Status<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    scale_target_ref: Target<'a>,
    min_replicas: Option<u32>,
    #[serde(default)]
    max_replicas: u32,
}

#[derive(Debug, Default, Deserialize)]
struct Target<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    last_scale_time: Option<Timestamp>,
    desired_replicas: Option<u32>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    conditions: Vec<Condition<'a>>,
}

pub fn autoscaler(cluster: &ClusterId, raw: &str, into: &mut Vec<Occurrence>) -> Result<(), Error> {
    let (tracked, object): (Tracked<'_>, Autoscaler<'_>) =
        (serde_json::from_str(raw)?, serde_json::from_str(raw)?);
    let (meta, spec, status) = (&tracked.metadata, &object.spec, &object.status);
    let target = &spec.scale_target_ref;
    let (kind, name) = (&*target.kind, &*target.name);
    let bounds = format!(
        "{} to {}",
        spec.min_replicas.unwrap_or(1),
        spec.max_replicas
    );
    let told = format!("It scales {kind} {name} between {bounds}.");
    let base = |at: Timestamp, words: String| Occurrence {
        at,
        what: What::Autoscaler,
        services: workload(cluster, &meta.namespace, (kind, name))
            .into_iter()
            .collect(),
        difference: Difference::Words(vec![format!("{words}, at {at}."), told.clone()]),
        words,
        ..line(
            cluster,
            (&meta.namespace, &meta.name),
            "hpa",
            Origin::Autoscalers,
        )
    };
    if let Some(at) = status.last_scale_time {
        let replicas = status.desired_replicas.unwrap_or(0);
        into.push(Occurrence {
            who: Who::Manager("autoscaler".into()),
            known_from: "lastScaleTime",
            ..base(at, format!("→ {replicas} replicas ({bounds})"))
        });
    }
    let limited = |c: &&Condition<'_>| &*c.kind == "ScalingLimited" && &*c.status == "True";
    let limited = status.conditions.iter().find(limited);
    if let Some((at, condition)) = limited.and_then(|c| Some((c.last_transition_time?, c))) {
        into.push(Occurrence {
            known_from: "ScalingLimited condition",
            ..base(at, format!("at its limit: {}", &*condition.reason))
        });
    }
    let Some(created) = meta.creation_timestamp else {
        return Ok(());
    };
    let writes = writes(meta);
    let maker = writes.iter().find(|write| write.at <= created + TOGETHER);
    into.push(Occurrence {
        who: maker.map_or(Who::Unknown, |write| Who::Manager(write.manager.clone())),
        known_from: "creationTimestamp",
        ..base(created, format!("created, {bounds}"))
    });
    let later = writes.iter().filter(|write| write.at > created + TOGETHER);
    let bounding = later.filter(|write| write.below("spec").next().is_some());
    into.extend(bounding.map(|write| Occurrence {
        who: Who::Manager(write.manager.clone()),
        ..base(write.at, format!("bounds {bounds}"))
    }));
    Ok(())
}
