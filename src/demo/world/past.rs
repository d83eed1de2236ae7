//! A workload with its past: the revisions of weeks, the pods that run since then, a rollout that hangs.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::pods::Group;
use super::{Planter, change};
use crate::demo::controllers::rollout;
use crate::demo::kube::kind::{
    CONTROLLER_REVISIONS, DAEMON_SETS, DEPLOYMENTS, Kind, REPLICA_SETS, ROLLOUTS, STATEFUL_SETS,
};
use crate::demo::kube::object::{set, text_at};
use crate::demo::kube::refusal::Refusal;
use crate::demo::kube::write::{Write, stamp};
use crate::demo::project::Project;
use crate::demo::scenario::{Place, Service, Workload};
use crate::domain::commit::COMMIT_ANNOTATION;

const CONTROLLER: &str = "kube-controller-manager";
const DEPLOYMENT: Names = Names {
    manager: CONTROLLER,
    hash: "pod-template-hash",
    revision: "deployment.kubernetes.io/revision",
    desired: "deployment.kubernetes.io/desired-replicas",
};
const ROLLOUT: Names = Names {
    manager: rollout::MANAGER,
    hash: rollout::HASH,
    revision: rollout::REVISION,
    desired: rollout::DESIRED,
};
/// From the start of a rollout until its pods served.
pub(super) const TOOK: SignedDuration = SignedDuration::from_secs(25);
const DEADLINE: u32 = 600;

/// What the owner of ReplicaSets calls itself, and what it calls things.
struct Names {
    manager: &'static str,
    hash: &'static str,
    revision: &'static str,
    desired: &'static str,
}

/// One version that was rolled out.
pub(super) struct Rollout {
    pub version: String,
    pub at: Timestamp,
    by: String,
    /// The pod template, as the API server filled it in.
    template: Value,
}

/// Pods of the newest revision, of the one before, and how many of all serve.
pub(super) struct Counts {
    pub new: u32,
    pub old: u32,
    pub serving: u32,
}

