//! The first line: where one is, how old what one sees is, how many services stand how, and how careful one must be.

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::{SourceState, Tally};
use crate::app::words::key;
use crate::domain::{Connection, FailureKind, Feed, Health, Level, SourceId, WorkloadId};
use crate::text;

use super::super::theme::{self, Role};
use super::pen::{Pen, Piece, cells, piece};

/// Draws the first line of the area. `of` is the workload that the screen is about.
pub fn header(pen: &mut Pen<'_>, model: &Model, of: Option<&WorkloadId>) {
    let width = pen.width();
    let place = place(model, of);
    let guard = guard(model, of);
    let guard_x = match &guard {
        Some(guard) if cells(&guard.text) + 12 < width => pen.right(0, 1, &guard.text, guard.role),
        Some(_) | None => width,
    };
    let state = state(model);
    let least = pieces_cells(&state).min(24);
    let room = guard_x.saturating_sub(least + 5);
    let left_end = pen.put(1, 0, room, &place, Role::Strong);
    let room = guard_x.saturating_sub(left_end + 4);
    let counted = of.is_none() && !model.board.rows.is_empty();
    let middle = middle(state, &model.board.tally, room, counted);
    let taken = pieces_cells(&middle);
    let wanted = (width / 3).max(left_end + 2);
    let x = if wanted + taken + 2 <= guard_x {
        wanted
    } else {
        guard_x.saturating_sub(taken + 2).max(left_end + 2)
    };
    let span = guard_x.saturating_sub(x + 2);
    pen.part(x, 0, span, 1).pieces(0, 0, &middle);
}

/// `prod-eu › shop › checkout`.
fn place(model: &Model, of: Option<&WorkloadId>) -> String {
    let namespace = match (of, model.scope.namespaces.as_slice()) {
        (Some(id), _) => id.namespace.to_string(),
        (None, []) => "all namespaces".to_owned(),
        (None, [one]) => one.to_string(),
        (None, many) => many.join(", "),
    };
    let connected = matches!(model.connection, Connection::Connected(_));
    match of {
        Some(id) => format!("{} › {namespace} › {}", model.cluster, id.name),
        None if !connected && model.scope.namespaces.is_empty() => model.cluster.to_string(),
        None => format!("{} › {namespace}", model.cluster),
    }
}

/// How the cluster answers, worst feed first.
fn state(model: &Model) -> Vec<Piece> {
    let now = model.now;
    match &model.connection {
        Connection::Connecting { since, .. } => {
            let words = format!("connecting {}", text::age(*since, now));
            return vec![piece(words, Role::Moving)];
        }
        Connection::Failed {
            failure,
            since,
            next,
        } => {
            let what = match failure.kind {
                FailureKind::Denied => "no login",
                _ => "no answer",
            };
            let mut words = format!("{what} {}", text::age(*since, now));
            // Else the body says why.
            if model.heard() {
                words = format!("{words}: {}", failure.sentence);
            }
            return vec![piece(words, Role::Bad), again(*next, model)];
        }
        Connection::Connected(_) => {}
    }
    let worst = model
        .sources
        .iter()
        .max_by_key(|(source, state)| (rank(source, state), std::cmp::Reverse(*source)));
    let Some((source, state)) = worst else {
        return vec![piece("listing", Role::Moving)];
    };
    // One feed that fails while others are heard is named: the cluster as a whole does answer.
    let alone = model.sources.iter().any(|(s, state)| rank(s, state) == 0);
    let who = if alone {
        format!("{}: ", source.feed.resource())
    } else {
        String::new()
    };
    let one = match &state.health {
        Health::AuthExpired(why) => piece(format!("login expired: {why}"), Role::Bad),
        Health::Retrying {
            since, why, next, ..
        } => {
            let age = text::age(*since, now);
            let words = format!("{who}no answer {age}: {why}");
            return vec![piece(words, Role::Bad), again(*next, model)];
        }
        Health::Quiet { since } => {
            piece(format!("{who}quiet {}", text::age(*since, now)), Role::Warn)
        }
        Health::Listing(_) if makes_rows(source) => {
            let (count, again) = listed(model);
            let word = if again { "relisting" } else { "listing" };
            piece(format!("{word} {}", text::thousands(count)), Role::Moving)
        }
        Health::Listing(_) | Health::Live | Health::Undecodable(_) | Health::Denied(_) => {
            piece("live", Role::Good)
        }
    };
    vec![one]
}

/// `, again in 4s (ctrl-r now)`.
fn again(next: jiff::Timestamp, model: &Model) -> Piece {
    let words = if next <= model.now {
        ", trying again".to_owned()
    } else {
        let age = text::age(model.now, next);
        format!(", again in {age} ({} now)", key(model, Intent::Retry))
    };
    piece(words, Role::Bad)
}

