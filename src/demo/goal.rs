//! Whether the cluster is as a scenario wants it in the end.

use serde_json::Value;

use super::cluster::Cluster;
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
        let containers = items_at(&value, "/spec/template/spec/containers");
        let image = containers.first().map_or("", |c| text_at(c, "/image"));
        let version = image.rsplit_once(':').map_or("", |(_, tag)| tag);
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
