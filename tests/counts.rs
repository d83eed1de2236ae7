//! What is asked of the servers before the cluster, in requests and bytes, at sizes that hurt when each costs one.
#![allow(clippy::print_stdout)] // the figures are what one runs this for

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use rolldeck::app::event::JobId;
use rolldeck::app::{Effect, Event};
use rolldeck::config::{self, Config, Jenkins, Proxy};
use rolldeck::domain::Presence;
use rolldeck::engine::Engine;
use rolldeck::sources::jenkins::{Look, Poller, connect};
use rolldeck::sources::registry::{Registries, Rounds};
use serde_json::{Value, json};

use crate::support::api::RUNTIME;
use crate::support::counter::Counter;
use crate::support::wait::DEADLINE;

/// Time that stands still: what is waited for is counted, not slept.
fn clock() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn setup() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn answer(status: u16, header: (&str, &str), body: impl Into<Bytes>) -> Response<Bytes> {
    let response = Response::builder()
        .status(status)
        .header(header.0, header.1);
    response.body(body.into()).unwrap()
}

fn say(value: &Value) -> Response<Bytes> {
    answer(200, ("x-jenkins", "2.541"), value.to_string())
}

/// The requests of the looks that fall into one minute, and their bytes.
fn minute(counter: &Counter, poller: &mut Poller, look: &Look) -> (usize, usize) {
    counter.take();
    let mut passed = Duration::ZERO;
    while passed < Duration::from_secs(60) {
        let (jobs, wait) = RUNTIME.block_on(poller.look(look));
        assert_eq!(jobs.unwrap().len(), look.jobs.len());
        passed += wait;
    }
    let (lines, bytes) = counter.take();
    (lines.len(), bytes)
}

#[test]
fn a_thousand_jobs_cost_one_request_a_look() {
    setup();
    let job = |n: u32| {
        let build = json!({"number": n, "building": n == 7, "result": if n == 7 { Value::Null } else { "SUCCESS".into() },
            "timestamp": 1_764_000_000_000_u64, "duration": 62_000, "estimatedDuration": 60_000, "queueId": n,
            "actions": [{"parameters": [{"name": "REGION", "value": "eu"}]}, {"causes": [{"shortDescription": "Started by an SCM change"}]},
                {"lastBuiltRevision": {"SHA1": "a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c"}, "remoteUrls": [format!("https://git.example/shop/s{n}")]}]});
        json!({"name": format!("s{n}"), "jobs": [{"name": "main", "buildable": true, "inQueue": false, "nextBuildNumber": n + 1,
            "lastBuild": build, "lastSuccessfulBuild": {"number": n}}]})
    };
    let jobs: Vec<_> = (0..1_000).map(job).collect();
    let jobs = json!({ "jobs": jobs });
    let counter = Counter::serve(move |_, path| {
        if path.contains("useCrumbs") {
            say(&json!({"useCrumbs": false}))
        } else {
            say(&jobs)
        }
    });
    let settings = format!("{{name: ci, url: 'http://{}/'}}", counter.host);
    let settings: Jenkins = serde_yaml::from_str(&settings).unwrap();
    let client = RUNTIME
        .block_on(connect(&settings, &Proxy::default()))
        .unwrap();
    let mut poller = Poller::new(client, 1, clock);
    let jobs: BTreeSet<Box<str>> = (0..1_000)
        .map(|n| format!("shop/s{n}/main").into())
        .collect();
    let look = |watched| Look {
        jobs: jobs.clone(),
        watched,
    };
    // One of them runs.
    let (lively, bytes) = minute(&counter, &mut poller, &look(true));
    let (calm, calm_bytes) = minute(&counter, &mut poller, &look(false));
    println!(
        "1,000 jobs, one of them running: {lively} requests and {bytes} bytes a minute while somebody looks, {calm} and {calm_bytes} else"
    );
    assert_eq!((lively, calm), (30, 4));
    assert!(bytes / lively < 1_000_000, "{bytes}");
}

