//! The connection comes and goes; the scope is settled when the cluster says who it is.

use std::collections::BTreeSet;

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::config::Namespaces;
use crate::domain::{ClusterId, Connection, Feed, Identity, Kind, SourceId};

pub fn moved(model: &mut Model, cluster: ClusterId, state: Connection) -> Vec<Effect> {
    if model.cluster.0.is_empty() {
        model.cluster = cluster;
    } else if model.cluster != cluster {
        // A context that is named differently than asked for is the one that answered.
        if model.scope.resolved {
            return Vec::new();
        }
        model.cluster = cluster;
    }
    if let Connection::Connected(identity) = &state {
        resolve(model, &identity.clone());
    }
    model.connection = state;
    model.dirty = true;
    Vec::new()
}

fn resolve(model: &mut Model, identity: &Identity) {
    if model.scope.resolved {
        return;
    }
    model.scope.resolved = true;
    model.work.wishes = true;
    if model.scope.asked == Namespaces::OfContext
        && let Some(namespace) = &identity.namespace
    {
        model.scope.namespaces = vec![namespace.clone()];
        know(model, namespace);
        favour(model, namespace);
    }
    for namespace in of_environments(model) {
        know(model, &namespace);
        favour(model, &namespace);
    }
}

/// Shows other namespaces: a new epoch, and what is out of scope is forgotten with its feeds.
pub fn change_scope(model: &mut Model, namespaces: Vec<Box<str>>, note: Option<String>) {
    for namespace in &namespaces {
        know(model, namespace);
        favour(model, namespace);
    }
    model.scope.note = note;
    model.dirty = true;
    if model.scope.namespaces == namespaces {
        return;
    }
    model.scope.namespaces = namespaces;
    model.epoch += 1;
    model.sources.clear();
    for source in std::mem::take(&mut model.watched) {
        model.work.touched.extend(model.fleet.forget(&source));
    }
    model.screens.clear();
    model.board.offset = 0;
    model.board.held = false;
    model.work.all_rows = true;
    model.work.wishes = true;
}

/// 403 on a listing of the whole cluster: the namespaces that are given or known, each alone.
pub fn denied(model: &mut Model, source: &SourceId) {
    if source.namespace.is_some() || source.feed != Feed::Workloads(Kind::Deployment) {
        return;
    }
    let mut names: BTreeSet<Box<str>> = of_environments(model).into_iter().collect();
    names.extend(model.scope.favourites.iter().cloned());
    if let Connection::Connected(identity) = &model.connection {
        names.extend(identity.namespace.clone());
    }
    if names.is_empty() {
        model.scope.note = Some(
            "no right to list deployments in all namespaces: give one with :ns NAME or -n NAME"
                .into(),
        );
        model.dirty = true;
        return;
    }
    let names: Vec<Box<str>> = names.into_iter().collect();
    let note = format!(
        "no right to list deployments in all namespaces: this is {} alone",
        names.join(", ")
    );
    change_scope(model, names, Some(note));
}

/// Remembers a namespace for the picker.
pub fn know(model: &mut Model, namespace: &str) {
    if let Err(at) = model
        .scope
        .known
        .binary_search_by(|known| (**known).cmp(namespace))
    {
        model.scope.known.insert(at, namespace.into());
    }
}

/// Nine at most: the number keys.
fn favour(model: &mut Model, namespace: &str) {
    let favourites = &mut model.scope.favourites;
    if favourites.len() < 9 && !favourites.iter().any(|known| **known == *namespace) {
        favourites.push(namespace.into());
    }
}

fn of_environments(model: &Model) -> Vec<Box<str>> {
    let of_cluster = model
        .settings
        .environments
        .iter()
        .filter(|e| *e.cluster == *model.cluster.0);
    of_cluster
        .flat_map(|e| &e.namespaces)
        .map(|name| name.as_str().into())
        .collect()
}
