//! Everything the screen shows and the keys act on. Plain data: `Clone`, `PartialEq`, `Debug`.

pub mod matrix;
mod measuring;
pub mod overlay;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::config::{
    Display, FolderRule, Jenkins, Namespaces, Notify, Program, Prometheus, Repository,
};
use crate::domain::build;
use crate::domain::canary::At;
use crate::domain::chain::Newest;
use crate::domain::occurrence::Report;
use crate::domain::release_record::{Action, HandedOver, Page};
use crate::domain::{
    ApiKind, Chain, ClusterId, Environment, Fleet, Health, Hold, Known, Level, Occurrence,
    SourceId, Standing, TemplateHash, Uid, WorkloadId,
};
use crate::plan::aftermath::Interrupted;
use crate::plan::{Follow, Goal, Plan};

use super::clusters::ClusterState;
use super::effect::JobsWish;
use super::event::{Diagnosis, Document, JobId};
use super::field::Field;
use super::keymap::Keymap;
use super::logs::LogScreen;
use super::table::TableScreen;

pub use matrix::MatrixScreen;
pub use measuring::{CanaryMeasuring, Measuring};
pub use overlay::{
    About, BatchBox, BatchRow, BuildBox, BuildStage, HandOverMenu, ImageBox, ImageStage, Making,
    Overlay, Picked, PlanBox, Question, ReasonField, Stage,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The clock of the first cluster, when ours is more than a few seconds off; others: [`Model::clock_of`].
    pub now: Timestamp,
    pub width: u16,
    pub height: u16,
    pub settings: Settings,
    /// In the order in which they were asked for; never empty.
    pub clusters: Vec<ClusterState>,
    pub view: View,
    /// Bumped by every change of any scope.
    pub epoch: u64,
    pub sources: BTreeMap<SourceId, SourceState>,
    pub fleet: Fleet,
    /// What stands before the cluster.
    pub chain: Chain,
    pub board: Board,
    /// What lies over the board, outermost last.
    pub screens: Vec<Screen>,
    /// Several services and one verb; it goes on while its box is closed.
    pub batch: Option<Box<BatchBox>>,
    /// Images that are made from here, the last of each service.
    pub makings: BTreeMap<WorkloadId, Making>,
    /// What lies over the screen and takes the keys.
    pub overlay: Option<Overlay>,
    /// Actions whose end is not known yet, and those that just ended.
    pub follows: Vec<Following>,
    /// Actions of earlier sessions that were interrupted, until the record is opened.
    pub interrupted: Vec<Interrupted>,
    pub arming: Option<Armed>,
    pub notice: Option<Notice>,
    /// Which kinds each cluster serves, once that was asked for.
    pub kinds: BTreeMap<ClusterId, Known<Vec<ApiKind>>>,
    pub next_job: u64,
    /// Writes on their way: their box may be closed meanwhile.
    pub executions: Vec<Execution>,
    /// Actions whose end was said and recorded in this session.
    pub ended: BTreeSet<String>,
    /// Workloads that went away while somebody watched, the newest last.
    pub deletions: VecDeque<Occurrence>,
    /// The wish list that was sent last.
    pub watched: Vec<SourceId>,
    /// The jobs that were last asked for.
    pub jobs_watched: Vec<JobsWish>,
    /// The images that are looked for in the background, and when that was last thought over.
    pub images_watched: (Vec<Box<str>>, Option<Timestamp>),
    /// What `settle` has to make good.
    pub work: Work,
    /// A command that waits until there is something to run it on; a key is quicker, and takes its place.
    pub command: Option<String>,
    /// What all visible ages say, as one number: a tick that leaves it as it is paints nothing.
    pub ages: u64,
    /// The screen no longer shows what the model says.
    pub dirty: bool,
}

/// What changed since the rows of the board were made.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Work {
    /// Rows stand where they stood though their order is another: since when.
    pub untidy: Option<Timestamp>,
    /// Workloads whose standing may have changed.
    pub touched: BTreeSet<WorkloadId>,
    /// The filter or the order: every row has to be looked at again.
    pub all_rows: bool,
    /// The wish list may be another.
    pub wishes: bool,
}

/// A plan that passed the gate and was handed to the engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    pub job: JobId,
    pub plan: Box<Plan>,
}

