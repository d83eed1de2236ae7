//! What `build --local` and `copy-image` share: the plan, and with `--yes` the work, told line by line.

use std::time::Duration;

use futures::StreamExt;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::actions::{self, ImageOrder, Makers, Recorder};
use crate::config::Config;
use crate::domain::image_work::ImageWork;
use crate::domain::{Failure, FailureKind};
use crate::engine::{clock, making};
use crate::plan::image::{Made, line};
use crate::plan::{ImageAsk, ImagePlan, ImageProgress, gate};

use super::Outcome;
use super::args::{Form, How};
use super::output;
use super::release::{Check, answers, planned, refused};
use super::session::Session;

/// News of layers come by the hundred: one of them is printed so often.
const LAYERS: Duration = Duration::from_secs(1);

/// For `-o json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    id: String,
    verb: &'static str,
    service: String,
    image: String,
    facts: Vec<(&'static str, String)>,
    checks: Vec<Check>,
    /// In its registry; the engine's own id of what was not pushed.
    digest: Option<String>,
    /// What one types to run it.
    next: Option<String>,
    outcome: Option<String>,
    failure: Option<Failure>,
}

pub async fn run(config: &Config, session: &Session, ask: ImageAsk, how: &How) -> Outcome {
    let makers = making::makers(config, session.registries.clone());
    let plan = actions::plan_image(&makers, ask, clock::now).await?;
    let mut report = Report::new(&plan);
    if how.output == Form::Lines {
        report.print(&plan)?;
    }
    let answers = answers(config, how);
    let missing = gate::missing_for_image(&plan, &answers);
    let outcome = match (how.yes, missing.as_slice()) {
        (false, missing) => planned(how.dry_run, missing),
        (true, []) => {
            let order = ImageOrder {
                plan,
                answers,
                recorder: Recorder::new(&config.state_dir),
                clock: clock::now,
                stop: CancellationToken::new(),
            };
            let plan = order.plan.clone();
            let made = make(makers, order, how).await;
            made.map(|made| {
                report.digest = Some(made.digest.to_string());
                report.next = plan.next(&made);
                made.sentence()
            })
        }
        (true, missing) => Err(refused(missing)),
    };
    match how.output {
        Form::Json => {
            report.outcome = outcome.as_ref().ok().cloned();
            report.failure = outcome.as_ref().err().cloned();
            output::json(&report)?;
        }
        Form::Lines => {
            if let Ok(sentence) = &outcome {
                output::line(sentence)?;
            }
            if let Some(next) = &report.next {
                output::line(next)?;
            }
        }
    }
    outcome.map(|_| 0)
}

/// Ctrl-c and the end of its time stop it, and what became of it is still waited for.
async fn make(makers: Makers, order: ImageOrder, how: &How) -> Result<Made, Failure> {
    let stop = order.stop.clone();
    let limit = sleep(Duration::from_secs(how.timeout));
    let mut news = actions::make_image(makers, order);
    let (mut tick, mut layer) = (interval(LAYERS), None);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(limit);
    let mut late = false;
    loop {
        let progress = tokio::select! {
            progress = news.next() => progress,
            _ = tick.tick() => {
                say(how.output, layer.take())?;
                continue;
            }
            () = &mut limit, if !late => {
                late = true;
                stop.cancel();
                continue;
            }
            _ = tokio::signal::ctrl_c() => {
                stop.cancel();
                continue;
            }
        };
        match progress {
            Some(ImageProgress::Told(work @ ImageWork::Layer { .. })) => layer = Some(work),
            Some(ImageProgress::Told(work)) => {
                say(how.output, layer.take())?;
                say(how.output, Some(work))?;
            }
            Some(ImageProgress::Made(made)) => return Ok(made),
            Some(ImageProgress::Failed(why)) if late => {
                let kind = FailureKind::TimedOut;
                return Err(Failure { kind, ..why });
            }
            Some(ImageProgress::Failed(why)) => return Err(why),
            Some(ImageProgress::Unknown(why)) => {
                let sentence = format!("it is not known whether it was done: {why}");
                return Err(Failure::new(FailureKind::Failed, sentence)
                    .hint("it is not sent again: look into the registry first"));
            }
            None => return Err(Failure::new(FailureKind::Internal, "nothing came of it")),
        }
    }
}

fn say(form: Form, work: Option<ImageWork>) -> Result<(), Failure> {
    match (form, work) {
        (Form::Lines, Some(work)) => output::line(&line(&work)),
        (Form::Json, _) | (_, None) => Ok(()),
    }
}

impl Report {
    fn new(plan: &ImagePlan) -> Self {
        Self {
            id: plan.stamp.id.clone(),
            verb: plan.verb(),
            service: plan.workload.to_string(),
            image: plan.image().to_owned(),
            facts: plan.facts(),
            checks: plan.checks.iter().map(Check::from).collect(),
            digest: None,
            next: None,
            outcome: None,
            failure: None,
        }
    }

    fn print(&self, plan: &ImagePlan) -> Result<(), Failure> {
        output::line(&format!("{} for {}", self.verb, self.service))?;
        for (about, words) in &self.facts {
            output::line(&format!("  {about:<8}{words}"))?;
        }
        for verdict in &plan.checks {
            let word = verdict.finding.word();
            output::line(&format!("{word:<11}{}", verdict.sentence))?;
        }
        Ok(())
    }
}
