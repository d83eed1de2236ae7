//! The release record: JSON lines that say who did what, when, why, and how it ended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Failure, FailureKind, WorkloadId};
use crate::plan::{Answers, CheckId, Finding, Plan, Side, Verdict};

const NAME: &str = "release-record.jsonl";
/// How often and how long another process may hold the file before a write is refused.
const TRIES: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(20);

/// One line of the record. Values of secrets and of environment variables are never in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Line {
    /// On the disk before anything is sent.
    Sending(Box<Sending>),
    /// What the server said to it.
    Answered {
        id: String,
        at: Timestamp,
        outcome: Outcome,
        sentence: String,
    },
    /// How following it ended.
    Ended {
        id: String,
        at: Timestamp,
        workload: WorkloadId,
        verified: bool,
        sentence: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sending {
    pub id: String,
    pub at: Timestamp,
    pub verb: String,
    pub workload: WorkloadId,
    pub uid: String,
    pub from: Revision,
    pub to: Revision,
    /// `user@host` of the operating system.
    pub by: String,
    /// The API server's own name for the user; unknown when absent.
    pub server_user: Option<String>,
    /// Why it was done, when that was said.
    pub reason: Option<String>,
    /// The reason that was given for an override.
    pub override_reason: Option<String>,
    pub checks: Vec<Checked>,
    pub steps: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    pub number: u64,
    pub name: String,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub check: String,
    pub finding: String,
    pub sentence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Accepted,
    Refused,
    Unknown,
}

impl Sending {
    pub fn new(
        plan: &Plan,
        answers: &Answers,
        verdicts: &[Verdict],
        server_user: Option<&str>,
        at: Timestamp,
    ) -> Self {
        let revision = |side: &Side| Revision {
            number: side.revision,
            name: side.name.to_string(),
            version: side.version.clone(),
        };
        let known = plan.checks.iter().filter_map(|line| match &line.state {
            crate::plan::check::CheckState::Answered(verdict) => Some(verdict),
            crate::plan::check::CheckState::Asking(_) => None,
        });
        Self {
            id: plan.stamp.id.clone(),
            at,
            verb: plan.request.verb.name().into(),
            workload: plan.workload.clone(),
            uid: plan.uid.to_string(),
            from: revision(&plan.from),
            to: revision(&plan.to),
            by: plan.stamp.by.clone(),
            server_user: server_user.map(str::to_owned),
            reason: answers.reason.clone(),
            override_reason: answers.override_reason.clone(),
            checks: known.chain(verdicts).map(checked).collect(),
            steps: plan
                .all_steps()
                .map(|step| step.what().to_owned())
                .collect(),
        }
    }
}

fn checked(verdict: &Verdict) -> Checked {
    Checked {
        check: word::<CheckId>(verdict.check),
        finding: word::<Finding>(verdict.finding),
        sentence: verdict.sentence.clone(),
    }
}

/// The name that serde gives a unit variant.
fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

/// Appends to the record in one folder. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder {
    path: PathBuf,
}

impl Recorder {
    /// Nothing is made before the first line.
    pub fn new(state_folder: &Path) -> Self {
        Self {
            path: state_folder.join(NAME),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns once the line is on the disk. The end of an action is written once, however many follow it, and
    /// only into the record that says that it was sent.
    pub async fn append(&self, line: Line) -> Result<(), Failure> {
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || append(&path, &line)).await;
        let error = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let sentence = format!(
            "The release record {} cannot be written: {error}.",
            self.path.display()
        );
        Err(Failure::new(FailureKind::Config, sentence)
            .hint("make its folder writable, or set XDG_STATE_HOME to one that is"))
    }
}

/// What a record holds: its lines, and the pieces that are none, like one that a crash cut off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    pub lines: Vec<Line>,
    pub torn: Vec<String>,
}

/// A record that is not there is empty.
pub fn read(path: &Path) -> io::Result<Record> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Record::default()),
        Err(error) => return Err(error),
    };
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Record {
    let mut record = Record::default();
    for piece in bytes.split(|byte| *byte == b'\n').filter(|p| !p.is_empty()) {
        match serde_json::from_slice(piece) {
            Ok(line) => record.lines.push(line),
            Err(_) => record
                .torn
                .push(String::from_utf8_lossy(piece).into_owned()),
        }
    }
    record
}

