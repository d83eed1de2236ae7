//! A workload in the middle of a broken rollout, for tests of everything that needs a plan.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::domain::template::canonical_hash;
use crate::domain::{
    ActionNote, Container, ContainerState, Counts, Fleet, Kind, Labels, Level, Phase, Pod,
    Revision, Run, Strategy, TemplateHash, Verbatim, Workload, WorkloadId,
};
use crate::plan::evidence::Autoscaling;
use crate::plan::{Evidence, FreshRevision, Keeper, Plan, Request, Stamp, Target, Verb};

pub const AT: &str = "2026-01-01T12:00:00Z";

pub fn id() -> WorkloadId {
    WorkloadId {
        cluster: "prod-eu".into(),
        namespace: "shop".into(),
        kind: Kind::Deployment,
        name: "checkout".into(),
    }
}

pub fn template(tag: &str) -> Value {
    json!({"metadata": {"labels": {"app": "checkout"}}, "spec": {"containers": [
        {"name": "web", "image": format!("shop/checkout:{tag}"), "command": ["sh", "-c", "a && b <c>"]}]}})
}

fn containers(tag: &str) -> Box<[Container]> {
    [Container {
        name: "web".into(),
        image: format!("shop/checkout:{tag}").into(),
        init: false,
    }]
    .into()
}

pub fn revision(number: u64, tag: &str, available: u32) -> FreshRevision {
    let mut with_hash = template(tag);
    let hash = format!("h{number}");
    with_hash["metadata"]["labels"]["pod-template-hash"] = Value::from(hash.as_str());
    let raw = with_hash.to_string();
    FreshRevision {
        revision: Revision {
            workload: id(),
            owner: "d1".into(),
            name: format!("checkout-{hash}").into(),
            uid: hash.as_str().into(),
            number,
            former: Box::default(),
            created: AT.parse().unwrap(),
            containers: containers(tag),
            version_label: None,
            commit: None,
            template: TemplateHash::of(&raw),
            canonical: None,
            restarted: None,
            pod_hash: hash.into(),
            desired: available,
            ready: available,
            available,
            failure: None,
            change_cause: None,
            action: None,
        },
        template: Verbatim(raw.into()),
    }
}

/// `from` was rolled back from, to the template with `to`.
pub fn note(from: u64, to: &str) -> Box<ActionNote> {
    Box::new(ActionNote {
        id: "old".into(),
        verb: "rollback".into(),
        from: format!("checkout-h{from}"),
        from_version: "x".into(),
        to: canonical_hash(&template(to).to_string()).unwrap(),
        by: "me@here".into(),
        at: "2026-01-01T10:00:00Z".parse().unwrap(),
        replicas: None,
    })
}

pub fn workload(tag: &str) -> Workload {
    Workload {
        id: id(),
        uid: "d1".into(),
        created: AT.parse().unwrap(),
        deleting: false,
        generation: 7,
        observed_generation: 7,
        template: TemplateHash::of(&template(tag).to_string()),
        labels: Labels::default(),
        containers: containers(tag),
        version_label: None,
        selector: "app=checkout".into(),
        desired: 6,
        counts: Counts {
            total: 7,
            updated: 2,
            ready: 5,
            available: 5,
            terminating: None,
            misscheduled: 0,
        },
        conditions: Box::default(),
        paused: false,
        strategy: Strategy::Rolling {
            max_unavailable: Some("1".into()),
            max_surge: Some("2".into()),
            partition: 0,
            ordered: false,
        },
        deadline_seconds: Some(600),
        min_ready_seconds: 0,
        history_limit: Some(10),
        revision: Some(42),
        canary: None,
        current_revision: None,
        update_revision: None,
        manager: None,
        first_ordinal: 0,
        spec_written: None,
        written_by: Some((
            "kubectl-set".into(),
            "2026-01-01T11:56:00Z".parse().unwrap(),
        )),
        action: None,
        turn: None,
        job: None,
        repository: None,
    }
}

/// 2.15.0 (42) is going out, 2.14.1 (41) still serves.
pub fn evidence() -> Evidence {
    let workload = workload("2.15.0");
    Evidence {
        holds: Vec::new(),
        request: Request {
            verb: Verb::Rollback,
            workload: id(),
            uid: workload.uid.clone(),
            shown: workload.template,
            target: Target::Proposed,
        },
        stamp: Stamp {
            id: "a1b2".into(),
            by: "oncall@bastion".into(),
            at: AT.parse().unwrap(),
        },
        level: Level::Guarded,
        template: Verbatim(template("2.15.0").to_string().into()),
        workload,
        has_annotations: true,
        noted: None,
        turned: None,
        revisions: vec![
            revision(42, "2.15.0", 0),
            revision(41, "2.14.1", 5),
            revision(38, "2.13.0", 0),
        ],
        pods: Vec::new(),
        autoscaling: Autoscaling::None,
        pinned: crate::plan::Pinned::No,
        origin: None,
        repository: None,
        job: None,
        hold_for: 3600,
        keeper: Keeper::None,
        serving: None,
        stable_of: None,
        beside: None,
        has_beside: None,
        helm: crate::plan::Helm::default(),
        presence: None,
        unjudged: None,
        measured: None,
        phase: Phase::Stalled,
        past: Vec::new(),
        ready_for: 30,
        read_at: AT.parse().unwrap(),
    }
}

