//! What one would type in place of the plan.

use crate::domain::{Pod, Revision, Workload, WorkloadId};

/// `undo` writes the template; the pods are deleted after it.
pub fn undo(workload: &Workload, undo: Option<&Revision>, deleted: &[&Pod]) -> String {
    let (id, kubectl) = (&workload.id, kubectl(&workload.id));
    let undo = undo.map(|to| format!("{kubectl} rollout undo {id} --to-revision={}", to.number));
    let commands: Vec<_> = undo.into_iter().chain(delete(id, deleted)).collect();
    commands.join(" && ")
}

/// `None` without pods.
pub fn delete(id: &WorkloadId, deleted: &[&Pod]) -> Option<String> {
    let pods: Vec<_> = deleted.iter().map(|pod| &*pod.name).collect();
    (!pods.is_empty()).then(|| format!("{} delete pod {}", kubectl(id), pods.join(" ")))
}

/// `kubectl -n shop rollout pause deploy/checkout`.
pub fn rollout(id: &WorkloadId, verb: &str) -> String {
    format!("{} rollout {verb} {id}", kubectl(id))
}

fn kubectl(id: &WorkloadId) -> String {
    let context = match &*id.cluster.0 {
        "in-cluster" => String::new(),
        name => format!(" --context {}", shell_word(name)),
    };
    format!("kubectl{context} -n {}", id.namespace)
}

/// Context names may hold anything.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn context_names_are_quoted_for_the_shell() {
        for (name, want) in [
            ("prod-eu", "prod-eu"),
            ("a b; rm", "'a b; rm'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(super::shell_word(name), want);
        }
    }
}
