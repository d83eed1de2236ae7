//! Plain tables: a kind looked up by its name, its rows read page by page, and what opens from one.

use crate::app::clusters::ClusterState;
use crate::app::effect::{Effect, TableOf, YamlOf};
use crate::app::event::{JobId, TableNews};
use crate::app::intent::Intent;
use crate::app::keymap::{Code, Key};
use crate::app::layout;
use crate::app::model::{Model, Overlay, Screen};
use crate::app::table::TableScreen;
use crate::domain::table::Row;
use crate::domain::{
    ApiKind, ClusterId, Failure, Kind, WorkloadId, api_kind, generated_name, known::State,
};

use super::key::{self, Typed};
use super::{board, logs, namespaces, next_job, notice, text};

/// Edits that turn one name into another, at most, for it to be meant.
const SLIP: usize = 2;

/// The cluster that a table is asked of: that of the cursor, else the first.
fn cluster(model: &Model) -> Option<ClusterId> {
    let cursor = model
        .board
        .cursor
        .as_ref()
        .map(|(id, _)| id.cluster.clone());
    cursor.or_else(|| model.clusters.first().map(|cluster| cluster.id.clone()))
}

/// The kinds of the cluster in question, as far as they are known.
pub fn kinds(model: &Model) -> &[ApiKind] {
    let known = cluster(model).and_then(|id| model.kinds.get(&id)?.value());
    known.map_or(&[], Vec::as_slice)
}

/// Asks once for the kinds, so that their names can be completed.
pub fn discover(model: &mut Model) -> Vec<Effect> {
    let Some(cluster) = cluster(model) else {
        return Vec::new();
    };
    let connected = model.cluster(&cluster).is_some_and(ClusterState::connected);
    let known = model.kinds.entry(cluster.clone()).or_default();
    if !connected || !matches!(known.state, State::Never) {
        return Vec::new();
    }
    known.state = State::Loading;
    let job = next_job(model);
    vec![Effect::Discover { job, cluster }]
}

/// Opens the table of a kind. What is not known by this name is looked up anew: it may have come since.
pub fn open(model: &mut Model, name: &str) -> Vec<Effect> {
    let Some(cluster) = cluster(model) else {
        notice(
            model,
            format!(
                "there is no command {name} here, and no cluster yet that could have such a kind"
            ),
            true,
        );
        return Vec::new();
    };
    let job = next_job(model);
    let found = api_kind::find(kinds(model), name).cloned();
    model.screens.push(Screen::Table(Box::new(TableScreen::new(
        name,
        cluster.clone(),
        job,
    ))));
    if let Some(kind) = found {
        return start(model, kind);
    }
    model.kinds.entry(cluster.clone()).or_default().state = State::Loading;
    vec![Effect::Discover { job, cluster }]
}

fn top(model: &mut Model) -> Option<&mut TableScreen> {
    match model.screens.last_mut() {
        Some(Screen::Table(screen)) => Some(screen),
        _ => None,
    }
}

/// Reads the rows of the screen on top.
fn start(model: &mut Model, kind: ApiKind) -> Vec<Effect> {
    let job = next_job(model);
    let Some(cluster) = top(model).map(|screen| screen.cluster.clone()) else {
        return Vec::new();
    };
    let scope = model.cluster(&cluster).map(|c| c.scope.namespaces.clone());
    let namespaces = scope.filter(|_| kind.namespaced).unwrap_or_default();
    let of = TableOf {
        cluster,
        kind,
        namespaces,
    };
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    let former = std::mem::replace(&mut screen.job, job);
    screen.of = Some(of.clone());
    screen.reading = true;
    vec![
        Effect::Cancel { job: former },
        Effect::ReadTable { job, of },
    ]
}

