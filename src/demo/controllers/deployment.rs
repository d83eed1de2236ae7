//! Deployments: one ReplicaSet for each template, and the way from the old one to the new.

mod annotations;
mod rolling;
mod status;

use std::time::Duration;

use serde_json::{Value, json};

use super::event::Told;
use super::sets::{self, Set, share};
use super::{Context, MANAGER, hash, owner_key, pods};
use crate::demo::kube::kind::{PODS, REPLICA_SETS};
use crate::demo::kube::object::{Key, int_at, set, text_at, unset};
use crate::demo::kube::write::Write;

const HASH: &str = "pod-template-hash";

/// A Deployment and its ReplicaSets, oldest first.
struct Rollout<'a> {
    key: &'a Key,
    value: &'a Value,
    new: Option<Set>,
    old: Vec<Set>,
}

impl Rollout<'_> {
    fn wanted(&self) -> i64 {
        int_at(self.value, "/spec/replicas").unwrap_or(1)
    }

    fn uid(&self) -> &str {
        text_at(self.value, "/metadata/uid")
    }

    fn all(&self) -> impl Iterator<Item = &Set> {
        self.old.iter().chain(&self.new)
    }

    fn pods(&self) -> i64 {
        self.all().map(Set::replicas).sum()
    }

    fn recreates(&self) -> bool {
        text_at(self.value, "/spec/strategy/type") == "Recreate"
    }

    /// How many more and how many fewer pods than wanted there may be.
    fn fences(&self) -> (i64, i64) {
        if self.recreates() {
            return (0, self.wanted());
        }
        let rolling = &self.value["spec"]["strategy"]["rollingUpdate"];
        let surge = share(&rolling["maxSurge"], self.wanted(), true);
        let unavailable = share(&rolling["maxUnavailable"], self.wanted(), false);
        match (surge, unavailable) {
            (0, 0) => (0, 1),
            both => both,
        }
    }
}

pub fn reconcile(context: &mut Context, key: &Key, value: &Value) -> Option<Duration> {
    let paused = value["spec"]["paused"] == true;
    status::pause(context, key, value, paused);
    // The status that was just written counts for the rest.
    let kept = context.cluster.store.get(key)?;
    let value = kept.value();
    let mut rollout = read(context, key, &value);
    if !paused && (rollout.new.is_some() || may_create(context, &rollout)) {
        renew(context, &mut rollout);
    }
    if paused || rolling::resized(&rollout) {
        rolling::resize(context, &mut rollout);
    } else if rollout.recreates() {
        recreate(context, &mut rollout);
    } else {
        rolling::step(context, &mut rollout);
    }
    if !paused {
        forget_history(context, &rollout);
    }
    status::write(context, &rollout)
}

/// Its own ReplicaSets, and those without an owner that its selector fits.
fn read<'a>(context: &Context, key: &'a Key, value: &'a Value) -> Rollout<'a> {
    if value.pointer("/status/observedGeneration").is_none() {
        adopt(context, key, value);
    }
    let mut sets = sets::owned(context, text_at(value, "/metadata/uid"));
    let wanted = bare(&value["spec"]["template"]);
    let new = sets
        .iter()
        .position(|set| bare(&set.value["spec"]["template"]) == wanted);
    Rollout {
        key,
        value,
        new: new.map(|at| sets.remove(at)),
        old: sets,
    }
}

/// A search of the namespace: only a new Deployment does it.
fn adopt(context: &Context, key: &Key, value: &Value) {
    let wanted = value
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let store = &context.cluster.store;
    for kept in store.list(&REPLICA_SETS, Some(&key.namespace)) {
        let fits = || {
            wanted.is_some_and(|wanted| {
                wanted
                    .iter()
                    .all(|(k, v)| kept.labels.get(k.as_str()).map(|l| &**l) == v.as_str())
            })
        };
        if kept.owners.is_empty() && fits() {
            let by = Write::by(MANAGER, context.now());
            // Somebody else may have been faster.
            let _ = store.update(&kept.key, &by, |set_value| {
                let owner = json!([pods::reference(value)]);
                set(set_value, &["metadata", "ownerReferences"], owner);
                Ok(())
            });
        }
    }
}

/// A template without the hash that the controller adds.
fn bare(template: &Value) -> Value {
    let mut template = template.clone();
    unset(&mut template, &["metadata", "labels", HASH]);
    template
}

/// With `Recreate` no pod of an old template may be left.
fn may_create(context: &Context, rollout: &Rollout<'_>) -> bool {
    let none_left = |set: &Set| {
        let owned = context
            .cluster
            .store
            .owned_by(text_at(&set.value, "/metadata/uid"), &PODS);
        set.replicas() == 0 && owned.is_empty()
    };
    !rollout.recreates() || rollout.old.iter().all(none_left)
}

