//! What a Deployment's controller writes beside the spec of a ReplicaSet: its number, the numbers it had, the sizes.

use serde_json::Value;

use super::Rollout;
use crate::demo::controllers::sets::Set;
use crate::demo::kube::object::set;

pub const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MOST: &str = "deployment.kubernetes.io/max-replicas";
/// Those that are the Deployment's or the ReplicaSet's own.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
];

fn annotation<'a>(value: &'a Value, name: &str) -> &'a str {
    value["metadata"]["annotations"][name]
        .as_str()
        .unwrap_or_default()
}

pub fn number_of(value: &Value) -> i64 {
    annotation(value, REVISION).parse().unwrap_or(0)
}

/// The sizes that a ReplicaSet was given last: how many were wanted, how many there might be.
pub fn sizes(set: &Set) -> (Option<i64>, Option<i64>) {
    let read = |name| annotation(&set.value, name).parse().ok();
    (read(DESIRED), read(MOST))
}

/// One more than any other.
pub fn next_number(old: &[Set]) -> i64 {
    old.iter()
        .map(|set| number_of(&set.value))
        .max()
        .unwrap_or(0)
        + 1
}

/// The Deployment's annotations, those it does not share left out.
pub fn copy(deployment: &Value, to: &mut Value) {
    let own = deployment["metadata"]["annotations"].as_object();
    for (name, text) in own.into_iter().flatten() {
        if !NOT_COPIED.contains(&name.as_str()) {
            set(to, &["metadata", "annotations", name], text.clone());
        }
    }
}

/// Numbers a ReplicaSet; a lower number that it had is kept in its history.
pub fn number(value: &mut Value, number: i64) {
    let before = annotation(value, REVISION).to_owned();
    if before.parse::<i64>().is_ok_and(|before| before >= number) {
        return;
    }
    set(
        value,
        &["metadata", "annotations", REVISION],
        number.to_string().into(),
    );
    if !before.is_empty() {
        let history = match annotation(value, HISTORY) {
            "" => before,
            history => format!("{history},{before}"),
        };
        set(value, &["metadata", "annotations", HISTORY], history.into());
    }
}

pub fn size(value: &mut Value, rollout: &Rollout<'_>) {
    let (surge, _) = rollout.fences();
    let wanted = rollout.wanted();
    for (name, size) in [(DESIRED, wanted), (MOST, wanted + surge)] {
        set(
            value,
            &["metadata", "annotations", name],
            size.to_string().into(),
        );
    }
}
