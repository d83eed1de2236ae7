//! A named place that services run in, and how careful one is there.

use serde::{Deserialize, Serialize};

use super::{ClusterId, Color, WorkloadId};

/// What a person has to give before a plan is executed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Open,
    #[default]
    Guarded,
    Protected,
}

/// What setting an image writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pin {
    /// What was asked for.
    #[default]
    Tag,
    /// The same with the digest that its registry has for it then.
    Digest,
}

/// Cluster, namespaces and a level. A namespace that no environment names is guarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    pub name: String,
    /// The kubeconfig context.
    pub cluster: String,
    /// Empty: every namespace of the cluster.
    #[serde(default)]
    pub namespaces: Vec<String>,
    #[serde(default)]
    pub protection: Level,
    /// Of its name on the board.
    #[serde(default)]
    pub color: Option<Color>,
    #[serde(default)]
    pub pin: Pin,
}

/// The namespaces of a cluster that these environments name; empty: every one.
pub fn namespaces_of<'a>(
    environments: impl Iterator<Item = &'a Environment>,
    cluster: &ClusterId,
) -> Vec<Box<str>> {
    let mut names = Vec::new();
    for environment in environments.filter(|e| *e.cluster == *cluster.0) {
        if environment.namespaces.is_empty() {
            return Vec::new();
        }
        names.extend(environment.namespaces.iter().map(|n| n.as_str().into()));
    }
    names.sort();
    names.dedup();
    names
}

impl Environment {
    pub fn holds(&self, id: &WorkloadId) -> bool {
        self.covers(&id.cluster, &id.namespace)
    }

    pub fn covers(&self, cluster: &ClusterId, namespace: &str) -> bool {
        *self.cluster == *cluster.0
            && (self.namespaces.is_empty() || self.namespaces.iter().any(|n| **n == *namespace))
    }
}
