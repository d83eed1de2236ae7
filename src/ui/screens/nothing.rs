//! Nothing to show yet: what is being tried, or what was tried, why it failed, and what to do about it.

use crate::app::Model;
use crate::app::answering::{How, answering};
use crate::app::intent::Intent;
use crate::app::words;
use crate::domain::{Connection, FailureKind};
use crate::text;

use super::super::theme::Role;
use super::super::widgets::pen::Pen;

/// Whether this stands in place of the board: no cluster was ever reached.
pub fn applies(model: &Model) -> bool {
    !model.connected() && !model.heard()
}

pub fn nothing(pen: &mut Pen<'_>, model: &Model) {
    let [cluster] = model.clusters.as_slice() else {
        return several(pen, model);
    };
    match &cluster.connection {
        Connection::Connecting { doing, since } => {
            let words = format!("{doing} … {}", text::age(*since, model.now));
            pen.line(1, 1, &words, Role::Plain);
            pen.line(
                1,
                3,
                "The board opens as soon as the cluster answers.",
                Role::Dim,
            );
        }
        Connection::Failed { failure, next, .. } => {
            let title = "No cluster to show.";
            pen.line(1, 1, title, Role::Strong);
            let sentence = if failure.sentence == title {
                ""
            } else {
                failure.sentence.as_str()
            };
            let y = told(pen, 2, sentence, &failure.hints);
            let again = if *next <= model.now {
                "Trying again now.".to_owned()
            } else {
                let age = text::age(model.now, *next);
                format!(
                    "It goes on by itself once this is fixed: tried again in {age}, {} tries now.",
                    words::key(model, Intent::Retry)
                )
            };
            pen.line(1, y + 1, &again, Role::Dim);
            if failure.kind == FailureKind::Denied {
                let login = words::key(model, Intent::LogIn);
                let words = format!("{login} logs in here, with the kubeconfig's login command.");
                pen.line(1, y + 2, &words, Role::Dim);
            }
        }
        Connection::Connected(_) => {}
    }
}

/// Each with what is tried, or why it failed.
fn several(pen: &mut Pen<'_>, model: &Model) {
    pen.line(1, 1, "No cluster answers yet.", Role::Strong);
    let mut y = 2;
    for cluster in &model.clusters {
        let answering = answering(model, cluster);
        let role = match answering.how {
            How::Away => Role::Bad,
            How::Live | How::Coming | How::Quiet => Role::Plain,
        };
        let words = format!("{} {}", cluster.id, answering.sentence());
        y = wrapped(pen, 3, y, &words, role);
        if let Connection::Failed { failure, .. } = &cluster.connection {
            y = failure
                .hints
                .iter()
                .fold(y, |y, hint| wrapped(pen, 5, y, hint, Role::Plain));
        }
    }
    let again = format!(
        "Each is tried again by itself, {} tries now.",
        words::key(model, Intent::Retry)
    );
    pen.line(1, y + 1, &again, Role::Dim);
}

/// The sentence, then every hint on lines of its own; gives the next free line.
fn told(pen: &mut Pen<'_>, y: u16, sentence: &str, hints: &[String]) -> u16 {
    let y = wrapped(pen, 3, y, sentence, Role::Bad);
    hints
        .iter()
        .fold(y, |y, hint| wrapped(pen, 3, y, hint, Role::Plain))
}

/// Writes words over as many lines as they need, broken at spaces; gives the next free line.
pub fn wrapped(pen: &mut Pen<'_>, x: u16, y: u16, words: &str, role: Role) -> u16 {
    let lines = text::wrap(words, usize::from(pen.width().saturating_sub(x + 1)));
    let mut y = y;
    for line in lines {
        pen.line(x, y, &line, role);
        y += 1;
    }
    y
}
