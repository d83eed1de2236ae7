//! Actions under way: folded from what the feeds bring until they are verified or not, here or in an earlier session.

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::model::{Following, Model, Overlay, Screen};
use crate::domain::{Feed, Phase, SourceId, WorkloadId};
use crate::plan::follow::{follow, goal_from_note, newest_note};
use crate::plan::{Follow, Goal};

use super::{batch, notice};

/// An action this old, in seconds, on a service that is steady needs nobody to follow it.
const OLD_SECONDS: i64 = 900;

/// So long somebody is taken to watch what was begun.
const WATCHED_SECONDS: i64 = 10;

/// The server accepted the write (or one more step of it).
pub fn begin(model: &mut Model, mut goal: Goal, at: Timestamp, generation: Option<i64>) {
    // Of several the box of all shows each.
    let alone = !batch::has(model, &goal.id);
    if let Some(known) = model.follows.iter_mut().find(|f| f.goal.id == goal.id) {
        let first = known.goal.accepted;
        known.goal.accept(first, generation);
        known.open |= alone;
        return;
    }
    goal.accept(at, generation);
    // A new action on the same object ends the interest in the one before.
    model.follows.retain(|f| f.goal.uid != goal.uid);
    let id = goal.workload.clone();
    let state = follow(&model.fleet, &goal, model.clock_of(&id));
    model.follows.push(Following {
        goal,
        // News that is older than the write may say that it failed: the next fold decides.
        state: match state {
            Follow::Pending(milestones) => Follow::Pending(milestones),
            Follow::Done(_) | Follow::Failed(_) => Follow::Pending(Vec::new()),
        },
        open: alone,
        resumed: false,
    });
    model.work.touched.insert(id);
    model.work.wishes = true;
}

/// Takes up an action that an annotation tells of, unless it came to its end long ago.
pub fn resume(model: &mut Model, id: &WorkloadId) {
    let Some(workload) = model.fleet.workload(id) else {
        return;
    };
    let Some(note) = newest_note(workload) else {
        return;
    };
    if model.ended.contains(&note.id)
        || model.follows.iter().any(|f| f.goal.id == note.id)
        || is_sent(model, &note.id)
    {
        return;
    }
    let now = model.clock_of(id);
    let old = now.duration_since(note.at).as_secs() > OLD_SECONDS;
    let steady = || {
        let standing = model.fleet.standing(id, now);
        standing.is_none_or(|s| matches!(s.phase, Phase::Steady | Phase::ScaledToZero))
    };
    if old && steady() {
        return;
    }
    let Some(mut goal) = goal_from_note(workload, model.fleet.revisions(workload)) else {
        return;
    };
    if model.settings.verify_seconds > 0 {
        goal.ready_for = model.settings.verify_seconds;
    }
    let state = follow(&model.fleet, &goal, now);
    if matches!(state, Follow::Pending(_)) {
        model.follows.push(Following {
            goal,
            state,
            open: false,
            resumed: true,
        });
        model.work.touched.insert(id.clone());
        model.work.wishes = true;
    }
}

/// Folds what is known now into every action that is under way. The end is said and recorded once.
pub fn fold(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    for at in 0..model.follows.len() {
        let following = &model.follows[at];
        let pending = matches!(following.state, Follow::Pending(_));
        if !pending || !in_sight(model, &following.goal.workload) || overtaken(model, following) {
            continue;
        }
        let now = model.clock_of(&following.goal.workload);
        let state = follow(&model.fleet, &following.goal, now);
        if state == following.state {
            continue;
        }
        let ended = match &state {
            Follow::Pending(_) => None,
            Follow::Done(words) => Some((words.clone(), true)),
            Follow::Failed(words) => Some((words.clone(), false)),
        };
        model.follows[at].state = state;
        model.dirty = true;
        if let Some((words, verified)) = ended {
            effects.extend(end(model, at, words, verified));
        }
    }
    model
        .follows
        .retain(|f| f.open || matches!(f.state, Follow::Pending(_)));
    effects
}

