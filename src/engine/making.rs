//! Images that are built or copied from here: their plans, the work to its end, and the way to stop it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{Shared, clock};
use crate::actions::{self, ImageOrder, Makers, Recorder};
use crate::app::event::{Event, JobId};
use crate::config::Config;
use crate::domain::{Failure, FailureKind};
use crate::plan::{Answers, ImageAsk, ImagePlan};
use crate::sources::docker::Docker;
use crate::sources::registry::Registries;

/// So many news wait for the screen at a time; more of them come together.
const TOGETHER: usize = 256;

/// What is under way, by its job.
#[derive(Default)]
pub struct Under(Mutex<HashMap<JobId, CancellationToken>>);

impl Under {
    fn begin(&self, job: JobId) -> CancellationToken {
        let stop = CancellationToken::new();
        self.all().insert(job, stop.clone());
        stop
    }

    pub fn stop(&self, job: JobId) {
        if let Some(stop) = self.all().get(&job) {
            stop.cancel();
        }
    }

    pub fn stop_all(&self) {
        self.all().values().for_each(CancellationToken::cancel);
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who builds, pushes and copies by these settings.
pub fn makers(config: &Config, registries: Registries) -> Makers {
    let none = || {
        let sentence = "there is no Docker engine in a demo";
        Failure::new(FailureKind::Unreachable, sentence)
    };
    let docker = config.docker.as_ref().ok_or_else(none);
    Makers {
        docker: docker.and_then(|address| Docker::new(address).map_err(|error| error.failure())),
        registries,
    }
}

pub(super) async fn plan(shared: Arc<Shared>, job: JobId, ask: ImageAsk) {
    let makers = makers(&shared.config(), shared.registries());
    let planned = actions::plan_image(&makers, ask, clock::now).await;
    let outcome = planned.map(Box::new);
    shared.send(Event::ImagePlanned { job, outcome }).await;
}

/// To its end, whether anybody listens or not.
pub(super) async fn make(shared: Arc<Shared>, job: JobId, plan: ImagePlan, answers: Answers) {
    let makers = makers(&shared.config(), shared.registries());
    let order = ImageOrder {
        plan,
        answers,
        recorder: Recorder::new(&shared.config().state_dir),
        clock: clock::now,
        stop: shared.under.begin(job),
    };
    let mut news = actions::make_image(makers, order).ready_chunks(TOGETHER);
    while let Some(news) = news.next().await {
        shared.send(Event::ImageProgressed { job, news }).await;
    }
    shared.under.all().remove(&job);
    shared.send(Event::Recorded).await;
}
