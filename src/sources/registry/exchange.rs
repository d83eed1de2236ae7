//! Requests to registries over HTTP: each with a limit in time and size, and with the login that the registry wants.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, Url};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::cache::Cache;
use super::challenge::{Challenge, Granted, basic};
use super::convert;
use super::error::Error;
use super::login::Login;
use super::place::{self, Place};
use crate::config;
use crate::sources::hidden::Hidden;
use crate::sources::{Clock, proxy};

/// The limit of one request with its small body, and of the head of one with a large body.
pub const LIMIT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// Of refusals and tokens.
const SMALL: usize = 1 << 20;
/// Hops to where a registry keeps its bytes.
const HOPS: usize = 3;
/// Logins that are remembered.
const TOKENS: usize = 500;
/// How long a name and a password are sent at once that a registry took.
const BASIC_SECONDS: i64 = 600;

/// What may be done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    Pull,
    Push,
}

/// Who asks whom.
#[derive(Clone, Copy)]
pub struct Who<'a> {
    pub place: &'a Place,
    pub login: &'a Login,
    pub right: Right,
}

impl Who<'_> {
    /// What a registry may say back and nobody shall read.
    fn hidden(&self, sent: Option<&HeaderValue>) -> Hidden {
        let mut hidden = self.login.hidden();
        if let Some(header) = sent {
            hidden.header(header);
        }
        hidden
    }
}

/// One request.
pub struct Ask {
    pub method: Method,
    /// Below the repository (`tags/list`), or a whole address.
    pub path: String,
    pub accept: Option<&'static str>,
    pub content_type: Option<HeaderValue>,
    pub body: Payload,
    /// What is asked for, in words.
    pub about: String,
}

pub enum Payload {
    Bytes(Bytes),
    /// Another answer, as it comes: it is sent once.
    Stream(Response, u64),
}

impl Ask {
    pub fn new(method: Method, path: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            accept: None,
            content_type: None,
            body: Payload::Bytes(Bytes::new()),
            about: about.into(),
        }
    }
}

/// A whole answer.
pub struct Answer {
    pub headers: HeaderMap,
    pub body: Bytes,
}

type TokenKey = (String, String, Right, Login);

/// The connections to all registries.
pub struct Exchange {
    settings: config::Registries,
    pub clock: Clock,
    clients: Mutex<HashMap<Trust, Client>>,
    tokens: Cache<TokenKey, HeaderValue>,
}

/// Whom a connection trusts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Trust {
    /// Without TLS.
    Nobody,
    System,
    /// The authorities of this file as well.
    Also(PathBuf),
}

impl Exchange {
    pub fn new(settings: config::Registries, clock: Clock) -> Self {
        Self {
            settings,
            clock,
            clients: Mutex::default(),
            tokens: Cache::new(TOKENS),
        }
    }

    pub fn settings(&self) -> &config::Registries {
        &self.settings
    }

    /// The head says yes; the body is still to come.
    ///
    /// # Errors
    /// Any other answer, or none.
    pub async fn send(&self, who: Who<'_>, mut ask: Ask) -> Result<Response, Error> {
        let url = self.url(who.place, &ask.path)?;
        let mut known = self.tokens.get(&key(who), (self.clock)());
        let mut asked_before = false;
        loop {
            let streams = matches!(ask.body, Payload::Stream(..));
            let response = self.follow(who, &url, &mut ask, known.as_ref()).await?;
            let refused = response.status() == StatusCode::UNAUTHORIZED;
            if !refused || asked_before || streams {
                return checked(response, who, &ask.about, known.as_ref()).await;
            }
            self.tokens.forget(&key(who));
            let challenge = response.headers().get_all(WWW_AUTHENTICATE).iter();
            let challenge = challenge.filter_map(|value| value.to_str().ok());
            let Some(challenge) = Challenge::read(challenge) else {
                return checked(response, who, &ask.about, known.as_ref()).await;
            };
            let Some((header, seconds)) = self.answer(who, &url, challenge).await? else {
                return checked(response, who, &ask.about, known.as_ref()).await;
            };
            let until = (self.clock)().checked_add(SignedDuration::from_secs(seconds));
            let until = until.unwrap_or(Timestamp::MAX);
            self.tokens.put(key(who), header.clone(), until);
            known = Some(header);
            asked_before = true;
        }
    }

