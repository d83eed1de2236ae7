//! One write, as data.

use crate::domain::{ClusterId, Verbatim};

/// The object that a step writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    pub cluster: ClusterId,
    pub namespace: Box<str>,
    /// `apps/v1`.
    pub api: &'static str,
    /// `deployments`.
    pub resource: &'static str,
    pub name: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A JSON Patch whose first operations test what was shown.
    JsonPatch {
        object: ObjectRef,
        body: Verbatim,
        what: String,
    },
}

impl Step {
    pub fn object(&self) -> &ObjectRef {
        match self {
            Self::JsonPatch { object, .. } => object,
        }
    }

    /// The verb that RBAC knows it by.
    pub fn permission(&self) -> &'static str {
        match self {
            Self::JsonPatch { .. } => "patch",
        }
    }
}
