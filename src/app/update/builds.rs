//! What the servers that build tell: which job builds which service, its builds, and what came of the last look.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::effect::{Effect, JobsWish};
use crate::app::event::JobId;
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::{BuildsScreen, Model, RowBuild, Screen, Settings, TextKind};
use crate::config::jenkins;
use crate::domain::build::{self, Build, BuildId, Job};
use crate::domain::chain::ImageTold;
use crate::domain::{Failure, Presence, Workload, WorkloadId, known};

use super::{ask, build as box_of, key, next_job, notice, text};

/// So many builds are in view where a service says what built its revisions.
const OF_SERVICE: usize = 10;

/// The job that builds it.
pub fn job_of(settings: &Settings, workload: &Workload) -> Option<build::JobId> {
    let service = workload.service(settings.service_label.as_deref());
    jenkins::job_of(
        &settings.jenkins,
        workload.job.as_deref(),
        (service, &workload.id.namespace),
    )
}

/// For its row.
pub fn of(model: &Model, workload: &Workload) -> Option<RowBuild> {
    let job = job_of(&model.settings, workload)?;
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
        Some(Screen::Text(text)) => matches!(text.kind, TextKind::BuildLog(..)),
        Some(screen) => matches!(screen, Screen::Service(_) | Screen::Builds(_)),
    };
    let wish = |(server, jobs): (&str, _)| JobsWish {
        server: server.into(),
        jobs,
        watched,
    };
    jobs.into_iter().map(wish).collect()
}

/// The builds of its job over what is shown.
pub fn open(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let Some(job) = job_or_say(model, id) else {
        return Vec::new();
    };
    let Some(uid) = model.board.row(id).map(|row| row.uid.clone()) else {
        return Vec::new();
    };
    let request = next_job(model);
    model.overlay = None;
    model.screens.push(Screen::Builds(BuildsScreen {
        workload: id.clone(),
        uid,
        job: job.clone(),
        request,
        marked: None,
        offset: 0,
    }));
    model.work.wishes = true;
    vec![Effect::ReadBuilds {
        job: request,
        of: job,
    }]
}

/// What built its revisions, for the service's own screen.
pub fn ask(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    let workload = model.fleet.workload(id);
    let Some(of) = workload.and_then(|workload| job_of(&model.settings, workload)) else {
        return Vec::new();
    };
    let job = next_job(model);
    vec![Effect::ReadBuilds { job, of }]
}

