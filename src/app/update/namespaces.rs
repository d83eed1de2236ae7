//! Which namespaces are on the board: one by name, all, the number keys.

use crate::app::effect::Effect;
use crate::app::model::Model;

use super::{connection, notice};

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