/// What the person set, for all that it shows and does.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub display: Display,
    pub readonly: bool,
    /// As the command line and the config ask for them.
    pub namespaces: Namespaces,
    pub environments: Vec<Environment>,
    /// Through which of them a version goes, one after the other; empty: through all, in their order.
    pub way: Vec<String>,
    /// The label of workloads whose value is what a service is called.
    pub service_label: Option<String>,
    pub holds: Vec<Hold>,
    /// The servers that build.
    pub jenkins: Vec<Jenkins>,
    /// What measures canaries.
    pub prometheus: Vec<Prometheus>,
    /// The folders that services are built from.
    pub builds: Vec<FolderRule>,
    /// Where sources lie.
    pub repositories: Vec<Repository>,
    pub keymap: Keymap,
    /// Other names for commands of the palette.
    pub aliases: BTreeMap<String, String>,
    /// What the terminal can be handed to.
    pub programs: Vec<Program>,
    /// The file that `--kubeconfig` named.
    pub kubeconfig: Option<String>,
    pub verify_seconds: u32,
    pub notify: Notify,
    /// Of several actions that were confirmed together so many are under way at a time.
    pub at_once: usize,
    /// The images of past revisions are looked for while nobody asks.
    pub verify_images: bool,
    pub log_file: String,
    pub record_file: String,
    /// The clusters that were asked for at the start.
    pub clusters: Vec<ClusterId>,
    /// What is wrong with the settings file, while others are in force.
    pub broken: Option<String>,
}

/// What was asked for, whatever became of it in each cluster.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    pub asked: Namespaces,
    /// The one environment that is shown alone.
    pub environment: Option<String>,
    /// Namespaces seen in this session, sorted, for the picker.
    pub known: Vec<Box<str>>,
    /// Those that were on the board alone, for the number keys: the first stays 1.
    pub favourites: Vec<Box<str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SourceState {
    pub health: Health,
    pub synced: bool,
    /// When anything was last heard.
    pub contact: Option<Timestamp>,
    pub undecodable: usize,
}

/// The home screen. `rows` is made by `settle`, sorted and filtered.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a switch of its own
pub struct Board {
    pub rows: Vec<Row>,
    /// By uid: rows may move, the selection never changes object.
    pub cursor: Option<(WorkloadId, Uid)>,
    /// Where the cursor's row was at the last `settle`: its neighbour takes over when it goes.
    pub at: usize,
    /// A key was pressed: the cursor belongs to the person and no longer follows the worst row.
    pub held: bool,
    pub offset: usize,
    /// Rows that the filters hide.
    pub hidden_rows: BTreeMap<WorkloadId, Row>,
    /// The services that a verb is meant for together, by uid.
    pub marks: BTreeMap<WorkloadId, Uid>,
    pub filter: Field,
    pub filtering: bool,
    pub sort: Sort,
    pub only_trouble: bool,
    pub wide: bool,
    /// How many rows the filters hide.
    pub hidden: usize,
    pub tally: Tally,
}

