//! Who else sets the number of replicas, and would set it again.

use super::{CheckId, Finding, Verdict};
use crate::domain::Workload;
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
