//! What was asked of the embedded API server, by whom and with what answer: for the drill and for tests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

/// Requests kept; the oldest go first.
const KEPT: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub at: Timestamp,
    pub user: Box<str>,
    pub method: Box<str>,
    /// Path and query, as they came.
    pub target: Box<str>,
    pub code: u16,
}

impl Asked {
    /// Something was written, or tried to be: a dry run is not.
    pub fn writes(&self) -> bool {
        !matches!(&*self.method, "GET" | "HEAD") && !self.tries() && !self.target.contains("review")
    }

    /// A dry run.
    pub fn tries(&self) -> bool {
        self.target.contains("dryRun=All")
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

pub struct Audit {
    asked: Mutex<VecDeque<Asked>>,
    news: watch::Sender<usize>,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            asked: Mutex::default(),
            news: watch::Sender::new(0),
        }
    }
}

impl Audit {
    /// Told once the head of the answer is known.
    pub fn note(&self, asked: Asked) {
        let mut kept = self.kept();
        kept.push_back(asked);
        if kept.len() > KEPT {
            kept.pop_front();
        }
        // Under the lock, so that the count never runs behind what is kept.
        self.news.send_modify(|count| *count += 1);
    }

    /// What was kept, oldest first.
    pub fn all(&self) -> Vec<Asked> {
        self.kept().iter().cloned().collect()
    }

    /// What came after the first `seen` requests, and how many there were by then.
    pub fn since(&self, seen: usize) -> (Vec<Asked>, usize) {
        let kept = self.kept();
        let count = *self.news.borrow();
        let fresh = count.saturating_sub(seen).min(kept.len());
        (kept.range(kept.len() - fresh..).cloned().collect(), count)
    }

    /// How many requests there were so far; says when there is another.
    pub fn news(&self) -> watch::Receiver<usize> {
        self.news.subscribe()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