/// As a registry answers: 25 tags each in 200 repositories, of which the first lost one.
fn shelves(method: &str, path: &str) -> Response<Bytes> {
    if path.contains("/tags/list") {
        let tags: Vec<_> = (1..25).map(|n| format!("1.0.{n}")).collect();
        return answer(200, ("x", "y"), json!({ "tags": tags }).to_string());
    }
    assert_eq!(method, "HEAD", "{path}");
    if path == "/v2/shop/s0/manifests/1.0.0" {
        return answer(404, ("x", "y"), "");
    }
    answer(
        200,
        (
            "docker-content-digest",
            &format!("sha256:{:064}", path.len()),
        ),
        "",
    )
}

#[test]
fn five_thousand_images_are_looked_at_one_by_one_and_not_again() {
    setup();
    let counter = Counter::serve(shelves);
    let registries = Registries::new(&config::Registries::default(), clock);
    let host = &counter.host;
    let tags = (0..25).flat_map(|n| (0..200).map(move |r| format!("{host}/shop/s{r}:1.0.{n}")));
    let wanted: Vec<Box<str>> = tags.map(Into::into).collect();
    let mut rounds = Rounds::new(clock);
    let (mut there, mut missing, mut waits) = (0, 0, Duration::ZERO);
    RUNTIME.block_on(async {
        for _ in 0..wanted.len() {
            let (looked, wait) = rounds.look(&registries, &wanted).await;
            waits += wait;
            match looked.map(|(_, presence)| presence) {
                Some(Presence::Present { .. }) => there += 1,
                Some(Presence::Missing) => missing += 1,
                other => panic!("{other:?}"),
            }
        }
        let (looked, _) = rounds.look(&registries, &wanted).await;
        assert!(looked.is_none(), "all is known");
    });
    let (lines, bytes) = counter.take();
    let asked = lines.len();
    let a_minute = 60 * asked as u64 / waits.as_secs();
    println!(
        "5,000 images in 200 repositories: {asked} requests and {bytes} bytes, at most {a_minute} a minute"
    );
    assert_eq!((there, missing), (4_999, 1));
    // The one that is missing takes a look at the tags and at another of them.
    assert_eq!(asked, 5_002);
    assert!(a_minute <= 121 && bytes < 1_000, "{a_minute} {bytes}");
}

/// 50,000 tags, a thousand a page; every manifest is the same but for its version.
fn crowded(_: &str, path: &str) -> Response<Bytes> {
    if let Some((_, query)) = path.split_once("/tags/list?") {
        let last = query
            .split("last=")
            .nth(1)
            .map_or(0, |last| last.parse().unwrap());
        let mut body = String::from("{\"tags\":[");
        for n in last..last + 1_000 {
            let comma = if n == last { "" } else { "," };
            write!(body, "{comma}\"1.0.{n}\"").unwrap();
        }
        body.push_str("]}");
        let next = format!(
            "</v2/shop/web/tags/list?n=1000&last={}>; rel=\"next\"",
            last + 1_000
        );
        let link = if last + 1_000 < 50_000 {
            next.as_str()
        } else {
            ""
        };
        return answer(200, ("link", link), body);
    }
    answer(404, ("x", "y"), "")
}

#[test]
fn fifty_thousand_tags_are_read_page_by_page_and_come_in_order() {
    setup();
    let counter = Counter::serve(crowded);
    let image: Box<str> = format!("{}/shop/web:1.0.7", counter.host).into();
    let (engine, mut news) = RUNTIME.block_on(async { Engine::start(Config::default()) });
    let tags = RUNTIME.block_on(async {
        engine.run(Effect::ListTags {
            job: JobId(1),
            image,
        });
        let listing = async {
            loop {
                if let Some(Event::TagsListed { outcome, .. }) = news.recv().await {
                    return outcome.unwrap();
                }
            }
        };
        tokio::time::timeout(DEADLINE, listing).await.unwrap()
    });
    let (lines, bytes) = counter.take();
    println!(
        "50,000 tags: {} requests and {bytes} bytes to list them",
        lines.len()
    );
    assert_eq!((tags.names.len(), tags.whole), (50_000, true));
    assert_eq!(
        (&*tags.names[0], &*tags.names[49_999]),
        ("1.0.49999", "1.0.0")
    );
    assert_eq!(lines.len(), 50);
    assert!(bytes < 700_000, "{bytes}");
    RUNTIME.block_on(async { drop(engine) });
}
