//! Who else sets the number of replicas, and would set it again.

use super::{CheckId, Finding, Verdict};
use crate::domain::{Autoscaler, Workload};
use crate::plan::Autoscaling;

/// For a plan that asks for `to` replicas. Nothing to say when nobody else does.
pub fn verdict(workload: &Workload, autoscaling: &Autoscaling, to: u32) -> Option<Verdict> {
    let (finding, sentence) = match autoscaling {
        Autoscaling::None => return None,
        Autoscaling::Unknown(why) => (
            Finding::Unverified,
            format!("whether an autoscaler sets the number as well is not known: {why}"),
        ),
        Autoscaling::By(autoscaler) => {
            let (name, min, max) = (&autoscaler.name, autoscaler.least(), autoscaler.max);
            let holds = (min..=max).contains(&to);
            let sentence = match (to, workload.desired) {
                (0, _) => format!("hpa/{name} stands still while it is scaled to zero"),
                (_, 0) if holds => format!("hpa/{name} scales it again from here, {min} to {max}"),
                (_, 0) => format!("hpa/{name} moves it into its bounds from here, {min} to {max}"),
                _ => format!(
                    "hpa/{name} sets the number, {min} to {max}: it would put its own back, so its bounds are what is written"
                ),
            };
            (Finding::Warn, sentence)
        }
    };
    Some(Verdict {
        check: CheckId::Autoscaler,
        finding,
        sentence,
    })
}

/// Whether it helps while pods are replaced, or changes their number meanwhile. `autoscalers` are those of the
/// namespace.
pub fn on_the_way(workload: &Workload, autoscalers: &[Autoscaler]) -> Verdict {
    let answer = |finding, sentence: String| Verdict {
        check: CheckId::Autoscaler,
        finding,
        sentence,
    };
    let mut own = autoscalers.iter().filter(|a| a.scales(&workload.id));
    let Some(scaler) = own.next() else {
        return answer(Finding::Ok, "no autoscaler scales it".into());
    };
    let others = own.count();
    let name = &scaler.name;
    let (least, most, have) = (scaler.least(), scaler.max, workload.desired);
    let bounds = format!("autoscaler {name} keeps it between {least} and {most}");
    let warn = |sentence| answer(Finding::Warn, sentence);
    if others > 0 {
        return warn(format!(
            "autoscaler {name} and {others} more scale it: they fight over the number of pods"
        ));
    }
    if have == 0 {
        return answer(
            Finding::Ok,
            format!("{bounds}, and is off while it has none"),
        );
    }
    if have > most {
        return warn(format!(
            "{bounds}, and it has {have}: it scales down on the way"
        ));
    }
    if have < least {
        return warn(format!(
            "{bounds}, and it has {have}: it scales up on the way"
        ));
    }
    if let Some(why) = &scaler.blind {
        return warn(format!("autoscaler {name} scales nothing now: {why}"));
    }
    if have == most {
        return warn(format!(
            "autoscaler {name} is at its limit, {have} of {most}: no pod is added while some are missing"
        ));
    }
    answer(Finding::Ok, format!("{bounds}, now {have}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;
    use crate::domain::fixture::workload;

    fn scaler(name: &str, target: &str, (min, max): (u32, u32)) -> Autoscaler {
        Autoscaler {
            name: name.into(),
            uid: name.into(),
            target: Some(("Deployment".into(), target.into())),
            min: Some(min),
            max,
            wants: None,
            blind: None,
            has_annotations: false,
            turn: None,
        }
    }

    #[test]
    fn what_it_does_on_the_way() {
        use Finding::{Ok, Warn};
        let web = |bounds| scaler("web", "checkout", bounds);
        let mut blind = web((2, 9));
        blind.blind = Some("no metrics".into());
        for (scalers, have, finding, words) in [
            (vec![], 6, Ok, "no autoscaler scales it"),
            (
                vec![scaler("x", "other", (1, 6))],
                6,
                Ok,
                "no autoscaler scales it",
            ),
            (
                vec![web((2, 9))],
                6,
                Ok,
                "autoscaler web keeps it between 2 and 9, now 6",
            ),
            (
                vec![web((2, 6))],
                6,
                Warn,
                "autoscaler web is at its limit, 6 of 6: no pod is added while some are missing",
            ),
            (
                vec![web((2, 4))],
                6,
                Warn,
                "autoscaler web keeps it between 2 and 4, and it has 6: it scales down on the way",
            ),
            (
                vec![web((8, 9))],
                6,
                Warn,
                "autoscaler web keeps it between 8 and 9, and it has 6: it scales up on the way",
            ),
            (
                vec![web((2, 9))],
                0,
                Ok,
                "autoscaler web keeps it between 2 and 9, and is off while it has none",
            ),
            (
                vec![blind],
                6,
                Warn,
                "autoscaler web scales nothing now: no metrics",
            ),
            (
                vec![web((2, 9)), scaler("b", "checkout", (1, 3))],
                6,
                Warn,
                "autoscaler web and 1 more scale it: they fight over the number of pods",
            ),
        ] {
            let mut workload = workload(Kind::Deployment);
            workload.desired = have;
            let said = on_the_way(&workload, &scalers);
            assert_eq!((said.finding, &*said.sentence), (finding, words));
        }
    }
}
