//! Whether an autoscaler of the namespace comes between.

use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{LIMIT, unread, verdict};
use crate::actions::pages::every;
use crate::domain::Workload;
use crate::plan::check::autoscaler;
use crate::plan::{CheckId, Finding, Verdict};
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, convert};

/// Autoscalers that may not be read, or are late, stay unverified.
pub async fn ask(cluster: Cluster, workload: Box<Workload>) -> Verdict {
    let namespace = &workload.id.namespace;
    let unverified = |why: String| verdict(CheckId::Autoscaler, Finding::Unverified, why);
    let what = format!("autoscalers in {namespace}");
    let list = path::collection(Resource::Autoscalers, Some(namespace), &[]);
    let asked = every::<Box<RawValue>>(&cluster, &list);
    let objects = match timeout(LIMIT, asked).await {
        Err(_) => return unverified(format!("{what}: no answer within 10s")),
        Ok(Err(error)) => return unverified(unread(&what, &error)),
        Ok(Ok(objects)) => objects,
    };
    let read: Result<Vec<_>, _> = objects
        .iter()
        .map(|raw| convert::autoscaler(raw.get()))
        .collect();
    match read {
        Ok(autoscalers) => autoscaler::on_the_way(&workload, &autoscalers),
        Err(why) => unverified(format!("{what}: one of them cannot be read: {why}")),
    }
}
