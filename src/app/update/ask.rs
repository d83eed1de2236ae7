//! What a verb has to know before it plans: a field in its box, and the reads once it is answered.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::field::Field;
use crate::app::image_picker::ImagePicker;
use crate::app::keymap::Key;
use crate::app::model::{About, Model, Overlay, Question, Stage};
use crate::app::words;
use crate::domain::{Container, Failure, Fleet, Kind, Tags, WorkloadId, known};
use crate::plan::verbs::set_image::resolve;
use crate::plan::{Target, Verb};

use super::key::{self, Typed};
use super::{builds, image, next_job, notice, plan};

/// So many images are looked at together while somebody waits for it.
const AT_ONCE: usize = 4;
/// More than this is a slip of the finger.
const MOST_REPLICAS: u32 = 10_000;

/// Asks how many replicas, with the present number in the field.
pub fn scale(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    if id.kind == Kind::DaemonSet {
        let words = format!("{id} runs one pod on each of its nodes: it is not scaled by a number");
        notice(model, words, false);
        return Vec::new();
    }
    let Some(row) = model.board.row(id) else {
        notice(model, format!("{id} is gone"), true);
        return Vec::new();
    };
    let about = About::Replicas {
        shown: row.desired,
        serve: row.available,
    };
    let field = Field(tui_input::Input::new(row.desired.to_string()));
    plan::ask(model, id, Verb::Scale, Question { field, about })
}

/// Asks how much the canary is to get, with its present share in the field.
pub fn weight(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let at = model.board.row(id).and_then(|row| row.canary);
    let Some(at) = at else {
        notice(model, format!("{id} is no canary: it has no weight"), false);
        return Vec::new();
    };
    let field = Field(tui_input::Input::new(at.set.to_string()));
    let about = About::Weight;
    plan::ask(model, id, Verb::SetWeight, Question { field, about })
}

/// `:weight 20`.
pub fn weight_typed(model: &mut Model, typed: &str) -> Vec<Effect> {
    let Some(id) = words::looked_at(model).cloned() else {
        notice(model, "there is no service under the cursor", false);
        return Vec::new();
    };
    match percent(typed) {
        Ok(target) => plan::open(model, &id, Verb::SetWeight, target),
        Err(why) => {
            notice(model, format!("a weight is {why}"), true);
            Vec::new()
        }
    }
}

fn percent(typed: &str) -> Result<Target, String> {
    match typed.trim_end_matches('%').parse() {
        Ok(percent) if percent <= 100 => Ok(Target::Weight(percent)),
        _ => Err("a share of a hundred, like 20".to_owned()),
    }
}

/// What a verb on several asks once for all of them.
pub fn of_several(verb: Verb) -> Option<Question> {
    let about = match verb {
        Verb::Scale => About::Each,
        Verb::SetImage => About::Tag,
        Verb::Rollback
        | Verb::Pause
        | Verb::Resume
        | Verb::Restart
        | Verb::ResumeSync
        | Verb::DeletePod
        | Verb::HelmRollback
        | Verb::Promote
        | Verb::PromoteFull
        | Verb::Abort
        | Verb::SetWeight
        | Verb::Retry
        | Verb::PromoteImage => return None,
    };
    Some(Question {
        field: Field::default(),
        about,
    })
}

/// Asks for the image of its main container, with the present one in the field and its repository's tags below.
pub fn set_image(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let Some(workload) = model.fleet.workload(id) else {
        notice(model, format!("{id} is gone"), true);
        return Vec::new();
    };
    let mut containers = workload.containers.to_vec();
    // The one that is named like the service before its sidecars, those that only begin it last.
    containers.sort_by_key(|container| (container.init, container.name != id.name));
    let question = Question {
        field: Field::default(),
        about: About::Image(Box::new(ImagePicker::new(containers))),
    };
    plan::ask(model, id, Verb::SetImage, question);
    let mut effects = turn_to(model, 0);
    if !effects.is_empty() {
        effects.extend(builds::ask(model, id));
    }
    if let Some(image) = image::pushed(model, id) {
        offer_first(model, image.into());
    }
    effects
}

/// Among those that the service had.
fn offer_first(model: &mut Model, image: Box<str>) {
    let Model { overlay, chain, .. } = model;
    if let Some((_, picker, field)) = asked(overlay) {
        picker.had.retain(|other| *other != image);
        picker.had.insert(0, image);
        picker.refit(field.value(), chain);
    }
}

/// Asks for the image of this container.
fn turn_to(model: &mut Model, to: usize) -> Vec<Effect> {
    let job = next_job(model);
    let Model {
        overlay,
        fleet,
        chain,
        ..
    } = model;
    let Some((id, picker, field)) = asked(overlay) else {
        return Vec::new();
    };
    let Some(container) = picker.containers.get(to) else {
        return Vec::new();
    };
    let image = container.image.clone();
    let jobs = picker.jobs;
    *picker = ImagePicker {
        at: to,
        had: images_of(fleet, id, container),
        jobs: (job, jobs.1),
        ..ImagePicker::new(std::mem::take(&mut picker.containers))
    };
    picker.tags.state = known::State::Loading;
    *field = Field(tui_input::Input::new(image.to_string()));
    picker.refit(&image, chain);
    let mut effects = called_off(jobs);
    effects.push(Effect::ListTags { job, image });
    effects
}

