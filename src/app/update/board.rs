//! The board: the cursor, the filter, the order, and what opens from a row.

use crate::app::effect::{Effect, YamlOf};
use crate::app::intent::Intent;
use crate::app::keymap::{Code, Key};
use crate::app::layout;
use crate::app::model::{Measuring, Model, Overlay, Screen, ServiceScreen, Sort};
use crate::app::settle;
use crate::domain::{ClusterId, Failure, Kind, Known, Uid, WorkloadId, known::State};
use crate::plan::{Target, Verb};

use super::key::{self, Typed};
use super::{
    ask, batch, build, builds, changes, commits, logs, matrix, notice, plan, releases, service,
    sync, table, text,
};

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (rows, page) = (model.board.rows.len(), layout::page(model));
    if let Some(to) = key::moved(intent, model.board.at, rows, page) {
        move_to(model, to);
        return Vec::new();
    }
    match intent {
        Intent::Filter => model.board.filtering = true,
        Intent::Mark => mark(model),
        Intent::Sort => model.overlay = Some(Overlay::SortKey),
        Intent::OnlyTrouble => {
            model.board.only_trouble = !model.board.only_trouble;
            model.work.all_rows = true;
        }
        Intent::Wide => model.board.wide = !model.board.wide,
        Intent::Retry => return retry(model),
        Intent::Changes => return changes::open(model, None),
        Intent::Matrix => return matrix::open(model, None),
        Intent::Back => back(model),
        _ => return on_row(model, intent),
    }
    Vec::new()
}

/// Marks the service under the cursor, or no longer.
fn mark(model: &mut Model) {
    let board = &mut model.board;
    let Some((id, uid)) = board.cursor.clone() else {
        return;
    };
    if board.marks.remove(&id).is_none() {
        board.marks.insert(id, uid);
    }
    model.dirty = true;
}

/// What needs a row under the cursor, or works on those that are marked.
fn on_row(model: &mut Model, intent: Intent) -> Vec<Effect> {
    if let Some(effects) = batch::open(model, intent) {
        return effects;
    }
    let Some((id, uid)) = model.board.cursor.clone() else {
        notice(model, "there is no service under the cursor", false);
        return Vec::new();
    };
    match intent {
        Intent::Open | Intent::History => open(model, id, uid),
        Intent::Describe => text::open_description(model, YamlOf::Workload(id)),
        Intent::Yaml => text::open_yaml(model, YamlOf::Workload(id)),
        Intent::Events => text::open_events(model, id),
        Intent::Releases => releases::open(model, id),
        Intent::Builds => builds::open(model, &id),
        Intent::Build => build::open(model, &id),
        Intent::ResumeJob => build::resume_any(model, &id),
        Intent::Logs => logs::open(model, &id, None, false),
        Intent::PreviousLogs => logs::open(model, &id, None, true),
        Intent::RollBack => plan::open(model, &id, Verb::Rollback, Target::Proposed),
        Intent::Restart => plan::open(model, &id, Verb::Restart, Target::Proposed),
        Intent::Promote => plan::promote_or_retry(model, &id),
        Intent::Abort => plan::open(model, &id, Verb::Abort, Target::Proposed),
        Intent::Weight => ask::weight(model, &id),
        Intent::PauseOrResume => plan::pause_or_resume(model, &id),
        Intent::Scale => ask::scale(model, &id),
        Intent::SetImage => ask::set_image(model, &id),
        Intent::ResumeSync => sync::resume(model, &id),
        Intent::Copy => vec![Effect::Copy {
            text: format!("-n {} {id}", id.namespace),
        }],
        _ => Vec::new(),
    }
}

pub fn open(model: &mut Model, id: WorkloadId, uid: Uid) -> Vec<Effect> {
    let mut effects = builds::ask(model, &id);
    let mut screen = ServiceScreen {
        workload: id,
        uid,
        revision: None,
        pod: None,
        pane: crate::app::model::Pane::History,
        offset: 0,
        usage: Measuring::default(),
        canary: Box::default(),
        images: Vec::new(),
    };
    service::mark_current(&model.fleet, &mut screen);
    model.screens.push(Screen::Service(screen));
    model.work.wishes = true;
    effects.extend(new_images(model));
    effects.extend(commits::ask(model));
    effects
}

/// So many images of a service are looked for in their registries.
const IMAGES: usize = 12;

/// Whether what one may go back to is still there is asked before anybody has to.
fn images(model: &Model, id: &WorkloadId) -> Vec<Box<str>> {
    let workload = model.fleet.workload(id);
    let revisions = workload.map_or(&[][..], |workload| model.fleet.revisions(workload));
    let mut images: Vec<Box<str>> = Vec::new();
    for container in revisions.iter().flat_map(|r| r.containers.iter()) {
        let known = images.contains(&container.image) || container.init;
        if !known && images.len() < IMAGES {
            images.push(container.image.clone());
        }
    }
    images
}

