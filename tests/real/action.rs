//! The action room on a real API server: reads, checks, the one write, and its end, without a screen.

use std::path::Path;

use futures::StreamExt;
use rolldeck::actions::record::{self, Limit};
use rolldeck::actions::{GatherContext, Order, Recorder, execute, gather, preflight};
use rolldeck::domain::release_record::Stands;
use rolldeck::domain::template::canonical_hash;
use rolldeck::domain::{ActionNote, Feed, Kind, Level, TemplateHash};
use rolldeck::plan::follow::follow;
use rolldeck::plan::patch::{Note, replace_template};
use rolldeck::plan::{
    Answers, CheckId, Finding, Follow, Plan, Progress, Request, Target, Verb, Verdict, plan,
};
use rolldeck::sources::jenkins::Servers;
use rolldeck::sources::kube::Error;
use rolldeck::sources::kube::convert::raw_template;
use rolldeck::sources::source_repo::Repositories;
use serde_json::{Value, json};

use crate::connection::cluster;
use crate::feed::Watched;
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, break_it, note, odd, stuck};
use crate::support::registries::nowhere;

/// A person's way from the key to the end, without the screen.
pub struct Way {
    pub watched: Watched,
    service: Service,
    record: tempfile::TempDir,
}

impl Way {
    pub fn new(kubeconfig: &Path, service: &Service) -> Self {
        let mut watched = Watched::new(kubeconfig);
        let namespace = Some(&*service.namespace);
        let workload = watched.id(service);
        let deployments = watched.add(namespace, Feed::Workloads(Kind::Deployment));
        watched.add(namespace, Feed::Warnings);
        let selector: Box<str> = format!("app={}", service.name).into();
        let revisions = Feed::RevisionsOf {
            workload: workload.clone(),
            selector: selector.clone(),
        };
        let revisions = watched.add(namespace, revisions);
        watched.add(namespace, Feed::PodsOf { workload, selector });
        watched.wait("the listings", |fleet| {
            (fleet.synced(&deployments) && fleet.synced(&revisions)).then_some(())
        });
        Self {
            watched,
            service: service.clone(),
            record: tempfile::tempdir().unwrap(),
        }
    }

    fn request(&self, target: Target) -> Request {
        self.asks(Verb::Rollback, target)
    }

    pub fn asks(&self, verb: Verb, target: Target) -> Request {
        let workload = self.watched.id(&self.service);
        self.watched.with(|fleet| {
            let shown = fleet.workload(&workload).unwrap();
            Request {
                verb,
                workload: workload.clone(),
                uid: shown.uid.clone(),
                shown: shown.template,
                target,
            }
        })
    }

    pub fn plan(&self, request: &Request) -> Result<Plan, rolldeck::plan::Refusal> {
        let context = GatherContext {
            level: Level::Guarded,
            holds: Vec::new(),
            service_label: None,
            repositories: Repositories::default(),
            servers: Servers::default(),
            hold_for: 0,
            state_dir: self.record.path().to_owned(),
            ready_for: 30,
            kubeconfig: None,
            presence: false,
            measured: None,
            pinned_by: None,
            origin: None,
            clock: jiff::Timestamp::now,
        };
        let cluster = &self.watched.cluster;
        let evidence = RUNTIME.block_on(gather(cluster, request, context)).unwrap();
        self.watched
            .with(|fleet| plan(fleet, &evidence, jiff::Timestamp::now()))
    }

    pub fn checks(&self, plan: &Plan, readonly: bool) -> Vec<Verdict> {
        let cluster = self.watched.cluster.clone();
        RUNTIME.block_on(preflight(nowhere(cluster), plan.clone(), readonly).collect())
    }

    pub fn execute(&self, plan: &Plan, verdicts: Vec<Verdict>) -> Vec<Progress> {
        let order = Order {
            again: None,
            plan: plan.clone(),
            answers: Answers {
                confirmed: true,
                ..Answers::default()
            },
            verdicts,
            recorder: Recorder::new(self.record.path()),
            servers: Servers::default(),
            server_user: None,
            presence: false,
            clock: jiff::Timestamp::now,
        };
        let cluster = self.watched.cluster.clone();
        RUNTIME.block_on(async { execute(cluster, order).collect().await })
    }

    /// Until it is verified or known not to be.
    fn follow(&self, plan: &Plan, progress: &[Progress]) -> Follow {
        let mut goal = plan.goal.clone();
        goal.ready_for = 2;
        for step in progress {
            if let Progress::Accepted { at, generation, .. } = step {
                goal.accept(*at, *generation);
            }
        }
        self.watched.wait("the end", |fleet| {
            match follow(fleet, &goal, jiff::Timestamp::now()) {
                Follow::Pending(_) => None,
                end @ (Follow::Done(_) | Follow::Failed(_)) => Some(end),
            }
        })
    }
}

