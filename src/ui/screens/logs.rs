//! The log of one container, following its end or standing still.

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::LogScreen;
use crate::app::words;
use crate::text;

use super::super::theme::Role;
use super::super::widgets::input::input;
use super::super::widgets::pen::Pen;
use super::text::found_line;

pub fn logs(pen: &mut Pen<'_>, model: &Model, screen: &LogScreen) {
    let mut x = pen.line(
        1,
        0,
        if screen.previous {
            "PREVIOUS LOG  "
        } else {
            "LOG  "
        },
        Role::Strong,
    );
    x = pen.line(x, 0, &screen.pod, Role::Plain);
    if let Some(container) = &screen.container {
        x = pen.line(x, 0, &format!(" / {container}"), Role::Plain);
    }
    let foot = pen.height().saturating_sub(1);
    let lines = screen.lines.iter().map(String::as_str);
    let total = screen.lines.len();
    let last = layout::last_top(model, lines.clone());
    let from = screen.at.map_or(last, |at| at.min(last));
    let place = match (screen.at, &screen.ended) {
        (None, None) => "following".to_owned(),
        (None, Some(_)) if total == 1 => "1 line".to_owned(),
        (None, Some(_)) => format!("{} lines", text::thousands(total)),
        (Some(_), _) => format!(
            "line {} of {}, {} follows",
            text::thousands(from + 1),
            text::thousands(total),
            words::key(model, Intent::FollowLogs)
        ),
    };
    pen.line(x + 3, 0, &place, Role::Dim);
    if screen.dropped > 0 {
        let words = format!("{} older lines let go", text::thousands(screen.dropped));
        pen.right(0, 1, &words, Role::Warn);
    }
    if total == 0 && screen.ended.is_none() {
        pen.line(1, 2, "waiting for the first line …", Role::Dim);
    }
    let find = screen.search.field.value();
    let shown = layout::reader_lines(model, lines.skip(from));
    for (y, (_, row)) in (1..).zip(&shown) {
        found_line(pen, y, (row, Role::Plain), find);
    }
    if screen.search.open {
        input(pen, 1, foot, "/ ", &screen.search.field);
    } else if let Some(ended) = &screen.ended {
        let words = match ended {
            Some(why) => format!("the log ended: {why}"),
            None => "the log ended".to_owned(),
        };
        pen.line(1, foot, &words, Role::Warn);
    } else if !find.is_empty() {
        pen.line(1, foot, &format!("/ {find}"), Role::Dim);
    }
}
