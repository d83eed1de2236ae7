//! From the model to cells.

mod screens;
mod theme;
mod widgets;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::Model;
use crate::app::model::{Overlay, Screen};
use crate::app::{layout, notes::notes as app_notes, words};
use crate::domain::WorkloadId;

use screens::nothing;
use theme::Theme;
use widgets::pen::Pen;
use widgets::{header, hints, notes};

/// Below this there is no room to say anything true.
const LEAST: (u16, u16) = (30, 6);

/// Draws everything. It reads the model and nothing else, and costs what is visible.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let theme = Theme::new(&model.settings.display);
    let mut pen = Pen::new(frame.buffer_mut(), area, theme);
    if area.width < LEAST.0 || area.height < LEAST.1 {
        pen.line(0, 0, "too small: 30x6 at least", theme::Role::Warn);
    } else {
        draw(&mut pen, model);
    }
    if theme.ascii {
        theme::to_ascii(frame.buffer_mut());
    }
}

/// How far what lies over the screen can be scrolled, as it is drawn now.
pub fn furthest(model: &Model) -> usize {
    let area = Rect::new(0, 1, model.width, model.height.saturating_sub(2));
    match &model.overlay {
        Some(Overlay::Help { .. }) => screens::help::furthest(area, &words::help(model)),
        Some(Overlay::Plan(shown)) => screens::plan::furthest(area, model, shown),
        Some(Overlay::Batch) => {
            let row = model
                .batch
                .as_ref()
                .and_then(|batch| batch.rows.get(batch.at));
            row.map_or(0, |row| screens::plan::furthest(area, model, &row.shown))
        }
        Some(
            Overlay::SortKey
            | Overlay::HandOver(_)
            | Overlay::Build(_)
            | Overlay::Image(_)
            | Overlay::Palette { .. }
            | Overlay::Picker { .. },
        )
        | None => 0,
    }
}

fn draw(pen: &mut Pen<'_>, model: &Model) {
    let (width, height) = (pen.width(), pen.height());
    header::header(&mut pen.part(0, 0, width, 1), model, about(model));
    let note_rows = u16::try_from(layout::note_rows(model)).unwrap_or(0);
    let body_rows = height - 2 - note_rows;
    let mut body = pen.part(0, 1, width, body_rows);
    screen(&mut body, model);
    screens::follow::follows(&mut body, model);
    notes::draw(
        &mut pen.part(0, 1 + body_rows, width, note_rows),
        &app_notes(model),
    );
    hints::hints(&mut pen.part(0, height - 1, width, 1), &words::hints(model));
    overlay(&mut pen.part(0, 1, width, height - 2), model);
}

fn screen(body: &mut Pen<'_>, model: &Model) {
    match model.screens.last() {
        None if nothing::applies(model) => nothing::nothing(body, model),
        None => screens::board::board(body, model),
        Some(Screen::Service(service)) => screens::service::service(body, model, service),
        Some(Screen::Logs(logs)) => screens::logs::logs(body, model, logs),
        Some(Screen::Text(text)) => screens::text::text(body, model, text),
        Some(Screen::Doctor(doctor)) => screens::doctor::doctor(body, model, doctor),
        Some(Screen::Table(table)) => screens::table::table(body, model, table),
        Some(Screen::Record(record)) => screens::record::record(body, model, record),
        Some(Screen::Changes(changes)) => screens::changes::changes(body, model, changes),
        Some(Screen::Matrix(matrix)) => screens::matrix::matrix(body, model, matrix),
        Some(Screen::Builds(builds)) => screens::builds::builds(body, model, builds),
    }
}

fn overlay(pen: &mut Pen<'_>, model: &Model) {
    match &model.overlay {
        None | Some(Overlay::SortKey) => {}
        Some(Overlay::Help { offset }) => screens::help::help(pen, &words::help(model), *offset),
        Some(Overlay::Palette { field, selected }) => {
            screens::palette::chooser(
                pen,
                "COMMAND",
                (":", field),
                (&words::choices(model, field.value()), *selected),
                "no such command",
            );
        }
        Some(Overlay::Picker {
            of,
            field,
            selected,
            names,
            ..
        }) => {
            screens::picker::picker(pen, model, *of, (field, *selected, names));
        }
        Some(Overlay::HandOver(menu)) => screens::handover::handover(pen, model, menu),
        Some(Overlay::Build(shown)) => screens::build::build(pen, model, shown),
        Some(Overlay::Image(shown)) => screens::image::image(pen, model, shown),
        Some(Overlay::Plan(shown)) => screens::plan::plan(pen, model, shown),
        Some(Overlay::Batch) => {
            if let Some(batch) = &model.batch {
                screens::batch::batch(pen, model, batch);
            }
        }
    }
}

/// The workload that the screen is about, for the header.
fn about(model: &Model) -> Option<&WorkloadId> {
    match model.screens.last()? {
        Screen::Service(service) => Some(&service.workload),
        Screen::Logs(logs) => Some(&logs.workload),
        Screen::Text(text) => match &text.kind {
            crate::app::model::TextKind::Events(id)
            | crate::app::model::TextKind::Making(id)
            | crate::app::model::TextKind::BuildLog(_, id) => Some(id),
            crate::app::model::TextKind::Releases(of) => Some(&of.workload),
            crate::app::model::TextKind::Occurrence(id) => id.as_ref(),
            crate::app::model::TextKind::Comparison { revisions, .. } => Some(&revisions.workload),
            crate::app::model::TextKind::Action { workload, .. } => Some(workload),
            crate::app::model::TextKind::Yaml(of)
            | crate::app::model::TextKind::Description(of) => match of {
                crate::app::effect::YamlOf::Object { .. } => None,
                crate::app::effect::YamlOf::Workload(id) => Some(id),
                crate::app::effect::YamlOf::Pod { workload, .. }
                | crate::app::effect::YamlOf::Revision { workload, .. } => Some(workload),
            },
        },
        Screen::Changes(changes) => changes.service.as_ref(),
        Screen::Builds(builds) => Some(&builds.workload),
        Screen::Matrix(matrix) => crate::app::update::matrix::about(matrix),
        Screen::Doctor(_) | Screen::Table(_) | Screen::Record(_) => None,
    }
}
