//! The move from the old revision to the new one: how many pods each has, and what may happen meanwhile.

use crate::domain::{Pod, Revision, Strategy, Workload};
use crate::text;

use super::super::super::theme::Role;
use super::super::super::widgets::bar::bar;
use super::super::super::widgets::change::fit_change;
use super::super::super::widgets::pen::{Pen, cells};
use super::{View, canary, counts, current, version_of};

/// One line of pods: of a revision, or of what serves in the place of the workload.
struct Side {
    word: &'static str,
    version: String,
    pods: u32,
    wanted: u32,
    ready: u32,
    trouble: Option<(String, usize)>,
    /// Where they are, when that is another workload.
    place: Option<Box<str>>,
}

/// Draws it and gives the next free line.
pub fn rollout(pen: &mut Pen<'_>, view: &View<'_>) -> u16 {
    let sides = sides(view);
    let mut x = pen.line(1, 0, "ROLLOUT  ", Role::Strong);
    let words = match &sides[..] {
        [new, old] if new.version != old.version => format!("{} → {}", old.version, new.version),
        [now, ..] => now.version.clone(),
        [] => String::new(),
    };
    let room = pen.width().saturating_sub(x);
    x = pen.line(x, 0, &fit_change(&words, room), Role::Plain);
    let mut y = 1;
    // Who wrote what failed did not write what serves.
    let gave_up = view.workload.canary.as_ref().is_some_and(|c| c.aborted);
    let written = view.workload.written_by.as_ref();
    let written = written.filter(|_| view.other().is_none() || !gave_up);
    if let Some((by, at)) = written {
        let words = format!("by {by}, {} ago", text::age(*at, view.now()));
        if x + 3 + cells(&words) <= pen.width() {
            pen.line(x + 3, 0, &words, Role::Dim);
        } else {
            pen.line(2, 1, &words, Role::Dim);
            y = 2;
        }
    }
    let versions = sides.iter().map(|side| cells(&side.version));
    let version_cells = versions.max().unwrap_or(0).min(pen.width() / 3);
    for side in &sides {
        draw(pen, (y, version_cells), side);
        y += 1;
    }
    let limits = limits(view);
    if !limits.is_empty() {
        pen.line(2, y, &limits.join(", "), Role::Dim);
        y += 1;
    }
    canary::canary(pen, y, view)
}

/// The new one first.
fn sides(view: &View<'_>) -> Vec<Side> {
    if view.other().is_some() {
        return vec![served(view, "now")];
    }
    let new = current(view);
    if let (Some(new), Some(_)) = (new, beside(view)) {
        let taken_over = serves_new(view);
        let word = if taken_over { "now" } else { "old" };
        return vec![of_revision(view, ("new", new)), served(view, word)];
    }
    let old = view
        .revisions
        .iter()
        .filter(|r| new.is_none_or(|new| new.uid != r.uid) && counts(view, r) != (0, 0))
        .max_by_key(|r| (counts(view, r), r.number));
    let now = if old.is_some() { "new" } else { "now" };
    [(now, new), ("old", old)]
        .into_iter()
        .filter_map(|(word, revision)| Some(of_revision(view, (word, revision?))))
        .collect()
}

/// What serves beside it, of one that Flagger moves.
fn beside<'a>(view: &View<'a>) -> Option<&'a Workload> {
    let by_flagger = view.workload.canary.as_ref()?.is_moved_by_flagger();
    let serving = view.model.fleet.served_by(view.workload);
    serving.filter(|_| by_flagger)
}

/// It has passed: the other one has its template already.
fn serves_new(view: &View<'_>) -> bool {
    let canary = view.workload.canary.as_ref();
    let flagger = canary.and_then(|canary| canary.flagger.as_ref());
    flagger.is_some_and(|flagger| flagger.phase.is_past_analysis())
}

