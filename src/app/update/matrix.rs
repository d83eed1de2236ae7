//! The matrix: service by environment, its keys, and the digests that pods run.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::app::answering::{How, answering, stale_since};
use crate::app::effect::Effect;
use crate::app::event::DigestsTold;
use crate::app::field::Field;
use crate::app::intent::Intent;
use crate::app::keymap::{Code, Key};
use crate::app::layout;
use crate::app::model::{MatrixScreen, Model, Overlay, Screen};
use crate::domain::known::State;
use crate::domain::matrix::{Cell, Sort};
use crate::domain::{ClusterId, Environment, Feed, Phase, SourceId, WorkloadId};

use super::key::{self, Typed};
use super::{board, next_job, notice, promotion};

mod table;

use table::board_rows;
pub use table::keep;

/// So many seconds digests are not asked for again by themselves.
const EVERY_SECONDS: i64 = 20;

/// On the cell of this workload, or on the first.
pub fn open(model: &mut Model, id: Option<&WorkloadId>) -> Vec<Effect> {
    let name = id.and_then(|id| Some(model.board.row(id)?.name().to_owned()));
    let screen = MatrixScreen {
        stale: true,
        ..MatrixScreen::default()
    };
    model.screens.push(Screen::Matrix(Box::new(screen)));
    reorder(model);
    if let (Some(id), Some(screen)) = (id, top_mut(model)) {
        let mut places = screen.table.environments.iter();
        screen.cursor = name.zip(places.find(|e| e.holds(id)).map(|e| e.name.clone()));
    }
    ask(model)
}

fn top(model: &Model) -> Option<&MatrixScreen> {
    match model.screens.last() {
        Some(Screen::Matrix(screen)) => Some(screen),
        Some(_) | None => None,
    }
}

fn top_mut(model: &mut Model) -> Option<&mut MatrixScreen> {
    match model.screens.last_mut() {
        Some(Screen::Matrix(screen)) => Some(screen),
        Some(_) | None => None,
    }
}

/// Since when nothing was heard of what an environment runs.
pub fn old_since(model: &Model, environment: &Environment) -> Option<Timestamp> {
    let feeds = model.watched.iter().filter(|source| {
        let covered = |name: &str| environment.namespaces.iter().any(|n| n == name);
        let here = *source.cluster.0 == *environment.cluster;
        let namespace = source.namespace.as_deref();
        let named = environment.namespaces.is_empty() || namespace.is_none_or(covered);
        here && named && matches!(source.feed, Feed::Workloads(_))
    });
    let since = feeds.filter_map(|source| stale_since(model, source)).min();
    let cluster = model.cluster(&ClusterId::from(environment.cluster.as_str()))?;
    let away = answering(model, cluster).how == How::Away;
    since.or_else(|| away.then_some(model.now))
}

/// Everything that runs in an environment has been listed: what is not there does not run.
pub fn is_listed(model: &Model, environment: &Environment) -> bool {
    let of = |namespace: Option<&str>| SourceId {
        cluster: environment.cluster.as_str().into(),
        namespace: namespace.map(Into::into),
        feed: Feed::Workloads(crate::domain::Kind::Deployment),
    };
    let all = model.fleet.synced(&of(None));
    let mut named = environment.namespaces.iter();
    let each = !environment.namespaces.is_empty();
    all || each && named.all(|name| model.fleet.synced(&of(Some(name))))
}

/// Row and column of the marked cell.
pub fn at(screen: &MatrixScreen) -> (usize, usize) {
    let Some((service, environment)) = &screen.cursor else {
        return (0, 0);
    };
    let row = screen
        .table
        .rows
        .iter()
        .position(|row| *row.service == **service);
    let names = &mut screen.table.environments.iter();
    let column = names.position(|one| one.name == *environment);
    (row.unwrap_or(0), column.unwrap_or(0))
}

