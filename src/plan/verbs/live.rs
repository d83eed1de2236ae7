//! What a workload runs at the time of the reads, in the words that all verbs share.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::image::{ImageRef, short_digest};
use crate::domain::template::canonical_hash;
use crate::domain::version::version;
use crate::domain::{ActionNote, Container, Kind, Pod, Revision, TemplateHash, Verbatim, Workload};
use crate::plan::check::{CheckState, downtime, image, quota, readiness, references};
use crate::plan::patch::{self, Note};
use crate::plan::{
    Ask, Check, CheckId, Evidence, Goal, ObjectRef, Offer, OfferId, Plan, Refusal, Side, Step,
};

use super::canary::{self, hand};
use super::rollback::Candidates;

/// The side of the live template.
///
/// # Errors
/// The template cannot be read.
pub fn side(evidence: &Evidence) -> Result<Side, Refusal> {
    // Its controller says which one it is, once it has seen it.
    let workload = &evidence.workload;
    let seen = workload.generation <= workload.observed_generation;
    let canary = workload.controlled().filter(|_| seen);
    if let Some(canary) = canary.filter(|c| c.is_within() && !c.current.is_empty()) {
        return Ok(canary::current(evidence, canary));
    }
    let live = canonical_hash(&evidence.template.0).map_err(Refusal::unreadable)?;
    let current = Candidates::new(evidence, &live).current;
    let current = current.map(|fresh| &fresh.revision);
    Ok(Side {
        revision: current.map_or(0, |r| r.number),
        name: current.map(|r| r.name.clone()).unwrap_or_default(),
        version: version_of(&evidence.workload, None),
        short_digest: current.and_then(|r| digest(r, &evidence.pods)),
        template: TemplateHash::of(&evidence.template.0),
    })
}

/// The revision of the live template, and all others, newest number first.
pub fn revisions(evidence: &Evidence) -> (Option<&Revision>, Vec<&Revision>) {
    let live = canonical_hash(&evidence.template.0).ok();
    let current = live.and_then(|live| Candidates::new(evidence, &live).current);
    let current = current.map(|fresh| &fresh.revision);
    let all = evidence.revisions.iter().map(|fresh| &fresh.revision);
    let mut old: Vec<_> = all
        .filter(|r| Some(&r.uid) != current.map(|c| &c.uid))
        .collect();
    old.sort_by_key(|r| std::cmp::Reverse(r.number));
    (current, old)
}

/// What all plans say before a verb adds its own: where it goes from and to, and the checks that none goes without.
pub fn draft(evidence: &Evidence, (from, to): (Side, Side), goal: Goal) -> Plan {
    let workload = &evidence.workload;
    Plan {
        request: evidence.request.clone(),
        stamp: evidence.stamp.clone(),
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        phase: evidence.phase,
        level: evidence.level,
        arrow: (from.label(), to.label()),
        from,
        to,
        rule: String::new(),
        differences: Vec::new(),
        checks: must_checks(),
        steps: Vec::new(),
        offers: Vec::new(),
        goal,
        meanwhile: String::new(),
        expected: None,
        kubectl: String::new(),
        read_at: evidence.read_at,
    }
}

/// The end of a verb that leaves the template as it is: `side` is the live one.
///
/// # Errors
/// The template cannot be read.
pub fn goal(evidence: &Evidence, side: &Side) -> Result<Goal, Refusal> {
    let workload = &evidence.workload;
    Ok(Goal {
        verb: evidence.request.verb,
        id: evidence.stamp.id.clone(),
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        from_version: side.version.clone(),
        to_version: side.version.clone(),
        to: canonical_hash(&evidence.template.0).map_err(Refusal::unreadable)?,
        template: Some(workload.template),
        generation: workload.generation.saturating_add(1),
        revision_name: side.name.clone(),
        containers: workload.containers.clone(),
        accepted: evidence.stamp.at,
        by: evidence.stamp.by.clone(),
        scaled: None,
        ready_for: evidence.ready_for,
        expected: None,
        gone: None,
        turned: None,
        held: None,
    })
}

/// What is left on the object by a verb that keeps the template: `side` is the live one.
///
/// # Errors
/// The template cannot be read.
pub fn note(evidence: &Evidence, side: &Side) -> Result<ActionNote, Refusal> {
    Ok(ActionNote {
        id: evidence.stamp.id.clone(),
        verb: evidence.request.verb.name().into(),
        from: side.name.to_string(),
        from_version: side.version.clone(),
        to: canonical_hash(&evidence.template.0).map_err(Refusal::unreadable)?,
        by: evidence.stamp.by.clone(),
        at: evidence.stamp.at,
        replicas: None,
    })
}

