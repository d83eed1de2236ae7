//! Whether a fresh read still finds the object and the template that were shown.

use tokio::time::timeout;

use super::{LIMIT, verdict};
use crate::actions::fresh;
use crate::domain::{TemplateHash, Uid, WorkloadId};
use crate::plan::{CheckId, Finding, Verdict};
use crate::sources::kube::Cluster;

/// A read that fails or is late blocks: nobody knows then what would be overwritten.
pub async fn ask(
    cluster: Cluster,
    workload: WorkloadId,
    uid: Uid,
    template: TemplateHash,
) -> Verdict {
    let blocked = |why: String| verdict(CheckId::Unchanged, Finding::Block, why);
    match timeout(LIMIT, fresh::read(&cluster, &workload)).await {
        Err(_) => blocked("it could not be read again: no answer within 10s".into()),
        Ok(Err(error)) => blocked(format!("it could not be read again: {error}")),
        Ok(Ok((now, _))) => match fresh::moved_since(&uid, template, &now) {
            Some(words) => blocked(words),
            None => verdict(
                CheckId::Unchanged,
                Finding::Ok,
                "unchanged since you looked",
            ),
        },
    }
}
