//! A plan, over any screen: what will be written, what was verified first, and what is still missing to confirm it.

use ratatui::layout::Rect;

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::{PlanBox, Stage};
use crate::app::words;
use crate::domain::Level;
use crate::plan::{Check, CheckId, Finding, Missing, Plan, Side, Verdict, check::CheckState};
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::change::fit_change;
use super::super::widgets::frame_box::{Edge, centered, frame_box};
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, Piece, cells, piece};
use super::super::widgets::table::scroll_mark;
use super::nothing::wrap;

/// Wider than this a line is hard to read.
const WIDEST: u16 = 96;

/// Lines that stay in sight at the bottom while the rest scrolls.
const FOOT: u16 = 4;

type Lines = Vec<Vec<Piece>>;

pub fn plan(pen: &mut Pen<'_>, model: &Model, shown: &PlanBox) {
    let width = pen.width().saturating_sub(2).min(WIDEST);
    let inner = width.saturating_sub(4);
    let body = body(model, shown, inner);
    let body_rows = u16::try_from(body.len()).unwrap_or(u16::MAX);
    let height = body_rows.saturating_add(FOOT + 3).min(pen.height());
    let area = centered(pen.area, width, height);
    let level = level(model, shown);
    let (word, role) = theme::level(level);
    let title = format!(
        "ROLL BACK  {}  in {} / {}",
        shown.workload, shown.workload.cluster, shown.workload.namespace
    );
    let visible = usize::from(height.saturating_sub(FOOT + 3));
    let offset = shown.offset.min(body.len().saturating_sub(visible));
    let mark = scroll_mark(offset, visible, body.len());
    let edge = Edge {
        title: &title,
        top_right: (word, Some(role)),
        bottom_left: mark.as_deref().unwrap_or(""),
        bottom_right: &cancel_words(model, &shown.stage),
    };
    let mut inside = frame_box(pen, Rect { ..area }, &edge);
    for (y, line) in (0..).zip(body.iter().skip(offset).take(visible)) {
        inside.pieces(0, y, line);
    }
    let top = inside.height().saturating_sub(FOOT);
    let width = inside.width();
    foot(&mut inside.part(0, top, width, FOOT), model, shown);
}

fn level(model: &Model, shown: &PlanBox) -> Level {
    match &shown.stage {
        Stage::Shown { plan, .. } | Stage::Executing { plan, .. } | Stage::Unknown { plan, .. } => {
            plan.level
        }
        Stage::Gathering { .. } | Stage::Refused { .. } => model.level(&shown.workload),
    }
}

fn cancel_words(model: &Model, stage: &Stage) -> String {
    let back = words::key(model, Intent::Back);
    match stage {
        Stage::Gathering { .. } | Stage::Shown { .. } => format!("{back} cancels"),
        Stage::Refused { .. } | Stage::Unknown { .. } => format!("{back} closes"),
        Stage::Executing { .. } => format!("sent: {back} closes, it goes on"),
    }
}

fn body(model: &Model, shown: &PlanBox, width: u16) -> Lines {
    let mut lines = Lines::new();
    if let Some(moved) = &shown.moved {
        paragraph(
            &mut lines,
            &format!("The object moved while you looked: {moved}"),
            Role::Warn,
            width,
        );
        paragraph(&mut lines, "This is the new plan.", Role::Warn, width);
        lines.push(Vec::new());
    }
    match &shown.stage {
        Stage::Gathering { since } => {
            let words = format!(
                "reading the object, its revisions and its pods … {}",
                text::age(*since, model.now)
            );
            lines.push(vec![piece(words, Role::Plain)]);
        }
        Stage::Refused { failure } => {
            paragraph(&mut lines, &failure.sentence, Role::Bad, width);
            for hint in &failure.hints {
                paragraph(&mut lines, hint, Role::Plain, width);
            }
        }
        Stage::Shown { plan, verdicts, .. } | Stage::Executing { plan, verdicts, .. } => {
            arrow(&mut lines, plan, width);
            checks(&mut lines, plan, verdicts, width);
            consequences(&mut lines, plan, width);
        }
        Stage::Unknown { plan, why } => {
            arrow(&mut lines, plan, width);
            paragraph(
                &mut lines,
                "Whether it was written is not known.",
                Role::Bad,
                width,
            );
            paragraph(&mut lines, why, Role::Plain, width);
        }
    }
    lines
}

