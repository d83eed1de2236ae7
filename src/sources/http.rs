//! One way to speak HTTP to everything that is neither Kubernetes nor Docker: bounded in time and size, never sent twice.

use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder};
use tokio::time::timeout;

use super::hidden::Hidden;
use super::{proxy, words};
use crate::config::Proxy;

pub use reqwest::Url;

/// The longest that connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest silence in the middle of a body.
const SILENCE: Duration = Duration::from_secs(15);
/// What a bundle of certificates may be long.
const LONGEST_BUNDLE: u64 = 4 << 20;
/// Hops of one read.
const HOPS: usize = 5;

/// What becomes of an answer that points elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// It is the answer. A client that writes has this, so that no write is sent on.
    Stay,
    /// Followed up to five times on the same server. What points to another one is the answer: a login may stand in any
    /// header, and goes nowhere else.
    Follow,
}

/// Connections to one server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
}

/// One request.
#[derive(Clone)]
pub struct Ask {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// How long the head may take, and then the whole body, too.
    pub limit: Duration,
    /// The largest body, unpacked, in bytes.
    pub largest: usize,
    /// What logs in beside the headers that are marked as sensitive.
    pub hidden: Hidden,
}

/// The head of an answer whose body has not been read. Dropping it closes the connection.
#[derive(Debug)]
pub struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
    response: reqwest::Response,
    limit: Duration,
    hidden: Hidden,
}

/// A whole answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// There is no answer. The text never names the address: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub message: String,
    pub kind: ErrorKind,
    /// The request may have reached the server.
    pub after_send: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The settings cannot be used.
    Setup,
    Timeout,
    Transport,
    /// The body breaks off, or is not packed as the head says.
    Torn,
    TooLarge,
}

impl Http {
    /// Connects nowhere yet. `ca` is a file of certificates that are trusted beside those of the system.
    ///
    /// # Errors
    /// A file that holds no certificates, an address of a proxy that is none.
    pub async fn new(
        server: &Url,
        ca: Option<&Path>,
        environment: &Proxy,
        redirects: Redirects,
    ) -> Result<Self, Error> {
        let mut builder = ClientBuilder::new()
            .user_agent(concat!("rolldeck/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .http1_only()
            .no_proxy()
            .redirect(match redirects {
                Redirects::Stay => Policy::none(),
                Redirects::Follow => Policy::custom(|next| {
                    let home = next.previous().first().map(Url::origin);
                    let stays = home == Some(next.url().origin());
                    if stays && next.previous().len() <= HOPS {
                        next.follow()
                    } else {
                        next.stop()
                    }
                }),
            });
        builder = match ca {
            Some(file) => builder.tls_certs_merge(certificates(file).await?),
            // Nothing is trusted where nothing is encrypted, also on a machine that has no certificates.
            None if server.scheme() == "http" => builder.tls_certs_only([]),
            None => builder,
        };
        if let Some(address) = through(server, environment) {
            let wrong = |_| {
                setup("the proxy (HTTPS_PROXY, HTTP_PROXY) is not an http or https address".into())
            };
            builder = builder.proxy(reqwest::Proxy::all(address).map_err(wrong)?);
        }
        let client = builder
            .build()
            .map_err(|why| setup(words::innermost(&why)))?;
        Ok(Self { client })
    }

    /// Sends it once and reads the whole answer.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, Error> {
        let head = self.open(ask).await?;
        let (status, headers) = (head.status, head.headers.clone());
        let body = head.body(ask.largest).await?;
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// Sends it once and reads the head.
    pub async fn open(&self, ask: &Ask) -> Result<Head, Error> {
        let request = self
            .client
            .request(ask.method.clone(), ask.url.clone())
            .headers(ask.headers.clone())
            .body(ask.body.clone());
        let response = timeout(ask.limit, request.send())
            .await
            .map_err(|_| silent(ask.limit))?
            .map_err(|why| transport(&why))?;
        let mut hidden = Hidden::of(&ask.headers);
        hidden.extend(&ask.hidden);
        let mut head = Head {
            status: response.status(),
            headers: response.headers().clone(),
            response,
            limit: ask.limit,
            hidden,
        };
        if head.is_words() {
            head.hidden.cover_headers(&mut head.headers);
        }
        Ok(head)
    }
}

impl Ask {
    /// 10 s and 8 MiB.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            limit: Duration::from_secs(10),
            largest: 8 << 20,
            hidden: Hidden::default(),
        }
    }

    /// Once more, and not packed.
    #[must_use]
    pub fn plain(mut self) -> Self {
        let identity = HeaderValue::from_static("identity");
        self.headers.insert(http::header::ACCEPT_ENCODING, identity);
        self
    }

    /// `pairs` as a form in the body.
    #[must_use]
    pub fn form<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut carrier = self.url.clone();
        carrier.query_pairs_mut().clear().extend_pairs(pairs);
        self.body = carrier.query().unwrap_or_default().to_owned().into();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.headers.insert(http::header::CONTENT_TYPE, kind);
        self
    }
}

