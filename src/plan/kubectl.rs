//! What one would type in place of the plan.

use crate::domain::{ClusterId, Kind, Pod, Revision, Workload, WorkloadId};

/// `undo` writes the template; the pods are deleted after it.
pub fn undo(workload: &Workload, undo: Option<&Revision>, deleted: &[&Pod]) -> String {
    let id = &workload.id;
    let undo_to = match id.kind {
        Kind::Rollout => argo(id, "undo"),
        _ => rollout(id, "undo"),
    };
    let undo = undo.map(|to| format!("{undo_to} --to-revision={}", to.number));
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

/// `kubectl -n shop scale deploy/checkout --current-replicas=6 --replicas=8`.
pub fn scale(id: &WorkloadId, (shown, to): (u32, u32)) -> String {
    let kubectl = kubectl(id);
    format!("{kubectl} scale {id} --current-replicas={shown} --replicas={to}")
}

/// `kubectl -n shop set image deploy/checkout web=shop/checkout:2.16.0`.
pub fn set_image(id: &WorkloadId, images: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = images
        .iter()
        .map(|(name, image)| format!("{name}={image}"))
        .collect();
    let pairs = pairs.join(" ");
    if id.kind == Kind::Rollout {
        return format!("{} {pairs}", argo(id, "set image"));
    }
    format!("{} set image {id} {pairs}", kubectl(id))
}

/// `kubectl -n shop patch hpa web -p '{"spec":…}'`.
pub fn bounds(id: &WorkloadId, autoscaler: &str, (min, max): (u32, u32)) -> String {
    let kubectl = kubectl(id);
    format!(
        r#"{kubectl} patch hpa {autoscaler} -p '{{"spec":{{"minReplicas":{min},"maxReplicas":{max}}}}}'"#
    )
}

/// `kubectl argo rollouts promote cart -n shop --context prod-eu`: a plugin's name comes before all flags.
pub fn argo(id: &WorkloadId, verb: &str) -> String {
    let place = kubectl(id);
    let flags = place.trim_start_matches("kubectl");
    format!("kubectl argo rollouts {verb} {}{flags}", id.name)
}

/// `kubectl -n shop patch canaries.flagger.app cart --type merge -p '{"spec":{"suspend":true}}'`.
pub fn flagger(
    id: &WorkloadId,
    canary: &str,
    subresource: &str,
    body: &serde_json::Value,
) -> String {
    let kubectl = kubectl(id);
    let part = match subresource {
        "" => String::new(),
        part => format!(" --subresource {part}"),
    };
    format!("{kubectl} patch canaries.flagger.app {canary}{part} --type merge -p '{body}'")
}

/// Its plugin has no verb for it: `promote` goes past the step as well.
pub fn unpause(id: &WorkloadId) -> String {
    let kubectl = kubectl(id);
    let name = &id.name;
    format!(r#"{kubectl} patch rollout {name} --type merge -p '{{"spec":{{"paused":null}}}}'"#)
}

/// `kubectl -n shop edit httproute/checkout`: its weights have no verb.
pub fn edit(id: &WorkloadId, object: &str) -> String {
    format!("{} edit {object}", kubectl(id))
}

/// `kubectl -n shop rollout status deploy/checkout`: waits for what was written.
pub fn status(id: &WorkloadId) -> String {
    rollout(id, "status")
}

/// `kubectl -n shop patch sts db -p '{"spec":…}'`.
pub fn partition(id: &WorkloadId, to: u32) -> String {
    let kubectl = kubectl(id);
    let name = &id.name;
    format!(
        r#"{kubectl} patch sts {name} -p '{{"spec":{{"updateStrategy":{{"rollingUpdate":{{"partition":{to}}}}}}}}}'"#
    )
}

fn kubectl(id: &WorkloadId) -> String {
    format!("kubectl{}", place(&id.cluster, &id.namespace))
}

/// ` --context prod-eu -n shop`, as kubectl and flux take it.
pub fn place(cluster: &ClusterId, namespace: &str) -> String {
    let context = match &*cluster.0 {
        "in-cluster" => String::new(),
        name => format!(" --context {}", shell_word(name)),
    };
    format!("{context} -n {namespace}")
}

/// As it has to be typed: context names, for one, may hold anything.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,".contains(c);
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
