//! Programs that we ask something: without a terminal, with a limit in time and size, and gone when nobody waits.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::process_group::ProcessGroup;

/// Of each of its two outputs.
const LONGEST: u64 = 1 << 20;

/// What it said.
pub struct Said {
    pub status: ExitStatus,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

/// Runs it with `input`, in a process group of its own, so that neither keys nor ctrl-c reach it and all of it is
/// killed when nobody waits any more. `None` when it gave no answer in time.
pub async fn run(
    name: &str,
    arguments: &[&str],
    input: &str,
    patience: Duration,
) -> io::Result<Option<Said>> {
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let mut group = ProcessGroup::of(&child);
    match timeout(patience, finish(&mut child, input)).await {
        Err(_) => Ok(None),
        Ok(said) => {
            group.ended();
            said.map(Some)
        }
    }
}

/// Both pipes are read while it runs, or one that writes much would wait for ever.
async fn finish(child: &mut Child, input: &str) -> io::Result<Said> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read what it is asked may still answer.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let (status, out, err) = tokio::try_join!(child.wait(), read(out), read(err))?;
    Ok(Said { status, out, err })
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(LONGEST).read_to_end(&mut text).await?;
    }
    Ok(text)
}
