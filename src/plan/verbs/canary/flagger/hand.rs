//! Suspending a canary of Flagger and resuming it: `spec.suspend`, for which it does nothing at all, else `spec.skipAnalysis`, for which it looks at nothing.

use serde_json::{Value, json};

use super::super::refused;
use super::{Case, promote, test};
use crate::domain::canary::PausedBy;
use crate::plan::{Difference, Evidence, Plan, Refusal, Step, Verb};

/// What is turned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Switch {
    Suspend,
    Resume,
    /// A promotion that nobody saw to its end leaves it off.
    AnalysisOn,
}

/// # Errors
/// The template cannot be read.
pub fn plan(evidence: &Evidence, case: Case<'_>) -> Result<Plan, Refusal> {
    let switch = match evidence.request.verb {
        Verb::Pause => Switch::Suspend,
        _ if case.flagger.suspended() => Switch::Resume,
        _ => Switch::AnalysisOn,
    };
    let step = Step::JsonPatch {
        object: case.object(),
        body: case.bound(written(case, switch)),
        what: what(case, switch),
    };
    let mut plan = case.plan(evidence, vec![step])?;
    let (field, from, to) = match switch {
        Switch::Suspend => ("suspend", "no", "yes"),
        Switch::Resume => ("suspend", "yes", "no"),
        Switch::AnalysisOn => ("skipAnalysis", "yes", "no"),
    };
    plan.arrow.1 = match switch {
        Switch::Suspend => "the same, suspended",
        Switch::Resume => "the same, moving",
        Switch::AnalysisOn => "the same, under its analysis",
    }
    .into();
    plan.differences = vec![Difference {
        what: field.into(),
        text: format!("{from} → {to}"),
    }];
    plan.meanwhile = meanwhile(case, switch);
    plan.kubectl = case.kubectl("", &json!({"spec": {field: switch == Switch::Suspend}}));
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
            _ if case.flagger.is_unchecked() => return Ok(()),
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

/// The test of how it was, and the write.
fn written(case: Case<'_>, switch: Switch) -> [Value; 2] {
    let (path, was) = match switch {
        Switch::Suspend | Switch::Resume => ("/spec/suspend", case.flagger.suspend),
        Switch::AnalysisOn => (promote::SWITCH, case.flagger.skip_analysis),
    };
    let write = match switch {
        Switch::Suspend => json!({"op": "add", "path": path, "value": true}),
        Switch::Resume | Switch::AnalysisOn => json!({"op": "remove", "path": path}),
    };
    [test(path, &json!(was)), write]
}

fn what(case: Case<'_>, switch: Switch) -> String {
    let named = case.named();
    match switch {
        Switch::Suspend => format!("suspend {named}"),
        Switch::Resume => format!("resume {named}"),
        Switch::AnalysisOn => promote::on_again_words(case),
    }
}

fn meanwhile(case: Case<'_>, switch: Switch) -> String {
    let (primary, place) = (case.primary(), promote::place(case));
    let within = case.looks().replace("every", "within");
    match (switch, case.canary.is_partial()) {
        (Switch::Suspend, true) => format!(
            "it stands still at {place}, its traffic too; neither an abort nor a promotion works until it is resumed"
        ),
        (Switch::Suspend, false) => {
            format!("{primary} serves; a new template waits until it is resumed")
        }
        (Switch::Resume, true) => format!("it goes on {within}"),
        (Switch::Resume, false) => "a template that came meanwhile begins at the next look".into(),
        (Switch::AnalysisOn, true) => format!(
            "unless Flagger promotes it before it sees this ({within}), it is judged: {place}"
        ),
        (Switch::AnalysisOn, false) => {
            format!("{primary} serves; the next template is judged before it takes over")
        }
    }
}
