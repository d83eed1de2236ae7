//! A proxy in front of the API server that tests use to do something between two requests, or to spoil an answer.
//! It speaks plain HTTP to the program and uses the administrator's certificate towards the server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::json;

use super::api::RUNTIME;
use super::control_plane::ControlPlane;
use super::keeper::write;

/// What a test knows of a request when it decides.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// Empty without a body.
    pub content_type: String,
    pub user_agent: String,
}

impl Seen {
    /// A write that is meant.
    pub fn real_patch(&self) -> bool {
        self.method == "PATCH" && !self.uri.contains("dryRun=")
    }

    pub fn watch(&self) -> bool {
        self.uri.contains("watch=")
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Forward,
    /// The answer's body breaks off after so many bytes.
    Cut(usize),
    /// Forwarded, but its answer never comes back.
    Lose,
    /// Never answered and never forwarded.
    Hang,
    Answer(u16),
}

type Decide = dyn Fn(&Seen) -> Fate + Send + Sync;
type Body = UnsyncBoxBody<Bytes, std::io::Error>;

pub struct Proxy {
    address: SocketAddr,
    muted: watch::Sender<bool>,
    folder: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// `decide` is called before each request goes on, on a thread where it may block and use the API itself.
    pub fn start(
        plane: &ControlPlane,
        decide: impl Fn(&Seen) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let client = plane.admin().client();
        let decide: Arc<Decide> = Arc::new(decide);
        let listener = RUNTIME
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (muted, hears) = watch::channel(false);
        let task = RUNTIME.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let way = Way {
                    client: client.clone(),
                    decide: Arc::clone(&decide),
                    muted: hears.clone(),
                };
                let service =
                    hyper::service::service_fn(move |request| answer(way.clone(), request));
                let serve = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), service);
                tokio::spawn(serve);
            }
        });
        Self {
            address,
            muted,
            folder: plane.folder().to_owned(),
            task,
        }
    }

    /// What watches say is held back until this is called with `false`: whoever watches sees the past.
    pub fn mute(&self, muted: bool) {
        self.muted.send_replace(muted);
    }

    /// A kubeconfig that goes through the proxy.
    pub fn kubeconfig(&self, namespace: Option<&str>) -> PathBuf {
        let mut context = json!({"cluster": "prod-eu", "user": "admin"});
        if let Some(namespace) = namespace {
            context["namespace"] = json!(namespace);
        }
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod-eu",
            "clusters": [{"name": "prod-eu", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "admin", "user": {}}],
            "contexts": [{"name": "prod-eu", "context": context}],
        });
        let path =
            Path::new(&self.folder).join(format!("proxy-{}.kubeconfig", self.address.port()));
        write(&path, &text.to_string());
        path
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Way {
    client: kube::Client,
    decide: Arc<Decide>,
    muted: watch::Receiver<bool>,
}

async fn answer(way: Way, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let header = |name| {
        let value: Option<&http::HeaderValue> = request.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let seen = Seen {
        method: request.method().to_string(),
        uri: request.uri().to_string(),
        content_type: header(http::header::CONTENT_TYPE),
        user_agent: header(http::header::USER_AGENT),
    };
    let watch = seen.watch();
    let decide = Arc::clone(&way.decide);
    let fate = tokio::task::spawn_blocking(move || decide(&seen))
        .await
        .unwrap_or(Fate::Forward);
    match fate {
        Fate::Forward => Ok(forward(&way, request, watch, usize::MAX).await),
        Fate::Cut(bytes) => Ok(forward(&way, request, watch, bytes).await),
        Fate::Lose => {
            let lost = forward(&way, request, watch, usize::MAX).await;
            let _ = lost.into_body().collect().await;
            std::future::pending().await
        }
        Fate::Hang => std::future::pending().await,
        Fate::Answer(status) => Ok(plain(status)),
    }
}

async fn forward(
    way: &Way,
    request: Request<Incoming>,
    watch: bool,
    limit: usize,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(http::header::HOST);
    let Ok(body) = body.collect().await else {
        return plain(400);
    };
    let request = Request::from_parts(parts, kube::client::Body::from(body.to_bytes().to_vec()));
    let Ok(response) = way.client.send(request).await else {
        return plain(502);
    };
    let (mut parts, body) = response.into_parts();
    // The client has unpacked it, and its length is no longer known.
    for header in [
        http::header::CONTENT_ENCODING,
        http::header::CONTENT_LENGTH,
        http::header::TRANSFER_ENCODING,
    ] {
        parts.headers.remove(header);
    }
    let mut left = limit;
    let muted = way.muted.clone();
    let frames = BodyStream::new(body)
        .then(move |frame| {
            let mut muted = muted.clone();
            async move {
                if watch {
                    let _ = muted.wait_for(|muted| !muted).await;
                }
                frame
            }
        })
        .map(move |frame| {
            let frame = frame.map_err(std::io::Error::other)?;
            let data = frame.into_data().unwrap_or_default();
            if data.len() > left {
                return Err(std::io::Error::other("cut by the test"));
            }
            left -= data.len();
            Ok(Frame::data(data))
        });
    Response::from_parts(parts, BodyExt::boxed_unsync(StreamBody::new(frames)))
}

fn plain(status: u16) -> Response<Body> {
    let status = StatusCode::from_u16(status).expect("a status");
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status.as_u16(),
        "message": "the test says no"});
    let body = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {});
    let mut response = Response::new(BodyExt::boxed_unsync(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        "content-type",
        http::HeaderValue::from_static("application/json"),
    );
    response
}
