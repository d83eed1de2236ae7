//! What the controller of a canary can be told at all, and what of it would do something as the canary stands now.

use crate::domain::canary::{Canary, PausedBy, Provider};
use crate::domain::{Workload, WorkloadId};
use crate::plan::{Refusal, Verb};

use super::{flagger, full, refused, retry};

/// What some provider can be told, in the order of the README's columns.
pub const VERBS: [Verb; 7] = [
    Verb::Promote,
    Verb::PromoteFull,
    Verb::Abort,
    Verb::SetWeight,
    Verb::Pause,
    Verb::Retry,
    Verb::Rollback,
];

/// The refusals ask here, and the table of the README says the same.
///
/// # Errors
/// Why it cannot: a clause that follows the name of the provider.
pub fn can(provider: Provider, verb: Verb) -> Result<(), &'static str> {
    match (provider, verb) {
        (Provider::Flagger, Verb::PromoteFull) => Err("knows one promotion, which is to the end"),
        (Provider::ArgoRollouts | Provider::Flagger, Verb::SetWeight) => {
            Err("sets the weight itself, and takes any other back")
        }
        (Provider::PausedDeployment, Verb::SetWeight) => {
            Err("stands still with the pods that it has")
        }
        (Provider::Partition, Verb::Pause | Verb::Resume) => {
            Err("has no pause: its pods wait at the partition")
        }
        (Provider::PausedDeployment | Provider::Partition | Provider::Pair, Verb::Retry) => {
            Err("keeps nothing of an abort that could begin again")
        }
        _ => Ok(()),
    }
}

/// What the screens tell of its canaries.
pub fn shown(provider: Provider) -> &'static str {
    match provider {
        Provider::ArgoRollouts => {
            "weight set and real, steps, pauses with their time, analyses with metrics and limits; blue-green"
        }
        Provider::Flagger => {
            "checks or weight set and real, gates with their address, failed checks, metrics with limits; what serves in its place"
        }
        Provider::PausedDeployment => "pods of both templates, set and ready",
        Provider::Partition => {
            "pods at or above the partition, set and ready, and which moves next"
        }
        Provider::Pair => {
            "share of the pods set, share of the Service's ready endpoints; a row of its own"
        }
    }
}

/// # Errors
/// Its provider cannot be told this at all.
pub fn refuse(workload: &Workload, verb: Verb) -> Result<(), Refusal> {
    let Some(canary) = workload.canary.as_deref() else {
        return Ok(());
    };
    can(canary.provider, verb).map_err(|why| {
        let (id, done) = (&workload.id, verb.words().done);
        let provider = canary.provider.name();
        Refusal::say(format!("{id} cannot be {done}: {provider} {why}."))
    })
}

/// What lets it go on: one that was aborted begins anew.
pub fn lets_on(workload: &Workload) -> Verb {
    let canary = workload.canary.as_deref();
    if canary.is_some_and(|canary| canary.aborted) {
        Verb::Retry
    } else {
        Verb::Promote
    }
}

/// What the one key for both does: what it would resume comes before a pause.
pub fn pauses(workload: &Workload) -> Verb {
    let unchecked = || flagger::case(workload).is_some_and(|case| case.flagger.is_unchecked());
    if workload.stands_still() || unchecked() {
        Verb::Resume
    } else {
        Verb::Pause
    }
}

/// What moves it between two revisions, as it stands. The keys ask as well as the plans.
///
/// # Errors
/// Why it would do nothing, or the opposite of what it says.
pub fn works(workload: &Workload, verb: Verb) -> Result<&Canary, Refusal> {
    refuse(workload, verb)?;
    let (id, done) = (&workload.id, verb.words().done);
    let Some(canary) = workload.canary.as_deref() else {
        let sentence = format!("{id} is no canary: nothing of it waits to be {done}.");
        return Err(Refusal::say(sentence));
    };
    if !canary.provider.has_controller() {
        return Ok(canary);
    }
    if let Some(case) = flagger::case(workload) {
        return case.works(verb).map(|()| canary);
    }
    if !canary.is_partial() {
        let sentence = format!("There is nothing to be {done}: all of {id} is of one revision.");
        return Err(Refusal::say(sentence));
    }
    match verb {
        Verb::Promote => promoted(id, canary),
        Verb::PromoteFull => full::works(workload, canary),
        Verb::Retry => retry::works(id, canary),
        _ if canary.aborted => Err(Refusal::say(format!("{id} is aborted already."))),
        _ => Ok(()),
    }?;
    Ok(canary)
}

fn promoted(id: &WorkloadId, canary: &Canary) -> Result<(), Refusal> {
    if canary.aborted {
        let why = canary.cause().map(|cause| format!(" ({cause})"));
        let why = why.unwrap_or_default();
        let sentence = format!("{id} was aborted{why}: promoting it changes nothing.");
        let hint = "a retry begins it at its first step again, as another template does";
        return Err(refused(sentence, hint));
    }
    if canary.pause.is_none() {
        let sentence = format!("{id} does not wait: it is on its way to the next pause.");
        let hint = "a step that runs could only be skipped, and then nobody looks at its pods";
        return Err(refused(sentence, hint));
    }
    not_by_hand(id, canary)
}

/// Its controller does nothing while that stands, and what it is told meanwhile is lost.
///
/// # Errors
/// It is paused by hand.
pub(super) fn not_by_hand(id: &WorkloadId, canary: &Canary) -> Result<(), Refusal> {
    if canary.pause.is_none_or(|pause| pause.by != PausedBy::Hand) {
        return Ok(());
    }
    let sentence = format!("{id} is paused by hand: it would be lost, or wait unseen.");
    Err(refused(sentence, "resume it first"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evidence, plan_of};
    use super::*;

    /// Which of promote, full, abort and retry would do something.
    fn working(change: fn(&mut Canary)) -> [bool; 4] {
        [Verb::Promote, Verb::PromoteFull, Verb::Abort, Verb::Retry].map(|verb| {
            let evidence = evidence(verb, change);
            let works = works(&evidence.workload, verb).is_ok();
            assert_eq!(plan_of(&evidence).is_ok(), works, "{verb:?}");
            works
        })
    }

    #[test]
    fn the_keys_are_those_whose_plans_there_are() {
        assert_eq!(working(|_| {}), [true, true, true, false]);
        assert_eq!(working(|c| c.aborted = true), [false, false, false, true]);
        assert_eq!(working(|c| c.pause = None), [false, true, true, false]);
        let by_hand = |c: &mut Canary| c.pause.as_mut().unwrap().by = PausedBy::Hand;
        assert_eq!(working(by_hand), [false, false, true, false]);
        let told = |c: &mut Canary| c.promoted_fully = true;
        assert_eq!(working(told), [true, false, true, false]);
        let promoted = |c: &mut Canary| c.stable = c.current.clone();
        assert_eq!(working(promoted), [false; 4]);
    }

    #[test]
    fn one_that_was_given_up_is_let_on_by_a_retry() {
        let lets = |change: fn(&mut Canary)| lets_on(&evidence(Verb::Promote, change).workload);
        assert_eq!(lets(|_| {}), Verb::Promote);
        assert_eq!(lets(|c| c.aborted = true), Verb::Retry);
    }
}
