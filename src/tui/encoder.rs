//! Changed cells as escape sequences: few bytes, and only such as every terminal understands.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use super::scroll::Scroll;

/// So many blanks in a row are erased by one sequence, which is shorter.
const MANY_BLANKS: u16 = 8;
/// So many cells that stay are written again when they look like their neighbours, which is shorter than a move; and
/// so many where a move would have to name the column.
const FEW_CELLS: u16 = 3;
const FEW_CELLS_DRIFTED: u16 = 5;

/// What shows also where nothing is written.
const VISIBLE_ON_BLANKS: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK)
    .union(Modifier::CROSSED_OUT);

/// Each with the numbers that switch it on and off. What shares an end goes off together.
const MODIFIERS: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// Writes cells, and remembers what the terminal was told.
#[derive(Debug, Default)]
pub struct Encoder {
    /// Where the next character goes.
    at: Option<Position>,
    /// Terminals may not agree in which column that is.
    drifted: bool,
    /// How the next character will look; `None`: nobody knows.
    style: Option<Style>,
    /// So many cells from `at` on are to be empty, which is not told yet.
    blanks: u16,
}

impl Encoder {
    /// Leads from one picture to the next. Wherever the cursor has got to meanwhile, it goes to the first cell.
    pub fn frame(&mut self, shown: &Buffer, next: &Buffer, out: &mut Vec<u8>) {
        self.at = None;
        for (x, y, cell) in shown.diff_iter(next) {
            let to = Position { x, y };
            if self.end_of_blanks() != Some(to) {
                self.get_over(to, next, out);
            }
            self.cell(to, cell, out);
        }
        self.tell_blanks(None, out);
    }

    /// Moves lines, all of which have a plain background.
    pub fn scroll(&mut self, scroll: Scroll, out: &mut Vec<u8>) {
        self.at = None;
        if !self.style.is_some_and(Style::is_empty_on_blanks) {
            self.dress(Style::PLAIN, out);
        }
        out.extend_from_slice(scroll.sequence().as_bytes());
    }

    /// Gets over cells that stay: as a part of blanks around them, or if they are few by writing them again.
    fn get_over(&mut self, to: Position, next: &Buffer, out: &mut Vec<u8>) {
        let Some(at) = self.end_of_blanks().filter(|at| at.y == to.y) else {
            return self.tell_blanks(Some(to), out);
        };
        let gap = || (at.x..to.x).map(|x| &next[(x, to.y)]);
        if self.blanks > 0 && gap().chain([&next[to]]).all(|cell| self.is_blank(cell)) {
            self.blanks += to.x - at.x;
            return;
        }
        self.tell_blanks(Some(to), out);
        let few = if self.drifted {
            FEW_CELLS_DRIFTED
        } else {
            FEW_CELLS
        };
        if self.at != Some(at) || to.x - at.x > few {
            return;
        }
        let fits = |cell: &Cell| {
            let alike = self.style == Some(Style::of(cell));
            cell.symbol().is_ascii() && (alike || self.is_blank(cell))
        };
        if gap().all(fits) {
            gap().for_each(|cell| out.extend_from_slice(cell.symbol().as_bytes()));
            self.at = Some(to);
        }
    }

    /// Whether a space of the style in force looks like it.
    fn is_blank(&self, cell: &Cell) -> bool {
        cell.symbol() == " "
            && Style::of(cell).is_empty_on_blanks()
            && self.style.is_some_and(Style::is_empty_on_blanks)
    }

    fn cell(&mut self, to: Position, cell: &Cell, out: &mut Vec<u8>) {
        let style = Style::of(cell);
        let blank = cell.symbol() == " " && style.is_empty_on_blanks();
        if self.blanks > 0 && !blank {
            self.tell_blanks(Some(to), out);
        }
        if self.blanks == 0 {
            self.go(to, out);
        }
        if blank {
            if !self.style.is_some_and(Style::is_empty_on_blanks) {
                self.dress(style, out);
            }
            self.blanks += 1;
            return;
        }
        self.dress(style, out);
        out.extend_from_slice(cell.symbol().as_bytes());
        // After a wide character the column is given again: it is not wide everywhere.
        let taken = u16::from(cell.cell_width() == 1);
        self.at = Some(Position::new(to.x + taken, to.y));
        self.drifted |= !cell.symbol().is_ascii();
    }

    fn end_of_blanks(&self) -> Option<Position> {
        self.at.map(|at| Position::new(at.x + self.blanks, at.y))
    }

    /// `next` is where writing goes on.
    fn tell_blanks(&mut self, next: Option<Position>, out: &mut Vec<u8>) {
        let end = self.end_of_blanks();
        let count = std::mem::take(&mut self.blanks);
        let worth = if next == end {
            2 * MANY_BLANKS
        } else {
            MANY_BLANKS
        };
        if count >= worth {
            let _ = write!(out, "\x1b[{count}X");
        } else {
            out.resize(out.len() + usize::from(count), b' ');
            self.at = end;
        }
    }

    fn go(&mut self, to: Position, out: &mut Vec<u8>) {
        let (row, column) = (to.y + 1, to.x + 1);
        let _ = match self.at {
            Some(at) if at == to => return,
            Some(at) if at.y == to.y && at.x < to.x && !self.drifted => match to.x - at.x {
                1 => write!(out, "\x1b[C"),
                right => write!(out, "\x1b[{right}C"),
            },
            Some(at) if at.y == to.y => write!(out, "\x1b[{column}G"),
            Some(_) | None => write!(out, "\x1b[{row};{column}H"),
        };
        (self.at, self.drifted) = (Some(to), false);
    }

