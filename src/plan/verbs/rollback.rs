//! Rolling a workload back to the pod template of another revision.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::template::{CanonicalHash, canonical_hash};
use crate::domain::version::version;
use crate::domain::{ActionNote, Fleet, Pod, Revision, TemplateHash, Verbatim, Workload};
use crate::plan::check::{
    self, Check, commits, history, owner, paused, siblings, strategy, withdrawn,
};
use crate::plan::difference::differences;
use crate::plan::meanwhile::meanwhile;
use crate::plan::patch::{self, Note};
use crate::plan::{
    CheckId, Difference, Evidence, Goal, ObjectRef, Offer, Plan, Refusal, Side, Step, Verb,
    Verdict, git, kubectl,
};

use super::canary::release;
use super::helm_rollback;
use super::live::{self, digest};

pub(super) mod pods;
mod target;

use pods::Left;
pub(super) use target::Candidates;
use target::Chosen;
pub use target::{came_back_from, left_behind, preferred};

/// # Errors
/// Why there is nothing to roll back to, or that the object is not the one that was shown.
pub fn plan(fleet: &Fleet, evidence: &Evidence, now: Timestamp) -> Result<Plan, Refusal> {
    release::takes_template(evidence)?;
    let live = canonical_hash(&evidence.template.0).map_err(Refusal::unreadable)?;
    let candidates = Candidates::new(evidence, &live);
    let chosen = target::choose(&candidates, evidence)?;
    assemble(&Case::new(evidence, &candidates, &chosen)?, fleet, now)
}

/// Everything a plan is put together from.
struct Case<'a> {
    evidence: &'a Evidence,
    /// What is left: the revision of the live template, else that of the pods that do not follow it.
    from: Option<&'a Revision>,
    target: &'a Revision,
    chosen: &'a Chosen<'a>,
    /// The pods that do not follow the target by themselves.
    left: Left<'a>,
    /// The target's template without its hash label, and what was filled into it: what is written.
    replacement: String,
    to: CanonicalHash,
    from_version: String,
    to_version: String,
    before: Value,
    after: Value,
}

impl<'a> Case<'a> {
    fn new(
        evidence: &'a Evidence,
        candidates: &Candidates<'a>,
        chosen: &'a Chosen<'a>,
    ) -> Result<Self, Refusal> {
        let target = &chosen.revision.revision;
        let left = Left::new(&evidence.workload, evidence.pods.iter(), target);
        let current = candidates.current.map(|fresh| &fresh.revision);
        let (replacement, from) = if chosen.live {
            let old = left.all().find_map(|pod| candidates.of(pod));
            (evidence.template.0.to_string(), old.or(current))
        } else {
            let raw = &chosen.revision.template.0;
            let template = patch::template_of_revision(raw).map_err(Refusal::unreadable)?;
            (template, current)
        };
        let from_version = match from {
            Some(from) if chosen.live => version_beside(from, &evidence.workload),
            Some(_) | None => live::version_of(&evidence.workload, Some(&target.containers)),
        };
        let before = match release::current(evidence) {
            Some(fresh) => patch::template_of_revision(&fresh.template.0),
            None => Ok(evidence.template.0.to_string()),
        };
        let before = before.and_then(|before| serde_json::from_str(&before));
        let before = before.map_err(Refusal::unreadable)?;
        let after = serde_json::from_str(&replacement).map_err(Refusal::unreadable)?;
        let replacement = release::unfilled(evidence, replacement, &before);
        let replacement = replacement.map_err(Refusal::unreadable)?;
        Ok(Self {
            evidence,
            from,
            target,
            chosen,
            left,
            to: canonical_hash(&replacement).map_err(Refusal::unreadable)?,
            from_version,
            to_version: version_beside(target, &evidence.workload),
            before,
            after,
            replacement,
        })
    }
}

fn assemble(case: &Case<'_>, fleet: &Fleet, now: Timestamp) -> Result<Plan, Refusal> {
    let evidence = case.evidence;
    let workload = &evidence.workload;
    let (from, to) = sides(case);
    let differences = differences(&case.before, &case.after);
    let goal = goal(case);
    let mut plan = Plan {
        rule: case.chosen.rule.clone(),
        checks: checks(case, fleet, &differences, now),
        steps: steps(case).map_err(Refusal::unreadable)?,
        offers: offers(case),
        meanwhile: release::outlook(evidence, Some(case.target))
            .unwrap_or_else(|| meanwhile(workload, &moving(case))),
        kubectl: command(case),
        differences,
        ..live::draft(evidence, (from, to), goal)
    };
    // A template that is live already says nothing else than before.
    if !case.chosen.live {
        let template = git::Change::Template(&case.before, &case.after);
        git::guard(&mut plan, evidence, template);
    }
    Ok(plan)
}

fn sides(case: &Case<'_>) -> (Side, Side) {
    let evidence = case.evidence;
    let from = Side {
        revision: case.from.map_or(0, |r| r.number),
        name: case.from.map(|r| r.name.clone()).unwrap_or_default(),
        version: case.from_version.clone(),
        short_digest: case.from.and_then(|r| digest(r, &evidence.pods)),
        template: TemplateHash::of(&evidence.template.0),
    };
    let to = Side {
        revision: case.target.number,
        name: case.target.name.clone(),
        version: case.to_version.clone(),
        short_digest: digest(case.target, &evidence.pods),
        template: case.target.template,
    };
    (from, to)
}

