//! From how many pods to how many: of a scale the objects keep only where it led, and often not when.

use jiff::{SignedDuration, Timestamp};

use super::{Difference, Occurrence, Origin, Subject, Trace, What, Who};
use crate::domain::{Revision, WorkloadId};

/// The controller answers a scale within this.
const ANSWERED: SignedDuration = SignedDuration::from_secs(10);
/// In a rollout the ReplicaSets of a Deployment take turns within this.
const TURNS: SignedDuration = SignedDuration::from_secs(60);

/// What a controller did to a ReplicaSet of a Deployment: only an event tells, and for an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaling {
    pub service: WorkloadId,
    /// The name of the ReplicaSet.
    pub set: Box<str>,
    pub at: Timestamp,
    pub from: u32,
    pub to: u32,
}

/// `kubectl scale` and autoscalers write to a door of its own, and of that the server keeps who and not when: the
/// controller's answer is told in its place.
pub fn untimed(
    trace: &Trace,
    current: Option<&Revision>,
    scalings: &[Scaling],
) -> Option<Occurrence> {
    let (id, by) = (trace.id(), trace.scaled_by.as_ref()?);
    let current = current?;
    let own = || scalings.iter().filter(|one| one.service == *id);
    let alone = |one: &&Scaling| {
        let others = || own().filter(|other| other.set != one.set);
        !others().any(|other| other.at.duration_since(one.at).abs() <= TURNS)
    };
    let answers = own()
        .filter(|one| one.set == current.name && one.to == trace.workload.desired && one.from > 0);
    let answer = answers.filter(alone).max_by_key(|one| one.at)?;
    Some(Occurrence {
        at: answer.at,
        inferred: true,
        what: What::Scale,
        subject: Subject::from(id),
        services: vec![id.clone()],
        words: format!("{} → {} replicas", answer.from, answer.to),
        who: Who::Manager(by.clone()),
        known_from: "event",
        origin: Origin::Workloads(id.kind),
        difference: Difference::Words(vec![
            format!("{by} scaled {id}. The server keeps no time of such a write."),
            format!("The controller answered at {}.", answer.at),
        ]),
    })
}

/// Adds the number before to a scale whose time is kept.
pub fn with_numbers(found: &mut [Occurrence], scalings: &[Scaling]) {
    for one in found.iter_mut().filter(|one| one.what == What::Scale) {
        let told = scalings.iter().find(|told| {
            one.services.contains(&told.service)
                && told.at.duration_since(one.at).abs() <= ANSWERED
                && one.words == format!("→ {} replicas", told.to)
        });
        if let Some(told) = told {
            one.words = format!("{} → {} replicas", told.from, told.to);
        }
    }
}
