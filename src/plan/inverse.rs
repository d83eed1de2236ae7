//! From an action of the record to what is asked for next: the way back, or the rest of it.

use crate::domain::release_record::{Action, Became, Outcome, Side, Stands};
use crate::domain::{Failure, FailureKind};

use super::{Target, Verb};

/// The request that undoes it; its plan is made from fresh reads like any other.
///
/// # Errors
/// There is none, and why.
pub fn inverse(action: &Action) -> Result<(Verb, Target), Failure> {
    let sending = &action.sending;
    let verb = verb(action)?;
    if nothing_was_done(action) {
        let sentence = format!(
            "There is nothing to undo: this {verb} was not applied.",
            verb = verb.name()
        );
        return Err(refused(sentence));
    }
    match verb {
        Verb::Rollback | Verb::SetImage => Ok((Verb::Rollback, named(&sending.from, "it left")?)),
        Verb::Pause => Ok((Verb::Resume, Target::Proposed)),
        Verb::Resume => Ok((Verb::Pause, Target::Proposed)),
        Verb::Restart => Err(refused(
            "A restart cannot be undone: its pods were made anew from the same template.",
        )),
        Verb::DeletePod => Err(refused("A pod that is gone does not come back.")),
        Verb::Scale => Err(refused(
            "The record does not keep the number that it left: scale it to the one you want.",
        )),
        Verb::ResumeSync => Err(refused(
            "A sync that was resumed is suspended again by the next plan that needs it.",
        )),
    }
}

/// The request for the same again, whose plan shows what is left of it.
///
/// # Errors
/// It came to its end.
pub fn rest(action: &Action) -> Result<(Verb, Target), Failure> {
    let verb = verb(action)?;
    if action.stands() == Stands::Verified {
        let sentence = "There is nothing left to do: it came to its end, verified.";
        return Err(refused(sentence));
    }
    let target = match verb {
        Verb::Rollback => named(&action.sending.to, "it went to")?,
        Verb::Pause | Verb::Resume | Verb::Restart | Verb::ResumeSync => Target::Proposed,
        Verb::Scale | Verb::SetImage | Verb::DeletePod => {
            return Err(refused(
                "The record does not keep what was asked for: ask for it again.",
            ));
        }
    };
    Ok((verb, target))
}

fn verb(action: &Action) -> Result<Verb, Failure> {
    let name = &action.sending.verb;
    Verb::named(name).ok_or_else(|| {
        refused(format!(
            "This version of rolldeck does not know the verb {name}."
        ))
    })
}

fn named(side: &Side, which: &str) -> Result<Target, Failure> {
    if side.name.is_empty() {
        let version = &side.version;
        let sentence =
            format!("The record does not name the revision that {which}: {version} had none yet.");
        return Err(refused(sentence));
    }
    Ok(Target::Named(side.name.as_str().into()))
}

/// As far as anything tells.
fn nothing_was_done(action: &Action) -> bool {
    let none_accepted = |outcome| {
        let answered = action.answered.as_ref();
        answered.is_some_and(|line| line.outcome == outcome && line.accepted == 0)
    };
    match action.stands() {
        Stands::Refused => none_accepted(Outcome::Refused),
        Stands::Interrupted(became) => became == Became::NotApplied,
        Stands::Verified
        | Stands::NotVerified
        | Stands::Accepted
        | Stands::Unknown
        | Stands::Sent => false,
    }
}

fn refused(sentence: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Refused, sentence)
}
