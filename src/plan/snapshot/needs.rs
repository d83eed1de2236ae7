//! What must be there before a workload runs, by its manifest: what is told with it, and what is only named.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::domain::Kind;
use crate::domain::pair::route::RouteKind;
use crate::domain::snapshot::{Manifest, Sort};
use crate::plan::check::references;
use crate::plan::check::{Reference, ReferenceKind};

/// Every namespace has them, made by its cluster.
const ROOT_CERTIFICATES: &str = "kube-root-ca.crt";
const DEFAULT_ACCOUNT: &str = "default";
const CORE: &str = "v1";
/// The fields of a Rollout's strategy that name what must be there, and the kind of it.
const NAMED: [(&str, Named); 8] = [
    ("templateName", Named::Sort(Sort::AnalysisTemplate)),
    ("canaryService", Named::Sort(Sort::Service)),
    ("stableService", Named::Sort(Sort::Service)),
    ("activeService", Named::Sort(Sort::Service)),
    ("previewService", Named::Sort(Sort::Service)),
    ("pingService", Named::Sort(Sort::Service)),
    ("pongService", Named::Sort(Sort::Service)),
    ("stableIngress", Named::Ingress),
];

#[derive(Clone, Copy)]
enum Named {
    Sort(Sort),
    Ingress,
}

/// What must be there before a workload runs, by its manifest.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Among the objects that were given.
    pub beside: BTreeSet<(Sort, Box<str>)>,
    /// Not among them.
    pub outside: BTreeSet<Outside>,
}

/// Something that has to be in the namespace before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outside {
    /// Group and version.
    pub api: &'static str,
    /// In paths.
    pub resource: &'static str,
    pub name: Box<str>,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = match self.resource {
            "ingresses" => "ingress",
            others => others.trim_end_matches('s'),
        };
        write!(f, "{one}/{}", self.name)
    }
}

pub fn needs(workload: &Manifest, all: &[&Manifest]) -> Needs {
    let mut needs = Needs::default();
    let template = workload.template();
    let is_there = |sort: Sort, name: &str| all.iter().any(|m| m.sort == sort && *m.name == *name);
    for reference in references::of(template) {
        let Reference { kind, name, .. } = reference;
        let (sort, resource) = match kind {
            ReferenceKind::ConfigMap => (Some(Sort::ConfigMap), "configmaps"),
            ReferenceKind::ServiceAccount => (Some(Sort::ServiceAccount), "serviceaccounts"),
            ReferenceKind::Secret | ReferenceKind::PullSecret => (None, "secrets"),
        };
        match sort.filter(|sort| is_there(*sort, &name)) {
            Some(sort) => drop(needs.beside.insert((sort, name))),
            None => needs.outside(CORE, resource, &Value::from(&*name)),
        }
    }
    for (kind, name) in references::settings(template) {
        if kind == ReferenceKind::ConfigMap && is_there(Sort::ConfigMap, &name) {
            needs.beside.insert((Sort::ConfigMap, name));
        }
    }
    for volume in list(&template["spec"]["volumes"]) {
        let claim = &volume["persistentVolumeClaim"]["claimName"];
        needs.outside(CORE, "persistentvolumeclaims", claim);
    }
    if workload.sort == Sort::Workload(Kind::Rollout) {
        needs.named(&workload.body["spec"]["strategy"], all);
    }
    let theirs = all.iter().filter(|other| belongs(other, workload));
    needs
        .beside
        .extend(theirs.map(|m| (m.sort, m.name.clone())));
    let accounts = all.iter().filter(|m| {
        m.sort == Sort::ServiceAccount && needs.beside.contains(&(m.sort, m.name.clone()))
    });
    for account in accounts.copied().collect::<Vec<_>>() {
        for secret in list(&account.body["imagePullSecrets"]) {
            needs.outside(CORE, "secrets", &secret["name"]);
        }
    }
    needs.without_what_is_everywhere()
}