/// How many services stand how, before filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub services: usize,
    pub stalled: usize,
    pub canary: usize,
    pub rolling: usize,
    pub degraded: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Worst first, then the name.
    #[default]
    Trouble,
    Name,
    Changed,
    Version,
    Namespace,
    /// In the order of the config.
    Environment,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub id: WorkloadId,
    pub uid: Uid,
    /// What people call it, when not as its workload.
    pub service: Option<Box<str>>,
    /// What a plan means by "as it was shown".
    pub template: TemplateHash,
    /// The environment's name, when the config names one.
    pub environment: Option<String>,
    /// The environment's place in the config; those without one come last.
    pub order: usize,
    pub version: String,
    /// What it comes from, while a rollout is under way.
    pub from_version: Option<String>,
    pub standing: Standing,
    /// How far it is, when it stops part-way on purpose.
    pub canary: Option<At>,
    pub available: u32,
    pub desired: u32,
    pub changed: Option<Timestamp>,
    /// An action of ours is followed on it.
    pub followed: bool,
    /// How that stands which keeps it as git has it, where that is known and needs a word.
    pub sync: Option<SyncWord>,
    /// The job that builds it, and what is known of that.
    pub build: Option<RowBuild>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowBuild {
    pub job: build::JobId,
    /// `None`: its server told nothing of it.
    pub newest: Option<Newest>,
    /// Since when its builds fail.
    pub red_since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncWord {
    /// By a rolldeck, whose note is on it.
    Suspended,
    OutOfSync,
    Failing,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Screen {
    Service(ServiceScreen),
    Logs(Box<LogScreen>),
    /// Yaml, a comparison of revisions, or the events of one service.
    Text(TextScreen),
    Doctor(DoctorScreen),
    /// Objects of one kind.
    Table(Box<TableScreen>),
    Record(RecordScreen),
    Changes(Box<ChangesScreen>),
    Matrix(Box<MatrixScreen>),
    Builds(BuildsScreen),
}

/// The builds of the job that makes one service.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildsScreen {
    pub workload: WorkloadId,
    pub uid: Uid,
    pub job: build::JobId,
    /// The last question for its newest builds.
    pub request: JobId,
    /// The number of the marked build; the newest until a key moves it.
    pub marked: Option<u32>,
    pub offset: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ServiceScreen {
    pub workload: WorkloadId,
    pub uid: Uid,
    /// The marked revision, by the name of its object.
    pub revision: Option<Box<str>>,
    /// The marked pod.
    pub pod: Option<Box<str>>,
    pub pane: Pane,
    pub offset: usize,
    pub usage: Measuring,
    pub canary: Box<CanaryMeasuring>,
    /// What registries were asked about while it is open.
    pub images: Vec<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    #[default]
    History,
    Pods,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TextScreen {
    pub title: String,
    pub kind: TextKind,
    pub document: Known<Document>,
    pub job: JobId,
    pub offset: usize,
    pub search: Search,
}

/// A search in what is read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Search {
    pub field: Field,
    /// The field takes the keys.
    pub open: bool,
}

/// The history of the Helm release that a workload is a part of.
#[derive(Debug, Clone, PartialEq)]
pub struct Releases {
    pub workload: WorkloadId,
    pub name: Box<str>,
    /// Newest first, one below the other under the titles.
    pub revisions: Vec<u32>,
    /// The one that is gone back to.
    pub marked: Option<u32>,
}

impl Releases {
    /// The line of the marked one.
    pub fn line(&self) -> Option<usize> {
        let marked = self.marked?;
        let at = self.revisions.iter().position(|one| *one == marked)?;
        Some(at + 1)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum TextKind {
    Yaml(super::effect::YamlOf),
    Description(super::effect::YamlOf),
    Comparison {
        revisions: super::effect::Compared,
        /// So many lines it has; below them stand the commits.
        whole: usize,
    },
    /// Made from the fleet's warnings.
    Events(WorkloadId),
    Releases(Releases),
    /// Made from the record on the screen below.
    Action {
        id: String,
        workload: WorkloadId,
    },
    /// What is known of one change.
    Occurrence(Option<WorkloadId>),
    /// The log of a build, which grows while that runs.
    BuildLog(build::BuildId, WorkloadId),
    /// How an image is made, which grows as well.
    Making(WorkloadId),
}

#[derive(Debug, Clone, PartialEq)]
pub struct DoctorScreen {
    pub job: JobId,
    pub findings: Vec<Diagnosis>,
    pub done: bool,
    pub offset: usize,
}

/// What was done, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordScreen {
    pub job: JobId,
    pub page: Known<Page>,
    /// What fits the filter, newest first.
    pub rows: Vec<Recorded>,
    /// The marked one, by its key: rows move when one more is done.
    pub marked: Option<String>,
    pub offset: usize,
    pub filter: Field,
    pub filtering: bool,
}

/// What changed: every source's lines in one list.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangesScreen {
    pub job: JobId,
    /// The service that it is about; all that is on the board without one.
    pub service: Option<WorkloadId>,
    /// What each cluster told, each alone.
    pub tellings: BTreeMap<ClusterId, Telling>,
    /// When the last of them was complete.
    pub read_at: Option<Timestamp>,
    /// When the trouble began; the newest lines come first without it.
    pub began: Option<Began>,
    /// The moment is being typed.
    pub moment: Option<Field>,
    pub filter: Field,
    pub filtering: bool,
    /// The marked line; the first until a key moves it.
    pub marked: Option<Occurrence>,
    pub offset: usize,
}

/// What one cluster told of its changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Telling {
    pub report: Report,
    /// What stood there before it is read again: a source that fails now keeps its lines.
    pub last: Option<Report>,
    /// Why nothing was read at all.
    pub failed: Option<String>,
    /// Nothing more comes.
    pub done: bool,
}

/// The moment that changes are looked for before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Began {
    pub at: Timestamp,
    /// The service whose trouble it is; typed by the person without one.
    pub service: Option<WorkloadId>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Following {
    pub goal: Goal,
    pub state: Follow,
    /// Its box is open over the screen; else a key opens it.
    pub open: bool,
    /// Found from an annotation, not started in this session.
    pub resumed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Armed {
    /// Moved on by every key.
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub text: String,
    pub bad: bool,
    pub until: Timestamp,
}

impl Row {
    /// The name in the SERVICE column.
    pub fn name(&self) -> &str {
        self.service.as_deref().unwrap_or(&self.id.name)
    }
}

/// What stands in a row of the record, by its place on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    Action(usize),
    HandedOver(usize),
}

/// The same, looked up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry<'a> {
    /// And whether a living process carries it out.
    Action(&'a Action, bool),
    HandedOver(&'a HandedOver),
}

impl Entry<'_> {
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Action(action, _) => action.sending.at,
            Self::HandedOver(handed) => handed.at,
        }
    }

    /// The id of an action; of what has none its time and its place.
    pub fn key(&self) -> String {
        match self {
            Self::Action(action, _) => action.sending.id.clone(),
            Self::HandedOver(handed) => format!("{} {}", handed.at, handed.object),
        }
    }
}

