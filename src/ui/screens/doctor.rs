//! What the doctor found: one line a question, with what to do where something is amiss.

use crate::app::Model;
use crate::app::model::DoctorScreen;
use crate::app::update::doctor::{Line, LineKind, about_width, lines};
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::pen::Pen;
use super::super::widgets::table::scroll_mark;

pub fn doctor(pen: &mut Pen<'_>, model: &Model, screen: &DoctorScreen) {
    pen.line(1, 0, "DOCTOR", Role::Strong);
    let state = if screen.done {
        "all asked"
    } else {
        "asking …"
    };
    pen.line(10, 0, state, Role::Dim);
    let about = about_width(screen);
    let room = usize::from(pen.width().saturating_sub(about + 16));
    let log_file = format!("the log is in {}", model.settings.log_file);
    let foot = std::iter::once(String::new()).chain(text::wrap(&log_file, room));
    let mut lines = lines(screen, pen.width());
    lines.extend(foot.map(|words| Line {
        head: None,
        words,
        kind: LineKind::Hint,
    }));
    let rows = usize::from(pen.height().saturating_sub(1));
    let offset = screen.offset.min(lines.len().saturating_sub(rows));
    if let Some(mark) = scroll_mark(offset, rows, lines.len()) {
        pen.right(0, 1, &mark, Role::Dim);
    }
    for (y, line) in (1..).zip(lines.iter().skip(offset).take(rows)) {
        if let Some((finding, of)) = line.head {
            let (word, role) = theme::finding(finding);
            pen.put(1, y, 11, word, role);
            pen.put(13, y, about, of, Role::Strong);
        }
        let (x, role) = match line.kind {
            LineKind::Sentence => (15 + about, Role::Plain),
            LineKind::Hint => (15 + about, Role::Dim),
            LineKind::Script => (0, Role::Plain),
        };
        pen.line(x, y, &line.words, role);
    }
}
