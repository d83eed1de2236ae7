//! A plan from the key to the write: gathered, shown, checked, confirmed, handed over.

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::field::Field;
use crate::app::intent::Intent;
use crate::app::keymap::Key;
use crate::app::layout;
use crate::app::model::{
    BatchBox, Execution, Model, Overlay, PlanBox, Question, ReasonField, Stage,
};
use crate::domain::{Failure, Level, WorkloadId};
use crate::plan::verbs::canary::can;
use crate::plan::{
    Answers, CheckId, Evidence, Finding, Missing, Offer, Plan, Request, Target, Verb, Verdict,
    gate, plan,
};

use super::key::{self, Typed};
use super::{ask, image, next_job, notice};

/// Resumes what is paused, as far as the feeds know; the fresh reads settle it.
pub fn pause_or_resume(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let workload = model.fleet.workload(id);
    let verb = workload.map_or(Verb::Pause, can::pauses);
    open(model, id, verb, Target::Proposed)
}

/// Lets a canary go on, or begin anew when it was aborted.
pub fn promote_or_retry(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let workload = model.fleet.workload(id);
    let verb = workload.map_or(Verb::Promote, can::lets_on);
    open(model, id, verb, Target::Proposed)
}

/// Asks for fresh reads of a workload as it is shown now.
pub fn open(model: &mut Model, id: &WorkloadId, verb: Verb, target: Target) -> Vec<Effect> {
    let since = model.now;
    if !open_box(model, id, (verb, target), Stage::Gathering { since }) {
        return Vec::new();
    }
    gather_again(model, None)
}

/// The same once more, from fresh reads.
pub fn open_again(model: &mut Model, request: Request) -> Vec<Effect> {
    open(model, &request.workload, request.verb, request.target)
}

/// Asks the person first.
pub fn ask(model: &mut Model, id: &WorkloadId, verb: Verb, question: Question) -> Vec<Effect> {
    open_box(model, id, (verb, Target::Proposed), Stage::Asking(question));
    Vec::new()
}

/// False when it may not be, which is said.
fn open_box(
    model: &mut Model,
    id: &WorkloadId,
    (verb, target): (Verb, Target),
    stage: Stage,
) -> bool {
    // Those on a canary need another right, which their plan asks for.
    let on_status = matches!(
        verb,
        Verb::Promote | Verb::PromoteFull | Verb::SetWeight | Verb::Abort | Verb::Retry
    );
    if let Some(missing) = missing_permission(model, id).filter(|_| !on_status) {
        notice(
            model,
            format!("you may not: {missing} in {}", id.namespace),
            true,
        );
        return false;
    }
    let Some(mut shown) = box_of(model, id, (verb, target)) else {
        notice(model, format!("{id} is gone"), true);
        return false;
    };
    shown.stage = stage;
    model.overlay = Some(Overlay::Plan(Box::new(shown)));
    true
}

/// The box of a workload as it is painted, before anything is read: the fleet may have heard of another template since.
pub fn box_of(model: &Model, id: &WorkloadId, (verb, target): (Verb, Target)) -> Option<PlanBox> {
    let row = model.board.row(id)?;
    let target = match (verb, target) {
        (Verb::Scale, Target::Proposed) => Target::Replicas {
            shown: row.desired,
            to: row.desired,
        },
        (_, target) => target,
    };
    let request = Request {
        verb,
        workload: id.clone(),
        uid: row.uid.clone(),
        shown: row.template,
        target,
    };
    Some(PlanBox {
        workload: id.clone(),
        job: JobId::default(),
        request,
        stage: Stage::Gathering { since: model.now },
        answers: Answers::default(),
        name: None,
        reason: None,
        offset: 0,
        moved: None,
        said: None,
    })
}

/// The verb that is missing for release verbs on such workloads in its namespace, when that is known.
pub fn missing_permission(model: &Model, id: &WorkloadId) -> Option<String> {
    let permissions = &model.cluster(&id.cluster)?.permissions;
    let of = (id.namespace.clone(), id.kind);
    permissions.get(&of)?.value()?.clone()
}

/// What still stands between the plan and its execution, in the order in which to say it.
pub fn missing(model: &Model, shown: &PlanBox) -> Vec<Missing> {
    match &shown.stage {
        Stage::Shown { plan, verdicts, .. } => {
            gate::missing(plan.level, plan, verdicts, &answers(model, &shown.answers))
        }
        Stage::Asking(_)
        | Stage::Gathering { .. }
        | Stage::Refused { .. }
        | Stage::Executing { .. }
        | Stage::Unknown { .. } => Vec::new(),
    }
}

/// What the person gave, and what holds for the whole session.
pub fn answers(model: &Model, given: &Answers) -> Answers {
    Answers {
        readonly: model.settings.readonly,
        armed: model.arming.is_some_and(|armed| armed.until > model.now),
        ..given.clone()
    }
}

