//! Small, well-behaved objects for the tests of this room, to be spoiled by each test in its own way.

use jiff::{SignedDuration, Timestamp};

use super::occurrence::{Difference, Origin, Subject, What, Who, Written};
use super::pod::Ended;
use super::{
    Condition, Container, ContainerState, Counts, Kind, Labels, Occurrence, Pod, Revision, Run,
    Strategy, TemplateHash, Truth, Warning, Workload, WorkloadId,
};

pub const IMAGE: &str = "shop/checkout:2.15.0";
pub const OLD_IMAGE: &str = "shop/checkout:2.14.1";

/// So many seconds before [`now`].
pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

pub fn id(kind: Kind) -> WorkloadId {
    WorkloadId {
        cluster: "prod-eu".into(),
        namespace: "shop".into(),
        kind,
        name: "checkout".into(),
    }
}

/// Six pods, all well, nothing on its way.
pub fn workload(kind: Kind) -> Workload {
    let strategy = Strategy::Rolling {
        max_unavailable: Some("25%".into()),
        max_surge: Some("25%".into()),
        partition: 0,
        ordered: kind == Kind::StatefulSet,
    };
    let deployment = kind == Kind::Deployment;
    let conditions = [
        condition("Available", Truth::True, "MinimumReplicasAvailable"),
        condition("Progressing", Truth::True, "NewReplicaSetAvailable"),
    ];
    Workload {
        id: id(kind),
        uid: "w".into(),
        created: ago(90_000),
        deleting: false,
        generation: 3,
        observed_generation: 3,
        template: TemplateHash::of("template"),
        labels: Labels::default(),
        containers: containers(IMAGE),
        version_label: None,
        selector: "app=checkout".into(),
        desired: 6,
        counts: Counts {
            total: 6,
            updated: 6,
            ready: 6,
            available: 6,
            terminating: None,
            misscheduled: 0,
        },
        conditions: conditions.into_iter().filter(|_| deployment).collect(),
        paused: false,
        strategy,
        deadline_seconds: deployment.then_some(600),
        min_ready_seconds: 0,
        history_limit: Some(10),
        revision: deployment.then_some(42),
        current_revision: (kind == Kind::StatefulSet).then(|| "checkout-new".into()),
        update_revision: (kind == Kind::StatefulSet).then(|| "checkout-new".into()),
        manager: None,
        written_by: Some(("kubectl-set".into(), ago(240))),
        first_ordinal: 0,
        spec_written: None,
        action: None,
        turn: None,
        canary: (kind == Kind::Rollout).then(|| Box::new(super::canary::healthy())),
        job: None,
        repository: None,
    }
}

pub fn condition(kind: &str, status: Truth, reason: &str) -> Condition {
    Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: "".into(),
        updated: Some(ago(200)),
        changed: Some(ago(200)),
    }
}

pub fn containers(image: &str) -> Box<[Container]> {
    [Container {
        name: "web".into(),
        image: image.into(),
        init: false,
    }]
    .into()
}

/// A `ReplicaSet` of the Deployment, or a `ControllerRevision`, whose hash is `hash`.
pub fn revision(kind: Kind, number: u64, hash: &str, image: &str) -> Revision {
    Revision {
        workload: id(kind),
        owner: "w".into(),
        name: format!("checkout-{hash}").into(),
        uid: format!("r-{hash}")[..].into(),
        number,
        former: [].into(),
        created: ago(240),
        containers: containers(image),
        version_label: None,
        commit: None,
        template: TemplateHash::of(hash),
        canonical: None,
        restarted: None,
        pod_hash: hash.into(),
        desired: 0,
        ready: 0,
        available: 0,
        failure: None,
        change_cause: None,
        action: None,
    }
}

/// Ready for long, of the revision `hash`.
pub fn pod(kind: Kind, hash: &str, suffix: &str) -> Pod {
    let (owner, name, revision) = match kind {
        Kind::Deployment | Kind::Rollout => (
            format!("r-{hash}"),
            format!("checkout-{hash}-{suffix}"),
            hash.into(),
        ),
        Kind::StatefulSet => (
            "w".into(),
            format!("checkout-{suffix}"),
            format!("checkout-{hash}"),
        ),
        Kind::DaemonSet => ("w".into(), format!("checkout-{suffix}"), hash.into()),
    };
    Pod {
        workload: id(kind),
        owner: owner[..].into(),
        uid: format!("p-{hash}-{suffix}")[..].into(),
        name: name.into(),
        created: ago(200),
        revision: revision.into(),
        node: Some("node-12".into()),
        phase: "Running".into(),
        reason: None,
        terminating: false,
        ready: true,
        ready_changed: Some(ago(190)),
        unscheduled: None,
        hold: None,
        containers: [container(Run::Running {
            since: Some(ago(195)),
        })]
        .into(),
    }
}

/// Of [`IMAGE`], ready when it runs.
pub fn container(run: Run) -> ContainerState {
    ContainerState {
        name: "web".into(),
        init: false,
        image: IMAGE.into(),
        image_id: "".into(),
        ready: matches!(run, Run::Running { .. }),
        restarts: 0,
        run,
        bounds: crate::domain::usage::Bounds::default(),
        last: None,
    }
}

pub fn waiting(reason: &str, message: &str) -> Run {
    Run::Waiting {
        reason: reason.into(),
        message: message.into(),
    }
}

pub fn ended(reason: &str, exit_code: i32, message: &str) -> Ended {
    Ended {
        reason: reason.into(),
        exit_code,
        signal: None,
        message: message.into(),
        at: Some(ago(30)),
    }
}

/// Half a minute old.
pub fn warning(kind: &str, about: &str, uid: &str, reason: &str, message: &str) -> Warning {
    Warning {
        cluster: "prod-eu".into(),
        namespace: "shop".into(),
        name: format!("{about}.{reason}").into(),
        about_kind: kind.into(),
        about: about.into(),
        about_uid: uid.into(),
        reason: reason.into(),
        message: message.into(),
        count: 1,
        last_seen: ago(30),
    }
}

/// A change of a ConfigMap `name` so many seconds ago, to be spoiled.
pub fn occurrence(what: What, name: &str, seconds: i64) -> Occurrence {
    Occurrence {
        at: ago(seconds),
        inferred: false,
        what,
        subject: Subject {
            cluster: "prod-eu".into(),
            namespace: "shop".into(),
            kind: "cm".into(),
            name: name.into(),
        },
        services: Vec::new(),
        words: "content changed".into(),
        who: Who::Manager("helm".into()),
        known_from: "managedFields",
        origin: Origin::ConfigMaps,
        difference: Difference::Words(Vec::new()),
    }
}

/// The last write of a manager, and the fields that it owns.
pub fn written(manager: &str, seconds: i64, fields: &[&str]) -> Written {
    Written {
        manager: manager.into(),
        at: ago(seconds),
        subresource: "".into(),
        fields: fields.iter().map(|field| (*field).into()).collect(),
    }
}
