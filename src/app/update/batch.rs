//! Several marked services and one verb: a row of plans, confirmed once, carried out a few at a time.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::field::Field;
use crate::app::intent::Intent;
use crate::app::keymap::Key;
use crate::app::layout;
use crate::app::model::{
    BatchBox, BatchRow, Execution, Model, Overlay, PlanBox, ReasonField, Screen, Stage,
};
use crate::domain::WorkloadId;
use crate::plan::batch::{Batch, State};
use crate::plan::check::CheckState;
use crate::plan::verbs::canary::can;
use crate::plan::{Answers, Follow, Missing, Plan, Target, Verb, Verdict, gate};
use crate::text;

use super::key::{self, Typed};
use super::plan;
use super::{ask, next_job, notice};

mod point;

use point::answers;
pub use point::{Open, level, not_yet, open_point, taken, word};

/// So many are read and checked at a time.
const PREPARED: usize = 4;

/// Opens the plan of the marked services for a release verb; `None` when none is marked.
pub fn open(model: &mut Model, intent: Intent) -> Option<Vec<Effect>> {
    if model.board.marks.is_empty() {
        return None;
    }
    let ids: Vec<WorkloadId> = marked(model);
    let verb = match intent {
        Intent::RollBack => Verb::Rollback,
        Intent::Restart => Verb::Restart,
        Intent::Scale => Verb::Scale,
        Intent::SetImage => Verb::SetImage,
        Intent::PauseOrResume => match turn(model, &ids) {
            Some(verb) => verb,
            None => return Some(Vec::new()),
        },
        _ => return None,
    };
    let rows = ids.into_iter().map(|id| (id, Target::Proposed)).collect();
    let at_once = model.settings.at_once;
    Some(open_rows(model, verb, rows, at_once))
}

/// Opens the plan of these workloads, so many of them at a time.
pub fn open_rows(
    model: &mut Model,
    verb: Verb,
    rows: Vec<(WorkloadId, Target)>,
    at_once: usize,
) -> Vec<Effect> {
    if model.batch.as_ref().is_some_and(|batch| !is_over(batch)) {
        let words = "several services are under way already: wait for them, or stop them";
        notice(model, words, true);
        model.overlay = Some(Overlay::Batch);
        return Vec::new();
    }
    let rows = rows.into_iter().filter_map(|(id, target)| {
        let shown = plan::box_of(model, &id, (verb, target))?;
        Some(BatchRow {
            shown,
            left_out: false,
            noted: false,
        })
    });
    let batch = BatchBox {
        at_once,
        verb,
        rows: rows.collect(),
        at: 0,
        detail: false,
        question: ask::of_several(verb),
        answers: Answers::default(),
        word: None,
        reason: None,
        said: None,
        run: None,
        left_out: Vec::new(),
    };
    model.batch = Some(Box::new(batch));
    model.overlay = Some(Overlay::Batch);
    Vec::new()
}

/// In the order of the board, those that the filter hides last.
fn marked(model: &Model) -> Vec<WorkloadId> {
    let rows = model.board.rows.iter().map(|row| &row.id);
    let rows = rows.chain(model.board.hidden_rows.keys());
    let marked = rows.filter(|id| model.board.marks.contains_key(id));
    marked.cloned().collect()
}

/// All of them one way, because one key does both.
fn turn(model: &mut Model, ids: &[WorkloadId]) -> Option<Verb> {
    let paused = |id: &&WorkloadId| {
        let workload = model.fleet.workload(id);
        workload.is_some_and(|workload| can::pauses(workload) == Verb::Resume)
    };
    match ids.iter().filter(paused).count() {
        0 => Some(Verb::Pause),
        all if all == ids.len() => Some(Verb::Resume),
        some => {
            let words = format!(
                "{some} of the {} marked are paused: mark one sort",
                ids.len()
            );
            notice(model, words, true);
            None
        }
    }
}

/// Nothing of it goes on.
pub fn is_over(batch: &BatchBox) -> bool {
    batch.run.as_ref().is_none_or(Batch::is_over)
}

/// One of its rows is this action.
pub fn has(model: &Model, id: &str) -> bool {
    let batch = model.batch.as_deref();
    let mut rows = batch.into_iter().flat_map(|batch| &batch.rows);
    rows.any(|row| plan_of(&row.shown).is_some_and(|(plan, _)| plan.stamp.id == id))
}

pub fn plan_of(shown: &PlanBox) -> Option<(&Plan, &[Verdict])> {
    match &shown.stage {
        Stage::Shown { plan, verdicts, .. } | Stage::Executing { plan, verdicts, .. } => {
            Some((plan, verdicts))
        }
        Stage::Unknown { plan, .. } => Some((plan, &[])),
        Stage::Asking(_) | Stage::Gathering { .. } | Stage::Refused { .. } => None,
    }
}

