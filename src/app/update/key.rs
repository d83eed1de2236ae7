//! Keys: to the field that is open, else to the meaning the keymap gives them in this place.

use tui_input::InputRequest;

use crate::app::effect::Effect;
use crate::app::field::Field;
use crate::app::intent::{Intent, Place};
use crate::app::keymap::{Code, Key};
use crate::app::model::{Model, Overlay, Picked, Screen};

use super::{
    arm, batch, board, build, builds, changes, clusters, doctor, find, follow, handover, image,
    login, logs, matrix, namespaces, notice, palette, picker, plan, record, service, table, text,
};

/// More lines than anything that lies over the screen has; how many it has depends on how it is drawn.
pub const LONGEST: usize = 10_000;
/// Lines of the longest text that a paste may bring into a field.
const PASTE: usize = 1_000;

pub fn pressed(model: &mut Model, key: Key) -> Vec<Effect> {
    // What one sees when a key is pressed is what the key is about: from here on the cursor stays.
    model.board.held = true;
    model.dirty = true;
    model.command = None;
    arm::stay(model);
    if model.settings.keymap.keys(Intent::Quit).contains(&key) {
        return vec![Effect::Quit];
    }
    match &model.overlay {
        Some(Overlay::SortKey) => board::sort_key(model, key),
        Some(Overlay::Palette { .. }) => palette::key(model, key),
        Some(Overlay::Picker { .. }) => picker::key(model, key),
        Some(Overlay::HandOver(_)) => handover::key(model, key),
        Some(Overlay::Build(_)) => build::key(model, key),
        Some(Overlay::Plan(shown)) if shown.typing() => plan::field_key(model, key),
        Some(Overlay::Image(shown)) if shown.typing() => image::field_key(model, key),
        Some(Overlay::Batch) if batch_types(model) => batch::field_key(model, key),
        Some(Overlay::Plan(_) | Overlay::Image(_) | Overlay::Batch | Overlay::Help { .. })
        | None => {
            if typing(model) {
                field_key(model, key)
            } else {
                meant(model, key)
            }
        }
    }
}

pub fn pasted(model: &mut Model, text: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let in_field = match &model.overlay {
        Some(Overlay::Palette { .. } | Overlay::Picker { .. }) => true,
        Some(Overlay::Plan(shown)) => shown.typing(),
        Some(Overlay::Image(shown)) => shown.typing(),
        Some(Overlay::HandOver(menu)) => handover::typing(menu),
        Some(Overlay::Build(shown)) => shown.typing(),
        Some(Overlay::Batch) => batch_types(model),
        Some(Overlay::SortKey | Overlay::Help { .. }) => false,
        None => typing(model),
    };
    if !in_field {
        // Pasted text is never a row of commands.
        notice(model, "pasted text is ignored here", false);
        return effects;
    }
    for c in text.chars().filter(|c| !c.is_control()).take(PASTE) {
        effects.extend(pressed(model, Key::char(c)));
    }
    effects
}

fn batch_types(model: &Model) -> bool {
    model.batch.as_deref().is_some_and(batch::typing)
}

/// A field of the screen itself takes the keys.
fn typing(model: &Model) -> bool {
    model.overlay.is_none()
        && match model.screens.last() {
            None => model.board.filtering,
            Some(Screen::Logs(screen)) => screen.search.open || screen.only.open,
            Some(Screen::Text(screen)) => screen.search.open,
            Some(Screen::Record(screen)) => screen.filtering,
            Some(Screen::Changes(screen)) => screen.filtering || screen.moment.is_some(),
            Some(Screen::Matrix(screen)) => screen.filtering,
            Some(Screen::Table(screen)) => screen.filtering,
            Some(Screen::Service(_) | Screen::Doctor(_) | Screen::Builds(_)) => false,
        }
}

