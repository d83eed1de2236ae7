//! The way of a write: fresh reads, checks, the write itself, and its end in the record.

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;

use super::{Shared, clock};
use crate::actions::record::{self, Ended, Line, NotBegun};
use crate::actions::{self, GatherContext, Order, OriginContext, Recorder, Sources};
use crate::app::event::{Event, JobId};
use crate::config::{self, Config, prometheus};
use crate::domain::{Failure, Level, Pin, WorkloadId};
use crate::plan::{Answers, CheckId, Evidence, Finding, Plan, Progress, Request, Verdict};
use crate::sources::jenkins::Servers;
use crate::sources::kube::Cluster;
use crate::sources::registry::Registries;
use crate::sources::source_repo::Repositories;

/// So many seconds a job is held when nobody says how long.
pub const HOLD_FOR: u32 = 3_600;

pub(super) async fn gather(shared: Arc<Shared>, job: JobId, request: Request) {
    let outcome = read(&shared, &request).await.map(Box::new);
    shared.send(Event::Gathered { job, outcome }).await;
}

async fn read(shared: &Shared, request: &Request) -> Result<Evidence, Failure> {
    let mut context = context(&shared.config(), &request.workload);
    if let Some(from) = request.origin() {
        let cluster = shared.connected(&from.cluster)?;
        context.origin = Some(origin(&shared.config(), cluster));
    }
    let cluster = shared.connected(&request.workload.cluster)?;
    if let Some(why) = request.not_for_its_kind() {
        return Err(why);
    }
    actions::gather(&cluster, request, context).await
}

/// What the settings say about this workload: how careful one is with it, and what holds there.
pub fn context(config: &Config, id: &WorkloadId) -> GatherContext {
    let here = config.environments.iter().find(|e| e.holds(id));
    let name = here.map(|e| &*e.name);
    let holds = config.holds.iter().filter(|hold| hold.covers(name));
    GatherContext {
        level: here.map_or(Level::Guarded, |e| e.protection),
        holds: holds.cloned().collect(),
        service_label: config.service_label.clone(),
        repositories: Repositories::new(config),
        servers: Servers::new(config),
        hold_for: HOLD_FOR,
        state_dir: config.state_dir.clone(),
        ready_for: config.verify_seconds,
        kubeconfig: config.connection.kubeconfig.clone(),
        presence: config.presence,
        measured: prometheus::of(&config.prometheus, name).map(config::Prometheus::rule),
        // New ones, which know no tag from before.
        pinned_by: here
            .filter(|e| e.pin == Pin::Digest)
            .map(|_| Registries::new(&config.registries, clock::now)),
        origin: None,
        clock: clock::now,
    }
}

/// Where an image is promoted from: this cluster, and new registries, which know no tag from before.
pub fn origin(config: &Config, cluster: Cluster) -> OriginContext {
    OriginContext {
        cluster,
        registries: Registries::new(&config.registries, clock::now),
        soak: config.soak,
        clock: clock::now,
    }
}

pub(super) async fn preflight(shared: Arc<Shared>, job: JobId, plan: Plan) {
    match shared.connected(&plan.workload.cluster) {
        Ok(cluster) => {
            let sources = sources(&shared, cluster, &plan.request);
            let mut verdicts = actions::preflight(sources, plan, shared.config().readonly);
            while let Some(verdict) = verdicts.next().await {
                shared.send(Event::Checked { job, verdict }).await;
            }
        }
        Err(failure) => {
            let verdict = Verdict {
                check: CheckId::Unchanged,
                finding: Finding::Unverified,
                sentence: failure.sentence,
            };
            shared.send(Event::Checked { job, verdict }).await;
        }
    }
}

fn sources(shared: &Shared, cluster: Cluster, request: &Request) -> Sources {
    Sources {
        cluster,
        registries: shared.registries(),
        repositories: shared.repositories(),
        servers: shared.jenkins(),
        prometheus: shared.prometheus(),
        origin: shared.origin_of(request),
    }
}

/// To its end, whether anybody listens or not.
pub(super) async fn execute(
    shared: Arc<Shared>,
    job: JobId,
    plan: Plan,
    (answers, verdicts): (Answers, Vec<Verdict>),
) {
    let client = match shared.client(&plan.workload.cluster) {
        Ok(client) => client,
        Err(why) => {
            let progress = Progress::Refused {
                step: 0,
                why,
                moved: false,
            };
            return shared.send(Event::Progressed { job, progress }).await;
        }
    };
    let several = answers.several.is_some();
    let again = several.then(|| sources(&shared, client.cluster.clone(), &plan.request));
    let order = Order {
        again,
        plan,
        answers,
        verdicts,
        recorder: Recorder::new(&shared.config().state_dir),
        servers: shared.jenkins(),
        server_user: client.user,
        presence: shared.config().presence,
        clock: clock::now,
    };
    let mut facts = actions::execute(client.cluster, order);
    while let Some(progress) = facts.next().await {
        let recorded = !matches!(
            progress,
            Progress::Waiting { .. } | Progress::Accepted { .. }
        );
        shared.send(Event::Progressed { job, progress }).await;
        if recorded {
            shared.send(Event::Recorded).await;
        }
    }
}

/// What was confirmed with others, and its turn never came.
pub(super) async fn not_begun(
    shared: Arc<Shared>,
    plan: Plan,
    (answers, verdicts): (Answers, Vec<Verdict>),
    why: String,
) {
    let client = shared.client(&plan.workload.cluster).ok();
    let user = client.and_then(|client| client.user);
    let given = (&plan, &answers, &*verdicts);
    write_not_begun(&shared.config().state_dir, given, user.as_deref(), why).await;
    shared.send(Event::Recorded).await;
}

/// Nothing rests on this line: one that cannot be written is logged.
pub async fn write_not_begun(
    state_dir: &Path,
    (plan, answers, verdicts): (&Plan, &Answers, &[Verdict]),
    user: Option<&str>,
    why: String,
) {
    let sending = record::sending(plan, answers, verdicts, user, clock::now());
    let line = Line::NotBegun(Box::new(NotBegun { sending, why }));
    Recorder::new(state_dir).note(line).await;
}

/// How a followed action ended.
pub struct End {
    pub id: String,
    pub workload: WorkloadId,
    pub outcome: String,
    pub verified: bool,
}

pub(super) async fn ended(shared: Arc<Shared>, end: End) {
    if let Err(failure) = write_end(&shared.config().state_dir, end).await {
        tracing::error!(
            why = failure.sentence,
            "the end of an action is not in the record"
        );
    }
    shared.send(Event::Recorded).await;
}

/// # Errors
/// The record cannot be written.
pub async fn write_end(state_dir: &Path, end: End) -> Result<(), Failure> {
    let line = Line::Ended(Ended {
        id: end.id,
        at: clock::now(),
        workload: end.workload,
        verified: end.verified,
        sentence: end.outcome,
    });
    Recorder::new(state_dir).append(line).await?;
    Ok(())
}
