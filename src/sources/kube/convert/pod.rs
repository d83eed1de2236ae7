//! Pods, reduced to what explains a rollout.

use serde_json::Error;

use super::{REASON, capped, containers, count, created, optional, reason_of, required};
use crate::domain::pod::{Ended, Hold, HoldKind};
use crate::domain::template::HASH_LABELS;
use crate::domain::usage::{Bounds, thousandths};
use crate::domain::{Container, ContainerState, Pod, Run, Uid, WorkloadId};
use crate::sources::kube::wire;

/// A pod without a controller has an empty `owner`, which is nobody's.
///
/// # Errors
/// When the object has no name, uid or creation time, or a field of another type.
pub fn pod(workload: &WorkloadId, raw: &str) -> Result<Pod, Error> {
    let object: wire::Pod<'_> = serde_json::from_str(raw)?;
    let (meta, status) = (&object.metadata, &object.status);
    let labels = &meta.labels;
    let [of_deployment, of_rollout] = HASH_LABELS;
    let keys = [of_deployment, of_rollout, "controller-revision-hash"];
    let revision = keys.into_iter().find_map(|key| labels.get(key));
    let condition = |kind: &str| status.conditions.iter().find(|c| &*c.kind == kind);
    let ready = condition("Ready");
    Ok(Pod {
        workload: workload.clone(),
        owner: meta
            .controller()
            .map(|owner| owner.uid[..].into())
            .unwrap_or_default(),
        name: required(&meta.name, "name")?.into(),
        uid: required(&meta.uid, "uid")?.into(),
        created: created(meta)?,
        revision: optional(revision).unwrap_or_default(),
        node: optional(object.spec.node_name.as_ref()),
        phase: capped(&status.phase, REASON),
        reason: (!status.reason.is_empty()).then(|| reason_of(&status.reason, &status.message)),
        terminating: meta.deleting(),
        ready: ready.is_some_and(|c| &*c.status == "True"),
        ready_changed: ready.and_then(|c| c.last_transition_time),
        unscheduled: condition("PodScheduled")
            .filter(|c| &*c.status == "False")
            .map(|c| reason_of(&c.reason, &c.message)),
        hold: hold(status),
        containers: containers(&object.spec)
            .into_iter()
            .map(|container| {
                let bounds = bounds(&object.spec, &container.name);
                state(container, bounds, status)
            })
            .collect(),
    })
}

/// What the deletion of a pod hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub uid: Uid,
    /// `metadata.resourceVersion`.
    pub version: Box<str>,
    pub terminating: bool,
    pub ready: bool,
}

/// # Errors
/// When the object has no uid or resource version, or a field of another type.
pub fn seen(raw: &str) -> Result<Seen, Error> {
    let object: wire::Pod<'_> = serde_json::from_str(raw)?;
    let meta = &object.metadata;
    let mut conditions = object.status.conditions.iter();
    Ok(Seen {
        uid: required(&meta.uid, "uid")?.into(),
        version: required(&meta.resource_version, "resourceVersion")?.into(),
        terminating: meta.deleting(),
        ready: conditions.any(|c| &*c.kind == "Ready" && &*c.status == "True"),
    })
}

fn hold(status: &wire::PodStatus<'_>) -> Option<Hold> {
    let of = |c: &wire::Condition<'_>| match (&*c.kind, &*c.status, &*c.reason) {
        ("DisruptionTarget", "True", _) => Some(HoldKind::Disruption),
        ("AllContainersRestarting", "True", _) => Some(HoldKind::RestartingAll),
        ("PodResizePending", "True", _) => Some(HoldKind::ResizePending),
        ("Ready", "False", "ReadinessGatesNotReady") => Some(HoldKind::ReadinessGate),
        _ => None,
    };
    status.conditions.iter().find_map(|condition| {
        let kind = of(condition)?;
        let (reason, message) = reason_of(&condition.reason, &condition.message);
        Some(Hold {
            kind,
            reason,
            message,
        })
    })
}