fn of_revision(view: &View<'_>, (word, revision): (&'static str, &Revision)) -> Side {
    let (pods, ready) = counts(view, revision);
    Side {
        word,
        version: version_of(view, revision),
        pods,
        wanted: view.workload.desired,
        ready,
        trouble: trouble(view, Some(revision)),
        place: None,
    }
}

/// Of the one that serves in its place, as its status counts.
fn served(view: &View<'_>, word: &'static str) -> Side {
    let fleet = &view.model.fleet;
    let serving = fleet.served_by(view.workload).unwrap_or(view.stand_in);
    let counts = serving.counts;
    Side {
        word,
        version: fleet.versions(view.workload, false).to,
        pods: counts.total,
        wanted: serving.desired,
        ready: counts.ready,
        trouble: view.other().and_then(|_| trouble(view, None)),
        place: Some(serving.id.name.clone()),
    }
}

/// `new 2.15.0  ██░░░░░░░░ 2 of 6  0 ready  2 ImagePullBackOff`.
fn draw(pen: &mut Pen<'_>, (y, version_cells): (u16, u16), side: &Side) {
    let x = pen.put(2, y, 4, &format!("{} ", side.word), Role::Dim);
    pen.put(x, y, version_cells, &side.version, Role::Plain);
    let x = x + version_cells + 2;
    let blocks = if pen.width() >= 70 { 10 } else { 5 };
    let x = pen.line(x, y, &bar(side.pods, side.wanted, blocks), Role::Moving);
    let words = format!(" {} of {}  {} ready", side.pods, side.wanted, side.ready);
    let mut x = pen.line(x, y, &words, Role::Plain);
    if let Some((trouble, count)) = &side.trouble {
        x = pen.line(x, y, &format!("  {count} {trouble}"), Role::Bad);
    }
    if let Some(place) = &side.place {
        pen.line(x, y, &format!("  in {place}"), Role::Dim);
    }
}

/// What most of the revision's pods, else of all, that are not ready say.
fn trouble(view: &View<'_>, revision: Option<&Revision>) -> Option<(String, usize)> {
    let its = |pod: &&&Pod| revision.is_none_or(|of| pod.revision == of.pod_hash);
    let mut words: Vec<String> = view
        .pods
        .iter()
        .filter(its)
        .filter(|pod| !pod.ready && !pod.terminating)
        .map(|pod| pod.word().to_owned())
        .collect();
    words.sort();
    let mut counted: Vec<(String, usize)> = Vec::new();
    for word in words {
        match counted.last_mut() {
            Some((last, count)) if *last == word => *count += 1,
            Some(_) | None => counted.push((word, 1)),
        }
    }
    counted.into_iter().max_by_key(|(_, count)| *count)
}

/// `may be down 1`, `may be extra 2`, `gives up in 5m`.
fn limits(view: &View<'_>) -> Vec<String> {
    let mut words = Vec::new();
    match &view.stand_in.strategy {
        Strategy::Rolling {
            max_unavailable,
            max_surge,
            partition,
            ..
        } => {
            words.extend(max_unavailable.as_ref().map(|n| format!("may be down {n}")));
            words.extend(max_surge.as_ref().map(|n| format!("may be extra {n}")));
            if *partition > 0 {
                let first = view.workload.first_ordinal.saturating_add(*partition);
                words.push(format!("ordinals below {first} stay as they are"));
            }
        }
        Strategy::Recreate => words.push("all old pods go first (Recreate)".to_owned()),
        Strategy::OnDelete => words.push("a pod moves when it is deleted (OnDelete)".to_owned()),
        Strategy::Other(name) => words.push(format!("strategy {name}")),
    }
    if view.workload.paused {
        words.push("paused".to_owned());
    }
    let now = view.now();
    if let (Some(end), Some(_)) = (view.standing.gives_up, view.standing.progress) {
        words.push(if end > now {
            format!("gives up in {}", text::age(now, end))
        } else {
            format!("gave up {} ago", text::age(end, now))
        });
    }
    words
}
