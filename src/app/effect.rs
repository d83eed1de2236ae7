//! What the engine must do, as plain data, so that a test can assert it.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Notify;
use crate::domain::build::{self, Build, BuildId};
use crate::domain::commit::Between;
use crate::domain::measured::Sides;
use crate::domain::{ApiKind, ClusterId, Kind, Occurrence, SourceId, WorkloadId};
pub use crate::plan::Document;
use crate::plan::kubectl::shell_word;
use crate::plan::{Answers, BuildWish, ImageAsk, ImagePlan, Plan, Request};
use crate::text::escape;

use super::event::{Ended, JobId};

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The clusters to be connected to: the engine connects to those that are new and leaves those that are not
    /// named. An empty name is the kubeconfig's current context.
    Connect {
        clusters: Vec<ClusterId>,
    },
    /// The ordered wish list: the engine opens and drops feeds to match it.
    Watch {
        /// Of each cluster's scope.
        epochs: BTreeMap<ClusterId, u64>,
        wanted: Vec<SourceId>,
    },
    /// The jobs that are wanted of each server: the engine asks those servers and no others.
    WatchJobs(Vec<JobsWish>),
    /// The newest builds of one job.
    ReadBuilds {
        job: JobId,
        of: build::JobId,
    },
    /// What the registries say of these images, so many at a time.
    ReadImages {
        job: JobId,
        images: Vec<Box<str>>,
        at_once: usize,
    },
    /// The images that are to be looked for in the background, the most wanted first: the engine looks at one after
    /// the other for as long as they are wanted.
    WatchImages(Vec<Box<str>>),
    /// The tags of the image's repository.
    ListTags {
        job: JobId,
        image: Box<str>,
    },
    /// Which images these builds of a service made, one after the other.
    ReadBuildImages {
        service: Box<str>,
        builds: Vec<Build>,
    },
    /// The commits between two, from their repository, and then what its host says of them.
    ReadCommits {
        job: JobId,
        between: Box<Between>,
    },
    /// One job with all that it asks for.
    ReadJob {
        job: JobId,
        of: build::JobId,
    },
    /// The log of a build, from its end on.
    ReadBuildLog {
        job: JobId,
        build: BuildId,
    },
    /// Ask a server that builds.
    Build {
        job: JobId,
        wish: Box<BuildWish>,
        answers: Answers,
    },
    /// Read what an image would be built or copied from.
    PlanImage {
        job: JobId,
        ask: Box<ImageAsk>,
    },
    /// Build it, push it, or copy it.
    MakeImage {
        job: JobId,
        plan: Box<ImagePlan>,
        answers: Answers,
    },
    /// The person wants no more of what that job makes.
    StopImage {
        job: JobId,
    },
    /// Try the connection, or every feed that waits, now.
    Retry {
        cluster: ClusterId,
    },
    /// Fresh reads for a plan.
    Gather {
        job: JobId,
        request: Request,
    },
    /// Ask what the plan's checks leave open. Under `--readonly` nothing is sent.
    Preflight {
        job: JobId,
        plan: Box<Plan>,
    },
    Execute {
        job: JobId,
        plan: Box<Plan>,
        answers: Answers,
        verdicts: Vec<crate::plan::Verdict>,
    },
    /// The streams of one merged log: the engine opens new ones, and lets those end that are no longer wanted.
    StreamLogs {
        job: JobId,
        wish: LogWish,
    },
    /// What it is and how it fares, in words.
    Describe {
        job: JobId,
        object: YamlOf,
    },
    FetchYaml {
        job: JobId,
        object: YamlOf,
    },
    /// Which kinds the cluster serves.
    Discover {
        job: JobId,
        cluster: ClusterId,
    },
    /// The rows of one kind, page by page.
    ReadTable {
        job: JobId,
        of: TableOf,
    },
    /// What differs between the pod templates of two revisions, by the names of their objects.
    Compare {
        job: JobId,
        revisions: Compared,
    },
    /// Everything that changed lately, from every source of each of these clusters.
    ReadChanges {
        job: JobId,
        asked: Vec<Asked>,
    },
    /// Which digests the pods of these clusters run, in these of their namespaces; without any in all.
    ReadDigests {
        job: JobId,
        of: Vec<(ClusterId, Vec<Box<str>>)>,
    },
    /// What the pods of a workload use.
    Measure {
        job: JobId,
        of: WorkloadId,
        selector: Box<str>,
    },
    /// What the two sides of a canary measure.
    MeasureCanary {
        job: JobId,
        of: WorkloadId,
        sides: Box<Sides>,
    },
    /// The history of the Helm release of this name, beside the workload.
    ReadReleases {
        job: JobId,
        of: (WorkloadId, Box<str>),
    },
    /// Those of all these clusters together.
    ListNamespaces {
        job: JobId,
        clusters: Vec<ClusterId>,
    },
    /// Those of the kubeconfig.
    ListContexts {
        job: JobId,
    },
    AskPermission {
        cluster: ClusterId,
        namespace: Box<str>,
        kind: Kind,
    },
    Diagnose {
        job: JobId,
        clusters: Vec<ClusterId>,
    },
    /// Whether the record knows of actions that were interrupted, and what became of them.
    LookBack {
        cluster: ClusterId,
    },
    /// The newest actions of the release record.
    ReadRecord {
        job: JobId,
    },
    /// The end of a followed action, for the record.
    RecordOutcome {
        id: String,
        workload: WorkloadId,
        outcome: String,
        verified: bool,
    },
    /// What was confirmed with others, and why its turn never came, for the record.
    RecordNotBegun {
        plan: Box<Plan>,
        answers: Answers,
        verdicts: Vec<crate::plan::Verdict>,
        why: String,
    },
    /// Which of these are on the PATH.
    FindPrograms {
        job: JobId,
        programs: Vec<String>,
    },
    /// That another program had the terminal, for the record.
    RecordHandOver {
        handed: Box<HandOver>,
        ended: Ended,
    },
    /// Nobody waits for this job any more.
    Cancel {
        job: JobId,
    },
    /// Whoever looks elsewhere is to learn this. The terminal's part and the program's.
    Notify {
        about: String,
        how: Notify,
    },
    // The terminal's own:
    Copy {
        text: String,
    },
    /// Into a file of the state folder, and onto the clipboard.
    Save {
        document: Document,
    },
    Suspend,
    /// Gives the terminal to the cluster's login command.
    LogIn {
        cluster: ClusterId,
    },
    /// Gives the terminal to another program until that ends.
    HandOver(Box<HandOver>),
    Redraw,
    Quit,
}

