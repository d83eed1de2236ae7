//! The user's own `helm`: what it says of a release, and going back to an older revision.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use super::programs;
use crate::domain::HelmCall;

/// What only reads; a rollback is given longer than Helm gives itself.
const READS: Duration = Duration::from_secs(10);
const WRITES: Duration = Duration::from_secs(300);
/// Of what it says; the reason stands at the end.
const MOST: u64 = 1 << 20;
const SENTENCE: usize = 400;

/// Why a call did not go through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("helm could not be started: {0}")]
    NotStarted(String),
    /// It ended by itself.
    #[error("helm failed: {0}")]
    Failed(String),
    /// It was ended in the middle, by us or by somebody else.
    #[error("helm was ended {0}")]
    Cut(String),
    #[error("what helm says of the release cannot be read: {0}")]
    Unreadable(String),
}

/// A revision, as Helm itself tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told {
    pub revision: u32,
    pub updated: Option<Timestamp>,
    pub status: String,
}

/// Where it is on the PATH.
pub async fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let looked =
        tokio::task::spawn_blocking(move || programs::find(Path::new("helm"), &path)).await;
    looked.ok().flatten()
}

/// The newest revision; nothing is changed.
///
/// # Errors
/// Helm's own words.
pub async fn newest(call: &HelmCall) -> Result<Told, Error> {
    let said = run(call, &call.history(), (READS, Cut::Ends)).await?;
    let told: Vec<Told> =
        serde_json::from_str(&said).map_err(|error| Error::Unreadable(error.to_string()))?;
    let newest = told.into_iter().max_by_key(|told| told.revision);
    newest.ok_or_else(|| Error::Unreadable("it names no revision".into()))
}

/// Goes back, or tries whether Helm finds all that it needs, which asks the cluster for no more than the release.
///
/// # Errors
/// Helm's own words, or that it was ended in the middle.
pub async fn roll_back(call: &HelmCall, dry_run: bool) -> Result<(), Error> {
    let how = if dry_run {
        (READS, Cut::Ends)
    } else {
        (WRITES, Cut::Stays)
    };
    run(call, &call.rollback(dry_run), how).await.map(drop)
}

/// What becomes of it when nobody waits for it any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Ends,
    /// Half a rollback is worse than one that nobody looks at.
    Stays,
}

/// Without the terminal, and in a group of its own, which a key for us does not reach. It writes into files: a pipe
/// that nobody reads any more would end it.
async fn run(
    call: &HelmCall,
    arguments: &[String],
    (limit, cut): (Duration, Cut),
) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::NotStarted(error.to_string());
    let (mut out, mut err) = (
        tempfile::tempfile().map_err(failed)?,
        tempfile::tempfile().map_err(failed)?,
    );
    let mut child = Command::new(&*call.program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(out.try_clone().map_err(failed)?)
        .stderr(err.try_clone().map_err(failed)?)
        .process_group(0)
        .kill_on_drop(cut == Cut::Ends)
        .spawn()
        .map_err(failed)?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let Ok(ended) = timeout(limit, child.wait()).await else {
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        // What is not gone now may still write.
        let _ = child.wait().await;
        return Err(Error::Cut(format!("after {}s", limit.as_secs())));
    };
    let status = ended.map_err(|error| Error::Cut(error.to_string()))?;
    if status.success() {
        return said(&mut out).map_err(|error| Error::Unreadable(error.to_string()));
    }
    let words = reason(&said(&mut err).unwrap_or_default());
    Err(ended_badly(status, words))
}

fn ended_badly(status: ExitStatus, words: String) -> Error {
    match (status.code(), &*words) {
        (None, _) => Error::Cut(format!("by somebody else ({status})")),
        (Some(_), "") => Error::Failed(status.to_string()),
        (Some(_), _) => Error::Failed(words),
    }
}

fn said(file: &mut File) -> std::io::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Warnings come first, the error is the last line.
fn reason(said: &str) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.next_back().unwrap_or_default();
    let words = last.strip_prefix("Error: ").unwrap_or(last);
    words.chars().take(SENTENCE).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A `helm` that is this script.
    fn call(folder: &Path, script: &str) -> HelmCall {
        let program = folder.join("helm");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        HelmCall {
            program: program.to_str().unwrap().into(),
            kubeconfig: None,
            context: None,
            namespace: "shop".into(),
            release: "web".into(),
            newest: 3,
            newest_at: None,
            to: 2,
        }
    }

    #[tokio::test]
    async fn what_helm_says_is_read_and_what_it_fails_with_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let row = r#"[{"revision":3,"updated":"2026-11-27T10:00:00.5+02:00","status":"deployed","chart":"web-1"}]"#;
        let good = call(folder.path(), &format!("echo '{row}'"));
        assert_eq!(
            newest(&good).await,
            Ok(Told {
                revision: 3,
                updated: "2026-11-27T08:00:00.5Z".parse().ok(),
                status: "deployed".into(),
            })
        );
        for (script, words) in [
            (
                "echo 'W1127 slow' >&2; echo 'Error: release: not found' >&2; exit 1",
                "helm failed: release: not found",
            ),
            ("exit 3", "helm failed: exit status: 3"),
            (
                "kill -9 $$",
                "helm was ended by somebody else (signal: 9 (SIGKILL))",
            ),
            (
                "echo []",
                "what helm says of the release cannot be read: it names no revision",
            ),
        ] {
            let said = newest(&call(folder.path(), script)).await.unwrap_err();
            assert_eq!(said.to_string(), words);
        }
        let mut absent = good;
        absent.program = "/nonexistent/helm".into();
        let said = roll_back(&absent, false).await.unwrap_err();
        assert!(matches!(said, Error::NotStarted(_)), "{said}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended_and_that_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let hanging = call(folder.path(), "sleep 600");
        let how = (Duration::from_millis(200), Cut::Stays);
        let said = run(&hanging, &[], how).await.unwrap_err();
        assert_eq!(said, Error::Cut("after 0s".into()));
    }
}
