//! Which namespaces are on the board: the picker, the number keys, all.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::field::Field;
use crate::app::keymap::Key;
use crate::app::model::{Model, Overlay};
use crate::domain::{Failure, Known, known::State};

use super::key::{self, Typed};
use super::{connection, next_job, notice};

pub fn open(model: &mut Model) -> Vec<Effect> {
    let job = next_job(model);
    model.overlay = Some(Overlay::Namespaces {
        job,
        field: Field::default(),
        selected: 0,
        names: Known {
            last: None,
            state: State::Loading,
        },
    });
    vec![Effect::ListNamespaces {
        job,
        clusters: model.cluster_ids(),
    }]
}

pub fn listed(model: &mut Model, job: JobId, outcome: Result<Vec<String>, Failure>) -> Vec<Effect> {
    let now = model.now;
    if let Some(Overlay::Namespaces {
        job: waiting,
        names,
        ..
    }) = &mut model.overlay
        && *waiting == job
    {
        match outcome {
            Ok(listed) => names.learn(listed, now),
            Err(failure) => names.fail(failure.sentence, now),
        }
        model.dirty = true;
    }
    Vec::new()
}

/// The names that fit what was typed: those listed, else those seen in this session.
pub fn matching(model: &Model) -> Vec<String> {
    let Some(Overlay::Namespaces { field, names, .. }) = &model.overlay else {
        return Vec::new();
    };
    let known = || model.view.known.iter().map(ToString::to_string).collect();
    let names: Vec<String> = names.value().cloned().unwrap_or_else(known);
    names
        .into_iter()
        .filter(|name| name.contains(field.value().trim()))
        .collect()
}

pub fn key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let names = matching(model);
    let Some(Overlay::Namespaces {
        job,
        field,
        selected,
        ..
    }) = &mut model.overlay
    else {
        return Vec::new();
    };
    match key::typed(field, pressed) {
        Typed::Edited => *selected = 0,
        Typed::Complete => {
            if let Some(name) = names.into_iter().nth(*selected) {
                *field = Field(tui_input::Input::new(name));
                *selected = 0;
            }
        }
        Typed::Up => *selected = selected.saturating_sub(1),
        Typed::Down => *selected = (*selected + 1).min(names.len().saturating_sub(1)),
        Typed::Left => {
            let job = *job;
            model.overlay = None;
            return vec![Effect::Cancel { job }];
        }
        Typed::Taken => {
            let (job, at, text) = (*job, *selected, field.value().trim().to_owned());
            // What was typed in full is meant, whether the listing knows it or not.
            let chosen = if names.contains(&text) {
                Some(text.clone())
            } else {
                names.get(at).cloned()
            };
            let Some(name) = chosen.or_else(|| Some(text).filter(|t| !t.is_empty())) else {
                return Vec::new();
            };
            model.overlay = None;
            go(model, &name);
            return vec![Effect::Cancel { job }];
        }
    }
    Vec::new()
}

/// Shows one namespace.
pub fn go(model: &mut Model, name: &str) {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 63 || !name.chars().all(fits) {
        notice(
            model,
            format!("{name} is not the name of a namespace: lower case letters, digits and -"),
            true,
        );
        return;
    }
    show(model, &[name.into()]);
}

pub fn all(model: &mut Model) -> Vec<Effect> {
    show(model, &[]);
    Vec::new()
}

/// What is on the board already is said: a key without an answer looks broken.
fn show(model: &mut Model, namespaces: &[Box<str>]) {
    if model
        .clusters
        .iter()
        .all(|c| c.scope.namespaces == namespaces)
    {
        let which = namespaces.first().map_or("all namespaces", |name| name);
        notice(model, format!("on the board already: {which}"), false);
    }
    connection::change_scope(model, namespaces);
}

pub fn favourite(model: &mut Model, at: usize) -> Vec<Effect> {
    match model.view.favourites.get(at).cloned() {
        Some(name) => go(model, &name),
        None => notice(
            model,
            format!("no namespace {} yet: :ns picks one", at + 1),
            false,
        ),
    }
    Vec::new()
}
