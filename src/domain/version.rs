//! What people call a revision: its version.

use super::{
    Container,
    image::{ImageRef, short_digest},
};

/// The label when it agrees with the image, else the tag of the image that differs from `other`'s (of the first
/// container when none or several differ), else the short digest, else `unknown`.
pub fn version(
    containers: &[Container],
    label: Option<&str>,
    other: Option<&[Container]>,
) -> String {
    let main = other
        .and_then(|other| only_difference(containers, other))
        .or_else(|| {
            containers
                .iter()
                .find(|c| !c.init)
                .or_else(|| containers.first())
        });
    let Some(main) = main else {
        return "unknown".into();
    };
    let image = ImageRef::parse(&main.image);
    match (label, image.tag, image.digest.and_then(short_digest)) {
        (Some(label), Some(tag), _) if agrees(label, tag) => label.into(),
        (_, Some(tag), _) => tag.into(),
        (Some(label), None, Some(_)) => label.into(),
        (None, None, Some(digest)) => digest.into(),
        (_, None, None) => "latest".into(),
    }
}

/// `2.15.0` agrees with `v2.15.0` and with `2.15.0-alpine`.
fn agrees(label: &str, tag: &str) -> bool {
    let (label, tag) = (label.trim_start_matches('v'), tag.trim_start_matches('v'));
    tag == label
        || tag
            .strip_prefix(label)
            .is_some_and(|rest| rest.starts_with(['-', '+', '_']))
}

fn only_difference<'a>(containers: &'a [Container], other: &[Container]) -> Option<&'a Container> {
    let mut changed = containers
        .iter()
        .filter(|c| other.iter().any(|o| o.name == c.name && o.image != c.image));
    let first = changed.next()?;
    changed.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(images: &[(&str, &str)]) -> Vec<Container> {
        let container = |&(name, image): &(&str, &str)| Container {
            name: name.into(),
            image: image.into(),
            init: false,
        };
        images.iter().map(container).collect()
    }

    #[test]
    fn table() {
        let digest = "web@sha256:9f2c41aaaa";
        for (images, label, other, want) in [
            (vec![("web", "web:2.15.0")], None, None, "2.15.0"),
            (vec![("web", "web:v2.15.0")], Some("2.15.0"), None, "2.15.0"),
            (vec![("web", "web:2.16.0")], Some("2.15.0"), None, "2.16.0"),
            (vec![("web", digest)], None, None, "9f2c41"),
            (vec![("web", digest)], Some("2.15.0"), None, "2.15.0"),
            (vec![("web", "web")], None, None, "latest"),
            (
                vec![("proxy", "p:1"), ("web", "w:3")],
                None,
                Some(vec![("proxy", "p:1"), ("web", "w:2")]),
                "3",
            ),
            (
                vec![("proxy", "p:2"), ("web", "w:3")],
                None,
                Some(vec![("proxy", "p:1"), ("web", "w:2")]),
                "2",
            ),
            (vec![], None, None, "unknown"),
        ] {
            let other = other.map(|o| pod(&o));
            assert_eq!(
                version(&pod(&images), label, other.as_deref()),
                want,
                "{images:?}"
            );
        }
    }
}
