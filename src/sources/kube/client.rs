//! Requests to one API server: reads, self-reviews and the two writes, each with a limit in time and size.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, DATE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::Body as KubeBody;
use tokio::time::timeout;

use super::error::Error;
use super::session::{Inner, Session};
use super::{path, status};
use crate::config::Connection;
use crate::domain::ClusterId;
use crate::sources::words;

/// The limit of a read of one object, of a review, and of the head of a stream.
const READ: Duration = Duration::from_secs(10);
/// The head of a list page: the server may have to read a big fleet first.
const LIST: Duration = Duration::from_secs(30);
/// A write goes through admission webhooks, which have 10 s each by default.
const WRITE: Duration = Duration::from_secs(30);
/// The longest silence in the middle of a list.
const SILENCE: Duration = Duration::from_secs(15);
const SMALL: usize = 8 << 20;
/// 500 objects of the largest size that etcd keeps by default (1.5 MiB) would not all fit; real pages are far below.
const LARGE: usize = 512 << 20;

/// A whole body, and the server's clock when it said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub body: Bytes,
    pub server_date: Option<Timestamp>,
}

/// A body in pieces as they arrive. An error is its last item.
pub type Body = BoxStream<'static, Result<Bytes, Error>>;

/// Questions about oneself: the only things that are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    /// `SelfSubjectAccessReview`.
    Access,
    /// `SelfSubjectRulesReview`.
    Rules,
    /// `SelfSubjectReview`: the server's name for the user.
    User,
}

impl Review {
    fn path(self) -> &'static str {
        match self {
            Self::Access => "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            Self::Rules => "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
            Self::User => "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        }
    }
}

/// One API server. Cheap to clone; clones share the login, which is renewed behind their backs.
#[derive(Clone)]
pub struct Cluster {
    pub(super) inner: Arc<Inner>,
}

impl Cluster {
    pub fn id(&self) -> &ClusterId {
        &self.inner.id
    }

    /// The address in the kubeconfig.
    pub fn server(&self) -> &str {
        &self.inner.server
    }

    /// The proxy that leads there, without its credentials.
    pub fn proxy(&self) -> Option<&str> {
        self.inner.proxy.as_deref()
    }

    /// How it was reached: leads there again, and nowhere else.
    pub fn connection(&self) -> &Connection {
        &self.inner.connection
    }

    /// When the login expires, as far as a login command said.
    pub fn login_expires(&self) -> Option<Timestamp> {
        self.inner.expires()
    }

    /// The namespace that the kubeconfig context names; in a pod the pod's own.
    pub fn default_namespace(&self) -> Option<&str> {
        self.inner.namespace.as_deref()
    }

    /// Reads one object. 10 s and 8 MiB at most.
    pub async fn get(&self, path: &str) -> Result<Answer, Error> {
        self.ask(&Ask::new(Method::GET, path, READ)).await
    }

    /// Reads an object's metadata alone: what a Secret holds never leaves the server. 10 s.
    pub async fn get_metadata(&self, path: &str) -> Result<Answer, Error> {
        let form = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        self.get_as(path, form).await
    }

    /// Reads something in another form. 10 s and 8 MiB at most.
    pub async fn get_as(&self, path: &str, accept: &'static str) -> Result<Answer, Error> {
        let mut ask = Ask::new(Method::GET, path, READ);
        ask.accept = accept;
        self.ask(&ask).await
    }

    /// Reads from a service that the API server leads to. 10 s and 8 MiB at most. A 401 may be that service's own, so no
    /// new login is asked for.
    pub async fn get_through(&self, path: &str) -> Result<Answer, Error> {
        let ask = Ask::new(Method::GET, path, READ);
        let session = self.inner.session().await?;
        let asked = async { collect(send(&session, &ask).await?, &ask).await };
        timeout(READ, asked).await.map_err(|_| ask.silent(READ))?
    }

    /// Reads one page of a list in another form, as [`Self::list`] does.
    pub async fn list_as(&self, path: &str, accept: &'static str) -> Result<Answer, Error> {
        let mut ask = Ask::new(Method::GET, path, LIST);
        ask.accept = accept;
        self.listed(&ask, |_| {}).await
    }

    /// Reads one page of a list, compressed on the way. The head has 30 s; the body may take as long as it
    /// keeps coming.
    pub async fn list(&self, path: &str) -> Result<Answer, Error> {
        self.list_seen(path, |_| {}).await
    }

    /// The same of the objects' metadata alone: what Secrets hold never leaves the server.
    pub async fn list_metadata(&self, path: &str) -> Result<Answer, Error> {
        let mut ask = Ask::new(Method::GET, path, LIST);
        ask.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        self.listed(&ask, |_| {}).await
    }

