//! `rolldeck promote SERVICE --from staging --to prod`: what one environment runs, for another, followed to its end.

use std::collections::BTreeMap;

use crate::config::{Config, Namespaces};
use crate::domain::{Environment, Failure, FailureKind, Workload, matrix};
use crate::plan::{Target, Verb};

use super::args::{Promote, READS};
use super::release::{self, Asked};
use super::session::Session;
use super::{Outcome, batch};

pub async fn run(config: &Config, args: Promote) -> Outcome {
    let config = scope(config, &args)?;
    let mut session = Session::connect(&config, READS).await?;
    session.workloads(&config).await?;
    let environments = environments(&config, &session);
    let to = named(&environments, args.to.as_deref().unwrap_or_default())?;
    let (mut targets, mut found) = (BTreeMap::new(), Vec::new());
    for service in &args.release.services {
        let here = session.find_in(service, to)?;
        let way = (&*config.way, &*environments, to);
        let (from, there) = origin(&session, way, service, &args)?;
        let target = Target::Promoted {
            from: there.id,
            environments: (from.name.clone(), to.name.clone()),
        };
        if targets.insert(here.id.clone(), target).is_some() {
            let sentence = format!("{service} is there twice");
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        found.push(here);
    }
    let asked = Asked {
        targets,
        ..Asked::new(Verb::PromoteImage, Target::Proposed).by(args.git)
    };
    let how = &args.release.how;
    if let [alone] = found.as_slice() {
        return release::one(&config, &mut session, alone, (&asked, how)).await;
    }
    batch::run(&config, &mut session, found, (asked, how, 1)).await
}

/// Both environments and those between are looked at, whatever clusters would be on the board.
fn scope(config: &Config, args: &Promote) -> Result<Config, Failure> {
    if config.environments.is_empty() {
        return Ok(config.clone());
    }
    let all = || config.environments.iter();
    let known = |name: &String| all().any(|environment| environment.name == *name);
    for name in args.to.iter().chain(&args.from) {
        if !known(name) {
            return Err(unknown(all(), name));
        }
    }
    let wanted = |one: &&Environment| match &args.from {
        Some(from) => one.name == *from || Some(&one.name) == args.to.as_ref(),
        None => true,
    };
    let environments: Vec<_> = all().filter(wanted).cloned().collect();
    let mut contexts: Vec<String> = Vec::new();
    for environment in &environments {
        if !contexts.contains(&environment.cluster) {
            contexts.push(environment.cluster.clone());
        }
    }
    Ok(Config {
        contexts,
        environments,
        namespaces: Namespaces::OfEnvironments,
        ..config.clone()
    })
}

/// As the matrix has them.
fn environments(config: &Config, session: &Session) -> Vec<Environment> {
    let scopes = session
        .clusters()
        .iter()
        .map(|cluster| (cluster.id(), &[][..]));
    let scopes: Vec<matrix::Scope<'_>> = scopes.collect();
    let seen = session.fleet.workloads().map(|workload| &workload.id);
    matrix::environments((&config.environments, &config.way), &scopes, seen)
}

fn named<'a>(environments: &'a [Environment], name: &str) -> Result<&'a Environment, Failure> {
    let found = environments.iter().find(|one| one.name == name);
    found.ok_or_else(|| unknown(environments.iter(), name))
}

fn unknown<'a>(all: impl Iterator<Item = &'a Environment>, name: &str) -> Failure {
    let known: Vec<_> = all.map(|environment| &*environment.name).collect();
    let sentence = format!("there is no environment named {name}");
    Failure::new(FailureKind::Usage, sentence).hint(format!("there are: {}", known.join(", ")))
}

/// Where it comes from: as it was said, else the nearest environment before that runs it.
fn origin<'a>(
    session: &Session,
    (way, environments, to): (&[String], &'a [Environment], &Environment),
    service: &str,
    args: &Promote,
) -> Result<(&'a Environment, Workload), Failure> {
    if let Some(from) = &args.from {
        if *from == to.name {
            let sentence = "--from and --to are the same environment";
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        let from = named(environments, from)?;
        return Ok((from, session.alone_in(service, from)?));
    }
    let before = environments.iter().take_while(|one| one.name != to.name);
    let before = before.filter(|one| matrix::is_on(way, one) && matrix::is_on(way, to));
    let before: Vec<_> = before.collect();
    for from in before.into_iter().rev() {
        if session.runs_in(service, from) {
            return Ok((from, session.alone_in(service, from)?));
        }
    }
    let sentence = format!("no environment before {} runs {service}", to.name);
    let failure = Failure::new(FailureKind::Usage, sentence);
    let order = if way.is_empty() {
        "environments:"
    } else {
        "promotion.way"
    };
    Err(failure.hint(format!(
        "--from says where it comes from; the order is that of {order} in the configuration"
    )))
}
