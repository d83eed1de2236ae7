//! The log of a pod's container, whole or as it is written.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch::Receiver;

use super::answer::Answer;
use super::kind::POD_LOG_OPTIONS;
use super::object::{Key, items_at, text_at};
use super::refusal::Refusal;
use super::server::Call;
use crate::demo::cluster::Cluster;
use crate::demo::logs::Line;

const TEXT: &str = "text/plain";

/// What of a log is wanted.
struct Options {
    previous: bool,
    follow: bool,
    timestamps: bool,
    tail: Option<usize>,
    since: Option<Timestamp>,
    bytes: Option<usize>,
}

pub fn log(call: &Call, key: &Key) -> Result<Answer, Refusal> {
    let cluster = &call.api.cluster;
    let options = Options::read(call, key)?;
    let kept = cluster.store.get(key);
    let kept = kept.ok_or_else(|| Refusal::NotFound(key.clone()))?;
    let pod = kept.value();
    let container = container(&pod, call.query.get("container"))?;
    if text_at(&pod, "/spec/nodeName").is_empty() {
        return Ok(Answer::Whole(StatusCode::OK, TEXT, String::new()));
    }
    check(&pod, &container, options.previous)?;
    // Until the next run starts, the one before it is the last one.
    let waits =
        status(&pod, &container).is_some_and(|status| status["state"].get("waiting").is_some());
    let earlier = options.previous && !waits;
    let logs = &cluster.logs;
    let news = (logs.news(), cluster.store.news());
    let (run, lines) = logs
        .read(&kept.uid, &container, earlier)
        .unwrap_or_default();
    let next = lines.last().map_or(0, |line| line.number + 1);
    let mut reader = Reader {
        cluster: Arc::clone(cluster),
        key: key.clone(),
        uid: kept.uid.clone(),
        container,
        left: options.bytes,
        run,
        next,
        news,
        ended: options.previous || !options.follow,
        options,
    };
    let start = reader.options.start(lines);
    let start = reader.text(&start);
    let rest = stream::unfold(Some(reader), |reader| async { reader?.step().await });
    let pieces = stream::iter(Some(start).filter(|text| !text.is_empty()));
    Ok(Answer::Stream(TEXT, pieces.chain(rest).boxed()))
}

impl Options {
    fn read(call: &Call, key: &Key) -> Result<Self, Refusal> {
        let query = &call.query;
        let bad = |field: &str, why: String| {
            let key = Key::new(&POD_LOG_OPTIONS, &key.namespace, &key.name);
            Refusal::Invalid(key, vec![(field.to_owned(), why)])
        };
        let number = |field: &str, least: i64, words: &str| match query.number(field)? {
            Some(n) if n < least => Err(bad(field, format!("Invalid value: {n}: must be {words}"))),
            other => Ok(other),
        };
        let tail = number("tailLines", 0, "greater than or equal to 0")?;
        let seconds = number("sinceSeconds", 1, "greater than 0")?;
        let bytes = number("limitBytes", 1, "greater than 0")?;
        let time = match query.get("sinceTime") {
            "" => None,
            text => Some(text.parse().map_err(|error| {
                Refusal::BadRequest(format!("sinceTime {text:?} is no time: {error}"))
            })?),
        };
        if seconds.is_some() && time.is_some() {
            let why = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified";
            return Err(bad("[]", why.into()));
        }
        let now = call.api.cluster.clock.now();
        let ago = seconds.map(|seconds| Duration::from_secs(seconds.unsigned_abs()));
        let size = |n: Option<i64>| n.and_then(|n| usize::try_from(n).ok());
        Ok(Self {
            previous: query.flag("previous"),
            follow: query.flag("follow"),
            timestamps: query.flag("timestamps"),
            tail: size(tail),
            since: time.or_else(|| now.checked_sub(ago?).ok()),
            bytes: size(bytes),
        })
    }

    /// What there is already, of what is wanted.
    fn start(&self, mut lines: Vec<Line>) -> Vec<Line> {
        if let Some(tail) = self.tail {
            lines.drain(..lines.len().saturating_sub(tail));
        }
        lines.retain(|line| self.since.is_none_or(|since| line.at >= since));
        lines
    }
}