    /// The same with its body, of `most` bytes.
    ///
    /// # Errors
    /// As of [`Self::send`], or the body is longer.
    pub async fn whole(&self, who: Who<'_>, ask: Ask, most: usize) -> Result<Answer, Error> {
        let (host, about) = (who.place.host.clone(), ask.about.clone());
        let response = self.send(who, ask).await?;
        let headers = response.headers().clone();
        let body = timeout(LIMIT, read(response, most, (&host, &about))).await;
        let body = body.map_err(|_| late(&host))??;
        Ok(Answer { headers, body })
    }

    /// Where a registry is reached, with `path` below the repository.
    pub fn url(&self, place: &Place, path: &str) -> Result<Url, Error> {
        if path.starts_with("https://") || path.starts_with("http://") {
            return parse(place, path);
        }
        let address = self.address(place);
        let scheme = match self.trust(place) {
            Trust::Nobody => "http",
            Trust::System | Trust::Also(_) => "https",
        };
        parse(
            place,
            &format!("{scheme}://{address}/v2/{}/{path}", place.repository),
        )
    }

    fn known(&self, place: &Place) -> Option<&config::Registry> {
        let mut known = self.settings.known.iter();
        known.find(|r| place::hub_in_one_way(&r.host.to_ascii_lowercase()) == place.host)
    }

    fn address<'a>(&'a self, place: &'a Place) -> &'a str {
        let set = self.known(place).and_then(|known| known.address.as_deref());
        set.unwrap_or_else(|| place::address(&place.host))
    }

    fn trust(&self, place: &Place) -> Trust {
        match self.known(place).and_then(|known| known.ca_file.clone()) {
            Some(file) => Trust::Also(file),
            None if place::is_loopback(self.address(place)) => Trust::Nobody,
            None => Trust::System,
        }
    }

    /// Goes where the registry keeps its bytes; the login stays with the registry. Only what is read is followed.
    async fn follow(
        &self,
        who: Who<'_>,
        url: &Url,
        ask: &mut Ask,
        header: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        let mut at = url.clone();
        for _ in 0..=HOPS {
            let own = at.origin() == url.origin();
            let header = header.filter(|_| own);
            let response = self.once(who.place, &at, ask, header).await?;
            let reads = matches!(ask.method, Method::GET | Method::HEAD);
            if !reads || !response.status().is_redirection() {
                return Ok(response);
            }
            let next = response.headers().get(LOCATION);
            let next = next.and_then(|value| at.join(value.to_str().ok()?).ok());
            let Some(next) = next else {
                return Ok(response);
            };
            if next.scheme() != "https" && at.scheme() == "https" {
                return Err(unusable(
                    who.place,
                    &ask.about,
                    "it leads to an address without TLS",
                ));
            }
            at = next;
        }
        Err(unusable(
            who.place,
            &ask.about,
            "it leads from one address to the next",
        ))
    }

