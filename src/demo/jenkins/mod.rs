//! The embedded Jenkins: a model of a Jenkins of today on loopback, with folders, branches, pipelines and a queue. It
//! builds the services of the world, and what it builds is in the world's registry.

mod document;
mod guard;
mod request;
mod route;
mod state;
mod tree;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::cluster::Cluster;
use super::http::serve as answer_all;
use super::images::{Behaviour, Image};
use super::project::{self, Built, Project};
use super::registry::Documents;
use super::script;
use guard::Guard;
use state::{Item, State};

/// Who may do everything here, with the password of the same name, or with the token.
pub const USER: &str = "demo";
pub const TOKEN: &str = "demo-token";
/// What it says it is.
pub const VERSION: &str = "2.541";
/// How often it moves on by itself.
const TICK: Duration = Duration::from_millis(250);

/// The controller with its jobs.
pub struct Farm {
    cluster: Arc<Cluster>,
    /// Ends in a slash.
    base: String,
    host: String,
    state: Mutex<State>,
    guard: Guard,
}

impl Farm {
    /// `host` is the registry's, as images name it.
    pub fn new(
        cluster: &Arc<Cluster>,
        projects: &[Project],
        host: &str,
        address: SocketAddr,
    ) -> Self {
        Self {
            cluster: Arc::clone(cluster),
            base: format!("http://{address}/jenkins/"),
            host: host.to_owned(),
            state: Mutex::new(State::new(projects, cluster.clock)),
            guard: Guard::default(),
        }
    }

    pub fn url(&self) -> &str {
        &self.base
    }

    /// The state as it is now.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for made in state.advance(self.cluster.clock.now()) {
            let path = project::path(&made.service);
            let documents = Documents::of(&path, &made.version, &made.commit, made.at);
            let image = Image {
                digest: documents.digest(),
                created: made.at,
                commit: made.commit,
                behaviour: Behaviour::default(),
            };
            let repository = format!("{}/{path}", self.host);
            self.cluster.images.push(&repository, &made.version, image);
            if let Some(namespace) = made.goes_to {
                let to = (&*namespace, &*made.service);
                let reference = format!("{repository}:{}", made.version);
                // Somebody may have taken it away.
                let _ = script::set_image(&self.cluster, "jenkins", to, &reference);
            }
        }
        state
    }

    /// The hook of a repository: a build of what was pushed, unless the job is off.
    pub fn pushed(&self, service: &str, pushed: Built, namespace: &str) {
        let now = self.cluster.clock.now();
        let mut state = self.state();
        let on = |job: &state::Job| job.service == service && job.enabled;
        let Some(job) = state.jobs.iter().position(on) else {
            return;
        };
        let quiet = self.cluster.clock.real(route::QUIET.unsigned_abs());
        state.enqueue(Item {
            id: 0,
            job,
            version: pushed.version,
            suite: document::SUITES[0].into(),
            since: now,
            due: now + quiet,
            causes: vec![state::PUSHED.into()],
            commits: pushed.commits,
            goes_to: Some(namespace.to_owned()),
        });
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let refusal = Guard::refuse(request);
        let mut response = refusal.unwrap_or_else(|| route::answer(self, request));
        let headers = response.headers_mut();
        let version = http::HeaderValue::from_static(VERSION);
        headers.insert("x-jenkins", version);
        response
    }
}

/// Ends, with its connections, when the tasks are aborted.
pub fn serve(listener: TcpListener, farm: Arc<Farm>) -> [JoinHandle<()>; 2] {
    let ticking = Arc::clone(&farm);
    let answers = answer_all(listener, move |request| farm.answer(request));
    let ticks = tokio::spawn(async move {
        loop {
            tokio::time::sleep(TICK).await;
            drop(ticking.state());
        }
    });
    [answers, ticks]
}
