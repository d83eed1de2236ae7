//! Whether what the origin is set up with is there as well where its image goes. Names and keys only, never values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use tokio::time::timeout;

use super::config::{keys_of, resource};
use super::{LIMIT, unread};
use crate::plan::check::ReferenceKind;
use crate::plan::check::settings::{Sought, verdict};
use crate::plan::{Plan, Verdict};
use crate::sources::kube::{Cluster, Error, path};

/// What may not be read, or is late, stays unverified.
pub async fn ask(
    origin: Option<Cluster>,
    cluster: Cluster,
    plan: Arc<Plan>,
    sought: Sought,
) -> Verdict {
    let mut objects: BTreeMap<(ReferenceKind, Box<str>), Wanted> = BTreeMap::new();
    for one in &sought.references {
        let (keys, whole) = objects.entry((one.kind, one.name.clone())).or_default();
        *whole |= one.key.is_none();
        keys.extend(one.key.clone());
    }
    let looks = objects.into_iter().map(|((kind, name), (keys, whole))| {
        let look = Look {
            // Of what is taken whole the origin says which keys there are.
            origin: origin.as_ref().filter(|_| whole),
            cluster: &cluster,
            namespaces: (&sought.origin.namespace, &plan.workload.namespace),
            place: (kind, name),
        };
        async move {
            let label = look.label();
            let late = || Err(format!("{label} had no answer within 10s"));
            timeout(LIMIT, look.missing(keys))
                .await
                .unwrap_or_else(|_| late())
        }
    });
    let (mut missing, mut unknown) = (Vec::new(), Vec::new());
    for found in join_all(looks).await {
        match found {
            Ok(names) => missing.extend(names),
            Err(why) => unknown.push(why),
        }
    }
    verdict(&sought, &missing, &unknown)
}

/// Keys of an object, and whether it is taken whole.
type Wanted = (BTreeSet<Box<str>>, bool);

struct Look<'a> {
    origin: Option<&'a Cluster>,
    cluster: &'a Cluster,
    namespaces: (&'a str, &'a str),
    place: (ReferenceKind, Box<str>),
}

impl Look<'_> {
    fn label(&self) -> String {
        format!("{} {}", self.place.0.word(), self.place.1)
    }

    /// What is not there, in words.
    async fn missing(&self, mut keys: BTreeSet<Box<str>>) -> Result<Vec<String>, String> {
        let (kind, name) = (resource(self.place.0), &self.place.1);
        let (from, to) = self.namespaces;
        let label = self.label();
        if let Some(origin) = self.origin {
            let there = keys_of(origin, &path::object(kind, from, name)).await;
            keys.extend(there.map_err(|error| unread(&label, &error))?);
        }
        match keys_of(self.cluster, &path::object(kind, to, name)).await {
            Ok(have) => {
                let gone = keys.iter().filter(|key| !have.contains(key));
                Ok(gone.map(|key| format!("key {key} of {label}")).collect())
            }
            Err(Error::NotFound { .. }) => Ok(vec![label]),
            Err(error) => Err(unread(&label, &error)),
        }
    }
}
