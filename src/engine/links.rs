//! One link to each cluster of the board: its client, its login, its failures, and nothing of another's.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;

use super::connections;
use crate::app::event::Event;
use crate::config::{Config, Connection};
use crate::domain::ClusterId;
use crate::sources::kube::Cluster;

/// What the tasks of one cluster share.
pub struct Link {
    /// How to get there, as it was asked for.
    asked: Connection,
    pub events: mpsc::Sender<Event>,
    /// The client in force, once there is one.
    pub cluster: watch::Sender<Option<Client>>,
    /// The generation of the last client whose login was refused.
    pub expired: watch::Sender<u64>,
    /// The generation of the last client that brought something.
    pub heard: AtomicU64,
    /// A person logged in: the client to go on with.
    given: Mutex<Option<Cluster>>,
    /// Somebody wants the connection to be tried now.
    pub connect_now: Notify,
    /// Counts the wishes that feeds which wait try again now.
    pub feed_now: watch::Sender<u64>,
}

#[derive(Clone)]
pub struct Client {
    pub cluster: Cluster,
    /// The API server's own name for the user.
    pub user: Option<Box<str>>,
    pub generation: u64,
}

impl Link {
    fn new(config: &Config, id: &ClusterId, events: mpsc::Sender<Event>) -> Self {
        Self {
            asked: config.connection.to(&id.0),
            events,
            cluster: watch::Sender::new(None),
            expired: watch::Sender::new(0),
            heard: AtomicU64::new(0),
            given: Mutex::new(None),
            connect_now: Notify::new(),
            feed_now: watch::Sender::new(0),
        }
    }

    /// The name that was asked for; empty while the kubeconfig's current context is not known.
    pub fn id(&self) -> ClusterId {
        match self.client() {
            Some(client) => client.cluster.id().clone(),
            None => ClusterId::from(self.asked.context.as_deref().unwrap_or("")),
        }
    }

    pub fn client(&self) -> Option<Client> {
        self.cluster.borrow().clone()
    }

    /// The context that was connected to once stays, also when somebody switches the kubeconfig's current one.
    pub fn connection(&self) -> Connection {
        match self.client() {
            Some(client) => client.cluster.connection().clone(),
            None => self.asked.clone(),
        }
    }

    /// A receiver that is gone is a screen that was closed: nobody needs the news.
    pub async fn send(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// Goes on with this client at once, whatever the one before it does.
    pub fn give(&self, cluster: Cluster) {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = Some(cluster);
        if let Some(former) = self.client() {
            let over = |last: &mut u64| *last = former.generation.max(*last);
            self.expired.send_modify(over);
        }
        self.connect_now.notify_one();
    }

    /// What a person was given, once.
    pub fn take(&self) -> Option<Cluster> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.take()
    }

    pub fn retry(&self) {
        self.connect_now.notify_one();
        self.feed_now.send_modify(|wishes| *wishes += 1);
    }
}

/// The links that are open, each with the task that keeps it connected.
#[derive(Default)]
pub struct Links {
    open: Mutex<Vec<(Arc<Link>, Task)>>,
}

impl Links {
    /// Opens and drops links so that they match the list.
    pub fn match_up(&self, config: &Config, events: &mpsc::Sender<Event>, wanted: &[ClusterId]) {
        let mut open = self.lock();
        open.retain(|(link, _)| wanted.contains(&link.id()));
        for id in wanted {
            if open.iter().any(|(link, _)| link.id() == *id) {
                continue;
            }
            let link = Arc::new(Link::new(config, id, events.clone()));
            let keeping = connections::keep(Arc::clone(&link));
            open.push((link, Task(tokio::spawn(keeping).abort_handle())));
        }
    }

    pub fn find(&self, id: &ClusterId) -> Option<Arc<Link>> {
        let open = self.lock();
        let found = open.iter().find(|(link, _)| link.id() == *id);
        found.map(|(link, _)| Arc::clone(link))
    }

    pub fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Arc<Link>, Task)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends with its handle.
pub struct Task(pub AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
