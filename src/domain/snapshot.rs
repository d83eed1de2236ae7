//! The file that says what runs in namespaces, so that it can be made again: its form, read and written.

mod clean;
mod file;
mod sort;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ImageRef;
use super::image::short_digest;

pub use clean::clean;
pub use file::{Mistake, read, text};
pub use sort::Sort;

/// Version of the format: another one is not read.
pub const FORMAT: &str = "rolldeck-snapshot/1";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub format: Box<str>,
    /// The version that wrote it.
    pub rolldeck: Box<str>,
    pub taken: Timestamp,
    pub places: Vec<Place>,
    /// How many manifests it holds. It stands last: a file without it was cut off.
    pub end: usize,
}

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub cluster: Box<str>,
    /// As the settings call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Box<str>>,
    pub namespace: Box<str>,
    /// What its services need and the file does not hold, by name alone: `secret/db`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<String>,
    /// Those that were in the middle of a release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Unfinished>,
    pub workloads: Vec<Manifest>,
    /// What they need beside them, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Manifest>,
}

/// Of an image, as one reads it: its tag, or its digest where there is none.
pub fn version(image: &str) -> &str {
    let parsed = ImageRef::parse(image);
    let digest = parsed.digest.and_then(short_digest);
    parsed.tag.or(digest).unwrap_or(image)
}

/// A workload whose pods were not all of the version that its manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfinished {
    /// `rollout/cart`.
    pub service: Box<str>,
    /// What the manifest asks for.
    pub asked: Box<str>,
    /// The pods that were ready, by version.
    pub ready: BTreeMap<Box<str>, usize>,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (version, pods)) in self.ready.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let noun = if *pods == 1 { "pod" } else { "pods" };
            write!(f, "{comma}{version} in {pods} {noun}")?;
        }
        if self.ready.is_empty() {
            f.write_str("no pod is ready")?;
        }
        Ok(())
    }
}

impl Place {
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.workloads.iter().chain(&self.beside)
    }

    pub fn unfinished(&self, workload: &Manifest) -> Option<&Unfinished> {
        let mut all = self.unfinished.iter();
        let name = workload.to_string();
        all.find(|one| *one.service == *name)
    }
}

/// An object without what its cluster added to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Manifest {
    pub sort: Sort,
    pub name: Box<str>,
    pub body: Value,
}

impl Manifest {
    /// The container that a version is told of, with its image.
    pub fn first_container(&self) -> &Value {
        &self.template()["spec"]["containers"][0]
    }

    /// The labels of its pods, of a workload.
    pub fn pod_labels(&self) -> &Value {
        &self.template()["metadata"]["labels"]
    }

    pub fn template(&self) -> &Value {
        &self.body["spec"]["template"]
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.sort.short(), self.name)
    }
}

impl fmt::Debug for Manifest {
    /// A ConfigMap may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Manifest> for Value {
    fn from(manifest: Manifest) -> Self {
        manifest.body
    }
}

impl TryFrom<Value> for Manifest {
    type Error = String;

    fn try_from(body: Value) -> Result<Self, String> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (api, kind) = (word(&body["apiVersion"]), word(&body["kind"]));
        let name = word(&body["metadata"]["name"]);
        if name.is_empty() {
            return Err(format!("a {kind} has no metadata.name"));
        }
        let sort = Sort::of(&api, &kind)
            .ok_or_else(|| format!("{name} is of a kind that no snapshot holds: {api} {kind}"))?;
        Ok(Self {
            sort,
            name: name.into(),
            body,
        })
    }
}
