//! What a write would do, what was verified first, and how its end is known. Pure: nothing here asks or acts.

pub mod aftermath;
pub mod batch;
pub mod build;
pub mod check;
pub mod comparison;
mod difference;
pub mod evidence;
pub mod expected;
pub mod follow;
pub mod gate;
mod git;
pub mod hold;
pub mod image;
pub mod inverse;
pub mod kubectl;
mod meanwhile;
mod moved;
pub mod patch;
pub mod presence;
pub mod progress;
pub mod push;
pub mod request;
pub mod restore;
pub mod snapshot;
pub mod step;
pub mod verbs;

use jiff::Timestamp;

use crate::domain::{
    Failure, FailureKind, Fleet, Level, Phase, TemplateHash, Uid, Workload, WorkloadId,
};

pub use build::{BuildPlan, BuildProgress, BuildWish};
pub use check::{Ask, Check, CheckId, CheckState, Finding, Verdict};
pub use evidence::{
    Autoscaling, Beside, Digest, Evidence, FreshRevision, FreshSync, Helm, Keeper, Origin, Pinned,
    Releases, StableOf, Stamp,
};
pub use expected::Expected;
pub use follow::{Follow, Goal, Milestone, Scaled};
pub use gate::{Answers, Missing, Pass};
pub use image::{ImageAsk, ImagePlan, ImageProgress};
pub use presence::Presence;
pub use progress::Progress;
pub use request::{Request, Target, Verb};
pub use restore::{RestorePlan, ServicePlan};
pub use step::{By, ObjectRef, Runs, Step, When};

/// A write that a person can read before it happens. Bound to the uid and the pod template that were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub request: Request,
    /// Identity of the action: record, annotation and follow share it.
    pub stamp: Stamp,
    pub workload: WorkloadId,
    pub uid: Uid,
    pub phase: Phase,
    pub level: Level,
    pub from: Side,
    pub to: Side,
    /// What stands on both sides of the arrow.
    pub arrow: (String, String),
    /// The rule that chose the target: `most of its pods serve`. Empty when there was nothing to choose.
    pub rule: String,
    pub differences: Vec<Difference>,
    /// Findings that need no question, and the questions that preflight asks.
    pub checks: Vec<Check>,
    pub steps: Vec<Step>,
    /// What a person may add: `resume it as well`.
    pub offers: Vec<Offer>,
    pub goal: Goal,
    /// What happens to those who are served meanwhile: `5 of 6 keep serving`.
    pub meanwhile: String,
    /// How long it may take until it is verified, where its past tells.
    pub expected: Option<Expected>,
    /// What one would type without rolldeck.
    pub kubectl: String,
    /// When the reads were made that all this rests on.
    pub read_at: Timestamp,
}

/// One end of the arrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// 0: none was made of it yet.
    pub revision: u64,
    /// The name of the ReplicaSet or ControllerRevision.
    pub name: Box<str>,
    pub version: String,
    pub short_digest: Option<String>,
    pub template: TemplateHash,
}

impl Plan {
    /// One more check, in its place among the others.
    fn add(&mut self, check: Check) {
        let at = self.checks.partition_point(|other| other.id < check.id);
        self.checks.insert(at, check);
    }
}

impl Side {
    /// `2.14.1 (rev 38, 77c01d)`.
    pub fn label(&self) -> String {
        let revision = match self.revision {
            // Paused before a controller made one of its template.
            0 => "no revision yet".to_owned(),
            number => format!("rev {number}"),
        };
        let digest = self.short_digest.iter().map(|digest| format!(", {digest}"));
        format!(
            "{} ({revision}{})",
            self.version,
            digest.collect::<String>()
        )
    }
}

/// One line of what changes in the pod template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `image`, `env`, `resources`, `command`, or the path within the template.
    pub what: String,
    /// Values of environment variables are never in it.
    pub text: String,
}

/// Steps that are not part of the plan until a key adds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub id: OfferId,
    pub key: char,
    pub text: String,
    pub steps: Vec<Step>,
    /// They take the place of the plan's own steps, and do not follow them.
    pub replaces: bool,
    pub taken: bool,
    /// What its check says in place of its own verdict while it is taken.
    pub instead: Option<Box<Verdict>>,
    /// What it gives at once, without being part of the plan.
    pub document: Option<Box<Document>>,
    /// The verb whose plan it opens in place of this one.
    pub opens: Option<Verb>,
    /// The copy of an image whose plan it opens, and this one again after it.
    pub copies: Option<Box<image::Asked>>,
}

