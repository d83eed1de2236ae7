//! One Jenkins: the login, its crumbs, and requests that read or post.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::error::{Error, refusal};
use super::wire;
use crate::config::{Jenkins, Proxy};
use crate::domain::build::{BuildId, JobId};
use crate::sources::http::{self, Answer, Ask, ErrorKind, Http, Redirects, Url};
use crate::sources::{secret, words};

/// A big folder takes the server a while to read.
const READ: Duration = Duration::from_secs(20);
const WRITE: Duration = Duration::from_secs(30);
const LARGEST: usize = 32 << 20;
/// What is read of a page that says no.
const PAGE: usize = 256 << 10;

/// What answers, by its own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flavour {
    Jenkins(String),
    /// Before the fork: no queue items, no folders, no ranges.
    Hudson(String),
    /// Neither says so; a proxy may have taken the header away.
    Unknown,
}

/// A connection to one server. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    base: Url,
    http: Http,
    login: HeaderMap,
    flavour: Flavour,
    /// Posts have to carry one.
    crumbs: bool,
    crumb: Mutex<Option<HeaderMap>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({} at {})", self.inner.name, self.inner.base)
    }
}

/// Reads the secret, logs in, and asks what the server is. Two requests at most.
pub async fn connect(settings: &Jenkins, environment: &Proxy) -> Result<Client, Error> {
    let server = settings.name().to_owned();
    let setup = |message: String| Error::Setup {
        server: server.clone(),
        message,
    };
    let base = http::base(&settings.url).map_err(|why| setup(format!("url: {why}")))?;
    let mut login = HeaderMap::new();
    if let (Some(user), Some(from)) = (&settings.user, &settings.token) {
        let token = secret::read(from).await;
        let token = token.map_err(|why| setup(format!("token: {why}")))?;
        let basic = STANDARD.encode(format!("{user}:{}", token.reveal()));
        let value = HeaderValue::from_str(&format!("Basic {basic}"));
        let mut value = value.map_err(|_| setup("token: no header can hold it".into()))?;
        value.set_sensitive(true);
        login.insert(AUTHORIZATION, value);
    }
    let http = Http::new(&base, settings.ca.as_deref(), environment, Redirects::Stay).await;
    let mut inner = Inner {
        http: http.map_err(|why| setup(why.message))?,
        name: server,
        base,
        login,
        flavour: Flavour::Unknown,
        crumbs: false,
        crumb: Mutex::new(None),
    };
    inner.introduce().await?;
    Ok(Client {
        inner: Arc::new(inner),
    })
}

impl Inner {
    async fn introduce(&mut self) -> Result<(), Error> {
        let about = format!("connect to {}", self.name);
        let url = with_tree(self.base_join("api/json"), "useCrumbs");
        let answer = self.answer(&about, &self.ask(Method::GET, url)).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal(about, &answer));
        }
        let root: wire::Root = json(&about, &answer)?;
        self.crumbs = root.use_crumbs;
        let mut found = version(&answer.headers);
        if found.is_none() {
            // Hudson says it on its pages only, which are long; their head is enough.
            let ask = self.ask(Method::GET, self.base.clone());
            let page = self.http.open(&ask).await;
            found = page.ok().and_then(|page| version(&page.headers));
        }
        self.flavour = found.unwrap_or(Flavour::Unknown);
        Ok(())
    }

    fn base_join(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let whole = format!("{}{path}", url.path());
        url.set_path(&whole);
        url
    }

    fn ask(&self, method: Method, url: Url) -> Ask {
        let mut ask = Ask::new(method, url);
        ask.headers = self.login.clone();
        ask.limit = READ;
        ask.largest = LARGEST;
        ask
    }

    /// A Hudson now and then says that an answer is packed when it is not: what was only read is read again, plain.
    async fn answer(&self, about: &str, ask: &Ask) -> Result<Answer, Error> {
        let answer = match self.http.ask(ask).await {
            Err(why) if why.kind == ErrorKind::Torn && ask.method == Method::GET => {
                self.http.ask(&ask.clone().plain()).await
            }
            answer => answer,
        };
        answer.map_err(|why| no_answer(about, why))
    }

    /// The headers that a post has to carry; asked for once a session.
    async fn crumb(&self) -> Result<HeaderMap, Error> {
        let mut kept = self.crumb.lock().await;
        if let Some(crumb) = &*kept {
            return Ok(crumb.clone());
        }
        let about = format!("ask {} for a crumb", self.name);
        let url = self.base_join("crumbIssuer/api/json");
        let answer = self.answer(&about, &self.ask(Method::GET, url)).await?;
        let headers = match answer.status {
            // It has been switched off.
            StatusCode::NOT_FOUND => HeaderMap::new(),
            StatusCode::OK => crumb_headers(&json(&about, &answer)?, &answer.headers),
            _ => return Err(refusal(about, &answer)),
        };
        *kept = Some(headers.clone());
        Ok(headers)
    }
}