fn checks(
    case: &Case<'_>,
    fleet: &Fleet,
    differences: &[Difference],
    now: Timestamp,
) -> Vec<Check> {
    let workload = &case.evidence.workload;
    let mut checks = live::must_checks();
    checks.push(differs(case, differences).into());
    checks.extend(live::images(&case.after));
    checks.push(live::config(&case.after));
    let repository = case.evidence.repository.as_ref();
    checks.extend(commits::question(repository, &case.before, &case.after));
    let others = pods::others(case.evidence.pods.iter(), case.target);
    let told = [
        withdrawn::verdict(case.chosen.withdrawn, now),
        Some(owner::verdict(workload.manager.as_ref())),
        paused::verdict(workload.paused),
        strategy::verdict(workload, &others, &case.left.blocking),
        history::after_rollback(workload, &case.from_version, ways_on(case)),
        siblings::verdict(fleet, workload, now),
    ];
    checks.extend(told.into_iter().flatten().map(Check::from));
    let serving = case.target.serving(&case.evidence.pods);
    let to_make = workload.desired.saturating_sub(serving);
    let since = Some(case.target.created);
    checks.extend(live::on_its_way(workload, &case.after, to_make, since));
    checks.sort_by_key(|check| check.id);
    checks
}

/// The revisions beside the one that is left and the target to which one can go back later.
fn ways_on(case: &Case<'_>) -> usize {
    let revisions = case.evidence.revisions.iter().map(|f| &f.revision);
    let from = case.from.map(|from| &from.uid);
    let other = |r: &&Revision| r.uid != case.target.uid && Some(&r.uid) != from;
    revisions.filter(other).count()
}

fn differs(case: &Case<'_>, differences: &[Difference]) -> Verdict {
    if case.chosen.live {
        return Verdict {
            check: CheckId::Differs,
            finding: check::Finding::Ok,
            sentence: "its pod template is the target's already: only pods are deleted".into(),
        };
    }
    check::differs::verdict(differences)
}

/// The patch comes first: what its controller makes after it has the target's template.
fn steps(case: &Case<'_>) -> Result<Vec<Step>, serde_json::Error> {
    let mut steps = vec![patch_step(case)?];
    steps.extend(case.left.blocking_steps(case.evidence));
    if case.chosen.live {
        steps.extend(case.left.kept_steps(case.evidence).into_iter().flatten());
    }
    Ok(steps)
}

/// Those that the controller replaces.
fn moving<'a>(case: &Case<'a>) -> Vec<&'a Pod> {
    let evidence = case.evidence;
    let moves = |pod: &&Pod| pods::moves(&evidence.workload, pod, case.target);
    let mut others = pods::others(evidence.pods.iter(), case.target);
    others.retain(moves);
    others
}

fn command(case: &Case<'_>) -> String {
    let undo = (!case.chosen.live).then_some(case.target);
    let deleted: Vec<_> = case.left.all().collect();
    let deleted = if case.chosen.live {
        &*deleted
    } else {
        &case.left.blocking
    };
    kubectl::undo(&case.evidence.workload, undo, deleted)
}

fn patch_step(case: &Case<'_>) -> Result<Step, serde_json::Error> {
    let evidence = case.evidence;
    let id = &evidence.workload.id;
    let note = ActionNote {
        id: evidence.stamp.id.clone(),
        verb: Verb::Rollback.name().into(),
        from: case.from.map(|r| r.name.to_string()).unwrap_or_default(),
        from_version: case.from_version.clone(),
        to: case.to.clone(),
        by: evidence.stamp.by.clone(),
        at: evidence.stamp.at,
        replicas: None,
    };
    let body = patch::replace_template(
        &evidence.workload.uid,
        &evidence.template.0,
        &case.replacement,
        &Note {
            note: &note,
            into_map: evidence.has_annotations,
        },
    )?;
    let body = patch::only_where(&release::bound(evidence), body);
    Ok(Step::JsonPatch {
        object: ObjectRef::of(&evidence.workload),
        body: Verbatim(body.into()),
        what: if case.chosen.live {
            format!("note on {id} who acts; its pod template stays")
        } else {
            let target = case.target.label();
            format!("replace the pod template of {id} with that of {target}")
        },
    })
}

fn offers(case: &Case<'_>) -> Vec<Offer> {
    let kept = case.left.kept_steps(case.evidence);
    let mut offers = live::offers(case.evidence, kept.filter(|_| !case.chosen.live));
    offers.extend(helm_rollback::offer(case.evidence));
    offers
}

fn goal(case: &Case<'_>) -> Goal {
    let evidence = case.evidence;
    Goal {
        verb: Verb::Rollback,
        id: evidence.stamp.id.clone(),
        workload: evidence.workload.id.clone(),
        uid: evidence.workload.uid.clone(),
        from_version: case.from_version.clone(),
        to_version: case.to_version.clone(),
        to: case.to.clone(),
        // The note on a template that stays bumps no generation: news from before the write would look like another's.
        template: case.chosen.live.then_some(evidence.workload.template),
        generation: evidence
            .workload
            .generation
            .saturating_add(i64::from(!case.chosen.live)),
        revision_name: case.target.name.clone(),
        containers: case.target.containers.clone(),
        accepted: evidence.stamp.at,
        by: evidence.stamp.by.clone(),
        scaled: None,
        ready_for: evidence.ready_for,
        expected: None,
        gone: None,
        turned: release::shown(evidence),
        held: None,
    }
}

fn version_beside(revision: &Revision, workload: &Workload) -> String {
    version(
        &revision.containers,
        revision.version_label.as_deref(),
        Some(&workload.containers),
    )
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