/// A text that a person takes along: into a file of the state folder, and on the clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Of the file.
    pub name: String,
    pub text: String,
}

impl Offer {
    pub fn new(id: OfferId, key: char, text: impl Into<String>, steps: Vec<Step>) -> Self {
        Self {
            id,
            key,
            text: text.into(),
            steps,
            replaces: false,
            taken: false,
            instead: None,
            document: None,
            opens: None,
            copies: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfferId {
    Resume,
    DeletePods,
    /// What keeps the workload as git has it is suspended first.
    SuspendSync,
    /// The same change for git, as a patch.
    GitPatch,
    /// The pod is deleted, not evicted.
    Delete,
    /// By the Helm release, with all that the chart keeps.
    Helm,
    /// The job that builds it is held first.
    HoldJob,
    /// To the end of a canary at once.
    Full,
    /// Into the registry that is pulled from, first.
    CopyImage,
}

impl OfferId {
    /// Before what the plan writes itself, because it would put that back.
    fn comes_first(self) -> bool {
        matches!(self, Self::SuspendSync | Self::HoldJob)
    }
}

impl Plan {
    /// The steps with those of the taken offers, in the order they are sent: what would put the rest back comes first.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let taken = |first: bool| {
            let offers = self
                .offers
                .iter()
                .filter(move |offer| offer.taken && offer.id.comes_first() == first);
            offers.flat_map(|offer| &offer.steps)
        };
        let replaced = self.offers.iter().any(|o| o.taken && o.replaces);
        let own: &[Step] = if replaced { &[] } else { &self.steps };
        taken(true).chain(own).chain(taken(false))
    }

    /// The offers that stand: what its registry has needs no copy.
    pub fn open_offers<'a>(&'a self, verdicts: &'a [Verdict]) -> impl Iterator<Item = &'a Offer> {
        let there = |v: &Verdict| v.check == CheckId::Image && v.finding == Finding::Ok;
        let offers = self.offers.iter();
        offers.filter(move |offer| offer.copies.is_none() || !verdicts.iter().any(there))
    }

    /// Takes an offer or leaves it.
    pub fn take(&mut self, id: OfferId, taken: bool) {
        let Some(offer) = self.offers.iter_mut().find(|offer| offer.id == id) else {
            return;
        };
        if offer.taken == taken {
            return;
        }
        offer.taken = taken;
        let Some(instead) = &mut offer.instead else {
            return;
        };
        let its = self.checks.iter_mut().find(|c| c.id == instead.check);
        if let Some(CheckState::Answered(verdict)) = its.map(|check| &mut check.state) {
            std::mem::swap(verdict, instead);
        }
    }

    /// Whether what becomes of the action can be followed from this step on.
    pub fn begins_at(&self, step: &Step) -> bool {
        match step {
            Step::SyncPatch { .. } => self.request.verb == Verb::ResumeSync,
            // What it wrote is known once the note is on it.
            Step::Helm { .. }
            | Step::Create { .. }
            | Step::Remove { .. }
            | Step::Hold { .. }
            | Step::Beside { .. }
            | Step::WhenAtRest { .. } => false,
            Step::After { object, .. } => object.is(&self.workload),
            Step::JsonPatch { .. }
            | Step::StatusPatch { .. }
            | Step::DeletePod { .. }
            | Step::Note { .. } => true,
        }
    }

    /// The number of a step among those on the workload and its pods.
    pub fn number(&self, n: usize) -> usize {
        let before = self.all_steps().take(n);
        before.filter(|step| !step.is_beside()).count()
    }

    /// How many replicas there were, for a plan that writes another number.
    pub fn replicas_before(&self) -> Option<u32> {
        match (&self.goal.scaled, &self.request.target) {
            (Some(Scaled::To(_)), Target::Replicas { shown, .. }) => Some(*shown),
            _ => None,
        }
    }

    /// How long it may take, and what happens to those who are served meanwhile.
    pub fn outlook(&self) -> String {
        match &self.expected {
            Some(expected) => format!("{}; {}", expected.words(), self.meanwhile),
            None => self.meanwhile.clone(),
        }
    }

    /// Whether `now`, a later read, has the `n`th step in it.
    pub fn applied(&self, n: usize, now: &Workload) -> bool {
        if let Some(turned) = self
            .goal
            .turned
            .as_ref()
            .filter(|_| self.goal.template.is_some())
        {
            let verb = self.request.verb;
            let canary = now.canary.as_ref();
            let done = match self.number(n) {
                0 => canary.is_some_and(|canary| follow::is_done(verb, turned, canary)),
                _ => !now.paused,
            };
            return now.uid == self.uid && done;
        }
        let done = match self.number(n) {
            0 => now.is_noted(&self.stamp.id),
            _ if self.goal.scaled.is_some() => now.is_noted(&self.stamp.id),
            // A patch after the first is the resume.
            _ => !now.paused,
        };
        now.uid == self.uid && done
    }
}

/// Why there is no plan. Not an error of ours: a sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub failure: Failure,
    /// The object moved since it was shown; the fresh state is worth a new plan.
    pub moved: bool,
}

