//! Merged logs: one stream per container, put in order and handed to the screen as fast as it can take them.

mod stream;
mod whole;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::Shared;
use crate::app::effect::{LogStream, LogWish};
use crate::app::event::{Event, JobId, LogNews};
use crate::domain::{Failure, LogLine, Merge};
use crate::sources::kube::Cluster;

pub use whole::whole;

use stream::{Options, Stream};

/// The screen is told so often.
pub const TURN: Duration = Duration::from_millis(100);
/// So many turns a line waits for older ones of other pods, whose way may be longer.
pub const HOLD: u64 = 2;
/// Bytes that wait for the screen at most; what is older is dropped.
pub const WAITING: usize = 4 << 20;
/// Pieces of logs that wait to be put in order: then the streams wait, and with them the servers.
const PIECES: usize = 32;

/// How a stream gets the client in force.
pub type Connect = Arc<dyn Fn() -> Result<Cluster, Failure> + Send + Sync>;

/// The wishes of the logs that are shown.
#[derive(Default)]
pub struct Logs {
    shown: Mutex<HashMap<JobId, watch::Sender<LogWish>>>,
}

impl Logs {
    /// Tells the log that is shown already; gives the wishes for one that is new.
    pub fn wish(&self, job: JobId, wish: LogWish) -> Option<watch::Receiver<LogWish>> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.retain(|_, wishes| !wishes.is_closed());
        if let Some(wishes) = shown.get(&job) {
            wishes.send_replace(wish);
            return None;
        }
        let (sender, wishes) = watch::channel(wish);
        shown.insert(job, sender);
        Some(wishes)
    }
}

/// One merged log, until its job is cancelled, or until it has ended when it is not followed.
pub(super) async fn show(shared: Arc<Shared>, job: JobId, mut wishes: watch::Receiver<LogWish>) {
    let connecting = Arc::clone(&shared);
    let wish = wishes.borrow_and_update().clone();
    let cluster = wish.workload.cluster.clone();
    let connect = move || connecting.connected(&cluster);
    let (mut streams, mut pieces) = Streams::new(Arc::new(connect));
    let mut merge = Merge::new(hold(&wish), WAITING);
    let ends = wish.previous;
    streams.wish(&wish);
    let mut turn = interval(TURN);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = wishes.changed() => {
                if changed.is_err() {
                    return;
                }
                let wish = wishes.borrow_and_update().clone();
                merge.hold = hold(&wish);
                streams.wish(&wish);
            }
            Some(lines) = pieces.recv() => merge.push(lines),
            // While the screen is late, lines wait and the oldest are dropped: a log never holds up a key.
            _ = turn.tick(), if !merge.is_empty() || ends => {
                let (lines, unseen) = if shared.keeps_up() { merge.take() } else { continue };
                if !lines.is_empty() || unseen > 0 {
                    let news = LogNews::Lines { lines, unseen };
                    shared.send(Event::Logged { job, news }).await;
                } else if ends && merge.is_empty() && streams.ended() && pieces.is_empty() {
                    break;
                }
            }
        }
    }
    let news = LogNews::Ended { why: None };
    shared.send(Event::Logged { job, news }).await;
}

/// One stream alone has nothing to wait for.
fn hold(wish: &LogWish) -> u64 {
    if wish.streams.len() > 1 { HOLD } else { 0 }
}

/// The streams of one merged log, kept as they are wished. Dropping it ends them.
pub struct Streams {
    connect: Connect,
    pieces: mpsc::Sender<Vec<LogLine>>,
    open: BTreeMap<u32, Open>,
}

struct Open {
    /// `None`: its pod is gone, and it is read to its end.
    state: watch::Sender<Option<LogStream>>,
    task: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Streams {
    /// The receiver gets the lines of each stream in order, and those of different streams as they come.
    pub fn new(connect: Connect) -> (Self, mpsc::Receiver<Vec<LogLine>>) {
        let (sender, pieces) = mpsc::channel(PIECES);
        let streams = Self {
            connect,
            pieces: sender,
            open: BTreeMap::new(),
        };
        (streams, pieces)
    }

    /// Must be called inside a tokio runtime.
    pub fn wish(&mut self, wish: &LogWish) {
        for (id, open) in &self.open {
            if !wish.streams.iter().any(|stream| stream.id == *id) {
                open.state.send_replace(None);
            }
        }
        for stream in &wish.streams {
            if let Some(open) = self.open.get(&stream.id) {
                open.state.send_if_modified(|state| {
                    let news = state.as_ref() != Some(stream);
                    *state = Some(stream.clone());
                    news
                });
                continue;
            }
            let (state, changes) = watch::channel(Some(stream.clone()));
            let reader = Stream {
                connect: Arc::clone(&self.connect),
                pieces: self.pieces.clone(),
                id: stream.id,
                options: Options::from(wish),
                changes,
            };
            let task = tokio::spawn(reader.run());
            self.open.insert(stream.id, Open { state, task });
        }
        self.open
            .retain(|_, open| !(open.task.is_finished() && open.state.borrow().is_none()));
    }

    /// Every stream came to its end.
    pub fn ended(&self) -> bool {
        self.open.values().all(|open| open.task.is_finished())
    }
}

#[cfg(test)]
mod tests;
