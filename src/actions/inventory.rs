//! Reads what a snapshot speaks of: the objects of its kinds and the pods, namespace by namespace.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pages::every;
use crate::domain::snapshot::Sort;
use crate::plan::snapshot::{Inventory, Live};
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error, discovery};

/// What runs the cluster itself comes with it, and is no part of a snapshot.
const OF_THE_CLUSTER: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// By namespace; `None` reads all. One kind that may not be read is an error: half a snapshot would be a lie. The words
/// say what was left out all the same.
pub async fn inventories(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<(BTreeMap<String, Inventory>, Vec<String>), Error> {
    let (mut found, mut notes) = (BTreeMap::<String, Inventory>::new(), Vec::new());
    if let Some(name) = namespace {
        found.entry(name.to_owned()).or_default();
    }
    for sort in Sort::ALL {
        let list = path::collection_in(sort.api(), namespace, sort.plural(), &[]);
        let items = match every(cluster, &list).await {
            Ok(items) => items,
            // Not installed, as a rule. Who may not read it is denied it even then.
            Err(Error::NotFound { .. }) if sort.is_optional() => continue,
            Err(error @ Error::Forbidden { .. }) if sort.is_optional() => {
                if let Ok(false) =
                    discovery::serves_in(cluster, &path::root_of(sort.api()), sort.plural()).await
                {
                    continue;
                }
                notes.push(format!("{} are left out: {error}", sort.plural()));
                continue;
            }
            Err(error) => return Err(error),
        };
        for item in items {
            let inventory = found.entry(place(&item)).or_default();
            match Live::of(sort, item) {
                Ok(live) => inventory.objects.push(live),
                Err(why) => notes.push(format!(
                    "{} has one that cannot be read: {why}",
                    sort.plural()
                )),
            }
        }
    }
    let pods = path::collection(Resource::Pods, namespace, &[]);
    for pod in every(cluster, &pods).await? {
        if let Some(inventory) = found.get_mut(&place(&pod)) {
            inventory.pods.push(pod);
        }
    }
    if namespace.is_none() {
        found.retain(|name, _| !OF_THE_CLUSTER.contains(&name.as_str()));
    }
    Ok((found, notes))
}

fn place(item: &Value) -> String {
    let namespace = item["metadata"]["namespace"].as_str();
    namespace.unwrap_or_default().to_owned()
}
