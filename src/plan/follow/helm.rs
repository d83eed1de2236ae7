//! What Helm wrote is known once it has: until then only the images of its manifest are.

use std::borrow::Cow;

use super::Goal;
use crate::domain::Workload;
use crate::domain::version::version;
use crate::plan::Verb;

/// The goal of the template that our note speaks of; of any other verb it is the goal as it is.
///
/// # Errors
/// Helm's manifest names another image than what is there now, in words.
pub fn written<'a>(workload: &Workload, goal: &'a Goal) -> Result<Cow<'a, Goal>, String> {
    let note = workload.action.as_deref().filter(|note| note.id == goal.id);
    let (Verb::HelmRollback, Some(note)) = (goal.verb, note) else {
        return Ok(Cow::Borrowed(goal));
    };
    for want in &goal.containers {
        let live = workload.containers.iter().find(|c| c.name == want.name);
        if let Some(live) = live.filter(|live| live.image != want.image) {
            return Err(format!(
                "{} has the image {} and not {}, as Helm's manifest has it: something changes images on the way",
                workload.id, live.image, want.image
            ));
        }
    }
    let label = workload.version_label.as_deref();
    Ok(Cow::Owned(Goal {
        to: note.to.clone(),
        to_version: version(&workload.containers, label, None),
        containers: workload.containers.clone(),
        ..goal.clone()
    }))
}
