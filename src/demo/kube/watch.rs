//! Watches: the changes of a kind after a version, line by line, until the client's time is over.

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use serde_json::json;
use tokio::sync::watch::Receiver;
use tokio::time::{Sleep, sleep};

use super::answer::Answer;
use super::go_json;
use super::kind::{Kind, LIST_OPTIONS};
use super::list;
use super::object::{Kept, Object};
use super::query::{Query, bad_option};
use super::refusal::Refusal;
use super::selector::Selector;
use super::server::Call;
use super::store::{Change, Expired};
use super::table;

/// Between two bookmarks of a quiet watch, and before its end.
const BOOKMARKS: Duration = Duration::from_secs(60);
const LAST_BOOKMARK: Duration = Duration::from_secs(2);
/// When the client does not say.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// Where a watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// With what there is, and whether a bookmark then says that this was all.
    Everything {
        marked: bool,
    },
    Now,
    Version(u64),
}

pub fn watch(call: &Call, kind: &'static Kind, namespace: Option<&str>) -> Result<Answer, Refusal> {
    let query = &call.query;
    let selector = Selector::of(kind, query)?;
    let from = from(query)?;
    let seconds = query.number("timeoutSeconds")?.unwrap_or(0);
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let limit = match seconds {
        0 => LONGEST,
        seconds => Duration::from_secs(seconds),
    };
    let watcher = Watcher {
        call: call.clone(),
        kind,
        namespace: namespace.map(str::to_owned),
        selector,
        news: call.api.cluster.store.news(),
        version: 0,
        start: Some(from),
        headed: false,
        end: Box::pin(sleep(limit)),
        bookmarks: Bookmarks::new(query.flag("allowWatchBookmarks"), limit),
    };
    let pieces = stream::unfold(Some(watcher), |watcher| async { watcher?.step().await });
    Ok(Answer::Stream("application/json", pieces.boxed()))
}

