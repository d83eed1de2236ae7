//! The matrix: service by environment, worked out from the rows of the board and the digests that pods run.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::app::answering::{How, answering, stale_since};
use crate::app::effect::Effect;
use crate::app::event::DigestsTold;
use crate::app::field::Field;
use crate::app::filter::Filter;
use crate::app::intent::Intent;
use crate::app::keymap::{Code, Key};
use crate::app::layout;
use crate::app::model::{MatrixScreen, Model, Overlay, Row as BoardRow, Screen};
use crate::domain::image::registry_digest;
use crate::domain::known::State;
use crate::domain::matrix::{self, Cell, Row, Running, Scope, Sort};
use crate::domain::version::version;
use crate::domain::{ClusterId, Environment, Feed, ImageRef, Phase, SourceId, WorkloadId};

use super::key::{self, Typed};
use super::{board, next_job, notice, promotion};

/// So many seconds digests are not asked for again by themselves.
const EVERY_SECONDS: i64 = 20;

/// What is shown.
pub struct Matrix<'a> {
    pub environments: Vec<Environment>,
    pub rows: Vec<Row<'a>>,
    /// How many rows the filter hides.
    pub hidden: usize,
}

/// On the cell of this workload, or on the first.
pub fn open(model: &mut Model, id: Option<&WorkloadId>) -> Vec<Effect> {
    let screen = MatrixScreen::default();
    let cursor = id.and_then(|id| {
        let matrix = of(model, &screen);
        let environment = matrix.environments.iter().find(|e| e.holds(id))?;
        Some((
            model.board.row(id)?.name().to_owned(),
            environment.name.clone(),
        ))
    });
    let screen = MatrixScreen { cursor, ..screen };
    model.screens.push(Screen::Matrix(Box::new(screen)));
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

/// Worked out anew each time: it costs no more than the rows of the board.
pub fn of<'a>(model: &'a Model, screen: &'a MatrixScreen) -> Matrix<'a> {
    let rows = || board_rows(model);
    let environments = environments(model);
    let running = rows().map(|row| Running {
        id: &row.id,
        service: row.name(),
        version: &row.version,
        phase: row.standing.phase,
        digests: digests(model, screen, &row.id),
        since: row.changed,
    });
    let mut rows = matrix::rows(&environments, running, |id| history(model, id));
    let all = rows.len();
    let filter = Filter::parse(screen.filter.value());
    rows.retain(|row| fits(&filter, row, &environments));
    matrix::sort(&mut rows, screen.sort);
    Matrix {
        hidden: all - rows.len(),
        environments,
        rows,
    }
}

fn fits(filter: &Filter, row: &Row<'_>, environments: &[Environment]) -> bool {
    let mut text = row.service.to_owned();
    for (cell, environment) in row.cells.iter().zip(environments) {
        for one in &cell.running {
            let _ = write!(
                text,
                "
{} {} {}",
                environment.name, one.version, one.phase
            );
        }
    }
    if row.differs() {
        text.push_str("\ndiffers");
    }
    filter.fits_text(&text)
}

/// What the pods of its template run, by what is known of the newest: the template itself where it names a digest, the
/// pods that are watched, else the last look over all pods.
fn digests<'a>(model: &'a Model, screen: &'a MatrixScreen, id: &WorkloadId) -> Vec<&'a str> {
    let Some(workload) = model.fleet.workload(id) else {
        return Vec::new();
    };
    let Some(main) = workload.containers.iter().find(|c| !c.init) else {
        return Vec::new();
    };
    if let Some(pinned) = ImageRef::parse(&main.image).digest {
        return vec![pinned];
    }
    let pods = model.fleet.pods(workload);
    let containers = pods.iter().flat_map(|pod| pod.containers.iter());
    let its = containers.filter(|c| c.name == main.name && c.image == main.image);
    let mut found: BTreeSet<&str> = its.filter_map(|c| registry_digest(&c.image_id)).collect();
    if found.is_empty() {
        let read = screen
            .digests
            .get(&id.cluster)
            .and_then(|known| known.value());
        let images = read.and_then(|read| read.get(id)).into_iter().flatten();
        let its = images.filter(|(image, _)| *image == main.image);
        found.extend(its.map(|(_, digest)| &**digest));
    }
    found.into_iter().collect()
}

/// What it ran, the newest first. What runs now came when it was last changed: a rollback takes an old revision again.
fn history(model: &Model, id: &WorkloadId) -> Vec<(String, Timestamp)> {
    let Some(workload) = model.fleet.workload(id) else {
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
    let now = model.board.row(id);
    if let (Some((version, came)), Some(row)) = (list.first_mut(), now) {
        version.clone_from(&row.version);
        *came = row.changed.map_or(*came, |changed| changed.max(*came));
    }
    list
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
pub fn at(screen: &MatrixScreen, matrix: &Matrix<'_>) -> (usize, usize) {
    let Some((service, environment)) = &screen.cursor else {
        return (0, 0);
    };
    let row = matrix.rows.iter().position(|row| row.service == service);
    let names = &mut matrix.environments.iter();
    let column = names.position(|one| one.name == *environment);
    (row.unwrap_or(0), column.unwrap_or(0))
}

/// What the marked cell says it runs.
pub fn marked<'a>(screen: &MatrixScreen, matrix: &'a Matrix<'_>) -> Option<&'a Cell<'a>> {
    let (row, column) = at(screen, matrix);
    matrix.rows.get(row)?.cells.get(column)
}

/// The workload of the marked cell, for the header; of none while no key moved to one.
pub fn about<'a>(model: &'a Model, screen: &MatrixScreen) -> Option<&'a WorkloadId> {
    let (service, name) = screen.cursor.as_ref()?;
    let environments = environments(model);
    let environment = environments.iter().find(|one| one.name == *name)?;
    let its = |row: &&BoardRow| row.name() == service && environment.holds(&row.id);
    board_rows(model).find(its).map(|row| &row.id)
}

