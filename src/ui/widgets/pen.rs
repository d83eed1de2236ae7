//! Writes pieces of text into cells. The one way onto the screen: everything is escaped and cut to its place here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::super::theme::{Role, Theme};
use crate::text;

/// Words and what they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub role: Role,
}

pub fn piece(text: impl Into<String>, role: Role) -> Piece {
    Piece {
        text: text.into(),
        role,
    }
}

/// An area of the screen and the theme to write in.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    pub area: Rect,
    pub theme: Theme,
    /// Everything written is old: it is dimmed.
    stale: bool,
}

impl<'a> Pen<'a> {
    pub fn new(buffer: &'a mut Buffer, area: Rect, theme: Theme) -> Self {
        let area = area.intersection(buffer.area);
        Self {
            buffer,
            area,
            theme,
            stale: false,
        }
    }

    /// The same pen on a part of its area, given from the area's corner.
    pub fn part(&mut self, x: u16, y: u16, width: u16, height: u16) -> Pen<'_> {
        let wanted = Rect::new(
            self.area.x.saturating_add(x),
            self.area.y.saturating_add(y),
            width,
            height,
        );
        Pen {
            area: wanted.intersection(self.area),
            buffer: self.buffer,
            theme: self.theme,
            stale: self.stale,
        }
    }

    pub fn width(&self) -> u16 {
        self.area.width
    }

    pub fn height(&self) -> u16 {
        self.area.height
    }

    pub fn stale(&mut self, stale: bool) {
        self.stale = stale;
    }

    pub fn style(&self, role: Role) -> Style {
        let style = self.theme.style(role);
        if self.stale {
            return style
                .remove_modifier(Modifier::BOLD)
                .add_modifier(Modifier::DIM);
        }
        style
    }

    /// Writes `words` at `x`, `y` of the area, in at most `cells` cells, with an ellipsis when it is cut. Gives the
    /// column after it.
    #[allow(
        clippy::too_many_arguments,
        reason = "a place, a width, words and a role are what writing is"
    )]
    pub fn put(&mut self, x: u16, y: u16, cells: u16, words: &str, role: Role) -> u16 {
        if y >= self.area.height || x >= self.area.width {
            return x;
        }
        let cells = cells.min(self.area.width - x);
        let shown = fit(words, cells);
        let style = self.style(role);
        let start = self.area.x + x;
        let (end, _) =
            self.buffer
                .set_stringn(start, self.area.y + y, shown, usize::from(cells), style);
        end - self.area.x
    }

    /// Writes a name of which the end tells most: it is cut at its left.
    #[allow(
        clippy::too_many_arguments,
        reason = "a place, a width, words and a role are what writing is"
    )]
    pub fn put_end(&mut self, x: u16, y: u16, cells: u16, words: &str, role: Role) -> u16 {
        let cells = cells.min(self.area.width.saturating_sub(x));
        let end = text::fit_end(&text::escape(words), usize::from(cells));
        self.put(x, y, cells, &end, role)
    }

    /// Writes a sentence, cut after a clause.
    #[allow(
        clippy::too_many_arguments,
        reason = "a place, a width, words and a role are what writing is"
    )]
    pub fn put_clause(&mut self, x: u16, y: u16, cells: u16, words: &str, role: Role) -> u16 {
        let cells = cells.min(self.area.width.saturating_sub(x));
        let clause = text::fit_clause(&text::escape(words), usize::from(cells));
        self.put(x, y, cells, &clause, role)
    }

    /// Writes as much of the line as there is room for.
    pub fn line(&mut self, x: u16, y: u16, words: &str, role: Role) -> u16 {
        self.put(x, y, self.area.width.saturating_sub(x), words, role)
    }

    pub fn pieces(&mut self, x: u16, y: u16, pieces: &[Piece]) -> u16 {
        pieces
            .iter()
            .fold(x, |x, piece| self.line(x, y, &piece.text, piece.role))
    }

    /// Writes so that the last cell is the area's last but `margin`.
    pub fn right(&mut self, y: u16, margin: u16, words: &str, role: Role) -> u16 {
        let cells = cells(words);
        let x = self.area.width.saturating_sub(cells + margin);
        self.put(x, y, cells, words, role);
        x
    }

    /// The column is drawn from the area's top to its bottom.
    pub fn column(&mut self, x: u16, sign: &str, role: Role) {
        for y in 0..self.area.height {
            self.put(x, y, 1, sign, role);
        }
    }

    /// The row is drawn over the area's width.
    pub fn row(&mut self, y: u16, sign: &str, role: Role) {
        for x in 0..self.area.width {
            self.put(x, y, 1, sign, role);
        }
    }

    /// Empties the area, for what lies over a screen.
    pub fn clear(&mut self) {
        for y in self.area.top()..self.area.bottom() {
            // A wide character that reaches into the area would paint over its edge.
            if self.area.x > 0 {
                let before = &mut self.buffer[(self.area.x - 1, y)];
                if text::width(before.symbol()) > 1 {
                    before.reset();
                }
            }
            for x in self.area.left()..self.area.right() {
                self.buffer[(x, y)].reset();
            }
        }
    }

    /// Marks cells that are there already.
    pub fn mark(&mut self, x: u16, y: u16, cells: u16, role: Role) {
        let style = self.style(role);
        let area = Rect::new(self.area.x + x, self.area.y + y, cells, 1);
        self.buffer.set_style(area.intersection(self.area), style);
    }
}

/// How many cells the words take once they are escaped.
pub fn cells(words: &str) -> u16 {
    u16::try_from(text::width(&text::escape(words))).unwrap_or(u16::MAX)
}

/// Escaped, and cut to so many cells.
fn fit(words: &str, cells: u16) -> String {
    text::fit(&text::escape(words), usize::from(cells))
}
