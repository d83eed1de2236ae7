//! Any git repository, by the user's own `git`: it knows their keys, logins and proxies.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::Error;
use super::copy::LocalCopy;
use super::process::{Ended, Limits, Output, run};
use super::said::plainly;
use crate::domain::commit::{Head, commit_hash};
use crate::domain::{Commit, Commits, Remote, Repository};

/// Of commits and of paths so many are read.
pub(super) const MOST_COMMITS: usize = 250;
pub(super) const MOST_PATHS: usize = 5_000;
/// Bytes of a subject or a name.
pub(super) const LONGEST: usize = 500;
/// What reads the copy on this machine.
const LOCAL: Limits = Limits {
    time: Duration::from_secs(20),
    most: 4 << 20,
};
/// What asks the other side.
const REMOTE: Limits = Limits {
    time: Duration::from_secs(300),
    most: 4 << 20,
};
const ASK: Limits = Limits {
    time: Duration::from_secs(20),
    most: 4 << 20,
};

/// What the user's settings must not change, and what ends a server that sends nothing any more.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "log.follow=false",
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
    "credential.interactive=false",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=20",
];
/// Variables that would point git elsewhere.
const FOREIGN: &[&str] = &[
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_TRACE",
];
/// Branches and tags, as they are there now: what was rewritten is taken over.
const REFS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Copies without file contents lie in a cache folder; what is wanted and not in them is fetched.
#[derive(Debug, Clone)]
pub struct Git {
    cache: PathBuf,
    /// See [`quiet_ssh`].
    ssh: Arc<OnceCell<Option<OsString>>>,
}

impl Git {
    pub fn new(cache: &Path) -> Self {
        Self {
            cache: cache.to_owned(),
            ssh: Arc::default(),
        }
    }

    /// What `to` has that `from` has not. Both are commits, in full or in part, as [`commit_hash`] finds them. The first
    /// time it copies the repository, which is given five minutes.
    ///
    /// # Errors
    /// One sentence, for which nothing was changed.
    pub async fn between(
        &self,
        repository: &Repository,
        from: &str,
        to: &str,
    ) -> Result<Commits, Error> {
        let remote = &repository.remote;
        let copy = LocalCopy::take(&self.cache, remote).await;
        let copy = copy.map_err(|why| spoiled(remote, &self.cache, &why))?;
        let at_work = Work {
            remote,
            copy: &copy,
            ssh: self.ssh.get_or_init(quiet_ssh).await.as_ref(),
        };
        at_work.ready().await?;
        let (from, to) = at_work.both(from, to).await?;
        at_work
            .commits(&from, &to, repository.folder.as_deref())
            .await
    }

    /// Every branch as it stands there now, without a copy.
    ///
    /// # Errors
    /// One sentence.
    pub async fn heads(&self, remote: &Remote) -> Result<Vec<Head>, Error> {
        let mut command = git(&self.cache);
        asking(&mut command, self.ssh.get_or_init(quiet_ssh).await.as_ref());
        command.stdin(Stdio::null());
        command.args(["ls-remote", "--heads", "--", &remote.url]);
        let output = succeed(remote, run("git", command, &remote.to_string(), ASK).await?)?;
        let text = String::from_utf8_lossy(&output.bytes).into_owned();
        let head = |line: &str| {
            let (id, name) = line.split_once('\t')?;
            let branch = name.strip_prefix("refs/heads/")?.into();
            let id = commit_hash(id)?.into();
            Some(Head {
                branch,
                id,
                at: None,
            })
        };
        Ok(text.lines().filter_map(head).collect())
    }
}

/// One repository that nobody else works in.
struct Work<'a> {
    remote: &'a Remote,
    copy: &'a LocalCopy,
    ssh: Option<&'a OsString>,
}

