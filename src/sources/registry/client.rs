//! What is asked of registries: tags, digests, manifests, and whether an image is there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::cache::Cache;
use super::convert::{self, ACCEPT, Built, Document, TagPage};
use super::error::Error;
use super::exchange::{Ask, Exchange, Right, Who, unusable};
use super::login::{self, Login, PullSecret};
use super::place::Place;
use crate::config;
use crate::domain::image_state::Platform;
use crate::domain::{Manifest, Presence, Tags};
use crate::sources::{Clock, words};

/// How long a tag is taken to be what it was.
const TAG_SECONDS: i64 = 60;
/// How long a login is kept that docker's settings or a helper gave.
const LOGIN_SECONDS: i64 = 60;
const NO_IMAGE: &str = "it is neither an image nor an index of images";
const KEPT: usize = 2_000;
/// What no registry may go over: tags of one repository, and pages of them.
const MOST_TAGS: usize = 100_000;
const MOST_PAGES: usize = 2_000;
/// A page; more than that some refuse.
const PAGE: usize = 1_000;
const TAG_BYTES: usize = 16 << 20;
/// Of a manifest, by the specification.
const MANIFEST_BYTES: usize = 4 << 20;
const CONFIG_BYTES: usize = 8 << 20;

/// All registries. Cheap to clone; clones share connections, logins and what was learned.
#[derive(Clone)]
pub struct Registries {
    pub(super) inner: Arc<Inner>,
}

impl fmt::Debug for Registries {
    /// Logins have no place in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registries")
    }
}

pub(super) struct Inner {
    pub exchange: Exchange,
    /// By host.
    logins: Cache<String, Option<Login>>,
    /// The digest of a tag, by its whole name.
    tags: Cache<String, Box<str>>,
    /// By digest, which names its bytes: for ever.
    manifests: Cache<Box<str>, Manifest>,
}

/// A manifest or an index: its bytes as the registry has them, and what they say.
pub(super) struct Raw {
    pub digest: Box<str>,
    pub kind: HeaderValue,
    pub bytes: Bytes,
    pub document: Document,
}

