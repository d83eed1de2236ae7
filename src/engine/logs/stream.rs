//! The log of one container: read on from the last line when it breaks off, without a line twice.

use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::Connect;
use crate::app::effect::{LogStream, LogWish};
use crate::domain::LogLine;
use crate::sources::backoff;
use crate::sources::kube::Error;
use crate::sources::kube::logs::{Line, Request, Since, stream};

/// The log of a pod that is gone ends by itself, usually.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How much of a log is wanted at first.
#[derive(Debug, Clone)]
pub struct Options {
    namespace: String,
    previous: bool,
    tail: u32,
    since: Option<u32>,
}

impl From<&LogWish> for Options {
    fn from(wish: &LogWish) -> Self {
        Self {
            namespace: wish.workload.namespace.to_string(),
            previous: wish.previous,
            tail: wish.tail,
            since: wish.since,
        }
    }
}

pub struct Stream {
    pub connect: Connect,
    pub pieces: mpsc::Sender<Vec<LogLine>>,
    pub id: u32,
    pub options: Options,
    /// What is known of the container; `None` once its pod is gone.
    pub changes: watch::Receiver<Option<LogStream>>,
}

/// How one reading ended.
enum End {
    /// The server said so: usually the container stopped.
    Whole,
    /// It can be tried again. Why.
    Broken(String),
    /// Only a person can help, who is told why; or nobody listens any more.
    ForGood(Option<String>),
}

impl Stream {
    /// Until the log has ended for good: the run before, a pod that is gone, or one that may not be read.
    pub async fn run(mut self) {
        let mut place = Place::default();
        let (mut failures, mut said) = (0, None);
        loop {
            let Some(state) = self.changes.borrow_and_update().clone() else {
                return;
            };
            let before = place.lines;
            let end = self.read(&state, &mut place).await;
            if place.lines > before {
                (failures, said) = (0, None);
            }
            let broken = match end {
                End::Whole if self.options.previous => return,
                End::Whole => None,
                End::Broken(why) if self.options.previous => return self.say(&why).await,
                End::Broken(why) => Some(why),
                End::ForGood(why) => match why {
                    Some(why) => return self.say(&why).await,
                    None => return,
                },
            };
            if let Some(why) = &broken
                && broken != said
            {
                self.say(&format!("{why}; it is read on when that works"))
                    .await;
                said.clone_from(&broken);
            }
            if !self.pause(&state, failures, broken.is_some()).await {
                return;
            }
            failures += 1;
        }
    }

    async fn read(&self, state: &LogStream, place: &mut Place) -> End {
        let cluster = match (self.connect)() {
            Ok(cluster) => cluster,
            Err(failure) => return End::Broken(failure.sentence),
        };
        let options = &self.options;
        let request = Request {
            namespace: options.namespace.clone(),
            pod: state.pod.to_string(),
            container: Some(state.container.to_string()),
            previous: options.previous,
            follow: !options.previous,
            tail: place.latest.is_none().then_some(options.tail),
            since: match place.latest {
                Some(at) => Some(Since::Time(at)),
                None => options.since.map(Since::Seconds),
            },
        };
        let mut again = place.again();
        let mut batches = stream(cluster, request);
        let gone = gone(self.changes.clone());
        tokio::pin!(gone);
        loop {
            let batch = tokio::select! {
                batch = batches.next() => batch,
                () = &mut gone => return End::Whole,
            };
            let lines = match batch {
                Some(Ok(lines)) => lines,
                Some(Err(error)) => return ended(&error),
                None => return End::Whole,
            };
            let lines = lines.into_iter().filter(|line| !again.holds(line));
            let lines: Vec<_> = lines.map(|line| place.take(self.id, line)).collect();
            if !lines.is_empty() && self.pieces.send(lines).await.is_err() {
                return End::ForGood(None);
            }
        }
    }

    async fn say(&self, words: &str) {
        let note = LogLine::note(self.id, None, words);
        let _ = self.pieces.send(vec![note]).await;
    }

    /// Until it is worth to read on: something is known of the container that was not, or, while it runs or could
    /// not be read, after a time that grows. False when its pod is gone, or nobody listens.
    async fn pause(&mut self, state: &LogStream, failures: u32, broken: bool) -> bool {
        let wait = sleep(backoff::wait(failures, u64::from(self.id)));
        tokio::pin!(wait);
        loop {
            let (known, runs) = match &*self.changes.borrow_and_update() {
                None => return false,
                Some(latest) => (latest == state, latest.runs),
            };
            if !known {
                return true;
            }
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() { return false },
                () = &mut wait, if runs || broken => return true,
            }
        }
    }
}

/// Until the pod is gone and its last words had time to come.
async fn gone(mut changes: watch::Receiver<Option<LogStream>>) {
    let _ = changes.wait_for(Option::is_none).await;
    sleep(LAST_WORDS).await;
}

fn ended(error: &Error) -> End {
    let why = error.failure().sentence;
    match error {
        Error::Forbidden { .. } => End::ForGood(Some(why)),
        // The pod went, and the watch will say so.
        Error::NotFound { .. } => End::Whole,
        _ => End::Broken(why),
    }
}

/// How far a log was read.
#[derive(Debug, Default)]
struct Place {
    latest: Option<Timestamp>,
    /// Lines of that very time.
    of_latest: usize,
    lines: u64,
}

/// What comes again when it is read on: the server counts in whole seconds.
struct Again {
    until: Option<Timestamp>,
    of_latest: usize,
}

impl Place {
    fn take(&mut self, stream: u32, line: Line) -> LogLine {
        self.lines += 1;
        if line.at > self.latest {
            (self.latest, self.of_latest) = (line.at, 0);
        }
        if line.at.is_some() && line.at == self.latest {
            self.of_latest += 1;
        }
        LogLine {
            stream,
            at: line.at,
            text: line.text,
            note: false,
        }
    }

    fn again(&self) -> Again {
        Again {
            until: self.latest,
            of_latest: self.of_latest,
        }
    }
}

impl Again {
    fn holds(&mut self, line: &Line) -> bool {
        let (Some(at), Some(until)) = (line.at, self.until) else {
            return false;
        };
        if at == until && self.of_latest > 0 {
            self.of_latest -= 1;
            return true;
        }
        at < until
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    /// Milliseconds, in which several lines may fall.
    fn lines(times: &[i64]) -> Vec<Line> {
        let line = |(number, millis): (usize, &i64)| Line {
            at: Some(Timestamp::UNIX_EPOCH + SignedDuration::from_millis(*millis)),
            text: number.to_string().into(),
        };
        times.iter().enumerate().map(line).collect()
    }

    proptest! {
        /// Read in two parts, the second from the whole second of the last line on.
        #[test]
        fn a_log_that_broke_off_is_read_on_without_a_line_twice_or_missing(
            mut times in proptest::collection::vec(0_i64..3000, 1..40), cut in 0_usize..40,
        ) {
            times.sort_unstable();
            let all = lines(&times);
            let cut = cut.min(all.len());
            let mut place = Place::default();
            let mut got: Vec<_> = all[..cut].iter().map(|l| place.take(1, l.clone()).text).collect();
            let mut again = place.again();
            let from = place.latest.map_or(0, Timestamp::as_second);
            let second = all.iter().filter(|line| line.at.unwrap().as_second() >= from);
            let fresh: Vec<_> = second.filter(|line| !again.holds(line)).collect();
            got.extend(fresh.into_iter().map(|l| place.take(1, l.clone()).text));
            let want: Vec<_> = all.iter().map(|line| line.text.clone()).collect();
            prop_assert_eq!(got, want);
        }
    }
}
