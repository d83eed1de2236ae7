//! Choosing one of many by name: a namespace, or the kubeconfig contexts of the board.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::field::Field;
use crate::app::keymap::Key;
use crate::app::model::{Model, Overlay, Picked};
use crate::domain::{Failure, Known, known::State};

use super::key::{self, Typed};
use super::{clusters, namespaces, next_job};

pub fn open(model: &mut Model, of: Picked) -> Vec<Effect> {
    let job = next_job(model);
    model.overlay = Some(Overlay::Picker {
        of,
        job,
        field: Field::default(),
        selected: 0,
        names: Known {
            last: None,
            state: State::Loading,
        },
    });
    let clusters = model.cluster_ids();
    vec![match of {
        Picked::Namespace => Effect::ListNamespaces { job, clusters },
        Picked::Context => Effect::ListContexts { job },
    }]
}

pub fn listed(model: &mut Model, job: JobId, outcome: Result<Vec<String>, Failure>) -> Vec<Effect> {
    let now = model.now;
    if let Some(Overlay::Picker {
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

/// The names that fit what was typed last: those listed, else those seen in this session.
pub fn matching(model: &Model) -> Vec<String> {
    let Some(Overlay::Picker {
        of, field, names, ..
    }) = &model.overlay
    else {
        return Vec::new();
    };
    let known = || match of {
        Picked::Namespace => model.view.known.iter().map(ToString::to_string).collect(),
        Picked::Context => clusters::known(model),
    };
    let names: Vec<String> = names.value().cloned().unwrap_or_else(known);
    let typed = field.value().rsplit(',').next().unwrap_or_default().trim();
    names
        .into_iter()
        .filter(|name| name.contains(typed))
        .collect()
}

pub fn key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let names = matching(model);
    let Some(Overlay::Picker {
        of,
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
                *field = Field(tui_input::Input::new(completed(field.value(), &name)));
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
            let (of, job, text) = (*of, *job, field.value().trim().to_owned());
            // What was typed in full is meant, whether the listing knows it or not.
            let last = text.rsplit(',').next().unwrap_or_default().trim();
            let chosen = if names.iter().any(|name| name == last) {
                Some(text.clone())
            } else {
                names.get(*selected).map(|name| completed(&text, name))
            };
            let Some(name) = chosen.or(Some(text).filter(|t| !t.is_empty())) else {
                return Vec::new();
            };
            model.overlay = None;
            let mut effects = vec![Effect::Cancel { job }];
            match of {
                Picked::Namespace => namespaces::go(model, &name),
                Picked::Context => effects.extend(clusters::go(model, &name)),
            }
            return effects;
        }
    }
    Vec::new()
}

/// With the last name of a list in full.
fn completed(text: &str, name: &str) -> String {
    match text.rsplit_once(',') {
        Some((before, _)) => format!("{before},{name}"),
        None => name.to_owned(),
    }
}
