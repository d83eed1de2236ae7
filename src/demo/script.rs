//! Runs a scenario's script: what people and tools do to the cluster while one looks at it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::audit::Asked;
use super::cluster::Cluster;
use super::jenkins::Farm;
use super::kube::kind::{
    CONFIG_MAPS, DAEMON_SETS, DEPLOYMENTS, Kind, PODS, ROLLOUTS, STATEFUL_SETS,
};
use super::kube::object::{Key, set, text_at};
use super::kube::refusal::Refusal;
use super::kube::write::Write;
use super::project::Sources;
use super::random::Random;
use super::scenario::{Happening, Scenario};

/// Never ends. What cannot be done any more, because a person took its object away, is left out.
pub async fn run(
    cluster: Arc<Cluster>,
    scenario: Arc<Scenario>,
    (farm, sources): (Arc<Farm>, Arc<Sources>),
    (host, seed): (String, u64),
) {
    let mut actor = Actor {
        farm,
        sources,
        random: Random::new(seed ^ 0x5c12_1977),
        times: vec![0; scenario.script.len()],
        cluster: Arc::clone(&cluster),
        host,
    };
    let start = cluster.clock.now();
    let wait = |until: u32| {
        let gone = cluster.clock.scripted_since(start);
        cluster
            .clock
            .real(Duration::from_secs(until.into()).saturating_sub(gone))
    };
    let timed = scenario.script.iter().enumerate();
    let mut due: BTreeSet<_> = timed.filter_map(|(n, what)| Some((what.at?, n))).collect();
    let mut requests = cluster.audit.news();
    let mut known = 0;
    loop {
        let next = due.first().copied();
        tokio::select! {
            () = sleep(next.map_or(Duration::ZERO, |(at, _)| wait(at))), if next.is_some() => {
                let Some((at, number)) = due.pop_first() else { continue };
                let what = &scenario.script[number];
                actor.act(number, what);
                due.extend(what.every.map(|every| (at + every.max(1), number)));
            }
            Ok(()) = requests.changed() => {
                let fresh;
                (fresh, known) = cluster.audit.since(known);
                for (number, what) in scenario.script.iter().enumerate() {
                    let asked = what.on_dry_run && actor.times[number] == 0;
                    if asked && fresh.iter().any(|asked| is_dry_run(asked, what)) {
                        actor.act(number, what);
                    }
                }
            }
        }
    }
}

fn is_dry_run(asked: &Asked, what: &Happening) -> bool {
    let Some((namespace, name)) = what.service.split_once('/') else {
        return false;
    };
    let path = asked.path();
    asked.tries()
        && path.ends_with(&format!("/{name}"))
        && path.contains(&format!("/namespaces/{namespace}/"))
}

struct Actor {
    cluster: Arc<Cluster>,
    farm: Arc<Farm>,
    sources: Arc<Sources>,
    host: String,
    random: Random,
    /// How often each entry was done.
    times: Vec<usize>,
}

impl Actor {
    fn act(&mut self, number: usize, what: &Happening) {
        let time = self.times[number];
        self.times[number] += 1;
        if let Err(refusal) = self.done(what, time) {
            tracing::debug!(
                service = what.service,
                ?refusal,
                "the script cannot go on here"
            );
        }
    }

    fn done(&mut self, what: &Happening, time: usize) -> Result<(), Refusal> {
        let (namespace, name) = what.service.split_once('/').unwrap_or_default();
        let at = self.cluster.clock.now();
        let write = Write::by(&what.by, at);
        if let Some(map) = &what.delete {
            self.cluster
                .store
                .remove(&Key::new(&CONFIG_MAPS, namespace, map));
            return Ok(());
        }
        if what.kill {
            self.kill(namespace, name);
            return Ok(());
        }
        if what.push {
            let pushed = self.sources.push(name, at);
            if let Some(pushed) = pushed {
                self.farm.pushed(name, pushed, namespace);
            }
            return Ok(());
        }
        if !what.image.is_empty() {
            let version = &what.image[time % what.image.len()];
            let image = format!("{}/{}:{version}", self.host, super::project::path(name));
            return set_image(&self.cluster, &what.by, (namespace, name), &image);
        }
        let Some(key) = workload(&self.cluster, namespace, name) else {
            return Ok(());
        };
        self.cluster.store.update(&key, &write, |value| {
            if let Some(patch) = &what.patch {
                merge(value, patch);
            }
            Ok(())
        })?;
        Ok(())
    }

    /// As `kubectl delete pod` with a grace period that is over.
    fn kill(&mut self, namespace: &str, name: &str) {
        let pods = self.cluster.store.list(&PODS, Some(namespace));
        let own = |kept: &&super::kube::object::Kept| {
            kept.labels.get("app").is_some_and(|app| **app == *name)
        };
        let own: Vec<_> = pods.iter().filter(own).collect();
        let pick = usize::try_from(self.random.below(own.len() as u64)).unwrap_or(0);
        if let Some(pod) = own.get(pick) {
            self.cluster.store.remove(&pod.key);
        }
    }
}

/// The workload of a name, of whatever kind.
pub fn workload(cluster: &Cluster, namespace: &str, name: &str) -> Option<Key> {
    let kinds: [&'static Kind; 4] = [&DEPLOYMENTS, &STATEFUL_SETS, &DAEMON_SETS, &ROLLOUTS];
    let mut keys = kinds
        .into_iter()
        .map(|kind| Key::new(kind, namespace, name));
    keys.find(|key| cluster.store.get(key).is_some())
}

/// As `kubectl set image`, by this field manager.
pub fn set_image(
    cluster: &Cluster,
    by: &str,
    (namespace, name): (&str, &str),
    image: &str,
) -> Result<(), Refusal> {
    let Some(key) = workload(cluster, namespace, name) else {
        return Ok(());
    };
    let write = Write::by(by, cluster.clock.now());
    cluster.store.update(&key, &write, |value| {
        change_image(value, name, image);
        Ok(())
    })?;
    Ok(())
}

fn change_image(value: &mut Value, name: &str, image: &str) {
    let containers = value.pointer_mut("/spec/template/spec/containers");
    for container in containers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if text_at(container, "/name") == name {
            set(container, &["image"], image.into());
        }
    }
}

/// RFC 7386.
fn merge(value: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        return value.clone_from(patch);
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    for (key, change) in fields {
        if change.is_null() {
            if let Some(map) = value.as_object_mut() {
                map.remove(key);
            }
        } else {
            merge(&mut value[key.as_str()], change);
        }
    }
}