/// The same in a StatefulSet or a DaemonSet of three: the pod 2 got 2.15.0 and cannot pull it.
pub fn of_kind(kind: Kind) -> Evidence {
    let mut e = evidence();
    e.workload.id.kind = kind;
    e.workload.desired = 3;
    e.workload.counts = Counts {
        total: 3,
        updated: 1,
        ready: 2,
        available: 2,
        terminating: None,
        misscheduled: 0,
    };
    e.workload.strategy = Strategy::Rolling {
        max_unavailable: None,
        max_surge: None,
        partition: 0,
        ordered: kind == Kind::StatefulSet,
    };
    (e.workload.deadline_seconds, e.workload.revision) = (None, None);
    if kind == Kind::StatefulSet {
        e.workload.current_revision = Some("checkout-h41".into());
        e.workload.update_revision = Some("checkout-h42".into());
    }
    e.request.workload = e.workload.id.clone();
    e.revisions = [(42, "2.15.0"), (41, "2.14.1"), (38, "2.13.0")]
        .map(|(number, tag)| controller_revision(kind, number, tag))
        .into();
    e.pods = [(0, 41, "2.14.1"), (1, 41, "2.14.1"), (2, 42, "2.15.0")]
        .map(|(ordinal, number, tag)| pod(&e.workload.id, ordinal, (number, tag)))
        .into();
    fail(&mut e.pods[2]);
    e
}

/// As the API server keeps it: sorted keys, and a `$patch` among them.
pub fn controller_revision(kind: Kind, number: u64, tag: &str) -> FreshRevision {
    let mut fresh = revision(number, tag, 0);
    let mut data = template(tag);
    data["$patch"] = "replace".into();
    let raw = data.to_string();
    let row = &mut fresh.revision;
    row.workload.kind = kind;
    let minutes = i64::try_from(100 - number).unwrap();
    row.created -= SignedDuration::from_mins(minutes);
    row.template = TemplateHash::of(&raw);
    row.canonical = canonical_hash(&raw).ok();
    if kind == Kind::StatefulSet {
        row.pod_hash = row.name.clone();
    }
    fresh.template = Verbatim(raw.into());
    fresh
}

/// Ready for a minute before [`AT`], on a node of its own.
pub fn pod(workload: &WorkloadId, ordinal: u32, (number, tag): (u64, &str)) -> Pod {
    let hash = match workload.kind {
        Kind::StatefulSet => format!("checkout-h{number}"),
        Kind::Deployment | Kind::DaemonSet | Kind::Rollout => format!("h{number}"),
    };
    Pod {
        workload: workload.clone(),
        owner: "d1".into(),
        name: format!("checkout-{ordinal}").into(),
        uid: format!("p{ordinal}-{number}").as_str().into(),
        created: "2026-01-01T11:59:00Z".parse().unwrap(),
        revision: hash.into(),
        node: Some(format!("node-{ordinal}").into()),
        phase: "Running".into(),
        reason: None,
        terminating: false,
        ready: true,
        ready_changed: Some("2026-01-01T11:59:00Z".parse().unwrap()),
        unscheduled: None,
        hold: None,
        containers: [ContainerState {
            name: "web".into(),
            init: false,
            image: format!("shop/checkout:{tag}").into(),
            image_id: "shop/checkout@sha256:77c01d00".into(),
            ready: true,
            restarts: 0,
            run: Run::Running { since: None },
            bounds: crate::domain::usage::Bounds::default(),
            last: None,
        }]
        .into(),
    }
}

/// It cannot pull its image.
pub fn fail(pod: &mut Pod) {
    (pod.ready, pod.phase) = (false, "Pending".into());
    pod.containers[0].ready = false;
    pod.containers[0].run = Run::Waiting {
        reason: "ImagePullBackOff".into(),
        message: "Back-off pulling image: manifest unknown".into(),
    };
}

pub fn plan() -> Plan {
    crate::plan::plan(&Fleet::default(), &evidence(), AT.parse().unwrap()).unwrap()
}
