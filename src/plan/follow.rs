//! How the end of an action is known: a fold over what the feeds bring, and nothing else.

use jiff::{SignedDuration, Timestamp};

use crate::domain::standing::Reason;
use crate::domain::template::CanonicalHash;
use crate::domain::version::version;
use crate::domain::{
    ActionNote, Container, Fleet, Kind, Phase, Pod, Revision, TemplateHash, Truth, Uid, Why,
    Workload, WorkloadId,
};
use crate::plan::Verb;
use crate::plan::verbs::resume_sync::is_on;
use crate::text;

mod canary;
mod held;
mod helm;
mod pod;
mod released;
mod sight;

pub use canary::{Turned, is_done};
pub use held::{Held, partition};
pub use pod::Gone;

use sight::Sight;

/// Seconds that every pod must have been ready for before an action counts as verified.
pub const READY_FOR: u32 = 30;

/// What must be true before an action counts as verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    pub verb: Verb,
    /// The release record's id.
    pub id: String,
    pub workload: WorkloadId,
    pub uid: Uid,
    pub from_version: String,
    pub to_version: String,
    /// Of the template that was written, or left as it is.
    pub to: CanonicalHash,
    /// The template that the action leaves as it is; of one that writes a template our note tells.
    pub template: Option<TemplateHash>,
    /// The first generation of the object that has the write in it: older news does not speak of it yet.
    pub generation: i64,
    /// The target revision's object (its name stays when the controller re-uses it).
    pub revision_name: Box<str>,
    /// The images that every pod must run.
    pub containers: Box<[Container]>,
    pub accepted: Timestamp,
    pub by: String,
    /// Seconds that every pod must have been ready for.
    pub ready_for: u32,
    /// What it did to the number of replicas.
    pub scaled: Option<Scaled>,
    /// Seconds from its acceptance that it may take, where its past tells.
    pub expected: Option<u32>,
    /// The pod that it takes away.
    pub gone: Option<Gone>,
    /// The canary that it promotes or aborts.
    pub turned: Option<Turned>,
    /// What held the canary without a controller that it lets go on.
    pub held: Option<Held>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaled {
    To(u32),
    /// The bounds of its autoscaler, which decides within them.
    Between(u32, u32),
}