pub fn gathered(
    model: &mut Model,
    job: JobId,
    outcome: Result<Box<Evidence>, Failure>,
) -> Vec<Effect> {
    let now = model.now;
    let next = next(model);
    let Some(shown) = waiting(&mut model.overlay, &mut model.batch, job) else {
        return Vec::new();
    };
    let mut moved = shown.moved.take();
    let made = outcome.and_then(|mut evidence| match plan(&model.fleet, &evidence, now) {
        Err(refusal) if refusal.moved => {
            // The same reads, asked as if they had been on the screen: they are, from now on.
            moved.get_or_insert(refusal.failure.sentence);
            evidence.request.of(&evidence.workload);
            let again = plan(&model.fleet, &evidence, now);
            again.map_err(|refusal| refusal.failure)
        }
        made => made.map_err(|refusal| refusal.failure),
    });
    model.dirty = true;
    let plan = match made {
        Ok(plan) => Box::new(plan),
        Err(failure) => {
            shown.moved = moved;
            shown.stage = Stage::Refused { failure };
            return Vec::new();
        }
    };
    shown.moved = moved;
    shown.request = plan.request.clone();
    show(shown, next, plan)
}

/// The next job, and when it begins.
pub fn next(model: &mut Model) -> (JobId, Timestamp) {
    (next_job(model), model.now)
}

/// Shows a plan and asks what its checks leave open.
fn show(shown: &mut PlanBox, (job, asked): (JobId, Timestamp), plan: Box<Plan>) -> Vec<Effect> {
    let old = std::mem::replace(&mut shown.job, job);
    forget_answers(shown);
    (shown.name, shown.reason) = (None, None);
    shown.stage = Stage::Shown {
        plan: plan.clone(),
        verdicts: Vec::new(),
        asked,
    };
    vec![Effect::Cancel { job: old }, Effect::Preflight { job, plan }]
}

/// Another plan needs other answers; why it is done stays the same.
fn forget_answers(shown: &mut PlanBox) {
    shown.answers = Answers {
        reason: shown.answers.reason.take(),
        ..Answers::default()
    };
}

/// The box that waits for this job: the open one, or a row of several.
pub fn waiting<'a>(
    overlay: &'a mut Option<Overlay>,
    batch: &'a mut Option<Box<BatchBox>>,
    job: JobId,
) -> Option<&'a mut PlanBox> {
    match overlay {
        Some(Overlay::Plan(shown)) if shown.job == job => return Some(shown),
        Some(_) | None => {}
    }
    let rows = batch.as_mut()?.rows.iter_mut();
    let mut rows = rows.map(|row| &mut row.shown);
    rows.find(|shown| shown.job == job)
}

pub fn checked(model: &mut Model, job: JobId, verdict: Verdict) -> Vec<Effect> {
    let next = next(model);
    let Some(shown) = waiting(&mut model.overlay, &mut model.batch, job) else {
        return Vec::new();
    };
    let Stage::Shown { verdicts, .. } = &mut shown.stage else {
        return Vec::new();
    };
    let moved = verdict.check == CheckId::Unchanged && verdict.finding == Finding::Block;
    let sentence = verdict.sentence.clone();
    verdicts.push(verdict);
    // Once by itself: an object that never rests must not be chased.
    let again = moved && shown.moved.is_none();
    let effects = if again {
        read_again(shown, next, Some(sentence))
    } else {
        Vec::new()
    };
    model.dirty = true;
    effects
}

/// Reads afresh for the request of the open box.
pub fn gather_again(model: &mut Model, moved: Option<String>) -> Vec<Effect> {
    let next = next(model);
    match &mut model.overlay {
        Some(Overlay::Plan(shown)) => read_again(shown, next, moved),
        Some(_) | None => Vec::new(),
    }
}