impl Client {
    /// What the configuration calls it.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    pub fn flavour(&self) -> &Flavour {
        &self.inner.flavour
    }

    /// The address of a job's page.
    pub fn job_url(&self, path: &str) -> Url {
        let mut url = self.inner.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            for segment in path.split('/').filter(|segment| !segment.is_empty()) {
                segments.push("job").push(segment);
            }
        }
        url
    }

    pub fn build_url(&self, build: &BuildId) -> Url {
        below(self.job_url(&build.job.path), &build.number.to_string())
    }

    pub(super) fn job_id(&self, path: &str) -> JobId {
        JobId::new(self.name(), path)
    }

    pub(super) fn server_url(&self, path: &str) -> Url {
        self.inner.base_join(path)
    }

    /// `about` without the server: `read job web`.
    pub(super) fn about(&self, what: &str) -> String {
        format!("{what} on {}", self.name())
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, what: &str, url: Url) -> Result<T, Error> {
        let about = self.about(what);
        let ask = self.inner.ask(Method::GET, url);
        let answer = self.inner.answer(&about, &ask).await?;
        match answer.status {
            StatusCode::OK => json(&about, &answer),
            _ => Err(refusal(about, &answer)),
        }
    }

    /// A file: at most `largest` bytes of it.
    pub(super) async fn file(&self, what: &str, url: Url, largest: usize) -> Result<Bytes, Error> {
        let about = self.about(what);
        let mut ask = self.inner.ask(Method::GET, url);
        ask.largest = largest;
        let answer = self.inner.answer(&about, &ask).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            _ => Err(refusal(about, &answer)),
        }
    }

    /// The head of an answer that may be long.
    pub(super) async fn open(&self, what: &str, url: Url) -> Result<http::Head, Error> {
        let about = self.about(what);
        let ask = self.inner.ask(Method::GET, url);
        let head = self.inner.http.open(&ask).await;
        let head = head.map_err(|why| no_answer(&about, why))?;
        match head.status {
            StatusCode::OK => Ok(head),
            _ => Err(refusal(about, &page(head).await)),
        }
    }

    /// Sends a write once. A crumb whose session has ended is refused before anything is done, so that alone is
    /// asked for again and the write sent with the new one. Answers with status and headers; the body of a refusal.
    pub(super) async fn post(
        &self,
        what: &str,
        url: Url,
        form: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        let answer = self.post_once(what, &url, form).await?;
        let stale = answer.status == StatusCode::FORBIDDEN
            && String::from_utf8_lossy(&answer.body).contains("No valid crumb");
        if !stale {
            return Ok(answer);
        }
        *self.inner.crumb.lock().await = None;
        self.post_once(what, &url, form).await
    }

    async fn post_once(
        &self,
        what: &str,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        let mut ask = self.inner.ask(Method::POST, url.clone());
        if self.inner.crumbs {
            ask.headers.extend(self.inner.crumb().await?);
        }
        let mut ask = ask.form(form.iter().copied());
        ask.limit = WRITE;
        let head = self.inner.http.open(&ask).await;
        let head = head.map_err(|why| no_answer(&self.about(what), why))?;
        Ok(page(head).await)
    }
}

/// `url/piece`, with the piece encoded.
pub(super) fn below(mut url: Url, piece: &str) -> Url {
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        for segment in piece.split('/') {
            segments.push(segment);
        }
    }
    url
}

pub(super) fn with_tree(url: Url, tree: &str) -> Url {
    with_query(url, "tree", tree)
}

pub(super) fn with_query(mut url: Url, name: &str, value: &str) -> Url {
    url.query_pairs_mut().append_pair(name, value);
    url
}

pub(super) fn no_answer(about: &str, why: http::Error) -> Error {
    let about = about.to_owned();
    Error::NoAnswer { about, why }
}

fn json<T: DeserializeOwned>(about: &str, answer: &Answer) -> Result<T, Error> {
    serde_json::from_slice(&answer.body).map_err(|why| {
        let message = if words::is_html(&answer.headers) {
            format!("a page came instead of an answer: {}", answer.words())
        } else {
            format!(
                "the answer is not what Jenkins says: {}",
                words::unreadable(&why)
            )
        };
        let about = about.to_owned();
        Error::Unusable { about, message }
    })
}

/// Status and headers; of a refusal what can be read of its page. That a write was taken is known from the head.
async fn page(head: http::Head) -> Answer {
    let (status, headers) = (head.status, head.headers.clone());
    let refused = status.is_client_error() || status.is_server_error();
    let body = if refused {
        head.body(PAGE).await.unwrap_or_default()
    } else {
        Bytes::new()
    };
    Answer {
        status,
        headers,
        body,
    }
}

fn version(headers: &HeaderMap) -> Option<Flavour> {
    let text = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let hudson = || text("x-hudson").map(Flavour::Hudson);
    text("x-jenkins").map(Flavour::Jenkins).or_else(hudson)
}

/// The crumb under the name that the server wants, and the session that it is bound to.
fn crumb_headers(crumb: &wire::Crumb, said: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let name = crumb.crumb_request_field.parse::<HeaderName>();
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&crumb.crumb)) {
        headers.insert(name, value);
    }
    let pair = |cookie: &HeaderValue| Some(cookie.to_str().ok()?.split(';').next()?.to_owned());
    let cookies: Vec<_> = said.get_all(SET_COOKIE).iter().filter_map(pair).collect();
    if !cookies.is_empty()
        && let Ok(mut value) = HeaderValue::from_str(&cookies.join("; "))
    {
        value.set_sensitive(true);
        headers.insert(COOKIE, value);
    }
    headers
}

#[cfg(test)]
mod tests;
