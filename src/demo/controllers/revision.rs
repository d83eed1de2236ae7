//! ControllerRevisions: the templates that a StatefulSet or a DaemonSet had, by number.

use serde_json::{Value, json};

use super::{Context, MANAGER, hash, pods};
use crate::demo::kube::kind::CONTROLLER_REVISIONS;
use crate::demo::kube::object::{Key, int_at, set, text_at, unset};
use crate::demo::kube::refusal::Refusal;
use crate::demo::kube::write::Write;

/// The label of what was made of a revision.
pub const HASH: &str = "controller-revision-hash";
/// Names that are tried for a new one.
const TRIES: u32 = 10;

#[derive(Clone)]
pub struct Revision {
    pub key: Key,
    number: i64,
    value: Value,
}

impl Revision {
    fn of(value: Value) -> Self {
        Self {
            key: Key::of(&CONTROLLER_REVISIONS, &value),
            number: int_at(&value, "/revision").unwrap_or(0),
            value,
        }
    }

    /// The pod template that it keeps.
    pub fn template(&self) -> Value {
        let mut template = self.value["data"]["spec"]["template"].clone();
        unset(&mut template, &["$patch"]);
        template
    }

    pub fn label(&self) -> &str {
        let label = &self.value["metadata"]["labels"][HASH];
        label.as_str().unwrap_or_default()
    }
}

/// Those of a workload by ascending number. The last one is that of its template: it is made when there is none, and
/// one that comes back gets the highest number. The hash is put under `label`.
pub fn sync(context: &Context, owner: &Value, label: &str) -> Vec<Revision> {
    let mut all = read(context, owner);
    let mut template = owner["spec"]["template"].clone();
    set(&mut template, &["$patch"], "replace".into());
    let data = json!({"spec": {"template": template}});
    let number = all.last().map_or(0, |last| last.number) + 1;
    let newest = match all.iter().rposition(|known| known.value["data"] == data) {
        Some(at) if at + 1 == all.len() => return all,
        Some(at) => renumber(context, &all.remove(at), number),
        None => make(context, owner, label, &data, number),
    };
    all.extend(newest);
    all
}

/// Deletes the oldest beyond the limit; those that are in use do not count.
pub fn forget(
    context: &Context,
    owner: &Value,
    all: &[Revision],
    used: impl Fn(&Revision) -> bool,
) {
    let limit = int_at(owner, "/spec/revisionHistoryLimit").unwrap_or(10);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let idle: Vec<_> = all.iter().filter(|known| !used(known)).collect();
    for known in &idle[..idle.len().saturating_sub(limit)] {
        context.cluster.store.remove(&known.key);
    }
}

fn read(context: &Context, owner: &Value) -> Vec<Revision> {
    let uid = text_at(owner, "/metadata/uid");
    let kept = context.cluster.store.owned_by(uid, &CONTROLLER_REVISIONS);
    let mut all: Vec<_> = kept.iter().map(|kept| Revision::of(kept.value())).collect();
    all.sort_by(|a, b| (a.number, &a.key).cmp(&(b.number, &b.key)));
    all
}

fn renumber(context: &Context, known: &Revision, number: i64) -> Option<Revision> {
    let by = Write::by(MANAGER, context.now());
    let written = context.cluster.store.update(&known.key, &by, |value| {
        value["revision"] = number.into();
        Ok(())
    });
    written.ok().map(|kept| Revision::of(kept.value()))
}

/// Under a name that nothing else has.
fn make(
    context: &Context,
    owner: &Value,
    label: &str,
    data: &Value,
    number: i64,
) -> Option<Revision> {
    let by = Write::by(MANAGER, context.now());
    for salt in 0..TRIES {
        let hash = hash::of(&json!([data, salt]));
        let mut labels = owner["spec"]["template"]["metadata"]["labels"].clone();
        labels[label] = hash.as_str().into();
        let mut revision = json!({
            "metadata": {
                "name": format!("{}-{hash}", text_at(owner, "/metadata/name")),
                "namespace": owner["metadata"]["namespace"], "labels": labels,
                "ownerReferences": [pods::reference(owner)],
            },
            "data": data, "revision": number,
        });
        if let Some(annotations) = owner["metadata"].get("annotations") {
            revision["metadata"]["annotations"] = annotations.clone();
        }
        let store = &context.cluster.store;
        match store.create(&CONTROLLER_REVISIONS, revision, &by) {
            Ok(kept) => return Some(Revision::of(kept.value())),
            Err(Refusal::AlreadyExists(_)) => {}
            Err(_) => break,
        }
    }
    None
}
