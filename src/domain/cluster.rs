//! What is known of a cluster as a whole: who it is, whether it can be reached, and what to do when not.

use jiff::Timestamp;

use super::Failure;

/// How a cluster is told from another that wears its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinnedBy {
    /// The uid of the kube-system namespace.
    KubeSystem(Box<str>),
    /// That may not be read: the server's address and a short hash of its CA.
    AddressAndCa(Box<str>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub server: Box<str>,
    /// `v1.36.3`.
    pub version: Box<str>,
    pub pinned: PinnedBy,
    /// The API server's own name for the user (SelfSubjectReview), when it tells.
    pub user: Option<Box<str>>,
    /// The namespace the kubeconfig context names.
    pub namespace: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Reading the kubeconfig, running a credential plugin, first request.
    Connecting {
        doing: String,
        since: Timestamp,
    },
    Connected(Identity),
    /// It is tried again at `next`, and at once on ctrl-r.
    Failed {
        failure: Failure,
        since: Timestamp,
        next: Timestamp,
    },
}
