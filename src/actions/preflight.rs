//! Asks what a plan's checks leave open, all at once, each with its own limit.

mod config;
mod dry_run;
mod permission;
mod unchanged;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered, StreamExt};

use crate::plan::check::CheckState;
use crate::plan::{Ask, CheckId, Finding, Plan, Verdict};
use crate::sources::kube::Cluster;

/// What each question is given.
const LIMIT: Duration = Duration::from_secs(10);

/// Yields each answer as it comes, and ends. Under `readonly` no dry run is sent; reads and self-reviews are.
#[allow(clippy::needless_pass_by_value)] // the stream outlives its caller's client
pub fn preflight(cluster: Cluster, plan: Plan, readonly: bool) -> BoxStream<'static, Verdict> {
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
            Ask::References(names) => config::ask(cluster, plan, names).boxed(),
        });
    }
    questions.boxed()
}

fn verdict(check: CheckId, finding: Finding, sentence: impl Into<String>) -> Verdict {
    Verdict {
        check,
        finding,
        sentence: sentence.into(),
    }
}
