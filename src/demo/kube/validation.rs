//! What the server does not accept, as far as the kinds of this world need it, with its words and fields.

use serde_json::Value;

use super::defaults::is_workload;
use super::go_json;
use super::kind::{DEPLOYMENTS, Kind, NAMESPACES, PODS, SCALES, STATEFUL_SETS};
use super::object::{Key, items_at, text_at};
use super::refusal::Refusal;
use super::selector;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const SET_SPEC: &str = "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const SET_FIELDS: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];
const COUNTS: [&str; 4] = [
    "/spec/replicas",
    "/spec/minReadySeconds",
    "/spec/revisionHistoryLimit",
    "/spec/progressDeadlineSeconds",
];
/// The first two are in every kind.
const OBJECTS: [&str; 5] = [
    "/metadata",
    "/spec",
    "/spec/template",
    "/spec/template/metadata",
    "/spec/template/spec",
];

type Causes = Vec<(String, String)>;

/// Refuses what the real server refuses. `before` is what an update changes.
pub fn check(kind: &'static Kind, before: Option<&Value>, value: &Value) -> Result<(), Refusal> {
    let mut causes = Causes::new();
    if before.is_none() {
        check_name(kind, value, &mut causes);
    }
    if is_workload(kind) {
        check_workload(kind, value, &mut causes);
        if let Some(before) = before {
            check_change(kind, before, value, &mut causes);
        }
    }
    if kind == &PODS {
        check_containers(&value["spec"], "spec", &mut causes);
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Refusal::Invalid(Key::of(kind, value), causes))
}

fn invalid(value: &Value, why: &str) -> String {
    format!("Invalid value: {}: {why}", go_json::text(value))
}

