//! Checks and writes against an API server in memory: what is asked, what is said, and what is never sent twice.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use http::{Method, Request, Response};
use http_body_util::Full;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::record::Limit;
use super::{Order, Recorder, Sources, execute, preflight};
use crate::config;
use crate::plan::verbs::rollback::sample;
use crate::plan::{Answers, CheckId, Finding, Plan, Progress, Verdict};
use crate::sources::jenkins::Servers;
use crate::sources::kube::Cluster;
use crate::sources::kube::in_memory::{Body, Client};
use crate::sources::prometheus::Prometheus;
use crate::sources::registry::Registries;
use crate::sources::source_repo::Repositories;

mod interrupted;
mod pods;

type Asked = Arc<Mutex<Vec<String>>>;

fn clock() -> Timestamp {
    sample::AT.parse().unwrap()
}

fn live(tag: &str, uid: &str, note: Option<&str>) -> Value {
    let mut object = json!({
        "metadata": {"name": "checkout", "namespace": "shop", "uid": uid, "generation": 9,
            "creationTimestamp": sample::AT, "annotations": {}},
        "spec": {"selector": {"matchLabels": {"app": "checkout"}}, "template": sample::template(tag)},
        "status": {},
    });
    if let Some(id) = note {
        let mut note = sample::note(42, tag);
        note.id = id.into();
        object["metadata"]["annotations"]["rolldeck.dev/action"] =
            serde_json::to_string(&note).unwrap().into();
    }
    object
}

/// A server that answers by method and path; status 0 never answers.
fn server(
    answer: impl Fn(&Method, &str) -> (u16, Value) + Send + Sync + 'static,
) -> (Cluster, Asked) {
    let asked = Asked::default();
    let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (method, path) = (request.method().clone(), request.uri().to_string());
        log.lock().unwrap().push(format!("{method} {path}"));
        let answer = Arc::clone(&answer);
        async move {
            let (status, body) = answer(&method, &path);
            if status == 0 {
                return std::future::pending().await;
            }
            let body = Full::from(body.to_string());
            Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
        }
    });
    let client = Client::new(service, "default");
    (Cluster::over("prod-eu", client, clock), asked)
}

fn writes(asked: &Asked) -> usize {
    let asked = asked.lock().unwrap();
    asked
        .iter()
        .filter(|line| line.starts_with("PATCH"))
        .count()
}

fn verdicts() -> Vec<Verdict> {
    [CheckId::Permission, CheckId::Unchanged, CheckId::DryRun]
        .map(|check| Verdict {
            check,
            finding: Finding::Ok,
            sentence: String::new(),
        })
        .into()
}

async fn run(cluster: Cluster, recorder: Recorder) -> Vec<Progress> {
    let order = Order {
        again: None,
        plan: sample::plan(),
        answers: Answers {
            confirmed: true,
            ..Answers::default()
        },
        verdicts: verdicts(),
        recorder,
        servers: Servers::default(),
        server_user: None,
        presence: false,
        clock,
    };
    execute(cluster, order).collect().await
}

/// How a write ends when the PATCH and the read after it are answered so.
async fn write(patch: (u16, Value), read: (u16, Value)) -> (Progress, usize) {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, asked) = server(move |method, _| {
        if *method == Method::PATCH {
            patch.clone()
        } else {
            read.clone()
        }
    });
    let progress = run(cluster, Recorder::new(folder.path())).await;
    let recorder = Recorder::new(folder.path());
    let record = recorder.read(Limit::NONE).await.unwrap();
    assert!(record.actions[0].answered.is_some(), "before and after");
    assert!(record.under_way.is_empty());
    (progress.last().unwrap().clone(), writes(&asked))
}

fn failure(status: u16, causes: &Value) -> Value {
    json!({"kind": "Status", "status": "Failure", "code": status, "reason": "Invalid",
        "message": "the server rejected our request", "details": {"causes": causes}})
}

#[tokio::test(start_paused = true)]
async fn a_write_ends_in_what_is_known_and_is_never_repeated() {
    let id = sample::plan().stamp.id;
    let ours = || (200, live("2.14.1", "d1", Some(&id)));
    let same = || (200, live("2.15.0", "d1", None));
    let moved = || (200, live("2.16.0", "d1", None));
    let none = json!(null);
    for (patch, read, want) in [
        ((200, live("2.14.1", "d1", None)), same(), "Done"),
        ((0, none.clone()), ours(), "Done"),
        ((0, none.clone()), same(), "Unknown"),
        ((0, none.clone()), moved(), "moved: true"),
        ((500, failure(500, &none)), (503, none.clone()), "Unknown"),
        (
            (422, failure(422, &none)),
            moved(),
            "moved deploy/checkout from 2.15.0 to 2.16.0",
        ),
        ((422, failure(422, &none)), same(), "mistake of rolldeck"),
        (
            (422, failure(422, &none)),
            (200, live("2.15.0", "d2", None)),
            "created again",
        ),
        (
            (
                422,
                failure(
                    422,
                    &json!([{"reason": "FieldValueInvalid", "message": "bad", "field": "spec"}]),
                ),
            ),
            same(),
            "moved: false",
        ),
        ((403, failure(403, &none)), same(), "Denied"),
    ] {
        let words = format!("{:?} {:?}", patch.0, read.0);
        let (last, sent) = write(patch, read).await;
        let last = format!("{last:?}");
        assert!(last.contains(want), "{words}: {last} should say {want}");
        assert_eq!(sent, 1, "{words}");
    }
}

