//! What the bookkeeping of one workload tells of its past, beside its revisions.

use jiff::Timestamp;

use crate::domain::{Workload, WorkloadId};

/// A workload, who wrote which of its fields when, and what its pods take their settings from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub workload: Workload,
    pub writes: Vec<Written>,
    /// Who wrote the number of replicas through the scale alone, of which the server keeps no time.
    pub scaled_by: Option<Box<str>>,
    pub uses: Vec<Use>,
}

/// One entry of managedFields: the last write of this manager, and the fields that it owns since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub manager: Box<str>,
    pub at: Timestamp,
    /// `scale`, or empty. Writes of the status are left out.
    pub subresource: Box<str>,
    /// `spec.replicas`, `data.LOG_LEVEL`: two levels, names only.
    pub fields: Vec<Box<str>>,
}

impl Written {
    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|own| **own == *field)
    }

    /// The fields below one, without it: `replicas` of `spec.replicas`.
    pub fn below(&self, root: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter_map(move |field| field.strip_prefix(root)?.strip_prefix('.'))
    }
}

/// A ConfigMap or a Secret that a pod template names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub kind: UseKind,
    pub name: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseKind {
    ConfigMap,
    Secret,
}

impl Trace {
    pub fn id(&self) -> &WorkloadId {
        &self.workload.id
    }
}
