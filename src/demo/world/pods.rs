//! Pods that were there before: those that run, and those of a rollout that hangs.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::past::owner;
use super::{Planter, node_name};
use crate::demo::controllers::rollout;
use crate::demo::kube::kind::PODS;
use crate::demo::kube::object::{set, text_at};
use crate::demo::kube::refusal::Refusal;
use crate::demo::kube::write::stamp;
use crate::demo::scenario::{Service, Workload};

/// From its creation until a pod's containers run, and until it serves.
const STARTED: SignedDuration = SignedDuration::from_secs(3);
const READY: SignedDuration = SignedDuration::from_secs(8);
/// Restarts of a container that ends soon after every start, in the first minutes.
const RESTARTS: u32 = 5;

/// The pods of one revision.
pub(super) struct Group<'a> {
    pub service: &'a Service,
    pub workload: &'a Value,
    pub revision: &'a Value,
    pub template: &'a Value,
    pub version: &'a str,
    pub at: Timestamp,
    pub stuck: bool,
}

impl Planter<'_> {
    pub(super) fn pod(&mut self, group: &Group<'_>, number: u32) -> Result<(), Refusal> {
        let at = group.at + SignedDuration::from_secs(i64::from(number));
        let (mut spec, metadata) = (group.template["spec"].clone(), self.metadata(group, number));
        let node = match group.service.kind {
            Workload::DaemonSet => number + 1,
            _ => self.any_node(),
        };
        set(&mut spec, &["nodeName"], node_name(node).into());
        set(&mut spec, &["serviceAccountName"], "default".into());
        let pod = json!({"metadata": metadata, "spec": spec});
        let mut pod = self.made(&PODS, pod, "kube-controller-manager", at)?;
        let status = self.status_of(group, &pod, (node, at));
        set(&mut pod, &["status"], status);
        let kept = self.cluster.store.plant(&PODS, pod);
        let release = group.service.release(group.version);
        let (uid, container) = (&*kept.uid, group.service.name.as_str());
        if !release.missing && !release.behaviour.log.is_empty() {
            self.cluster.logs.start(uid, container);
            for line in &release.behaviour.log {
                self.cluster.logs.append(uid, container, at + STARTED, line);
            }
        }
        Ok(())
    }

    fn metadata(&mut self, group: &Group<'_>, number: u32) -> Value {
        let mut labels = group.template["metadata"]["labels"].clone();
        let of_revision = &group.revision["metadata"]["labels"];
        let revision = group.revision["metadata"]["name"]
            .as_str()
            .unwrap_or_default();
        let name = &group.service.name;
        let name = match group.service.kind {
            Workload::Deployment | Workload::Rollout => {
                for hash in ["pod-template-hash", rollout::HASH] {
                    if let Some(text) = of_revision.get(hash) {
                        labels[hash] = text.clone();
                    }
                }
                format!("{revision}-{}", self.random.suffix(5))
            }
            Workload::StatefulSet => {
                labels["controller-revision-hash"] = revision.into();
                labels["apps.kubernetes.io/pod-index"] = number.to_string().into();
                labels["statefulset.kubernetes.io/pod-name"] = format!("{name}-{number}").into();
                format!("{name}-{number}")
            }
            Workload::DaemonSet => {
                labels["controller-revision-hash"] =
                    of_revision["controller-revision-hash"].clone();
                labels["pod-template-generation"] = "1".into();
                format!("{name}-{}", self.random.suffix(5))
            }
        };
        let by = match group.service.kind {
            Workload::Deployment | Workload::Rollout => group.revision,
            Workload::StatefulSet | Workload::DaemonSet => group.workload,
        };
        json!({"name": name, "namespace": group.workload["metadata"]["namespace"],
            "labels": labels, "ownerReferences": [owner(by)]})
    }

    fn any_node(&mut self) -> u32 {
        let picked = self.random.below(self.scenario.nodes.into());
        u32::try_from(picked).unwrap_or(0) + 1
    }

    fn status_of(&mut self, group: &Group<'_>, pod: &Value, (node, at): (u32, Timestamp)) -> Value {
        let serves = !group.stuck;
        let (ready, since) = if serves {
            ("True", at + READY)
        } else {
            ("False", at)
        };
        let condition = |kind: &str, status: &str, since: Timestamp| {
            let mut condition = json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": stamp(since)});
            if status == "False" {
                let unready = format!("containers with unready status: [{}]", group.service.name);
                condition["reason"] = "ContainersNotReady".into();
                condition["message"] = unready.into();
            }
            condition
        };
        let address = format!("10.0.0.{}", 10 + node % 240);
        let own = format!(
            "10.{}.{}.{}",
            1 + node % 200,
            self.random.below(250),
            1 + self.random.below(250)
        );
        json!({
            "phase": if self.waits(group).is_none() || serves { "Running" } else { "Pending" },
            "hostIP": address, "hostIPs": [{"ip": address}], "podIP": own, "podIPs": [{"ip": own}],
            "startTime": stamp(at), "qosClass": "Burstable",
            "conditions": [
                condition("PodReadyToStartContainers", "True", at + STARTED),
                condition("Initialized", "True", at), condition("Ready", ready, since),
                condition("ContainersReady", ready, since), condition("PodScheduled", "True", at),
            ],
            "containerStatuses": [self.container(group, pod, at)],
        })
    }

    fn container(&self, group: &Group<'_>, pod: &Value, at: Timestamp) -> Value {
        let image = self.image(&group.service.name, group.version);
        let digest = self
            .cluster
            .images
            .find(&image)
            .map(|found| found.digest.clone());
        let repository = image
            .rsplit_once(':')
            .map_or("", |(repository, _)| repository);
        let id = digest.map_or(String::new(), |digest| format!("{repository}@{digest}"));
        let running = json!({"running": {"startedAt": stamp(at + STARTED)}});
        let (state, last, restarts) = match (group.stuck, self.waits(group)) {
            (true, Some((reason, message))) => (
                json!({"waiting": {"reason": reason, "message": message}}),
                json!({}),
                0,
            ),
            (true, None) => self.crashed(group, pod).unwrap_or((running, json!({}), 0)),
            (false, _) => (running, json!({}), 0),
        };
        let runs = state.get("running").is_some();
        json!({
            "name": group.service.name, "image": image, "imageID": id, "restartCount": restarts,
            "ready": runs && !group.stuck, "started": runs, "state": state, "lastState": last,
        })
    }

    /// Why a container was never started.
    fn waits(&self, group: &Group<'_>) -> Option<(&'static str, String)> {
        let version = group.version;
        let image = self.image(&group.service.name, version);
        if self.cluster.images.find(&image).is_none() {
            let why = format!(
                "Back-off pulling image \"{image}\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
            );
            return Some(("ImagePullBackOff", why));
        }
        let config = group.service.config_of(version);
        let namespace = text_at(group.workload, "/metadata/namespace");
        let mut gone = config.iter();
        let gone = gone.find(|name| self.scenario.is_gone(namespace, name))?;
        let why = format!("configmap \"{gone}\" not found");
        Some(("CreateContainerConfigError", why))
    }

    /// Its state, how it ended last, and how often.
    fn crashed(&self, group: &Group<'_>, pod: &Value) -> Option<(Value, Value, u32)> {
        let exit = group.service.release(group.version).behaviour.exit?;
        let name = &group.service.name;
        let metadata = &pod["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        let message = format!(
            "back-off 2m40s restarting failed container={name} pod={}_{}({})",
            text("name"),
            text("namespace"),
            text("uid"),
        );
        let ended = self.start - SignedDuration::from_secs(20);
        let began = ended - SignedDuration::from_secs(exit.after.into());
        let reason = if exit.out_of_memory {
            "OOMKilled"
        } else {
            "Error"
        };
        let last = json!({"terminated": {"exitCode": exit.code, "reason": reason,
            "startedAt": stamp(began), "finishedAt": stamp(ended)}});
        let state = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
        Some((state, last, RESTARTS))
    }
}