/// What is on its object now is of an action here that the server has not answered yet, which ends the interest in this one.
fn overtaken(model: &Model, following: &Following) -> bool {
    let workload = model.fleet.workload(&following.goal.workload);
    let note = workload.and_then(|workload| workload.action.as_deref());
    note.is_some_and(|note| note.id != following.goal.id && is_sent(model, &note.id))
}

/// An action of this session sends its steps.
fn is_sent(model: &Model, id: &str) -> bool {
    model.executions.iter().any(|e| e.plan.stamp.id == id)
}

/// It is known, or the listing that it would be in is complete: who looks elsewhere does not know that it is gone.
fn in_sight(model: &Model, id: &WorkloadId) -> bool {
    let lists = |source: &SourceId| {
        let namespace = source.namespace.as_ref();
        source.cluster == id.cluster
            && source.feed == Feed::Workloads(id.kind)
            && namespace.is_none_or(|namespace| *namespace == id.namespace)
    };
    let mut sources = model.sources.iter();
    model.fleet.workload(id).is_some()
        || sources.any(|(source, state)| state.synced && lists(source))
}

fn end(model: &mut Model, at: usize, outcome: String, verified: bool) -> Vec<Effect> {
    let goal = &model.follows[at].goal;
    let (id, workload) = (goal.id.clone(), goal.workload.clone());
    let took = model.clock_of(&workload).duration_since(goal.accepted);
    // Whoever pressed the key still looks at what ended at once.
    let notify = (!verified || took.as_secs() > WATCHED_SECONDS).then(|| Effect::Notify {
        about: format!("{workload} in {}: {outcome}", workload.namespace),
        how: model.settings.notify.clone(),
    });
    model.ended.insert(id.clone());
    batch::ended(model, &id, &outcome, verified);
    let shown = model.overlay == Some(Overlay::Batch) && batch::has(model, &id);
    if verified && !model.follows[at].open && !shown {
        notice(model, format!("{workload} {outcome}"), false);
    }
    // What went wrong stays until it was seen.
    model.follows[at].open |= !verified && !shown;
    model.work.touched.insert(workload.clone());
    model.work.wishes = true;
    let record = Effect::RecordOutcome {
        id,
        workload,
        outcome,
        verified,
    };
    std::iter::once(record).chain(notify).collect()
}

/// Opens the box of what is under way: of the service that is looked at, else of all.
pub fn show(model: &mut Model) -> Vec<Effect> {
    if model.batch.is_some() {
        model.overlay = Some(Overlay::Batch);
        return Vec::new();
    }
    if model.follows.is_empty() {
        notice(model, "nothing is under way", false);
    }
    let here = looked_at(model).cloned();
    let is_here = |f: &Following| Some(&f.goal.workload) == here.as_ref();
    let any_here = model.follows.iter().any(is_here);
    for following in &mut model.follows {
        following.open |= is_here(following) || !any_here;
    }
    Vec::new()
}

fn looked_at(model: &Model) -> Option<&WorkloadId> {
    match model.screens.last() {
        Some(Screen::Service(screen)) => Some(&screen.workload),
        Some(Screen::Logs(screen)) => Some(&screen.workload),
        Some(Screen::Builds(screen)) => Some(&screen.workload),
        Some(
            Screen::Text(_)
            | Screen::Doctor(_)
            | Screen::Table(_)
            | Screen::Record(_)
            | Screen::Changes(_)
            | Screen::Matrix(_),
        ) => None,
        None => model.board.cursor.as_ref().map(|(id, _)| id),
    }
}

/// Closes the boxes; what is under way goes on. False when none was open.
pub fn hide(model: &mut Model) -> bool {
    let any = model.follows.iter().any(|f| f.open);
    for following in &mut model.follows {
        following.open = false;
    }
    model
        .follows
        .retain(|f| matches!(f.state, Follow::Pending(_)));
    any
}
