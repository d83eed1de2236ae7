//! Deployments, StatefulSets and DaemonSets.

use serde_json::Error;

use super::manager::{manager, spec_written, written_by};
use super::selector::selector;
use super::{
    REASON, action_note, capped, condition, containers, count, created, optional, required,
    template_of,
};
use crate::domain::template::canonical_hash;
use crate::domain::{
    ActionNote, ClusterId, Counts, Kind, Labels, Strategy, TemplateHash, Workload, WorkloadId,
};
use crate::sources::kube::canary::{self, argo};
use crate::sources::kube::wire;

/// # Errors
/// When the object has no name, uid, creation time or pod template, or a field of another type.
pub fn workload(cluster: &ClusterId, kind: Kind, raw: &str) -> Result<Workload, Error> {
    if kind == Kind::Rollout {
        return argo::rollout(cluster, raw);
    }
    let object: wire::Workload<'_> = serde_json::from_str(raw)?;
    let (meta, spec, status) = (&object.metadata, &object.spec, &object.status);
    let bare = bare_workload(cluster, kind, meta, template_of(spec)?)?;
    let revision = meta.annotations.revision.as_ref();
    let mut workload = Workload {
        observed_generation: status.observed_generation.unwrap_or(0),
        selector: selector(&spec.selector)?,
        desired: desired(kind, spec, status),
        first_ordinal: count(spec.ordinals.start),
        counts: counts(kind, status),
        conditions: status.conditions.iter().map(condition).collect(),
        paused: spec.paused,
        strategy: strategy(kind, spec),
        deadline_seconds: deadline(kind, spec),
        min_ready_seconds: count(spec.min_ready_seconds),
        history_limit: spec.revision_history_limit.map(|limit| count(Some(limit))),
        revision: revision.and_then(|n| n.parse().ok()),
        current_revision: optional(status.current_revision.as_ref()),
        update_revision: optional(status.update_revision.as_ref()),
        ..bare
    };
    workload.canary = canary::own(&workload).map(Box::new);
    Ok(workload)
}

/// What every kind tells by its metadata and its pod template.
///
/// # Errors
/// When there is no name, uid or creation time, or the template cannot be read.
pub fn bare_workload(
    cluster: &ClusterId,
    kind: Kind,
    meta: &wire::Meta<'_>,
    raw_template: &str,
) -> Result<Workload, Error> {
    let template: wire::Template<'_> = serde_json::from_str(raw_template)?;
    let version = template.metadata.labels.version();
    let repository = template.metadata.annotations.repository.as_ref();
    let notes = &meta.annotations;
    Ok(Workload {
        id: WorkloadId {
            cluster: cluster.clone(),
            namespace: required(&meta.namespace, "namespace")?.into(),
            kind,
            name: required(&meta.name, "name")?.into(),
        },
        uid: required(&meta.uid, "uid")?.into(),
        created: created(meta)?,
        deleting: meta.deleting(),
        generation: meta.generation.unwrap_or(0),
        observed_generation: 0,
        template: TemplateHash::of(raw_template),
        labels: Labels::new(meta.labels.iter()),
        containers: containers(&template.spec),
        version_label: optional(version.or(meta.labels.version())),
        selector: Box::default(),
        desired: 0,
        first_ordinal: 0,
        counts: Counts::default(),
        conditions: Box::default(),
        paused: false,
        strategy: Strategy::Other(Box::default()),
        deadline_seconds: None,
        min_ready_seconds: 0,
        history_limit: None,
        revision: None,
        current_revision: None,
        update_revision: None,
        manager: manager(meta),
        written_by: written_by(meta),
        spec_written: spec_written(meta),
        action: live_note(notes.action.as_ref(), raw_template),
        turn: live_note(notes.turn.as_ref(), raw_template),
        canary: None,
        job: optional(notes.job.as_ref()),
        repository: optional(repository.or(notes.repository.as_ref())),
    })
}

fn desired(kind: Kind, spec: &wire::WorkloadSpec<'_>, status: &wire::WorkloadStatus<'_>) -> u32 {
    match kind {
        Kind::Deployment | Kind::StatefulSet | Kind::Rollout => {
            count(Some(spec.replicas.unwrap_or(1)))
        }
        Kind::DaemonSet => count(status.desired_number_scheduled),
    }
}

