//! What goes over the line: little when nothing changes, and one bounded write for the first picture.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use ratatui::Terminal;
use ratatui::TerminalOptions;
use ratatui::Viewport;
use ratatui::layout::Rect;
use rolldeck::app::{Event, Model, settle, update};
use rolldeck::tui::screen::Screen;

use super::night::{model, night, now, press};

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

type Painter = Terminal<Screen<Counter>>;

fn terminal(counter: &Counter, model: &Model) -> Painter {
    let viewport = Viewport::Fixed(Rect::new(0, 0, model.width, model.height));
    Terminal::with_options(Screen::new(counter.clone()), TerminalOptions { viewport }).unwrap()
}

/// Draws as the loop does, and gives the bytes it took.
fn paint(terminal: &mut Painter, counter: &Counter, model: &mut Model) -> usize {
    settle(model);
    if !model.dirty {
        return 0;
    }
    let before = counter.0.load(Ordering::Relaxed);
    terminal
        .draw(|frame| rolldeck::ui::view(model, frame))
        .unwrap();
    model.dirty = false;
    counter.0.load(Ordering::Relaxed) - before
}

/// What ten minutes cost in which nothing but time goes on.
fn ten_minutes(mut model: Model) -> usize {
    let counter = Counter::default();
    let mut terminal = terminal(&counter, &model);
    paint(&mut terminal, &counter, &mut model);
    let mut bytes = 0;
    for second in 1..=600 {
        let at = now() + SignedDuration::from_secs(second);
        update(&mut model, Event::Ticked(at));
        bytes += paint(&mut terminal, &counter, &mut model);
    }
    bytes
}

#[test]
fn ten_minutes_without_news_cost_at_most_12_kb() {
    let bytes = ten_minutes(model(&night(), 120, 40));
    assert!(bytes > 0, "ages do move");
    assert!(bytes <= 12_000, "{bytes} bytes");
}

#[test]
fn ten_minutes_on_a_steady_service_cost_at_most_2_kb() {
    let steady: Vec<_> = night()
        .into_iter()
        .filter(|service| &*service.workload.id.name == "auth")
        .collect();
    let mut model = model(&steady, 120, 40);
    press(&mut model, &["enter"]);
    assert_eq!(model.screens.len(), 1);
    let bytes = ten_minutes(model);
    assert!(bytes <= 2_000, "{bytes} bytes");
}

#[test]
fn the_first_picture_at_200x50_takes_less_than_18_kb() {
    let counter = Counter::default();
    let mut model = model(&night(), 200, 50);
    let mut terminal = terminal(&counter, &model);
    let bytes = paint(&mut terminal, &counter, &mut model);
    assert!((1..18_000).contains(&bytes), "{bytes} bytes");
}
