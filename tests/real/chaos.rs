//! What holds whatever comes in between: other people, kills and outages, in an order that is drawn, printed, and can
//! be had again. `ROLLDECK_CHAOS` multiplies how often, `ROLLDECK_CHAOS_SEED` repeats an order.
#![allow(clippy::print_stderr)] // figures, shown with --nocapture

mod killing;
mod meddling;
mod outage;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use rolldeck::actions::record::{self, Limit};
use rolldeck::actions::{GatherContext, Order, Recorder, execute, gather, interrupted, preflight};
use rolldeck::domain::release_record::{Action, Became, Page, Stands};
use rolldeck::domain::{Fleet, Kind, Level, TemplateHash, WorkloadId};
use rolldeck::plan::{Answers, Evidence, Plan, Progress, Request, Target, Verb, Verdict, plan};
use rolldeck::sources::jenkins::Servers;
use rolldeck::sources::kube::Cluster;
use rolldeck::sources::source_repo::Repositories;
use serde_json::Value;

use crate::connection::cluster;
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::registries::nowhere;
use crate::support::wait;

/// Many times as often as usual, when somebody asks for it.
fn times(usual: u32) -> u32 {
    let factor = std::env::var("ROLLDECK_CHAOS").ok();
    let factor = factor.map_or(1, |text| text.parse().expect("ROLLDECK_CHAOS is a number"));
    usual * factor
}

/// `SplitMix64`: the same seed throws the same.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn new(what: &str) -> Self {
        let given = std::env::var("ROLLDECK_CHAOS_SEED").ok();
        let seed = given.map_or_else(
            || jiff::Timestamp::now().as_microsecond().unsigned_abs(),
            |text| text.parse().expect("ROLLDECK_CHAOS_SEED is a number"),
        );
        eprintln!("{what}: ROLLDECK_CHAOS_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).expect("it is below the end")
    }

    /// A moment within so many milliseconds.
    fn moment(&mut self, within: u64) -> Duration {
        Duration::from_micros(self.below(within * 1000))
    }

    fn other(&mut self) -> Self {
        Self(self.below(u64::MAX))
    }
}

/// A rolldeck without its screen: what it does is what the engine does for one.
#[derive(Clone)]
struct Hand {
    cluster: Cluster,
    recorder: Recorder,
}

/// A plan whose checks have all answered.
struct Ready {
    plan: Plan,
    verdicts: Vec<Verdict>,
}

impl Hand {
    fn new(kubeconfig: &Path, state: &Path) -> Self {
        Self {
            cluster: cluster(kubeconfig),
            recorder: Recorder::new(state),
        }
    }

    fn id(&self, service: &Service) -> WorkloadId {
        WorkloadId {
            cluster: self.cluster.id().clone(),
            namespace: service.namespace.as_str().into(),
            kind: Kind::Deployment,
            name: service.name.as_str().into(),
        }
    }

    async fn read(&self, request: &Request) -> Option<Evidence> {
        let context = GatherContext {
            level: Level::Guarded,
            holds: Vec::new(),
            service_label: None,
            repositories: Repositories::default(),
            servers: Servers::default(),
            hold_for: 0,
            state_dir: std::path::PathBuf::new(),
            ready_for: 30,
            kubeconfig: None,
            presence: false,
            measured: None,
            pinned_by: None,
            origin: None,
            clock: jiff::Timestamp::now,
        };
        gather(&self.cluster, request, context).await.ok()
    }

    /// What a screen shows, and what a person chooses of it; `None` while it is not there.
    async fn look(&self, service: &Service, verb: Option<Verb>, target: Target) -> Option<Request> {
        let mut request = Request {
            verb: verb.unwrap_or(Verb::Pause),
            workload: self.id(service),
            uid: "".into(),
            shown: TemplateHash::default(),
            target,
        };
        let seen = self.read(&request).await?.workload;
        request.uid = seen.uid.clone();
        request.shown = seen.template;
        if verb.is_none() && seen.paused {
            request.verb = Verb::Resume;
        }
        Some(request)
    }

    /// Fresh reads, the plan, its checks; `None` when it is refused.
    async fn ready(&self, request: &Request) -> Option<Ready> {
        let evidence = self.read(request).await?;
        let plan = plan(&Fleet::default(), &evidence, jiff::Timestamp::now()).ok()?;
        let verdicts = preflight(nowhere(self.cluster.clone()), plan.clone(), false);
        let verdicts = verdicts.collect().await;
        Some(Ready { plan, verdicts })
    }