impl Work<'_> {
    /// Makes the copy when there is none.
    async fn ready(&self) -> Result<(), Error> {
        if self.copy.is_there() {
            return Ok(());
        }
        let part = self.copy.part().map_err(|why| self.spoiled(&why))?;
        let mut command = git(&part);
        asking(&mut command, self.ssh);
        command.args(["clone", "--quiet", "--bare", "--filter=blob:none"]);
        command.args(["--template=", "--no-local", "--origin=origin", "--"]);
        command.arg(&*self.remote.url).arg(&part);
        succeed(self.remote, self.run(command, REMOTE).await?)?;
        self.copy.whole(&part).map_err(|why| self.spoiled(&why))
    }

    /// Their full names. Only what is not in the copy is fetched.
    async fn both(&self, from: &str, to: &str) -> Result<(String, String), Error> {
        if let (Some(from), Some(to)) = (self.known(from).await?, self.known(to).await?) {
            return Ok((from, to));
        }
        self.fetch(&REFS).await?;
        Ok((self.find(from).await?, self.find(to).await?))
    }

    /// After a fetch. What is on no branch any more is asked for by itself: many servers still have it.
    async fn find(&self, text: &str) -> Result<String, Error> {
        let missing = || Error::NoCommit {
            about: self.remote.to_string(),
            id: text.to_owned(),
        };
        if let Some(id) = self.known(text).await? {
            return Ok(id);
        }
        let hash = commit_hash(text).filter(|hash| hash.len() >= 40);
        let hash = hash.ok_or_else(missing)?;
        match self.fetch(&[&hash]).await {
            Ok(()) => self.known(&hash).await?.ok_or_else(missing),
            Err(Error::Failed { .. }) => Err(missing()),
            Err(other) => Err(other),
        }
    }

    async fn known(&self, text: &str) -> Result<Option<String>, Error> {
        let Some(hash) = commit_hash(text) else {
            return Ok(None);
        };
        let commit = format!("{hash}^{{commit}}");
        let asked = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        let Ok(output) = self.local(&asked, None).await? else {
            return Ok(None);
        };
        let id = String::from_utf8_lossy(&output.bytes).trim().to_owned();
        Ok(Some(id).filter(|id| id.len() >= 40))
    }

    /// Once more where the lock of a git that was killed is in the way.
    async fn fetch(&self, what: &[&str]) -> Result<(), Error> {
        let first = self.run(self.fetching(what), REMOTE).await?;
        let ended = match first {
            Err(said) if said.contains(".lock") => {
                self.copy.unlock();
                self.run(self.fetching(what), REMOTE).await?
            }
            other => other,
        };
        succeed(self.remote, ended).map(drop)
    }

    fn fetching(&self, what: &[&str]) -> Command {
        let mut command = self.git();
        asking(&mut command, self.ssh);
        command.args(["fetch", "--quiet", "--force", "--no-write-fetch-head"]);
        command.args(["--no-recurse-submodules", "--no-tags", "--filter=blob:none"]);
        if what == REFS {
            command.arg("--prune");
        }
        command.args(["--end-of-options", "origin"]).args(what);
        command
    }

    async fn commits(&self, from: &str, to: &str, folder: Option<&str>) -> Result<Commits, Error> {
        let most = format!("--max-count={}", MOST_COMMITS + 1);
        let range = format!("{from}..{to}");
        let asked = [
            "log",
            "-z",
            "--no-show-signature",
            "--no-mailmap",
            "--no-color",
            "--no-decorate",
            "--no-notes",
            "--no-patch",
            "--encoding=UTF-8",
            &most,
            "--format=tformat:%H%x00%an%x00%ct%x00%s",
            &range,
            "--",
        ];
        let log = succeed(self.remote, self.local(&asked, folder).await?)?;
        let mut list = records(&log.bytes, self.remote);
        let paths = self.paths(from, to, folder).await?;
        let mut found = names(&paths.bytes);
        let truncated =
            log.cut || paths.cut || list.len() > MOST_COMMITS || found.len() > MOST_PATHS;
        list.truncate(MOST_COMMITS);
        found.truncate(MOST_PATHS);
        Ok(Commits {
            between: (from.into(), to.into()),
            list,
            paths: found,
            truncated,
            others: self.count(&format!("{to}..{from}"), folder).await?,
        })
    }

    /// What differs since they went separate ways. Names of files only: their contents are not here.
    async fn paths(&self, from: &str, to: &str, folder: Option<&str>) -> Result<Output, Error> {
        let base = self.local(&["merge-base", from, to], None).await?;
        let base = base.map(|output| String::from_utf8_lossy(&output.bytes).trim().to_owned());
        let base = base.unwrap_or_else(|_| from.to_owned());
        let asked = [
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--no-renames",
            &base,
            to,
            "--",
        ];
        succeed(self.remote, self.local(&asked, folder).await?)
    }

    async fn count(&self, range: &str, folder: Option<&str>) -> Result<usize, Error> {
        let asked = ["rev-list", "--count", range, "--"];
        let output = succeed(self.remote, self.local(&asked, folder).await?)?;
        Ok(String::from_utf8_lossy(&output.bytes)
            .trim()
            .parse()
            .unwrap_or(0))
    }

    /// Never asks the other side, although git would for what is missing in a copy without contents.
    async fn local(&self, arguments: &[&str], folder: Option<&str>) -> Result<Ended, Error> {
        let mut command = self.git();
        command.args(arguments).args(folder);
        command.env("GIT_NO_LAZY_FETCH", "1");
        command.env("GIT_ALLOW_PROTOCOL", "none");
        self.run(command, LOCAL).await
    }

    fn git(&self) -> Command {
        let mut command = git(&self.copy.folder);
        command.arg("--git-dir").arg(&self.copy.folder);
        command
    }

    async fn run(&self, mut command: Command, limits: Limits) -> Result<Ended, Error> {
        let held = self.copy.held().map_err(|why| self.spoiled(&why))?;
        command.stdin(held);
        run("git", command, &self.remote.to_string(), limits).await
    }

    fn spoiled(&self, why: &std::io::Error) -> Error {
        spoiled(self.remote, &self.copy.folder, why)
    }
}

