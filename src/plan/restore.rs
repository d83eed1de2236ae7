//! The way back from a snapshot: what is made, what is there already, and what stands against it, service by service.

mod difference;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::snapshot::{Inventory, Live, Outside, belongs, needs};
use super::{CheckId, Finding, ObjectRef, Stamp, Step, Verdict};
use crate::domain::snapshot::{Manifest, Place, Sort, Unfinished, version};
use crate::domain::{ClusterId, Failure, FailureKind, Kind, Level, Uid, Verbatim, WorkloadId};

use difference::{Edit, edits};

/// The record's verb.
pub const VERB: &str = "restore";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    pub place: &'a Place,
    /// Into where.
    pub cluster: &'a ClusterId,
    pub namespace: &'a str,
    /// By name; empty means all.
    pub services: &'a [String],
    /// What differs is made as the file has it.
    pub overwrite: bool,
}

#[derive(Debug, Clone)]
pub struct RestorePlan {
    pub level: Level,
    pub services: Vec<ServicePlan>,
    /// Everything that was found out before: what blocks stands in them.
    pub checks: Vec<Verdict>,
}

/// One service and what it needs; what two need is made with the first.
#[derive(Debug, Clone)]
pub struct ServicePlan {
    pub workload: WorkloadId,
    /// Of what is there now; empty when nothing is.
    pub uid: Uid,
    pub stamp: Stamp,
    /// The image of its first container.
    pub image: String,
    pub rows: Vec<Row>,
    pub outside: Vec<Outside>,
    /// The file was written in the middle of a release of it.
    pub unfinished: Option<Unfinished>,
}

#[derive(Debug, Clone)]
pub struct Row {
    /// `configmap/web`.
    pub name: String,
    pub doing: Doing,
    pub step: Option<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    Create,
    /// It is there as the file has it.
    Nothing,
    /// It differs in these, and is left alone.
    Leave(Vec<String>),
    Overwrite(Vec<String>),
    /// Another object makes the one that has the name.
    Taken(String),
}

impl RestorePlan {
    /// Those that something is written for.
    pub fn written(&self) -> impl Iterator<Item = &ServicePlan> {
        self.services.iter().filter(|service| service.writes())
    }

    /// What a protected environment wants typed: the name of the service, or of several how many they are.
    pub fn word(&self) -> String {
        let mut written = self.written();
        match (written.next(), written.count()) {
            (Some(one), 0) => one.workload.name.to_string(),
            (Some(_), others) => (others + 1).to_string(),
            (None, _) => String::new(),
        }
    }
}

impl ServicePlan {
    pub fn writes(&self) -> bool {
        self.steps().next().is_some()
    }

    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.rows.iter().filter_map(|row| row.step.as_ref())
    }

    pub fn version(&self) -> &str {
        version(&self.image)
    }

    /// In one word.
    pub fn word(&self) -> &'static str {
        let any = |is: fn(&Doing) -> bool| self.rows.iter().any(|row| is(&row.doing));
        if any(|doing| matches!(doing, Doing::Taken(_))) {
            "taken"
        } else if any(|doing| matches!(doing, Doing::Create)) {
            "create"
        } else if any(|doing| matches!(doing, Doing::Overwrite(_))) {
            "overwrite"
        } else if any(|doing| matches!(doing, Doing::Leave(_))) {
            "differs"
        } else {
            "same"
        }
    }

    /// What is done, or why nothing is, a clause for each.
    pub fn clauses(&self) -> Vec<String> {
        let rows = self.rows.iter();
        let said = rows.filter_map(|row| {
            let name = &row.name;
            Some(match &row.doing {
                Doing::Create => format!("create {name}"),
                Doing::Nothing => return None,
                Doing::Leave(fields) => {
                    let fields = fields.join(", ");
                    format!("{name} differs and is left alone (here → in the file): {fields}")
                }
                Doing::Overwrite(fields) => format!("overwrite {name}: {}", fields.join(", ")),
                Doing::Taken(maker) => format!("{name} is there already, made by {maker}"),
            })
        });
        said.collect()
    }
}

