//! Beginning a release of Flagger anew after it failed: only another pod template makes it look again, so a time is written into
//! that.

use super::super::{refused, turned};
use super::Case;
use crate::domain::Fleet;
use crate::domain::canary::flagger::Phase;
use crate::plan::verbs::{live, restart};
use crate::plan::{CheckId, Difference, Evidence, Finding, Goal, Plan, Refusal, Verdict};
use crate::text;

/// # Errors
/// The template cannot be read.
pub fn plan(fleet: &Fleet, evidence: &Evidence, case: Case<'_>) -> Result<Plan, Refusal> {
    let id = &case.workload.id;
    let again = restart::again(evidence)?;
    let mut plan = case.plan(evidence, vec![again.step])?;
    let side = live::side(evidence)?;
    plan.goal = Goal {
        to: again.to,
        template: None,
        revision_name: Box::default(),
        turned: Some(turned(case.canary)),
        ..live::goal(evidence, &side)?
    };
    plan.goal.to_version.clone_from(&plan.to.version);
    plan.arrow = (case.served(evidence), plan.to.version.clone());
    plan.differences = vec![Difference {
        what: "canary".into(),
        text: format!("failed → {}", steps(case)),
    }];
    plan.differences.extend(again.differences);
    plan.meanwhile = format!(
        "the same release of {} begins anew at the next look ({}); {} serves on",
        plan.to.version,
        case.looks(),
        case.primary()
    );
    plan.kubectl = crate::plan::kubectl::rollout(id, "restart");
    // Only events say why, and those come by a feed.
    let known = fleet.workload(id).and_then(|w| w.canary.as_ref());
    let metrics = known.iter().flat_map(|canary| &canary.analyses);
    let mut bad = metrics
        .flat_map(|run| &run.metrics)
        .filter(|metric| !metric.value.is_empty());
    let said = bad.next().map(text::canary::metric);
    let said = said.unwrap_or_else(|| case.canary.message.to_string());
    plan.add(
        Verdict {
            check: CheckId::Analysis,
            finding: Finding::Warn,
            sentence: format!("it failed: {said}"),
        }
        .into(),
    );
    Ok(plan)
}

/// # Errors
/// Why there is nothing to retry.
pub fn works(case: Case<'_>) -> Result<(), Refusal> {
    let id = &case.workload.id;
    if !case.canary.aborted {
        let sentence = format!("{id} has not failed: there is nothing to retry.");
        if case.flagger.phase == Phase::Failed {
            let hint = "what failed is no longer asked for: a new image begins a release";
            return Err(refused(sentence, hint));
        }
        return Err(Refusal::say(sentence));
    }
    case.not_suspended()
}

/// `10%, 20%, 50%`, or `3 checks`.
pub fn steps(case: Case<'_>) -> String {
    use crate::domain::canary::Step;
    let all = &case.canary.steps;
    if all.last() == Some(&Step::Check) {
        return text::count(all.len(), "check");
    }
    let words: Vec<_> = all.iter().map(text::canary::step).collect();
    match &words[..] {
        [first, .., last] if words.len() > 5 => format!("{first} to {last}"),
        words => words.join(", "),
    }
}
