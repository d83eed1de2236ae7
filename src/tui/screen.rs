//! One write per frame: what is drawn is gathered and leaves in one piece, a large one between marks of an update.

use std::io::{self, Stdout, Write};

use crossterm::terminal;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect, Size};

use super::encoder::Encoder;
use super::scroll;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// A backend that says nothing twice, and little of the rest. What is drawn is gathered until `flush`, which writes
/// nothing when there is nothing.
pub struct Screen<W: Write> {
    out: W,
    frame: Vec<u8>,
    encoder: Encoder,
    /// What the terminal shows, as far as it was ever written to, and what it is to show.
    shown: Buffer,
    next: Buffer,
    /// What the terminal was told last; `None`: it has to be told.
    cursor_shown: Option<bool>,
    cursor: Option<Position>,
}

impl Screen<Stdout> {
    pub fn stdout() -> Self {
        Self::new(io::stdout())
    }
}

impl<W: Write> Screen<W> {
    pub fn new(out: W) -> Self {
        Self {
            out,
            frame: Vec::new(),
            encoder: Encoder::default(),
            shown: Buffer::default(),
            next: Buffer::default(),
            cursor_shown: None,
            cursor: None,
        }
    }

    /// Notes what is to be shown.
    fn take(&mut self, changes: &[(u16, u16, &Cell)]) {
        let width = changes.iter().map(|(x, _, cell)| x + cell.cell_width());
        let height = changes.iter().map(|(_, y, _)| y + 1);
        let area = Rect::new(0, 0, width.max().unwrap_or(0), height.max().unwrap_or(0));
        let area = area.union(self.shown.area);
        if area != self.shown.area {
            for buffer in [&mut self.shown, &mut self.next] {
                let mut larger = Buffer::empty(area);
                larger.merge(buffer);
                *buffer = larger;
            }
        }
        for (x, y, cell) in changes {
            // What a wide character leaves behind, terminals do not agree on: it is written anew.
            for former in *x..x + cell.cell_width() {
                for uncovered in former + 1..former + self.shown[(former, *y)].cell_width() {
                    self.shown[(uncovered, *y)] = Cell::new("");
                }
            }
            for covered in x + 1..x + cell.cell_width() {
                self.next[(covered, *y)] = Cell::EMPTY;
            }
            self.next[(*x, *y)].clone_from(cell);
        }
    }

    /// Somebody else used the terminal.
    pub fn forget(&mut self) {
        self.encoder = Encoder::default();
        (self.cursor_shown, self.cursor) = (None, None);
    }
}

