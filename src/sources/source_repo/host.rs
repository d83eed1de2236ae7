//! The interface of a host of repositories: GitHub, GitLab or Gitee. It is only read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::Error;
use crate::config::secret::SecretFrom;
use crate::config::{self, Proxy};
use crate::domain::commit::{
    CommitCheck, CommitFacts, Delivery, Head, HookCalls, Host, PullRequest,
};
use crate::domain::{Commits, Remote, Repository};
use crate::sources::http::{Answer, Ask, Http, Redirects, Url, base};
use crate::sources::secret::{self, Secret};
use crate::sources::words;

mod gitee;
mod github;
mod gitlab;

/// So many answers are kept to ask whether they still hold, which costs the host nothing and no quota.
const MOST_KEPT: usize = 200;
/// A longer one is not kept. In bytes.
const LONGEST_KEPT: usize = 256 << 10;
/// So many calls of a hook are looked at: the newest may be of something else than a push.
const CALLS: usize = 20;

/// What one entry of the settings says about a host, and what was learned from it.
#[derive(Debug)]
pub struct Interface {
    rule: config::Repository,
    proxy: Proxy,
    http: OnceCell<Http>,
    /// Until the host does not accept it any more: those of a command run out.
    token: Mutex<Option<Secret>>,
    kept: Mutex<HashMap<Box<str>, (HeaderValue, Bytes)>>,
}

/// One repository of a host.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    interface: &'a Interface,
    remote: &'a Remote,
}

