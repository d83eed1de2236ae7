//! The menu of programs that the terminal can be handed to, each with its exact command line.

use crate::app::Model;
use crate::app::effect::typed;
use crate::app::handover::Offer;
use crate::app::layout::scrolled;
use crate::app::model::HandOverMenu;
use crate::app::update::handover::refusal;
use crate::text;

use super::super::theme::Role;
use super::super::widgets::frame_box::{Edge, centered, frame_box};
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, cells};
use super::super::widgets::table::scroll_mark;

/// Lines below the list: a rule, the command in full, what stands against it or what is asked.
const LINES: u16 = 5;

pub fn handover(pen: &mut Pen<'_>, model: &Model, menu: &HandOverMenu) {
    let width = pen.width().saturating_sub(4).min(116);
    let wanted = u16::try_from(menu.offers.len().max(1)).unwrap_or(u16::MAX);
    let height = wanted.saturating_add(LINES + 2).min(pen.height());
    let area = centered(pen.area, width, height);
    let rows = usize::from(area.height.saturating_sub(LINES + 2));
    let offset = scrolled(0, menu.selected, rows);
    let mark = scroll_mark(offset, rows, menu.offers.len());
    let title = format!("HAND OVER  {}", menu.subject.object());
    let edge = Edge {
        title: &title,
        bottom_left: mark.as_deref().unwrap_or(""),
        bottom_right: "enter starts it, esc closes",
        ..Edge::default()
    };
    let mut inside = frame_box(pen, area, &edge);
    let names = menu.offers.iter().map(|offer| cells(&offer.name)).max();
    let names = names.unwrap_or(0).min(28);
    for (y, (i, offer)) in (0..).zip(menu.offers.iter().enumerate().skip(offset).take(rows)) {
        let chosen = i == menu.selected;
        let stands = why_not(model, menu, offer).is_none();
        let role = match (stands, chosen) {
            (false, _) => Role::Dim,
            (true, true) => Role::Strong,
            (true, false) => Role::Plain,
        };
        if chosen {
            inside.put(0, y, 1, "❯", Role::Key);
        }
        let key = offer.key.map(String::from).unwrap_or_default();
        inside.put(2, y, 1, &key, Role::Key);
        inside.put(4, y, names, &offer.name, role);
        inside.line(names + 6, y, &typed(&offer.shown()), Role::Dim);
    }
    let foot = inside.height().saturating_sub(LINES);
    inside.row(foot, "─", Role::Dim);
    if let Some(offer) = menu.offers.get(menu.selected) {
        told(&mut inside, foot + 1, (model, menu), offer);
    }
}

/// The whole command, and below it what is asked for or what stands against it.
fn told(pen: &mut Pen<'_>, y: u16, (model, menu): (&Model, &HandOverMenu), offer: &Offer) {
    let answer = menu.asking.as_ref().map_or("", |field| field.value());
    let arguments = match answer.trim() {
        "" => offer.shown(),
        answer => offer.answered(answer),
    };
    let line = text::escape(&typed(&arguments)).into_owned();
    let most = usize::from(LINES) - 2;
    for (y, piece) in (y..).zip(
        text::pieces(&line, usize::from(pen.width()))
            .into_iter()
            .take(most),
    ) {
        pen.line(0, y, piece, Role::Plain);
    }
    let last = pen.height().saturating_sub(1);
    match (&menu.asking, why_not(model, menu, offer)) {
        (Some(field), _) => {
            let label = format!("{}: ", offer.asks.as_deref().unwrap_or_default());
            input(pen, 0, last, &label, field);
        }
        (None, Some(why)) => {
            pen.line(0, last, &why, Role::Warn);
        }
        (None, None) => {}
    }
}

fn why_not(model: &Model, menu: &HandOverMenu, offer: &Offer) -> Option<String> {
    let program = offer.arguments.first();
    let missing = program.filter(|program| menu.missing.contains(program));
    let missing = missing.map(|program| format!("{program} is not on the PATH"));
    missing.or_else(|| refusal(model, &menu.subject, offer))
}
