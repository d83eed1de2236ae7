//! What an update strategy leaves as it is, for those that do not replace every pod by themselves.

use super::{CheckId, Finding, Verdict};
use crate::domain::{Kind, Pod, Strategy, Workload};
use crate::text;

/// `others` run another template than the target's, `blocking` of them are what the order waits for. Nothing to say
/// of a workload whose pods are all replaced without help.
pub fn verdict(workload: &Workload, others: &[&Pod], blocking: &[&Pod]) -> Option<Verdict> {
    let (finding, sentence) = match &workload.strategy {
        Strategy::OnDelete if others.is_empty() => {
            (Finding::Ok, "OnDelete: every pod runs the target".into())
        }
        Strategy::OnDelete => (Finding::Warn, on_delete(others)),
        Strategy::Rolling { .. } if !blocking.is_empty() => (Finding::Warn, order(blocking)),
        Strategy::Rolling { partition, .. }
            if *partition > 0 && workload.id.kind == Kind::StatefulSet =>
        {
            held_back(workload, *partition, others)
        }
        Strategy::Other(name) if !workload.id.kind.has_replica_sets() => (
            Finding::Warn,
            format!("update strategy {name} is not known here: whether pods move is not known"),
        ),
        Strategy::Rolling { .. } | Strategy::Recreate | Strategy::Other(_) => return None,
    };
    Some(Verdict {
        check: CheckId::Strategy,
        finding,
        sentence,
    })
}

fn names(pods: &[&Pod]) -> String {
    let names: Vec<_> = pods.iter().map(|pod| &*pod.name).collect();
    text::list(&names)
}

fn on_delete(others: &[&Pod]) -> String {
    format!(
        "OnDelete: pods keep their old template until they are deleted: {}",
        names(others)
    )
}

fn order(blocking: &[&Pod]) -> String {
    match blocking {
        [one] => format!(
            "OrderedReady: {} is not ready and would not be replaced, so it is deleted",
            one.name
        ),
        several => format!(
            "OrderedReady: {} are not ready and would not be replaced, so they are deleted",
            names(several)
        ),
    }
}

fn held_back(workload: &Workload, partition: u32, others: &[&Pod]) -> (Finding, String) {
    let (stay, go): (Vec<_>, Vec<_>) = others
        .iter()
        .copied()
        .partition(|pod| workload.holds_back(pod));
    let first = workload.first_ordinal;
    let staying = match partition.min(workload.desired) {
        1 => format!("pod {first} stays"),
        2 => format!("pods {first} and {} stay", first + 1),
        n => format!("pods {first} to {} stay", first + n - 1),
    };
    let moving = match go.as_slice() {
        [] => "no pod moves".to_owned(),
        [one] => format!("{} moves", one.name),
        several => format!("{} move", names(several)),
    };
    let (finding, as_what) = if stay.is_empty() {
        (Finding::Ok, ", with the target's template")
    } else {
        (Finding::Warn, " as before")
    };
    let sentence = format!("partition {partition}: {staying}{as_what}; {moving}");
    (finding, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::verbs::rollback::sample;

    /// `spec.ordinals.start` says where the numbers begin, and a partition counts from there.
    #[test]
    fn a_partition_counts_from_the_first_ordinal() {
        for (first, want) in [
            (
                0,
                "partition 2: pods 0 and 1 stay as before; checkout-2 moves",
            ),
            (
                5,
                "partition 2: pods 5 and 6 stay as before; checkout-7 moves",
            ),
        ] {
            let mut evidence = sample::of_kind(Kind::StatefulSet);
            let workload = &mut evidence.workload;
            workload.first_ordinal = first;
            workload.strategy = Strategy::Rolling {
                max_unavailable: None,
                max_surge: None,
                partition: 2,
                ordered: false,
            };
            for (n, pod) in (first..).zip(&mut evidence.pods) {
                pod.name = format!("checkout-{n}").into();
            }
            let others: Vec<_> = evidence.pods.iter().collect();
            let said = verdict(&evidence.workload, &others, &[]).unwrap();
            assert_eq!((said.finding, &*said.sentence), (Finding::Warn, want));
        }
    }
}
