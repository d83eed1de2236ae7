//! Nodes: what is wrong with one since when, and who took it out of service.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Error;

use super::{line, writes};
use crate::domain::occurrence::{Difference, Origin, What, Who};
use crate::domain::{ClusterId, Occurrence};
use crate::sources::kube::wire::{Condition, Text, Tracked, or_default};

/// Set by the cluster itself for a node that is cordoned.
const CORDONED: &str = "node.kubernetes.io/unschedulable";
/// The cluster's own taints say what the conditions say.
const OWN: &str = "node.kubernetes.io/";

#[derive(Debug, Default, Deserialize)]
struct Node<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    spec: Spec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    status: Status<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct Spec<'a> {
    #[serde(default, deserialize_with = "or_default")]
    unschedulable: bool,
    #[serde(borrow, default, deserialize_with = "or_default")]
    taints: Vec<Taint<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taint<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    key: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    effect: Text<'a>,
    time_added: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
struct Status<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    conditions: Vec<Condition<'a>>,
}

pub fn node(cluster: &ClusterId, raw: &str, into: &mut Vec<Occurrence>) -> Result<(), Error> {
    let (tracked, object): (Tracked<'_>, Node<'_>) =
        (serde_json::from_str(raw)?, serde_json::from_str(raw)?);
    let meta = &tracked.metadata;
    let base = |at: Timestamp, words: String, message: &str| Occurrence {
        at,
        what: What::Node,
        difference: Difference::Words(vec![
            format!("node/{} {words}, since {at}.", &*meta.name),
            message.to_owned(),
        ]),
        words,
        ..line(cluster, ("", &meta.name), "node", Origin::Nodes)
    };
    if let Some(created) = meta.creation_timestamp {
        into.push(Occurrence {
            known_from: "creationTimestamp",
            ..base(created, "joined the cluster".into(), "")
        });
    }
    for condition in &object.status.conditions {
        let Some(at) = condition.last_transition_time else {
            continue;
        };
        let (kind, holds) = (&*condition.kind, &*condition.status == "True");
        let words = match (kind, holds) {
            ("Ready", true) => "ready again".into(),
            ("Ready", false) => "not ready".into(),
            (_, true) => kind.to_owned(),
            (_, false) => continue,
        };
        let first = meta
            .creation_timestamp
            .is_some_and(|created| near(at, created));
        if kind == "Ready" && holds && first {
            continue;
        }
        into.push(Occurrence {
            known_from: "node condition",
            ..base(at, words, &condition.message)
        });
    }
    into.extend(out_of_service(&tracked, &object, base));
    Ok(())
}

/// Cordoned, or tainted by somebody.
fn out_of_service(
    tracked: &Tracked<'_>,
    object: &Node<'_>,
    base: impl Fn(Timestamp, String, &str) -> Occurrence,
) -> Vec<Occurrence> {
    let writes = writes(&tracked.metadata);
    let owner = writes.iter().find(|write| write.has("spec.unschedulable"));
    let taints = &object.spec.taints;
    let mut found = Vec::new();
    if object.spec.unschedulable {
        let tainted = taints.iter().find(|taint| &*taint.key == CORDONED);
        let tainted = tainted.and_then(|taint| taint.time_added);
        let at = owner.map(|write| write.at).or(tainted);
        found.extend(at.map(|at| Occurrence {
            who: owner.map_or(Who::Unknown, |w| Who::Manager(w.manager.clone())),
            ..base(at, "cordoned".into(), "No new pod is put on it.")
        }));
    }
    let foreign = taints.iter().filter(|taint| !taint.key.starts_with(OWN));
    found.extend(foreign.filter_map(|taint| {
        let words = format!("tainted {} {}", &*taint.key, &*taint.effect);
        Some(Occurrence {
            known_from: "taint",
            ..base(taint.time_added?, words, "")
        })
    }));
    found
}

/// A node is ready within minutes of joining.
fn near(ready: Timestamp, created: Timestamp) -> bool {
    ready.duration_since(created).as_mins() < 10
}
