//! Several plans in one box: a row each, with its worst check as a word, and how it goes on once it is confirmed.

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::{BatchBox, BatchRow, Stage};
use crate::app::update::batch::{self as several, Open};
use crate::app::words::key;
use crate::domain::Level;
use crate::plan::check::CheckState;
use crate::plan::{Finding, Missing, Plan, Verb, Verdict};
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::frame_box::{Edge, centered, frame_box};
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, Piece, cells, piece};
use super::super::widgets::table::scroll_mark;
use super::plan::{asked, body};

/// Wider than this a line is hard to read.
const WIDEST: u16 = 120;
/// Lines that stay in sight at the bottom while the rest scrolls.
const FOOT: u16 = 3;
/// The most cells of a name, and of what changes.
const NAME: usize = 24;
const CHANGE: usize = 28;

pub fn batch(pen: &mut Pen<'_>, model: &Model, batch: &BatchBox) {
    let width = pen.width().saturating_sub(2).min(WIDEST);
    let inner = width.saturating_sub(4);
    let rows = usize::from(pen.height().saturating_sub(FOOT + 3));
    let (lines, mark) = body_of(model, batch, inner, rows);
    let tall = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let height = tall.saturating_add(FOOT + 3).min(pen.height());
    let area = centered(pen.area, width, height);
    let (word, role) = theme::level(several::level(model, batch));
    let title = format!(
        "{}  {}",
        batch.verb.words().plain.to_uppercase(),
        several::services(batch)
    );
    let edge = Edge {
        title: &title,
        top_right: (word, Some(role)),
        bottom_left: &mark,
        bottom_right: &way_back(model, batch),
    };
    let mut inside = frame_box(pen, area, &edge);
    for (y, line) in (0..).zip(&lines) {
        inside.pieces(0, y, line);
    }
    let top = inside.height().saturating_sub(FOOT);
    let width = inside.width();
    foot(&mut inside.part(0, top, width, FOOT), model, batch);
}

fn body_of(model: &Model, batch: &BatchBox, width: u16, rows: usize) -> (Vec<Vec<Piece>>, String) {
    if let Some(question) = &batch.question {
        return (asked::lines(model, question, None, width), String::new());
    }
    if let Some(row) = batch.rows.get(batch.at).filter(|_| batch.detail) {
        let body = body::body(model, &row.shown, width, rows);
        return (body.lines, body.mark);
    }
    let left = usize::from(!batch.left_out.is_empty());
    let seen = rows.saturating_sub(left).max(1);
    let offset = (batch.at + 1).saturating_sub(seen);
    let columns = Columns::of(batch);
    let all = batch.rows.iter().enumerate().skip(offset).take(seen);
    let mut lines: Vec<_> = all
        .map(|(n, row)| line(model, batch, (n, row), &columns, width))
        .collect();
    let mark = scroll_mark(offset, lines.len(), batch.rows.len()).unwrap_or_default();
    if left > 0 {
        let names: Vec<_> = batch.left_out.iter().map(|id| &*id.name).collect();
        let words = format!("left out: {}", text::list(&names));
        lines.push(vec![piece(words, Role::Dim)]);
    }
    (lines, mark)
}

/// As wide as what stands in them.
struct Columns {
    /// The namespace tells rows apart.
    namespaces: bool,
    name: usize,
    change: usize,
}

impl Columns {
    fn of(batch: &BatchBox) -> Self {
        let mut spaces: Vec<_> = batch
            .rows
            .iter()
            .map(|row| (&row.shown.workload.cluster, &row.shown.workload.namespace))
            .collect();
        spaces.sort();
        spaces.dedup();
        let namespaces = spaces.len() > 1;
        let widest = |words: &dyn Fn(&BatchRow) -> String| {
            let all = batch.rows.iter().map(|row| text::width(&words(row)));
            all.max().unwrap_or(0)
        };
        Self {
            namespaces,
            name: widest(&|row| name(row, namespaces)).min(NAME),
            change: widest(&change).min(CHANGE),
        }
    }
}

fn name(row: &BatchRow, namespaces: bool) -> String {
    let id = &row.shown.workload;
    if namespaces {
        format!("{}/{}", id.namespace, id.name)
    } else {
        id.name.to_string()
    }
}

/// From what to what, where there is something to say.
fn change(row: &BatchRow) -> String {
    let Some((plan, _)) = several::plan_of(&row.shown) else {
        return String::new();
    };
    match plan.request.verb {
        Verb::Rollback | Verb::SetImage | Verb::PromoteImage => {
            format!("{} → {}", plan.from.version, plan.to.version)
        }
        Verb::Scale | Verb::DeletePod | Verb::HelmRollback => {
            format!("{} → {}", plan.arrow.0, plan.arrow.1)
        }
        Verb::Pause
        | Verb::Resume
        | Verb::Restart
        | Verb::ResumeSync
        | Verb::Promote
        | Verb::PromoteFull
        | Verb::Abort
        | Verb::SetWeight
        | Verb::Retry => plan.from.version.clone(),
    }
}

