//! The record: what was done, newest first, and from a row the way back or the rest.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::field::Field;
use crate::app::filter::Filter;
use crate::app::intent::Intent;
use crate::app::keymap::{Code, Key};
use crate::app::layout;
use crate::app::model::{Entry, Model, RecordScreen, Recorded, Screen, TextKind};
use crate::domain::release_record::{Action, HandedOver, Page};
use crate::domain::{ClusterId, Failure, Known, known::State};
use crate::plan::aftermath::Interrupted;
use crate::plan::build::HOLD;
use crate::plan::inverse::{inverse, rest};
use crate::plan::{Target, Verb};
use crate::text::action::{arrow, outcome, whole};

use super::key::{self, Typed};
use super::{build, next_job, notice, plan, text};

/// Said above the keys until the record is opened.
pub fn looked_back(
    model: &mut Model,
    cluster: &ClusterId,
    interrupted: Vec<Interrupted>,
) -> Vec<Effect> {
    let known = &mut model.interrupted;
    known.retain(|one| one.sending.workload.cluster != *cluster);
    known.extend(interrupted);
    model.dirty = true;
    again(model)
}

pub fn open(model: &mut Model) -> Vec<Effect> {
    model.interrupted.clear();
    if matches!(model.screens.last(), Some(Screen::Record(_))) {
        return again(model);
    }
    let job = next_job(model);
    model.overlay = None;
    model.screens.push(Screen::Record(RecordScreen {
        job,
        page: Known {
            last: None,
            state: State::Loading,
        },
        rows: Vec::new(),
        marked: None,
        offset: 0,
        filter: Field::default(),
        filtering: false,
    }));
    vec![Effect::ReadRecord { job }]
}

/// Reads it once more, where it is open; what is shown stays until then.
pub fn again(model: &mut Model) -> Vec<Effect> {
    let job = next_job(model);
    let Some(screen) = shown(model) else {
        return Vec::new();
    };
    let old = std::mem::replace(&mut screen.job, job);
    vec![Effect::Cancel { job: old }, Effect::ReadRecord { job }]
}

fn shown(model: &mut Model) -> Option<&mut RecordScreen> {
    model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Record(screen) => Some(screen),
        Screen::Service(_)
        | Screen::Logs(_)
        | Screen::Text(_)
        | Screen::Table(_)
        | Screen::Doctor(_)
        | Screen::Builds(_)
        | Screen::Changes(_)
        | Screen::Matrix(_) => None,
    })
}

pub fn read(model: &mut Model, job: JobId, outcome: Result<Page, Failure>) -> Vec<Effect> {
    let now = model.now;
    let Some(screen) = shown(model).filter(|screen| screen.job == job) else {
        return Vec::new();
    };
    match outcome {
        Ok(page) => screen.page.learn(page, now),
        Err(failure) => screen.page.fail(failure.sentence, now),
    }
    model.dirty = true;
    refilter(model);
    tell_again(model);
    Vec::new()
}