#[tokio::test]
async fn nothing_is_sent_without_the_record_or_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (cluster, asked) = server(|_, _| (200, json!(null)));
    let progress = run(cluster.clone(), Recorder::new(&file.join("x"))).await;
    assert!(format!("{progress:?}").contains("Nothing was sent."));
    let order = Order {
        again: None,
        plan: sample::plan(),
        answers: Answers {
            readonly: true,
            confirmed: true,
            ..Answers::default()
        },
        verdicts: verdicts(),
        recorder: Recorder::new(folder.path()),
        servers: Servers::default(),
        server_user: None,
        presence: false,
        clock,
    };
    let progress: Vec<_> = execute(cluster, order).collect().await;
    assert!(format!("{progress:?}").contains("read-only mode sends nothing"));
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_plan_for_one_cluster_is_never_sent_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, asked) = server(|_, _| (200, json!(null)));
    let mut plan = sample::plan();
    plan.workload.cluster = "staging-eu".into();
    let order = Order {
        again: None,
        plan,
        answers: Answers {
            confirmed: true,
            ..Answers::default()
        },
        verdicts: verdicts(),
        recorder: Recorder::new(folder.path()),
        servers: Servers::default(),
        server_user: None,
        presence: false,
        clock,
    };
    let progress: Vec<_> = execute(cluster, order).collect().await;
    let words = "the plan is for staging-eu, and this is prod-eu";
    assert!(format!("{progress:?}").contains(words), "{progress:?}");
    assert!(asked.lock().unwrap().is_empty());
}

fn with_references() -> Plan {
    let mut evidence = sample::evidence();
    let raw = evidence.revisions[1].template.0.replace(
        r#""image":"#,
        r#""env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}],"envFrom":[{"configMapRef":{"name":"cfg"}}],"image":"#,
    );
    evidence.revisions[1].template.0 = raw.into();
    crate::plan::plan(&crate::domain::Fleet::default(), &evidence, clock()).unwrap()
}

/// Where the registry of the sample's images is said to be, nobody listens.
/// The cluster, a registry that is nowhere, and no repository.
fn only(cluster: Cluster) -> Sources {
    Sources {
        cluster,
        registries: no_registry(),
        repositories: Repositories::default(),
        servers: Servers::default(),
        prometheus: Prometheus::new(&config::Config::default(), || Timestamp::UNIX_EPOCH),
        origin: None,
    }
}

fn no_registry() -> Registries {
    let known = config::Registry {
        host: "docker.io".into(),
        address: Some("127.0.0.1:1".into()),
        ca_file: None,
    };
    let settings = config::Registries {
        known: vec![known],
        ..config::Registries::default()
    };
    Registries::new(&settings, clock)
}

async fn check(
    readonly: bool,
    answer: impl Fn(&Method, &str) -> (u16, Value) + Send + Sync + 'static,
) -> (Vec<(CheckId, Finding, String)>, usize) {
    let (cluster, asked) = server(answer);
    let verdicts = preflight(only(cluster), with_references(), readonly);
    let mut found: Vec<_> = verdicts
        .map(|v| (v.check, v.finding, v.sentence))
        .collect()
        .await;
    found.sort();
    (found, writes(&asked))
}

fn fine(method: &Method, path: &str) -> (u16, Value) {
    if *method == Method::POST {
        (201, json!({"status": {"allowed": true}}))
    } else if path.contains("/secrets/") {
        let old = json!({"creationTimestamp": "2025-01-01T00:00:00Z", "managedFields": [{"manager": "a"}]});
        (
            200,
            json!({"metadata": old, "data": {"password": "aHVudGVyMg=="}}),
        )
    } else if path.contains("/configmaps/") {
        (200, written("helm", "2025-06-01T00:00:00Z"))
    } else if path.contains("/deployments/") {
        (200, live("2.15.0", "d1", None))
    } else {
        (200, json!({}))
    }
}

