//! What a snapshot of a namespace holds: its workloads by the digests that run, and what they need beside them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::references;
use super::check::{Reference, ReferenceKind};
use crate::domain::snapshot::{Manifest, Place, Sort, clean};
use crate::domain::{ImageRef, Uid};

/// Every namespace has them, made by its cluster.
const ROOT_CERTIFICATES: &str = "kube-root-ca.crt";
const DEFAULT_ACCOUNT: &str = "default";

/// What a namespace holds of the kinds of a snapshot, and its pods as the server sent them.
#[derive(Debug, Default)]
pub struct Inventory {
    pub objects: Vec<Live>,
    pub pods: Vec<Value>,
}

/// An object as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Without what its cluster added.
    pub manifest: Manifest,
    pub uid: Uid,
    pub version: Box<str>,
    /// `Kind/name` of the object that made it and would make it again.
    pub made_by: Option<String>,
}

impl Live {
    /// One of a list, which leaves the kind out.
    ///
    /// # Errors
    /// It has no name.
    pub fn of(sort: Sort, mut raw: Value) -> Result<Self, String> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &raw["metadata"];
        let (uid, version) = (word(&metadata["uid"]), word(&metadata["resourceVersion"]));
        let owners = list(&metadata["ownerReferences"]);
        let made_by = owners
            .filter(|owner| owner["controller"] == true)
            .map(|owner| format!("{}/{}", word(&owner["kind"]), word(&owner["name"])))
            .next();
        raw["apiVersion"] = sort.api().into();
        raw["kind"] = sort.kind().into();
        Ok(Self {
            manifest: Manifest::try_from(clean(raw))?,
            uid: (*uid).into(),
            version: version.into(),
            made_by,
        })
    }
}

impl Inventory {
    pub fn find(&self, sort: Sort, name: &str) -> Option<&Live> {
        let mut objects = self.objects.iter();
        objects.find(|live| live.manifest.sort == sort && *live.manifest.name == *name)
    }

    /// The workloads and what they need, each sorted, and what a reader should know: what is left out or not exact.
    pub fn place(&self, cluster: &str, namespace: &str) -> (Place, Vec<String>) {
        let mut notes = Vec::new();
        let mut workloads = Vec::new();
        for live in &self.objects {
            if !matches!(live.manifest.sort, Sort::Workload(_)) {
                continue;
            }
            if let Some(maker) = &live.made_by {
                let workload = &live.manifest;
                notes.push(format!(
                    "{namespace}: {workload} is left out: {maker} makes it"
                ));
                continue;
            }
            let mut said = Vec::new();
            workloads.push(self.pinned(&live.manifest, &mut said));
            notes.extend(
                said.into_iter()
                    .map(|words| format!("{namespace}: {words}")),
            );
        }
        workloads.sort_by(|a, b| (a.sort, &a.name).cmp(&(b.sort, &b.name)));
        let all: Vec<_> = self.objects.iter().map(|live| &live.manifest).collect();
        let needs: Vec<_> = workloads.iter().map(|w| needs(w, &all)).collect();
        let beside: BTreeSet<_> = needs.iter().flat_map(|n| &n.beside).cloned().collect();
        let outside: BTreeSet<_> = needs.iter().flat_map(|n| &n.outside).cloned().collect();
        let found =
            |(sort, name): &(Sort, Box<str>)| Some(self.find(*sort, name)?.manifest.clone());
        let place = Place {
            cluster: cluster.into(),
            environment: None,
            namespace: namespace.into(),
            outside: outside.iter().map(Outside::to_string).collect(),
            workloads,
            beside: beside.iter().filter_map(found).collect(),
        };
        (place, notes)
    }

    /// The same with the digests that its pods run. One that no pod tells, or that pods tell differently, stays as it is.
    pub fn pinned(&self, workload: &Manifest, notes: &mut Vec<String>) -> Manifest {
        let mut pinned = workload.clone();
        let selector = &workload.body["spec"]["selector"];
        let labelled = |pod: &&Value| selects(selector, &pod["metadata"]["labels"]);
        let pods: Vec<_> = self.pods.iter().filter(labelled).collect();
        for group in ["initContainers", "containers"] {
            let containers = format!("/spec/template/spec/{group}");
            let containers = pinned.body.pointer_mut(&containers);
            let containers = containers.and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                let name = container["name"].as_str().unwrap_or_default().to_owned();
                let image = container["image"].as_str().unwrap_or_default().to_owned();
                if ImageRef::parse(&image).digest.is_some() {
                    continue;
                }
                let found = digests(&pods, (&name, &image));
                match found.iter().collect::<Vec<_>>().as_slice() {
                    [digest] => container["image"] = format!("{image}@{digest}").into(),
                    [] => notes.push(format!("{workload}: no pod tells the digest of {image}")),
                    _ => notes.push(format!(
                        "{workload}: its pods run {} digests of {image}, which stays a tag",
                        found.len()
                    )),
                }
            }
        }
        pinned
    }
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
    /// In paths; all are of the core.
    pub resource: &'static str,
    pub name: Box<str>,
}

impl std::fmt::Display for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.resource.trim_end_matches('s'), self.name)
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
            None => drop(needs.outside.insert(Outside { resource, name })),
        }
    }
    for (kind, name) in references::settings(template) {
        if kind == ReferenceKind::ConfigMap && is_there(Sort::ConfigMap, &name) {
            needs.beside.insert((Sort::ConfigMap, name));
        }
    }
    for volume in list(&template["spec"]["volumes"]) {
        needs.outside(
            "persistentvolumeclaims",
            &volume["persistentVolumeClaim"]["claimName"],
        );
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
            needs.outside("secrets", &secret["name"]);
        }
    }
    needs.without_what_is_everywhere()
}