fn rank(source: &SourceId, state: &SourceState) -> u8 {
    match state.health {
        Health::AuthExpired(_) => 4,
        Health::Retrying { .. } => 3,
        Health::Quiet { .. } => 2,
        Health::Listing(_) if makes_rows(source) => 1,
        Health::Listing(_) | Health::Live | Health::Denied(_) | Health::Undecodable(_) => 0,
    }
}

/// Revisions and pods only add to rows that stand: the board is whole while they are listed.
fn makes_rows(source: &SourceId) -> bool {
    match source.feed {
        Feed::Workloads(_) | Feed::Warnings => true,
        Feed::ReplicaSets | Feed::RevisionsOf { .. } | Feed::PodsOf { .. } => false,
    }
}

/// How many items the feeds that list have so far, and whether they all had listed before.
fn listed(model: &Model) -> (usize, bool) {
    let sources = model.sources.iter();
    let listing = sources.filter_map(|(source, state)| match state.health {
        Health::Listing(count) if makes_rows(source) => Some((count, state.synced)),
        _ => None,
    });
    listing.fold((0, true), |(sum, again), (count, synced)| {
        (sum + count, again && synced)
    })
}

/// The state and as much of the tally as there is room for; what is wrong stays longest, and the state itself is cut
/// between its pieces.
fn middle(mut state: Vec<Piece>, tally: &Tally, room: u16, with_tally: bool) -> Vec<Piece> {
    if pieces_cells(&state) > room {
        state.truncate(1);
        for piece in &mut state {
            piece.text = text::fit_clause(&text::escape(&piece.text), usize::from(room));
        }
    }
    if !with_tally {
        return state;
    }
    let count = |count: usize, word: &str, role| {
        (count > 0).then(|| (format!("{} {word}", text::thousands(count)), role))
    };
    let service = if tally.services == 1 {
        "service"
    } else {
        "services"
    };
    let services = (
        format!("{} {service}", text::thousands(tally.services)),
        Role::Plain,
    );
    let wrong: Vec<_> = [
        count(tally.stalled, "stalled", Role::Bad),
        count(tally.degraded, "degraded", Role::Bad),
        count(tally.canary, "canary", Role::Warn),
        count(tally.rolling, "rolling", Role::Moving),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut all = vec![services];
    all.extend(wrong.iter().cloned());
    let few = wrong.len();
    let choices = std::iter::once(all).chain((0..=few).rev().map(|n| wrong[..n].to_vec()));
    for choice in choices {
        let mut pieces = state.clone();
        for (words, role) in choice {
            pieces.push(piece(" · ", Role::Dim));
            pieces.push(piece(words, role));
        }
        if pieces_cells(&pieces) <= room {
            return pieces;
        }
    }
    state
}

fn pieces_cells(pieces: &[Piece]) -> u16 {
    pieces
        .iter()
        .map(|piece| cells(&piece.text))
        .fold(0, u16::saturating_add)
}

/// What a write would need: nothing is said before there is anything to write to.
fn guard(model: &Model, of: Option<&WorkloadId>) -> Option<Piece> {
    if model.settings.readonly {
        return Some(piece("read-only", Role::Warn));
    }
    let level = match of.or(model.board.cursor.as_ref().map(|(id, _)| id)) {
        Some(id) => model.level(id),
        None => return None,
    };
    let (word, role) = theme::level(level);
    Some(match (level, model.arming) {
        (Level::Open | Level::Guarded, _) => piece(word, role),
        (Level::Protected, None) => {
            piece(format!("protected, {} arms", key(model, Intent::Arm)), role)
        }
        (Level::Protected, Some(armed)) => {
            let left = armed.until.duration_since(model.now).as_secs().max(0);
            piece(
                format!("protected, armed {}:{:02}", left / 60, left % 60),
                Role::Bad,
            )
        }
    })
}

/// Whether what this feed brought is old by now, and since when nothing was heard of it.
pub fn stale_since(model: &Model, source: &SourceId) -> Option<jiff::Timestamp> {
    let state = model.sources.get(source)?;
    let since = match (&state.health, &model.connection) {
        (Health::Retrying { since, .. } | Health::Quiet { since }, _)
        | (_, Connection::Failed { since, .. }) => *since,
        (Health::AuthExpired(_) | Health::Denied(_), _) => state.contact.unwrap_or(model.now),
        (Health::Live | Health::Listing(_) | Health::Undecodable(_), _) => return None,
    };
    Some(state.contact.unwrap_or(since))
}
