//! What people call a revision: its version.

use super::{
    Container, Kind, Revision, Workload,
    image::{ImageRef, short_digest},
    revision::current,
};

/// What a row says: `2.14.1 → 2.15.0` on the way, `2.15.0` at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// What serves until the rollout is through; absent when it is not known, and when it is called the same.
    pub from: Option<String>,
    pub to: String,
}

/// The version of the workload's template and, while a rollout is under way, the one it replaces: of the other
/// revision that serves most, else of the one before.
pub fn rollout_versions(workload: &Workload, revisions: &[Revision], under_way: bool) -> Versions {
    let current = current(workload, revisions);
    let others = || {
        revisions
            .iter()
            .filter(|r| current.is_none_or(|c| c.uid != r.uid))
    };
    let older = others().filter(|r| current.is_none_or(|c| r.number < c.number));
    let serving = match workload.id.kind {
        Kind::Deployment => others()
            .filter(|r| r.available > 0)
            .max_by_key(|r| (r.available, r.number)),
        Kind::StatefulSet => others().find(|r| Some(&r.name) == workload.current_revision.as_ref()),
        Kind::DaemonSet => None,
        Kind::Rollout => {
            let stable = workload.canary.as_ref().map(|canary| &canary.stable);
            others().find(|r| Some(&r.pod_hash) == stable)
        }
    };
    let from = serving.or_else(|| older.max_by_key(|r| r.number));
    let replaced = serving.is_some() || !workload.rollout_is_finished();
    let (containers, label) = match current.filter(|_| workload.containers.is_empty()) {
        Some(current) => (&current.containers, &current.version_label),
        None => (&workload.containers, &workload.version_label),
    };
    let to = version(containers, label.as_deref(), from.map(|r| &*r.containers));
    let from = from
        .filter(|_| under_way && replaced)
        .map(|r| version(&r.containers, r.version_label.as_deref(), Some(containers)));
    Versions {
        from: from.filter(|from| *from != to),
        to,
    }
}

/// The version that `serving` serves and, while a rollout is under way, from it to that of the workload's template.
pub fn beside(workload: &Workload, serving: &Workload, under_way: bool) -> Versions {
    let named = |one: &Workload, other: &Workload| {
        version(
            &one.containers,
            one.version_label.as_deref(),
            Some(&other.containers),
        )
    };
    let (old, new) = (named(serving, workload), named(workload, serving));
    if !under_way || old == new {
        return Versions {
            from: None,
            to: old,
        };
    }
    Versions {
        from: Some(old),
        to: new,
    }
}

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
    fn arrows() {
        use crate::domain::fixture::{IMAGE, OLD_IMAGE, containers, revision, workload};
        let kind = Kind::Deployment;
        let mut service = workload(kind);
        service.counts.updated = 2;
        let revisions = [
            revision(kind, 42, "new", IMAGE),
            revision(kind, 41, "old", OLD_IMAGE),
            revision(kind, 40, "oldest", "shop/checkout:2.13.0"),
        ];
        let arrow = |w: &Workload, r: &[Revision], under_way| {
            let versions = rollout_versions(w, r, under_way);
            (versions.from, versions.to)
        };
        let (new, old, oldest) = ("2.15.0".to_owned(), "2.14.1", "2.13.0");
        assert_eq!(arrow(&service, &revisions, false), (None, new.clone()));
        assert_eq!(arrow(&service, &[], true), (None, new.clone()));
        assert_eq!(
            arrow(&service, &revisions, true),
            (Some(old.into()), new.clone())
        );
        let mut serving = revisions.clone();
        serving[2].available = 5;
        assert_eq!(
            arrow(&service, &serving, true),
            (Some(oldest.into()), new.clone())
        );
        // Only scaled up: nothing is replaced.
        assert_eq!(
            arrow(&workload(kind), &revisions, true),
            (None, new.clone())
        );
        // A restart goes from a version to itself.
        serving[2].containers = containers(IMAGE);
        assert_eq!(arrow(&service, &serving, true), (None, new.clone()));
        // Back to what has the lower number until the controller renumbers it.
        service.containers = containers(OLD_IMAGE);
        serving[0].available = 6;
        assert_eq!(arrow(&service, &serving, true), (Some(new), old.into()));
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
            (
                vec![("web", "web:2.15.0-alpine")],
                Some("2.15.0"),
                None,
                "2.15.0",
            ),
            (
                vec![("web", "web:2.15.01")],
                Some("2.15.0"),
                None,
                "2.15.01",
            ),
            (vec![("web", "reg:5000/web@sha256:9")], None, None, "latest"),
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
