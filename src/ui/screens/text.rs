//! Text to read: an object described or as yaml, two revisions compared, or the events of one service.

use std::ops::Range;

use crate::app::Model;
use crate::app::layout;
use crate::app::model::{TextKind, TextScreen};
use crate::domain::known::State;
use crate::text;

use super::super::theme::Role;
use super::super::widgets::input::input;
use super::super::widgets::pen::Pen;
use super::super::widgets::table::scroll_mark;
use super::nothing::wrapped;

pub fn text(pen: &mut Pen<'_>, model: &Model, screen: &TextScreen) {
    let x = pen.line(1, 0, &screen.title, Role::Strong) + 3;
    let foot = pen.height().saturating_sub(1);
    match (&screen.document.last, &screen.document.state) {
        (Some((document, _)), state) => {
            let age = text::age(document.read_at, model.now);
            let (words, role) = match state {
                State::Failed { why, .. } => (
                    format!("read {age} ago; reading again failed: {why}"),
                    Role::Warn,
                ),
                State::Never | State::Loading | State::Fresh => {
                    (format!("read {age} ago"), Role::Dim)
                }
            };
            pen.line(x, 0, &words, role);
            let (lines, total) = (document.lines.iter(), document.lines.len());
            let lines = lines.map(String::as_str);
            let offset = screen.offset.min(layout::last_top(model, lines.clone()));
            let find = screen.search.field.value();
            let shown = layout::reader_lines(model, lines.skip(offset), find);
            let in_sight = shown.last().map_or(0, |row| row.below + 1);
            if let Some(mark) = scroll_mark(offset, in_sight, total) {
                pen.right(0, 1, &mark, Role::Dim);
            }
            for (y, row) in (1..).zip(&shown) {
                let role = role_of(&screen.kind, &document.lines[offset + row.below]);
                found_line(pen, (1, y), (&row.text, role), &row.found);
                if is_marked(&screen.kind, offset + row.below) {
                    pen.put(0, y, 1, "❯", Role::Key);
                }
            }
        }
        (None, State::Failed { why, .. }) => {
            wrapped(pen, 1, 2, why, Role::Bad);
        }
        (None, State::Never | State::Loading | State::Fresh) => {
            pen.line(1, 2, "reading …", Role::Dim);
        }
    }
    if screen.search.open {
        input(pen, 1, foot, "/ ", &screen.search.field);
    } else if !screen.search.field.value().is_empty() {
        pen.line(
            1,
            foot,
            &format!("/ {}", screen.search.field.value()),
            Role::Dim,
        );
    }
}

fn is_marked(kind: &TextKind, line: usize) -> bool {
    matches!(kind, TextKind::Releases(of) if of.line() == Some(line))
}

/// The sign of a comparison's line is repeated by its colour.
fn role_of(kind: &TextKind, line: &str) -> Role {
    match (kind, line.as_bytes().first()) {
        (TextKind::Comparison { .. }, Some(b'+')) => Role::Good,
        (TextKind::Comparison { .. }, Some(b'-')) => Role::Bad,
        (
            TextKind::Comparison { .. }
            | TextKind::Yaml(_)
            | TextKind::Description(_)
            | TextKind::Events(_)
            | TextKind::Action { .. }
            | TextKind::Releases(_)
            | TextKind::BuildLog(..)
            | TextKind::Making(_)
            | TextKind::Occurrence(_),
            _,
        ) => Role::Plain,
    }
}

/// One row, escaped already, with every place marked that holds what was searched for, or a part of it.
pub fn found_line(
    pen: &mut Pen<'_>,
    (start, y): (u16, u16),
    (line, role): (&str, Role),
    found: &[Range<usize>],
) {
    pen.line(start, y, line, role);
    let width = usize::from(pen.width());
    for place in found {
        let x = text::width(&line[..place.start]) + usize::from(start);
        if x >= width {
            break;
        }
        let cells = text::width(&line[place.clone()]);
        let (Ok(x), Ok(cells)) = (u16::try_from(x), u16::try_from(cells)) else {
            break;
        };
        pen.mark(x, y, cells, Role::Found);
    }
}
