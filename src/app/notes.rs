//! The lines above the keys: what is not as it should be beyond the rows themselves. They exist only while there is
//! something to say.

use jiff::Timestamp;

use crate::domain::known::State;
use crate::domain::release_record::Became;
use crate::domain::{Connection, Feed, Health, Hold, SourceId, Sync};
use crate::text::{age, clock, date, held as held_words, list, thousands, wrap};

use super::answering::{How, answering};
use super::clusters::ClusterState;
use super::intent::Intent;
use super::model::{Model, SourceState};
use super::words::key;

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

/// What there is to say, most urgent first.
pub fn notes(model: &Model) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(notice) = &model.notice {
        let tone = if notice.bad { Tone::Bad } else { Tone::Plain };
        notes.extend(whole(model, &notice.text, tone));
    }
    if let Some(words) = &model.settings.broken {
        notes.extend(whole(model, words, Tone::Bad));
    }
    notes.extend(model.clusters.iter().filter_map(|c| away(model, c)));
    notes.extend(silent(model).map(|words| note(words, Tone::Warn)));
    notes.extend(interrupted(model));
    notes.extend(held_jobs(model).map(|words| note(words, Tone::Warn)));
    notes.extend(suspended(model).map(|words| note(words, Tone::Warn)));
    for cluster in &model.clusters {
        let about = [
            cluster.scope.note.clone(),
            denied(model, cluster),
            undecodable(model, cluster),
            skewed(cluster),
        ];
        let about = about.into_iter().flatten();
        notes.extend(about.map(|words| note(named(model, cluster, words), Tone::Warn)));
    }
    let standing = model.settings.holds.iter();
    let standing = standing.filter(|hold| hold.stands(model.now));
    notes.extend(standing.map(|hold| note(held(hold, model.now), Tone::Warn)));
    if notes.len() > LINES {
        let rest = notes.len() - (LINES - 1);
        notes.truncate(LINES - 1);
        notes.push(note(format!("and {rest} more, see :doctor"), Tone::Aside));
    }
    notes
}

/// What somebody has to remember until it is resumed, as far as it keeps something on this board.
fn suspended(model: &Model) -> impl Iterator<Item = String> {
    let key = key(model, Intent::ResumeSync);
    let here = |sync: &&Sync| model.fleet.kept_by(&sync.id).next().is_some();
    model
        .fleet
        .suspended()
        .filter(here)
        .filter_map(move |sync| {
            let note = sync.suspension.as_deref()?;
            let (tool, name) = (sync.id.kind.tool(), &sync.id.name);
            let ago = age(note.at, model.now);
            Some(format!(
                "{tool} sync of {name} is suspended by {}, {ago} ago · {key} resumes",
                note.by
            ))
        })
}

/// On as many lines as it takes: the fix stands at the end of a sentence.
fn whole(model: &Model, words: &str, tone: Tone) -> impl Iterator<Item = Note> {
    let cells = usize::from(model.width).saturating_sub(2);
    let lines = wrap(words, cells).into_iter().take(LINES);
    lines.map(move |line| note(line, tone))
}

/// The jobs of services on this board that build nothing until somebody ends that.
fn held_jobs(model: &Model) -> impl Iterator<Item = String> {
    let key = key(model, Intent::ResumeJob);
    let board = &model.board;
    model.chain.held().filter_map(move |(job, hold)| {
        let mut rows = board.rows.iter().chain(board.hidden_rows.values());
        let row = rows.find(|row| row.build.as_ref().is_some_and(|build| build.job == *job))?;
        let (name, words) = (&row.id.name, held_words(&hold, model.now));
        Some(format!("{name}'s job {words} · {key} ends it"))
    })
}

fn note(text: impl Into<String>, tone: Tone) -> Note {
    Note {
        text: text.into(),
        tone,
    }
}

/// So many seconds a connection may take before it is worth a line.
const CONNECTING: i64 = 2;

/// Why one of several clusters is not live; of a single one the header tells.
fn away(model: &Model, cluster: &ClusterState) -> Option<Note> {
    if model.clusters.len() < 2 || !(model.connected() || model.heard()) {
        return None;
    }
    let answering = answering(model, cluster);
    let tone = match (answering.how, &cluster.connection) {
        (How::Away, _) => Tone::Bad,
        (How::Quiet, _) => Tone::Warn,
        (_, Connection::Connecting { since, .. })
            if model.now.duration_since(*since).as_secs() >= CONNECTING =>
        {
            Tone::Plain
        }
        (How::Live | How::Coming, _) => return None,
    };
    let next = answering.next.filter(|next| *next > model.now);
    let again = match next {
        _ if answering.login => format!(", {} logs in", key(model, Intent::LogIn)),
        Some(next) => format!(", again in {}", age(model.now, next)),
        None => String::new(),
    };
    let words = format!("{} {}{again}", cluster.id, answering.sentence());
    Some(note(words, tone))
}