fn counts(kind: Kind, status: &wire::WorkloadStatus<'_>) -> Counts {
    match kind {
        Kind::Deployment | Kind::StatefulSet | Kind::Rollout => Counts {
            total: count(status.replicas),
            updated: count(status.updated_replicas),
            ready: count(status.ready_replicas),
            available: count(status.available_replicas),
            terminating: status.terminating_replicas.map(|n| count(Some(n))),
            misscheduled: 0,
        },
        Kind::DaemonSet => Counts {
            total: count(status.current_number_scheduled),
            updated: count(status.updated_number_scheduled),
            ready: count(status.number_ready),
            available: count(status.number_available),
            terminating: None,
            misscheduled: count(status.number_misscheduled),
        },
    }
}

fn strategy(kind: Kind, spec: &wire::WorkloadSpec<'_>) -> Strategy {
    let wire = match kind {
        Kind::Deployment | Kind::Rollout => spec.strategy.as_ref(),
        Kind::StatefulSet | Kind::DaemonSet => spec.update_strategy.as_ref(),
    };
    match wire.map_or("", |strategy| &*strategy.kind) {
        "" | "RollingUpdate" => Strategy::Rolling {
            max_unavailable: wire.and_then(|s| amount(s.rolling_update.max_unavailable.as_ref())),
            max_surge: wire.and_then(|s| amount(s.rolling_update.max_surge.as_ref())),
            partition: count(wire.and_then(|s| s.rolling_update.partition)),
            ordered: kind == Kind::StatefulSet
                && spec.pod_management_policy.as_deref() != Some("Parallel"),
        },
        "Recreate" => Strategy::Recreate,
        "OnDelete" => Strategy::OnDelete,
        other => Strategy::Other(capped(other, REASON)),
    }
}

pub fn amount(wire: Option<&wire::IntOrText<'_>>) -> Option<Box<str>> {
    Some(match wire? {
        wire::IntOrText::Int(number) => number.to_string().into(),
        wire::IntOrText::Text(text) => capped(text, REASON),
    })
}

/// The greatest 32-bit number is how "no deadline" is written.
fn deadline(kind: Kind, spec: &wire::WorkloadSpec<'_>) -> Option<u32> {
    match kind {
        Kind::Deployment => spec
            .progress_deadline_seconds
            .filter(|seconds| *seconds < i64::from(i32::MAX))
            .map(|seconds| count(Some(seconds))),
        Kind::StatefulSet | Kind::DaemonSet | Kind::Rollout => None,
    }
}

