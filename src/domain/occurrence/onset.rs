//! When the trouble of a service began, as far as the cluster tells.

use jiff::Timestamp;

use crate::domain::standing::{Evidence, standing};
use crate::domain::{Phase, Truth};

/// `None` when the service is well. A rollout that stalls began when its template was written; what broke later,
/// when the cluster first said so; else it is said to begin now, which is when it was noticed.
pub fn onset(evidence: Evidence<'_>, now: Timestamp) -> Option<Timestamp> {
    let standing = standing(evidence, now);
    let workload = evidence.workload;
    let unavailable = || {
        let condition = workload.condition("Available");
        condition.filter(|c| c.status == Truth::False)?.changed
    };
    let unready = || {
        let broken = evidence
            .pods
            .iter()
            .filter(|pod| !pod.ready && !pod.terminating);
        broken.filter_map(|pod| pod.ready_changed).min()
    };
    match standing.phase {
        Phase::Stalled => standing.since.or_else(unready).or(Some(now)),
        Phase::Degraded => unready().or_else(unavailable).or(Some(now)),
        Phase::Canary
        | Phase::RollingBack
        | Phase::Rolling
        | Phase::Paused
        | Phase::Unknown
        | Phase::Steady
        | Phase::ScaledToZero => None,
    }
}
