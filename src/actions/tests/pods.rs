//! The deletion of a pod: what must still be so, what the server is asked, and when it is a pod's turn.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::super::{Order, Recorder, execute, preflight};
use super::{clock, failure, only, verdicts};
use crate::domain::{Fleet, Kind, Strategy};
use crate::plan::verbs::rollback::sample;
use crate::plan::{Answers, CheckId, Finding, OfferId, Plan, Progress};
use crate::sources::jenkins::Servers;
use crate::sources::kube::Cluster;
use crate::sources::kube::in_memory::{Body, Client};

/// What a request was: method, path, body.
type Asked = Arc<Mutex<Vec<(Method, String, Value)>>>;

fn plan() -> Plan {
    crate::plan::plan(
        &Fleet::default(),
        &sample::of_kind(Kind::StatefulSet),
        clock(),
    )
    .unwrap()
}

fn server(
    answer: impl Fn(&Method, &str) -> (u16, Value) + Send + Sync + 'static,
) -> (Cluster, Asked) {
    let asked = Asked::default();
    let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let path = head.uri.to_string();
            let (status, answered) = answer(&head.method, &path);
            log.lock().unwrap().push((head.method, path, body));
            if status == 0 {
                return std::future::pending().await;
            }
            let body = Full::from(answered.to_string());
            Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
        }
    });
    (
        Cluster::over("prod-eu", Client::new(service, "default"), clock),
        asked,
    )
}

fn deletions(asked: &Asked) -> Vec<(String, Value)> {
    let asked = asked.lock().unwrap();
    let deletions = asked
        .iter()
        .filter(|(method, ..)| *method == Method::DELETE);
    deletions
        .map(|(_, path, body)| (path.clone(), body.clone()))
        .collect()
}

/// The object after the patch, as its controller reports it.
fn set(plan: &Plan, seen: bool) -> Value {
    let mut note = sample::note(42, "2.14.1");
    note.id.clone_from(&plan.stamp.id);
    json!({
        "metadata": {"name": "checkout", "namespace": "shop", "uid": "d1", "generation": 8,
            "creationTimestamp": sample::AT,
            "annotations": {"rolldeck.dev/action": serde_json::to_string(&note).unwrap()}},
        "spec": {"selector": {"matchLabels": {"app": "checkout"}}, "template": sample::template("2.14.1")},
        "status": {"observedGeneration": if seen { 8 } else { 7 },
            "updateRevision": if seen { "checkout-h41" } else { "checkout-h42" }},
    })
}

fn pod(name: &str, uid: &str, ready: bool) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": "77", "generation": 1,
            "creationTimestamp": sample::AT, "labels": {"controller-revision-hash": "checkout-h41"},
            "ownerReferences": [{"kind": "StatefulSet", "name": "checkout", "uid": "d1", "controller": true}]},
        "spec": {"containers": [{"name": "web", "image": "x"}]},
        "status": {"conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
    })
}

async fn run(cluster: Cluster, plan: Plan) -> (Vec<Progress>, String) {
    let folder = tempfile::tempdir().unwrap();
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
    let progress = execute(cluster, order).collect().await;
    let record = std::fs::read_to_string(folder.path().join("release-record.jsonl")).unwrap();
    (progress, record)
}