/// The template is hashed only where there is a note, because that costs more than the rest of the row.
fn live_note(annotation: Option<&wire::Text<'_>>, raw_template: &str) -> Option<Box<ActionNote>> {
    let note = action_note(annotation)?;
    let live = canonical_hash(raw_template).ok()?;
    (note.to == live).then_some(note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Container, Manager, Truth};

    const META: &str = r#""name":"web","namespace":"shop","uid":"u1","generation":4,"creationTimestamp":"2026-01-01T00:00:00Z""#;
    const TEMPLATE: &str = r#"{"metadata":{"creationTimestamp":null,"labels":{"app":"web","app.kubernetes.io/version":"2.15.0"}},"spec":{"initContainers":[{"name":"migrate","image":"m:1"},{"name":"mesh","image":"p:1","restartPolicy":"Always"}],"containers":[{"name":"web","image":"shop/web:2.15.0","ports":[{"containerPort":80}]}]}}"#;

    fn read(kind: Kind, meta: &str, spec: &str, status: &str) -> Result<Workload, Error> {
        let raw = format!(
            r#"{{"kind":"{}","metadata":{{{META}{meta}}},"spec":{{"selector":{{"matchLabels":{{"app":"web"}}}},"template":{TEMPLATE}{spec}}},"status":{{{status}}}}}"#,
            kind.name()
        );
        workload(&"c".into(), kind, &raw)
    }

    #[test]
    fn a_deployment_with_everything() {
        let web = read(
            Kind::Deployment,
            r#","deletionTimestamp":"2026-01-02T00:00:00Z","annotations":{"deployment.kubernetes.io/revision":"7","other":"x",
            "kubectl.kubernetes.io/last-applied-configuration":"{}"}"#,
            r#","replicas":6,"paused":true,"progressDeadlineSeconds":600,"minReadySeconds":5,"revisionHistoryLimit":10,
            "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":1}}"#,
            r#""observedGeneration":3,"replicas":8,"updatedReplicas":3,"readyReplicas":5,"availableReplicas":4,"terminatingReplicas":1,
            "conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"m","lastUpdateTime":"2026-01-01T00:10:00Z","lastTransitionTime":"2026-01-01T00:05:00Z"},{"type":"X","status":"??"}]"#,
        )
        .unwrap();
        assert_eq!(web.id.to_string(), "deploy/web");
        assert_eq!((&*web.id.namespace, web.uid.clone()), ("shop", "u1".into()));
        assert!(web.deleting && web.paused);
        assert_eq!((web.generation, web.observed_generation), (4, 3));
        assert_eq!(web.template, TemplateHash::of(TEMPLATE));
        let container = |name: &str, image: &str, init| Container {
            name: name.into(),
            image: image.into(),
            init,
        };
        assert_eq!(
            &*web.containers,
            [
                container("migrate", "m:1", true),
                container("mesh", "p:1", false),
                container("web", "shop/web:2.15.0", false)
            ]
        );
        assert_eq!(web.version_label.as_deref(), Some("2.15.0"));
        assert_eq!(&*web.selector, "app=web");
        assert_eq!(web.desired, 6);
        let counts = Counts {
            total: 8,
            updated: 3,
            ready: 5,
            available: 4,
            terminating: Some(1),
            misscheduled: 0,
        };
        assert_eq!(web.counts, counts);
        let progressing = web.condition("Progressing").unwrap();
        assert_eq!(progressing.status, Truth::False);
        assert_eq!(&*progressing.reason, "ProgressDeadlineExceeded");
        assert_eq!(
            progressing.updated,
            Some("2026-01-01T00:10:00Z".parse().unwrap())
        );
        assert_eq!(web.condition("X").unwrap().status, Truth::Unknown);
        let rolling = Strategy::Rolling {
            max_unavailable: Some("1".into()),
            max_surge: Some("25%".into()),
            partition: 0,
            ordered: false,
        };
        assert_eq!(web.strategy, rolling);
        assert_eq!(
            (web.deadline_seconds, web.min_ready_seconds),
            (Some(600), 5)
        );
        assert_eq!((web.history_limit, web.revision), (Some(10), Some(7)));
        assert_eq!(web.manager, Some(Manager::LastApplied));
    }

    #[test]
    fn labels_are_those_of_the_workload() {
        for (meta, want) in [
            ("", ""),
            (r#","labels":null"#, ""),
            (r#","labels":{}"#, ""),
            (
                r#","labels":{"tier":"front","app":"web"}"#,
                "app=web,tier=front",
            ),
        ] {
            let web = read(Kind::Deployment, meta, "", "").unwrap();
            let pairs = want.split(',').filter_map(|pair| pair.split_once('='));
            assert_eq!(web.labels, Labels::new(pairs), "{meta}");
        }
    }

    #[test]
    fn absent_and_null_are_the_same() {
        let bare = read(Kind::Deployment, "", "", "").unwrap();
        let nulls = read(
            Kind::Deployment,
            r#","labels":null,"annotations":null,"managedFields":null,"ownerReferences":null,"deletionTimestamp":null"#,
            r#","replicas":null,"paused":null,"strategy":null,"progressDeadlineSeconds":null"#,
            r#""conditions":null,"replicas":null"#,
        );
        assert_eq!(bare.desired, 1, "replicas defaults to 1");
        assert!(!bare.deleting);
        assert_eq!(nulls.unwrap(), bare);
    }

    #[test]
    fn no_deadline() {
        let endless = read(
            Kind::Deployment,
            "",
            r#","progressDeadlineSeconds":2147483647"#,
            "",
        );
        assert_eq!(endless.unwrap().deadline_seconds, None);
    }

    #[test]
    fn stateful_sets() {
        let spec = r#","replicas":3,"podManagementPolicy":"OrderedReady","updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":2}}"#;
        let status =
            r#""replicas":3,"readyReplicas":2,"currentRevision":"db-1","updateRevision":"db-2""#;
        let db = read(Kind::StatefulSet, "", spec, status).unwrap();
        let rolling = |partition, ordered| Strategy::Rolling {
            max_unavailable: None,
            max_surge: None,
            partition,
            ordered,
        };
        assert_eq!(db.strategy, rolling(2, true));
        assert_eq!(db.current_revision.as_deref(), Some("db-1"));
        assert_eq!(db.first_ordinal, 0);
        let spec = r#","ordinals":{"start":5}"#;
        let db = read(Kind::StatefulSet, "", spec, "").unwrap();
        assert_eq!(db.first_ordinal, 5);
        let db = read(Kind::StatefulSet, "", r#","ordinals":null"#, status).unwrap();
        assert_eq!(db.first_ordinal, 0);
        assert_eq!(db.update_revision.as_deref(), Some("db-2"));
        for (spec, want) in [
            (
                r#","updateStrategy":{"type":"OnDelete"}"#,
                Strategy::OnDelete,
            ),
            (
                r#","updateStrategy":{"type":"Recreate"}"#,
                Strategy::Recreate,
            ),
            (
                r#","updateStrategy":{"type":"New"}"#,
                Strategy::Other("New".into()),
            ),
            (r#","podManagementPolicy":"Parallel""#, rolling(0, false)),
        ] {
            assert_eq!(
                read(Kind::StatefulSet, "", spec, "").unwrap().strategy,
                want
            );
        }
    }

    #[test]
    fn daemon_sets_count_nodes() {
        let status = r#""desiredNumberScheduled":5,"currentNumberScheduled":4,"updatedNumberScheduled":3,"numberReady":2,"numberAvailable":1,"numberMisscheduled":6"#;
        let agent = read(Kind::DaemonSet, "", "", status).unwrap();
        assert_eq!(agent.desired, 5);
        let counts = Counts {
            total: 4,
            updated: 3,
            ready: 2,
            available: 1,
            terminating: None,
            misscheduled: 6,
        };
        assert_eq!(agent.counts, counts);
    }

    #[test]
    fn a_note_counts_only_while_it_speaks_of_the_live_template() {
        let note = |to: &str| {
            let note = format!(
                r#"{{"id":"1","verb":"rollback","from":"web-2","to":"{to}","by":"me@here","at":"2026-01-01T00:00:00Z"}}"#
            );
            let annotation = serde_json::Value::from(note);
            format!(r#","annotations":{{"rolldeck.dev/action":{annotation}}}"#)
        };
        let live = canonical_hash(TEMPLATE).unwrap();
        for (meta, present) in [
            (note(&live.0), true),
            (note("abc"), false),
            (
                r#","annotations":{"rolldeck.dev/action":"nonsense"}"#.into(),
                false,
            ),
        ] {
            let web = read(Kind::Deployment, &meta, "", "").unwrap();
            assert_eq!(web.action.is_some(), present, "{meta}");
        }
    }

    #[test]
    fn what_is_needed_is_asked_for() {
        for raw in [
            "{}",
            r#"{"metadata":{"name":"w","namespace":"n","uid":"u"},"spec":{"template":{}}}"#,
            r#"{"metadata":{"name":"w","namespace":"n","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"template":{}}}"#,
            r#"{"metadata":{"name":"w","namespace":"n","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z"}}"#,
            r#"{"metadata":{"name":"w","namespace":"n","uid":"u","creationTimestamp":"soon"},"spec":{"template":{}}}"#,
            r#"{"metadata":7}"#,
        ] {
            assert!(
                workload(&"c".into(), Kind::Deployment, raw).is_err(),
                "{raw}"
            );
        }
        let wrong = read(Kind::Deployment, "", r#","replicas":"three""#, "");
        assert!(wrong.is_err(), "a field of another type");
    }
}
