//! Restarting a Rollout: its controller evicts every pod that is older than a time, few at once. The template stays.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::{Pod, Verbatim};
use crate::plan::check::Check;
use crate::plan::meanwhile::limits;
use crate::plan::patch::{self, Note};
use crate::plan::{
    CheckId, Difference, Evidence, Finding, ObjectRef, Plan, Refusal, Step, Verdict, kubectl,
};
use crate::text;

use super::{own_template, refused, release};
use crate::plan::verbs::live;

/// # Errors
/// Why it would replace no pod.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let workload = &evidence.workload;
    let id = &workload.id;
    let at = when(evidence).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    moves_something(evidence, &at)?;
    let side = live::side(evidence)?;
    let note = Note {
        note: &live::note(evidence, &side)?,
        into_map: evidence.has_annotations,
    };
    let body = patch::restart_rollout(&workload.uid, own_template(evidence), &at, &note);
    let body = patch::only_where(
        &release::bound(evidence),
        body.map_err(Refusal::unreadable)?,
    );
    let step = Step::JsonPatch {
        object: ObjectRef::of(workload),
        body: Verbatim(body.into()),
        what: format!("ask the controller of {id} to make its pods anew"),
    };
    let goal = live::goal(evidence, &side)?;
    Ok(Plan {
        arrow: (side.label(), "the same, in new pods".into()),
        differences: vec![Difference {
            what: "restartAt".into(),
            text: at,
        }],
        checks: checks(evidence)?,
        steps: vec![step],
        meanwhile: meanwhile(evidence),
        kubectl: kubectl::argo(id, "restart"),
        ..live::draft(evidence, (side.clone(), side), goal)
    })
}

/// Now, by the clock that its pods are dated by, in whole seconds: one that was made within this second is older than the next.
fn when(evidence: &Evidence) -> Timestamp {
    let now = evidence.read_at;
    let of_now = |pod: &Pod| pod.created.as_second() == now.as_second();
    let next = now.saturating_add(SignedDuration::from_secs(1));
    let later = there(evidence).any(of_now);
    next.ok().filter(|_| later).unwrap_or(now)
}

/// Its controller evicts only what leaves enough of all pods, those of the canary included.
fn moves_something(evidence: &Evidence, at: &str) -> Result<(), Refusal> {
    let workload = &evidence.workload;
    let id = &workload.id;
    if workload.desired == 0 {
        let sentence =
            format!("{id} is scaled to zero: a restart would be accepted and replace no pod.");
        return Err(refused(sentence, "scaled up, it starts new pods anyway"));
    }
    let last = workload.canary.as_ref().and_then(|canary| canary.restart);
    if last.is_some_and(|last| last.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() == at) {
        return Err(Refusal::say(format!(
            "{id} was restarted within this second."
        )));
    }
    let there: Vec<_> = there(evidence).collect();
    let serve = there.iter().filter(|pod| pod.ready).count();
    let kept = all(evidence).saturating_sub(at_once(evidence));
    // Who may not list pods is not kept from it.
    if there.is_empty() || serve > kept {
        return Ok(());
    }
    let sentence = format!(
        "{id} has {} that serve, and its controller evicts one only while more than {kept} do: a restart would be accepted and replace no pod.",
        text::count(serve, "pod")
    );
    Err(refused(
        sentence,
        "take away the pod that fails, or roll back",
    ))
}

fn there(evidence: &Evidence) -> impl Iterator<Item = &Pod> {
    let there = |pod: &&Pod| !pod.terminating && !pod.ended();
    evidence.pods.iter().filter(there)
}

/// All pods that are wanted, of both revisions.
fn all(evidence: &Evidence) -> usize {
    let sum: u32 = evidence.revisions.iter().map(|f| f.revision.desired).sum();
    usize::try_from(sum.max(evidence.workload.desired)).unwrap_or(usize::MAX)
}

fn at_once(evidence: &Evidence) -> usize {
    let (down, _) = limits(&evidence.workload);
    usize::try_from(down.max(1)).unwrap_or(usize::MAX)
}