/// The servers that build and do not answer, each with the age of what is shown of it; and the registries.
fn silent(model: &Model) -> impl Iterator<Item = String> {
    let servers = model.chain.servers().filter_map(|(name, known)| {
        let State::Failed { why, since } = &known.state else {
            return None;
        };
        let silence = age(*since, model.now);
        let shown = match &known.last {
            Some(((), at)) => format!("; its builds are {} old", age(*at, model.now)),
            None => String::new(),
        };
        Some(format!("{name}: no answer for {silence}: {why}{shown}"))
    });
    let registries = model.chain.registries().filter_map(|(host, known)| {
        let State::Failed { why, since } = &known.state else {
            return None;
        };
        let since = age(*since, model.now);
        Some(format!(
            "{host}: its images are unverified for {since}: {why}"
        ))
    });
    servers.chain(registries)
}

/// What an earlier session did not bring to its end.
fn interrupted(model: &Model) -> Option<Note> {
    let first = model.interrupted.first()?;
    let sending = &first.sending;
    let (what, at) = (
        format!("{} of {}", sending.verb, sending.workload),
        clock(sending.at),
    );
    let key = key(model, Intent::Record);
    let words = match (&first.outcome, model.interrupted.len()) {
        (_, count @ 2..) => {
            format!("{count} actions were interrupted, the last at {at}: {what}; {key} shows them")
        }
        (Ok(after), _) => {
            let word = match after.became {
                Became::Applied => "applied",
                Became::NotApplied if after.last => "not applied",
                Became::NotApplied => "not applied so far",
                Became::Unknown => "outcome unknown",
            };
            let sentence = &after.sentence;
            format!("{what} was interrupted at {at}, {word}: {sentence}; {key} shows it")
        }
        (Err(why), _) => {
            format!(
                "{what} was interrupted at {at}, and cannot be looked at: {why}; {key} shows it"
            )
        }
    };
    Some(note(words, Tone::Warn))
}

/// Of one cluster among several it is said which.
fn named(model: &Model, cluster: &ClusterState, words: String) -> String {
    match model.clusters.as_slice() {
        [_] => words,
        _ => format!("{}: {words}", cluster.id),
    }
}

fn skewed(cluster: &ClusterState) -> Option<String> {
    let ahead = cluster.ahead();
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    let seconds = ahead.abs();
    (ahead != 0).then(|| {
        format!("the server's clock is {seconds}s {way} this machine's: ages follow the server")
    })
}

fn of_cluster<'a>(
    model: &'a Model,
    cluster: &ClusterState,
) -> impl Iterator<Item = (&'a SourceId, &'a SourceState)> {
    let sources = model.sources.iter();
    sources.filter(|(source, _)| source.cluster == cluster.id)
}

/// `cart in prod: on hold until 3 Jan 2027 07:00: christmas`.
fn held(hold: &Hold, now: Timestamp) -> String {
    let until = hold.until.map_or_else(String::new, |until| {
        format!(" until {} {}", date(until, now), clock(until))
    });
    let names = [&hold.services, &hold.environments].map(|names| {
        let names: Vec<_> = names.iter().map(|name| &**name).collect();
        list(&names)
    });
    let of: Vec<_> = names
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect();
    let of = if of.is_empty() {
        "everything".to_owned()
    } else {
        of.join(" in ")
    };
    format!("{of}: on hold{until}: {}", hold.reason)
}

/// One sentence for all that may not be read: what it is, and in the server's words why.
fn denied(model: &Model, cluster: &ClusterState) -> Option<String> {
    let denied = |(source, state): (&SourceId, &SourceState)| {
        // What nobody misses until a service of theirs is looked at, and said there.
        if matches!(
            source.feed,
            Feed::SyncOf { .. }
                | Feed::Suspended(_)
                | Feed::AnalysesOf { .. }
                | Feed::Services
                | Feed::Routes(_)
                | Feed::EndpointsOf { .. }
        ) {
            return None;
        }
        let Health::Denied(why) = &state.health else {
            return None;
        };
        Some((source.feed.resource(), why.clone()))
    };
    let mut all: Vec<_> = of_cluster(model, cluster).filter_map(denied).collect();
    all.sort();
    all.dedup_by(|a, b| a.0 == b.0);
    let (_, why) = all.first()?.clone();
    if all.len() == 1 {
        return Some(why);
    }
    let resources: Vec<_> = all.iter().map(|(resource, _)| *resource).collect();
    Some(format!("no rights to read {}: {why}", resources.join(", ")))
}

fn undecodable(model: &Model, cluster: &ClusterState) -> Option<String> {
    let sources = of_cluster(model, cluster);
    let count: usize = sources.map(|(_, state)| state.undecodable).sum();
    let first = of_cluster(model, cluster).find(|(_, state)| state.undecodable > 0)?;
    let resource = first.0.feed.resource();
    Some(match count {
        1 => format!("1 object of {resource} could not be understood: its row is missing"),
        _ => format!(
            "{} objects could not be understood ({resource} first): their rows are missing",
            thousands(count)
        ),
    })
}
