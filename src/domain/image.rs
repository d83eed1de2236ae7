//! Image references as they stand in pod templates and statuses.

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

/// The first six hex digits of a digest (`sha256:9f2c41…` or an imageID that ends in one).
pub fn short_digest(digest: &str) -> Option<&str> {
    let (_, hex) = digest.rsplit_once("sha256:")?;
    hex.get(..6)
}

#[cfg(test)]
mod tests {
    use super::*;

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
