//! What the doctor found: one line a question, with what to do where something is amiss.

use crate::app::Model;
use crate::app::model::DoctorScreen;

use super::super::theme::{self, Role};
use super::super::widgets::pen::{Pen, Piece, cells, piece};
use super::super::widgets::table::scroll_mark;
use super::nothing::wrap;

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
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    for found in &screen.findings {
        let (word, role) = theme::finding(found.finding);
        let indent = 13 + about + 2;
        let texts = std::iter::once((&found.sentence, Role::Plain));
        let texts = texts.chain(found.hint.iter().map(|hint| (hint, Role::Dim)));
        for (text, text_role) in texts {
            for part in wrap(text, width.saturating_sub(indent + 1)) {
                lines.push(vec![
                    piece("", role),
                    piece("", Role::Strong),
                    piece(part, text_role),
                ]);
            }
        }
        let first = lines.len() - count(found, width.saturating_sub(indent + 1));
        word.clone_into(&mut lines[first][0].text);
        lines[first][1].text.clone_from(&found.about);
    }
    lines.push(Vec::new());
    lines.push(vec![
        piece("", Role::Dim),
        piece("", Role::Dim),
        piece(
            format!("the log is in {}", model.settings.log_file),
            Role::Dim,
        ),
    ]);
    let rows = usize::from(pen.height().saturating_sub(1));
    let offset = screen.offset.min(lines.len().saturating_sub(rows));
    if let Some(mark) = scroll_mark(offset, rows, lines.len()) {
        pen.right(0, 1, &mark, Role::Dim);
    }
    for (y, line) in (1..).zip(lines.iter().skip(offset).take(rows)) {
        let [word, of, words] = line.as_slice() else {
            continue;
        };
        pen.put(1, y, 11, &word.text, word.role);
        pen.put(13, y, about, &of.text, of.role);
        pen.line(15 + about, y, &words.text, words.role);
    }
}

/// How many lines a finding takes.
fn count(found: &crate::app::event::Diagnosis, width: u16) -> usize {
    let texts = std::iter::once(&found.sentence).chain(&found.hint);
    texts.map(|text| wrap(text, width).len()).sum()
}
