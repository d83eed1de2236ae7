//! What differs between the marked revision and the current one, as far as images and source repositories tell.

use crate::app::update::commits::{Sources, sources};
use crate::domain::{Revision, image, revision};
use crate::text;

use super::super::super::theme::Role;
use super::super::super::widgets::change::fit_change;
use super::super::super::widgets::pen::Pen;
use super::{View, current, marked, version_of};

/// What stands there, line by line. Empty when there is nothing to compare.
#[derive(Default)]
pub struct Changes {
    /// A title, then one line a container.
    images: Vec<String>,
    commits: Vec<String>,
}

impl Changes {
    pub fn len(&self) -> usize {
        self.images.len() + self.commits.len()
    }
}

pub fn changes(view: &View<'_>) -> Changes {
    let Some(new) = current(view) else {
        return Changes::default();
    };
    let other = marked(view)
        .filter(|r| r.uid != new.uid)
        .or_else(|| revision::before(view.revisions, new));
    let Some(old) = other else {
        return Changes::default();
    };
    Changes {
        images: images(view, (old, new)),
        commits: commits(view, (old, new)),
    }
}

fn images(view: &View<'_>, (old, new): (&Revision, &Revision)) -> Vec<String> {
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

/// From the source repository, where one is configured.
fn commits(view: &View<'_>, pair: (&Revision, &Revision)) -> Vec<String> {
    match sources(view.model, view.workload, pair, Some(&view.deliveries)) {
        Sources::Nowhere => Vec::new(),
        Sources::Said(words) => vec![format!("commits  {words}")],
        Sources::Between(between) => {
            let known = view.model.chain.commits(&between);
            known.map_or_else(Vec::new, |known| {
                text::commits::few(known, &between, view.model.now)
            })
        }
    }
}

pub fn draw(pen: &mut Pen<'_>, changes: &Changes) {
    let room = |x: u16, pen: &Pen<'_>| pen.width().saturating_sub(x);
    let mut y = 0;
    for line in &changes.images {
        let (x, role) = if y == 0 {
            (1, Role::Dim)
        } else {
            (3, Role::Plain)
        };
        let line = fit_change(line, room(x, pen));
        pen.line(x, y, &line, role);
        y += 1;
    }
    for line in &changes.commits {
        pen.put_clause(3, y, room(3, pen), line, Role::Plain);
        y += 1;
    }
}
