//! What the server fills in where a client said nothing, as far as the kinds of this world need it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::kind::{
    AUTOSCALERS, DAEMON_SETS, DEPLOYMENTS, EVENTS, INGRESSES, Kind, NAMESPACES, NODES, PODS,
    REPLICA_SETS, SECRETS, SERVICES, STATEFUL_SETS,
};
use super::object::{items_at, set, text_at, unset};

/// Fills in what was left out.
pub fn fill(kind: &'static Kind, value: &mut Value) {
    if kind == &DEPLOYMENTS {
        default(
            value,
            &json!({"spec": {"strategy": {"type": "RollingUpdate"}}}),
        );
        if value["spec"]["strategy"]["type"] == "RollingUpdate" {
            let rolling = json!({"maxUnavailable": "25%", "maxSurge": "25%"});
            default(
                value,
                &json!({"spec": {"strategy": {"rollingUpdate": rolling}}}),
            );
        }
        default(
            value,
            &json!({"spec": {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}}),
        );
    } else if kind == &REPLICA_SETS {
        default(value, &json!({"spec": {"replicas": 1}}));
    } else if kind == &STATEFUL_SETS {
        fill_update(value, &json!({"partition": 0}));
        let kept = json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
        default(
            value,
            &json!({"spec": {
                "replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
                "persistentVolumeClaimRetentionPolicy": kept,
            }}),
        );
    } else if kind == &DAEMON_SETS {
        fill_update(value, &json!({"maxUnavailable": 1, "maxSurge": 0}));
        default(value, &json!({"spec": {"revisionHistoryLimit": 10}}));
    } else {
        fill_other(kind, value);
    }
    if is_workload(kind) {
        default(value, &json!({"spec": {"template": {"metadata": {}}}}));
        fill_pod(&mut value["spec"]["template"]["spec"]);
    }
}

/// The kinds with a pod template.
pub fn is_workload(kind: &'static Kind) -> bool {
    [&DEPLOYMENTS, &REPLICA_SETS, &STATEFUL_SETS, &DAEMON_SETS].contains(&kind)
}

