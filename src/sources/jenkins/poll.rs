//! One polite look after the other at a server: one request for all jobs in view, often only while something moves.

use std::collections::BTreeSet;
use std::time::Duration;

use super::client::Client;
use super::error::Error;
use crate::domain::build::{Job, State};
use crate::sources::{Clock, backoff};

/// While something runs or waits, and somebody looks.
const LIVELY: Duration = Duration::from_secs(2);
const CALM: Duration = Duration::from_secs(15);
/// The longest that a server may ask to be left alone.
const LONGEST: Duration = Duration::from_secs(300);
/// An answer that took so long cost the server something: it gets as many times that to rest.
const REST: u32 = 4;

/// What a look is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// Full names of jobs.
    pub jobs: BTreeSet<Box<str>>,
    /// Somebody has builds on the screen, or an action waits for one.
    pub watched: bool,
}

/// When to look again. Pure: it is told what happened and how long that took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    failures: u32,
    seed: u64,
}

impl Pace {
    /// Several that lost one server must not all come back at once, so each has a seed of its own.
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, seed }
    }

    /// The wait after a good look.
    pub fn after(&mut self, jobs: &[Job], watched: bool, took: Duration) -> Duration {
        self.failures = 0;
        let wait = if watched && jobs.iter().any(moves) {
            LIVELY
        } else {
            CALM
        };
        wait.max((took * REST).min(LONGEST))
    }

    /// The wait after a look that failed.
    pub fn after_failure(&mut self, error: &Error) -> Duration {
        let wait = LIVELY.max(backoff::wait(self.failures, self.seed));
        self.failures += 1;
        let asked = error.retry_after().unwrap_or_default();
        wait.max(asked.min(LONGEST))
    }
}

/// The one that asks a server.
#[derive(Debug)]
pub struct Poller {
    client: Client,
    pace: Pace,
    clock: Clock,
}

impl Poller {
    pub fn new(client: Client, seed: u64, clock: Clock) -> Self {
        Self {
            client,
            pace: Pace::new(seed),
            clock,
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Looks once, by one request, and says how long to wait before the next look. Nothing is asked when no job is
    /// in view.
    pub async fn look(&mut self, look: &Look) -> (Result<Vec<Job>, Error>, Duration) {
        let begun = (self.clock)();
        let jobs = self.client.jobs(&look.jobs).await;
        let wait = match &jobs {
            Ok(jobs) => {
                let took = (self.clock)().duration_since(begun);
                let took = Duration::try_from(took).unwrap_or_default();
                self.pace.after(jobs, look.watched, took)
            }
            Err(error) => self.pace.after_failure(error),
        };
        (jobs, wait)
    }
}

fn moves(job: &Job) -> bool {
    let runs = |state| state == State::Running;
    job.queued.is_some() || job.last.as_ref().is_some_and(|build| runs(build.state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::build::JobId;

    fn job(waits: bool) -> Job {
        let id = JobId::new("ci", "web");
        let queued = crate::domain::build::Queued {
            job: id.clone(),
            item: None,
            why: None,
            since: None,
            stuck: false,
            parameters: Vec::new(),
        };
        Job {
            id,
            url: "".into(),
            buildable: true,
            managed: false,
            description: None,
            next_number: 1,
            queued: waits.then_some(queued),
            last: None,
            last_good: None,
            parameters: Vec::new(),
        }
    }

    fn busy(seconds: u64) -> Error {
        Error::Busy {
            about: String::new(),
            message: String::new(),
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    #[test]
    fn often_only_while_something_moves_and_somebody_looks() {
        let mut pace = Pace::new(1);
        let fast = Duration::from_millis(20);
        let mut after = |waits, watched, took| pace.after(&[job(waits)], watched, took);
        assert_eq!(after(true, true, fast), LIVELY);
        assert_eq!(after(true, false, fast), CALM);
        assert_eq!(after(false, true, fast), CALM);
        let slow = Duration::from_secs(6);
        assert_eq!(after(true, true, slow), slow * REST);
    }

    #[test]
    fn a_server_that_fails_is_left_alone_longer_and_longer_and_as_it_asks() {
        let mut pace = Pace::new(1);
        let waits: Vec<_> = (0..8).map(|_| pace.after_failure(&busy(0))).collect();
        assert!(
            waits[0] < Duration::from_secs(3) && waits[0] >= LIVELY,
            "{waits:?}"
        );
        assert!(waits[7] > Duration::from_secs(20), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait < Duration::from_secs(40)));
        assert_eq!(pace.after_failure(&busy(90)), Duration::from_secs(90));
        assert_eq!(pace.after_failure(&busy(90_000)), LONGEST);
        pace.after(&[], false, Duration::ZERO);
        assert!(pace.after_failure(&busy(0)) < Duration::from_secs(3));
    }
}
