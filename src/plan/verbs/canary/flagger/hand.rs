//! Suspending a canary of Flagger and resuming it: `spec.suspend`, for which it does nothing at all.

use serde_json::json;

use super::super::refused;
use super::{Case, test};
use crate::domain::canary::PausedBy;
use crate::plan::{Difference, Evidence, Plan, Refusal, Step, Verb};

const SWITCH: &str = "/spec/suspend";

/// # Errors
/// The template cannot be read.
pub fn plan(evidence: &Evidence, case: Case<'_>) -> Result<Plan, Refusal> {
    let suspend = evidence.request.verb == Verb::Pause;
    let was = test(SWITCH, &json!(case.flagger.suspend));
    let write = if suspend {
        json!({"op": "add", "path": SWITCH, "value": true})
    } else {
        json!({"op": "remove", "path": SWITCH})
    };
    let verb = if suspend { "suspend" } else { "resume" };
    let step = Step::JsonPatch {
        object: case.object(),
        body: case.bound([was, write]),
        what: format!("{verb} {}", case.named()),
    };
    let mut plan = case.plan(evidence, vec![step])?;
    let (from, to) = if suspend {
        ("no", "yes")
    } else {
        ("yes", "no")
    };
    plan.arrow.1 = format!("the same, {}", if suspend { "suspended" } else { "moving" });
    plan.differences = vec![Difference {
        what: "suspend".into(),
        text: format!("{from} → {to}"),
    }];
    plan.meanwhile = meanwhile(case, suspend);
    plan.kubectl = case.kubectl("", &json!({"spec": {"suspend": suspend}}));
    Ok(plan)
}

/// # Errors
/// It is as it should be already.
pub fn works(case: Case<'_>, suspend: bool) -> Result<(), Refusal> {
    let id = &case.workload.id;
    if case.flagger.suspended() == suspend {
        return Err(match case.canary.pause {
            _ if suspend => refused(
                format!("{id} is suspended already."),
                "resume lets it move again",
            ),
            Some(pause) if pause.by == PausedBy::Gate => {
                let gates = case.gates();
                let sentence = format!("{id} is not suspended: {gates} holds it.");
                refused(sentence, "it goes on once that address says yes")
            }
            _ => Refusal::say(format!("{id} is not suspended.")),
        });
    }
    Ok(())
}

fn meanwhile(case: Case<'_>, suspend: bool) -> String {
    let primary = case.primary();
    match (suspend, case.canary.is_partial()) {
        (true, true) => format!(
            "it stands still at {}, its traffic too; neither an abort nor a promotion works until it is resumed",
            super::promote::place(case)
        ),
        (true, false) => format!("{primary} serves; a new template waits until it is resumed"),
        (false, true) => format!(
            "it goes on within {}",
            case.looks().trim_start_matches("every ")
        ),
        (false, false) => "a template that came meanwhile begins at the next look".into(),
    }
}
