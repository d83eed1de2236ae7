//! Which clusters are on the board: by kubeconfig context, or by the environments of the config. Works without any
//! connection, because nothing is asked of a cluster for it.

use jiff::Timestamp;

use crate::app::clusters::ClusterState;
use crate::app::effect::Effect;
use crate::app::model::{Model, View};
use crate::config::Namespaces;
use crate::domain::{ClusterId, Environment, environment};

use super::{connection, notice};

/// Shows these contexts: one, or several with commas.
pub fn go(model: &mut Model, typed: &str) -> Vec<Effect> {
    let mut ids: Vec<ClusterId> = Vec::new();
    for name in typed.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        if !ids.iter().any(|id| *id.0 == *name) {
            ids.push(name.into());
        }
    }
    if ids.is_empty() {
        return Vec::new();
    }
    // What the command line or the config asks for holds in every cluster.
    let asked = match &model.settings.namespaces {
        Namespaces::OfContext | Namespaces::OfEnvironments => Namespaces::OfContext,
        given @ (Namespaces::Named(_) | Namespaces::All) => given.clone(),
    };
    show(model, ids, asked, None)
}

/// Shows one environment of the config, or all of them when the name is empty.
pub fn go_environment(model: &mut Model, name: &str) -> Vec<Effect> {
    let all = &model.settings.environments;
    if all.is_empty() {
        notice(model, "no environments: config.yaml can name some", false);
        return Vec::new();
    }
    let mut ids: Vec<ClusterId> = Vec::new();
    for environment in all.iter().filter(|e| name.is_empty() || e.name == name) {
        let id = ClusterId::from(environment.cluster.as_str());
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.is_empty() {
        let names: Vec<_> = all.iter().map(|e| e.name.as_str()).collect();
        let words = format!("there is no environment {name}: {}", names.join(", "));
        notice(model, words, true);
        return Vec::new();
    }
    let one = Some(name.to_owned()).filter(|name| !name.is_empty());
    show(model, ids, Namespaces::OfEnvironments, one)
}

/// Clusters that stay keep their connection, what is known of them, and their feeds.
fn show(
    model: &mut Model,
    ids: Vec<ClusterId>,
    asked: Namespaces,
    environment: Option<String>,
) -> Vec<Effect> {
    let before = model.cluster_ids();
    let epoch = model.epoch;
    (model.view.asked, model.view.environment) = (asked, environment);
    for id in before.iter().filter(|id| !ids.contains(id)) {
        connection::forget(model, id);
    }
    let mut known = std::mem::take(&mut model.clusters);
    for id in &ids {
        let at = known.iter().position(|cluster| cluster.id == *id);
        let cluster = if let Some(at) = at {
            known.swap_remove(at)
        } else {
            model.epoch += 1;
            ClusterState {
                epoch: model.epoch,
                ..made(&model.view, &model.settings.environments, id, model.now)
            }
        };
        model.clusters.push(cluster);
    }
    for at in 0..ids.len() {
        connection::scope_again(model, at);
    }
    if before == ids && model.epoch == epoch {
        notice(model, "on the board already", false);
        return Vec::new();
    }
    connection::fresh_board(model);
    model.work.all_rows = true;
    model.work.wishes = true;
    vec![Effect::Connect { clusters: ids }]
}

/// A cluster before anything is known of it.
pub fn made(
    view: &View,
    environments: &[Environment],
    id: &ClusterId,
    now: Timestamp,
) -> ClusterState {
    let mut cluster = ClusterState::new(id.clone(), now);
    cluster.scope.namespaces = asked_of(view, environments, id).unwrap_or_default();
    cluster
}

/// The namespaces of a cluster that were asked for; `None` where its context decides.
pub fn asked_of(
    view: &View,
    environments: &[Environment],
    id: &ClusterId,
) -> Option<Vec<Box<str>>> {
    match &view.asked {
        Namespaces::OfContext => None,
        Namespaces::Named(names) => Some(names.iter().map(|n| n.as_str().into()).collect()),
        Namespaces::All => Some(Vec::new()),
        Namespaces::OfEnvironments => {
            let one = view.environment.as_ref();
            let shown = environments
                .iter()
                .filter(|e| one.is_none_or(|name| *name == e.name));
            Some(environment::namespaces_of(shown, id))
        }
    }
}

/// Contexts that were on the board or that environments name, for completion.
pub fn known(model: &Model) -> Vec<String> {
    let mut names: Vec<String> = model.clusters.iter().map(|c| c.id.to_string()).collect();
    let environments = model.settings.environments.iter();
    names.extend(environments.map(|e| e.cluster.clone()));
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}
