//! The images of the embedded registry: their digests, where they came from, and how a container of them behaves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `sha256:…`, of the manifest that the registry serves.
    pub digest: String,
    pub created: Timestamp,
    /// The source commit, empty when it is not known.
    pub commit: String,
    pub behaviour: Behaviour,
}

/// What a container of an image does. Lengths are scripted seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Behaviour {
    pub pull: u32,
    /// From its start to ready; never without it.
    pub ready_after: Option<u32>,
    pub exit: Option<Exit>,
    /// Written when it starts, a line each.
    pub log: Vec<String>,
    /// Repeated while it runs, a line every few seconds.
    pub chatter: Vec<String>,
    /// What an analysis measures of it, by the name of the metric.
    pub metrics: BTreeMap<String, String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            pull: 2,
            ready_after: Some(3),
            exit: None,
            log: Vec::new(),
            chatter: Vec::new(),
            metrics: BTreeMap::new(),
        }
    }
}

/// How it ends, each time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Exit {
    pub after: u32,
    pub code: u8,
    #[serde(default)]
    pub out_of_memory: bool,
}

/// Repository -> tag -> image.
#[derive(Debug, Default)]
pub struct Images {
    pushed: Mutex<BTreeMap<String, BTreeMap<String, Arc<Image>>>>,
    any: AtomicBool,
}

impl Images {
    /// From now on every image that nobody pushed is there too, and fares as the end of its tag says: `unpullable` is
    /// not there, `crash` and `oom` end at once, `unready` never serves, anything else does.
    pub fn accept_any(&self) {
        self.any.store(true, Ordering::Relaxed);
    }

    pub fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// What a kubelet gets for a reference.
    pub fn pull(&self, reference: &str) -> Option<Arc<Image>> {
        let imagined = || self.any().then(|| imagined(reference)).flatten();
        self.find(reference).or_else(imagined)
    }

    /// By `host/path:tag` or `host/path@sha256:…`, as a pod names it.
    pub fn find(&self, reference: &str) -> Option<Arc<Image>> {
        let images = self.images();
        if let Some((repository, digest)) = reference.split_once('@') {
            let repository = repository_of(repository);
            let mut tags = images.get(repository)?.values();
            return tags.find(|image| image.digest == digest).cloned();
        }
        let repository = repository_of(reference);
        let tag = reference.strip_prefix(repository)?.strip_prefix(':');
        images
            .get(repository)?
            .get(tag.unwrap_or("latest"))
            .cloned()
    }

    pub fn push(&self, repository: &str, tag: &str, image: Image) {
        let mut images = self.images();
        let tags = images.entry(repository.to_owned()).or_default();
        tags.insert(tag.to_owned(), Arc::new(image));
    }

    /// Takes a tag away, as a registry's cleanup does.
    pub fn remove(&self, repository: &str, tag: &str) {
        if let Some(tags) = self.images().get_mut(repository) {
            tags.remove(tag);
        }
    }

    /// The tags of a repository and their images, `None` when there is no such repository.
    pub fn tags(&self, repository: &str) -> Option<BTreeMap<String, Arc<Image>>> {
        self.images().get(repository).cloned()
    }

    fn images(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Arc<Image>>>> {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An image that nobody pushed.
fn imagined(reference: &str) -> Option<Arc<Image>> {
    let ends = |ending: &str| reference.ends_with(ending);
    let exit = |code, out_of_memory| Exit {
        after: 1,
        code,
        out_of_memory,
    };
    let behaviour = Behaviour {
        pull: 0,
        ready_after: (!ends("unready")).then_some(0),
        exit: match () {
            () if ends("crash") => Some(exit(1, false)),
            () if ends("oom") => Some(exit(137, true)),
            () => None,
        },
        log: match () {
            () if ends("crash") => vec!["panic: out of luck".into()],
            () => Vec::new(),
        },
        ..Behaviour::default()
    };
    let digest = digest(&SHA256, reference.as_bytes());
    let image = Image {
        digest: digest
            .as_ref()
            .iter()
            .fold("sha256:".to_owned(), |text, byte| {
                format!("{text}{byte:02x}")
            }),
        created: Timestamp::UNIX_EPOCH,
        commit: String::new(),
        behaviour,
    };
    (!ends("unpullable")).then(|| Arc::new(image))
}

/// Without the tag: a colon after the last slash.
pub fn repository_of(reference: &str) -> &str {
    let path = reference.rfind('/').map_or(0, |slash| slash + 1);
    match reference[path..].find(':') {
        Some(colon) => &reference[..path + colon],
        None => reference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_tag_and_by_digest() {
        let images = Images::default();
        let image = Image {
            digest: "sha256:aa".into(),
            created: Timestamp::UNIX_EPOCH,
            commit: String::new(),
            behaviour: Behaviour::default(),
        };
        images.push("host:5000/shop/web", "1.0", image);
        for found in ["host:5000/shop/web:1.0", "host:5000/shop/web@sha256:aa"] {
            assert!(images.find(found).is_some(), "{found}");
        }
        for missing in ["host:5000/shop/web", "host:5000/shop/web:1", "shop/web:1.0"] {
            assert!(images.find(missing).is_none(), "{missing}");
        }
    }
}
