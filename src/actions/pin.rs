//! The digest of the image that is asked for, where the environment wants it written.

use serde_json::Value;

use super::logins::Logins;
use crate::domain::ImageRef;
use crate::plan::check::image::{self, Pulled};
use crate::plan::verbs::set_image::meant;
use crate::plan::{Pinned, Request, Verb};
use crate::sources::kube::Cluster;
use crate::sources::registry::Registries;

/// Asked now, with the logins that the workload pulls with where docker's own is not enough.
pub async fn pinned(
    cluster: &Cluster,
    request: &Request,
    (template, registries): (&str, Option<Registries>),
) -> Pinned {
    let Some(registries) = registries.filter(|_| request.verb == Verb::SetImage) else {
        return Pinned::No;
    };
    let template: Value = serde_json::from_str(template).unwrap_or_default();
    // What cannot be meant is for the plan to say.
    let Some(image) = meant(&template, &request.target) else {
        return Pinned::No;
    };
    if ImageRef::parse(&image).digest.is_some() {
        return Pinned::No;
    }
    let none = || Pulled {
        images: Vec::new(),
        secrets: Vec::new(),
        account: "default".into(),
    };
    let pulled = image::of(&template).unwrap_or_else(none);
    let logins = Logins::new(cluster, &request.workload.namespace, &pulled);
    let asked = logins.ask(|secrets| registries.digest(&image, secrets));
    asked.await.map_or_else(Pinned::Unknown, Pinned::To)
}
