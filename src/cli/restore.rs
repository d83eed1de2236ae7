//! `rolldeck restore`: the plan from the file of a snapshot; with `--yes` the writes, followed until the pods serve.

mod report;
mod target;
mod verify;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use futures::StreamExt;

use crate::actions::{self, Recorder, RestoreOrder, RestoreProgress};
use crate::config::{Config, Overrides};
use crate::domain::snapshot::{self, Snapshot};
use crate::domain::{Failure, FailureKind, Level};
use crate::engine::clock;
use crate::plan::restore::{self, Wish};
use crate::plan::{CheckId, Finding, RestorePlan, Verdict, gate};
use crate::sources::kube::{self, Cluster};

use super::Outcome;
use super::args::{Form, READS, Restore};
use super::output;
use super::release::{answers, planned, refused};
use super::session::Session;

use report::Report;
use target::Target;

/// A file that is longer is none of ours.
const LARGEST: u64 = 256 << 20;

/// The settings as if its cluster and namespaces had been typed.
///
/// # Errors
/// There is no such environment, or something else was typed as well.
pub fn into_environment(
    config: &Config,
    name: &str,
    overrides: Overrides,
) -> Result<Overrides, Failure> {
    let mut environments = config.environments.iter();
    let Some(environment) = environments.find(|e| e.name == name) else {
        let sentence = format!("the settings have no environment named {name}");
        let known: Vec<_> = config.environments.iter().map(|e| &*e.name).collect();
        let failure = Failure::new(FailureKind::Usage, sentence);
        return Err(failure.hint(format!("they have: {}", known.join(", "))));
    };
    let typed = !overrides.contexts.is_empty() || !overrides.namespaces.is_empty();
    if typed || overrides.all_namespaces {
        let sentence = "--env says the cluster and its namespaces: leave --context, -n and -A out";
        return Err(Failure::new(FailureKind::Usage, sentence));
    }
    Ok(Overrides {
        contexts: vec![environment.cluster.clone()],
        namespaces: environment.namespaces.clone(),
        all_namespaces: environment.namespaces.is_empty(),
        ..overrides
    })
}

pub async fn run(config: &Config, args: &Restore) -> Outcome {
    let snapshot = read(&args.file)?;
    let mut session = Session::connect(config, READS).await?;
    let cluster = session.cluster.clone();
    let targets = target::targets(config, session.clusters(), &snapshot, args)?;
    let plan = plan(config, &cluster, &targets, args).await?;
    let mut report = Report::new(&plan, &snapshot, args);
    if args.how.output == Form::Lines {
        report.print()?;
    }
    let answers = answers(config, &args.how);
    let missing = gate::missing_for_restore(&plan, &answers);
    let outcome = match (args.how.yes, missing.as_slice()) {
        _ if plan.written().next().is_none() => nothing(&plan),
        (false, missing) => planned(args.how.dry_run, missing),
        (true, []) => {
            let user = kube::identify(&cluster).await.ok();
            let order = RestoreOrder {
                plan: plan.clone(),
                answers,
                recorder: Recorder::new(&config.state_dir),
                server_user: user.and_then(|identity| identity.user),
                clock: clock::now,
            };
            match write(cluster, order, args.how.output).await {
                Ok(()) => verify::verify(config, &mut session, &plan, &args.how).await,
                Err(why) => Err(why),
            }
        }
        (true, missing) => Err(refused(missing)),
    };
    report.end(&outcome);
    match args.how.output {
        Form::Json => output::json(&report)?,
        Form::Lines => {
            if let Ok(sentence) = &outcome {
                output::line(sentence)?;
            }
        }
    }
    outcome.map(|_| 0)
}

fn read(file: &Path) -> Result<Snapshot, Failure> {
    let name = file.display();
    let unreadable =
        |why: String| Failure::new(FailureKind::Config, format!("{name} cannot be read: {why}"));
    let mut text = String::new();
    let opened = File::open(file).map_err(|why| unreadable(why.to_string()))?;
    let read = opened.take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|why| unreadable(why.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(unreadable(format!(
            "it is longer than {} MiB",
            LARGEST >> 20
        )));
    }
    snapshot::read(&text).map_err(|mistake| {
        let (line, column) = (mistake.line, mistake.column);
        let sentence = format!("{name}, line {line}, column {column}: {}", mistake.sentence);
        Failure::new(FailureKind::Config, sentence)
    })
}