/// The step that pauses or resumes.
///
/// # Errors
/// The template cannot be read.
pub fn turn(evidence: &Evidence, side: &Side, paused: bool) -> Result<Step, Refusal> {
    let workload = &evidence.workload;
    if let Some(canary) = workload.controlled() {
        return hand::turn(evidence, canary, side, paused);
    }
    let note = Note {
        note: &note(evidence, side)?,
        into_map: evidence.has_annotations,
    };
    let body = patch::turn_paused(&workload.uid, &evidence.template.0, paused, &note);
    Ok(Step::JsonPatch {
        object: ObjectRef::of(workload),
        body: Verbatim(body.map_err(Refusal::unreadable)?.into()),
        what: format!("{} {}", evidence.request.verb.name(), workload.id),
    })
}

/// What a person may add to another template: to resume what is paused, and to delete the pods that keep theirs.
pub fn offers(evidence: &Evidence, kept: Option<Vec<Step>>) -> Vec<Offer> {
    let workload = &evidence.workload;
    let resume = workload.paused.then(|| {
        let step = Step::JsonPatch {
            object: ObjectRef::of(workload),
            body: Verbatim(patch::resume(&workload.uid).into()),
            what: format!("resume {}", workload.id),
        };
        let text = "resume it as well, so that it moves";
        Offer::new(OfferId::Resume, 'u', text, vec![step])
    });
    let delete = kept.map(|steps| {
        let text = match steps.len() {
            1 => "delete that pod as well".into(),
            n => format!("delete those {n} pods as well, one after another"),
        };
        Offer::new(OfferId::DeletePods, 'd', text, steps)
    });
    resume.into_iter().chain(delete).collect()
}

/// The questions without whose answers nothing is written.
pub fn must_checks() -> Vec<Check> {
    let asking = |(id, ask)| Check {
        id,
        state: CheckState::Asking(ask),
    };
    let asked = [
        (CheckId::Permission, Ask::Permission),
        (CheckId::Unchanged, Ask::Unchanged),
        (CheckId::DryRun, Ask::DryRun),
    ];
    asked.map(asking).into()
}

/// Whether everything exists that the template names.
pub fn config(template: &Value) -> Check {
    let references = references::of(template);
    let state = if references.is_empty() {
        CheckState::Answered(references::none())
    } else {
        CheckState::Asking(Ask::References(references))
    };
    Check {
        id: CheckId::Config,
        state,
    }
}

/// Whether its images can be pulled; nothing to ask when there is none.
pub fn images(template: &Value) -> Option<Check> {
    let state = CheckState::Asking(Ask::Images(image::of(template)?));
    Some(Check {
        id: CheckId::Image,
        state,
    })
}

/// What a rollout to `template` meets on its way: `to_make` of its pods are not there yet. `since` when what it is set
/// up with must not have changed, when that matters.
pub fn on_its_way(
    workload: &Workload,
    template: &Value,
    to_make: u32,
    since: Option<Timestamp>,
) -> Vec<Check> {
    let asking = |id, ask| Check {
        id,
        state: CheckState::Asking(ask),
    };
    let names = references::settings(template);
    let changed = since.filter(|_| !names.is_empty());
    let changed = changed.map(|since| Ask::Changed { names, since });
    let quota = quota::need(workload, template, to_make).map(Ask::Quota);
    // An autoscaler can set what has a number of replicas.
    let numbered = workload.id.kind != Kind::DaemonSet && to_make > 0;
    let scaler = numbered.then(|| Ask::Autoscaler(Box::new(workload.clone())));
    let told = [
        downtime::verdict(workload, to_make),
        readiness::verdict(template),
    ];
    changed
        .map(|ask| asking(CheckId::Changed, ask))
        .into_iter()
        .chain(quota.map(|ask| asking(CheckId::Quota, ask)))
        .chain(scaler.map(|ask| asking(CheckId::Autoscaler, ask)))
        .chain(told.into_iter().flatten().map(Check::from))
        .collect()
}

/// # Errors
/// The kind knows no pause.
pub fn pausable(workload: &Workload) -> Result<(), Refusal> {
    match workload.id.kind {
        Kind::Deployment | Kind::Rollout => Ok(()),
        Kind::StatefulSet | Kind::DaemonSet => Err(Refusal::say(format!(
            "{} cannot be paused or resumed: only Deployments and Rollouts can.",
            workload.id
        ))),
    }
}

/// The version of the live template, beside that of another.
pub fn version_of(workload: &Workload, other: Option<&[Container]>) -> String {
    let label = workload.version_label.as_deref();
    version(&workload.containers, label, other)
}

/// The digest that its pods run, else the one its template pins.
pub fn digest(revision: &Revision, pods: &[Pod]) -> Option<String> {
    let main = revision.containers.iter().find(|c| !c.init)?;
    let running = pods
        .iter()
        .filter(|pod| pod.revision == revision.pod_hash)
        .filter(|pod| [&revision.uid, &revision.owner].contains(&&pod.owner))
        .flat_map(|pod| pod.containers.iter().filter(|c| c.name == main.name))
        .find_map(|c| short_digest(&c.image_id));
    running
        .or_else(|| ImageRef::parse(&main.image).digest.and_then(short_digest))
        .map(str::to_owned)
}
