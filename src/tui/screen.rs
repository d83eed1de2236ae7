//! One write per frame: what is drawn is gathered and leaves in one piece, between synchronized-update marks.

use std::io::{self, Stdout, Write};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Gathers bytes until `flush`, which writes nothing when there are none.
pub struct Frame<W> {
    bytes: Vec<u8>,
    out: W,
}

impl<W: Write> Write for Frame<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let frame = [BEGIN, &self.bytes, END].concat();
        self.bytes.clear();
        self.out.write_all(&frame)?;
        self.out.flush()
    }
}

/// A backend that says nothing twice: ratatui hides the cursor and resets colours in every frame, changed or not.
pub struct Screen<W: Write> {
    inner: CrosstermBackend<Frame<W>>,
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
        let frame = Frame {
            bytes: Vec::new(),
            out,
        };
        Self {
            inner: CrosstermBackend::new(frame),
            cursor_shown: None,
            cursor: None,
        }
    }

    /// Somebody else used the terminal.
    pub fn forget(&mut self) {
        (self.cursor_shown, self.cursor) = (None, None);
    }
}

impl<W: Write> Backend for Screen<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.cursor = None;
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown.replace(false) == Some(false) {
            return Ok(());
        }
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown.replace(true) == Some(true) {
            return Ok(());
        }
        self.inner.show_cursor()
    }

    /// As told last: the terminal is never asked, because its answer would have to be waited for.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor.replace(position) == Some(position) {
            return Ok(());
        }
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.inner.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::{Terminal, TerminalOptions, Viewport};
    use std::cell::RefCell;
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
        for frame in writes.iter() {
            assert!(frame.starts_with(BEGIN) && frame.ends_with(END));
        }
        assert!(String::from_utf8_lossy(&writes[1]).contains("two"));
    }
}
