//! What keeps services as git has them: resuming what a rolldeck suspended, and the change for git in a file.

use crate::app::effect::Effect;
use crate::app::model::{Model, Overlay};
use crate::domain::{Failure, WorkloadId};
use crate::plan::{Target, Verb};

use super::{notice, plan};

/// That of the service itself when it is suspended, else the first of those that the lines above the keys tell of.
pub fn resume(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let fleet = &model.fleet;
    let here = fleet
        .workload(id)
        .filter(|workload| fleet.sync(workload).is_some_and(|s| s.suspension.is_some()));
    let first = || {
        let mut suspended = fleet.suspended();
        suspended.find_map(|sync| fleet.kept_by(&sync.id).next())
    };
    let Some(id) = here.or_else(first).map(|workload| workload.id.clone()) else {
        notice(model, "no sync is suspended by rolldeck here", false);
        return Vec::new();
    };
    plan::open(model, &id, Verb::ResumeSync, Target::Proposed)
}

/// Said in the plan that offered it, when that is still open.
pub fn saved(model: &mut Model, outcome: Result<String, Failure>) -> Vec<Effect> {
    let (words, bad) = match outcome {
        Ok(file) => (format!("written to {file}, and copied"), false),
        Err(failure) => (failure.sentence, true),
    };
    if let Some(Overlay::Plan(shown)) = &mut model.overlay {
        shown.said = Some(words);
        model.dirty = true;
    } else {
        notice(model, words, bad);
    }
    Vec::new()
}
