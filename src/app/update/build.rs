//! A build on its way from the key to the server: its parameters, the confirmation, and what became of it.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::field::Field;
use crate::app::intent::Intent;
use crate::app::keymap::{Code, Key};
use crate::app::model::{BuildBox, BuildStage, Model, Overlay, Row};
use crate::domain::build::{Build, Given, Job, Parameter, ParameterKind, State};
use crate::domain::{Failure, FailureKind, WorkloadId};
use crate::plan::build::Act;
use crate::plan::{Answers, BuildProgress, BuildWish, Missing, gate};

use super::key::{self as keys, Typed};
use super::{arm, builds, image, next_job, notice, plan, text};

/// By the server that builds, else from its folder; the key of the box leads to the other.
pub fn open(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let workload = model.fleet.workload(id);
    let job = workload.and_then(|workload| builds::job_of(&model.settings, workload));
    let known = job
        .as_ref()
        .is_some_and(|job| model.chain.job(job).is_some());
    let folder = workload.is_some_and(|w| image::recipe(&model.settings, w).is_some());
    if folder && !known {
        return image::open(model, id);
    }
    if job.is_none() {
        let words = format!(
            "nothing is known that builds {id}: jenkins: in the settings names a job, builds: a folder"
        );
        notice(model, words, false);
        return Vec::new();
    }
    by_server(model, id)
}

/// What the job asks for is read first: the looks at all jobs do not tell.
pub fn by_server(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let Some(job) = known_job(model, id) else {
        return Vec::new();
    };
    let of = job.id.clone();
    let act = Act::Start(Vec::new());
    show(model, id, (job, act), BuildStage::Reading);
    let request = next_job(model);
    if let Some(Overlay::Build(shown)) = &mut model.overlay {
        shown.job = request;
    }
    vec![Effect::ReadJob { job: request, of }]
}

