//! The rows of the board, kept in step with the fleet: only what was touched is worked out again.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::build::JobId;
use crate::domain::{
    Phase, Revision, Standing, Sync, SyncState, Uid, Workload, WorkloadId, canary, revision,
};
use crate::plan::{Follow, Verb};

use super::filter::Filter;
use super::layout;
use super::model::{Board, Model, Row, Screen, Sort, SyncWord, Tally};
use super::update::{builds, matrix, notice, service};

/// More touched rows than this, and sorting everything is cheaper than placing each.
const FEW: usize = 32;

/// Brings rows, tally, cursor and offset in step. Called before every view; does nothing when nothing changed.
pub fn settle(model: &mut Model) {
    let touched = std::mem::take(&mut model.work.touched);
    let all = std::mem::take(&mut model.work.all_rows);
    let is_matrix = |screen: &Screen| matches!(screen, Screen::Matrix(_));
    let of_matrix = model.screens.iter().any(is_matrix).then(|| touched.clone());
    let news = news(model, touched);
    if !news.is_empty() || all {
        if all || news.len() > FEW {
            rebuild(model, news, all);
        } else {
            for (id, row) in news {
                place(model, &id, row);
            }
        }
        model.board.hidden = model.board.hidden_rows.len();
        model.board.tally = tally(&model.board);
        model.dirty = true;
    }
    if let Some(touched) = of_matrix {
        matrix::keep(model, &touched);
    }
    keep_cursor(model);
    keep_marks(model);
    mark_revisions(model);
}

/// A mark is of an object: when that is gone, so is its mark, and that is said.
fn keep_marks(model: &mut Model) {
    let board = &model.board;
    let is_there =
        |(id, uid): (&WorkloadId, &Uid)| board.row(id).is_some_and(|row| row.uid == *uid);
    let gone: Vec<_> = board
        .marks
        .iter()
        .filter(|mark| !is_there(*mark))
        .map(|(id, _)| id.clone())
        .collect();
    for id in gone {
        model.board.marks.remove(&id);
        notice(model, format!("{id} is gone: it is no longer marked"), true);
    }
}

/// A service that was opened before its revisions were known gets its mark when they come.
fn mark_revisions(model: &mut Model) {
    let Model { fleet, screens, .. } = model;
    for screen in screens {
        if let Screen::Service(screen) = screen
            && screen.revision.is_none()
        {
            service::mark_current(fleet, screen);
        }
    }
}

type News = Vec<(WorkloadId, Option<Row>)>;

/// The touched rows that really read differently now.
fn news(model: &Model, touched: BTreeSet<WorkloadId>) -> News {
    let board = &model.board;
    let index: Option<BTreeMap<&WorkloadId, &Row>> =
        (touched.len() > FEW).then(|| board.rows.iter().map(|row| (&row.id, row)).collect());
    let shown = |id: &WorkloadId| match &index {
        Some(index) => index.get(id).copied(),
        None => board.rows.iter().find(|row| row.id == *id),
    };
    let rows = touched.into_iter().map(|id| {
        let row = row(model, &id);
        (id, row)
    });
    // Labels are not in the rows, and may be another while these are the same.
    let by_labels = Filter::parse(board.filter.value()).by_labels();
    rows.filter(|(id, new)| {
        by_labels || shown(id).or_else(|| board.hidden_rows.get(id)) != new.as_ref()
    })
    .collect()
}

/// Rows whose standing may change because time passes, and not because anything happened.
pub fn touch_what_ages(model: &mut Model) {
    let Board {
        rows, hidden_rows, ..
    } = &model.board;
    let aging = rows
        .iter()
        .chain(hidden_rows.values())
        .filter(|row| ages(&row.standing));
    model.work.touched.extend(aging.map(|row| row.id.clone()));
}

fn ages(standing: &Standing) -> bool {
    match standing.phase {
        Phase::Stalled
        | Phase::Canary
        | Phase::Degraded
        | Phase::RollingBack
        | Phase::Rolling
        | Phase::Paused => true,
        Phase::Unknown | Phase::Steady | Phase::ScaledToZero => false,
    }
}

fn rebuild(model: &mut Model, news: News, filter_changed: bool) {
    let mut rows = std::mem::take(&mut model.board.rows);
    rows.extend(std::mem::take(&mut model.board.hidden_rows).into_values());
    let mut rows: BTreeMap<WorkloadId, Row> =
        rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    for (id, new) in news {
        model.work.wishes = true;
        match new {
            Some(row) => drop(rows.insert(id, row)),
            None => drop(rows.remove(&id)),
        }
    }
    let cursor = model
        .board
        .cursor
        .clone()
        .filter(|_| model.board.held && !filter_changed);
    let filter = Filter::parse(model.board.filter.value());
    let (mut visible, hidden): (Vec<_>, Vec<_>) = rows
        .into_values()
        .partition(|row| is_cursor(cursor.as_ref(), row) || shows(&filter, model, row));
    let sort = model.board.sort;
    visible.sort_by(|a, b| order(sort, a, b));
    model.board.rows = visible;
    model.board.hidden_rows = hidden
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
}