/// A quantity that cannot be read bounds nothing that we know of.
fn bounds(spec: &wire::PodSpec<'_>, name: &str) -> Bounds {
    let mut all = spec.init_containers.iter().chain(&spec.containers);
    let found = all.find(|container| *container.name == *name);
    let Some(resources) = found.and_then(|container| container.resources.as_ref()) else {
        return Bounds::default();
    };
    let cpu = |of: &wire::Quantities<'_>| of.cpu.as_deref().and_then(thousandths);
    let memory = |of: &wire::Quantities<'_>| {
        let bytes = of.memory.as_deref().and_then(thousandths);
        bytes.map(|thousandths| thousandths / 1000)
    };
    Bounds {
        requested_cpu: cpu(&resources.requests),
        requested_memory: memory(&resources.requests),
        cpu_limit: cpu(&resources.limits),
        memory_limit: memory(&resources.limits),
    }
}

fn state(container: Container, bounds: Bounds, status: &wire::PodStatus<'_>) -> ContainerState {
    // Names are unique over both lists, and a sidecar's status stands among the init containers'.
    let mut all = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses);
    let found = all.find(|status| *status.name == *container.name);
    ContainerState {
        name: container.name,
        init: container.init,
        image: container.image,
        image_id: found.map(|s| s.image_id[..].into()).unwrap_or_default(),
        ready: found.is_some_and(|s| s.ready),
        bounds,
        restarts: count(found.and_then(|s| s.restart_count)),
        run: found.map_or(Run::Unknown, |s| run(&s.state)),
        last: found
            .and_then(|s| s.last_state.terminated.as_ref())
            .map(|end| Box::new(ended(end))),
    }
}

fn run(state: &wire::ContainerState<'_>) -> Run {
    if let Some(waiting) = &state.waiting {
        let (reason, message) = reason_of(&waiting.reason, &waiting.message);
        return Run::Waiting { reason, message };
    }
    if let Some(running) = &state.running {
        return Run::Running {
            since: running.started_at,
        };
    }
    state
        .terminated
        .as_ref()
        .map_or(Run::Unknown, |end| Run::Ended(Box::new(ended(end))))
}

