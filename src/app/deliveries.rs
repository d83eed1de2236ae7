//! What ties builds to what runs, by everything that servers and registries told so far.

use super::model::Model;
use crate::config::jenkins;
use crate::domain::build::{Build, JobId};
use crate::domain::delivery::{self, Delivery, ImageFacts, Tie};
use crate::domain::{Revision, Workload, WorkloadId};

use super::update::builds::job_of;

/// Of the job that is known for it, the newest first; nothing where none is.
pub fn of_service<'a>(model: &'a Model, workload: &Workload) -> Vec<Delivery<'a>> {
    let Some(job) = job_of(&model.settings, workload) else {
        return Vec::new();
    };
    let builds = model.chain.builds(&job);
    if builds.is_empty() {
        return Vec::new();
    }
    deliveries(model, model.fleet.revisions(workload), (&job, builds))
}

/// Builds that no revision runs yet, then the revisions, each with what built it. `builds` are those of the job; both
/// come newest first.
pub fn deliveries<'a>(
    model: &'a Model,
    revisions: &'a [Revision],
    (job, builds): (&JobId, &'a [Build]),
) -> Vec<Delivery<'a>> {
    let revisions: Vec<_> = revisions.iter().collect();
    delivery::deliveries(&revisions, builds, facts(model, job))
}

/// The build that made an image of this workload, where its job is known.
pub fn maker<'a>(model: &'a Model, id: &WorkloadId, image: &str) -> Option<(&'a Build, Tie)> {
    let job = job_of(&model.settings, model.fleet.workload(id)?)?;
    let builds = model.chain.builds(&job);
    let manifest = model
        .chain
        .image(image)
        .and_then(|told| told.manifest.as_ref());
    let made = manifest.and_then(|manifest| manifest.created);
    delivery::maker(builds, (image, made), facts(model, &job))
}

/// What the registries told of an image, by the label that the settings of the job's server name.
fn facts<'a>(model: &'a Model, job: &JobId) -> impl Fn(&str) -> ImageFacts + use<'a> {
    let server = jenkins::named(&model.settings.jenkins, &job.server);
    let label = server.and_then(|server| server.image.label.as_deref());
    move |image| model.chain.facts(image, label)
}
