//! Holds the job of a service before a plan goes on: an action of its own in the record, which can be ended later.

use futures::StreamExt;

use super::build::{BuildOrder, build};
use super::execute::Order;
use super::stamp;
use crate::domain::build::{JobHold, JobId};
use crate::domain::{Failure, FailureKind};
use crate::plan::build::Act;
use crate::plan::{BuildPlan, BuildProgress, BuildWish, Step};

/// Returns once the job is off, as a look at it shows.
///
/// # Errors
/// It is not, or nobody knows: then nothing else of the plan is sent.
pub async fn hold(order: &Order, step: &Step) -> Result<(), Failure> {
    let Step::Hold {
        job, until, why, ..
    } = step
    else {
        return Ok(());
    };
    let hold = JobHold {
        by: order.plan.stamp.by.as_str().into(),
        until: *until,
        why: order.answers.reason.as_deref().unwrap_or(why).into(),
    };
    let done = carry_out(order, job, hold).await;
    done.map_err(|why| not_held(order, job, why))
}

async fn carry_out(order: &Order, job: &JobId, hold: JobHold) -> Result<(), Failure> {
    let client = order.servers.client(&job.server).await;
    let client = client.map_err(|error| error.failure())?;
    let read = client.job(&job.path).await;
    let read = read.map_err(|error| error.failure())?;
    let plan = &order.plan;
    let wish = BuildWish {
        workload: plan.workload.clone(),
        uid: plan.uid.clone(),
        level: plan.level,
        job: read,
        act: Act::Hold(hold),
    };
    let stamp = stamp((order.clock)())?;
    let order = BuildOrder {
        plan: BuildPlan { stamp, wish },
        answers: order.answers.clone(),
        recorder: order.recorder.clone(),
        clock: order.clock,
    };
    let mut facts = build(client, order);
    while let Some(fact) = facts.next().await {
        match fact {
            BuildProgress::Accepted { .. } | BuildProgress::Builds(_) => {}
            BuildProgress::Done(_) => return Ok(()),
            BuildProgress::Refused(why) => return Err(why),
            BuildProgress::Unknown(why) | BuildProgress::Lost(why) => {
                return Err(Failure::new(FailureKind::Failed, why));
            }
        }
    }
    let sentence = "nothing came of it";
    Err(Failure::new(FailureKind::Internal, sentence))
}

fn not_held(order: &Order, job: &JobId, why: Failure) -> Failure {
    let sentence = format!(
        "Nothing was done to {}: {} was not held ({}).",
        order.plan.workload, job.path, why.sentence
    );
    let failure = Failure::new(why.kind, sentence).hint("without the hold the same plan can go on");
    why.hints.into_iter().fold(failure, Failure::hint)
}
