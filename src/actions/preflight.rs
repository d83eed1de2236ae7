//! Asks what a plan's checks leave open, all at once, each with its own limit.

mod autoscaler;
mod builds;
mod changed;
mod commits;
mod config;
mod dry_run;
mod image;
mod metrics;
mod permission;
mod quota;
mod settings;
mod unchanged;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered, StreamExt};

use crate::plan::check::CheckState;
use crate::plan::{Ask, CheckId, Finding, Plan, Verdict};
use crate::sources::jenkins::Servers;
use crate::sources::kube::{Cluster, Error};
use crate::sources::prometheus::Prometheus;
use crate::sources::registry::Registries;
use crate::sources::source_repo::Repositories;

/// What each question is given.
const LIMIT: Duration = Duration::from_secs(10);

/// Who is asked.
#[derive(Clone)]
pub struct Sources {
    pub cluster: Cluster,
    pub registries: Registries,
    pub repositories: Repositories,
    pub servers: Servers,
    pub prometheus: Prometheus,
    /// Where an image is promoted from, when that is what the plan does.
    pub origin: Option<Cluster>,
}

/// Yields each answer as it comes, and ends. Under `readonly` no dry run is sent; reads and self-reviews are.
#[allow(clippy::needless_pass_by_value)] // the stream outlives its caller's clients
pub fn preflight(sources: Sources, plan: Plan, readonly: bool) -> BoxStream<'static, Verdict> {
    let (cluster, registries) = (sources.cluster.clone(), sources.registries.clone());
    let plan = Arc::new(plan);
    let questions: FuturesUnordered<BoxFuture<'static, Verdict>> = FuturesUnordered::new();
    // A dry run waits for the permission: who may not write sends nothing that looks like a write.
    let permission = permission::ask(cluster.clone(), Arc::clone(&plan))
        .boxed()
        .shared();
    for check in &plan.checks {
        let CheckState::Asking(ask) = check.state.clone() else {
            continue;
        };
        let (cluster, plan) = (cluster.clone(), Arc::clone(&plan));
        questions.push(match ask {
            Ask::Permission => permission.clone().boxed(),
            Ask::Unchanged => unchanged::ask(cluster, plan).boxed(),
            Ask::DryRun => {
                let permission = permission.clone();
                async move { dry_run::ask(&cluster, &plan, readonly, permission.await).await }
                    .boxed()
            }
            Ask::Images(pulled) => image::ask(cluster, plan, registries.clone(), pulled).boxed(),
            Ask::References(names) => config::ask(cluster, plan, names).boxed(),
            Ask::Changed { names, since } => changed::ask(cluster, plan, names, since).boxed(),
            Ask::Commits(between) => commits::ask(sources.clone(), plan, *between).boxed(),
            Ask::Settings(sought) => {
                settings::ask(sources.origin.clone(), cluster, plan, *sought).boxed()
            }
            Ask::Quota(need) => quota::ask(cluster, plan, need).boxed(),
            Ask::Builds(job) => builds::ask(sources.servers.clone(), plan, job).boxed(),
            Ask::Metrics(sought) => {
                metrics::ask(sources.prometheus.clone(), cluster, plan, *sought).boxed()
            }
            Ask::Autoscaler(workload) => autoscaler::ask(cluster, workload).boxed(),
        });
    }
    questions.boxed()
}

/// Why something could not be read, in the words of a check.
pub(super) fn unread(what: &str, error: &Error) -> String {
    match error {
        Error::Forbidden { .. } => format!("no rights to read {what}"),
        Error::NotFound { .. } => format!("this server knows no {what}"),
        other => format!("{what}: {other}"),
    }
}

pub(super) fn verdict(check: CheckId, finding: Finding, sentence: impl Into<String>) -> Verdict {
    Verdict {
        check,
        finding,
        sentence: sentence.into(),
    }
}
