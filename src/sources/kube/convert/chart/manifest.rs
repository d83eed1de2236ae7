//! What a Helm release renders: the names of its objects, one pod template, and the hooks of a rollback.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{ChartManifest, TemplateHash, Verbatim, WorkloadId};
use crate::sources::kube::convert::{REASON, capped};

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Hook {
    name: String,
    kind: String,
    events: Vec<String>,
}

#[derive(Deserialize)]
struct Head {
    kind: String,
    metadata: Meta,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
    namespace: Option<String>,
}

/// One that cannot be read is left out: it costs itself.
pub fn read(manifest: &str, hooks: &[Hook], of: &WorkloadId) -> ChartManifest {
    let mut found = ChartManifest {
        hooks: hooks.iter().filter_map(of_rollback).collect(),
        ..ChartManifest::default()
    };
    let mut objects = BTreeMap::new();
    for text in documents(manifest) {
        let Ok(head) = serde_yaml::from_str::<Head>(&text) else {
            continue;
        };
        let Meta { name, namespace } = &head.metadata;
        let elsewhere = namespace.as_deref().filter(|ns| **ns != *of.namespace);
        if head.kind == of.kind.name() && **name == *of.name && elsewhere.is_none() {
            found.template = template(&text);
        }
        let place = elsewhere.map_or_else(String::new, |namespace| format!(" in {namespace}"));
        let label = format!("{}/{name}{place}", head.kind);
        objects.insert(capped(&label, REASON), TemplateHash::of(&text));
    }
    found.objects = objects;
    found
}

/// As Helm parts them: at lines that begin with three dashes. Comments say only where a text came from.
fn documents(manifest: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in manifest.lines() {
        match line.strip_prefix("---") {
            Some(rest) => documents.push(format!("{rest}\n")),
            None if line.starts_with('#') => {}
            None => {
                if let Some(last) = documents.last_mut() {
                    last.push_str(line);
                    last.push('\n');
                }
            }
        }
    }
    documents
}

fn template(text: &str) -> Option<Verbatim> {
    let object: serde_json::Value = serde_yaml::from_str(text).ok()?;
    let template = object.pointer("/spec/template")?;
    Some(Verbatim(template.to_string().into()))
}

fn of_rollback(hook: &Hook) -> Option<Box<str>> {
    let events = hook.events.iter().map(String::as_str);
    let events: Vec<_> = events
        .filter(|event| event.ends_with("-rollback"))
        .collect();
    let label = format!("{}/{} ({})", hook.kind, hook.name, events.join(", "));
    (!events.is_empty()).then(|| capped(&label, REASON))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;

    const MANIFEST: &str = "---
# Source: web/templates/a.yaml
apiVersion: v1
kind: Secret
metadata:
  name: web
stringData: {password: hunter2}
---
# Source: web/templates/b.yaml
{\"kind\": \"Deployment\", \"metadata\": {\"name\": \"checkout\"}, \"spec\": {\"template\": {\"spec\": {\"containers\": []}}}}
---
kind: [broken
--- 
kind: Deployment
metadata: {name: checkout, namespace: other}
";

    #[test]
    fn names_and_one_template_are_kept_and_nothing_else() {
        let of = WorkloadId {
            cluster: "prod".into(),
            namespace: "shop".into(),
            kind: Kind::Deployment,
            name: "checkout".into(),
        };
        let hook = |name: &str, event: &str| Hook {
            name: name.into(),
            kind: "Job".into(),
            events: vec![event.into()],
        };
        let hooks = [hook("migrate", "pre-rollback"), hook("test", "test")];
        let found = read(MANIFEST, &hooks, &of);
        let names: Vec<_> = found.objects.keys().map(|name| &**name).collect();
        assert_eq!(
            names,
            [
                "Deployment/checkout",
                "Deployment/checkout in other",
                "Secret/web"
            ]
        );
        assert_eq!(
            &*found.template.as_ref().unwrap().0,
            r#"{"spec":{"containers":[]}}"#
        );
        assert_eq!(found.hooks, ["Job/migrate (pre-rollback)".into()]);
        assert!(!format!("{found:?}").contains("hunter2"));
        let moved = MANIFEST.replace("a.yaml", "c.yaml");
        assert_eq!(
            read(&moved, &hooks, &of),
            found,
            "where it came from is no change"
        );
    }
}
