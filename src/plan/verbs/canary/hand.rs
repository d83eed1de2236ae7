//! Pausing a canary by hand and taking that back: `spec.paused`, which is another pause than that of a step.

use crate::domain::canary::{Canary, PausedBy, Step as Stage};
use crate::domain::{Verbatim, WorkloadId};
use crate::plan::kubectl;
use crate::plan::patch::{self, Note};
use crate::plan::{
    CheckId, Difference, Evidence, Finding, ObjectRef, Plan, Refusal, Side, Step, Verdict,
};

use super::{bound, own_template, refused, where_it_is};
use crate::plan::verbs::live;

/// # Errors
/// It was given up: a pause would keep what serves from coming back.
pub fn may_pause(id: &WorkloadId, canary: &Canary) -> Result<(), Refusal> {
    if !canary.aborted {
        return Ok(());
    }
    let sentence = format!("{id} was aborted: a pause would only keep it from going back.");
    Err(Refusal::say(sentence))
}

/// Why there is nothing to resume.
pub fn not_paused(id: &WorkloadId, canary: &Canary) -> Refusal {
    let Some(pause) = canary.pause.filter(|pause| pause.by != PausedBy::Hand) else {
        return Refusal::say(format!("{id} is not paused."));
    };
    let waits = match pause.by {
        PausedBy::BlueGreen => "before its traffic is switched".to_owned(),
        PausedBy::Inconclusive => "for a person to judge its analysis".to_owned(),
        _ => format!("at step {}", canary.step.saturating_add(1)),
    };
    let sentence = format!("{id} is not paused by hand: it waits {waits}.");
    refused(sentence, "what waits there is promoted, and not resumed")
}

/// The step that pauses or resumes.
///
/// # Errors
/// The template cannot be read.
pub fn turn(
    evidence: &Evidence,
    canary: &Canary,
    side: &Side,
    paused: bool,
) -> Result<Step, Refusal> {
    let workload = &evidence.workload;
    let note = Note {
        note: &live::note(evidence, side)?,
        into_map: evidence.has_annotations,
    };
    let body = patch::turn_rollout(own_template(evidence), paused, &note);
    let body = body.map_err(Refusal::unreadable)?;
    Ok(Step::JsonPatch {
        object: ObjectRef::of(workload),
        body: Verbatim(patch::only_where(&bound(evidence, canary), body).into()),
        what: format!("{} {}", evidence.request.verb.name(), workload.id),
    })
}

/// It is resumed after an abort: while a person paused it, its controller takes the abort and moves no pod.
pub fn let_go(plan: &mut Plan, evidence: &Evidence) {
    let workload = &evidence.workload;
    plan.steps.push(Step::JsonPatch {
        object: ObjectRef::of(workload),
        body: Verbatim(patch::let_go(&workload.uid).into()),
        what: format!("resume {}, so that its pods go back", workload.id),
    });
    plan.differences.push(Difference {
        what: "paused".into(),
        text: "yes → no".into(),
    });
    plan.meanwhile += "; it is resumed as well, because no pod moves while it is paused by hand";
    plan.kubectl = format!("{} && {}", plan.kubectl, kubectl::unpause(&workload.id));
}

/// What is other than with a Deployment, in a plan that pauses it.
pub fn paused(plan: &mut Plan, evidence: &Evidence, canary: &Canary) {
    let workload = &evidence.workload;
    let (have, want) = (workload.counts.available, workload.desired);
    let stands = if canary.is_partial() {
        format!("it stands still at {}", place(evidence, canary))
    } else {
        "a new template waits until it is resumed".to_owned()
    };
    plan.meanwhile = format!("{stands}, and so does scaling; {have} of {want} serve now");
    plan.kubectl = kubectl::argo(&workload.id, "pause");
    if canary.pause.is_some() {
        let time = canary.pause.and_then(|pause| pause.until);
        let time = time.map_or("", |_| "; the time of that goes on");
        let sentence = format!("it waits already at {}{time}", place(evidence, canary));
        plan.add(warn(sentence).into());
    }
}

