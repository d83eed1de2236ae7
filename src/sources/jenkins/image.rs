//! The image that a build made, as the configuration says it is known.

use bytes::Bytes;

use super::client::{Client, below};
use super::error::Error;
use crate::config::jenkins::ImageRule;
use crate::domain::build::{Build, State};

/// An image's name is short; the file it stands in may hold more.
const LARGEST: usize = 64 << 10;

impl Client {
    /// By parameter, artefact or pattern, whichever says something first; an artefact takes a request. A build that
    /// has not ended has none. A label is the image's own, so that one is for the registry to find.
    pub async fn image(
        &self,
        build: &Build,
        rule: &ImageRule,
        service: &str,
    ) -> Result<Option<String>, Error> {
        if build.state == State::Running {
            return Ok(None);
        }
        let given = rule
            .parameter
            .as_deref()
            .and_then(|name| build.parameter(name));
        if let Some(image) = given.and_then(reference) {
            return Ok(Some(image));
        }
        // A list of builds names no artefacts: then it is tried.
        let listed = &build.artefacts;
        let kept =
            |path: &&str| listed.is_empty() || listed.iter().any(|kept| *kept.path == **path);
        if let Some(path) = rule.artifact.as_deref().filter(kept) {
            let url = below(below(self.build_url(&build.id), "artifact"), path);
            let text = match self.file(&format!("read {path}"), url, LARGEST).await {
                Ok(text) => text,
                Err(Error::NotFound { .. }) => Bytes::new(),
                Err(error) => return Err(error),
            };
            if let Some(image) = reference(&String::from_utf8_lossy(&text)) {
                return Ok(Some(image));
            }
        }
        let pattern = rule.pattern.as_deref();
        Ok(pattern.and_then(|pattern| build.filled(pattern, service)))
    }
}

/// The first line, if it can be an image.
fn reference(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "./:@_-".contains(c);
    line.chars().all(fits).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_an_image() {
        for (text, want) in [
            ("\n r:5000/shop/web:2.0 \nmore", Some("r:5000/shop/web:2.0")),
            ("web@sha256:ab", Some("web@sha256:ab")),
            ("IMAGE=web:1", None),
            ("two words", None),
            ("", None),
        ] {
            assert_eq!(reference(text).as_deref(), want, "{text}");
        }
    }
}
