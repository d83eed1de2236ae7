//! Revisions: ReplicaSets of Deployments and of Argo Rollouts, ControllerRevisions of StatefulSets and DaemonSets.

use serde::de::Error as _;
use serde_json::Error;

use super::{
    action_note, condition, containers, count, created, optional, raw_template, required,
    template_of,
};
use crate::domain::template::canonical_hash;
use crate::domain::{ClusterId, Kind, Revision, TemplateHash, Truth, WorkloadId};
use crate::sources::kube::wire;

/// `None` when its controller is no workload that is followed, or nobody.
///
/// # Errors
/// When the object has no name, uid, creation time or pod template, or a field of another type.
pub fn replica_set(cluster: &ClusterId, raw: &str) -> Result<Option<Revision>, Error> {
    let object: wire::Workload<'_> = serde_json::from_str(raw)?;
    let (meta, spec, status) = (&object.metadata, &object.spec, &object.status);
    let (Some(owner), Some(workload)) = (meta.controller(), owner(cluster, meta)) else {
        return Ok(None);
    };
    let failure = status.conditions.iter().map(condition);
    let mut failure = failure.filter(|c| &*c.kind == "ReplicaFailure" && c.status == Truth::True);
    let notes = &meta.annotations;
    let (hash, number_now, history) = match workload.kind {
        Kind::Rollout => (
            "rollouts-pod-template-hash",
            &notes.rollout_revision,
            &notes.rollout_revision_history,
        ),
        _ => (
            "pod-template-hash",
            &notes.revision,
            &notes.revision_history,
        ),
    };
    let hash = optional(meta.labels.get(hash));
    Ok(Some(Revision {
        number: number(number_now.as_deref()),
        former: former(history.as_deref()),
        pod_hash: hash.unwrap_or_default(),
        desired: count(Some(spec.replicas.unwrap_or(1))),
        ready: count(status.ready_replicas),
        available: count(status.available_replicas),
        failure: failure.next().map(Box::new),
        ..bare(workload, &owner.uid, meta, template_of(spec)?)?
    }))
}

/// `None` when its controller is not `workload`.
///
/// # Errors
/// When the object has no name, uid, creation time or pod template, or a field of another type.
pub fn controller_revision(workload: &WorkloadId, raw: &str) -> Result<Option<Revision>, Error> {
    let object: wire::ControllerRevision<'_> = serde_json::from_str(raw)?;
    let meta = &object.metadata;
    let ours = |owner: &&wire::Owner<'_>| {
        *owner.kind == *workload.kind.name() && *owner.name == *workload.name
    };
    let Some(owner) = meta.controller().filter(ours) else {
        return Ok(None);
    };
    let template = object.data.spec.template;
    let template = template.ok_or_else(|| Error::custom("data.spec.template is missing"))?;
    let pod_hash = match workload.kind {
        // The pods carry the hash label of a DaemonSet's revision, but the full name of a StatefulSet's.
        Kind::DaemonSet => {
            optional(meta.labels.get("controller-revision-hash")).unwrap_or_default()
        }
        Kind::StatefulSet | Kind::Deployment | Kind::Rollout => meta.name[..].into(),
    };
    Ok(Some(Revision {
        number: u64::try_from(object.revision.unwrap_or(0)).unwrap_or(0),
        pod_hash,
        // There are few of them: only those of services that are looked at are listed.
        canonical: canonical_hash(template.get()).ok(),
        ..bare(workload.clone(), &owner.uid, meta, template.get())?
    }))
}

/// The exact bytes of a revision's pod template, in the shape that its kind keeps: beside a hash label, or as a patch.
///
/// # Errors
/// When the object has none.
pub fn revision_template(kind: Kind, raw: &str) -> Result<&str, Error> {
    match kind {
        Kind::Deployment | Kind::Rollout => raw_template(raw),
        Kind::StatefulSet | Kind::DaemonSet => {
            let object: wire::ControllerRevision<'_> = serde_json::from_str(raw)?;
            let template = object
                .data
                .spec
                .template
                .map(serde_json::value::RawValue::get);
            template.ok_or_else(|| Error::custom("data.spec.template is missing"))
        }
    }
}

/// The revision objects of one workload are of the kind that its own kind keeps.
///
/// # Errors
/// When the object has no name, uid, creation time or pod template, or a field of another type.
pub fn revision(workload: &WorkloadId, raw: &str) -> Result<Option<Revision>, Error> {
    match workload.kind {
        Kind::Deployment | Kind::Rollout => {
            let revision = replica_set(&workload.cluster, raw)?;
            Ok(revision.filter(|revision| revision.workload == *workload))
        }
        Kind::StatefulSet | Kind::DaemonSet => controller_revision(workload, raw),
    }
}

/// What controls a ReplicaSet.
pub(super) fn owner(cluster: &ClusterId, meta: &wire::Meta<'_>) -> Option<WorkloadId> {
    let owner = meta.controller()?;
    let kind = [Kind::Deployment, Kind::Rollout]
        .into_iter()
        .find(|kind| *owner.kind == *kind.name())?;
    Some(WorkloadId {
        cluster: cluster.clone(),
        namespace: meta.namespace[..].into(),
        kind,
        name: owner.name[..].into(),
    })
}

