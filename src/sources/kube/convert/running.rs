//! Which images a pod runs, and nothing else of it: for a look over very many pods.

use serde::Deserialize;
use serde_json::Error;

use crate::domain::image::registry_digest;
use crate::domain::{ClusterId, Kind, WorkloadId};

/// The workload that a pod is of, by its owner, and of each container the image that is asked for with the digest that
/// runs. `None` for pods of others, for those that go or are over, and while nothing was pulled.
///
/// # Errors
/// When the pod cannot be read.
pub fn running(cluster: &ClusterId, raw: &str) -> Result<Option<Running>, Error> {
    let pod: Pod = serde_json::from_str(raw)?;
    let over = matches!(pod.status.phase.as_deref(), Some("Succeeded" | "Failed"));
    if over || pod.metadata.deletion_timestamp.is_some() {
        return Ok(None);
    }
    let Some(workload) = owner(cluster, &pod.metadata) else {
        return Ok(None);
    };
    let statuses = pod.status.container_statuses.unwrap_or_default();
    let image = |container: Container| {
        let status = statuses.iter().find(|s| s.name == container.name)?;
        let digest = registry_digest(&status.image_id)?;
        Some((container.image, digest.into()))
    };
    let containers = pod.spec.containers.into_iter();
    let images: Vec<_> = containers.filter_map(image).collect();
    Ok((!images.is_empty()).then_some((workload, images)))
}

/// A workload, and what one of its pods runs.
pub type Running = (WorkloadId, Images);
/// Images that are asked for, each with the digest that runs.
pub type Images = Vec<(Box<str>, Box<str>)>;

/// A ReplicaSet is called after its owner and the hash that its pods carry.
fn owner(cluster: &ClusterId, metadata: &Metadata) -> Option<WorkloadId> {
    let mut owners = metadata.owner_references.iter();
    let owner = owners.find(|owner| owner.controller)?;
    let labels = metadata.labels.as_ref();
    let (kind, name) = match &*owner.kind {
        "StatefulSet" => (Kind::StatefulSet, &*owner.name),
        "DaemonSet" => (Kind::DaemonSet, &*owner.name),
        "ReplicaSet" => {
            let labels = labels?;
            let (kind, hash) = match (&labels.rollout, &labels.deployment) {
                (Some(hash), _) => (Kind::Rollout, hash),
                (None, Some(hash)) => (Kind::Deployment, hash),
                (None, None) => return None,
            };
            let name = owner.name.strip_suffix(&**hash)?.strip_suffix('-')?;
            (kind, name)
        }
        _ => return None,
    };
    Some(WorkloadId {
        cluster: cluster.clone(),
        namespace: metadata.namespace.clone(),
        kind,
        name: name.into(),
    })
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    namespace: Box<str>,
    labels: Option<Labels>,
    deletion_timestamp: Option<Box<str>>,
    #[serde(default)]
    owner_references: Vec<Owner>,
}

#[derive(Deserialize)]
struct Labels {
    #[serde(rename = "pod-template-hash")]
    deployment: Option<Box<str>>,
    #[serde(rename = "rollouts-pod-template-hash")]
    rollout: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Owner {
    kind: Box<str>,
    name: Box<str>,
    #[serde(default)]
    controller: bool,
}

#[derive(Deserialize, Default)]
struct Spec {
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    name: Box<str>,
    #[serde(default)]
    image: Box<str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Status {
    phase: Option<Box<str>>,
    container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    name: Box<str>,
    #[serde(rename = "imageID", default)]
    image_id: Box<str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(change: &Value) -> Option<(String, Images)> {
        let mut pod = json!({
            "metadata": {"namespace": "shop", "labels": {"pod-template-hash": "7d9f"}, "ownerReferences": [
                {"kind": "ReplicaSet", "name": "web-eu-7d9f", "controller": true}]},
            "spec": {"containers": [{"name": "web", "image": "r/web:1"}, {"name": "side", "image": "r/side:1"}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "side", "imageID": ""}, {"name": "web", "imageID": "r/web@sha256:ab12"}]},
        });
        for (place, value) in change.as_object().unwrap() {
            *pod.pointer_mut(place).unwrap() = value.clone();
        }
        let found = running(&"eu".into(), &pod.to_string()).unwrap();
        found.map(|(id, images)| (format!("{id} in {}", id.namespace), images))
    }

    #[test]
    fn whose_a_pod_is_and_what_it_runs() {
        let owner = "/metadata/ownerReferences/0";
        let images: Images = vec![("r/web:1".into(), "sha256:ab12".into())];
        let its = |of: &str| Some((format!("{of} in shop"), images.clone()));
        for (change, want) in [
            (json!({}), its("deploy/web-eu")),
            (
                json!({"/metadata/labels": {"rollouts-pod-template-hash": "7d9f"}}),
                its("rollout/web-eu"),
            ),
            (
                json!({owner: {"kind": "StatefulSet", "name": "db", "controller": true}}),
                its("sts/db"),
            ),
            (
                json!({owner: {"kind": "DaemonSet", "name": "log", "controller": true}}),
                its("ds/log"),
            ),
            (
                json!({owner: {"kind": "Job", "name": "once", "controller": true}}),
                None,
            ),
            (
                json!({owner: {"kind": "ReplicaSet", "name": "by-hand", "controller": true}}),
                None,
            ),
            (json!({"/metadata/labels": null}), None),
            (json!({"/status/phase": "Failed"}), None),
            (json!({"/status/containerStatuses": null}), None),
        ] {
            assert_eq!(read(&change), want, "{change}");
        }
    }
}
