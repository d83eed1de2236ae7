//! `HorizontalPodAutoscaler`s of `autoscaling/v2`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Error, Value};

use super::{REASON, capped, count, required};
use crate::domain::action_note::TURN;
use crate::domain::{ActionNote, Autoscaler};
use crate::sources::kube::wire;

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    metadata: wire::Meta<'a>,
    #[serde(borrow)]
    spec: Spec<'a>,
    #[serde(borrow, default)]
    status: Option<Status<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    scale_target_ref: Target<'a>,
    min_replicas: Option<i64>,
    max_replicas: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    #[serde(borrow, default)]
    api_version: wire::Text<'a>,
    #[serde(borrow)]
    kind: wire::Text<'a>,
    #[serde(borrow)]
    name: wire::Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    desired_replicas: Option<i64>,
    #[serde(borrow, default)]
    conditions: Vec<wire::Condition<'a>>,
}

#[derive(Deserialize)]
struct Annotated {
    metadata: Annotations,
}

#[derive(Deserialize)]
struct Annotations {
    annotations: Option<HashMap<String, Value>>,
}

impl Annotations {
    /// One that cannot be read is somebody else's.
    fn turn(&self) -> Option<Box<ActionNote>> {
        let text = self.annotations.as_ref()?.get(TURN)?.as_str()?;
        serde_json::from_str(text).ok()
    }
}

/// # Errors
/// When the object has no name, uid, target or greatest number.
pub fn autoscaler(raw: &str) -> Result<Autoscaler, Error> {
    let object: Object<'_> = serde_json::from_str(raw)?;
    let annotated: Annotated = serde_json::from_str(raw)?;
    let (meta, spec) = (&object.metadata, &object.spec);
    let target = &spec.scale_target_ref;
    let groups = ["apps/", "argoproj.io/"];
    let ours = groups
        .iter()
        .any(|group| target.api_version.starts_with(group));
    let status = object.status.as_ref();
    let wants = status.and_then(|status| status.desired_replicas);
    let mut conditions = status.into_iter().flat_map(|status| &status.conditions);
    let blind = conditions.find(|c| &*c.kind == "ScalingActive" && &*c.status == "False");
    Ok(Autoscaler {
        name: required(&meta.name, "name")?.into(),
        uid: required(&meta.uid, "uid")?.into(),
        target: ours.then(|| (target.kind[..].into(), target.name[..].into())),
        min: spec.min_replicas.map(|n| count(Some(n))),
        max: count(Some(spec.max_replicas)),
        wants: wants.map(|n| count(Some(n))),
        blind: blind.map(|condition| capped(&condition.message, REASON)),
        has_annotations: annotated.metadata.annotations.is_some(),
        turn: annotated.metadata.turn(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, WorkloadId};

    #[test]
    fn what_is_scaled_between_which_bounds() {
        let raw = |api: &str, annotations: &str| {
            format!(
                r#"{{"metadata":{{"name":"web","uid":"u1"{annotations}}},"spec":{{"scaleTargetRef":{{"apiVersion":"{api}","kind":"Deployment","name":"web"}},"minReplicas":2,"maxReplicas":10}},"status":{{"currentReplicas":3,"desiredReplicas":4}}}}"#
            )
        };
        let web = autoscaler(&raw("apps/v1", r#","annotations":{"a":"b"}"#)).unwrap();
        assert_eq!((web.least(), web.max, web.wants), (2, 10, Some(4)));
        assert!(web.has_annotations);
        let id = |kind| WorkloadId {
            cluster: "c".into(),
            namespace: "shop".into(),
            kind,
            name: "web".into(),
        };
        assert!(web.scales(&id(Kind::Deployment)) && !web.scales(&id(Kind::StatefulSet)));
        let other = autoscaler(&raw("example.dev/v1", "")).unwrap();
        assert!(!other.scales(&id(Kind::Deployment)) && !other.has_annotations);
        let bare = r#"{"metadata":{"name":"web","uid":"u1"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"},"maxReplicas":3}}"#;
        assert_eq!(autoscaler(bare).unwrap().least(), 1);
        assert!(autoscaler("{}").is_err());
        let blind = |status: &str| {
            let condition = format!(
                r#"{{"type":"ScalingActive","status":"{status}","reason":"FailedGetResourceMetric","message":"no metrics"}}"#
            );
            let with = format!(r#""maxReplicas":3}},"status":{{"conditions":[{condition}]}}}}"#);
            let raw = bare.replace(r#""maxReplicas":3}}"#, &with);
            autoscaler(&raw).unwrap().blind
        };
        assert_eq!(blind("False").as_deref(), Some("no metrics"));
        assert_eq!(blind("True"), None);
    }
}