/// What both kinds of revision have.
fn bare(
    workload: WorkloadId,
    owner: &str,
    meta: &wire::Meta<'_>,
    raw_template: &str,
) -> Result<Revision, Error> {
    let template: wire::Template<'_> = serde_json::from_str(raw_template)?;
    Ok(Revision {
        workload,
        owner: owner.into(),
        name: required(&meta.name, "name")?.into(),
        uid: required(&meta.uid, "uid")?.into(),
        number: 0,
        former: Box::default(),
        created: created(meta)?,
        containers: containers(&template.spec),
        version_label: optional(template.metadata.labels.version()),
        commit: optional(template.metadata.annotations.commit.as_ref()),
        template: TemplateHash::of(raw_template),
        canonical: None,
        restarted: optional(template.metadata.annotations.restarted_at.as_ref()),
        pod_hash: Box::default(),
        desired: 0,
        ready: 0,
        available: 0,
        failure: None,
        change_cause: optional(meta.annotations.change_cause.as_ref()),
        action: action_note(meta.annotations.action.as_ref()),
    })
}

fn number(annotation: Option<&str>) -> u64 {
    annotation.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// `3,5`: the controller appends the number that it replaces.
fn former(annotation: Option<&str>) -> Box<[u64]> {
    let numbers = annotation.unwrap_or_default().split(',');
    numbers.filter_map(|n| n.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"{"metadata":{"labels":{"app":"web","pod-template-hash":"7d9f","app.kubernetes.io/version":"2"}},"spec":{"containers":[{"name":"web","image":"web:2"}]}}"#;

    fn replica_set_of(owner: &str, annotations: &str, status: &str) -> String {
        format!(
            r#"{{"metadata":{{"name":"web-7d9f","namespace":"shop","uid":"r1","creationTimestamp":"2026-01-01T00:00:00Z",
            "labels":{{"pod-template-hash":"7d9f"}},"annotations":{{{annotations}}},
            "ownerReferences":[{{"kind":"{owner}","name":"web","uid":"d1","controller":true}}]}},
            "spec":{{"replicas":3,"template":{TEMPLATE}}},"status":{{{status}}}}}"#
        )
    }

    #[test]
    fn a_replica_set_of_a_deployment() {
        let note = serde_json::Value::from(
            r#"{"id":"1","verb":"rollback","from":"x","to":"h","by":"b","at":"2026-01-01T00:00:00Z"}"#,
        );
        let annotations = format!(
            r#""deployment.kubernetes.io/revision":"7","deployment.kubernetes.io/revision-history":"3,5","kubernetes.io/change-cause":"why","rolldeck.dev/action":{note}"#
        );
        let status = r#""replicas":3,"readyReplicas":2,"availableReplicas":1,"conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":"exceeded quota"}]"#;
        let raw = replica_set_of("Deployment", &annotations, status);
        let web = replica_set(&"c".into(), &raw).unwrap().unwrap();
        assert_eq!(web.workload.to_string(), "deploy/web");
        assert_eq!(
            (web.owner.clone(), web.uid.clone()),
            ("d1".into(), "r1".into())
        );
        assert_eq!(web.label(), "rev 7, was 3, 5");
        assert_eq!(web.template, TemplateHash::of(TEMPLATE));
        assert_eq!(&*web.pod_hash, "7d9f");
        assert_eq!((web.desired, web.ready, web.available), (3, 2, 1));
        assert_eq!(web.version_label.as_deref(), Some("2"));
        assert_eq!(&*web.containers[0].image, "web:2");
        assert_eq!(&*web.failure.unwrap().reason, "FailedCreate");
        assert_eq!(web.change_cause.as_deref(), Some("why"));
        assert_eq!(&*web.action.unwrap().by, "b");
    }

    #[test]
    fn others_replica_sets_are_left_out() {
        for owner in ["Other", ""] {
            let raw = replica_set_of(owner, "", "");
            assert_eq!(replica_set(&"c".into(), &raw).unwrap(), None, "{owner}");
        }
        let orphan = r#"{"metadata":{"name":"x"}}"#;
        assert_eq!(replica_set(&"c".into(), orphan).unwrap(), None);
        let other = WorkloadId {
            cluster: "c".into(),
            namespace: "shop".into(),
            kind: Kind::Deployment,
            name: "webshop".into(),
        };
        let raw = replica_set_of("Deployment", "", "");
        assert_eq!(
            revision(&other, &raw).unwrap(),
            None,
            "the selector matched another's"
        );
    }

    #[test]
    fn pods_name_the_revision_by_kind() {
        for (kind, pod_hash) in [(Kind::StatefulSet, "db-6b"), (Kind::DaemonSet, "6b")] {
            let raw = format!(
                r#"{{"metadata":{{"name":"db-6b","namespace":"shop","uid":"c1","creationTimestamp":"2026-01-01T00:00:00Z",
                "labels":{{"controller-revision-hash":"6b"}},
                "ownerReferences":[{{"kind":"{}","name":"db","uid":"s1","controller":true}}]}},
                "revision":4,"data":{{"spec":{{"template":{TEMPLATE}}}}}}}"#,
                kind.name()
            );
            let db = |name: &str| WorkloadId {
                cluster: "c".into(),
                namespace: "shop".into(),
                kind,
                name: name.into(),
            };
            let revision = controller_revision(&db("db"), &raw).unwrap().unwrap();
            assert_eq!(&*revision.pod_hash, pod_hash, "{kind:?}");
            assert_eq!((revision.number, revision.owner), (4, "s1".into()));
            assert_eq!(revision.template, TemplateHash::of(TEMPLATE));
            assert_eq!(revision_template(kind, &raw).unwrap(), TEMPLATE);
            assert_eq!(revision.canonical, canonical_hash(TEMPLATE).ok());
            assert_eq!(controller_revision(&db("db2"), &raw).unwrap(), None);
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(number(Some("nonsense")), 0);
        assert_eq!(*former(Some("3, 5,x")), [3, 5]);
        assert!(former(None).is_empty());
    }
}