impl Needs {
    fn outside(&mut self, api: &'static str, resource: &'static str, name: &Value) {
        if let Some(name) = name.as_str() {
            let name = name.into();
            self.outside.insert(Outside {
                api,
                resource,
                name,
            });
        }
    }

    /// What a strategy names, and what the templates in it name again. Those of the whole cluster are in no namespace.
    fn named(&mut self, value: &Value, all: &[&Manifest]) {
        if value["clusterScope"] == true {
            return;
        }
        for item in list(value) {
            self.named(item, all);
        }
        for (field, value) in value.as_object().into_iter().flatten() {
            match NAMED.iter().find(|(named, _)| named == field) {
                Some((_, kind)) => self.one_named(*kind, value, all),
                None => self.named(value, all),
            }
        }
    }

    fn one_named(&mut self, kind: Named, name: &Value, all: &[&Manifest]) {
        let Named::Sort(sort) = kind else {
            let kind = RouteKind::Ingress;
            return self.outside(kind.api(), kind.plural(), name);
        };
        let mut objects = all.iter();
        let Some(found) = objects.find(|m| m.sort == sort && *name == *m.name) else {
            return self.outside(sort.api(), sort.plural(), name);
        };
        if self.beside.insert((sort, found.name.clone())) && sort == Sort::AnalysisTemplate {
            self.named(&found.body["spec"]["templates"], all);
        }
    }

    fn without_what_is_everywhere(mut self) -> Self {
        let everywhere = |name: &str| [ROOT_CERTIFICATES, DEFAULT_ACCOUNT].contains(&name);
        let beside = |(sort, name): &(Sort, Box<str>)| {
            !(matches!(sort, Sort::ConfigMap | Sort::ServiceAccount) && everywhere(name))
        };
        self.beside.retain(beside);
        self.outside.retain(|outside| {
            !(["configmaps", "serviceaccounts"].contains(&outside.resource)
                && everywhere(&outside.name))
        });
        self
    }
}

/// It leads to the workload's pods, guards them, or sets their number.
pub fn belongs(other: &Manifest, workload: &Manifest) -> bool {
    let spec = &other.body["spec"];
    let labels = workload.pod_labels();
    match other.sort {
        Sort::Service => {
            let named = workload.body["spec"]["serviceName"] == *other.name;
            let selector = spec["selector"].as_object();
            named
                || selector.is_some_and(|wanted| {
                    !wanted.is_empty() && wanted.iter().all(|(key, value)| labels[key] == *value)
                })
        }
        Sort::Budget => selects(&spec["selector"], labels),
        Sort::Autoscaler => is_at(&spec["scaleTargetRef"], workload),
        Sort::Canary => is_at(&spec["targetRef"], workload),
        Sort::ConfigMap | Sort::ServiceAccount | Sort::AnalysisTemplate | Sort::Workload(_) => {
            false
        }
    }
}

fn is_at(target: &Value, workload: &Manifest) -> bool {
    target["kind"] == workload.sort.kind() && target["name"] == *workload.name
}

/// An empty selector finds everything, one that is not there nothing.
pub fn selects(selector: &Value, labels: &Value) -> bool {
    let Some(selector) = selector.as_object() else {
        return false;
    };
    let empty = serde_json::Map::new();
    let equal = selector.get("matchLabels").and_then(Value::as_object);
    let equal = equal.unwrap_or(&empty);
    let rules = selector.get("matchExpressions").unwrap_or(&Value::Null);
    equal.iter().all(|(key, value)| labels[key] == *value)
        && list(rules).all(|rule| {
            let has = rule["key"]
                .as_str()
                .map_or(&Value::Null, |key| &labels[key]);
            let among = list(&rule["values"]).any(|value| value == has);
            match rule["operator"].as_str() {
                Some("In") => among,
                Some("NotIn") => !among,
                Some("Exists") => !has.is_null(),
                Some("DoesNotExist") => has.is_null(),
                Some(_) | None => false,
            }
        })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
