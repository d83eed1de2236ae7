//! The cells of the kinds, as the server's printers fill them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object::{int_at, items_at, text_at};
use super::super::selector;

/// An object and the time at which it is looked at.
pub struct Source<'a> {
    pub object: &'a Value,
    pub now: Timestamp,
}

impl Source<'_> {
    pub fn text(&self, pointer: &str) -> &str {
        text_at(self.object, pointer)
    }

    pub fn number(&self, pointer: &str) -> i64 {
        int_at(self.object, pointer).unwrap_or(0)
    }

    /// With a word for none.
    pub fn or(&self, pointer: &str, none: &str) -> Value {
        match self.text(pointer) {
            "" => none.into(),
            text => text.into(),
        }
    }

    fn name(&self) -> Value {
        self.text("/metadata/name").into()
    }

    pub fn age(&self) -> Value {
        self.since("/metadata/creationTimestamp").into()
    }

    pub fn since(&self, pointer: &str) -> String {
        since(self.text(pointer), self.now)
    }

    fn count(&self, pointer: &str) -> Value {
        let found = self.object.pointer(pointer).and_then(Value::as_object);
        found.map_or(0, serde_json::Map::len).into()
    }

    /// Of the containers, by comma.
    fn containers(&self, field: &str) -> Value {
        let containers = items_at(self.object, "/spec/template/spec/containers").iter();
        let texts: Vec<_> = containers.map(|one| text_at(one, field)).collect();
        texts.join(",").into()
    }

    fn selector(&self) -> Value {
        selector::text(&self.object["spec"]["selector"]).into()
    }
}

pub fn deployment(of: &Source<'_>) -> Vec<Value> {
    let ready = of.number("/status/readyReplicas");
    vec![
        of.name(),
        format!("{ready}/{}", of.number("/spec/replicas")).into(),
        of.number("/status/updatedReplicas").into(),
        of.number("/status/availableReplicas").into(),
        of.age(),
        of.containers("/name"),
        of.containers("/image"),
        of.selector(),
    ]
}

pub fn replica_set(of: &Source<'_>) -> Vec<Value> {
    vec![
        of.name(),
        of.number("/spec/replicas").into(),
        of.number("/status/replicas").into(),
        of.number("/status/readyReplicas").into(),
        of.age(),
        of.containers("/name"),
        of.containers("/image"),
        of.selector(),
    ]
}

pub fn rollout(of: &Source<'_>) -> Vec<Value> {
    vec![
        of.name(),
        of.number("/spec/replicas").into(),
        of.number("/status/replicas").into(),
        of.number("/status/updatedReplicas").into(),
        of.number("/status/availableReplicas").into(),
        of.age(),
    ]
}

pub fn analysis_run(of: &Source<'_>) -> Vec<Value> {
    vec![of.name(), of.text("/status/phase").into(), of.age()]
}

pub fn stateful_set(of: &Source<'_>) -> Vec<Value> {
    let ready = of.number("/status/readyReplicas");
    vec![
        of.name(),
        format!("{ready}/{}", of.number("/spec/replicas")).into(),
        of.age(),
        of.containers("/name"),
        of.containers("/image"),
    ]
}

pub fn daemon_set(of: &Source<'_>) -> Vec<Value> {
    let status = |field: &str| of.number(&format!("/status/{field}")).into();
    vec![
        of.name(),
        status("desiredNumberScheduled"),
        status("currentNumberScheduled"),
        status("numberReady"),
        status("updatedNumberScheduled"),
        status("numberAvailable"),
        pairs(&of.object["spec"]["template"]["spec"]["nodeSelector"]).into(),
        of.age(),
        of.containers("/name"),
        of.containers("/image"),
        of.selector(),
    ]
}

