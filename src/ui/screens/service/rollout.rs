//! The move from the old revision to the new one: how many pods each has, and what may happen meanwhile.

use crate::domain::{Revision, Strategy};
use crate::text;

use super::super::super::theme::Role;
use super::super::super::widgets::bar::bar;
use super::super::super::widgets::change::fit_change;
use super::super::super::widgets::pen::{Pen, cells};
use super::{View, canary, counts, current, version_of};

/// Draws it and gives the next free line.
pub fn rollout(pen: &mut Pen<'_>, view: &View<'_>) -> u16 {
    let new = current(view);
    let old = view
        .revisions
        .iter()
        .filter(|r| new.is_none_or(|new| new.uid != r.uid) && counts(view, r) != (0, 0))
        .max_by_key(|r| (counts(view, r), r.number));
    let mut x = pen.line(1, 0, "ROLLOUT  ", Role::Strong);
    let words = match (old, new) {
        (Some(old), Some(new)) => {
            format!("{} → {}", version_of(view, old), version_of(view, new))
        }
        (_, Some(new)) => version_of(view, new),
        (_, None) => String::new(),
    };
    let room = pen.width().saturating_sub(x);
    x = pen.line(x, 0, &fit_change(&words, room), Role::Plain);
    let mut y = 1;
    if let Some((by, at)) = &view.workload.written_by {
        let words = format!("by {by}, {} ago", text::age(*at, view.now()));
        if x + 3 + cells(&words) <= pen.width() {
            pen.line(x + 3, 0, &words, Role::Dim);
        } else {
            pen.line(2, 1, &words, Role::Dim);
            y = 2;
        }
    }
    let now = if old.is_some() { "new" } else { "now" };
    let sides: Vec<_> = [(now, new), ("old", old)]
        .into_iter()
        .filter_map(|(word, revision)| Some((word, revision?)))
        .collect();
    let versions = sides.iter().map(|(_, r)| cells(&version_of(view, r)));
    let version_cells = versions.max().unwrap_or(0).min(pen.width() / 3);
    for (word, revision) in sides {
        side(pen, (y, version_cells), view, (word, revision));
        y += 1;
    }
    let limits = limits(view);
    if !limits.is_empty() {
        pen.line(2, y, &limits.join(", "), Role::Dim);
        y += 1;
    }
    canary::canary(pen, y, view)
}

/// `new 2.15.0  ██░░░░░░░░ 2 of 6  0 ready  2 ImagePullBackOff`.
fn side(
    pen: &mut Pen<'_>,
    (y, version_cells): (u16, u16),
    view: &View<'_>,
    (word, revision): (&str, &Revision),
) {
    let wanted = view.workload.desired;
    let (pods, ready) = counts(view, revision);
    let x = pen.put(2, y, 4, &format!("{word} "), Role::Dim);
    let version = version_of(view, revision);
    pen.put(x, y, version_cells, &version, Role::Plain);
    let x = x + version_cells + 2;
    let blocks = if pen.width() >= 70 { 10 } else { 5 };
    let x = pen.line(x, y, &bar(pods, wanted, blocks), Role::Moving);
    let words = format!(" {pods} of {wanted}  {ready} ready");
    let x = pen.line(x, y, &words, Role::Plain);
    if let Some((trouble, count)) = trouble(view, revision) {
        pen.line(x, y, &format!("  {count} {trouble}"), Role::Bad);
    }
}

/// What most of the revision's pods that are not ready say.
fn trouble(view: &View<'_>, revision: &Revision) -> Option<(String, usize)> {
    let mut words: Vec<String> = view
        .pods
        .iter()
        .filter(|pod| pod.revision == revision.pod_hash && !pod.ready && !pod.terminating)
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
    match &view.workload.strategy {
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
