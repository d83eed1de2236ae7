//! One service: how it stands and why, what `R` would do, its history, its rollout, its pods and their events.

mod canary;
mod changes;
mod delivery;
mod history;
mod measured;
mod pods;
mod rollout;
mod sync;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::app::Model;
use crate::app::deliveries::of_service;
use crate::app::intent::Intent;
use crate::app::model::ServiceScreen;
use crate::app::update::{missing_permission, service as on_screen};
use crate::app::way_back::{WayBack, pulled};
use crate::app::words::key;
use crate::domain::delivery::Delivery;
use crate::domain::{Kind, Phase, Pod, Revision, Standing, Warning, Workload, revision, version};
use crate::plan::verbs::rollback;
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::pen::{Pen, cells};

/// From here on history and rollout stand side by side.
const SIDE_BY_SIDE: u16 = 100;

/// All that the screen is drawn from.
struct View<'a> {
    model: &'a Model,
    screen: &'a ServiceScreen,
    workload: &'a Workload,
    revisions: &'a [Revision],
    /// The one whose pods are shown: another where that serves in its place.
    stand_in: &'a Workload,
    /// Those in trouble first.
    pods: Vec<&'a Pod>,
    warnings: Vec<&'a Warning>,
    standing: Standing,
    /// Names of revisions that were rolled back from.
    withdrawn: BTreeSet<Box<str>>,
    /// What built the revisions, and what is on its way.
    deliveries: Vec<Delivery<'a>>,
}

impl View<'_> {
    fn now(&self) -> Timestamp {
        self.model.clock_of(&self.workload.id)
    }

    /// The name of the one whose pods are shown, where it is another.
    fn other(&self) -> Option<&str> {
        let other = self.stand_in.id != self.workload.id;
        other.then_some(&*self.stand_in.id.name)
    }
}

pub fn service(pen: &mut Pen<'_>, model: &Model, screen: &ServiceScreen) {
    let fleet = &model.fleet;
    let (Some(workload), Some(standing)) = (
        fleet.workload(&screen.workload),
        fleet.standing(&screen.workload, model.clock_of(&screen.workload)),
    ) else {
        let words = format!("{} is no longer there.", screen.workload);
        pen.line(1, 1, &words, Role::Warn);
        return;
    };
    let stand_in = fleet.stand_in(workload);
    let mut warnings = fleet.warnings(workload);
    if stand_in.id != workload.id {
        warnings.extend(fleet.warnings(stand_in));
        warnings.sort_by_key(|warning| std::cmp::Reverse(warning.last_seen));
    }
    let revisions = fleet.revisions(workload);
    let mut view = View {
        model,
        screen,
        workload,
        revisions,
        withdrawn: revision::withdrawn(workload, revisions),
        stand_in,
        pods: on_screen::pods(fleet, &workload.id),
        warnings,
        standing,
        deliveries: Vec::new(),
    };
    view.deliveries = of_service(model, workload);
    let y = headline(pen, &view);
    let height = pen.height().saturating_sub(y);
    let width = pen.width();
    let mut body = pen.part(0, y, width, height);
    if width >= SIDE_BY_SIDE {
        wide(&mut body, &view);
    } else {
        narrow(&mut body, &view);
    }
}

/// A revision's pods, and those of them that are ready. A ReplicaSet says so itself; of a ControllerRevision only
/// the pods tell.
fn counts(view: &View<'_>, revision: &Revision) -> (u32, u32) {
    match view.workload.id.kind {
        Kind::Deployment | Kind::Rollout => (revision.desired, revision.ready),
        Kind::StatefulSet | Kind::DaemonSet => {
            let its = |pod: &&&Pod| pod.revision == revision.pod_hash && !pod.terminating;
            let count = |pods: usize| u32::try_from(pods).unwrap_or(u32::MAX);
            let pods = view.pods.iter().filter(its);
            let ready = pods.clone().filter(|pod| pod.ready).count();
            (count(pods.count()), count(ready))
        }
    }
}

