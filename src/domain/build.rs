//! Builds: the job, the queue, the run, and what a run tells about itself.

use std::time::Duration;

use jiff::Timestamp;

use super::{Commit, commit};

mod hold;

pub use hold::JobHold;

/// A job by its server's name in the configuration and its full name there: folders, then the job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId {
    pub server: Box<str>,
    /// `shop/checkout/main`. A branch is written as the server writes it: `release%2F2`.
    pub path: Box<str>,
}

impl JobId {
    pub fn new(server: &str, path: &str) -> Self {
        Self {
            server: server.into(),
            path: path.into(),
        }
    }

    /// Its last segment, which is the branch of a multibranch job: `release/2`.
    pub fn branch(&self) -> String {
        decoded(self.path.rsplit('/').next().unwrap_or(&self.path))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId {
    pub job: JobId,
    pub number: u32,
}

/// A job as one look at the server shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    /// For people: the address of its page.
    pub url: Box<str>,
    /// False: disabled, or no job that can be built.
    pub buildable: bool,
    /// A branch of a multibranch project, which alone configures it. Only told by a look at the job alone.
    pub managed: bool,
    pub description: Option<Box<str>>,
    /// The number that the next build gets.
    pub next_number: u32,
    /// Its newest item in the queue.
    pub queued: Option<Queued>,
    /// Its newest build.
    pub last: Option<Build>,
    /// The number of the newest build that was good.
    pub last_good: Option<u32>,
    /// What it asks for. A pipeline that never ran does not know it yet.
    pub parameters: Vec<Parameter>,
}

/// One question that a job asks before it builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: Box<str>,
    pub kind: ParameterKind,
    /// What is used when nothing is given.
    pub default: Option<Box<str>>,
    pub description: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterKind {
    Text,
    Flag,
    /// One of these; the server refuses others with a 500.
    Choice(Vec<Box<str>>),
    /// Never shown, and never told by the server.
    Password,
    /// By the server's own word; a file, for one, cannot be given here.
    Other(Box<str>),
}

impl Parameter {
    /// What is wrong with a value for it.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let name = &self.name;
        match &self.kind {
            ParameterKind::Choice(choices) if choices.iter().all(|c| **c != *value) => {
                let known = choices.join(", ");
                Err(format!("{name}: {value} is none of {known}"))
            }
            ParameterKind::Flag if !matches!(value, "true" | "false") => {
                Err(format!("{name}: {value} is neither true nor false"))
            }
            ParameterKind::Other(kind) => {
                Err(format!("{name}: a {kind} cannot be given from here"))
            }
            ParameterKind::Text
            | ParameterKind::Flag
            | ParameterKind::Choice(_)
            | ParameterKind::Password => Ok(()),
        }
    }
}

/// A name and a value that a build was started with.
pub type Given = (Box<str>, Box<str>);

/// Something that waits to become a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    pub job: JobId,
    /// Servers before Jenkins 1.519 give none.
    pub item: Option<u64>,
    /// The server's own words: `Waiting for next available executor on 'docker'`.
    pub why: Option<Box<str>>,
    pub since: Option<Timestamp>,
    /// The server itself thinks that this takes too long.
    pub stuck: bool,
    pub parameters: Vec<Given>,
}

/// What starting a build gave: enough to find the build that comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub job: JobId,
    /// The queue item; `None` on servers that do not say.
    pub item: Option<u64>,
    /// An item with the same parameters was in the queue already, and this is that one.
    pub joined: bool,
    /// The number that was next when it was asked for: its build has that or a later one.
    pub next_number: u32,
    pub parameters: Vec<Given>,
}

