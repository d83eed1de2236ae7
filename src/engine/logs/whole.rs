//! Logs that are read to their end, in the order of their times: none is read further than it is needed.

use std::collections::VecDeque;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;

use crate::app::effect::LogWish;
use crate::domain::LogLine;
use crate::sources::kube::logs::{Line, Request, Since, stream as log};
use crate::sources::kube::{Cluster, Error};

/// One log, and what came of it that is not given yet.
struct Reading {
    id: u32,
    batches: BoxStream<'static, Result<Vec<Line>, Error>>,
    lines: VecDeque<(Timestamp, LogLine)>,
    /// The time of its last line.
    latest: Timestamp,
    over: bool,
}

/// The lines of all in order, as much at a time as is there. A log that fails says so in its place, and ends.
pub fn whole(cluster: &Cluster, wish: &LogWish) -> BoxStream<'static, Vec<LogLine>> {
    let reading = wish.streams.iter().map(|stream| {
        let request = Request {
            namespace: wish.workload.namespace.to_string(),
            pod: stream.pod.to_string(),
            container: Some(stream.container.to_string()),
            previous: wish.previous,
            follow: false,
            tail: Some(wish.tail),
            since: wish.since.map(Since::Seconds),
        };
        Reading::new(stream.id, log(cluster.clone(), request))
    });
    in_order(reading.collect())
}

fn in_order(reading: Vec<Reading>) -> BoxStream<'static, Vec<LogLine>> {
    let merged = stream::unfold(reading, |mut reading| async move {
        loop {
            futures::future::join_all(reading.iter_mut().map(Reading::fill)).await;
            reading.retain(|reading| !reading.lines.is_empty());
            if reading.is_empty() {
                return None;
            }
            let lines = first(&mut reading);
            if !lines.is_empty() {
                return Some((lines, reading));
            }
        }
    });
    merged.boxed()
}

/// Up to where the first of them has to be read on.
fn first(reading: &mut [Reading]) -> Vec<LogLine> {
    let mut lines = Vec::new();
    loop {
        let head = |reading: &Reading| reading.lines.front().map(|(at, _)| *at);
        if reading.iter().any(|r| r.lines.is_empty() && !r.over) {
            return lines;
        }
        let speaking = reading.iter_mut().filter(|r| !r.lines.is_empty());
        let Some(next) = speaking.min_by_key(|reading| head(reading)) else {
            return lines;
        };
        lines.extend(next.lines.pop_front().map(|(_, line)| line));
    }
}

impl Reading {
    fn new(id: u32, batches: BoxStream<'static, Result<Vec<Line>, Error>>) -> Self {
        Self {
            id,
            batches,
            lines: VecDeque::new(),
            latest: Timestamp::MIN,
            over: false,
        }
    }

    /// Until there is a line, or never will be.
    async fn fill(&mut self) {
        while self.lines.is_empty() && !self.over {
            let line = |line: Line| LogLine {
                stream: self.id,
                at: line.at,
                text: line.text,
                note: false,
            };
            let lines: Vec<_> = match self.batches.next().await {
                Some(Ok(lines)) => lines.into_iter().map(line).collect(),
                Some(Err(error)) => {
                    vec![LogLine::note(self.id, None, error.failure().sentence)]
                }
                None => {
                    self.over = true;
                    return;
                }
            };
            for line in lines {
                self.latest = line.at.map_or(self.latest, |at| at.max(self.latest));
                self.lines.push_back((self.latest, line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn reading(id: u32, batches: Vec<Vec<i64>>) -> Reading {
        let line = |second: i64| Line {
            at: Some(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)),
            text: "".into(),
        };
        let batch = move |seconds: Vec<i64>| Ok(seconds.into_iter().map(line).collect());
        let batches: Vec<_> = batches.into_iter().map(batch).collect();
        Reading::new(id, stream::iter(batches).boxed())
    }

    #[tokio::test]
    async fn a_log_that_fails_says_so_and_the_others_go_on() {
        let refused = Error::Forbidden {
            about: "read log of pods/a in shop".into(),
            message: "no".into(),
        };
        let mut broken = reading(1, vec![vec![1]]);
        broken.batches = broken.batches.chain(stream::iter([Err(refused)])).boxed();
        let lines: Vec<_> = in_order(vec![broken, reading(2, vec![vec![2, 3]])])
            .collect()
            .await;
        let lines = lines.concat();
        let notes: Vec<_> = lines.iter().map(|line| (line.stream, line.note)).collect();
        assert_eq!(notes, [(1, false), (1, true), (2, false), (2, false)]);
        assert_eq!(&*lines[1].text, "read log of pods/a in shop: no");
    }

    proptest! {
        #[test]
        fn all_lines_come_in_order_however_they_are_cut(
            logs in proptest::collection::vec(
                proptest::collection::vec(proptest::collection::vec(0_i64..50, 0..5), 0..5), 0..5),
        ) {
            let mut all = Vec::new();
            let logs = logs.into_iter().zip(0..).map(|(batches, id)| {
                // The times in one log only rise.
                let mut sorted: Vec<_> = batches.concat();
                sorted.sort_unstable();
                all.extend(sorted.iter().map(|second| (*second, id)));
                let mut sorted = sorted.into_iter();
                let batches = batches.iter().map(|b| sorted.by_ref().take(b.len()).collect());
                reading(id, batches.collect())
            });
            let logs: Vec<_> = logs.collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let got: Vec<Vec<LogLine>> = runtime.block_on(in_order(logs).collect());
            let got: Vec<_> = got.concat().iter().map(|l| (l.at.unwrap().as_second(), l.stream)).collect();
            prop_assert!(got.is_sorted_by_key(|(second, _)| *second));
            let mut sorted = got.clone();
            sorted.sort_unstable();
            all.sort_unstable();
            prop_assert_eq!(sorted, all);
        }
    }
}