fn board_rows(model: &Model) -> impl Iterator<Item = &BoardRow> {
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
    matrix::environments(&model.settings.environments, &scopes, ids)
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (page, height) = (layout::page(model), layout::matrix_rows(model));
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    let matrix = of(model, screen);
    let (row, column) = at(screen, &matrix);
    let last = matrix.environments.len().saturating_sub(1);
    let to = match intent {
        Intent::Left => Some((row, column.saturating_sub(1))),
        Intent::Right => Some((row, column.saturating_add(1).min(last))),
        _ => key::moved(intent, row, matrix.rows.len(), page).map(|row| (row, column)),
    };
    if let Some((row, column)) = to {
        let service = matrix.rows.get(row).map(|row| row.service.to_owned());
        let environment = matrix.environments.get(column).map(|e| e.name.clone());
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
    let marks = intent == Intent::Promote && !screen.marks.is_empty();
    if marks {
        return promotion::several(model);
    }
    let matrix = of(model, screen);
    let cell = marked(screen, &matrix);
    let id = match cell.map_or(&[][..], |cell| &cell.running) {
        [] => None,
        [one, ..] if intent == Intent::Open => Some(one.id.clone()),
        [one] => Some(one.id.clone()),
        several => {
            let names: Vec<_> = several.iter().map(|one| one.id.to_string()).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let words = format!(
                "that is more than one workload: {}",
                crate::text::list(&names)
            );
            notice(model, words, true);
            return Vec::new();
        }
    };
    let Some(id) = id else {
        notice(model, "nothing runs there that is known", false);
        return Vec::new();
    };
    match intent {
        Intent::Open => {
            let uid = model
                .fleet
                .workload(&id)
                .map(|workload| workload.uid.clone());
            uid.map_or_else(Vec::new, |uid| board::open(model, id, uid))
        }
        Intent::Promote => promotion::open(model, &id),
        Intent::Copy => {
            let text = format!("-n {} {id}", id.namespace);
            vec![Effect::Copy { text }]
        }
        _ => {
            if let Some(screen) = top_mut(model)
                && !screen.marks.remove(&id)
            {
                screen.marks.insert(id);
            }
            Vec::new()
        }
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
    if let Some(known) = screens.find_map(|screen| screen.digests.get_mut(&told.cluster)) {
        match told.outcome {
            Ok(digests) => known.learn(digests, now),
            Err(failure) => known.fail(failure.sentence, now),
        }
        model.dirty = true;
    }
    Vec::new()
}

/// The next environment that runs the service of this workload, and the workload there.
///
/// # Errors
/// There is none, or it is not clear which, in words.
pub fn next<'a>(
    model: &Model,
    matrix: &'a Matrix<'_>,
    id: &WorkloadId,
) -> Result<(&'a Environment, &'a Environment, WorkloadId), String> {
    let holds = |row: &&Row<'_>| {
        row.cells
            .iter()
            .any(|c| c.running.iter().any(|r| r.id == id))
    };
    let row = matrix.rows.iter().find(holds);
    let row = row.ok_or_else(|| format!("{id} is not in the matrix"))?;
    let at = row
        .cells
        .iter()
        .position(|c| c.running.iter().any(|r| r.id == id));
    let at = at.unwrap_or_default();
    let from = &matrix.environments[at];
    let next = (at + 1..row.cells.len()).find(|n| !row.cells[*n].running.is_empty());
    let Some(next) = next else {
        let order = if model.settings.environments.is_empty() {
            "environments: in the configuration says what comes after what"
        } else {
            "their order is that of environments: in the configuration"
        };
        let (name, service) = (&from.name, row.service);
        return Err(format!(
            "no environment after {name} runs {service}: {order}"
        ));
    };
    let to = &matrix.environments[next];
    match row.cells[next].running.as_slice() {
        [one] => Ok((from, to, one.id.clone())),
        several => {
            let names: Vec<_> = several.iter().map(|one| one.id.to_string()).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let (service, to) = (row.service, &to.name);
            Err(format!(
                "{service} is more than one workload in {to}: {}",
                crate::text::list(&names)
            ))
        }
    }
}
