//! The embedded world: a cluster, its registry and its sources on loopback ports, for `rolldeck demo` and the tests.

pub mod audit;
pub mod clock;
pub mod cluster;
pub mod controllers;
pub mod goal;
mod http;
pub mod images;
pub mod jenkins;
pub mod kube;
pub mod kubelet;
pub mod logs;
pub mod project;
pub mod random;
pub mod registry;
pub mod repository;
pub mod scenario;
pub mod script;
pub mod world;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::domain::{Failure, FailureKind};

use self::kube::refusal::Refusal;
use self::kube::{Rights, User, serve};
use cluster::Cluster;
use jenkins::Farm;
use project::Sources;
use scenario::Scenario;
use world::Planter;

/// The contexts of the kubeconfig: one may do everything, the other only read.
pub const CONTEXT: &str = "demo";
pub const READER: &str = "demo-reader";

/// Changes of a kind that can be watched again.
const WINDOW: usize = 2_000;

#[derive(Debug, Clone)]
pub struct Options {
    pub scenario: Scenario,
    pub seed: u64,
    /// Scripted lengths are divided by it.
    pub speed: u32,
    /// How many services are generated, instead of what the scenario says.
    pub services: Option<u32>,
}

/// A world that runs until it is dropped; its folder goes with it.
pub struct Running {
    pub cluster: Arc<Cluster>,
    pub scenario: Arc<Scenario>,
    pub started: Timestamp,
    pub endpoints: Endpoints,
    folder: TempDir,
    tasks: Vec<JoinHandle<()>>,
}

/// `http://127.0.0.1:PORT`, each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub api: String,
    /// The same cluster for the user who may only read.
    pub reader: String,
    pub registry: String,
    pub repository: String,
    /// With its context path.
    pub jenkins: String,
}

impl Running {
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// For the release record and the log of a rolldeck that plays here.
    pub fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// # Errors
    /// What is missing, in words.
    pub fn goal(&self) -> Result<(), String> {
        let mut goals = self.scenario.goal.iter();
        goals.try_for_each(|goal| goal.holds(&self.cluster))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Plants the world, serves it, and lets its controllers and its script go.
///
/// # Errors
/// There is no port or no folder to be had, or the scenario asks for what its own API server refuses.
pub async fn start(options: Options) -> Result<Running, Failure> {
    let scenario = Arc::new(options.scenario.grown(options.services));
    let cluster = Arc::new(Cluster::new(options.seed, options.speed, WINDOW));
    let started = cluster.clock.now();
    let (registry, registry_address) = http::listen().await.map_err(|e| cannot(&e))?;
    let host = registry_address.to_string();
    Planter::new(&cluster, &scenario, options.seed, (started, &host))
        .plant()
        .map_err(|refusal| refused(&scenario, &refusal))?;
    let projects = scenario.projects(options.seed, started);
    let sources = Arc::new(Sources::new(projects, options.seed));
    let of_registry = Arc::clone(&cluster);
    let of_host = host.clone();
    let mut tasks = vec![http::serve(registry, move |r| {
        registry::answer(&of_registry, &of_host, r)
    })];
    tasks.push(tokio::spawn(controllers::run(Arc::clone(&cluster))));
    let (jenkins, jenkins_address) = http::listen().await.map_err(|e| cannot(&e))?;
    let farm = Farm::new(&cluster, &sources.projects(), &host, jenkins_address);
    let farm = Arc::new(farm);
    let jenkins_url = farm.url().to_owned();
    tasks.extend(jenkins::serve(jenkins, Arc::clone(&farm)));
    let (repository, repository_address) = http::listen().await.map_err(|e| cannot(&e))?;
    let of_repository = Arc::clone(&sources);
    tasks.push(http::serve(repository, move |r| {
        repository::answer(&of_repository.projects(), r)
    }));
    let mut ports = Vec::new();
    for (name, rights) in [(CONTEXT, Rights::All), (READER, Rights::Read)] {
        let user = User {
            name: name.into(),
            rights,
        };
        let served = serve(Arc::clone(&cluster), user).await;
        let (address, task) = served.map_err(|e| cannot(&e))?;
        ports.push(format!("http://{address}"));
        tasks.push(task);
    }
    let [api, reader] = [ports[0].clone(), ports[1].clone()];
    let actor = script::run(
        Arc::clone(&cluster),
        Arc::clone(&scenario),
        (farm, sources),
        (host, options.seed),
    );
    tasks.push(tokio::spawn(actor));
    let folder = folder(&api, &reader).map_err(|e| cannot(&e))?;
    Ok(Running {
        cluster,
        scenario,
        started,
        endpoints: Endpoints {
            api,
            reader,
            registry: format!("http://{registry_address}"),
            repository: format!("http://{repository_address}"),
            jenkins: jenkins_url,
        },
        folder,
        tasks,
    })
}

/// A throw-away folder, the user's alone, with the kubeconfig in it.
fn folder(api: &str, reader: &str) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("rolldeck-demo-")
        .tempdir()?;
    write(&folder.path().join("kubeconfig"), api, reader)?;
    Ok(folder)
}

fn write(path: &Path, api: &str, reader: &str) -> io::Result<()> {
    let clusters = format!(
        "- {{name: {CONTEXT}, cluster: {{server: \"{api}\"}}}}\n- {{name: {READER}, cluster: {{server: \"{reader}\"}}}}\n"
    );
    let contexts = format!(
        "- {{name: {CONTEXT}, context: {{cluster: {CONTEXT}, user: {CONTEXT}}}}}\n- {{name: {READER}, context: {{cluster: {READER}, user: {READER}}}}}\n"
    );
    let users = format!("- {{name: {CONTEXT}, user: {{}}}}\n- {{name: {READER}, user: {{}}}}\n");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {CONTEXT}\nclusters:\n{clusters}contexts:\n{contexts}users:\n{users}"
    );
    std::fs::write(path, text)
}

fn cannot(why: &io::Error) -> Failure {
    let sentence = format!("the embedded world cannot start: {why}");
    Failure::new(FailureKind::Failed, sentence)
        .hint("it needs free loopback ports, and a folder for temporary files (TMPDIR)")
}

fn refused(scenario: &Scenario, refusal: &Refusal) -> Failure {
    let sentence = format!(
        "assets/demo/{}.yaml asks for what the embedded API server refuses: {}",
        scenario.name,
        refusal.message()
    );
    Failure::new(FailureKind::Config, sentence)
}
