//! What the containers of the embedded cluster wrote: the run that goes on, and the one before it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

/// Lines kept of one run.
const KEPT: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counts from the start of the run, so that a follower knows where it was.
    pub number: u64,
    pub at: Timestamp,
    pub text: Box<str>,
}

#[derive(Default)]
struct Container {
    runs: u64,
    next: u64,
    current: VecDeque<Line>,
    previous: Option<VecDeque<Line>>,
}

/// By pod uid and container.
type Containers = HashMap<(Box<str>, Box<str>), Container>;

pub struct Logs {
    containers: Mutex<Containers>,
    news: watch::Sender<u64>,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            containers: Mutex::default(),
            news: watch::Sender::new(0),
        }
    }
}

impl Logs {
    /// A container starts: what was the current run is now the previous one.
    pub fn start(&self, pod: &str, container: &str) {
        let mut all = self.containers();
        let kept = all.entry((pod.into(), container.into())).or_default();
        if kept.runs > 0 {
            kept.previous = Some(std::mem::take(&mut kept.current));
        }
        kept.runs += 1;
        kept.next = 0;
        self.news.send_modify(|count| *count += 1);
    }

    pub fn append(&self, pod: &str, container: &str, at: Timestamp, text: &str) {
        let mut all = self.containers();
        let kept = all.entry((pod.into(), container.into())).or_default();
        let line = Line {
            number: kept.next,
            at,
            text: text.into(),
        };
        kept.next += 1;
        kept.current.push_back(line);
        if kept.current.len() > KEPT {
            kept.current.pop_front();
        }
        self.news.send_modify(|count| *count += 1);
    }

    /// The number of the run and its lines; `None` when there is no such run.
    pub fn read(&self, pod: &str, container: &str, previous: bool) -> Option<(u64, Vec<Line>)> {
        let all = self.containers();
        let kept = all.get(&(pod.into(), container.into()))?;
        let (run, lines) = if previous {
            (kept.runs.checked_sub(1)?, kept.previous.as_ref()?)
        } else {
            (kept.runs, &kept.current)
        };
        Some((run, lines.iter().cloned().collect()))
    }

    /// What a run wrote from a line on, and the run that is now the current one. Of a run before the previous one
    /// nothing is left.
    pub fn after(
        &self,
        pod: &str,
        container: &str,
        run: u64,
        from: u64,
    ) -> Option<(u64, Vec<Line>)> {
        let all = self.containers();
        let kept = all.get(&(pod.into(), container.into()))?;
        let lines = match kept.runs.checked_sub(run)? {
            0 => Some(&kept.current),
            1 => kept.previous.as_ref(),
            _ => None,
        };
        let lines = lines.into_iter().flat_map(|lines| {
            let first = lines.partition_point(|line| line.number < from);
            lines.range(first..).cloned()
        });
        Some((kept.runs, lines.collect()))
    }

    /// The pod is gone.
    pub fn forget(&self, pod: &str) {
        self.containers().retain(|(of, _), _| **of != *pod);
        self.news.send_modify(|count| *count += 1);
    }

    /// Says when something was written.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    fn containers(&self) -> MutexGuard<'_, Containers> {
        self.containers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_gets_the_rest_of_its_run() {
        let logs = Logs::default();
        let write = |text: &str| logs.append("u1", "web", Timestamp::UNIX_EPOCH, text);
        let texts = |run, from| {
            let (now, lines) = logs.after("u1", "web", run, from).unwrap();
            let texts: Vec<_> = lines
                .into_iter()
                .map(|line| line.text.into_string())
                .collect();
            (now, texts.join(" "))
        };
        logs.start("u1", "web");
        write("a");
        write("b");
        assert_eq!(texts(1, 1), (1, "b".to_owned()));
        write("c");
        logs.start("u1", "web");
        write("d");
        assert_eq!(texts(1, 2), (2, "c".to_owned()));
        logs.start("u1", "web");
        assert_eq!(texts(1, 2), (3, String::new()));
        assert_eq!(logs.after("u2", "web", 1, 0), None);
    }
}
