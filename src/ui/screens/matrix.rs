//! The matrix: a row a service, a column an environment; what differs stands on top and is what one sees first.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::app::Model;
use crate::app::layout;
use crate::app::model::MatrixScreen;
use crate::app::model::matrix::Table;
use crate::app::update::matrix::{at, is_listed, old_since};
use crate::domain::known::State;
use crate::domain::matrix::{Beside, Cell, Row, Running};
use crate::domain::{Environment, Phase};
use crate::text;
use crate::text::matrix::{roomy, sentence, short, version};

use super::super::theme::{self, Role};
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, cells};
use super::super::widgets::table::scroll_mark;
use super::nothing::wrapped;

/// Cells before the service: the cursor.
const MARKS: u16 = 2;
/// Cells between two columns; the last of them is for the mark of the next.
const GAP: u16 = 2;
/// The most cells of a service's name, and the least and the most of an environment.
const SERVICE: u16 = 26;
const LEAST: u16 = 19;
const MOST: u16 = 38;
/// From here on a cell says in words how it stands to the one before.
const ROOMY: u16 = 27;

pub fn matrix(pen: &mut Pen<'_>, model: &Model, screen: &MatrixScreen) {
    let table = &screen.table;
    head(pen, model, screen);
    if let Some(words) = instead(model, screen) {
        wrapped(pen, 1, 2, &words, Role::Dim);
        return;
    }
    let (row, column) = at(screen);
    let height = layout::matrix_rows(model);
    let last = table.rows.len().saturating_sub(height);
    let offset = layout::scrolled(screen.offset.min(last), row, height);
    let visible: Vec<_> = table.rows.iter().skip(offset).take(height).collect();
    let columns = Columns::new(pen.width(), &visible, (table.environments.len(), column));
    let mark = scroll_mark(offset, visible.len(), table.rows.len()).unwrap_or_default();
    let environments = &table.environments;
    let old: Vec<_> = columns
        .places()
        .map(|(n, _)| old_since(model, &environments[n]))
        .collect();
    titles(pen, model, (environments, &columns, &old), &mark);
    for (y, shown) in (2..).zip(&visible) {
        let selected = usize::from(y) - 2 + offset == row;
        let line = Line {
            row: shown,
            selected: selected.then_some(column),
        };
        line.draw(pen, y, model, (screen, &columns, &old));
    }
    let foot = u16::try_from(layout::matrix_foot(model)).unwrap_or(1);
    let top = pen.height().saturating_sub(foot);
    let (y, lines) = if foot > 1 {
        (top + 1, foot - 1)
    } else {
        (top, 1)
    };
    let width = pen.width();
    told(
        &mut pen.part(0, y, width, lines),
        model,
        table,
        (row, column),
    );
}

/// `MATRIX  300 services in 3 environments, 12 differ`, and how old the digests are.
fn head(pen: &mut Pen<'_>, model: &Model, screen: &MatrixScreen) {
    let table = &screen.table;
    let mut x = pen.line(1, 0, "MATRIX", Role::Strong) + 2;
    if screen.filtering {
        x = input(pen, x, 0, "/ ", &screen.filter) + 2;
    } else if !screen.filter.value().is_empty() {
        let words = format!("/ {}", screen.filter.value());
        x = pen.line(x, 0, &words, Role::Strong) + 2;
    }
    let (state, role) = digests(model, screen);
    let end = pen.right(0, 1, &state, role);
    let differ = table.rows.iter().filter(|row| row.differs()).count();
    let mut parts = vec![(
        format!(
            "{} in {}",
            text::count(table.rows.len(), "service"),
            text::count(table.environments.len(), "environment")
        ),
        Role::Plain,
    )];
    let differ = match differ {
        0 => ("none differs".to_owned(), Role::Good),
        1 => ("1 differs".to_owned(), Role::Warn),
        n => (format!("{} differ", text::thousands(n)), Role::Warn),
    };
    parts.push(differ);
    if !screen.marks.is_empty() {
        parts.push((format!("{} marked", screen.marks.len()), Role::Key));
    }
    if !table.hidden.is_empty() {
        let hidden = format!("{} hidden", text::thousands(table.hidden.len()));
        parts.push((hidden, Role::Warn));
    }
    for (n, (words, role)) in parts.iter().enumerate() {
        let gap = if n == 0 { 0 } else { 3 };
        if x + gap + cells(words) + 2 > end {
            break;
        }
        if n > 0 {
            x = pen.line(x, 0, " · ", Role::Dim);
        }
        x = pen.line(x, 0, words, *role);
    }
}