pub fn revision(of: &Source<'_>) -> Vec<Value> {
    let owners = items_at(of.object, "/metadata/ownerReferences").iter();
    let controller = owners.into_iter().find(|owner| owner["controller"] == true);
    let controller = controller.map_or("<none>".to_owned(), |owner| {
        let group = text_at(owner, "/apiVersion").split_once('/');
        let kind = text_at(owner, "/kind").to_lowercase();
        let kind = group.map_or(kind.clone(), |(group, _)| format!("{kind}.{group}"));
        format!("{kind}/{}", text_at(owner, "/name"))
    });
    vec![
        of.name(),
        controller.into(),
        of.number("/revision").into(),
        of.age(),
    ]
}

pub fn event(of: &Source<'_>) -> Vec<Value> {
    let first = match of.text("/firstTimestamp") {
        "" => of.since("/eventTime"),
        _ => of.since("/firstTimestamp"),
    };
    let series = of.object.get("series").is_some_and(Value::is_object);
    let last = match of.text("/lastTimestamp") {
        _ if series => of.since("/series/lastObservedTime"),
        "" => first.clone(),
        _ => of.since("/lastTimestamp"),
    };
    let count = if series { "/series/count" } else { "/count" };
    let kind = of.text("/involvedObject/kind").to_lowercase();
    let object = match of.text("/involvedObject/name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let (component, place) = match of.text("/source/component") {
        "" => (
            of.text("/reportingComponent"),
            of.text("/reportingInstance"),
        ),
        component => (component, of.text("/source/host")),
    };
    let parts: Vec<_> = [component, place]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    vec![
        last.into(),
        of.text("/type").into(),
        of.text("/reason").into(),
        object.into(),
        of.text("/involvedObject/fieldPath").into(),
        parts.join(", ").into(),
        of.text("/message").trim().into(),
        first.into(),
        of.number(count).max(1).into(),
        of.name(),
    ]
}

pub fn namespace(of: &Source<'_>) -> Vec<Value> {
    vec![of.name(), of.text("/status/phase").into(), of.age()]
}

