//! What runs where an image is promoted from, read afresh for the plan: never what a screen remembers.

use futures::future::join_all;
use serde_json::Value;

use super::fresh;
use super::gather::{self, pods};
use super::logins::Logins;
use crate::domain::image::registry_digest;
use crate::domain::{Failure, ImageRef, Pod, Revision, Verbatim, WorkloadId, revision};
use crate::plan::check::image;
use crate::plan::verbs::promotion::carried;
use crate::plan::{Digest, Origin};
use crate::sources::Clock;
use crate::sources::kube::{Cluster, Error, convert, path};
use crate::sources::registry::Registries;

/// Where an image is promoted from, and what the settings ask of it.
#[derive(Clone)]
pub struct OriginContext {
    pub cluster: Cluster,
    /// Asked where the pods do not tell which digest they run.
    pub registries: Registries,
    /// Seconds that it should have run there.
    pub soak: u32,
    pub clock: Clock,
}

/// # Errors
/// It cannot be read, with the name of its environment.
pub async fn origin(
    context: &OriginContext,
    id: &WorkloadId,
    environment: &str,
) -> Result<Origin, Failure> {
    Box::pin(read(context, id)).await.map_err(|error| {
        let failure = error.failure();
        Failure {
            sentence: format!(
                "What {environment} runs cannot be read: {}",
                failure.sentence
            ),
            ..failure
        }
    })
}

async fn read(context: &OriginContext, id: &WorkloadId) -> Result<Origin, Error> {
    let cluster = &context.cluster;
    let answer = cluster
        .get(&path::object(id.kind, &id.namespace, &id.name))
        .await?;
    let raw = fresh::text(&answer.body, id)?;
    let unusable = |error: serde_json::Error| fresh::unusable(id, &error);
    let workload = convert::workload(cluster.id(), id.kind, raw).map_err(unusable)?;
    let template = gather::template_of(&workload, raw).map_err(unusable)?;
    let read_at = answer.server_date.unwrap_or_else(|| (context.clock)());
    let (revisions, found) = tokio::join!(
        gather::revisions(cluster, &workload),
        pods(cluster, &workload)
    );
    let revisions = revisions.unwrap_or_default();
    let all = found.as_ref().map_or(&[][..], Vec::as_slice);
    let phase = gather::phase((&workload, None), &revisions, all, read_at);
    let known: Vec<Revision> = revisions.into_iter().map(|fresh| fresh.revision).collect();
    let current = revision::current(&workload, &known);
    let runs = |pod: &Pod| current.is_none_or(|current| pod.revision == current.pod_hash);
    let pods = found
        .map(|pods| {
            pods.into_iter()
                .filter(|pod| !pod.terminating && runs(pod))
                .collect()
        })
        .map_err(|error| error.to_string());
    let value: Value = serde_json::from_str(template).unwrap_or_default();
    let digests = digests(context, &value, (id, &pods)).await;
    let written = workload.written_by.as_ref().map(|(_, at)| *at);
    Ok(Origin {
        since: written.or_else(|| current.map(|current| current.created)),
        template: Verbatim(template.into()),
        phase,
        pods,
        digests,
        soak: context.soak,
        read_at,
        workload,
    })
}

/// Of each container that is carried over: what its template or its pods say, else its registry.
async fn digests(
    context: &OriginContext,
    template: &Value,
    (id, pods): (&WorkloadId, &Result<Vec<Pod>, String>),
) -> Vec<(Box<str>, Digest)> {
    let pulled = image::of(template);
    let each = carried(template).into_iter().map(|(name, image)| {
        let pulled = pulled.as_ref();
        async move {
            let digest = match running(&name, &image, pods) {
                Some(digest) => digest,
                None => match pulled {
                    None => Digest::Unknown("it is never pulled".into()),
                    Some(pulled) => {
                        let logins = Logins::new(&context.cluster, &id.namespace, pulled);
                        let registries = &context.registries;
                        let asked = logins.ask(|secrets| registries.digest(&image, secrets));
                        asked.await.map_or_else(Digest::Unknown, Digest::OfTag)
                    }
                },
            };
            (name, digest)
        }
    });
    join_all(each).await
}

/// `None`: neither the template nor a pod says it.
fn running(name: &str, image: &str, pods: &Result<Vec<Pod>, String>) -> Option<Digest> {
    if let Some(digest) = ImageRef::parse(image).digest {
        return Some(Digest::Runs(digest.into()));
    }
    let pods = pods.as_deref().unwrap_or_default();
    let containers = pods.iter().flat_map(|pod| pod.containers.iter());
    let its = containers.filter(|c| *c.name == *name && *c.image == *image);
    let mut found: Vec<Box<str>> = its
        .filter_map(|c| registry_digest(&c.image_id).map(Into::into))
        .collect();
    found.sort();
    found.dedup();
    match found.len() {
        0 => None,
        1 => found.pop().map(Digest::Runs),
        _ => Some(Digest::Several(found)),
    }
}
