//! Names that controllers generate: which workload an object belongs to when only its name is known.

use super::{Kind, WorkloadId};

/// The API server cuts the part before the random letters to this length.
const LONGEST_BASE: usize = 58;
/// A cut base and five random letters.
const LONGEST: usize = 63;

/// Whether an object is the workload itself or, by its name, a ReplicaSet or a pod of it.
pub fn belongs(workload: &WorkloadId, kind: &str, name: &str) -> bool {
    let own = &*workload.name;
    match kind {
        "Pod" if name.len() == LONGEST => belongs_cut(workload, name),
        "Pod" => owners(kind, name).any(|(kind, base)| kind == workload.kind && base == own),
        "ReplicaSet" => {
            workload.kind.has_replica_sets()
                && name.rsplit_once('-').is_some_and(|(base, _)| base == own)
        }
        kind => kind == workload.kind.name() && name == own,
    }
}

/// The workloads that an object may belong to by its name, whether they exist or not. Not complete for pods
/// whose name was cut.
pub fn owners<'a>(kind: &str, name: &'a str) -> impl Iterator<Item = (Kind, &'a str)> + use<'a> {
    let base = name.rsplit_once('-');
    let (first, second) = match kind {
        "ReplicaSet" => (base.map(|(base, _)| (Kind::Deployment, base)), None),
        "Pod" => {
            let direct = base.map(|(base, suffix)| {
                let ordinal = suffix.bytes().all(|b| b.is_ascii_digit());
                let kind = if ordinal {
                    Kind::StatefulSet
                } else {
                    Kind::DaemonSet
                };
                (kind, base)
            });
            let grand = base
                .and_then(|(base, _)| base.rsplit_once('-'))
                .map(|(base, _)| (Kind::Deployment, base));
            (direct, grand)
        }
        kind => {
            let kind = Kind::ALL.into_iter().find(|k| k.name() == kind);
            (kind.map(|kind| (kind, name)), None)
        }
    };
    first.into_iter().chain(second)
}

/// Whether the name of a pod was cut, so that only a look at every workload finds its owner.
pub fn is_cut(kind: &str, name: &str) -> bool {
    kind == "Pod" && name.len() == LONGEST
}

/// What every name of a workload's ReplicaSets and pods begins with.
pub fn common_prefix(workload: &WorkloadId) -> &str {
    cut(&workload.name)
}

/// What stands before the random letters, as the API server leaves it.
pub fn cut(base: &str) -> &str {
    base.get(..LONGEST_BASE).unwrap_or(base)
}

fn belongs_cut(workload: &WorkloadId, name: &str) -> bool {
    let Some(base) = name.get(..LONGEST_BASE) else {
        return false;
    };
    let own = &*workload.name;
    match (workload.kind, base.strip_prefix(own)) {
        (Kind::StatefulSet, _) => name.rsplit_once('-').is_some_and(|(base, ordinal)| {
            base == own && ordinal.bytes().all(|b| b.is_ascii_digit())
        }),
        // The name alone fills the base.
        (Kind::Deployment | Kind::Rollout | Kind::DaemonSet, None) => own.starts_with(base),
        (Kind::Deployment | Kind::Rollout, Some(rest)) => match rest.strip_prefix('-') {
            Some(hash) => !hash.trim_end_matches('-').contains('-'),
            None => rest.is_empty(),
        },
        (Kind::DaemonSet, Some(rest)) => rest == "-" || rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(kind: Kind, name: &str) -> WorkloadId {
        WorkloadId {
            cluster: "c".into(),
            namespace: "shop".into(),
            kind,
            name: name.into(),
        }
    }

    #[test]
    fn table() {
        let long = "a".repeat(50);
        let longer = "b".repeat(60);
        for (kind, own, about, name, want) in [
            (Kind::Deployment, "web", "Deployment", "web", true),
            (Kind::Deployment, "web", "StatefulSet", "web", false),
            (Kind::Deployment, "web", "ReplicaSet", "web-7d9f", true),
            (Kind::Deployment, "web", "ReplicaSet", "web-api-7d9f", false),
            (Kind::Deployment, "web", "Pod", "web-7d9f-abcde", true),
            (Kind::Deployment, "web", "Pod", "web-api-7d9f-abcde", false),
            (
                Kind::Deployment,
                "web-api",
                "Pod",
                "web-api-7d9f-abcde",
                true,
            ),
            (Kind::StatefulSet, "db", "Pod", "db-0", true),
            (Kind::StatefulSet, "db", "Pod", "db-x2x4k", false),
            (Kind::DaemonSet, "agent", "Pod", "agent-x2x4k", true),
            (Kind::DaemonSet, "agent", "Pod", "agent", false),
            (
                Kind::Deployment,
                &long,
                "Pod",
                &format!("{long}-7d9f8c6abcde"),
                true,
            ),
            (
                Kind::Deployment,
                &longer,
                "Pod",
                &format!("{}abcde", &longer[..58]),
                true,
            ),
            (
                Kind::DaemonSet,
                &longer,
                "Pod",
                &format!("{}abcde", &longer[..58]),
                true,
            ),
        ] {
            let id = workload(kind, own);
            assert_eq!(belongs(&id, about, name), want, "{own} {about} {name}");
            assert!(!want || name.starts_with(common_prefix(&id)));
        }
    }
}
