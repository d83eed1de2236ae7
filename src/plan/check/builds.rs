//! A build that is on its way: what it makes would take the place of what one goes back to.

use super::{CheckId, Finding, Verdict};
use crate::domain::build::{Job, State};
use crate::plan::Verb;

/// Only what writes a template can be overtaken by a build.
pub fn concern(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Rollback | Verb::HelmRollback | Verb::SetImage | Verb::PromoteImage
    )
}

/// From a fresh look at the job.
pub fn verdict(job: &Job) -> Verdict {
    let branch = job.id.branch();
    let running = job
        .last
        .as_ref()
        .filter(|last| last.state == State::Running);
    let (finding, sentence) = match (running, &job.queued) {
        (Some(build), _) => (
            Finding::Warn,
            format!(
                "build #{} of {branch} is running: what it makes may go out over this",
                build.id.number
            ),
        ),
        (None, Some(_)) => (
            Finding::Warn,
            format!("a build of {branch} waits in the queue: what it makes may go out over this"),
        ),
        (None, None) => {
            let why = match (job.buildable, job.hold()) {
                (true, _) => "",
                (false, Some(_)) => ": it is held",
                (false, None) => ": it is switched off",
            };
            let path = &job.id.path;
            (Finding::Ok, format!("{path} builds nothing now{why}"))
        }
    };
    answer(finding, sentence)
}

/// What nobody could say, and why.
pub fn unverified(why: &str) -> Verdict {
    answer(
        Finding::Unverified,
        format!("whether a build is on its way: {why}"),
    )
}

fn answer(finding: Finding, sentence: String) -> Verdict {
    Verdict {
        check: CheckId::Builds,
        finding,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::build::{Outcome, sample};

    #[test]
    fn what_is_on_its_way_is_a_warning() {
        let said = |last, queued: bool| {
            let mut job = sample::job();
            job.last = Some(sample::build(813, last));
            job.queued = queued.then(sample::queued);
            let verdict = verdict(&job);
            (verdict.finding, verdict.sentence)
        };
        let done = State::Done(Outcome::Success);
        let quiet = "shop/checkout/main builds nothing now".to_owned();
        assert_eq!(said(done, false), (Finding::Ok, quiet));
        let (finding, running) = said(State::Running, false);
        assert_eq!(finding, Finding::Warn);
        assert!(
            running.starts_with("build #813 of main is running"),
            "{running}"
        );
        let (finding, queued) = said(done, true);
        assert_eq!(finding, Finding::Warn);
        assert!(queued.starts_with("a build of main waits"), "{queued}");
    }
}