fn line(
    model: &Model,
    batch: &BatchBox,
    (n, row): (usize, &BatchRow),
    columns: &Columns,
    width: u16,
) -> Vec<Piece> {
    let selected = n == batch.at;
    let cursor = if selected { "❯ " } else { "  " };
    let (word, role, sentence) = match several::progress(model, batch, n) {
        Some((word, sentence)) => (word, role_of(word), sentence),
        None => standing(row),
    };
    let padded = |words: &str, cells: usize| {
        let words = text::escape(words);
        text::pad(&text::fit(&words, cells), cells)
    };
    let role_of_name = if row.left_out {
        Role::Dim
    } else if selected {
        Role::Strong
    } else {
        Role::Plain
    };
    let mut pieces = vec![
        piece(cursor, Role::Key),
        piece(
            padded(&name(row, columns.namespaces), columns.name),
            role_of_name,
        ),
        piece("  ", Role::Dim),
    ];
    if columns.change > 0 {
        pieces.push(piece(padded(&change(row), columns.change), Role::Plain));
        pieces.push(piece("  ", Role::Dim));
    }
    pieces.push(piece(padded(word, 10), role));
    pieces.push(piece("  ", Role::Dim));
    let used: u16 = pieces.iter().map(|piece| cells(&piece.text)).sum();
    let room = usize::from(width.saturating_sub(used));
    let sentence = text::fit_clause(&text::escape(&sentence), room);
    pieces.push(piece(sentence, Role::Plain));
    pieces
}

fn role_of(word: &str) -> Role {
    match word {
        "ok" => Role::Good,
        "FAILED" => Role::Bad,
        ".." => Role::Moving,
        _ => Role::Dim,
    }
}

/// Before it is confirmed: its worst check, or why there is no plan.
fn standing(row: &BatchRow) -> (&'static str, Role, String) {
    if row.left_out {
        return ("left out", Role::Dim, String::new());
    }
    match &row.shown.stage {
        Stage::Gathering { .. } => ("reading", Role::Dim, String::new()),
        Stage::Refused { failure } => ("BLOCK", Role::Bad, failure.sentence.clone()),
        Stage::Shown { plan, verdicts, .. } if several::is_open(&row.shown) => {
            let asked = plan.checks.len() - verdicts.len().min(plan.checks.len());
            let words = format!("{} to answer", text::count(asked, "check"));
            ("asking", Role::Dim, words)
        }
        Stage::Shown { plan, verdicts, .. } => worst(plan, verdicts),
        Stage::Asking(_) | Stage::Executing { .. } | Stage::Unknown { .. } => {
            ("", Role::Dim, String::new())
        }
    }
}

fn worst(plan: &Plan, verdicts: &[Verdict]) -> (&'static str, Role, String) {
    let known = plan.checks.iter().filter_map(|check| match &check.state {
        CheckState::Answered(verdict) => Some(verdict),
        CheckState::Asking(_) => None,
    });
    let worst = known.chain(verdicts).max_by_key(|v| match v.finding {
        Finding::Ok => 0,
        Finding::Warn => 1,
        Finding::Unverified => 2,
        Finding::Block => 3,
    });
    match worst.filter(|verdict| verdict.finding != Finding::Ok) {
        Some(verdict) => {
            let (word, role) = theme::finding(verdict.finding);
            (word, role, verdict.sentence.clone())
        }
        None => ("ok", Role::Good, plan.meanwhile.clone()),
    }
}

fn way_back(model: &Model, batch: &BatchBox) -> String {
    let back = key(model, Intent::Back);
    if batch.question.is_some() {
        "esc cancels".to_owned()
    } else if several::typing(batch) {
        "esc leaves the field".to_owned()
    } else if batch.detail {
        format!("{back} goes back to the list")
    } else if !several::is_over(batch) {
        format!("{back} hides it, it goes on")
    } else if batch.run.is_some() {
        format!("{back} closes")
    } else {
        format!("{back} cancels")
    }
}

fn foot(pen: &mut Pen<'_>, model: &Model, batch: &BatchBox) {
    let mut y = 0;
    if let Some(question) = &batch.question {
        asked::field(pen, question);
        y += 1;
    } else if let Some(word) = &batch.word {
        let label = format!(
            "type {}, the number of services, and press enter: ",
            several::word(batch)
        );
        input(pen, 0, y, &label, word);
        y += 1;
    } else if let Some(reason) = &batch.reason {
        input(
            pen,
            0,
            y,
            "reason (optional, for the record): ",
            &reason.field,
        );
        y += 1;
    } else {
        let words = next_words(model, batch);
        for line in text::wrap(&words, usize::from(pen.width())).iter().take(2) {
            pen.line(0, y, line, Role::Strong);
            y += 1;
        }
    }
    if let Some(said) = &batch.said {
        let last = pen.height().saturating_sub(1);
        pen.line(0, y.max(last), said, Role::Warn);
    }
}

fn next_words(model: &Model, batch: &BatchBox) -> String {
    if let Some(run) = &batch.run {
        let summary = run.summary();
        let stop = key(model, Intent::Stop);
        return if run.is_over() {
            summary
        } else {
            format!(
                "{summary}; {} at a time; {stop} begins no more of them",
                run.at_once()
            )
        };
    }
    let does = batch.verb.words().does;
    let each = format!("{} at a time, and none after one that fails", batch.at_once);
    let confirm = key(model, Intent::Confirm);
    match several::open_point(model, batch) {
        None | Some(Open::Person(Missing::Confirmation)) => format!("{confirm} {does} {each}"),
        Some(Open::Person(Missing::Name)) if several::level(model, batch) == Level::Protected => {
            let word = several::word(batch);
            format!("{confirm}, then type {word}, the number of services: {each}")
        }
        Some(open) => several::not_yet(model, &open),
    }
}
