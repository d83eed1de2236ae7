//! News from the feeds, folded into the fleet and into what is known of each feed.

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::model::{Model, SourceState};
use crate::app::settle;
use crate::domain::{Change, Feed, Health, SourceId, Update};

use super::{changes, connection, follow, logs};

/// More touched rows than this wait for the next frame.
const AT_ONCE: usize = 32;

pub fn fed(
    model: &mut Model,
    source: &SourceId,
    (epoch, at): (u64, Timestamp),
    updates: Vec<Update>,
) -> Vec<Effect> {
    let epoch_of = |model: &Model| model.cluster(&source.cluster).map(|c| c.epoch);
    if epoch_of(model) != Some(epoch) || !model.watched.contains(source) {
        return Vec::new();
    }
    let answered = updates.iter().any(answered);
    for update in updates {
        match update {
            Update::Change(change) => changed(model, source, change),
            Update::Health(health) => heard(model, source, health),
            Update::Skew(seconds) => {
                if let Some(cluster) = model.cluster_mut(&source.cluster) {
                    let other = std::mem::replace(&mut cluster.skew, seconds) != seconds;
                    model.dirty |= other;
                }
            }
        }
    }
    if epoch_of(model) != Some(epoch) {
        // What came made the scope another one: this source is over.
        return Vec::new();
    }
    if answered {
        let at = model.of_ours(at);
        state(model, source).contact = Some(at);
    }
    if model.work.touched.is_empty() {
        return Vec::new();
    }
    model.dirty = true;
    let mut effects = follow::fold(model);
    effects.extend(logs::refresh(model));
    if model.work.touched.len() <= AT_ONCE {
        // The wish list goes by the phases: a service that stalls gets its pods watched now.
        settle(model);
    }
    effects
}

/// Whether the server said something about the rows: that it was asked again in vain makes them no younger.
fn answered(update: &Update) -> bool {
    match update {
        Update::Change(_) | Update::Skew(_) => true,
        Update::Health(health) => match health {
            Health::Live | Health::Listing(_) | Health::Undecodable(_) | Health::Absent => true,
            Health::Quiet { .. }
            | Health::Retrying { .. }
            | Health::Denied(_)
            | Health::AuthExpired(_) => false,
        },
    }
}

fn changed(model: &mut Model, source: &SourceId, change: Change) {
    let listed = matches!(change, Change::Synced(_) | Change::Reset(..));
    let of_workloads = matches!(source.feed, Feed::Workloads(_));
    changes::watch_deletions(model, source, &change);
    let touched = model.fleet.apply(source, change);
    if of_workloads {
        for id in &touched {
            connection::know(model, &id.namespace);
        }
        // A selector or the workload itself may be another.
        model.work.wishes |= touched
            .iter()
            .any(|id| model.watched.iter().any(|w| of(w, id)));
    }
    for id in &touched {
        follow::resume(model, id);
    }
    model.work.touched.extend(touched);
    if listed {
        state(model, source).synced = true;
        model.work.wishes = true;
        model.dirty = true;
    }
}

fn of(source: &SourceId, id: &crate::domain::WorkloadId) -> bool {
    match &source.feed {
        Feed::PodsOf { workload, .. }
        | Feed::RevisionsOf { workload, .. }
        | Feed::AnalysesOf { workload, .. }
        | Feed::EndpointsOf { workload, .. }
        | Feed::SyncOf { workload, .. } => workload == id,
        Feed::Workloads(_)
        | Feed::Warnings
        | Feed::ReplicaSets
        | Feed::Canaries
        | Feed::Services
        | Feed::Routes(_)
        | Feed::Suspended(_) => false,
    }
}

fn heard(model: &mut Model, source: &SourceId, health: Health) {
    let health = match health {
        Health::Quiet { since } => Health::Quiet {
            since: model.of_ours(since),
        },
        Health::Retrying {
            since,
            why,
            next,
            unreached,
        } => Health::Retrying {
            since: model.of_ours(since),
            next: model.of_ours(next),
            why,
            unreached,
        },
        Health::Live
        | Health::Absent
        | Health::Listing(_)
        | Health::Denied(_)
        | Health::AuthExpired(_)
        | Health::Undecodable(_) => health,
    };
    let denied = matches!(health, Health::Denied(_));
    let known = state(model, source);
    if let Health::Undecodable(count) = health {
        // A count beside the rest: the feed itself is as well as it was.
        known.undecodable = count;
    } else if known.health != health {
        known.health = health;
    } else {
        return;
    }
    model.dirty = true;
    if denied {
        model.work.wishes = true;
        connection::denied(model, source);
    }
}

fn state<'a>(model: &'a mut Model, source: &SourceId) -> &'a mut SourceState {
    model.sources.entry(source.clone()).or_insert(SourceState {
        health: Health::Listing(0),
        synced: false,
        contact: None,
        undecodable: 0,
    })
}
