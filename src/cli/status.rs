//! `rolldeck status`: how services stand.

use serde::Serialize;

use crate::config::Config;
use crate::domain::canary::{self, At};
use crate::domain::{Phase, Sync, Workload};
use crate::engine::clock;
use crate::text;

use super::Outcome;
use super::args::{Form, Status};
use super::output;
use super::session::Session;

/// As many services are asked for their pods as on the board.
const MOST: usize = 8;

pub async fn run(config: &Config, args: &Status) -> Outcome {
    let mut session = Session::connect_to_any(config, args.timeout).await?;
    session.workloads_of_any(config).await?;
    let mut chosen: Vec<Workload> = match &args.service {
        Some(service) => {
            // It may be where nobody answers.
            let found = session.all(service);
            let found = found.map_err(|why| session.lost().next().unwrap_or(why))?;
            found.into_iter().cloned().collect()
        }
        None => session.fleet.workloads().cloned().collect(),
    };
    if let Some(selector) = &args.selector {
        chosen.retain(|workload| selector.fits(&workload.labels));
    }
    let closely: Vec<&Workload> = match &args.service {
        Some(_) => chosen.iter().collect(),
        None => chosen
            .iter()
            .filter(|workload| in_motion(&session, workload))
            .take(MOST)
            .collect(),
    };
    session.details(&closely).await?;
    session.suspended().await;
    let mut rows: Vec<Row> = chosen
        .iter()
        .filter_map(|w| row(&session, config, w))
        .collect();
    rows.sort_by(|a, b| (a.phase, &a.service).cmp(&(b.phase, &b.service)));
    match args.output {
        Form::Json => output::json(&rows)?,
        Form::Lines => {
            let head = [
                "CLUSTER",
                "NAMESPACE",
                "SERVICE",
                "VERSION",
                "ROLLOUT",
                "READY",
                "WHY",
            ];
            // Of one it is known which.
            let from = usize::from(config.contexts.len() < 2);
            let rows: Vec<_> = rows
                .into_iter()
                .map(|row| row.cells().split_off(from))
                .collect();
            output::table(&head[from..], &rows)?;
        }
    }
    // What was read is told; that there is more is a failure all the same.
    session.lost().next().map_or(Ok(0), Err)
}

/// One service, as JSON; the names are kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    cluster: String,
    /// As the config calls it.
    environment: Option<String>,
    namespace: String,
    /// `deploy/checkout`.
    service: String,
    version: String,
    /// What it comes from, while a rollout is under way.
    from_version: Option<String>,
    phase: Phase,
    /// How far it is, when it stops part-way on purpose.
    canary: Option<CanaryRow>,
    available: u32,
    desired: u32,
    why: Option<String>,
    /// How that stands which keeps it as git has it: of a named service, or of one whose sync rolldeck suspended.
    sync: Option<String>,
}

/// In percent, and steps from 1.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CanaryRow {
    weight_set: u32,
    /// What it gets, as far as that is known.
    weight: Option<u32>,
    step: u32,
    steps: u32,
    #[serde(skip)]
    at: At,
}

impl From<At> for CanaryRow {
    fn from(at: At) -> Self {
        Self {
            weight_set: at.set,
            weight: at.real,
            step: at.step,
            steps: at.steps,
            at,
        }
    }
}

/// Only its pods tell whether it moves or is stuck, and why.
fn in_motion(session: &Session, workload: &Workload) -> bool {
    let standing = session.fleet.standing(&workload.id, clock::now());
    standing.is_some_and(|standing| match standing.phase {
        Phase::Stalled
        | Phase::Canary
        | Phase::Degraded
        | Phase::RollingBack
        | Phase::Rolling
        | Phase::Unknown => true,
        Phase::Paused | Phase::Steady | Phase::ScaledToZero => false,
    })
}

fn row(session: &Session, config: &Config, workload: &Workload) -> Option<Row> {
    let standing = session.fleet.standing(&workload.id, clock::now())?;
    let revisions = session.fleet.revisions(workload);
    let at = canary::at(workload, revisions);
    let moving = standing.progress.is_some() || at.is_some();
    let versions = session.fleet.versions(workload, moving);
    let serving = session.fleet.served_by(workload);
    let serving = serving.filter(|_| workload.controlled().is_some());
    let serving = serving.unwrap_or(workload);
    let environment = config.environments.iter().find(|e| e.holds(&workload.id));
    Some(Row {
        cluster: workload.id.cluster.to_string(),
        environment: environment.map(|e| e.name.clone()),
        namespace: workload.id.namespace.to_string(),
        service: workload.id.to_string(),
        version: versions.to,
        from_version: versions.from,
        phase: standing.phase,
        canary: at.filter(At::is_told).map(CanaryRow::from),
        available: serving.counts.available,
        desired: serving.desired,
        why: standing.why.map(|why| why.text),
        sync: session.fleet.sync(workload).map(sync_words),
    })
}

/// `Argo CD application shop: out of sync, automatic, heals itself`.
fn sync_words(sync: &Sync) -> String {
    let how = match sync.suspension.as_deref() {
        None => sync.how(),
        Some(note) => {
            let ago = text::age(note.at, clock::now());
            format!("suspended by {}, {ago} ago", note.by)
        }
    };
    format!("{}: {}, {how}", sync.id, sync.state.word())
}

impl Row {
    fn cells(self) -> Vec<String> {
        let version = match self.from_version {
            Some(from) => format!("{from} -> {}", self.version),
            None => self.version,
        };
        vec![
            self.cluster,
            self.namespace,
            self.service,
            version,
            match &self.canary {
                Some(canary) => format!("{} {}", self.phase, text::canary::at(&canary.at)),
                None => self.phase.to_string(),
            },
            format!("{}/{}", self.available, self.desired),
            [self.why, self.sync]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; "),
        ]
    }
}
