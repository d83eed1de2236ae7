//! What the embedded Jenkins knows: jobs, their builds, and the queue. It moves on whenever it is asked.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::demo::clock::Clock;
use crate::demo::project::{BROKEN, Built, Commit, Project, after};

/// Stages of every build, and where they end, in scripted seconds.
pub const STAGES: [(&str, u32); 4] = [("Checkout", 3), ("Test", 12), ("Image", 19), ("Push", 24)];
const LENGTH: u32 = STAGES[STAGES.len() - 1].1;
/// How long a build of the past took.
const PAST: SignedDuration = SignedDuration::from_secs(154);
const EXECUTORS: usize = 4;
/// What the hook says.
pub const PUSHED: &str = "Push event to branch main";
/// Jenkins forgets an item so long after it left the queue.
const KEPT: SignedDuration = SignedDuration::from_mins(5);

pub struct State {
    pub jobs: Vec<Job>,
    pub queue: Vec<Item>,
    pub left: Vec<Left>,
    next_item: u64,
    clock: Clock,
}

pub struct Job {
    pub service: String,
    /// A branch of a multibranch project, which alone configures it.
    pub managed: bool,
    pub enabled: bool,
    pub description: String,
    /// Oldest first.
    pub builds: Vec<Run>,
    /// What is suggested for the next one.
    pub next_version: String,
}

#[derive(Clone)]
pub struct Run {
    pub number: u32,
    pub item: u64,
    pub version: String,
    pub suite: String,
    pub started: Timestamp,
    pub ended: Option<(Timestamp, &'static str)>,
    pub commits: Vec<Commit>,
    pub causes: Vec<String>,
    pub description: String,
    goes_to: Option<String>,
}

pub struct Item {
    pub id: u64,
    pub job: usize,
    pub version: String,
    pub suite: String,
    pub since: Timestamp,
    pub due: Timestamp,
    pub causes: Vec<String>,
    /// Those that were pushed; empty when a person asks for a build.
    pub commits: Vec<Commit>,
    /// The namespace that it is rolled out to when it is good.
    pub goes_to: Option<String>,
}

/// An item that is no longer in the queue.
pub struct Left {
    pub item: Item,
    /// `None`: it was cancelled.
    pub build: Option<u32>,
    at: Timestamp,
}

/// A build that has just ended well, and so made an image.
pub struct Made {
    pub service: String,
    pub version: String,
    pub commit: String,
    pub at: Timestamp,
    pub goes_to: Option<String>,
}

impl State {
    pub fn new(projects: &[Project], clock: Clock) -> Self {
        let mut state = Self {
            jobs: Vec::new(),
            queue: Vec::new(),
            left: Vec::new(),
            next_item: 1,
            clock,
        };
        for project in projects {
            let job = state.job(project);
            state.jobs.push(job);
        }
        state
    }

    fn job(&mut self, project: &Project) -> Job {
        let mut run = |built: &Built, number, result| Run {
            number,
            item: self.item_id(),
            version: built.version.clone(),
            suite: "quick".into(),
            started: built.created - PAST,
            ended: Some((built.created, result)),
            commits: built.commits.clone(),
            causes: vec![PUSHED.into()],
            description: String::new(),
            goes_to: None,
        };
        let mut builds = Vec::new();
        for (number, built) in (1..).zip(&project.versions) {
            builds.push(run(built, number, "SUCCESS"));
        }
        if let (Some(red), Some(last)) = (&project.red, builds.last()) {
            let number = last.number + 1;
            builds.push(run(red, number, "FAILURE"));
        }
        let newest = project.versions.last().map(|built| &*built.version);
        Job {
            service: project.path.rsplit('/').next().unwrap_or_default().into(),
            managed: project.multibranch,
            enabled: true,
            description: String::new(),
            builds,
            next_version: after(newest.unwrap_or("0.0.0")),
        }
    }

    fn item_id(&mut self) -> u64 {
        self.next_item += 1;
        self.next_item - 1
    }

