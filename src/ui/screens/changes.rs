//! What changed: one line a change, the newest first, or the likeliest when it is known when the trouble began.

use crate::app::Model;
use crate::app::field::Field;
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::ChangesScreen;
use crate::app::update::changes::{at, lines, proposed, title};
use crate::app::words::key;
use crate::domain::Occurrence;
use crate::domain::occurrence::{Origin, Reading, What};
use crate::text;
use crate::text::changes::{change, distance, place as place_of, when};

use super::super::theme::Role;
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, cells};
use super::super::widgets::table::{Column, Placed, place, scroll_mark};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Time,
    Distance,
    What,
    Place,
    Change,
    Who,
    From,
}

/// Cells before the first column: the cursor and the kind's sign.
const MARKS: u16 = 4;

pub fn changes(pen: &mut Pen<'_>, model: &Model, screen: &ChangesScreen) {
    let lines = lines(model, screen);
    head(pen, model, screen, lines.len());
    let gaps = gaps(pen, model, screen);
    let foot = pen.height().saturating_sub(1);
    let top = 1 + gaps;
    if lines.is_empty() {
        pen.line(1, top + 1, &nothing(screen), Role::Dim);
    } else {
        let (width, height) = (pen.width(), foot.saturating_sub(top));
        table(
            &mut pen.part(0, top, width, height),
            model,
            (screen, &lines),
        );
    }
    if let Some(field) = &screen.moment {
        moment_field(pen, foot, model, field);
    } else if screen.filtering {
        input(pen, 1, foot, "/ ", &screen.filter);
    } else if !screen.filter.value().is_empty() {
        let words = format!("/ {}", screen.filter.value());
        pen.line(1, foot, &words, Role::Dim);
    }
}

fn head(pen: &mut Pen<'_>, model: &Model, screen: &ChangesScreen, shown: usize) {
    let x = pen.line(1, 0, "CHANGES  ", Role::Strong);
    let readings = || screen.tellings.values().flat_map(|t| &t.report.readings);
    let asked = readings().count();
    let waits = |(_, how): &&(Origin, Reading)| *how == Reading::Asking;
    let left = readings().filter(waits).count();
    let state = match screen.read_at {
        Some(at) => format!(
            "{}, read {} ago",
            text::count(shown, "line"),
            text::age(at, model.now)
        ),
        None if asked == 0 => "reading …".to_owned(),
        None => format!("reading …  {} of {asked}", asked - left),
    };
    let room = pen.width().saturating_sub(cells(&state) + 3);
    pen.put_clause(x, 0, room.saturating_sub(x), &title(screen), Role::Plain);
    pen.right(0, 1, &state, Role::Dim);
}

/// What is not in the list, and why: nobody should take silence for calm.
fn gaps(pen: &mut Pen<'_>, model: &Model, screen: &ChangesScreen) -> u16 {
    let mut gaps = screen.gaps();
    let rows = layout::gap_rows(model);
    if gaps.len() > rows {
        let more = gaps.len() - rows + 1;
        gaps.truncate(rows.saturating_sub(1));
        gaps.push(format!(
            "and {more} more sources could not be read: see the copy"
        ));
    }
    for (y, gap) in (1..).zip(&gaps) {
        pen.line(1, y, gap, Role::Warn);
    }
    u16::try_from(gaps.len()).unwrap_or(0)
}

/// What one may type, and what enter does alone, beside the field.
fn moment_field(pen: &mut Pen<'_>, y: u16, model: &Model, field: &Field) {
    let end = input(pen, 1, y, "began at ", field);
    let alone = match proposed(model) {
        Some((at, id)) => format!("{}, when {} began to fail", text::clock(at), id.name),
        None => "the newest first".into(),
    };
    let help = format!("14:02, 20m or 2026-11-27T14:02 (UTC); enter alone: {alone}");
    pen.line(end + 2, y, &help, Role::Dim);
}

fn nothing(screen: &ChangesScreen) -> String {
    if !screen.filter.value().is_empty() && !screen.occurrences().is_empty() {
        "no change fits the filter".into()
    } else if screen.read_at.is_some() {
        "nothing changed in the last 7 days, as far as it can be told".into()
    } else {
        String::new()
    }
}

/// A line in words.
struct Shown<'a> {
    one: &'a Occurrence,
    time: String,
    distance: String,
    what: String,
    place: String,
    change: String,
    who: &'a str,
    /// Nothing that came later did it.
    late: bool,
}

fn table(pen: &mut Pen<'_>, model: &Model, (screen, lines): (&ChangesScreen, &[&Occurrence])) {
    let height = usize::from(pen.height().saturating_sub(1));
    let marked = at(screen, lines);
    let last = lines.len().saturating_sub(height);
    let offset = layout::scrolled(screen.offset.min(last), marked, height);
    let shown: Vec<Shown<'_>> = lines
        .iter()
        .skip(offset)
        .take(height)
        .map(|one| Shown::new(one, model, screen))
        .collect();
    let several = model.clusters.len() > 1 || several_namespaces(lines);
    let columns = place(
        &columns(&shown, several),
        pen.width().saturating_sub(MARKS + 1),
    );
    let mark = scroll_mark(offset, shown.len(), lines.len()).unwrap_or_default();
    let end = pen.width().saturating_sub(cells(&mark) + 2);
    for column in &columns {
        let x = MARKS + column.x;
        pen.put(
            x,
            0,
            column.width.min(end.saturating_sub(x)),
            column.title,
            Role::Dim,
        );
    }
    pen.right(0, 1, &mark, Role::Dim);
    for (y, (number, line)) in (1..).zip(shown.iter().enumerate()) {
        let first = screen.began.is_some() && offset + number == 0;
        let fix = (first && !line.late)
            .then(|| fix(model, line.one))
            .flatten();
        draw(pen, y, (line, fix), &columns, offset + number == marked);
    }
}

