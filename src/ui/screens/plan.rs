//! A plan, over any screen: what will be written, what was verified first, and what is still missing to confirm it.

use ratatui::layout::Rect;

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::{PlanBox, Stage};
use crate::app::words;
use crate::domain::Level;
use crate::plan::check::CheckState;
use crate::plan::{CheckId, Finding, Missing, Offer, Plan, Verdict};
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::frame_box::{Edge, centered, frame_box};
use super::super::widgets::input::input;
use super::super::widgets::pen::Pen;
use body::question;

pub mod asked;
pub mod body;
mod image;

/// Wider than this a line is hard to read.
const WIDEST: u16 = 96;

/// Lines that stay in sight at the bottom while the rest scrolls.
const FOOT: u16 = 4;

pub fn plan(pen: &mut Pen<'_>, model: &Model, shown: &PlanBox) {
    let (width, rows) = room(pen.area);
    let body = body::body(model, shown, width.saturating_sub(4), usize::from(rows));
    let body_rows = u16::try_from(body.lines.len()).unwrap_or(rows);
    let height = (body_rows + FOOT + 3).min(pen.height());
    let area = centered(pen.area, width, height);
    let level = level(model, shown);
    let (word, role) = theme::level(level);
    let title = format!(
        "{}  {}  in {} / {}",
        shown.request.verb.words().plain.to_uppercase(),
        shown.workload,
        shown.workload.cluster,
        shown.workload.namespace
    );
    let edge = Edge {
        title: &title,
        top_right: (word, Some(role)),
        bottom_left: &body.mark,
        bottom_right: &way_back(model, shown),
    };
    let mut inside = frame_box(pen, Rect { ..area }, &edge);
    for (y, line) in (0..).zip(&body.lines) {
        inside.pieces(0, y, line);
    }
    let top = inside.height().saturating_sub(FOOT);
    let width = inside.width();
    foot(&mut inside.part(0, top, width, FOOT), model, shown);
}

/// How far its keys scroll it when it is drawn over `area`.
pub fn furthest(area: Rect, model: &Model, shown: &PlanBox) -> usize {
    let (width, rows) = room(area);
    body::furthest(model, shown, width.saturating_sub(4), usize::from(rows))
}

/// The width of the box, and the most lines above its foot.
fn room(area: Rect) -> (u16, u16) {
    let width = area.width.saturating_sub(2).min(WIDEST);
    (width, area.height.saturating_sub(FOOT + 3))
}

fn level(model: &Model, shown: &PlanBox) -> Level {
    match &shown.stage {
        Stage::Shown { plan, .. } | Stage::Executing { plan, .. } | Stage::Unknown { plan, .. } => {
            plan.level
        }
        Stage::Asking(_) | Stage::Gathering { .. } | Stage::Refused { .. } => {
            model.level(&shown.workload)
        }
    }
}

fn way_back(model: &Model, shown: &PlanBox) -> String {
    let back = words::key(model, Intent::Back);
    match &shown.stage {
        Stage::Asking(_) => "esc cancels".to_owned(),
        // In a field the keys are no commands.
        _ if shown.typing() => "esc leaves the field".to_owned(),
        Stage::Gathering { .. } | Stage::Shown { .. } => format!("{back} cancels"),
        Stage::Refused { .. } | Stage::Unknown { .. } => format!("{back} closes"),
        Stage::Executing { .. } => format!("sent: {back} closes, it goes on"),
    }
}

/// What stands between the plan and the write, the fields, and the answer to the last key.
fn foot(pen: &mut Pen<'_>, model: &Model, shown: &PlanBox) {
    let (plan, verdicts) = match &shown.stage {
        Stage::Shown { plan, verdicts, .. } => (plan, verdicts),
        Stage::Executing {
            plan,
            step,
            waiting,
            ..
        } => {
            let steps = plan.all_steps().count();
            let words = format!("sending step {} of {steps} …", (step + 1).min(steps));
            pen.line(0, 1, &words, Role::Strong);
            if let Some(waiting) = waiting {
                pen.line(0, 2, waiting, Role::Plain);
            }
            return;
        }
        Stage::Asking(question) => {
            asked::field(pen, question);
            said(pen, shown);
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
        input(pen, 0, y, &label, name);
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
    for line in text::wrap(&words, usize::from(pen.width())).iter().take(2) {
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
    let known = plan.checks.iter().filter_map(|check| match &check.state {
        CheckState::Answered(verdict) => Some(verdict),
        CheckState::Asking(_) => None,
    });
    let sentence = |check: CheckId| {
        verdicts
            .iter()
            .chain(known.clone())
            .find(|v| v.check == check && v.finding == Finding::Block)
            .map_or_else(|| question(check).to_owned(), |v| v.sentence.clone())
    };
    let does = plan.request.verb.words().does;
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
            let lifts = |o: &&Offer| {
                let copied = o.copies.is_some() && *check == CheckId::Image;
                copied || o.instead.as_ref().is_some_and(|v| v.check == *check)
            };
            let offer = plan.offers.iter().find(lifts);
            let offer = offer.map(|o| format!("{} takes the way out that is offered; ", o.key));
            let offer = offer.unwrap_or_default();
            format!(
                "{offer}{key} and a reason override this: {}",
                sentence(*check)
            )
        }
        Missing::Confirmation => match plan.level {
            Level::Open => format!("{} {does}", words::key(model, Intent::Accept)),
            Level::Guarded => format!("{} {does}", words::key(model, Intent::Confirm)),
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

/// How writes come on.
pub fn off(model: &Model) -> String {
    let key = words::key(model, Intent::Arm);
    format!("Writes are off here: {key} arms them for ten minutes.")
}
