//! Requests to the embedded API server, answered in memory.
#![allow(clippy::needless_pass_by_value)] // a body is written where it is sent

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderName};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::kind::{CONFIG_MAPS, NAMESPACES, PODS};
use super::object::{Key, set};
use super::query::Query;
use super::refusal::Refusal;
use super::route::{Rights, User};
use super::server::{self, Api, Call};
use super::write::Write;
use crate::demo::cluster::Cluster;

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";
const MERGE: &str = "application/merge-patch+json";

/// A cluster with a namespace, as one user sees it.
#[derive(Clone)]
struct Client(Arc<Api>);

impl Client {
    /// `window`: how many changes it remembers.
    fn new(window: usize) -> Self {
        let cluster = Arc::new(Cluster::new(1, 1, window));
        let by = Write::by("test", cluster.clock.now());
        let shop = json!({"metadata": {"name": "shop"}});
        cluster.store.create(&NAMESPACES, shop, &by).unwrap();
        Self::of(cluster, Rights::All)
    }

    fn of(cluster: Arc<Cluster>, rights: Rights) -> Self {
        let name = "somebody".to_owned();
        let user = User { name, rights };
        Self(Arc::new(Api { cluster, user }))
    }

    fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    fn call(&self, method: Method, target: &str, kind: &str, body: &Value) -> Call {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        Call {
            api: Arc::clone(&self.0),
            method,
            path: path.to_owned(),
            query: Query::parse(query),
            headers,
            body,
        }
    }

    fn ask(&self, method: Method, target: &str, body: Value) -> Result<Value, Refusal> {
        let kind = match method {
            Method::PATCH => MERGE,
            _ => "application/json",
        };
        match server::answer(&self.call(method, target, kind, &body))? {
            Answer::Json(_, text) => Ok(serde_json::from_str(&text).unwrap()),
            Answer::Whole(..) | Answer::Stream(..) => panic!("{target} is no JSON"),
        }
    }

    fn get(&self, target: &str) -> Result<Value, Refusal> {
        self.ask(Method::GET, target, Value::Null)
    }

    fn map(&self, name: &str, labels: Value) -> Value {
        let map = json!({"metadata": {"name": name, "labels": labels}});
        self.ask(Method::POST, MAPS, map).unwrap()
    }

    fn change(&self, name: &str, change: Value) {
        self.ask(Method::PATCH, &format!("{MAPS}/{name}"), change)
            .unwrap();
    }

    fn stream(&self, target: &str) -> BoxStream<'static, Bytes> {
        match server::answer(&self.call(Method::GET, target, "", &Value::Null)) {
            Ok(Answer::Stream(_, pieces)) => pieces,
            _ => panic!("{target} is no stream"),
        }
    }
}

