//! The command line of the screen: what is typed, and what it may become.

use crate::app::field::Field;
use crate::app::layout::scrolled;
use crate::app::words::Choice;

use super::super::theme::Role;
use super::super::widgets::frame_box::{Edge, centered, frame_box};
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, cells};
use super::super::widgets::table::scroll_mark;

/// A field over a list of choices, in a box. `empty` is said when there is nothing to choose.
pub fn chooser(
    pen: &mut Pen<'_>,
    title: &str,
    (label, field): (&str, &Field),
    (choices, selected): (&[Choice], usize),
    empty: &str,
) {
    let width = pen.width().saturating_sub(4).min(76);
    let wanted = u16::try_from(choices.len().max(1)).unwrap_or(u16::MAX);
    let height = wanted.saturating_add(4).min(pen.height()).min(24);
    let area = centered(pen.area, width, height);
    let rows = usize::from(area.height.saturating_sub(4));
    let offset = scrolled(0, selected, rows);
    let mark = scroll_mark(offset, rows, choices.len());
    let edge = Edge {
        title,
        bottom_left: mark.as_deref().unwrap_or(""),
        bottom_right: "enter takes it, esc closes",
        ..Edge::default()
    };
    let mut inside = frame_box(pen, area, &edge);
    input(&mut inside, 0, 0, label, field);
    if choices.is_empty() {
        inside.line(2, 2, empty, Role::Dim);
    }
    let names = choices
        .iter()
        .map(|c| cells(&c.name))
        .max()
        .unwrap_or(0)
        .min(40);
    for (y, (i, choice)) in (2..).zip(choices.iter().enumerate().skip(offset).take(rows)) {
        let chosen = i == selected;
        if chosen {
            inside.put(0, y, 1, "❯", Role::Key);
        }
        let role = if chosen { Role::Strong } else { Role::Plain };
        inside.put(2, y, names, &choice.name, role);
        inside.line(names + 4, y, &choice.about, Role::Dim);
    }
}
