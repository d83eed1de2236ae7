//! How a service is built from a folder of this machine, and what git says of that folder.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an engine is told for one service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipe {
    pub folder: PathBuf,
    /// Within the folder.
    pub dockerfile: String,
    /// Without a tag. Absent: that of the image that runs.
    pub image: Option<String>,
    pub arguments: Arguments,
    /// Of its steps: `none`, `host`. Absent: the engine's own.
    pub network: Option<String>,
}

/// Build arguments by name. People put tokens into them, so that no value is ever shown or written down.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arguments(pub BTreeMap<String, String>);

impl Arguments {
    /// `A, B`; nothing when there is none.
    pub fn names(&self) -> Option<String> {
        let names: Vec<_> = self.0.keys().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A folder under git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkTree {
    /// In full.
    pub commit: Box<str>,
    /// So many files of the folder are not as the commit has them.
    pub changed: usize,
    /// Where it came from, without a login.
    pub origin: Option<Box<str>>,
}

impl WorkTree {
    /// For the label of the OCI: what is changed is no commit's, and says so.
    pub fn revision(&self) -> String {
        let end = if self.changed > 0 { "-dirty" } else { "" };
        format!("{}{end}", self.commit)
    }

    /// `a1b9e3c`. Two builds of a folder that is changed are not the same: they have their time as well.
    pub fn tag(&self, at: Timestamp) -> String {
        let short = self.commit.get(..7).unwrap_or(&self.commit);
        match self.changed {
            0 => short.to_owned(),
            _ => format!("{}-{short}-dirty", time_tag(at)),
        }
    }
}

/// `20261127-162505`, for a folder that no commit names.
pub fn time_tag(at: Timestamp) -> String {
    at.strftime("%Y%m%d-%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::commit::{commit_hash, hash_in};

    #[test]
    fn a_commit_is_found_again_by_tag_and_by_label() {
        let commit = "a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c";
        let at = "2026-11-27T16:25:05Z".parse().unwrap();
        for (changed, tag) in [(0, "a1b9e3c"), (2, "20261127-162505-a1b9e3c-dirty")] {
            let tree = WorkTree {
                commit: commit.into(),
                changed,
                origin: None,
            };
            assert_eq!(tree.tag(at), tag);
            assert_eq!(hash_in(tag).as_deref(), Some("a1b9e3c"));
            assert_eq!(commit_hash(&tree.revision()).as_deref(), Some(commit));
        }
    }

    #[test]
    fn a_value_is_never_in_a_debug() {
        let given = Arguments([("TOKEN".into(), "hunter2".into())].into());
        assert_eq!(format!("{given:?}"), r#"{"TOKEN"}"#);
    }
}