/// What the marked cell says it runs.
fn marked(screen: &MatrixScreen) -> Option<&Cell> {
    let (row, column) = at(screen);
    screen.table.rows.get(row)?.cell(column)
}

/// The workload of the marked cell, for the header; of none while no key moved to one.
pub fn about(screen: &MatrixScreen) -> Option<&WorkloadId> {
    let (service, environment) = screen.cursor.as_ref()?;
    let table = &screen.table;
    let column = table
        .environments
        .iter()
        .position(|one| one.name == *environment)?;
    let row = table.all().find(|row| *row.service == **service)?;
    row.cell(column)?.running.first().map(|one| &one.id)
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (page, height) = (layout::page(model), layout::matrix_rows(model));
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    let table = &screen.table;
    let (row, column) = at(screen);
    let last = table.environments.len().saturating_sub(1);
    let to = match intent {
        Intent::Left => Some((row, column.saturating_sub(1))),
        Intent::Right => Some((row, column.saturating_add(1).min(last))),
        _ => key::moved(intent, row, table.rows.len(), page).map(|row| (row, column)),
    };
    if let Some((row, column)) = to {
        let service = table.rows.get(row).map(|row| row.service.to_string());
        let environment = table.environments.get(column).map(|e| e.name.clone());
        let cursor = service.zip(environment);
        if let Some(screen) = top_mut(model) {
            screen.cursor = cursor;
            screen.offset = layout::scrolled(screen.offset, row, height);
        }
        return Vec::new();
    }
    match intent {
        Intent::Open | Intent::Mark | Intent::Promote | Intent::Copy => on_cell(model, intent),
        Intent::Sort => {
            model.overlay = Some(Overlay::SortKey);
            Vec::new()
        }
        Intent::Filter => {
            if let Some(screen) = top_mut(model) {
                screen.filtering = true;
            }
            Vec::new()
        }
        Intent::Retry => {
            let mut effects = board::retry(model);
            effects.extend(read(model, |_| true));
            effects
        }
        Intent::Back => back(model),
        _ => Vec::new(),
    }
}

/// What needs something under the cursor.
fn on_cell(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    if intent == Intent::Promote && !screen.marks.is_empty() {
        return promotion::marked(model);
    }
    let running = marked(screen).map_or(&[][..], |cell| &cell.running);
    let ids: Vec<_> = running.iter().map(|one| one.id.clone()).collect();
    // In two namespaces or of two kinds: the one in trouble is what one comes for.
    let Some(worst) = running.iter().min_by_key(|one| one.phase) else {
        notice(model, "nothing runs there that is known", false);
        return Vec::new();
    };
    let worst = worst.id.clone();
    match intent {
        Intent::Open => {
            let uid = model
                .fleet
                .workload(&worst)
                .map(|workload| workload.uid.clone());
            uid.map_or_else(Vec::new, |uid| board::open(model, worst, uid))
        }
        Intent::Promote => promotion::open(model, ids),
        Intent::Copy => {
            let lines = ids.iter().map(|id| format!("-n {} {id}", id.namespace));
            let text = lines.collect::<Vec<_>>().join("\n");
            vec![Effect::Copy { text }]
        }
        _ => {
            if let Some(screen) = top_mut(model) {
                mark(screen, ids);
            }
            Vec::new()
        }
    }
}

/// All of a cell; away with them when all are marked.
fn mark(screen: &mut MatrixScreen, ids: Vec<WorkloadId>) {
    if ids.iter().all(|id| screen.marks.contains(id)) {
        screen.marks.retain(|id| !ids.contains(id));
    } else {
        screen.marks.extend(ids);
    }
}

fn back(model: &mut Model) -> Vec<Effect> {
    let Some(screen) = top_mut(model) else {
        return Vec::new();
    };
    if !screen.marks.is_empty() {
        screen.marks.clear();
        return Vec::new();
    }
    if !screen.filter.value().is_empty() {
        screen.filter = Field::default();
        reorder(model);
        return Vec::new();
    }
    let job = screen.asked.map(|(job, _)| job);
    model.screens.pop();
    job.map(|job| Effect::Cancel { job }).into_iter().collect()
}

