//! What a Docker engine has, and what it says on the way of a build, a push or a pull.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// One line of news of an image on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageWork {
    /// The third of eight: `RUN make`.
    Step {
        number: u32,
        of: u32,
        text: Box<str>,
    },
    /// A line that a step wrote. It may hold anything: escape before showing.
    Output(Box<str>),
    /// A layer, or the image as a whole when it has no id.
    Layer {
        id: Box<str>,
        /// The engine's own words: `Pushing`, `Layer already exists`.
        doing: Box<str>,
        /// So many of so many, when both are known.
        bytes: Option<(u64, u64)>,
    },
    /// The id of what was built, or the digest of what was pushed or pulled: `sha256:…`.
    Done(Box<str>),
}

/// An image that the engine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalImage {
    /// `sha256:…`, of its settings.
    pub id: Box<str>,
    /// `shop/web:1.0`, each.
    pub tags: Vec<Box<str>>,
    /// `shop/web@sha256:…`, of each repository it was pushed to or pulled from.
    pub digests: Vec<Box<str>>,
    pub created: Option<Timestamp>,
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// Bytes.
    pub size: u64,
}

impl LocalImage {
    /// What a registry calls it in this repository; an engine names those of others beside it.
    pub fn digest_in(&self, repository: &str) -> Option<&str> {
        let mut named = self.digests.iter().filter_map(|name| name.split_once('@'));
        named
            .find(|(name, _)| *name == repository)
            .map(|(_, digest)| digest)
    }
}
