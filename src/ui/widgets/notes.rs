//! The lines above the keys: what is not as it should be beyond the rows themselves. They exist only while there is
//! something to say.

use crate::app::Model;
use crate::app::model::SourceState;
use crate::domain::{Health, SourceId};

use super::super::theme::Role;
use super::header::thousands;
use super::pen::{Pen, Piece, piece};

/// At most so many lines; the rest is counted and told by the doctor.
const LINES: usize = 3;

/// A clock that is off by less than this is not worth a line.
const SKEW_SECONDS: i64 = 5;

/// What there is to say, most urgent first.
pub fn notes(model: &Model) -> Vec<Piece> {
    let mut notes = Vec::new();
    if let Some(notice) = &model.notice {
        let role = if notice.bad { Role::Bad } else { Role::Plain };
        notes.push(piece(notice.text.clone(), role));
    }
    if let Some(note) = &model.scope.note {
        notes.push(piece(note.clone(), Role::Warn));
    }
    notes.extend(denied(model).map(|words| piece(words, Role::Warn)));
    notes.extend(undecodable(model).map(|words| piece(words, Role::Warn)));
    if model.skew.abs() > SKEW_SECONDS {
        let way = if model.skew > 0 { "ahead of" } else { "behind" };
        notes.push(piece(
            format!(
                "the server's clock is {}s {way} this machine's: ages follow the server",
                model.skew.abs()
            ),
            Role::Warn,
        ));
    }
    if notes.len() > LINES {
        let rest = notes.len() - (LINES - 1);
        notes.truncate(LINES - 1);
        notes.push(piece(format!("and {rest} more, see :doctor"), Role::Dim));
    }
    notes
}

pub fn draw(pen: &mut Pen<'_>, notes: &[Piece]) {
    for (y, note) in (0..).zip(notes) {
        pen.line(1, y, &note.text, note.role);
    }
}

/// One sentence for all that may not be read: what it is, and in the server's words why.
fn denied(model: &Model) -> Option<String> {
    let denied = |(source, state): (&SourceId, &SourceState)| {
        let Health::Denied(why) = &state.health else {
            return None;
        };
        Some((source.feed.resource(), why.clone()))
    };
    let mut all: Vec<_> = model.sources.iter().filter_map(denied).collect();
    all.sort();
    all.dedup_by(|a, b| a.0 == b.0);
    let (_, why) = all.first()?.clone();
    if all.len() == 1 {
        return Some(why);
    }
    let resources: Vec<_> = all.iter().map(|(resource, _)| *resource).collect();
    Some(format!("no rights to read {}: {why}", resources.join(", ")))
}

fn undecodable(model: &Model) -> Option<String> {
    let count: usize = model.sources.values().map(|state| state.undecodable).sum();
    let first = model
        .sources
        .iter()
        .find(|(_, state)| state.undecodable > 0)?;
    let resource = first.0.feed.resource();
    Some(match count {
        1 => format!("1 object of {resource} could not be understood: its row is missing"),
        _ => format!(
            "{} objects could not be understood ({resource} first): their rows are missing",
            thousands(count)
        ),
    })
}