fn from(query: &Query) -> Result<From, Refusal> {
    let (initial, matching) = (
        query.get("sendInitialEvents"),
        query.get("resourceVersionMatch"),
    );
    let why = match (initial, matching) {
        _ if !query.get("continue").is_empty() => {
            Some("resourceVersionMatch is forbidden when continue is provided")
        }
        ("", "") => None,
        ("", _) => {
            Some("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
        }
        (_, "NotOlderThan") => None,
        _ => Some("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    };
    if let Some(why) = why {
        let why = format!("Forbidden: {why}");
        return Err(bad_option(&LIST_OPTIONS, "resourceVersionMatch", why));
    }
    let text = query.get("resourceVersion");
    let version = match text {
        "" => 0,
        text => list::version(text).map_err(Refusal::Internal)?,
    };
    let marks = query.flag("allowWatchBookmarks");
    Ok(match (initial, version) {
        ("", 0) => From::Everything { marked: marks },
        ("", version) => From::Version(version),
        _ if query.flag("sendInitialEvents") => From::Everything { marked: marks },
        (_, 0) => From::Now,
        (_, version) => From::Version(version),
    })
}

struct Watcher {
    call: Call,
    kind: &'static Kind,
    namespace: Option<String>,
    selector: Selector,
    news: Receiver<u64>,
    /// Everything up to it was told.
    version: u64,
    start: Option<From>,
    /// The columns of a table are told once.
    headed: bool,
    end: Pin<Box<Sleep>>,
    bookmarks: Bookmarks,
}

type Step = Option<(Bytes, Option<Watcher>)>;

impl Watcher {
    /// Waits for something to tell.
    async fn step(mut self) -> Step {
        if let Some(from) = self.start.take() {
            let text = self.begin(from);
            if !text.is_empty() {
                return Some((text.into(), Some(self)));
            }
        }
        loop {
            let seen = *self.news.borrow_and_update();
            match self.call.api.cluster.store.since(self.kind, self.version) {
                Ok(changes) => {
                    self.version = self.version.max(seen);
                    let text = self.tell(&changes);
                    if !text.is_empty() {
                        return Some((text.into(), Some(self)));
                    }
                }
                Err(expired) => return Some((self.expired(expired).into(), None)),
            }
            tokio::select! {
                () = &mut self.end => return None,
                () = self.bookmarks.due() => {
                    let text = self.bookmark(false);
                    return Some((text.into(), Some(self)));
                }
                changed = self.news.changed() => changed.ok()?,
            }
        }
    }

    fn begin(&mut self, from: From) -> String {
        let store = &self.call.api.cluster.store;
        match from {
            From::Version(version) => {
                self.version = version;
                String::new()
            }
            From::Now => {
                self.version = store.version();
                String::new()
            }
            From::Everything { marked } => {
                let (version, items) = store.snapshot(self.kind, self.namespace.as_deref());
                self.version = version;
                let mut text = String::new();
                for item in items {
                    if self.selector.chooses(&item) {
                        self.line(&mut text, "ADDED", &item);
                    }
                }
                if marked {
                    text.push_str(&self.bookmark(true));
                }
                text
            }
        }
    }

    fn tell(&mut self, changes: &[Change]) -> String {
        let mut text = String::new();
        for change in changes {
            self.version = self.version.max(change.version);
            let key = &change.after.key;
            let elsewhere = |name: &String| **name != *key.namespace;
            if self.namespace.as_ref().is_some_and(elsewhere) {
                continue;
            }
            let before = change.before.as_ref();
            let was = before.filter(|object| self.selector.chooses(object));
            let is = !change.deleted && self.selector.chooses(&change.after);
            match (was, is) {
                (None, true) => self.line(&mut text, "ADDED", &change.after),
                (Some(_), true) => self.line(&mut text, "MODIFIED", &change.after),
                (Some(_), false) if change.deleted => {
                    self.line(&mut text, "DELETED", &change.after);
                }
                (Some(was), false) => {
                    let was = Object::new(self.kind, was.value(), change.version);
                    self.line(&mut text, "DELETED", &Arc::new(was));
                }
                (None, false) => {}
            }
        }
        text
    }

    fn line(&mut self, text: &mut String, kind: &str, object: &Kept) {
        let told = if self.call.wants_table() {
            let row = table::row(&self.call, self.kind, object, !self.headed);
            self.headed = true;
            go_json::text(&row)
        } else {
            object.whole()
        };
        let _ = writeln!(text, r#"{{"type":"{kind}","object":{told}}}"#);
    }

    /// `all`: what came before was everything.
    fn bookmark(&self, all: bool) -> String {
        let kind = self.kind;
        let mut object = json!({
            "kind": kind.name, "apiVersion": kind.api_version(),
            "metadata": {"resourceVersion": self.version.to_string()},
        });
        if all {
            object["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let line = json!({"type": "BOOKMARK", "object": object});
        format!("{}\n", go_json::text(&line))
    }

    fn expired(&self, expired: Expired) -> String {
        let why = format!(
            "too old resource version: {} ({})",
            self.version, expired.oldest
        );
        let status = Refusal::Expired(why, None).status();
        let line = json!({"type": "ERROR", "object": status});
        format!("{}\n", go_json::text(&line))
    }
}

/// When to send the next bookmark.
struct Bookmarks {
    next: Option<Pin<Box<Sleep>>>,
    /// Until the watch ends, when `next` is due.
    left: Duration,
}

impl Bookmarks {
    fn new(wanted: bool, limit: Duration) -> Self {
        let mut bookmarks = Self {
            next: None,
            left: if wanted { limit } else { Duration::ZERO },
        };
        bookmarks.plan();
        bookmarks
    }

    fn plan(&mut self) {
        let wait = self.left.saturating_sub(LAST_BOOKMARK).min(BOOKMARKS);
        self.left -= wait;
        self.next = (wait > Duration::ZERO).then(|| Box::pin(sleep(wait)));
    }

    /// Never again once the last one was sent.
    async fn due(&mut self) {
        match &mut self.next {
            Some(next) => next.await,
            None => std::future::pending().await,
        }
        self.plan();
    }
}