/// The picker of the open box.
fn asked(overlay: &mut Option<Overlay>) -> Option<(&WorkloadId, &mut ImagePicker, &mut Field)> {
    let Some(Overlay::Plan(shown)) = overlay else {
        return None;
    };
    match &mut shown.stage {
        Stage::Asking(Question {
            field,
            about: About::Image(picker),
        }) => Some((&shown.workload, picker, field)),
        _ => None,
    }
}

/// What the picker waits for is no longer wanted.
fn called_off(jobs: (JobId, JobId)) -> Vec<Effect> {
    let asked = [jobs.0, jobs.1].into_iter();
    let asked = asked.filter(|job| *job != JobId::default());
    asked.map(|job| Effect::Cancel { job }).collect()
}

/// The other images that its revisions have for it, newest first.
fn images_of(fleet: &Fleet, id: &WorkloadId, container: &Container) -> Vec<Box<str>> {
    let revisions = fleet.workload(id).map(|w| fleet.revisions(w));
    let all = revisions.into_iter().flatten().flat_map(|r| &r.containers);
    let mut known: Vec<Box<str>> = Vec::new();
    for other in all.filter(|c| c.name == container.name && c.image != container.image) {
        if !known.contains(&other.image) {
            known.push(other.image.clone());
        }
    }
    known
}

pub fn tags_listed(model: &mut Model, job: JobId, outcome: Result<Tags, Failure>) -> Vec<Effect> {
    let now = model.now;
    let Some((_, picker, _)) = asked(&mut model.overlay).filter(|(_, p, _)| p.jobs.0 == job) else {
        return Vec::new();
    };
    match outcome {
        Ok(tags) => picker.tags.learn(tags, now),
        Err(failure) => picker.tags.fail(failure.sentence, now),
    }
    picker.chosen = None;
    model.dirty = true;
    refit(model)
}

/// The image is a row of the open picker: news of others change nothing there.
pub fn has_row(model: &Model, image: &str) -> bool {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        return false;
    };
    match &shown.stage {
        Stage::Asking(Question {
            about: About::Image(picker),
            ..
        }) => picker.rows.iter().any(|row| **row == *image),
        _ => false,
    }
}

/// The rows may be others, and others may have come into view.
pub fn refit(model: &mut Model) -> Vec<Effect> {
    let (next, now) = plan::next(model);
    let Model { overlay, chain, .. } = model;
    let Some((_, picker, field)) = asked(overlay) else {
        return Vec::new();
    };
    picker.refit(field.value(), chain);
    let images = picker.unknown(chain, now);
    if images.iter().all(|image| picker.asked.contains(image)) {
        return Vec::new();
    }
    let job = std::mem::replace(&mut picker.jobs.1, next);
    picker.asked.clone_from(&images);
    let mut effects = called_off((job, JobId::default()));
    effects.push(Effect::ReadImages {
        job: next,
        images,
        at_once: AT_ONCE,
    });
    effects
}

/// A key in the field of the question.
pub fn key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    let Stage::Asking(question) = &mut shown.stage else {
        return Vec::new();
    };
    shown.said = None;
    let typed = key::typed(&mut question.field, pressed);
    let About::Image(picker) = &mut question.about else {
        return match typed {
            Typed::Left => close(model),
            Typed::Taken => taken(model),
            Typed::Up | Typed::Down | Typed::Complete | Typed::Edited => Vec::new(),
        };
    };
    match typed {
        Typed::Left => return close(model),
        Typed::Taken => return taken(model),
        Typed::Up | Typed::Down => {
            if let Some(image) = picker.choose(typed == Typed::Down) {
                question.field = Field(tui_input::Input::new(image.to_owned()));
            }
        }
        Typed::Complete => {
            let next = (picker.at + 1) % picker.containers.len().max(1);
            return if next == picker.at {
                Vec::new()
            } else {
                turn_to(model, next)
            };
        }
        Typed::Edited => picker.chosen = None,
    }
    refit(model)
}

fn close(model: &mut Model) -> Vec<Effect> {
    let jobs = asked(&mut model.overlay).map(|(_, picker, _)| picker.jobs);
    model.overlay = None;
    jobs.map_or_else(Vec::new, called_off)
}

fn taken(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &mut model.overlay else {
        return Vec::new();
    };
    let Stage::Asking(question) = &shown.stage else {
        return Vec::new();
    };
    match answer(question) {
        Ok(target) => {
            shown.request.target = target;
            let jobs = asked(&mut model.overlay).map(|(_, picker, _)| picker.jobs);
            let mut effects = jobs.map_or_else(Vec::new, called_off);
            effects.extend(plan::gather_again(model, None));
            effects
        }
        Err(why) => {
            shown.said = Some(why);
            Vec::new()
        }
    }
}

pub fn answer(question: &Question) -> Result<Target, String> {
    let typed = question.field.value().trim();
    let number = |shown| match typed.parse() {
        Ok(to) if to <= MOST_REPLICAS => Ok(Target::Replicas { shown, to }),
        Ok(_) => Err(format!("at most {MOST_REPLICAS}")),
        Err(_) => Err("a number, like 3".to_owned()),
    };
    match &question.about {
        About::Replicas { shown, .. } => number(*shown),
        About::Each => number(0),
        About::Weight => percent(typed),
        About::Tag => {
            // Each has a repository of its own; what is typed has to be one for any.
            resolve(typed, "any")?;
            Ok(Target::Image {
                container: None,
                image: typed.to_owned(),
            })
        }
        About::Image(picker) => {
            let image = resolve(typed, picker.present())?;
            Ok(Target::Image {
                container: picker.container().map(|container| container.name.clone()),
                image,
            })
        }
    }
}
