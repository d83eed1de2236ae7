//! The verbs of a canary without a controller: what holds it is changed, and it goes on.

use jiff::Timestamp;

use crate::domain::Fleet;
use crate::domain::canary::{Canary, Provider};
use crate::plan::{Evidence, Plan, Refusal, Target, Verb};

use super::{half_way, pair, partition, refused};

/// `None` of what a controller moves, and of verbs that are no other for a canary.
pub fn plan(fleet: &Fleet, evidence: &Evidence, now: Timestamp) -> Option<Result<Plan, Refusal>> {
    let canary = evidence.workload.canary.as_deref();
    let canary = canary.filter(|canary| !canary.provider.has_controller())?;
    let verb = evidence.request.verb;
    let its_own = [
        Verb::Promote,
        Verb::PromoteFull,
        Verb::Abort,
        Verb::SetWeight,
    ];
    its_own.contains(&verb).then(|| {
        seen(evidence)?;
        match verb {
            Verb::Abort => abort(fleet, evidence, canary, now),
            Verb::SetWeight => weight(evidence, canary),
            _ => promote(evidence, canary),
        }
    })
}

/// Why there is none to set.
pub fn no_weight(evidence: &Evidence) -> Refusal {
    let id = &evidence.workload.id;
    Refusal::say(format!("{id} is no canary: it has no weight."))
}

fn promote(evidence: &Evidence, canary: &Canary) -> Result<Plan, Refusal> {
    match canary.provider {
        Provider::Partition => partition::promote(evidence, canary),
        Provider::Pair => pair::promote(evidence, canary),
        _ => half_way::promote(evidence),
    }
}

fn abort(
    fleet: &Fleet,
    evidence: &Evidence,
    canary: &Canary,
    now: Timestamp,
) -> Result<Plan, Refusal> {
    match canary.provider {
        Provider::Partition => partition::abort(fleet, evidence, now),
        Provider::Pair => pair::abort(evidence, canary),
        _ => half_way::abort(fleet, evidence, now),
    }
}

fn weight(evidence: &Evidence, canary: &Canary) -> Result<Plan, Refusal> {
    let id = &evidence.workload.id;
    let Target::Weight(percent) = evidence.request.target else {
        return Err(Refusal::say("It is not said how much.".into()));
    };
    if percent > 100 {
        let sentence = format!("{percent}% is more than all of {id}.");
        return Err(Refusal::say(sentence));
    }
    match canary.provider {
        Provider::Pair => pair::weight(evidence, canary, percent),
        _ => partition::weight(evidence, canary, percent),
    }
}

/// The numbers speak of what is there.
fn seen(evidence: &Evidence) -> Result<(), Refusal> {
    let workload = &evidence.workload;
    if workload.generation <= workload.observed_generation {
        return Ok(());
    }
    let id = &workload.id;
    let sentence = format!("The controller has not seen the last change of {id} yet.");
    Err(refused(sentence, "ask again in a moment"))
}
