//! The engine against an API server in memory.

use std::collections::BTreeMap;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rolldeck::app::effect::{LogStream, LogWish};
use rolldeck::app::event::{JobId, LogNews};
use rolldeck::app::{Effect, Event};
use rolldeck::config::{Config, Connection as Settings};
use rolldeck::domain::{Change, Connection, Feed, Kind, LogLine, SourceId, Update, WorkloadId};
use rolldeck::engine::Engine;
use tokio::sync::mpsc::Receiver;

use crate::support::api::RUNTIME;
use crate::support::fake::{Fake, Flood, Reply, deployment};
use crate::support::wait::DEADLINE;

fn start(fake: &Fake) -> (Engine, Receiver<Event>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config {
        connection: Settings {
            kubeconfig: Some(fake.kubeconfig()),
            ..Settings::default()
        },
        ..Config::default()
    };
    let (engine, news) = Engine::start(config);
    engine.run(Effect::Connect {
        clusters: vec!["staging".into()],
    });
    (engine, news)
}

async fn until(news: &mut Receiver<Event>, what: &str, is: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut seen = Vec::new();
    let waiting = async {
        while let Some(event) = news.recv().await {
            let found = is(&event);
            seen.push(event);
            if found {
                return;
            }
        }
    };
    let ended = tokio::time::timeout(DEADLINE, waiting).await;
    assert!(ended.is_ok(), "waited in vain for {what}: {seen:?}");
    seen
}

fn who_it_is(uri: &str) -> bool {
    uri == "/version" || uri.contains("kube-system") || uri.contains("selfsubjectreviews")
}

fn row(event: &Event) -> bool {
    let put = |update: &Update| matches!(update, Update::Change(Change::Put(_)));
    matches!(event, Event::Fed { updates, .. } if updates.iter().any(put))
}

fn deployments() -> Effect {
    Effect::Watch {
        epochs: BTreeMap::new(),
        wanted: vec![SourceId {
            cluster: "staging".into(),
            namespace: Some("shop".into()),
            feed: Feed::Workloads(Kind::Deployment),
        }],
    }
}

#[test]
fn rows_come_although_the_cluster_never_says_who_it_is() {
    let fake = Fake::start(deployment("checkout", &["1", "2"]), |_, uri| {
        who_it_is(uri).then_some(Reply::Hang)
    });
    RUNTIME.block_on(async {
        let (engine, mut news) = start(&fake);
        engine.run(deployments());
        let seen = until(&mut news, "a row", row).await;
        let connected = seen.iter().find_map(|event| match event {
            Event::Connection {
                state: Connection::Connected(identity),
                ..
            } => Some(identity.clone()),
            _ => None,
        });
        let identity = connected.expect("connected before the first row");
        assert_eq!(identity.namespace.as_deref(), Some("shop"));
        assert_eq!(identity.user, None);
    });
}

#[test]
fn the_rest_of_the_identity_follows() {
    let fake = Fake::of(deployment("checkout", &["1"]));
    RUNTIME.block_on(async {
        let (_engine, mut news) = start(&fake);
        let named = |event: &Event| {
            matches!(event, Event::Connection { state: Connection::Connected(identity), .. }
                if identity.user.as_deref() == Some("oncall") && &*identity.version == "v1.36.3")
        };
        until(&mut news, "version and user", named).await;
    });
}

#[test]
fn a_name_that_comes_late_opens_no_feed_again() {
    let fake = Fake::of(deployment("checkout", &["1"]));
    RUNTIME.block_on(async {
        let (engine, mut news) = start(&fake);
        engine.run(deployments());
        until(&mut news, "a row", row).await;
    });
    let lists = fake.asked();
    let lists = lists.iter().filter(|asked| asked.contains("limit="));
    assert_eq!(lists.count(), 1);
}

/// Fifty logs that come all at once, while nobody takes the news.
#[test]
fn a_log_that_nobody_reads_is_bounded_and_what_was_dropped_is_counted() {
    const STREAMS: u32 = 50;
    const LINES: u64 = 20_000;
    let taken = Arc::new(AtomicU64::new(0));
    let flood = Flood {
        each: 0,
        lines: LINES,
        taken: Arc::clone(&taken),
    };
    let fake = Fake::start(deployment("checkout", &["1"]), move |_, uri| {
        uri.contains("/log?").then(|| Reply::Log(flood.clone()))
    });
    let stream = |id| LogStream {
        id,
        pod: format!("checkout-{id}").into(),
        container: "app".into(),
        restarts: 0,
        runs: true,
    };
    let wish = LogWish {
        workload: WorkloadId {
            cluster: "staging".into(),
            namespace: "shop".into(),
            kind: Kind::Deployment,
            name: "checkout".into(),
        },
        previous: false,
        tail: 1_000,
        since: None,
        streams: (0..STREAMS).map(stream).collect(),
    };
    let all = u64::from(STREAMS) * LINES;
    RUNTIME.block_on(async {
        let (engine, mut news) = start(&fake);
        let who = |event: &Event| {
            matches!(event, Event::Connection { state: Connection::Connected(identity), .. }
                if identity.user.is_some())
        };
        until(&mut news, "the connection", who).await;
        let job = JobId(1);
        engine.run(Effect::StreamLogs { job, wish });
        while taken.load(Ordering::Relaxed) < all {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(news.len() <= 2, "{} batches wait", news.len());
        let (mut seen, mut lost) = (0, 0);
        while seen + lost < all {
            let is_log = |event: &Event| matches!(event, Event::Logged { .. });
            let event = until(&mut news, "the log", is_log).await.pop();
            let Some(Event::Logged {
                news: LogNews::Lines { lines, unseen },
                ..
            }) = event
            else {
                panic!("{event:?}")
            };
            let bytes: usize = lines.iter().map(LogLine::bytes).sum();
            assert!(bytes <= 4 << 20, "{bytes}");
            seen += lines.len() as u64;
            lost += unseen as u64;
        }
        assert_eq!(seen + lost, all);
        assert!(lost > all / 2, "{lost} of {all}");
    });
}
