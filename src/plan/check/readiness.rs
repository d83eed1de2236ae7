//! Whether "ready" says anything of the target's pods: without a probe it only says that they run.

use serde_json::Value;

use super::{CheckId, Finding, Verdict};

/// Nothing to say when one of its containers has a readiness or startup probe, or the pod a readiness gate.
pub fn verdict(template: &Value) -> Option<Verdict> {
    let spec = &template["spec"];
    let list = |name: &str| spec[name].as_array().into_iter().flatten();
    // One that is always restarted is a sidecar, whose probes count as well.
    let sidecars = list("initContainers").filter(|c| c["restartPolicy"] == "Always");
    let probed = list("containers")
        .chain(sidecars)
        .any(|c| c["readinessProbe"].is_object() || c["startupProbe"].is_object());
    if probed || list("readinessGates").next().is_some() {
        return None;
    }
    Some(Verdict {
        check: CheckId::Readiness,
        finding: Finding::Warn,
        sentence:
            "no readiness probe: a pod counts as ready as soon as it runs, so verified says less"
                .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_makes_ready_mean_something() {
        let probe = json!({"tcpSocket": {"port": 80}});
        for (spec, said) in [
            (json!({"containers": [{"name": "a"}]}), true),
            (
                json!({"containers": [{"name": "a", "livenessProbe": probe}]}),
                true,
            ),
            (
                json!({"containers": [{"name": "a", "readinessProbe": null}]}),
                true,
            ),
            (
                json!({"containers": [{"name": "a"}, {"name": "b", "readinessProbe": probe}]}),
                false,
            ),
            (
                json!({"containers": [{"name": "a", "startupProbe": probe}]}),
                false,
            ),
            (
                json!({"containers": [{"name": "a"}], "readinessGates": [{"conditionType": "lb"}]}),
                false,
            ),
            (
                json!({"containers": [{"name": "a"}], "initContainers": [{"name": "m", "readinessProbe": probe}]}),
                true,
            ),
            (
                json!({"containers": [{"name": "a"}], "initContainers": [{"name": "m", "restartPolicy": "Always", "readinessProbe": probe}]}),
                false,
            ),
        ] {
            let verdict = verdict(&json!({"spec": spec}));
            assert_eq!(verdict.is_some(), said, "{spec}");
        }
    }
}
