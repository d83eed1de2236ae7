//! The release record: JSON lines that say who did what, when, why, and how it ended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::release_record::{FILE, Gathering, Page, Torn};
use crate::domain::{Failure, FailureKind, Uid, WorkloadId};
use crate::plan::{self, Answers, CheckId, Finding, Plan, Stamp, Step, Target, Verb, Verdict};

mod backwards;
mod under_way;

use backwards::Backwards;
pub use under_way::UnderWay;

pub use crate::domain::release_record::{
    Answered, Checked, Deleted, Ended, Found, HelmRelease, Line, NotBegun, Outcome, Replicas,
    Sending, SetImage, Side,
};

/// How often and how long another process may hold the file before a write is refused.
const TRIES: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(20);

/// The line that is on the disk before anything is sent.
pub fn sending(
    plan: &Plan,
    answers: &Answers,
    verdicts: &[Verdict],
    server_user: Option<&str>,
    at: Timestamp,
) -> Sending {
    let side = |side: &plan::Side| Side {
        number: side.revision,
        name: side.name.to_string(),
        version: side.version.clone(),
    };
    let known = plan.checks.iter().filter_map(|line| match &line.state {
        plan::check::CheckState::Answered(verdict) => Some(verdict),
        plan::check::CheckState::Asking(_) => None,
    });
    Sending {
        id: plan.stamp.id.clone(),
        at,
        verb: plan.request.verb.name().into(),
        workload: plan.workload.clone(),
        uid: plan.uid.to_string(),
        from: side(&plan.from),
        to: side(&plan.to),
        by: plan.stamp.by.clone(),
        server_user: server_user.map(str::to_owned),
        reason: answers.reason.clone(),
        override_reason: answers.override_reason.clone(),
        checks: known.chain(verdicts).map(checked).collect(),
        steps: plan
            .all_steps()
            .map(|step| step.what().to_owned())
            .collect(),
        template: Some(plan.goal.to.clone()),
        generation: Some(plan.goal.generation),
        replicas: replicas(plan),
        deletes: plan.all_steps().filter_map(deleted).collect(),
        release: plan.all_steps().find_map(release),
        image: image(plan),
        autoscaler: plan.all_steps().find_map(autoscaler),
        analysis: analysis(plan),
    }
}

/// The same of what moves no workload between revisions: the two sides are words.
pub fn sending_words(
    stamp: &Stamp,
    (verb, at): (&str, Timestamp),
    (workload, uid): (&WorkloadId, &Uid),
    (from, to): (String, String),
) -> Sending {
    let side = |version| Side {
        number: 0,
        name: String::new(),
        version,
    };
    Sending {
        id: stamp.id.clone(),
        at,
        verb: verb.into(),
        workload: workload.clone(),
        uid: uid.to_string(),
        from: side(from),
        to: side(to),
        by: stamp.by.clone(),
        server_user: None,
        reason: None,
        override_reason: None,
        checks: Vec::new(),
        steps: Vec::new(),
        template: None,
        generation: None,
        replicas: None,
        deletes: Vec::new(),
        release: None,
        image: None,
        autoscaler: None,
        analysis: false,
    }
}

/// Of Flagger a resume that lets nothing go.
fn analysis(plan: &Plan) -> bool {
    let turned = plan.goal.turned.as_ref();
    plan.request.verb == Verb::Resume
        && turned.is_some_and(|turned| turned.phase.is_some() && !turned.suspended)
}

fn replicas(plan: &Plan) -> Option<Replicas> {
    let from = plan.replicas_before()?;
    match plan.request.target {
        Target::Replicas { to, .. } => Some(Replicas { from, to }),
        _ => None,
    }
}

fn deleted(step: &Step) -> Option<Deleted> {
    match step {
        Step::DeletePod { object, uid, .. } => Some(Deleted {
            pod: object.name.clone(),
            uid: uid.clone(),
        }),
        Step::JsonPatch { .. }
        | Step::StatusPatch { .. }
        | Step::Beside { .. }
        | Step::After { .. }
        | Step::WhenAtRest { .. }
        | Step::SyncPatch { .. }
        | Step::Hold { .. }
        | Step::Helm { .. }
        | Step::Note { .. }
        | Step::Create { .. }
        | Step::Remove { .. } => None,
    }
}

/// Its plan has found out which container, and what was meant by a tag.
fn image(plan: &Plan) -> Option<SetImage> {
    match &plan.request.target {
        Target::Image {
            container: Some(container),
            image,
        } => Some(SetImage {
            container: container.clone(),
            image: image.clone(),
        }),
        _ => None,
    }
}

fn autoscaler(step: &Step) -> Option<Box<str>> {
    let object = step.object()?;
    (object.resource == "horizontalpodautoscalers").then(|| object.name.clone())
}

fn release(step: &Step) -> Option<HelmRelease> {
    match step {
        Step::Helm { call, .. } => Some(HelmRelease {
            name: call.release.clone(),
            from: call.newest,
            to: call.to,
        }),
        _ => None,
    }
}