/// The same in one that resumes it.
pub fn resumed(plan: &mut Plan, evidence: &Evidence, canary: &Canary) {
    let workload = &evidence.workload;
    plan.meanwhile = match canary.now() {
        _ if canary.aborted => "it was aborted, and stays so until it is retried".into(),
        _ if !canary.is_partial() => "all of it is of one revision: nothing waits".into(),
        Some(Stage::Pause(None)) => format!(
            "back to {}, where it waits to be promoted",
            place(evidence, canary)
        ),
        Some(Stage::Pause(Some(_))) => format!(
            "back to {}, whose pause went on: when it is over, the next step comes at once",
            place(evidence, canary)
        ),
        _ => format!("it goes on at {}", place(evidence, canary)),
    };
    plan.kubectl = kubectl::unpause(&workload.id);
}

/// Where it is, also of one without steps.
fn place(evidence: &Evidence, canary: &Canary) -> String {
    if canary.steps.is_empty() {
        return "the switch of its traffic".into();
    }
    where_it_is(evidence)
}

fn warn(sentence: String) -> Verdict {
    Verdict {
        check: CheckId::Paused,
        finding: Finding::Warn,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evidence, plan_of};
    use crate::domain::canary::{Canary, PausedBy};
    use crate::plan::{Evidence, Plan, Step, Verb};

    fn body(plan: &Plan) -> String {
        let [Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("one step: {:?}", plan.steps);
        };
        body.0.to_string()
    }

    fn held(change: impl FnOnce(&mut Canary)) -> Evidence {
        let mut held = evidence(Verb::Resume, |canary| {
            canary.pause.as_mut().unwrap().by = PausedBy::Hand;
            change(canary);
        });
        held.workload.paused = true;
        held
    }

    #[test]
    fn a_pause_is_bound_to_the_step_that_was_shown() {
        let mut evidence = evidence(Verb::Pause, |_| {});
        let plan = plan_of(&evidence).unwrap();
        let written = body(&plan);
        for part in [
            r#"{"op":"test","path":"/status/currentStepIndex","value":1}"#,
            r#"{"op":"test","path":"/spec/template","value":{"#,
            r#"{"op":"add","path":"/spec/paused","value":true}"#,
        ] {
            assert!(written.contains(part), "{part}: {written}");
        }
        // Another's template is not on it.
        let canary = evidence.workload.canary.as_mut().unwrap();
        canary.template_of = Some("Deployment cart".into());
        assert!(!body(&plan_of(&evidence).unwrap()).contains("/spec/template"));
        assert!(
            plan.meanwhile.starts_with("it stands still at 20%"),
            "{}",
            plan.meanwhile
        );
    }

    #[test]
    fn a_resume_leaves_no_false_behind() {
        let plan = plan_of(&held(|_| {})).unwrap();
        let written = body(&plan);
        let part = r#"{"op":"test","path":"/spec/paused","value":true},{"op":"remove","path":"/spec/paused"}"#;
        assert!(written.contains(part), "{written}");
        assert!(
            plan.meanwhile.ends_with("where it waits to be promoted"),
            "{}",
            plan.meanwhile
        );
    }

    #[test]
    fn what_waits_at_a_step_is_promoted_and_not_resumed() {
        let why = plan_of(&evidence(Verb::Resume, |_| {}))
            .unwrap_err()
            .failure;
        assert_eq!(
            why.sentence,
            "rollout/checkout is not paused by hand: it waits at step 2."
        );
        assert_eq!(why.hints, ["what waits there is promoted, and not resumed"]);
        let why = plan_of(&evidence(Verb::Pause, |c| c.aborted = true)).unwrap_err();
        assert!(
            why.failure
                .sentence
                .contains("only keep it from going back")
        );
    }
}
