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
use rolldeck::domain::source::Feed;
use rolldeck::domain::{Change, Item, Kind, Uid, Update};
use rolldeck::tui::screen::Screen;

use super::night::{Service, feed, model, night, now, press, source};

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

#[test]
fn one_more_pod_costs_less_than_a_line_of_text() {
    let counter = Counter::default();
    let services = night();
    let mut model = model(&services, 120, 40);
    let mut terminal = terminal(&counter, &model);
    paint(&mut terminal, &counter, &mut model);
    let rolling = services
        .iter()
        .find(|service| service.workload.counts.available < service.workload.desired)
        .unwrap();
    let mut workload = rolling.workload.clone();
    workload.counts.available += 1;
    let put = Change::Put(Item::Workload(Box::new(workload)));
    let deployments = source(Feed::Workloads(Kind::Deployment));
    feed(&mut model, deployments, vec![Update::Change(put)]);
    let bytes = paint(&mut terminal, &counter, &mut model);
    assert!((1..=40).contains(&bytes), "{bytes} bytes");
}

/// So many services that are alike.
fn fleet(count: usize) -> Vec<Service> {
    let services = night();
    let auth = services.iter().find(|s| &*s.workload.id.name == "auth");
    let like = &auth.unwrap().workload;
    let numbered = (0..count).map(|number| {
        let mut workload = like.clone();
        workload.id.name = format!("service-{number:03}").into();
        workload.uid = Uid(format!("uid-{number:03}").into());
        Service {
            workload,
            revisions: Vec::new(),
            pods: Vec::new(),
            warnings: Vec::new(),
        }
    });
    numbered.collect()
}

#[test]
fn a_step_down_a_list_moves_its_rows_and_sends_one() {
    let counter = Counter::default();
    let mut model = model(&fleet(30), 200, 20);
    let mut terminal = terminal(&counter, &model);
    paint(&mut terminal, &counter, &mut model);
    let mut worst = 0;
    for _ in 0..25 {
        press(&mut model, &["j"]);
        worst = paint(&mut terminal, &counter, &mut model).max(worst);
    }
    assert!(model.board.offset > 5, "it scrolled");
    assert!(worst <= 200, "{worst} bytes");
}

#[test]
fn twenty_rollouts_begin_in_2_5_kb_and_come_to_the_top_in_1_7_kb() {
    let counter = Counter::default();
    let mut model = model(&fleet(60), 200, 50);
    let mut terminal = terminal(&counter, &model);
    paint(&mut terminal, &counter, &mut model);
    let mut services = fleet(60);
    let rolling = services.iter_mut().rev().step_by(3);
    let puts = rolling.map(|service| {
        let workload = &mut service.workload;
        workload.counts.updated = 1;
        workload.counts.total = workload.desired + 1;
        let put = Change::Put(Item::Workload(Box::new(workload.clone())));
        Update::Change(put)
    });
    let puts = puts.collect();
    feed(&mut model, source(Feed::Workloads(Kind::Deployment)), puts);
    let begun = paint(&mut terminal, &counter, &mut model);
    for second in 1..=4 {
        update(
            &mut model,
            Event::Ticked(now() + SignedDuration::from_secs(second)),
        );
    }
    let sorted = paint(&mut terminal, &counter, &mut model);
    assert_eq!(&*model.board.rows[0].id.name, "service-002");
    assert!((1..=2_500).contains(&begun), "{begun} bytes");
    assert!((1..=1_700).contains(&sorted), "{sorted} bytes");
}
