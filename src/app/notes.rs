//! The lines above the keys: what is not as it should be beyond the rows themselves. They exist only while there is
//! something to say.

use crate::domain::{Health, SourceId};
use crate::text::thousands;

use super::model::{Model, SourceState};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub text: String,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Warn,
    Bad,
    /// There is more to read elsewhere.
    Aside,
}

/// At most so many lines; the rest is counted and told by the doctor.
const LINES: usize = 3;

/// A clock that is off by less than this is not worth a line.
const SKEW_SECONDS: i64 = 5;

/// What there is to say, most urgent first.
pub fn notes(model: &Model) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(notice) = &model.notice {
        let tone = if notice.bad { Tone::Bad } else { Tone::Plain };
        notes.push(note(notice.text.clone(), tone));
    }
    if let Some(words) = &model.scope.note {
        notes.push(note(words.clone(), Tone::Warn));
    }
    notes.extend(denied(model).map(|words| note(words, Tone::Warn)));
    notes.extend(undecodable(model).map(|words| note(words, Tone::Warn)));
    if model.skew.abs() > SKEW_SECONDS {
        let way = if model.skew > 0 { "ahead of" } else { "behind" };
        notes.push(note(
            format!(
                "the server's clock is {}s {way} this machine's: ages follow the server",
                model.skew.abs()
            ),
            Tone::Warn,
        ));
    }
    if notes.len() > LINES {
        let rest = notes.len() - (LINES - 1);
        notes.truncate(LINES - 1);
        notes.push(note(format!("and {rest} more, see :doctor"), Tone::Aside));
    }
    notes
}

fn note(text: impl Into<String>, tone: Tone) -> Note {
    Note {
        text: text.into(),
        tone,
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