fn field_key(model: &mut Model, key: Key) -> Vec<Effect> {
    match model.screens.last() {
        None => board::filter_key(model, key),
        Some(Screen::Record(_)) => record::filter_key(model, key),
        Some(Screen::Changes(_)) => changes::field_key(model, key),
        Some(Screen::Matrix(_)) => matrix::filter_key(model, key),
        Some(Screen::Table(_)) => table::filter_key(model, key),
        Some(_) => find::key(model, key),
    }
    Vec::new()
}

/// Where the keys go now.
pub fn place(model: &Model) -> Place {
    match (&model.overlay, model.screens.last()) {
        (Some(Overlay::Plan(_) | Overlay::Image(_) | Overlay::Batch), _) => Place::Plan,
        (Some(Overlay::Help { .. }), _) => Place::Help,
        (
            Some(
                Overlay::SortKey
                | Overlay::HandOver(_)
                | Overlay::Build(_)
                | Overlay::Palette { .. }
                | Overlay::Picker { .. },
            )
            | None,
            screen,
        ) => match screen {
            None => Place::Board,
            Some(Screen::Service(_)) => Place::Service,
            Some(Screen::Logs(_)) => Place::Logs,
            Some(Screen::Text(_)) => Place::Text,
            Some(Screen::Doctor(_)) => Place::Doctor,
            Some(Screen::Record(_)) => Place::Record,
            Some(Screen::Changes(_)) => Place::Changes,
            Some(Screen::Matrix(_)) => Place::Matrix,
            Some(Screen::Builds(_)) => Place::Builds,
            Some(Screen::Table(_)) => Place::Table,
        },
    }
}

fn meant(model: &mut Model, key: Key) -> Vec<Effect> {
    let place = place(model);
    if place == Place::Plan
        && let Some(effects) = plan::offer_key(model, key)
    {
        return effects;
    }
    let Some(intent) = model.settings.keymap.intent(place, key) else {
        let help = model
            .settings
            .keymap
            .shown(Intent::Help)
            .unwrap_or_default();
        notice(
            model,
            format!("{key} does nothing here; {help} shows the keys"),
            false,
        );
        return Vec::new();
    };
    let mut keys = model.settings.keymap.keys(intent).iter();
    let at = keys.position(|k| *k == key).unwrap_or(0);
    match intent {
        Intent::Favourite => namespaces::favourite(model, at),
        Intent::Since => logs::since_key(model, at),
        _ => act(model, intent),
    }
}

/// What the keymap and the palette alike lead to.
pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    if let Some(effects) = everywhere(model, intent) {
        return effects;
    }
    match place(model) {
        Place::Board => board::act(model, intent),
        Place::Service => service::act(model, intent),
        Place::Logs => logs::act(model, intent),
        Place::Text => text::act(model, intent),
        Place::Doctor => doctor::act(model, intent),
        Place::Table => table::act(model, intent),
        Place::Record => record::act(model, intent),
        Place::Changes => changes::act(model, intent),
        Place::Matrix => matrix::act(model, intent),
        Place::Builds => builds::act(model, intent),
        Place::Plan if model.overlay == Some(Overlay::Batch) => batch::act(model, intent),
        Place::Plan if matches!(model.overlay, Some(Overlay::Image(_))) => {
            image::act(model, intent)
        }
        Place::Plan => plan::act(model, intent),
        Place::Help => {
            help(model, intent);
            Vec::new()
        }
    }
}

/// What means the same on every screen; `None` when the screen decides.
fn everywhere(model: &mut Model, intent: Intent) -> Option<Vec<Effect>> {
    let effects = match intent {
        Intent::Quit => vec![Effect::Quit],
        Intent::Redraw => vec![Effect::Redraw],
        Intent::Suspend => vec![Effect::Suspend],
        Intent::Arm => arm::turn(model),
        Intent::HandOver => handover::open(model),
        Intent::Shell => handover::shell(model),
        Intent::Palette => palette::open(model),
        Intent::PickNamespace => picker::open(model, Picked::Namespace),
        Intent::PickContext => picker::open(model, Picked::Context),
        Intent::PickEnvironment => clusters::go_environment(model, ""),
        Intent::Doctor => doctor::open(model),
        Intent::LogIn => login::open(model),
        Intent::Record => record::open(model),
        Intent::ShowFollow => follow::show(model),
        Intent::AllNamespaces => namespaces::all(model),
        Intent::Help if model.overlay.is_none() => {
            model.overlay = Some(Overlay::Help { offset: 0 });
            Vec::new()
        }
        Intent::Back if model.overlay.is_none() && follow::hide(model) => Vec::new(),
        _ => return None,
    };
    Some(effects)
}

