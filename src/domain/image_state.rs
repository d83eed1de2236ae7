//! What a registry says of an image.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::commit::{REVISION_LABEL, SOURCE_LABEL};

/// Whether a registry has an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    Present {
        /// `sha256:…`: of the index when there is one, else of the manifest.
        digest: Box<str>,
        /// When the registry said so.
        at: Timestamp,
    },
    /// It let us in, and it has another tag of the repository, but not this one.
    Missing,
    /// Nobody knows, and why.
    Unverified(String),
}

/// What stands behind a tag or a digest. The same for ever: a digest names its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `sha256:…`: of the index when there is one.
    pub digest: Box<str>,
    /// Of the manifest of each platform; one alone, the same as `digest`, when there is no index.
    pub platforms: Vec<Platform>,
    /// As the build says; it may be the same for every build.
    pub created: Option<Timestamp>,
    pub labels: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// `linux/amd64`, `linux/arm64/v8`; empty when it is not said.
    pub name: Box<str>,
    pub digest: Box<str>,
}

impl Manifest {
    /// The source commit, by the label of the OCI.
    pub fn commit(&self) -> Option<&str> {
        self.label(REVISION_LABEL)
    }

    /// The address of the source repository, by the label of the OCI.
    pub fn source(&self) -> Option<&str> {
        self.label(SOURCE_LABEL)
    }

    /// Whether a container that runs `digest` runs this image: a node names the index or its own platform's manifest.
    pub fn is(&self, digest: &str) -> bool {
        *self.digest == *digest || self.platforms.iter().any(|p| *p.digest == *digest)
    }

    fn label(&self, name: &str) -> Option<&str> {
        let value = self.labels.get(name)?.trim();
        Some(value).filter(|value| !value.is_empty())
    }
}

/// The tags of a repository, in the order of the registry, which says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags {
    pub names: Vec<Box<str>>,
    /// False when there are more than are read.
    pub whole: bool,
}
