//! A one-line text field with its label.

use super::super::theme::Role;
use super::pen::Pen;
use crate::app::field::Field;
use crate::text;

/// Draws `label value_` and gives the column after it. The cursor is a mark of its own, so that it shows without
/// colour and costs no terminal cursor; the end of a long value stays in sight.
pub fn input(pen: &mut Pen<'_>, x: u16, y: u16, label: &str, field: &Field) -> u16 {
    let x = pen.line(x, y, label, Role::Dim);
    let room = usize::from(pen.width().saturating_sub(x + 1));
    let value = field.value();
    let mut start = 0;
    while text::width(&text::escape(&value[start..])) > room {
        let Some(first) = value[start..].chars().next() else {
            break;
        };
        start += first.len_utf8();
    }
    let end = pen.line(x, y, &value[start..], Role::Strong);
    let before = value
        .char_indices()
        .nth(field.0.cursor())
        .map_or(value.len(), |(at, _)| at);
    if before >= value.len() {
        return pen.put(end, y, 1, "_", Role::Found);
    }
    let ahead = text::width(&text::escape(&value[start.min(before)..before]));
    let ahead = u16::try_from(ahead).unwrap_or(0);
    pen.mark(x.saturating_add(ahead), y, 1, Role::Found);
    end
}