impl Planter<'_> {
    pub(super) fn workload(
        &mut self,
        service: &Service,
        namespace: &str,
        place: &Place,
    ) -> Result<(), Refusal> {
        let kind = kind(service.kind);
        let rollouts = self.rollouts(service, place);
        let (mut value, rollouts) = self.written(kind, rollouts, service, (namespace, place))?;
        let revisions = match service.kind {
            Workload::Deployment | Workload::Rollout => {
                self.replica_sets(kind, &mut value, (&rollouts, service, place))?
            }
            Workload::StatefulSet | Workload::DaemonSet => {
                self.controller_revisions(kind, &value, &rollouts, service)?
            }
        };
        let status = if kind == &ROLLOUTS {
            self.rollout_status((service, place), &value, &rollouts, &revisions)?
        } else {
            self.status(service, place, &rollouts, &revisions)
        };
        let seen = value["metadata"]["generation"].clone();
        let seen = if kind == &ROLLOUTS {
            seen.to_string().into()
        } else {
            seen
        };
        let done = rollouts.last().map_or(self.start, |last| last.at + TOOK);
        change(
            kind,
            &mut value,
            &Write::by(CONTROLLER, done).status(),
            |value| {
                set(value, &["status"], status);
                set(value, &["status", "observedGeneration"], seen);
            },
        )?;
        self.cluster.store.plant(kind, value.clone());
        self.pods_of(service, place, (&value, &rollouts, &revisions))
    }

    /// Oldest first.
    fn rollouts(&self, service: &Service, place: &Place) -> Vec<Rollout> {
        let changed = place.changed.unwrap_or(service.changed).seconds;
        let past = service.past(place);
        let project = service
            .annotated
            .then(|| service.project(self.seed, self.start));
        let template = |version: &str| self.template(service, project.as_ref(), version);
        let mut rollouts: Vec<_> = (0..past.len())
            .map(|at| Rollout {
                version: past[at].clone(),
                at: service.rolled_out(self.seed, self.start, changed, past.len() - 1 - at),
                by: "jenkins".into(),
                template: template(&past[at]),
            })
            .collect();
        if let (Some(by), Some(last)) = (&place.by, rollouts.last_mut()) {
            last.by.clone_from(by);
        }
        rollouts.extend(place.stuck.as_ref().map(|stuck| Rollout {
            version: stuck.to.clone(),
            at: self.start - SignedDuration::from_secs(stuck.ago.seconds.into()),
            by: stuck.by.clone(),
            template: template(&stuck.to),
        }));
        rollouts
    }

    /// It names its commit where there is a project to take it from.
    fn template(&self, service: &Service, project: Option<&Project>, version: &str) -> Value {
        let name = &service.name;
        let release = service.release(version);
        let env = release.env.iter();
        let env: Vec<_> = env.map(|(k, v)| json!({"name": k, "value": v})).collect();
        let maps = service.config_of(version).into_iter();
        let maps = maps.map(|name| json!({"configMapRef": {"name": name}}));
        let secrets = service.secrets.iter();
        let secrets = secrets.map(|name| json!({"secretRef": {"name": name}}));
        let from: Vec<_> = maps.chain(secrets).collect();
        let mut container = json!({
            "name": name, "image": self.image(name, version),
            "ports": [{"containerPort": 8080, "name": "http"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        });
        if !service.unprobed {
            container["readinessProbe"] = json!({"httpGet": {"path": "/ready", "port": 8080}});
        }
        for (field, list) in [("env", env), ("envFrom", from)] {
            if !list.is_empty() {
                container[field] = list.into();
            }
        }
        let mut metadata = json!({"labels": {"app": name}});
        if let Some(project) = project {
            let built = project.versions.iter().find(|b| b.version == version);
            let commit = built.and_then(|built| built.commits.last());
            metadata["annotations"] = json!({COMMIT_ANNOTATION: commit.map(|commit| &commit.id)});
        }
        json!({"metadata": metadata, "spec": {"containers": [container]}})
    }

    /// The workload as the people and tools of the past wrote it, one version after the other.
    fn written(
        &mut self,
        kind: &'static Kind,
        mut rollouts: Vec<Rollout>,
        service: &Service,
        (namespace, place): (&str, &Place),
    ) -> Result<(Value, Vec<Rollout>), Refusal> {
        let name = &service.name;
        let mut spec = json!({"selector": {"matchLabels": {"app": name}}});
        match service.kind {
            Workload::Deployment => {
                spec["progressDeadlineSeconds"] =
                    service.deadline_seconds.unwrap_or(DEADLINE).into();
                spec["replicas"] = place.replicas.into();
            }
            Workload::Rollout => {
                spec["replicas"] = place.replicas.into();
                spec["strategy"] = json!({"canary": {"steps": service.steps}});
            }
            Workload::StatefulSet => {
                spec["serviceName"] = name.as_str().into();
                spec["replicas"] = place.replicas.into();
            }
            Workload::DaemonSet => {}
        }
        let mut value = json!({
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}}, "spec": spec,
        });
        for (at, rollout) in rollouts.iter_mut().enumerate() {
            let template = rollout.template.take();
            if at == 0 {
                set(&mut value, &["spec", "template"], template);
                value = self.made(kind, value, &rollout.by, rollout.at)?;
            } else {
                change(
                    kind,
                    &mut value,
                    &Write::by(&rollout.by, rollout.at),
                    |value| {
                        set(value, &["spec", "template"], template);
                    },
                )?;
            }
            rollout.template = value["spec"]["template"].clone();
        }
        Ok((value, rollouts))
    }

    /// Plants them, marks their owner with its revision, and returns them oldest first.
    fn replica_sets(
        &mut self,
        kind: &'static Kind,
        value: &mut Value,
        (rollouts, service, place): (&[Rollout], &Service, &Place),
    ) -> Result<Vec<Value>, Refusal> {
        let counts = counts(service, place);
        let names = if kind == &ROLLOUTS {
            ROLLOUT
        } else {
            DEPLOYMENT
        };
        let last = rollouts.len() - 1;
        if let Some(rollout) = rollouts.last() {
            let number = rollouts.len().to_string();
            let path = ["metadata", "annotations", names.revision];
            let by = Write::by(names.manager, rollout.at);
            change(kind, value, &by, |value| set(value, &path, number.into()))?;
        }
        let mut planted = Vec::new();
        for (at, rollout) in rollouts.iter().enumerate() {
            let (pods, ready) = match last - at {
                0 if hangs(place) => (counts.new, 0),
                0 => (counts.new, counts.new),
                1 => (counts.old, counts.old),
                _ => (0, 0),
            };
            let hash = self.random.suffix(9);
            let mut template = rollout.template.clone();
            set(
                &mut template,
                &["metadata", "labels", names.hash],
                hash.as_str().into(),
            );
            let labels = template["metadata"]["labels"].clone();
            let mut annotations = json!({
                names.desired: place.replicas.to_string(), names.revision: (at + 1).to_string(),
            });
            if kind == &DEPLOYMENTS {
                let most = place.replicas + surge(place.replicas);
                annotations["deployment.kubernetes.io/max-replicas"] = most.to_string().into();
            }
            let replica_set = json!({
                "metadata": {
                    "name": format!("{}-{hash}", service.name), "namespace": value["metadata"]["namespace"],
                    "labels": labels, "ownerReferences": [owner(value)],
                    "annotations": annotations,
                },
                "spec": {"replicas": pods, "selector": {"matchLabels": labels}, "template": template},
                "status": replica_set_status(pods, ready),
            });
            let made = self.made(&REPLICA_SETS, replica_set, names.manager, rollout.at)?;
            self.cluster.store.plant(&REPLICA_SETS, made.clone());
            planted.push(made);
        }
        Ok(planted)
    }

    fn controller_revisions(
        &mut self,
        kind: &'static Kind,
        value: &Value,
        rollouts: &[Rollout],
        service: &Service,
    ) -> Result<Vec<Value>, Refusal> {
        let mut planted = Vec::new();
        for (at, rollout) in rollouts.iter().enumerate() {
            let hash = self.random.suffix(9);
            let mut template = rollout.template.clone();
            set(&mut template, &["$patch"], "replace".into());
            let revision = json!({
                "metadata": {
                    "name": format!("{}-{hash}", service.name), "namespace": value["metadata"]["namespace"],
                    "labels": {"app": service.name, "controller-revision-hash": hash},
                    "ownerReferences": [owner(value)],
                },
                "data": {"spec": {"template": template}}, "revision": at + 1,
            });
            let revision = match kind.name {
                "StatefulSet" => with_name_as_hash(revision),
                _ => revision,
            };
            let made = self.made(&CONTROLLER_REVISIONS, revision, CONTROLLER, rollout.at)?;
            self.cluster
                .store
                .plant(&CONTROLLER_REVISIONS, made.clone());
            planted.push(made);
        }
        Ok(planted)
    }

    fn status(
        &self,
        service: &Service,
        place: &Place,
        rollouts: &[Rollout],
        revisions: &[Value],
    ) -> Value {
        let counts = counts(service, place);
        let name = |from_end: usize| {
            let at = revisions.len().checked_sub(from_end + 1);
            at.map_or("", |at| text_at(&revisions[at], "/metadata/name"))
        };
        match service.kind {
            Workload::Deployment | Workload::Rollout => {
                self.deployment_status(service, place, rollouts, name(0))
            }
            Workload::StatefulSet => {
                let (current, old) = if place.stuck.is_some() {
                    (name(1), counts.old)
                } else {
                    (name(0), counts.new)
                };
                nonzero(
                    json!({
                        "replicas": counts.new + counts.old,
                        "readyReplicas": counts.serving, "availableReplicas": counts.serving,
                        "currentReplicas": old, "updatedReplicas": counts.new,
                        "currentRevision": current, "updateRevision": name(0), "collisionCount": 0,
                    }),
                    &["collisionCount", "replicas", "availableReplicas"],
                )
            }
            Workload::DaemonSet => nonzero(
                json!({
                    "desiredNumberScheduled": self.scenario.nodes,
                    "currentNumberScheduled": self.scenario.nodes, "numberMisscheduled": 0,
                    "numberReady": self.scenario.nodes, "numberAvailable": self.scenario.nodes,
                    "updatedNumberScheduled": self.scenario.nodes,
                }),
                &[
                    "numberMisscheduled",
                    "desiredNumberScheduled",
                    "currentNumberScheduled",
                    "numberReady",
                ],
            ),
        }
    }

    fn deployment_status(
        &self,
        service: &Service,
        place: &Place,
        rollouts: &[Rollout],
        newest: &str,
    ) -> Value {
        let counts = counts(service, place);
        let (first, last) = (rollouts.first(), rollouts.last());
        let at = |rollout: Option<&Rollout>| rollout.map_or(self.start, |r| r.at);
        let condition = |kind: &str,
                         status: bool,
                         reason: &str,
                         message: String,
                         since: Timestamp,
                         at: Timestamp| {
            json!({"type": kind, "status": if status { "True" } else { "False" }, "reason": reason,
                "message": message, "lastTransitionTime": stamp(since), "lastUpdateTime": stamp(at)})
        };
        let (began, moved) = (
            at(first),
            at(last)
                + if place.stuck.is_some() {
                    SignedDuration::ZERO
                } else {
                    TOOK
                },
        );
        let available = condition(
            "Available",
            true,
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.".into(),
            began + TOOK,
            began + TOOK,
        );
        let late = i64::from(service.deadline_seconds.unwrap_or(DEADLINE));
        let late = moved + SignedDuration::from_secs(late);
        let said = |words: &str| format!("ReplicaSet \"{newest}\" {words}");
        let progressing = match &place.stuck {
            None => (
                "NewReplicaSetAvailable",
                true,
                said("has successfully progressed."),
                began,
                moved,
            ),
            Some(_) if late < self.start => (
                "ProgressDeadlineExceeded",
                false,
                said("has timed out progressing."),
                late,
                late,
            ),
            Some(_) => (
                "ReplicaSetUpdated",
                true,
                said("is progressing."),
                began,
                moved,
            ),
        };
        let (reason, fine, message, since, at) = progressing;
        nonzero(
            json!({
                "replicas": counts.new + counts.old,
                "terminatingReplicas": 0, "updatedReplicas": counts.new, "readyReplicas": counts.serving,
                "availableReplicas": counts.serving, "unavailableReplicas": (counts.new + counts.old) - counts.serving,
                "conditions": [available, condition("Progressing", fine, reason, message, since, at)],
            }),
            &["terminatingReplicas"],
        )
    }

    fn pods_of(
        &mut self,
        service: &Service,
        place: &Place,
        (workload, rollouts, revisions): (&Value, &[Rollout], &[Value]),
    ) -> Result<(), Refusal> {
        let counts = counts(service, place);
        let before = rollouts.len().saturating_sub(2);
        let nodes = if service.kind == Workload::DaemonSet {
            self.scenario.nodes
        } else {
            0
        };
        let groups = [
            (before, 0..counts.old),
            (
                rollouts.len() - 1,
                counts.old..counts.old + counts.new.max(nodes),
            ),
        ];
        for (at, numbers) in groups {
            let group = Group {
                service,
                workload,
                revision: &revisions[at],
                template: &rollouts[at].template,
                version: &rollouts[at].version,
                at: rollouts[at].at,
                stuck: hangs(place)
                    && place
                        .stuck
                        .as_ref()
                        .is_some_and(|stuck| stuck.to == rollouts[at].version),
            };
            for number in numbers {
                self.pod(&group, number)?;
            }
        }
        Ok(())
    }
}