fn append(path: &Path, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let new = !path.exists();
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    lock(&file)?;
    if let Line::Ended { id, .. } = line
        && !open(&mut file, id)?
    {
        return Ok(());
    }
    if torn(&mut file)? {
        text.insert(0, '\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if new {
        // The name of a new file is in its folder, which has to reach the disk as well.
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The action was sent, as this record says, and has no end yet.
fn open(file: &mut File, action: &str) -> io::Result<bool> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let lines = parse(&bytes).lines;
    let sent = |line: &Line| matches!(line, Line::Sending(sending) if sending.id == action);
    let ended = |line: &Line| matches!(line, Line::Ended { id, .. } if id == action);
    Ok(lines.iter().any(sent) && !lines.iter().any(ended))
}

/// Does not wait for ever: a process that hangs with the lock must not hang this one. Closing unlocks.
fn lock(file: &File) -> io::Result<()> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(BETWEEN),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::TimedOut,
        "another process holds it",
    ))
}

/// The last line has no end: its writer crashed in the middle of it.
fn torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::verbs::rollback::sample;
    use std::os::unix::fs::PermissionsExt;

    fn answered(id: &str) -> Line {
        Line::Answered {
            id: id.into(),
            at: sample::AT.parse().unwrap(),
            outcome: Outcome::Accepted,
            sentence: "line\nbreak".into(),
        }
    }

    #[tokio::test]
    async fn lines_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(&folder.path().join("new/rolldeck"));
        let answers = Answers {
            reason: Some("2.15.0 loses carts".into()),
            override_reason: Some("INC-812".into()),
            ..Answers::default()
        };
        let at = sample::AT.parse().unwrap();
        let sending = Sending::new(&sample::plan(), &answers, &[], Some("oncall"), at);
        assert_eq!(sending.reason.as_deref(), Some("2.15.0 loses carts"));
        let first = Line::Sending(Box::new(sending));
        recorder.append(first.clone()).await.unwrap();
        recorder.append(answered("a")).await.unwrap();
        let record = read(recorder.path()).unwrap();
        assert_eq!(record.lines, [first, answered("a")]);
        assert!(record.torn.is_empty());
        let mode = std::fs::metadata(recorder.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_crash_in_the_middle_of_a_line_costs_that_line_only() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(folder.path());
        recorder.append(answered("a")).await.unwrap();
        let whole = std::fs::read(recorder.path()).unwrap();
        for cut in 1..whole.len() {
            std::fs::write(recorder.path(), [&whole, &whole[..cut]].concat()).unwrap();
            recorder.append(answered("b")).await.unwrap();
            let record = read(recorder.path()).unwrap();
            let kept = record.lines.len() + record.torn.len();
            assert_eq!(kept, 3, "cut at {cut}");
            assert_eq!(record.lines.last(), Some(&answered("b")));
            assert_eq!(record.lines[0], answered("a"));
        }
    }

    #[tokio::test]
    async fn many_writers_mix_no_lines() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(folder.path());
        let writers = (0..20).map(|n| {
            let recorder = recorder.clone();
            async move { recorder.append(answered(&n.to_string())).await.unwrap() }
        });
        futures::future::join_all(writers).await;
        let record = read(recorder.path()).unwrap();
        assert_eq!((record.lines.len(), record.torn.len()), (20, 0));
    }

    #[tokio::test]
    async fn an_end_is_written_once_and_only_where_the_action_was_sent() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (Recorder::new(folder.path()), Recorder::new(folder.path()));
        let at = sample::AT.parse().unwrap();
        let sending = Sending::new(&sample::plan(), &Answers::default(), &[], None, at);
        let end = |sentence: &str| Line::Ended {
            id: sending.id.clone(),
            at,
            workload: sending.workload.clone(),
            verified: true,
            sentence: sentence.into(),
        };
        here.append(end("before it was sent")).await.unwrap();
        let sent = Line::Sending(Box::new(sending.clone()));
        here.append(sent.clone()).await.unwrap();
        let both = futures::join!(here.append(end("one")), there.append(end("one")));
        both.0.and(both.1).unwrap();
        there.append(end("late")).await.unwrap();
        assert_eq!(read(here.path()).unwrap().lines, [sent, end("one")]);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let failure = Recorder::new(&file.join("x")).append(answered("a")).await;
        let failure = failure.unwrap_err();
        assert!(failure.sentence.starts_with("The release record "));
        assert!(read(&folder.path().join("none")).unwrap().lines.is_empty());
    }
}
