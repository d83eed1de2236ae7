//! `rolldeck demo`: the real program on an embedded world, a drill in it, or the world alone.

use std::io::{self, BufRead, Write};

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::jenkins::{ImageRule, Jobs};
use crate::config::secret::{Place, SecretFrom};
use crate::config::{
    Config, Connection, FolderRule, Jenkins, Namespaces, Overrides, Registries, Repository,
};
use crate::demo::scenario::Scenario;
use crate::demo::{self, Options, Running, jenkins, repository};
use crate::domain::{Arguments, Environment, Failure, FailureKind};
use crate::tui;

use super::Outcome;
use super::args::Demo;
use super::output;

mod drill;

/// The settings that were loaded give keys and display; all else is the demo's own.
pub fn run(config: Config, overrides: &Overrides, args: &Demo) -> Outcome {
    if args.list {
        return list();
    }
    let scenario = Scenario::find(&args.scenario)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))?;
    let options = Options {
        scenario,
        seed: args.seed,
        speed: args.speed,
        services: args.services,
    };
    let world = runtime.block_on(demo::start(options))?;
    let outcome = if args.serve {
        runtime.block_on(serve(&world))
    } else {
        let config = settings(config, overrides, &world, args.speed);
        play(&runtime, config, &world, args.drill)
    };
    drop(world);
    runtime.shutdown_background();
    outcome.map(|()| 0)
}

fn list() -> Outcome {
    let row = |scenario: &Scenario| vec![scenario.name.clone(), scenario.title.clone()];
    let rows: Vec<_> = Scenario::all()?.iter().map(row).collect();
    output::table(&["SCENARIO", "TITLE"], &rows)?;
    Ok(0)
}

fn play(runtime: &Runtime, config: Config, world: &Running, drill: bool) -> Result<(), Failure> {
    if !drill {
        return tui::run(config);
    }
    output::line(world.scenario.symptom.trim())?;
    output::line("enter opens the screen and starts the clock")?;
    let _ = io::stdin().lock().read_line(&mut String::new());
    let watch = drill::Watch::start(runtime, world);
    tui::run(config)?;
    watch.tell(world)
}

/// Until ctrl-c or a signal.
async fn serve(world: &Running) -> Result<(), Failure> {
    let broken = |why: io::Error| Failure::new(FailureKind::Internal, why.to_string());
    let mut end = signal(SignalKind::terminate()).map_err(broken)?;
    let mut gone = signal(SignalKind::hangup()).map_err(broken)?;
    let kubeconfig = world.kubeconfig();
    let ends = &world.endpoints;
    for line in [
        format!("{}: {}", world.scenario.name, world.scenario.title),
        world.scenario.story.trim().to_owned(),
        String::new(),
        format!("kubeconfig   {}", kubeconfig.display()),
        format!("API server   {}", ends.api),
        format!("  read only  {}   context {}", ends.reader, demo::READER),
        format!("registry     {}/v2/", ends.registry),
        format!("repository   {}/repos/", ends.repository),
        format!(
            "Jenkins      {}   {} {}",
            ends.jenkins,
            jenkins::USER,
            jenkins::TOKEN
        ),
        String::new(),
        format!("  export KUBECONFIG={}", kubeconfig.display()),
        "  rolldeck".into(),
        "  kubectl get deployments -A".into(),
        String::new(),
        "ctrl-c ends it and removes its folder".into(),
    ] {
        output::line(&line)?;
    }
    let _ = io::stdout().flush();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = end.recv() => {}
        _ = gone.recv() => {}
    }
    Ok(())
}

/// What points at the world. Records and the log go into the world's own folder, never among the user's.
fn settings(config: Config, overrides: &Overrides, world: &Running, speed: u32) -> Config {
    let contexts = match overrides.contexts.as_slice() {
        [] => vec![demo::CONTEXT.to_owned()],
        _ => config.contexts,
    };
    let environments = world.scenario.environments.iter();
    let environments = environments.map(|environment| Environment {
        name: environment.name.clone(),
        cluster: contexts[0].clone(),
        namespaces: environment.namespaces.clone(),
        protection: environment.protection,
        color: None,
        pin: crate::domain::Pin::Tag,
    });
    let scoped = overrides.all_namespaces || !overrides.namespaces.is_empty();
    Config {
        contexts: contexts.clone(),
        environments: environments.collect(),
        namespaces: if scoped {
            config.namespaces
        } else {
            Namespaces::OfContext
        },
        readonly: overrides.readonly,
        jenkins: vec![builder(world)],
        repositories: vec![sources(world)],
        state_dir: world.state_dir(),
        // The user's file and logins say nothing about this world.
        file: None,
        registries: Registries {
            verify: config.registries.verify,
            ..Registries::default()
        },
        // It shows the way to one, and there is none.
        docker: None,
        builds: vec![folder()],
        verify_seconds: world.scenario.verify_seconds.div_ceil(speed.max(1)),
        connection: Connection {
            kubeconfig: Some(world.kubeconfig()),
            ..Connection::default()
        },
        ..config
    }
}

/// From where its services would be built beside its Jenkins.
fn folder() -> FolderRule {
    FolderRule {
        services: Vec::new(),
        folder: "/src/shop/{service}".into(),
        dockerfile: None,
        image: None,
        arguments: Arguments::default(),
        network: None,
    }
}

fn echo(word: &str) -> SecretFrom {
    let command = vec!["echo".into(), word.into()];
    Place::Command { command }.into()
}

/// The world's own repositories, the same way.
fn sources(world: &Running) -> Repository {
    let interface = format!("{}{}", world.endpoints.repository, repository::INTERFACE);
    Repository {
        url: "https://git.demo/shop/{service}".into(),
        services: Vec::new(),
        path: None,
        api: Some(interface),
        // Anything will do, and without one git would be asked.
        token: Some(echo("demo")),
    }
}

/// The world's own Jenkins, as a configuration would name it.
fn builder(world: &Running) -> Jenkins {
    Jenkins {
        name: Some("jenkins".into()),
        url: world.endpoints.jenkins.clone(),
        user: Some(jenkins::USER.into()),
        token: Some(echo(jenkins::TOKEN)),
        ca: None,
        jobs: Jobs {
            pattern: Some("shop/{service}/{branch}".into()),
            ..Jobs::default()
        },
        image: ImageRule {
            artifact: Some("image.txt".into()),
            ..ImageRule::default()
        },
    }
}