/// How the deletion ends when the pod looks so, and the DELETE is answered so.
async fn deleted(
    look: (u16, Value),
    answer: (u16, Value),
) -> (Progress, Vec<(String, Value)>, String) {
    let plan = plan();
    let set = set(&plan, true);
    let (cluster, asked) = server(move |method, path| match *method {
        Method::DELETE => answer.clone(),
        _ if path.contains("/pods/") => look.clone(),
        _ => (200, set.clone()),
    });
    let (progress, record) = run(cluster, plan).await;
    (progress.last().unwrap().clone(), deletions(&asked), record)
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_deleted_only_as_it_was_shown_and_asked_for_once() {
    let broken = || (200, pod("checkout-2", "p2-42", false));
    let none = || json!(null);
    let mut going = pod("checkout-2", "p2-42", false);
    going["metadata"]["deletionTimestamp"] = sample::AT.into();
    for (look, answer, want, sent) in [
        (
            broken(),
            (200, pod("checkout-2", "p2-42", false)),
            "Done",
            1,
        ),
        (
            (404, failure(404, &none())),
            (200, none()),
            "checkout-2 is gone",
            0,
        ),
        ((503, none()), (200, none()), "cannot be read again", 0),
        (
            (200, json!({"metadata": {}})),
            (200, none()),
            "cannot be read again",
            0,
        ),
        (
            (200, pod("checkout-2", "other", false)),
            (200, none()),
            "was replaced since it was shown",
            0,
        ),
        (
            (200, pod("checkout-2", "p2-42", true)),
            (200, none()),
            "is ready since it was shown",
            0,
        ),
        (
            (200, going.clone()),
            (200, none()),
            "is on its way out already",
            0,
        ),
        (
            broken(),
            (409, failure(409, &none())),
            "it changed in that moment",
            1,
        ),
        (
            broken(),
            (404, failure(404, &none())),
            "checkout-2 is gone",
            1,
        ),
        (broken(), (403, failure(403, &none())), "was not deleted", 1),
        (broken(), (0, none()), "the pod is still there", 1),
    ] {
        let (last, deletions, record) = deleted(look, answer).await;
        let said = format!("{last:?}");
        assert!(said.contains(want), "{said} should say {want}");
        assert_eq!(deletions.len(), sent, "{want}");
        let outcome = match last {
            Progress::Done { .. } => "\"accepted\"",
            Progress::Refused {
                step: 1,
                moved: false,
                ..
            } => "\"refused\"",
            Progress::Unknown { step: 1, .. } => "\"unknown\"",
            _ => panic!("{said}"),
        };
        assert!(record.contains(outcome), "{record}");
        assert!(record.contains("delete pod checkout-2"), "{record}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_is_given_the_uid_and_the_version_of_the_last_look() {
    let (_, deletions, _) =
        deleted((200, pod("checkout-2", "p2-42", false)), (200, json!(null))).await;
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1",
        "preconditions": {"uid": "p2-42", "resourceVersion": "77"}});
    let path = "/api/v1/namespaces/shop/pods/checkout-2";
    assert_eq!(deletions, [(path.to_owned(), options)]);
}

/// A lost answer, and the pod is on its way out: it was done.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_read_off_the_pod() {
    let plan = plan();
    let set = set(&plan, true);
    let looks = AtomicUsize::new(0);
    let (cluster, asked) = server(move |method, path| match *method {
        Method::DELETE => (0, json!(null)),
        _ if path.contains("/pods/") => match looks.fetch_add(1, Ordering::SeqCst) {
            0 => (200, pod("checkout-2", "p2-42", false)),
            _ => (404, failure(404, &json!(null))),
        },
        _ => (200, set.clone()),
    });
    let (progress, _) = run(cluster, plan).await;
    assert!(matches!(progress.last(), Some(Progress::Done { .. })));
    assert_eq!(deletions(&asked).len(), 1, "never sent twice");
    let generations: Vec<_> = progress
        .iter()
        .filter_map(|fact| match fact {
            Progress::Accepted { generation, .. } => Some(*generation),
            _ => None,
        })
        .collect();
    assert_eq!(
        generations,
        [Some(8), None],
        "a pod's own is not the object's"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_before_the_controller_saw_the_template() {
    for (never, want) in [
        (false, "Done"),
        (true, "has not seen the new template yet after 30s"),
    ] {
        let plan = plan();
        let (early, late) = (set(&plan, false), set(&plan, true));
        let reads = AtomicUsize::new(0);
        let (cluster, asked) = server(move |method, path| match *method {
            Method::GET if path.contains("/pods/") => (200, pod("checkout-2", "p2-42", false)),
            Method::GET if never || reads.fetch_add(1, Ordering::SeqCst) < 3 => {
                (200, early.clone())
            }
            _ => (200, late.clone()),
        });
        let (progress, _) = run(cluster, plan).await;
        let waits = |fact: &Progress| matches!(fact, Progress::Waiting { step: 1, .. });
        assert_eq!(progress.iter().filter(|fact| waits(fact)).count(), 1);
        let last = format!("{:?}", progress.last().unwrap());
        assert!(last.contains(want), "{last}");
        assert_eq!(deletions(&asked).len(), usize::from(!never));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_once_somebody_else_took_over() {
    let plan = plan();
    let ours = set(&plan, true);
    let mut theirs = ours.clone();
    theirs["spec"]["template"] = sample::template("2.16.0");
    let (cluster, asked) = server(move |method, path| match *method {
        Method::PATCH => (200, ours.clone()),
        _ if path.contains("/pods/") => (200, pod("checkout-2", "p2-42", false)),
        _ => (200, theirs.clone()),
    });
    let (progress, _) = run(cluster, plan).await;
    let last = format!("{:?}", progress.last().unwrap());
    assert!(
        last.contains("somebody unknown changed sts/checkout meanwhile"),
        "{last}"
    );
    assert_eq!(deletions(&asked), []);
}

/// With OnDelete each waits for the one before, and a successor that fails ends it.
#[tokio::test(start_paused = true)]
async fn pods_go_one_after_another_and_not_after_one_that_fails() {
    for fails in [false, true] {
        let mut evidence = sample::of_kind(Kind::StatefulSet);
        evidence.workload.strategy = Strategy::OnDelete;
        evidence.pods = (0..3)
            .map(|n| sample::pod(&evidence.workload.id, n, (42, "2.15.0")))
            .collect();
        let mut plan = crate::plan::plan(&Fleet::default(), &evidence, clock()).unwrap();
        assert_eq!(plan.offers[0].id, OfferId::DeletePods);
        plan.offers[0].taken = true;
        let set = set(&plan, true);
        let lists = AtomicUsize::new(0);
        let (cluster, asked) = server(move |method, path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            if path.contains("/pods/") && *method == Method::GET {
                let old = format!("p{}-42", name.rsplit('-').next().unwrap());
                return (200, pod(name, &old, true));
            }
            if !path.contains("/pods?") {
                return (200, set.clone());
            }
            let ready = lists.fetch_add(1, Ordering::SeqCst) % 2 == 1 && !fails;
            let anew = |n: u32| {
                let mut pod = pod(&format!("checkout-{n}"), &format!("new-{n}"), ready);
                if fails {
                    pod["status"]["containerStatuses"] = json!([{"name": "web",
                        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}}}]);
                }
                pod
            };
            (200, json!({"items": [anew(0), anew(1), anew(2)]}))
        });
        let (progress, _) = run(cluster, plan).await;
        let names: Vec<_> = deletions(&asked)
            .into_iter()
            .map(|(path, _)| path.rsplit('/').next().unwrap().to_owned())
            .collect();
        let last = format!("{:?}", progress.last().unwrap());
        if fails {
            assert_eq!(names, ["checkout-2"]);
            assert!(
                last.contains(
                    "Pod checkout-1 was not deleted: checkout-2, made anew, fails: image not found"
                ),
                "{last}"
            );
        } else {
            assert_eq!(names, ["checkout-2", "checkout-1", "checkout-0"]);
            assert!(last.contains("Done"), "{last}");
            let waits = progress
                .iter()
                .filter(|f| matches!(f, Progress::Waiting { .. }));
            assert_eq!(waits.count(), 2, "for the first two");
        }
    }
}

#[tokio::test]
async fn every_step_has_its_dry_run_and_every_right_its_review() {
    let plan = plan();
    let answers = |denied: bool, refused: bool| {
        move |method: &Method, path: &str| match *method {
            Method::POST => (201, json!({"status": {"allowed": !denied}})),
            Method::DELETE if refused => (403, failure(403, &json!(null))),
            _ if path.contains("/pods/") => (200, pod("checkout-2", "p2-42", false)),
            _ => (200, json!({})),
        }
    };
    for (denied, refused, permission, dry_run) in [
        (false, false, Finding::Ok, Finding::Ok),
        (true, false, Finding::Block, Finding::Unverified),
        (false, true, Finding::Ok, Finding::Block),
    ] {
        let (cluster, asked) = server(answers(denied, refused));
        let found: Vec<_> = preflight(only(cluster), plan.clone(), false)
            .collect()
            .await;
        let told = |check| found.iter().find(|verdict| verdict.check == check).unwrap();
        assert_eq!(told(CheckId::Permission).finding, permission, "{found:?}");
        assert_eq!(told(CheckId::DryRun).finding, dry_run, "{found:?}");
        let rights: Vec<_> = asked
            .lock()
            .unwrap()
            .iter()
            .filter(|(method, ..)| *method == Method::POST)
            .map(|(_, _, body)| body["spec"]["resourceAttributes"].clone())
            .map(|right| format!("{} {} {}", right["verb"], right["resource"], right["name"]))
            .collect();
        assert_eq!(
            rights,
            [
                r#""patch" "statefulsets" "checkout""#,
                r#""delete" "pods" "checkout-2""#
            ]
        );
        for (path, options) in deletions(&asked) {
            assert!(path.ends_with("?dryRun=All"), "{path}");
            assert_eq!(options["dryRun"], json!(["All"]), "the body is what counts");
            assert_eq!(options["preconditions"]["uid"], "p2-42");
        }
        assert_eq!(deletions(&asked).len(), usize::from(!denied));
    }
}