#[test]
fn an_odd_template_is_rolled_back_in_the_middle_and_verified() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("action");
    let service = odd(&namespace);
    service.run(plane, "1.0");
    let good = service.read(plane)["spec"]["template"].clone();
    break_it(plane, &service);
    let way = Way::new(&plane.editor("action-editor", &namespace), &service);
    let plan = way.plan(&way.request(Target::Proposed)).unwrap();
    assert_eq!(plan.to.version, "1.0");
    let verdicts = way.checks(&plan, false);
    for check in [CheckId::Permission, CheckId::Unchanged, CheckId::DryRun] {
        let verdict = verdicts.iter().find(|verdict| verdict.check == check);
        let finding = verdict.map(|verdict| verdict.finding);
        assert_eq!(finding, Some(Finding::Ok), "{check:?} in {verdicts:#?}");
    }
    assert_eq!(
        note(plane, &service),
        Value::Null,
        "a dry run writes nothing"
    );
    // Its registry is nowhere.
    let asked = |v: &&Verdict| v.check != CheckId::Image;
    let mut bad = verdicts
        .iter()
        .filter(asked)
        .filter(|v| v.finding != Finding::Ok);
    assert_eq!(bad.next(), None);
    let progress = way.execute(&plan, verdicts);
    assert!(
        matches!(progress.last(), Some(Progress::Done { .. })),
        "{progress:?}"
    );
    assert_eq!(note(plane, &service)["id"], plan.stamp.id);
    let recorder = Recorder::new(way.record.path());
    let written = record::read(recorder.path(), Limit::NONE).unwrap();
    assert_eq!(written.actions[0].stands(), Stands::Accepted);
    let end = way.follow(&plan, &progress);
    assert!(matches!(end, Follow::Done(_)), "{end:?}");
    service.wait_complete(plane, "1.0");
    let live = &service.read(plane)["spec"]["template"];
    assert_eq!(*live, good, "as it was, to the last character");
    way.watched
        .wait("the note speaks of the live template", |fleet| {
            let live = fleet.workload(&way.watched.id(&service))?;
            let note = live.action.as_deref()?;
            (note.id == plan.stamp.id).then_some(())
        });
    // Going back once more does not go to what was withdrawn.
    let refusal = way.plan(&way.request(Target::Proposed)).unwrap_err();
    let sentence = refusal.failure.sentence;
    assert!(sentence.contains("withdrawn"), "{sentence}");
}

#[test]
fn a_change_after_the_checks_is_refused_and_said() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("moved");
    let service = stuck(plane, &namespace);
    let way = Way::new(&plane.admin_kubeconfig(), &service);
    let plan = way.plan(&way.request(Target::Proposed)).unwrap();
    let verdicts = way.checks(&plan, false);
    service.set_image(plane, "3.0");
    let progress = way.execute(&plan, verdicts);
    let Some(Progress::Refused {
        why, moved: true, ..
    }) = progress.last()
    else {
        panic!("{progress:?}");
    };
    assert!(
        why.sentence
            .ends_with("moved deploy/odd from 2.0-unpullable to 3.0."),
        "{}",
        why.sentence
    );
    assert_eq!(note(plane, &service), Value::Null);
    assert_eq!(service.live_image(plane), service.image("3.0"));
    let late = way.checks(&plan, false);
    let blocked = late.iter().filter(|v| v.finding == Finding::Block).count();
    assert_eq!(blocked, 2, "unchanged and dry run: {late:?}");
}

#[test]
fn a_reader_is_told_the_missing_right_and_sends_no_dry_run() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("action-reader");
    let service = stuck(plane, &namespace);
    let way = Way::new(&plane.reader("action-reader", None), &service);
    let plan = way.plan(&way.request(Target::Proposed)).unwrap();
    way.checks(&plan, true);
    let verdicts = way.checks(&plan, false);
    let blocked: Vec<_> = verdicts
        .iter()
        .filter(|verdict| verdict.finding == Finding::Block)
        .collect();
    let [permission] = blocked.as_slice() else {
        panic!("{verdicts:#?}");
    };
    assert_eq!(permission.check, CheckId::Permission);
    assert!(permission.sentence.contains("patch"), "{permission:?}");
    let progress = way.execute(&plan, verdicts);
    assert!(
        matches!(progress.last(), Some(Progress::Refused { .. })),
        "{progress:?}"
    );
    for asked in plane.asked_by("action-reader") {
        let read = ["get", "list", "watch"].contains(&&*asked.verb);
        assert!(read || asked.self_review(), "{asked:?}");
    }
}

#[test]
fn the_first_annotation_is_added_where_there_is_none_and_only_there() {
    let plane = ControlPlane::shared();
    let service = odd(&plane.namespace("bare"));
    let mut object = service.object("1");
    // The controller writes no annotation on what is paused from the start.
    object["spec"]["paused"] = true.into();
    object["metadata"]["annotations"] = json!(null);
    let collection = format!("/apis/apps/v1/namespaces/{}/deployments", service.namespace);
    plane.admin().create(&collection, &object).unwrap();
    let cluster = cluster(&plane.admin_kubeconfig());
    let write = |tested: &str, replacement: &str, uid: &str| {
        let note = ActionNote {
            id: "1".into(),
            verb: "rollback".into(),
            from: "x".into(),
            from_version: "1".into(),
            to: canonical_hash(replacement).unwrap(),
            by: "me@here".into(),
            at: jiff::Timestamp::now(),
            replicas: None,
        };
        let note = Note {
            note: &note,
            into_map: false,
        };
        let body = replace_template(&uid.into(), tested, replacement, &note).unwrap();
        RUNTIME.block_on(cluster.patch(&service.path(), &body, false))
    };
    let raw = plane.admin().text(&service.path()).unwrap();
    let uid = service.read(plane)["metadata"]["uid"].clone();
    let uid = uid.as_str().unwrap();
    let shown = raw_template(&raw).unwrap();
    let target = shown.replace("odd:1", "odd:2");
    write(shown, &target, uid).expect("there is no map yet");
    assert_eq!(service.live_image(plane), service.image("2"));
    let raw = plane.admin().text(&service.path()).unwrap();
    let live = raw_template(&raw).unwrap();
    assert_eq!(TemplateHash::of(live), TemplateHash::of(&target));
    let again = write(live, shown, uid);
    assert!(
        matches!(&again, Err(Error::Rejected { status: 422, causes, .. }) if causes.is_empty()),
        "the map of somebody is not replaced: {again:?}"
    );
}
