//! What Flagger makes of a restart or of another scale of the workload that serves in a target's place, which it writes with each promotion.

use super::super::refused;
use crate::domain::canary::Canary;
use crate::domain::canary::flagger::{Flagger, Phase};
use crate::domain::{Manager, WorkloadId};
use crate::plan::{Autoscaling, CheckId, Evidence, Finding, Refusal, Target, Verb, Verdict};

/// The target, what its Canary says, and what only Flagger does.
#[derive(Clone, Copy)]
struct Case<'a> {
    target: &'a WorkloadId,
    canary: &'a Canary,
    flagger: &'a Flagger,
}

/// Where it stands, as far as that matters to a write beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing is written to it before a release of its own, or it was written already and only the end is left.
    LeftAlone,
    /// It is judged: what serves has to be ready at each look, and is written when it passes.
    Judged,
    /// It is written at the next look.
    AtOnce,
    /// It was written, and its pods come.
    TakesOver,
}

/// # Errors
/// It would be written over at the next look.
pub fn refuse(evidence: &Evidence) -> Result<(), Refusal> {
    let verb = evidence.request.verb;
    let Some(case) = case(evidence).filter(|case| case.stage() == Stage::AtOnce) else {
        return Ok(());
    };
    if !matches!(verb, Verb::Restart | Verb::Scale) {
        return Ok(());
    }
    let (id, target) = (&evidence.workload.id, case.target);
    let done = verb.words().done;
    let sentence = format!(
        "{id} cannot be {done} now: skipAnalysis of the Canary {} is on, and within {} Flagger writes {target} over it.",
        case.flagger.name,
        crate::text::duration(case.flagger.interval.into())
    );
    Err(refused(sentence, "ask again once that is done"))
}

/// `None` where it is none, or another verb.
pub fn verdict(evidence: &Evidence) -> Option<Verdict> {
    let (finding, sentence) = match (case(evidence), evidence.request.verb) {
        (Some(case), Verb::Restart) => case.restarted(),
        (Some(case), Verb::Scale) => case.scaled(evidence),
        (None, Verb::Restart | Verb::Scale) => (Finding::Unverified, unread(evidence)?),
        _ => return None,
    };
    Some(Verdict {
        check: CheckId::Controller,
        finding,
        sentence,
    })
}

/// What made it is known by its mark alone.
fn unread(evidence: &Evidence) -> Option<String> {
    let Some(Manager::Flagger(name)) = &evidence.workload.manager else {
        return None;
    };
    Some(format!(
        "the Canary {name} of Flagger writes it, and cannot be read: it may be on its way"
    ))
}

fn case(evidence: &Evidence) -> Option<Case<'_>> {
    let of = evidence.stable_of.as_deref()?;
    Some(Case {
        target: &of.target,
        canary: &of.canary,
        flagger: of.canary.flagger.as_deref()?,
    })
}

impl Case<'_> {
    fn stage(self) -> Stage {
        match self.flagger.phase {
            _ if self.flagger.suspended() => Stage::LeftAlone,
            Phase::Progressing | Phase::WaitingPromotion if self.canary.promoted_fully => {
                Stage::AtOnce
            }
            Phase::Progressing | Phase::WaitingPromotion => Stage::Judged,
            Phase::Promoting | Phase::Finalising => Stage::TakesOver,
            _ => Stage::LeftAlone,
        }
    }

    fn restarted(self) -> (Finding, String) {
        let target = self.target;
        match self.stage() {
            Stage::LeftAlone | Stage::AtOnce => (
                Finding::Ok,
                format!(
                    "Flagger leaves it: the next promotion of {target} makes these pods anew anyway"
                ),
            ),
            Stage::Judged => (
                Finding::Warn,
                format!(
                    "{target} is on its way: it stands still until these pods are ready, and is given up when they are late"
                ),
            ),
            Stage::TakesOver => (
                Finding::Warn,
                format!(
                    "the pods of {target} come in right now: its release ends only when these are ready, and fails when they are late"
                ),
            ),
        }
    }

    fn scaled(self, evidence: &Evidence) -> (Finding, String) {
        let target = self.target;
        let to_none = matches!(evidence.request.target, Target::Replicas { to: 0, .. });
        if let Autoscaling::By(autoscaler) = &evidence.autoscaling {
            let words = format!(
                "the next promotion of {target} writes the bounds of its own autoscaler over those of hpa/{}",
                autoscaler.name
            );
            return (Finding::Warn, words);
        }
        match self.stage() {
            Stage::Judged | Stage::AtOnce => (
                Finding::Warn,
                format!(
                    "{target} is on its way: when it is promoted, its own number is written over this"
                ),
            ),
            Stage::LeftAlone | Stage::TakesOver if to_none => (
                Finding::Warn,
                format!("nothing serves {target} then, and its next release begins with 1 pod"),
            ),
            Stage::LeftAlone | Stage::TakesOver => (
                Finding::Ok,
                format!("Flagger leaves it: the next release of {target} begins with this number"),
            ),
        }
    }
}
