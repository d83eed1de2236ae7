//! A build to be started or stopped, over any screen: its parameters, what will be asked, and what became of it.

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::{BuildBox, BuildStage};
use crate::app::update::build::{has_other_way, said};
use crate::app::words;
use crate::domain::Level;
use crate::domain::build::{Parameter, ParameterKind};
use crate::plan::BuildProgress;
use crate::plan::build::Act;
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::frame_box::{Edge, centered, frame_box};
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, cells};
use super::nothing::wrapped;

const WIDEST: u16 = 96;
/// Lines below the parameters: what will be asked, on two lines, and what stands between.
const FOOT: u16 = 5;

pub fn build(pen: &mut Pen<'_>, model: &Model, shown: &BuildBox) {
    let width = pen.width().saturating_sub(2).min(WIDEST);
    let lines = u16::try_from(shown.fields.len()).unwrap_or(u16::MAX);
    let height = lines.saturating_add(FOOT + 3).min(pen.height());
    let area = centered(pen.area, width, height);
    let (word, role) = theme::level(shown.wish.level);
    let job = &shown.wish.job.id;
    let verb = match shown.wish.act {
        Act::Start(_) => "BUILD",
        Act::Stop(_) => "STOP BUILD",
        Act::Cancel(_) => "TAKE OUT OF THE QUEUE",
        Act::Hold(_) => "HOLD THE JOB",
        Act::Resume(_) => "END THE HOLD",
    };
    let title = format!("{verb}  {}  on {}", job.path, job.server);
    let edge = Edge {
        title: &title,
        top_right: (word, Some(role)),
        bottom_right: &way_back(model, shown),
        ..Edge::default()
    };
    let mut inside = frame_box(pen, area, &edge);
    let rows = inside.height().saturating_sub(FOOT);
    fields(&mut inside, shown, rows);
    let (width, height) = (inside.width(), inside.height());
    foot(
        &mut inside.part(0, height - FOOT.min(height), width, FOOT),
        shown,
    );
}

fn way_back(model: &Model, shown: &BuildBox) -> String {
    let back = match &shown.stage {
        _ if shown.name.is_some() => "esc leaves the field",
        BuildStage::Reading | BuildStage::Filling => "esc cancels",
        BuildStage::Ready => "esc goes back",
        BuildStage::Asked => "asked: esc closes, it goes on",
        BuildStage::Went(_) => "esc closes",
    };
    if has_other_way(model, shown) {
        let other = words::key(model, Intent::OtherBuild);
        return format!("{other} from its folder, {back}");
    }
    back.to_owned()
}

fn fields(pen: &mut Pen<'_>, shown: &BuildBox, rows: u16) {
    let names = shown
        .fields
        .iter()
        .map(|(p, _)| cells(&text::escape(&p.name)));
    let names = names.max().unwrap_or(0).min(28);
    let first = shown.at.saturating_sub(usize::from(rows).saturating_sub(1));
    for (y, (i, (parameter, field))) in (0..rows).zip(shown.fields.iter().enumerate().skip(first)) {
        let here = i == shown.at && shown.stage == BuildStage::Filling;
        if here {
            pen.put(0, y, 1, "❯", Role::Key);
        }
        pen.put(2, y, names, &parameter.name, Role::Plain);
        let x = names + 4;
        let end = match (here, &parameter.kind) {
            (_, ParameterKind::Password) => {
                let stars = "*".repeat(field.value().chars().count());
                pen.line(x, y, if here { "_" } else { &stars }, Role::Plain)
            }
            (true, _) => input(pen, x, y, "", field),
            (false, _) => pen.line(x, y, field.value(), Role::Strong),
        };
        pen.line(end + 2, y, &about(parameter), Role::Dim);
    }
}

/// What may be given.
fn about(parameter: &Parameter) -> String {
    match &parameter.kind {
        ParameterKind::Choice(choices) => format!("one of {}", choices.join(", ")),
        ParameterKind::Flag => "true or false".into(),
        ParameterKind::Password => "not shown; empty: its default".into(),
        ParameterKind::Other(kind) => format!("a {kind}: cannot be given from here"),
        ParameterKind::Text => parameter.description.as_deref().unwrap_or("").into(),
    }
}

fn foot(pen: &mut Pen<'_>, shown: &BuildBox) {
    pen.row(0, "─", Role::Dim);
    match &shown.stage {
        BuildStage::Reading => {
            pen.line(0, 1, "reading what the job asks for …", Role::Dim);
        }
        BuildStage::Filling => {
            pen.line(
                0,
                1,
                "enter when all is said; tab takes the next choice",
                Role::Dim,
            );
        }
        BuildStage::Ready => {
            wrapped(pen, 0, 1, &shown.wish.what(), Role::Strong);
            let words = match shown.wish.level {
                Level::Open => "enter does it",
                Level::Guarded => "y does it",
                Level::Protected => "y, then the service's name",
            };
            pen.line(0, 3, words, Role::Plain);
        }
        BuildStage::Asked => {
            pen.line(0, 1, "asking …", Role::Strong);
        }
        BuildStage::Went(progress) => {
            let (words, bad) = said(progress);
            let role = if bad { Role::Bad } else { Role::Good };
            wrapped(pen, 0, 1, &words, role);
            let more = match progress {
                BuildProgress::Accepted { .. } => "its build is looked for …",
                BuildProgress::Builds(_) => "enter shows its log",
                BuildProgress::Refused(_)
                | BuildProgress::Unknown(_)
                | BuildProgress::Lost(_)
                | BuildProgress::Done(_) => "",
            };
            pen.line(0, 4, more, Role::Dim);
        }
    }
    if let Some(name) = &shown.name {
        let label = format!("type {}: ", shown.wish.workload.name);
        input(pen, 0, 3, &label, name);
    }
    if let Some(words) = &shown.said {
        pen.line(0, 4, words, Role::Warn);
    }
}
