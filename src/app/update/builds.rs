//! What the servers that build tell: which job builds which service, and what came of the last look.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::effect::{Effect, JobsWish};
use crate::app::event::JobId;
use crate::app::model::{Model, RowBuild, Screen};
use crate::domain::build::{self, Build, Job};
use crate::domain::{Failure, Workload};

/// The job that builds it: by its annotation, on the first server, else as the configuration of a server says.
pub fn job_of(model: &Model, workload: &Workload) -> Option<build::JobId> {
    let servers = &model.settings.jenkins;
    if let Some(path) = &workload.job {
        return Some(build::JobId::new(servers.first()?.name(), path));
    }
    let service = workload.service(model.settings.service_label.as_deref());
    servers.iter().find_map(|server| {
        let path = server.job_of(service, &workload.id.namespace)?;
        Some(build::JobId::new(server.name(), &path))
    })
}

/// For its row.
pub fn of(model: &Model, workload: &Workload) -> Option<RowBuild> {
    let job = job_of(model, workload)?;
    Some(RowBuild {
        newest: model.chain.newest(&job, model.now),
        red_since: model.chain.red_since(&job),
        job,
    })
}

/// The jobs of all services on the board, by server.
pub fn wanted(model: &Model) -> Vec<JobsWish> {
    let mut jobs: BTreeMap<&str, BTreeSet<Box<str>>> = BTreeMap::new();
    let board = &model.board;
    let rows = board.rows.iter().chain(board.hidden_rows.values());
    for job in rows.filter_map(|row| Some(&row.build.as_ref()?.job)) {
        let of_server = jobs.entry(&job.server).or_default();
        of_server.insert(job.path.clone());
    }
    let watched = match model.screens.last() {
        None => true,
        Some(screen) => matches!(screen, Screen::Service(_)),
    };
    let wish = |(server, jobs): (&str, _)| JobsWish {
        server: server.into(),
        jobs,
        watched,
    };
    jobs.into_iter().map(wish).collect()
}

pub fn told(
    model: &mut Model,
    server: &str,
    at: Timestamp,
    outcome: Result<Vec<Job>, Failure>,
) -> Vec<Effect> {
    match outcome {
        Ok(jobs) => {
            let changed: BTreeSet<_> = model.chain.looked(server, jobs, at).into_iter().collect();
            touch(model, |job| changed.contains(job));
        }
        Err(failure) => model.chain.failed(server, failure.line(), at),
    }
    model.dirty = true;
    Vec::new()
}

pub fn read(
    model: &mut Model,
    _: JobId,
    of: &build::JobId,
    outcome: Result<Vec<Build>, Failure>,
) -> Vec<Effect> {
    // A server that fails is said by its looks.
    if let Ok(builds) = outcome {
        model.chain.read(of, builds);
        touch(model, |job| job == of);
        model.dirty = true;
    }
    Vec::new()
}

/// The rows of these jobs read otherwise now.
fn touch(model: &mut Model, is: impl Fn(&build::JobId) -> bool) {
    let board = &model.board;
    let rows = board.rows.iter().chain(board.hidden_rows.values());
    let theirs = rows.filter(|row| row.build.as_ref().is_some_and(|build| is(&build.job)));
    let theirs: Vec<_> = theirs.map(|row| row.id.clone()).collect();
    model.work.touched.extend(theirs);
}