/// One plan for a place of the file. `stamp` gives each service its identity in the record.
///
/// # Errors
/// A manifest stands where it does not belong, or `stamp` fails.
pub fn services(
    wish: &Wish<'_>,
    now: &Inventory,
    stamp: impl Fn() -> Result<Stamp, Failure>,
) -> Result<Vec<ServicePlan>, Failure> {
    let misplaced = |m: &&Manifest| matches!(m.sort, Sort::Workload(_));
    if let Some(stray) = wish.place.beside.iter().find(misplaced) {
        return Err(stands_wrong(stray, "workloads"));
    }
    let all: Vec<_> = wish.place.beside.iter().collect();
    let mut done = BTreeSet::new();
    let mut services = Vec::new();
    for workload in wish.place.workloads.iter().filter(|w| wish.wants(w)) {
        let Sort::Workload(kind) = workload.sort else {
            return Err(stands_wrong(workload, "beside"));
        };
        let needs = needs(workload, &all);
        let mut wanted: Vec<&Manifest> = vec![workload];
        let beside = all.iter().copied();
        wanted.extend(beside.filter(|m| {
            let key = (m.sort, m.name.clone());
            needs.beside.contains(&key) && done.insert(key)
        }));
        wanted.sort_by(|a, b| (a.sort, &a.name).cmp(&(b.sort, &b.name)));
        let there = now.find(workload.sort, &workload.name);
        services.push(ServicePlan {
            workload: wish.id(kind, &workload.name),
            uid: there.map(|live| live.uid.clone()).unwrap_or_default(),
            unfinished: wish.place.unfinished(workload).cloned(),
            stamp: stamp()?,
            image: image(workload),
            rows: wanted.iter().map(|m| wish.row(m, now)).collect(),
            outside: needs.outside.into_iter().collect(),
        });
    }
    Ok(services)
}

fn stands_wrong(manifest: &Manifest, list: &str) -> Failure {
    let sentence = format!("In the file {manifest} belongs into the list `{list}`.");
    Failure::new(FailureKind::Config, sentence)
}

impl Wish<'_> {
    /// `checkout` or `deploy/checkout`.
    pub fn wants(&self, workload: &Manifest) -> bool {
        let named = |word: &String| *word == *workload.name || *word == workload.to_string();
        self.services.is_empty() || self.services.iter().any(named)
    }

    fn id(&self, kind: Kind, name: &str) -> WorkloadId {
        WorkloadId {
            cluster: self.cluster.clone(),
            namespace: self.namespace.into(),
            kind,
            name: name.into(),
        }
    }

    fn row(&self, manifest: &Manifest, now: &Inventory) -> Row {
        let name = manifest.to_string();
        let object = ObjectRef {
            cluster: self.cluster.clone(),
            namespace: self.namespace.into(),
            api: manifest.sort.api(),
            resource: manifest.sort.plural(),
            name: manifest.name.clone(),
        };
        let (doing, step) = match now.find(manifest.sort, &manifest.name) {
            None => {
                let what = format!("create {name}");
                let body = Verbatim(manifest.body.to_string().into());
                (Doing::Create, Some(Step::Create { object, body, what }))
            }
            Some(live) => self.against((manifest, live, now), object),
        };
        Row { name, doing, step }
    }

    fn against(
        &self,
        (manifest, live, now): (&Manifest, &Live, &Inventory),
        object: ObjectRef,
    ) -> (Doing, Option<Step>) {
        let as_it_runs = now.pinned(&live.manifest, &mut Vec::new());
        let mut beside = self.place.beside.iter();
        let sets_it = |m: &Manifest| matches!(m.sort, Sort::Autoscaler | Sort::Canary);
        let scaled = beside.any(|m| sets_it(m) && belongs(m, manifest));
        let found = edits(&manifest.body, &as_it_runs.body, scaled);
        let fields: Vec<_> = found.iter().map(Edit::words).collect();
        match (&live.made_by, fields.is_empty()) {
            (_, true) => (Doing::Nothing, None),
            (Some(maker), false) => (Doing::Taken(maker.clone()), None),
            (None, false) if !self.overwrite => (Doing::Leave(fields), None),
            (None, false) => {
                let tests = [
                    json!({"op": "test", "path": "/metadata/uid", "value": live.uid}),
                    json!({"op": "test", "path": "/metadata/resourceVersion", "value": live.version}),
                ];
                let body: Value = tests
                    .into_iter()
                    .chain(found.iter().map(Edit::operation))
                    .collect();
                let what = format!("overwrite {manifest}: {}", fields.join(", "));
                let body = Verbatim(body.to_string().into());
                let step = Step::JsonPatch { object, body, what };
                (Doing::Overwrite(fields), Some(step))
            }
        }
    }
}

