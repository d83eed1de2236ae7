//! The action room on a real API server: reads, checks, the one write, and its end, without a screen.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::StreamExt;
use rolldeck::actions::record::Recorder;
use rolldeck::actions::{GatherContext, Order, execute, gather, preflight};
use rolldeck::domain::{Feed, Kind, Level};
use rolldeck::plan::follow::follow;
use rolldeck::plan::{
    Answers, CheckId, Finding, Follow, Plan, Progress, Request, Target, Verb, Verdict, plan,
};
use serde_json::{Value, json};

use crate::feed::Watched;
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, meddle, note, odd};
use crate::support::proxy::{Fate, Proxy};
use crate::support::wait;

/// A person's way from the key to the end, without the screen.
struct Way {
    watched: Watched,
    service: Service,
    record: tempfile::TempDir,
}

impl Way {
    fn new(kubeconfig: &Path, service: &Service) -> Self {
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
        let workload = self.watched.id(&self.service);
        self.watched.with(|fleet| {
            let shown = fleet.workload(&workload).unwrap();
            Request {
                verb: Verb::Rollback,
                workload: workload.clone(),
                uid: shown.uid.clone(),
                shown: shown.template,
                target,
            }
        })
    }

    fn plan(&self, request: &Request) -> Result<Plan, rolldeck::plan::Refusal> {
        let context = GatherContext {
            level: Level::Guarded,
            clock: jiff::Timestamp::now,
        };
        let cluster = &self.watched.cluster;
        let evidence = RUNTIME.block_on(gather(cluster, request, context)).unwrap();
        self.watched
            .with(|fleet| plan(fleet, &evidence, jiff::Timestamp::now()))
    }

    fn checks(&self, plan: &Plan, readonly: bool) -> Vec<Verdict> {
        let cluster = self.watched.cluster.clone();
        RUNTIME.block_on(preflight(cluster, plan.clone(), readonly).collect())
    }

    fn execute(&self, plan: &Plan, verdicts: Vec<Verdict>) -> Vec<Progress> {
        let order = Order {
            plan: plan.clone(),
            answers: Answers {
                confirmed: true,
                ..Answers::default()
            },
            verdicts,
            recorder: Recorder::new(self.record.path()),
            server_user: None,
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
    let progress = way.execute(&plan, verdicts);
    assert!(
        matches!(progress.last(), Some(Progress::Done { .. })),
        "{progress:?}"
    );
    assert_eq!(note(plane, &service)["id"], plan.stamp.id);
    let end = way.follow(&plan, &progress);
    assert!(matches!(end, Follow::Done(_)), "{end:?}");
    service.wait_complete(plane, "1.0");
    let live = &service.read(plane)["spec"]["template"];
    assert_eq!(*live, good, "as it was, to the last character");
}

#[test]
fn two_bad_targets_fail_with_the_reason_of_their_pod() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("bad-targets");
    for (bad, word) in [("2.0-crash", "exit 1"), ("2.0-noconfig", "config")] {
        let service = Service::new(&namespace, &format!("to-{}", &bad[4..]));
        service.run(plane, "1.0");
        service.set_image(plane, bad);
        wait::until("the bad one is seen", || {
            service.pods(plane).get(2).map(drop)
        });
        service.set_image(plane, "3.0-unpullable");
        service.wait_waiting(plane, "ImagePullBackOff");
        let way = Way::new(&plane.admin_kubeconfig(), &service);
        let plan = way.plan(&way.request(Target::Typed(bad.into()))).unwrap();
        let progress = way.execute(&plan, way.checks(&plan, false));
        let end = way.follow(&plan, &progress);
        let Follow::Failed(why) = &end else {
            panic!("{end:?}");
        };
        assert!(why.to_lowercase().contains(word), "{why}");
    }
}

#[test]
fn what_moved_before_the_plan_is_refused() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("moved-before");
    let service = stuck(plane, &namespace);
    let way = Way::new(&plane.admin_kubeconfig(), &service);
    let request = way.request(Target::Proposed);
    meddle(plane, &service);
    let refusal = way.plan(&request).unwrap_err();
    assert!(refusal.moved, "{refusal:?}");
    let said = format!("{} {:?}", refusal.failure.sentence, refusal.failure.hints);
    assert!(said.contains("meddler"), "{said}");
}

#[test]
fn what_moves_between_dry_run_and_patch_is_refused_and_named() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("moved-between");
    let service = stuck(plane, &namespace);
    let patches = Arc::new(AtomicU32::new(0));
    let (counted, victim) = (Arc::clone(&patches), service.clone());
    let proxy = Proxy::start(plane, move |seen| {
        if seen.real_patch() && counted.fetch_add(1, Ordering::SeqCst) == 0 {
            meddle(ControlPlane::shared(), &victim);
        }
        Fate::Forward
    });
    let way = Way::new(&proxy.kubeconfig(Some(&namespace)), &service);
    let plan = way.plan(&way.request(Target::Proposed)).unwrap();
    let progress = way.execute(&plan, way.checks(&plan, false));
    let Some(Progress::Refused {
        why, moved: true, ..
    }) = progress.last()
    else {
        panic!("{progress:?}");
    };
    let said = format!("{} {:?}", why.sentence, why.hints);
    assert!(said.contains("meddler"), "{said}");
    assert_eq!(patches.load(Ordering::SeqCst), 1);
    assert_eq!(note(plane, &service), Value::Null);
    assert_eq!(service.live_image(plane), service.image("2.0-unpullable"));
}

#[test]
fn an_answer_that_is_lost_is_read_and_told() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("lost-answer");
    let service = stuck(plane, &namespace);
    let patches = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&patches);
    let proxy = Proxy::start(plane, move |seen| {
        if seen.real_patch() {
            counted.fetch_add(1, Ordering::SeqCst);
            return Fate::Cut(10);
        }
        Fate::Forward
    });
    let way = Way::new(&proxy.kubeconfig(Some(&namespace)), &service);
    let plan = way.plan(&way.request(Target::Proposed)).unwrap();
    let progress = way.execute(&plan, way.checks(&plan, false));
    assert!(
        matches!(progress.last(), Some(Progress::Done { .. })),
        "a fresh read finds it: {progress:?}"
    );
    assert_eq!(patches.load(Ordering::SeqCst), 1, "never sent twice");
    service.wait_complete(plane, "1.0");
}

#[test]
fn a_reader_is_told_the_missing_right_and_sends_no_dry_run() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("action-reader");
    let service = stuck(plane, &namespace);
    let way = Way::new(&plane.reader("action-reader", None), &service);
    let plan = way.plan(&way.request(Target::Proposed)).unwrap();
    let verdicts = way.checks(&plan, false);
    let permission = verdicts
        .iter()
        .find(|verdict| verdict.check == CheckId::Permission);
    let permission = permission.unwrap();
    assert_eq!(permission.finding, Finding::Block);
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

/// Good, then bad, and something that serialisers disagree about in it.
fn stuck(plane: &ControlPlane, namespace: &str) -> Service {
    let service = odd(namespace);
    service.run(plane, "1.0");
    break_it(plane, &service);
    service
}

fn break_it(plane: &ControlPlane, service: &Service) {
    let change = json!({"spec": {"template": {"spec": {
        "tolerations": [{
            "key": "node", "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 9_007_199_254_740_993_i64,
        }],
        "containers": [{"name": "odd", "image": service.image("2.0-unpullable")}],
    }}}});
    plane.admin().patch(&service.path(), &change).unwrap();
    service.wait_waiting(plane, "ImagePullBackOff");
}
