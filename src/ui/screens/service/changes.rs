//! What differs between the marked revision and the current one, as far as the images tell.

use crate::domain::{Revision, image};

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
    lines
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