/// Its checks have not all answered, or it is still read.
pub fn is_open(shown: &PlanBox) -> bool {
    match &shown.stage {
        Stage::Gathering { .. } => true,
        Stage::Shown { plan, verdicts, .. } => plan.checks.iter().any(|check| {
            let asked = matches!(check.state, CheckState::Asking(_));
            asked && verdicts.iter().all(|verdict| verdict.check != check.id)
        }),
        Stage::Asking(_)
        | Stage::Refused { .. }
        | Stage::Executing { .. }
        | Stage::Unknown { .. } => false,
    }
}

fn is_queued(row: &BatchRow) -> bool {
    row.shown.job == JobId::default() && matches!(row.shown.stage, Stage::Gathering { .. })
}

/// After every event: what waits for its turn gets it, to be read or to be carried out.
pub fn tend(model: &mut Model) -> Vec<Effect> {
    let Some(batch) = &model.batch else {
        return Vec::new();
    };
    if batch.run.is_none() {
        return prepare(model);
    }
    end_what_ended(model);
    let mut effects = begin(model);
    effects.extend(note_untouched(model));
    effects
}

fn prepare(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    loop {
        let next = plan::next(model);
        let Some(batch) = model.batch.as_mut().filter(|b| b.question.is_none()) else {
            return effects;
        };
        let open = |row: &&BatchRow| !is_queued(row) && is_open(&row.shown);
        let busy = batch.rows.iter().filter(open).count();
        let waits = batch.rows.iter_mut().find(|row| is_queued(row));
        let Some(row) = waits.filter(|_| busy < PREPARED) else {
            return effects;
        };
        effects.extend(plan::read_again(&mut row.shown, next, None));
        model.dirty = true;
    }
}

/// Those whose write failed, or whose end is nobody's to tell any more. What is followed ends by [`ended`].
fn end_what_ended(model: &mut Model) {
    let Model {
        batch,
        executions,
        follows,
        ..
    } = model;
    let Some(batch) = batch else { return };
    let Some(run) = &mut batch.run else { return };
    for (n, row) in batch.rows.iter().enumerate() {
        if run.rows()[n] != State::UnderWay {
            continue;
        }
        let why = match &row.shown.stage {
            Stage::Refused { failure } => failure.sentence.clone(),
            Stage::Unknown { why, .. } => format!("whether it was written is not known: {why}"),
            Stage::Executing { plan, .. } => {
                let sending = executions.iter().any(|e| e.job == row.shown.job);
                let followed = follows.iter().any(|f| f.goal.id == plan.stamp.id);
                if sending || followed {
                    continue;
                }
                "another action took its place".into()
            }
            Stage::Asking(_) | Stage::Gathering { .. } | Stage::Shown { .. } => continue,
        };
        run.end(n, Err(why), &row.shown.workload.name);
        model.dirty = true;
    }
}

/// An action came to its end: when it is one of the rows, the next may begin.
pub fn ended(model: &mut Model, id: &str, words: &str, verified: bool) {
    let Some(batch) = &mut model.batch else {
        return;
    };
    let Some(run) = &mut batch.run else { return };
    let its = |row: &BatchRow| plan_of(&row.shown).is_some_and(|(plan, _)| plan.stamp.id == id);
    if let Some(n) = batch.rows.iter().position(its) {
        let how = if verified {
            Ok(words.to_owned())
        } else {
            Err(words.to_owned())
        };
        run.end(n, how, &batch.rows[n].shown.workload.name);
    }
}

/// What was confirmed and never had its turn is on record as well, each once.
fn note_untouched(model: &mut Model) -> Vec<Effect> {
    let Some(batch) = &mut model.batch else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    let states = batch.run.iter().flat_map(Batch::rows);
    for (row, state) in batch.rows.iter_mut().zip(states) {
        if let (State::Untouched(why), Stage::Shown { plan, verdicts, .. }, false) =
            (state, &row.shown.stage, row.noted)
        {
            row.noted = true;
            effects.push(Effect::RecordNotBegun {
                plan: plan.clone(),
                answers: batch.answers.clone(),
                verdicts: verdicts.clone(),
                why: why.clone(),
            });
        }
    }
    effects
}

fn begin(model: &mut Model) -> Vec<Effect> {
    let Some(run) = model.batch.as_mut().and_then(|batch| batch.run.as_mut()) else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    for n in run.start() {
        effects.extend(send(model, n));
    }
    effects
}

