//! Rolling a Deployment back to the pod template of another revision.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::image::{ImageRef, short_digest};
use crate::domain::template::{CanonicalHash, canonical_hash};
use crate::domain::version::version;
use crate::domain::{
    ActionNote, Failure, FailureKind, Fleet, Kind, Pod, Revision, Strategy, TemplateHash, Verbatim,
    Workload,
};
use crate::plan::check::{self, Check, CheckState, owner, paused, references};
use crate::plan::difference::differences;
use crate::plan::follow::READY_FOR;
use crate::plan::patch::{self, Note};
use crate::plan::{
    Ask, CheckId, Difference, Evidence, Goal, ObjectRef, Offer, OfferId, Plan, Refusal, Side, Step,
    Verdict,
};

mod moved;
mod target;

pub use target::preferred;
use target::{Candidates, Chosen};

/// # Errors
/// Why there is nothing to roll back to, or that the object is not the one that was shown.
pub fn plan(fleet: &Fleet, evidence: &Evidence, now: Timestamp) -> Result<Plan, Refusal> {
    supported(&evidence.workload)?;
    moved::refuse(fleet, evidence, now)?;
    let live = canonical_hash(&evidence.template.0).map_err(unreadable)?;
    let candidates = Candidates::new(evidence, &live);
    let chosen = target::choose(&candidates, evidence)?;
    assemble(&Case::new(evidence, &candidates, &chosen)?, now)
}

/// Everything a plan is put together from.
struct Case<'a> {
    evidence: &'a Evidence,
    current: Option<&'a Revision>,
    target: &'a Revision,
    chosen: &'a Chosen<'a>,
    /// The target's template without its hash label: what is written.
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
        let raw = &chosen.revision.template.0;
        let replacement = patch::without_hash_label(raw).map_err(unreadable)?;
        Ok(Self {
            evidence,
            current: candidates.current.map(|fresh| &fresh.revision),
            target,
            chosen,
            to: canonical_hash(&replacement).map_err(unreadable)?,
            from_version: live_version(&evidence.workload, &target.containers),
            to_version: version_beside(target, &evidence.workload),
            before: serde_json::from_str(&evidence.template.0).map_err(unreadable)?,
            after: serde_json::from_str(&replacement).map_err(unreadable)?,
            replacement,
        })
    }
}

fn assemble(case: &Case<'_>, now: Timestamp) -> Result<Plan, Refusal> {
    let evidence = case.evidence;
    let workload = &evidence.workload;
    let (from, to) = sides(case);
    let differences = differences(&case.before, &case.after);
    Ok(Plan {
        request: evidence.request.clone(),
        stamp: evidence.stamp.clone(),
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        phase: evidence.phase,
        level: evidence.level,
        rule: case.chosen.rule.clone(),
        checks: checks(case, &differences, now),
        steps: vec![step(case).map_err(unreadable)?],
        offers: offers(workload),
        goal: goal(case),
        meanwhile: meanwhile(workload),
        kubectl: kubectl(workload, case.target),
        read_at: evidence.read_at,
        differences,
        from,
        to,
    })
}