pub fn discovered(
    model: &mut Model,
    cluster: &ClusterId,
    outcome: Result<Vec<ApiKind>, Failure>,
) -> Vec<Effect> {
    let now = model.now;
    model.dirty = true;
    let known = model.kinds.entry(cluster.clone()).or_default();
    let failed = match outcome {
        Ok(kinds) => {
            known.learn(kinds, now);
            None
        }
        Err(failure) => {
            known.fail(failure.sentence.clone(), now);
            Some(failure.sentence)
        }
    };
    let Some(name) = top(model)
        .filter(|s| s.of.is_none() && s.cluster == *cluster)
        .map(|s| s.name.clone())
    else {
        return Vec::new();
    };
    match (
        failed,
        api_kind::find(kinds_of(model, cluster), &name).cloned(),
    ) {
        (None, Some(kind)) => start(model, kind),
        (Some(why), _) => {
            model.screens.pop();
            notice(
                model,
                format!("whether {name} is a kind is not known: {why}"),
                true,
            );
            Vec::new()
        }
        (None, None) => {
            model.screens.pop();
            let nearest = nearest(kinds_of(model, cluster), &name);
            let hint = nearest.map_or_else(String::new, |near| format!(": did you mean {near}?"));
            notice(
                model,
                format!("there is no command and no kind {name} here{hint}"),
                true,
            );
            Vec::new()
        }
    }
}

fn kinds_of<'a>(model: &'a Model, cluster: &ClusterId) -> &'a [ApiKind] {
    let known = model.kinds.get(cluster).and_then(|known| known.value());
    known.map_or(&[], Vec::as_slice)
}

fn nearest(kinds: &[ApiKind], name: &str) -> Option<String> {
    let commands = crate::app::intent::REGISTRY
        .iter()
        .map(|entry| entry.name.to_owned());
    let kinds = kinds
        .iter()
        .flat_map(|kind| [kind.plural.to_string(), kind.singular.to_string()]);
    let name = name.to_lowercase();
    let by_distance = commands
        .chain(kinds)
        .map(|known| (strsim::osa_distance(&name, &known), known));
    let (distance, nearest) = by_distance.min()?;
    (distance <= SLIP).then_some(nearest)
}

pub fn read(model: &mut Model, job: JobId, news: TableNews) -> Vec<Effect> {
    let now = model.now;
    let screen = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Table(screen) if screen.job == job => Some(screen),
        _ => None,
    });
    let Some(screen) = screen else {
        return Vec::new();
    };
    match news {
        TableNews::Page { table, first } => screen.take(table, first, now),
        TableNews::End { beyond } => (screen.reading, screen.beyond) = (false, beyond),
        TableNews::Failed(failure) => {
            screen.reading = false;
            screen.table.fail(failure.sentence, now);
        }
    }
    model.dirty = true;
    Vec::new()
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (page, rows) = (layout::page(model), layout::table_rows(model));
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    if let Some(to) = key::moved(intent, screen.at, screen.shown.len(), page) {
        screen.at = to;
        screen.offset = layout::scrolled(screen.offset, to, rows);
        return Vec::new();
    }
    match intent {
        Intent::Back if !screen.filter.value().is_empty() => {
            screen.filter = crate::app::field::Field::default();
            screen.arrange();
        }
        Intent::Back => {
            let job = screen.job;
            model.screens.pop();
            return vec![Effect::Cancel { job }];
        }
        Intent::Filter => screen.filtering = true,
        Intent::Wide => screen.wide = !screen.wide,
        Intent::Sort => model.overlay = Some(Overlay::SortKey),
        Intent::Retry => {
            if let Some(kind) = screen.kind().cloned() {
                return start(model, kind);
            }
        }
        Intent::Copy => {
            let Some((kind, row)) = screen.kind().zip(screen.row()) else {
                return Vec::new();
            };
            let namespace = if row.namespace.is_empty() {
                String::new()
            } else {
                format!("-n {} ", row.namespace)
            };
            return vec![Effect::Copy {
                text: format!("{namespace}{}/{}", kind.word(), row.name),
            }];
        }
        _ => return on_row(model, intent),
    }
    Vec::new()
}

/// The marked object, for a text screen.
fn object(screen: &TableScreen) -> Option<YamlOf> {
    let (kind, row) = (screen.kind()?, screen.row()?);
    Some(YamlOf::Object {
        cluster: screen.cluster.clone(),
        kind: Box::new(kind.clone()),
        namespace: row.namespace.clone(),
        name: row.name.clone(),
    })
}

