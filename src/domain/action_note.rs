//! What rolldeck writes on a workload when it changes it: the annotation `rolldeck.dev/action`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::template::CanonicalHash;

/// The key of the annotation that speaks of the pod template.
pub const ANNOTATION: &str = "rolldeck.dev/action";
/// The key of the annotation of what left the template as it is: a pause, another scale. It has one of its own,
/// because who withdrew which template has to stay known.
pub const TURN: &str = "rolldeck.dev/turn";

/// The last thing rolldeck did to a workload. It counts only while `to` is the hash of the live template:
/// the controller copies annotations to later ReplicaSets, where they would lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionNote {
    /// The id of the release record.
    pub id: String,
    /// `rollback`, …
    pub verb: String,
    /// The name of the revision object (ReplicaSet, ControllerRevision) that was withdrawn.
    pub from: String,
    /// The version that was withdrawn, in words.
    #[serde(default)]
    pub from_version: String,
    /// The canonical hash of the template that was written.
    pub to: CanonicalHash,
    /// `user@host` of the operating system that rolldeck ran on.
    pub by: String,
    pub at: Timestamp,
    /// How many replicas were set, by what set them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
}

impl ActionNote {
    /// It went back to an older template, and so withdrew a newer one.
    pub fn rolls_back(&self) -> bool {
        match &*self.verb {
            "rollback" => true,
            // The chart may have changed something else.
            "helm-rollback" => !self.from.is_empty(),
            _ => false,
        }
    }
}
