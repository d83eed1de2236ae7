//! What a pod template names that must be there: ConfigMaps, Secrets, keys, pull secrets, the service account.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{CheckId, Finding, Reference, ReferenceKind, Verdict};

/// What must be there, each once, sorted: what is marked optional is left out.
pub fn of(template: &Value) -> Vec<Reference> {
    let required = all(template).into_iter().filter(|(_, optional)| !optional);
    let mut found: Vec<_> = required.map(|(reference, _)| reference).collect();
    found.dedup();
    found
}

/// The ConfigMaps and Secrets that its containers are set up with, also those that may be missing.
pub fn settings(template: &Value) -> Vec<(ReferenceKind, Box<str>)> {
    let set_up = |r: &Reference| match r.kind {
        ReferenceKind::ConfigMap | ReferenceKind::Secret => true,
        ReferenceKind::PullSecret | ReferenceKind::ServiceAccount => false,
    };
    let named = all(template).into_iter().map(|(reference, _)| reference);
    let mut found: Vec<_> = named.filter(set_up).map(|r| (r.kind, r.name)).collect();
    found.dedup();
    found
}

/// Each with whether it is optional there.
type Found = BTreeSet<(Reference, bool)>;

fn all(template: &Value) -> Found {
    let mut found = Found::new();
    let spec = &template["spec"];
    for container in ["initContainers", "containers"]
        .iter()
        .flat_map(|group| list(&spec[*group]))
    {
        of_container(container, &mut found);
    }
    for volume in list(&spec["volumes"]) {
        of_volume(volume, &mut found);
    }
    for secret in list(&spec["imagePullSecrets"]) {
        add(
            &mut found,
            ReferenceKind::PullSecret,
            (secret, "name"),
            None,
        );
    }
    let account = (spec, "serviceAccountName");
    add(&mut found, ReferenceKind::ServiceAccount, account, None);
    found
}

/// The answer when there is nothing to ask.
pub fn none() -> Verdict {
    Verdict {
        check: CheckId::Config,
        finding: Finding::Ok,
        sentence: "it needs no ConfigMap, Secret or service account".into(),
    }
}

fn of_container(container: &Value, found: &mut Found) {
    for variable in list(&container["env"]) {
        let from = &variable["valueFrom"];
        for (field, kind) in [
            ("configMapKeyRef", ReferenceKind::ConfigMap),
            ("secretKeyRef", ReferenceKind::Secret),
        ] {
            add(
                found,
                kind,
                (&from[field], "name"),
                Some(&from[field]["key"]),
            );
        }
    }
    for source in list(&container["envFrom"]) {
        for (field, kind) in [
            ("configMapRef", ReferenceKind::ConfigMap),
            ("secretRef", ReferenceKind::Secret),
        ] {
            add(found, kind, (&source[field], "name"), None);
        }
    }
}

fn of_volume(volume: &Value, found: &mut Found) {
    let (config, secret) = (&volume["configMap"], &volume["secret"]);
    source(found, ReferenceKind::ConfigMap, (config, "name"));
    source(found, ReferenceKind::Secret, (secret, "secretName"));
    for part in list(&volume["projected"]["sources"]) {
        source(
            found,
            ReferenceKind::ConfigMap,
            (&part["configMap"], "name"),
        );
        source(found, ReferenceKind::Secret, (&part["secret"], "name"));
    }
    let publish = &volume["csi"]["nodePublishSecretRef"];
    add(found, ReferenceKind::Secret, (publish, "name"), None);
}

/// The whole object, or the keys that `items` picks.
fn source(found: &mut Found, kind: ReferenceKind, from: (&Value, &str)) {
    let items: Vec<_> = list(&from.0["items"]).collect();
    if items.is_empty() {
        add(found, kind, from, None);
    }
    for item in items {
        add(found, kind, from, Some(&item["key"]));
    }
}

/// The name stands in a field of `from`, beside which it may be called optional.
fn add(found: &mut Found, kind: ReferenceKind, (from, field): (&Value, &str), key: Option<&Value>) {
    let Some(name) = from[field].as_str().filter(|name| !name.is_empty()) else {
        return;
    };
    let reference = Reference {
        kind,
        name: name.into(),
        key: key.and_then(Value::as_str).map(Into::into),
    };
    found.insert((reference, from["optional"] == Value::Bool(true)));
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_that_is_named() {
        let template = json!({"spec": {
            "serviceAccountName": "robot",
            "imagePullSecrets": [{"name": "pull"}, {}],
            "initContainers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]}],
            "containers": [{
                "env": [
                    {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "url"}}},
                    {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "maybe", "key": "url", "optional": true}}},
                    {"name": "C", "value": "x"},
                    {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                "envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "maybe", "optional": true}}, {"secretRef": {"name": "tokens", "optional": false}}]}],
            "volumes": [
                {"name": "a", "configMap": {"name": "cfg"}},
                {"name": "b", "secret": {"secretName": "tls", "items": [{"key": "tls.crt", "path": "c"}]}},
                {"name": "c", "secret": {"secretName": "maybe", "optional": true}},
                {"name": "d", "projected": {"sources": [{"serviceAccountToken": {}}, {"configMap": {"name": "ca", "items": [{"key": "ca.crt"}]}}, {"secret": {"name": "p"}}]}},
                {"name": "e", "csi": {"nodePublishSecretRef": {"name": "csi"}}},
                {"name": "f", "emptyDir": {}}]
        }});
        let words: Vec<_> = of(&template)
            .into_iter()
            .map(|r| format!("{:?} {} {}", r.kind, r.name, r.key.unwrap_or_default()))
            .collect();
        assert_eq!(
            words,
            [
                "ConfigMap all ",
                "ConfigMap ca ca.crt",
                "ConfigMap cfg ",
                "ConfigMap cfg url",
                "Secret csi ",
                "Secret db password",
                "Secret p ",
                "Secret tls tls.crt",
                "Secret tokens ",
                "PullSecret pull ",
                "ServiceAccount robot ",
            ]
        );
        let words: Vec<_> = settings(&template)
            .into_iter()
            .map(|(kind, name)| format!("{} {name}", kind.word()))
            .collect();
        assert_eq!(
            words,
            [
                "ConfigMap all",
                "ConfigMap ca",
                "ConfigMap cfg",
                "ConfigMap maybe",
                "Secret csi",
                "Secret db",
                "Secret maybe",
                "Secret p",
                "Secret tls",
                "Secret tokens",
            ]
        );
        assert!(of(&json!({"spec": null})).is_empty());
    }
}