/// Prefilled with what the last good build was given, else with the defaults.
pub fn read(model: &mut Model, job: JobId, outcome: Result<Box<Job>, Failure>) -> Vec<Effect> {
    let Some(Overlay::Build(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    if shown.job != job || shown.stage != BuildStage::Reading {
        return Vec::new();
    }
    model.dirty = true;
    let refused = |why| BuildStage::Went(BuildProgress::Refused(why));
    match outcome {
        Err(failure) => shown.stage = refused(failure),
        Ok(job) if !job.buildable => {
            let why = job.description.as_deref().unwrap_or("nobody says why");
            let sentence = format!("{} is switched off: {why}", job.id.path);
            shown.stage = refused(Failure::new(FailureKind::Refused, sentence));
        }
        Ok(job) => {
            let builds = model.chain.builds(&job.id);
            let good = |build: &&Build| Some(build.id.number) == job.last_good;
            let like = builds.iter().find(good).or(builds.first());
            let field = |parameter: &Parameter| (parameter.clone(), prefilled(parameter, like));
            shown.fields = job.parameters.iter().map(field).collect();
            shown.stage = if shown.fields.is_empty() {
                BuildStage::Ready
            } else {
                BuildStage::Filling
            };
            shown.wish.job = *job;
        }
    }
    Vec::new()
}

/// What the open box waits for is of no use any more.
pub fn called_off(model: &Model) -> Option<Effect> {
    match &model.overlay {
        Some(Overlay::Build(shown)) if shown.stage == BuildStage::Reading => {
            Some(Effect::Cancel { job: shown.job })
        }
        Some(Overlay::Image(shown)) => Some(Effect::Cancel { job: shown.job }),
        Some(_) | None => None,
    }
}

/// There is a folder as well, and nothing was asked of the server yet.
pub fn has_other_way(model: &Model, shown: &BuildBox) -> bool {
    let early = matches!(
        shown.stage,
        BuildStage::Reading | BuildStage::Filling | BuildStage::Ready
    );
    let workload = model.fleet.workload(&shown.wish.workload);
    early
        && shown.name.is_none()
        && matches!(shown.wish.act, Act::Start(_))
        && workload.is_some_and(|w| image::recipe(&model.settings, w).is_some())
}

/// The marked build when it runs, else what waits in the queue.
pub fn stop(model: &mut Model, id: &WorkloadId, marked: Option<Build>) -> Vec<Effect> {
    let Some(job) = known_job(model, id) else {
        return Vec::new();
    };
    let running = marked.filter(|build| build.state == State::Running);
    let act = match (running, &job.queued) {
        (Some(build), _) => Act::Stop(build.id),
        (None, Some(queued)) => Act::Cancel(queued.clone()),
        (None, None) => {
            notice(
                model,
                "the marked build does not run, and none waits",
                false,
            );
            return Vec::new();
        }
    };
    show(model, id, (job, act), BuildStage::Ready);
    Vec::new()
}

/// Asks whether the hold of its job is to end.
pub fn resume(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let Some(job) = known_job(model, id) else {
        return Vec::new();
    };
    match job.hold() {
        Some(hold) => show(model, id, (job, Act::Resume(hold)), BuildStage::Ready),
        None => notice(model, format!("{} is not held", job.id.path), false),
    }
    Vec::new()
}

/// The same, or of the first that is held when this one is not: what the line above the keys tells of.
pub fn resume_any(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let board = &model.board;
    let rows = board.rows.iter().chain(board.hidden_rows.values());
    let held = |row: &&Row| {
        let job = row
            .build
            .as_ref()
            .and_then(|build| model.chain.job(&build.job));
        job.is_some_and(|job| job.hold().is_some())
    };
    let held: Vec<_> = rows.filter(held).map(|row| row.id.clone()).collect();
    let Some(first) = held.first() else {
        notice(model, "no job is held by rolldeck here", false);
        return Vec::new();
    };
    let here = if held.contains(id) { id } else { first };
    resume(model, here)
}

fn known_job(model: &mut Model, id: &WorkloadId) -> Option<Job> {
    let job = builds::job_or_say(model, id)?;
    let known = model.chain.job(&job).cloned();
    if known.is_none() {
        let words = format!("{} told nothing of {} so far", job.server, job.path);
        notice(model, words, true);
    }
    known
}

fn show(model: &mut Model, id: &WorkloadId, (job, act): (Job, Act), stage: BuildStage) {
    let Some(uid) = model.board.row(id).map(|row: &Row| row.uid.clone()) else {
        return;
    };
    let wish = BuildWish {
        workload: id.clone(),
        uid,
        level: model.level(id),
        job,
        act,
    };
    model.overlay = Some(Overlay::Build(Box::new(BuildBox {
        job: JobId::default(),
        wish,
        fields: Vec::new(),
        at: 0,
        stage,
        answers: Answers::default(),
        name: None,
        said: None,
    })));
}

/// A password is never told, so it is never there to be given again.
fn prefilled(parameter: &Parameter, like: Option<&Build>) -> Field {
    let before = like.and_then(|build| build.parameter(&parameter.name));
    let value = match &parameter.kind {
        ParameterKind::Password => None,
        ParameterKind::Choice(choices) => before
            .filter(|before| choices.iter().any(|choice| **choice == **before))
            .or(parameter.default.as_deref())
            .or(choices.first().map(|choice| &**choice)),
        ParameterKind::Text | ParameterKind::Flag | ParameterKind::Other(_) => {
            before.or(parameter.default.as_deref())
        }
    };
    Field(tui_input::Input::new(value.unwrap_or_default().to_owned()))
}

pub fn key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let other = model
        .settings
        .keymap
        .keys(Intent::OtherBuild)
        .contains(&pressed);
    if let Some(Overlay::Build(shown)) = &model.overlay
        && other
        && has_other_way(model, shown)
    {
        let id = shown.wish.workload.clone();
        return image::open(model, &id);
    }
    let Some(Overlay::Build(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    shown.said = None;
    if let Some(name) = &mut shown.name {
        match keys::typed(name, pressed) {
            Typed::Taken => {
                name.value().clone_into(&mut shown.answers.typed_name);
                return ask(model);
            }
            Typed::Left => shown.name = None,
            Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
        }
        return Vec::new();
    }
    match &shown.stage {
        BuildStage::Filling => {
            fill(model, pressed);
            Vec::new()
        }
        BuildStage::Ready => ready(model, pressed),
        BuildStage::Went(BuildProgress::Builds(build)) if pressed.code == Code::Enter => {
            let (build, id) = (build.clone(), shown.wish.workload.clone());
            model.overlay = None;
            text::open_build_log(model, build, id)
        }
        BuildStage::Reading | BuildStage::Asked | BuildStage::Went(_) => leave(model, pressed),
    }
}

/// What was asked goes on.
fn leave(model: &mut Model, pressed: Key) -> Vec<Effect> {
    if matches!(pressed.code, Code::Esc | Code::Char('q')) {
        model.overlay = None;
    }
    Vec::new()
}

fn fill(model: &mut Model, pressed: Key) {
    let Some(Overlay::Build(shown)) = &mut model.overlay else {
        return;
    };
    let last = shown.fields.len().saturating_sub(1);
    let Some((parameter, field)) = shown.fields.get_mut(shown.at) else {
        return;
    };
    match keys::typed(field, pressed) {
        Typed::Edited => {}
        Typed::Left => model.overlay = None,
        Typed::Up => shown.at = shown.at.saturating_sub(1),
        Typed::Down => shown.at = (shown.at + 1).min(last),
        Typed::Complete => next_choice(parameter, field),
        Typed::Taken => {
            shown.wish.act = Act::Start(given(&shown.fields));
            match shown.wish.mistake() {
                Some(mistake) => shown.said = Some(mistake),
                None => shown.stage = BuildStage::Ready,
            }
        }
    }
}

fn next_choice(parameter: &Parameter, field: &mut Field) {
    let flags = ["true".into(), "false".into()];
    let choices: &[Box<str>] = match &parameter.kind {
        ParameterKind::Choice(choices) => choices,
        ParameterKind::Flag => &flags,
        ParameterKind::Text | ParameterKind::Password | ParameterKind::Other(_) => return,
    };
    let at = choices.iter().position(|choice| **choice == *field.value());
    let next = at.map_or(0, |at| (at + 1) % choices.len().max(1));
    if let Some(choice) = choices.get(next) {
        *field = Field(tui_input::Input::new(choice.to_string()));
    }
}

/// An empty one has its default, whatever that is: a password above all.
fn given(fields: &[(Parameter, Field)]) -> Vec<Given> {
    let said = |(parameter, field): &(Parameter, Field)| {
        let value = field.value();
        let default = parameter.default.as_deref().unwrap_or_default();
        let silent =
            value.is_empty() && (default.is_empty() || parameter.kind == ParameterKind::Password);
        (!silent).then(|| (parameter.name.clone(), value.into()))
    };
    fields.iter().filter_map(said).collect()
}

fn ready(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let keymap = &model.settings.keymap;
    let is = |intent: Intent| keymap.keys(intent).contains(&pressed);
    let (confirms, accepts) = (is(Intent::Confirm), is(Intent::Accept));
    let (back, arm) = (is(Intent::Back), is(Intent::Arm));
    if arm {
        return arm::turn(model);
    }
    let Some(Overlay::Build(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    if back && !shown.fields.is_empty() {
        shown.stage = BuildStage::Filling;
    } else if back {
        model.overlay = None;
    } else if confirms || (accepts && shown.wish.level == crate::domain::Level::Open) {
        return ask(model);
    } else if accepts {
        shown.said = Some("enter does nothing here: y confirms".into());
    }
    Vec::new()
}

/// Only what passes the gate is asked.
fn ask(model: &mut Model) -> Vec<Effect> {
    let job = next_job(model);
    let (readonly, now) = (model.settings.readonly, model.now);
    let armed = model.arming.is_some_and(|armed| armed.until > now);
    let Some(Overlay::Build(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    let answers = Answers {
        readonly,
        armed,
        confirmed: true,
        ..shown.answers.clone()
    };
    if let Some(first) = gate::missing_for_build(&shown.wish, &answers).first() {
        if *first == Missing::Name && shown.name.is_none() {
            shown.name = Some(Field::default());
            return Vec::new();
        }
        let first = first.clone();
        let words = plan::not_yet(model, &first);
        if let Some(Overlay::Build(shown)) = &mut model.overlay {
            shown.said = Some(words);
        }
        return Vec::new();
    }
    shown.job = job;
    shown.name = None;
    shown.stage = BuildStage::Asked;
    vec![Effect::Build {
        job,
        wish: Box::new(shown.wish.clone()),
        answers,
    }]
}

/// In its box, or above the keys when that was closed.
pub fn progressed(model: &mut Model, job: JobId, progress: BuildProgress) -> Vec<Effect> {
    model.dirty = true;
    let effects = match progress {
        // The next look shows it.
        BuildProgress::Done(_) => vec![Effect::WatchJobs(builds::wanted(model))],
        _ => Vec::new(),
    };
    if let Some(Overlay::Build(shown)) = &mut model.overlay
        && shown.job == job
    {
        shown.stage = BuildStage::Went(progress);
        return effects;
    }
    let (words, bad) = said(&progress);
    notice(model, words, bad);
    effects
}

/// What became of it, and whether that is bad.
pub fn said(progress: &BuildProgress) -> (String, bool) {
    match progress {
        BuildProgress::Refused(failure) => (failure.line(), true),
        BuildProgress::Unknown(why) => (
            format!("nobody knows whether the server did it: {why}; it is not asked again"),
            true,
        ),
        BuildProgress::Done(sentence) => (sentence.clone(), false),
        BuildProgress::Accepted { .. } => ("the server accepted it".into(), false),
        BuildProgress::Builds(build) => (
            format!("#{} of {} builds it", build.number, build.job.path),
            false,
        ),
        BuildProgress::Lost(why) => (why.clone(), true),
    }
}
