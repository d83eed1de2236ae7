//! What a verb has to know before it plans: a field in its box, and the reads once it is answered.

use crate::app::effect::Effect;
use crate::app::field::Field;
use crate::app::keymap::Key;
use crate::app::model::{About, Model, Overlay, Question, Stage};
use crate::domain::{Container, Fleet, Kind, WorkloadId};
use crate::plan::verbs::set_image::resolve;
use crate::plan::{Target, Verb};

use super::key::{self, Typed};
use super::{image, notice, plan};

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
        | Verb::Abort => return None,
    };
    Some(Question {
        field: Field::default(),
        about,
    })
}

/// Asks for the image of its main container, with the present one in the field.
pub fn set_image(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let Some(workload) = model.fleet.workload(id) else {
        notice(model, format!("{id} is gone"), true);
        return Vec::new();
    };
    let mut containers = workload.containers.to_vec();
    // The one that is named like the service before its sidecars, those that only begin it last.
    containers.sort_by_key(|container| (container.init, container.name != id.name));
    let about = About::Image {
        containers,
        at: 0,
        known: Vec::new(),
        chosen: None,
    };
    let mut question = Question {
        field: Field::default(),
        about,
    };
    turn_to(&model.fleet, id, &mut question, 0);
    if let (Some(image), About::Image { known, .. }) =
        (image::pushed(model, id), &mut question.about)
    {
        known.retain(|other| **other != *image);
        known.insert(0, image.into());
    }
    plan::ask(model, id, Verb::SetImage, question)
}

/// Asks for the image of this container.
fn turn_to(fleet: &Fleet, id: &WorkloadId, question: &mut Question, to: usize) {
    let About::Image {
        containers,
        at,
        known,
        chosen,
    } = &mut question.about
    else {
        return;
    };
    let Some(container) = containers.get(to) else {
        return;
    };
    (*at, *chosen) = (to, None);
    *known = images_of(fleet, id, container);
    question.field = Field(tui_input::Input::new(container.image.to_string()));
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

/// Puts the next or the one before of the known images into the field.
fn choose(question: &mut Question, down: bool) {
    let About::Image { known, chosen, .. } = &mut question.about else {
        return;
    };
    let last = known.len().saturating_sub(1);
    let to = match (*chosen, down) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => (at + 1).min(last),
        (Some(at), false) => at.saturating_sub(1),
    };
    if let Some(image) = known.get(to) {
        *chosen = Some(to);
        question.field = Field(tui_input::Input::new(image.to_string()));
    }
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
    match key::typed(&mut question.field, pressed) {
        Typed::Left => model.overlay = None,
        Typed::Taken => return taken(model),
        Typed::Up => choose(question, false),
        Typed::Down => choose(question, true),
        Typed::Complete => {
            if let About::Image { containers, at, .. } = &question.about {
                let next = (at + 1) % containers.len().max(1);
                turn_to(&model.fleet, &shown.workload, question, next);
            }
        }
        Typed::Edited => {
            if let About::Image { chosen, .. } = &mut question.about {
                *chosen = None;
            }
        }
    }
    Vec::new()
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
            plan::gather_again(model, None)
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
        About::Tag => {
            // Each has a repository of its own; what is typed has to be one for any.
            resolve(typed, "any")?;
            Ok(Target::Image {
                container: None,
                image: typed.to_owned(),
            })
        }
        About::Image { containers, at, .. } => {
            let container = containers.get(*at);
            let present = container.map_or("", |container| &*container.image);
            let image = resolve(typed, present)?;
            Ok(Target::Image {
                container: container.map(|container| container.name.clone()),
                image,
            })
        }
    }
}