/// How old the digests are that cells are compared by, or why there are none.
fn digests(model: &Model, screen: &MatrixScreen) -> (String, Role) {
    let of_board = model.clusters.iter();
    let known = of_board.filter_map(|c| Some((&c.id, screen.digests.get(&c.id)?)));
    let (mut failed, mut reading, mut read) = (None, false, None);
    for (id, known) in known {
        match &known.state {
            State::Failed { .. } => failed = Some(id),
            State::Loading => reading = true,
            State::Never | State::Fresh => {}
        }
        let at = known.last.as_ref().map(|(_, at)| *at);
        read = [read, at].into_iter().flatten().min();
    }
    match (failed, read) {
        (Some(id), None) => (format!("no digests of {id}"), Role::Warn),
        (Some(id), Some(at)) => {
            let words = format!("digests of {id} are {} old", text::age(at, model.now));
            (words, Role::Warn)
        }
        (None, Some(at)) => (
            format!("digests {} ago", text::age(at, model.now)),
            Role::Dim,
        ),
        (None, None) if reading => ("reading digests …".into(), Role::Dim),
        (None, None) => (String::new(), Role::Dim),
    }
}

/// What is said where there is nothing to set side by side.
fn instead(model: &Model, screen: &MatrixScreen) -> Option<String> {
    let filtered = !screen.filter.value().is_empty();
    let table = &screen.table;
    if table.rows.is_empty() {
        return Some(if filtered {
            "no service fits the filter".into()
        } else {
            "no service is known here yet".into()
        });
    }
    let name = "name what belongs together under environments: in the configuration";
    let one = table.environments.len() < 2;
    if one && model.view.environment.is_some() {
        return Some("One environment is shown alone: :env shows all of them.".into());
    }
    if one {
        let more = "or show several namespaces (-A, -n a,b) or clusters (--context a,b)";
        return Some(format!("There is one environment here: {name}, {more}."));
    }
    let configured = !model.settings.environments.is_empty();
    let alone = table.rows.iter().all(|row| row.cells.len() < 2);
    (alone && !configured && !filtered)
        .then(|| format!("No service runs in more than one of these namespaces: {name}."))
}

/// Which environments are in sight, and where they stand.
struct Columns {
    service: u16,
    /// The first in sight, and how many are.
    first: usize,
    shown: usize,
    width: u16,
    all: usize,
}

impl Columns {
    /// The one under the cursor is among them.
    fn new(width: u16, visible: &[&Row], (all, cursor): (usize, usize)) -> Self {
        let names = visible.iter().map(|row| cells(&row.service));
        let most = SERVICE.min(width / 4);
        let service = names.max().unwrap_or(0).clamp(8, most.max(8));
        let room = width.saturating_sub(MARKS + service + 1);
        let fits = usize::from(room / (LEAST + GAP)).max(1);
        let shown = fits.min(all).max(1);
        let each = room / u16::try_from(shown).unwrap_or(1);
        Self {
            service,
            first: (cursor + 1).saturating_sub(shown),
            shown,
            width: each.saturating_sub(GAP).min(MOST),
            all,
        }
    }

    /// Each in sight with the cell that it begins at.
    fn places(&self) -> impl Iterator<Item = (usize, u16)> {
        let start = MARKS + self.service + GAP;
        let step = self.width + GAP;
        let end = (self.first + self.shown).min(self.all);
        (self.first..end).zip((0..).map(move |n: u16| start + n * step))
    }
}

