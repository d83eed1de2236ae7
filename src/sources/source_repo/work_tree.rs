//! What git says of a folder of this machine: its commit, whether it is changed, and where it came from.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::Error;
use super::git::plain_git;
use super::process::{Ended, Limits, run};
use crate::domain::commit::commit_hash;
use crate::domain::{Remote, WorkTree};

/// A large folder takes its time.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(30),
    most: 1 << 20,
};

/// `None`: no git has it, or nothing was committed yet. Nothing is changed, not even git's own index.
///
/// # Errors
/// Git is not there, or refuses.
pub async fn work_tree(folder: &Path) -> Result<Option<WorkTree>, Error> {
    let asked = ["rev-parse", "--verify", "HEAD^{commit}"];
    let commit = match git(folder, &asked).await? {
        Ok(commit) => commit,
        // It looks the same to git when it may not look.
        Err(said) if said.contains("not a git repository") || said.contains("Needed a single") => {
            return Ok(None);
        }
        Err(said) => return Err(failed(folder, said)),
    };
    let Some(commit) = commit_hash(&commit) else {
        return Err(failed(folder, "HEAD is no commit".into()));
    };
    let asked = [
        "status",
        "--porcelain",
        "--untracked-files=normal",
        "--",
        ".",
    ];
    let status = git(folder, &asked).await?;
    let changed = status.map_err(|said| failed(folder, said))?.lines().count();
    let origin = git(folder, &["config", "--get", "remote.origin.url"]).await?;
    let origin = origin.ok().and_then(|url| Remote::parse(&url).ok());
    Ok(Some(WorkTree {
        commit: commit.into(),
        changed,
        origin: origin.map(|remote| remote.url),
    }))
}

async fn git(folder: &Path, arguments: &[&str]) -> Result<Result<String, String>, Error> {
    let mut command = plain_git();
    command
        .args(["--no-optional-locks", "-C"])
        .arg(folder)
        .args(arguments)
        .env("GIT_ALLOW_PROTOCOL", "none")
        .stdin(Stdio::null());
    let ended: Ended = run("git", command, &folder.display().to_string(), LIMITS).await?;
    Ok(ended.map(|output| String::from_utf8_lossy(&output.bytes).into_owned()))
}

fn failed(folder: &Path, said: String) -> Error {
    Error::Failed {
        about: folder.display().to_string(),
        said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn git_in(folder: &Path, arguments: &[&str]) {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(folder).args(arguments);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "ana");
            command.env(format!("GIT_{role}_EMAIL"), "ana@example");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    #[tokio::test]
    async fn a_folder_and_what_is_changed_in_it() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(work_tree(root.path()).await, Ok(None));
        git_in(root.path(), &["init", "-q"]);
        assert_eq!(work_tree(root.path()).await, Ok(None), "no commit yet");
        let folder = root.path().join("web");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("a"), "a").unwrap();
        git_in(root.path(), &["add", "."]);
        git_in(root.path(), &["commit", "-q", "-m", "first"]);
        let origin = "https://ana:hunter2@git.example/shop/web.git";
        git_in(root.path(), &["remote", "add", "origin", origin]);
        fs::write(root.path().join("beside"), "not in the folder").unwrap();
        let clean = work_tree(&folder).await.unwrap().unwrap();
        assert_eq!((clean.commit.len(), clean.changed), (40, 0));
        let origin = Some("https://git.example/shop/web.git");
        assert_eq!(clean.origin.as_deref(), origin);
        fs::write(folder.join("a"), "b").unwrap();
        fs::write(folder.join("new"), "").unwrap();
        let changed = work_tree(&folder).await.unwrap().unwrap();
        assert_eq!((changed.commit, changed.changed), (clean.commit, 2));
    }
}