fn sides(case: &Case<'_>) -> (Side, Side) {
    let evidence = case.evidence;
    let from = Side {
        revision: case.current.map_or(0, |r| r.number),
        name: case.current.map(|r| r.name.clone()).unwrap_or_default(),
        version: case.from_version.clone(),
        short_digest: case.current.and_then(|r| digest(r, &evidence.pods)),
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

fn checks(case: &Case<'_>, differences: &[Difference], now: Timestamp) -> Vec<Check> {
    let workload = &case.evidence.workload;
    let asking = |id, ask| Check {
        id,
        state: CheckState::Asking(ask),
    };
    let answered = |verdict: Verdict| Check {
        id: verdict.check,
        state: CheckState::Answered(verdict),
    };
    let unchanged = Ask::Unchanged {
        uid: workload.uid.clone(),
        template: workload.template,
    };
    let references = references::of(&case.after);
    let config = if references.is_empty() {
        answered(references::none())
    } else {
        asking(CheckId::Config, Ask::References(references))
    };
    let mut checks = vec![
        asking(CheckId::Permission, Ask::Permission),
        asking(CheckId::Unchanged, unchanged),
        answered(check::differs::verdict(
            differences,
            case.chosen.withdrawn,
            now,
        )),
        asking(CheckId::DryRun, Ask::DryRun),
        config,
    ];
    checks.push(answered(owner::verdict(workload.manager.as_ref())));
    checks.extend(paused::verdict(workload.paused).map(answered));
    checks
}

fn object(workload: &Workload) -> ObjectRef {
    ObjectRef {
        cluster: workload.id.cluster.clone(),
        namespace: workload.id.namespace.clone(),
        api: "apps/v1",
        resource: workload.id.kind.plural(),
        name: workload.id.name.clone(),
    }
}

fn step(case: &Case<'_>) -> Result<Step, serde_json::Error> {
    let evidence = case.evidence;
    let note = ActionNote {
        id: evidence.stamp.id.clone(),
        verb: "rollback".into(),
        from: case.current.map(|r| r.name.to_string()).unwrap_or_default(),
        from_version: case.from_version.clone(),
        to: case.to.clone(),
        by: evidence.stamp.by.clone(),
        at: evidence.stamp.at,
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
    Ok(Step::JsonPatch {
        object: object(&evidence.workload),
        body: Verbatim(body.into()),
        what: format!(
            "replace the pod template of {} with that of {}",
            evidence.workload.id,
            case.target.label()
        ),
    })
}

fn offers(workload: &Workload) -> Vec<Offer> {
    if !workload.paused {
        return Vec::new();
    }
    vec![Offer {
        id: OfferId::Resume,
        key: 'u',
        text: "resume it as well, so that it moves".into(),
        step: Step::JsonPatch {
            object: object(workload),
            body: Verbatim(patch::resume(&workload.uid).into()),
            what: format!("resume {}", workload.id),
        },
        taken: false,
    }]
}

fn goal(case: &Case<'_>) -> Goal {
    let evidence = case.evidence;
    Goal {
        id: evidence.stamp.id.clone(),
        workload: evidence.workload.id.clone(),
        uid: evidence.workload.uid.clone(),
        from_version: case.from_version.clone(),
        to_version: case.to_version.clone(),
        to: case.to.clone(),
        generation: evidence.workload.generation.saturating_add(1),
        revision_name: case.target.name.clone(),
        containers: case.target.containers.clone(),
        accepted: evidence.stamp.at,
        by: evidence.stamp.by.clone(),
        ready_for: READY_FOR,
    }
}

/// How many serve while it moves: what is available now, or what the strategy keeps.
fn meanwhile(workload: &Workload) -> String {
    let (have, want) = (workload.counts.available, workload.desired);
    if want == 0 {
        return "scaled to zero: no pod runs before or after".into();
    }
    if workload.paused {
        return format!("{have} of {want} serve; nothing moves until resumed");
    }
    match &workload.strategy {
        Strategy::Recreate => "all pods stop before the first new one starts (Recreate)".into(),
        Strategy::Rolling {
            max_unavailable,
            max_surge,
            ..
        } => {
            let kept = want - unavailable(want, max_unavailable.as_deref(), max_surge.as_deref());
            if have > kept {
                format!("at least {kept} of {want} keep serving")
            } else {
                format!("{have} of {want} keep serving")
            }
        }
        Strategy::OnDelete | Strategy::Other(_) => format!("{have} of {want} serve now"),
    }
}

/// As the Deployment controller counts: a percentage is rounded down, and 1 when surge is zero as well.
fn unavailable(want: u32, max_unavailable: Option<&str>, max_surge: Option<&str>) -> u32 {
    let amount = |text: Option<&str>, up: bool| {
        let text = text.unwrap_or("25%");
        match text.strip_suffix('%') {
            Some(percent) => {
                let part = u64::from(want) * percent.parse::<u64>().unwrap_or(0);
                let rounded = if up { part.div_ceil(100) } else { part / 100 };
                u32::try_from(rounded).unwrap_or(want)
            }
            None => text.parse().unwrap_or(0),
        }
    };
    match (amount(max_unavailable, false), amount(max_surge, true)) {
        (0, 0) => 1,
        (unavailable, _) => unavailable.min(want),
    }
}

fn kubectl(workload: &Workload, target: &Revision) -> String {
    let id = &workload.id;
    let context = match &*id.cluster.0 {
        "in-cluster" => String::new(),
        name => format!(" --context {}", shell_word(name)),
    };
    format!(
        "kubectl{context} -n {} rollout undo {id} --to-revision={}",
        id.namespace, target.number
    )
}

/// Context names may hold anything.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The digest that its pods run, else the one its template pins.
fn digest(revision: &Revision, pods: &[Pod]) -> Option<String> {
    let main = revision.containers.iter().find(|c| !c.init)?;
    let running = pods
        .iter()
        .filter(|pod| pod.owner == revision.uid)
        .flat_map(|pod| pod.containers.iter().filter(|c| c.name == main.name))
        .find_map(|c| short_digest(&c.image_id));
    running
        .or_else(|| ImageRef::parse(&main.image).digest.and_then(short_digest))
        .map(str::to_owned)
}

fn version_beside(revision: &Revision, workload: &Workload) -> String {
    version(
        &revision.containers,
        revision.version_label.as_deref(),
        Some(&workload.containers),
    )
}

fn live_version(workload: &Workload, other: &[crate::domain::Container]) -> String {
    version(
        &workload.containers,
        workload.version_label.as_deref(),
        Some(other),
    )
}

fn supported(workload: &Workload) -> Result<(), Refusal> {
    let id = &workload.id;
    match id.kind {
        Kind::Deployment => {}
        Kind::StatefulSet | Kind::DaemonSet => {
            let refused = Failure::new(
                FailureKind::Refused,
                format!(
                    "{id} is a {}: rolling those back comes later, only Deployments can be rolled back now.",
                    id.kind.name()
                ),
            );
            let namespace = &id.namespace;
            return Err(still(
                refused.hint(format!("kubectl -n {namespace} rollout undo {id} does it")),
            ));
        }
    }
    if workload.deleting {
        return Err(refusal(format!("{id} is being deleted.")));
    }
    Ok(())
}

fn refusal(sentence: String) -> Refusal {
    still(Failure::new(FailureKind::Refused, sentence))
}

fn still(failure: Failure) -> Refusal {
    Refusal {
        failure,
        moved: false,
    }
}

#[allow(clippy::needless_pass_by_value)] // handed to map_err
fn unreadable(error: serde_json::Error) -> Refusal {
    still(Failure::new(
        FailureKind::Internal,
        format!("A pod template that the server sent cannot be read: {error}."),
    ))
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
