//! The job of a service held for a while, as a step before a way back: nothing that is built goes out over it.

use super::{CheckId, Evidence, Finding, Offer, OfferId, Step, Verb, Verdict};
use crate::domain::build::{Job, JobHold, JobId};
use crate::text;

/// For a verb that goes back.
pub fn offer(evidence: &Evidence, job: &JobId) -> Option<Offer> {
    let to = match evidence.request.verb {
        Verb::Rollback | Verb::HelmRollback => "rolled back",
        _ => return None,
    };
    let until = JobHold::end(evidence.read_at, evidence.hold_for);
    let end = text::clock(until);
    let step = Step::Hold {
        job: job.clone(),
        until,
        why: format!(
            "{} in {} is {to}",
            evidence.workload.id, evidence.workload.id.namespace
        ),
        what: format!("hold {} on {} until {end}", job.path, job.server),
    };
    let text = format!("holds the job until {end}, so that it builds nothing over this");
    Some(Offer::new(OfferId::HoldJob, 'h', text, vec![step]))
}

/// What is known before a job is held: whether it can be, and by whom it is built meanwhile. `None`: nothing stands
/// against it.
pub fn obstacle(job: &Job, denied: Option<&str>) -> Option<Verdict> {
    let path = &job.id.path;
    let sentence = match (impossible(job), denied) {
        (Some(why), _) => why,
        (None, Some(why)) => format!("{path} cannot be held: {why}"),
        (None, None) => return None,
    };
    Some(Verdict {
        check: CheckId::Builds,
        finding: Finding::Block,
        sentence: format!("{sentence}; without the hold this can go on"),
    })
}

/// Why a job cannot be held, whoever asks.
pub fn impossible(job: &Job) -> Option<String> {
    let path = &job.id.path;
    if job.managed {
        return Some(format!(
            "{path} cannot be held: Jenkins lets nobody configure a branch of a multibranch project"
        ));
    }
    if job.buildable {
        return None;
    }
    Some(match job.hold() {
        Some(hold) => format!("{path} is held already, by {}: {}", hold.by, hold.why),
        None => format!("{path} is switched off already, and not by rolldeck"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fleet;
    use crate::domain::build::sample as build;
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{Ask, Plan, check::CheckState, plan as make};

    fn plan() -> Plan {
        let mut evidence = sample::evidence();
        evidence.job = Some(build::job().id);
        make(&Fleet::default(), &evidence, sample::AT.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_job_is_held_before_anything_else() {
        let mut plan = plan();
        let asks = |check: &crate::plan::Check| matches!(&check.state, CheckState::Asking(Ask::Builds(id)) if *id == build::job().id);
        assert!(plan.checks.iter().any(asks));
        assert_eq!(plan.all_steps().count(), 1, "only when it is taken");
        plan.take(OfferId::HoldJob, true);
        let steps: Vec<_> = plan.all_steps().collect();
        assert_eq!(steps[0].what(), "hold shop/checkout/main on ci until 13:00");
        assert!(steps[1].what().starts_with("replace the pod template"));
        assert!(!plan.begins_at(steps[0]) && plan.begins_at(steps[1]));
        assert_eq!((plan.number(0), plan.number(1)), (0, 0));
        let mut other = sample::evidence();
        other.job = Some(build::job().id);
        other.request.verb = Verb::Restart;
        let plan = make(&Fleet::default(), &other, sample::AT.parse().unwrap()).unwrap();
        assert!(plan.offers.iter().all(|offer| offer.id != OfferId::HoldJob));
        assert!(plan.checks.iter().all(|check| check.id != CheckId::Builds));
    }

    #[test]
    fn what_stands_against_it_is_said() {
        let said = |job: &Job, denied| obstacle(job, denied).map(|verdict| verdict.sentence);
        let mut job = build::job();
        assert_eq!(said(&job, None), None);
        assert_eq!(
            said(&job, Some("bob lacks the permission Job/Configure")).unwrap(),
            "shop/checkout/main cannot be held: bob lacks the permission Job/Configure; without the hold this can go on"
        );
        job.managed = true;
        assert!(
            said(&job, None)
                .unwrap()
                .contains("a branch of a multibranch")
        );
        job.managed = false;
        job.buildable = false;
        assert!(
            said(&job, None)
                .unwrap()
                .contains("switched off already, and not")
        );
        job.description = Some("held by rolldeck until 2026-11-27T15:40:00Z by ana@x: why".into());
        assert!(
            said(&job, None)
                .unwrap()
                .contains("held already, by ana@x: why")
        );
    }
}
