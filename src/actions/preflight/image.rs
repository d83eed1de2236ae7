//! Whether the registries have the images. The workload's own logins are read only when a registry wants one.

use std::sync::Arc;

use futures::future::join_all;
use tokio::time::timeout;

use super::LIMIT;
use crate::actions::logins::Logins;
use crate::domain::Presence;
use crate::plan::check::image::{self, Pulled};
use crate::plan::{Plan, Verdict};
use crate::sources::kube::Cluster;
use crate::sources::registry::Registries;

/// Each image alone; what is late stays unverified.
pub async fn ask(
    cluster: Cluster,
    plan: Arc<Plan>,
    registries: Registries,
    pulled: Pulled,
) -> Verdict {
    let namespace = &plan.workload.namespace;
    let logins = Logins::new(&cluster, namespace, &pulled);
    let (registries, logins) = (&registries, &logins);
    let looks = pulled.images.iter().map(|image| async move {
        let found = timeout(LIMIT, look(registries, image, logins)).await;
        let late = || Presence::Unverified(format!("{image}: no answer within 10s"));
        (image.clone(), found.unwrap_or_else(|_| late()))
    });
    image::verdict(&join_all(looks).await)
}

async fn look(registries: &Registries, image: &str, logins: &Logins<'_>) -> Presence {
    let asked = logins.ask(|secrets| registries.look(image, secrets));
    asked.await.unwrap_or_else(Presence::Unverified)
}
