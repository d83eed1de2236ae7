//! The plan of an image that is built from a folder or copied, over any screen: from what, to where, and what was found.

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::{ImageBox, ImageStage};
use crate::app::update::image::{has_other_way, missing};
use crate::app::words;
use crate::domain::Level;
use crate::plan::image::Asked;
use crate::plan::{ImagePlan, Missing};
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::frame_box::{Edge, centered, frame_box};
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, Piece, piece};
use super::plan::off;

const WIDEST: u16 = 96;
/// Cells of the words before a fact and a check.
const LABEL: usize = 10;
/// Lines that stay in sight at the bottom: the field or the next key, on two lines, and the answer to the last one.
const FOOT: u16 = 4;

pub fn image(pen: &mut Pen<'_>, model: &Model, shown: &ImageBox) {
    let width = pen.width().saturating_sub(2).min(WIDEST);
    let lines = lines(model, shown, usize::from(width.saturating_sub(4)));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let height = height.saturating_add(FOOT + 2).min(pen.height());
    let area = centered(pen.area, width, height);
    let (word, role) = theme::level(shown.ask.level);
    let id = &shown.ask.workload;
    let title = match &shown.ask.what {
        Asked::Build { .. } => format!("BUILD  {id}  from its folder"),
        Asked::Copy { .. } => format!("COPY IMAGE  for {id}"),
    };
    let way = way(model, shown);
    let edge = Edge {
        title: &title,
        top_right: (word, Some(role)),
        bottom_right: &way,
        ..Edge::default()
    };
    let mut inside = frame_box(pen, area, &edge);
    let top = inside.height().saturating_sub(FOOT);
    for (y, line) in (0..top).zip(&lines) {
        inside.pieces(0, y, line);
    }
    let width = inside.width();
    foot(&mut inside.part(0, top, width, FOOT), model, shown);
}

fn way(model: &Model, shown: &ImageBox) -> String {
    if shown.typing() {
        return "esc leaves the field".into();
    }
    let back = words::key(model, Intent::Back);
    if has_other_way(model, shown) {
        let other = words::key(model, Intent::OtherBuild);
        return format!("{other} by its server, {back} cancels");
    }
    match shown.back {
        Some(_) => format!("{back} goes back to the plan"),
        None => format!("{back} cancels"),
    }
}

fn lines(model: &Model, shown: &ImageBox, width: usize) -> Vec<Vec<Piece>> {
    let said = |words: &str, role| -> Vec<Vec<Piece>> {
        let wrapped = text::wrap(words, width).into_iter();
        wrapped.map(|line| vec![piece(line, role)]).collect()
    };
    match &shown.stage {
        ImageStage::Reading => {
            let asked = match &shown.ask.what {
                Asked::Build { .. } => "asking the folder, git, the engine and the registry …",
                Asked::Copy { .. } => "asking both registries …",
            };
            said(asked, Role::Dim)
        }
        ImageStage::Refused(failure) => {
            let mut lines = said(&failure.sentence, Role::Bad);
            let builds = matches!(shown.ask.what, Asked::Build { .. });
            if let Some(since) = model.chain.engine().since().filter(|_| builds) {
                let silence = text::age(since, model.now);
                lines.extend(said(&format!("no answer for {silence}"), Role::Dim));
            }
            for hint in &failure.hints {
                lines.extend(said(hint, Role::Plain));
            }
            lines
        }
        ImageStage::Shown(plan) => of_plan(plan, width),
    }
}

fn of_plan(plan: &ImagePlan, width: usize) -> Vec<Vec<Piece>> {
    let labelled = |label: &str, words: &str, role| {
        let wrapped = text::wrap(words, width.saturating_sub(LABEL + 2));
        let labels = std::iter::once(label).chain(std::iter::repeat(""));
        let line = |(label, line): (&str, String)| {
            let label = format!("{}  ", text::pad(label, LABEL));
            vec![piece(label, role), piece(line, Role::Plain)]
        };
        labels.zip(wrapped).map(line).collect::<Vec<_>>()
    };
    let mut lines = Vec::new();
    for (about, words) in plan.facts() {
        lines.extend(labelled(about, &words, Role::Dim));
    }
    lines.push(Vec::new());
    for verdict in &plan.checks {
        let (word, role) = theme::finding(verdict.finding);
        lines.extend(labelled(word, &verdict.sentence, role));
    }
    lines
}

fn foot(pen: &mut Pen<'_>, model: &Model, shown: &ImageBox) {
    pen.row(0, "─", Role::Dim);
    if let Some(name) = &shown.name {
        let label = format!("type {} and press enter: ", shown.ask.workload.name);
        input(pen, 0, 1, &label, name);
    } else if let Some(reason) = &shown.reason {
        input(pen, 0, 1, "reason, for the record: ", &reason.field);
    } else if let ImageStage::Shown(plan) = &shown.stage {
        let words = next(model, plan, &missing(model, shown));
        for (y, line) in (1..3).zip(text::wrap(&words, usize::from(pen.width()))) {
            pen.line(0, y, &line, Role::Strong);
        }
    }
    if let Some(words) = &shown.said {
        pen.line(0, 3, words, Role::Warn);
    }
}

/// The first thing that is missing, and its key.
fn next(model: &Model, plan: &ImagePlan, missing: &[Missing]) -> String {
    let key = |intent| words::key(model, intent);
    match missing.first() {
        Some(Missing::ReadOnly) => "This session is read-only: nothing is sent.".into(),
        Some(Missing::Arming) => off(model),
        Some(Missing::Override(check)) => {
            let mut blocks = plan.checks.iter().filter(|verdict| verdict.check == *check);
            let why = blocks.next().map_or("", |verdict| &verdict.sentence);
            format!(
                "{} and a reason override this: {why}",
                key(Intent::Override)
            )
        }
        Some(Missing::Confirmation | Missing::Name) | None => match plan.level {
            Level::Open => format!("{} does it", key(Intent::Accept)),
            Level::Guarded => format!("{} does it", key(Intent::Confirm)),
            Level::Protected => {
                format!("{}, then type {}", key(Intent::Confirm), plan.workload.name)
            }
        },
        // No check of an image asks for more.
        Some(Missing::Answer(_) | Missing::Blocked(_)) => String::new(),
    }
}