fn titles(
    pen: &mut Pen<'_>,
    model: &Model,
    (environments, columns, old): (&[Environment], &Columns, &[Option<Timestamp>]),
    mark: &str,
) {
    pen.put(MARKS, 1, columns.service, "SERVICE", Role::Dim);
    let right = columns.all - (columns.first + columns.shown).min(columns.all);
    let more = [
        (columns.first > 0).then(|| format!("< {}", columns.first)),
        (right > 0).then(|| format!("{right} >")),
        Some(mark.to_owned()).filter(|mark| !mark.is_empty()),
    ];
    let more: Vec<_> = more.into_iter().flatten().collect();
    let more = more.join("  ");
    let end = pen.right(1, 1, &more, Role::Warn);
    for ((n, x), old) in columns.places().zip(old) {
        let environment = &environments[n];
        let role = environment.color.map_or(Role::Strong, Role::Named);
        let room = columns.width.min(end.saturating_sub(x + 1));
        let after = pen.put(x, 1, room, &environment.name, role) + 1;
        if let Some(since) = old {
            let words = format!("{} old", text::age(*since, model.now));
            let left = (x + room).saturating_sub(after);
            pen.put(after, 1, left, &words, Role::Bad);
        }
    }
}

/// One service.
struct Line<'a> {
    row: &'a Row,
    /// The column of the cursor, on its row.
    selected: Option<usize>,
}

impl Line<'_> {
    fn draw(
        &self,
        pen: &mut Pen<'_>,
        y: u16,
        model: &Model,
        (screen, columns, old): (&MatrixScreen, &Columns, &[Option<Timestamp>]),
    ) {
        let role = match (self.selected, self.row.differs()) {
            (Some(_), _) => Role::Strong,
            (None, true) => Role::Plain,
            (None, false) => Role::Dim,
        };
        if self.selected.is_some() {
            pen.put(0, y, 1, "❯", Role::Key);
        }
        pen.put(MARKS, y, columns.service, &self.row.service, role);
        for ((n, x), old) in columns.places().zip(old) {
            let cell = self.row.cell(n);
            pen.stale(old.is_some());
            match cell {
                Some(cell) => draw(pen, (x, y), columns.width, model, cell),
                None => absent(pen, (x, y), model, &screen.table.environments[n]),
            }
            pen.stale(false);
            let mut running = cell.into_iter().flat_map(|cell| &cell.running);
            if running.any(|one| screen.marks.contains(&one.id)) {
                pen.put(x - 1, y, 1, "▌", Role::Key);
            }
            if self.selected == Some(n) {
                pen.mark(x, y, columns.width, Role::Found);
            }
        }
    }
}

/// `-` where it does not run, and `?` where nobody knows.
fn absent(pen: &mut Pen<'_>, (x, y): (u16, u16), model: &Model, environment: &Environment) {
    let (sign, role) = if is_listed(model, environment) {
        ("-", Role::Dim)
    } else {
        ("?", Role::Warn)
    };
    pen.put(x, y, 1, sign, role);
}

/// `• 2.14.1  -2 9d`, or `• 2.15.0  =  3d`; of several the worst glyph, and all versions that differ.
fn draw(pen: &mut Pen<'_>, (x, y): (u16, u16), width: u16, model: &Model, cell: &Cell) {
    let Some(worst) = cell.running.iter().min_by_key(|one| one.phase) else {
        return;
    };
    let now = model.clock_of(&worst.id);
    let beside = cell.beside.map(|(_, beside)| beside);
    let differs = beside.is_some_and(Beside::differs);
    let (sign, role) = theme::phase(worst.phase);
    pen.put(x, y, 1, sign, role);
    let mark = match beside {
        Some(beside) if width >= ROOMY => roomy(beside, now),
        Some(beside) => short(beside, now),
        None => String::new(),
    };
    // What differs says since when it does.
    let since = cell.running.iter().filter_map(|one| one.since).max();
    let age = since.filter(|_| !differs || width >= ROOMY);
    let age = age.map_or_else(String::new, |at| text::coarse_age(at, now));
    let needed = |words: &str| {
        if words.is_empty() {
            0
        } else {
            cells(words) + 1
        }
    };
    let room = width.saturating_sub(2 + needed(&mark) + needed(&age));
    let role = if differs { Role::Strong } else { Role::Plain };
    let end = pen.put(x + 2, y, room, &versions(&cell.running), role);
    let end = end.max(x + 2 + room.min(VERSION)) + 1;
    pen.put(end, y, cells(&mark), &mark, mark_role(beside));
    let age_x = (x + width).saturating_sub(cells(&age));
    pen.put(age_x, y, cells(&age), &age, Role::Dim);
}

