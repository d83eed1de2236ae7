//! Runs what the app asks for: connections, feeds, jobs. Everything comes back as an `Event`.

mod builds;
pub mod changes;
pub mod clock;
mod commits;
mod connections;
mod describe;
pub mod doctor;
mod feeds;
mod images;
mod jobs;
mod links;
pub mod login;
pub mod logs;
pub mod making;
mod notify;
mod programs;
mod reads;
mod record;
pub mod release;
mod settings;
mod tables;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::app::effect::Effect;
use crate::app::event::Event;
use crate::config::Config;
use crate::domain::{ClusterId, Failure, FailureKind};
use crate::plan::Request;
use crate::sources::jenkins::Servers;
use crate::sources::kube::Cluster;
use crate::sources::prometheus::Prometheus;
use crate::sources::registry::Registries;
use crate::sources::source_repo::Repositories;

use builds::Builders;
use feeds::Feeds;
use jobs::Jobs;
use links::{Client, Links, Task};
use logs::Logs;
use making::Under;

/// So many batches wait for the screen; then the feeds wait, and with them the servers.
const WAITING: usize = 64;
/// So many that wait are no sign that the screen is late.
const UNREAD: usize = 2;
/// How long quitting waits for a write under way and its line in the record.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// Must be made and used inside a tokio runtime. Dropping it ends every task but the writes.
pub struct Engine {
    shared: Arc<Shared>,
    feeds: Mutex<Feeds>,
    jobs: Jobs,
    logs: Logs,
    images: images::Watched,
    writes: TaskTracker,
    _settings: Task,
}

/// What every task needs.
struct Shared {
    /// Another one when the settings file is written.
    config: RwLock<Arc<Config>>,
    /// As the settings name them.
    repositories: RwLock<Repositories>,
    events: mpsc::Sender<Event>,
    links: Links,
    under: Under,
    builders: Builders,
    /// Others when the settings name others.
    jenkins: RwLock<Servers>,
    /// Others when the settings say something else of them.
    registries: RwLock<Registries>,
    /// Others when the settings name others.
    prometheus: RwLock<Prometheus>,
}