impl Needs {
    fn outside(&mut self, resource: &'static str, name: &Value) {
        if let Some(name) = name.as_str() {
            let name = name.into();
            self.outside.insert(Outside { resource, name });
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
        Sort::Autoscaler => {
            let target = &spec["scaleTargetRef"];
            target["kind"] == workload.sort.kind() && target["name"] == *workload.name
        }
        Sort::ConfigMap | Sort::ServiceAccount | Sort::Workload(_) => false,
    }
}

/// An empty selector finds everything, one that is not there nothing.
fn selects(selector: &Value, labels: &Value) -> bool {
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

/// What pods run as this image in the container of this name. The id of a local image, without a repository, is none.
fn digests(pods: &[&Value], (name, image): (&str, &str)) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for pod in pods {
        for (group, statuses) in [
            ("initContainers", "initContainerStatuses"),
            ("containers", "containerStatuses"),
        ] {
            let same = |c: &&Value| c["name"] == name && c["image"] == image;
            if !list(&pod["spec"][group]).any(|container| same(&container)) {
                continue;
            }
            let mut statuses = list(&pod["status"][statuses]);
            let status = statuses.find(|status| status["name"] == name);
            let id = status.and_then(|status| status["imageID"].as_str());
            let digest = id.and_then(|id| ImageRef::parse(id).digest);
            found.extend(digest.map(str::to_owned));
        }
    }
    found
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::Kind;
    use serde_json::json;

    pub fn live(sort: Sort, name: &str, more: &Value) -> Live {
        let mut raw = json!({"metadata": {"name": name, "uid": "u1", "resourceVersion": "7"}});
        for (key, value) in more.as_object().unwrap() {
            match (raw[key].as_object_mut(), value) {
                (Some(fields), Value::Object(value)) => fields.extend(value.clone()),
                _ => raw[key] = value.clone(),
            }
        }
        Live::of(sort, raw).unwrap()
    }

    pub fn deployment(name: &str) -> Live {
        live(
            Sort::Workload(Kind::Deployment),
            name,
            &json!({"spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {
                "serviceAccountName": "runner",
                "containers": [{"name": "app", "image": "r.test/web:1.0", "envFrom": [
                    {"configMapRef": {"name": name}}, {"secretRef": {"name": "db"}}]}],
                "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}],
            }}}}),
        )
    }

    fn pod(digest: &str) -> Value {
        json!({"metadata": {"labels": {"app": "web", "x": "y"}},
            "spec": {"containers": [{"name": "app", "image": "r.test/web:1.0"}]},
            "status": {"containerStatuses": [{"name": "app", "imageID": digest}]}})
    }

    fn inventory() -> Inventory {
        let selector = json!({"spec": {"selector": {"app": "web"}}});
        Inventory {
            objects: vec![
                deployment("web"),
                live(Sort::ConfigMap, "web", &json!({"data": {"a": "1"}})),
                live(Sort::ConfigMap, "other", &json!({})),
                live(Sort::Service, "web", &selector),
                live(Sort::Service, "blind", &json!({"spec": {}})),
                live(
                    Sort::ServiceAccount,
                    "runner",
                    &json!({"imagePullSecrets": [{"name": "pull"}]}),
                ),
                live(
                    Sort::Autoscaler,
                    "web",
                    &json!({"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}}),
                ),
                live(
                    Sort::Budget,
                    "web",
                    &json!({"spec": {"selector": {"matchExpressions": [
                        {"key": "app", "operator": "In", "values": ["web"]}]}}}),
                ),
                live(
                    Sort::Workload(Kind::StatefulSet),
                    "made",
                    &json!({"metadata": {"ownerReferences": [
                        {"controller": true, "kind": "Postgres", "name": "db"}]}}),
                ),
            ],
            pods: vec![pod("r.test/web@sha256:aa"), pod("")],
        }
    }

    #[test]
    fn a_snapshot_holds_what_the_workloads_need_and_names_the_rest() {
        let (place, notes) = inventory().place("eu", "shop");
        let names = |all: &[Manifest]| all.iter().map(Manifest::to_string).collect::<Vec<_>>();
        assert_eq!(names(&place.workloads), ["deploy/web"]);
        assert_eq!(
            names(&place.beside),
            [
                "configmap/web",
                "serviceaccount/runner",
                "service/web",
                "pdb/web",
                "hpa/web"
            ]
        );
        assert_eq!(
            place.outside,
            ["persistentvolumeclaim/data", "secret/db", "secret/pull"]
        );
        assert_eq!(notes, ["shop: sts/made is left out: Postgres/db makes it"]);
        let container = &place.workloads[0].template()["spec"]["containers"][0];
        assert_eq!(container["image"], "r.test/web:1.0@sha256:aa");
    }

    #[test]
    fn a_digest_that_is_not_sure_is_not_made_up() {
        for (pods, said) in [
            (vec![], "no pod tells"),
            (vec![pod("sha256:aa")], "no pod tells"),
            (vec![pod("r@sha256:aa"), pod("r@sha256:bb")], "2 digests"),
        ] {
            let objects = inventory().objects;
            let (place, notes) = Inventory { objects, pods }.place("eu", "shop");
            let container = &place.workloads[0].template()["spec"]["containers"][0];
            assert_eq!(container["image"], "r.test/web:1.0");
            assert!(notes[0].contains(said), "{notes:?}");
        }
    }
}