    /// As [`Cluster::list`]; `seen` is shown what has come so far, after every piece.
    pub async fn list_seen(&self, path: &str, seen: impl FnMut(&[u8])) -> Result<Answer, Error> {
        self.listed(&Ask::new(Method::GET, path, LIST), seen).await
    }

    async fn listed(&self, ask: &Ask<'_>, mut seen: impl FnMut(&[u8])) -> Result<Answer, Error> {
        let response = self.exchange(ask).await?;
        let server_date = server_date(response.headers());
        let mut pieces = pieces(response, ask.about());
        let mut body = BytesMut::new();
        while let Some(piece) = timeout(SILENCE, pieces.next())
            .await
            .map_err(|_| ask.silent(SILENCE))?
        {
            grow(&mut body, &piece?, LARGE, ask)?;
            seen(&body);
        }
        Ok(Answer {
            body: body.freeze(),
            server_date,
        })
    }

    /// Opens a watch or a log. The head has 10 s, the body no limit; it is not compressed, because a
    /// compressor would hold news back.
    pub async fn open(&self, path: &str) -> Result<(Option<Timestamp>, Body), Error> {
        let mut ask = Ask::new(Method::GET, path, READ);
        ask.plain = true;
        let response = self.exchange(&ask).await?;
        let date = server_date(response.headers());
        Ok((date, pieces(response, ask.about())))
    }

    /// Asks about oneself. Nothing is stored by the server. 10 s.
    pub async fn review(&self, review: Review, body: &str) -> Result<Answer, Error> {
        let mut ask = Ask::new(Method::POST, review.path(), READ);
        ask.body = Bytes::copy_from_slice(body.as_bytes());
        ask.content_type = "application/json";
        self.ask(&ask).await
    }

    /// THE write: a JSON Patch, sent once, never again. `dry_run` sends it with `dryRun=All`. 30 s.
    /// See [`Error::outcome_unknown`] for what an error says about the object.
    pub async fn patch(&self, path: &str, body: &str, dry_run: bool) -> Result<Answer, Error> {
        let mut path = path::with_query(path.to_owned(), &[("fieldManager", "rolldeck")]);
        if dry_run {
            path = path::with_query(path, &[("dryRun", "All")]);
        }
        let mut ask = Ask::new(Method::PATCH, &path, WRITE);
        ask.body = Bytes::copy_from_slice(body.as_bytes());
        ask.content_type = "application/json-patch+json";
        self.write(&ask).await
    }

    /// THE other write: deletes the object that still has this uid and this resource version, asked once, never
    /// again. 30 s. The server says 409 when it is another, or moved.
    pub async fn delete(
        &self,
        path: &str,
        (uid, version): (&str, &str),
        dry_run: bool,
    ) -> Result<Answer, Error> {
        let mut options = serde_json::json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": uid, "resourceVersion": version},
        });
        let mut path = path.to_owned();
        if dry_run {
            // The server reads the body alone; in the address it shows in logs as what it is.
            options["dryRun"] = serde_json::json!(["All"]);
            path = path::with_query(path, &[("dryRun", "All")]);
        }
        let mut ask = Ask::new(Method::DELETE, &path, WRITE);
        ask.body = options.to_string().into();
        ask.content_type = "application/json";
        self.write(&ask).await
    }

    /// THE fourth write: makes an object in the collection at `path`, once, never again. 30 s. The server says 409 when
    /// there is one of the name.
    pub async fn create(&self, path: &str, body: &str, dry_run: bool) -> Result<Answer, Error> {
        let mut path = path::with_query(path.to_owned(), &[("fieldManager", "rolldeck")]);
        if dry_run {
            path = path::with_query(path, &[("dryRun", "All")]);
        }
        let mut ask = Ask::new(Method::POST, &path, WRITE);
        ask.body = Bytes::copy_from_slice(body.as_bytes());
        ask.content_type = "application/json";
        self.write(&ask).await
    }

    /// THE third write: asks for the eviction of the pod that still has this uid and this resource version, once,
    /// never again. 30 s. The server says 429 when a disruption budget does not let it go now.
    pub async fn evict(
        &self,
        (path, name): (&str, &str),
        (uid, version): (&str, &str),
        dry_run: bool,
    ) -> Result<Answer, Error> {
        let mut options = serde_json::json!({
            "preconditions": {"uid": uid, "resourceVersion": version},
        });
        let mut path = format!("{path}/eviction");
        if dry_run {
            options["dryRun"] = serde_json::json!(["All"]);
            path = path::with_query(path, &[("dryRun", "All")]);
        }
        let eviction = serde_json::json!({
            "kind": "Eviction",
            "apiVersion": "policy/v1",
            "metadata": {"name": name},
            "deleteOptions": options,
        });
        let mut ask = Ask::new(Method::POST, &path, WRITE);
        ask.body = eviction.to_string().into();
        ask.content_type = "application/json";
        self.write(&ask).await
    }

    /// With the login that there is: a 401 is not asked again.
    async fn write(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        let session = self.inner.session().await?;
        timeout(WRITE, async {
            collect(send(&session, ask).await?, ask).await
        })
        .await
        .map_err(|_| ask.silent(WRITE))?
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        let response = self.exchange(ask).await?;
        timeout(ask.limit, collect(response, ask))
            .await
            .map_err(|_| ask.silent(ask.limit))?
    }

    /// A read that meets a 401 is asked once more with a new login.
    async fn exchange(&self, ask: &Ask<'_>) -> Result<Response<KubeBody>, Error> {
        let session = self.inner.session().await?;
        match send(&session, ask).await {
            Err(refused @ Error::Unauthorized { .. }) => {
                let session = self.inner.renew(&session, refused).await?;
                send(&session, ask).await
            }
            other => other,
        }
    }
}