/// From -> to, the rule that chose, and what differs.
fn arrow(lines: &mut Lines, plan: &Plan, width: u16) {
    lines.push(vec![
        piece(side(&plan.from), Role::Plain),
        piece("  →  ", Role::Dim),
        piece(side(&plan.to), Role::Strong),
    ]);
    paragraph(lines, &format!("chosen: {}", plan.rule), Role::Dim, width);
    lines.push(Vec::new());
    let label = plan
        .differences
        .iter()
        .map(|d| text::width(&d.what))
        .max()
        .unwrap_or(0)
        .min(24);
    let mut before = "";
    for difference in &plan.differences {
        let what = if difference.what == before {
            ""
        } else {
            difference.what.as_str()
        };
        before = &difference.what;
        let what = padded(what, label);
        let room = width.saturating_sub(cells(&what) + 2);
        lines.push(vec![
            piece(format!("{what}  "), Role::Dim),
            piece(fit_change(&difference.text, room), Role::Plain),
        ]);
    }
    lines.push(Vec::new());
}

fn side(side: &Side) -> String {
    match &side.short_digest {
        Some(digest) => format!("{} (rev {}, {digest})", side.version, side.revision),
        None => format!("{} (rev {})", side.version, side.revision),
    }
}

/// One line a check: its finding in a word, then the sentence, on as many lines as it needs.
fn checks(lines: &mut Lines, plan: &Plan, verdicts: &[Verdict], width: u16) {
    for check in &plan.checks {
        let (word, role, sentence) = verdict(check, verdicts);
        let label = padded(word, 10);
        let room = width.saturating_sub(12);
        let wrapped = wrap(&sentence, room);
        let sentence_role = match role {
            Role::Bad => Role::Strong,
            Role::Plain
            | Role::Strong
            | Role::Dim
            | Role::Good
            | Role::Moving
            | Role::Warn
            | Role::Key
            | Role::Found => Role::Plain,
        };
        for (i, line) in wrapped.into_iter().enumerate() {
            let label = if i == 0 {
                label.clone()
            } else {
                padded("", 10)
            };
            lines.push(vec![
                piece(format!("{label}  "), role),
                piece(line, sentence_role),
            ]);
        }
    }
    lines.push(Vec::new());
}

fn verdict(check: &Check, verdicts: &[Verdict]) -> (&'static str, Role, String) {
    let answered = match &check.state {
        CheckState::Answered(verdict) => Some(verdict),
        CheckState::Asking(_) => verdicts.iter().find(|v| v.check == check.id),
    };
    match answered {
        Some(verdict) => {
            let (word, role) = theme::finding(verdict.finding);
            (word, role, verdict.sentence.clone())
        }
        None => ("asking", Role::Dim, format!("{} …", question(check.id))),
    }
}

/// What is being asked, while there is no answer.
fn question(check: CheckId) -> &'static str {
    match check {
        CheckId::Permission => "whether you may",
        CheckId::Unchanged => "whether it is still as you saw it",
        CheckId::Differs => "what differs",
        CheckId::DryRun => "whether the server accepts it (dry run)",
        CheckId::Config => "whether everything it names exists",
        CheckId::Owner => "who else writes it",
        CheckId::Paused => "whether it is paused",
    }
}

fn consequences(lines: &mut Lines, plan: &Plan, width: u16) {
    paragraph(lines, &plan.meanwhile, Role::Plain, width);
    for offer in &plan.offers {
        let word = if offer.taken { "added" } else { "offered" };
        let role = if offer.taken { Role::Good } else { Role::Dim };
        lines.push(vec![
            piece(format!("{}  ", padded(word, 10)), role),
            piece(offer.key.to_string(), Role::Key),
            piece(format!(" {}", offer.text), Role::Plain),
        ]);
    }
    let command = wrap(&plan.kubectl, width.saturating_sub(2));
    let last = command.len().saturating_sub(1);
    for (i, line) in command.into_iter().enumerate() {
        // As a shell takes it.
        let line = if i < last {
            format!("{} \\", line.trim_end())
        } else {
            line
        };
        lines.push(vec![piece(line, Role::Dim)]);
    }
}