impl Engine {
    /// Nothing is connected before [`Effect::Connect`].
    pub fn start(config: Config) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared {
            jenkins: RwLock::new(Servers::new(&config)),
            registries: RwLock::new(Registries::new(&config.registries, clock::now)),
            prometheus: RwLock::new(Prometheus::new(&config, clock::now)),
            repositories: RwLock::new(Repositories::new(&config)),
            config: RwLock::new(Arc::new(config)),
            events,
            links: Links::default(),
            under: Under::default(),
            builders: Builders::default(),
        });
        let settings = Task(tokio::spawn(settings::watch(Arc::clone(&shared))).abort_handle());
        let engine = Self {
            feeds: Mutex::new(Feeds::default()),
            jobs: Jobs::default(),
            logs: Logs::default(),
            images: images::Watched::default(),
            writes: TaskTracker::new(),
            _settings: settings,
            shared,
        };
        (engine, receiver)
    }

    /// Starts what is asked for and returns at once. The terminal's own effects are none of it.
    pub fn run(&self, effect: Effect) {
        let shared = Arc::clone(&self.shared);
        match effect {
            Effect::Connect { clusters } => {
                let (config, events) = (shared.config(), &shared.events);
                shared.links.match_up(&config, events, &clusters);
            }
            Effect::Watch { epochs, wanted } => {
                let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
                feeds.wish(&shared.links, &epochs, wanted);
            }
            Effect::Retry { cluster } => {
                if let Some(link) = shared.links.find(&cluster) {
                    link.retry();
                }
            }
            Effect::WatchImages(images) => self.images.wish(shared, images),
            Effect::WatchJobs(wishes) => shared.builders.wish(&shared, wishes),
            Effect::Build { job, wish, answers } => {
                self.writes
                    .spawn(builds::build(shared, job, *wish, answers));
            }
            Effect::MakeImage { job, plan, answers } => {
                self.writes.spawn(making::make(shared, job, *plan, answers));
            }
            Effect::StopImage { job } => shared.under.stop(job),
            Effect::Cancel { job } => self.jobs.cancel(job),
            Effect::Gather { job, request } => {
                self.jobs.spawn(job, release::gather(shared, job, request));
            }
            Effect::Preflight { job, plan } => {
                self.jobs.spawn(job, release::preflight(shared, job, *plan));
            }
            Effect::Execute {
                job,
                plan,
                answers,
                verdicts,
            } => {
                let write = release::execute(shared, job, *plan, (answers, verdicts));
                self.writes.spawn(write);
            }
            Effect::LookBack { cluster } => {
                tokio::spawn(record::look_back(shared, cluster));
            }
            Effect::ReadRecord { job } => self.jobs.spawn(job, record::read(shared, job)),
            Effect::RecordOutcome {
                id,
                workload,
                outcome,
                verified,
            } => {
                let end = release::End {
                    id,
                    workload,
                    outcome,
                    verified,
                };
                self.writes.spawn(release::ended(shared, end));
            }
            Effect::RecordNotBegun {
                plan,
                answers,
                verdicts,
                why,
            } => {
                let given = (answers, verdicts);
                self.writes
                    .spawn(release::not_begun(shared, *plan, given, why));
            }
            Effect::RecordHandOver { handed, ended } => {
                self.writes.spawn(programs::record(shared, *handed, ended));
            }
            read => self.read(shared, read),
        }
    }

    /// What a screen is to show.
    fn read(&self, shared: Arc<Shared>, effect: Effect) {
        match effect {
            Effect::StreamLogs { job, wish } => {
                if let Some(wishes) = self.logs.wish(job, wish) {
                    self.jobs.spawn(job, logs::show(shared, job, wishes));
                }
            }
            Effect::ReadBuilds { job, of } => self.jobs.spawn(job, builds::recent(shared, job, of)),
            Effect::ReadImages {
                job,
                images,
                at_once,
            } => self.jobs.spawn(job, images::tell(shared, images, at_once)),
            Effect::ListTags { job, image } => {
                self.jobs.spawn(job, images::tags(shared, job, image));
            }
            Effect::ReadBuildImages { service, builds } => {
                tokio::spawn(builds::images(shared, service, builds));
            }
            Effect::PlanImage { job, ask } => self.jobs.spawn(job, making::plan(shared, job, *ask)),
            Effect::ReadCommits { job, between } => {
                self.jobs.spawn(job, commits::tell(shared, between));
            }
            Effect::ReadJob { job, of } => self.jobs.spawn(job, builds::job(shared, job, of)),
            Effect::ReadBuildLog { job, build } => {
                self.jobs.spawn(job, builds::log(shared, job, build));
            }
            Effect::Describe { job, object } => {
                self.jobs
                    .spawn(job, describe::describe(shared, job, object));
            }
            Effect::FetchYaml { job, object } => {
                self.jobs.spawn(job, reads::yaml(shared, job, object));
            }
            Effect::Compare { job, revisions } => {
                self.jobs.spawn(job, reads::compare(shared, job, revisions));
            }
            Effect::ReadChanges { job, asked } => {
                self.jobs.spawn(job, changes::tell(shared, job, asked));
            }
            Effect::ReadDigests { job, of } => {
                self.jobs.spawn(job, reads::digests(shared, job, of));
            }
            Effect::ReadReleases { job, of } => {
                self.jobs.spawn(job, reads::releases(shared, job, of));
            }
            Effect::ListNamespaces { job, clusters } => {
                self.jobs
                    .spawn(job, reads::namespaces(shared, job, clusters));
            }
            Effect::ListContexts { job } => self.jobs.spawn(job, reads::contexts(shared, job)),
            Effect::AskPermission {
                cluster,
                namespace,
                kind,
            } => {
                tokio::spawn(reads::permission(shared, cluster, namespace, kind));
            }
            Effect::Diagnose { job, clusters } => {
                self.jobs.spawn(job, doctor::tell(shared, job, clusters));
            }
            Effect::Discover { job, cluster } => {
                self.jobs.spawn(job, tables::kinds(shared, cluster));
            }
            Effect::ReadTable { job, of } => self.jobs.spawn(job, tables::read(shared, job, of)),
            Effect::FindPrograms { job, programs } => {
                self.jobs.spawn(job, programs::find(shared, job, programs));
            }
            Effect::Notify { about, how } => {
                tokio::spawn(notify::run(shared, about, how.command));
            }
            measure => self.measure(shared, measure),
        }
    }

    fn measure(&self, shared: Arc<Shared>, effect: Effect) {
        match effect {
            Effect::Measure { job, of, selector } => {
                self.jobs
                    .spawn(job, reads::measure(shared, job, of, selector));
            }
            Effect::MeasureCanary { job, of, sides } => {
                self.jobs
                    .spawn(job, reads::measure_canary(shared, job, of, *sides));
            }
            // The terminal's own, and what `run` knows.
            _ => {}
        }
    }

    /// Waits for writes under way, 5 s at most; false when one was left behind. A build of an image, which may take
    /// longer than that, is stopped, and says so in the record. Drop the receiver first, so that
    /// nothing waits for a screen that is gone.
    pub async fn finish(&self) -> bool {
        self.shared.under.stop_all();
        self.writes.close();
        tokio::time::timeout(LAST_WRITE, self.writes.wait())
            .await
            .is_ok()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.links.close();
        self.jobs.cancel_all();
    }
}

