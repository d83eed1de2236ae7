//! A Subversion repository, by the user's own `svn`.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::Error;
use super::git::{MOST_COMMITS, MOST_PATHS};
use super::log_xml::{Entry, entries};
use super::process::{Limits, run};
use super::said::plainly;
use crate::domain::commit::{Head, svn_number_in};
use crate::domain::{Commit, Commits, Repository};

const LIMITS: Limits = Limits {
    time: Duration::from_secs(60),
    most: 4 << 20,
};

/// It keeps nothing: the server is asked each time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Svn;

impl Svn {
    /// What came to this folder after `from`, up to `to`: `120`, `r120`. Nothing, with `others`, when `to` is older.
    ///
    /// # Errors
    /// One sentence.
    pub async fn between(
        self,
        repository: &Repository,
        from: &str,
        to: &str,
    ) -> Result<Commits, Error> {
        let about = repository.remote.to_string();
        let number = |text: &str| {
            svn_number_in(text).ok_or_else(|| Error::NoCommit {
                about: about.clone(),
                id: text.to_owned(),
            })
        };
        let (from, to) = (number(from)?, number(to)?);
        let between = (format!("r{from}").into(), format!("r{to}").into());
        let (low, high) = (from.min(to), from.max(to));
        let (found, cut) = if low == high {
            (Vec::new(), false)
        } else {
            log(repository, low + 1, high).await?
        };
        if to < from {
            return Ok(Commits {
                between,
                others: found.len(),
                truncated: cut,
                ..Commits::default()
            });
        }
        let mut paths: Vec<_> = found.iter().flat_map(|e| e.paths.iter().cloned()).collect();
        paths.sort();
        paths.dedup();
        let truncated = cut || found.len() > MOST_COMMITS || paths.len() > MOST_PATHS;
        paths.truncate(MOST_PATHS);
        let list = found.iter().take(MOST_COMMITS).map(commit).collect();
        Ok(Commits {
            between,
            list,
            paths,
            truncated,
            others: 0,
        })
    }

    /// What was committed last below this folder.
    ///
    /// # Errors
    /// One sentence.
    pub async fn newest(self, repository: &Repository) -> Result<Option<Head>, Error> {
        let place = place(repository, "HEAD");
        let (found, _) = entries_of(repository, ("HEAD:1", 1), &place).await?;
        Ok(found.first().map(commit).map(|commit| Head {
            branch: folder(repository).into(),
            id: commit.id,
            at: commit.at,
        }))
    }
}

/// The last of these names: `trunk`.
fn folder(repository: &Repository) -> &str {
    let path = repository.folder.as_deref();
    let path = path.unwrap_or(&repository.remote.path);
    path.rsplit('/').next().unwrap_or(path)
}

/// Newest first. Whether there was more than fits.
async fn log(repository: &Repository, low: u64, high: u64) -> Result<(Vec<Entry>, bool), Error> {
    let place = place(repository, &high.to_string());
    entries_of(
        repository,
        (&format!("{high}:{low}"), MOST_COMMITS + 1),
        &place,
    )
    .await
}

async fn entries_of(
    repository: &Repository,
    (range, most): (&str, usize),
    place: &str,
) -> Result<(Vec<Entry>, bool), Error> {
    let about = repository.remote.to_string();
    let mut command = Command::new("svn");
    command
        .env("LC_ALL", "C")
        .env("LANGUAGE", "")
        .stdin(Stdio::null());
    if env::var_os("SVN_SSH").is_none() {
        command.env("SVN_SSH", "ssh -q -oBatchMode=yes -oConnectTimeout=10");
    }
    command
        .args(["log", "--xml", "--verbose"])
        .args(["--non-interactive", "--no-auth-cache"])
        .args(["--config-option", "servers:global:http-timeout=20"])
        .args(["--limit", &most.to_string()])
        .args(["--revision", range, "--"])
        .arg(place);
    let output = run("svn", command, &about, LIMITS).await?;
    let output = output.map_err(|said| Error::Failed {
        about,
        said: plainly(&said),
    })?;
    let text = String::from_utf8_lossy(&output.bytes);
    Ok((entries(&text), output.cut))
}

/// As it was called in that revision: it may be gone since.
fn place(repository: &Repository, revision: &str) -> String {
    let url = repository.remote.url.trim_end_matches('/');
    let folder = repository.folder.as_deref().map(encoded);
    let folder = folder
        .map(|folder| format!("/{folder}"))
        .unwrap_or_default();
    format!("{url}{folder}@{revision}")
}

fn encoded(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let piece = |b: u8| {
        if plain(b) {
            char::from(b).to_string()
        } else {
            format!("%{b:02X}")
        }
    };
    path.bytes().map(piece).collect()
}

fn commit(entry: &Entry) -> Commit {
    let subject = entry
        .message
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default();
    Commit {
        id: format!("r{}", entry.revision).into(),
        subject: super::git::short_text(subject.as_bytes()),
        author: super::git::short_text(entry.author.as_bytes()),
        at: entry.date.parse().ok(),
        url: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Remote;

    #[test]
    fn places() {
        let remote = Remote::parse("svn+ssh://ann@host/shop/trunk/").unwrap();
        let mut repository = Repository {
            service: "cart".into(),
            remote,
            folder: None,
        };
        let shop = "svn+ssh://ann@host/shop/trunk";
        assert_eq!(place(&repository, "7"), format!("{shop}@7"));
        repository.folder = Some("services/a b@é".into());
        let folder = "services/a%20b%40%C3%A9";
        assert_eq!(place(&repository, "7"), format!("{shop}/{folder}@7"));
    }
}
