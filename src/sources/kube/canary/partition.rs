//! A StatefulSet with a partition: its first pods keep their template until somebody lowers it.

use crate::domain::canary::{Canary, PausedBy, Provider};
use crate::domain::{Kind, Strategy, Workload};

/// `None` without a partition, and while all of its pods are to be of one template.
pub fn canary(workload: &Workload) -> Option<Canary> {
    let Strategy::Rolling { partition, .. } = workload.strategy else {
        return None;
    };
    let (stable, current) = (
        workload.current_revision.clone()?,
        workload.update_revision.clone()?,
    );
    let desired = workload.desired;
    let holds = workload.id.kind == Kind::StatefulSet && partition > 0 && desired > 0;
    let seen = workload.generation <= workload.observed_generation;
    (holds && seen && stable != current).then(|| Canary {
        stable,
        current,
        ..Canary::by_pods(
            Provider::Partition,
            PausedBy::Step,
            (desired.saturating_sub(partition), desired),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::workload;

    fn held(at: u32) -> Workload {
        let mut db = workload(Kind::StatefulSet);
        if let Strategy::Rolling { partition, .. } = &mut db.strategy {
            *partition = at;
        }
        db.current_revision = Some("checkout-old".into());
        db
    }

    #[test]
    fn its_weight_is_the_pods_at_or_above_the_partition() {
        let found = canary(&held(4)).unwrap();
        assert_eq!((found.set, found.whole), (2, 6));
        assert_eq!(
            (&*found.stable, &*found.current),
            ("checkout-old", "checkout-new")
        );
        let all_wait = canary(&held(9)).unwrap();
        assert_eq!((all_wait.set, all_wait.whole), (0, 6));
    }

    #[test]
    fn without_a_partition_or_another_template_there_is_none() {
        assert_eq!(canary(&held(0)), None);
        let mut settled = held(4);
        settled.current_revision = settled.update_revision.clone();
        assert_eq!(canary(&settled), None);
        let mut zero = held(4);
        zero.desired = 0;
        assert_eq!(canary(&zero), None);
    }
}
