//! Whether a fresh read still finds the object as it was shown.

use std::sync::Arc;

use tokio::time::timeout;

use super::{LIMIT, verdict};
use crate::actions::fresh;
use crate::plan::{CheckId, Finding, Plan, Verdict};
use crate::sources::kube::Cluster;

/// A read that fails or is late blocks: nobody knows then what would be overwritten.
pub async fn ask(cluster: Cluster, plan: Arc<Plan>) -> Verdict {
    let blocked = |why: String| verdict(CheckId::Unchanged, Finding::Block, why);
    match timeout(LIMIT, fresh::read(&cluster, &plan.workload)).await {
        Err(_) => blocked("it could not be read again: no answer within 10s".into()),
        Ok(Err(error)) => blocked(format!("it could not be read again: {error}")),
        Ok(Ok((now, _))) => match fresh::moved_since(&plan, &now) {
            Some(words) => blocked(words),
            None => verdict(
                CheckId::Unchanged,
                Finding::Ok,
                "unchanged since you looked",
            ),
        },
    }
}