pub fn filter_key(model: &mut Model, pressed: Key) {
    let Some(screen) = top_mut(model) else {
        return;
    };
    match key::typed(&mut screen.filter, pressed) {
        Typed::Edited | Typed::Complete => screen.offset = 0,
        Typed::Taken => screen.filtering = false,
        Typed::Left => (screen.filtering, screen.filter) = (false, Field::default()),
        Typed::Up => drop(act(model, Intent::Up)),
        Typed::Down => drop(act(model, Intent::Down)),
    }
    reorder(model);
}

/// At once: the next key may be about a row that was not there.
fn reorder(model: &mut Model) {
    keep(model, &BTreeSet::new());
}

pub fn sort_key(model: &mut Model, pressed: Key) {
    let sort = match pressed.code {
        Code::Char('d') => Sort::Drift,
        Code::Char('n') => Sort::Name,
        Code::Char('t') => Sort::Trouble,
        Code::Esc => return,
        _ => return notice(model, "sort by: d drift, n name, t trouble", false),
    };
    if let Some(screen) = top_mut(model) {
        (screen.sort, screen.offset) = (sort, 0);
    }
    reorder(model);
}

/// With each tick, and when it is opened: the pods of clusters that were never looked at, and of those in which
/// something came to rest since.
pub fn ask(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    let recent = |at: Timestamp| now.duration_since(at).as_secs() < EVERY_SECONDS;
    let waits = screen.asked.is_some_and(|(_, at)| recent(at));
    let wanted: Vec<ClusterId> = model
        .clusters
        .iter()
        .filter(|cluster| cluster.connected() && cluster.scope.resolved)
        .filter(|cluster| match screen.digests.get(&cluster.id) {
            None => true,
            Some(known) => {
                let read = known.last.as_ref().map(|(_, at)| *at);
                let idle = known.state == State::Fresh && !waits;
                idle && read.is_some_and(|at| came_to_rest(model, &cluster.id, at))
            }
        })
        .map(|cluster| cluster.id.clone())
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    read(model, |id| wanted.contains(id))
}

fn came_to_rest(model: &Model, cluster: &ClusterId, since: Timestamp) -> bool {
    board_rows(model).any(|row| {
        row.id.cluster == *cluster
            && row.standing.phase == Phase::Steady
            && row.changed.is_some_and(|changed| changed > since)
    })
}

fn read(model: &mut Model, wanted: impl Fn(&ClusterId) -> bool) -> Vec<Effect> {
    let job = next_job(model);
    let now = model.now;
    let clusters = model.clusters.iter().filter(|cluster| wanted(&cluster.id));
    let of: Vec<_> = clusters
        .map(|cluster| (cluster.id.clone(), cluster.scope.namespaces.clone()))
        .collect();
    let Some(screen) = top_mut(model) else {
        return Vec::new();
    };
    for (cluster, _) in &of {
        screen.digests.entry(cluster.clone()).or_default().state = State::Loading;
    }
    screen.asked = Some((job, now));
    vec![Effect::ReadDigests { job, of }]
}

pub fn told(model: &mut Model, told: DigestsTold) -> Vec<Effect> {
    let now = model.now;
    let mut screens = model.screens.iter_mut().filter_map(|screen| match screen {
        Screen::Matrix(screen) => Some(screen),
        _ => None,
    });
    let asked = |screen: &&mut Box<MatrixScreen>| screen.digests.contains_key(&told.cluster);
    if let Some(screen) = screens.find(asked) {
        let known = screen.digests.entry(told.cluster).or_default();
        match told.outcome {
            Ok(digests) => known.learn(digests, now),
            Err(failure) => known.fail(failure.sentence, now),
        }
        screen.stale = true;
        model.dirty = true;
    }
    Vec::new()
}