/// The status that a new object has; nodes bring their own.
pub fn begin(kind: &'static Kind, value: &mut Value) {
    if !kind.status || kind == &NODES {
        return;
    }
    if kind.custom {
        return unset(value, &["status"]);
    }
    let status = if kind == &PODS {
        json!({"phase": "Pending", "qosClass": quality(value)})
    } else if kind == &NAMESPACES {
        json!({"phase": "Active"})
    } else if kind == &SERVICES || kind == &INGRESSES {
        json!({"loadBalancer": {}})
    } else if kind == &REPLICA_SETS {
        json!({"replicas": 0})
    } else if kind == &STATEFUL_SETS {
        json!({"replicas": 0, "availableReplicas": 0})
    } else if kind == &DAEMON_SETS {
        json!({"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0})
    } else {
        json!({})
    };
    set(value, &["status"], status);
}

/// The real server still counts the templates of a `DaemonSet` in an annotation.
pub fn count_templates(kind: &'static Kind, before: Option<&Value>, value: &mut Value) {
    const COUNT: &str = "deprecated.daemonset.template.generation";
    if kind != &DAEMON_SETS {
        return;
    }
    let template = |of: &Value| of["spec"]["template"].clone();
    let count = before.map_or(1, |before| {
        let count = before["metadata"]["annotations"][COUNT].as_str();
        let count = count
            .and_then(|count| count.parse::<u64>().ok())
            .unwrap_or(1);
        count + u64::from(template(before) != template(value))
    });
    set(
        value,
        &["metadata", "annotations", COUNT],
        count.to_string().into(),
    );
}

fn fill_other(kind: &'static Kind, value: &mut Value) {
    if kind == &PODS {
        fill_pod(&mut value["spec"]);
        fill_running_pod(&mut value["spec"]);
    } else if kind == &NAMESPACES {
        let name = text_at(value, "/metadata/name").to_owned();
        let labels = json!({"kubernetes.io/metadata.name": name});
        default(
            value,
            &json!({"metadata": {"labels": labels}, "spec": {"finalizers": ["kubernetes"]}}),
        );
    } else if kind == &SECRETS {
        default(value, &json!({"type": "Opaque"}));
        encode(value);
    } else if kind == &SERVICES {
        fill_service(value);
    } else if let (true, Some(event)) = (kind == &EVENTS, value.as_object_mut()) {
        for field in ["eventTime", "firstTimestamp", "lastTimestamp"] {
            event.entry(field).or_insert(Value::Null);
        }
        let rest = json!({"reportingComponent": "", "reportingInstance": "", "source": {}});
        default(value, &rest);
    } else if kind == &AUTOSCALERS {
        default(value, &json!({"spec": {"minReplicas": 1}}));
    }
}

fn fill_update(value: &mut Value, rolling: &Value) {
    default(
        value,
        &json!({"spec": {"updateStrategy": {"type": "RollingUpdate"}}}),
    );
    if value["spec"]["updateStrategy"]["type"] == "RollingUpdate" {
        default(
            value,
            &json!({"spec": {"updateStrategy": {"rollingUpdate": rolling}}}),
        );
    }
}

fn fill_service(value: &mut Value) {
    let uid = text_at(value, "/metadata/uid");
    let byte = |from: usize| {
        let digits = uid.get(from..from + 2);
        digits
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .unwrap_or(1)
    };
    let address = format!("10.96.{}.{}", byte(0), byte(2));
    default(
        value,
        &json!({"spec": {
            "type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "sessionAffinity": "None",
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
        }}),
    );
    for port in items_mut(&mut value["spec"], "ports") {
        let number = port["port"].clone();
        default(port, &json!({"protocol": "TCP", "targetPort": number}));
    }
}

/// `stringData` is how it is written, `data` how it is kept.
fn encode(value: &mut Value) {
    let Some(Value::Object(texts)) = value
        .as_object_mut()
        .and_then(|map| map.remove("stringData"))
    else {
        return;
    };
    for (key, text) in texts {
        let encoded = STANDARD.encode(text.as_str().unwrap_or_default());
        set(value, &["data", &key], encoded.into());
    }
}

/// A pod's spec, in a template or on its own.
fn fill_pod(spec: &mut Value) {
    default(
        spec,
        &json!({
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "securityContext": {}, "schedulerName": "default-scheduler",
        }),
    );
    for (from, to) in [
        ("serviceAccountName", "serviceAccount"),
        ("serviceAccount", "serviceAccountName"),
    ] {
        if let Some(name) = spec.get(from).cloned() {
            default(spec, &json!({to: name}));
        }
    }
    for list in ["containers", "initContainers"] {
        items_mut(spec, list).for_each(fill_container);
    }
    items_mut(spec, "volumes").for_each(fill_volume);
}

fn fill_container(container: &mut Value) {
    let policy = match text_at(container, "/image") {
        image if image.contains('@') => "IfNotPresent",
        image => match image
            .rsplit('/')
            .next()
            .and_then(|name| name.split_once(':'))
        {
            None | Some((_, "latest")) => "Always",
            Some(_) => "IfNotPresent",
        },
    };
    default(
        container,
        &json!({
            "resources": {}, "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File", "imagePullPolicy": policy,
        }),
    );
    for port in items_mut(container, "ports") {
        default(port, &json!({"protocol": "TCP"}));
    }
    for variable in items_mut(container, "env") {
        if variable.pointer("/valueFrom/fieldRef").is_some() {
            default(
                variable,
                &json!({"valueFrom": {"fieldRef": {"apiVersion": "v1"}}}),
            );
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe) else {
            continue;
        };
        default(
            probe,
            &json!({
                "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
            }),
        );
        if let Some(get) = probe.get_mut("httpGet") {
            default(get, &json!({"path": "/", "scheme": "HTTP"}));
        }
    }
}

fn fill_volume(volume: &mut Value) {
    if volume.as_object().is_some_and(|volume| volume.len() == 1) {
        default(volume, &json!({"emptyDir": {}}));
    }
    for source in ["configMap", "secret", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(source) {
            default(source, &json!({"defaultMode": 420}));
        }
    }
}

/// What only a pod has, and no template.
fn fill_running_pod(spec: &mut Value) {
    let tolerate = |key: &str| {
        json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300})
    };
    default(
        spec,
        &json!({
            "serviceAccountName": "default", "serviceAccount": "default", "enableServiceLinks": true,
            "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
        }),
    );
    let mut tolerations = items_at(spec, "/tolerations").to_vec();
    for key in ["not-ready", "unreachable"] {
        let ours = tolerate(key);
        if !tolerations
            .iter()
            .any(|one| one["key"] == ours["key"] && one["effect"] == ours["effect"])
        {
            tolerations.push(ours);
        }
    }
    set(spec, &["tolerations"], tolerations.into());
    for list in ["containers", "initContainers"] {
        for container in items_mut(spec, list) {
            if let Some(limits) = container.pointer("/resources/limits").cloned() {
                default(container, &json!({"resources": {"requests": limits}}));
            }
        }
    }
}