/// What is known without asking: names that are taken, versions that were on trial, and who keeps what is restored.
pub fn checks(services: &[ServicePlan], kept: &[(String, String)]) -> Vec<Verdict> {
    let taken = services.iter().filter(|service| service.word() == "taken");
    let mut found: Vec<_> = taken
        .map(|service| Verdict {
            check: CheckId::Owner,
            finding: Finding::Block,
            sentence: format!("{}: {}", service.workload, service.clauses().join("; ")),
        })
        .collect();
    found.extend(services.iter().filter_map(on_trial));
    let mut keepers: Vec<_> = kept.iter().map(|(_, keeper)| keeper).collect();
    keepers.sort();
    keepers.dedup();
    found.extend(keepers.into_iter().map(|keeper| {
        let its = kept.iter().filter(|(_, other)| other == keeper);
        let its: Vec<_> = its.map(|(name, _)| name.as_str()).collect();
        Verdict {
            check: CheckId::Owner,
            finding: Finding::Warn,
            sentence: format!(
                "{keeper} keeps {}: where it is at work too, it may put its own back",
                its.join(", ")
            ),
        }
    }));
    found
}

/// A manifest knows no half-way: all pods get what it asks for at once. What nobody ran then is not to be trusted now.
fn on_trial(service: &ServicePlan) -> Option<Verdict> {
    let unfinished = service.unfinished.as_ref().filter(|_| service.writes())?;
    let (workload, asked) = (&service.workload, &unfinished.asked);
    let all = format!("all of its pods get {asked} at once");
    let (finding, sentence) = if unfinished.ready.contains_key(asked) {
        let taken = format!("{workload} was in the middle of a release ({unfinished})");
        (Finding::Warn, format!("{taken}: {all}"))
    } else {
        let taken = format!("no pod of {workload} ran {asked} when the file was written");
        let served = format!("({unfinished}), and {all}: set the image in the file to what served");
        (Finding::Block, format!("{taken} {served}"))
    };
    Some(Verdict {
        check: CheckId::Soak,
        finding,
        sentence,
    })
}

/// The tool that keeps the object as it has it, by the marks that went into the file with it.
pub fn keeper(manifest: &Manifest) -> Option<String> {
    let metadata = &manifest.body["metadata"];
    let mark = |group: &str, key: &str| metadata[group][key].as_str().map(str::to_owned);
    let argo = mark("annotations", "argocd.argoproj.io/tracking-id")
        .and_then(|mark| mark.split(':').next().map(str::to_owned))
        .or_else(|| mark("labels", "argocd.argoproj.io/instance"))
        .map(|name| format!("Argo CD application {name}"));
    argo.or_else(|| {
        let name = mark("labels", "kustomize.toolkit.fluxcd.io/name")?;
        Some(format!("Flux kustomization {name}"))
    })
    .or_else(|| {
        let name = mark("labels", "helm.toolkit.fluxcd.io/name")?;
        Some(format!("Flux Helm release {name}"))
    })
    .or_else(|| {
        let name = mark("annotations", "meta.helm.sh/release-name")?;
        Some(format!("Helm release {name}"))
    })
}

