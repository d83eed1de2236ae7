//! Kubernetes: connection, reads, feeds, the one write call, and wire JSON turned into the domain.

pub mod access;
pub mod canary;
pub mod changes;
pub mod charts;
mod client;
pub mod convert;
mod credential;
pub mod discovery;
pub mod error;
pub mod feed;
mod identity;
pub mod kubeconfig;
mod list;
pub mod logs;
pub mod metrics;
pub mod path;
mod session;
mod status;
pub mod table;
mod watch;
pub mod wire;

pub use client::{Answer, Body, Cluster, Review};
pub use error::Error;
pub use identity::{at_first, identify};
pub use list::all as list_all;
pub use session::{ByHand, connect, contexts};

#[cfg(test)]
pub(crate) mod in_memory {
    //! What tests of other rooms build an API server in memory with.

    pub use kube::{Client, client::Body};
}
