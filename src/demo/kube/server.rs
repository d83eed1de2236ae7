//! The embedded API server: a listener for each user, and the way of a request to its answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::answer::{self, Answer, Body};
use super::kind::Kind;
use super::object::Key;
use super::query::Query;
use super::refusal::Refusal;
use super::route::{self, Route, Sub, User};
use super::write::{Part, Write};
use super::{delete, discovery, disruption, list, log, review, verbs, watch};
use crate::demo::audit::Asked;
use crate::demo::cluster::Cluster;

/// The real server's own limit.
const LONGEST_BODY: usize = 3 << 20;

/// One user's view of the cluster.
pub struct Api {
    pub cluster: Arc<Cluster>,
    pub user: User,
}

/// A request with its body.
#[derive(Clone)]
pub struct Call {
    pub api: Arc<Api>,
    pub method: Method,
    pub path: String,
    pub query: Query,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Listens on a free loopback port, for plain HTTP: whoever asks there is `user`. Ends, with its connections, when
/// the task is aborted.
///
/// # Errors
/// When there is no port to be had.
pub async fn serve(cluster: Arc<Cluster>, user: User) -> io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let api = Arc::new(Api { cluster, user });
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            connections.spawn(connection(Arc::clone(&api), socket));
        }
    });
    Ok((address, task))
}

async fn connection(api: Arc<Api>, socket: TcpStream) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let api = Arc::clone(&api);
        async move { Ok::<_, Infallible>(exchange(api, request).await) }
    });
    let _ = socket.set_nodelay(true);
    // What ends a connection is the client's affair.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn exchange(api: Arc<Api>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let target = head.uri.path_and_query().map_or("/", |t| t.as_str());
    let call = Call {
        method: head.method.clone(),
        path: head.uri.path().to_owned(),
        query: Query::parse(head.uri.query().unwrap_or_default()),
        headers: head.headers,
        body: body.as_ref().cloned().unwrap_or_default(),
        api,
    };
    let answer = match body {
        Ok(_) => answer(&call).unwrap_or_else(Answer::from),
        Err(_) => Refusal::TooLarge.into(),
    };
    let at = call.api.cluster.clock.now();
    let response = answer::response(answer, &call.headers, at);
    call.api.cluster.audit.note(Asked {
        at,
        user: call.api.user.name.as_str().into(),
        method: head.method.as_str().into(),
        target: target.into(),
        code: response.status().as_u16(),
    });
    response
}

/// What the server says to a request.
pub fn answer(call: &Call) -> Result<Answer, Refusal> {
    let Some(route) = route::route(&call.path) else {
        return discovery::nothing_at(&call.path);
    };
    let watches = call.query.flag("watch");
    let verb = route::verb(&call.method, &route, watches);
    route::authorize(&call.api.user, verb, &route)?;
    match &route {
        Route::Collection(kind, namespace) => {
            let namespace = namespace.as_deref();
            match call.method {
                Method::GET if watches => watch::watch(call, kind, namespace),
                Method::GET => list::list(call, kind, namespace),
                Method::POST => verbs::create(call, kind, namespace),
                _ => Err(Refusal::MethodNotAllowed),
            }
        }
        Route::Object(key, sub) => object(call, key, *sub),
        Route::Other => other(call),
    }
}

fn object(call: &Call, key: &Key, sub: Sub) -> Result<Answer, Refusal> {
    match (&call.method, sub) {
        (&Method::GET, Sub::Log) => log::log(call, key),
        (&Method::POST, Sub::Eviction) => disruption::evict(call, key),
        (_, Sub::Log | Sub::Eviction) => Err(Refusal::MethodNotAllowed),
        (&Method::GET, _) => verbs::get(call, key, sub),
        (&Method::PUT, _) => verbs::replace(call, key, sub),
        (&Method::PATCH, _) => verbs::change(call, key, sub),
        (&Method::DELETE, Sub::None) => delete::answer(call, key),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

fn other(call: &Call) -> Result<Answer, Refusal> {
    if let Some(name) = call.path.strip_prefix("/apis/").and_then(review::name_of) {
        return match call.method {
            Method::POST => review::review(call, name),
            _ => Err(Refusal::MethodNotAllowed),
        };
    }
    match call.method {
        Method::GET | Method::HEAD => discovery::document(call),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

impl Call {
    fn header(&self, name: http::header::HeaderName) -> &str {
        let value = self.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default()
    }

    pub fn accepts(&self) -> &str {
        self.header(ACCEPT)
    }

    /// Rows for a person, as kubectl asks for them.
    pub fn wants_table(&self) -> bool {
        self.accepts().contains("as=Table")
    }

    /// Nothing but the metadata of one object.
    pub fn wants_metadata(&self) -> bool {
        self.accepts().contains("as=PartialObjectMetadata;")
    }

    /// The media type of the body, without parameters.
    pub fn body_type(&self) -> &str {
        let kind = self.header(CONTENT_TYPE);
        kind.split(';').next().unwrap_or_default().trim()
    }

    /// How the request writes. `options`: what the server calls its parameters.
    pub fn write(&self, options: &'static Kind, part: Part) -> Result<Write<'_>, Refusal> {
        let agent = self.header(USER_AGENT);
        let manager = match self.query.get("fieldManager") {
            "" => agent.split('/').next().unwrap_or_default(),
            manager => manager,
        };
        Ok(Write {
            manager,
            part,
            dry_run: self.query.dry_run(options)?,
            at: self.api.cluster.clock.now(),
        })
    }
}
