//! What the pods of the service on the screen use: asked for now and then, and no more once it is refused.

use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::model::{Model, Screen};
use crate::domain::{Failure, FailureKind, Usage};

use super::next_job;

/// The server itself measures every fifteen seconds or more seldom.
const EVERY_SECONDS: i64 = 20;

/// With each tick.
pub fn ask(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let Some(Screen::Service(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let recent = |at: jiff::Timestamp| now.duration_since(at).as_secs() < EVERY_SECONDS;
    let asked = screen.usage.asked;
    let Some(workload) = model.fleet.workload(&screen.workload) else {
        return Vec::new();
    };
    let workload = model.fleet.stand_in(workload);
    let waits = screen.usage.given_up || asked.is_some_and(|(_, at)| recent(at));
    if waits || model.fleet.pods(workload).is_empty() {
        return Vec::new();
    }
    let (of, selector) = (workload.id.clone(), workload.selector.clone());
    let job = next_job(model);
    if let Some(Screen::Service(screen)) = model.screens.last_mut() {
        screen.usage.asked = Some((job, now));
    }
    vec![Effect::Measure { job, of, selector }]
}

pub fn measured(model: &mut Model, job: JobId, outcome: Result<Usage, Failure>) -> Vec<Effect> {
    let now = model.now;
    for screen in &mut model.screens {
        let Screen::Service(screen) = screen else {
            continue;
        };
        let usage = &mut screen.usage;
        if usage.asked.is_none_or(|(asked, _)| asked != job) {
            continue;
        }
        match outcome {
            Ok(measured) => usage.known.learn(measured, now),
            Err(failure) => {
                usage.given_up =
                    matches!(failure.kind, FailureKind::NotFound | FailureKind::Denied);
                let why = match failure.kind {
                    FailureKind::NotFound => "no metrics.k8s.io here".to_owned(),
                    _ => failure.sentence,
                };
                usage.known.fail(why, now);
            }
        }
        model.dirty = true;
        break;
    }
    Vec::new()
}