impl Refusal {
    fn say(sentence: String) -> Self {
        Self::still(Failure::new(FailureKind::Refused, sentence))
    }

    fn still(failure: Failure) -> Self {
        Self {
            failure,
            moved: false,
        }
    }

    #[allow(clippy::needless_pass_by_value)] // handed to map_err
    fn unreadable(error: serde_json::Error) -> Self {
        Self::still(Failure::new(
            FailureKind::Internal,
            format!("A pod template that the server sent cannot be read: {error}."),
        ))
    }
}

/// What the request would do, from fresh reads. `fleet` helps to name what was shown before, and what went out with it.
///
/// # Errors
/// A sentence for the person, and whether the object moved since it was shown.
pub fn plan(fleet: &Fleet, evidence: &Evidence, now: Timestamp) -> Result<Plan, Refusal> {
    moved::refuse(fleet, evidence, now)?;
    verbs::canary::flagger::target::refuse(evidence)?;
    let verb = evidence.request.verb;
    verbs::canary::can::refuse(&evidence.workload, verb)?;
    verbs::canary::pair::meant(evidence)?;
    let mut plan = match verbs::canary::flagger::plan(fleet, evidence) {
        Some(own) => own,
        None => verbs::canary::by_hand::plan(fleet, evidence, now)
            .unwrap_or_else(|| of_verb(fleet, evidence, now)),
    }?;
    if let Some(check) = check::metrics::check(evidence) {
        plan.add(check);
    }
    let held = check::hold::verdicts(verb, &evidence.holds, evidence.read_at);
    plan.checks.extend(held.into_iter().map(|verdict| Check {
        id: verdict.check,
        state: CheckState::Answered(verdict),
    }));
    let told = [
        check::controller::verdict(fleet, evidence),
        verbs::canary::flagger::verdict(evidence),
    ];
    plan.checks
        .extend(told.into_iter().flatten().map(Check::from));
    verbs::canary::flagger::bind(&mut plan, evidence);
    let others = evidence.presence.as_ref();
    let others = others.filter(|presence| presence.action != evidence.stamp.id);
    plan.checks.extend(others.map(|presence| {
        presence
            .verdict(&evidence.workload.id, evidence.read_at)
            .into()
    }));
    if let Some(job) = evidence
        .job
        .clone()
        .filter(|_| check::builds::concern(verb))
    {
        plan.offers.extend(hold::offer(evidence, &job));
        plan.add(Check {
            id: CheckId::Builds,
            state: CheckState::Asking(Ask::Builds(job)),
        });
    }
    plan.expected = expected::of(evidence, &plan).filter(|_| plan.goal.turned.is_none());
    plan.goal.expected = plan.expected.map(|expected| expected.seconds);
    Ok(plan)
}

/// As the verb says, whatever moves the workload.
fn of_verb(fleet: &Fleet, evidence: &Evidence, now: Timestamp) -> Result<Plan, Refusal> {
    match evidence.request.verb {
        Verb::Rollback => verbs::rollback::plan(fleet, evidence, now),
        Verb::Pause => verbs::pause::plan(evidence),
        Verb::Resume => verbs::resume::plan(evidence),
        Verb::Restart => verbs::restart::plan(evidence),
        Verb::Scale => verbs::scale::plan(evidence),
        Verb::SetImage => verbs::set_image::plan(evidence, now),
        Verb::ResumeSync => verbs::resume_sync::plan(evidence),
        Verb::DeletePod => verbs::delete_pod::plan(evidence),
        Verb::HelmRollback => verbs::helm_rollback::plan(evidence),
        Verb::Promote => verbs::canary::promote(evidence),
        Verb::PromoteFull => verbs::canary::full::plan(evidence),
        Verb::Abort => verbs::canary::abort(evidence),
        Verb::Retry => verbs::canary::retry::plan(evidence),
        Verb::SetWeight => Err(verbs::canary::by_hand::no_weight(evidence)),
        Verb::PromoteImage => verbs::promotion::plan(evidence, now),
    }
}
