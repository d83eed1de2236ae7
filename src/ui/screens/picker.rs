//! Names to choose from: those that were listed, or those seen when they cannot be listed.

use crate::app::Model;
use crate::app::field::Field;
use crate::app::model::Picked;
use crate::app::update::picker::matching;
use crate::app::words::Choice;
use crate::domain::Known;
use crate::domain::known::State;

use super::super::widgets::pen::Pen;
use super::palette::chooser;

pub fn picker(
    pen: &mut Pen<'_>,
    model: &Model,
    of: Picked,
    (field, selected, names): (&Field, usize, &Known<Vec<String>>),
) {
    let choice = |name: String| {
        let mut about = Vec::new();
        if of == Picked::Context {
            let environments = model.settings.environments.iter();
            let here = environments.filter(|e| e.cluster == name);
            about.extend(here.map(|e| e.name.as_str()));
        }
        if shown(model, of, &name) {
            about.push("shown now");
        }
        let about = about.join(", ");
        Choice { name, about }
    };
    let choices: Vec<Choice> = matching(model).into_iter().map(choice).collect();
    let empty = match &names.state {
        State::Failed { why, .. } => {
            format!("they could not be listed ({why}); type a name and press enter")
        }
        State::Never | State::Loading => "listing …".to_owned(),
        State::Fresh => "none has this name".to_owned(),
    };
    let (title, prompt) = match of {
        Picked::Namespace => ("NAMESPACE", ":ns "),
        Picked::Context => ("CLUSTERS", ":ctx "),
    };
    let (choices, field) = ((&*choices, selected), (prompt, field));
    chooser(pen, title, field, choices, &empty);
}

fn shown(model: &Model, of: Picked, name: &str) -> bool {
    let mut clusters = model.clusters.iter();
    match of {
        Picked::Namespace => clusters
            .flat_map(|c| &c.scope.namespaces)
            .any(|shown| **shown == *name),
        Picked::Context => clusters.any(|c| *c.id.0 == *name),
    }
}
