//! The one function that writes.

use crate::plan::gate::PassKind;
use crate::plan::{Pass, Step};
use crate::sources::kube::{Answer, Cluster, Error, path};

/// Sends one step, once. What an error says about the object: [`Error::outcome_unknown`].
pub async fn send(cluster: &Cluster, step: &Step, pass: &Pass) -> Result<Answer, Error> {
    let dry_run = match pass.kind() {
        PassKind::DryRun => true,
        PassKind::Real => false,
    };
    match step {
        Step::JsonPatch { object, body, .. } => {
            let path =
                path::object_in(object.api, &object.namespace, object.resource, &object.name);
            cluster.patch(&path, &body.0, dry_run).await
        }
    }
}
