//! The connection comes and goes; the scope is settled when the cluster says who it is.

use std::collections::BTreeSet;

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::config::Namespaces;
use crate::domain::{ClusterId, Connection, Feed, Identity, Kind, SourceId};

use super::clusters::asked_of;

pub fn moved(model: &mut Model, cluster: ClusterId, state: Connection) -> Vec<Effect> {
    let Some(at) = place_of(model, &cluster) else {
        return Vec::new();
    };
    model.clusters[at].id = cluster;
    if let Connection::Connected(identity) = &state {
        resolve(model, at, &identity.clone());
    }
    model.clusters[at].connection = state;
    model.dirty = true;
    Vec::new()
}

/// Which cluster of the board it is: the one of that name, else the one that has none yet.
fn place_of(model: &Model, cluster: &ClusterId) -> Option<usize> {
    let clusters = &model.clusters;
    let named = clusters.iter().position(|known| known.id == *cluster);
    named.or(match clusters.as_slice() {
        [only] if only.id.0.is_empty() => Some(0),
        _ => None,
    })
}

fn resolve(model: &mut Model, at: usize, identity: &Identity) {
    let cluster = &mut model.clusters[at];
    if cluster.scope.resolved {
        return;
    }
    cluster.scope.resolved = true;
    model.work.wishes = true;
    let id = cluster.id.clone();
    let asked = asked_of(&model.view, &model.settings.environments, &id);
    cluster.scope.namespaces = asked.unwrap_or_else(|| of_context(identity));
    for namespace in model.clusters[at].scope.namespaces.clone() {
        know(model, &namespace);
        favour(model, &namespace);
    }
    for namespace in of_environments(model, &id) {
        know(model, &namespace);
        favour(model, &namespace);
    }
}

/// Shows other namespaces of every cluster.
pub fn change_scope(model: &mut Model, namespaces: &[Box<str>]) {
    for namespace in namespaces {
        know(model, namespace);
        favour(model, namespace);
    }
    model.view.environment = None;
    model.view.asked = match namespaces {
        [] => Namespaces::All,
        named => Namespaces::Named(named.iter().map(ToString::to_string).collect()),
    };
    let epoch = model.epoch;
    for at in 0..model.clusters.len() {
        rescope(model, at, namespaces.to_vec(), None);
    }
    if model.epoch != epoch {
        fresh_board(model);
    }
}

/// Other rows come: what was open is about something else, and the cursor belongs to nobody.
pub fn fresh_board(model: &mut Model) {
    model.screens.clear();
    model.board.offset = 0;
    model.board.held = false;
    model.dirty = true;
}

/// Something else is asked for of a cluster that may be connected.
pub fn scope_again(model: &mut Model, at: usize) {
    let cluster = &model.clusters[at];
    let context = match &cluster.connection {
        Connection::Connected(identity) => of_context(identity),
        // It is settled when it connects.
        Connection::Connecting { .. } | Connection::Failed { .. } => {
            cluster.scope.namespaces.clone()
        }
    };
    let asked = asked_of(&model.view, &model.settings.environments, &cluster.id);
    rescope(model, at, asked.unwrap_or(context), None);
}

fn of_context(identity: &Identity) -> Vec<Box<str>> {
    identity.namespace.iter().cloned().collect()
}

/// Other namespaces of one cluster: a new epoch for it, and what is out of scope is forgotten with its feeds.
fn rescope(model: &mut Model, at: usize, namespaces: Vec<Box<str>>, note: Option<String>) {
    let cluster = &mut model.clusters[at];
    cluster.scope.note = note;
    model.dirty = true;
    if cluster.scope.namespaces == namespaces {
        return;
    }
    cluster.scope.namespaces = namespaces;
    model.epoch += 1;
    cluster.epoch = model.epoch;
    let id = cluster.id.clone();
    forget(model, &id);
}

/// All that is known of a cluster; its feeds are asked for again, if it is still on the board.
pub fn forget(model: &mut Model, id: &ClusterId) {
    model.sources.retain(|source, _| source.cluster != *id);
    let watched = std::mem::take(&mut model.watched);
    let (gone, kept) = watched.into_iter().partition(|s| s.cluster == *id);
    model.watched = kept;
    let gone: Vec<SourceId> = gone;
    for source in gone {
        model.work.touched.extend(model.fleet.forget(&source));
    }
    model.work.all_rows = true;
    model.work.wishes = true;
}

/// 403 on a listing of the whole cluster: the namespaces that are given or known, each alone.
pub fn denied(model: &mut Model, source: &SourceId) {
    if source.namespace.is_some() || source.feed != Feed::Workloads(Kind::Deployment) {
        return;
    }
    let Some(at) = place_of(model, &source.cluster) else {
        return;
    };
    let mut names: BTreeSet<Box<str>> = of_environments(model, &source.cluster)
        .into_iter()
        .collect();
    names.extend(model.view.favourites.iter().cloned());
    if let Connection::Connected(identity) = &model.clusters[at].connection {
        names.extend(identity.namespace.clone());
    }
    if names.is_empty() {
        model.clusters[at].scope.note = Some(
            "no right to list deployments in all namespaces: give one with :ns NAME or -n NAME"
                .into(),
        );
        model.dirty = true;
        return;
    }
    let names: Vec<Box<str>> = names.into_iter().collect();
    for namespace in &names {
        know(model, namespace);
        favour(model, namespace);
    }
    let note = format!(
        "no right to list deployments in all namespaces: this is {} alone",
        names.join(", ")
    );
    rescope(model, at, names, Some(note));
}

/// Remembers a namespace for the picker.
pub fn know(model: &mut Model, namespace: &str) {
    let known = &mut model.view.known;
    if let Err(at) = known.binary_search_by(|known| (**known).cmp(namespace)) {
        known.insert(at, namespace.into());
    }
}

/// Nine at most: the number keys.
fn favour(model: &mut Model, namespace: &str) {
    let favourites = &mut model.view.favourites;
    if favourites.len() < 9 && !favourites.iter().any(|known| **known == *namespace) {
        favourites.push(namespace.into());
    }
}

fn of_environments(model: &Model, cluster: &ClusterId) -> Vec<Box<str>> {
    let environments = &model.settings.environments;
    let of_cluster = environments.iter().filter(|e| *e.cluster == *cluster.0);
    of_cluster
        .flat_map(|e| &e.namespaces)
        .map(|name| name.as_str().into())
        .collect()
}