pub(super) fn checked(verdict: &Verdict) -> Checked {
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
            path: state_folder.join(FILE),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns once the line is on the disk; false when it has no place in the record: an end is written once,
    /// however many follow an action, and only into the record that says that it was sent.
    pub async fn append(&self, line: Line) -> Result<bool, Failure> {
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || append(&path, &line)).await;
        let error = match written {
            Ok(Ok(written)) => return Ok(written),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(self.unwritable(&error))
    }

    /// Of what has happened: a line that cannot be written is logged, and changes nothing of it.
    pub async fn note(&self, line: Line) {
        if let Err(failure) = self.append(line).await {
            tracing::error!(failure.sentence, "the outcome is not in the record");
        }
    }

    fn unwritable(&self, error: &str) -> Failure {
        let path = self.path.display();
        let sentence = format!("The release record {path} cannot be written: {error}.");
        Failure::new(FailureKind::Config, sentence)
            .hint("make its folder writable, or set XDG_STATE_HOME to one that is")
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new("."))
    }

    /// Others see until it is dropped that a living process carries this action out.
    pub async fn begin(&self, id: &str) -> Result<UnderWay, Failure> {
        let (state, id) = (self.folder().to_owned(), id.to_owned());
        let begun = tokio::task::spawn_blocking(move || UnderWay::begin(&state, &id)).await;
        let error = match begun {
            Ok(Ok(begun)) => return Ok(begun),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(self.unwritable(&error))
    }

    /// The newest actions, and which of them are under way; see [`read`].
    pub async fn read(&self, limit: Limit) -> Result<Page, Failure> {
        let (state, path) = (self.folder().to_owned(), self.path.clone());
        let page = tokio::task::spawn_blocking(move || {
            // First: what ends in between then has its end in the record.
            let under_way = under_way::all(&state)?;
            let page = read(&path, limit)?;
            io::Result::Ok(Page { under_way, ..page })
        });
        let page = page.await;
        let error = match page {
            Ok(Ok(page)) => return Ok(page),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let path = self.path.display();
        let sentence = format!("The release record {path} cannot be read: {error}.");
        Err(Failure::new(FailureKind::Config, sentence))
    }
}

/// How far back a reading goes; it ends with whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub actions: usize,
    pub bytes: u64,
    /// Actions that were sent before are left out.
    pub since: Option<Timestamp>,
}

impl Limit {
    pub const NONE: Self = Self {
        actions: usize::MAX,
        bytes: u64::MAX,
        since: None,
    };
}

/// The actions at the end of a record, newest first, and the pieces that are no lines, like one that a crash cut off.
/// A record that is not there is empty.
///
/// # Errors
/// The file is there and cannot be read.
pub fn read(path: &Path, limit: Limit) -> io::Result<Page> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Page::default()),
        Err(error) => return Err(error),
    };
    // A line that is being written now is not torn; and a process that hangs with the lock hides nothing.
    let _ = lock(|| file.try_lock_shared());
    let mut pieces = Backwards::new(file)?;
    let (mut gathering, mut unread) = (Gathering::default(), 0);
    let whole = pieces.left();
    while let Some(piece) = pieces.next().transpose()? {
        let Ok(line) = serde_json::from_slice::<Line>(&piece.bytes) else {
            gathering.page.torn.push(Torn {
                at: piece.at,
                bytes: piece.bytes.len(),
            });
            continue;
        };
        let early = |at: Timestamp| limit.since.is_some_and(|since| at < since);
        let at = match &line {
            Line::Sending(line) => Some(line.at),
            Line::NotBegun(line) => Some(line.sending.at),
            Line::HandedOver(line) => Some(line.at),
            Line::Answered(_) | Line::Found(_) | Line::Ended(_) => None,
        };
        if at.is_some_and(early) {
            unread = piece.at + piece.bytes.len() as u64;
            break;
        }
        gathering.take(line);
        let taken = gathering.page.actions.len() + gathering.page.handed.len();
        if taken >= limit.actions || whole - piece.at >= limit.bytes {
            unread = piece.at;
            break;
        }
    }
    Ok(gathering.end(unread))
}

fn append(path: &Path, line: &Line) -> io::Result<bool> {
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
    lock(|| file.try_lock())?;
    if !has_place(&file, line)? {
        return Ok(false);
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
    Ok(true)
}

/// Whether what the record says of the action so far leaves a place for this line.
fn has_place(file: &File, line: &Line) -> io::Result<bool> {
    let id = match line {
        Line::Sending(_) | Line::NotBegun(_) | Line::Answered(_) | Line::HandedOver(_) => {
            return Ok(true);
        }
        Line::Found(line) => &line.id,
        Line::Ended(line) => &line.id,
    };
    let quoted = serde_json::to_string(id)?;
    for piece in Backwards::new(file.try_clone()?)? {
        let piece = piece?;
        // Most lines are of others, which costs no parsing.
        if !holds(&piece.bytes, quoted.as_bytes()) {
            continue;
        }
        match (serde_json::from_slice(&piece.bytes), line) {
            (Ok(Line::Sending(sending)), _) if sending.id == *id => return Ok(true),
            (Ok(Line::Ended(ended)), _) if ended.id == *id => return Ok(false),
            // What the one who sent it knows is better than what somebody found later.
            (Ok(Line::Answered(answered)), Line::Found(_))
                if answered.id == *id && answered.outcome != Outcome::Unknown =>
            {
                return Ok(false);
            }
            (Ok(Line::Found(found)), Line::Found(_)) if found.id == *id => return Ok(false),
            (Ok(_) | Err(_), _) => {}
        }
    }
    Ok(false)
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Does not wait for ever: a process that hangs with the lock must not hang this one. Closing unlocks.
fn lock(attempt: impl Fn() -> Result<(), std::fs::TryLockError>) -> io::Result<()> {
    for _ in 0..TRIES {
        match attempt() {
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
mod tests;
