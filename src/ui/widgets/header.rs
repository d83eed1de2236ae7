//! The first line: where one is, how old what one sees is, how many services stand how, and how careful one must be.

use crate::app::Model;
use crate::app::answering::{How, answering};
use crate::app::intent::Intent;
use crate::app::model::Tally;
use crate::app::words::key;
use crate::config::Namespaces;
use crate::domain::{Level, WorkloadId};
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

/// `prod-eu › shop › checkout`, or the environments that are shown.
fn place(model: &Model, of: Option<&WorkloadId>) -> String {
    if let Some(id) = of {
        return format!("{} › {} › {}", id.cluster, id.namespace, id.name);
    }
    let view = &model.view;
    if view.asked == Namespaces::OfEnvironments {
        let environments = model.settings.environments.iter();
        let shown =
            environments.filter(|e| view.environment.as_ref().is_none_or(|one| *one == e.name));
        let names: Vec<_> = shown.map(|e| e.name.as_str()).collect();
        return text::list(&names);
    }
    let clusters: Vec<_> = model.clusters.iter().map(|c| &*c.id.0).collect();
    let clusters = text::list(&clusters);
    match namespaces(model).as_str() {
        "" => clusters,
        namespaces => format!("{clusters} › {namespaces}"),
    }
}

/// Those that are shown in every cluster; nothing while no cluster has said what they are.
fn namespaces(model: &Model) -> String {
    let connected = model.connected();
    let mut scopes = model.clusters.iter().map(|c| &c.scope.namespaces);
    let first = scopes.next();
    match first.map(Vec::as_slice) {
        None => String::new(),
        Some(_) if !scopes.all(|scope| Some(scope) == first) => "their namespaces".to_owned(),
        Some([]) if !connected => String::new(),
        Some([]) => "all namespaces".to_owned(),
        Some(many) => many.join(", "),
    }
}

/// How the clusters answer: of one in words, of several how many are live.
fn state(model: &Model) -> Vec<Piece> {
    let all: Vec<_> = model.clusters.iter().map(|c| answering(model, c)).collect();
    let Some(worst) = all.iter().max_by_key(|answering| answering.how) else {
        return Vec::new();
    };
    let role = match worst.how {
        How::Live => Role::Good,
        How::Coming => Role::Moving,
        How::Quiet => Role::Warn,
        How::Away => Role::Bad,
    };
    let live = all.iter().filter(|a| a.how == How::Live).count();
    if all.len() > 1 && live < all.len() {
        return vec![piece(format!("{live} of {} live", all.len()), role)];
    }
    // While nothing was heard the body says why.
    let words = if model.heard() {
        worst.sentence()
    } else {
        worst.words.clone()
    };
    let again = if worst.login {
        let words = format!(", {} logs in", key(model, Intent::LogIn));
        Some(piece(words, Role::Bad))
    } else {
        worst.next.map(|next| again(next, model))
    };
    [piece(words, role)].into_iter().chain(again).collect()
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