impl Shared {
    /// The settings in force.
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn registries(&self) -> Registries {
        let registries = self.registries.read();
        registries.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn repositories(&self) -> Repositories {
        let repositories = self.repositories.read();
        repositories.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn jenkins(&self) -> Servers {
        let servers = self.jenkins.read();
        servers.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn prometheus(&self) -> Prometheus {
        let prometheus = self.prometheus.read();
        prometheus.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn configure(&self, config: Config) {
        if !self.prometheus().is_of(&config) {
            *self
                .prometheus
                .write()
                .unwrap_or_else(PoisonError::into_inner) = Prometheus::new(&config, clock::now);
        }
        if !self.jenkins().are_of(&config) {
            *self.jenkins.write().unwrap_or_else(PoisonError::into_inner) = Servers::new(&config);
        }
        if *self.registries().settings() != config.registries {
            let registries = Registries::new(&config.registries, clock::now);
            *self
                .registries
                .write()
                .unwrap_or_else(PoisonError::into_inner) = registries;
        }
        let repositories = Repositories::new(&config);
        *self
            .repositories
            .write()
            .unwrap_or_else(PoisonError::into_inner) = repositories;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// A receiver that is gone is a screen that was closed: nobody needs the news.
    async fn send(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// The screen keeps up with what it is told: what can wait, or be dropped, may be told.
    fn keeps_up(&self) -> bool {
        self.events.max_capacity() - self.events.capacity() < UNREAD
    }

    /// The client of this cluster and of no other.
    fn client(&self, id: &ClusterId) -> Result<Client, Failure> {
        let client = self.links.find(id).and_then(|link| link.client());
        client.ok_or_else(|| {
            let sentence = format!("there is no connection to {id}");
            Failure::new(FailureKind::Unreachable, sentence).hint("ctrl-r tries again now")
        })
    }

    /// The cluster that its image is promoted from.
    fn origin_of(&self, request: &Request) -> Option<Cluster> {
        let from = request.origin()?;
        self.connected(&from.cluster).ok()
    }

    fn connected(&self, id: &ClusterId) -> Result<Cluster, Failure> {
        self.client(id).map(|client| client.cluster)
    }
}