/// Those of its revisions that were not looked for since the service was opened.
pub fn new_images(model: &mut Model) -> Option<Effect> {
    let Some(Screen::Service(screen)) = model.screens.last() else {
        return None;
    };
    let mut new = images(model, &screen.workload);
    new.retain(|image| !screen.images.contains(image));
    if let Some(Screen::Service(screen)) = model.screens.last_mut() {
        screen.images.extend(new.iter().cloned());
    }
    let job = (!new.is_empty()).then(|| super::next_job(model))?;
    Some(Effect::ReadImages {
        job,
        images: new,
        at_once: 1,
    })
}

/// Puts the cursor on a row by its place, which is from now on remembered by object.
pub fn move_to(model: &mut Model, at: usize) {
    let rows = layout::board_rows(model);
    let board = &mut model.board;
    let Some(row) = board.rows.get(at) else {
        return;
    };
    board.cursor = Some((row.id.clone(), row.uid.clone()));
    board.at = at;
    board.offset = layout::scrolled(board.offset, at, rows);
}

/// On the home screen there is nothing to go back to: a filter goes first, then it says how to leave.
fn back(model: &mut Model) {
    if !model.board.marks.is_empty() {
        model.board.marks.clear();
        model.dirty = true;
    } else if !model.board.filter.value().is_empty() || model.board.only_trouble {
        model.board.filter = crate::app::field::Field::default();
        model.board.only_trouble = false;
        model.work.all_rows = true;
    } else {
        let quit = model.settings.keymap.shown(Intent::Quit);
        let keys = quit.map_or_else(|| ":q quits".to_owned(), |key| format!(":q or {key} quits"));
        notice(model, keys, false);
    }
}

pub fn filter_key(model: &mut Model, key: Key) {
    match key::typed(&mut model.board.filter, key) {
        Typed::Edited | Typed::Complete => model.work.all_rows = true,
        Typed::Taken => model.board.filtering = false,
        Typed::Left => {
            model.board.filtering = false;
            model.board.filter = crate::app::field::Field::default();
            model.work.all_rows = true;
        }
        Typed::Up | Typed::Down => {
            let to = if key.code == Code::Down {
                Intent::Down
            } else {
                Intent::Up
            };
            settle(model);
            act(model, to);
        }
    }
}

pub fn sort_key(model: &mut Model, key: Key) -> Vec<Effect> {
    model.overlay = None;
    match model.screens.last() {
        Some(Screen::Table(_)) => {
            table::sort_key(model, key);
            return Vec::new();
        }
        Some(Screen::Matrix(_)) => {
            matrix::sort_key(model, key);
            return Vec::new();
        }
        Some(_) | None => {}
    }
    let sort = match key.code {
        Code::Char('t') => Sort::Trouble,
        Code::Char('n') => Sort::Name,
        Code::Char('c') => Sort::Changed,
        Code::Char('v') => Sort::Version,
        Code::Char('s') => Sort::Namespace,
        Code::Char('e') => Sort::Environment,
        Code::Esc => return Vec::new(),
        _ => {
            notice(
                model,
                "sort by: t trouble, n name, c changed, v version, s namespace, e environment",
                false,
            );
            return Vec::new();
        }
    };
    model.board.sort = sort;
    model.work.all_rows = true;
    Vec::new()
}

pub fn retry(model: &mut Model) -> Vec<Effect> {
    let permissions = model
        .clusters
        .iter_mut()
        .flat_map(|c| c.permissions.values_mut());
    for known in permissions {
        if matches!(known.state, State::Failed { .. }) {
            known.state = State::Never;
        }
    }
    let clusters = model.cluster_ids().into_iter();
    clusters.map(|cluster| Effect::Retry { cluster }).collect()
}

/// Once per cluster, namespace and kind, when such a row there is first selected: whether release verbs are permitted.
pub fn ask_permission(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some((id, _)) = model.board.cursor.clone() else {
        return;
    };
    let readonly = model.settings.readonly;
    let cluster = model.cluster_mut(&id.cluster);
    let Some(cluster) = cluster.filter(|cluster| !readonly && cluster.connected()) else {
        return;
    };
    let of = (id.namespace.clone(), id.kind);
    let known = cluster.permissions.entry(of).or_default();
    if known.state == State::Never {
        known.state = State::Loading;
        effects.push(Effect::AskPermission {
            cluster: id.cluster,
            namespace: id.namespace,
            kind: id.kind,
        });
    }
}

pub fn permission_told(
    model: &mut Model,
    cluster: &ClusterId,
    of: (Box<str>, Kind),
    outcome: Result<Option<String>, Failure>,
) -> Vec<Effect> {
    let now = model.now;
    let Some(cluster) = model.cluster_mut(cluster) else {
        return Vec::new();
    };
    let known: &mut Known<_> = cluster.permissions.entry(of).or_default();
    match outcome {
        Ok(missing) => known.learn(missing, now),
        Err(failure) => known.fail(failure.sentence, now),
    }
    model.dirty = true;
    Vec::new()
}