/// Where a ticket has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    Queued(Queued),
    Build(BuildId),
    /// It was taken out of the queue.
    Cancelled,
    /// Neither in the queue nor among the job's newest builds.
    Unknown,
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    pub id: BuildId,
    pub state: State,
    /// For people: the address of its page.
    pub url: Box<str>,
    /// The queue item it came from.
    pub item: Option<u64>,
    pub started: Option<Timestamp>,
    /// Of a build that has ended.
    pub duration: Option<Duration>,
    /// What the server expects from the builds before.
    pub estimated: Option<Duration>,
    pub description: Option<Box<str>>,
    pub parameters: Vec<Given>,
    /// In the server's words: `Started by user alice`.
    pub causes: Vec<Box<str>>,
    /// What these are.
    pub trigger: Trigger,
    /// Checked out, by the address of the repository. There are several where a pipeline uses libraries.
    pub sources: Vec<Checkout>,
    /// New in it, newest first.
    pub commits: Vec<Commit>,
    /// Whose commits broke it, as far as the server thinks.
    pub culprits: Vec<Box<str>>,
    pub tests: Option<Tests>,
    pub artefacts: Vec<Artefact>,
    pub stages: Vec<Stage>,
    /// The image that it made, as far as is known.
    pub image: Option<Box<str>>,
}

/// What started a build, as far as that tells of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trigger {
    /// The call of a hook.
    Push,
    /// The server saw a change: it was told to look, or looked by itself.
    Change,
    #[default]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Running,
    Done(Outcome),
}

/// The server's own five words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Success,
    /// It ran through, but tests failed.
    Unstable,
    Failure,
    NotBuilt,
    Aborted,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Unstable => "unstable",
            Self::Failure => "failure",
            Self::NotBuilt => "not built",
            Self::Aborted => "aborted",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// A commit of git, or a revision of Subversion.
    pub revision: Box<str>,
    pub remotes: Vec<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tests {
    pub total: u32,
    pub failed: u32,
    pub skipped: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Below the build's own folder.
    pub path: Box<str>,
    pub name: Box<str>,
}

/// One stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    pub name: Box<str>,
    pub state: StageState,
    pub duration: Duration,
    pub error: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageState {
    Waiting,
    Running,
    /// Waits for a person.
    Paused,
    Success,
    Unstable,
    Failed,
    Aborted,
    Skipped,
}

impl Build {
    /// How far it is by its usual duration, in percent; 99 at most, because only the server knows the end.
    pub fn percent(&self, now: Timestamp) -> Option<u8> {
        let (started, usual) = (self.started?, self.estimated?);
        let elapsed = u128::try_from(now.duration_since(started).as_millis()).unwrap_or(0);
        let usual = usual.as_millis().max(1);
        u8::try_from((elapsed * 100 / usual).min(99)).ok()
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| **known == *name);
        found.map(|(_, value)| &**value)
    }

    /// What it was built from, in full: checked out, the newest in it, or a whole hash that it was given.
    pub fn commit(&self) -> Option<String> {
        let checked_out = self.sources.first().map(|source| &*source.revision);
        let newest = self.commits.first().map(|commit| &*commit.id);
        let id = checked_out.or(newest).or_else(|| self.hashes().next())?;
        let number = id.bytes().all(|b| b.is_ascii_digit()) && id.len() < 40;
        Some(if number {
            format!("r{id}")
        } else {
            id.to_owned()
        })
    }

    /// It was built from this commit: seven digits of a hash are enough, a number of Subversion has to be whole.
    pub fn is_of(&self, id: &str) -> bool {
        let number = commit::svn_number_in(id).map(|number| number.to_string());
        let checked_out = self.sources.iter().map(|source| &*source.revision);
        checked_out
            .chain(self.hashes())
            .any(|full| number.as_deref() == Some(full) || id.len() >= 7 && full.starts_with(id))
    }

    /// The whole hashes that it was given: how a commit comes to a job that checks nothing out itself.
    fn hashes(&self) -> impl Iterator<Item = &str> {
        let values = self.parameters.iter().map(|(_, value)| &**value);
        values.filter(|value| {
            value.len() == 40
                && value
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
    }

    /// `{service}`, `{branch}`, `{number}`, `{commit}` or `{commit:8}`, `{revision}` and `{param.NAME}` filled in;
    /// `None` when the build does not tell one of them.
    pub fn filled(&self, pattern: &str, service: &str) -> Option<String> {
        let mut pieces = pattern.split('{');
        let mut filled = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (word, rest) = piece.split_once('}')?;
            let (name, length) = word.split_once(':').unwrap_or((word, ""));
            let value = self.word(name, service)?;
            let length = length.parse().unwrap_or(usize::MAX);
            filled.extend(value.chars().take(length));
            filled.push_str(rest);
        }
        Some(filled)
    }

    fn word(&self, name: &str, service: &str) -> Option<String> {
        match name {
            "service" => Some(service.to_owned()),
            "branch" => Some(self.id.job.branch().replace('/', "-")),
            "number" => Some(self.id.number.to_string()),
            "commit" | "revision" => Some(self.sources.first()?.revision.to_string()),
            _ => Some(self.parameter(name.strip_prefix("param.")?)?.to_owned()),
        }
    }
}