/// Reads afresh for the same request.
pub fn read_again(
    shown: &mut PlanBox,
    (job, since): (JobId, Timestamp),
    moved: Option<String>,
) -> Vec<Effect> {
    let old = std::mem::replace(&mut shown.job, job);
    shown.stage = Stage::Gathering { since };
    forget_answers(shown);
    (shown.name, shown.reason, shown.said) = (None, None, None);
    shown.moved = moved;
    let request = shown.request.clone();
    let former = (old != JobId::default()).then_some(Effect::Cancel { job: old });
    let gather = Effect::Gather { job, request };
    former.into_iter().chain([gather]).collect()
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let page = layout::overlay_rows(model.height) / 2;
    let Some(Overlay::Plan(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    shown.said = None;
    if let Some(to) = key::moved(intent, shown.offset, key::LONGEST, page) {
        shown.offset = to;
        return Vec::new();
    }
    match intent {
        Intent::Back => close(model),
        Intent::Confirm => confirm(model, true),
        Intent::Accept => confirm(model, false),
        Intent::Override => {
            open_override(model);
            Vec::new()
        }
        Intent::Reason => {
            open_reason(shown);
            Vec::new()
        }
        Intent::Mark | Intent::Stop => {
            say(model, "that is for the plan of several services");
            Vec::new()
        }
        Intent::OtherBuild => {
            say(model, "that is for the plan of a build");
            Vec::new()
        }
        Intent::Retry
            if !matches!(shown.stage, Stage::Executing { .. } | Stage::Unknown { .. }) =>
        {
            gather_again(model, None)
        }
        Intent::Copy => match &shown.stage {
            Stage::Shown { plan, .. }
            | Stage::Executing { plan, .. }
            | Stage::Unknown { plan, .. } => {
                vec![Effect::Copy {
                    text: plan.kubectl.clone(),
                }]
            }
            Stage::Asking(_) | Stage::Gathering { .. } | Stage::Refused { .. } => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What was sent goes on; what was only asked is called off.
fn close(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = model.overlay.take() else {
        return Vec::new();
    };
    match shown.stage {
        Stage::Gathering { .. } | Stage::Shown { .. } => vec![Effect::Cancel { job: shown.job }],
        Stage::Asking(_)
        | Stage::Refused { .. }
        | Stage::Executing { .. }
        | Stage::Unknown { .. } => Vec::new(),
    }
}

fn say(model: &mut Model, words: impl Into<String>) {
    if let Some(Overlay::Plan(shown)) = &mut model.overlay {
        shown.said = Some(words.into());
    }
}

/// `y`, or enter on the button. A key before the answers is dropped, and that is said.
fn confirm(model: &mut Model, by_letter: bool) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        return Vec::new();
    };
    let Stage::Shown { plan, .. } = &shown.stage else {
        if matches!(shown.stage, Stage::Gathering { .. }) {
            say(
                model,
                "not yet: the plan is still being read; the key was dropped",
            );
        }
        return Vec::new();
    };
    if !by_letter && plan.level != Level::Open {
        let key = model
            .settings
            .keymap
            .shown(Intent::Confirm)
            .unwrap_or_default();
        say(model, format!("{key} confirms here"));
        return Vec::new();
    }
    let missing = missing(model, shown);
    let first = missing.iter().find(|m| **m != Missing::Confirmation);
    match first {
        None => execute(model),
        Some(Missing::Name) => {
            if let Some(Overlay::Plan(shown)) = &mut model.overlay {
                shown.name = Some(Field::default());
            }
            Vec::new()
        }
        Some(first) => {
            let words = not_yet(model, first);
            say(model, words);
            Vec::new()
        }
    }
}

pub fn not_yet(model: &Model, missing: &Missing) -> String {
    let key = |intent| model.settings.keymap.shown(intent).unwrap_or_default();
    match missing {
        Missing::ReadOnly => "read-only: nothing is sent".into(),
        Missing::Arming => format!(
            "writes are off here: {} arms them for ten minutes",
            key(Intent::Arm)
        ),
        Missing::Answer(check) => {
            format!(
                "not yet: {} has not answered; the key was dropped",
                check_name(*check)
            )
        }
        Missing::Blocked(check) => format!("blocked by {}: no reason lifts it", check_name(*check)),
        Missing::Override(check) => {
            format!(
                "blocked by {}: {} overrides it with a reason",
                check_name(*check),
                key(Intent::Override)
            )
        }
        Missing::Confirmation => format!("{} confirms", key(Intent::Confirm)),
        Missing::Name => "the name is not that of the service".into(),
    }
}

pub fn check_name(check: CheckId) -> &'static str {
    match check {
        CheckId::Permission => "the permission",
        CheckId::Unchanged => "the look at whether it moved",
        CheckId::Differs => "the difference",
        CheckId::DryRun => "the dry run",
        CheckId::Image => "the look into the registry",
        CheckId::Origin => "where it comes from",
        CheckId::Soak => "how it did there",
        CheckId::Config => "the look at what it names",
        CheckId::Settings => "what it is set up with there",
        CheckId::Owner => "the owner",
        CheckId::Paused => "the pause",
        CheckId::Strategy => "the update strategy",
        CheckId::Hold => "the hold",
        CheckId::Withdrawn => "the look at whether it was withdrawn",
        CheckId::Changed => "the look at its ConfigMaps and Secrets",
        CheckId::Commits => "the commits",
        CheckId::Quota => "the quota",
        CheckId::Downtime => "who is served meanwhile",
        CheckId::Readiness => "the readiness probe",
        CheckId::History => "the way back",
        CheckId::Siblings => "what went out with it",
        CheckId::Builds => "the builds on their way",
        CheckId::Autoscaler => "the autoscaler",
        CheckId::Analysis => "the analysis",
        CheckId::Metrics => "the metrics",
        CheckId::Presence => "who else is at it",
        CheckId::Controller => "its controller",
    }
}

fn open_reason(shown: &mut PlanBox) {
    if matches!(shown.stage, Stage::Shown { .. }) {
        let given = shown.answers.reason.clone().unwrap_or_default();
        shown.reason = Some(ReasonField {
            field: Field(tui_input::Input::new(given)),
            overrides: false,
        });
    }
}

fn open_override(model: &mut Model) {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        return;
    };
    let missing = missing(model, shown);
    if missing.iter().any(|m| matches!(m, Missing::Override(_))) {
        if let Some(Overlay::Plan(shown)) = &mut model.overlay {
            shown.reason = Some(ReasonField {
                field: Field::default(),
                overrides: true,
            });
        }
    } else if missing.iter().any(|m| matches!(m, Missing::Blocked(_))) {
        say(model, "what blocks here cannot be overridden");
    } else {
        say(model, "there is nothing to override");
    }
}

/// Offers have their own keys, which the plan shows; `None` when the key is none of them.
pub fn offer_key(model: &mut Model, pressed: Key) -> Option<Vec<Effect>> {
    let next = next(model);
    let Some(Overlay::Plan(shown)) = &mut model.overlay else {
        return None;
    };
    let Stage::Shown { plan, verdicts, .. } = &mut shown.stage else {
        return None;
    };
    let meant = |offer: &&Offer| pressed == Key::char(offer.key);
    let offer = plan.open_offers(verdicts).find(meant)?;
    if let Some(document) = &offer.document {
        let document = (**document).clone();
        return Some(vec![Effect::Save { document }]);
    }
    if let Some(verb) = offer.opens {
        let (id, old) = (plan.workload.clone(), shown.job);
        let opened = open(model, &id, verb, Target::Proposed);
        return Some([vec![Effect::Cancel { job: old }], opened].concat());
    }
    if let Some(copy) = offer.copies.as_deref().cloned() {
        let (request, old) = (shown.request.clone(), shown.job);
        let opened = image::open_copy(model, request, copy);
        return Some([vec![Effect::Cancel { job: old }], opened].concat());
    }
    let (id, taken) = (offer.id, offer.taken);
    plan.take(id, !taken);
    // The dry run and the permission spoke of the steps as they were: they are asked again.
    let plan = plan.clone();
    Some(show(shown, next, plan))
}

/// The service's name or the reason.
pub fn field_key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    if matches!(shown.stage, Stage::Asking(_)) {
        return ask::key(model, pressed);
    }
    shown.said = None;
    if let Some(reason) = &mut shown.reason {
        match key::typed(&mut reason.field, pressed) {
            Typed::Taken => take_reason(shown),
            Typed::Complete if !reason.overrides => take_reason(shown),
            Typed::Left => shown.reason = None,
            Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
        }
    } else if let Some(name) = &mut shown.name {
        match key::typed(name, pressed) {
            Typed::Taken => {
                name.value().clone_into(&mut shown.answers.typed_name);
                return execute(model);
            }
            Typed::Left => shown.name = None,
            // Letters are the name here: the key of the reason cannot be one.
            Typed::Complete => open_reason(shown),
            Typed::Edited | Typed::Up | Typed::Down => {}
        }
    }
    Vec::new()
}