/// What is to be known of one server's jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsWish {
    /// By its name in the configuration.
    pub server: Box<str>,
    /// Their full names.
    pub jobs: BTreeSet<Box<str>>,
    /// Somebody has builds on the screen, or waits for one.
    pub watched: bool,
}

/// One program that takes the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// `kubectl exec`.
    pub title: String,
    /// The program and its arguments.
    pub arguments: Vec<String>,
    pub wait: bool,
    pub cluster: ClusterId,
    pub namespace: Option<Box<str>>,
    /// `deploy/checkout`.
    pub object: String,
}

impl HandOver {
    /// As one would type it.
    pub fn line(&self) -> String {
        escape(&typed(&self.arguments)).into_owned()
    }
}

/// The rows of a plain table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOf {
    pub cluster: ClusterId,
    pub kind: ApiKind,
    /// Empty: all.
    pub namespaces: Vec<Box<str>>,
}

/// A command as one would type it.
pub fn typed(arguments: &[String]) -> String {
    let words: Vec<_> = arguments.iter().map(|word| shell_word(word)).collect();
    words.join(" ")
}

/// Where changes are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub cluster: ClusterId,
    /// Empty: every namespace.
    pub namespaces: Vec<Option<Box<str>>>,
    /// What this session saw itself, and no object tells any more.
    pub seen: Vec<Occurrence>,
}

/// From an older revision to a newer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub workload: WorkloadId,
    pub from: Box<str>,
    pub to: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum YamlOf {
    /// Of any kind.
    Object {
        cluster: ClusterId,
        kind: Box<ApiKind>,
        namespace: Box<str>,
        name: Box<str>,
    },
    Workload(WorkloadId),
    Pod {
        workload: WorkloadId,
        pod: Box<str>,
    },
    Revision {
        workload: WorkloadId,
        name: Box<str>,
    },
}

/// Which logs are read together, and how much of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogWish {
    pub workload: WorkloadId,
    /// Of the runs before the last restart; they have ended, so they are not followed.
    pub previous: bool,
    /// So many of the last lines of each at first.
    pub tail: u32,
    /// Only the last seconds.
    pub since: Option<u32>,
    pub streams: Vec<LogStream>,
}

/// The log of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStream {
    /// Names it in the lines.
    pub id: u32,
    pub pod: Box<str>,
    pub container: Box<str>,
    pub restarts: u32,
    /// It runs, as far as the cluster told: a log that ends all the same broke off.
    pub runs: bool,
}
