//! The two sides of a canary: whose pods each of them is, and where nothing tells them apart.

use jiff::Timestamp;

use crate::domain::canary::flagger::Phase;
use crate::domain::canary::{Canary, Provider};
use crate::domain::{Kind, Pod, Revision, Workload, revision};

/// The two sides of a canary, which share its traffic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sides {
    pub canary: Side,
    pub stable: Side,
}

/// Whose pods one side is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    pub workload: Box<str>,
    /// As the label of its pods has it, where all of them are of one revision.
    pub hash: Option<Box<str>>,
    pub pods: Pods,
}

/// How its pods are named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pods {
    /// After the workload, the hash and random letters.
    OfReplicaSet,
    /// After the workload and random letters.
    OfDaemonSet,
    /// After the workload and one of these numbers.
    Numbered(Box<[u32]>),
}

impl Sides {
    /// `None` when the workload has not two sides that share the traffic; an error is why nothing tells them apart.
    /// `since`: what is measured begins there.
    pub fn of<'a>(
        workload: &Workload,
        revisions: impl Iterator<Item = &'a Revision> + Clone,
        pods: impl IntoIterator<Item = &'a Pod>,
        since: Timestamp,
    ) -> Option<Result<Self, String>> {
        let canary = workload.canary.as_deref().filter(|one| is_shared(one))?;
        Some(match canary.provider {
            Provider::ArgoRollouts => Ok(Self {
                canary: Side::of_revision(workload, &canary.current),
                stable: Side::of_revision(workload, &canary.stable),
            }),
            Provider::Flagger | Provider::Pair => Ok(beside(workload, canary, revisions)),
            Provider::PausedDeployment => half_way(workload, revisions),
            Provider::Partition => {
                let own = |pod: &&Pod| pod.owner == workload.uid && !pod.terminating;
                let pods: Vec<_> = pods.into_iter().filter(own).collect();
                by_number(workload, canary, &pods, since)
            }
        })
    }
}

impl Side {
    /// The pods of one ReplicaSet.
    fn of_revision(workload: &Workload, hash: &str) -> Self {
        Self {
            workload: workload.id.name.clone(),
            hash: Some(hash.into()),
            pods: Pods::OfReplicaSet,
        }
    }
}

fn is_shared(canary: &Canary) -> bool {
    let phase = canary.flagger.as_ref().map(|flagger| flagger.phase);
    // Then both run the new template.
    let is_past = phase.is_some_and(Phase::is_past_analysis);
    canary.is_partial() && !canary.aborted && !is_past
}

/// All pods of the other workload are the stable side. Of its own only those of its newest revision are the canary, where
/// that is known.
fn beside<'a>(
    workload: &Workload,
    canary: &Canary,
    revisions: impl Iterator<Item = &'a Revision> + Clone,
) -> Sides {
    let pods = match workload.id.kind {
        Kind::DaemonSet => Pods::OfDaemonSet,
        Kind::Deployment | Kind::StatefulSet | Kind::Rollout => Pods::OfReplicaSet,
    };
    // The names of a DaemonSet's pods do not tell their revision.
    let is_told = pods == Pods::OfReplicaSet;
    let newest = revision::current_among(workload, revisions).filter(|_| is_told);
    let side = |name: &str, hash| Side {
        workload: name.into(),
        hash,
        pods: pods.clone(),
    };
    let stable = canary.stable_in.as_deref().unwrap_or_default();
    Sides {
        canary: side(&workload.id.name, newest.map(|r| r.pod_hash.clone())),
        stable: side(stable, None),
    }
}

/// The status names no revision: the stable one is the only other that has pods.
fn half_way<'a>(
    workload: &Workload,
    revisions: impl Iterator<Item = &'a Revision> + Clone,
) -> Result<Sides, String> {
    let unknown = || "its revisions are not known".to_owned();
    let new = revision::current_among(workload, revisions.clone()).ok_or_else(unknown)?;
    let mut others = revisions.filter(|r| r.uid != new.uid && r.desired > 0);
    let old = others.next().ok_or_else(unknown)?;
    if others.next().is_some() {
        return Err("several old revisions of it have pods, so that none is the stable one".into());
    }
    Ok(Sides {
        canary: Side::of_revision(workload, &new.pod_hash),
        stable: Side::of_revision(workload, &old.pod_hash),
    })
}

