//! What the two sides of a canary measure, by one look at who counts their requests.

use std::sync::Arc;

use tokio::time::timeout;

use super::LIMIT;
use crate::domain::measured::{SideTold, Told};
use crate::plan::check::metrics::{self, Sought};
use crate::plan::{Plan, Verdict};
use crate::sources::kube::Cluster;
use crate::sources::prometheus::Prometheus;

/// A server that is away or late leaves it unverified.
pub async fn ask(
    prometheus: Prometheus,
    cluster: Cluster,
    plan: Arc<Plan>,
    sought: Sought,
) -> Verdict {
    let look = prometheus.measure(&cluster, &plan.workload, &sought.sides);
    let told = timeout(LIMIT, look).await.unwrap_or_else(|_| {
        let why = "no answer within 10s";
        Told {
            canary: SideTold::nothing(why),
            stable: SideTold::nothing(why),
        }
    });
    metrics::verdict(told, &sought.rule, plan.read_at)
}
