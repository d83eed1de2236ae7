//! What a verb has to know before it plans: what stands now, and the field for what is to be.

use crate::app::model::{About, Question};
use crate::text;

use super::super::super::theme::Role;
use super::super::super::widgets::input::input;
use super::super::super::widgets::pen::{Pen, piece};
use super::body::Lines;

/// So many known images are in sight.
const KNOWN: usize = 8;

/// What stands now.
pub fn lines(question: &Question) -> Lines {
    match &question.about {
        About::Replicas { shown, serve } => {
            let words = format!("{shown} replicas are asked for now, {serve} of them serve");
            vec![vec![piece(words, Role::Plain)]]
        }
        About::Each => {
            let words = "the same number for each of them";
            vec![vec![piece(words, Role::Plain)]]
        }
        About::Tag => {
            let words = "a tag or a digest for the first container of each of them";
            vec![vec![piece(words, Role::Plain)]]
        }
        About::Image {
            containers,
            at,
            known,
            chosen,
        } => {
            let Some(container) = containers.get(*at) else {
                return Lines::new();
            };
            let label = |words: &str| piece(text::pad(words, 11), Role::Dim);
            let others = match containers.len() {
                1 => String::new(),
                n => format!("   {} of {n}, tab is the next", at + 1),
            };
            let mut lines = vec![
                vec![
                    label("container"),
                    piece(&*container.name, Role::Strong),
                    piece(others, Role::Dim),
                ],
                vec![label("now"), piece(&*container.image, Role::Plain)],
            ];
            let first = chosen.unwrap_or(0).saturating_sub(KNOWN - 1);
            let seen = known.iter().enumerate().skip(first).take(KNOWN);
            for (n, (which, image)) in seen.enumerate() {
                let role = if *chosen == Some(which) {
                    Role::Strong
                } else {
                    Role::Plain
                };
                let words = if n == 0 { "it had" } else { "" };
                lines.push(vec![label(words), piece(&**image, role)]);
            }
            let hint = match known.len() {
                0 => "no other image of it is known from its revisions",
                _ => "the arrow keys take one of these",
            };
            lines.push(vec![label(""), piece(hint, Role::Dim)]);
            lines
        }
    }
}

pub fn field(pen: &mut Pen<'_>, question: &Question) {
    let label = match question.about {
        About::Replicas { .. } => "how many: ",
        About::Each => "how many each: ",
        About::Tag => "tag: ",
        About::Image { .. } => "image or tag: ",
    };
    input(pen, 0, 0, label, &question.field);
}
