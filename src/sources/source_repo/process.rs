//! Runs git and svn: without a terminal, for so long, and with so much to say.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::Error;
use super::said::masked;
use crate::sources::process_group::ProcessGroup;

/// More of what a command complains of is dropped.
const MOST_WORDS: u64 = 64 << 10;
const LONGEST_SENTENCE: usize = 300;

/// What a command is given.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub time: Duration,
    /// Bytes of its output.
    pub most: usize,
}

/// What it printed. `cut`: there was more, and it was stopped.
#[derive(Debug)]
pub struct Output {
    pub bytes: Vec<u8>,
    pub cut: bool,
}

/// How a command went: its output, or its own last words.
pub type Ended = Result<Output, String>;

/// Neither keys nor ctrl-c reach it, and all that it started is killed with it when nobody waits any more.
///
/// # Errors
/// It is not there, or was late. That it failed is in [`Ended`].
pub async fn run(
    program: &'static str,
    mut command: Command,
    about: &str,
    limits: Limits,
) -> Result<Ended, Error> {
    let failed = |why: std::io::Error| Error::Failed {
        about: about.to_owned(),
        said: format!("{program} cannot be run: {}", why.kind()),
    };
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|why| match why.kind() {
        std::io::ErrorKind::NotFound => Error::NotInstalled { program },
        _ => failed(why),
    })?;
    let mut group = ProcessGroup::of(&child);
    let finished = timeout(limits.time, finish(&mut child, limits.most)).await;
    let late = |_| Error::Late {
        about: about.to_owned(),
        limit: limits.time,
    };
    let (output, words, status) = finished.map_err(late)?.map_err(failed)?;
    let Some(status) = status else {
        return Ok(Ok(output));
    };
    group.ended();
    Ok(if status.success() {
        Ok(output)
    } else {
        Err(last_words(&words, status))
    })
}

/// Both pipes are read while it runs, or a command that writes much would wait for ever. No status: it is still
/// running, and has more to say than is wanted.
async fn finish(
    child: &mut Child,
    most: usize,
) -> std::io::Result<(Output, Vec<u8>, Option<ExitStatus>)> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let words = words(err);
    let whole = async {
        let output = output(out, most).await?;
        let status = if output.cut {
            None
        } else {
            Some(child.wait().await?)
        };
        std::io::Result::Ok((output, status))
    };
    tokio::pin!(words, whole);
    let (output, status) = tokio::select! {
        whole = &mut whole => whole?,
        words = &mut words => {
            let (output, status) = whole.await?;
            return Ok((output, words?, status));
        }
    };
    // A helper that it left behind may hold the pipe open.
    let words = match status {
        Some(_) => timeout(Duration::from_millis(200), words).await,
        None => return Ok((output, Vec::new(), None)),
    };
    Ok((output, words.unwrap_or_else(|_| Ok(Vec::new()))?, status))
}

async fn output(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Output> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        pipe.take(limit).read_to_end(&mut bytes).await?;
    }
    let cut = bytes.len() > most;
    bytes.truncate(most);
    Ok(Output { bytes, cut })
}

async fn words(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe).take(MOST_WORDS).read_to_end(&mut text).await?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(text)
}

/// The line in which git or svn says what is wrong. When git only says that it could not read, ssh said why before it.
fn last_words(stderr: &[u8], status: ExitStatus) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let tells = |line: &&str| {
        ["fatal: ", "svn: ", "error: "]
            .iter()
            .any(|m| line.starts_with(m))
    };
    let at = lines.iter().rposition(tells);
    let line = match at {
        Some(at) if at > 0 && lines[at].contains("Could not read from remote") => lines[at - 1],
        Some(at) => lines[at],
        None => lines.last().copied().unwrap_or_default(),
    };
    let line = line.strip_prefix("fatal: ").unwrap_or(line);
    let line: String = masked(line).chars().take(LONGEST_SENTENCE).collect();
    match (line.is_empty(), status.code()) {
        (false, _) => line,
        (true, Some(code)) => format!("it failed without a word (exit {code})"),
        (true, None) => "it was killed".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        time: Duration::from_secs(20),
        most: 1000,
    };

    async fn shell(script: &str, limits: Limits) -> Result<Ended, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        run("sh", command, "shop", limits).await
    }

    async fn said(script: &str) -> String {
        shell(script, LIMITS).await.unwrap().unwrap_err()
    }

    #[tokio::test]
    async fn what_it_prints() {
        let output = shell("printf a; printf b >&2", LIMITS)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((&*output.bytes, output.cut), (&b"a"[..], false));
    }

    #[tokio::test]
    async fn its_own_words_for_what_went_wrong() {
        let ssh = "echo 'git@h: Permission denied (publickey).'; echo 'fatal: Could not read from remote repository.'
            echo; echo 'Please make sure.'; exit 128";
        for (script, want) in [
            (ssh, "git@h: Permission denied (publickey)."),
            ("echo warning; echo 'fatal: no'; echo hint; exit 1", "no"),
            ("echo 'svn: E1: a'; echo 'svn: E2: b'; exit 1", "svn: E2: b"),
            ("echo only; exit 1", "only"),
            ("exit 3", "it failed without a word (exit 3)"),
            ("kill -9 $$", "it was killed"),
        ] {
            assert_eq!(said(&format!("exec >&2; {script}")).await, want);
        }
    }

    #[tokio::test]
    async fn one_that_never_stops_talking_is_stopped() {
        let output = shell("yes", LIMITS).await.unwrap().unwrap();
        assert!(output.cut);
        assert_eq!(output.bytes.len(), LIMITS.most);
        // On the other pipe as well, where it is only not kept.
        let words = said("yes noo | head -c 1000000 >&2; exit 1").await;
        assert_eq!(words, "noo");
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! >'{}'; wait", file.display());
        let short = Limits {
            time: Duration::from_secs(2),
            ..LIMITS
        };
        let error = shell(&script, short).await.unwrap_err();
        assert_eq!(error.to_string(), "shop: no answer within 2s");
        let pid: i32 = std::fs::read_to_string(file)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        let state = move || std::fs::read_to_string(format!("/proc/{pid}/stat"));
        // Gone, or a zombie that nobody has waited for yet.
        while state().is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn one_that_is_not_there() {
        let error = run("git", Command::new("/nonexistent/git"), "shop", LIMITS).await;
        assert_eq!(error.unwrap_err().to_string(), "git is not installed here");
    }
}
