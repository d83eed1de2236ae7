//! Facts from outside, in the past tense. Everything the machine ever learns comes in as one of these.

use jiff::Timestamp;

use crate::config::Config;
use crate::domain::build::{self, Build, BuildId, Job};
use crate::domain::chain::ImageTold;
use crate::domain::commit::{Between, Told};
use crate::domain::matrix::Digests;
use crate::domain::measured;
use crate::domain::occurrence::Report;
use crate::domain::release_record::Page;
use crate::domain::table::Table;
use crate::domain::{
    ApiKind, ChartRelease, ClusterId, Connection, Failure, Kind, LogLine, SourceId, Tags, Update,
    Usage,
};
use crate::plan::aftermath::Interrupted;
use crate::plan::push::hook::Hook;
use crate::plan::{BuildProgress, Evidence, ImagePlan, ImageProgress, Progress, Verdict};

use super::Key;
use super::effect::HandOver;

/// Tells the result of one job from that of another; a result whose job is no longer known is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JobId(pub u64);

/// The digests of one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestsTold {
    pub job: JobId,
    pub cluster: ClusterId,
    pub outcome: Result<Digests, Failure>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Key(Key),
    Pasted(String),
    Resized {
        width: u16,
        height: u16,
    },
    /// Once a second, and before the first frame.
    Ticked(Timestamp),
    /// The terminal is ours again after a suspension: everything must be painted.
    Resumed,
    /// A connection moved on. `epoch` is that of the scope it was made for.
    Connection {
        cluster: ClusterId,
        state: Connection,
    },
    Fed {
        source: SourceId,
        epoch: u64,
        at: Timestamp,
        updates: Vec<Update>,
    },
    /// One look at a server's jobs.
    JobsTold {
        server: Box<str>,
        at: Timestamp,
        outcome: Result<Vec<Job>, Failure>,
    },
    /// The newest builds of a job, newest first.
    BuildsRead {
        job: JobId,
        of: build::JobId,
        outcome: Result<Vec<Build>, Failure>,
    },
    /// The image that a build made.
    BuildMade {
        build: BuildId,
        image: Box<str>,
    },
    /// What a registry says of an image.
    ImageTold {
        image: Box<str>,
        told: ImageTold,
    },
    /// What lies between two commits; again once their host told of them, too.
    CommitsTold {
        between: Box<Between>,
        outcome: Result<Box<Told>, String>,
    },
    /// The tags of an image's repository, newest first as far as they tell themselves.
    TagsListed {
        job: JobId,
        outcome: Result<Tags, Failure>,
    },
    /// One job with all that it asks for.
    JobRead {
        job: JobId,
        outcome: Result<Box<Job>, Failure>,
    },
    /// A piece of a build's log, and whether more comes.
    BuildLogged {
        job: JobId,
        outcome: Result<(Document, bool), Failure>,
    },
    BuildProgressed {
        job: JobId,
        progress: BuildProgress,
    },
    ImagePlanned {
        job: JobId,
        outcome: Result<Box<ImagePlan>, Failure>,
    },
    ImageProgressed {
        job: JobId,
        news: Vec<ImageProgress>,
    },
    /// What the pods of one cluster run.
    DigestsTold(Box<DigestsTold>),
    Gathered {
        job: JobId,
        outcome: Result<Box<Evidence>, Failure>,
    },
    /// One check answered.
    Checked {
        job: JobId,
        verdict: Verdict,
    },
    Progressed {
        job: JobId,
        progress: Progress,
    },
    Logged {
        job: JobId,
        news: LogNews,
    },
    Fetched {
        job: JobId,
        outcome: Result<Document, Failure>,
    },
    ReleasesRead {
        job: JobId,
        outcome: Result<ReleaseHistory, Failure>,
    },
    /// What is known of the changes of one cluster so far; its last report is complete.
    ChangesTold {
        job: JobId,
        cluster: ClusterId,
        outcome: Result<Box<Report>, Failure>,
    },
    Measured {
        job: JobId,
        outcome: Result<Usage, Failure>,
    },
    CanaryMeasured {
        job: JobId,
        outcome: Result<Box<measured::Told>, Failure>,
    },
    /// Namespaces, or contexts of the kubeconfig.
    NamesListed {
        job: JobId,
        outcome: Result<Vec<String>, Failure>,
    },
    /// Whether the verb's writes are permitted here: the missing verb when not, `Err` when it cannot be told.
    PermissionTold {
        cluster: ClusterId,
        namespace: Box<str>,
        kind: Kind,
        outcome: Result<Option<String>, Failure>,
    },
    Diagnosed {
        job: JobId,
        finding: Diagnosis,
    },
    /// What a look at this cluster says of the actions that were interrupted.
    LookedBack {
        cluster: ClusterId,
        interrupted: Vec<Interrupted>,
    },
    RecordRead {
        job: JobId,
        outcome: Result<Page, Failure>,
    },
    /// The record has a line more.
    Recorded,
    /// The settings file was written, and read again.
    Configured {
        outcome: Result<Box<Config>, Failure>,
    },
    Discovered {
        cluster: ClusterId,
        outcome: Result<Vec<ApiKind>, Failure>,
    },
    TableRead {
        job: JobId,
        news: TableNews,
    },
    /// Which of the programs of the menu are not on the PATH.
    ProgramsMissing {
        job: JobId,
        missing: Vec<String>,
    },
    /// Another program had the terminal.
    HandedBack {
        handed: Box<HandOver>,
        ended: Ended,
    },
    /// The command that tells of an end failed.
    Unnotified {
        why: String,
    },
    /// A document is in a file, which is named, and on the clipboard.
    Saved {
        outcome: Result<String, Failure>,
    },
    /// A person was asked to log in.
    LoggedIn {
        cluster: ClusterId,
        outcome: Result<(), Failure>,
    },
    /// The text reached the terminal's clipboard, and the file that holds it as well.
    Copied {
        file: Option<String>,
    },
}

/// What is read of a plain table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableNews {
    Page {
        table: Table,
        first: bool,
    },
    /// So many rows are not kept; `Some(None)`: nobody knows how many.
    End {
        beyond: Option<Option<u64>>,
    },
    Failed(Failure),
}

/// How a program ended that had the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Exit(i32),
    /// By its name: `SIGKILL`.
    Killed(String),
    /// `could not be started: kubectl is not on the PATH`.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogNews {
    Lines {
        lines: Vec<LogLine>,
        /// Older ones that came faster than they could be shown.
        unseen: usize,
    },
    /// Nothing more will come.
    Ended { why: Option<String> },
}

/// Text for the yaml, events and describe screens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub lines: Vec<String>,
    pub read_at: Timestamp,
}

/// What Helm keeps of a release, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseHistory {
    pub releases: Vec<ChartRelease>,
    pub unreadable: usize,
    pub read_at: Timestamp,
}

/// One line of the doctor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub finding: crate::plan::Finding,
    pub about: String,
    pub sentence: String,
    pub hint: Option<String>,
    /// What is to be installed.
    pub hook: Option<Box<Hook>>,
    /// The last one.
    pub last: bool,
}
