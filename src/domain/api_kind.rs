//! The kinds that an API server serves, and the names that people give them.

/// One kind of objects that can be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKind {
    /// Empty for the core.
    pub group: Box<str>,
    pub version: Box<str>,
    pub plural: Box<str>,
    pub singular: Box<str>,
    /// The `kind` field of the objects.
    pub kind: Box<str>,
    pub short: Box<[Box<str>]>,
    pub namespaced: bool,
}

impl ApiKind {
    /// What kubectl knows it by, whatever else has its name: `pods`, `deployments.apps`.
    pub fn word(&self) -> String {
        match &*self.group {
            "" => self.plural.to_string(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// Its objects have logs.
    pub fn is_pod(&self) -> bool {
        self.group.is_empty() && &*self.kind == "Pod"
    }

    /// Any name that kubectl would take, in any case: `po`, `Pod`, `deployments.apps`, `deployments.v1.apps`.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let (first, rest) = name.split_once('.').unwrap_or((&name, ""));
        let own = [&self.plural, &self.singular];
        let called = own
            .into_iter()
            .chain(self.short.iter())
            .any(|own| **own == *first)
            || self.kind.to_lowercase() == first;
        let of_version = || {
            let version = rest.strip_prefix(&*self.version)?;
            Some(version.strip_prefix('.').unwrap_or(version) == &*self.group)
        };
        called && (rest.is_empty() || *rest == *self.group || of_version() == Some(true))
    }

    /// The path of the collection in one namespace, or in all.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = match &*self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }
}

/// The first of this name, in the server's own order: the core goes first.
pub fn find<'a>(kinds: &'a [ApiKind], name: &str) -> Option<&'a ApiKind> {
    let called = |plural: bool| {
        kinds
            .iter()
            .find(move |kind| kind.is_called(name) && (!plural || *kind.plural == *name))
    };
    called(true).or_else(|| called(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &str, plural: &str, name: &str, short: &[&str]) -> ApiKind {
        ApiKind {
            group: group.into(),
            version: "v1".into(),
            plural: plural.into(),
            singular: name.to_lowercase().into(),
            kind: name.into(),
            short: short.iter().map(|short| (*short).into()).collect(),
            namespaced: true,
        }
    }

    #[test]
    fn a_kind_is_found_by_every_name_that_kubectl_takes() {
        let kinds = [
            kind("", "events", "Event", &["ev"]),
            kind("apps", "deployments", "Deployment", &["deploy"]),
            kind("events.k8s.io", "events", "Event", &["ev"]),
            kind("example.com", "jobs", "Job", &[]),
        ];
        for (name, want) in [
            ("ev", Some("events")),
            ("Event", Some("events")),
            ("events.events.k8s.io", Some("events.events.k8s.io")),
            ("deploy", Some("deployments.apps")),
            ("DEPLOYMENTS", Some("deployments.apps")),
            ("deployments.apps", Some("deployments.apps")),
            ("deployments.v1.apps", Some("deployments.apps")),
            ("deployments.v2.apps", None),
            ("job", Some("jobs.example.com")),
            ("jobs.batch", None),
            ("", None),
        ] {
            let found = find(&kinds, name).map(ApiKind::word);
            assert_eq!(found.as_deref(), want, "{name}");
        }
    }

    #[test]
    fn paths() {
        let pods = kind("", "pods", "Pod", &[]);
        let mut nodes = kind("", "nodes", "Node", &[]);
        nodes.namespaced = false;
        let jobs = kind("batch", "jobs", "Job", &[]);
        assert_eq!(pods.path(Some("shop")), "/api/v1/namespaces/shop/pods");
        assert_eq!(nodes.path(Some("shop")), "/api/v1/nodes");
        assert_eq!(jobs.path(None), "/apis/batch/v1/jobs");
    }
}