impl Interface {
    pub fn new(rule: &config::Repository, proxy: &Proxy) -> Self {
        Self {
            rule: rule.clone(),
            proxy: proxy.clone(),
            http: OnceCell::new(),
            token: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    pub fn rule(&self) -> &config::Repository {
        &self.rule
    }

    /// Without a token a host gives so few answers an hour that they are kept for what matters more.
    pub fn is_asked(&self, repository: &Repository) -> bool {
        repository.remote.host != Host::Other && self.rule.token.is_some()
    }

    /// Commits are asked of it rather than of git; of a single folder it cannot tell.
    pub fn lists_commits(&self, repository: &Repository) -> bool {
        self.is_asked(repository) && repository.folder.is_none()
    }

    /// It is asked of pull requests and of what was run for a commit, which Gitee does not tell.
    pub fn tells_of_commits(&self, repository: &Repository) -> bool {
        self.is_asked(repository) && repository.remote.host != Host::Gitee
    }

    pub fn of<'a>(&'a self, remote: &'a Remote) -> Asked<'a> {
        Asked {
            interface: self,
            remote,
        }
    }
}

impl Asked<'_> {
    /// What `to` has that `from` has not.
    ///
    /// # Errors
    /// One sentence.
    pub async fn between(self, from: &str, to: &str) -> Result<Commits, Error> {
        match self.remote.host {
            Host::GitHub => github::between(self, from, to).await,
            Host::GitLab => gitlab::between(self, from, to).await,
            Host::Gitee => gitee::between(self, from, to).await,
            Host::Other => Err(self.untold("commits")),
        }
    }

    /// The newest commit of this branch, or of the one that the host takes for the main one.
    ///
    /// # Errors
    /// One sentence.
    pub async fn newest(self, branch: Option<&str>) -> Result<Option<Head>, Error> {
        match self.remote.host {
            Host::GitHub | Host::Gitee => github::newest(self, branch).await,
            Host::GitLab => gitlab::newest(self, branch).await,
            Host::Other => Err(self.untold("commits")),
        }
    }

    /// The pull or merge requests that brought this commit.
    ///
    /// # Errors
    /// One sentence.
    pub async fn pull_requests(self, commit: &str) -> Result<Vec<PullRequest>, Error> {
        match self.remote.host {
            Host::GitHub => github::pull_requests(self, commit).await,
            Host::GitLab => gitlab::merge_requests(self, commit).await,
            Host::Gitee | Host::Other => Err(self.untold("which pull request brought a commit")),
        }
    }

    /// What was run for this commit, as far as the host was told.
    ///
    /// # Errors
    /// One sentence.
    pub async fn checks(self, commit: &str) -> Result<Vec<CommitCheck>, Error> {
        match self.remote.host {
            Host::GitHub => github::checks(self, commit).await,
            Host::GitLab => gitlab::checks(self, commit).await,
            Host::Gitee | Host::Other => Err(self.untold("what was run for a commit")),
        }
    }

    /// The pull request that brought a commit, and how that fared.
    ///
    /// # Errors
    /// One sentence.
    pub async fn facts(self, commit: &str) -> Result<CommitFacts, Error> {
        let pulls = self.pull_requests(commit);
        let (pulls, checks) = tokio::try_join!(pulls, self.checks(commit))?;
        Ok(CommitFacts {
            pull: pulls.into_iter().next(),
            state: checks.iter().map(|check| check.state).max(),
        })
    }

    /// The newest call of the hooks that call this server, that of a push before all others.
    ///
    /// # Errors
    /// One sentence. The right to see hooks is that of an administrator of the repository.
    pub async fn calls(self, server: &str) -> Result<HookCalls, Error> {
        match self.remote.host {
            Host::GitHub => github::calls(self, server).await,
            Host::GitLab => gitlab::calls(self, server).await,
            Host::Gitee => gitee::calls(self, server).await,
            Host::Other => Err(self.untold("whether a hook was called")),
        }
    }

    /// That of hooks that each have a list of their calls.
    async fn newest_call<T: DeserializeOwned>(
        self,
        lists: Vec<String>,
        told: fn(T) -> Delivery,
    ) -> Result<HookCalls, Error> {
        if lists.is_empty() {
            return Ok(HookCalls::NoHook);
        }
        let mut calls = Vec::new();
        for list in lists {
            let listed: Vec<T> = self.read(&list).await?;
            calls.extend(listed.into_iter().map(told));
        }
        Ok(newest(calls))
    }

    /// `path` is relative to the interface, and encoded.
    async fn read<T: DeserializeOwned>(self, path: &str) -> Result<T, Error> {
        let body = self.body(path).await?;
        serde_json::from_slice(&body).map_err(|why| {
            self.failed(if why.is_data() {
                "the answer is not of the kind that was asked for"
            } else {
                "the answer is not JSON"
            })
        })
    }

    async fn body(self, path: &str) -> Result<Bytes, Error> {
        let interface = self.interface;
        let base = self.base()?;
        let url = base
            .join(path)
            .map_err(|_| self.failed("it has no address"))?;
        let mut ask = Ask::get(url);
        self.log_in(&mut ask).await?;
        let known = interface.kept().get(path).cloned();
        if let Some((etag, _)) = &known {
            ask.headers.insert(IF_NONE_MATCH, etag.clone());
        }
        let http = interface
            .http
            .get_or_try_init(|| Http::new(&base, None, &interface.proxy, Redirects::Follow));
        let http = http.await.map_err(|why| self.failed(&why.message))?;
        let answer = http
            .ask(&ask)
            .await
            .map_err(|why| self.failed(&why.message))?;
        match (answer.status, known) {
            (StatusCode::NOT_MODIFIED, Some((_, body))) => Ok(body),
            (status, _) if status.is_success() && words::is_html(&answer.headers) => {
                Err(self.failed(&format!("a page, and no answer: {}", answer.words())))
            }
            (status, _) if status.is_success() => {
                interface.keep(path, &answer);
                Ok(answer.body)
            }
            (_, _) => Err(self.refused(&answer)),
        }
    }

    fn base(self) -> Result<Url, Error> {
        let own = |version| format!("https://{}/api/{version}", self.remote.machine);
        let usual = || match self.remote.host {
            Host::GitHub if &*self.remote.machine == "github.com" => {
                "https://api.github.com".to_owned()
            }
            Host::GitHub | Host::Other => own("v3"),
            Host::GitLab => own("v4"),
            Host::Gitee => own("v5"),
        };
        let address = self.interface.rule.api.clone().unwrap_or_else(usual);
        base(&address).map_err(|why| self.failed(&format!("api: {why}")))
    }

    /// Each host takes its token in a way of its own.
    async fn log_in(self, ask: &mut Ask) -> Result<(), Error> {
        let accept = HeaderValue::from_static("application/json");
        ask.headers.insert(http::header::ACCEPT, accept);
        let Some(from) = &self.interface.rule.token else {
            return Ok(());
        };
        let known = self.interface.token().clone();
        let token = match known {
            Some(token) => token,
            None => self.read_token(from).await?,
        };
        let (name, text) = match self.remote.host {
            Host::Gitee => {
                let mut query = ask.url.query_pairs_mut();
                query.append_pair("access_token", token.reveal());
                drop(query);
                ask.hidden.add(token.reveal());
                return Ok(());
            }
            Host::GitLab => ("private-token", token.reveal().to_owned()),
            Host::GitHub | Host::Other => ("authorization", format!("Bearer {}", token.reveal())),
        };
        let unfit = |_| self.failed(&format!("token: {from} gives what is no token"));
        let mut value = HeaderValue::try_from(text).map_err(unfit)?;
        value.set_sensitive(true);
        ask.headers.insert(HeaderName::from_static(name), value);
        Ok(())
    }

    async fn read_token(self, from: &SecretFrom) -> Result<Secret, Error> {
        let read = secret::read(from).await;
        let token = read.map_err(|why| self.failed(&format!("token: {why}")))?;
        *self.interface.token() = Some(token.clone());
        Ok(token)
    }

    fn refused(self, answer: &Answer) -> Error {
        let said = said(answer);
        if answer.status == StatusCode::UNAUTHORIZED {
            *self.interface.token() = None;
        }
        let whose = match &self.interface.rule.token {
            Some(from) => format!("the token ({from})"),
            None => "a guest".to_owned(),
        };
        let sentence = match (answer.status.as_u16(), left_alone(answer)) {
            (401, _) => format!("the host does not accept {whose}: {said}"),
            (403 | 429, Some(wait)) => format!("the host wants to be left alone {wait}: {said}"),
            (429, None) => format!("the host wants to be left alone: {said}"),
            (403, None) => format!("the host does not let {whose} read this: {said}"),
            (404, _) => {
                format!("the host knows no such thing, or does not show it to {whose}: {said}")
            }
            (300..=399, _) => format!("it leads to another place: {said}"),
            (500.., _) => format!("the host failed: {said}"),
            (_, _) => said,
        };
        self.failed(&sentence)
    }

    fn failed(self, said: &str) -> Error {
        Error::Failed {
            about: self.remote.to_string(),
            said: said.to_owned(),
        }
    }

    fn untold(self, what: &str) -> Error {
        self.failed(&format!("its host does not tell {what}"))
    }
}

impl Interface {
    fn token(&self) -> MutexGuard<'_, Option<Secret>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Box<str>, (HeaderValue, Bytes)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, path: &str, answer: &Answer) {
        let Some(etag) = answer.headers.get(ETAG) else {
            return;
        };
        let mut kept = self.kept();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        if answer.body.len() <= LONGEST_KEPT {
            kept.insert(path.into(), (etag.clone(), answer.body.clone()));
        }
    }
}