async fn plan(
    config: &Config,
    cluster: &Cluster,
    targets: &[Target<'_>],
    args: &Restore,
) -> Result<RestorePlan, Failure> {
    let (mut services, mut kept) = (Vec::new(), Vec::new());
    let (mut levels, mut checks) = (Vec::new(), Vec::new());
    for target in targets {
        let read = actions::inventories(cluster, Some(&target.namespace)).await;
        let (mut found, _) = read.map_err(|error| error.failure())?;
        let now = found.remove(&target.namespace).unwrap_or_default();
        let wish = Wish {
            place: target.place,
            cluster: cluster.id(),
            namespace: &target.namespace,
            services: &args.services,
            overwrite: args.overwrite,
        };
        let planned = restore::services(&wish, &now, || actions::stamp(clock::now()))?;
        let written = planned.iter().filter(|service| service.writes());
        let written: Vec<_> = written
            .map(|service| service.workload.to_string())
            .collect();
        let workloads = target.place.workloads.iter();
        kept.extend(workloads.filter_map(|workload| {
            let name = workload.to_string();
            let keeper = restore::keeper(workload).filter(|_| written.contains(&name))?;
            Some((name, keeper))
        }));
        let here = target.environment(config, cluster);
        levels.push(here.map_or(Level::Guarded, |environment| environment.protection));
        checks.extend(holds(config, here.map(|e| e.name.as_str()), &planned));
        services.extend(planned);
    }
    checks.extend(restore::checks(&services, &kept));
    if services.iter().any(restore::ServicePlan::writes) {
        checks.extend(actions::ask_restore(cluster, &services, config.readonly).await);
    }
    let strictest = levels.into_iter().max_by_key(|level| gate::rank(*level));
    Ok(RestorePlan {
        level: strictest.unwrap_or(Level::Open),
        services,
        checks,
    })
}

/// Nothing goes out while something is on hold, unless somebody says why.
fn holds(
    config: &Config,
    environment: Option<&str>,
    services: &[restore::ServicePlan],
) -> Vec<Verdict> {
    let now = clock::now();
    let written = || services.iter().filter(|service| service.writes());
    let all = config.holds.iter();
    let stand = all.filter(|hold| hold.stands(now) && hold.covers(environment));
    let about = stand.filter(|hold| written().any(|s| hold.holds(&s.workload.name)));
    let said = about.map(|hold| Verdict {
        check: CheckId::Hold,
        finding: Finding::Block,
        sentence: format!("on hold: {}", hold.reason),
    });
    said.collect()
}

fn nothing(plan: &RestorePlan) -> Result<String, Failure> {
    let count = |word: &str| plan.services.iter().filter(|s| s.word() == word).count();
    let all = plan.services.len();
    match (count("taken"), count("differs")) {
        (0, 0) => Ok(format!(
            "nothing to do: all {all} services are there as the file has them"
        )),
        (0, differ) => Ok(format!(
            "nothing to do: {differ} of {all} services differ and are left alone; --overwrite makes them as the file has them"
        )),
        (taken, _) => {
            let sentence = format!("refused: {taken} of {all} names belong to other objects");
            Err(Failure::new(FailureKind::Refused, sentence))
        }
    }
}

/// Ends when all is written.
async fn write(cluster: Cluster, order: RestoreOrder, form: Form) -> Result<(), Failure> {
    let names: Vec<_> = order
        .plan
        .written()
        .map(|s| s.workload.to_string())
        .collect();
    let mut news = actions::restore(cluster, order);
    while let Some(progress) = news.next().await {
        match (progress, form) {
            (RestoreProgress::Wrote(what), Form::Lines) => output::line(&format!("ok {what}"))?,
            (RestoreProgress::Wrote(_) | RestoreProgress::Made(_), _) => {}
            (RestoreProgress::Stopped { at: None, why }, _) => return Err(why),
            (RestoreProgress::Stopped { at: Some(at), why }, _) => {
                let words = format!(
                    "{at} of {} services are written, and it stopped at {}; the same command goes on from there",
                    names.len(),
                    names[at]
                );
                return Err(why.hint(words));
            }
        }
    }
    Ok(())
}
