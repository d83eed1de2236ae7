//! Whether what was made again serves: all of its pods run and stay ready, or why not.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{interval, timeout};

use crate::config::Config;
use crate::domain::{Failure, FailureKind, Phase, Workload};
use crate::engine::{clock, release};
use crate::plan::{RestorePlan, ServicePlan};

use crate::cli::args::{Form, How};
use crate::cli::output;
use crate::cli::session::Session;

/// So many services are asked for their pods at a time, as on the board.
const MOST: usize = 8;

/// The end of each service that has one goes into the record.
///
/// # Errors
/// Some do not serve: which, and why.
pub async fn verify(
    config: &Config,
    session: &mut Session,
    plan: &RestorePlan,
    how: &How,
) -> Result<String, Failure> {
    let made: Vec<_> = plan.written().collect();
    session.last();
    let limit = Duration::from_secs(how.timeout);
    let watched = tokio::select! {
        watched = timeout(limit, watch(config, session, &made, how.output)) => watched,
        _ = tokio::signal::ctrl_c() => Ok(Err(open("no longer followed"))),
    };
    let watched =
        watched.unwrap_or_else(|_| Err(open(&format!("not verified within {}s", how.timeout))));
    let mut failed = Vec::new();
    for service in &made {
        let (verified, sentence) = match standing(session, service) {
            Stands::Serves(words) => (true, words),
            Stands::Stuck(why) => (false, why),
            Stands::Moves => continue,
        };
        if !verified {
            failed.push(format!("{}: {sentence}", service.workload));
        }
        let end = release::End {
            id: service.stamp.id.clone(),
            workload: service.workload.clone(),
            outcome: sentence,
            verified,
        };
        release::write_end(&config.state_dir, end).await?;
    }
    watched.map_err(|why| failed.iter().fold(why, Failure::hint))?;
    if failed.is_empty() {
        let (count, seconds) = (made.len(), config.verify_seconds);
        return Ok(format!(
            "verified: {count} services serve, ready for {seconds}s"
        ));
    }
    let sentence = format!("{} of {} services do not serve", failed.len(), made.len());
    let failure = Failure::new(FailureKind::Failed, sentence);
    Err(failed.iter().fold(failure, Failure::hint))
}

enum Stands {
    Serves(String),
    Stuck(String),
    Moves,
}

fn standing(session: &Session, service: &ServicePlan) -> Stands {
    let found = session.fleet.workload(&service.workload);
    let standing = session.fleet.standing(&service.workload, clock::now());
    let (Some(workload), Some(standing)) = (found, standing) else {
        return Stands::Moves;
    };
    match standing.phase {
        Phase::Paused if workload.counts.ready < workload.desired => {
            let (ready, desired) = (workload.counts.ready, workload.desired);
            Stands::Stuck(format!(
                "paused with {ready}/{desired} pods: resume makes the others"
            ))
        }
        Phase::Steady | Phase::ScaledToZero | Phase::Paused => {
            let (ready, desired) = (workload.counts.ready, workload.desired);
            Stands::Serves(format!("verified: {ready}/{desired} pods are ready"))
        }
        Phase::Stalled => {
            let why = standing
                .why
                .map_or_else(|| "stuck".to_owned(), |why| why.text);
            Stands::Stuck(why)
        }
        Phase::Canary | Phase::Degraded | Phase::RollingBack | Phase::Rolling | Phase::Unknown => {
            Stands::Moves
        }
    }
}

/// Ends once every service has served, or been stuck, for as long as pods must be ready.
async fn watch(
    config: &Config,
    session: &mut Session,
    made: &[&ServicePlan],
    form: Form,
) -> Result<(), Failure> {
    session.workloads(config).await?;
    let enough = SignedDuration::from_secs(config.verify_seconds.into());
    let mut tick = interval(Duration::from_secs(1));
    let (mut asked, mut since, mut said) = (BTreeSet::new(), None::<Timestamp>, None);
    loop {
        let stands: Vec<_> = made
            .iter()
            .map(|service| standing(session, service))
            .collect();
        let serve = stands
            .iter()
            .filter(|s| matches!(s, Stands::Serves(_)))
            .count();
        if form == Form::Lines && said != Some(serve) {
            output::line(&format!(".. {serve} of {} services serve", made.len()))?;
            said = Some(serve);
        }
        if stands.iter().any(|stands| matches!(stands, Stands::Moves)) {
            since = None;
        } else {
            let now = clock::now();
            if now.duration_since(*since.get_or_insert(now)) >= enough {
                return Ok(());
            }
        }
        look_closely(session, (made, &stands), &mut asked).await?;
        tokio::select! {
            () = session.step() => {}
            _ = tick.tick() => {}
        }
    }
}

/// Only its pods tell why a service is stuck.
async fn look_closely(
    session: &mut Session,
    (made, stands): (&[&ServicePlan], &[Stands]),
    asked: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    let open = made.iter().zip(stands);
    let open = open.filter(|(_, stands)| !matches!(stands, Stands::Serves(_)));
    let mut closely: Vec<Workload> = Vec::new();
    for (service, _) in open.take(MOST) {
        let known = session.fleet.workload(&service.workload);
        if let Some(workload) = known.filter(|_| asked.insert(service.stamp.id.clone())) {
            closely.push(workload.clone());
        }
    }
    if closely.is_empty() {
        return Ok(());
    }
    session.details(&closely.iter().collect::<Vec<_>>()).await
}

fn open(sentence: &str) -> Failure {
    let sentence = format!("{sentence}; what was written stays, and goes on");
    Failure::new(FailureKind::TimedOut, sentence).hint("rolldeck status says how it stands")
}
