//! The rows of the matrix, kept in step with those of the board: only the services that were touched are worked out again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::app::filter::Filter;
use crate::app::model::matrix::Table;
use crate::app::model::{MatrixScreen, Model, Row as BoardRow, Screen};
use crate::domain::image::registry_digest;
use crate::domain::matrix::{self, Row, Running, Scope};
use crate::domain::version::version;
use crate::domain::{Environment, ImageRef, WorkloadId};

/// Brings the matrix on top in step after these workloads were touched; one that lies under another screen waits until it
/// is on top again. Returns how many services were worked out.
pub fn keep(model: &mut Model, touched: &BTreeSet<WorkloadId>) -> usize {
    let Some(mut top) = model.screens.pop() else {
        return 0;
    };
    for below in &mut model.screens {
        if let Screen::Matrix(screen) = below {
            screen.stale |= !touched.is_empty();
        }
    }
    let worked = match &mut top {
        Screen::Matrix(screen) => work(model, screen, touched),
        _ => 0,
    };
    model.screens.push(top);
    worked
}

fn work(model: &Model, screen: &mut MatrixScreen, touched: &BTreeSet<WorkloadId>) -> usize {
    let environments = environments(model);
    let all = std::mem::take(&mut screen.stale) || environments != screen.table.environments;
    let by = (screen.sort, screen.filter.value().to_owned());
    let table = &mut screen.table;
    if !all && touched.is_empty() && by == table.by {
        return 0;
    }
    let mut old = std::mem::take(table);
    let services = (!all).then(|| services(model, &old, touched));
    let is_meant = |name: &str| services.as_ref().is_none_or(|names| names.contains(name));
    let meant = board_rows(model).filter(|row| is_meant(row.name()));
    let meant: BTreeMap<&WorkloadId, &BoardRow> = meant.map(|row| (&row.id, row)).collect();
    let each = meant.values();
    let running = each.map(|row| (row.name(), running(model, screen, row)));
    let history = |id: &WorkloadId| {
        meant
            .get(id)
            .map_or_else(Vec::new, |row| history(model, row))
    };
    let new = matrix::rows(&environments, running, history);
    let worked = new.len();
    let is_old = |row: &Row| is_meant(&row.service);
    // Most touches change nothing that the matrix shows.
    if by == old.by && !all && new.iter().eq(sorted(old.all().filter(|row| is_old(row)))) {
        screen.table = old;
        return worked;
    }
    old.rows.append(&mut old.hidden);
    old.rows.retain(|row| !is_old(row));
    old.rows.extend(new);
    screen.table = in_order(old.rows, environments, by);
    worked
}

/// By their names.
fn sorted<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<&'a Row> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|a, b| a.service.cmp(&b.service));
    rows
}

/// Those that these workloads run, or ran so far.
fn services(model: &Model, table: &Table, touched: &BTreeSet<WorkloadId>) -> BTreeSet<Box<str>> {
    if touched.is_empty() {
        return BTreeSet::new();
    }
    // Names tell most of them apart, for less than whole ids do.
    let called: BTreeSet<&str> = touched.iter().map(|id| &*id.name).collect();
    let is_touched = |id: &WorkloadId| called.contains(&*id.name) && touched.contains(id);
    let now = board_rows(model).filter(|row| is_touched(&row.id));
    let mut names: BTreeSet<Box<str>> = now.map(|row| row.name().into()).collect();
    let ran = |row: &&Row| {
        let mut all = row.cells.iter().flat_map(|cell| &cell.running);
        all.any(|one| is_touched(&one.id))
    };
    names.extend(table.all().filter(ran).map(|row| row.service.clone()));
    names
}

fn in_order(rows: Vec<Row>, environments: Vec<Environment>, by: (matrix::Sort, String)) -> Table {
    let filter = Filter::parse(&by.1);
    let (mut rows, hidden): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| by.1.is_empty() || fits(&filter, row, &environments));
    matrix::sort(&mut rows, by.0);
    Table {
        environments,
        rows,
        hidden,
        by,
    }
}

fn fits(filter: &Filter, row: &Row, environments: &[Environment]) -> bool {
    let mut text = row.service.to_string();
    for cell in &row.cells {
        let environment = &environments[cell.at];
        for one in &cell.running {
            let (name, version, phase) = (&environment.name, &one.version, one.phase);
            let _ = write!(text, "\n{name} {version} {phase}");
        }
    }
    if row.differs() {
        text.push_str("\ndiffers");
    }
    filter.fits_text(&text)
}

fn running(model: &Model, screen: &MatrixScreen, row: &BoardRow) -> Running {
    Running {
        id: row.id.clone(),
        version: row.version.clone(),
        phase: row.standing.phase,
        digests: digests(model, screen, &row.id),
        since: row.changed,
    }
}

/// What the pods of its template run, by what is known of the newest: the template itself where it names a digest, the
/// pods that are watched, else the last look over all pods.
fn digests(model: &Model, screen: &MatrixScreen, id: &WorkloadId) -> Vec<Box<str>> {
    let Some(workload) = model.fleet.workload(id) else {
        return Vec::new();
    };
    let Some(main) = workload.containers.iter().find(|c| !c.init) else {
        return Vec::new();
    };
    if let Some(pinned) = ImageRef::parse(&main.image).digest {
        return vec![pinned.into()];
    }
    let pods = model.fleet.pods(workload);
    let containers = pods.iter().flat_map(|pod| pod.containers.iter());
    let its = containers.filter(|c| c.name == main.name && c.image == main.image);
    let mut found: BTreeSet<&str> = its.filter_map(|c| registry_digest(&c.image_id)).collect();
    if found.is_empty() {
        let read = screen.digests.get(&id.cluster);
        let read = read.and_then(|known| known.value());
        let images = read.and_then(|read| read.get(id)).into_iter().flatten();
        let its = images.filter(|(image, _)| *image == main.image);
        found.extend(its.map(|(_, digest)| &**digest));
    }
    found.into_iter().map(Into::into).collect()
}

/// What it ran, the newest first. What runs now came when it was last changed: a rollback takes an old revision again.
fn history(model: &Model, row: &BoardRow) -> Vec<(String, Timestamp)> {
    let Some(workload) = model.fleet.workload(&row.id) else {
        return Vec::new();
    };
    let revisions = model.fleet.revisions(workload);
    let mut list: Vec<_> = revisions
        .iter()
        .map(|revision| {
            let label = revision.version_label.as_deref();
            let containers = &revision.containers;
            (
                version(containers, label, Some(&workload.containers)),
                revision.created,
            )
        })
        .collect();
    if let Some((version, came)) = list.first_mut() {
        version.clone_from(&row.version);
        *came = row.changed.map_or(*came, |changed| changed.max(*came));
    }
    list
}

pub fn board_rows(model: &Model) -> impl Iterator<Item = &BoardRow> {
    let board = &model.board;
    board.rows.iter().chain(board.hidden_rows.values())
}

fn environments(model: &Model) -> Vec<Environment> {
    let scopes: Vec<Scope<'_>> = model
        .clusters
        .iter()
        .map(|cluster| (&cluster.id, &*cluster.scope.namespaces))
        .collect();
    let ids = model.fleet.workloads().map(|workload| &workload.id);
    let settings = &model.settings;
    matrix::environments((&settings.environments, &settings.way), &scopes, ids)
}