impl Goal {
    /// The server took the write. From here on news of the object can be told from older news.
    pub fn accept(&mut self, at: Timestamp, generation: Option<i64>) {
        self.accepted = at;
        self.generation = generation.unwrap_or(self.generation);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    pub done: bool,
    /// `6 of 6 pods run 77c01d, 5 ready`.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    Pending(Vec<Milestone>),
    /// `verified: 6/6 pods run 77c01d, ready for 30s, 0 restarts, 52s in all`.
    Done(String),
    /// `not verified: …`, with the reason.
    Failed(String),
}

/// Where the action stands at `now` (the server's clock).
pub fn follow(fleet: &Fleet, goal: &Goal, now: Timestamp) -> Follow {
    let Some(workload) = fleet.workload(&goal.workload) else {
        return failed(&format!("{} was deleted", goal.workload));
    };
    if workload.uid != goal.uid {
        return failed(&format!("{} was deleted and created again", goal.workload));
    }
    if workload.deleting {
        return failed(&format!("{} is being deleted", goal.workload));
    }
    if goal.verb == Verb::ResumeSync {
        return sync_resumed(fleet, workload);
    }
    if workload.generation < goal.generation {
        return Follow::Pending(vec![accepted(), step(false, "controller saw it")]);
    }
    if let Some(gone) = &goal.gone {
        return pod::follow(fleet, workload, (goal, gone), now);
    }
    if !ours(workload, goal) {
        // News from before the note alone looks like somebody else's.
        if goal.verb == Verb::HelmRollback && workload.generation == goal.generation {
            return Follow::Pending(vec![accepted(), step(false, "what Helm wrote is seen")]);
        }
        return failed(&superseded(workload));
    }
    let goal = &match helm::written(workload, goal) {
        Ok(goal) => goal,
        Err(words) => return failed(&words),
    };
    if let (Some(turned), true) = (&goal.turned, canary::is_of_flagger(workload)) {
        return canary::follow(fleet, workload, (goal, turned), now);
    }
    if goal.verb.from_paused() == Some(workload.paused) {
        return failed(if workload.paused {
            "it was paused again"
        } else {
            "it was resumed again"
        });
    }
    if let Some(Held::Weight { to, .. }) = goal.held {
        return held::weighed(workload, to);
    }
    if let Some(words) = goal.held.and_then(|held| held.again(workload)) {
        return failed(&words);
    }
    if let Some(scaled) = goal.scaled
        && let Some(follow) = not_scaled(workload, scaled)
    {
        return follow;
    }
    if workload.observed_generation < goal.generation {
        return Follow::Pending(vec![accepted(), step(false, "controller saw it")]);
    }
    once_seen(fleet, workload, goal, now)
}

/// The controller that acts on it knows of it.
fn once_seen(fleet: &Fleet, workload: &Workload, goal: &Goal, now: Timestamp) -> Follow {
    if let Some(follow) = released::follow(fleet, workload, goal, now) {
        return follow;
    }
    if let Some(turned) = &goal.turned {
        return canary::follow(fleet, workload, (goal, turned), now);
    }
    if let (Verb::Resume, Some(canary)) = (goal.verb, workload.controlled()) {
        return canary::resumed(fleet, workload, canary);
    }
    match goal.verb {
        Verb::Pause => Follow::Done(stands_still(workload)),
        Verb::Rollback
        | Verb::Resume
        | Verb::Restart
        | Verb::Scale
        | Verb::SetImage
        | Verb::PromoteImage
        | Verb::ResumeSync
        | Verb::DeletePod
        | Verb::HelmRollback
        | Verb::Promote
        | Verb::PromoteFull
        | Verb::Abort
        | Verb::SetWeight
        | Verb::Retry => rollout(&Sight::new(fleet, workload, goal), goal, now),
    }
}

/// What it brings is a rollout of its own, which the board shows.
fn sync_resumed(fleet: &Fleet, workload: &Workload) -> Follow {
    match fleet.sync(workload) {
        Some(sync) if is_on(sync) => {
            Follow::Done(format!("verified: {} is {} again", sync.id, sync.how()))
        }
        Some(_) | None => Follow::Pending(vec![
            accepted(),
            step(false, "what keeps it says that it is on again"),
        ]),
    }
}

/// Nobody wrote another template since.
fn ours(workload: &Workload, goal: &Goal) -> bool {
    if let Some(template) = goal.template {
        return workload.template == template;
    }
    let note = workload.action.as_deref();
    note.is_some_and(|note| note.id == goal.id)
}

/// The number is another than what was set: `None` while it is not.
fn not_scaled(workload: &Workload, scaled: Scaled) -> Option<Follow> {
    let now = workload.desired;
    match scaled {
        Scaled::To(to) => (now != to).then(|| {
            failed(&format!(
                "superseded: it was scaled to {now} by somebody else"
            ))
        }),
        Scaled::Between(min, max) => (!(min..=max).contains(&now)).then(|| {
            let words =
                format!("the autoscaler moves it from {now} to {min} at least, {max} at most");
            Follow::Pending(vec![accepted(), step(false, words)])
        }),
    }
}

fn stands_still(workload: &Workload) -> String {
    let (have, want) = (workload.counts.available, workload.desired);
    format!(
        "verified: the controller has seen the pause, rollouts stand still, {have} of {want} serve"
    )
}

/// The goal of an action that another session (or another person's rolldeck) began, from the newer of its
/// annotations. `None` while the note does not speak of the live template, or its revision is not known yet.
pub fn goal_from_note(workload: &Workload, revisions: &[Revision]) -> Option<Goal> {
    let note = newest_note(workload)?;
    let current = sight::target(workload, revisions, &note.to)?;
    let other = revisions.iter().find(|r| r.name[..] == note.from);
    let verb = Verb::named(&note.verb)?;
    Some(Goal {
        verb,
        id: note.id.clone(),
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        from_version: note.from_version.clone(),
        to_version: version(
            &workload.containers,
            workload.version_label.as_deref(),
            other.map(|r| &*r.containers),
        ),
        to: note.to.clone(),
        template: verb.keeps_template().then_some(workload.template),
        // The note was read on the object itself, so what is known already has the write in it.
        generation: 0,
        revision_name: current.name.clone(),
        containers: workload.containers.clone(),
        accepted: note.at,
        by: note.by.clone(),
        ready_for: READY_FOR,
        scaled: note.replicas.map(Scaled::To),
        expected: None,
        gone: None,
        turned: None,
        held: None,
    })
}

/// What was done last.
pub fn newest_note(workload: &Workload) -> Option<&ActionNote> {
    let notes = [&workload.action, &workload.turn];
    let notes = notes.into_iter().filter_map(Option::as_deref);
    notes.max_by_key(|note| note.at)
}

fn rollout(sight: &Sight<'_>, goal: &Goal, now: Timestamp) -> Follow {
    let wanted = sight.wanted();
    let right: Vec<_> = sight
        .target
        .iter()
        .copied()
        .filter(|pod| runs(pod, &goal.containers))
        .collect();
    if let Some(words) = rewritten(sight, goal) {
        return failed(&words);
    }
    let ready: Vec<_> = right.iter().copied().filter(|pod| pod.ready).collect();
    let enough = match sight.workload.id.kind {
        Kind::Deployment | Kind::Rollout | Kind::StatefulSet => right.len() == wanted,
        // A node may keep a pod that it should no longer get.
        Kind::DaemonSet => sight.covered(&right) >= wanted,
    };
    let all_run = enough && ready.len() == right.len();
    let stable = all_run && ready.iter().all(|pod| ready_long(pod, goal, now));
    let old_gone = sight.others.is_empty() && sight.counts_agree();
    let what = running_words(&right, goal);
    // A partition that lets no pod move leaves nothing to verify.
    let moves = wanted > 0 || sight.held.is_empty();
    if stable && old_gone && moves {
        return Follow::Done(verified(sight, &ready, &what, goal, now));
    }
    let (phase, why) = sight.why(now);
    if let Some(words) = failure(sight, phase, why.as_ref(), goal) {
        return failed(&words);
    }
    let mut milestones = vec![
        accepted(),
        step(true, "controller saw it"),
        step(
            all_run,
            format!(
                "{} of {wanted} {} run {what}, {} ready",
                sight.covered(&right),
                noun(sight),
                sight.covered(&ready)
            ),
        ),
        step(stable, ready_words(&ready, stable, goal, now)),
        step(old_gone, "old pods gone"),
    ];
    let waits = sight.waits().filter(|_| !(all_run && old_gone && moves));
    let open = waits.or_else(|| why.filter(|_| !all_run).map(|why| why.text));
    milestones.extend(open.map(|words| step(false, words)));
    Follow::Pending(milestones)
}

/// What is counted.
fn noun(sight: &Sight<'_>) -> &'static str {
    match sight.workload.id.kind {
        Kind::Deployment | Kind::Rollout | Kind::StatefulSet => "pods",
        Kind::DaemonSet => "nodes",
    }
}

/// The pods tell that it does not heal by waiting, or the controller gave up on this very rollout.
fn failure(sight: &Sight<'_>, phase: Phase, why: Option<&Why>, goal: &Goal) -> Option<String> {
    if let Some(why) = why {
        let by_a_pod = why
            .pod
            .as_ref()
            .is_some_and(|name| sight.target.iter().any(|pod| pod.name == *name));
        let broken = match phase {
            Phase::Stalled => why.reason != Reason::NotReady && why.reason != Reason::Unschedulable,
            Phase::Degraded => matches!(
                why.reason,
                Reason::ImagePull | Reason::CrashLoop | Reason::OutOfMemory | Reason::Config
            ),
            Phase::Canary
            | Phase::RollingBack
            | Phase::Rolling
            | Phase::Paused
            | Phase::Unknown
            | Phase::Steady
            | Phase::ScaledToZero => false,
        };
        if by_a_pod && broken {
            return Some(why.text.clone());
        }
    }
    let gave_up = sight.workload.condition("Progressing").filter(|c| {
        c.status == Truth::False
            && &*c.reason == "ProgressDeadlineExceeded"
            // The condition of the rollout before this one may still stand.
            && c.updated.is_some_and(|at| at >= goal.accepted)
    })?;
    let cause = why.map_or_else(|| gave_up.message.to_string(), |why| why.text.clone());
    Some(format!("the controller gave up: {cause}"))
}

/// All the template's containers run with the template's images. A webhook may have added others.
fn runs(pod: &Pod, containers: &[Container]) -> bool {
    containers.iter().all(|want| {
        pod.containers
            .iter()
            .any(|have| have.name == want.name && have.image == want.image)
    })
}

/// Every target pod is there and runs something else: waiting would not change that.
fn rewritten(sight: &Sight<'_>, goal: &Goal) -> Option<String> {
    let pod = sight
        .target
        .iter()
        .find(|pod| pod.ready && !pod.containers.is_empty() && !runs(pod, &goal.containers))?;
    let (want, have) = goal.containers.iter().find_map(|want| {
        let have = pod.containers.iter().find(|have| have.name == want.name)?;
        (have.image != want.image).then_some((want, have))
    })?;
    Some(format!(
        "pod {} runs {} instead of {}: something changes images on the way",
        pod.name, have.image, want.image
    ))
}

fn ready_long(pod: &Pod, goal: &Goal, now: Timestamp) -> bool {
    let wanted = SignedDuration::from_secs(i64::from(goal.ready_for));
    pod.ready_changed
        .is_some_and(|since| now.duration_since(since) >= wanted)
}

/// The youngest pod decides.
fn ready_words(ready: &[&Pod], stable: bool, goal: &Goal, now: Timestamp) -> String {
    let wanted = goal.ready_for;
    let since = ready.iter().filter_map(|pod| pod.ready_changed).max();
    match since {
        Some(since) if !stable => {
            let seconds = now.duration_since(since).as_secs();
            format!(
                "ready for {}s of {wanted}s",
                seconds.clamp(0, i64::from(wanted))
            )
        }
        Some(_) | None => format!("ready for {wanted}s"),
    }
}

/// The version; beside it the digest when all pods run the same one.
fn running_words(pods: &[&Pod], goal: &Goal) -> String {
    let Some(main) = goal.containers.iter().find(|c| !c.init) else {
        return goal.to_version.clone();
    };
    let mut digests: Vec<_> = pods
        .iter()
        .flat_map(|pod| pod.containers.iter().filter(|c| c.name == main.name))
        .map(|c| crate::domain::image::short_digest(&c.image_id))
        .collect();
    digests.sort_unstable();
    digests.dedup();
    match digests[..] {
        [Some(digest)] if digest != goal.to_version => {
            format!("{} ({digest})", goal.to_version)
        }
        _ => goal.to_version.clone(),
    }
}

fn verified(sight: &Sight<'_>, ready: &[&Pod], what: &str, goal: &Goal, now: Timestamp) -> String {
    let restarts = ready
        .iter()
        .flat_map(|pod| &pod.containers)
        .filter(|c| {
            let last = c.last.as_deref();
            last.and_then(|ended| ended.at)
                .is_some_and(|at| at >= goal.accepted)
        })
        .count();
    let (n, noun) = (sight.covered(ready), noun(sight));
    let held = match sight.held.len() {
        0 => String::new(),
        n => format!(
            "; {} below the partition keep theirs",
            text::count(n, "pod")
        ),
    };
    let seconds = now.duration_since(goal.accepted).as_secs().max(0);
    if goal.scaled == Some(Scaled::To(0)) && n == 0 {
        let seconds = text::duration(seconds.unsigned_abs());
        return format!("verified: scaled to zero, no pod is left, {seconds} in all");
    }
    let expected = goal.expected.map_or_else(String::new, |seconds| {
        format!(", expected {}", text::duration(seconds.into()))
    });
    format!(
        "verified: {n}/{n} {noun} run {what}, ready for {}s, {}, {} in all{expected}{held}",
        goal.ready_for,
        text::count(restarts, "restart"),
        text::duration(seconds.unsigned_abs())
    )
}

/// Somebody changed the template after us.
fn superseded(workload: &Workload) -> String {
    let now_at = version(
        &workload.containers,
        workload.version_label.as_deref(),
        None,
    );
    match &workload.written_by {
        Some((manager, _)) => format!("superseded by {manager}, which set {now_at}"),
        None => format!("superseded: the template was changed to {now_at}"),
    }
}

fn failed(words: &str) -> Follow {
    Follow::Failed(format!("not verified: {words}"))
}

fn accepted() -> Milestone {
    step(true, "server accepted")
}

fn step(done: bool, text: impl Into<String>) -> Milestone {
    Milestone {
        done,
        text: text.into(),
    }
}

#[cfg(test)]
mod tests;