/// `2.15.0`, `2.15.0 +1` of two that run the same, and `2.15.0, 2.14.1` of two that do not.
fn versions(running: &[Running]) -> String {
    let mut versions: Vec<&str> = running.iter().map(|one| &*one.version).collect();
    let all = versions.len();
    versions.dedup();
    match (versions.as_slice(), all) {
        ([one], 1) => (*one).to_owned(),
        ([one], all) => format!("{one} +{}", all - 1),
        (several, _) => several.join(", "),
    }
}

/// So many cells a version has before what is said of it, where there is room for it.
const VERSION: u16 = 8;

fn mark_role(beside: Option<Beside>) -> Role {
    match beside {
        Some(Beside::OtherDigest) => Role::Bad,
        Some(Beside::InPart | Beside::Behind(_) | Beside::Ahead(_) | Beside::Apart) => Role::Warn,
        Some(Beside::Same | Beside::SameName) | None => Role::Dim,
    }
}

/// The marked cell in full.
fn told(pen: &mut Pen<'_>, model: &Model, table: &Table, (row, column): (usize, usize)) {
    let (Some(row), Some(environment)) = (table.rows.get(row), table.environments.get(column))
    else {
        return;
    };
    let x = pen.line(1, 0, &format!("{} ", environment.name), Role::Strong);
    let Some(cell) = row.cell(column) else {
        let words = if is_listed(model, environment) {
            format!("does not run {}", row.service)
        } else {
            format!("whether it runs {} is not known", row.service)
        };
        pen.line(x, 0, &words, Role::Dim);
        return;
    };
    let [first] = cell.running.as_slice() else {
        return several(pen, x, &cell.running);
    };
    pen.line(x, 0, &standing(model, first), Role::Plain);
    if let Some((there, beside)) = cell.beside
        && let Some(other) = row.cell(there).and_then(|cell| cell.counterpart(&first.id))
    {
        let name = &table.environments[there].name;
        let words = sentence(beside, (name, other), model.clock_of(&first.id));
        let role = if beside.differs() {
            Role::Warn
        } else {
            Role::Dim
        };
        let (x, y) = if pen.height() > 1 { (1, 1) } else { (x, 0) };
        pen.line(x, y, &words, role);
    }
}

/// `runs it twice: deploy/web in shop 2.15.0 (9f2c41), steady; sts/web in shop …`, on the lines that there are.
fn several(pen: &mut Pen<'_>, x: u16, running: &[Running]) {
    let each = running.iter().map(|one| {
        let namespace = &one.id.namespace;
        format!("{} in {namespace} {}, {}", one.id, version(one), one.phase)
    });
    let each: Vec<_> = each.collect();
    let words = format!("runs {} of it: {}", each.len(), each.join("; "));
    let width = usize::from(pen.width().saturating_sub(x + 1));
    for (y, line) in (0..pen.height()).zip(text::wrap(&words, width)) {
        pen.line(x, y, &line, Role::Warn);
    }
}

/// `2.14.1 (77c01d), steady, changed 9d ago: CPU is short`.
fn standing(model: &Model, one: &Running) -> String {
    let mut words = format!("runs {}, {}", version(one), one.phase);
    if let Some(at) = one.since {
        let ago = text::age(at, model.clock_of(&one.id));
        let _ = write!(words, ", changed {ago} ago");
    }
    let row = model.board.row(&one.id);
    let why = row.and_then(|row| row.standing.why.as_ref());
    if let Some(why) = why.filter(|_| one.phase != Phase::Steady) {
        let _ = write!(words, ": {}", why.text);
    }
    words
}