fn checks(evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    let workload = &evidence.workload;
    let template = release::current(evidence).map_or(&evidence.template, |fresh| &fresh.template);
    let template: Value = serde_json::from_str(&template.0).map_err(Refusal::unreadable)?;
    let mut checks = live::must_checks();
    checks.extend(live::images(&template));
    checks.push(live::config(&template));
    // The pods that go have what was there when they were made.
    let since = there(evidence).map(|pod| pod.created).min();
    let way = live::on_its_way(workload, &template, workload.desired, since);
    // Another one is made only after one is gone, whatever the strategy of a release.
    checks.extend(
        way.into_iter()
            .filter(|check| check.id != CheckId::Downtime),
    );
    if at_once(evidence) >= all(evidence) {
        let verdict = Verdict {
            check: CheckId::Downtime,
            finding: Finding::Warn,
            sentence: "all pods go before a successor is ready: nobody is served meanwhile".into(),
        };
        checks.push(verdict.into());
    }
    checks.sort_by_key(|check| check.id);
    Ok(checks)
}

fn meanwhile(evidence: &Evidence) -> String {
    let (all, at_once) = (all(evidence), at_once(evidence));
    let verb = if all == 1 { "is" } else { "are" };
    format!(
        "{} {verb} evicted, {at_once} at a time, as their disruption budgets let them; at least {} of {all} keep serving",
        text::count(all, "pod"),
        all.saturating_sub(at_once)
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evidence, plan_of};
    use super::*;
    use crate::domain::canary::Restart;
    use crate::domain::fixture::pod;
    use crate::plan::Verb;
    use serde_json::json;

    fn pods(ready: usize, of: usize) -> Evidence {
        let mut evidence = evidence(Verb::Restart, |_| {});
        let pod = pod(crate::domain::Kind::Rollout, "a", "new");
        evidence.pods = vec![pod; of];
        for (n, pod) in evidence.pods.iter_mut().enumerate() {
            pod.ready = n < ready;
            pod.created = evidence.read_at - SignedDuration::from_secs(60);
        }
        evidence.workload.desired = u32::try_from(of).unwrap();
        for fresh in &mut evidence.revisions {
            fresh.revision.desired = 0;
        }
        evidence
    }

    #[test]
    fn the_template_stays_and_the_time_is_the_servers() {
        let evidence = pods(6, 6);
        let plan = plan_of(&evidence).unwrap();
        let [Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("{:?}", plan.steps)
        };
        let operations: Value = serde_json::from_str(&body.0).unwrap();
        assert_eq!(operations[3]["path"], "/spec/template");
        let at = evidence.read_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let want = json!({"op": "add", "path": "/spec/restartAt", "value": at});
        assert_eq!(operations[4], want);
        assert_eq!(
            operations[5]["path"],
            "/metadata/annotations/rolldeck.dev~1action"
        );
        assert_eq!(plan.goal.template, Some(evidence.workload.template));
        let words = "6 pods are evicted, 1 at a time, as their disruption budgets let them; at least 5 of 6 keep serving";
        assert_eq!(plan.meanwhile, words);
    }

    #[test]
    fn a_pod_of_this_very_second_is_made_anew_as_well() {
        let mut evidence = pods(6, 6);
        evidence.pods[0].created = evidence.read_at;
        let plan = plan_of(&evidence).unwrap();
        let next = evidence.read_at.checked_add(SignedDuration::from_secs(1));
        let next = next.unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        assert_eq!(plan.differences[0].text, next);
    }

    #[test]
    fn what_would_replace_no_pod_is_refused() {
        let why = plan_of(&pods(5, 6)).unwrap_err().failure;
        assert!(
            why.sentence.contains(
                "5 pods that serve, and its controller evicts one only while more than 5 do"
            ),
            "{}",
            why.sentence
        );
        assert!(
            plan_of(&pods(0, 0))
                .unwrap_err()
                .failure
                .sentence
                .contains("scaled to zero")
        );
        let mut twice = pods(6, 6);
        twice.workload.canary.as_mut().unwrap().restart = Some(Restart {
            at: twice.read_at,
            done: true,
        });
        assert!(
            plan_of(&twice)
                .unwrap_err()
                .failure
                .sentence
                .contains("within this second")
        );
    }

    #[test]
    fn of_a_single_pod_nobody_is_served_meanwhile() {
        let plan = plan_of(&pods(1, 1)).unwrap();
        assert!(
            plan.checks
                .iter()
                .any(|check| check.id == CheckId::Downtime)
        );
        assert!(
            plan.meanwhile.ends_with("at least 0 of 1 keep serving"),
            "{}",
            plan.meanwhile
        );
    }
}
