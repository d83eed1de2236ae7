//! The rollback's write on a real API server: what it accepts, and what it refuses.

use futures::StreamExt;
use rolldeck::actions::{GatherContext, Order, Recorder, execute, gather, preflight, record};
use rolldeck::domain::template::canonical_hash;
use rolldeck::domain::{ActionNote, Fleet, Kind, Level, TemplateHash, WorkloadId};
use rolldeck::plan::patch::{Note, replace_template};
use rolldeck::plan::{
    Answers, Evidence, Finding, Plan, Progress, Request, Target, Verb, Verdict, plan,
};
use rolldeck::sources::kube::convert::{raw_template, workload};
use rolldeck::sources::kube::{Cluster, Error};
use serde_json::json;

use crate::connection::cluster;
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;

/// What only verbatim bytes get through.
fn hard() -> serde_json::Value {
    json!({
        "command": ["sh", "-c", "a && b <c>", "", "wäb ☃ \u{2028}"],
        "env": [{"name": "EMPTY", "value": ""}, {"name": "N", "value": "9007199254740993"}],
        "securityContext": {"runAsUser": 2_147_483_647_i64},
    })
}

/// 1 runs, 2 went out after it.
fn broken(plane: &ControlPlane, prefix: &str) -> Service {
    let service = Service::new(&plane.namespace(prefix), "checkout").container(hard());
    service.run(plane, "1");
    service.set_image(plane, "2");
    service.wait_complete(plane, "2");
    service
}

fn request(cluster: &Cluster, service: &Service, plane: &ControlPlane) -> Request {
    let id = WorkloadId {
        cluster: cluster.id().clone(),
        namespace: service.namespace.as_str().into(),
        kind: Kind::Deployment,
        name: service.name.as_str().into(),
    };
    let raw = plane.admin().text(&service.path()).unwrap();
    let shown = workload(cluster.id(), Kind::Deployment, &raw).unwrap();
    Request {
        verb: Verb::Rollback,
        workload: id,
        uid: shown.uid,
        shown: shown.template,
        target: Target::Proposed,
    }
}

fn read(cluster: &Cluster, request: &Request) -> Evidence {
    let context = GatherContext {
        level: Level::Guarded,
        clock: jiff::Timestamp::now,
    };
    RUNTIME
        .block_on(gather(cluster, request, context))
        .expect("the reads")
}

fn make(evidence: &Evidence) -> Plan {
    plan(&Fleet::default(), evidence, jiff::Timestamp::now()).expect("a plan")
}

fn check(cluster: &Cluster, plan: &Plan, readonly: bool) -> Vec<Verdict> {
    RUNTIME.block_on(preflight(cluster.clone(), plan.clone(), readonly).collect())
}

fn carry_out(
    cluster: &Cluster,
    plan: &Plan,
    verdicts: Vec<Verdict>,
    recorder: &Recorder,
) -> Vec<Progress> {
    let order = Order {
        plan: plan.clone(),
        answers: Answers {
            confirmed: true,
            ..Answers::default()
        },
        verdicts,
        recorder: recorder.clone(),
        server_user: None,
        clock: jiff::Timestamp::now,
    };
    RUNTIME.block_on(async { execute(cluster.clone(), order).collect().await })
}

#[test]
fn a_rollback_is_accepted_with_everything_that_is_hard_to_write() {
    let plane = ControlPlane::shared();
    let service = broken(plane, "write");
    let cluster = cluster(&plane.admin_kubeconfig());
    let plan = make(&read(&cluster, &request(&cluster, &service, plane)));
    assert_eq!((&*plan.from.version, &*plan.to.version), ("2", "1"));
    let verdicts = check(&cluster, &plan, false);
    assert!(
        verdicts.iter().all(|v| v.finding == Finding::Ok),
        "{verdicts:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path());
    let progress = carry_out(&cluster, &plan, verdicts, &recorder);
    assert!(
        matches!(progress.last(), Some(Progress::Done { .. })),
        "{progress:?}"
    );
    assert_eq!(service.live_image(plane), service.image("1"));
    let raw = plane.admin().text(&service.path()).unwrap();
    let live = workload(cluster.id(), Kind::Deployment, &raw).unwrap();
    assert_eq!(
        live.action.map(|note| note.id),
        Some(plan.stamp.id.clone()),
        "the note speaks of the live template"
    );
    assert_eq!(record::read(recorder.path()).unwrap().lines.len(), 2);
    service.wait_complete(plane, "1");
    // Going back once more does not go to what was withdrawn.
    let refusal = rolldeck::plan::plan(
        &Fleet::default(),
        &read(&cluster, &request(&cluster, &service, plane)),
        jiff::Timestamp::now(),
    );
    let sentence = refusal.unwrap_err().failure.sentence;
    assert!(sentence.contains("withdrawn"), "{sentence}");
}

#[test]
fn a_change_after_the_checks_is_refused_and_said() {
    let plane = ControlPlane::shared();
    let service = broken(plane, "moved");
    let cluster = cluster(&plane.admin_kubeconfig());
    let plan = make(&read(&cluster, &request(&cluster, &service, plane)));
    let verdicts = check(&cluster, &plan, false);
    service.set_image(plane, "3");
    let folder = tempfile::tempdir().unwrap();
    let progress = carry_out(&cluster, &plan, verdicts, &Recorder::new(folder.path()));
    let Some(Progress::Refused { why, moved, .. }) = progress.last() else {
        panic!("{progress:?}");
    };
    assert!(moved);
    assert!(
        why.sentence.ends_with("moved deploy/checkout from 2 to 3."),
        "{}",
        why.sentence
    );
    assert_eq!(service.live_image(plane), service.image("3"));
    let late = check(&cluster, &plan, false);
    let blocked = late.iter().filter(|v| v.finding == Finding::Block).count();
    assert_eq!(blocked, 2, "unchanged and dry run: {late:?}");
}

#[test]
fn a_reader_sends_no_dry_run() {
    let plane = ControlPlane::shared();
    let service = broken(plane, "readers");
    let reader = cluster(&plane.reader("write-reader", None));
    let plan = make(&read(&reader, &request(&reader, &service, plane)));
    for readonly in [false, true] {
        let verdicts = check(&reader, &plan, readonly);
        let blocked = verdicts.iter().filter(|v| v.finding == Finding::Block);
        assert_eq!(blocked.count(), 1, "the permission: {verdicts:?}");
    }
    let asked = plane.asked_by("write-reader");
    assert!(asked.iter().all(|asked| !asked.dry_run()));
}

#[test]
fn the_first_annotation_is_added_where_there_is_none_and_only_there() {
    let plane = ControlPlane::shared();
    let service = Service::new(&plane.namespace("bare"), "bare").container(hard());
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
    let target = shown.replace("bare:1", "bare:2");
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
