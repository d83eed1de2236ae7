//! Runs what the app asks for: connections, feeds, jobs. Everything comes back as an `Event`.

pub mod clock;
mod connections;
pub mod doctor;
mod feeds;
mod jobs;
mod reads;
pub mod release;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::app::effect::Effect;
use crate::app::event::Event;
use crate::config::Config;
use crate::sources::kube::Cluster;

use feeds::Feeds;
use jobs::Jobs;

/// So many batches wait for the screen; then the feeds wait, and with them the servers.
const WAITING: usize = 64;
/// How long quitting waits for a write under way and its line in the record.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// Must be made and used inside a tokio runtime. Dropping it ends every task but the writes.
pub struct Engine {
    shared: Arc<Shared>,
    feeds: Mutex<Feeds>,
    jobs: Jobs,
    writes: TaskTracker,
    connection: tokio::task::AbortHandle,
}

/// What every task needs.
struct Shared {
    config: Config,
    events: mpsc::Sender<Event>,
    /// The client in force, once there is one.
    cluster: watch::Sender<Option<Client>>,
    /// The generation of the last client whose login was refused.
    expired: watch::Sender<u64>,
    /// The generation of the last client that brought something.
    heard: AtomicU64,
    /// Somebody wants the connection to be tried now.
    connect_now: Notify,
    /// Counts the wishes that feeds which wait try again now.
    feed_now: watch::Sender<u64>,
}

#[derive(Clone)]
struct Client {
    cluster: Cluster,
    user: Option<Box<str>>,
    generation: u64,
}

impl Engine {
    /// Begins to connect in the background. Nothing is awaited here.
    pub fn start(config: Config) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared {
            config,
            events,
            cluster: watch::Sender::new(None),
            expired: watch::Sender::new(0),
            heard: AtomicU64::new(0),
            connect_now: Notify::new(),
            feed_now: watch::Sender::new(0),
        });
        let connection = tokio::spawn(connections::keep(Arc::clone(&shared))).abort_handle();
        let engine = Self {
            feeds: Mutex::new(Feeds::default()),
            jobs: Jobs::default(),
            writes: TaskTracker::new(),
            connection,
            shared,
        };
        (engine, receiver)
    }

    /// Starts what is asked for and returns at once. The terminal's own effects are none of it.
    pub fn run(&self, effect: Effect) {
        let shared = Arc::clone(&self.shared);
        match effect {
            Effect::Watch { epoch, wanted } => {
                let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
                feeds.wish(&shared, epoch, wanted);
            }
            Effect::Retry { .. } => shared.retry(),
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
                self.writes.spawn(release::record(shared, end));
            }
            Effect::StreamLogs {
                job,
                workload,
                pod,
                container,
                previous,
            } => {
                let log = reads::log_of(workload, pod, container, previous);
                self.jobs.spawn(job, reads::logs(shared, job, log));
            }
            Effect::FetchYaml { job, object } => {
                self.jobs.spawn(job, reads::yaml(shared, job, object));
            }
            Effect::Compare { job, revisions } => {
                self.jobs.spawn(job, reads::compare(shared, job, revisions));
            }
            Effect::ListNamespaces { job, .. } => {
                self.jobs.spawn(job, reads::namespaces(shared, job));
            }
            Effect::AskPermission { cluster, namespace } => {
                tokio::spawn(reads::permission(shared, cluster, namespace));
            }
            Effect::Diagnose { job, .. } => {
                self.jobs.spawn(job, doctor::tell(shared, job));
            }
            Effect::Copy { .. } | Effect::Suspend | Effect::Redraw | Effect::Quit => {}
        }
    }

    /// Waits for writes under way, 5 s at most; false when one was left behind. Drop the receiver first, so that
    /// nothing waits for a screen that is gone.
    pub async fn finish(&self) -> bool {
        self.writes.close();
        tokio::time::timeout(LAST_WRITE, self.writes.wait())
            .await
            .is_ok()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.connection.abort();
        self.jobs.cancel_all();
    }
}

impl Shared {
    fn retry(&self) {
        self.connect_now.notify_one();
        self.feed_now.send_modify(|wishes| *wishes += 1);
    }

    /// A receiver that is gone is a screen that was closed: nobody needs the news.
    async fn send(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// The API server's own name for the user.
    fn user(&self) -> Option<Box<str>> {
        let client = self.cluster.borrow();
        client.as_ref().and_then(|c| c.user.clone())
    }

    fn client(&self) -> Option<Cluster> {
        self.cluster.borrow().as_ref().map(|c| c.cluster.clone())
    }

    fn connected(&self) -> Result<Cluster, crate::domain::Failure> {
        self.client().ok_or_else(|| {
            let kind = crate::domain::FailureKind::Unreachable;
            crate::domain::Failure::new(kind, "there is no connection to the cluster")
                .hint("ctrl-r tries again now")
        })
    }
}