/// The gate was passed when it was confirmed, and is asked again by who sends.
fn send(model: &mut Model, n: usize) -> Option<Effect> {
    let job = next_job(model);
    let Model {
        batch, executions, ..
    } = model;
    let batch = batch.as_mut()?;
    let answers = batch.answers.clone();
    let shown = &mut batch.rows.get_mut(n)?.shown;
    let Stage::Shown { plan, verdicts, .. } = &shown.stage else {
        return None;
    };
    let (plan, verdicts) = (plan.clone(), verdicts.clone());
    executions.push(Execution {
        job,
        plan: plan.clone(),
    });
    shown.job = job;
    shown.stage = Stage::Executing {
        plan: plan.clone(),
        verdicts: verdicts.clone(),
        step: 0,
        waiting: None,
    };
    model.dirty = true;
    Some(Effect::Execute {
        job,
        plan,
        answers,
        verdicts,
    })
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let page = layout::overlay_rows(model.height) / 2;
    let Some(batch) = &mut model.batch else {
        model.overlay = None;
        return Vec::new();
    };
    batch.said = None;
    if batch.detail {
        let shown = batch.rows.get_mut(batch.at).map(|row| &mut row.shown);
        if let Some(shown) = shown
            && let Some(to) = key::moved(intent, shown.offset, 100, page)
        {
            shown.offset = to;
            return Vec::new();
        }
    } else if let Some(to) = key::moved(intent, batch.at, batch.rows.len(), page) {
        batch.at = to;
        return Vec::new();
    }
    match intent {
        Intent::Back if batch.detail => batch.detail = false,
        Intent::Back => return close(model),
        Intent::Accept => batch.detail = !batch.detail,
        Intent::Mark => leave_out(batch),
        Intent::Stop => stop(batch),
        Intent::Confirm => return confirm(model),
        Intent::Reason if batch.run.is_none() => {
            let given = batch.answers.reason.clone().unwrap_or_default();
            batch.reason = Some(ReasonField {
                field: Field(tui_input::Input::new(given)),
                overrides: false,
            });
        }
        Intent::Override => {
            batch.said = Some("a block is overridden in the plan of that service alone".into());
        }
        Intent::Retry if batch.run.is_none() => return retry(model),
        Intent::Copy => return copy(batch),
        _ => {}
    }
    Vec::new()
}

/// A row that is left out stays in sight, and is taken in again by the same key.
fn leave_out(batch: &mut BatchBox) {
    if batch.run.is_some() {
        batch.said = Some("what was confirmed stays: nothing is left out any more".into());
    } else if let Some(row) = batch.rows.get_mut(batch.at) {
        row.left_out = !row.left_out;
    }
}

fn stop(batch: &mut BatchBox) {
    match &mut batch.run {
        Some(run) if !run.is_over() => run.stop("not begun, because you stopped it".into()),
        Some(_) | None => batch.said = Some("nothing of it is under way".into()),
    }
}

fn retry(model: &mut Model) -> Vec<Effect> {
    let next = plan::next(model);
    let row = model.batch.as_mut().and_then(|b| b.rows.get_mut(b.at));
    let Some(row) = row.filter(|row| !is_queued(row)) else {
        return Vec::new();
    };
    plan::read_again(&mut row.shown, next, None)
}

fn copy(batch: &BatchBox) -> Vec<Effect> {
    let plans = taken(batch).filter_map(|row| plan_of(&row.shown));
    let commands: Vec<_> = plans.map(|(plan, _)| plan.kubectl.clone()).collect();
    vec![Effect::Copy {
        text: commands.join("\n"),
    }]
}

/// What is under way goes on; what was only asked is called off.
fn close(model: &mut Model) -> Vec<Effect> {
    model.overlay = None;
    let Some(batch) = model.batch.take() else {
        return Vec::new();
    };
    if !is_over(&batch) {
        let words = "they go on one after another; the key of what is under way shows them";
        model.batch = Some(batch);
        notice(model, words, false);
        return Vec::new();
    }
    if batch.run.is_some() {
        // What was done to them is done.
        unmark(model);
        return Vec::new();
    }
    let asked = batch.rows.iter().filter(|row| !is_queued(row));
    let jobs = asked.map(|row| row.shown.job);
    jobs.map(|job| Effect::Cancel { job }).collect()
}

fn unmark(model: &mut Model) {
    model.board.marks.clear();
    for screen in &mut model.screens {
        if let Screen::Matrix(screen) = screen {
            screen.marks.clear();
        }
    }
}

fn confirm(model: &mut Model) -> Vec<Effect> {
    let Some(batch) = &model.batch else {
        return Vec::new();
    };
    if batch.run.is_some() {
        return Vec::new();
    }
    match open_point(model, batch) {
        None | Some(Open::Person(Missing::Confirmation)) => return go(model),
        Some(Open::Person(Missing::Name)) => {
            if let Some(batch) = &mut model.batch {
                batch.word = Some(Field::default());
            }
        }
        Some(open) => {
            let words = not_yet(model, &open);
            if let Some(batch) = &mut model.batch {
                batch.said = Some(words);
            }
        }
    }
    Vec::new()
}