    async fn once(
        &self,
        place: &Place,
        url: &Url,
        ask: &mut Ask,
        header: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        let client = self.client(place).await?;
        let mut request = client.request(ask.method.clone(), url.clone());
        if let Some(accept) = ask.accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(kind) = &ask.content_type {
            request = request.header(CONTENT_TYPE, kind.clone());
        }
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header.clone());
        }
        let empty = Payload::Bytes(Bytes::new());
        request = match std::mem::replace(&mut ask.body, empty) {
            Payload::Bytes(bytes) if ask.method == Method::GET || ask.method == Method::HEAD => {
                debug_assert!(bytes.is_empty());
                request
            }
            Payload::Bytes(bytes) => {
                ask.body = Payload::Bytes(bytes.clone());
                request.body(bytes)
            }
            // As long as it keeps coming: its reader has the limit.
            Payload::Stream(response, length) => {
                let request = request.header(http::header::CONTENT_LENGTH, length);
                return request
                    .body(response)
                    .send()
                    .await
                    .map_err(|e| unreached(place, &e));
            }
        };
        let sent = timeout(LIMIT, request.send()).await;
        sent.map_err(|_| late(&place.host))?
            .map_err(|e| unreached(place, &e))
    }

    /// What a challenge is answered with, and for how many seconds; nothing when there is no login to answer with.
    async fn answer(
        &self,
        who: Who<'_>,
        registry: &Url,
        challenge: Challenge,
    ) -> Result<Option<(HeaderValue, i64)>, Error> {
        let (realm, service, scope) = match challenge {
            Challenge::Basic => return Ok(basic(who.login).map(|header| (header, BASIC_SECONDS))),
            Challenge::Bearer {
                realm,
                service,
                scope,
            } => (realm, service, scope),
        };
        let about = "a token";
        let url = parse(who.place, &realm)?;
        if url.scheme() != "https" && registry.scheme() == "https" {
            return Err(unusable(
                who.place,
                about,
                "it wants the login sent without TLS",
            ));
        }
        let scope = scope.unwrap_or_else(|| {
            let rights = match who.right {
                Right::Pull => "pull",
                Right::Push => "pull,push",
            };
            format!("repository:{}:{rights}", who.place.repository)
        });
        let mut ask = token_request(who.login, &url, service.as_deref(), &scope);
        let header = basic(who.login);
        let url = parse(who.place, &ask.path)?;
        let response = self
            .once(who.place, &url, &mut ask, header.as_ref())
            .await?;
        let response = checked(response, who, about, None).await?;
        let body = timeout(LIMIT, read(response, SMALL, (&who.place.host, about))).await;
        let body = body.map_err(|_| late(&who.place.host))??;
        let granted = serde_json::from_slice::<Granted>(&body).ok();
        let granted = granted.and_then(Granted::header);
        let granted = granted.ok_or_else(|| unusable(who.place, about, "the answer holds none"))?;
        Ok(Some(granted))
    }

    async fn client(&self, place: &Place) -> Result<Client, Error> {
        let trust = self.trust(place);
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(&trust) {
            return Ok(client.clone());
        }
        let (proxy, wanted) = (self.settings.proxy.clone(), trust.clone());
        // The authorities of the system are many files.
        let built = tokio::task::spawn_blocking(move || build(&wanted, proxy)).await;
        let built = built.map_err(|why| why.to_string()).and_then(|built| built);
        let client = built.map_err(|message| Error::Unreached {
            host: place.host.clone(),
            message,
        })?;
        clients.insert(trust, client.clone());
        Ok(client)
    }
}

fn key(who: Who<'_>) -> TokenKey {
    let place = who.place;
    let (host, repository) = (place.host.clone(), place.repository.clone());
    (host, repository, who.right, who.login.clone())
}