/// The text of one action above it.
fn tell_again(model: &mut Model) {
    let now = model.now;
    let Some(Screen::Text(above)) = model.screens.last() else {
        return;
    };
    let TextKind::Action { id, .. } = above.kind.clone() else {
        return;
    };
    let Some(page) = shown(model).and_then(|screen| screen.page.value()) else {
        return;
    };
    let action = page.actions.iter().find(|action| action.sending.id == id);
    let lines = action.map(|action| whole(action, page.under_way.contains(&id), now));
    if let (Some(lines), Some(Screen::Text(above))) = (lines, model.screens.last_mut()) {
        let read_at = now;
        above
            .document
            .learn(crate::app::event::Document { lines, read_at }, now);
    }
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (page, rows) = (layout::page(model), layout::record_rows(model));
    let Some(Screen::Record(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    if let Some(to) = key::moved(intent, screen.at(), screen.rows.len(), page) {
        mark(screen, to, rows);
        return Vec::new();
    }
    match intent {
        Intent::Filter => screen.filtering = true,
        Intent::Retry => return again(model),
        Intent::Back if !screen.filter.value().is_empty() => {
            screen.filter = Field::default();
            refilter(model);
        }
        Intent::Back => {
            let job = screen.job;
            model.screens.pop();
            return vec![Effect::Cancel { job }];
        }
        _ => return on_row(model, intent),
    }
    Vec::new()
}

fn mark(screen: &mut RecordScreen, row: usize, rows: usize) {
    if let Some(key) = screen.entry(row).map(|entry| entry.key()) {
        screen.marked = Some(key);
        screen.offset = layout::scrolled(screen.offset, row, rows);
    }
}

fn on_row(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let Some(Screen::Record(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let (action, under_way) = match screen.entry(screen.at()) {
        Some(Entry::Action(action, under_way)) => (action.clone(), under_way),
        Some(Entry::HandedOver(handed)) => {
            let handed = handed.clone();
            return on_handed(model, intent, &handed);
        }
        None => {
            notice(model, "there is no action under the cursor", false);
            return Vec::new();
        }
    };
    match intent {
        Intent::Open => text::open_action(model, (&action, under_way)),
        Intent::Copy => vec![Effect::Copy {
            text: whole(&action, under_way, model.now).join("\n"),
        }],
        Intent::Undo if action.sending.verb == HOLD => {
            build::resume(model, &action.sending.workload)
        }
        Intent::Undo => plan_for(model, &action, inverse(&action)),
        Intent::Finish if under_way => {
            notice(model, "it is under way: nothing is left to plan", false);
            Vec::new()
        }
        Intent::Finish => plan_for(model, &action, rest(&action)),
        _ => Vec::new(),
    }
}

/// What another program did is not known: only that it ran.
fn on_handed(model: &mut Model, intent: Intent, handed: &HandedOver) -> Vec<Effect> {
    let line = handed.line();
    match intent {
        Intent::Copy => return vec![Effect::Copy { text: line }],
        Intent::Open => notice(model, format!("{line}: {}", handed.outcome), false),
        Intent::Undo | Intent::Finish => {
            let words = "another program had the terminal: what it did is not in the record";
            notice(model, words, false);
        }
        _ => {}
    }
    Vec::new()
}

/// Only of the very object that the action wrote to.
fn plan_for(
    model: &mut Model,
    action: &Action,
    asked: Result<(Verb, Target), Failure>,
) -> Vec<Effect> {
    let id = &action.sending.workload;
    let row = model.board.row(id).map(|row| row.uid.clone());
    let refusal = match (&asked, row) {
        (Err(failure), _) => failure.sentence.clone(),
        (Ok(_), None) => {
            let (namespace, cluster) = (&id.namespace, &id.cluster);
            format!(
                "{id} in {namespace} of {cluster} is not on the board: gone, or out of its scope"
            )
        }
        (Ok(_), Some(uid)) if *uid.0 != *action.sending.uid => {
            format!("{id} was deleted and created again since: there is no way back")
        }
        (Ok(_), Some(_)) => String::new(),
    };
    match asked {
        Ok((verb, target)) if refusal.is_empty() => plan::open(model, id, verb, target),
        Ok(_) | Err(_) => {
            notice(model, refusal, true);
            Vec::new()
        }
    }
}

pub fn filter_key(model: &mut Model, pressed: Key) {
    let rows = layout::record_rows(model);
    let Some(Screen::Record(screen)) = model.screens.last_mut() else {
        return;
    };
    match key::typed(&mut screen.filter, pressed) {
        Typed::Edited | Typed::Complete => {}
        Typed::Taken => screen.filtering = false,
        Typed::Left => {
            screen.filtering = false;
            screen.filter = Field::default();
        }
        Typed::Up | Typed::Down => {
            let (at, last) = (screen.at(), screen.rows.len().saturating_sub(1));
            let to = match pressed.code {
                Code::Down => (at + 1).min(last),
                _ => at.saturating_sub(1),
            };
            mark(screen, to, rows);
            return;
        }
    }
    refilter(model);
}

/// The rows that fit; the mark stays on its action while that is among them.
fn refilter(model: &mut Model) {
    let environments = model.settings.environments.clone();
    let rows = layout::record_rows(model);
    let Some(screen) = shown(model) else {
        return;
    };
    let filter = Filter::parse(screen.filter.value());
    let fits = |entry: Entry<'_>| match entry {
        Entry::Action(action, _) => {
            let id = &action.sending.workload;
            let here = environments.iter().find(|e| e.holds(id));
            let environment = here.map_or("", |e| &e.name);
            filter.fits_text(&words(action, environment))
        }
        Entry::HandedOver(handed) => filter.fits_text(&words_of(handed)),
    };
    let (actions, handed) = screen
        .page
        .value()
        .map_or((0, 0), |page| (page.actions.len(), page.handed.len()));
    let all = (0..actions).map(Recorded::Action);
    let all = all.chain((0..handed).map(Recorded::HandedOver));
    let looked_up = all.filter_map(|one| Some((one, screen.look_up(one)?)));
    let mut rows_now: Vec<_> = looked_up
        .filter(|(_, entry)| fits(*entry))
        .map(|(one, entry)| (entry.at(), one))
        .collect();
    // Of one second the order of the file stays.
    rows_now.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    screen.rows = rows_now.into_iter().map(|(_, one)| one).collect();
    let at = screen.at();
    screen.offset = screen.offset.min(screen.rows.len().saturating_sub(rows));
    mark(screen, at, rows);
}

fn words_of(handed: &HandedOver) -> String {
    let namespace = handed.namespace.as_deref().unwrap_or_default();
    let words = [
        &*handed.object,
        namespace,
        &handed.cluster,
        "handed over",
        &handed.who(),
        &handed.line(),
        &handed.outcome,
    ];
    words.join("\n")
}

/// All that a row can be found by.
fn words(action: &Action, environment: &str) -> String {
    let (sending, id) = (&action.sending, &action.sending.workload);
    let words = [
        &*id.to_string(),
        &*id.namespace,
        &*id.cluster.0,
        id.kind.name(),
        environment,
        &sending.verb,
        &action.who(),
        &arrow(action),
        &outcome(action, false),
        sending.reason.as_deref().unwrap_or_default(),
        sending.override_reason.as_deref().unwrap_or_default(),
        &sending.id,
    ];
    words.join("\n")
}
