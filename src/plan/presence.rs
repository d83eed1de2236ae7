//! Who carries out a plan on a workload now, as a Lease beside it says: the words of it, and the steps that keep it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{CheckId, Finding, ObjectRef, Plan, Step, Verb, Verdict};
use crate::domain::{Uid, Verbatim, WorkloadId};
use crate::text;

/// The key of the annotation that says which action it is for.
pub const ANNOTATION: &str = "rolldeck.dev/presence";
/// Renewed a few times within it; one that is not is over.
pub const SECONDS: u32 = 30;

/// Somebody is at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// `oncall@bastion`.
    pub by: Box<str>,
    /// The id of the action, of which a lease of somebody else has none.
    pub action: String,
    pub verb: String,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// What stands in the annotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub id: String,
    pub verb: String,
}

/// A Lease as it was read or written last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub uid: Uid,
    pub version: Box<str>,
}

impl Presence {
    pub fn counts(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// `oncall@bastion is rolling back deploy/checkout (since 12s)`.
    pub fn verdict(&self, workload: &WorkloadId, now: Timestamp) -> Verdict {
        let doing = match Verb::named(&self.verb) {
            Some(verb) => format!("{} {workload}", verb.words().doing),
            None => format!("at {workload}"),
        };
        let since = text::age(self.since, now);
        Verdict {
            check: CheckId::Presence,
            finding: Finding::Warn,
            sentence: format!("{} is {doing} (since {since})", self.by),
        }
    }
}

/// The Lease of a workload; `None` when its name would be too long for one.
pub fn lease(id: &WorkloadId) -> Option<ObjectRef> {
    let name = format!("rolldeck-{}-{}", id.kind.name().to_lowercase(), id.name);
    (name.len() <= 253).then(|| ObjectRef {
        cluster: id.cluster.clone(),
        namespace: id.namespace.clone(),
        api: "coordination.k8s.io/v1",
        resource: "leases",
        name: name.into(),
    })
}

/// The first of it: a new Lease, or one that is over taken from whoever left it.
pub fn begin(plan: &Plan, object: &ObjectRef, over: Option<&Held>, now: Timestamp) -> Step {
    let mark = Mark {
        id: plan.stamp.id.clone(),
        verb: plan.request.verb.name().into(),
    };
    let mark = json!({ANNOTATION: json!(mark).to_string()});
    let spec = json!({
        "holderIdentity": plan.stamp.by,
        "leaseDurationSeconds": SECONDS,
        "acquireTime": micro(now),
        "renewTime": micro(now),
    });
    let object = object.clone();
    let what = format!("say who is at {}", plan.workload);
    match over {
        None => Step::Create {
            body: verbatim(&json!({
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": object.name, "namespace": object.namespace, "annotations": mark},
                "spec": spec,
            })),
            object,
            what,
        },
        Some(held) => Step::JsonPatch {
            object,
            body: verbatim(&json!([
                {"op": "test", "path": "/metadata/uid", "value": *held.uid.0},
                {"op": "test", "path": "/metadata/resourceVersion", "value": held.version},
                {"op": "add", "path": "/metadata/annotations", "value": mark},
                {"op": "add", "path": "/spec", "value": spec},
            ])),
            what,
        },
    }
}

pub fn renew(object: &ObjectRef, held: &Held, now: Timestamp) -> Step {
    Step::JsonPatch {
        object: object.clone(),
        body: verbatim(&json!([
            {"op": "test", "path": "/metadata/uid", "value": *held.uid.0},
            {"op": "test", "path": "/metadata/resourceVersion", "value": held.version},
            {"op": "add", "path": "/spec/renewTime", "value": micro(now)},
        ])),
        what: "still at it".into(),
    }
}

pub fn end(object: &ObjectRef, held: Held) -> Step {
    Step::Remove {
        object: object.clone(),
        uid: held.uid,
        version: held.version,
        what: "no longer at it".into(),
    }
}

fn verbatim(value: &serde_json::Value) -> Verbatim {
    Verbatim(value.to_string().into())
}

/// Kubernetes takes these times with six digits.
fn micro(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// When a lease that was renewed then is over.
pub fn over(renewed: Timestamp, seconds: u32) -> Timestamp {
    let lasts = SignedDuration::from_secs(i64::from(seconds));
    renewed.saturating_add(lasts).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fleet;
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckState, plan as make};

    #[test]
    fn another_one_at_it_is_a_warning_and_ones_own_is_none() {
        let mut evidence = sample::evidence();
        let now: Timestamp = sample::AT.parse().unwrap();
        evidence.presence = Some(Presence {
            by: "me@here".into(),
            action: "i9".into(),
            verb: "rollback".into(),
            since: now - SignedDuration::from_secs(12),
            until: over(now, SECONDS),
        });
        let said = |evidence: &crate::plan::Evidence| {
            let plan = make(&Fleet::default(), evidence, now).unwrap();
            let check = plan.checks.iter().find(|c| c.id == CheckId::Presence)?;
            match &check.state {
                CheckState::Answered(verdict) => Some(verdict.sentence.clone()),
                CheckState::Asking(_) => None,
            }
        };
        assert_eq!(
            said(&evidence).as_deref(),
            Some("me@here is rolling back deploy/checkout (since 12s)")
        );
        evidence.presence.as_mut().unwrap().action = evidence.stamp.id.clone();
        assert_eq!(said(&evidence), None);
    }

    #[test]
    fn a_lease_is_made_renewed_and_taken_away_as_it_is_known() {
        let plan = sample::plan();
        let object = lease(&plan.workload).unwrap();
        assert_eq!(&*object.name, "rolldeck-deployment-checkout");
        let now: Timestamp = sample::AT.parse().unwrap();
        let Step::Create { body, .. } = begin(&plan, &object, None, now) else {
            panic!();
        };
        let made: serde_json::Value = serde_json::from_str(&body.0).unwrap();
        assert_eq!(made["spec"]["holderIdentity"], "oncall@bastion");
        assert_eq!(made["spec"]["renewTime"], "2026-01-01T12:00:00.000000Z");
        let held = Held {
            uid: "l1".into(),
            version: "7".into(),
        };
        let Step::JsonPatch { body, .. } = begin(&plan, &object, Some(&held), now) else {
            panic!();
        };
        assert!(
            body.0
                .contains(r#""path":"/metadata/resourceVersion","value":"7""#)
        );
        let mut long = plan.workload.clone();
        long.name = "x".repeat(253).into();
        assert_eq!(lease(&long), None);
    }
}
