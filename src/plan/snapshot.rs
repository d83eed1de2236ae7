//! What a snapshot of a namespace holds: its workloads by the digests that run, and what they need beside them.

mod needs;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::snapshot::{Manifest, Place, Sort, Unfinished, clean, version};
use crate::domain::{ImageRef, Uid};

pub use needs::{Outside, belongs, needs};

use needs::selects;

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
        let objects = self.objects.iter();
        let (made, own): (Vec<_>, Vec<_>) = objects.partition(|live| live.made_by.is_some());
        let is_workload = |live: &Live| matches!(live.manifest.sort, Sort::Workload(_));
        let all: Vec<_> = own.iter().map(|live| &live.manifest).collect();
        let run = own.iter().filter(|live| is_workload(live));
        let mut run: Vec<_> = run.map(|live| &live.manifest).collect();
        run.sort_by_key(|workload| (workload.sort, &workload.name));
        let mut notes = Vec::new();
        let pinned = run.iter().map(|one| self.pinned(one, &mut notes));
        let workloads: Vec<_> = pinned.collect();
        let unfinished: Vec<_> = run.iter().filter_map(|one| self.unfinished(one)).collect();
        notes.extend(unfinished.iter().map(|one| {
            let (service, asked) = (&one.service, &one.asked);
            format!("{service} is in the middle of a release ({one}): the file has {asked}, which a restore gives to all of its pods at once")
        }));
        let needs: Vec<_> = workloads.iter().map(|w| needs(w, &all)).collect();
        let beside: BTreeSet<_> = needs.iter().flat_map(|n| &n.beside).cloned().collect();
        let outside: BTreeSet<_> = needs.iter().flat_map(|n| &n.outside).cloned().collect();
        let found =
            |(sort, name): &(Sort, Box<str>)| Some(self.find(*sort, name)?.manifest.clone());
        let beside: Vec<_> = beside.iter().filter_map(found).collect();
        let theirs = made
            .into_iter()
            .filter(|live| is_workload(live) || run.iter().any(|one| belongs(&live.manifest, one)));
        notes.extend(theirs.filter_map(|live| {
            let maker = live.made_by.as_deref()?;
            let mut held = workloads.iter().chain(&beside);
            let is_held = held.any(|one| format!("{}/{}", one.sort.kind(), one.name) == maker);
            (!is_held).then(|| format!("{} is left out: {maker} makes it", live.manifest))
        }));
        let place = Place {
            cluster: cluster.into(),
            environment: None,
            namespace: namespace.into(),
            outside: outside.iter().map(Outside::to_string).collect(),
            unfinished,
            workloads,
            beside,
        };
        let notes = notes.iter().map(|words| format!("{namespace}: {words}"));
        (place, notes.collect())
    }

    /// The same with the digests that its pods run. One that no pod tells, or that pods tell differently, stays as it is.
    pub fn pinned(&self, workload: &Manifest, notes: &mut Vec<String>) -> Manifest {
        let mut pinned = workload.clone();
        if let Some(serving) = self.serving(workload) {
            // Flagger leaves the one without pods that it takes releases from.
            let replicas = &serving.body["spec"]["replicas"];
            pinned.body["spec"]["replicas"] = replicas.clone();
        }
        let pods = self.pods_of(workload);
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

    /// `None` when all of its pods are of the version that it asks for.
    fn unfinished(&self, workload: &Manifest) -> Option<Unfinished> {
        let first = workload.first_container();
        let asked: Box<str> = version(first["image"].as_str()?).into();
        let (mut other, mut ready) = (false, BTreeMap::new());
        for pod in self.pods_of(workload) {
            let mut containers = list(&pod["spec"]["containers"]);
            let same = containers.find(|container| container["name"] == first["name"]);
            let leaving = !pod["metadata"]["deletionTimestamp"].is_null();
            let Some(image) = same.and_then(|c| c["image"].as_str()).filter(|_| !leaving) else {
                continue;
            };
            let runs: Box<str> = version(image).into();
            other |= runs != asked;
            if list(&pod["status"]["conditions"])
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
            {
                *ready.entry(runs).or_default() += 1;
            }
        }
        other.then(|| Unfinished {
            service: workload.to_string().into(),
            asked,
            ready,
        })
    }

    /// Those that its selector finds, and those that serve in its place.
    fn pods_of(&self, workload: &Manifest) -> Vec<&Value> {
        let both = [Some(workload), self.serving(workload)];
        let selectors: Vec<_> = both
            .into_iter()
            .flatten()
            .map(|one| &one.body["spec"]["selector"])
            .collect();
        let of_it = |pod: &&Value| {
            let labels = &pod["metadata"]["labels"];
            selectors.iter().any(|selector| selects(selector, labels))
        };
        self.pods.iter().filter(of_it).collect()
    }

    /// The workload that Flagger made to serve in its place.
    fn serving(&self, workload: &Manifest) -> Option<&Manifest> {
        let mut objects = self.objects.iter();
        let canary = objects
            .find(|live| live.manifest.sort == Sort::Canary && belongs(&live.manifest, workload))?;
        let maker = format!("{}/{}", Sort::Canary.kind(), canary.manifest.name);
        let mut objects = self.objects.iter();
        let made = objects.find(|live| {
            live.manifest.sort == workload.sort && live.made_by.as_ref() == Some(&maker)
        });
        made.map(|live| &live.manifest)
    }
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
    fn a_rollout_comes_with_the_templates_and_services_of_its_strategy() {
        let template =
            |name: &str, more: Value| live(Sort::AnalysisTemplate, name, &json!({ "spec": more }));
        let steps = json!([{"setWeight": 20}, {"analysis": {"templates": [
            {"templateName": "rate"}, {"templateName": "wide", "clusterScope": true}]}}]);
        let spec = json!({"strategy": {"canary": {
            "canaryService": "canary", "stableService": "gone", "steps": steps,
            "trafficRouting": {"nginx": {"stableIngress": "web"}}}}});
        let objects = vec![
            live(
                Sort::Workload(Kind::Rollout),
                "cart",
                &json!({ "spec": spec }),
            ),
            live(Sort::Service, "canary", &json!({"spec": {}})),
            template("rate", json!({"templates": [{"templateName": "within"}]})),
            template("within", json!({"metrics": []})),
            template("other", json!({"metrics": []})),
        ];
        let (place, _) = Inventory {
            objects,
            pods: Vec::new(),
        }
        .place("eu", "shop");
        let beside: Vec<_> = place.beside.iter().map(Manifest::to_string).collect();
        assert_eq!(
            beside,
            [
                "service/canary",
                "analysistemplate/rate",
                "analysistemplate/within"
            ]
        );
        assert_eq!(place.outside, ["ingress/web", "service/gone"]);
    }

    #[test]
    fn a_release_in_its_middle_is_told_by_the_pods_that_are_ready() {
        let run = |image: &str, ready: bool, leaves: bool| {
            let mut pod = pod("");
            pod["spec"]["containers"][0]["image"] = image.into();
            let status = if ready { "True" } else { "False" };
            pod["status"]["conditions"] = json!([{"type": "Ready", "status": status}]);
            if leaves {
                pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            }
            pod
        };
        let told = |pods: Vec<Value>| {
            let objects = inventory().objects;
            let (place, notes) = Inventory { objects, pods }.place("eu", "shop");
            let words = place.unfinished.first().map(ToString::to_string);
            assert_eq!(
                words.is_some(),
                notes
                    .iter()
                    .any(|n| n.contains("in the middle of a release"))
            );
            words
        };
        let (asked, old) = ("r.test/web:1.0", "r.test/web:0.9");
        assert_eq!(
            told(vec![run(asked, true, false), run(asked, false, false)]),
            None
        );
        assert_eq!(
            told(vec![run(asked, true, false), run(old, true, true)]),
            None
        );
        let half = vec![
            run(asked, true, false),
            run(old, true, false),
            run(old, true, false),
        ];
        assert_eq!(told(half).unwrap(), "0.9 in 2 pods, 1.0 in 1 pod");
        let stuck = vec![run(asked, false, false), run(old, true, false)];
        assert_eq!(told(stuck).unwrap(), "0.9 in 1 pod");
        assert_eq!(
            told(vec![run(old, false, false)]).unwrap(),
            "no pod is ready"
        );
    }

    #[test]
    fn what_flagger_moves_has_the_pods_of_the_one_that_serves_in_its_place() {
        let mut target = deployment("web");
        target.manifest.body["spec"]["replicas"] = 0.into();
        let canary = json!({"spec": {"targetRef": {"kind": "Deployment", "name": "web"}}});
        let made =
            json!({"ownerReferences": [{"controller": true, "kind": "Canary", "name": "web"}]});
        let mut primary = deployment("web-primary");
        primary.made_by = Some("Canary/web".into());
        primary.manifest.body["spec"]["replicas"] = 3.into();
        let sends = json!({"metadata": made, "spec": {"selector": {"app": "web"}}});
        let mut pod = pod("r.test/web@sha256:aa");
        pod["metadata"]["labels"]["app"] = "web-primary".into();
        let objects = vec![
            target,
            primary,
            live(Sort::Canary, "web", &canary),
            live(Sort::Service, "web-canary", &sends),
            live(
                Sort::Autoscaler,
                "web",
                &json!({"metadata": {"ownerReferences": [
                {"controller": true, "kind": "ScaledObject", "name": "web"}]},
                "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}}),
            ),
        ];
        let (place, notes) = Inventory {
            objects,
            pods: vec![pod],
        }
        .place("eu", "shop");
        let beside: Vec<_> = place.beside.iter().map(Manifest::to_string).collect();
        assert_eq!(beside, ["canary/web"]);
        let web = &place.workloads[0];
        assert_eq!(web.body["spec"]["replicas"], 3);
        assert_eq!(web.first_container()["image"], "r.test/web:1.0@sha256:aa");
        assert_eq!(
            notes,
            ["shop: hpa/web is left out: ScaledObject/web makes it"]
        );
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