/// Where a rollout with the usual surge and unavailability, or an ordered update, stops when no new pod serves.
pub(super) fn counts(service: &Service, place: &Place) -> Counts {
    let all = place.replicas;
    if let Some(step) = place.stuck.as_ref().and_then(|stuck| stuck.step) {
        return split(service, all, step);
    }
    if place.stuck.is_none() {
        return Counts {
            new: all,
            old: 0,
            serving: all,
        };
    }
    let old = match service.kind {
        Workload::StatefulSet => all.saturating_sub(1),
        _ => all - all / 4,
    };
    let new = match service.kind {
        Workload::StatefulSet => all - old,
        _ => (all + surge(all) - old).min(all),
    };
    Counts {
        new,
        old,
        serving: old,
    }
}

/// As its controller shares the pods out at a step.
fn split(service: &Service, all: u32, step: usize) -> Counts {
    let mut done = service.steps.iter().take(step + 1).rev();
    let weight = done.find_map(|step| step["setWeight"].as_i64());
    let (new, old) = rollout::split(all.into(), weight.unwrap_or(0), surge(all).into());
    let size = |size: i64| u32::try_from(size).unwrap_or(0);
    Counts {
        new: size(new),
        old: size(old),
        serving: size(new + old),
    }
}

/// Its newest pods do not serve.
fn hangs(place: &Place) -> bool {
    place
        .stuck
        .as_ref()
        .is_some_and(|stuck| stuck.step.is_none())
}

