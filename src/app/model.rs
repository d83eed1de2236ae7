//! Everything the screen shows and the keys act on. Plain data: `Clone`, `PartialEq`, `Debug`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::config::{Display, Namespaces, Program};
use crate::domain::release_record::{Action, Page};
use crate::domain::{
    ClusterId, Container, Environment, Failure, Fleet, Health, Hold, Known, Level, SourceId,
    Standing, TemplateHash, Uid, WorkloadId,
};
use crate::plan::batch::Batch;
use crate::plan::{Answers, Follow, Goal, Plan, Request, Verb, Verdict};

use super::clusters::ClusterState;
use super::event::{Diagnosis, Document, JobId};
use super::field::Field;
use super::handover::{Offer, Subject};
use super::keymap::Keymap;
use super::logs::LogScreen;

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
    pub board: Board,
    /// What lies over the board, outermost last.
    pub screens: Vec<Screen>,
    /// Several services and one verb; it goes on while its box is closed.
    pub batch: Option<Box<BatchBox>>,
    /// What lies over the screen and takes the keys.
    pub overlay: Option<Overlay>,
    /// Actions whose end is not known yet, and those that just ended.
    pub follows: Vec<Following>,
    pub arming: Option<Armed>,
    pub notice: Option<Notice>,
    pub next_job: u64,
    /// Writes on their way: their box may be closed meanwhile.
    pub executions: Vec<Execution>,
    /// Actions whose end was said and recorded in this session.
    pub ended: BTreeSet<String>,
    /// The wish list that was sent last.
    pub watched: Vec<SourceId>,
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
    pub environments: Vec<Environment>,
    /// The label of workloads whose value is what a service is called.
    pub service_label: Option<String>,
    pub holds: Vec<Hold>,
    pub keymap: Keymap,
    /// Other names for commands of the palette.
    pub aliases: BTreeMap<String, String>,
    /// What the terminal can be handed to.
    pub programs: Vec<Program>,
    /// The file that `--kubeconfig` named.
    pub kubeconfig: Option<String>,
    pub verify_seconds: u32,
    /// Of several actions that were confirmed together so many are under way at a time.
    pub at_once: usize,
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
    pub version: String,
    /// What it comes from, while a rollout is under way.
    pub from_version: Option<String>,
    pub standing: Standing,
    pub available: u32,
    pub desired: u32,
    pub changed: Option<Timestamp>,
    /// An action of ours is followed on it.
    pub followed: bool,
    /// How that stands which keeps it as git has it, where that is known and needs a word.
    pub sync: Option<SyncWord>,
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
    Record(RecordScreen),
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

#[derive(Debug, Clone, PartialEq)]
pub enum TextKind {
    Yaml(super::effect::YamlOf),
    Comparison(super::effect::Compared),
    /// Made from the fleet's warnings.
    Events(WorkloadId),
    /// Of the Helm release of this name.
    Releases(WorkloadId, Box<str>),
    /// Made from the record on the screen below.
    Action {
        id: String,
        workload: WorkloadId,
    },
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
    /// The actions that fit the filter, by their places on the page.
    pub rows: Vec<usize>,
    /// The marked action, by its id: rows move when one more is done.
    pub marked: Option<String>,
    pub offset: usize,
    pub filter: Field,
    pub filtering: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    Help {
        offset: usize,
    },
    Palette {
        field: Field,
        selected: usize,
    },
    Namespaces {
        job: JobId,
        field: Field,
        selected: usize,
        names: Known<Vec<String>>,
    },
    Plan(Box<PlanBox>),
    /// The box of several.
    Batch,
    /// A sort letter is awaited.
    SortKey,
    HandOver(Box<HandOverMenu>),
}

/// Which program is to have the terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct HandOverMenu {
    pub subject: Subject,
    pub offers: Vec<Offer>,
    pub selected: usize,
    /// What the selected one needs is being typed.
    pub asking: Option<Field>,
    pub job: JobId,
    /// Programs that are not on the PATH.
    pub missing: Vec<String>,
}

