//! The last line: the keys that do something here, most useful first.

use crate::app::words::Hint;

use super::super::theme::Role;
use super::pen::{Pen, cells};

/// Draws as many whole hints as there is room for; the last one (help) always has its place.
pub fn hints(pen: &mut Pen<'_>, hints: &[Hint]) {
    let Some((last, others)) = hints.split_last() else {
        return;
    };
    let width = pen.width();
    let reserved = hint_cells(last) + 2;
    let mut x = 1;
    for hint in others {
        if x + hint_cells(hint) + reserved > width {
            continue;
        }
        x = draw(pen, x, hint) + 2;
    }
    draw(pen, x, last);
}

fn hint_cells(hint: &Hint) -> u16 {
    let reason = hint.dimmed.as_ref().map_or(0, |reason| cells(reason) + 3);
    cells(&hint.key) + 1 + cells(hint.what) + reason
}

fn draw(pen: &mut Pen<'_>, x: u16, hint: &Hint) -> u16 {
    let role = if hint.dimmed.is_some() {
        Role::Dim
    } else {
        Role::Key
    };
    let x = pen.line(x, 0, &hint.key, role);
    let x = pen.line(x + 1, 0, hint.what, Role::Dim);
    match &hint.dimmed {
        Some(reason) => pen.line(x, 0, &format!(" ({reason})"), Role::Dim),
        None => x,
    }
}
