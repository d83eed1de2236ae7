//! The plan of a restore as lines and as JSON.

use serde::Serialize;

use crate::domain::Failure;
use crate::domain::snapshot::Snapshot;
use crate::plan::RestorePlan;
use crate::text;

use crate::cli::args::Restore;
use crate::cli::output;
use crate::cli::release::Check;

/// For `-o json`; the names are kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    verb: &'static str,
    file: String,
    taken: String,
    services: Vec<Row>,
    checks: Vec<Check>,
    outcome: Option<String>,
    failure: Option<Failure>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    /// In the record.
    id: String,
    cluster: String,
    namespace: String,
    service: String,
    image: String,
    /// `create`, `same`, `differs`, `overwrite` or `taken`.
    word: &'static str,
    clauses: Vec<String>,
}

impl Report {
    pub fn new(plan: &RestorePlan, snapshot: &Snapshot, args: &Restore) -> Self {
        let services = plan.services.iter().map(|service| Row {
            id: service.stamp.id.clone(),
            cluster: service.workload.cluster.to_string(),
            namespace: service.workload.namespace.to_string(),
            service: service.workload.to_string(),
            image: service.image.clone(),
            word: service.word(),
            clauses: service.clauses(),
        });
        Self {
            verb: crate::plan::restore::VERB,
            file: args.file.display().to_string(),
            taken: snapshot.taken.to_string(),
            services: services.collect(),
            checks: plan.checks.iter().map(Check::from).collect(),
            outcome: None,
            failure: None,
        }
    }

    pub fn end(&mut self, outcome: &Result<String, Failure>) {
        self.outcome = outcome.as_ref().ok().cloned();
        self.failure = outcome.as_ref().err().cloned();
    }

    pub fn print(&self) -> Result<(), Failure> {
        output::line(&format!("restore {}, taken {}", self.file, self.taken))?;
        let rows = self.services.iter().map(|service| {
            vec![
                service.word.to_owned(),
                service.namespace.clone(),
                service.service.clone(),
                service.clauses.join("; "),
            ]
        });
        output::table(
            &["PLAN", "NAMESPACE", "SERVICE", "WHAT"],
            &rows.collect::<Vec<_>>(),
        )?;
        for check in &self.checks {
            let word = text::pad(check.finding.word(), 11);
            output::line(&format!("{word}{}", check.sentence))?;
        }
        Ok(())
    }
}
