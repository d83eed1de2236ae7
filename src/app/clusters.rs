//! The clusters on the board: each with its own connection, scope, clock and rights, so that each fails alone.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{ClusterId, Connection, Kind, Known, WorkloadId};

use super::model::Model;

/// Below this a difference of clocks, in seconds, is not told from the time that a request takes.
pub const SKEW_SECONDS: i64 = 5;

/// One cluster of the board.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterState {
    /// Empty while the kubeconfig's current context is not known.
    pub id: ClusterId,
    pub connection: Connection,
    pub scope: Scope,
    /// Of its last change of scope: news of another epoch is dropped.
    pub epoch: u64,
    /// The server's clock minus ours, in seconds.
    pub skew: i64,
    /// The missing permission for release verbs, per namespace and kind; `None` inside: permitted.
    pub permissions: BTreeMap<(Box<str>, Kind), Known<Option<String>>>,
}

/// The namespaces of one cluster that are on the board: what became of what was asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// Empty: all.
    pub namespaces: Vec<Box<str>>,
    /// Why it is less than what was asked for.
    pub note: Option<String>,
    /// The identity told the context's namespace, or it is not needed: the feeds can open.
    pub resolved: bool,
}

impl ClusterState {
    pub fn new(id: ClusterId, now: Timestamp) -> Self {
        Self {
            id,
            connection: Connection::Connecting {
                doing: "reading the kubeconfig".into(),
                since: now,
            },
            scope: Scope::default(),
            epoch: 0,
            skew: 0,
            permissions: BTreeMap::new(),
        }
    }

    pub fn connected(&self) -> bool {
        matches!(self.connection, Connection::Connected(_))
    }

    /// What its clock is ahead of ours by, when that is worth a word.
    pub fn ahead(&self) -> i64 {
        if self.skew.abs() > SKEW_SECONDS {
            self.skew
        } else {
            0
        }
    }
}

impl Model {
    pub fn cluster(&self, id: &ClusterId) -> Option<&ClusterState> {
        self.clusters.iter().find(|cluster| cluster.id == *id)
    }

    pub fn cluster_mut(&mut self, id: &ClusterId) -> Option<&mut ClusterState> {
        self.clusters.iter_mut().find(|cluster| cluster.id == *id)
    }

    /// In the order of the board.
    pub fn cluster_ids(&self) -> Vec<ClusterId> {
        self.clusters.iter().map(|c| c.id.clone()).collect()
    }

    /// Some cluster answers.
    pub fn connected(&self) -> bool {
        self.clusters.iter().any(ClusterState::connected)
    }

    /// Something of this cluster was ever seen.
    pub fn heard_of(&self, id: &ClusterId) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|(source, state)| source.cluster == *id && state.contact.is_some())
    }

    /// What the clock of a workload's cluster says: its times are told by it.
    pub fn clock_of(&self, id: &WorkloadId) -> Timestamp {
        let ahead = self.cluster(&id.cluster).map_or(0, ClusterState::ahead);
        shifted(self.now, ahead - self.ahead())
    }

    /// A time of this machine's clock as [`Model::now`] has it.
    pub fn of_ours(&self, ours: Timestamp) -> Timestamp {
        shifted(ours, self.ahead())
    }

    /// `now` goes by the first cluster.
    fn ahead(&self) -> i64 {
        self.clusters.first().map_or(0, ClusterState::ahead)
    }
}

fn shifted(time: Timestamp, seconds: i64) -> Timestamp {
    time.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(time)
}
