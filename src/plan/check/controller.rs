//! Whether a controller acts on a Rollout at all: the server takes every write, and without it nothing comes of them.

use jiff::SignedDuration;

use crate::domain::{Fleet, Kind, Workload};
use crate::plan::Evidence;
use crate::text;

use super::{CheckId, Finding, Verdict};

/// One that is well sees a change within a second.
const SEES_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// Nothing to say of other kinds, and of one whose controller shows life.
pub fn verdict(fleet: &Fleet, evidence: &Evidence) -> Option<Verdict> {
    (evidence.workload.id.kind == Kind::Rollout).then_some(())?;
    let why = unseen(evidence).or_else(|| away(fleet, evidence))?;
    Some(Verdict {
        check: CheckId::Controller,
        finding: Finding::Warn,
        sentence: format!("{why}: nothing acts on this until it is back"),
    })
}

/// It has not seen a change that was made long ago.
pub fn unseen(evidence: &Evidence) -> Option<String> {
    let workload = &evidence.workload;
    let (at, now) = (workload.spec_written?, evidence.read_at);
    let late = now.duration_since(at) > SEES_WITHIN;
    let unseen = workload.generation > workload.observed_generation && late;
    unseen.then(|| {
        format!(
            "its controller has not seen the change of {} ago",
            text::age(at, now)
        )
    })
}

/// It runs in the cluster, where that is watched, and none of its pods serves.
fn away(fleet: &Fleet, evidence: &Evidence) -> Option<String> {
    let cluster = &evidence.workload.id.cluster;
    let is_one = |workload: &&Workload| {
        let mut containers = workload.containers.iter();
        workload.id.cluster == *cluster
            && containers.any(|c| {
                crate::domain::image::ImageRef::parse(&c.image)
                    .repository
                    .ends_with("argoproj/argo-rollouts")
            })
    };
    let all: Vec<_> = fleet.workloads().filter(is_one).collect();
    let first = all
        .first()
        .filter(|_| all.iter().all(|one| one.counts.available == 0))?;
    let (id, place) = (&first.id, &first.id.namespace);
    Some(format!("no pod of its controller, {id} in {place}, serves"))
}
