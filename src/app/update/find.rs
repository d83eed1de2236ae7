//! Searching in what is read, logs and texts alike: the field, and the way from place to place.

use crate::app::keymap::Key;
use crate::app::logs::LogScreen;
use crate::app::model::{Model, Screen, Search};

use super::key::{self, Typed};
use super::{logs, notice};

/// From where, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In logs from the end backwards: the newest place is the one that matters.
    First,
    Next,
    Previous,
}

pub fn key(model: &mut Model, pressed: Key) {
    let search = match model.screens.last_mut() {
        Some(Screen::Logs(screen)) if screen.only.open => return only_key(screen, pressed),
        Some(Screen::Logs(screen)) => &mut screen.search,
        Some(Screen::Text(screen)) => &mut screen.search,
        Some(
            Screen::Service(_)
            | Screen::Doctor(_)
            | Screen::Table(_)
            | Screen::Record(_)
            | Screen::Builds(_)
            | Screen::Changes(_)
            | Screen::Matrix(_),
        )
        | None => return,
    };
    match key::typed(&mut search.field, pressed) {
        Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
        Typed::Left => *search = Search::default(),
        Typed::Taken => {
            search.open = false;
            if !search.field.value().is_empty() {
                go(model, Way::First);
            }
        }
    }
}

/// Narrows while one types; esc shows all lines again.
fn only_key(screen: &mut LogScreen, pressed: Key) {
    let only = &mut screen.only;
    match key::typed(&mut only.field, pressed) {
        Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
        Typed::Left => *only = Search::default(),
        Typed::Taken => only.open = false,
    }
    screen.kept.only(screen.only.field.value());
}

/// To another place that holds what was searched for, or says that there is none.
pub fn go(model: &mut Model, way: Way) {
    let last = logs::last_top(model);
    let found = match model.screens.last_mut() {
        Some(Screen::Logs(screen)) => {
            let total = screen.kept.len();
            let at = screen.at.map(|at| screen.kept.place(at));
            let top = at.unwrap_or(last);
            let (from, forward) = match way {
                Way::First => (at.unwrap_or(total), false),
                Way::Next => (top + 1, true),
                Way::Previous => (top, false),
            };
            let lines = screen.kept.lines().map(|line| &*line.text);
            let at = found(lines, screen.search.field.value(), from, forward);
            if let Some(at) = at {
                screen.at = Some(screen.kept.number(at));
            }
            at
        }
        Some(Screen::Text(screen)) => {
            let document = screen.document.value();
            let lines = document.map_or(&[][..], |document| &document.lines);
            let lines = lines.iter().map(String::as_str);
            let (from, forward) = match way {
                Way::First => (screen.offset, true),
                Way::Next => (screen.offset + 1, true),
                Way::Previous => (screen.offset, false),
            };
            let at = found(lines, screen.search.field.value(), from, forward);
            screen.offset = at.unwrap_or(screen.offset);
            at
        }
        Some(
            Screen::Service(_)
            | Screen::Doctor(_)
            | Screen::Table(_)
            | Screen::Record(_)
            | Screen::Builds(_)
            | Screen::Changes(_)
            | Screen::Matrix(_),
        )
        | None => return,
    };
    if found.is_none() {
        notice(model, "not found", false);
    }
}

/// The first line that holds the text, from one on or going back from the one before it; capitals do not matter.
fn found<'a>(
    lines: impl ExactSizeIterator<Item = &'a str> + DoubleEndedIterator,
    text: &str,
    from: usize,
    forward: bool,
) -> Option<usize> {
    let text = text.to_lowercase();
    let holds = |line: &str| line.to_lowercase().contains(&text);
    if text.is_empty() {
        return None;
    }
    let mut numbered = lines.enumerate();
    if forward {
        numbered
            .find(|(i, line)| *i >= from && holds(line))
            .map(|(i, _)| i)
    } else {
        numbered
            .rev()
            .find(|(i, line)| *i < from && holds(line))
            .map(|(i, _)| i)
    }
}
