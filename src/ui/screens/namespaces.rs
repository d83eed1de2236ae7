//! The namespaces to choose from: all, those the cluster lists, or those seen when it may not list them.

use crate::app::Model;
use crate::app::field::Field;
use crate::app::words::Choice;
use crate::domain::Known;
use crate::domain::known::State;

use super::super::widgets::pen::Pen;
use super::palette::chooser;

pub fn namespaces(
    pen: &mut Pen<'_>,
    model: &Model,
    field: &Field,
    selected: usize,
    names: &Known<Vec<String>>,
) {
    let choices: Vec<Choice> = matching(model, field.value(), names)
        .into_iter()
        .map(|name| {
            let mut shown = model.clusters.iter().flat_map(|c| &c.scope.namespaces);
            let now = shown.any(|shown| **shown == *name);
            Choice {
                about: if now {
                    "shown now".to_owned()
                } else {
                    String::new()
                },
                name,
            }
        })
        .collect();
    let empty = match &names.state {
        State::Failed { why, .. } => {
            format!("they could not be listed ({why}); type a name and press enter")
        }
        State::Never | State::Loading => "listing …".to_owned(),
        State::Fresh => "none has this name".to_owned(),
    };
    chooser(
        pen,
        "NAMESPACE",
        (":ns ", field),
        (&choices, selected),
        &empty,
    );
}

fn matching(model: &Model, typed: &str, names: &Known<Vec<String>>) -> Vec<String> {
    let known = || model.view.known.iter().map(ToString::to_string).collect();
    let all: Vec<String> = names.value().cloned().unwrap_or_else(known);
    all.into_iter()
        .filter(|name| name.contains(typed))
        .collect()
}