/// What stands between the plan and the write, the fields, and the answer to the last key.
fn foot(pen: &mut Pen<'_>, model: &Model, shown: &PlanBox) {
    let (plan, verdicts) = match &shown.stage {
        Stage::Shown { plan, verdicts, .. } => (plan, verdicts),
        Stage::Executing { plan, step, .. } => {
            let steps = plan.all_steps().count();
            let words = format!("sending step {} of {steps} …", (step + 1).min(steps));
            pen.line(0, 1, &words, Role::Strong);
            return;
        }
        Stage::Gathering { .. } => return,
        Stage::Refused { .. } => {
            said(pen, shown);
            return;
        }
        Stage::Unknown { .. } => {
            pen.line(
                0,
                1,
                "It is not sent again by itself. The board shows what the cluster says.",
                Role::Plain,
            );
            return;
        }
    };
    let mut y = 0;
    if let Some(name) = &shown.name {
        let label = format!("type {} and press enter: ", plan.workload.name);
        let x = input(pen, 0, y, &label, name);
        if shown.reason.is_none() {
            pen.line(x + 3, y, "esc leaves the field", Role::Dim);
        }
        y += 1;
    }
    if let Some(reason) = &shown.reason {
        let label = if reason.overrides {
            "reason (goes into the record): "
        } else {
            "reason (optional, for the record): "
        };
        input(pen, 0, y, label, &reason.field);
        y += 1;
    } else if let Some(reason) = &shown.answers.reason {
        let end = pen.line(0, y, "reason: ", Role::Dim);
        pen.line(end, y, reason, Role::Plain);
        y += 1;
    }
    let missing = words::missing(model, shown);
    let typing = shown.name.is_some();
    let words = match missing.first() {
        // The field itself says it.
        Some(Missing::Confirmation | Missing::Name) if typing => String::new(),
        _ => next_words(model, plan, verdicts, &missing),
    };
    for line in wrap(&words, pen.width()).iter().take(2) {
        pen.line(0, y, line, Role::Strong);
        y += 1;
    }
    said(pen, shown);
}

fn said(pen: &mut Pen<'_>, shown: &PlanBox) {
    if let Some(said) = &shown.said {
        let y = pen.height().saturating_sub(1);
        pen.line(0, y, said, Role::Warn);
    }
}

/// The first thing that is missing decides what to say.
fn next_words(model: &Model, plan: &Plan, verdicts: &[Verdict], missing: &[Missing]) -> String {
    let Some(first) = missing.first() else {
        return "everything is given: enter sends it".to_owned();
    };
    let sentence = |check: CheckId| {
        verdicts
            .iter()
            .find(|v| v.check == check && v.finding == Finding::Block)
            .map_or_else(|| question(check).to_owned(), |v| v.sentence.clone())
    };
    match first {
        Missing::ReadOnly => {
            "This session is read-only: nothing is sent, dry runs included.".to_owned()
        }
        Missing::Arming => off(model),
        Missing::Answer(check) => {
            let others = missing
                .iter()
                .filter(|m| matches!(m, Missing::Answer(_)))
                .count();
            match others {
                1 => format!("not yet: asking {}", question(*check)),
                n => format!("not yet: {n} checks have not answered"),
            }
        }
        Missing::Blocked(check) => format!("This cannot be sent: {}", sentence(*check)),
        Missing::Override(check) => {
            let key = words::key(model, Intent::Override);
            format!("{key} and a reason override this: {}", sentence(*check))
        }
        Missing::Confirmation => match plan.level {
            Level::Open => format!("{} rolls back", words::key(model, Intent::Accept)),
            Level::Guarded => format!("{} rolls back", words::key(model, Intent::Confirm)),
            Level::Protected => match model.arming {
                Some(_) => {
                    let key = words::key(model, Intent::Confirm);
                    format!("{key}, then type {}", plan.workload.name)
                }
                None => off(model),
            },
        },
        Missing::Name => format!("type {} to confirm", plan.workload.name),
    }
}

fn off(model: &Model) -> String {
    let key = words::key(model, Intent::Arm);
    format!("Writes are off here: {key} arms them for ten minutes.")
}

fn paragraph(lines: &mut Lines, words: &str, role: Role, width: u16) {
    for line in wrap(words, width) {
        lines.push(vec![piece(line, role)]);
    }
}

fn padded(words: &str, cells: usize) -> String {
    text::pad(&text::escape(words), cells)
}
