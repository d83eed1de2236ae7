//! The ReplicaSet of a template: found or made, numbered, and forgotten when there are too many.

use serde_json::{Value, json};

use super::{DESIRED, HASH, MANAGER, REVISION, Rollout};
use crate::demo::controllers::sets::{self, Set};
use crate::demo::controllers::{Context, condition, hash, pods};
use crate::demo::kube::defaults;
use crate::demo::kube::kind::REPLICA_SETS;
use crate::demo::kube::object::{int_at, set, unset};
use crate::demo::kube::write::Write;

const HISTORY: &str = "rollout.argoproj.io/revision-history";
/// Those that are the Rollout's or the ReplicaSet's own.
const NOT_COPIED: [&str; 4] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
];
/// Kept beside those in use.
const KEPT: i64 = 10;

/// `None` when it cannot be made.
pub fn renew(context: &mut Context, rollout: &mut Rollout) -> Option<()> {
    let wanted = filled(&rollout.spec()["template"]);
    let same = |set: &Set| bare(&set.value["spec"]["template"]) == wanted;
    let found = rollout.sets.iter().find(|set| same(set)).cloned();
    let is_new = found.is_none();
    let number = next_number(rollout, found.as_ref());
    let set = match found {
        Some(found) => sets::change(context, MANAGER, &found, |value| {
            copy_annotations(&rollout.value, value);
            numbered(value, number);
        })?,
        None => make(context, rollout, &wanted, number)?,
    };
    set.label(HASH).clone_into(&mut rollout.current);
    let number = set.annotation(REVISION).to_owned();
    match rollout.sets.iter_mut().find(|known| known.key == set.key) {
        Some(known) => *known = set.clone(),
        None => rollout.sets.push(set.clone()),
    }
    if rollout.revision() != number {
        write_number(context, rollout, &number)?;
    }
    if is_new {
        let message = format!("Created ReplicaSet {} (revision {number})", set.key.name);
        rollout.tell(context, "NewReplicaSetCreated", message);
        context.note(rollout.uid());
        let message = format!("Created new replica set \"{}\"", set.key.name);
        let why = ("True", "NewReplicaSetCreated", message.as_str());
        let now = context.now();
        condition::set(&mut rollout.status, "Progressing", why, now);
    }
    Some(())
}

/// A change of the metadata alone: it is no other generation.
fn write_number(context: &mut Context, rollout: &mut Rollout, number: &str) -> Option<()> {
    let by = Write::by(MANAGER, context.now());
    let written = context.cluster.store.update(&rollout.key, &by, |value| {
        let path = ["metadata", "annotations", REVISION];
        set(value, &path, number.into());
        Ok(())
    });
    // Somebody else wrote meanwhile what this look has not seen, and it is looked at again.
    let written = written.ok()?.value();
    if written["spec"] != rollout.value["spec"] || written["status"] != rollout.value["status"] {
        return None;
    }
    rollout.value["metadata"] = written["metadata"].clone();
    let message = format!("Rollout updated to revision {number}");
    rollout.tell(context, "RolloutUpdated", message);
    Some(())
}

fn make(context: &Context, rollout: &Rollout, template: &Value, number: i64) -> Option<Set> {
    let hash = hash::of(template);
    let mut template = template.clone();
    let mut selector = rollout.spec()["selector"].clone();
    let label = ["metadata", "labels", HASH];
    set(&mut template, &label, hash.as_str().into());
    set(&mut selector, &["matchLabels", HASH], hash.as_str().into());
    let mut value = json!({
        "metadata": {
            "name": format!("{}-{hash}", rollout.key.name), "namespace": &*rollout.key.namespace,
            "labels": template["metadata"]["labels"],
            "ownerReferences": [pods::reference(&rollout.value)],
            "annotations": {DESIRED: rollout.wanted().to_string()},
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    });
    if let Some(seconds) = int_at(&rollout.value, "/spec/minReadySeconds").filter(|s| *s > 0) {
        set(&mut value, &["spec", "minReadySeconds"], seconds.into());
    }
    copy_annotations(&rollout.value, &mut value);
    numbered(&mut value, number);
    let by = Write::by(MANAGER, context.now());
    let made = context.cluster.store.create(&REPLICA_SETS, value, &by);
    made.ok().map(|kept| Set::of(&kept))
}

/// As the server keeps it in a ReplicaSet: a Rollout's is kept as it came.
fn filled(template: &Value) -> Value {
    let mut value = json!({"spec": {"template": template}});
    defaults::fill(&REPLICA_SETS, &mut value);
    bare(&value["spec"]["template"])
}

/// Without the hash that the controller adds.
fn bare(template: &Value) -> Value {
    let mut template = template.clone();
    unset(&mut template, &["metadata", "labels", HASH]);
    template
}

/// One more than any other.
fn next_number(rollout: &Rollout, found: Option<&Set>) -> i64 {
    let others = rollout.sets.iter();
    let others = others.filter(|set| found.is_none_or(|found| found.key != set.key));
    others.map(number_of).max().unwrap_or(0) + 1
}

fn number_of(set: &Set) -> i64 {
    set.annotation(REVISION).parse().unwrap_or(0)
}

/// A lower number that it had is kept in its history.
fn numbered(value: &mut Value, number: i64) {
    let annotations = &value["metadata"]["annotations"];
    let before = annotations[REVISION]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let history = annotations[HISTORY].as_str().unwrap_or_default().to_owned();
    if before.parse::<i64>().is_ok_and(|before| before >= number) {
        return;
    }
    let path = |name| ["metadata", "annotations", name];
    set(value, &path(REVISION), number.to_string().into());
    if !before.is_empty() {
        let history = match &*history {
            "" => before,
            history => format!("{history},{before}"),
        };
        set(value, &path(HISTORY), history.into());
    }
}

fn copy_annotations(rollout: &Value, to: &mut Value) {
    let own = rollout["metadata"]["annotations"].as_object();
    for (name, text) in own.into_iter().flatten() {
        if !NOT_COPIED.contains(&name.as_str()) {
            set(to, &["metadata", "annotations", name], text.clone());
        }
    }
}

/// Deletes the oldest empty ReplicaSets beyond the limit.
pub fn forget_history(context: &Context, rollout: &Rollout) {
    let limit = int_at(&rollout.value, "/spec/revisionHistoryLimit").unwrap_or(KEPT);
    let others = rollout.others();
    let beyond = others
        .len()
        .saturating_sub(usize::try_from(limit).unwrap_or(0));
    let empty = |set: &&Set| set.replicas() == 0 && set.counted("replicas") == 0;
    for set in others[..beyond].iter().filter(empty) {
        context.cluster.store.remove(&set.key);
    }
}
