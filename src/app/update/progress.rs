//! What comes of a write: step by step, into its box while that is open, and into what is followed.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::model::{Model, Overlay, Stage};
use crate::domain::Failure;
use crate::plan::{Progress, Step};

use super::plan::{gather_again, waiting};
use super::{builds, follow, notice};

pub fn progressed(model: &mut Model, job: JobId, progress: Progress) -> Vec<Effect> {
    let Some(at) = model.executions.iter().position(|e| e.job == job) else {
        return Vec::new();
    };
    model.dirty = true;
    match progress {
        Progress::Sent { step } => at_step(model, job, step, None),
        Progress::Waiting { step, why } => at_step(model, job, step, Some(why)),
        Progress::Accepted {
            step,
            at: accepted,
            generation,
        } => {
            let plan = &model.executions[at].plan;
            let step = plan.all_steps().nth(step);
            if step.is_some_and(|step| plan.begins_at(step)) {
                let goal = plan.goal.clone();
                follow::begin(model, goal, accepted, generation);
                return Vec::new();
            }
            match step {
                // The next look shows it.
                Some(Step::Hold { .. }) => vec![Effect::WatchJobs(builds::wanted(model))],
                Some(_) | None => Vec::new(),
            }
        }
        Progress::Refused { step, why, moved } => {
            model.executions.remove(at);
            refused(model, job, (step, why), moved)
        }
        Progress::Unknown { why, .. } => {
            let execution = model.executions.remove(at);
            match waiting(&mut model.overlay, &mut model.batch, job) {
                Some(shown) => {
                    shown.stage = Stage::Unknown {
                        plan: execution.plan,
                        why,
                    }
                }
                None => notice(
                    model,
                    format!("whether it was written is not known: {why}"),
                    true,
                ),
            }
            Vec::new()
        }
        Progress::Done { .. } => {
            model.executions.remove(at);
            if matches!(&model.overlay, Some(Overlay::Plan(shown)) if shown.job == job) {
                model.overlay = None;
            }
            Vec::new()
        }
    }
}

fn at_step(model: &mut Model, job: JobId, now: usize, why: Option<String>) -> Vec<Effect> {
    if let Some(shown) = waiting(&mut model.overlay, &mut model.batch, job)
        && let Stage::Executing { step, waiting, .. } = &mut shown.stage
    {
        (*step, *waiting) = (now, why);
    }
    Vec::new()
}

fn refused(
    model: &mut Model,
    job: JobId,
    (step, why): (usize, Failure),
    moved: bool,
) -> Vec<Effect> {
    // Of several a row that moved has failed: nobody looks at a new plan of it.
    let open = matches!(&model.overlay, Some(Overlay::Plan(shown)) if shown.job == job);
    match waiting(&mut model.overlay, &mut model.batch, job) {
        Some(_) if moved && open => gather_again(model, Some(why.sentence)),
        Some(shown) => {
            shown.stage = Stage::Refused { failure: why };
            Vec::new()
        }
        None => {
            let words = match step {
                0 => format!("nothing was written: {}", why.sentence),
                _ => why.sentence,
            };
            notice(model, words, true);
            Vec::new()
        }
    }
}
