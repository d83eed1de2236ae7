//! What goes over the line: little when nothing changes, and one bounded write for the first picture.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use ratatui::Terminal;
use ratatui::TerminalOptions;
use ratatui::Viewport;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use rolldeck::app::{Event, Model, settle, update};

use super::night::{model, night, now};

/// Counts what would go to the terminal.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The marks of a synchronized update that go around every frame: `ESC [ ? 2026 h` and `l`.
const MARKS: usize = 16;

fn terminal(counter: &Counter, model: &Model) -> Terminal<CrosstermBackend<Counter>> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, model.width, model.height));
    Terminal::with_options(
        CrosstermBackend::new(counter.clone()),
        TerminalOptions { viewport },
    )
    .unwrap()
}

/// Draws as the loop does, and gives the bytes it took.
fn paint(
    terminal: &mut Terminal<CrosstermBackend<Counter>>,
    counter: &Counter,
    model: &mut Model,
) -> usize {
    settle(model);
    if !model.dirty {
        return 0;
    }
    let before = counter.0.load(Ordering::Relaxed);
    terminal
        .draw(|frame| rolldeck::ui::view(model, frame))
        .unwrap();
    model.dirty = false;
    counter.0.load(Ordering::Relaxed) - before + MARKS
}

#[test]
fn ten_minutes_without_news_cost_at_most_12_kb() {
    let counter = Counter::default();
    let mut model = model(&night(), 120, 40);
    let mut terminal = terminal(&counter, &model);
    paint(&mut terminal, &counter, &mut model);
    let mut bytes = 0;
    for second in 1..=600 {
        update(
            &mut model,
            Event::Ticked(now() + SignedDuration::from_secs(second)),
        );
        bytes += paint(&mut terminal, &counter, &mut model);
    }
    assert!(bytes > 0, "ages do move");
    assert!(bytes <= 12_000, "{bytes} bytes");
}

#[test]
fn the_first_picture_at_200x50_takes_less_than_18_kb() {
    let counter = Counter::default();
    let mut model = model(&night(), 200, 50);
    let mut terminal = terminal(&counter, &model);
    let bytes = paint(&mut terminal, &counter, &mut model);
    assert!((1..18_000).contains(&bytes), "{bytes} bytes");
}
