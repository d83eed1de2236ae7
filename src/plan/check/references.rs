//! What a pod template names that must be there: ConfigMaps, Secrets, keys, pull secrets, the service account.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{CheckId, Finding, Reference, ReferenceKind, Verdict};

/// Each once, sorted. What is marked optional is left out.
pub fn of(template: &Value) -> Vec<Reference> {
    let mut found = BTreeSet::new();
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
        add(&mut found, ReferenceKind::PullSecret, &secret["name"], None);
    }
    let account = &spec["serviceAccountName"];
    add(&mut found, ReferenceKind::ServiceAccount, account, None);
    found.into_iter().collect()
}

/// The answer when there is nothing to ask.
pub fn none() -> Verdict {
    Verdict {
        check: CheckId::Config,
        finding: Finding::Ok,
        sentence: "it names no ConfigMap, Secret or service account".into(),
    }
}

fn of_container(container: &Value, found: &mut BTreeSet<Reference>) {
    for variable in list(&container["env"]) {
        let from = &variable["valueFrom"];
        for (field, kind) in [
            ("configMapKeyRef", ReferenceKind::ConfigMap),
            ("secretKeyRef", ReferenceKind::Secret),
        ] {
            if required(&from[field]) {
                add(found, kind, &from[field]["name"], Some(&from[field]["key"]));
            }
        }
    }
    for source in list(&container["envFrom"]) {
        for (field, kind) in [
            ("configMapRef", ReferenceKind::ConfigMap),
            ("secretRef", ReferenceKind::Secret),
        ] {
            if required(&source[field]) {
                add(found, kind, &source[field]["name"], None);
            }
        }
    }
}

fn of_volume(volume: &Value, found: &mut BTreeSet<Reference>) {
    let (config, secret) = (&volume["configMap"], &volume["secret"]);
    source(config, ReferenceKind::ConfigMap, "name", found);
    source(secret, ReferenceKind::Secret, "secretName", found);
    for part in list(&volume["projected"]["sources"]) {
        source(&part["configMap"], ReferenceKind::ConfigMap, "name", found);
        source(&part["secret"], ReferenceKind::Secret, "name", found);
    }
    let publish = &volume["csi"]["nodePublishSecretRef"]["name"];
    add(found, ReferenceKind::Secret, publish, None);
}

/// The whole object, or the keys that `items` picks.
fn source(from: &Value, kind: ReferenceKind, name: &str, found: &mut BTreeSet<Reference>) {
    if !required(from) {
        return;
    }
    let items: Vec<_> = list(&from["items"]).collect();
    if items.is_empty() {
        add(found, kind, &from[name], None);
    }
    for item in items {
        add(found, kind, &from[name], Some(&item["key"]));
    }
}

fn required(reference: &Value) -> bool {
    reference.is_object() && reference["optional"] != Value::Bool(true)
}

fn add(found: &mut BTreeSet<Reference>, kind: ReferenceKind, name: &Value, key: Option<&Value>) {
    let Some(name) = name.as_str().filter(|name| !name.is_empty()) else {
        return;
    };
    found.insert(Reference {
        kind,
        name: name.into(),
        key: key.and_then(Value::as_str).map(Into::into),
    });
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
        assert!(of(&json!({"spec": null})).is_empty());
    }
}
