//! Which feeds the screen needs, most needed first.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::pair::route::RouteKind;
use crate::domain::standing::Reason;
use crate::domain::{
    ClusterId, Connection, Feed, Kind, Phase, SourceId, SyncKind, Workload, WorkloadId,
};
use crate::plan::Follow;

use super::clusters::ClusterState;
use super::effect::Effect;
use super::model::{Model, Row, Screen};
use super::update::builds;

/// Watches of pods at a time: each may bring a thousand.
const PODS: usize = 8;
/// Namespaces whose Services are watched, and pairs whose endpoints are.
const PLACES: usize = 16;
/// Services whose revisions are asked for one by one, while the fleet's are not there.
const REVISIONS: usize = 32;

/// The ordered wish list.
pub fn wanted(model: &Model) -> Vec<SourceId> {
    let resolved = || model.clusters.iter().filter(|c| c.scope.resolved);
    let mut list = Vec::new();
    for kind in Kind::ALL {
        list.extend(resolved().flat_map(|c| sources(c, &Feed::Workloads(kind))));
    }
    let standing = |cluster: &&ClusterState| {
        let mut of_cluster = list.iter().filter(|source| source.cluster == cluster.id);
        of_cluster.all(|source| settled(model, source))
    };
    let standing: Vec<&ClusterState> = resolved().filter(standing).collect();
    list.extend(resolved().flat_map(|c| sources(c, &Feed::Canaries)));
    list.extend(resolved().flat_map(|c| sources(c, &Feed::Warnings)));
    let by_need = by_need(model);
    list.extend(pods(model, &by_need));
    list.extend(revisions(model, &by_need));
    list.extend(syncs(model, &by_need));
    list.extend(analyses(model, &by_need));
    if stands(model) {
        list.extend(services(model));
    }
    let replica_sets = standing.into_iter();
    list.extend(replica_sets.flat_map(|c| sources(c, &Feed::ReplicaSets)));
    list
}

/// Where something is called a canary: only its Services, and what routes to them, tell whether it is one, and what a
/// Service that both share sends to how much it gets. And what Flagger writes its weights into.
fn services(model: &Model) -> BTreeSet<SourceId> {
    let places = model.fleet.pair_places().into_iter().take(PLACES);
    let of = |(cluster, namespace): (&ClusterId, &str), feed| SourceId {
        cluster: cluster.clone(),
        namespace: Some(namespace.into()),
        feed,
    };
    let shared = model.fleet.shared_services().take(PLACES);
    let endpoints = shared.map(|(id, service)| SourceId {
        cluster: id.cluster.clone(),
        namespace: Some(id.namespace.clone()),
        feed: Feed::EndpointsOf {
            workload: id.clone(),
            service: service.into(),
        },
    });
    let pairs = places.flat_map(move |place| {
        let routes = RouteKind::ALL.map(Feed::Routes).into_iter();
        let feeds = [Feed::Services].into_iter().chain(routes);
        feeds.map(move |feed| of(place, feed))
    });
    let weighed = model.fleet.weighed_places().into_iter().take(PLACES);
    let weighed =
        weighed.map(|(cluster, namespace, kind)| of((cluster, namespace), Feed::Routes(kind)));
    pairs.chain(endpoints).chain(weighed).collect()
}

/// The runs that judge what is looked at.
fn analyses(model: &Model, by_need: &[(u8, WorkloadId)]) -> Vec<SourceId> {
    let looked_at = by_need.iter().filter(|(need, _)| *need <= OPEN);
    let workloads = looked_at.filter_map(|(_, id)| model.fleet.workload(id));
    let mut list: Vec<_> = workloads.filter_map(analyses_of).collect();
    list.sort();
    list.dedup();
    list
}

/// The feed of the runs that judge its canary.
pub fn analyses_of(workload: &Workload) -> Option<SourceId> {
    let canary = workload.canary.as_deref()?;
    let feed = Feed::AnalysesOf {
        workload: workload.id.clone(),
        hash: canary.current.clone(),
    };
    (canary.is_within() && !canary.current.is_empty()).then(|| beside(workload, feed))
}

