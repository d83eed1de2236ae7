//! A Deployment that is paused half-way through a rollout: a canary that waits for a person.

use crate::domain::canary::{Canary, PausedBy, Provider};
use crate::domain::{Kind, Workload};

/// `None` of one that is only paused: no pod of its template is there, or all of them are.
pub fn canary(workload: &Workload) -> Option<Canary> {
    let counts = workload.counts;
    let half_way = counts.updated > 0 && counts.updated < workload.desired;
    let waits = workload.id.kind == Kind::Deployment && workload.paused;
    let seen = workload.generation <= workload.observed_generation;
    (waits && seen && half_way && counts.total > counts.updated).then(|| {
        Canary::by_pods(
            Provider::PausedDeployment,
            PausedBy::Hand,
            (counts.updated, counts.total),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::workload;

    #[test]
    fn only_one_with_pods_of_both_templates_is() {
        let half_way = |updated, total, desired| {
            let mut web = workload(Kind::Deployment);
            (web.paused, web.desired) = (true, desired);
            (web.counts.updated, web.counts.total) = (updated, total);
            web
        };
        let found = canary(&half_way(3, 7, 6)).unwrap();
        assert_eq!((found.set, found.whole), (3, 7));
        assert!(found.is_partial() && !found.is_promoted());
        for (updated, total, desired) in [(0, 6, 6), (6, 6, 6), (6, 7, 6), (2, 2, 6), (0, 0, 0)] {
            assert_eq!(
                canary(&half_way(updated, total, desired)),
                None,
                "{updated} {total}"
            );
        }
        let mut moving = half_way(3, 7, 6);
        moving.paused = false;
        assert_eq!(canary(&moving), None);
        let mut unseen = half_way(3, 7, 6);
        unseen.generation += 1;
        assert_eq!(canary(&unseen), None);
    }
}
