//! An image from the key to its registry: the plan, the confirmation, the lines of the work, and what came of it.

use std::fmt::Write as _;

use crate::app::effect::Effect;
use crate::app::event::{Document, JobId};
use crate::app::field::Field;
use crate::app::intent::Intent;
use crate::app::keymap::Key;
use crate::app::model::{
    ImageBox, ImageStage, Making, Model, Overlay, ReasonField, Screen, Settings, TextKind,
};
use crate::app::words;
use crate::config::builds as rules;
use crate::domain::{Failure, FailureKind, Known, Level, Recipe, Workload, WorkloadId};
use crate::plan::image::{Asked, ImageLog};
use crate::plan::{Answers, ImageAsk, ImagePlan, ImageProgress, Missing, Request, gate};

use super::key::{self, Typed};
use super::{build, builds, next_job, notice, plan, text};

/// How it is built from a folder of this machine, when the settings say.
pub fn recipe(settings: &Settings, workload: &Workload) -> Option<Recipe> {
    let service = workload.service(settings.service_label.as_deref());
    rules::recipe(&settings.builds, service)
}

/// One that is under way already is shown.
pub fn open(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    if model.makings.get(id).is_some_and(|m| m.end.is_none()) {
        model.overlay = None;
        show_log(model, id);
        return Vec::new();
    }
    let Some(workload) = model.fleet.workload(id) else {
        notice(model, format!("{id} is gone"), true);
        return Vec::new();
    };
    let Some(recipe) = recipe(&model.settings, workload) else {
        let words = format!("no folder is known that {id} is built from: builds: in the settings");
        notice(model, words, false);
        return Vec::new();
    };
    let ask = ImageAsk::build(workload, model.level(id), recipe);
    show(model, ask, None)
}

/// Copies the image that a plan writes to where that pulls it from; the plan is opened again after it.
pub fn open_copy(model: &mut Model, back: Request, what: Asked) -> Vec<Effect> {
    let id = &back.workload;
    if model.makings.get(id).is_some_and(|m| m.end.is_none()) {
        let words = format!("an image of {id} is being made already: wait for it, or stop it");
        notice(model, words, true);
        return Vec::new();
    }
    let ask = ImageAsk {
        workload: id.clone(),
        uid: back.uid.clone(),
        level: model.level(id),
        what,
    };
    show(model, ask, Some(back))
}

fn show(model: &mut Model, ask: ImageAsk, back: Option<Request>) -> Vec<Effect> {
    let former = build::called_off(model);
    let job = next_job(model);
    model.overlay = Some(Overlay::Image(Box::new(ImageBox {
        job,
        ask: ask.clone(),
        back,
        stage: ImageStage::Reading,
        answers: Answers::default(),
        name: None,
        reason: None,
        said: None,
    })));
    let ask = Box::new(ask);
    former
        .into_iter()
        .chain([Effect::PlanImage { job, ask }])
        .collect()
}

pub fn planned(
    model: &mut Model,
    job: JobId,
    outcome: Result<Box<ImagePlan>, Failure>,
) -> Vec<Effect> {
    if let Some(Overlay::Image(shown)) = &mut model.overlay
        && shown.job == job
    {
        if matches!(shown.ask.what, Asked::Build { .. }) {
            let answered = match &outcome {
                Err(why) if why.kind == FailureKind::Unreachable => Err(&*why.sentence),
                Ok(_) | Err(_) => Ok(()),
            };
            model.chain.engine_told(answered, model.now);
        }
        shown.stage = match outcome {
            Ok(plan) => ImageStage::Shown(plan),
            Err(why) => ImageStage::Refused(why),
        };
        model.dirty = true;
    }
    Vec::new()
}

/// A server builds it as well.
pub fn has_other_way(model: &Model, shown: &ImageBox) -> bool {
    if !matches!(shown.ask.what, Asked::Build { .. }) {
        return false;
    }
    let workload = model.fleet.workload(&shown.ask.workload);
    let job = workload.and_then(|workload| builds::job_of(&model.settings, workload));
    job.is_some()
}

