//! An API server in memory: it lists and reads the objects it is given, and answers as a test decides otherwise.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::MissedTickBehavior;

use super::api::RUNTIME;
use super::keeper::write;

/// Little waits on this side of a connection: what is counted as taken is taken by the other one. In bytes.
const BUFFER: u16 = 16 << 10;

/// Something other than what the objects say.
#[derive(Debug, Clone)]
pub enum Reply {
    Json(u16, Value),
    /// A refusal that repeats what logged in.
    Echo(u16),
    /// Not even a head.
    Hang,
    /// A log that is followed.
    Log(Flood),
}

fn listener() -> std::io::Result<TcpListener> {
    let _registers_there = RUNTIME.enter();
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(BUFFER.into())?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    socket.listen(1_024)
}

/// Lines of about a hundred bytes.
#[derive(Debug, Clone)]
pub struct Flood {
    /// So many each time, a fiftieth of a second apart; 0: all at once.
    pub each: u64,
    /// After so many it is silent.
    pub lines: u64,
    /// Lines that were taken so far.
    pub taken: Arc<AtomicU64>,
}

impl Flood {
    /// As fast as they are taken, or that many a second while the other side keeps up.
    fn pieces(self) -> impl futures::Stream<Item = Result<Frame<Bytes>, Infallible>> {
        let Self { each, lines, taken } = self;
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        stream::unfold((0, pace), move |(from, mut pace)| {
            let taken = Arc::clone(&taken);
            async move {
                if from == lines {
                    std::future::pending::<()>().await;
                }
                if each > 0 {
                    pace.tick().await;
                }
                let to = lines.min(from + if each > 0 { each } else { 1_000 });
                taken.fetch_add(to - from, Ordering::Relaxed);
                let frame = Frame::data(lines_of(from..to));
                Some((Ok(frame), (to, pace)))
            }
        })
    }
}

fn lines_of(numbers: std::ops::Range<u64>) -> Bytes {
    use std::fmt::Write as _;
    let at = jiff::Timestamp::now();
    let mut text = String::new();
    for number in numbers {
        let _ = writeln!(
            text,
            "{at} {number:09} GET /checkout/cart/items 200 in 12 ms, as every other line of it"
        );
    }
    text.into()
}

type Decide = dyn Fn(&str, &str) -> Option<Reply> + Send + Sync;
type Body = UnsyncBoxBody<Bytes, Infallible>;

pub struct Fake {
    port: u16,
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct World {
    objects: Arc<Vec<Value>>,
    decide: Arc<Decide>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// `decide` sees method and uri first; `None` leaves it to the objects.
    pub fn start(
        objects: Vec<Value>,
        decide: impl Fn(&str, &str) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = listener().expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let world = World {
            objects: Arc::new(objects),
            decide: Arc::new(decide),
            asked: Arc::clone(&asked),
        };
        let task = RUNTIME.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let world = world.clone();
                let service = hyper::service::service_fn(move |r| answer(world.clone(), r));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .max_buf_size(BUFFER.into())
                        .serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            port,
            folder,
            asked,
            task,
        }
    }

    /// Only the objects.
    pub fn of(objects: Vec<Value>) -> Self {
        Self::start(objects, |_, _| None)
    }

    /// Its context is `staging`, the namespace `shop`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_as(&json!({}))
    }

    /// The same for a user with these credentials.
    pub fn kubeconfig_as(&self, user: &Value) -> PathBuf {
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "staging",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://127.0.0.1:{}", self.port)}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "staging", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        });
        let path = self.folder.path().join("kubeconfig");
        write(&path, &text.to_string());
        path
    }

    /// Method and uri of every request so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(world: World, request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    let method = request.method().to_string();
    let uri = request.uri().to_string();
    let kept = format!("{method} {uri}");
    world.asked.lock().expect("no panic").push(kept);
    let login = request.headers().get("authorization").cloned();
    let body = request.into_body().collect().await?.to_bytes();
    let reply = (world.decide)(&method, &uri);
    let (status, value) = match reply.unwrap_or_else(|| world.reply(&method, &uri, &body)) {
        Reply::Json(status, value) => (status, value),
        Reply::Echo(status) => {
            let login = login.as_ref().and_then(|login| login.to_str().ok());
            let words = format!("the API server heard {}", login.unwrap_or("nobody"));
            match refused(status, &words) {
                Reply::Json(status, value) => (status, value),
                _ => unreachable!(),
            }
        }
        Reply::Hang => std::future::pending().await,
        Reply::Log(flood) => {
            let body = UnsyncBoxBody::new(StreamBody::new(flood.pieces()));
            return Ok(Response::new(body));
        }
    };
    let body = if uri.contains("watch=") && status == 200 {
        UnsyncBoxBody::new(StreamBody::new(stream::pending::<
            Result<Frame<Bytes>, Infallible>,
        >()))
    } else {
        UnsyncBoxBody::new(Full::new(Bytes::from(value.to_string())))
    };
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    Ok(response.body(body).expect("a response"))
}

