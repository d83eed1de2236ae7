//! A build that is on its way: what it makes would take the place of what one goes back to.

use jiff::Timestamp;

use super::{CheckId, Finding, Verdict};
use crate::domain::Chain;
use crate::domain::build::JobId;
use crate::domain::chain::Newest;

/// From the last look at its server, which may be some seconds old. Nothing where none builds.
pub fn verdict(chain: &Chain, job: &JobId, now: Timestamp) -> Option<Verdict> {
    let branch = job.branch();
    let sentence = match chain.newest(job, now)? {
        Newest::Running { number, .. } => {
            format!("build #{number} of {branch} is running: what it makes may go out over this")
        }
        Newest::Queued { .. } => {
            format!("a build of {branch} waits in the queue: what it makes may go out over this")
        }
        Newest::Done { .. } | Newest::None => return None,
    };
    Some(Verdict {
        check: CheckId::Builds,
        finding: Finding::Warn,
        sentence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::build::{Outcome, State, sample};
    use crate::domain::fixture::now;

    #[test]
    fn only_what_is_on_its_way_is_worth_a_word() {
        let id = sample::job().id;
        let said = |last, queued: bool| {
            let mut job = sample::job();
            job.last = Some(sample::build(813, last));
            job.queued = queued.then(sample::queued);
            let mut chain = Chain::default();
            chain.looked("ci", vec![job], now());
            verdict(&chain, &id, now()).map(|verdict| verdict.sentence)
        };
        let done = State::Done(Outcome::Success);
        assert_eq!(said(done, false), None);
        let running = said(State::Running, false).unwrap();
        assert!(
            running.starts_with("build #813 of main is running"),
            "{running}"
        );
        let queued = said(done, true).unwrap();
        assert!(queued.starts_with("a build of main waits"), "{queued}");
        assert_eq!(verdict(&Chain::default(), &id, now()), None);
    }
}
