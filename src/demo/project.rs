//! Where the versions of a service came from: when each was built, and from which commits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};

use super::scenario::{Scenario, Service};

/// The source history of one service, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// `shop/checkout`: its path in the registry and in the repository.
    pub path: String,
    pub multibranch: bool,
    pub versions: Vec<Built>,
    /// What was built last and is no image: its tests failed.
    pub red: Option<Built>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub version: String,
    pub created: Timestamp,
    /// The last is the one that was built.
    pub commits: Vec<Commit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub id: String,
    pub author: &'static str,
    pub message: &'static str,
    pub at: Timestamp,
}

const AUTHORS: [&str; 6] = ["Ada", "Bela", "Chidi", "Dunja", "Emre", "Fay"];
const MESSAGES: [&str; 12] = [
    "Answer within the budget when the cache is cold",
    "Retry the payment provider once, and only on a timeout",
    "Log the order id with every error",
    "Take the address from the profile",
    "Close idle connections after a minute",
    "Round prices the way the invoice does",
    "Bring the client library up to date",
    "Measure the queue and not the worker",
    "Say which field is wrong",
    "Leave the old price format behind",
    "Keep the session when the cookie is renewed",
    "Read the limits from the settings",
];

/// What a version ends in that does not pass its tests.
pub const BROKEN: &str = "-broken";
/// From the last commit of a version until it is built.
const LAST: SignedDuration = SignedDuration::from_mins(20);
const DAY: i64 = 86_400;

impl Service {
    /// When a version was rolled out in a place that has it `since_last` versions ago.
    pub fn rolled_out(&self, seed: u64, start: Timestamp, changed: u32, ago: usize) -> Timestamp {
        let step = 4 * DAY + i64::from(bits(&[&self.name, "step"], seed) % 500_000);
        let ago = i64::try_from(ago).unwrap_or(0);
        start - SignedDuration::from_secs(i64::from(changed) + ago * step)
    }

    /// Built before the first place took it. Days are whole, so that a day's worlds have the same digests.
    pub fn project(&self, seed: u64, start: Timestamp) -> Project {
        let mut versions: Vec<Built> = Vec::new();
        for version in &self.versions {
            let created = self.first_seen(version, seed, start).unwrap_or(start);
            let before = i64::from(bits(&[&self.name, version], seed) % 40_000);
            let created = midnight(created) - SignedDuration::from_secs(before);
            let former = versions.last().map(|built| built.created);
            let created = former.map_or(created, |former| created.max(former));
            versions.push(Built {
                version: version.clone(),
                created,
                commits: commits(&self.name, version, seed, created),
            });
        }
        Project {
            path: path(&self.name),
            multibranch: self.multibranch,
            red: self.red.map(|ago| {
                let version = broken(self.versions.last().map_or("0.0.0", |last| last));
                let created = start - SignedDuration::from_secs(ago.seconds.into());
                let commits = commits(&self.name, &version, seed, created);
                Built {
                    version,
                    created,
                    commits,
                }
            }),
            versions,
        }
    }

    fn first_seen(&self, version: &str, seed: u64, start: Timestamp) -> Option<Timestamp> {
        let times = self.places.values().filter_map(|place| {
            if let Some(stuck) = place.stuck.as_ref().filter(|stuck| stuck.to == version) {
                return Some(start - SignedDuration::from_secs(stuck.ago.seconds.into()));
            }
            let past = self.past(place);
            let at = past.iter().position(|had| had == version)?;
            let changed = place.changed.unwrap_or(self.changed).seconds;
            Some(self.rolled_out(seed, start, changed, past.len() - 1 - at))
        });
        times.min()
    }
}

impl Scenario {
    pub fn projects(&self, seed: u64, start: Timestamp) -> Vec<Project> {
        let services = self.services.iter();
        services.map(|s| s.project(seed, start)).collect()
    }
}

/// `2.15.0` -> `2.15.1`.
pub fn after(version: &str) -> String {
    let plain = version.trim_end_matches(BROKEN);
    match plain.rsplit_once('.') {
        Some((head, patch)) => match patch.parse::<u32>() {
            Ok(patch) => format!("{head}.{}", patch + 1),
            Err(_) => format!("{plain}.1"),
        },
        None => format!("{plain}.1"),
    }
}

fn broken(version: &str) -> String {
    format!("{}{BROKEN}", after(version))
}

/// Where a service is kept, in the registry and in the repository.
pub fn path(service: &str) -> String {
    format!("shop/{service}")
}

fn commits(service: &str, version: &str, seed: u64, built: Timestamp) -> Vec<Commit> {
    let count = 1 + bits(&[service, version, "count"], seed) % 4;
    let commit = |number: u32| {
        let id = hex(&[service, version, &number.to_string()], seed);
        let choice = usize::try_from(bits(&[&id], seed)).unwrap_or(0);
        Commit {
            author: AUTHORS[choice % AUTHORS.len()],
            message: MESSAGES[choice / 7 % MESSAGES.len()],
            at: built - SignedDuration::from_mins(i64::from(190 * (count - 1 - number))) - LAST,
            id,
        }
    };
    (0..count).map(commit).collect()
}

fn midnight(at: Timestamp) -> Timestamp {
    let seconds = at.as_second().div_euclid(DAY) * DAY;
    Timestamp::from_second(seconds).unwrap_or(at)
}

/// 40 digits, as git names a commit.
fn hex(words: &[&str], seed: u64) -> String {
    let text = format!("{seed} {}", words.join(" "));
    let bytes = digest(&SHA256, text.as_bytes());
    let digits = bytes.as_ref()[..20].iter().map(|b| format!("{b:02x}"));
    digits.collect()
}

fn bits(words: &[&str], seed: u64) -> u32 {
    u32::from_str_radix(&hex(words, seed)[..8], 16).unwrap_or(0)
}

/// The source history of every service; a push adds to one.
pub struct Sources {
    projects: Mutex<Vec<Project>>,
    seed: u64,
}

impl Sources {
    pub fn new(projects: Vec<Project>, seed: u64) -> Self {
        Self {
            projects: Mutex::new(projects),
            seed,
        }
    }

    pub fn projects(&self) -> MutexGuard<'_, Vec<Project>> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits for the version after the newest; `None` when there is no such service.
    pub fn push(&self, service: &str, at: Timestamp) -> Option<Built> {
        let path = path(service);
        let mut projects = self.projects();
        let project = projects.iter_mut().find(|p| p.path == path)?;
        let newest = project
            .versions
            .last()
            .map_or("0.0.0", |built| &built.version);
        let version = after(newest);
        let pushed = Built {
            commits: commits(service, &version, self.seed, at + LAST),
            created: at,
            version,
        };
        project.versions.push(pushed.clone());
        Some(pushed)
    }
}