impl World {
    fn reply(&self, method: &str, uri: &str, body: &[u8]) -> Reply {
        let path = uri.split('?').next().unwrap_or(uri);
        if path == "/version" {
            return Reply::Json(200, json!({"gitVersion": "v1.36.3"}));
        }
        if method == "POST" {
            let mut review: Value = serde_json::from_slice(body).unwrap_or_default();
            review["status"] = json!({"allowed": true, "userInfo": {"username": "oncall"}});
            return Reply::Json(201, review);
        }
        let words: Vec<&str> = path.trim_matches('/').split('/').collect();
        let names = if words[0] == "api" { 2 } else { 3 };
        match words.get(names..).unwrap_or_default() {
            ["namespaces", namespace, kind] => self.list(kind, Some(namespace)),
            ["namespaces", namespace, kind, name] => {
                let mut reply = self.read(kind, namespace, name);
                if let (Reply::Json(200, object), "PATCH") = (&mut reply, method) {
                    // Accepted; the watches never tell, so nobody sees it happen.
                    object["metadata"]["generation"] = json!(4);
                }
                reply
            }
            ["namespaces", name] => {
                let metadata = json!({"name": name, "uid": "u-1"});
                Reply::Json(200, json!({"metadata": metadata}))
            }
            [kind] => self.list(kind, None),
            _ => refused(404, "there is no such path"),
        }
    }

    fn list(&self, plural: &str, namespace: Option<&str>) -> Reply {
        let fits = |object: &&Value| {
            of_kind(object, plural)
                && namespace.is_none_or(|name| object["metadata"]["namespace"] == name)
        };
        let items: Vec<_> = self.objects.iter().filter(fits).collect();
        Reply::Json(
            200,
            json!({"metadata": {"resourceVersion": "10"}, "items": items}),
        )
    }

    fn read(&self, plural: &str, namespace: &str, name: &str) -> Reply {
        let found = self.objects.iter().find(|object| {
            let metadata = &object["metadata"];
            of_kind(object, plural)
                && metadata["namespace"] == namespace
                && metadata["name"] == name
        });
        match found {
            Some(object) => Reply::Json(200, object.clone()),
            None => refused(404, "not found"),
        }
    }
}

fn of_kind(object: &Value, plural: &str) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    format!("{}s", kind.to_lowercase()) == plural
}

/// A Status, as the API server words a refusal.
pub fn refused(status: u16, message: &str) -> Reply {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
        "message": message});
    Reply::Json(status, body)
}

/// A Deployment in `shop` that serves `tag` with two pods' worth of counts, and the ReplicaSets of its tags,
/// oldest first.
pub fn deployment(name: &str, tags: &[&str]) -> Vec<Value> {
    let template = |tag: &str| {
        json!({
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "app", "image": format!("registry.test/shop/{name}:{tag}")}]},
        })
    };
    let current = tags.last().expect("a tag");
    let uid = format!("uid-{name}");
    let mut objects = vec![json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "generation": 3, "resourceVersion": "5",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"deployment.kubernetes.io/revision": tags.len().to_string()}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template(current)},
        "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
            "availableReplicas": 2, "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]},
    })];
    for (at, tag) in tags.iter().enumerate() {
        let hash = format!("hash{at}");
        let serves = u32::from(tag == current) * 2;
        let mut template = template(tag);
        template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
        objects.push(json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": format!("{name}-{hash}"), "namespace": "shop", "uid": format!("{uid}-{at}"),
                "resourceVersion": "4", "creationTimestamp": format!("2026-01-0{}T00:00:00Z", at + 1),
                "labels": {"app": name, "pod-template-hash": hash},
                "annotations": {"deployment.kubernetes.io/revision": (at + 1).to_string()},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": uid,
                    "controller": true}]},
            "spec": {"replicas": serves, "selector": {"matchLabels": {"app": name, "pod-template-hash": hash}},
                "template": template},
            "status": {"replicas": serves, "readyReplicas": serves, "availableReplicas": serves},
        }));
    }
    objects
}

/// The same as an Argo Rollout, which waits after its first step: its last tag is the canary of the one before.
pub fn rollout(name: &str, tags: &[&str]) -> Vec<Value> {
    let number = "rollout.argoproj.io/revision";
    let mut objects = deployment(name, tags);
    for object in &mut objects {
        let metadata = &mut object["metadata"];
        metadata["annotations"][number] =
            metadata["annotations"]["deployment.kubernetes.io/revision"].clone();
        if let Some(hash) = metadata["labels"].get("pod-template-hash").cloned() {
            metadata["labels"]["rollouts-pod-template-hash"] = hash;
            metadata["ownerReferences"][0]["kind"] = json!("Rollout");
        }
    }
    let rollout = &mut objects[0];
    rollout["apiVersion"] = json!("argoproj.io/v1alpha1");
    rollout["kind"] = json!("Rollout");
    rollout["spec"]["strategy"] = json!({"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}});
    let hash = |back: usize| format!("hash{}", tags.len() - back);
    let status = &mut rollout["status"];
    status["observedGeneration"] = json!("3");
    status["phase"] = json!("Paused");
    status["stableRS"] = json!(hash(2));
    status["currentPodHash"] = json!(hash(1));
    status["currentStepIndex"] = json!(1);
    status["controllerPause"] = json!(true);
    status["pauseConditions"] =
        json!([{"reason": "CanaryPauseStep", "startTime": "2026-01-02T00:00:00Z"}]);
    objects
}

/// So many running pods of what [`deployment`] made, of its only revision.
pub fn pods(name: &str, count: usize) -> Vec<Value> {
    let pod = |at: usize| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("{name}-hash0-p{at:02}"), "namespace": "shop", "uid": format!("pod-{at}"),
                "resourceVersion": "6", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"app": name, "pod-template-hash": "hash0"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-hash0"),
                    "uid": format!("uid-{name}-0"), "controller": true}]},
            "spec": {"containers": [{"name": "app", "image": format!("registry.test/shop/{name}:1")}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "app", "ready": true, "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]},
        })
    };
    (0..count).map(pod).collect()
}