impl Registries {
    pub fn new(settings: &config::Registries, clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                exchange: Exchange::new(settings.clone(), clock),
                logins: Cache::new(KEPT),
                tags: Cache::new(KEPT),
                manifests: Cache::new(KEPT),
            }),
        }
    }

    pub fn settings(&self) -> &config::Registries {
        self.inner.exchange.settings()
    }

    /// Whether the registry has it, asked now. `secrets` are tried after docker's own login. 3 requests and their
    /// logins at most, each of 10 s.
    ///
    /// # Errors
    /// It is not known; [`Error::needs_login`] tells whether other secrets may help.
    pub async fn look(&self, image: &str, secrets: &[PullSecret]) -> Result<Presence, Error> {
        let place = Place::of(image)?;
        let ask = |login: Login| {
            let place = place.clone();
            async move { self.look_as(&place, &login).await }.boxed()
        };
        self.by(&place, secrets, &ask).await
    }

    /// The same in one word: an error is [`Presence::Unverified`], in its words.
    pub async fn presence(&self, image: &str, secrets: &[PullSecret]) -> Presence {
        let found = self.look(image, secrets).await;
        found.unwrap_or_else(|why| Presence::Unverified(why.to_string()))
    }

    /// `sha256:…` behind a tag; what was learned in the last minute is not asked again. 10 s a request.
    ///
    /// # Errors
    /// There is none, or it is not known.
    pub async fn digest(&self, image: &str, secrets: &[PullSecret]) -> Result<Box<str>, Error> {
        let place = Place::of(image)?;
        if place.is_pinned() {
            return Ok(place.reference.into());
        }
        let name = format!("{}/{}", place.host, place.words());
        if let Some(digest) = self.inner.tags.get(&name, self.now()) {
            return Ok(digest);
        }
        let ask = |login: Login| {
            let place = place.clone();
            async move { self.head(&place, &login).await }.boxed()
        };
        let digest = self.by(&place, secrets, &ask).await?;
        self.learn(&place, &digest);
        Ok(digest)
    }

    /// Digest, platforms, creation time and labels. By digest it is asked once; 4 requests at most, each of 10 s.
    ///
    /// # Errors
    /// There is none, or it is not known.
    pub async fn manifest(&self, image: &str, secrets: &[PullSecret]) -> Result<Manifest, Error> {
        let place = Place::of(image)?;
        let digest = self.digest(image, secrets).await?;
        if let Some(manifest) = self.inner.manifests.get(&digest, self.now()) {
            return Ok(manifest);
        }
        let ask = |login: Login| {
            let place = place.at(&digest);
            async move { self.read(&place, &login).await }.boxed()
        };
        let manifest = self.by(&place, secrets, &ask).await?;
        let inner = &self.inner;
        inner
            .manifests
            .put(digest, manifest.clone(), Timestamp::MAX);
        Ok(manifest)
    }

    /// All tags of the image's repository, page by page; of more than 100,000 only the first. 10 s a page.
    ///
    /// # Errors
    /// There is no such repository, or it is not known.
    pub async fn tags(&self, image: &str, secrets: &[PullSecret]) -> Result<Tags, Error> {
        let place = Place::of(image)?;
        let ask = |login: Login| {
            let place = place.clone();
            async move { self.every_tag(&place, &login).await }.boxed()
        };
        self.by(&place, secrets, &ask).await
    }

    /// Docker's own login for the registry of an image, which a Docker engine does not know by itself.
    ///
    /// # Errors
    /// Docker's settings or a helper cannot be used.
    pub async fn login(&self, image: &str) -> Result<Option<Login>, Error> {
        self.of_docker(&Place::of(image)?).await
    }

    /// Asks with one login after another until one is let in; the first refusal is the one that is told.
    pub(super) async fn by<'a, T>(
        &self,
        place: &Place,
        secrets: &[PullSecret],
        ask: &(dyn Fn(Login) -> BoxFuture<'a, Result<T, Error>> + Sync),
    ) -> Result<T, Error> {
        let mut refused = None;
        for login in self.logins(place, secrets).await? {
            match ask(login).await {
                Err(error) if error.needs_login() => {
                    refused.get_or_insert(error);
                }
                other => return other,
            }
        }
        Err(refused.unwrap_or_else(|| unusable(place, "a login", "there is none")))
    }

    /// Docker's own, then those of the secrets that fit; nobody's when there is none, or none is accepted.
    async fn logins(&self, place: &Place, secrets: &[PullSecret]) -> Result<Vec<Login>, Error> {
        let mut found: Vec<_> = self.of_docker(place).await?.into_iter().collect();
        for login in secrets.iter().filter_map(|secret| secret.login(place)) {
            if !found.contains(&login) {
                found.push(login);
            }
        }
        found.push(Login::Anonymous);
        Ok(found)
    }

    async fn of_docker(&self, place: &Place) -> Result<Option<Login>, Error> {
        let Some(folder) = &self.settings().docker_config else {
            return Ok(None);
        };
        let key = format!("{}/{}", place.host, place.repository);
        if let Some(login) = self.inner.logins.get(&key, self.now()) {
            return Ok(login);
        }
        let login = login::of_docker(folder, place).await?;
        self.inner
            .logins
            .put(key, login.clone(), self.until(LOGIN_SECONDS));
        Ok(login)
    }

    async fn look_as(&self, place: &Place, login: &Login) -> Result<Presence, Error> {
        match self.head(place, login).await {
            Ok(digest) => {
                self.learn(place, &digest);
                let at = self.now();
                Ok(Presence::Present { digest, at })
            }
            Err(error @ Error::NotFound { .. }) => self.is_missing(place, login, error).await,
            Err(error) => Err(error),
        }
    }

    /// A registry says 404 as well to who may not see an image: only one that shows another of its tags is believed.
    async fn is_missing(
        &self,
        place: &Place,
        login: &Login,
        error: Error,
    ) -> Result<Presence, Error> {
        let unsure = || {
            let host = &place.host;
            let words = format!(
                "{host} does not show {}, nor another tag of it",
                place.words()
            );
            Ok(Presence::Unverified(words))
        };
        let who = pull(place, login);
        let first = match self.tag_page(who, format!("tags/list?n={PAGE}")).await {
            Ok((tags, _)) => tags,
            Err(Error::NotFound { .. } | Error::Denied { .. }) => return unsure(),
            Err(error) => return Err(error),
        };
        let mut others = first.iter().filter(|tag| ***tag != place.reference);
        let Some(other) = others.find_map(|tag| sibling(place, tag)) else {
            return unsure();
        };
        match self.head(&other, login).await {
            Ok(_) => Ok(Presence::Missing),
            Err(Error::NotFound { .. }) => unsure(),
            Err(other) if other.needs_login() => Err(error),
            Err(other) => Err(other),
        }
    }

    /// The digest by HEAD, which costs no pull; by GET where that gives none.
    async fn head(&self, place: &Place, login: &Login) -> Result<Box<str>, Error> {
        let mut ask = Ask::new(Method::HEAD, manifest_path(place), place.words());
        ask.accept = Some(ACCEPT);
        let head = self.inner.exchange.whole(pull(place, login), ask, 1).await;
        match head.map(|answer| digest_header(&answer.headers)) {
            Ok(Some(digest)) => Ok(digest),
            Ok(None) | Err(Error::Unusable { .. }) => Ok(self.raw(place, login).await?.digest),
            Err(error) => Err(error),
        }
    }

    /// The bytes of a manifest, which are those that its digest names.
    pub(super) async fn raw(&self, place: &Place, login: &Login) -> Result<Raw, Error> {
        let mut ask = Ask::new(Method::GET, manifest_path(place), place.words());
        ask.accept = Some(ACCEPT);
        let exchange = &self.inner.exchange;
        let answer = exchange
            .whole(pull(place, login), ask, MANIFEST_BYTES)
            .await?;
        let digest: Box<str> = convert::sha256(&answer.body).into();
        let told = digest_header(&answer.headers);
        let wanted = place.is_pinned().then_some(&*place.reference);
        let sha256 = |told: &&str| told.starts_with("sha256:");
        if let Some(other) = wanted.or(told.as_deref()).filter(sha256)
            && *other != *digest
        {
            let words = format!("what it sent is not {other}");
            return Err(unusable(place, &place.words(), &words));
        }
        if words::is_html(&answer.headers) {
            let words =
                "a page came instead of an answer: a login page or a proxy stands before it";
            return Err(unusable(place, &place.words(), words));
        }
        // Whoever says yes to everything has no image.
        let document: Document = decode(place, &answer.body)?;
        if !document.is_one() {
            return Err(unusable(place, &place.words(), NO_IMAGE));
        }
        let kind = answer.headers.get(http::header::CONTENT_TYPE).cloned();
        Ok(Raw {
            digest,
            kind: kind.unwrap_or_else(|| HeaderValue::from_static(convert::MANIFEST)),
            bytes: answer.body,
            document,
        })
    }

    async fn read(&self, place: &Place, login: &Login) -> Result<Manifest, Error> {
        let top = self.raw(place, login).await?;
        let platforms = top.document.platforms();
        let chosen = platforms.iter().find(|p| &*p.name == "linux/amd64");
        let Some(chosen) = chosen.or(platforms.first()) else {
            let digest = top.digest.clone();
            let (built, created, labels) = self.built(place, login, &top.document).await?;
            return Ok(Manifest {
                platforms: vec![Platform {
                    name: built,
                    digest: digest.clone(),
                }],
                digest,
                created,
                labels,
            });
        };
        let raw = self.raw(&of_digest(place, &chosen.digest)?, login).await?;
        let (_, created, labels) = self.built(place, login, &raw.document).await?;
        Ok(Manifest {
            digest: top.digest,
            platforms,
            created,
            labels,
        })
    }

    async fn built(
        &self,
        place: &Place,
        login: &Login,
        document: &Document,
    ) -> Result<(Box<str>, Option<Timestamp>, BTreeMap<Box<str>, Box<str>>), Error> {
        let config = document.config.as_ref();
        let config = config.ok_or_else(|| unusable(place, &place.words(), NO_IMAGE))?;
        let blob = of_digest(place, &config.digest)?;
        let path = format!("blobs/{}", blob.reference);
        let ask = Ask::new(
            Method::GET,
            path,
            format!("the settings of {}", place.words()),
        );
        let exchange = &self.inner.exchange;
        let answer = exchange
            .whole(pull(place, login), ask, CONFIG_BYTES)
            .await?;
        let built: Built = decode(place, &answer.body)?;
        Ok((built.platform(), built.created(), built.labels()))
    }

    async fn every_tag(&self, place: &Place, login: &Login) -> Result<Tags, Error> {
        let who = pull(place, login);
        let mut path = format!("tags/list?n={PAGE}");
        let mut names = Vec::new();
        for _ in 0..MOST_PAGES {
            let (page, next) = self.tag_page(who, path.clone()).await?;
            names.extend(page);
            if names.len() > MOST_TAGS {
                names.truncate(MOST_TAGS);
                break;
            }
            match next {
                None => return Ok(Tags { names, whole: true }),
                // It would go round for ever.
                Some(next) if next == path => break,
                Some(next) => path = next,
            }
        }
        Ok(Tags {
            names,
            whole: false,
        })
    }

    /// One page, and where the next one is.
    async fn tag_page(
        &self,
        who: Who<'_>,
        path: String,
    ) -> Result<(Vec<Box<str>>, Option<String>), Error> {
        let exchange = &self.inner.exchange;
        let url = exchange.url(who.place, &path)?;
        let about = format!("the tags of {}", who.place.repository);
        let ask = Ask::new(Method::GET, path, about.as_str());
        let answer = exchange.whole(who, ask, TAG_BYTES).await?;
        let page: TagPage = decode(who.place, &answer.body)?;
        let link = answer.headers.get(http::header::LINK);
        let link = link.and_then(|link| convert::next(link.to_str().ok()?));
        let next = match link.map(|link| url.join(link)) {
            None => None,
            Some(Ok(next)) if next.origin() == url.origin() => Some(next.to_string()),
            Some(_) => {
                let words = "the next page is said to be somewhere else";
                return Err(unusable(who.place, &about, words));
            }
        };
        Ok((page.tags.unwrap_or_default(), next))
    }

    fn learn(&self, place: &Place, digest: &str) {
        if !place.is_pinned() {
            let name = format!("{}/{}", place.host, place.words());
            self.inner
                .tags
                .put(name, digest.into(), self.until(TAG_SECONDS));
        }
    }

    fn now(&self) -> Timestamp {
        (self.inner.exchange.clock)()
    }

    fn until(&self, seconds: i64) -> Timestamp {
        let until = self.now().checked_add(SignedDuration::from_secs(seconds));
        until.unwrap_or(Timestamp::MAX)
    }
}

fn pull<'a>(place: &'a Place, login: &'a Login) -> Who<'a> {
    Who {
        place,
        login,
        right: Right::Pull,
    }
}

pub(super) fn manifest_path(place: &Place) -> String {
    format!("manifests/{}", place.reference)
}

/// Another tag of the same repository, when it is written as tags are.
fn sibling(place: &Place, tag: &str) -> Option<Place> {
    let name = format!("{}/{}:{tag}", place.host, place.repository);
    Place::of(&name).ok()
}

/// What a document names by its digest, which goes into a path.
pub(super) fn of_digest(place: &Place, digest: &str) -> Result<Place, Error> {
    let name = format!("{}/{}@{digest}", place.host, place.repository);
    let wrong = |_| unusable(place, &place.words(), "it names a digest that is none");
    Place::of(&name).map_err(wrong)
}

fn decode<T: DeserializeOwned>(place: &Place, text: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|why| {
        let words = format!("the answer cannot be read: {}", words::unreadable(&why));
        unusable(place, &place.words(), &words)
    })
}

fn digest_header(headers: &HeaderMap) -> Option<Box<str>> {
    let digest = headers.get("docker-content-digest")?.to_str().ok()?.trim();
    (!digest.is_empty()).then(|| digest.into())
}
