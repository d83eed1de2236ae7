//! What other verbs do to a workload that Flagger moves: some the opposite of what they say, and most begin a release.

use super::super::refused;
use super::{Case, primary, retry};
use crate::domain::Kind;
use crate::domain::canary::flagger::Phase;
use crate::plan::{Evidence, Refusal, Verb};

/// # Errors
/// It would do something else than it says, and what works instead.
pub fn refuse(evidence: &Evidence) -> Result<(), Refusal> {
    let Some(case) = super::moved(&evidence.workload) else {
        return primary::refuse(evidence);
    };
    let (id, primary) = (&case.workload.id, case.primary());
    let verb = evidence.request.verb;
    let runs = matches!(
        case.flagger.phase,
        Phase::Progressing | Phase::WaitingPromotion
    );
    match verb {
        Verb::Rollback | Verb::HelmRollback if runs => {
            let sentence = format!(
                "The old template on {id} is no abort: Flagger would go on with it on both sides, call that a success, and run once more."
            );
            Err(refused(
                sentence,
                "an abort gives the canary up; the rollback comes after it",
            ))
        }
        Verb::Restart | Verb::Scale if !case.flagger.phase.is_under_way() => {
            let what = verb.words().plain;
            let kind = id.kind.short();
            let sentence = format!(
                "{id} is kept at zero by {}: {primary} serves in its place.",
                case.named()
            );
            let hint = match (verb, id.kind) {
                (Verb::Scale, Kind::Deployment) => {
                    format!("{what} {kind}/{primary}: the next release takes its number over")
                }
                _ => format!("{what} {kind}/{primary}"),
            };
            Err(refused(sentence, &hint))
        }
        _ => Ok(()),
    }
}

/// What Flagger makes of it; `None` where it makes nothing of it.
pub fn brings(case: Case<'_>, verb: Verb) -> Option<String> {
    let primary = case.primary();
    if verb == Verb::Scale {
        return Some(format!(
            "{primary} gets this number when it is promoted, and not before"
        ));
    }
    // A retry says so itself.
    if verb.keeps_template() {
        return None;
    }
    let whole = format!("{}, a look {}", retry::steps(case), case.looks());
    Some(match case.flagger.phase {
        Phase::Progressing | Phase::WaitingPromotion => {
            format!("Flagger begins anew with it: {whole}")
        }
        Phase::Waiting => format!("it begins once {} opens: {whole}", case.gates()),
        Phase::Promoting | Phase::Finalising => {
            format!(
                "{primary} still takes the last one over; a release of this one comes after it: {whole}"
            )
        }
        Phase::Failed => format!(
            "of what {primary} serves Flagger makes no release; of anything else a new one: {whole}"
        ),
        _ => format!("{primary} gets it only after a release of its own: {whole}"),
    })
}