/// One request, kept so that it can be sent again with another login.
struct Ask<'a> {
    method: Method,
    path: &'a str,
    limit: Duration,
    body: Bytes,
    content_type: &'static str,
    accept: &'static str,
    /// No compression.
    plain: bool,
}

impl<'a> Ask<'a> {
    fn new(method: Method, path: &'a str, limit: Duration) -> Self {
        Self {
            method,
            path,
            limit,
            body: Bytes::new(),
            content_type: "",
            accept: "application/json, */*",
            plain: false,
        }
    }

    fn about(&self) -> String {
        let verb = match self.method {
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            Method::POST => "ask",
            _ => "read",
        };
        format!("{verb} {}", path::describe(self.path))
    }

    fn silent(&self, limit: Duration) -> Error {
        Error::Timeout {
            about: self.about(),
            after_send: true,
            limit,
        }
    }

    fn request(&self) -> Result<Request<KubeBody>, Error> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(self.path)
            .header(ACCEPT, self.accept)
            .header(USER_AGENT, concat!("rolldeck/", env!("CARGO_PKG_VERSION")));
        if !self.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, self.content_type);
        }
        if self.plain {
            request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        request
            .body(KubeBody::from(self.body.clone()))
            .map_err(|error| Error::Transport {
                about: self.about(),
                after_send: false,
                message: error.to_string(),
            })
    }
}

/// Sends and waits for a head that says yes; any other is turned into an error with the server's words.
async fn send(session: &Session, ask: &Ask<'_>) -> Result<Response<KubeBody>, Error> {
    let sent = timeout(ask.limit, session.client.send(ask.request()?)).await;
    let response = sent
        .map_err(|_| ask.silent(ask.limit))?
        .map_err(|error| status::transport(&ask.about(), &error, &session.login_hint))?;
    if response.status().is_success() && !words::is_html(response.headers()) {
        session.accepted();
        return Ok(response);
    }
    let (mut head, body) = response.into_parts();
    let text = timeout(READ, status::words(body)).await.unwrap_or_default();
    let text = session.hidden.cover(&text);
    session.hidden.cover_headers(&mut head.headers);
    let error = status::error(ask.about(), &head, &text, &session.login_hint);
    if !matches!(error, Error::Unauthorized { .. }) {
        session.accepted();
    }
    Err(error)
}

async fn collect(response: Response<KubeBody>, ask: &Ask<'_>) -> Result<Answer, Error> {
    let server_date = server_date(response.headers());
    let mut pieces = pieces(response, ask.about());
    let mut body = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        grow(&mut body, &piece?, SMALL, ask)?;
    }
    Ok(Answer {
        body: body.freeze(),
        server_date,
    })
}

fn grow(body: &mut BytesMut, piece: &Bytes, limit: usize, ask: &Ask<'_>) -> Result<(), Error> {
    if body.len() + piece.len() > limit {
        return Err(Error::Unusable {
            about: ask.about(),
            status: 200,
            message: format!("the answer is longer than {} MiB", limit >> 20),
        });
    }
    body.extend_from_slice(piece);
    Ok(())
}

fn pieces(response: Response<KubeBody>, about: String) -> Body {
    response
        .into_body()
        .into_data_stream()
        .map_err(move |error| status::broken_off(&about, &error))
        .boxed()
}

/// The Date header; whole seconds.
fn server_date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    words::http_date(date)
}

#[cfg(test)]
mod tests;
