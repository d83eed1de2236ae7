//! What the two sides of the canary on the screen measure: asked for now and then while it is looked at, else never.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::model::{CanaryMeasuring, Model, Screen};
use crate::domain::measured::{SideTold, Sides, Told};
use crate::domain::{Failure, WorkloadId};

use super::next_job;

/// Servers scrape every fifteen seconds or more seldom.
const EVERY_SECONDS: i64 = 15;

/// With each tick.
pub fn ask(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let Some(Screen::Service(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let id = screen.workload.clone();
    let sides = sides(model, &id);
    let is_same = sides == screen.canary.sides;
    let recent = |at: jiff::Timestamp| now.duration_since(at).as_secs() < EVERY_SECONDS;
    if is_same && screen.canary.asked.is_some_and(|(_, at)| recent(at)) {
        return Vec::new();
    }
    let asks = sides.clone().and_then(Result::ok);
    let job = asks.is_some().then(|| next_job(model));
    if let Some(Screen::Service(screen)) = model.screens.last_mut() {
        if !is_same {
            *screen.canary = CanaryMeasuring {
                sides,
                ..CanaryMeasuring::default()
            };
            model.dirty = true;
        }
        screen.canary.asked = job.map(|job| (job, now)).or(screen.canary.asked);
    }
    let ask = job.zip(asks).map(|(job, sides)| Effect::MeasureCanary {
        job,
        of: id,
        sides: Box::new(sides),
    });
    ask.into_iter().collect()
}

/// Those of a canary that somebody measures.
fn sides(model: &Model, id: &WorkloadId) -> Option<Result<Sides, String>> {
    let fleet = &model.fleet;
    let (workload, rule) = (fleet.workload(id)?, model.measuring(id)?);
    let (revisions, pods) = (fleet.revisions(workload).iter(), fleet.pods(workload));
    Sides::of(workload, revisions, pods, rule.since(model.clock_of(id)))
}

pub fn told(model: &mut Model, job: JobId, outcome: Result<Box<Told>, Failure>) -> Vec<Effect> {
    let now = model.now;
    for screen in &mut model.screens {
        let Screen::Service(screen) = screen else {
            continue;
        };
        if screen.canary.asked.is_none_or(|(asked, _)| asked != job) {
            continue;
        }
        let told = match outcome {
            Ok(told) => *told,
            Err(failure) => Told {
                canary: SideTold::nothing(&failure.sentence),
                stable: SideTold::nothing(&failure.sentence),
            },
        };
        screen.canary.measured.learn(told, now);
        model.dirty = true;
        break;
    }
    Vec::new()
}