/// What is suspended, of the kinds that keep something in a cluster; and that of what is looked at or followed.
fn syncs(model: &Model, by_need: &[(u8, WorkloadId)]) -> Vec<SourceId> {
    let of = |cluster: &ClusterId, namespace, feed| SourceId {
        cluster: cluster.clone(),
        namespace,
        feed,
    };
    let kept = model.fleet.workloads().filter_map(|workload| {
        let kind = workload.kept_by()?.kind;
        Some((&workload.id.cluster, kind))
    });
    let kept: BTreeSet<(&ClusterId, SyncKind)> = kept.collect();
    let suspended = kept.iter();
    let suspended = suspended.map(|(cluster, kind)| of(cluster, None, Feed::Suspended(*kind)));
    let looked_at = by_need.iter().filter(|(need, _)| *need <= OPEN);
    let workloads = looked_at.filter_map(|(_, id)| model.fleet.workload(id));
    let of_one = workloads.filter_map(|workload| {
        let sync = workload.kept_by()?.clone();
        let (workload, namespace) = (workload.id.clone(), sync.namespace.clone());
        let cluster = workload.cluster.clone();
        Some(of(&cluster, namespace, Feed::SyncOf { workload, sync }))
    });
    let mut list: Vec<_> = suspended.chain(of_one).collect();
    list.sort();
    list.dedup();
    list
}

/// Sends the wish list when it is another, and forgets what is no longer on it.
pub fn refresh(model: &mut Model, effects: &mut Vec<Effect>) {
    if !std::mem::take(&mut model.work.wishes) {
        return;
    }
    let jobs = builds::wanted(model);
    if jobs != model.jobs_watched {
        model.jobs_watched.clone_from(&jobs);
        effects.push(Effect::WatchJobs(jobs));
    }
    let wanted = wanted(model);
    if wanted == model.watched {
        return;
    }
    let left = std::mem::replace(&mut model.watched, wanted);
    for source in left.iter().filter(|source| !model.watched.contains(source)) {
        model.sources.remove(source);
        model.work.touched.extend(model.fleet.forget(source));
    }
    effects.push(Effect::Watch {
        epochs: epochs(model),
        wanted: model.watched.clone(),
    });
}

fn epochs(model: &Model) -> BTreeMap<ClusterId, u64> {
    let clusters = model.clusters.iter();
    clusters.map(|c| (c.id.clone(), c.epoch)).collect()
}

/// Every workload of every cluster's scope has been listed, or never will be: a cluster that does not answer is not
/// waited for.
pub fn stands(model: &Model) -> bool {
    let mut workloads = model
        .watched
        .iter()
        .filter(|source| matches!(source.feed, Feed::Workloads(_)))
        .peekable();
    let connecting = |c: &ClusterState| matches!(c.connection, Connection::Connecting { .. });
    workloads.peek().is_some()
        && workloads.all(|source| settled(model, source))
        && !model.clusters.iter().any(connecting)
}

/// The feed in every namespace of the cluster's scope.
fn sources(cluster: &ClusterState, feed: &Feed) -> Vec<SourceId> {
    let source = |namespace: Option<Box<str>>| SourceId {
        cluster: cluster.id.clone(),
        namespace,
        feed: feed.clone(),
    };
    match cluster.scope.namespaces.as_slice() {
        [] => vec![source(None)],
        named => named.iter().cloned().map(|ns| source(Some(ns))).collect(),
    }
}

/// The feed of a workload alone, in its namespace.
fn beside(workload: &Workload, feed: Feed) -> SourceId {
    SourceId {
        cluster: workload.id.cluster.clone(),
        namespace: Some(workload.id.namespace.clone()),
        feed,
    }
}

/// It listed once, or it never will.
fn settled(model: &Model, source: &SourceId) -> bool {
    model.sources.get(source).is_some_and(|state| {
        state.synced || matches!(state.health, crate::domain::Health::Denied(_))
    })
}

/// The need of what is on a screen of its own.
const OPEN: u8 = 1;

/// Followed, open, then stalled, degraded, rolling. A service that is watched already goes before its like, so
/// that feeds are not opened and dropped by turns.
fn by_need(model: &Model) -> Vec<(u8, WorkloadId)> {
    let followed = model
        .follows
        .iter()
        .filter(|f| matches!(f.state, Follow::Pending(_)));
    let mut needs: Vec<(u8, WorkloadId)> = followed.map(|f| (0, f.goal.workload.clone())).collect();
    for screen in model.screens.iter().rev() {
        match screen {
            Screen::Service(service) => needs.push((OPEN, service.workload.clone())),
            Screen::Logs(logs) => needs.push((OPEN, logs.workload.clone())),
            Screen::Builds(builds) => needs.push((OPEN, builds.workload.clone())),
            Screen::Changes(changes) => {
                needs.extend(changes.service.clone().map(|id| (OPEN, id)));
            }
            Screen::Text(_)
            | Screen::Doctor(_)
            | Screen::Table(_)
            | Screen::Record(_)
            | Screen::Matrix(_) => {}
        }
    }
    let rows = model
        .board
        .rows
        .iter()
        .chain(model.board.hidden_rows.values());
    let mut troubled: Vec<_> = rows.filter_map(|row| Some((need(row)?, row))).collect();
    let watched = |row: &Row| !watches_pods(model, &row.id);
    troubled
        .sort_by_key(|(need, row)| (*need, watched(row), std::cmp::Reverse(row.standing.since)));
    needs.extend(
        troubled
            .into_iter()
            .map(|(need, row)| (need, row.id.clone())),
    );
    needs
}