fn check_name(kind: &'static Kind, value: &Value, causes: &mut Causes) {
    let name = &value["metadata"]["name"];
    let text = name.as_str().unwrap_or_default();
    let mut parts = text.split('.');
    let (good, why) = if kind == &NAMESPACES {
        (is_label(text), LABEL)
    } else {
        (text.len() <= 253 && parts.all(is_label), SUBDOMAIN)
    };
    if !good {
        causes.push(("metadata.name".into(), invalid(name, why)));
    }
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty()
        && text.len() <= 253
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The server reads into typed fields; here only the parts that the rest relies on have a type.
pub fn check_types(kind: &'static Kind, value: &Value) -> Result<(), Refusal> {
    let counted = is_workload(kind) || kind == &SCALES;
    let objects = if is_workload(kind) {
        &OBJECTS[..]
    } else {
        &OBJECTS[..2]
    };
    for path in objects {
        let found = value.pointer(path).unwrap_or(&Value::Null);
        if !found.is_object() && !found.is_null() {
            return Err(mistyped(kind, path, found, "object"));
        }
    }
    for path in COUNTS.iter().filter(|_| counted) {
        let found = value.pointer(path).unwrap_or(&Value::Null);
        let small = found.as_i64().is_some_and(|n| i32::try_from(n).is_ok());
        if !small && !found.is_null() {
            return Err(mistyped(kind, path, found, "int32"));
        }
    }
    Ok(())
}

fn mistyped(kind: &'static Kind, path: &str, found: &Value, wanted: &str) -> Refusal {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let (name, version) = (kind.name, kind.version);
    let field = path.replace('/', ".");
    Refusal::BadRequest(format!(
        "{name} in version {version:?} cannot be handled as a {name}: json: cannot unmarshal {found} into Go struct field {name}Spec{field} of type {wanted}"
    ))
}

fn check_workload(kind: &'static Kind, value: &Value, causes: &mut Causes) {
    let spec = &value["spec"];
    for path in COUNTS {
        let count = value.pointer(path).filter(|n| n.as_i64() < Some(0));
        if let Some(count) = count.filter(|count| count.is_number()) {
            let why = invalid(count, "must be greater than or equal to 0");
            causes.push((path[1..].replace('/', "."), why));
        }
    }
    let (selector, labels) = (&spec["selector"], &spec["template"]["metadata"]["labels"]);
    if selector.is_null() {
        causes.push(("spec.selector".into(), "Required value".into()));
    } else if selector::text(selector).is_empty() {
        let why = format!("empty selector is invalid for {}", kind.name.to_lowercase());
        causes.push(("spec.selector".into(), invalid(selector, &why)));
    }
    if selector.is_null() || !selector::matches(selector, labels) {
        let why = invalid(labels, "`selector` does not match template `labels`");
        causes.push(("spec.template.metadata.labels".into(), why));
    }
    if kind == &DEPLOYMENTS {
        check_strategy(spec, causes);
    }
    let pod = &spec["template"]["spec"];
    check_containers(pod, "spec.template.spec", causes);
    if pod["restartPolicy"] != "Always" {
        let policy = go_json::text(&pod["restartPolicy"]);
        let why = format!(r#"Unsupported value: {policy}: supported values: "Always""#);
        causes.push(("spec.template.spec.restartPolicy".into(), why));
    }
}

fn check_strategy(spec: &Value, causes: &mut Causes) {
    let strategy = &spec["strategy"];
    let mut bad = |field: &str, why: String| causes.push((format!("spec.{field}"), why));
    let rolling = &strategy["rollingUpdate"];
    let none = |field: &str| rolling[field] == 0 || rolling[field] == "0%";
    if strategy["type"] == "Recreate" && !rolling.is_null() {
        let why = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
        bad("strategy.rollingUpdate", why.into());
    } else if none("maxUnavailable") && none("maxSurge") {
        let why = invalid(
            &rolling["maxUnavailable"],
            "may not be 0 when `maxSurge` is 0",
        );
        bad("strategy.rollingUpdate.maxUnavailable", why);
    }
    let deadline = &spec["progressDeadlineSeconds"];
    let ready = spec["minReadySeconds"].as_i64().unwrap_or(0);
    if deadline.as_i64().is_some_and(|deadline| deadline <= ready) {
        let why = invalid(deadline, "must be greater than minReadySeconds");
        bad("progressDeadlineSeconds", why);
    }
}

fn check_containers(spec: &Value, place: &str, causes: &mut Causes) {
    if items_at(spec, "/containers").is_empty() {
        causes.push((format!("{place}.containers"), "Required value".into()));
    }
    let mut names: Vec<&str> = Vec::new();
    for list in ["initContainers", "containers"] {
        let containers = spec.get(list).and_then(Value::as_array);
        for (number, container) in containers.into_iter().flatten().enumerate() {
            let place = format!("{place}.{list}[{number}]");
            let (name, image) = (text_at(container, "/name"), text_at(container, "/image"));
            let problem = match name {
                "" => Some("Required value".to_owned()),
                name if !is_label(name) || name.len() > 63 => {
                    Some(invalid(&container["name"], LABEL))
                }
                name if names.contains(&name) => Some(format!("Duplicate value: {name:?}")),
                _ => None,
            };
            causes.extend(problem.map(|why| (format!("{place}.name"), why)));
            names.push(name);
            if image.is_empty() {
                causes.push((format!("{place}.image"), "Required value".into()));
            }
        }
    }
}

fn check_change(kind: &'static Kind, before: &Value, value: &Value, causes: &mut Causes) {
    let (old, new) = (&before["spec"], &value["spec"]);
    if kind == &STATEFUL_SETS {
        let rest = |spec: &Value| {
            let mut rest = spec.as_object().cloned().unwrap_or_default();
            rest.retain(|key, _| !SET_FIELDS.contains(&key.as_str()));
            rest
        };
        if rest(old) != rest(new) {
            causes.push(("spec".into(), SET_SPEC.into()));
        }
    } else if old["selector"] != new["selector"] {
        let why = invalid(&new["selector"], "field is immutable");
        causes.push(("spec.selector".into(), why));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kind::{CONFIG_MAPS, DEPLOYMENTS};
    use super::super::{defaults, object::set};
    use super::*;

    fn web() -> Value {
        let mut value = json!({"metadata": {"name": "web"}, "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "a"}]}}}});
        defaults::fill(&DEPLOYMENTS, &mut value);
        value
    }

    fn message(refusal: Result<(), Refusal>) -> String {
        let status = refusal.unwrap_err().status();
        status["message"].as_str().unwrap().to_owned()
    }

    fn refused(path: &[&str], to: Value) -> String {
        let (before, mut value) = (web(), web());
        set(&mut value, path, to);
        let types = check_types(&DEPLOYMENTS, &value);
        message(types.and_then(|()| check(&DEPLOYMENTS, Some(&before), &value)))
    }

    #[test]
    fn a_good_one_is_taken() {
        assert_eq!(check(&DEPLOYMENTS, None, &web()), Ok(()));
        assert_eq!(check(&DEPLOYMENTS, Some(&web()), &web()), Ok(()));
    }

    #[test]
    fn the_servers_words() {
        assert_eq!(
            refused(&["spec", "replicas"], json!(-1)),
            r#"Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"#
        );
        assert_eq!(
            refused(&["spec", "replicas"], json!("x")),
            r#"Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"#
        );
        assert_eq!(
            refused(&["spec", "selector"], json!({"matchLabels": {"app": "x"}})),
            r#"Deployment.apps "web" is invalid: [spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`, spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable]"#
        );
        assert_eq!(
            refused(&["spec", "template", "spec", "containers"], json!([])),
            r#"Deployment.apps "web" is invalid: spec.template.spec.containers: Required value"#
        );
        let containers = json!([{"name": "a"}, {"image": "x"}, {"name": "a", "image": "b"}]);
        assert_eq!(
            refused(&["spec", "template", "spec", "containers"], containers),
            r#"Deployment.apps "web" is invalid: [spec.template.spec.containers[0].image: Required value, spec.template.spec.containers[1].name: Required value, spec.template.spec.containers[2].name: Duplicate value: "a"]"#
        );
    }

    #[test]
    fn names_are_names_of_the_net() {
        for (name, good) in [
            ("a-1.b", true),
            ("A_x", false),
            ("", false),
            ("a..b", false),
            ("-a", false),
        ] {
            let value = json!({"metadata": {"name": name}});
            assert_eq!(check(&CONFIG_MAPS, None, &value).is_ok(), good, "{name}");
        }
    }
}
