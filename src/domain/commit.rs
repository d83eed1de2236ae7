//! Commits of a source repository, and what lies between two of them.

use std::collections::HashMap;

use jiff::Timestamp;

mod remote;
mod undone;

pub use remote::{Host, Remote, Scheme};
pub use undone::{Undone, is_fix, is_migration, undone};

/// The annotation of a pod template that names the commit it was built from.
pub const COMMIT_ANNOTATION: &str = "rolldeck.dev/commit";
/// The labels of an image that name its commit and its repository, and say when it was made.
pub const REVISION_LABEL: &str = "org.opencontainers.image.revision";
pub const SOURCE_LABEL: &str = "org.opencontainers.image.source";
pub const CREATED_LABEL: &str = "org.opencontainers.image.created";

/// Nothing in it is escaped: it holds the words of whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// In full: 40 hex digits, or `r120` in Subversion.
    pub id: Box<str>,
    /// The first line of its message.
    pub subject: Box<str>,
    /// Empty when the repository names none.
    pub author: Box<str>,
    pub at: Option<Timestamp>,
    /// Its page, where the host has one.
    pub url: Option<Box<str>>,
}

impl Commit {
    pub fn short(&self) -> &str {
        short(&self.id)
    }

    /// `a1b9e3c fix rounding`.
    pub fn label(&self) -> String {
        format!("{} {}", self.short(), self.subject)
    }
}

/// What `between.1` has and `between.0` has not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commits {
    /// Both in full.
    pub between: (Box<str>, Box<str>),
    /// Newest first.
    pub list: Vec<Commit>,
    /// The paths that differ, or that the commits touched; of a monorepo only those of the service.
    pub paths: Vec<Box<str>>,
    /// There are more commits or paths than these.
    pub truncated: bool,
    /// So many commits `between.0` has that `between.1` has not: they are not on one line.
    pub others: usize,
}

/// Where the source of a service lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repository {
    /// Whose it is.
    pub service: Box<str>,
    pub remote: Remote,
    /// The folder of the service in a monorepo, without a slash at its ends.
    pub folder: Option<Box<str>>,
}

/// What is to be looked up: the commits that `to` has and `from` has not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Between {
    pub repository: Repository,
    pub from: Box<str>,
    pub to: Box<str>,
}

/// The same, looked up, with what the host knows of the commits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    pub commits: Commits,
    /// Of the newest ones, by their ids.
    pub facts: HashMap<Box<str>, CommitFacts>,
    /// Why there are no facts, or not all.
    pub gap: Option<String>,
}

/// What a host says of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommitFacts {
    /// The pull or merge request that brought it.
    pub pull: Option<PullRequest>,
    /// The worst of all that was run for it.
    pub state: Option<CheckState>,
}

/// A branch and the commit it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub branch: Box<str>,
    pub id: Box<str>,
    /// Subversion tells it.
    pub at: Option<Timestamp>,
}

/// Whether the builds of a commit are through, as its host was told. The worst comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckState {
    Passed,
    Pending,
    Failed,
}

impl CheckState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

/// One thing that was run for a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitCheck {
    pub name: Box<str>,
    pub state: CheckState,
    pub url: Option<Box<str>>,
}

/// A pull or merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub title: Box<str>,
    pub author: Box<str>,
    pub url: Box<str>,
}

/// What a host knows of the hooks that call one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookCalls {
    NoHook,
    /// There is one, and no call of it is known.
    NoCall,
    Last(Delivery),
}

/// The last call of a hook, as its host remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Gitee does not say.
    pub at: Option<Timestamp>,
    /// `push`.
    pub event: Box<str>,
    /// What the receiver answered; `None` when nothing came back.
    pub status: Option<u16>,
}

/// The first seven digits of a hash; a number of Subversion as it is.
pub fn short(id: &str) -> &str {
    match id.get(..7) {
        Some(start) if id.len() >= 40 => start,
        Some(_) | None => id,
    }
}

