//! Plants a scenario's past into an empty cluster: what stands there before the first request.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::images::Image;
use super::kube::kind::{
    CONFIG_MAPS, Kind, NAMESPACES, NODES, RESOURCE_QUOTAS, SECRETS, SERVICE_ACCOUNTS, SERVICES,
};
use super::kube::object::{Kept, set};
use super::kube::quota::used;
use super::kube::refusal::Refusal;
use super::kube::write::{self, Write};
use super::project::{Project, path};
use super::random::Random;
use super::registry::Documents;
use super::scenario::{Place, Scenario, Service};

mod canary;
mod past;
mod pods;

/// Namespaces and nodes are so old.
const OLD: SignedDuration = SignedDuration::from_hours(400 * 24);

/// What planting needs at hand.
pub struct Planter<'a> {
    pub cluster: &'a Cluster,
    pub scenario: &'a Scenario,
    pub seed: u64,
    pub start: Timestamp,
    /// The registry's, as images name it.
    pub host: &'a str,
    random: Random,
}

impl<'a> Planter<'a> {
    pub fn new(
        cluster: &'a Cluster,
        scenario: &'a Scenario,
        seed: u64,
        (start, host): (Timestamp, &'a str),
    ) -> Self {
        Self {
            cluster,
            scenario,
            seed,
            start,
            host,
            random: Random::new(seed),
        }
    }

    /// # Errors
    /// The scenario asks for an object that the API server would not take.
    pub fn plant(&mut self) -> Result<(), Refusal> {
        self.push_images();
        self.nodes()?;
        for name in ["default", "kube-system"] {
            self.namespace(name)?;
        }
        let services = &self.scenario.services;
        let namespaces: BTreeSet<_> = services.iter().flat_map(|s| s.places.keys()).collect();
        for name in namespaces {
            self.namespace(name)?;
        }
        for service in services {
            for (namespace, place) in &service.places {
                self.settings(namespace, service, place)?;
                self.analysis_template(namespace, service)?;
                self.workload(service, namespace, place)?;
            }
        }
        for (namespace, pods) in &self.scenario.quotas {
            self.quota(namespace, *pods)?;
        }
        Ok(())
    }

    /// Everything that was built, but for what never came to the registry.
    fn push_images(&self) {
        for (service, project) in self
            .scenario
            .services
            .iter()
            .zip(self.scenario.projects(self.seed, self.start))
        {
            self.push(service, &project);
        }
    }

    fn push(&self, service: &Service, project: &Project) {
        for built in &project.versions {
            let release = service.release(&built.version);
            let commit = built.commits.last().map_or("", |commit| &commit.id);
            let documents = Documents::of(&project.path, &built.version, commit, built.created);
            let image = Image {
                digest: documents.digest(),
                created: built.created,
                commit: commit.to_owned(),
                behaviour: release.behaviour,
            };
            if !release.missing {
                let repository = format!("{}/{}", self.host, project.path);
                self.cluster.images.push(&repository, &built.version, image);
            }
        }
    }

    fn nodes(&mut self) -> Result<(), Refusal> {
        for number in 1..=self.scenario.nodes {
            let (name, address) = (node_name(number), format!("10.0.0.{}", 10 + number % 240));
            let at = self.start - OLD;
            let condition = |kind: &str, status: &str, reason: &str| {
                json!({"type": kind, "status": status, "reason": reason, "message": "",
                    "lastHeartbeatTime": write::stamp(self.start), "lastTransitionTime": write::stamp(at)})
            };
            let room = json!({"cpu": "16", "memory": "64Gi", "pods": "250"});
            let status = json!({
                "capacity": room, "allocatable": room,
                "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
                "conditions": [
                    condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                    condition("Ready", "True", "KubeletReady"),
                ],
                "nodeInfo": {"kubeletVersion": "v1.36.3", "osImage": "Debian GNU/Linux 12 (bookworm)",
                    "containerRuntimeVersion": "containerd://2.2.0", "architecture": "amd64", "operatingSystem": "linux"},
            });
            let labels = json!({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"});
            let node =
                json!({"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status});
            self.put(&NODES, node, "kubelet", at)?;
        }
        Ok(())
    }

    fn namespace(&mut self, name: &str) -> Result<(), Refusal> {
        let at = self.start - OLD;
        let labels = json!({"kubernetes.io/metadata.name": name});
        let namespace = json!({"metadata": {"name": name, "labels": labels},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
        self.put(&NAMESPACES, namespace, "terraform", at)?;
        let account = json!({"metadata": {"name": "default", "namespace": name}});
        self.put(&SERVICE_ACCOUNTS, account, "kube-controller-manager", at)?;
        Ok(())
    }

    /// What stands around a workload: its ConfigMaps and Secrets, and its Service.
    fn settings(
        &mut self,
        namespace: &str,
        service: &Service,
        place: &Place,
    ) -> Result<(), Refusal> {
        let at = self.start - SignedDuration::from_hours(90 * 24);
        let seen = service.past(place).iter();
        let seen = seen.chain(place.stuck.as_ref().map(|stuck| &stuck.to));
        let maps: BTreeSet<_> = seen
            .flat_map(|version| service.config_of(version))
            .collect();
        let there = |name: &&String| !self.scenario.is_gone(namespace, name);
        for name in maps.iter().filter(there) {
            let map = json!({"metadata": {"name": name, "namespace": namespace},
                "data": {"LOG_LEVEL": "info", "REGION": "eu-1"}});
            self.put_once(&CONFIG_MAPS, map, at)?;
        }
        for name in &service.secrets {
            let secret = json!({"metadata": {"name": name, "namespace": namespace},
                "type": "Opaque", "data": {"TOKEN": "bm90IGEgc2VjcmV0"}});
            self.put_once(&SECRETS, secret, at)?;
        }
        let name = &service.name;
        let address = format!(
            "10.96.{}.{}",
            self.random.below(250),
            1 + self.random.below(250)
        );
        let entry = json!({"metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
            "spec": {"type": "ClusterIP", "clusterIP": address, "selector": {"app": name},
                "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080}]}});
        self.put(&SERVICES, entry, "jenkins", at)?;
        Ok(())
    }

    /// By Terraform, and again by whom the scenario says.
    fn put_once(
        &mut self,
        kind: &'static Kind,
        value: Value,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let key = super::kube::object::Key::of(kind, &value);
        if self.cluster.store.get(&key).is_some() {
            return Ok(());
        }
        let mut value = self.made(kind, value, "terraform", at)?;
        if let Some(edited) = self.scenario.edited.get(&*key.name) {
            let at = self.start - SignedDuration::from_secs(edited.ago.seconds.into());
            let by = Write::by(&edited.by, at);
            change(kind, &mut value, &by, |value| {
                set(value, &["data", "EDITED"], "eWVz".into());
            })?;
        }
        self.cluster.store.plant(kind, value);
        Ok(())
    }

    /// The number of pods in a namespace is limited.
    fn quota(&mut self, namespace: &str, pods: u32) -> Result<(), Refusal> {
        let used = used(&self.cluster.store, namespace).to_string();
        let hard = json!({"pods": pods.to_string()});
        let quota = json!({"metadata": {"name": "pods", "namespace": namespace},
            "spec": {"hard": hard}, "status": {"hard": hard, "used": {"pods": used}}});
        self.put(&RESOURCE_QUOTAS, quota, "terraform", self.start - OLD)?;
        Ok(())
    }

    fn put(
        &mut self,
        kind: &'static Kind,
        value: Value,
        by: &str,
        at: Timestamp,
    ) -> Result<Kept, Refusal> {
        let value = self.made(kind, value, by, at)?;
        Ok(self.cluster.store.plant(kind, value))
    }

    /// As the API server makes it, at a time of the past, with the status that was written right after.
    fn made(
        &mut self,
        kind: &'static Kind,
        mut value: Value,
        by: &str,
        at: Timestamp,
    ) -> Result<Value, Refusal> {
        let status = value.as_object_mut().and_then(|v| v.remove("status"));
        write::prepare_create(kind, &mut value, &Write::by(by, at), &mut self.random)?;
        if let Some(status) = status {
            change(kind, &mut value, &Write::by(by, at).status(), |value| {
                set(value, &["status"], status);
            })?;
        }
        Ok(value)
    }

    fn image(&self, service: &str, version: &str) -> String {
        format!("{}/{}:{version}", self.host, path(service))
    }
}

/// Writes once more.
fn change(
    kind: &'static Kind,
    value: &mut Value,
    by: &Write<'_>,
    with: impl FnOnce(&mut Value),
) -> Result<(), Refusal> {
    let before = value.clone();
    with(value);
    write::prepare_update(kind, &before, value, by)
}

/// `node-07`.
fn node_name(number: u32) -> String {
    format!("node-{number:02}")
}
