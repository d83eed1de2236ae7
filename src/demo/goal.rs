//! Whether the cluster is as a scenario wants it in the end.

use serde_json::Value;

use super::cluster::Cluster;
use super::controllers::rollout::HASH;
use super::kube::kind::{REPLICA_SETS, ROLLOUTS};
use super::kube::object::{int_at, items_at, text_at};
use super::scenario::Goal;
use super::script::workload;

impl Goal {
    /// # Errors
    /// What is missing, in words.
    pub fn holds(&self, cluster: &Cluster) -> Result<(), String> {
        let (namespace, name) = self.service.split_once('/').unwrap_or_default();
        let kept = workload(cluster, namespace, name).and_then(|key| cluster.store.get(&key));
        let Some(value) = kept.map(|kept| kept.value()) else {
            return Err(format!("{} is gone", self.service));
        };
        if value["kind"] == ROLLOUTS.name {
            return self.served(cluster, &value);
        }
        let version = version_of(&value);
        if version != self.version {
            return Err(format!(
                "{} is to run {}, and asks for {version}",
                self.service, self.version
            ));
        }
        match missing(&value) {
            None => Ok(()),
            Some(what) => Err(format!(
                "{} {version} is not complete: {what}",
                self.service
            )),
        }
    }

    /// What counts of a canary is what all goes to: after an abort its template asks for another still.
    fn served(&self, cluster: &Cluster, rollout: &Value) -> Result<(), String> {
        let stable = text_at(rollout, "/status/stableRS");
        let owned = cluster
            .store
            .owned_by(text_at(rollout, "/metadata/uid"), &REPLICA_SETS);
        let sets: Vec<_> = owned.iter().map(|kept| kept.value()).collect();
        let is_stable = |set: &&Value| set["metadata"]["labels"][HASH] == stable;
        let serves = sets.iter().find(is_stable);
        let version = serves.map_or("", version_of);
        let count =
            |set: &Value, field: &str| int_at(&set["status"], &format!("/{field}")).unwrap_or(0);
        let all: i64 = sets.iter().map(|set| count(set, "replicas")).sum();
        let available = serves.map_or(0, |set| count(set, "availableReplicas"));
        let wanted = int_at(rollout, "/spec/replicas").unwrap_or(1);
        if version == self.version && available == wanted && all == wanted {
            return Ok(());
        }
        Err(format!(
            "all of {} is to be {}, and {available} of {all} pods are {version}",
            self.service, self.version
        ))
    }
}

/// The tag of its first image.
fn version_of(workload: &Value) -> &str {
    let containers = items_at(workload, "/spec/template/spec/containers");
    let image = containers.first().map_or("", |c| text_at(c, "/image"));
    let image = image.split('@').next().unwrap_or_default();
    image.rsplit_once(':').map_or("", |(_, tag)| tag)
}

/// What a rollout still waits for, by the counts of its status.
fn missing(value: &Value) -> Option<String> {
    let count = |name: &str| int_at(value, &format!("/status/{name}")).unwrap_or(0);
    if count("observedGeneration") < int_at(value, "/metadata/generation").unwrap_or(0) {
        return Some("its controller has not seen it yet".into());
    }
    let (wanted, updated, available, all) = match value["kind"].as_str() {
        Some("DaemonSet") => (
            count("desiredNumberScheduled"),
            count("updatedNumberScheduled"),
            count("numberAvailable"),
            count("desiredNumberScheduled"),
        ),
        _ => (
            int_at(value, "/spec/replicas").unwrap_or(1),
            count("updatedReplicas"),
            count("availableReplicas"),
            count("replicas"),
        ),
    };
    let whole = updated == wanted && available == wanted && all == wanted;
    (!whole)
        .then(|| format!("{updated} of {wanted} pods updated, {available} available, {all} in all"))
}