/// The one that is meant.
fn container(pod: &Value, wanted: &str) -> Result<String, Refusal> {
    let names = |list: &str| -> Vec<_> {
        let items = items_at(pod, list).iter();
        items
            .map(|item| text_at(item, "/name").to_owned())
            .collect()
    };
    let (containers, initial) = (names("/spec/containers"), names("/spec/initContainers"));
    let name = text_at(pod, "/metadata/name");
    if wanted.is_empty() {
        if let [one] = &*containers {
            return Ok(one.clone());
        }
        let mut choice = format!("[{}]", containers.join(" "));
        if !initial.is_empty() {
            choice = format!(
                "{choice} or one of the init containers: [{}]",
                initial.join(" ")
            );
        }
        return Err(Refusal::BadRequest(format!(
            "a container name must be specified for pod {name}, choose one of: {choice}"
        )));
    }
    if containers.iter().chain(&initial).any(|one| one == wanted) {
        return Ok(wanted.to_owned());
    }
    let why = format!("container {wanted} is not valid for pod {name}");
    Err(Refusal::BadRequest(why))
}

fn status<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let lists = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let mut all = lists.iter().flat_map(|list| items_at(pod, list));
    all.find(|status| text_at(status, "/name") == container)
}

/// Refuses, as a kubelet does, what has not run yet.
fn check(pod: &Value, container: &str, previous: bool) -> Result<(), Refusal> {
    let name = text_at(pod, "/metadata/name");
    let what = format!("container {container:?} in pod {name:?}");
    let refuse = |why: String| Err(Refusal::BadRequest(why));
    let Some(status) = status(pod, container) else {
        return refuse(format!("{what} is not available"));
    };
    let has_run = status.pointer("/lastState/terminated").is_some();
    if previous && !has_run {
        return refuse(format!("previous terminated {what} not found"));
    }
    let runs = |state: &str| status["state"].get(state).is_some();
    if previous || has_run || runs("running") || runs("terminated") {
        return Ok(());
    }
    match text_at(status, "/state/waiting/reason") {
        "" => refuse(format!("{what} is waiting to start - no logs yet")),
        "ErrImagePull" => refuse(format!("{what} is waiting to start: image can't be pulled")),
        "ImagePullBackOff" => refuse(format!(
            "{what} is waiting to start: trying and failing to pull image"
        )),
        reason => refuse(format!("{what} is waiting to start: {reason}")),
    }
}

/// Follows one run of a container.
struct Reader {
    cluster: Arc<Cluster>,
    key: Key,
    uid: Box<str>,
    container: String,
    options: Options,
    /// Bytes that may still be sent.
    left: Option<usize>,
    run: u64,
    /// The number of the line to come.
    next: u64,
    news: (Receiver<u64>, Receiver<u64>),
    ended: bool,
}

impl Reader {
    /// Waits for lines.
    async fn step(mut self) -> Option<(Bytes, Option<Self>)> {
        while !self.ended && self.left != Some(0) {
            self.news.0.borrow_and_update();
            self.news.1.borrow_and_update();
            // Before the lines: what was written until the end is still to be read.
            self.ended = !self.runs();
            let lines = self.fresh();
            if !lines.is_empty() {
                let text = self.text(&lines);
                return Some((text, Some(self)));
            }
            if self.ended {
                break;
            }
            tokio::select! {
                changed = self.news.0.changed() => changed.ok()?,
                changed = self.news.1.changed() => changed.ok()?,
            }
        }
        None
    }

    fn runs(&self) -> bool {
        let kept = self.cluster.store.get(&self.key);
        let Some(pod) = kept.filter(|kept| kept.uid == self.uid) else {
            return false;
        };
        let pod = pod.value();
        let status = status(&pod, &self.container);
        status.is_some_and(|status| status["state"].get("running").is_some())
    }

    fn fresh(&mut self) -> Vec<Line> {
        let logs = &self.cluster.logs;
        let Some((run, lines)) = logs.after(&self.uid, &self.container, self.run, self.next) else {
            self.ended = true;
            return Vec::new();
        };
        self.ended |= run != self.run;
        self.next = lines.last().map_or(self.next, |line| line.number + 1);
        lines
    }

    fn text(&mut self, lines: &[Line]) -> Bytes {
        let mut text = String::new();
        for line in lines {
            if self.options.timestamps {
                let at = line.at.strftime("%Y-%m-%dT%H:%M:%S%.9fZ ");
                text.push_str(&at.to_string());
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        let mut bytes = Bytes::from(text);
        if let Some(left) = &mut self.left {
            bytes.truncate(*left);
            *left -= bytes.len();
        }
        bytes
    }
}