fn version(value: &Value) -> &str {
    value["metadata"]["resourceVersion"].as_str().unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

/// The type and the name, or the message, of each line.
async fn lines(pieces: BoxStream<'static, Bytes>) -> Vec<String> {
    let bytes: Vec<_> = pieces.collect().await;
    let text = bytes.concat();
    let lines = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
    lines
        .map(|line| {
            let line = line.unwrap();
            let (metadata, message) = (&line["object"]["metadata"], &line["object"]["message"]);
            let what = metadata["name"].as_str().or(message.as_str());
            format!(
                "{} {}",
                line["type"].as_str().unwrap(),
                what.unwrap_or_else(|| version(&line["object"]))
            )
        })
        .collect()
}

#[test]
fn pages_are_of_one_version_until_it_is_forgotten() {
    let client = Client::new(3);
    for name in ["a", "b", "c", "d"] {
        client.map(name, json!({}));
    }
    let first = client.get(&format!("{MAPS}?limit=2")).unwrap();
    assert_eq!(
        (names(&first), &first["metadata"]["remainingItemCount"]),
        (vec!["a", "b"], &json!(2))
    );
    let next = first["metadata"]["continue"].as_str().unwrap();
    let next = format!("{MAPS}?limit=2&continue={next}");
    client
        .ask(Method::DELETE, &format!("{MAPS}/c"), Value::Null)
        .unwrap();
    client.map("e", json!({}));
    let second = client.get(&next).unwrap();
    assert_eq!(
        (names(&second), version(&second)),
        (vec!["c", "d"], version(&first))
    );
    assert_eq!(second["metadata"]["continue"], Value::Null);
    for label in ["1", "2", "3"] {
        client.change("a", json!({"metadata": {"labels": {"x": label}}}));
    }
    let expired = client.get(&next).unwrap_err();
    assert_eq!(expired.code(), 410);
    let status = expired.status();
    let anyway = status["metadata"]["continue"].as_str().unwrap();
    let rest = client.get(&format!("{MAPS}?continue={anyway}")).unwrap();
    assert_eq!(names(&rest), ["d", "e"], "the rest as it is now");
}

#[tokio::test(start_paused = true)]
async fn what_comes_into_a_selection_is_added_and_what_leaves_it_deleted() {
    let client = Client::new(100);
    let start = client.map("a", json!({"on": "1"}));
    client.change("a", json!({"data": {"k": "v"}}));
    client.change("a", json!({"metadata": {"labels": {"on": "0"}}}));
    client.change("a", json!({"data": {"k": "unseen"}}));
    client.change("a", json!({"metadata": {"labels": {"on": "1"}}}));
    client.map("b", json!({}));
    client
        .ask(Method::DELETE, &format!("{MAPS}/a"), Value::Null)
        .unwrap();
    let from = version(&start);
    let watch = format!("{MAPS}?watch=1&timeoutSeconds=5&resourceVersion={from}");
    let told = lines(client.stream(&format!("{watch}&labelSelector=on=1"))).await;
    assert_eq!(told, ["MODIFIED a", "DELETED a", "ADDED a", "DELETED a"]);
    let told = lines(client.stream(&format!("{watch}&fieldSelector=metadata.name=b"))).await;
    assert_eq!(told, ["ADDED b"]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_is_bookmarked_each_minute_and_before_its_end() {
    let client = Client::new(100);
    let now = client.map("a", json!({}));
    let watch = format!(
        "{MAPS}?watch=1&timeoutSeconds=150&resourceVersion={}",
        version(&now)
    );
    let mark = format!("BOOKMARK {}", version(&now));
    let marked = lines(client.stream(&format!("{watch}&allowWatchBookmarks=true"))).await;
    assert_eq!(marked, [&*mark, &mark, &mark]);
    assert_eq!(lines(client.stream(&watch)).await, Vec::<String>::new());
    let all = format!(
        "{MAPS}?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    );
    assert_eq!(lines(client.stream(&all)).await, ["ADDED a", &*mark]);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_version_ends_a_watch_with_an_error() {
    let client = Client::new(2);
    let start = client.map("a", json!({}));
    let watch = format!(
        "{MAPS}?watch=1&timeoutSeconds=5&resourceVersion={}",
        version(&start)
    );
    let mut late = client.stream(&watch);
    client.change("a", json!({"data": {"k": "0"}}));
    let first = late.next().await.unwrap();
    assert!(first.starts_with(br#"{"type":"MODIFIED""#));
    for value in ["1", "2", "3"] {
        client.change("a", json!({"data": {"k": value}}));
    }
    let oldest = client.cluster().store.version() - 2;
    for (stream, from) in [(client.stream(&watch), 0), (late, 1)] {
        let from = version(&start).parse::<u64>().unwrap() + from;
        let want = format!("ERROR too old resource version: {from} ({oldest})");
        assert_eq!(lines(stream).await, [want]);
    }
}

#[test]
fn a_pod_on_a_node_is_given_its_grace() {
    let client = Client::new(100);
    let pods = "/api/v1/namespaces/shop/pods";
    let pod = json!({"metadata": {"name": "web"}, "spec": {"nodeName": "node-1", "containers": [{"name": "a", "image": "b"}]}});
    client.ask(Method::POST, pods, pod).unwrap();
    let web = format!("{pods}/web");
    let other = json!({"preconditions": {"uid": "other"}});
    assert_eq!(
        client.ask(Method::DELETE, &web, other).unwrap_err().code(),
        409
    );
    let going = client.ask(Method::DELETE, &web, Value::Null).unwrap();
    let metadata = &going["metadata"];
    assert!(metadata["deletionTimestamp"].is_string());
    assert_eq!(
        (
            &metadata["deletionGracePeriodSeconds"],
            &metadata["generation"]
        ),
        (&json!(30), &json!(2))
    );
    client
        .ask(
            Method::PATCH,
            &web,
            json!({"metadata": {"deletionTimestamp": null}}),
        )
        .unwrap();
    let still = client.get(&web).unwrap();
    assert_eq!(
        still["metadata"]["deletionTimestamp"],
        metadata["deletionTimestamp"]
    );
    client
        .ask(Method::DELETE, &web, json!({"gracePeriodSeconds": 0}))
        .unwrap();
    assert_eq!(client.get(&web).unwrap_err().code(), 404);
}

#[test]
fn what_has_a_finalizer_waits_for_it() {
    let client = Client::new(100);
    client.map("a", json!({}));
    client.change("a", json!({"metadata": {"finalizers": ["example.com/x"]}}));
    let path = format!("{MAPS}/a");
    client.ask(Method::DELETE, &path, Value::Null).unwrap();
    assert!(client.get(&path).unwrap()["metadata"]["deletionTimestamp"].is_string());
    client.change("a", json!({"metadata": {"finalizers": null}}));
    assert_eq!(client.get(&path).unwrap_err().code(), 404);
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let client = Client::new(100);
    client.map("a", json!({}));
    let before = client.cluster().store.version();
    let all = |path: &str| format!("{MAPS}{path}?dryRun=All");
    let made = client.ask(
        Method::POST,
        &all(""),
        json!({"metadata": {"generateName": "x-"}}),
    );
    assert!(
        made.unwrap()["metadata"]["name"]
            .as_str()
            .unwrap()
            .starts_with("x-")
    );
    let changed = client
        .ask(Method::PATCH, &all("/a"), json!({"data": {"k": "v"}}))
        .unwrap();
    assert_eq!(changed["data"]["k"], "v");
    client.ask(Method::DELETE, &all("/a"), Value::Null).unwrap();
    assert_eq!(client.cluster().store.version(), before);
}

#[test]
fn the_reader_may_read_and_ask_what_it_may() {
    let client = Client::new(100);
    let reader = Client::of(Arc::clone(&client.0.cluster), Rights::Read);
    assert_eq!(reader.get(MAPS).unwrap()["items"], json!([]));
    let refused = reader.ask(Method::POST, MAPS, json!({"metadata": {"name": "a"}}));
    assert_eq!(refused.unwrap_err().code(), 403);
    let asks = |client: &Client, verb: &str| {
        let asked = json!({"spec": {"resourceAttributes": {"verb": verb, "resource": "pods"}}});
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        client.ask(Method::POST, path, asked).unwrap()["status"]["allowed"] == true
    };
    assert!(asks(&reader, "list") && !asks(&reader, "patch") && asks(&client, "patch"));
}

#[tokio::test]
async fn a_log_is_followed_to_the_end_of_its_run() {
    let client = Client::new(100);
    let cluster = client.cluster();
    let pod = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
        "spec": {"nodeName": "node-1", "containers": [{"name": "a", "image": "b"}]},
        "status": {"containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}}]},
    });
    cluster.store.plant(&PODS, pod);
    let log = "/api/v1/namespaces/shop/pods/web/log";
    let why = |target: &str| client.get(target).unwrap_err().status()["message"].clone();
    assert_eq!(
        why(log),
        r#"container "a" in pod "web" is waiting to start: ContainerCreating"#
    );
    assert_eq!(
        why(&format!("{log}?container=x")),
        "container x is not valid for pod web"
    );
    let become_ = |state: Value| {
        let by = Write::by("kubelet", cluster.clock.now()).status();
        let key = Key::new(&PODS, "shop", "web");
        let change = |pod: &mut Value| {
            set(
                pod,
                &["status", "containerStatuses"],
                json!([{"name": "a", "state": state}]),
            );
            Ok(())
        };
        cluster.store.update(&key, &by, change).unwrap();
    };
    cluster.logs.start("u1", "a");
    let write = |text: &str| cluster.logs.append("u1", "a", cluster.clock.now(), text);
    write("one");
    write("two");
    become_(json!({"running": {}}));
    assert_eq!(
        why(&format!("{log}?previous=true")),
        r#"previous terminated container "a" in pod "web" not found"#
    );
    let mut followed = client.stream(&format!("{log}?follow=true&tailLines=1"));
    assert_eq!(followed.next().await.unwrap(), "two\n");
    write("three");
    assert_eq!(followed.next().await.unwrap(), "three\n");
    write("four");
    become_(json!({"terminated": {"exitCode": 1}}));
    assert_eq!(followed.next().await.unwrap(), "four\n");
    assert_eq!(followed.next().await, None);
    let cut: Vec<_> = client
        .stream(&format!("{log}?limitBytes=5"))
        .collect()
        .await;
    assert_eq!(cut.concat(), b"one\nt");
}

#[tokio::test]
async fn large_answers_are_compressed_for_who_takes_it() {
    let client = Client::new(100);
    let data = json!({"metadata": {"name": "big"}, "data": {"k": "x".repeat(200_000)}});
    client.ask(Method::POST, MAPS, data).unwrap();
    let at = client.cluster().clock.now();
    let answered = |target: &str, accepted: &str| {
        let call = client.call(Method::GET, target, "", &Value::Null);
        let mut asked = HeaderMap::new();
        asked.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
        answer::response(server::answer(&call).unwrap(), &asked, at)
    };
    let header = |name: HeaderName, response: &http::Response<_>| {
        let headers: &HeaderMap = response.headers();
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let big = answered(MAPS, "gzip, deflate");
    assert_eq!(header(CONTENT_ENCODING, &big).as_deref(), Some("gzip"));
    assert!(header(DATE, &big).unwrap().ends_with(" GMT"));
    let bytes = big.into_body().collect().await.unwrap().to_bytes();
    assert!(bytes.len() < 10_000 && bytes.starts_with(&[0x1f, 0x8b]));
    for (target, accepted) in [(MAPS, "identity"), ("/version", "gzip")] {
        let plain = answered(target, accepted);
        assert_eq!(header(CONTENT_ENCODING, &plain), None, "{target}");
    }
}

#[tokio::test]
async fn it_listens_and_ends_with_its_task() {
    let client = Client::new(100);
    let user = client.0.user.clone();
    let (address, task) = server::serve(Arc::clone(&client.0.cluster), user)
        .await
        .unwrap();
    let ask = || async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut socket = tokio::net::TcpStream::connect(address).await?;
        socket
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await?;
        let mut text = String::new();
        socket.read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(text)
    };
    let text = ask().await.unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200 OK") && text.ends_with("ok"),
        "{text}"
    );
    assert_eq!(&*client.cluster().audit.all()[0].target, "/healthz");
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(ask().await.is_err());
}

#[test]
fn hostile_bodies_are_refused_and_break_nothing() {
    let client = Client::new(100);
    let deployments = "/apis/apps/v1/namespaces/shop/deployments";
    for part in [
        json!("x"),
        json!([]),
        json!(7),
        json!({"template": 1}),
        json!({"template": {"spec": []}}),
    ] {
        let body = json!({"metadata": {"name": "web"}, "spec": part});
        let refusal = client.ask(Method::POST, deployments, body).unwrap_err();
        assert!([400, 422].contains(&refusal.code()), "{part}");
    }
    client.map("a", json!({}));
    for change in [
        json!({"metadata": 1}),
        json!({"metadata": null}),
        json!({"kind": "Pod"}),
    ] {
        let refusal = client.ask(Method::PATCH, &format!("{MAPS}/a"), change.clone());
        assert!(
            [400, 422].contains(&refusal.unwrap_err().code()),
            "{change}"
        );
    }
    let key = Key::new(&CONFIG_MAPS, "shop", "a");
    assert!(client.cluster().store.get(&key).is_some());
}
