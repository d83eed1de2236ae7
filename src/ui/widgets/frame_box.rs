//! A box with a title on its edge, for what lies over a screen.

use ratatui::layout::Rect;

use super::super::theme::Role;
use super::pen::{Pen, cells};

/// What stands on the edge of a box.
#[derive(Default)]
pub struct Edge<'a> {
    pub title: &'a str,
    pub top_right: (&'a str, Option<Role>),
    pub bottom_left: &'a str,
    pub bottom_right: &'a str,
}

/// Draws the box over what is there and gives the pen for its inside, one cell away from the edge.
pub fn frame_box<'p>(pen: &'p mut Pen<'_>, area: Rect, edge: &Edge<'_>) -> Pen<'p> {
    let mut outer = pen.part(
        area.x.saturating_sub(pen.area.x),
        area.y.saturating_sub(pen.area.y),
        area.width,
        area.height,
    );
    outer.clear();
    let (width, height) = (outer.width(), outer.height());
    if width < 4 || height < 2 {
        return pen.part(0, 0, 0, 0);
    }
    for y in [0, height - 1] {
        outer.row(y, "─", Role::Dim);
    }
    for x in [0, width - 1] {
        outer.column(x, "│", Role::Dim);
    }
    for (x, y, corner) in [
        (0, 0, "┌"),
        (width - 1, 0, "┐"),
        (0, height - 1, "└"),
        (width - 1, height - 1, "┘"),
    ] {
        outer.put(x, y, 1, corner, Role::Dim);
    }
    let right_role = edge.top_right.1.unwrap_or(Role::Plain);
    let right = on_edge(&mut outer, 0, edge.top_right.0, right_role);
    if !edge.title.is_empty() {
        let room = right.saturating_sub(3);
        let title = format!(" {} ", edge.title);
        outer.put(1, 0, room, &title, Role::Strong);
    }
    let right = on_edge(&mut outer, height - 1, edge.bottom_right, Role::Plain);
    if !edge.bottom_left.is_empty() {
        let words = format!(" {} ", edge.bottom_left);
        outer.put(1, height - 1, right.saturating_sub(3), &words, Role::Plain);
    }
    pen.part(
        area.x.saturating_sub(pen.area.x) + 2,
        area.y.saturating_sub(pen.area.y) + 1,
        width - 4,
        height - 2,
    )
}

/// Words at the right end of an edge; gives the column where they begin.
fn on_edge(outer: &mut Pen<'_>, y: u16, words: &str, role: Role) -> u16 {
    let width = outer.width();
    if words.is_empty() || cells(words) + 6 > width {
        return width;
    }
    outer.right(y, 1, &format!(" {words} "), role)
}

/// A box of this size in the middle of an area, never larger than it.
pub fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 3,
        width,
        height,
    )
}
