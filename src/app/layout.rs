//! Where things are on the screen: shared by update (paging) and view.

use std::ops::Range;

use super::model::{Model, Pane, Screen};
use super::notes::notes;
use crate::text::{escape, pieces, searched};

/// Lines of the header and of the keys.
const FRAME: usize = 2;

/// Lines that one page moves on the screen that has the keys.
pub fn page(model: &Model) -> usize {
    let rows = match model.screens.last() {
        None => board_rows(model),
        Some(Screen::Service(service)) => service_rows(service.pane, model),
        Some(Screen::Logs(_) | Screen::Text(_)) => reader_rows(model),
        Some(Screen::Doctor(_)) => doctor_rows(model),
        Some(Screen::Table(_)) => table_rows(model),
        Some(Screen::Record(_)) => record_rows(model),
        Some(Screen::Changes(_)) => changes_rows(model),
        Some(Screen::Matrix(_)) => matrix_rows(model),
        Some(Screen::Builds(_)) => builds_rows(model),
    };
    rows.saturating_sub(1).max(1)
}

/// What lies over the screen: all between the header and the keys.
pub fn overlay_rows(height: u16) -> usize {
    usize::from(height).saturating_sub(FRAME)
}

/// The lines above the keys, which take no more than a quarter of the screen.
pub fn note_rows(model: &Model) -> usize {
    notes(model).len().min(usize::from(model.height / 4))
}

/// Between the header and the lines above the keys.
fn body_rows(model: &Model) -> usize {
    overlay_rows(model.height).saturating_sub(note_rows(model))
}

/// Under the title and the titles of the columns, above the line of the filter.
pub fn table_rows(model: &Model) -> usize {
    body_rows(model).saturating_sub(3).max(1)
}

/// Under the title.
pub fn doctor_rows(model: &Model) -> usize {
    body_rows(model).saturating_sub(1).max(1)
}

/// What the record says of the marked action, and an empty line, where there is room for it.
pub fn record_foot(model: &Model) -> usize {
    if body_rows(model) < 14 { 0 } else { 6 }
}

/// Under the title and the titles of the columns, above what is told of the marked action.
pub fn record_rows(model: &Model) -> usize {
    body_rows(model)
        .saturating_sub(2 + record_foot(model))
        .max(1)
}

/// Under the title, the lines about what is missing and the titles of the columns, above the line of the fields.
pub fn changes_rows(model: &Model) -> usize {
    body_rows(model).saturating_sub(3 + gap_rows(model)).max(1)
}

/// What is told of the marked cell, and an empty line, where there is room for it.
pub fn matrix_foot(model: &Model) -> usize {
    if body_rows(model) < 12 { 1 } else { 3 }
}

/// Under the title and the names of the environments, above what is told of the marked cell.
pub fn matrix_rows(model: &Model) -> usize {
    body_rows(model)
        .saturating_sub(2 + matrix_foot(model))
        .max(1)
}

/// What is told of the marked build, and an empty line, where there is room for it.
pub fn builds_foot(model: &Model) -> usize {
    if body_rows(model) < 14 { 0 } else { 6 }
}

/// Under the title, the line of the queue and the titles of the columns, above what is told of the marked build.
pub fn builds_rows(model: &Model) -> usize {
    body_rows(model)
        .saturating_sub(3 + builds_foot(model))
        .max(1)
}

/// What could not be read is said above the rest, on at most three lines.
pub fn gap_rows(model: &Model) -> usize {
    match model.screens.last() {
        Some(Screen::Changes(screen)) => screen.gaps().len().min(3),
        Some(_) | None => 0,
    }
}

/// Under the titles of the columns, above the line of the filter when there is one.
pub fn board_rows(model: &Model) -> usize {
    let board = &model.board;
    let filter = board.has_last_line();
    body_rows(model)
        .saturating_sub(1 + usize::from(filter))
        .max(1)
}

/// Logs and text: a title above, a line for the search below.
pub fn reader_rows(model: &Model) -> usize {
    body_rows(model).saturating_sub(2).max(1)
}

/// Cells that a line of them has before it is broken.
pub fn reader_cells(model: &Model) -> usize {
    usize::from(model.width).saturating_sub(1)
}

/// The line at the top when the last one is in sight.
pub fn last_top<'a>(
    model: &Model,
    lines: impl ExactSizeIterator<Item = &'a str> + DoubleEndedIterator,
) -> usize {
    last_top_of(reader_rows(model), reader_cells(model), lines)
}

/// The same for lines that are broken after so many cells.
pub fn last_top_of(
    rows: usize,
    cells: usize,
    lines: impl ExactSizeIterator<Item: AsRef<str>> + DoubleEndedIterator,
) -> usize {
    let (total, mut used) = (lines.len(), 0);
    for (after, line) in lines.rev().enumerate() {
        used += pieces(&escape(line.as_ref()), cells).len();
        if used > rows {
            // A line that is longer than the screen is shown from its beginning.
            return (total - after).min(total - 1);
        }
    }
    0
}

/// A row of a text that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderRow {
    /// How many lines below the first one its own is.
    pub below: usize,
    /// Escaped.
    pub text: String,
    /// Where it holds what was searched for, in bytes.
    pub found: Vec<Range<usize>>,
}

/// The rows in sight, and where they hold what was searched for.
pub fn reader_lines<'a>(
    model: &Model,
    lines: impl Iterator<Item = &'a str>,
    find: &str,
) -> Vec<ReaderRow> {
    let (rows, cells) = (reader_rows(model), reader_cells(model));
    let mut shown = Vec::with_capacity(rows);
    for (below, line) in lines.take(rows).enumerate() {
        let line = escape(line);
        let broken = searched(&line, cells, find).into_iter();
        shown.extend(broken.map(|row| ReaderRow {
            below,
            text: row.text.to_owned(),
            found: row.found,
        }));
        if shown.len() >= rows {
            break;
        }
    }
    shown.truncate(rows);
    shown
}

fn service_rows(pane: Pane, model: &Model) -> usize {
    match pane {
        Pane::History | Pane::Pods => (body_rows(model) / 2).max(1),
    }
}

/// The offset at which line `at` is in sight when `offset` was shown last, with as little movement as can be.
pub fn scrolled(offset: usize, at: usize, rows: usize) -> usize {
    if at < offset {
        at
    } else {
        offset.max((at + 1).saturating_sub(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolls_no_more_than_needed() {
        for (offset, at, rows, want) in [
            (0, 3, 5, 0),
            (0, 5, 5, 1),
            (4, 2, 5, 2),
            (4, 8, 5, 4),
            (0, 0, 0, 1),
        ] {
            assert_eq!(scrolled(offset, at, rows), want);
        }
    }
}