/// A pod of a StatefulSet keeps its name when its template changes: what was measured before that is of the other side.
fn by_number(
    workload: &Workload,
    canary: &Canary,
    pods: &[&Pod],
    since: Timestamp,
) -> Result<Sides, String> {
    let side = |hash: &str, template: &str| {
        let its = pods.iter().filter(|pod| *pod.revision == *hash);
        let mut numbers: Vec<_> = its.filter_map(|pod| pod.ordinal()).collect();
        if numbers.is_empty() {
            return Err(format!("no pod is known that runs its {template} template"));
        }
        numbers.sort_unstable();
        Ok(Side {
            workload: workload.id.name.clone(),
            hash: Some(hash.into()),
            pods: Pods::Numbered(numbers.into()),
        })
    };
    let sides = Sides {
        canary: side(&canary.current, "new")?,
        stable: side(&canary.stable, "old")?,
    };
    let is_young = |pod: &&&Pod| pod.revision == canary.current && pod.created > since;
    if let Some(pod) = pods.iter().find(is_young) {
        let name = &pod.name;
        return Err(format!(
            "{name} ran the old template for a part of that time, under the same name"
        ));
    }
    Ok(sides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::flagger;
    use crate::domain::canary::{Pair, PausedBy, healthy, sample};
    use crate::domain::fixture::{IMAGE, OLD_IMAGE, ago, pod, revision, workload};

    fn of(
        workload: &Workload,
        revisions: &[Revision],
        pods: &[Pod],
    ) -> Option<Result<Sides, String>> {
        Sides::of(workload, revisions.iter(), pods, ago(300))
    }

    fn with(kind: Kind, canary: Canary) -> Workload {
        let mut one = workload(kind);
        one.canary = Some(Box::new(canary));
        one
    }

    /// Workload and hash of both.
    fn named(found: Option<Result<Sides, String>>) -> [(String, String); 2] {
        let sides = found.unwrap().unwrap();
        [sides.canary, sides.stable].map(|side| {
            let hash = side.hash.unwrap_or_else(|| "any".into());
            (side.workload.into(), hash.into())
        })
    }

    fn pairs(names: [(&str, &str); 2]) -> [(String, String); 2] {
        names.map(|(workload, hash)| (workload.to_owned(), hash.to_owned()))
    }

    fn two() -> [Revision; 2] {
        [
            revision(Kind::Deployment, 42, "new", IMAGE),
            revision(Kind::Deployment, 41, "old", OLD_IMAGE),
        ]
    }

    #[test]
    fn only_what_shares_the_traffic_has_sides() {
        let cart = workload(Kind::Rollout);
        assert_eq!(of(&cart, &[], &[]), None);
        let cart = with(Kind::Rollout, healthy());
        assert_eq!(of(&cart, &[], &[]), None);
        let mut aborted = sample();
        aborted.aborted = true;
        assert_eq!(of(&with(Kind::Rollout, aborted), &[], &[]), None);
        let cart = with(Kind::Rollout, sample());
        let want = pairs([("checkout", "new"), ("checkout", "old")]);
        assert_eq!(named(of(&cart, &[], &[])), want);
        for phase in [Phase::Promoting, Phase::Finalising, Phase::Succeeded] {
            let web = with(Kind::Deployment, flagger::sample(phase));
            assert_eq!(of(&web, &two(), &[]), None, "{phase:?}");
        }
    }

    #[test]
    fn another_workload_is_the_stable_side_whatever_its_revision() {
        let pair = Canary {
            stable_in: Some("basket".into()),
            pair: Some(Box::new(Pair {
                service: "basket".into(),
                serve: None,
                by_endpoints: false,
                route: None,
            })),
            ..Canary::by_pods(Provider::Pair, PausedBy::Step, (1, 5))
        };
        let pair = with(Kind::Deployment, pair);
        let want = pairs([("checkout", "new"), ("basket", "any")]);
        assert_eq!(named(of(&pair, &two(), &[])), want);
        let want = pairs([("checkout", "any"), ("basket", "any")]);
        assert_eq!(named(of(&pair, &[], &[])), want, "no revision is known");
        let web = with(Kind::Deployment, flagger::sample(Phase::Progressing));
        let want = pairs([("checkout", "new"), ("checkout-primary", "any")]);
        assert_eq!(named(of(&web, &two(), &[])), want);
        let agent = with(Kind::DaemonSet, flagger::sample(Phase::Progressing));
        let sides = of(&agent, &two(), &[]).unwrap().unwrap();
        assert_eq!(sides.canary.pods, Pods::OfDaemonSet);
        assert_eq!(sides.canary.hash, None);
    }

    #[test]
    fn half_way_the_stable_side_is_the_only_other_revision_with_pods() {
        let half_way = Canary::by_pods(Provider::PausedDeployment, PausedBy::Hand, (3, 7));
        let web = with(Kind::Deployment, half_way);
        let [mut new, mut old] = two();
        (new.desired, old.desired) = (3, 4);
        let mut oldest = revision(Kind::Deployment, 40, "oldest", "shop/checkout:2.13.0");
        oldest.desired = 0;
        let want = pairs([("checkout", "new"), ("checkout", "old")]);
        let all = [new.clone(), old.clone(), oldest.clone()];
        assert_eq!(named(of(&web, &all, &[])), want);
        let why = |revisions: &[Revision]| of(&web, revisions, &[]).unwrap().unwrap_err();
        oldest.desired = 1;
        let said = why(&[new.clone(), old, oldest]);
        assert!(said.starts_with("several old revisions"), "{said}");
        assert_eq!(why(&[new]), "its revisions are not known");
        assert_eq!(why(&[]), "its revisions are not known");
    }

    #[test]
    fn a_partition_is_told_by_the_numbers_of_its_pods() {
        let held = Canary {
            stable: "checkout-old".into(),
            current: "checkout-new".into(),
            ..Canary::by_pods(Provider::Partition, PausedBy::Step, (2, 6))
        };
        let db = with(Kind::StatefulSet, held);
        let made = |number: u32, revision: &str, age: i64| {
            let mut one = pod(Kind::StatefulSet, revision, &number.to_string());
            one.created = ago(age);
            one
        };
        let mut pods = vec![
            made(5, "new", 300),
            made(4, "new", 400),
            // It was made anew, of the same template.
            made(0, "old", 5),
            made(1, "old", 9000),
        ];
        let sides = of(&db, &[], &pods).unwrap().unwrap();
        let numbers = |side: &Side| match &side.pods {
            Pods::Numbered(numbers) => numbers.to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!(numbers(&sides.canary), [4, 5]);
        assert_eq!(numbers(&sides.stable), [0, 1]);
        assert_eq!(sides.canary.hash.as_deref(), Some("checkout-new"));
        let why = |pods: &[Pod]| of(&db, &[], pods).unwrap().unwrap_err();
        let said = why(&pods[2..]);
        assert_eq!(said, "no pod is known that runs its new template");
        let said = why(&pods[..2]);
        assert_eq!(said, "no pod is known that runs its old template");
        pods[1].created = ago(299);
        let said = why(&pods);
        assert!(
            said.starts_with("checkout-4 ran the old template"),
            "{said}"
        );
    }
}
