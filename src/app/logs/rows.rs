//! A log as rows of the screen: what stands before each line, and how long lines are broken.

use std::borrow::Cow;
use std::ops::Range;

use super::LogScreen;
use crate::app::layout;
use crate::app::model::Model;
use crate::domain::LogLine;
use crate::text::{escape, searched, width};

/// The longest tag of a pod that is written whole.
const TAG: usize = 16;
/// Cells that are left for the text on the narrowest screen.
const NARROW: usize = 20;

/// What stands before each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// `03:04:12.123`.
    pub times: bool,
    /// `new` or `old`.
    pub revisions: bool,
    /// Cells of the longest tag; 0: one log alone needs none.
    pub tags: usize,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    pub line: &'a LogLine,
    /// The line begins here.
    pub first: bool,
    /// Escaped.
    pub text: String,
    /// Where it holds what was searched for, in bytes.
    pub found: Vec<Range<usize>>,
}

impl Prefix {
    /// Each part with the space after it.
    pub fn cells(self) -> usize {
        let tags = match self.tags {
            0 => 0,
            cells => cells + 2,
        };
        13 * usize::from(self.times) + 4 * usize::from(self.revisions) + tags
    }
}

impl LogScreen {
    pub fn prefix(&self) -> Prefix {
        let several = self.sources.several();
        let tags = self.sources.iter().map(|(_, s)| width(&escape(&s.tag)));
        Prefix {
            times: self.times,
            revisions: self.sources.revisions_differ(),
            tags: tags.filter(|_| several).max().unwrap_or(0).min(TAG),
        }
    }

    /// The place of the line at the top when the last one is in sight.
    pub fn last_top(&self, model: &Model) -> usize {
        let lines = self.kept.lines().map(text);
        layout::last_top_of(layout::reader_rows(model), self.cells(model), lines)
    }

    /// The rows in sight when the line at this place is the first.
    pub fn rows(&self, model: &Model, from: usize) -> Vec<Row<'_>> {
        let (rows, cells) = (layout::reader_rows(model), self.cells(model));
        let find = self.search.field.value();
        let mut shown = Vec::with_capacity(rows);
        for line in self.kept.lines().skip(from).take(rows) {
            let text = text(line);
            let text = escape(&text);
            let broken = searched(&text, cells, find).into_iter().enumerate();
            shown.extend(broken.map(|(at, row)| Row {
                line,
                first: at == 0,
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

    fn cells(&self, model: &Model) -> usize {
        if !self.wrap {
            return usize::MAX;
        }
        let cells = layout::reader_cells(model).saturating_sub(self.prefix().cells());
        cells.max(NARROW)
    }
}

/// With a sign before what we say ourselves.
fn text(line: &LogLine) -> Cow<'_, str> {
    if line.note {
        Cow::Owned(format!("-- {}", line.text))
    } else {
        Cow::Borrowed(&line.text)
    }
}
