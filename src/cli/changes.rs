//! `rolldeck changes`: what changed lately, the newest first; with `--before` what most likely did it first.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::timeout;

use crate::app::effect::Asked;
use crate::config::Config;
use crate::domain::occurrence::{Origin, Reading, Report, Suspicion, What, Who, ordered};
use crate::domain::{ClusterId, Failure, FailureKind, Occurrence, WorkloadId};
use crate::engine::{changes, clock, doctor};
use crate::sources::kube::Cluster;
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
    let (session, service) = reached(config, args).await?;
    let whole = read(config, args, &session, service.as_ref()).await;
    whole.failed()?;
    let oldest = began.unwrap_or(now).saturating_sub(args.since);
    let oldest = oldest.unwrap_or(Timestamp::MIN).max(changes::since(now));
    let suspicion = began.map(|began| Suspicion {
        troubled: match &service {
            Some(id) => [(id.clone(), began)].into(),
            None => whole.troubled(),
        },
        began,
    });
    let mut lines = ordered(whole.occurrences(), suspicion.as_ref(), service.as_ref());
    lines.retain(|one| one.at >= oldest && concerns(one, service.as_ref()));
    told(args.output, &whole, &lines, (began, now))?;
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
) -> Result<(Session, Option<WorkloadId>), Failure> {
    let mut session = Session::connect_to_any(config, args.timeout).await?;
    let Some(service) = &args.service else {
        return Ok((session, None));
    };
    session.workloads_of_any(config).await?;
    let id = session.find(service)?.id;
    Ok((session, Some(id)))
}

/// Of each cluster alone, or of the one that the service is in.
async fn read(
    config: &Config,
    args: &Changes,
    session: &Session,
    service: Option<&WorkloadId>,
) -> Whole {
    let clusters = session.clusters().iter();
    let clusters = clusters.filter(|c| service.is_none_or(|id| id.cluster == *c.id()));
    let reports = clusters.map(async |cluster| {
        let report = read_one(config, args, cluster, service).await;
        (cluster.id().clone(), report)
    });
    Whole {
        reports: join_all(reports).await,
        lost: session.lost().collect(),
    }
}

/// What has not answered in time is missing, and said to be; the rest stands.
async fn read_one(
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

/// What all clusters told.
struct Whole {
    reports: Vec<(ClusterId, Report)>,
    /// Why others did not.
    lost: Vec<Failure>,
}

impl Whole {
    fn several(&self) -> bool {
        self.reports.len() + self.lost.len() > 1
    }

    fn occurrences(&self) -> Vec<&Occurrence> {
        let reports = self.reports.iter();
        reports
            .flat_map(|(_, report)| &report.occurrences)
            .collect()
    }

    fn troubled(&self) -> BTreeMap<WorkloadId, Timestamp> {
        let reports = self.reports.iter();
        let troubled = reports.flat_map(|(_, report)| &report.troubled);
        troubled.cloned().collect()
    }

    /// What is not in the list, one sentence each, with the cluster where there are several.
    fn gaps(&self) -> Vec<String> {
        let lost = self.lost.iter().map(|why| why.sentence.clone());
        let of = |(id, report): &(ClusterId, Report)| {
            let named = |gap| {
                if self.several() {
                    format!("{id}: {gap}")
                } else {
                    gap
                }
            };
            report.gaps().into_iter().map(named).collect::<Vec<_>>()
        };
        lost.chain(self.reports.iter().flat_map(of)).collect()
    }

    /// Nothing at all could be read: that is no list.
    fn failed(&self) -> Result<(), Failure> {
        if self.reports.iter().any(|(_, report)| has_any(report)) {
            return Ok(());
        }
        let why = self.gaps().into_iter().next();
        let why = why.unwrap_or_else(|| "nothing could be read".into());
        Err(Failure::new(FailureKind::Failed, why).hint("rolldeck doctor says what answers"))
    }
}

/// The cluster answered something; the record of this machine is no answer of it.
fn has_any(report: &Report) -> bool {
    let of_cluster = || {
        let readings = report.readings.iter();
        readings.filter(|(origin, _)| *origin != Origin::Record)
    };
    let read = |(_, how): &(Origin, Reading)| matches!(how, Reading::Read | Reading::Cut(_));
    of_cluster().next().is_none() || of_cluster().any(read)
}

/// The service itself and what it uses; nodes are everybody's.
fn concerns(one: &Occurrence, service: Option<&WorkloadId>) -> bool {
    service.is_none_or(|id| one.services.contains(id) || one.what == What::Node)
}

fn told(
    form: ListForm,
    whole: &Whole,
    lines: &[&Occurrence],
    (began, now): (Option<Timestamp>, Timestamp),
) -> Result<(), Failure> {
    match form {
        ListForm::Json => {
            let rows = lines.iter().map(|one| Row::of(one)).collect();
            let missing = whole.gaps();
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
            let table = text::changes::markdown(&title, &whole.gaps(), lines, began);
            table.lines().try_for_each(output::line)
        }
        ListForm::Lines => {
            for gap in whole.gaps() {
                output::aside(&gap);
            }
            let head = ["TIME", "AGE", "WHAT", "WHERE", "CHANGE", "BY", "KNOWN FROM"];
            let rows: Vec<_> = lines
                .iter()
                .map(|one| cells(one, whole.several(), (began, now)))
                .collect();
            output::table(&head, &rows)
        }
    }
}

fn cells(
    one: &Occurrence,
    several: bool,
    (began, now): (Option<Timestamp>, Timestamp),
) -> Vec<String> {
    vec![
        text::changes::when(one, now),
        text::changes::distance(one.at, began, now),
        one.subject.to_string(),
        text::changes::place(one, several),
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
    cluster: &'a str,
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
            cluster: &one.subject.cluster.0,
            namespace: &one.subject.namespace,
            services: one.services.iter().map(ToString::to_string).collect(),
            change: &one.words,
            by: one.who.name(),
            by_is_person: matches!(one.who, Who::Person(_)),
            known_from: one.known_from,
        }
    }
}