/// The hash that a text is, or ends in: what is said to be a commit may be digits only.
pub fn commit_hash(text: &str) -> Option<String> {
    let whole = Some(text.trim()).filter(|text| is_hash(text));
    whole.map(str::to_ascii_lowercase).or_else(|| hash_in(text))
}

/// The hash at the end of a tag: `a1b9e3c`, `a1b9e3c-dirty`, `2.14.1-7-ga1b9e3c`, `main-a1b9e3c`; 7 digits or more, in lower case.
pub fn hash_in(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix("-dirty").unwrap_or(text);
    let last = text.rsplit(['-', '_', '.', '@', ':']).next()?;
    let described = last.strip_prefix('g').filter(|rest| is_hash(rest));
    let hash = described.or_else(|| Some(last).filter(|last| is_hash(last)))?;
    // A number of seven digits is a build or a date far more often than a hash.
    let letters = hash.bytes().any(|b| b.is_ascii_alphabetic());
    (letters || hash.len() >= 40 || described.is_some()).then(|| hash.to_ascii_lowercase())
}

/// The number in `120`, `r120`, `trunk@120`, `r120-b7`.
pub fn svn_number_in(text: &str) -> Option<u64> {
    let text = text.trim();
    let last = text.rsplit_once('@').map_or(text, |(_, last)| last);
    let (number, marked) = match last.strip_prefix('r') {
        Some(rest) => (rest, true),
        None => (last, false),
    };
    let end = number.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &number[end..];
    let ends = rest.is_empty() || marked && rest.starts_with(['-', '_', '.']);
    number[..end].parse().ok().filter(|n| ends && *n > 0)
}

/// The commit that a tag names: `main-a1b9e3c`, `r120-b7`.
pub fn in_tag(scheme: Scheme, tag: &str) -> Option<String> {
    match scheme {
        Scheme::Git => hash_in(tag),
        Scheme::Subversion => svn_number_in(tag).map(|number| format!("r{number}")),
    }
}

fn is_hash(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
pub(crate) fn sample(id: &str, subject: &str) -> Commit {
    Commit {
        id: id.into(),
        subject: subject.into(),
        author: "ann".into(),
        at: None,
        url: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "a1b9e3c2d4f5061728394a5b6c7d8e9f00112233";

    #[test]
    fn short_names() {
        assert_eq!(short(FULL), "a1b9e3c");
        for as_it_is in ["r120", "a1b9e3c2", ""] {
            assert_eq!(short(as_it_is), as_it_is);
        }
        assert_eq!(sample(FULL, "fix x").label(), "a1b9e3c fix x");
    }

    #[test]
    fn hashes() {
        let full = FULL.to_owned();
        for (text, want) in [
            (FULL, Some(FULL)),
            (&full.to_uppercase(), Some(FULL)),
            (" a1b9e3c\n", Some("a1b9e3c")),
            ("a1b9e3c-dirty", Some("a1b9e3c")),
            ("2.14.1-7-ga1b9e3c", Some("a1b9e3c")),
            ("2.14.1-7-g1234567", Some("1234567")),
            ("main-a1b9e3c", Some("a1b9e3c")),
            ("20261127", None),
            ("1234567", None),
            ("2.14.1", None),
            ("a1b9e3", None),
            ("deadbeef beef", None),
            ("--upload-pack=x", None),
            ("", None),
        ] {
            assert_eq!(hash_in(text).as_deref(), want, "{text}");
        }
        for (text, want) in [
            ("1234567", Some("1234567")),
            ("2.14.1-7-ga1b9e3c", Some("a1b9e3c")),
            ("v1", None),
        ] {
            assert_eq!(commit_hash(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, want) in [
            ("120", Some(120)),
            ("r120", Some(120)),
            ("trunk@120", Some(120)),
            ("r120-b7", Some(120)),
            ("120-b7", None),
            ("2.14.1", None),
            ("r", None),
            ("0", None),
            ("-1", None),
            ("99999999999999999999", None),
            ("", None),
        ] {
            assert_eq!(svn_number_in(text), want, "{text}");
        }
    }
}