    /// The queue item; true when an equal one waited already.
    pub fn enqueue(&mut self, mut item: Item) -> (u64, bool) {
        let same = |other: &&mut Item| {
            other.job == item.job && other.version == item.version && other.suite == item.suite
        };
        if let Some(other) = self.queue.iter_mut().find(same) {
            other.causes.append(&mut item.causes);
            return (other.id, true);
        }
        item.id = self.item_id();
        let id = item.id;
        self.queue.push(item);
        (id, false)
    }

    pub fn cancel(&mut self, id: u64, now: Timestamp) -> bool {
        let Some(at) = self.queue.iter().position(|item| item.id == id) else {
            return false;
        };
        let item = self.queue.remove(at);
        self.left.push(Left {
            item,
            build: None,
            at: now,
        });
        true
    }

    /// Ends what has run long enough and starts what waits for nothing any more.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Made> {
        let mut made = Vec::new();
        for job in &mut self.jobs {
            for run in job.builds.iter_mut().filter(|run| run.ended.is_none()) {
                let fails = run.version.ends_with(BROKEN);
                let length = if fails { STAGES[1].1 } else { LENGTH };
                let length = Duration::from_secs(length.into());
                if self.clock.scripted_since(run.started) < length {
                    continue;
                }
                let at = now.min(run.started + self.clock.real(length));
                run.ended = Some((at, if fails { "FAILURE" } else { "SUCCESS" }));
                if !fails {
                    made.push(Made {
                        service: job.service.clone(),
                        version: run.version.clone(),
                        commit: run.commits.last().map(|c| c.id.clone()).unwrap_or_default(),
                        at,
                        goes_to: run.goes_to.clone(),
                    });
                }
            }
        }
        self.start(now);
        self.left.retain(|left| now.duration_since(left.at) < KEPT);
        made
    }

    fn start(&mut self, now: Timestamp) {
        let mut waiting = Vec::new();
        for item in std::mem::take(&mut self.queue) {
            if item.due > now || self.running(item.job) || self.busy() >= EXECUTORS {
                waiting.push(item);
                continue;
            }
            let job = &mut self.jobs[item.job];
            let former = job.builds.last();
            let number = former.map_or(1, |run| run.number + 1);
            let commits = match former {
                Some(former) if item.commits.is_empty() => former.commits.clone(),
                _ => item.commits.clone(),
            };
            job.builds.push(Run {
                number,
                item: item.id,
                version: item.version.clone(),
                suite: item.suite.clone(),
                started: now,
                ended: None,
                commits,
                causes: item.causes.clone(),
                description: String::new(),
                goes_to: item.goes_to.clone(),
            });
            job.next_version = after(&item.version);
            self.left.push(Left {
                item,
                build: Some(number),
                at: now,
            });
        }
        self.queue = waiting;
    }

    pub fn running(&self, job: usize) -> bool {
        self.jobs[job].builds.iter().any(|run| run.ended.is_none())
    }

    fn busy(&self) -> usize {
        let runs = self.jobs.iter().flat_map(|job| &job.builds);
        runs.filter(|run| run.ended.is_none()).count()
    }

    /// Scripted seconds that a build ran; all of them when it belongs to the past.
    pub fn elapsed(&self, run: &Run) -> u32 {
        match run.ended {
            Some((_, "SUCCESS")) => LENGTH,
            // Only tests fail here.
            Some((_, "FAILURE")) => STAGES[1].1,
            Some((end, _)) => {
                let real = Duration::try_from(end.duration_since(run.started)).unwrap_or_default();
                let scripted = real.as_secs() * u64::from(self.speed());
                u32::try_from(scripted).unwrap_or(LENGTH).min(LENGTH)
            }
            None => {
                let seconds = self.clock.scripted_since(run.started).as_secs();
                u32::try_from(seconds).unwrap_or(LENGTH).min(LENGTH)
            }
        }
    }

    fn speed(&self) -> u32 {
        let minute = Duration::from_secs(60);
        let real = self.clock.real(minute).as_millis().max(1);
        u32::try_from(minute.as_millis() / real).unwrap_or(1)
    }

    /// What a build is expected to take, in real time.
    pub fn estimated(&self) -> Duration {
        self.clock.real(Duration::from_secs(LENGTH.into()))
    }
}