/// The host's own words.
fn said(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Words {
        #[serde(alias = "error")]
        message: String,
    }
    match serde_json::from_slice::<Words>(&answer.body) {
        Ok(words) => format!(
            "{} ({})",
            words::shorten(&words.message),
            answer.status.as_u16()
        ),
        Err(_) => answer.words(),
    }
}

/// Until when, where a limit is what is wrong: GitHub says so with a 403 as well.
fn left_alone(answer: &Answer) -> Option<String> {
    if let Some(wait) = answer.retry_after() {
        return Some(format!("for {}s", wait.as_secs()));
    }
    let header = |name: &str| answer.headers.get(name)?.to_str().ok()?.parse::<i64>().ok();
    let first = |names: [&str; 2]| names.into_iter().find_map(header);
    let remaining = first(["x-ratelimit-remaining", "ratelimit-remaining"])?;
    let until = first(["x-ratelimit-reset", "ratelimit-reset"])?;
    let until = Timestamp::from_second(until).ok()?;
    (remaining == 0).then(|| format!("until {until}"))
}

/// Whether this address lies on the server. There may be a secret in it: it is shown to nobody.
fn is_on(url: &str, server: &str) -> bool {
    let place = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let machine = authority.rsplit_once('@').map_or(authority, |(_, m)| m);
        format!("{}/{path}", machine.to_lowercase())
    };
    let server = place(server.trim_end_matches('/'));
    let server = server.trim_end_matches('/');
    let rest = place(url);
    let rest = rest.strip_prefix(server);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The newest of these calls, a push before others: `None` where a hook was not called lately.
fn newest(calls: Vec<Delivery>) -> HookCalls {
    let rank = |call: &Delivery| (call.event.contains("push"), call.at);
    match calls.into_iter().max_by_key(rank) {
        Some(call) => HookCalls::Last(call),
        None => HookCalls::NoCall,
    }
}

/// Of a branch that nobody named the host does not say the name either.
fn head(branch: Option<&str>, id: String, at: Option<Timestamp>) -> Head {
    Head {
        branch: branch.unwrap_or("the main branch").into(),
        id: id.into(),
        at,
    }
}

/// One segment of a path, or one value of a query.
fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let piece = |b: u8| {
        if plain(b) {
            char::from(b).to_string()
        } else {
            format!("%{b:02X}")
        }
    };
    text.bytes().map(piece).collect()
}

/// `shop/cart` with its slash.
fn encoded_path(path: &str) -> String {
    let pieces: Vec<_> = path.split('/').map(encoded).collect();
    pieces.join("/")
}

#[cfg(test)]
mod tests;