impl RecordScreen {
    pub fn entry(&self, row: usize) -> Option<Entry<'_>> {
        self.look_up(*self.rows.get(row)?)
    }

    pub fn look_up(&self, recorded: Recorded) -> Option<Entry<'_>> {
        let page = self.page.value()?;
        Some(match recorded {
            Recorded::Action(at) => {
                let action = page.actions.get(at)?;
                Entry::Action(action, page.under_way.contains(&action.sending.id))
            }
            Recorded::HandedOver(at) => Entry::HandedOver(page.handed.get(at)?),
        })
    }

    /// The row of the marked one.
    pub fn at(&self) -> usize {
        let marked = |row: &usize| {
            let entry = self.entry(*row);
            entry.is_some_and(|entry| Some(entry.key()) == self.marked)
        };
        (0..self.rows.len()).find(marked).unwrap_or(0)
    }
}

impl ChangesScreen {
    /// Of all clusters, in no order.
    pub fn occurrences(&self) -> Vec<&Occurrence> {
        let reports = self.tellings.values().map(|telling| &telling.report);
        reports.flat_map(|report| &report.occurrences).collect()
    }

    /// What is not in the list, one sentence each, with the cluster where there are several.
    pub fn gaps(&self) -> Vec<String> {
        let several = self.tellings.len() > 1;
        let of = |(id, telling): (&ClusterId, &Telling)| {
            let failed = telling.failed.iter().cloned();
            let gaps = failed.chain(telling.report.gaps());
            let named = gaps.map(|gap| if several { format!("{id}: {gap}") } else { gap });
            named.collect::<Vec<_>>()
        };
        self.tellings.iter().flat_map(of).collect()
    }
}

impl Board {
    /// Below the rows stands what narrows them, and how many are marked.
    pub fn has_last_line(&self) -> bool {
        let filter = self.filtering || !self.filter.value().is_empty() || self.only_trouble;
        filter || !self.marks.is_empty()
    }

    /// The row of a workload, hidden or not, as `settle` made it.
    pub fn row(&self, id: &WorkloadId) -> Option<&Row> {
        let visible = self.rows.iter().find(|row| row.id == *id);
        visible.or_else(|| self.hidden_rows.get(id))
    }
}

impl Model {
    /// How careful one is with this workload.
    pub fn level(&self, id: &WorkloadId) -> Level {
        self.environment(id)
            .map_or(Level::Guarded, |e| e.protection)
    }

    /// Something of the cluster was ever seen.
    pub fn heard(&self) -> bool {
        self.sources.values().any(|state| state.contact.is_some())
    }

    /// Its place in the config; after all of them when there is none.
    pub fn environment_order(&self, id: &WorkloadId) -> usize {
        let all = &self.settings.environments;
        all.iter().position(|e| e.holds(id)).unwrap_or(all.len())
    }

    pub fn environment(&self, id: &WorkloadId) -> Option<&Environment> {
        self.settings.environments.iter().find(|e| e.holds(id))
    }
}