fn need(row: &Row) -> Option<u8> {
    match row.standing.phase {
        Phase::Stalled => Some(2),
        Phase::Degraded => Some(3),
        Phase::Canary | Phase::RollingBack | Phase::Rolling => Some(4),
        // A warning about something that looks steady.
        Phase::Unknown | Phase::Steady | Phase::Paused => {
            let why = row.standing.why.as_ref();
            why.filter(|why| why.reason != Reason::Part).map(|_| 5)
        }
        Phase::ScaledToZero => None,
    }
}

fn watches_pods(model: &Model, id: &WorkloadId) -> bool {
    model.watched.iter().any(|source| match &source.feed {
        Feed::PodsOf { workload, .. } => workload == id,
        Feed::Workloads(_)
        | Feed::Warnings
        | Feed::ReplicaSets
        | Feed::RevisionsOf { .. }
        | Feed::AnalysesOf { .. }
        | Feed::Canaries
        | Feed::Services
        | Feed::Routes(_)
        | Feed::EndpointsOf { .. }
        | Feed::SyncOf { .. }
        | Feed::Suspended(_) => false,
    })
}

fn pods(model: &Model, by_need: &[(u8, WorkloadId)]) -> Vec<SourceId> {
    let mut list: Vec<SourceId> = Vec::new();
    let needed = by_need
        .iter()
        .filter_map(|(_, id)| model.fleet.workload(id));
    let needed = needed.map(|workload| {
        let workload = model.fleet.stand_in(workload);
        let feed = Feed::PodsOf {
            workload: workload.id.clone(),
            selector: workload.selector.clone(),
        };
        beside(workload, feed)
    });
    // Those that were watched and recovered stay while there is room: trouble comes back.
    let stay = model.watched.iter().filter(|source| match &source.feed {
        Feed::PodsOf { workload, selector } => model
            .fleet
            .workload(workload)
            .is_some_and(|w| w.selector == *selector),
        Feed::Workloads(_)
        | Feed::Warnings
        | Feed::ReplicaSets
        | Feed::RevisionsOf { .. }
        | Feed::AnalysesOf { .. }
        | Feed::Canaries
        | Feed::Services
        | Feed::Routes(_)
        | Feed::EndpointsOf { .. }
        | Feed::SyncOf { .. }
        | Feed::Suspended(_) => false,
    });
    for source in needed.chain(stay.cloned()) {
        if list.len() == PODS {
            break;
        }
        if !list.contains(&source) {
            list.push(source);
        }
    }
    // The chosen ones in a fixed order: which comes first among eight does not matter to anyone.
    list.sort();
    list
}

fn revisions(model: &Model, by_need: &[(u8, WorkloadId)]) -> Vec<SourceId> {
    let mut list = Vec::new();
    let needed = by_need
        .iter()
        .filter_map(|(_, id)| model.fleet.workload(id));
    for workload in needed.flat_map(|one| once_each(one, model.fleet.stand_in(one))) {
        let source = revisions_of(workload);
        if list.len() < REVISIONS && !fleet_wide(model, workload) && !list.contains(&source) {
            list.push(source);
        }
    }
    list.sort();
    list
}

fn once_each<'a>(one: &'a Workload, other: &'a Workload) -> impl Iterator<Item = &'a Workload> {
    let other = Some(other).filter(|other| other.id != one.id);
    [one].into_iter().chain(other)
}

fn revisions_of(workload: &Workload) -> SourceId {
    let feed = Feed::RevisionsOf {
        workload: workload.id.clone(),
        selector: workload.selector.clone(),
    };
    beside(workload, feed)
}

/// The pass over all ReplicaSets has brought this one's.
fn fleet_wide(model: &Model, workload: &Workload) -> bool {
    let near = beside(workload, Feed::ReplicaSets);
    let wide = SourceId {
        namespace: None,
        ..near.clone()
    };
    workload.id.kind.has_replica_sets() && (model.fleet.synced(&wide) || model.fleet.synced(&near))
}
