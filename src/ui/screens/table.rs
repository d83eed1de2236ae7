//! Objects of one kind in the server's own columns.

use crate::app::Model;
use crate::app::layout;
use crate::app::table::{TableScreen, cell};
use crate::domain::known::State;
use crate::domain::table::MOST_ROWS;
use crate::text;

use super::super::theme::Role;
use super::super::widgets::input::input;
use super::super::widgets::pen::Pen;
use super::super::widgets::table::{Column, place, scroll_mark};
use super::nothing::wrapped;

/// A column is no use narrower than this, unless all in it is.
const LEAST: u16 = 8;

#[derive(Clone, Copy)]
enum Key {
    Namespace,
    Cell(usize),
}

pub fn table(pen: &mut Pen<'_>, model: &Model, screen: &TableScreen) {
    let (words, role) = state(model, screen);
    let title = screen
        .kind()
        .map_or_else(|| screen.name.clone(), crate::domain::ApiKind::word);
    let x = pen.line(1, 0, &title, Role::Strong);
    pen.line(x + 3, 0, &words, role);
    let rows = layout::table_rows(model);
    let foot = pen.height().saturating_sub(1);
    match (screen.table.value(), &screen.table.state) {
        (None, State::Failed { why, .. }) => {
            wrapped(pen, 1, 2, why, Role::Bad);
        }
        (None, _) => {}
        (Some(known), _) if known.rows.is_empty() && !screen.reading => {
            pen.line(1, 2, "there are none here", Role::Dim);
        }
        (Some(_), _) => drawn(pen, screen, rows),
    }
    if screen.filtering {
        input(pen, 1, foot, "/ ", &screen.filter);
    } else if !screen.filter.value().is_empty() {
        pen.line(1, foot, &format!("/ {}", screen.filter.value()), Role::Dim);
    }
}

/// How many rows there are, how old they are, and what is wrong with them.
fn state(model: &Model, screen: &TableScreen) -> (String, Role) {
    if screen.of.is_none() {
        return ("looking for a kind of this name …".into(), Role::Dim);
    }
    let Some((table, at)) = &screen.table.last else {
        return ("reading …".into(), Role::Dim);
    };
    let (all, shown) = (
        text::thousands(table.rows.len()),
        text::thousands(screen.shown.len()),
    );
    let count = if screen.shown.len() == table.rows.len() {
        all
    } else {
        format!("{shown} of {all}")
    };
    let age = text::age(*at, model.now);
    match (&screen.table.state, screen.beyond) {
        (State::Failed { why, .. }, _) => (
            format!("{count}, {age} old; reading again failed: {why}"),
            Role::Warn,
        ),
        _ if screen.reading => (format!("{count}, more are coming …"), Role::Moving),
        (_, Some(Some(more))) => {
            let more = text::thousands(usize::try_from(more).unwrap_or(usize::MAX));
            (
                format!("{count}: the first, {more} more are not kept; read {age} ago"),
                Role::Warn,
            )
        }
        (_, Some(None)) => (
            format!(
                "{count}: the first {}, there are more; read {age} ago",
                text::thousands(MOST_ROWS)
            ),
            Role::Warn,
        ),
        (_, None) => (format!("{count}, read {age} ago"), Role::Dim),
    }
}

fn drawn(pen: &mut Pen<'_>, screen: &TableScreen, rows: usize) {
    let Some(known) = screen.table.value() else {
        return;
    };
    let offset = screen.offset.min(screen.shown.len().saturating_sub(rows));
    let offset = layout::scrolled(offset, screen.at, rows);
    if let Some(mark) = scroll_mark(offset, rows, screen.shown.len()) {
        pen.right(0, 1, &mark, Role::Dim);
    }
    let column = |key, wants: u16, goes: u8| Column {
        key,
        title: "",
        least: wants.min(LEAST),
        wants,
        most: wants,
        goes,
    };
    let mut columns = Vec::new();
    if screen.with_namespace() {
        let names = known
            .rows
            .iter()
            .map(|row| text::width(&row.namespace))
            .max()
            .unwrap_or(0)
            .max(9);
        columns.push(column(
            Key::Namespace,
            u16::try_from(names).unwrap_or(u16::MAX),
            0,
        ));
    }
    // The name stays, and the columns to the right go first; the age is short and stays longer.
    columns.extend(screen.columns().map(|(at, one)| {
        let goes = match (at, &*one.title) {
            (0, _) => 0,
            (_, "Age") => 1,
            (at, _) => u8::try_from(at).unwrap_or(u8::MAX - 1).saturating_add(1),
        };
        column(
            Key::Cell(at),
            screen.widths.get(at).copied().unwrap_or(0),
            goes,
        )
    }));
    let placed = place(&columns, pen.width().saturating_sub(3));
    for column in &placed {
        let title = match column.key {
            Key::Namespace => "NAMESPACE".to_owned(),
            Key::Cell(at) => known.columns[at].title.to_uppercase(),
        };
        let sorted =
            matches!((column.key, screen.sort), (Key::Cell(at), Some((by, _))) if at == by);
        let role = if sorted { Role::Strong } else { Role::Dim };
        pen.put(column.x + 2, 1, column.width, &title, role);
    }
    for (y, (i, row)) in (2..).zip(screen.shown.iter().enumerate().skip(offset).take(rows)) {
        let Some(row) = known.rows.get(*row) else {
            continue;
        };
        let chosen = i == screen.at;
        if chosen {
            pen.put(0, y, 1, "❯", Role::Key);
        }
        let role = if chosen { Role::Strong } else { Role::Plain };
        for column in &placed {
            let words = match column.key {
                Key::Namespace => &row.namespace,
                Key::Cell(at) => cell(row, at),
            };
            pen.put(column.x + 2, y, column.width, words, role);
        }
    }
}
