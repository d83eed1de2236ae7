//! The record: one row an action, newest first, and under them the marked one in full.

use jiff::Timestamp;

use crate::app::Model;
use crate::app::layout::{record_foot, record_rows, scrolled};
use crate::app::model::{Entry, RecordScreen};
use crate::domain::known::State;
use crate::domain::release_record::{Action, Became, HandedOver, Page, Stands};
use crate::text;
use crate::text::action::{arrow, outcome, times};

use super::super::theme::Role;
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, cells};
use super::super::widgets::table::{Column, Placed, place, scroll_mark};
use super::nothing::wrapped;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    When,
    Service,
    Place,
    Who,
    Verb,
    Arrow,
    Outcome,
}

/// Cells before the first column: the cursor.
const MARKS: u16 = 2;

pub fn record(pen: &mut Pen<'_>, model: &Model, screen: &RecordScreen) {
    title(pen, model, screen);
    match (screen.page.value(), &screen.page.state) {
        (Some(page), _) if page.actions.is_empty() && page.handed.is_empty() => {
            pen.line(MARKS, 2, "Nothing was done yet: every write of rolldeck is written down here before it is sent.", Role::Plain);
            pen.line(MARKS, 3, &model.settings.record_file, Role::Dim);
        }
        (Some(_), _) => rows(pen, model, screen),
        (None, State::Failed { why, .. }) => drop(wrapped(pen, 1, 2, why, Role::Bad)),
        (None, State::Never | State::Loading | State::Fresh) => {
            pen.line(MARKS, 2, "reading …", Role::Dim);
        }
    }
}

/// `RECORD  / checkout  12 actions  9 hidden`, and what the file holds that is none.
fn title(pen: &mut Pen<'_>, model: &Model, screen: &RecordScreen) {
    let mut x = pen.line(1, 0, "RECORD", Role::Strong) + 2;
    if screen.filtering {
        x = input(pen, x, 0, "/ ", &screen.filter) + 2;
    } else if !screen.filter.value().is_empty() {
        x = pen.line(x, 0, &format!("/ {}", screen.filter.value()), Role::Strong) + 2;
    }
    let Some(page) = screen.page.value() else {
        return;
    };
    let all = page.actions.len();
    x = pen.line(x, 0, &text::count(all, "action"), Role::Dim) + 2;
    let lines = all + page.handed.len();
    let hidden = lines.saturating_sub(screen.rows.len());
    if hidden > 0 {
        x = pen.line(
            x,
            0,
            &format!("{} hidden", text::thousands(hidden)),
            Role::Warn,
        ) + 2;
    }
    if let State::Failed { why, .. } = &screen.page.state {
        pen.line(x, 0, &format!("reading again failed: {why}"), Role::Bad);
        return;
    }
    if let Some(words) = amiss(page) {
        x = pen.line(x, 0, &words, Role::Warn) + 2;
    }
    if page.unread > 0 {
        let words = format!("older ones are in {}", model.settings.record_file);
        pen.line(x, 0, &words, Role::Dim);
    }
}

/// What the file holds that cannot be shown as an action.
fn amiss(page: &Page) -> Option<String> {
    let first = page.torn.iter().map(|torn| torn.at).min();
    let torn = first.map(|at| match page.torn.len() {
        1 => format!("1 line is torn, at byte {at}"),
        n => format!("{n} lines are torn, the first at byte {at}"),
    });
    let orphans = (page.orphans > 0)
        .then(|| format!("{} without their action", text::count(page.orphans, "line")));
    let parts: Vec<_> = torn.into_iter().chain(orphans).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A row in words.
struct Shown<'a> {
    who: &'a str,
    when: String,
    service: String,
    place: String,
    verb: &'a str,
    arrow: String,
    outcome: String,
    role: Role,
}

impl<'a> Shown<'a> {
    fn new(entry: Entry<'a>, model: &Model) -> Self {
        match entry {
            Entry::Action(action, under_way) => Self::action((action, under_way), model),
            Entry::HandedOver(handed) => Self::handed(handed, model),
        }
    }

