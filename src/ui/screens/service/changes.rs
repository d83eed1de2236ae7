//! What differs between the marked revision and the current one, as far as images and source repositories tell.

use crate::app::update::commits::{Sources, sources};
use crate::domain::{Revision, image};
use crate::text;

use super::super::super::theme::Role;
use super::super::super::widgets::change::fit_change;
use super::super::super::widgets::pen::Pen;
use super::{View, current, marked, version_of};

/// A title, then one line a container. Empty when there is nothing to compare.
pub fn lines(view: &View<'_>) -> Vec<String> {
    let Some(new) = current(view) else {
        return Vec::new();
    };
    let other = marked(view)
        .filter(|r| r.uid != new.uid)
        .or_else(|| older(view, new));
    let Some(old) = other else {
        return Vec::new();
    };
    let mut lines = vec![format!(
        "CHANGES  {} → {}",
        version_of(view, old),
        version_of(view, new)
    )];
    for container in &new.containers {
        match old.containers.iter().find(|c| c.name == container.name) {
            None => lines.push(format!("+ {}  {}", container.name, container.image)),
            Some(was) if was.image != container.image => {
                let change = image::change(&was.image, &container.image);
                lines.push(if new.containers.len() == 1 {
                    change
                } else {
                    format!("{}: {change}", container.name)
                });
            }
            Some(_) => {}
        }
    }
    for container in &old.containers {
        if !new.containers.iter().any(|c| c.name == container.name) {
            lines.push(format!("- {}  {}", container.name, container.image));
        }
    }
    if lines.len() == 1 {
        lines.push("the same images".to_owned());
    }
    lines.extend(commits(view, (old, new)));
    lines
}

/// From the source repository, where one is configured.
fn commits(view: &View<'_>, pair: (&Revision, &Revision)) -> Vec<String> {
    match sources(view.model, view.workload, pair) {
        Sources::Nowhere => Vec::new(),
        Sources::Said(words) => vec![format!("commits  {words}")],
        Sources::Between(between) => {
            let known = view.model.chain.commits(&between);
            known.map_or_else(Vec::new, |known| text::commits::few(known, &between))
        }
    }
}

pub fn draw(pen: &mut Pen<'_>, lines: &[String]) {
    for (y, line) in (0..).zip(lines) {
        let (x, role) = if y == 0 {
            (1, Role::Dim)
        } else {
            (3, Role::Plain)
        };
        let room = pen.width().saturating_sub(x);
        pen.line(x, y, &fit_change(line, room), role);
    }
}

/// The newest one before it.
fn older<'a>(view: &View<'a>, new: &Revision) -> Option<&'a Revision> {
    view.revisions
        .iter()
        .filter(|r| r.number < new.number)
        .max_by_key(|r| r.number)
}