impl Head {
    /// What it holds is for a person: a refusal, or a page in place of an answer.
    fn is_words(&self) -> bool {
        !self.status.is_success() || words::is_html(&self.headers)
    }

    /// The whole body, unpacked, if it is no larger than that. Words for a person never say what logged in.
    pub async fn body(mut self, largest: usize) -> Result<Bytes, Error> {
        let mut body = BytesMut::new();
        let limit = self.limit.max(SILENCE);
        let read = async {
            while let Some(piece) = self.piece().await? {
                if body.len() + piece.len() > largest {
                    return Err(too_large(largest));
                }
                body.extend_from_slice(&piece);
            }
            Ok(())
        };
        timeout(limit, read).await.map_err(|_| silent(limit))??;
        if self.is_words() {
            return Ok(self.hidden.cover(&String::from_utf8_lossy(&body)).into());
        }
        Ok(body.freeze())
    }

    /// The next piece as it arrives; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = timeout(SILENCE, self.response.chunk()).await;
        piece
            .map_err(|_| silent(SILENCE))?
            .map_err(|why| broken(&why))
    }
}

impl Answer {
    pub fn date(&self) -> Option<Timestamp> {
        date(&self.headers)
    }

    /// How long the server wants to be left alone, whether it says so in seconds or as a date of its own clock.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let wait = words::http_date(text)?.duration_since(self.date()?);
        Duration::try_from(wait).ok()
    }

    /// The server's own words in a refusal that came as a page or as text.
    pub fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let html = words::is_html(&self.headers) || text.trim_start().starts_with('<');
        let said = if html {
            words::title(&text)
        } else {
            let mut lines = text.lines().map(str::trim);
            lines.find(|line| !line.is_empty()).map(words::shorten)
        };
        match said.filter(|said| !said.is_empty()) {
            Some(said) => format!("{said} ({})", self.status.as_u16()),
            None => self.status.to_string(),
        }
    }
}

/// The server's clock when it answered; whole seconds.
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    words::http_date(headers.get(DATE)?.to_str().ok()?)
}

/// `server` as a URL that ends in a slash, so that paths can be joined to it.
///
/// # Errors
/// What is wrong with it, in words.
pub fn base(server: &str) -> Result<Url, String> {
    let mut url = Url::parse(server.trim()).map_err(|why| why.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("begins neither with https:// nor with http://".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a login, which has no place in an address".into());
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn through(server: &Url, environment: &Proxy) -> Option<String> {
    proxy::choose(&server.as_str().parse().ok()?, None, environment)
}

async fn certificates(file: &Path) -> Result<Vec<Certificate>, Error> {
    let wrong = |what: String| setup(format!("ca: {} {what}", file.display()));
    let size = tokio::fs::metadata(file).await.map(|found| found.len());
    if size.is_ok_and(|size| size > LONGEST_BUNDLE) {
        return Err(wrong("is larger than 4 MiB".into()));
    }
    let read = tokio::fs::read(file).await;
    let pem = read.map_err(|why| wrong(format!("cannot be read: {}", why.kind())))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(wrong("holds no certificates in PEM".into())),
    }
}

fn transport(why: &reqwest::Error) -> Error {
    let said = words::innermost(why);
    let connecting = why.is_connect();
    Error {
        message: match (connecting, certificate(&said)) {
            (_, Some(hint)) => format!("cannot connect: {hint}"),
            (true, None) => format!("cannot connect: {said}"),
            (false, None) => format!("the connection broke: {said}"),
        },
        kind: ErrorKind::Transport,
        after_send: !connecting,
    }
}

/// What is wrong with the server's certificate, and what helps.
fn certificate(said: &str) -> Option<String> {
    let unknown = ["UnknownIssuer", "CaUsedAsEndEntity", "self-signed"];
    if unknown.iter().any(|word| said.contains(word)) {
        let words = "its certificate is signed by nobody known here: name its CA in the configuration (ca: FILE)";
        Some(words.into())
    } else {
        let other = said.contains("NotValidForName");
        other.then(|| "its certificate is for another name".into())
    }
}

fn broken(why: &reqwest::Error) -> Error {
    Error {
        message: format!("the answer broke off: {}", words::innermost(why)),
        kind: if why.is_decode() {
            ErrorKind::Torn
        } else {
            ErrorKind::Transport
        },
        after_send: true,
    }
}

fn silent(limit: Duration) -> Error {
    Error {
        message: format!("no answer within {}s", limit.as_secs()),
        kind: ErrorKind::Timeout,
        after_send: true,
    }
}

fn too_large(largest: usize) -> Error {
    Error {
        message: format!("the answer is larger than {} KiB", largest >> 10),
        kind: ErrorKind::TooLarge,
        after_send: true,
    }
}

fn setup(message: String) -> Error {
    Error {
        message,
        kind: ErrorKind::Setup,
        after_send: false,
    }
}

#[cfg(test)]
mod tests;
