//! What an object tells of its past, as lines of "what changed".

mod autoscaler;
mod event;
mod git;
mod node;
mod settings;
#[cfg(test)]
mod tests;
mod trace;

use jiff::{SignedDuration, Timestamp};
use serde_json::Error;

use super::{REASON, capped, controller_revision, replica_set};
use crate::domain::occurrence::{Difference, Gathered, Origin, Subject, What, Who, Written};
use crate::domain::{ClusterId, Kind, Occurrence, WorkloadId};
use crate::sources::kube::wire::{Object, Owner, TrackedMeta};

/// Names of fields kept of one write.
const FIELDS: usize = 40;
/// A write within this of the creation is part of it.
const TOGETHER: SignedDuration = SignedDuration::from_secs(2);

/// Adds what one object of a list tells that happened at `since` or later; revisions of any age, because what came
/// before a change may be old.
///
/// # Errors
/// When the object cannot be read: it costs its own lines and no others.
pub fn occurrences(
    (cluster, origin): (&ClusterId, Origin),
    raw: &str,
    since: Timestamp,
    into: &mut Gathered,
) -> Result<(), Error> {
    let before = into.others.len();
    match origin {
        Origin::Workloads(kind) => into.traces.push(trace::trace(cluster, kind, raw)?),
        Origin::ReplicaSets => into.revisions.extend(replica_set(cluster, raw)?),
        Origin::ControllerRevisions => {
            if let Some(id) = owner(cluster, raw)? {
                into.revisions.extend(controller_revision(&id, raw)?);
            }
        }
        Origin::ConfigMaps => settings::config_map(cluster, raw, &mut into.others)?,
        Origin::Secrets => settings::secret(cluster, raw, &mut into.others)?,
        Origin::Autoscalers => autoscaler::autoscaler(cluster, raw, &mut into.others)?,
        Origin::Nodes => node::node(cluster, raw, &mut into.others)?,
        Origin::Events => event::event(cluster, raw, into)?,
        Origin::ArgoCd | Origin::Kustomizations | Origin::HelmReleases => {
            git::git(cluster, origin, raw, &mut into.others)?;
        }
        Origin::Record | Origin::Session => {}
    }
    let old = into.others.split_off(before);
    into.others
        .extend(old.into_iter().filter(|o| o.at >= since));
    Ok(())
}

/// The StatefulSet or DaemonSet that controls a ControllerRevision.
fn owner(cluster: &ClusterId, raw: &str) -> Result<Option<WorkloadId>, Error> {
    let object: Object<'_> = serde_json::from_str(raw)?;
    let meta = &object.metadata;
    let kind = |owner: &Owner<'_>| Kind::ALL.into_iter().find(|k| k.name() == &*owner.kind);
    Ok(meta.controller().and_then(|owner| {
        Some(WorkloadId {
            cluster: cluster.clone(),
            namespace: meta.namespace[..].into(),
            kind: kind(owner)?,
            name: owner.name[..].into(),
        })
    }))
}

/// Every write of anything but the status.
fn writes(meta: &TrackedMeta<'_>) -> Vec<Written> {
    let writes = meta.managed_fields.iter();
    let writes = writes.filter(|write| &*write.subresource != "status");
    let written = writes.filter_map(|write| {
        Some(Written {
            manager: capped(&write.manager, REASON),
            at: write.time?,
            subresource: write.subresource[..].into(),
            fields: write.names(FIELDS),
        })
    });
    written.collect()
}

/// An occurrence to be completed.
fn line(cluster: &ClusterId, meta: (&str, &str), kind: &str, origin: Origin) -> Occurrence {
    let (namespace, name) = meta;
    Occurrence {
        at: Timestamp::MIN,
        inferred: false,
        what: What::Spec,
        subject: Subject {
            cluster: cluster.clone(),
            namespace: namespace.into(),
            kind: kind.into(),
            name: name.into(),
        },
        services: Vec::new(),
        words: String::new(),
        who: Who::Unknown,
        known_from: "managedFields",
        origin,
        difference: Difference::Words(Vec::new()),
    }
}

/// The workload that a reference of another object names.
fn workload(
    cluster: &ClusterId,
    namespace: &str,
    (kind, name): (&str, &str),
) -> Option<WorkloadId> {
    let kind = Kind::ALL.into_iter().find(|k| k.name() == kind)?;
    Some(WorkloadId {
        cluster: cluster.clone(),
        namespace: namespace.into(),
        kind,
        name: name.into(),
    })
}
