//! Whether nobody is served while pods are replaced.

use super::{CheckId, Finding, Verdict};
use crate::domain::{Kind, Strategy, Workload};
use crate::plan::meanwhile::limits;

/// `to_make` of the pods are still to be made. Nothing to say where others serve meanwhile, or nobody is served now.
pub fn verdict(workload: &Workload, to_make: u32) -> Option<Verdict> {
    if to_make == 0 || workload.counts.available == 0 {
        return None;
    }
    let (down, _) = limits(workload);
    let (finding, sentence) = match (&workload.strategy, workload.id.kind, workload.desired) {
        (Strategy::Recreate, _, _) => (
            Finding::Warn,
            "Recreate: all pods stop before the first new one starts, so nobody is served meanwhile"
                .to_owned(),
        ),
        // Each node's pod is for that node: another would not serve it.
        (_, Kind::DaemonSet, _) | (Strategy::OnDelete | Strategy::Other(_), _, _) => return None,
        (Strategy::Rolling { .. }, Kind::Deployment | Kind::Rollout, 1) if down == 0 => (
            Finding::Ok,
            "one replica: its successor is ready before it goes".to_owned(),
        ),
        (Strategy::Rolling { .. }, _, 1) => (
            Finding::Warn,
            "one replica, which goes before its successor is ready: nobody is served meanwhile"
                .to_owned(),
        ),
        (Strategy::Rolling { .. }, _, want) if down >= want => (
            Finding::Warn,
            format!("all {want} pods may be down at once: perhaps nobody is served meanwhile"),
        ),
        (Strategy::Rolling { .. }, _, _) => return None,
    };
    Some(Verdict {
        check: CheckId::Downtime,
        finding,
        sentence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::workload;

    fn rolling(max_unavailable: &str) -> Strategy {
        Strategy::Rolling {
            max_unavailable: Some(max_unavailable.into()),
            max_surge: Some("25%".into()),
            partition: 0,
            ordered: false,
        }
    }

    #[test]
    fn who_is_served_meanwhile() {
        use Finding::{Ok, Warn};
        use Kind::{DaemonSet, Deployment, StatefulSet};
        for (kind, strategy, (desired, available, to_make), want) in [
            (Deployment, rolling("25%"), (6, 6, 6), None),
            (
                Deployment,
                rolling("100%"),
                (6, 6, 6),
                Some((Warn, "all 6 pods")),
            ),
            (
                Deployment,
                rolling("25%"),
                (1, 1, 1),
                Some((Ok, "one replica: its successor")),
            ),
            (
                Deployment,
                rolling("1"),
                (1, 1, 1),
                Some((Warn, "one replica, which goes")),
            ),
            // The one that serves is the target's: only what is stuck goes.
            (Deployment, rolling("1"), (1, 1, 0), None),
            (Deployment, rolling("1"), (1, 0, 1), None),
            (
                Deployment,
                Strategy::Recreate,
                (3, 3, 3),
                Some((Warn, "Recreate")),
            ),
            (Deployment, Strategy::Recreate, (3, 0, 3), None),
            (
                StatefulSet,
                rolling("1"),
                (1, 1, 1),
                Some((Warn, "one replica, which goes")),
            ),
            (StatefulSet, rolling("1"), (3, 3, 3), None),
            (StatefulSet, Strategy::OnDelete, (1, 1, 1), None),
            (DaemonSet, rolling("1"), (1, 1, 1), None),
        ] {
            let mut workload = workload(kind);
            workload.strategy = strategy;
            (workload.desired, workload.counts.available) = (desired, available);
            let said = verdict(&workload, to_make);
            let said = said.as_ref().map(|v| (v.finding, v.sentence.as_str()));
            let about = format!("{kind:?} {:?} {desired} {said:?}", workload.strategy);
            match want {
                None => assert_eq!(said, None, "{about}"),
                Some((finding, words)) => {
                    let (found, sentence) = said.unwrap();
                    assert_eq!(found, finding, "{about}");
                    assert!(sentence.starts_with(words), "{about}");
                }
            }
        }
    }
}