impl<'a> Shown<'a> {
    fn new(one: &'a Occurrence, model: &Model, screen: &ChangesScreen) -> Self {
        let began = screen.began.as_ref().map(|began| began.at);
        Self {
            one,
            time: when(one, model.now),
            distance: distance(one.at, began, model.now),
            what: one.subject.to_string(),
            place: environment(model, one),
            change: change(one),
            who: one.who.name().unwrap_or(""),
            late: began.is_some_and(|began| one.at.as_second() > began.as_second() + 5),
        }
    }
}

/// The words of one column.
type Cell = for<'a> fn(&'a Shown<'a>) -> &'a str;

/// The environment where the config names one, else the namespace.
fn environment(model: &Model, one: &Occurrence) -> String {
    let named = one.services.first().and_then(|id| model.environment(id));
    match named {
        Some(environment) => environment.name.clone(),
        None => place_of(one, model.clusters.len() > 1),
    }
}

/// The key that undoes it, where one does.
fn fix(model: &Model, one: &Occurrence) -> Option<String> {
    let releases = matches!(one.what, What::Release | What::Rollback);
    (releases && one.services.len() == 1).then(|| key(model, Intent::RollBack))
}

fn several_namespaces(lines: &[&Occurrence]) -> bool {
    let all = lines.iter().map(|one| &one.subject.namespace);
    let mut named = all.filter(|namespace| !namespace.is_empty());
    let first = named.next();
    named.any(|other| Some(other) != first)
}

/// A namespace names the object where there are `several`: it stays longer than age and writer.
fn columns(shown: &[Shown<'_>], several: bool) -> Vec<Column<Part>> {
    let column = |key, title, of: Cell, least, goes| {
        Column::holding(shown.iter().map(of), key, title, least, goes)
    };
    // Enough to say what matters; what is longer waits until all others have as much.
    let roomy = |column: Column<Part>, wants: u16| Column {
        wants: column.most.min(wants),
        ..column
    };
    let what = roomy(column(Part::What, "WHAT", |s| &s.what, 16, 0), 28);
    let change = roomy(column(Part::Change, "CHANGE", |s| &s.change, 20, 0), 30);
    let (place, who, age) = if several {
        ((9, 1), (8, 2), 3)
    } else {
        ((8, 3), (12, 1), 2)
    };
    vec![
        column(Part::Time, "TIME", |s| &s.time, 6, 0),
        column(Part::Distance, "AGE", |s| &s.distance, 4, age),
        what,
        column(Part::Place, "WHERE", |s| &s.place, place.0, place.1),
        change,
        column(Part::Who, "BY", |s| s.who, who.0, who.1),
        column(Part::From, "KNOWN FROM", |s| s.one.known_from, 14, 4),
    ]
}

fn draw(
    pen: &mut Pen<'_>,
    y: u16,
    (line, fix): (&Shown<'_>, Option<String>),
    columns: &[Placed<Part>],
    marked: bool,
) {
    let (sign, role) = sign(line.one.what);
    let dim = |role| if line.late { Role::Dim } else { role };
    if marked {
        pen.put(0, y, 1, "❯", Role::Strong);
    }
    pen.put(2, y, 1, sign, dim(role));
    for column in columns {
        let (x, width) = (MARKS + column.x, column.width);
        let plain = if marked { Role::Strong } else { Role::Plain };
        let (words, role) = match column.key {
            Part::Time => (&*line.time, plain),
            Part::Distance => (&*line.distance, Role::Dim),
            Part::What => (&*line.what, plain),
            Part::Place => (&*line.place, Role::Plain),
            Part::Change => {
                let key = fix.as_ref().map_or(0, |key| cells(key) + 3);
                let end = pen.put(
                    x,
                    y,
                    width.saturating_sub(key),
                    &line.change,
                    dim(Role::Plain),
                );
                if let Some(key) = &fix {
                    let end = pen.put(end, y, 3, " · ", Role::Dim);
                    pen.put(end, y, cells(key), key, Role::Key);
                }
                continue;
            }
            Part::Who => (line.who, Role::Plain),
            Part::From => (line.one.known_from, Role::Dim),
        };
        pen.put(x, y, width, words, dim(role));
    }
}

/// A single-width sign for each kind.
fn sign(what: What) -> (&'static str, Role) {
    match what {
        What::Release => (">", Role::Moving),
        What::Rollback => ("<", Role::Moving),
        What::Restart | What::Action => ("=", Role::Moving),
        What::Config | What::Secret | What::Spec => ("≥", Role::Warn),
        What::Scale | What::Autoscaler => ("↑", Role::Plain),
        What::Helm | What::Sync => ("◆", Role::Moving),
        What::Deletion => ("×", Role::Bad),
        What::Node => ("•", Role::Warn),
        What::Warning => ("!", Role::Dim),
    }
}