/// So many seconds a row that is in no trouble keeps its place, whatever its order: who reads it would lose it, and
/// every row that moves is painted again with all below it.
const CALM_SECONDS: i64 = 3;

/// Puts every row where it belongs, once they have stood still long enough.
pub fn tidy(model: &mut Model) {
    let calm = SignedDuration::from_secs(CALM_SECONDS);
    let due = |since: Timestamp| model.now.duration_since(since) >= calm;
    if model.work.untidy.is_some_and(due) {
        model.work.untidy = None;
        model
            .board
            .rows
            .sort_by(|a, b| order(model.board.sort, a, b));
        model.dirty = true;
    }
}

fn in_trouble(row: &Row) -> bool {
    matches!(row.standing.phase, Phase::Stalled | Phase::Degraded)
}

/// Takes one row out and puts it back where it belongs now.
fn place(model: &mut Model, id: &WorkloadId, new: Option<Row>) {
    let old = model.board.rows.iter().position(|row| row.id == *id);
    let was = match old {
        Some(at) => Some(&model.board.rows[at]),
        None => model.board.hidden_rows.get(id),
    };
    if was.map(wish) != new.as_ref().map(wish) {
        model.work.wishes = true;
    }
    let calm = was.is_some_and(|was| !in_trouble(was));
    let Some(new) = new else {
        take_out(&mut model.board, old, id);
        return;
    };
    let board = &model.board;
    let held = board.cursor.as_ref().filter(|_| board.held);
    let filter = Filter::parse(board.filter.value());
    let visible = is_cursor(held, &new) || shows(&filter, model, &new);
    let board = &mut model.board;
    if let Some(at) = old
        && visible
        && calm
        && !in_trouble(&new)
    {
        board.rows[at] = new;
        model.work.untidy.get_or_insert(model.now);
        return;
    }
    take_out(board, old, id);
    if visible {
        let sort = board.sort;
        let at = board
            .rows
            .partition_point(|row| order(sort, row, &new) == Ordering::Less);
        board.rows.insert(at, new);
    } else {
        board.hidden_rows.insert(id.clone(), new);
    }
}

fn take_out(board: &mut Board, shown: Option<usize>, id: &WorkloadId) {
    match shown {
        Some(at) => drop(board.rows.remove(at)),
        None => drop(board.hidden_rows.remove(id)),
    }
}

/// What the wish list looks at.
fn wish(row: &Row) -> (&str, Phase, bool, Option<&JobId>) {
    let job = row.build.as_ref().map(|build| &build.job);
    (&row.uid.0, row.standing.phase, row.followed, job)
}

fn is_cursor(cursor: Option<&(WorkloadId, Uid)>, row: &Row) -> bool {
    cursor.is_some_and(|(id, uid)| *uid == row.uid && *id == row.id)
}

fn shows(filter: &Filter, model: &Model, row: &Row) -> bool {
    let trouble = match row.standing.phase {
        Phase::Steady | Phase::ScaledToZero => false,
        Phase::Stalled
        | Phase::Canary
        | Phase::Degraded
        | Phase::RollingBack
        | Phase::Rolling
        | Phase::Paused
        | Phase::Unknown => true,
    };
    (trouble || !model.board.only_trouble) && filter.fits(row, &model.fleet)
}

fn order(sort: Sort, a: &Row, b: &Row) -> Ordering {
    let by = match sort {
        Sort::Trouble => a
            .standing
            .phase
            .cmp(&b.standing.phase)
            .then_with(|| within_phase(a, b)),
        Sort::Name => Ordering::Equal,
        Sort::Changed => Reverse(a.changed).cmp(&Reverse(b.changed)),
        Sort::Version => a.version.cmp(&b.version),
        Sort::Namespace => a.id.namespace.cmp(&b.id.namespace),
        Sort::Environment => {
            let places = a.id.cluster.cmp(&b.id.cluster);
            let places = places.then_with(|| a.id.namespace.cmp(&b.id.namespace));
            a.order.cmp(&b.order).then(places)
        }
    };
    by.then_with(|| a.name().cmp(b.name()))
        .then_with(|| a.order.cmp(&b.order))
        .then_with(|| a.id.cmp(&b.id))
}

