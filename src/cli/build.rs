//! `rolldeck build SERVICE`: what would be asked of its server; with `--yes` the build, and its log to the end. With
//! `--local` the same from a folder of this machine.

use std::time::Duration;

use futures::StreamExt;
use serde::Serialize;
use tokio::time::{sleep, timeout};

use crate::actions::{self, BuildOrder, Recorder};
use crate::config::{Config, builds};
use crate::domain::build::{
    self, BuildId, Given, Job, JobHold, JobId, Outcome as Ended, ParameterKind, State,
};
use crate::domain::{Failure, FailureKind, Workload, WorkloadId};
use crate::engine::{clock, release};
use crate::plan::build::Act;
use crate::plan::{BuildPlan, BuildProgress, BuildWish, ImageAsk, gate, image};
use crate::sources::jenkins::{Client, Error, LogReader};

use super::Outcome;
use super::args::{Build, Form, READS};
use super::output;
use super::release::{answers, planned};
use super::session::Session;

/// What is new in a log is asked for so often.
const AGAIN: Duration = Duration::from_secs(1);
/// Bytes of a log that are printed at a time; what is older is left out, and that is said.
const PIECE: usize = 1 << 20;

/// For `-o json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    job: String,
    what: String,
    build: Option<u32>,
    result: Option<&'static str>,
    failure: Option<Failure>,
}

pub async fn run(config: &Config, args: Build) -> Outcome {
    let mut session = Session::connect(config, READS).await?;
    session.workloads(config).await?;
    let workload = session.find(&args.service)?;
    if args.local {
        return local(config, &session, &workload, args).await;
    }
    let (client, job) = job(&session, config, &workload).await?;
    let act = if args.resume_job {
        Act::Resume(hold_of(&job)?)
    } else {
        Act::Start(given(&client, &job, &args.parameter).await?)
    };
    let wish = BuildWish {
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        level: release::context(config, &workload.id).level,
        job,
        act,
    };
    if let Some(mistake) = wish.mistake() {
        return Err(Failure::new(FailureKind::Usage, mistake));
    }
    let form = args.how.output;
    let what = wish.what();
    say(form, &what)?;
    let mut report = Report {
        job: wish.job.id.path.to_string(),
        what,
        build: None,
        result: None,
        failure: None,
    };
    let outcome = carry_out(config, &args, (client, wish), &mut report).await;
    if form == Form::Json {
        report.failure = outcome.as_ref().err().cloned();
        output::json(&report)?;
    } else if let Ok(sentence) = &outcome {
        output::line(sentence)?;
    }
    outcome.map(|_| 0)
}

/// From its folder.
async fn local(config: &Config, session: &Session, workload: &Workload, args: Build) -> Outcome {
    let service = workload.service(config.service_label.as_deref());
    let Some(mut recipe) = builds::recipe(&config.builds, service) else {
        let sentence = format!("no folder is known that {} is built from", workload.id);
        let failure = Failure::new(FailureKind::NotFound, sentence);
        return Err(failure.hint("builds: in the configuration says which"));
    };
    for pair in &args.parameter {
        let (name, value) = name_and_value(pair)?;
        recipe.arguments.0.insert(name.into(), value.into());
    }
    let level = release::context(config, &workload.id).level;
    let mut ask = ImageAsk::build(workload, level, recipe);
    if let image::Asked::Build { tag, push, .. } = &mut ask.what {
        *tag = args.tag;
        *push = !args.no_push;
    }
    super::image::run(config, session, ask, &args.how).await
}

fn name_and_value(pair: &str) -> Result<(&str, &str), Failure> {
    pair.split_once('=').ok_or_else(|| {
        let sentence = format!("-p {pair}: has to be NAME=VALUE");
        Failure::new(FailureKind::Usage, sentence)
    })
}

async fn carry_out(
    config: &Config,
    args: &Build,
    (client, wish): (Client, BuildWish),
    report: &mut Report,
) -> Result<String, Failure> {
    let answers = answers(config, &args.how);
    let missing = gate::missing_for_build(&wish, &answers);
    if !args.how.yes {
        return planned(args.how.dry_run, &missing);
    }
    let order = BuildOrder {
        plan: BuildPlan {
            stamp: actions::stamp(clock::now())?,
            wish,
        },
        answers,
        recorder: Recorder::new(&config.state_dir),
        clock: clock::now,
    };
    let limit = Duration::from_secs(args.how.timeout);
    let followed = follow((client, order), args.how.output, report);
    tokio::select! {
        ended = timeout(limit, followed) => ended.unwrap_or_else(|_| {
            let sentence = format!("no end within {}s; the build goes on", limit.as_secs());
            Err(Failure::new(FailureKind::TimedOut, sentence))
        }),
        _ = tokio::signal::ctrl_c() => {
            let sentence = "no longer followed; what was asked goes on";
            Err(Failure::new(FailureKind::Failed, sentence))
        }
    }
}