    fn dress(&mut self, style: Style, out: &mut Vec<u8>) {
        let former = self.style.replace(style);
        if former == Some(style) {
            return;
        }
        let anew = style.after_reset();
        let told = match former.map(|former| style.after(former)) {
            Some(change) if change.len() <= anew.len() => change,
            Some(_) | None => anew,
        };
        let _ = write!(out, "\x1b[{told}m");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Style {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Style {
    const PLAIN: Self = Self {
        fg: Color::Reset,
        bg: Color::Reset,
        modifier: Modifier::empty(),
    };

    fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }

    fn is_empty_on_blanks(self) -> bool {
        self.bg == Color::Reset && !self.modifier.intersects(VISIBLE_ON_BLANKS)
    }

    /// The numbers that lead here from anywhere: all others are switched off by the way.
    fn after_reset(self) -> String {
        match self.after(Self::PLAIN) {
            change if change.is_empty() => change,
            change => format!("0;{change}"),
        }
    }

    /// The numbers that lead here from `former`; none when it is the same.
    fn after(self, former: Self) -> String {
        let gone = former.modifier - self.modifier;
        let mut ended: Vec<u8> = MODIFIERS
            .iter()
            .filter(|(modifier, ..)| gone.contains(*modifier))
            .map(|(.., off)| *off)
            .collect();
        ended.dedup();
        let begun = MODIFIERS.iter().filter(|(modifier, _, off)| {
            let stays = former.modifier.contains(*modifier) && !ended.contains(off);
            self.modifier.contains(*modifier) && !stays
        });
        let mut numbers: Vec<String> = ended.iter().map(u8::to_string).collect();
        numbers.extend(begun.map(|(_, on, _)| on.to_string()));
        if self.fg != former.fg {
            numbers.push(color(self.fg, 30));
        }
        if self.bg != former.bg {
            numbers.push(color(self.bg, 40));
        }
        numbers.join(";")
    }
}

/// `base` is 30 for what is written and 40 for what is behind it.
fn color(color: Color, base: u8) -> String {
    let bright = base + 60;
    let number = match color {
        Color::Reset => base + 9,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => bright,
        Color::LightRed => bright + 1,
        Color::LightGreen => bright + 2,
        Color::LightYellow => bright + 3,
        Color::LightBlue => bright + 4,
        Color::LightMagenta => bright + 5,
        Color::LightCyan => bright + 6,
        Color::White => bright + 7,
        Color::Indexed(index) => return format!("{};5;{index}", base + 8),
        Color::Rgb(red, green, blue) => return format!("{};2;{red};{green};{blue}", base + 8),
    };
    number.to_string()
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    const AREA: Rect = Rect::new(0, 0, 24, 4);

    fn encoded(encoder: &mut Encoder, shown: &Buffer, next: &Buffer) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.frame(shown, next, &mut out);
        out
    }

    fn row(words: &str) -> Buffer {
        let mut buffer = Buffer::empty(AREA);
        buffer.set_string(0, 0, words, ratatui::style::Style::new());
        buffer
    }

    #[test]
    fn few_bytes_for_small_changes() {
        for (before, after, want) in [
            ("web  2/3 rolling", "web  3/3 rolling", "\x1b[1;6H3"),
            ("a b c", "x b y", "\x1b[1;1Hx b y"),
            ("a long c", "x long y", "\x1b[1;1Hx\x1b[6Cy"),
            ("█░░ of 9 1", "██░ of 9 2", "\x1b[1;2H█\x1b[10G2"),
            ("日本 1", "本日 2", "\x1b[1;1H本\x1b[3G日\x1b[6G2"),
            ("1 for a reason", "2", "\x1b[1;1H2 \x1b[12X"),
            (
                "1 for a reason 7",
                "2              8",
                "\x1b[1;1H2 \x1b[12X\x1b[13C8",
            ),
        ] {
            let mut encoder = Encoder {
                style: Some(Style::PLAIN),
                ..Encoder::default()
            };
            let bytes = encoded(&mut encoder, &row(before), &row(after));
            assert_eq!(String::from_utf8(bytes).unwrap(), want, "{after}");
        }
    }

    #[test]
    fn a_style_is_told_by_the_shorter_way() {
        let style = |fg, modifier| Style {
            fg,
            bg: Color::Reset,
            modifier,
        };
        let plain = style(Color::Reset, Modifier::empty());
        let red = style(Color::Red, Modifier::BOLD);
        let dim = style(Color::Reset, Modifier::DIM);
        let blue = style(Color::Blue, Modifier::empty());
        let mut encoder = Encoder::default();
        for (style, want) in [
            (plain, "\x1b[m"),
            (plain, ""),
            (red, "\x1b[1;31m"),
            (plain, "\x1b[m"),
            (blue, "\x1b[34m"),
            (
                style(Color::Indexed(7), Modifier::REVERSED),
                "\x1b[7;38;5;7m",
            ),
            (dim, "\x1b[0;2m"),
            (
                style(Color::Reset, Modifier::DIM | Modifier::BOLD),
                "\x1b[1m",
            ),
            (dim, "\x1b[0;2m"),
        ] {
            let mut out = Vec::new();
            encoder.dress(style, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want, "{style:?}");
        }
    }
}