impl<W: Write> Backend for Screen<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let before = self.frame.len();
        self.take(&content.collect::<Vec<_>>());
        if let Some(scroll) = scroll::find(&self.shown, &self.next) {
            self.encoder.scroll(scroll, &mut self.frame);
            scroll.apply(&mut self.shown);
        }
        self.encoder.frame(&self.shown, &self.next, &mut self.frame);
        self.shown.content.clone_from(&self.next.content);
        if self.frame.len() > before {
            self.cursor = None;
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown.replace(false) != Some(false) {
            self.frame.extend_from_slice(b"\x1b[?25l");
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown.replace(true) != Some(true) {
            self.frame.extend_from_slice(b"\x1b[?25h");
        }
        Ok(())
    }

    /// As told last: the terminal is never asked, because its answer would have to be waited for.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor.replace(position) != Some(position) {
            let (row, column) = (position.y + 1, position.x + 1);
            write!(self.frame, "\x1b[{row};{column}H")?;
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.frame.extend_from_slice(match region {
            ClearType::All => b"\x1b[m\x1b[2J",
            ClearType::AfterCursor => b"\x1b[m\x1b[J",
            ClearType::BeforeCursor => b"\x1b[m\x1b[1J",
            ClearType::CurrentLine => b"\x1b[m\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[m\x1b[K",
        });
        self.encoder = Encoder::default();
        (self.shown, self.next) = (Buffer::default(), Buffer::default());
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let pixels = terminal::window_size()?;
        Ok(WindowSize {
            columns_rows: Size::new(pixels.columns, pixels.rows),
            pixels: Size::new(pixels.width, pixels.height),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        self.frame.splice(..0, BEGIN.iter().copied());
        self.frame.extend_from_slice(END);
        let written = self.out.write_all(&self.frame);
        self.frame.clear();
        written?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};
    use ratatui::{Terminal, TerminalOptions, Viewport};
    use std::cell::RefCell;
    use std::num::NonZeroU16;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Writes(Rc<RefCell<Vec<Vec<u8>>>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_frame_is_one_write_and_nothing_new_is_none() {
        let writes = Writes::default();
        let options = TerminalOptions {
            viewport: Viewport::Fixed(Rect::new(0, 0, 20, 2)),
        };
        let mut terminal = Terminal::with_options(Screen::new(writes.clone()), options).unwrap();
        let mut draw = |text: &'static str| {
            terminal
                .draw(|frame| frame.render_widget(text, frame.area()))
                .unwrap();
            writes.0.borrow().len()
        };
        assert_eq!(draw("one"), 1);
        assert_eq!(draw("one"), 1);
        assert_eq!(draw("two"), 2);
        let writes = writes.0.borrow();
        assert_eq!(
            String::from_utf8_lossy(&writes[1]),
            "\x1b[?2026h\x1b[1;1Htwo\x1b[?2026l"
        );
    }

    const AREA: Rect = Rect::new(0, 0, 24, 8);

    /// A half of a row, cells before the words, the words, and their style.
    type Piece = (u16, u16, String, usize);
    const HALF: u16 = AREA.width / 2;

    /// So many rows further down; what leaves the screen is gone.
    fn moved(pieces: Vec<Piece>, down: i32) -> Vec<Piece> {
        let moved = pieces.into_iter().map(|(half, indent, words, style)| {
            let half = i32::from(half) + 2 * down;
            (
                u16::try_from(half).unwrap_or(u16::MAX),
                indent,
                words,
                style,
            )
        });
        moved.filter(|(half, ..)| *half < AREA.height * 2).collect()
    }

    fn picture(pieces: &[Piece]) -> Buffer {
        let styles = [
            Style::new(),
            Style::new().fg(Color::Blue),
            Style::new().fg(Color::LightRed).bold(),
            Style::new().dim(),
            Style::new().reversed().underlined(),
            Style::new().bg(Color::Green),
        ];
        let mut buffer = Buffer::empty(AREA);
        for (half, indent, words, style) in pieces {
            let (x, y) = (half % 2 * HALF, half / 2);
            for x in x..x + HALF {
                buffer[(x, y)].reset();
            }
            let room = usize::from(HALF - indent);
            buffer.set_stringn(x + indent, y, words, room, styles[*style]);
        }
        buffer
    }

    /// What a terminal makes of it, and what is meant, as text. How a blank would look if it were written does not
    /// matter.
    fn compare(terminal: &vt100::Screen, buffer: &Buffer) -> (Vec<String>, Vec<String>) {
        let visible = Modifier::REVERSED | Modifier::UNDERLINED;
        let (mut seen, mut meant) = (Vec::new(), Vec::new());
        for position in AREA.positions() {
            let (cell, wanted) = (terminal.cell(position.y, position.x), &buffer[position]);
            let cell = cell.unwrap();
            if cell.is_wide_continuation() {
                continue;
            }
            let (words, background) = (cell.contents(), cell.bgcolor());
            let words = if words.is_empty() { " " } else { words };
            let wanted_background = vt_color(wanted.bg);
            let (mut look, mut wanted_look) = (None, None);
            if wanted.symbol() != " " || wanted.modifier.intersects(visible) {
                let modifiers = [cell.bold(), cell.dim(), cell.inverse(), cell.underline()];
                look = Some((cell.fgcolor(), modifiers));
                let modifiers = [
                    Modifier::BOLD,
                    Modifier::DIM,
                    Modifier::REVERSED,
                    Modifier::UNDERLINED,
                ];
                let modifiers = modifiers.map(|modifier| wanted.modifier.contains(modifier));
                wanted_look = Some((vt_color(wanted.fg), modifiers));
            }
            seen.push(format!("{position} {words:?} {background:?} {look:?}"));
            let words = wanted.symbol();
            meant.push(format!(
                "{position} {words:?} {wanted_background:?} {wanted_look:?}"
            ));
        }
        (seen, meant)
    }

    fn vt_color(color: Color) -> vt100::Color {
        match color {
            Color::Blue => vt100::Color::Idx(4),
            Color::Green => vt100::Color::Idx(2),
            Color::LightRed => vt100::Color::Idx(9),
            _ => vt100::Color::Default,
        }
    }

    fn pieces() -> impl Strategy<Value = Vec<Piece>> {
        let piece = (
            0..AREA.height * 2,
            0..HALF,
            "[ab █é日]{0,12}| {0,12}",
            0..6_usize,
        );
        prop::collection::vec(piece, 0..8)
    }

    proptest! {
        #[test]
        fn a_terminal_shows_what_is_meant(
            frames in prop::collection::vec((-5..5_i32, pieces()), 1..6)
        ) {
            let size = |cells| NonZeroU16::new(cells).unwrap();
            let mut terminal = vt100::Parser::new(size(AREA.height), size(AREA.width), 0);
            let writes = Writes::default();
            let mut screen = Screen::new(writes.clone());
            let (mut shown, mut all) = (Buffer::empty(AREA), Vec::new());
            for (down, pieces) in frames {
                all = moved(all, down);
                all.extend(pieces);
                let next = picture(&all);
                screen.draw(shown.diff_iter(&next)).unwrap();
                Backend::flush(&mut screen).unwrap();
                for write in writes.0.borrow_mut().drain(..) {
                    terminal.process(&write);
                }
                let (seen, meant) = compare(terminal.screen(), &next);
                prop_assert_eq!(seen, meant);
                shown = next;
            }
        }
    }
}