/// A plan on its way from the key to the write.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanBox {
    pub workload: WorkloadId,
    pub job: JobId,
    /// What was asked for; read again with the same when the object moved.
    pub request: Request,
    pub stage: Stage,
    pub answers: Answers,
    /// The service's name, once `y` opened the field.
    pub name: Option<Field>,
    pub reason: Option<ReasonField>,
    pub offset: usize,
    /// The object moved while the plan was shown: what moved, above the new plan.
    pub moved: Option<String>,
    /// A sentence about the last key: `not yet: the dry run has not answered`.
    pub said: Option<String>,
}

/// A plan of rows, from the key to the last of them.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchBox {
    pub verb: Verb,
    pub rows: Vec<BatchRow>,
    /// Where the cursor is.
    pub at: usize,
    /// The plan of that row is open.
    pub detail: bool,
    /// Asked once, for all of them.
    pub question: Option<Question>,
    pub answers: Answers,
    /// The number of services, once `y` opened the field.
    pub word: Option<Field>,
    pub reason: Option<ReasonField>,
    pub said: Option<String>,
    /// How it goes on, once it was confirmed: a state for each row.
    pub run: Option<Batch>,
    /// Those that a key left out before that.
    pub left_out: Vec<WorkloadId>,
}

/// One of several plans.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRow {
    pub shown: PlanBox,
    pub left_out: bool,
}

/// A reason is being typed.
#[derive(Debug, Clone, PartialEq)]
pub struct ReasonField {
    pub field: Field,
    /// It overrides a block, and may not be empty.
    pub overrides: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// Nothing is read yet: the person says what to.
    Asking(Question),
    Gathering {
        since: Timestamp,
    },
    Refused {
        failure: Failure,
    },
    Shown {
        plan: Box<Plan>,
        verdicts: Vec<Verdict>,
        asked: Timestamp,
    },
    Executing {
        plan: Box<Plan>,
        verdicts: Vec<Verdict>,
        step: usize,
        /// What the step waits for before it is sent.
        waiting: Option<String>,
    },
    /// The answer was lost.
    Unknown {
        plan: Box<Plan>,
        why: String,
    },
}

/// What a verb has to know before it plans.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub field: Field,
    pub about: About,
}

#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// How many, where so many are asked for and so many serve.
    Replicas { shown: u32, serve: u32 },
    Image {
        /// The main one first.
        containers: Vec<Container>,
        /// Whose image it is.
        at: usize,
        /// Other images that it had, newest first.
        known: Vec<Box<str>>,
        /// The one of them that the arrows put into the field.
        chosen: Option<usize>,
    },
    /// So many for each of several.
    Each,
    /// A tag for each of several.
    Tag,
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

impl PlanBox {
    /// One of its fields takes the keys.
    pub fn typing(&self) -> bool {
        self.name.is_some() || self.reason.is_some() || matches!(self.stage, Stage::Asking(_))
    }
}

impl Row {
    /// The name in the SERVICE column.
    pub fn name(&self) -> &str {
        self.service.as_deref().unwrap_or(&self.id.name)
    }
}

impl RecordScreen {
    /// The action in a row, and whether a living process carries it out.
    pub fn action(&self, row: usize) -> Option<(&Action, bool)> {
        let page = self.page.value()?;
        let action = page.actions.get(*self.rows.get(row)?)?;
        Some((action, page.under_way.contains(&action.sending.id)))
    }

    /// The row of the marked action.
    pub fn at(&self) -> usize {
        let marked = |row: &usize| {
            let action = self.action(*row);
            action.is_some_and(|(action, _)| Some(&action.sending.id) == self.marked.as_ref())
        };
        (0..self.rows.len()).find(marked).unwrap_or(0)
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

    pub fn environment(&self, id: &WorkloadId) -> Option<&Environment> {
        self.settings.environments.iter().find(|e| e.holds(id))
    }
}
