//! Which digests the pods of a cluster run, in one pass over them.

use serde_json::value::RawValue;

use super::pages::every;
use crate::domain::matrix::Digests;
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error, convert};

/// Of these namespaces, or of all when none is named. A pod that cannot be read tells nothing.
pub async fn digests(cluster: &Cluster, namespaces: &[Box<str>]) -> Result<Digests, Error> {
    let mut found = Digests::new();
    let scopes: Vec<_> = match namespaces {
        [] => vec![None],
        named => named.iter().map(|name| Some(&**name)).collect(),
    };
    for namespace in scopes {
        let list = path::collection(Resource::Pods, namespace, &[]);
        let pods: Vec<Box<RawValue>> = every(cluster, &list).await?;
        for pod in pods {
            let Ok(Some((workload, images))) = convert::running(cluster.id(), pod.get()) else {
                continue;
            };
            let known = found.entry(workload).or_default();
            for image in images {
                if !known.contains(&image) {
                    known.push(image);
                }
            }
        }
    }
    Ok(found)
}