/// What still stands between the plan and the work.
pub fn missing(model: &Model, shown: &ImageBox) -> Vec<Missing> {
    match &shown.stage {
        ImageStage::Shown(plan) => {
            gate::missing_for_image(plan, &plan::answers(model, &shown.answers))
        }
        ImageStage::Reading | ImageStage::Refused(_) => Vec::new(),
    }
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let Some(Overlay::Image(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    shown.said = None;
    let (id, back) = (shown.ask.workload.clone(), shown.back.clone());
    match intent {
        Intent::Back => {
            let job = shown.job;
            model.overlay = None;
            let called_off = vec![Effect::Cancel { job }];
            let again = back.map(|request| plan::open_again(model, request));
            [called_off, again.unwrap_or_default()].concat()
        }
        Intent::Confirm => confirm(model),
        Intent::Accept if shown.ask.level == Level::Open => confirm(model),
        Intent::Accept => {
            let confirm = words::key(model, Intent::Confirm);
            say(model, format!("{confirm} confirms here"));
            Vec::new()
        }
        Intent::Override => {
            open_override(model);
            Vec::new()
        }
        Intent::Reason => {
            shown.reason = Some(ReasonField {
                field: Field::default(),
                overrides: false,
            });
            Vec::new()
        }
        Intent::Retry if back.is_some() => {
            let ask = shown.ask.clone();
            show(model, ask, back)
        }
        Intent::Retry => open(model, &id),
        Intent::OtherBuild if back.is_none() => build::by_server(model, &id),
        _ => Vec::new(),
    }
}

fn say(model: &mut Model, words: impl Into<String>) {
    if let Some(Overlay::Image(shown)) = &mut model.overlay {
        shown.said = Some(words.into());
    }
}

fn open_override(model: &mut Model) {
    let Some(Overlay::Image(shown)) = &model.overlay else {
        return;
    };
    let blocked = |missing: &Missing| matches!(missing, Missing::Override(_));
    if !missing(model, shown).iter().any(blocked) {
        say(model, "there is nothing to override");
    } else if let Some(Overlay::Image(shown)) = &mut model.overlay {
        shown.reason = Some(ReasonField {
            field: Field::default(),
            overrides: true,
        });
    }
}

/// The service's name or the reason.
pub fn field_key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let Some(Overlay::Image(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    shown.said = None;
    if let Some(reason) = &mut shown.reason {
        match key::typed(&mut reason.field, pressed) {
            Typed::Taken => match reason.give(&mut shown.answers) {
                Ok(()) => shown.reason = None,
                Err(words) => shown.said = Some(words.into()),
            },
            Typed::Left => shown.reason = None,
            Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
        }
    } else if let Some(name) = &mut shown.name {
        match key::typed(name, pressed) {
            Typed::Taken => {
                name.value().clone_into(&mut shown.answers.typed_name);
                return confirm(model);
            }
            Typed::Left => shown.name = None,
            Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
        }
    }
    Vec::new()
}

/// The only place that asks for the work, and only with what passes the gate.
fn confirm(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Image(shown)) = &model.overlay else {
        return Vec::new();
    };
    let ImageStage::Shown(plan) = &shown.stage else {
        if shown.stage == ImageStage::Reading {
            say(
                model,
                "not yet: the plan is still being read; the key was dropped",
            );
        }
        return Vec::new();
    };
    let answers = Answers {
        confirmed: true,
        ..plan::answers(model, &shown.answers)
    };
    let first = gate::missing_for_image(plan, &answers).into_iter().next();
    match first {
        Some(Missing::Name) if shown.name.is_none() => {
            if let Some(Overlay::Image(shown)) = &mut model.overlay {
                shown.name = Some(Field::default());
            }
            Vec::new()
        }
        Some(first) => {
            let words = plan::not_yet(model, &first);
            say(model, words);
            Vec::new()
        }
        None => {
            let plan = plan.clone();
            begin(model, plan, answers)
        }
    }
}

fn begin(model: &mut Model, plan: Box<ImagePlan>, answers: Answers) -> Vec<Effect> {
    let (job, id) = (next_job(model), plan.workload.clone());
    let back = match &model.overlay {
        Some(Overlay::Image(shown)) => shown.back.clone(),
        Some(_) | None => None,
    };
    let mut log = ImageLog::default();
    log.say(plan.what());
    let making = Making {
        job,
        plan: plan.clone(),
        log,
        end: None,
        back,
    };
    model.makings.insert(id.clone(), making);
    model.overlay = None;
    show_log(model, &id);
    vec![Effect::MakeImage { job, plan, answers }]
}

/// The lines of the work over what is shown.
fn show_log(model: &mut Model, id: &WorkloadId) {
    let (now, Some(making)) = (model.now, model.makings.get(id)) else {
        return;
    };
    let mut document = Known::default();
    let lines = making.log.lines.clone();
    let read_at = now;
    document.learn(Document { lines, read_at }, now);
    let title = format!("{} of {id}", making.plan.verb());
    let job = making.job;
    text::push(model, title, TextKind::Making(id.clone()), document, job);
}

pub fn progressed(model: &mut Model, job: JobId, news: Vec<ImageProgress>) -> Vec<Effect> {
    let set_image = words::key(model, Intent::SetImage);
    let leave = words::key(model, Intent::Back);
    let Some(making) = of_job(model, job) else {
        return Vec::new();
    };
    let mut ended = None;
    for progress in news {
        if let ImageProgress::Told(work) = &progress {
            making.log.take(work);
            continue;
        }
        let (mut words, bad) = said(&progress, &making.plan, &set_image);
        if making.back.is_some() {
            let _ = write!(words, "; {leave} goes back to the plan that needs it");
        }
        making.log.say(words.clone());
        making.end = Some(progress);
        ended = Some((words, bad));
    }
    // Out of the model while its screen takes the lines.
    let log = std::mem::take(&mut making.log);
    text::grown(model, job, &log.lines);
    if let Some(making) = of_job(model, job) {
        making.log = log;
    }
    if let Some((words, bad)) = ended {
        notice(model, words, bad);
    }
    model.dirty = true;
    Vec::new()
}

fn of_job(model: &mut Model, job: JobId) -> Option<&mut Making> {
    let mut makings = model.makings.values_mut();
    makings.find(|making| making.job == job)
}

/// What became of it, and whether that is bad.
fn said(progress: &ImageProgress, plan: &ImagePlan, set_image: &str) -> (String, bool) {
    match progress {
        ImageProgress::Told(work) => (crate::plan::image::line(work), false),
        ImageProgress::Failed(why) => (why.line(), true),
        ImageProgress::Unknown(why) => {
            let never = "it is not sent again: look into the registry first";
            (
                format!("nobody knows whether it was pushed: {why}; {never}"),
                true,
            )
        }
        ImageProgress::Made(made) => {
            let next = plan.next(made).map(|_| format!("; {set_image} sets it"));
            (
                format!("{}{}", made.sentence(), next.unwrap_or_default()),
                false,
            )
        }
    }
}

/// Its log was left: what it was made for is planned anew, once.
pub fn left(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let making = model.makings.get_mut(id);
    let back = making.and_then(|making| making.back.take());
    back.map_or_else(Vec::new, |request| plan::open_again(model, request))
}

/// What the log on the screen tells of.
pub fn stop(model: &mut Model) -> Vec<Effect> {
    let Some(job) = under_way(model) else {
        notice(model, "nothing is under way here", false);
        return Vec::new();
    };
    notice(model, "stopping: what became of it is said here", false);
    vec![Effect::StopImage { job }]
}

/// The job of the work whose log is shown, while it lasts.
pub fn under_way(model: &Model) -> Option<JobId> {
    let Some(Screen::Text(text)) = model.screens.last() else {
        return None;
    };
    let TextKind::Making(id) = &text.kind else {
        return None;
    };
    let making = model.makings.get(id).filter(|making| making.end.is_none());
    making.map(|making| making.job)
}

/// The newest that was pushed for this service, as it never means anything else.
pub fn pushed(model: &Model, id: &WorkloadId) -> Option<String> {
    match &model.makings.get(id)?.end {
        Some(ImageProgress::Made(made)) if made.pushed => Some(made.pinned()),
        Some(_) | None => None,
    }
}