/// The job that builds it; says why there is none.
pub fn job_or_say(model: &mut Model, id: &WorkloadId) -> Option<build::JobId> {
    let workload = model.fleet.workload(id)?;
    let job = job_of(&model.settings, workload);
    if job.is_none() {
        let words = if model.settings.jenkins.is_empty() {
            "no server that builds is configured: jenkins: in the settings names one".to_owned()
        } else {
            format!("no job is known that builds {id}: jobs: in the settings, or its annotation")
        };
        notice(model, words, false);
    }
    job
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (page, rows) = (layout::page(model), layout::builds_rows(model));
    let Some(Screen::Builds(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    let builds = model.chain.builds(&screen.job);
    let at = screen.at(builds);
    if let Some(to) = key::moved(intent, at, builds.len(), page) {
        screen.marked = builds.get(to).map(|build| build.id.number);
        screen.offset = layout::scrolled(screen.offset, to, rows);
        return ask_images(model).into_iter().collect();
    }
    let marked = builds.get(at).cloned();
    let (id, job) = (screen.workload.clone(), screen.job.clone());
    match intent {
        Intent::Back => {
            let job = screen.request;
            model.screens.pop();
            model.work.wishes = true;
            vec![Effect::Cancel { job }]
        }
        Intent::Retry => {
            let request = next_job(model);
            if let Some(Screen::Builds(screen)) = model.screens.last_mut() {
                screen.request = request;
            }
            vec![Effect::ReadBuilds {
                job: request,
                of: job,
            }]
        }
        Intent::Open => match marked {
            Some(build) => text::open_build_log(model, build.id, id),
            None => Vec::new(),
        },
        Intent::Copy => match marked {
            Some(build) => vec![Effect::Copy {
                text: build.url.to_string(),
            }],
            None => Vec::new(),
        },
        Intent::Build => box_of::open(model, &id),
        Intent::ResumeJob => box_of::resume(model, &id),
        Intent::StopBuild => box_of::stop(model, &id, marked),
        _ => Vec::new(),
    }
}

impl BuildsScreen {
    /// Where the marked build is; the newest when it is gone.
    pub fn at(&self, builds: &[Build]) -> usize {
        let marked = |build: &Build| Some(build.id.number) == self.marked;
        builds.iter().position(marked).unwrap_or(0)
    }
}

pub fn told(
    model: &mut Model,
    server: &str,
    at: Timestamp,
    outcome: Result<Vec<Job>, Failure>,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    match outcome {
        Ok(jobs) => {
            let changed: BTreeSet<_> = model.chain.looked(server, jobs, at).into_iter().collect();
            touch(model, |job| changed.contains(job));
            effects.extend(again(model, &changed));
        }
        Err(failure) => model.chain.failed(server, failure.line(), at),
    }
    model.dirty = true;
    effects.extend(ask_images(model));
    effects
}

/// A look tells little of a build: where the job is on the screen its builds are read again.
fn again(model: &mut Model, changed: &BTreeSet<build::JobId>) -> Option<Effect> {
    let of = match model.screens.last()? {
        Screen::Builds(screen) => screen.job.clone(),
        Screen::Service(screen) => {
            let workload = model.fleet.workload(&screen.workload)?;
            job_of(&model.settings, workload)?
        }
        _ => return None,
    };
    let job = changed.contains(&of).then(|| next_job(model))?;
    Some(Effect::ReadBuilds { job, of })
}

pub fn read(
    model: &mut Model,
    _: JobId,
    of: &build::JobId,
    outcome: Result<Vec<Build>, Failure>,
) -> Vec<Effect> {
    match outcome {
        Ok(builds) => {
            model.chain.read(of, builds);
            touch(model, |job| job == of);
        }
        // That a server is away is said by its looks, for as long as it is.
        Err(failure) if !is_silent(model, &of.server) => notice(model, failure.line(), true),
        Err(_) => {}
    }
    model.dirty = true;
    ask_images(model).into_iter().collect()
}

/// The builds in view that may tell more are asked which image they made.
fn ask_images(model: &mut Model) -> Option<Effect> {
    let rows = layout::builds_rows(model);
    let (id, places) = match model.screens.last()? {
        Screen::Builds(screen) => (&screen.workload, screen.offset..screen.offset + rows),
        Screen::Service(screen) => (&screen.workload, 0..OF_SERVICE),
        _ => return None,
    };
    let workload = model.fleet.workload(id)?;
    let job = job_of(&model.settings, workload)?;
    let rule = &jenkins::named(&model.settings.jenkins, &job.server)?.image;
    if rule.parameter.is_none() && rule.artifact.is_none() && rule.pattern.is_none() {
        return None;
    }
    let service = workload
        .service(model.settings.service_label.as_deref())
        .into();
    let builds = model.chain.ask_images(&job, places);
    (!builds.is_empty()).then_some(Effect::ReadBuildImages { service, builds })
}

/// An image.
pub fn made(model: &mut Model, build: &BuildId, image: Box<str>) -> Vec<Effect> {
    model.chain.made(build, image);
    model.dirty = true;
    Vec::new()
}

fn is_silent(model: &Model, server: &str) -> bool {
    let mut servers = model.chain.servers();
    servers
        .any(|(name, known)| name == server && matches!(known.state, known::State::Failed { .. }))
}

/// By a registry.
pub fn image_told(model: &mut Model, image: Box<str>, told: ImageTold) -> Vec<Effect> {
    // On the board alone only what is missing may be seen; the others come for a long time, one by one.
    let seen = told.presence == Presence::Missing
        || model.board.wide
        || !model.screens.is_empty()
        || model.overlay.is_some();
    let picked = ask::has_row(model, &image);
    if !model.chain.told_of(image, told) || !seen {
        return Vec::new();
    }
    model.dirty = true;
    if picked {
        ask::refit(model)
    } else {
        Vec::new()
    }
}

/// The rows of these jobs read otherwise now.
fn touch(model: &mut Model, is: impl Fn(&build::JobId) -> bool) {
    let board = &model.board;
    let rows = board.rows.iter().chain(board.hidden_rows.values());
    let theirs = rows.filter(|row| row.build.as_ref().is_some_and(|build| is(&build.job)));
    let theirs: Vec<_> = theirs.map(|row| row.id.clone()).collect();
    model.work.touched.extend(theirs);
}
