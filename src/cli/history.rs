//! `rolldeck history SERVICE`: its revisions, newest first.

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Config;
use crate::domain::revision::{current, withdrawn};
use crate::domain::version::version;
use crate::domain::{Failure, FailureKind, Kind, Workload};
use crate::engine::clock;
use crate::sources::kube::charts;
use crate::text;

use super::Outcome;
use super::args::{Form, History};
use super::commits;
use super::output;
use super::session::Session;

pub async fn run(config: &Config, args: &History) -> Outcome {
    let mut session = Session::connect(config, args.timeout).await?;
    session.workloads(config).await?;
    let workload = session.find(&args.service)?;
    if args.helm {
        return releases(&session, &workload, args.output).await;
    }
    match workload.id.kind {
        Kind::Deployment | Kind::Rollout => session.revisions(&workload).await?,
        // Which of its revisions serve only the pods tell.
        Kind::StatefulSet | Kind::DaemonSet => session.details(&[&workload]).await?,
    }
    if args.commits {
        return commits::run(config, &session, &workload, args.output).await;
    }
    let revisions = session.fleet.revisions(&workload);
    let live = current(&workload, revisions).map(|r| &r.uid);
    let withdrawn = withdrawn(&workload, revisions);
    let rows: Vec<_> = revisions
        .iter()
        .enumerate()
        .map(|(at, revision)| {
            // Each is named by what tells it from the one before it.
            let other = revisions
                .get(at + 1)
                .or_else(|| at.checked_sub(1).map(|i| &revisions[i]));
            let other = other.map(|r| &*r.containers);
            Row {
                revision: revision.number,
                former: revision.former.to_vec(),
                name: revision.name.to_string(),
                version: version(
                    &revision.containers,
                    revision.version_label.as_deref(),
                    other,
                ),
                current: Some(&revision.uid) == live,
                withdrawn: withdrawn.contains(&revision.name),
                created: revision.created,
                available: revision.serving(session.fleet.pods(&workload)),
                images: revision
                    .containers
                    .iter()
                    .map(|c| c.image.to_string())
                    .collect(),
                change_cause: revision.change_cause.as_deref().map(Into::into),
            }
        })
        .collect();
    match args.output {
        Form::Json => output::json(&rows)?,
        Form::Lines => {
            let head = ["REV", "VERSION", "CREATED", "AVAILABLE", "NOTE", "IMAGES"];
            let rows: Vec<_> = rows.iter().map(Row::cells).collect();
            output::table(&head, &rows)?;
        }
    }
    Ok(0)
}

async fn releases(session: &Session, workload: &Workload, form: Form) -> Outcome {
    let Some(name) = workload.chart_release() else {
        let sentence = format!("nothing on {} says that Helm installed it", workload.id);
        return Err(Failure::new(FailureKind::NotFound, sentence));
    };
    let history = charts::history(&session.cluster, &workload.id.namespace, name)
        .await
        .map_err(|error| error.failure())?;
    if history.unreadable > 0 {
        let count = text::count(history.unreadable, "release");
        output::aside(&format!("{count} could not be read"));
    }
    match form {
        Form::Json => output::json(&history.releases)?,
        Form::Lines => {
            let now = clock::now();
            let rows = history.releases.iter();
            let rows: Vec<_> = rows.map(|r| text::chart_cells(r, now).to_vec()).collect();
            output::table(&text::chart_titles(), &rows)?;
        }
    }
    Ok(0)
}

/// One revision, as JSON; the names are kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    revision: u64,
    /// Numbers that it had before it was rolled out again.
    former: Vec<u64>,
    /// Of the `ReplicaSet` or `ControllerRevision`.
    name: String,
    version: String,
    current: bool,
    /// Rolled back from.
    withdrawn: bool,
    /// Of the object: Kubernetes does not keep when it last ran.
    created: Timestamp,
    available: u32,
    images: Vec<String>,
    change_cause: Option<String>,
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let note = match (self.current, self.withdrawn) {
            (true, _) => "current",
            (false, true) => "withdrawn",
            (false, false) => "",
        };
        vec![
            self.revision.to_string(),
            self.version.clone(),
            format!("{} ago", text::age(self.created, clock::now())),
            self.available.to_string(),
            note.into(),
            self.images.join(" "),
        ]
    }
}
