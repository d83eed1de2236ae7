//! `rolldeck changes`: what changed lately, the newest first; with `--before` what most likely did it first.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::timeout;

use crate::app::effect::Asked;
use crate::config::Config;
use crate::domain::occurrence::{Reading, Report, Suspicion, What, Who, ordered};
use crate::domain::{Failure, FailureKind, Occurrence, WorkloadId};
use crate::engine::{changes, clock, doctor};
use crate::sources::kube::{self, Cluster};
use crate::text;

use super::Outcome;
use super::args::{Changes, ListForm};
use super::output;
use super::session::Session;

pub async fn run(config: &Config, args: &Changes) -> Outcome {
    let now = clock::now();
    let began = args
        .before
        .as_deref()
        .map(|typed| moment(typed, now))
        .transpose()?;
    let (cluster, service) = reached(config, args).await?;
    let report = read(config, args, &cluster, service.as_ref()).await;
    failed_whole(&report)?;
    let oldest = began.unwrap_or(now).saturating_sub(args.since);
    let oldest = oldest.unwrap_or(Timestamp::MIN).max(changes::since(now));
    let suspicion = began.map(|began| Suspicion {
        troubled: match &service {
            Some(id) => [id.clone()].into(),
            None => troubled(&report),
        },
        began,
    });
    let lines = report.occurrences.iter().collect();
    let mut lines = ordered(lines, suspicion.as_ref(), service.as_ref());
    lines.retain(|one| one.at >= oldest && concerns(one, service.as_ref()));
    told(args.output, &report, &lines, (began, now))?;
    Ok(0)
}

fn moment(typed: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    text::typed_moment(typed, now).ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("{typed} is no moment"))
            .hint("14:02, 2026-11-27T14:02 or 20m (ago) are; all times are UTC")
    })
}

/// A service is looked up first: silence about one that does not exist would be taken for calm.
async fn reached(
    config: &Config,
    args: &Changes,
) -> Result<(Cluster, Option<WorkloadId>), Failure> {
    if let Some(service) = &args.service {
        let mut session = Session::connect(config, args.timeout).await?;
        session.workloads(config).await?;
        let id = session.find(service)?.id;
        return Ok((session.cluster, Some(id)));
    }
    let connecting = kube::connect(&config.connection, clock::now, |_| {});
    let cluster = connecting.await.map_err(|error| error.failure())?;
    Ok((cluster, None))
}

/// What has not answered in time is missing, and said to be; the rest stands.
async fn read(
    config: &Config,
    args: &Changes,
    cluster: &Cluster,
    service: Option<&WorkloadId>,
) -> Report {
    let namespaces = match service {
        Some(id) => vec![Some(id.namespace.clone())],
        None => doctor::namespaces(config, cluster)
            .into_iter()
            .filter_map(|namespace| Some(Some(namespace?.as_str().into())))
            .collect(),
    };
    let asked = Asked {
        cluster: cluster.id().clone(),
        namespaces,
        seen: Vec::new(),
    };
    let mut report = Report::default();
    let reading = changes::collect(cluster, &config.state_dir, asked, |more| report = more);
    let late = timeout(Duration::from_secs(args.timeout), reading)
        .await
        .is_err();
    if late {
        for (_, how) in &mut report.readings {
            if *how == Reading::Asking {
                *how = Reading::Failed(format!("no answer within {}s", args.timeout));
            }
        }
    }
    report
}

/// Nothing at all could be read: that is no list.
fn failed_whole(report: &Report) -> Result<(), Failure> {
    let read = |how: &Reading| matches!(how, Reading::Read | Reading::Cut(_));
    let mut of_cluster = report
        .readings
        .iter()
        .skip(1)
        .map(|(_, how)| how)
        .peekable();
    if of_cluster.peek().is_none() || of_cluster.any(read) {
        return Ok(());
    }
    let why = report.gaps().into_iter().next();
    let why = why.unwrap_or_else(|| "nothing could be read".into());
    Err(Failure::new(FailureKind::Failed, why).hint("rolldeck doctor says what answers"))
}

fn troubled(report: &Report) -> BTreeSet<WorkloadId> {
    let ids = report.troubled.iter().map(|(id, _)| id.clone());
    ids.collect()
}

/// The service itself and what it uses; nodes are everybody's.
fn concerns(one: &Occurrence, service: Option<&WorkloadId>) -> bool {
    service.is_none_or(|id| one.services.contains(id) || one.what == What::Node)
}

fn told(
    form: ListForm,
    report: &Report,
    lines: &[&Occurrence],
    (began, now): (Option<Timestamp>, Timestamp),
) -> Result<(), Failure> {
    match form {
        ListForm::Json => {
            let rows = lines.iter().map(|one| Row::of(one)).collect();
            let missing = report.gaps();
            output::json(&List {
                missing,
                changes: rows,
            })
        }
        ListForm::Markdown => {
            let title = match began {
                Some(at) => format!("What changed before {at}"),
                None => format!("What changed until {now}"),
            };
            let table = text::changes::markdown(&title, &report.gaps(), lines, began);
            table.lines().try_for_each(output::line)
        }
        ListForm::Lines => {
            for gap in report.gaps() {
                output::aside(&gap);
            }
            let head = [
                "TIME",
                "AGE",
                "WHAT",
                "NAMESPACE",
                "CHANGE",
                "BY",
                "KNOWN FROM",
            ];
            let rows: Vec<_> = lines.iter().map(|one| cells(one, began, now)).collect();
            output::table(&head, &rows)
        }
    }
}

fn cells(one: &Occurrence, began: Option<Timestamp>, now: Timestamp) -> Vec<String> {
    vec![
        text::changes::when(one, now),
        text::changes::distance(one.at, began, now),
        one.subject.to_string(),
        one.subject.namespace.to_string(),
        text::changes::change(one),
        one.who.name().unwrap_or("").to_owned(),
        one.known_from.to_owned(),
    ]
}

#[derive(Serialize)]
struct List<'a> {
    /// What could not be read, one sentence each.
    missing: Vec<String>,
    changes: Vec<Row<'a>>,
}

/// One change, as JSON; the names are kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    at: Timestamp,
    inferred: bool,
    what: What,
    /// `deploy/checkout`.
    subject: String,
    namespace: &'a str,
    services: Vec<String>,
    change: &'a str,
    by: Option<&'a str>,
    by_is_person: bool,
    known_from: &'static str,
}

impl<'a> Row<'a> {
    fn of(one: &'a Occurrence) -> Self {
        Self {
            at: one.at,
            inferred: one.inferred,
            what: one.what,
            subject: one.subject.to_string(),
            namespace: &one.subject.namespace,
            services: one.services.iter().map(ToString::to_string).collect(),
            change: &one.words,
            by: one.who.name(),
            by_is_person: matches!(one.who, Who::Person(_)),
            known_from: one.known_from,
        }
    }
}