fn take_reason(shown: &mut PlanBox) {
    let Some(reason) = &shown.reason else { return };
    match reason.give(&mut shown.answers) {
        Ok(()) => shown.reason = None,
        Err(words) => shown.said = Some(words.into()),
    }
}

/// The only place that asks for a write, and only with what passes the gate.
fn execute(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        return Vec::new();
    };
    let Stage::Shown { plan, verdicts, .. } = &shown.stage else {
        return Vec::new();
    };
    let answers = Answers {
        confirmed: true,
        ..answers(model, &shown.answers)
    };
    let (plan, verdicts) = (plan.clone(), verdicts.clone());
    if let Err(missing) = gate::pass(plan.level, &plan, &verdicts, &answers) {
        let words = missing.first().map(|first| not_yet(model, first));
        say(model, words.unwrap_or_default());
        return Vec::new();
    }
    let asked = shown.job;
    let job = next_job(model);
    model.executions.push(Execution {
        job,
        plan: plan.clone(),
    });
    if let Some(Overlay::Plan(shown)) = &mut model.overlay {
        shown.job = job;
        shown.name = None;
        shown.stage = Stage::Executing {
            plan: plan.clone(),
            verdicts: verdicts.clone(),
            step: 0,
            waiting: None,
        };
    }
    vec![
        Effect::Cancel { job: asked },
        Effect::Execute {
            job,
            plan,
            answers,
            verdicts,
        },
    ]
}
