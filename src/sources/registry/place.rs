//! From the name of an image to the registry that has it, by the rules of docker.

use super::error::Error;
use crate::domain::ImageRef;
use crate::domain::image::HUB;

/// Where the API of Docker Hub is.
const HUB_API: &str = "registry-1.docker.io";

/// An image at its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As images name it, Docker Hub's in one way: `docker.io`, `registry.example:5000`.
    pub host: String,
    /// Without the host: `library/nginx`.
    pub repository: String,
    /// The digest when there is one, else the tag, else `latest`.
    pub reference: String,
}

impl Place {
    /// # Errors
    /// It is not written as images are.
    pub fn of(image: &str) -> Result<Self, Error> {
        let parts = ImageRef::parse(image);
        let wrong = || Error::NotAnImage {
            image: image.into(),
        };
        let (host, path) = parts.place();
        let host = hub_in_one_way(&host.to_ascii_lowercase());
        let repository = if host == HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        let reference = parts.digest.or(parts.tag).unwrap_or("latest");
        let segment = |text: &str| {
            let fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !text.is_empty() && text.chars().all(fine) && text != "." && text != ".."
        };
        let digest = |text: &str| {
            text.split_once(':')
                .is_some_and(|(a, b)| segment(a) && segment(b))
        };
        let fits = match parts.digest {
            Some(pinned) => digest(pinned),
            None => segment(reference),
        };
        if !repository.split('/').all(segment) || !fits {
            return Err(wrong());
        }
        Ok(Self {
            host,
            repository,
            reference: reference.to_owned(),
        })
    }

    /// The same repository, something else of it.
    pub fn at(&self, reference: &str) -> Self {
        Self {
            reference: reference.to_owned(),
            ..self.clone()
        }
    }

    /// Pinned to a digest, which names its bytes.
    pub fn is_pinned(&self) -> bool {
        self.reference.contains(':')
    }

    /// `shop/web:1.0`, `shop/web@sha256:…`.
    pub fn words(&self) -> String {
        let sign = if self.is_pinned() { '@' } else { ':' };
        format!("{}{sign}{}", self.repository, self.reference)
    }
}

/// Docker Hub has several names.
pub fn hub_in_one_way(host: &str) -> String {
    match host {
        "index.docker.io" | HUB_API | "registry.hub.docker.com" => HUB.to_owned(),
        host => host.to_owned(),
    }
}

/// Where its API is, when the settings say nothing else.
pub fn address(host: &str) -> &str {
    if host == HUB { HUB_API } else { host }
}

/// Loopback, to which alone one speaks without TLS.
pub fn is_loopback(address: &str) -> bool {
    let host = match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => address.split(':').next().unwrap_or_default(),
    };
    let ip = host.parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_docker_reads_them() {
        for (image, host, repository, reference) in [
            ("nginx", "docker.io", "library/nginx", "latest"),
            ("nginx:1.27", "docker.io", "library/nginx", "1.27"),
            ("shop/web:2", "docker.io", "shop/web", "2"),
            ("docker.io/nginx", "docker.io", "library/nginx", "latest"),
            (
                "index.docker.io/shop/web",
                "docker.io",
                "shop/web",
                "latest",
            ),
            ("localhost/web", "localhost", "web", "latest"),
            ("r:5000/shop/web", "r:5000", "shop/web", "latest"),
            (
                "R.example/a/b/c:1@sha256:ab",
                "r.example",
                "a/b/c",
                "sha256:ab",
            ),
        ] {
            let place = Place::of(image).unwrap();
            let said = (&*place.host, &*place.repository, &*place.reference);
            assert_eq!(said, (host, repository, reference), "{image}");
        }
        for image in [
            "",
            "r.example/",
            "r.example/a//b",
            "a b",
            "r.example/../x",
            "a:",
            "a@b",
            "a:?x",
            "a@sha256:a/b",
        ] {
            assert!(Place::of(image).is_err(), "{image}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (address, loopback) in [
            ("127.0.0.1:5000", true),
            ("localhost", true),
            ("[::1]:5000", true),
            ("127.evil.example", false),
            ("10.0.0.1:80", false),
        ] {
            assert_eq!(is_loopback(address), loopback, "{address}");
        }
    }
}
