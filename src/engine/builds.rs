//! The servers that build: one poller for each that is wanted, and what is asked for on top of its looks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Shared;
use super::clock;
use super::links::Task;
use crate::actions::{self, BuildOrder, Recorder};
use crate::app::effect::JobsWish;
use crate::app::event::{Document, Event, JobId};
use crate::config::{Jenkins, jenkins};
use crate::domain::Failure;
use crate::domain::build::{self, Build, BuildId};
use crate::plan::{Answers, BuildPlan, BuildProgress, BuildWish};
use crate::sources::jenkins::{LogReader, Look, Pace, Poller};

/// So many builds of a job are read for its screen.
const RECENT: usize = 20;
/// What is shown of a log at first, and of each piece that came too fast, in bytes.
const PIECE: usize = 1 << 20;
/// A log that is followed is asked for what is new so often.
const AGAIN: Duration = Duration::from_secs(1);

/// Those that are asked, by their names in the configuration.
#[derive(Default)]
pub struct Builders {
    asked: Mutex<BTreeMap<Box<str>, Server>>,
}

struct Server {
    settings: Jenkins,
    look: watch::Sender<Look>,
    _task: Task,
}

impl Builders {
    /// Servers that are no longer wanted, or are configured otherwise, are let go.
    pub(super) fn wish(&self, shared: &Arc<Shared>, wishes: Vec<JobsWish>) {
        let config = shared.config();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |name: &str| wishes.iter().any(|wish| *wish.server == *name);
        let same = |server: &Server| config.jenkins.contains(&server.settings);
        asked.retain(|name, server| wanted(name) && same(server));
        for wish in wishes {
            let look = Look {
                jobs: wish.jobs,
                watched: wish.watched,
            };
            if let Some(server) = asked.get(&wish.server) {
                server.look.send_replace(look);
                continue;
            }
            let Some(settings) = jenkins::named(&config.jenkins, &wish.server) else {
                continue;
            };
            let (look, looks) = watch::channel(look);
            let asks = Asks {
                shared: Arc::clone(shared),
                settings: settings.clone(),
                looks,
            };
            let server = Server {
                settings: settings.clone(),
                look,
                _task: Task(tokio::spawn(asks.run()).abort_handle()),
            };
            asked.insert(wish.server, server);
        }
    }
}

/// What asks one server for as long as it is wanted.
struct Asks {
    shared: Arc<Shared>,
    settings: Jenkins,
    looks: watch::Receiver<Look>,
}

impl Asks {
    async fn run(mut self) {
        let seed = self.settings.url.len() as u64;
        let mut pace = Pace::new(seed);
        let servers = self.shared.jenkins();
        let client = loop {
            match servers.client(self.settings.name()).await {
                Ok(client) => break client,
                Err(error) => {
                    let wait = pace.after_failure(&error);
                    self.tell(Err(error.failure())).await;
                    sleep(wait).await;
                }
            }
        };
        let mut poller = Poller::new(client, seed, clock::now);
        loop {
            let look = self.looks.borrow_and_update().clone();
            let (outcome, wait) = poller.look(&look).await;
            self.tell(outcome.map_err(|error| error.failure())).await;
            tokio::select! {
                () = sleep(wait) => {}
                changed = self.looks.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn tell(&self, outcome: Result<Vec<build::Job>, Failure>) {
        let event = Event::JobsTold {
            server: self.settings.name().into(),
            at: clock::now(),
            outcome,
        };
        self.shared.send(event).await;
    }
}

/// The newest builds of one job.
pub(super) async fn recent(shared: Arc<Shared>, job: JobId, of: build::JobId) {
    let outcome = match shared.jenkins().client(&of.server).await {
        Ok(client) => client.builds(&of.path, RECENT).await,
        Err(error) => Err(error),
    };
    let outcome = outcome.map_err(|error| error.failure());
    shared.send(Event::BuildsRead { job, of, outcome }).await;
}

/// Which images they made, by the rule of their server. What cannot be read is not told, and costs the rest: its server
/// has other things to do.
pub(super) async fn images(shared: Arc<Shared>, service: Box<str>, builds: Vec<Build>) {
    for build in builds {
        let server = &build.id.job.server;
        let Ok(client) = shared.jenkins().client(server).await else {
            return;
        };
        let config = shared.config();
        let Some(settings) = jenkins::named(&config.jenkins, server) else {
            return;
        };
        match client.image(&build, &settings.image, &service).await {
            Ok(Some(image)) => {
                let (build, image) = (build.id, image.into());
                shared.send(Event::BuildMade { build, image }).await;
            }
            Ok(None) => {}
            Err(why) => return tracing::info!(%why, "which image a build made is not known"),
        }
    }
}

/// One job with all that it asks for.
pub(super) async fn job(shared: Arc<Shared>, job: JobId, of: build::JobId) {
    let outcome = match shared.jenkins().client(&of.server).await {
        Ok(client) => client.job(&of.path).await,
        Err(error) => Err(error),
    };
    let outcome = outcome.map(Box::new).map_err(|error| error.failure());
    shared.send(Event::JobRead { job, outcome }).await;
}

/// The log of one build, until its end.
pub(super) async fn log(shared: Arc<Shared>, job: JobId, build: BuildId) {
    let client = match shared.jenkins().client(&build.job.server).await {
        Ok(client) => client,
        Err(error) => return tell_log(&shared, job, Err(error.failure())).await,
    };
    let mut reader = LogReader::new(build);
    let mut pace = Pace::new(job.0);
    loop {
        match reader.read(&client, PIECE).await {
            Ok(piece) => {
                let mut lines = Vec::new();
                if piece.skipped > 0 {
                    lines.push(format!("… {} bytes were left out", piece.skipped));
                }
                lines.extend(piece.lines);
                let more = piece.more;
                let read_at = clock::now();
                let document = Document { lines, read_at };
                tell_log(&shared, job, Ok((document, more))).await;
                if !more {
                    return;
                }
                sleep(AGAIN).await;
            }
            Err(error) => {
                let wait = pace.after_failure(&error);
                tell_log(&shared, job, Err(error.failure())).await;
                sleep(wait).await;
            }
        }
    }
}

async fn tell_log(shared: &Shared, job: JobId, outcome: Result<(Document, bool), Failure>) {
    shared.send(Event::BuildLogged { job, outcome }).await;
}

/// To its end, whether anybody listens or not.
pub(super) async fn build(shared: Arc<Shared>, job: JobId, wish: BuildWish, answers: Answers) {
    let client = shared.jenkins().client(&wish.job.id.server).await;
    let client = client.map_err(|error| error.failure());
    let stamp = actions::stamp(clock::now());
    let (client, stamp) = match (client, stamp) {
        (Ok(client), Ok(stamp)) => (client, stamp),
        (Err(why), _) | (_, Err(why)) => {
            let progress = BuildProgress::Refused(why);
            return shared.send(Event::BuildProgressed { job, progress }).await;
        }
    };
    let order = BuildOrder {
        plan: BuildPlan { stamp, wish },
        answers,
        recorder: Recorder::new(&shared.config().state_dir),
        clock: clock::now,
    };
    let mut facts = actions::build(client, order);
    while let Some(progress) = facts.next().await {
        shared.send(Event::BuildProgressed { job, progress }).await;
        shared.send(Event::Recorded).await;
    }
}
