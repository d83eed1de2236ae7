//! What registries say of images, with docker's own logins: nobody's pull secrets are read only to look.

use std::sync::Arc;

use futures::StreamExt;

use super::{Shared, clock};
use crate::app::event::{Event, JobId};
use crate::domain::chain::ImageTold;
use crate::domain::{Presence, Tags, tag};
use crate::sources::registry::Registries;

/// So many at a time, so that no registry is asked much at once.
pub(super) async fn tell(shared: Arc<Shared>, images: Vec<Box<str>>, at_once: usize) {
    let registries = &shared.registries();
    let looks = images.into_iter().map(|image| async move {
        let told = look(registries, &image).await;
        (image, told)
    });
    let mut looks = futures::stream::iter(looks).buffer_unordered(at_once);
    while let Some((image, told)) = looks.next().await {
        shared.send(Event::ImageTold { image, told }).await;
    }
}

async fn look(registries: &Registries, image: &str) -> ImageTold {
    let presence = registries.presence(image, &[]).await;
    let manifest = match &presence {
        Presence::Present { .. } => registries.manifest(image, &[]).await.ok(),
        Presence::Missing | Presence::Unverified(_) => None,
    };
    ImageTold {
        presence,
        manifest,
        whole: true,
        at: clock::now(),
    }
}

/// The tags of the image's repository.
pub(super) async fn tags(shared: Arc<Shared>, job: JobId, image: Box<str>) {
    let listed = shared.registries().tags(&image, &[]).await;
    let outcome = listed
        .map(|tags| Tags {
            names: tag::newest_first(tags.names),
            ..tags
        })
        .map_err(|error| error.failure());
    shared.send(Event::TagsListed { job, outcome }).await;
}
