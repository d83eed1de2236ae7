//! What a verb has to know before it plans: what stands now, and the field for what is to be.

use crate::app::Model;
use crate::app::model::{About, Question};
use crate::domain::WorkloadId;

use super::super::super::theme::Role;
use super::super::super::widgets::input::input;
use super::super::super::widgets::pen::{Pen, piece};
use super::body::Lines;
use super::image;

/// What stands now.
pub fn lines(
    model: &Model,
    question: &Question,
    workload: Option<&WorkloadId>,
    width: u16,
) -> Lines {
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
        About::Weight => {
            let words = "so much of a hundred for the canary";
            vec![vec![piece(words, Role::Plain)]]
        }
        About::Image(picker) => {
            workload.map_or_else(Lines::new, |id| image::lines(model, picker, id, width))
        }
    }
}

pub fn field(pen: &mut Pen<'_>, question: &Question) {
    let label = match question.about {
        About::Replicas { .. } => "how many: ",
        About::Each => "how many each: ",
        About::Tag => "tag: ",
        About::Weight => "weight: ",
        About::Image(_) => "image or tag: ",
    };
    input(pen, 0, 0, label, &question.field);
}
