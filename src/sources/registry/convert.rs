//! From what a registry sends to what we keep.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::Deserialize;

use crate::domain::image_state::Platform;

/// Of a manifest that does not say what it is.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// All four, always: with fewer a registry answers with another document, of another digest, or with 404.
pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// So many labels of an image are kept, and none that is longer.
const LABELS: usize = 64;
const LABEL: usize = 1_024;

/// One page of tags.
#[derive(Deserialize)]
pub struct TagPage {
    /// Null when all are deleted.
    pub tags: Option<Vec<Box<str>>>,
}

/// A manifest, or an index of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    pub config: Option<Descriptor>,
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
    #[serde(default)]
    schema_version: u32,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub digest: Box<str>,
    #[serde(default)]
    pub size: u64,
    pub platform: Option<Named>,
    /// Of layers that are fetched elsewhere.
    #[serde(default)]
    pub urls: Vec<Box<str>>,
}

#[derive(Deserialize, Clone, Default)]
#[serde(default)]
pub struct Named {
    os: String,
    architecture: String,
    variant: String,
}

impl Named {
    fn words(&self) -> Box<str> {
        let parts = [&self.os, &self.architecture, &self.variant];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.cloned().collect::<Vec<_>>().join("/").into()
    }
}

impl Document {
    /// It says that it is what was asked for.
    pub fn is_one(&self) -> bool {
        self.schema_version > 0 || self.config.is_some() || !self.manifests.is_empty()
    }

    /// Those that run: build tools add attestations, of an unknown platform.
    pub fn platforms(&self) -> Vec<Platform> {
        let runs = |d: &&Descriptor| d.platform.as_ref().is_none_or(|p| p.os != "unknown");
        let platform = |d: &Descriptor| Platform {
            name: d.platform.as_ref().map(Named::words).unwrap_or_default(),
            digest: d.digest.clone(),
        };
        self.manifests.iter().filter(runs).map(platform).collect()
    }
}

/// What an image was built with.
#[derive(Deserialize)]
pub struct Built {
    created: Option<String>,
    config: Option<Set>,
    #[serde(flatten)]
    platform: Named,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    labels: Option<BTreeMap<Box<str>, Box<str>>>,
}

impl Built {
    /// A time that cannot be read is none.
    pub fn created(&self) -> Option<Timestamp> {
        self.created.as_ref()?.parse().ok()
    }

    pub fn platform(&self) -> Box<str> {
        self.platform.words()
    }

    pub fn labels(self) -> BTreeMap<Box<str>, Box<str>> {
        let labels = self.config.and_then(|set| set.labels);
        let fits = |(name, value): &(Box<str>, Box<str>)| name.len() + value.len() <= LABEL;
        let labels = labels.unwrap_or_default().into_iter().filter(fits);
        labels.take(LABELS).collect()
    }
}

/// What a registry says when it refuses; its first words.
pub fn words(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return String::new();
    };
    let first = refusal.errors.into_iter().next();
    let said = first.map(|one| {
        if one.message.is_empty() {
            one.code
        } else {
            one.message
        }
    });
    said.unwrap_or_default().chars().take(200).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in digest(&SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The address of the next page, from `Link`: `</v2/…?last=x>; rel="next"`.
pub fn next(link: &str) -> Option<&str> {
    link.split(',').find_map(|one| {
        let (address, relation) = one.trim().strip_prefix('<')?.split_once('>')?;
        let relation = relation.replace(['"', ' '], "").to_ascii_lowercase();
        relation
            .split(';')
            .any(|part| part == "rel=next")
            .then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links() {
        for (link, want) in [
            (
                r#"</v2/a/tags/list?last=b&n=2>; rel="next""#,
                Some("/v2/a/tags/list?last=b&n=2"),
            ),
            ("<https://r/x>;rel=next", Some("https://r/x")),
            (r#"<a>; rel="prev", <b>; title="t"; rel="next""#, Some("b")),
            (r#"<a>; rel="prev""#, None),
            ("nonsense", None),
        ] {
            assert_eq!(next(link), want, "{link}");
        }
    }

    #[test]
    fn an_index_without_its_attestations() {
        let index = r#"{"manifests":[
            {"digest":"sha256:a","platform":{"os":"linux","architecture":"arm64","variant":"v8"}},
            {"digest":"sha256:b","platform":{"os":"unknown","architecture":"unknown"}},
            {"digest":"sha256:c"}]}"#;
        let document: Document = serde_json::from_str(index).unwrap();
        let platforms = document.platforms();
        let said: Vec<_> = platforms.iter().map(|p| (&*p.name, &*p.digest)).collect();
        assert_eq!(said, [("linux/arm64/v8", "sha256:a"), ("", "sha256:c")]);
    }

    #[test]
    fn what_a_build_says() {
        for (text, created, labels) in [
            (
                r#"{"created":"2026-01-01T00:00:00Z","config":{"Labels":{"a":"b"}},"os":"linux"}"#,
                true,
                1,
            ),
            (r#"{"created":"soon","config":{"Labels":null}}"#, false, 0),
            (r#"{"config":null}"#, false, 0),
        ] {
            let built: Built = serde_json::from_str(text).unwrap();
            assert_eq!(
                (built.created().is_some(), built.labels().len()),
                (created, labels),
                "{text}"
            );
        }
    }

    #[test]
    fn the_registrys_own_words() {
        for (body, want) in [
            (r#"{"errors":[{"code":"A","message":"b"}]}"#, "b"),
            (r#"{"errors":[{"code":"A"}]}"#, "A"),
            (r#"{"errors":[]}"#, ""),
            ("<html>", ""),
        ] {
            assert_eq!(words(body.as_bytes()), want);
        }
    }
}
