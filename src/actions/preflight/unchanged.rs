//! Whether a fresh read still finds the object as it was shown.

use std::sync::Arc;

use tokio::time::timeout;

use super::{LIMIT, verdict};
use crate::actions::fresh;
use crate::domain::HelmCall;
use crate::plan::{CheckId, Finding, Plan, Step, Verdict};
use crate::sources::kube::{Cluster, charts};

/// A read that fails or is late blocks: nobody knows then what would be overwritten.
pub async fn ask(cluster: Cluster, plan: Arc<Plan>) -> Verdict {
    let blocked = |why: String| verdict(CheckId::Unchanged, Finding::Block, why);
    match timeout(LIMIT, fresh::read(&cluster, &plan.workload)).await {
        Err(_) => blocked("it could not be read again: no answer within 10s".into()),
        Ok(Err(error)) => blocked(format!("it could not be read again: {error}")),
        Ok(Ok((now, _))) => match fresh::moved_since(&plan, &now) {
            Some(words) => blocked(words),
            None => match timeout(LIMIT, release(&cluster, &plan)).await {
                Err(_) => blocked("the release could not be read again within 10s".into()),
                Ok(Err(why)) => blocked(why),
                Ok(Ok(())) => verdict(
                    CheckId::Unchanged,
                    Finding::Ok,
                    "unchanged since you looked",
                ),
            },
        },
    }
}

/// The newest revision of the Helm release is still the one that was shown, where the plan goes back by it.
async fn release(cluster: &Cluster, plan: &Plan) -> Result<(), String> {
    let calls = plan.all_steps().filter_map(|step| match step {
        Step::Helm { call, .. } => Some(&**call),
        _ => None,
    });
    for call in calls {
        newest(cluster, call).await?;
    }
    Ok(())
}

async fn newest(cluster: &Cluster, call: &HelmCall) -> Result<(), String> {
    let name = &call.release;
    let history = charts::history(cluster, &call.namespace, name).await;
    let history =
        history.map_err(|error| format!("release {name} cannot be read again: {error}"))?;
    match history.releases.first() {
        Some(newest) if newest.revision == call.newest && newest.updated == call.newest_at => {
            Ok(())
        }
        Some(newest) => Err(format!(
            "Helm made revision {} of {name} since you looked: {}",
            newest.revision, newest.description
        )),
        None => Err(format!("Helm keeps no release {name} any more")),
    }
}