/// The phase, how long, and why; then what `R` would do. Gives the next free line, after a blank one.
fn headline(pen: &mut Pen<'_>, view: &View<'_>) -> u16 {
    let (sign, role) = theme::phase(view.standing.phase);
    pen.put(1, 0, 1, sign, role);
    let mut x = pen.line(3, 0, &how_long(view), role) + 3;
    let mut y = 0;
    let current = current(view);
    if view.standing.phase == Phase::Steady {
        let fleet = &view.model.fleet;
        let serving = fleet.served_by(view.workload);
        let version = match serving {
            Some(_) => Some(fleet.versions(view.workload, false).to),
            None => current.map(|r| version_of(view, r)),
        };
        let serving = serving.unwrap_or(view.workload);
        let (have, want) = (serving.counts.available, serving.desired);
        let serves = version.map(|version| format!("{version} on {have} of {want} pods"));
        let serves = serves.unwrap_or_default();
        let end = pen.line(x, 0, &serves, Role::Plain);
        x = if serves.is_empty() { x } else { end + 3 };
    }
    if let Some(why) = &view.standing.why {
        let first_room = pen.width().saturating_sub(x + 1);
        if usize::from(first_room) < text::width(&why.text).min(60) {
            (x, y) = (3, 1);
        }
        let room = pen.width().saturating_sub(x + 1);
        let lines = text::wrap(&why.text, usize::from(room));
        for line in lines.iter().take(2) {
            pen.line(x, y, line, Role::Plain);
            y += 1;
        }
        y = y.saturating_sub(1);
    }
    y += 1;
    for (words, role) in measured::verdict(view, pen.width().saturating_sub(4)) {
        pen.line(3, y, &words, role);
        y += 1;
    }
    if let Some((words, role)) = what_next(view) {
        let end = pen.line(3, y, &words, role);
        y += 1;
        if let Some((back, role)) = way_back(view) {
            // Beside it where there is room, else below.
            if end + 3 + cells(&back) < pen.width() {
                pen.line(end, y - 1, &format!(" · {back}"), role);
            } else {
                pen.line(3, y, &back, role);
                y += 1;
            }
        }
    }
    for (words, role) in sync::lines(view, pen.width().saturating_sub(4)) {
        pen.line(3, y, &words, role);
        y += 1;
    }
    let room = pen.width().saturating_sub(4);
    for (words, role) in delivery::lines(view, &view.deliveries, room) {
        pen.put_clause(3, y, room, &words, role);
        y += 1;
    }
    y + 1
}

/// `stalled 4m of 10m`.
fn how_long(view: &View<'_>) -> String {
    let standing = &view.standing;
    let phase = standing.phase.to_string();
    let Some(since) = standing.since else {
        return phase;
    };
    let age = text::age(since, view.now());
    match standing.gives_up {
        Some(end) => {
            let whole = u64::try_from(end.duration_since(since).as_secs()).unwrap_or(0);
            format!("{phase} {}", text::of_deadline(since, view.now(), whole))
        }
        None => format!("{phase} {age}"),
    }
}

/// What the release verb would do from here, or why it may not.
fn what_next(view: &View<'_>) -> Option<(String, Role)> {
    let canary = view.workload.canary.as_deref();
    if canary.is_some_and(|canary| canary.template_of.is_some() || canary.flagger.is_some()) {
        return None;
    }
    let verb = key(view.model, Intent::RollBack);
    if let Some(missing) = missing_permission(view.model, &view.workload.id) {
        return Some((
            format!("{verb} is not for you: no permission to {missing}"),
            Role::Dim,
        ));
    }
    if view.model.settings.readonly {
        return Some((
            format!("{verb} would roll back, but this session is read-only"),
            Role::Dim,
        ));
    }
    let best = proposed(view);
    if let Some(words) = unfinished(view, best) {
        return Some((format!("{verb} {words}"), Role::Plain));
    }
    let (target, serving) = best?;
    let serving = match serving {
        0 => "none of its pods runs now".to_owned(),
        1 => "1 of its pods serves now".to_owned(),
        n => format!("{n} of its pods serve now"),
    };
    let image = match pulled(&view.model.chain, target) {
        Some(true) => ", image verified",
        Some(false) => ", its image is missing",
        None => "",
    };
    let words = format!(
        "{verb} rolls back to {}: {serving}{image}",
        version_of(view, target)
    );
    Some((words, Role::Plain))
}

/// How many revisions there are to go back to, as far as registries told.
fn way_back(view: &View<'_>) -> Option<(String, Role)> {
    let back = WayBack::of(view.model, view.workload);
    let role = if back.is_none() {
        Role::Warn
    } else {
        Role::Dim
    };
    back.words().map(|words| (words, role))
}