/// The class of a pod, by what its containers ask for and are limited to.
fn quality(pod: &Value) -> &'static str {
    let containers = items_at(pod, "/spec/containers").iter();
    let containers = containers.chain(items_at(pod, "/spec/initContainers"));
    let (mut any, mut all) = (false, true);
    for container in containers {
        let part = |name: &str, of: &str| container["resources"][name].get(of).cloned();
        for of in ["cpu", "memory"] {
            let (limit, request) = (part("limits", of), part("requests", of));
            any |= limit.is_some() || request.is_some();
            all &= limit.is_some() && limit == request;
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// Sets what is missing, at any depth; lists and what is there stay.
fn default(value: &mut Value, filling: &Value) {
    let Some(filling) = filling.as_object() else {
        return;
    };
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    let Some(map) = value.as_object_mut() else {
        return;
    };
    for (key, filling) in filling {
        match map.get_mut(key).filter(|there| !there.is_null()) {
            Some(there) => default(there, filling),
            None => drop(map.insert(key.clone(), filling.clone())),
        }
    }
}

fn items_mut<'a>(value: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    let list = value.get_mut(list).and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_is_filled_as_the_server_fills_it() {
        let mut set = json!({"metadata": {"name": "db"}, "spec": {"template": {"metadata": {"labels": {"app": "db"}},
            "spec": {"serviceAccountName": "db", "containers": [
                {"name": "db", "image": "registry.test:5000/shop/db", "ports": [{"containerPort": 80}],
                 "readinessProbe": {"httpGet": {"port": 80}},
                 "env": [{"name": "P", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
                {"name": "side", "image": "registry.test/shop/side:1", "imagePullPolicy": "Never"}],
             "volumes": [{"name": "c", "configMap": {"name": "a"}}, {"name": "e"}]}}}});
        fill(&STATEFUL_SETS, &mut set);
        let spec = &set["spec"];
        assert_eq!(
            spec["updateStrategy"],
            json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
        );
        assert_eq!(
            (&spec["replicas"], &spec["revisionHistoryLimit"]),
            (&json!(1), &json!(10))
        );
        let want = json!({
            "serviceAccountName": "db", "serviceAccount": "db", "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "securityContext": {},
            "schedulerName": "default-scheduler",
            "containers": [
                {"name": "db", "image": "registry.test:5000/shop/db", "ports": [{"containerPort": 80, "protocol": "TCP"}],
                 "readinessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                    "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
                 "env": [{"name": "P", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}}}],
                 "resources": {}, "terminationMessagePath": "/dev/termination-log",
                 "terminationMessagePolicy": "File", "imagePullPolicy": "Always"},
                {"name": "side", "image": "registry.test/shop/side:1", "imagePullPolicy": "Never",
                 "resources": {}, "terminationMessagePath": "/dev/termination-log",
                 "terminationMessagePolicy": "File"}],
            "volumes": [{"name": "c", "configMap": {"name": "a", "defaultMode": 420}}, {"name": "e", "emptyDir": {}}],
        });
        assert_eq!(spec["template"]["spec"], want);
        let once = set.clone();
        fill(&STATEFUL_SETS, &mut set);
        assert_eq!(set, once, "filling again changes nothing");
    }

    #[test]
    fn a_pod_knows_its_class() {
        let pod = |resources| json!({"spec": {"containers": [{"resources": resources}]}});
        let both = json!({"cpu": "1", "memory": "1Gi"});
        for (resources, want) in [
            (json!({}), "BestEffort"),
            (json!({"requests": {"cpu": "1"}}), "Burstable"),
            (json!({"limits": both, "requests": both}), "Guaranteed"),
        ] {
            assert_eq!(quality(&pod(resources)), want);
        }
    }

    #[test]
    fn a_secret_is_kept_encoded() {
        let mut secret = json!({"stringData": {"a": "b"}});
        fill(&SECRETS, &mut secret);
        assert_eq!(secret, json!({"type": "Opaque", "data": {"a": "Yg=="}}));
    }
}
