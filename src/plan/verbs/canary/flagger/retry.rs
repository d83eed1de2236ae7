//! Beginning a release of Flagger anew after it failed: only another pod template makes it look again, so a time is written into
//! that.

use super::super::refused;
use super::{Case, turned};
use crate::domain::canary::flagger::Phase;
use crate::plan::verbs::{live, restart};
use crate::plan::{CheckId, Difference, Finding, Goal, Plan, Refusal, Verdict};
use crate::text;

/// # Errors
/// Why there is nothing to retry.
pub fn plan(case: Case<'_>) -> Result<Plan, Refusal> {
    let id = &case.workload().id;
    if !case.canary.aborted {
        let sentence = format!("{id} has not failed: there is nothing to retry.");
        if case.flagger.phase == Phase::Failed {
            let hint = "what failed is no longer asked for: a new image begins a release";
            return Err(refused(sentence, hint));
        }
        return Err(Refusal::say(sentence));
    }
    case.not_suspended()?;
    let again = restart::again(case.evidence)?;
    let mut plan = case.plan(vec![again.step])?;
    let side = live::side(case.evidence)?;
    plan.goal = Goal {
        to: again.to,
        template: None,
        revision_name: Box::default(),
        turned: Some(turned(case)),
        ..live::goal(case.evidence, &side)?
    };
    plan.goal.to_version.clone_from(&plan.to.version);
    plan.arrow = (case.served(), plan.to.version.clone());
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
    let why = case.canary.analyses.iter().flat_map(|run| &run.metrics);
    let mut why = why.filter(|metric| !metric.value.is_empty());
    let said = why.next().map(text::canary::metric);
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
