//! What registries say of images, with docker's own logins: nobody's pull secrets are read only to look.

use std::sync::Arc;

use super::{Shared, clock};
use crate::app::event::Event;
use crate::domain::Presence;
use crate::domain::chain::ImageTold;

/// One after the other, so that no registry is asked much at once.
pub(super) async fn tell(shared: Arc<Shared>, images: Vec<Box<str>>) {
    let registries = shared.registries();
    for image in images {
        let presence = registries.presence(&image, &[]).await;
        let manifest = match &presence {
            Presence::Present { .. } => registries.manifest(&image, &[]).await.ok(),
            Presence::Missing | Presence::Unverified(_) => None,
        };
        let told = ImageTold {
            presence,
            manifest,
            at: clock::now(),
        };
        shared.send(Event::ImageTold { image, told }).await;
    }
}
