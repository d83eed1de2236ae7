//! Image references as they stand in pod templates and statuses.

/// Docker Hub, in the names of images.
pub const HUB: &str = "docker.io";

/// One container of a pod template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Container {
    pub name: Box<str>,
    pub image: Box<str>,
    pub init: bool,
}

/// The parts of an image reference; borrowed, because it is read far more often than kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageRef<'a> {
    pub repository: &'a str,
    pub tag: Option<&'a str>,
    /// With its algorithm: `sha256:9f2c…`.
    pub digest: Option<&'a str>,
}

impl<'a> ImageRef<'a> {
    /// Splits `registry:5000/shop/checkout:2.15.0@sha256:…`; a port is not a tag.
    pub fn parse(image: &'a str) -> Self {
        let (name, digest) = match image.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (image, None),
        };
        match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => Self {
                repository,
                tag: Some(tag),
                digest,
            },
            _ => Self {
                repository: name,
                tag: None,
                digest,
            },
        }
    }
}

impl<'a> ImageRef<'a> {
    /// The registry that its name leads to, and what it is called there. The first part of a name is a host when it looks
    /// like one.
    pub fn place(&self) -> (&'a str, &'a str) {
        let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
        match self.repository.split_once('/') {
            Some((first, rest)) if is_host(first) => (first, rest),
            _ => (HUB, self.repository),
        }
    }
}

/// One image to another, in words: the repository once when they share it. What tells them apart stands last.
pub fn change(from: &str, to: &str) -> String {
    let (old, new) = (ImageRef::parse(from), ImageRef::parse(to));
    if old.repository != new.repository {
        return format!("{} → {}", old.whole(), new.whole());
    }
    let same_tag = old.tag == new.tag;
    let (old_end, new_end) = (old.end(same_tag), new.end(same_tag));
    format!("{}  {old_end} → {new_end}", new.repository)
}

impl ImageRef<'_> {
    /// With no more of a digest than one reads.
    fn whole(&self) -> String {
        match (self.tag, self.digest) {
            (None, None) => self.repository.to_owned(),
            (None, Some(_)) => format!("{}{}", self.repository, self.end(true)),
            (Some(_), _) => format!("{}:{}", self.repository, self.end(true)),
        }
    }

    /// The tag; the digest where the tag tells nothing.
    fn end(&self, with_digest: bool) -> String {
        let digest = self.digest.map(|digest| match short_digest(digest) {
            Some(short) => format!("@{short}"),
            None => format!("@{digest}"),
        });
        match (self.tag, digest) {
            (Some(tag), Some(digest)) if with_digest => format!("{tag}{digest}"),
            (Some(tag), _) => tag.to_owned(),
            (None, Some(digest)) => digest,
            (None, None) => "no tag".to_owned(),
        }
    }
}

/// What a registry calls what runs, by the imageID of a container; an engine's own id of an image is none.
pub fn registry_digest(image_id: &str) -> Option<&str> {
    let (_, digest) = image_id.rsplit_once('@')?;
    digest.starts_with("sha256:").then_some(digest)
}

/// The first six hex digits of a digest (`sha256:9f2c41…` or an imageID that ends in one).
pub fn short_digest(digest: &str) -> Option<&str> {
    let (_, hex) = digest.rsplit_once("sha256:")?;
    hex.get(..6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes() {
        for (from, to, want) in [
            ("r/a:1", "r/a:2", "r/a  1 → 2"),
            ("r/a", "r/a:2", "r/a  no tag → 2"),
            ("r/a:1", "r/b:1", "r/a:1 → r/b:1"),
            ("r/a", "s/b:2@sha256:abcdef0123", "r/a → s/b:2@abcdef"),
            (
                "r/a:1@sha256:0123456789",
                "r/a:1@sha256:abcdef0123",
                "r/a  1@012345 → 1@abcdef",
            ),
            ("r/a:1@sha256:0123456789", "r/a:2", "r/a  1 → 2"),
        ] {
            assert_eq!(change(from, to), want);
        }
    }

    #[test]
    fn only_what_a_registry_calls_it_is_its_digest() {
        for (id, want) in [
            ("r/web@sha256:ab12", Some("sha256:ab12")),
            ("docker-pullable://r/web@sha256:ab12", Some("sha256:ab12")),
            ("sha256:ab12", None),
            ("docker://sha256:ab12", None),
            ("", None),
        ] {
            assert_eq!(registry_digest(id), want, "{id}");
        }
    }

    #[test]
    fn parts() {
        for (image, repository, tag, digest) in [
            ("nginx", "nginx", None, None),
            ("nginx:1.27", "nginx", Some("1.27"), None),
            ("reg:5000/shop/web", "reg:5000/shop/web", None, None),
            (
                "reg:5000/shop/web:2@sha256:ab",
                "reg:5000/shop/web",
                Some("2"),
                Some("sha256:ab"),
            ),
            ("web@sha256:ab", "web", None, Some("sha256:ab")),
        ] {
            assert_eq!(
                ImageRef::parse(image),
                ImageRef {
                    repository,
                    tag,
                    digest
                },
                "{image}"
            );
        }
    }
}