    async fn execute(&self, ready: Ready) -> Vec<Progress> {
        let order = Order {
            again: None,
            plan: ready.plan,
            answers: Answers {
                confirmed: true,
                override_reason: Some("chaos".into()),
                ..Answers::default()
            },
            verdicts: ready.verdicts,
            recorder: self.recorder.clone(),
            servers: Servers::default(),
            server_user: None,
            presence: false,
            clock: jiff::Timestamp::now,
        };
        execute(self.cluster.clone(), order).collect().await
    }
}

/// Something was asked of the record and of the cluster: the line before it is on the disk.
fn was_sent(progress: &[Progress]) -> bool {
    progress.iter().any(|p| matches!(p, Progress::Sent { .. }))
}

fn page(recorder: &Recorder) -> Page {
    let page = record::read(recorder.path(), Limit::NONE).expect("the record");
    assert_eq!((page.torn.len(), page.orphans), (0, 0), "{:?}", page.torn);
    page
}

/// Two that start at the same time look at what was interrupted, when nothing of it can be on its way any more.
fn settle(hand: &Hand) {
    fn later() -> jiff::Timestamp {
        jiff::Timestamp::now() + jiff::SignedDuration::from_mins(2)
    }
    loop {
        let one = || interrupted::settle(&hand.cluster, &hand.recorder, later);
        let (here, there) = RUNTIME.block_on(async { tokio::join!(one(), one()) });
        let (here, there) = (here.expect("a look"), there.expect("a look"));
        for one in here.iter().chain(&there) {
            assert!(one.outcome.is_ok(), "{one:?}");
        }
        if here.is_empty() && there.is_empty() {
            return;
        }
    }
}

/// How often each id stands in a line of this event.
fn lines_of(recorder: &Recorder, event: &str) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(recorder.path()).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("a whole line");
        if line["event"] == event {
            *counts
                .entry(line["id"].as_str().expect("an id").to_owned())
                .or_default() += 1;
        }
    }
    counts
}

/// A Deployment with two revisions and no pod, which every round uses once.
fn fresh(plane: &ControlPlane, namespace: &str, name: &str) -> Service {
    let service = Service::new(namespace, name).replicas(0);
    service.create(plane, "1.0");
    wait_revision(plane, &service, "1");
    service.set_image(plane, "2.0");
    service
}

fn wait_revision(plane: &ControlPlane, service: &Service, number: &str) {
    wait::until(&format!("revision {number} of {}", service.name), || {
        let object = service.read(plane);
        let revision = &object["metadata"]["annotations"]["deployment.kubernetes.io/revision"];
        (revision == number
            && object["status"]["observedGeneration"] == object["metadata"]["generation"])
            .then_some(())
    });
}

/// What is on the object itself: the one thing that cannot be wrong about it.
fn is_applied(action: &Action, object: &Value) -> bool {
    match action.sending.verb.as_str() {
        "pause" => object["spec"]["paused"] == true,
        "resume" => object["spec"]["paused"] != true,
        _ => {
            let note = object["metadata"]["annotations"]["rolldeck.dev/action"].as_str();
            let note = note.map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
            note.is_some_and(|note| note["id"] == action.sending.id)
        }
    }
}

/// Record and cluster say the same of an action that nobody else came near; how it stands, for the figures.
fn agree(action: &Action, object: &Value) -> String {
    let applied = is_applied(action, object);
    let stands = action.stands();
    let told = match stands {
        Stands::Verified
        | Stands::NotVerified
        | Stands::Accepted
        | Stands::Interrupted(Became::Applied) => Some(true),
        Stands::Refused | Stands::NotBegun | Stands::Interrupted(Became::NotApplied) => Some(false),
        Stands::Interrupted(Became::Unknown) | Stands::Unknown | Stands::Sent => None,
    };
    assert_eq!(told, Some(applied), "{action:#?}\n{:#}", object["metadata"]);
    assert_eq!(object["metadata"]["uid"], *action.sending.uid);
    format!("{stands:?}")
}

fn count(into: &mut BTreeMap<String, usize>, what: impl Into<String>) {
    *into.entry(what.into()).or_default() += 1;
}