/// What the plan would do when it only finishes a rollback.
fn unfinished(view: &View<'_>, best: Option<(&Revision, u32)>) -> Option<String> {
    let current = current(view)?;
    let came_from = |pod: &Pod| {
        let of = view.revisions.iter().find(|r| r.pod_hash == pod.revision);
        let withdrawn = of.is_some_and(|of| view.withdrawn.contains(&of.name));
        rollback::came_back_from(current, of, withdrawn, pod)
    };
    let pods = view.pods.iter().copied();
    let left = rollback::left_behind(view.workload, pods, current, best, came_from)?;
    let names: Vec<_> = left.all().map(|pod| &*pod.name).collect();
    Some(format!(
        "finishes the rollback: deletes {}",
        text::list(&names)
    ))
}

/// The revision that a rollback would propose, by the plan's own rule.
fn proposed<'a>(view: &View<'a>) -> Option<(&'a Revision, u32)> {
    let current = current(view)?;
    let kept = |r: &&Revision| {
        r.uid != current.uid && !view.withdrawn.contains(&r.name) && !r.is_restart_of(current)
    };
    let others = view.revisions.iter().filter(kept);
    let others = others.map(|r| (r, r.serving(view.pods.iter().copied())));
    rollback::preferred(others, Some(current.number))
}

/// The revision that the workload's template is.
fn current<'a>(view: &View<'a>) -> Option<&'a Revision> {
    revision::current(view.workload, view.revisions).or_else(|| view.revisions.first())
}

fn version_of(view: &View<'_>, revision: &Revision) -> String {
    let other = view.revisions.iter().find(|r| r.uid != revision.uid);
    version::version(
        &revision.containers,
        revision.version_label.as_deref(),
        other.map(|r| &*r.containers),
    )
}

/// The marked revision, else none.
fn marked<'a>(view: &View<'a>) -> Option<&'a Revision> {
    let name = view.screen.revision.as_deref()?;
    view.revisions.iter().find(|r| *r.name == *name)
}

fn wide(pen: &mut Pen<'_>, view: &View<'_>) {
    let half = pen.width() / 2;
    let left = history::wanted(view).clamp(half - half / 8, half + half / 5);
    let height = pen.height();
    pen.part(left, 0, 1, height).column(0, "│", Role::Dim);
    let changes = changes::changes(view);
    let changes_rows = rows(changes.len() + 1).min(height / 2);
    let history = height
        .saturating_sub(changes_rows + 1)
        .min(rows(view.revisions.len() + 2));
    history::history(&mut pen.part(0, 0, left - 1, history), view);
    changes::draw(
        &mut pen.part(
            0,
            history + 1,
            left - 1,
            height - history.min(height - 1) - 1,
        ),
        &changes,
    );
    let width = pen.width().saturating_sub(left + 1);
    let mut right = pen.part(left + 1, 0, width, height);
    let y = rollout::rollout(&mut right, view) + 1;
    let rest = height.saturating_sub(y);
    let events = rows(view.warnings.len() + 1).min(rest / 2).max(2);
    let pods = rest
        .saturating_sub(events + 1)
        .min(rows(view.pods.len() + 1))
        .max(2);
    pods::pods(&mut right.part(0, y, width, pods), view);
    let y = y + pods + 1;
    pods::events(&mut right.part(0, y, width, height.saturating_sub(y)), view);
}

/// One below the other: the rollout while there is one, the history, the pods, and events where room is left.
fn narrow(pen: &mut Pen<'_>, view: &View<'_>) {
    let (width, height) = (pen.width(), pen.height());
    let mut y = 0;
    if view.standing.progress.is_some() || canary::has(view) {
        y = rollout::rollout(pen, view) + 1;
    }
    let rest = height.saturating_sub(y);
    let history = rows(view.revisions.len() + 2).min((rest / 2).max(4));
    history::history(&mut pen.part(0, y, width, history), view);
    y += history + 1;
    let rest = height.saturating_sub(y);
    let pods = rows(view.pods.len() + 1).min(rest).max(2);
    pods::pods(&mut pen.part(0, y, width, pods), view);
    y += pods + 1;
    pods::events(&mut pen.part(0, y, width, height.saturating_sub(y)), view);
}

fn rows(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