fn build(trust: &Trust, environment: config::Proxy) -> Result<Client, String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let chosen = move |url: &Url| {
        let uri = url.as_str().parse().ok()?;
        proxy::choose(&uri, None, &environment)
    };
    let builder = || {
        Client::builder()
            .user_agent(concat!("rolldeck/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .proxy(reqwest::Proxy::custom(chosen.clone()))
    };
    let built = match trust {
        Trust::Nobody => builder().tls_certs_only([]).build(),
        Trust::System => builder().build(),
        Trust::Also(file) => {
            let wrong = |what: &dyn std::fmt::Display| {
                format!("the authority in {} {what}", file.display())
            };
            let text = std::fs::read(file)
                .map_err(|why| wrong(&format_args!("cannot be read: {}", why.kind())))?;
            let found = Certificate::from_pem_bundle(&text).unwrap_or_default();
            if found.is_empty() {
                return Err(wrong(&"is no certificate in PEM"));
            }
            // A system without authorities of its own has none to add to.
            let merged = builder().tls_certs_merge(found.clone()).build();
            merged.or_else(|_| builder().tls_certs_only(found).build())
        }
    };
    built.map_err(|why| format!("TLS cannot be set up here: {}", innermost(&why)))
}

/// The GET of most, the POST of an identity token.
fn token_request(login: &Login, realm: &Url, service: Option<&str>, scope: &str) -> Ask {
    let mut query = realm.clone();
    {
        let mut pairs = query.query_pairs_mut();
        pairs.extend_pairs(service.map(|service| ("service", service)));
        // A registry may ask for several, with spaces between.
        for one in scope.split(' ') {
            pairs.append_pair("scope", one);
        }
        if let Login::Identity(token) = login {
            pairs.append_pair("grant_type", "refresh_token");
            pairs.append_pair("client_id", "rolldeck");
            pairs.append_pair("refresh_token", token);
        }
    }
    let about = "a token";
    if !matches!(login, Login::Identity(_)) {
        return Ask::new(Method::GET, query.as_str(), about);
    }
    let mut ask = Ask::new(Method::POST, realm.as_str(), about);
    let form = query.query().unwrap_or_default().to_owned();
    ask.body = Payload::Bytes(form.into());
    ask.content_type = Some(HeaderValue::from_static(
        "application/x-www-form-urlencoded",
    ));
    ask
}

/// Turns every head that does not say yes into an error with the registry's own words, but for what was `sent` to log in.
async fn checked(
    response: Response,
    who: Who<'_>,
    about: &str,
    sent: Option<&HeaderValue>,
) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let host = who.place.host.clone();
    let wait = response.headers().get(RETRY_AFTER);
    let wait = wait.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let body = timeout(LIMIT, read(response, SMALL, (&host, about))).await;
    let message = body.ok().and_then(Result::ok);
    let message = message.map(|body| {
        let covered = who.hidden(sent).cover(&String::from_utf8_lossy(&body));
        convert::words(covered.as_bytes())
    });
    let message = message.unwrap_or_default();
    let about = about.to_owned();
    Err(match status {
        StatusCode::UNAUTHORIZED => Error::Unauthorized {
            host,
            known: *who.login != Login::Anonymous,
            message,
        },
        StatusCode::FORBIDDEN => Error::Denied {
            host,
            about,
            message,
        },
        StatusCode::NOT_FOUND => Error::NotFound {
            host,
            about,
            message,
        },
        StatusCode::TOO_MANY_REQUESTS => Error::Throttled {
            host,
            retry_after: wait.map(Duration::from_secs),
        },
        status => Error::Unusable {
            host,
            about,
            message: format!("it answers {status} {message}")
                .trim_end()
                .to_owned(),
        },
    })
}

async fn read(
    mut response: Response,
    most: usize,
    (host, about): (&str, &str),
) -> Result<Bytes, Error> {
    let wrong = |message: String| Error::Unusable {
        host: host.to_owned(),
        about: about.to_owned(),
        message,
    };
    let mut body = BytesMut::new();
    loop {
        let piece = response.chunk().await;
        match piece.map_err(|why| wrong(format!("the answer broke off: {}", innermost(&why))))? {
            None => return Ok(body.freeze()),
            Some(piece) if body.len() + piece.len() > most => {
                return Err(wrong(format!(
                    "the answer is longer than {} MiB",
                    most >> 20
                )));
            }
            Some(piece) => body.extend_from_slice(&piece),
        }
    }
}

fn parse(place: &Place, text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|why| unusable(place, "an address", &why.to_string()))
}

pub fn unusable(place: &Place, about: &str, message: &str) -> Error {
    Error::Unusable {
        host: place.host.clone(),
        about: about.to_owned(),
        message: message.to_owned(),
    }
}

fn late(host: &str) -> Error {
    Error::Late {
        host: host.to_owned(),
        limit: LIMIT,
    }
}

fn unreached(place: &Place, error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::Late {
            host: place.host.clone(),
            limit: CONNECT,
        };
    }
    let message = innermost(error);
    let message = match message.as_str() {
        words if words.starts_with("failed to lookup address") => {
            "its name is not known here".into()
        }
        words
            if ["UnknownIssuer", "BadSignature"]
                .iter()
                .any(|why| words.contains(why)) =>
        {
            "its certificate is of an authority that is not trusted here (caFile in the settings)"
                .into()
        }
        _ => message,
    };
    Error::Unreached {
        host: place.host.clone(),
        message,
    }
}

/// Never the address, which may hold what is secret.
fn innermost(error: &dyn StdError) -> String {
    let mut words = "the connection broke".to_owned();
    let mut at = error.source();
    while let Some(inner) = at {
        let io = inner.downcast_ref::<io::Error>();
        words = match io.and_then(|io| io.raw_os_error().map(|_| io.kind())) {
            Some(kind) => kind.to_string(),
            None => inner.to_string(),
        };
        at = inner.source();
    }
    words
}
