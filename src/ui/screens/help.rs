//! Every key and what it does, from the registry.

use ratatui::layout::Rect;

use crate::app::words::Section;
use crate::text;

use super::super::theme::Role;
use super::super::widgets::frame_box::{Edge, centered, frame_box};
use super::super::widgets::pen::{Pen, cells};
use super::super::widgets::table::scroll_mark;

pub fn help(pen: &mut Pen<'_>, sections: &[Section], offset: usize) {
    let Page {
        lines,
        key_cells,
        columns,
        each,
        width,
    } = page(pen.area, sections);
    let height = u16::try_from(lines.len().div_ceil(usize::from(columns)) + 2).unwrap_or(u16::MAX);
    let area = centered(pen.area, width, height);
    let rows = usize::from(area.height.saturating_sub(2));
    let page = rows * usize::from(columns);
    let offset = offset.min(lines.len().saturating_sub(page));
    let mark = scroll_mark(offset, page, lines.len());
    let edge = Edge {
        title: "KEYS",
        bottom_left: mark.as_deref().unwrap_or(""),
        bottom_right: "esc closes",
        ..Edge::default()
    };
    let mut inside = frame_box(pen, area, &edge);
    for (i, (keys, what, role)) in lines.iter().skip(offset).take(page).enumerate() {
        let (Ok(column), Ok(y)) = (
            u16::try_from(i / rows.max(1)),
            u16::try_from(i % rows.max(1)),
        ) else {
            break;
        };
        let mut column = inside.part(column * each, 0, each.saturating_sub(1), area.height);
        if *role == Role::Strong {
            column.line(0, y, what, Role::Strong);
        } else {
            column.put(1, y, key_cells, keys, Role::Key);
            column.line(key_cells + 3, y, what, Role::Plain);
        }
    }
}

/// How far its keys scroll it when it is drawn over `area`.
pub fn furthest(area: Rect, sections: &[Section]) -> usize {
    let page = page(area, sections);
    let rows = usize::from(area.height.saturating_sub(2));
    page.lines
        .len()
        .saturating_sub(rows * usize::from(page.columns))
}

/// All that is said, a line each, and the columns that it is said in.
struct Page<'a> {
    /// Keys, what they do, and how a title stands out.
    lines: Vec<(&'a str, String, Role)>,
    key_cells: u16,
    columns: u16,
    /// Cells of one column.
    each: u16,
    width: u16,
}

fn page(area: Rect, sections: &[Section]) -> Page<'_> {
    let key_cells = sections
        .iter()
        .flat_map(|s| &s.keys)
        .map(|(keys, _)| cells(keys))
        .max()
        .unwrap_or(0)
        .min(24);
    let columns: u16 = if area.width >= 110 { 2 } else { 1 };
    let width = area.width.saturating_sub(4).min(84 * columns);
    let each = width.saturating_sub(4) / columns;
    let room = usize::from(each.saturating_sub(key_cells + 4));
    let mut lines: Vec<(&str, String, Role)> = Vec::new();
    for section in sections.iter().filter(|section| !section.keys.is_empty()) {
        if !lines.is_empty() {
            lines.push(("", String::new(), Role::Plain));
        }
        lines.push(("", section.title.to_owned(), Role::Strong));
        for (keys, what) in &section.keys {
            let names = std::iter::once(keys.as_str()).chain(std::iter::repeat(""));
            let told = names.zip(text::wrap(what, room));
            lines.extend(told.map(|(keys, what)| (keys, what, Role::Plain)));
        }
    }
    Page {
        lines,
        key_cells,
        columns,
        each,
        width,
    }
}