pub fn node(of: &Source<'_>) -> Vec<Value> {
    let conditions = items_at(of.object, "/status/conditions").iter();
    let ready = conditions.into_iter().find(|one| one["type"] == "Ready");
    let mut status = match ready.map(|one| text_at(one, "/status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if of.object["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let labels = of.object["metadata"]["labels"].as_object();
    let labels = labels.into_iter().flatten().map(|(key, _)| key);
    let roles: Vec<_> = labels
        .filter_map(|key| key.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    let roles = if roles.is_empty() {
        "<none>".to_owned()
    } else {
        roles.join(",")
    };
    let address = |kind: &str| {
        let mut all = items_at(of.object, "/status/addresses").iter();
        let found = all.find(|one| one["type"] == kind);
        found.map_or("<none>", |one| text_at(one, "/address"))
    };
    let info = |field: &str| of.or(&format!("/status/nodeInfo/{field}"), "<unknown>");
    vec![
        of.name(),
        status.into(),
        roles.into(),
        of.age(),
        of.text("/status/nodeInfo/kubeletVersion").into(),
        address("InternalIP").into(),
        address("ExternalIP").into(),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

pub fn config_map(of: &Source<'_>) -> Vec<Value> {
    vec![of.name(), of.count("/data"), of.age()]
}

pub fn secret(of: &Source<'_>) -> Vec<Value> {
    vec![
        of.name(),
        of.text("/type").into(),
        of.count("/data"),
        of.age(),
    ]
}

pub fn service(of: &Source<'_>) -> Vec<Value> {
    let ports: Vec<_> = items_at(of.object, "/spec/ports")
        .iter()
        .map(|port| {
            let node = int_at(port, "/nodePort").map_or(String::new(), |node| format!(":{node}"));
            format!("{}{node}/{}", port["port"], text_at(port, "/protocol"))
        })
        .collect();
    let ports = if ports.is_empty() {
        "<none>".to_owned()
    } else {
        ports.join(",")
    };
    vec![
        of.name(),
        of.text("/spec/type").into(),
        of.or("/spec/clusterIP", "<none>"),
        of.or("/spec/externalName", "<none>"),
        ports.into(),
        of.age(),
        pairs(&of.object["spec"]["selector"]).into(),
    ]
}

pub fn quota(of: &Source<'_>) -> Vec<Value> {
    let hard = of.object["status"]["hard"].as_object();
    let used = |key: &str| {
        of.object["status"]["used"][key]
            .as_str()
            .unwrap_or("0")
            .to_owned()
    };
    let part = |limits: bool| {
        let all = hard.into_iter().flatten();
        let texts: Vec<_> = all
            .filter(|(key, _)| key.starts_with("limits.") == limits)
            .map(|(key, hard)| {
                format!("{key}: {}/{}", used(key), hard.as_str().unwrap_or_default())
            })
            .collect();
        Value::from(texts.join(", "))
    };
    vec![of.name(), part(false), part(true), of.age()]
}

pub fn autoscaler(of: &Source<'_>) -> Vec<Value> {
    let target = |name: &str| of.text(&format!("/spec/scaleTargetRef/{name}"));
    let current = items_at(of.object, "/status/currentMetrics");
    let targets: Vec<_> = items_at(of.object, "/spec/metrics")
        .iter()
        .map(|metric| {
            let name = text_at(metric, "/resource/name");
            let wanted = int_at(metric, "/resource/target/averageUtilization");
            let now = current
                .iter()
                .find(|one| text_at(one, "/resource/name") == name);
            let now = now.and_then(|one| int_at(one, "/resource/current/averageUtilization"));
            let now = now.map_or("<unknown>".to_owned(), |now| format!("{now}%"));
            format!("{name}: {now}/{}%", wanted.unwrap_or(0))
        })
        .collect();
    vec![
        of.name(),
        format!("{}/{}", target("kind"), target("name")).into(),
        if targets.is_empty() {
            "<none>".into()
        } else {
            targets.join(", ").into()
        },
        of.number("/spec/minReplicas").to_string().into(),
        of.number("/spec/maxReplicas").into(),
        of.number("/status/currentReplicas").into(),
        of.age(),
    ]
}

pub fn disruption_budget(of: &Source<'_>) -> Vec<Value> {
    let amount = |field: &str| match &of.object["spec"][field] {
        Value::Null => Value::from("N/A"),
        Value::Number(number) => number.to_string().into(),
        text => text.clone(),
    };
    vec![
        of.name(),
        amount("minAvailable"),
        amount("maxUnavailable"),
        of.number("/status/disruptionsAllowed").into(),
        of.age(),
    ]
}

pub fn other(of: &Source<'_>) -> Vec<Value> {
    vec![of.name(), of.age()]
}

fn pairs(map: &Value) -> String {
    match map.as_object() {
        Some(map) if !map.is_empty() => selector::text(&json!({"matchLabels": map})),
        _ => "<none>".to_owned(),
    }
}

/// How long ago, in at most two units, as kubectl says it.
pub fn since(text: &str, now: Timestamp) -> String {
    let Ok(then) = text.parse::<Timestamp>() else {
        return "<unknown>".to_owned();
    };
    let seconds = now.duration_since(then).as_secs();
    let two = |big: i64, one: char, small: i64, other: char| match small {
        0 => format!("{big}{one}"),
        small => format!("{big}{one}{small}{other}"),
    };
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let days = hours / 24;
    match seconds {
        i64::MIN..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => two(days, 'd', hours % 24, 'h'),
        _ if days < 730 => format!("{days}d"),
        _ if days < 2_920 => two(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ages_are_said_as_kubectl_says_them() {
        let then = "2026-01-01T00:00:00Z";
        let start: Timestamp = then.parse().unwrap();
        for (seconds, want) in [
            (5, "5s"),
            (119, "119s"),
            (120, "2m"),
            (199, "3m19s"),
            (3_599, "59m"),
            (10_800, "3h"),
            (11_000, "3h3m"),
            (36_000, "10h"),
            (180_000, "2d2h"),
            (800_000, "9d"),
            (70_000_000, "2y80d"),
        ] {
            let now = start.checked_add(Duration::from_secs(seconds)).unwrap();
            assert_eq!(since(then, now), want);
        }
        assert_eq!(since("", start), "<unknown>");
    }
}
