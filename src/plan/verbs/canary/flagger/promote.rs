//! Promoting a canary of Flagger now: its analysis is switched off, and on again once it is promoted.

use serde_json::json;

use super::super::refused;
use super::{Case, test};
use crate::domain::canary::flagger::Phase;
use crate::plan::{CheckId, Difference, Evidence, Finding, Plan, Refusal, Step, Verdict};
use crate::text;

pub(super) const SWITCH: &str = "/spec/skipAnalysis";

/// # Errors
/// The template cannot be read.
pub fn plan(evidence: &Evidence, case: Case<'_>) -> Result<Plan, Refusal> {
    let (asked, _) = case.versions(evidence);
    let was = case.flagger.skip_analysis;
    let off = case.bound([
        test(SWITCH, &json!(was)),
        json!({"op": "add", "path": SWITCH, "value": true}),
    ]);
    let steps = vec![
        Step::JsonPatch {
            object: case.object(),
            body: off,
            what: format!("switch the analysis of {} off", case.named()),
        },
        Step::WhenAtRest {
            object: case.object(),
            body: on_again(case),
            what: on_again_words(case),
        },
    ];
    let mut plan = case.plan(evidence, steps)?;
    plan.arrow = (case.served(evidence), format!("{asked}, at once"));
    plan.differences = vec![Difference {
        what: "canary".into(),
        text: format!("{} → promoted", place(case)),
    }];
    plan.meanwhile = format!(
        "{} gets {asked} at the next look ({}); the analysis is switched on again after it: let this run until then",
        case.primary(),
        case.looks()
    );
    plan.kubectl = case.kubectl("", &json!({"spec": {"skipAnalysis": true}}));
    for verdict in [goes_past(case), ready(case)] {
        plan.add(verdict.into());
    }
    Ok(plan)
}

/// # Errors
/// Why it would do nothing.
pub fn works(case: Case<'_>) -> Result<(), Refusal> {
    let id = &case.workload.id;
    case.not_suspended()?;
    match case.flagger.phase {
        Phase::Progressing | Phase::WaitingPromotion => {}
        Phase::Waiting => {
            let sentence = format!(
                "{id} waits to begin: {} holds it, and no write to the cluster opens that.",
                case.gates()
            );
            return Err(refused(sentence, "it goes on once that address says yes"));
        }
        Phase::Promoting | Phase::Finalising => {
            let primary = case.primary();
            let sentence = format!("{id} has passed: {primary} takes it over already.");
            return Err(Refusal::say(sentence));
        }
        Phase::Failed if case.canary.aborted => {
            let sentence = format!("{id} failed: promoting it changes nothing.");
            return Err(refused(sentence, "a retry begins it anew"));
        }
        _ => {
            let primary = case.primary();
            let sentence =
                format!("There is nothing to be promoted: {primary} serves what {id} asks for.");
            return Err(Refusal::say(sentence));
        }
    }
    if case.canary.promoted_fully {
        let sentence = format!("{id} is told already to leave out its analysis.");
        return Err(refused(sentence, "resume puts its analysis on again"));
    }
    Ok(())
}

/// Not bound to a phase: it is written in the one that comes.
fn on_again(case: Case<'_>) -> crate::domain::Verbatim {
    let back = match case.flagger.skip_analysis {
        None => json!({"op": "remove", "path": SWITCH}),
        Some(was) => json!({"op": "replace", "path": SWITCH, "value": was}),
    };
    let operations = json!([
        test("/metadata/uid", &json!(case.flagger.uid)),
        test(SWITCH, &json!(true)),
        back,
    ]);
    crate::domain::Verbatim(operations.to_string().into())
}

pub(super) fn on_again_words(case: Case<'_>) -> String {
    format!("switch the analysis of {} on again", case.named())
}

/// `check 2/3`.
pub fn place(case: Case<'_>) -> String {
    let at = crate::domain::canary::at(case.workload, &[]);
    at.map_or_else(
        || case.flagger.phase.word().to_owned(),
        |at| text::canary::at(&at),
    )
}

/// What nobody is asked for any more.
fn goes_past(case: Case<'_>) -> Verdict {
    let (failed, most) = (case.flagger.failed, case.flagger.threshold);
    let sentence = if failed > 0 {
        let failed = failed.min(most);
        format!("it would go past {failed} of {most} failed checks")
    } else if case.flagger.phase == Phase::WaitingPromotion {
        format!("it would go past {}, which has not said yes", case.gates())
    } else {
        match text::canary::next(case.canary) {
            Some(_) => "the checks that are left never run".to_owned(),
            None => "its last check never runs".to_owned(),
        }
    };
    Verdict {
        check: CheckId::Analysis,
        finding: Finding::Block,
        sentence,
    }
}

/// One that is not ready is not promoted either.
fn ready(case: Case<'_>) -> Verdict {
    let (finding, sentence) = match case.unready() {
        Some(why) => (
            Finding::Warn,
            format!("{why}: it is promoted only after that"),
        ),
        None => (Finding::Ok, "all of its pods are ready".into()),
    };
    Verdict {
        check: CheckId::Readiness,
        finding,
        sentence,
    }
}
