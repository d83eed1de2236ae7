//! What somebody asked for, before anything was read.

use serde::{Deserialize, Serialize};

use crate::domain::{TemplateHash, Uid, WorkloadId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Rollback,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub verb: Verb,
    pub workload: WorkloadId,
    /// What the screen showed when the key was pressed. Headless verbs read first and ask with what they read.
    pub uid: Uid,
    pub shown: TemplateHash,
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The rule of the verb chooses.
    Proposed,
    /// A revision that was on the screen, by the name and template of its object.
    Shown {
        name: Box<str>,
        template: TemplateHash,
    },
    /// `--to 41` or `--to 2.14.1`, as typed.
    Typed(String),
}