fn on_row(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    let Some((object, kind, row)) =
        object(screen).and_then(|o| Some((o, screen.kind()?.clone(), screen.row()?.clone())))
    else {
        notice(model, "there is no row under the cursor", false);
        return Vec::new();
    };
    let cluster = screen.cluster.clone();
    match intent {
        Intent::Describe => text::open_description(model, object),
        Intent::Yaml => text::open_yaml(model, object),
        Intent::Logs | Intent::PreviousLogs => {
            let previous = intent == Intent::PreviousLogs;
            logs_of(model, (&cluster, &kind, &row), previous)
        }
        Intent::Open if kind.is_pod() => match service_of(model, &cluster, &row) {
            Some(_) => logs_of(model, (&cluster, &kind, &row), false),
            None => text::open_description(model, object),
        },
        Intent::Open => match (&*kind.group, &*kind.kind) {
            ("", "Namespace") => {
                model.screens.pop();
                namespaces::go(model, &row.name);
                Vec::new()
            }
            _ => match workload(&cluster, &kind, &row) {
                Some(id) => open_service(model, id, object),
                None => text::open_yaml(model, object),
            },
        },
        _ => Vec::new(),
    }
}

/// The row as a workload, when its kind is one.
fn workload(cluster: &ClusterId, kind: &ApiKind, row: &Row) -> Option<WorkloadId> {
    let named = |known: &Kind| &*kind.group == "apps" && known.name() == &*kind.kind;
    Some(WorkloadId {
        cluster: cluster.clone(),
        namespace: row.namespace.clone(),
        kind: Kind::ALL.into_iter().find(named)?,
        name: row.name.clone(),
    })
}

/// The logs of a pod, or of all pods of a workload.
fn logs_of(
    model: &mut Model,
    (cluster, kind, row): (&ClusterId, &ApiKind, &Row),
    previous: bool,
) -> Vec<Effect> {
    if kind.is_pod() {
        if let Some(id) = service_of(model, cluster, row) {
            return logs::open(model, &id, Some(row.name.clone()), previous);
        }
    } else if let Some(id) = workload(cluster, kind, row)
        && model.fleet.workload(&id).is_some()
    {
        return logs::open(model, &id, None, previous);
    }
    let words = format!(
        "{} {} is of no service on the board: only their pods' logs are read here",
        kind.singular, row.name
    );
    notice(model, words, false);
    Vec::new()
}

/// The service on the board that a pod is of. Its ReplicaSet is called like the Deployment, and some letters more.
fn service_of(model: &Model, cluster: &ClusterId, row: &Row) -> Option<WorkloadId> {
    let (kind, name) = row.owner.as_ref()?;
    let owners = generated_name::owners(kind, name);
    let mut known = owners.map(|(kind, name)| WorkloadId {
        cluster: cluster.clone(),
        namespace: row.namespace.clone(),
        kind,
        name: name.into(),
    });
    known.find(|id| model.fleet.workload(id).is_some())
}

/// The service, when the board knows it; else what can be read of it.
fn open_service(model: &mut Model, id: WorkloadId, object: YamlOf) -> Vec<Effect> {
    match model
        .fleet
        .workload(&id)
        .map(|workload| workload.uid.clone())
    {
        Some(uid) => board::open(model, id, uid),
        None => text::open_yaml(model, object),
    }
}

pub fn filter_key(model: &mut Model, pressed: Key) {
    let Some(screen) = top(model) else {
        return;
    };
    match key::typed(&mut screen.filter, pressed) {
        Typed::Edited | Typed::Complete => {}
        Typed::Taken => screen.filtering = false,
        Typed::Left => {
            screen.filtering = false;
            screen.filter = crate::app::field::Field::default();
        }
        Typed::Up | Typed::Down => {
            let down = pressed.code == Code::Down;
            act(model, if down { Intent::Down } else { Intent::Up });
            return;
        }
    }
    screen.arrange();
    screen.offset = layout::scrolled(0, screen.at, 1);
}

/// A digit is a column by its place, a letter the first whose title begins with it; the same again turns it round.
pub fn sort_key(model: &mut Model, pressed: Key) {
    let Some(screen) = top(model) else {
        return;
    };
    let Code::Char(c) = pressed.code else {
        return;
    };
    let columns: Vec<_> = screen
        .columns()
        .map(|(at, column)| (at, column.title.to_lowercase()))
        .collect();
    let found = match c.to_digit(10) {
        Some(place) => usize::try_from(place)
            .ok()
            .and_then(|place| columns.get(place.checked_sub(1)?)),
        None => columns
            .iter()
            .find(|(_, title)| title.starts_with(c.to_ascii_lowercase())),
    };
    let Some(column) = found.map(|(at, _)| *at) else {
        notice(
            model,
            "sort by the number of a column, or by its first letter; again turns it round",
            false,
        );
        return;
    };
    screen.sort = Some((column, screen.sort == Some((column, false))));
    screen.arrange();
}