#[tokio::test(start_paused = true)]
async fn checks_answer_each_alone() {
    let (found, sent) = check(false, fine).await;
    let (others, image): (Vec<_>, Vec<_>) = found.iter().partition(|f| f.0 != CheckId::Image);
    assert!(others.iter().all(|f| f.1 == Finding::Ok), "{found:?}");
    let refused = "docker.io: connection refused".to_owned();
    assert_eq!(image, [&(CheckId::Image, Finding::Unverified, refused)]);
    assert_eq!((found.len(), sent), (8, 1));
    assert!(!format!("{found:?}").contains("aHVudGVyMg"));
    let (found, sent) = check(true, fine).await;
    assert_eq!((found[2].1, sent), (Finding::Unverified, 0));
    let (found, sent) = check(false, |method, path| match *method {
        Method::POST => (201, json!({"status": {"allowed": false}})),
        _ => fine(method, path),
    })
    .await;
    assert_eq!(
        (found[0].1, found[2].1, sent),
        (Finding::Block, Finding::Unverified, 0)
    );
    let (found, _) = check(false, |_, _| (0, json!(null))).await;
    let findings: Vec<_> = found.iter().map(|f| f.1).collect();
    assert_eq!(
        findings,
        [
            Finding::Unverified,
            Finding::Block,
            Finding::Block,
            Finding::Unverified,
            Finding::Unverified,
            Finding::Unverified,
            Finding::Unverified,
            Finding::Unverified
        ]
    );
    let (found, _) = check(false, |method, path| {
        if path.contains("/secrets/") {
            (200, json!({"data": {"user": ""}}))
        } else if path.contains("/configmaps/") {
            (404, failure(404, &json!(null)))
        } else {
            fine(method, path)
        }
    })
    .await;
    assert_eq!(found[4].1, Finding::Block);
    assert_eq!(
        found[4].2,
        "ConfigMap cfg is missing; Secret db has no key password"
    );
    let (found, _) = check(false, |method, path| {
        if path.contains("/secrets/") {
            (403, failure(403, &json!(null)))
        } else {
            fine(method, path)
        }
    })
    .await;
    assert_eq!(found[4].1, Finding::Unverified);
    assert_eq!(found[4].2, "no rights to read Secret db");
}

/// Last written by this manager.
fn written(by: &str, at: &str) -> Value {
    json!({"metadata": {"creationTimestamp": "2025-01-01T00:00:00Z", "managedFields": [
        {"manager": by, "time": at, "fieldsV1": {"f:data": {}}}]}, "data": {"PASSWORD": "hunter2"}})
}

/// The plan asks as well when a ConfigMap and a Secret were written, and nothing else of them.
#[tokio::test(start_paused = true)]
async fn what_is_around_a_rollout_is_asked_and_told_when_it_may_not_be_read() {
    let plan = with_references();
    let told = |answer: fn(&Method, &str) -> (u16, Value)| {
        let (cluster, asked) = server(answer);
        let verdicts = preflight(only(cluster), plan.clone(), true);
        async move {
            let found: Vec<_> = verdicts.collect().await;
            let of = |check| found.iter().find(|v| v.check == check).unwrap().clone();
            let paths = asked.lock().unwrap().join("\n");
            let told = [CheckId::Changed, CheckId::Quota, CheckId::Autoscaler].map(of);
            (told, paths)
        }
    };
    let ([changed, quota, scaler], paths) = told(|method, path| {
        if path.contains("/secrets/") {
            (200, written("vault", "2025-06-01T00:00:00Z"))
        } else if path.contains("/configmaps/") {
            (200, written("helm", "2026-01-01T12:00:01Z"))
        } else if path.contains("/resourcequotas") {
            let status = json!({"hard": {"pods": "7"}, "used": {"pods": "7"}});
            (
                200,
                json!({"items": [{"metadata": {"name": "team"}, "status": status}]}),
            )
        } else if path.contains("/horizontalpodautoscalers") {
            let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"});
            let spec = json!({"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 6});
            let meta = json!({"name": "web", "uid": "u"});
            (200, json!({"items": [{"metadata": meta, "spec": spec}]}))
        } else {
            fine(method, path)
        }
    })
    .await;
    assert_eq!(changed.sentence, "ConfigMap cfg changed 0s ago by helm");
    assert_eq!(
        quota.sentence,
        "quota team: pods 7 of 7: 0 of 1 extra pods fit, so it moves in smaller steps"
    );
    assert_eq!(
        (changed.finding, quota.finding),
        (Finding::Warn, Finding::Warn)
    );
    let limit = "autoscaler web is at its limit, 6 of 6";
    assert!(scaler.sentence.starts_with(limit), "{scaler:?}");
    assert!(
        paths.contains("/namespaces/shop/resourcequotas?limit=500"),
        "{paths}"
    );
    let ([changed, quota, denied], _) = told(|method, path| {
        let denied = [
            "/secrets/",
            "/configmaps/",
            "/resourcequotas",
            "/autoscaling/",
        ];
        if denied.iter().any(|part| path.contains(part)) {
            (403, failure(403, &json!(null)))
        } else {
            fine(method, path)
        }
    })
    .await;
    assert_eq!(
        changed.sentence,
        "no rights to read ConfigMap cfg; no rights to read Secret db"
    );
    assert_eq!(quota.sentence, "no rights to read quotas in shop");
    assert_eq!(denied.sentence, "no rights to read autoscalers in shop");
    let unverified = Finding::Unverified;
    assert_eq!((changed.finding, quota.finding), (unverified, unverified));
}