    fn handed(handed: &'a HandedOver, model: &Model) -> Self {
        let namespace = handed.namespace.as_deref().unwrap_or_default();
        Self {
            who: &handed.by,
            when: when(handed.at, model.now),
            service: handed.object.clone(),
            place: format!("{} {namespace}", handed.cluster),
            verb: "hand over",
            arrow: handed.line(),
            outcome: handed.outcome.clone(),
            role: role_of_program(handed),
        }
    }

    fn action((action, under_way): (&'a Action, bool), model: &Model) -> Self {
        let id = &action.sending.workload;
        Self {
            when: when(action.sending.at, model.now),
            service: id.to_string(),
            place: match model.environment(id) {
                Some(environment) => format!("{} {}", environment.name, id.namespace),
                None => format!("{} {}", id.cluster, id.namespace),
            },
            verb: &action.sending.verb,
            arrow: arrow(action),
            outcome: outcome(action, under_way),
            role: role(action.stands(), under_way),
            who: &action.sending.by,
        }
    }

    fn words(&self, part: Part) -> &str {
        match part {
            Part::When => &self.when,
            Part::Service => &self.service,
            Part::Place => &self.place,
            Part::Who => self.who,
            Part::Verb => self.verb,
            Part::Arrow => &self.arrow,
            Part::Outcome => &self.outcome,
        }
    }
}

/// Its age, and from a week on its day.
fn when(at: Timestamp, now: Timestamp) -> String {
    if now.duration_since(at).as_hours() < 24 * 7 {
        text::age(at, now)
    } else {
        text::date(at, now)
    }
}

fn role(stands: Stands, under_way: bool) -> Role {
    match stands {
        Stands::Verified => Role::Good,
        Stands::Sent if under_way => Role::Moving,
        Stands::NotVerified
        | Stands::Unknown
        | Stands::Sent
        | Stands::Interrupted(Became::Unknown) => Role::Bad,
        Stands::Refused
        | Stands::NotBegun
        | Stands::Interrupted(Became::Applied | Became::NotApplied) => Role::Warn,
        Stands::Accepted => Role::Plain,
    }
}

/// How a program ended says nothing of what it did.
fn role_of_program(handed: &HandedOver) -> Role {
    match &*handed.outcome {
        "exit 0" => Role::Plain,
        _ => Role::Warn,
    }
}

fn rows(pen: &mut Pen<'_>, model: &Model, screen: &RecordScreen) {
    let (height, at, total) = (record_rows(model), screen.at(), screen.rows.len());
    let offset = scrolled(screen.offset, at, height);
    let shown: Vec<_> = (offset..total.min(offset + height))
        .filter_map(|row| screen.entry(row))
        .map(|row| Shown::new(row, model))
        .collect();
    let columns = place(&columns(&shown), pen.width().saturating_sub(MARKS + 1));
    let mark = scroll_mark(offset, shown.len(), total).unwrap_or_default();
    for column in &columns {
        pen.put(MARKS + column.x, 1, column.width, column.title, Role::Dim);
    }
    pen.right(1, 1, &mark, Role::Dim);
    for (y, (row, shown)) in (2..).zip((offset..).zip(&shown)) {
        draw(pen, y, shown, &columns, row == at);
    }
    let foot = record_foot(model);
    let y = u16::try_from(height).unwrap_or(u16::MAX).saturating_add(3);
    match (screen.entry(at), foot) {
        (_, 0) | (None, _) => {}
        (Some(Entry::Action(action, under_way)), _) => told(pen, y, (action, under_way), model),
        (Some(Entry::HandedOver(handed)), _) => told_of_program(pen, y, handed),
    }
}

fn columns(shown: &[Shown<'_>]) -> Vec<Column<Part>> {
    let column = |part, title: &'static str, small: u16, goes| {
        let words = shown.iter().map(|shown| shown.words(part));
        Column::holding(words, part, title, small, goes)
    };
    let outcome = column(Part::Outcome, "OUTCOME", 20, 0);
    let clause = |shown: &Shown<'_>| cells(text::clause(&shown.outcome));
    vec![
        column(Part::When, "WHEN", 6, 0),
        column(Part::Service, "SERVICE", 13, 0),
        column(Part::Place, "WHERE", 12, 2),
        column(Part::Who, "WHO", 14, 1),
        column(Part::Verb, "VERB", 8, 0),
        column(Part::Arrow, "FROM → TO", 12, 0),
        Column {
            wants: shown.iter().map(clause).max().unwrap_or(0).max(20),
            ..outcome
        },
    ]
}

fn draw(pen: &mut Pen<'_>, y: u16, shown: &Shown<'_>, columns: &[Placed<Part>], marked: bool) {
    if marked {
        pen.put(0, y, 1, "❯", Role::Key);
    }
    for column in columns {
        let (x, words) = (MARKS + column.x, shown.words(column.key));
        let role = match column.key {
            Part::When | Part::Place => Role::Dim,
            Part::Service if marked => Role::Strong,
            Part::Service | Part::Who | Part::Verb | Part::Arrow => Role::Plain,
            Part::Outcome => shown.role,
        };
        match column.key {
            Part::Outcome => pen.put_clause(x, y, column.width, words, role),
            _ => pen.put(x, y, column.width, words, role),
        };
    }
}

/// The marked action in five lines; a key opens the whole of it.
fn told(pen: &mut Pen<'_>, y: u16, (action, under_way): (&Action, bool), model: &Model) {
    let (sending, id) = (&action.sending, &action.sending.workload);
    let place = format!("{id} in {} of {}", id.namespace, id.cluster);
    let environment = model.environment(id);
    let environment = environment.map_or_else(String::new, |e| format!(" ({})", e.name));
    let mut reason = sending
        .reason
        .clone()
        .unwrap_or_else(|| "none was given".into());
    if let Some(given) = &sending.override_reason {
        reason = format!("{reason}; overridden: {given}");
    }
    let raised = action
        .raised()
        .map(|c| format!("{} {}: {}", c.finding, c.check, c.sentence));
    let raised = match raised.collect::<Vec<_>>() {
        none if none.is_empty() && sending.checks.is_empty() => "none is in the record".into(),
        none if none.is_empty() => "all were ok".into(),
        raised => raised.join("; "),
    };
    let when = [text::moment(sending.at), times(action)];
    let when = when.iter().filter(|words| !words.is_empty());
    let when = when.map(String::as_str).collect::<Vec<_>>().join(", ");
    let lines = [
        (
            "who",
            format!("{} on {place}{environment}", action.who()),
            Role::Plain,
        ),
        ("when", when, Role::Plain),
        ("reason", reason, Role::Plain),
        ("checks", raised, Role::Plain),
        (
            "outcome",
            outcome(action, under_way),
            role(action.stands(), under_way),
        ),
    ];
    foot_lines(pen, y, lines);
}

fn told_of_program(pen: &mut Pen<'_>, y: u16, handed: &HandedOver) {
    let namespace = handed.namespace.as_deref();
    let place = namespace.map_or_else(String::new, |namespace| format!(" in {namespace}"));
    let at = format!("{}{place} of {}", handed.object, handed.cluster);
    let lines = [
        ("who", format!("{} on {at}", handed.who()), Role::Plain),
        (
            "when",
            format!("ended {}", text::moment(handed.at)),
            Role::Plain,
        ),
        ("command", handed.line(), Role::Plain),
        ("outcome", handed.outcome.clone(), role_of_program(handed)),
    ];
    foot_lines(pen, y, lines);
}

fn foot_lines(
    pen: &mut Pen<'_>,
    y: u16,
    lines: impl IntoIterator<Item = (&'static str, String, Role)>,
) {
    for (y, (title, words, role)) in (y..).zip(lines) {
        pen.put(MARKS, y, 8, title, Role::Dim);
        pen.put_clause(
            MARKS + 9,
            y,
            pen.width().saturating_sub(MARKS + 10),
            &words,
            role,
        );
    }
}