/// # Errors
/// No server or job is known for it, or the server does not answer.
async fn job(
    session: &Session,
    config: &Config,
    workload: &Workload,
) -> Result<(Client, Job), Failure> {
    let service = workload.service(config.service_label.as_deref());
    let of = (service, &*workload.id.namespace);
    let servers = &session.servers;
    let id = servers.job_of(workload.job.as_deref(), of);
    let Some(JobId { server, path }) = id else {
        let failure = no_job(&workload.id);
        return Err(match builds::recipe(&config.builds, service) {
            Some(_) => failure.hint("--local builds it from its folder"),
            None => failure,
        });
    };
    let read = async {
        let client = servers.client(&server).await?;
        let job = client.job(&path).await?;
        Ok((client, job))
    };
    read.await.map_err(|error: Error| error.failure())
}

pub fn no_job(workload: &WorkloadId) -> Failure {
    let sentence = format!("no job is known that builds {workload}");
    let failure = Failure::new(FailureKind::NotFound, sentence);
    failure.hint("jenkins: in the configuration says which, or the annotation rolldeck.dev/job")
}

fn hold_of(job: &Job) -> Result<JobHold, Failure> {
    job.hold().ok_or_else(|| {
        let path = &job.id.path;
        let sentence = if job.buildable {
            format!("{path} is not held: it is on")
        } else {
            format!("{path} is switched off, and not by rolldeck: Jenkins switches it on")
        };
        Failure::new(FailureKind::Refused, sentence)
    })
}

/// What was typed, and for the rest what the last good build was given.
async fn given(client: &Client, job: &Job, typed: &[String]) -> Result<Vec<Given>, Failure> {
    let mut given: Vec<Given> = Vec::new();
    for pair in typed {
        let (name, value) = name_and_value(pair)?;
        if job.parameters.iter().all(|known| *known.name != *name) {
            let known: Vec<_> = job.parameters.iter().map(|known| &*known.name).collect();
            let sentence = format!("{} does not ask for {name}", job.id.path);
            let failure = Failure::new(FailureKind::Usage, sentence);
            return Err(failure.hint(match known.as_slice() {
                [] => "it asks for nothing".to_owned(),
                known => format!("it asks for {}", known.join(", ")),
            }));
        }
        given.push((name.into(), value.into()));
    }
    let like = match job.last_good {
        Some(number) if !job.parameters.is_empty() => {
            let job = job.id.clone();
            let build = client.build(&BuildId { job, number }).await;
            Some(build.map_err(|error| error.failure())?)
        }
        Some(_) | None => None,
    };
    for parameter in &job.parameters {
        let said = given.iter().any(|(name, _)| *name == parameter.name);
        let before = like
            .as_ref()
            .and_then(|build| build.parameter(&parameter.name));
        if let (false, Some(value)) = (said || parameter.kind == ParameterKind::Password, before) {
            given.push((parameter.name.clone(), value.into()));
        }
    }
    Ok(given)
}

async fn follow(
    (client, order): (Client, BuildOrder),
    form: Form,
    report: &mut Report,
) -> Result<String, Failure> {
    let mut facts = actions::build(client.clone(), order);
    while let Some(fact) = facts.next().await {
        match fact {
            BuildProgress::Accepted { .. } => say(form, "ok the server accepted it")?,
            BuildProgress::Refused(why) => return Err(why),
            BuildProgress::Unknown(why) => {
                let sentence = format!("it is not known whether the server did it: {why}");
                return Err(Failure::new(FailureKind::Failed, sentence));
            }
            BuildProgress::Done(sentence) => return Ok(sentence),
            BuildProgress::Lost(why) => return Err(Failure::new(FailureKind::Failed, why)),
            BuildProgress::Builds(build) => {
                report.build = Some(build.number);
                say(form, &format!("ok #{} builds it", build.number))?;
                return log(&client, build, form, report).await;
            }
        }
    }
    Err(Failure::new(FailureKind::Internal, "nothing came of it"))
}

/// Prints the log until the build ends; its result is ours.
async fn log(
    client: &Client,
    id: BuildId,
    form: Form,
    report: &mut Report,
) -> Result<String, Failure> {
    let mut reader = LogReader::new(id.clone());
    loop {
        let piece = reader.read(client, PIECE).await;
        let piece = piece.map_err(|error| error.failure())?;
        if form == Form::Lines {
            if piece.skipped > 0 {
                output::line(&format!("… {} bytes were left out", piece.skipped))?;
            }
            output::lines(&piece.lines)?;
        }
        if !piece.more {
            break;
        }
        sleep(AGAIN).await;
    }
    let build = ended(client, &id).await?;
    let State::Done(outcome) = build.state else {
        return Err(Failure::new(FailureKind::Failed, "the build does not end"));
    };
    report.result = Some(outcome.word());
    let sentence = format!(
        "#{} of {} ended: {}",
        id.number,
        id.job.path,
        outcome.word()
    );
    match outcome {
        Ended::Success => Ok(sentence),
        Ended::Unstable | Ended::Failure | Ended::NotBuilt | Ended::Aborted => {
            Err(Failure::new(FailureKind::Failed, sentence))
        }
    }
}

/// A log ends shortly before its build does.
async fn ended(client: &Client, id: &BuildId) -> Result<build::Build, Failure> {
    loop {
        let build = client.build(id).await.map_err(|error| error.failure())?;
        if build.state != State::Running {
            return Ok(build);
        }
        sleep(AGAIN).await;
    }
}

fn say(form: Form, words: &str) -> Result<(), Failure> {
    match form {
        Form::Lines => output::line(words),
        Form::Json => Ok(()),
    }
}