/// From here on the rows are those that were confirmed, at the strictest level.
fn go(model: &mut Model) -> Vec<Effect> {
    let Some(batch) = &model.batch else {
        return Vec::new();
    };
    let given = Answers {
        confirmed: true,
        ..answers(model, batch)
    };
    let level = level(model, batch);
    let passes = |row: &BatchRow| {
        plan_of(&row.shown)
            .is_some_and(|(plan, verdicts)| gate::pass(level, plan, verdicts, &given).is_ok())
    };
    let all = taken(batch).all(passes);
    let Some(batch) = &mut model.batch else {
        return Vec::new();
    };
    if !all {
        batch.said = Some("the number is not that of the services".into());
        return Vec::new();
    }
    batch.answers = given;
    (batch.word, batch.reason, batch.at) = (None, None, 0);
    let (out, rows): (Vec<_>, Vec<_>) = batch.rows.drain(..).partition(|row| row.left_out);
    batch.left_out = out.into_iter().map(|row| row.shown.workload).collect();
    batch.rows = rows;
    for row in &mut batch.rows {
        if let Stage::Shown { plan, .. } = &mut row.shown.stage {
            plan.level = level;
        }
    }
    batch.run = Some(Batch::new(batch.rows.len(), batch.at_once));
    begin(model)
}

/// A key in one of its fields.
pub fn field_key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let Some(batch) = &mut model.batch else {
        return Vec::new();
    };
    batch.said = None;
    if batch.question.is_some() {
        return question_key(model, pressed);
    }
    if let Some(reason) = &mut batch.reason {
        match key::typed(&mut reason.field, pressed) {
            Typed::Taken | Typed::Complete => {
                let words = reason.field.value().trim().to_owned();
                batch.answers.reason = Some(words).filter(|words| !words.is_empty());
                batch.reason = None;
            }
            Typed::Left => batch.reason = None,
            Typed::Edited | Typed::Up | Typed::Down => {}
        }
    } else if let Some(word) = &mut batch.word {
        match key::typed(word, pressed) {
            Typed::Taken => {
                word.value()
                    .trim()
                    .clone_into(&mut batch.answers.typed_name);
                return go(model);
            }
            Typed::Left => batch.word = None,
            Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
        }
    }
    Vec::new()
}

fn question_key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let Some(batch) = &mut model.batch else {
        return Vec::new();
    };
    let Some(question) = &mut batch.question else {
        return Vec::new();
    };
    match key::typed(&mut question.field, pressed) {
        Typed::Left => (model.batch, model.overlay) = (None, None),
        Typed::Taken => match ask::answer(question) {
            Ok(target) => {
                for row in &mut batch.rows {
                    let request = &mut row.shown.request;
                    let shown = match request.target {
                        Target::Replicas { shown, .. } => shown,
                        _ => 0,
                    };
                    request.target = match &target {
                        Target::Replicas { to, .. } => Target::Replicas { shown, to: *to },
                        other => other.clone(),
                    };
                }
                batch.question = None;
            }
            Err(why) => batch.said = Some(why),
        },
        Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
    }
    Vec::new()
}

/// One of its fields takes the keys.
pub fn typing(batch: &BatchBox) -> bool {
    batch.question.is_some() || batch.word.is_some() || batch.reason.is_some()
}

/// How a row stands, in words, once it was confirmed.
pub fn progress(model: &Model, batch: &BatchBox, n: usize) -> Option<(&'static str, String)> {
    let state = batch.run.as_ref()?.rows().get(n)?;
    Some(match state {
        State::Waiting => ("waiting", String::new()),
        State::Done(words) => ("ok", words.clone()),
        State::Failed(words) => ("FAILED", words.clone()),
        State::Untouched(why) => ("-", why.clone()),
        State::UnderWay => ("..", under_way(model, &batch.rows[n].shown)),
    })
}

fn under_way(model: &Model, shown: &PlanBox) -> String {
    let id = plan_of(shown).map(|(plan, _)| &plan.stamp.id);
    let following = model.follows.iter().find(|f| Some(&f.goal.id) == id);
    match following.map(|following| &following.state) {
        Some(Follow::Pending(milestones)) => {
            let open = milestones.iter().find(|milestone| !milestone.done);
            open.map_or_else(|| "accepted".into(), |open| open.text.clone())
        }
        Some(Follow::Done(words) | Follow::Failed(words)) => words.clone(),
        None => match &shown.stage {
            Stage::Executing {
                waiting: Some(why), ..
            } => why.clone(),
            _ => "being sent".into(),
        },
    }
}

/// `5 services`.
pub fn services(batch: &BatchBox) -> String {
    text::count(batch.rows.len() + batch.left_out.len(), "service")
}