/// Not in the user's own repositories. `near` lies in the cache folder.
fn git(near: &Path) -> Command {
    let mut command = plain_git();
    if let Some(root) = near.parent() {
        command.env("GIT_CEILING_DIRECTORIES", root);
    }
    command
}

/// Without what the user's settings and variables would change, and in English.
pub(super) fn plain_git() -> Command {
    let mut command = Command::new("git");
    for name in FOREIGN {
        command.env_remove(name);
    }
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command
        .env("LC_ALL", "C")
        .env("LANGUAGE", "")
        .env("GIT_LITERAL_PATHSPECS", "1");
    command
}

/// For one that goes to the other side: it fails where it would ask a person.
fn asking(command: &mut Command, ssh: Option<&OsString>) {
    command
        .env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")
        .env("GIT_TERMINAL_PROMPT", "0")
        // Empty, and not absent: then a window that asks is not looked for either.
        .env("GIT_ASKPASS", "")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .env("GCM_INTERACTIVE", "never");
    if let Some(ssh) = ssh {
        command.env("GIT_SSH_COMMAND", ssh);
    }
}

/// The user's own ssh command, told never to ask. A program in `GIT_SSH` may take other arguments, and stays.
async fn quiet_ssh() -> Option<OsString> {
    let own = env::var_os("GIT_SSH_COMMAND").filter(|own| !own.is_empty());
    if own.is_none() && env::var_os("GIT_SSH").is_some() {
        return None;
    }
    let mut ssh = match own {
        Some(own) => own,
        None => configured_ssh().await.unwrap_or_else(|| "ssh".into()),
    };
    ssh.push(" -oBatchMode=yes -oConnectTimeout=10");
    Some(ssh)
}

async fn configured_ssh() -> Option<OsString> {
    let mut command = git(Path::new("/"));
    command.stdin(Stdio::null());
    command.args(["config", "--global", "--get", "core.sshCommand"]);
    let output = run("git", command, "git", LOCAL).await.ok()?.ok()?;
    let text = String::from_utf8(output.bytes).ok()?;
    Some(text.trim().into()).filter(|text: &OsString| !text.is_empty())
}

fn succeed(remote: &Remote, ended: Ended) -> Result<Output, Error> {
    ended.map_err(|said| Error::Failed {
        about: remote.to_string(),
        said: plainly(&said),
    })
}

fn spoiled(remote: &Remote, folder: &Path, why: &std::io::Error) -> Error {
    Error::Copy {
        about: remote.to_string(),
        folder: folder.display().to_string(),
        said: why.kind().to_string(),
    }
}

/// Four fields each, every one ended by a zero byte, which none of them can hold.
fn records(bytes: &[u8], remote: &Remote) -> Vec<Commit> {
    let fields: Vec<_> = bytes.split(|b| *b == 0).collect();
    let record = |field: &[&[u8]]| {
        let id = String::from_utf8_lossy(field[0]);
        let seconds = String::from_utf8_lossy(field[2]).parse().ok();
        Commit {
            url: remote.commit_url(&id).map(Into::into),
            id: (*id).into(),
            author: short_text(field[1]),
            at: seconds.and_then(|s| Timestamp::from_second(s).ok()),
            subject: short_text(field[3]),
        }
    };
    fields.chunks_exact(4).map(record).collect()
}

fn names(bytes: &[u8]) -> Vec<Box<str>> {
    let names = bytes.split(|b| *b == 0).filter(|name| !name.is_empty());
    names.take(MOST_PATHS + 1).map(short_text).collect()
}

/// The bytes of a stranger, as text of a bounded length.
pub(super) fn short_text(bytes: &[u8]) -> Box<str> {
    let cut = &bytes[..bytes.len().min(LONGEST)];
    String::from_utf8_lossy(cut).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_prints() {
        let remote = Remote::parse("https://github.com/shop/cart").unwrap();
        let long = "x".repeat(2 * LONGEST);
        let text = format!("a1\0ann\01795784400\0fix \x1b[2J\0b2\0\0zero\0{long}\0c3\0cut o");
        let found = records(&[text.as_bytes(), &[0xff]].concat(), &remote);
        assert_eq!(found.len(), 2);
        assert_eq!((&*found[0].id, &*found[0].author), ("a1", "ann"));
        assert_eq!(found[0].at.unwrap().to_string(), "2026-11-27T13:00:00Z");
        assert_eq!(&*found[0].subject, "fix \x1b[2J");
        let page = "https://github.com/shop/cart/commit/a1";
        assert_eq!(found[0].url.as_deref(), Some(page));
        assert_eq!((found[1].at, found[1].subject.len()), (None, LONGEST));
        assert_eq!(
            names(b"a\0b\nc\0\xff\0"),
            ["a".into(), "b\nc".into(), "\u{fffd}".into()] as [Box<str>; 3]
        );
    }
}
