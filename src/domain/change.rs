//! News from outside: what changed, and how the source that says so is doing.

use jiff::Timestamp;

use super::canary::Analysis;
use super::pair::Service;
use super::pair::route::Route;
use super::{
    Canary, ClusterId, Pod, Revision, SourceId, Sync, SyncId, Uid, Warning, Workload, WorkloadId,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Workload(Box<Workload>),
    Revision(Box<Revision>),
    Pod(Box<Pod>),
    Warning(Box<Warning>),
    Analysis {
        of: WorkloadId,
        uid: Uid,
        run: Box<Analysis>,
    },
    /// What another object, of this uid, says of the workload.
    Canary {
        of: WorkloadId,
        uid: Uid,
        canary: Box<Canary>,
    },
    /// Tells which Deployments are a pair.
    Service(Box<Service>),
    /// Sends to them by weight.
    Route(Box<Route>),
    /// So many of a slice of endpoints are ready: those of the canary, and all others.
    Endpoints {
        of: WorkloadId,
        uid: Uid,
        ready: (u32, u32),
    },
    /// Of one workload, or `None`: one that rolldeck suspended.
    Sync {
        of: Option<WorkloadId>,
        sync: Box<Sync>,
    },
}

/// Names what is gone. The uid keeps a late deletion from hitting a re-created object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemId {
    Workload(WorkloadId, Uid),
    Revision {
        workload: WorkloadId,
        uid: Uid,
    },
    Pod {
        workload: WorkloadId,
        uid: Uid,
    },
    Warning {
        cluster: ClusterId,
        namespace: Box<str>,
        name: Box<str>,
    },
    Analysis {
        of: WorkloadId,
        uid: Uid,
    },
    Canary {
        cluster: ClusterId,
        uid: Uid,
    },
    Service {
        cluster: ClusterId,
        uid: Uid,
    },
    Route {
        cluster: ClusterId,
        uid: Uid,
    },
    Endpoints {
        of: WorkloadId,
        uid: Uid,
    },
    Sync {
        of: Option<WorkloadId>,
        id: SyncId,
    },
}

/// The first listing arrives as `Put`s and ends in `Synced`; a relist swaps the whole scope at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Put(Item),
    Gone(ItemId),
    Synced(SourceId),
    Reset(SourceId, Vec<Item>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Heard from now. Sent at each contact that ends a silence, and each time a watch is re-opened.
    Live,
    /// So many items listed so far.
    Listing(usize),
    /// The connection stands and nothing came for longer than the watch should be silent.
    Quiet { since: Timestamp },
    Retrying {
        since: Timestamp,
        why: String,
        next: Timestamp,
        /// Nobody answered: not even a connection came about.
        unreached: bool,
    },
    /// The cluster has no such kind. It is asked for again from time to time.
    Absent,
    /// 403: the missing permission in words.
    Denied(String),
    /// 401: the login is no longer accepted.
    AuthExpired(String),
    /// So many objects could not be read; their rows are missing, the others stand.
    Undecodable(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    Change(Change),
    Health(Health),
    /// The server's clock minus ours, in seconds, from a Date header.
    Skew(i64),
}