fn ended(wire: &wire::Terminated<'_>) -> Ended {
    let (reason, message) = reason_of(&wire.reason, &wire.message);
    Ended {
        reason,
        exit_code: wire.exit_code,
        signal: wire.signal,
        message,
        at: wire.finished_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;

    fn read(spec: &str, status: &str) -> Pod {
        let raw = format!(
            r#"{{"metadata":{{"name":"web-1","namespace":"shop","uid":"p1","creationTimestamp":"2026-01-01T00:00:00Z",
            "labels":{{"pod-template-hash":"7d9f"}},"ownerReferences":[{{"kind":"ReplicaSet","name":"web-7d9f","uid":"r1","controller":true}}]}},
            "spec":{{{spec}}},"status":{{{status}}}}}"#
        );
        let workload = WorkloadId {
            cluster: "c".into(),
            namespace: "shop".into(),
            kind: Kind::Deployment,
            name: "web".into(),
        };
        pod(&workload, &raw).unwrap()
    }

    #[test]
    fn it_names_its_revision_by_the_label_of_its_controller() {
        for label in [
            "pod-template-hash",
            "rollouts-pod-template-hash",
            "controller-revision-hash",
        ] {
            let raw = format!(
                r#"{{"metadata":{{"name":"web-x","namespace":"shop","uid":"p","creationTimestamp":"2026-01-01T00:00:00Z","labels":{{"{label}":"6b"}}}}}}"#
            );
            let workload = WorkloadId {
                cluster: "c".into(),
                namespace: "shop".into(),
                kind: Kind::Rollout,
                name: "web".into(),
            };
            assert_eq!(&*pod(&workload, &raw).unwrap().revision, "6b", "{label}");
        }
    }

    #[test]
    fn a_pod_in_a_crash_loop() {
        let pod = read(
            r#""nodeName":"node-3","containers":[{"name":"web","image":"web:2"}],
            "initContainers":[{"name":"mesh","image":"mesh:1","restartPolicy":"Always"},{"name":"wait","image":"w:1"}]"#,
            r#""phase":"Running","conditions":[{"type":"Ready","status":"False","lastTransitionTime":"2026-01-01T00:01:00Z"}],
            "initContainerStatuses":[{"name":"mesh","ready":true,"restartCount":1,"imageID":"mesh@sha256:aa","state":{"running":{"startedAt":"2026-01-01T00:00:10Z"}}},
                {"name":"wait","state":{"terminated":{"exitCode":0,"reason":"Completed","finishedAt":"2026-01-01T00:00:20Z"}}}],
            "containerStatuses":[{"name":"web","restartCount":14,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off"}},
                "lastState":{"terminated":{"exitCode":137,"signal":9,"reason":"OOMKilled"}}}]"#,
        );
        assert_eq!((&*pod.revision, pod.owner.clone()), ("7d9f", "r1".into()));
        assert_eq!(pod.node.as_deref(), Some("node-3"));
        assert!(!pod.ready && !pod.terminating);
        assert_eq!(
            pod.ready_changed,
            Some("2026-01-01T00:01:00Z".parse().unwrap())
        );
        assert_eq!(pod.restarts(), 15);
        let [mesh, wait, web] = &*pod.containers else {
            panic!("three containers")
        };
        assert!(!mesh.init && mesh.ready, "a sidecar counts as a container");
        assert_eq!(&*mesh.image_id, "mesh@sha256:aa");
        assert!(matches!(mesh.run, Run::Running { since: Some(_) }));
        assert!(wait.init);
        assert!(matches!(&wait.run, Run::Ended(end) if &*end.reason == "Completed"));
        assert!(matches!(&web.run, Run::Waiting { reason, .. } if &**reason == "CrashLoopBackOff"));
        let last = web.last.as_ref().unwrap();
        assert_eq!(
            (&*last.reason, last.exit_code, last.signal),
            ("OOMKilled", 137, Some(9))
        );
    }

    #[test]
    fn a_pod_that_found_no_node_and_one_that_was_evicted() {
        let pending = read(
            r#""containers":[{"name":"web","image":"web:2"}]"#,
            r#""phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes"}]"#,
        );
        assert_eq!(
            pending.unscheduled,
            Some(("Unschedulable".into(), "0/3 nodes".into()))
        );
        assert_eq!(pending.containers[0].run, Run::Unknown);
        assert_eq!(pending.node, None);
        for (condition, kind) in [
            (
                r#""DisruptionTarget","status":"True","reason":"PreemptionByScheduler""#,
                Some(HoldKind::Disruption),
            ),
            (
                r#""AllContainersRestarting","status":"True""#,
                Some(HoldKind::RestartingAll),
            ),
            (
                r#""PodResizePending","status":"True","reason":"Infeasible""#,
                Some(HoldKind::ResizePending),
            ),
            (
                r#""Ready","status":"False","reason":"ReadinessGatesNotReady""#,
                Some(HoldKind::ReadinessGate),
            ),
            (
                r#""Ready","status":"False","reason":"ContainersNotReady""#,
                None,
            ),
            (r#""PodResizePending","status":"False""#, None),
        ] {
            let pod = read("", &format!(r#""conditions":[{{"type":{condition}}}]"#));
            assert_eq!(pod.hold.map(|hold| hold.kind), kind, "{condition}");
        }
        let evicted = read(
            "",
            r#""phase":"Failed","reason":"Evicted","message":"disk""#,
        );
        assert_eq!(evicted.reason, Some(("Evicted".into(), "disk".into())));
    }
}