/// Finds or makes the ReplicaSet of the template, and numbers it.
fn renew(context: &mut Context, rollout: &mut Rollout<'_>) {
    let number = annotations::next_number(&rollout.old);
    match &rollout.new {
        Some(set) => {
            let renumbered = sets::change(context, MANAGER, set, |value| {
                annotations::copy(rollout.value, value);
                annotations::number(value, number);
            });
            if let Some(renumbered) = renumbered {
                rollout.new = Some(renumbered);
            }
        }
        None => rollout.new = make(context, rollout, number),
    }
    let Some(new) = &rollout.new else { return };
    let number = new.value["metadata"]["annotations"][annotations::REVISION].clone();
    let by = Write::by(MANAGER, context.now()).status();
    // Another write in between comes back as news, and this is done again.
    let _ = context.cluster.store.update(rollout.key, &by, |value| {
        let path = ["metadata", "annotations", annotations::REVISION];
        set(value, &path, number);
        Ok(())
    });
}

fn make(context: &mut Context, rollout: &Rollout<'_>, number: i64) -> Option<Set> {
    let mut template = rollout.value["spec"]["template"].clone();
    let hash = hash::of(&template);
    set(
        &mut template,
        &["metadata", "labels", HASH],
        hash.as_str().into(),
    );
    let mut selector = rollout.value["spec"]["selector"].clone();
    set(&mut selector, &["matchLabels", HASH], hash.as_str().into());
    let name = format!("{}-{hash}", rollout.key.name);
    let replicas = rolling::first_replicas(rollout);
    let mut value = json!({
        "metadata": {
            "name": name, "namespace": &*rollout.key.namespace, "labels": template["metadata"]["labels"],
            "ownerReferences": [pods::reference(rollout.value)],
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    });
    if let Some(seconds) = int_at(rollout.value, "/spec/minReadySeconds").filter(|s| *s > 0) {
        set(&mut value, &["spec", "minReadySeconds"], seconds.into());
    }
    annotations::copy(rollout.value, &mut value);
    annotations::number(&mut value, number);
    annotations::size(&mut value, rollout);
    let by = Write::by(MANAGER, context.now());
    let kept = context
        .cluster
        .store
        .create(&REPLICA_SETS, value, &by)
        .ok()?;
    status::created(context, rollout, &kept.key.name);
    if replicas > 0 {
        tell_scaled(context, rollout, &kept.key.name, (0, replicas));
    }
    Some(Set::of(&kept))
}

/// Takes the old pods away, and only then starts the new ones.
fn recreate(context: &mut Context, rollout: &mut Rollout<'_>) {
    let mut old = std::mem::take(&mut rollout.old);
    for set in &mut old {
        scale(context, rollout, set, 0);
    }
    rollout.old = old;
    if let Some(mut new) = rollout.new.take() {
        let wanted = rollout.wanted();
        scale(context, rollout, &mut new, wanted);
        rollout.new = Some(new);
    }
}

/// Gives a ReplicaSet another size, and tells so.
fn scale(context: &mut Context, rollout: &Rollout<'_>, of: &mut Set, replicas: i64) {
    let before = of.replicas();
    let changed = sets::change(context, MANAGER, of, |value| {
        set(value, &["spec", "replicas"], replicas.into());
        annotations::size(value, rollout);
    });
    let Some(changed) = changed else { return };
    *of = changed;
    if before != replicas {
        tell_scaled(context, rollout, &of.key.name.clone(), (before, replicas));
    }
}

fn tell_scaled(context: &mut Context, rollout: &Rollout<'_>, name: &str, (from, to): (i64, i64)) {
    let way = if to > from { "up" } else { "down" };
    let message = format!("Scaled {way} replica set {name} from {from} to {to}");
    let told = Told::normal("deployment-controller", "ScalingReplicaSet", message);
    context.events.tell(&context.cluster, rollout.value, &told);
}

/// Deletes empty ReplicaSets beyond the limit of the history once the rollout is complete.
fn forget_history(context: &Context, rollout: &Rollout<'_>) {
    let Some(limit) = int_at(rollout.value, "/spec/revisionHistoryLimit") else {
        return;
    };
    if !status::complete(rollout) {
        return;
    }
    let empty = |set: &&Set| {
        set.replicas() == 0
            && set.counted("replicas") == 0
            && int_at(&set.value, "/status/observedGeneration")
                >= int_at(&set.value, "/metadata/generation")
            && owner_key(&set.value).is_some()
    };
    let mut old: Vec<_> = rollout.old.iter().filter(empty).collect();
    old.sort_by_key(|set| annotations::number_of(&set.value));
    let beyond = old
        .len()
        .saturating_sub(usize::try_from(limit).unwrap_or(0));
    for set in &old[..beyond] {
        context.cluster.store.remove(&set.key);
    }
}
