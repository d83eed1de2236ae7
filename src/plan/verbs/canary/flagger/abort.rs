//! Giving a canary of Flagger up: it is told that as many checks failed as it takes.

use serde_json::json;

use super::super::refused;
use super::Case;
use crate::domain::canary::flagger::Phase;
use crate::plan::{Difference, Evidence, Plan, Refusal, Step};

/// # Errors
/// The template cannot be read.
pub fn plan(evidence: &Evidence, case: Case<'_>) -> Result<Plan, Refusal> {
    let enough = case.flagger.threshold;
    let write = json!({"op": "replace", "path": "/status/failedChecks", "value": enough});
    let step = Step::StatusPatch {
        object: case.object(),
        body: case.bound([write]),
        what: format!("write {enough} failed checks into {}", case.named()),
    };
    let mut plan = case.plan(evidence, vec![step])?;
    let (asked, served) = case.versions(evidence);
    plan.goal.to_version = served.unwrap_or_else(|| case.primary().to_owned());
    plan.arrow = (plan.from.label(), case.served(evidence));
    plan.differences = vec![Difference {
        what: "canary".into(),
        text: format!("{} → failed", super::promote::place(case)),
    }];
    plan.meanwhile = format!(
        "it is given up at the next look ({}): its pods go, {} serves on; the template still asks for {asked}",
        case.looks(),
        case.primary()
    );
    plan.kubectl = case.kubectl("status", &json!({"status": {"failedChecks": enough}}));
    Ok(plan)
}

/// # Errors
/// Why it would do nothing, and what would.
pub fn works(case: Case<'_>) -> Result<(), Refusal> {
    let (id, primary) = (&case.workload.id, case.primary());
    case.not_suspended()?;
    match case.flagger.phase {
        Phase::Progressing | Phase::WaitingPromotion => {}
        Phase::Waiting => {
            let sentence = format!(
                "{id} waits to begin, and nothing of it runs: an abort would be forgotten when {} opens.",
                case.gates()
            );
            let hint = "a rollback puts the old template back: then what begins is what serves";
            return Err(refused(sentence, hint));
        }
        Phase::Promoting | Phase::Finalising => {
            let sentence =
                format!("{id} has passed: {primary} has its template, and no abort takes it back.");
            return Err(refused(
                sentence,
                "a rollback after it is a release of its own",
            ));
        }
        Phase::Failed if case.canary.aborted => {
            return Err(Refusal::say(format!("{id} was given up already.")));
        }
        _ => {
            let sentence = format!("There is nothing to be aborted: {primary} serves all of {id}.");
            return Err(Refusal::say(sentence));
        }
    }
    let Some(why) = case.unready() else {
        return Ok(());
    };
    let deadline = case.kubectl("", &json!({"spec": {"progressDeadlineSeconds": 5}}));
    let sentence =
        format!("{id} cannot be aborted while {why}: Flagger looks at nothing else then.");
    let hint = format!("a deadline that is over ends it, to be put back after: {deadline}");
    Err(refused(sentence, &hint))
}
