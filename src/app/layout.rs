//! Where things are on the screen: shared by update (paging) and view.

use super::model::{Board, Model, Pane, Screen};

/// Lines of the header and of the keys.
const FRAME: usize = 2;

/// Lines that one page moves on the screen that has the keys.
pub fn page(model: &Model) -> usize {
    let rows = match model.screens.last() {
        None => board_rows(&model.board, model.height),
        Some(Screen::Service(service)) => service_rows(service.pane, model.height),
        Some(Screen::Logs(_) | Screen::Text(_)) => reader_rows(model.height),
        Some(Screen::Doctor(_)) => body_rows(model.height),
    };
    rows.saturating_sub(1).max(1)
}

/// Between the header and the keys.
pub fn body_rows(height: u16) -> usize {
    usize::from(height).saturating_sub(FRAME)
}

/// Under the titles of the columns, above the line of the filter when there is one.
pub fn board_rows(board: &Board, height: u16) -> usize {
    let filter = board.filtering || !board.filter.value().is_empty() || board.only_trouble;
    body_rows(height)
        .saturating_sub(1 + usize::from(filter))
        .max(1)
}

/// Logs and text: a title above, a line for the search below.
pub fn reader_rows(height: u16) -> usize {
    body_rows(height).saturating_sub(2).max(1)
}

fn service_rows(pane: Pane, height: u16) -> usize {
    match pane {
        Pane::History | Pane::Pods => (body_rows(height) / 2).max(1),
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