fn image(workload: &Manifest) -> String {
    let first = &workload.first_container()["image"];
    first.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::snapshot::tests::{deployment, live};

    fn inventory() -> Inventory {
        Inventory {
            objects: vec![
                deployment("web"),
                deployment("api"),
                live(Sort::ConfigMap, "web", &json!({"data": {"a": "1"}})),
                live(Sort::ConfigMap, "api", &json!({"data": {"a": "1"}})),
                live(Sort::ServiceAccount, "runner", &json!({})),
            ],
            pods: Vec::new(),
        }
    }

    fn plan(now: &Inventory, services: &[String], overwrite: bool) -> Vec<ServicePlan> {
        let (place, _) = inventory().place("eu", "shop");
        let wish = Wish {
            place: &place,
            cluster: &"dr".into(),
            namespace: "shop",
            services,
            overwrite,
        };
        let stamp = || {
            Ok(Stamp {
                id: "1".into(),
                by: "me".into(),
                at: jiff::Timestamp::UNIX_EPOCH,
            })
        };
        super::services(&wish, now, stamp).unwrap()
    }

    #[test]
    fn an_empty_namespace_gets_everything_once_and_in_order() {
        let plans = plan(&Inventory::default(), &[], false);
        let steps = |plan: &ServicePlan| plan.steps().map(Step::what).collect::<Vec<_>>().join(" ");
        assert_eq!(
            plans.iter().map(steps).collect::<Vec<_>>(),
            [
                "create configmap/api create serviceaccount/runner create deploy/api",
                "create configmap/web create deploy/web"
            ]
        );
        let one = plan(&Inventory::default(), &["deploy/web".into()], false);
        assert_eq!(one.len(), 1);
        assert!(steps(&one[0]).contains("serviceaccount/runner"));
    }

    #[test]
    fn what_is_there_is_left_alone_and_what_differs_needs_a_word() {
        let mut now = inventory();
        assert!(
            plan(&now, &[], true)
                .iter()
                .all(|plan| plan.word() == "same")
        );
        now.objects[0].manifest.body["spec"]["replicas"] = 5.into();
        let left = plan(&now, &["web".into()], false);
        assert_eq!(left[0].word(), "differs");
        assert!(!left[0].writes());
        assert_eq!(
            left[0].clauses(),
            ["deploy/web differs and is left alone (here → in the file): replicas 5 → 2"]
        );
        let over = plan(&now, &["web".into()], true);
        let Some(Step::JsonPatch { body, .. }) = over[0].steps().next() else {
            panic!("a patch");
        };
        let body: Value = serde_json::from_str(&body.0).unwrap();
        assert_eq!(
            body,
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u1"},
                {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "add", "path": "/spec/replicas", "value": 2},
            ])
        );
        now.objects[0].made_by = Some("App/x".into());
        let taken = plan(&now, &["web".into()], true);
        assert_eq!((taken[0].word(), taken[0].writes()), ("taken", false));
        assert_eq!(checks(&taken, &[])[0].finding, Finding::Block);
    }

    #[test]
    fn what_was_on_trial_is_said_and_what_nobody_ran_is_held_back() {
        let found = |ready: &[(&str, usize)]| {
            let mut plans = plan(&Inventory::default(), &["web".into()], false);
            let ready = ready
                .iter()
                .map(|(version, pods)| ((*version).into(), *pods));
            plans[0].unfinished = Some(Unfinished {
                service: "deploy/web".into(),
                asked: "1.0".into(),
                ready: ready.collect(),
            });
            let verdict = checks(&plans, &[]).remove(0);
            (verdict.finding, verdict.sentence)
        };
        let (finding, sentence) = found(&[("0.9", 4), ("1.0", 1)]);
        assert_eq!(finding, Finding::Warn);
        assert_eq!(
            sentence,
            "deploy/web was in the middle of a release (0.9 in 4 pods, 1.0 in 1 pod): all of its pods get 1.0 at once"
        );
        let (finding, sentence) = found(&[("0.9", 4)]);
        assert_eq!(finding, Finding::Block);
        assert!(
            sentence.starts_with("no pod of deploy/web ran 1.0"),
            "{sentence}"
        );
    }

    #[test]
    fn who_keeps_it_is_told_by_its_marks() {
        let marked = |metadata: Value| {
            let live = live(Sort::ConfigMap, "web", &json!({"metadata": metadata}));
            keeper(&live.manifest)
        };
        let argo = json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}});
        assert_eq!(marked(argo).unwrap(), "Argo CD application shop");
        let helm = json!({"annotations": {"meta.helm.sh/release-name": "shop"}});
        assert_eq!(marked(helm).unwrap(), "Helm release shop");
        assert_eq!(marked(json!({})), None);
    }
}