/// The newest trouble first. What is on its way keeps its place: who sets out later stands below.
fn within_phase(a: &Row, b: &Row) -> Ordering {
    let since = |row: &Row| row.standing.since.or(row.changed);
    match a.standing.phase {
        Phase::Stalled | Phase::Degraded => since(b).cmp(&since(a)),
        Phase::Canary | Phase::Rolling | Phase::RollingBack | Phase::Paused => {
            since(a).cmp(&since(b))
        }
        Phase::Unknown | Phase::Steady | Phase::ScaledToZero => Ordering::Equal,
    }
}

fn tally(board: &Board) -> Tally {
    let mut tally = Tally::default();
    for row in board.rows.iter().chain(board.hidden_rows.values()) {
        tally.services += 1;
        match row.standing.phase {
            Phase::Stalled => tally.stalled += 1,
            Phase::Canary => tally.canary += 1,
            Phase::Degraded => tally.degraded += 1,
            Phase::Rolling | Phase::RollingBack => tally.rolling += 1,
            Phase::Paused | Phase::Unknown | Phase::Steady | Phase::ScaledToZero => {}
        }
    }
    tally
}

fn row(model: &Model, id: &WorkloadId) -> Option<Row> {
    let workload = model.fleet.workload(id)?;
    let mut standing = model.fleet.standing(id, model.clock_of(id))?;
    let mut followed = model.follows.iter().filter(|following| {
        matches!(following.state, Follow::Pending(_)) && following.goal.uid == workload.uid
    });
    let followed = followed.next().map(|following| following.goal.verb);
    if followed == Some(Verb::Rollback) && standing.phase == Phase::Rolling {
        standing.phase = Phase::RollingBack;
    }
    let revisions = model.fleet.revisions(workload);
    let canary = canary::at(workload, revisions);
    let moving = standing.progress.is_some() || canary.is_some();
    let versions = model.fleet.versions(workload, moving);
    let serving = model.fleet.served_by(workload);
    let serving = serving.filter(|_| workload.controlled().is_some());
    let serving = serving.unwrap_or(workload);
    Some(Row {
        id: id.clone(),
        uid: workload.uid.clone(),
        service: Some(workload.service(model.settings.service_label.as_deref()))
            .filter(|name| **name != *workload.id.name)
            .map(Into::into),
        template: workload.template,
        environment: model.environment(id).map(|e| e.name.clone()),
        order: model.environment_order(id),
        version: versions.to,
        from_version: versions.from,
        standing,
        canary,
        available: serving.counts.available,
        desired: serving.desired,
        changed: changed(workload, revisions),
        followed: followed.is_some(),
        sync: model.fleet.sync(workload).and_then(sync_word),
        build: builds::of(model, workload),
    })
}

fn sync_word(sync: &Sync) -> Option<SyncWord> {
    match sync.state {
        _ if sync.suspension.is_some() => Some(SyncWord::Suspended),
        SyncState::OutOfSync => Some(SyncWord::OutOfSync),
        SyncState::Failing => Some(SyncWord::Failing),
        SyncState::InSync | SyncState::Unknown => None,
    }
}

fn changed(workload: &Workload, revisions: &[Revision]) -> Option<Timestamp> {
    let ours = workload.action.as_ref().map(|action| action.at);
    let written = workload.written_by.as_ref().map(|(_, at)| *at);
    let created = || revision::current(workload, revisions).map(|r| r.created);
    ours.or(written).or_else(created)
}

/// The cursor stays on its object. Before the first key it sits on the worst row; when its object goes, the
/// neighbour takes over, and that is said.
fn keep_cursor(model: &mut Model) {
    let board = &mut model.board;
    let found = board
        .cursor
        .as_ref()
        .filter(|_| board.held)
        .and_then(|cursor| {
            board
                .rows
                .iter()
                .position(|row| is_cursor(Some(cursor), row))
        });
    if let Some(at) = found {
        board.at = at;
    } else {
        let at = if board.held {
            board.at.min(board.rows.len().saturating_sub(1))
        } else {
            0
        };
        let next = board
            .rows
            .get(at)
            .map(|row| (row.id.clone(), row.uid.clone()));
        let next = if board.rows.is_empty() && !board.hidden_rows.is_empty() {
            None
        } else {
            next
        };
        if next != board.cursor {
            let left = std::mem::replace(&mut board.cursor, next.clone());
            let gone = left.filter(|(id, uid)| {
                let hidden = board.hidden_rows.get(id);
                board.held && hidden.is_none_or(|row| row.uid != *uid)
            });
            if let Some((id, _)) = gone {
                let on = next.map_or_else(String::new, |(id, _)| format!(": now on {id}"));
                notice(model, format!("{id} is gone{on}"), true);
            }
            model.dirty = true;
        }
        model.board.at = at;
    }
    let rows = layout::board_rows(model);
    let board = &mut model.board;
    let offset = layout::scrolled(board.offset, board.at, rows);
    board.offset = offset.min(board.rows.len().saturating_sub(rows));
}
