//! What lies over the screen and takes the keys: help, palette, pickers, menus, and plans on their way to the write.

use jiff::Timestamp;

use crate::app::event::JobId;
use crate::app::field::Field;
use crate::app::handover::{Offer, Subject};
use crate::app::image_picker::ImagePicker;
use crate::domain::build::Parameter;
use crate::domain::{Failure, Known, WorkloadId};
use crate::plan::batch::Batch;
use crate::plan::image::ImageLog;
use crate::plan::{
    Answers, BuildProgress, BuildWish, ImageAsk, ImagePlan, ImageProgress, Plan, Request, Verb,
    Verdict,
};

#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    Help {
        offset: usize,
    },
    Palette {
        field: Field,
        selected: usize,
    },
    Picker {
        of: Picked,
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
    Build(Box<BuildBox>),
    Image(Box<ImageBox>),
}

/// An image to be built from a folder, until the work begins.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageBox {
    pub job: JobId,
    pub ask: ImageAsk,
    /// The plan that it is made for, which is opened again after it.
    pub back: Option<Request>,
    pub stage: ImageStage,
    pub answers: Answers,
    /// The service's name, once `y` opened the field.
    pub name: Option<Field>,
    pub reason: Option<ReasonField>,
    /// A sentence about the last key.
    pub said: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ImageStage {
    /// The folder, git, the engine and the registry are asked.
    Reading,
    Refused(Failure),
    Shown(Box<ImagePlan>),
}

impl ImageBox {
    /// One of its fields takes the keys.
    pub fn typing(&self) -> bool {
        self.name.is_some() || self.reason.is_some()
    }
}

/// An image that is made, or was: its box is closed, and its log may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Making {
    pub job: JobId,
    pub plan: Box<ImagePlan>,
    pub log: ImageLog,
    pub end: Option<ImageProgress>,
    /// The plan that it is made for, until that was opened again.
    pub back: Option<Request>,
}

/// A build to be started or stopped, from the key to what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildBox {
    pub job: JobId,
    pub wish: BuildWish,
    /// What the job asks for, and what is given.
    pub fields: Vec<(Parameter, Field)>,
    /// The one that takes the keys.
    pub at: usize,
    pub stage: BuildStage,
    pub answers: Answers,
    /// The service's name, once `y` opened the field.
    pub name: Option<Field>,
    /// A sentence about the last key.
    pub said: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum BuildStage {
    /// What the job asks for is not known yet.
    Reading,
    /// The parameters are being typed.
    Filling,
    /// All is said, and nothing is asked.
    Ready,
    /// On its way to the server.
    Asked,
    Went(BuildProgress),
}

impl BuildBox {
    /// One of its fields takes the keys.
    pub fn typing(&self) -> bool {
        self.stage == BuildStage::Filling || self.name.is_some()
    }
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

/// What a picker is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picked {
    Namespace,
    /// One kubeconfig context, or several with commas.
    Context,
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
    /// So many of them are under way at a time.
    pub at_once: usize,
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
    /// That its turn never came is on record.
    pub noted: bool,
}

/// A reason is being typed.
#[derive(Debug, Clone, PartialEq)]
pub struct ReasonField {
    pub field: Field,
    /// It overrides a block, and may not be empty.
    pub overrides: bool,
}

impl ReasonField {
    /// Into the answers.
    ///
    /// # Errors
    /// It overrides, and there is none.
    pub fn give(&self, answers: &mut Answers) -> Result<(), &'static str> {
        let words = self.field.value().trim().to_owned();
        match (self.overrides, words.is_empty()) {
            (false, empty) => answers.reason = (!empty).then_some(words),
            (true, true) => return Err("an override needs a reason: it goes into the record"),
            (true, false) => answers.override_reason = Some(words),
        }
        Ok(())
    }
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
    Replicas {
        shown: u32,
        serve: u32,
    },
    Image(Box<ImagePicker>),
    /// So many for each of several.
    Each,
    /// A tag for each of several.
    Tag,
    /// So much of a hundred for a canary.
    Weight,
}

impl PlanBox {
    /// One of its fields takes the keys.
    pub fn typing(&self) -> bool {
        self.name.is_some() || self.reason.is_some() || matches!(self.stage, Stage::Asking(_))
    }
}