fn help(model: &mut Model, intent: Intent) {
    let page = crate::app::layout::overlay_rows(model.height);
    let Some(Overlay::Help { offset }) = &mut model.overlay else {
        return;
    };
    if intent == Intent::Back {
        model.overlay = None;
    } else if let Some(to) = moved(intent, *offset, LONGEST, page) {
        *offset = to;
    }
}

/// What lies over the screen is scrolled no farther than to its last line, or the way back would seem dead.
pub fn stop_at(model: &mut Model, furthest: usize) {
    match &mut model.overlay {
        Some(Overlay::Help { offset }) => *offset = furthest.min(*offset),
        Some(Overlay::Plan(shown)) => shown.offset = furthest.min(shown.offset),
        Some(Overlay::Batch) => {
            let batch = model.batch.as_mut().filter(|batch| batch.detail);
            if let Some(row) = batch.and_then(|batch| batch.rows.get_mut(batch.at)) {
                row.shown.offset = furthest.min(row.shown.offset);
            }
        }
        Some(
            Overlay::SortKey
            | Overlay::HandOver(_)
            | Overlay::Build(_)
            | Overlay::Image(_)
            | Overlay::Palette { .. }
            | Overlay::Picker { .. },
        )
        | None => {}
    }
}

/// Where a movement leads in a list of `len` lines; `None` for what is no movement.
pub fn moved(intent: Intent, at: usize, len: usize, page: usize) -> Option<usize> {
    let last = len.saturating_sub(1);
    match intent {
        Intent::Down => Some(at.saturating_add(1).min(last)),
        Intent::Up => Some(at.saturating_sub(1)),
        Intent::Top => Some(0),
        Intent::Bottom => Some(last),
        Intent::PageDown => Some(at.saturating_add(page).min(last)),
        Intent::PageUp => Some(at.saturating_sub(page)),
        _ => None,
    }
}

/// What a key does in a one-line field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    Edited,
    Taken,
    Left,
    Up,
    Down,
    Complete,
}

pub fn typed(field: &mut Field, key: Key) -> Typed {
    let request = match (key.code, key.ctrl) {
        (Code::Enter, _) => return Typed::Taken,
        (Code::Esc, _) => return Typed::Left,
        (Code::Up | Code::BackTab, _) => return Typed::Up,
        (Code::Down, _) => return Typed::Down,
        (Code::Tab, _) => return Typed::Complete,
        (Code::Char('a'), true) | (Code::Home, _) => InputRequest::GoToStart,
        (Code::Char('e'), true) | (Code::End, _) => InputRequest::GoToEnd,
        (Code::Char('u'), true) => InputRequest::DeleteFromStart,
        (Code::Char('k'), true) => InputRequest::DeleteTillEnd,
        (Code::Char('w'), true) => InputRequest::DeletePrevWord,
        (Code::Char('h'), true) | (Code::Backspace, _) => InputRequest::DeletePrevChar,
        (Code::Delete, _) => InputRequest::DeleteNextChar,
        (Code::Left, _) => InputRequest::GoToPrevChar,
        (Code::Right, _) => InputRequest::GoToNextChar,
        (Code::Char(c), false) if !key.alt => InputRequest::InsertChar(c),
        (Code::Char(_) | Code::PageUp | Code::PageDown, _) => return Typed::Edited,
    };
    field.0.handle(request);
    Typed::Edited
}