/// 25 %, rounded up.
fn surge(replicas: u32) -> u32 {
    replicas.div_ceil(4)
}

fn replica_set_status(pods: u32, ready: u32) -> Value {
    nonzero(
        json!({
            "observedGeneration": 1, "replicas": pods, "fullyLabeledReplicas": pods,
            "readyReplicas": ready, "availableReplicas": ready, "terminatingReplicas": 0,
        }),
        &["replicas", "terminatingReplicas"],
    )
}

/// Counts of zero are left out of a status, as Go does.
pub(super) fn nonzero(mut status: Value, kept: &[&str]) -> Value {
    if let Some(fields) = status.as_object_mut() {
        fields.retain(|key, value| *value != 0 || kept.contains(&key.as_str()));
    }
    status
}

/// The label of a StatefulSet's revision is its whole name.
fn with_name_as_hash(mut revision: Value) -> Value {
    let name = revision["metadata"]["name"].clone();
    set(
        &mut revision,
        &["metadata", "labels", "controller-revision-hash"],
        name,
    );
    revision
}

pub(super) fn owner(value: &Value) -> Value {
    json!({
        "apiVersion": value["apiVersion"], "kind": value["kind"], "name": value["metadata"]["name"],
        "uid": value["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

fn kind(workload: Workload) -> &'static Kind {
    match workload {
        Workload::Deployment => &DEPLOYMENTS,
        Workload::StatefulSet => &STATEFUL_SETS,
        Workload::DaemonSet => &DAEMON_SETS,
        Workload::Rollout => &ROLLOUTS,
    }
}
