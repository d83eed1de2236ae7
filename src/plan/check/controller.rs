//! Whether a controller acts on a canary at all: the server takes every write, and without it nothing comes of them.

use jiff::SignedDuration;

use crate::domain::{Fleet, Kind, Workload};
use crate::plan::Evidence;
use crate::text;

use super::{CheckId, Finding, Verdict};

/// One that is well sees a change within a second.
const SEES_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// Nothing to say of other kinds, and of one whose controller shows life.
pub fn verdict(fleet: &Fleet, evidence: &Evidence) -> Option<Verdict> {
    let why = match (provider(&evidence.workload)?, &evidence.workload.id.kind) {
        (image, Kind::Rollout) => unseen(evidence).or_else(|| away(fleet, evidence, image)),
        // Of the workload itself another controller sees the change.
        (image, _) => away(fleet, evidence, image),
    }?;
    Some(Verdict {
        check: CheckId::Controller,
        finding: Finding::Warn,
        sentence: format!("{why}: nothing acts on this until it is back"),
    })
}

/// What the images of its controller end in.
fn provider(workload: &Workload) -> Option<&'static str> {
    if workload.id.kind == Kind::Rollout {
        return Some("argoproj/argo-rollouts");
    }
    let canary = workload.canary.as_ref()?;
    canary.flagger.is_some().then_some("fluxcd/flagger")
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
fn away(fleet: &Fleet, evidence: &Evidence, image: &str) -> Option<String> {
    let cluster = &evidence.workload.id.cluster;
    let is_one = |workload: &&Workload| {
        let mut containers = workload.containers.iter();
        workload.id.cluster == *cluster
            && containers.any(|c| {
                crate::domain::image::ImageRef::parse(&c.image)
                    .repository
                    .ends_with(image)
            })
    };
    let all: Vec<_> = fleet.workloads().filter(is_one).collect();
    let first = all
        .first()
        .filter(|_| all.iter().all(|one| one.counts.available == 0))?;
    let (id, place) = (&first.id, &first.id.namespace);
    Some(format!("no pod of its controller, {id} in {place}, serves"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Change, Feed, Item, SourceId};
    use crate::plan::verbs::rollback::sample;

    fn rollout() -> Evidence {
        let mut evidence = sample::evidence();
        evidence.workload.id.kind = Kind::Rollout;
        evidence
    }

    /// With a controller of so many pods that serve.
    fn fleet(serve: &[u32]) -> Fleet {
        let mut fleet = Fleet::default();
        let source = SourceId {
            cluster: rollout().workload.id.cluster,
            namespace: None,
            feed: Feed::Workloads(Kind::Deployment),
        };
        for (n, serve) in serve.iter().enumerate() {
            let mut one = sample::workload("1");
            one.id.name = format!("argo-rollouts-{n}").into();
            one.containers[0].image = "quay.io/argoproj/argo-rollouts:v1.10.1".into();
            one.counts.available = *serve;
            fleet.apply(&source, Change::Put(Item::Workload(Box::new(one))));
        }
        fleet
    }

    #[test]
    fn one_that_serves_is_enough_and_one_that_is_not_seen_says_nothing() {
        let said = |serve: &[u32]| verdict(&fleet(serve), &rollout()).map(|v| v.sentence);
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[0, 1]), None);
        let words = said(&[0]).unwrap();
        assert!(
            words.starts_with("no pod of its controller, deploy/argo-rollouts-0"),
            "{words}"
        );
        assert_eq!(
            verdict(&fleet(&[0]), &sample::evidence()),
            None,
            "a Deployment"
        );
        let mut moved = sample::evidence();
        let canary = crate::domain::canary::flagger::sample;
        moved.workload.canary = Some(Box::new(canary(
            crate::domain::canary::flagger::Phase::Progressing,
        )));
        assert_eq!(verdict(&fleet(&[0]), &moved), None, "of another controller");
    }

    #[test]
    fn what_was_not_seen_for_long_is_told() {
        let mut late = rollout();
        late.workload.generation += 1;
        for (seconds, told) in [(5, false), (300, true)] {
            let at = late.read_at - SignedDuration::from_secs(seconds);
            late.workload.spec_written = Some(at);
            assert_eq!(verdict(&Fleet::default(), &late).is_some(), told);
        }
    }
}
