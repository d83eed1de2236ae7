//! What the doctor found: one line a question, with what to do where something is amiss.

use crate::app::Model;
use crate::app::model::DoctorScreen;
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::pen::{Pen, Piece, cells, piece};
use super::super::widgets::table::scroll_mark;

pub fn doctor(pen: &mut Pen<'_>, model: &Model, screen: &DoctorScreen) {
    pen.line(1, 0, "DOCTOR", Role::Strong);
    let state = if screen.done {
        "all asked"
    } else {
        "asking …"
    };
    pen.line(10, 0, state, Role::Dim);
    let width = pen.width();
    let about = screen
        .findings
        .iter()
        .map(|f| cells(&f.about))
        .max()
        .unwrap_or(0)
        .min(24);
    let room = usize::from(width.saturating_sub(about + 16));
    let mut lines: Vec<[Piece; 3]> = Vec::new();
    for found in &screen.findings {
        let (word, role) = theme::finding(found.finding);
        let sentence = text::wrap(&found.sentence, room).into_iter();
        let hint = found.hint.iter().flat_map(|hint| text::wrap(hint, room));
        let told = sentence.map(|line| (line, Role::Plain));
        let told = told.chain(hint.map(|line| (line, Role::Dim)));
        for (i, (line, text_role)) in told.enumerate() {
            let (word, of) = if i == 0 {
                (word, &*found.about)
            } else {
                ("", "")
            };
            lines.push([
                piece(word, role),
                piece(of, Role::Strong),
                piece(line, text_role),
            ]);
        }
    }
    let log_file = format!("the log is in {}", model.settings.log_file);
    for line in std::iter::once(String::new()).chain(text::wrap(&log_file, room)) {
        lines.push(["", "", &line].map(|words| piece(words, Role::Dim)));
    }
    let rows = usize::from(pen.height().saturating_sub(1));
    let offset = screen.offset.min(lines.len().saturating_sub(rows));
    if let Some(mark) = scroll_mark(offset, rows, lines.len()) {
        pen.right(0, 1, &mark, Role::Dim);
    }
    for (y, line) in (1..).zip(lines.iter().skip(offset).take(rows)) {
        let [word, of, words] = line;
        pen.put(1, y, 11, &word.text, word.role);
        pen.put(13, y, about, &of.text, of.role);
        pen.line(15 + about, y, &words.text, words.role);
    }
}