/// `%2F` and its kin, as multibranch jobs write them.
fn decoded(segment: &str) -> String {
    let mut pieces = segment.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let hex = piece
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = hex.filter(u8::is_ascii) {
            text.push(byte.into());
            text.push_str(&piece[2..]);
        } else {
            text.push('%');
            text.push_str(piece);
        }
    }
    text
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests {
    use super::*;

    fn build() -> Build {
        Build {
            id: BuildId {
                job: JobId::new("ci", "shop/checkout/release%2F2"),
                number: 42,
            },
            parameters: vec![("TAG".into(), "2.15".into())],
            ..sample::build(42, State::Running)
        }
    }

    #[test]
    fn branches() {
        for (path, want) in [
            ("checkout", "checkout"),
            ("shop/checkout/release%2F2", "release/2"),
            ("a/50%25", "50%"),
            ("a/100%", "100%"),
            ("a/%zz%é", "%zz%é"),
        ] {
            assert_eq!(JobId::new("ci", path).branch(), want);
        }
    }

    #[test]
    fn patterns() {
        let mut build = build();
        let filled = |build: &Build, pattern: &str| build.filled(pattern, "checkout");
        let plain = filled(&build, "r:5000/{service}:{branch}-{number}");
        assert_eq!(plain.as_deref(), Some("r:5000/checkout:release-2-42"));
        assert_eq!(filled(&build, "{param.TAG}").as_deref(), Some("2.15"));
        for untold in ["{commit}", "{param.NO}", "{what}", "{open"] {
            assert_eq!(filled(&build, untold), None, "{untold}");
        }
        build.sources.push(Checkout {
            revision: "0123456789abcdef".into(),
            remotes: Vec::new(),
        });
        let short = filled(&build, "g{commit:8}-b{number}");
        assert_eq!(short.as_deref(), Some("g01234567-b42"));
    }

    #[test]
    fn progress_never_says_done() {
        let mut build = build();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(build.percent(at(10)), None);
        (build.started, build.estimated) = (Some(at(0)), Some(Duration::from_secs(40)));
        assert_eq!(build.percent(at(10)), Some(25));
        assert_eq!(build.percent(at(1000)), Some(99));
        assert_eq!(build.percent(at(-5)), Some(0), "clocks differ");
    }

    #[test]
    fn values_are_checked_before_they_are_sent() {
        let parameter = |kind| Parameter {
            name: "ENV".into(),
            kind,
            default: None,
            description: None,
        };
        let choice = parameter(ParameterKind::Choice(vec!["a".into(), "b".into()]));
        assert_eq!(choice.check("b"), Ok(()));
        assert_eq!(choice.check("c").unwrap_err(), "ENV: c is none of a, b");
        assert!(parameter(ParameterKind::Flag).check("yes").is_err());
        assert!(
            parameter(ParameterKind::Other("file".into()))
                .check("")
                .is_err()
        );
        assert!(parameter(ParameterKind::Text).check("").is_ok());
    }
}
