//! What registries say of images, with docker's own logins: nobody's pull secrets are read only to look.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use tokio::sync::watch;
use tokio::time::sleep;

use super::links::Task;
use super::{Shared, clock};
use crate::app::event::{Event, JobId};
use crate::domain::chain::ImageTold;
use crate::domain::{Presence, Tags, tag};
use crate::sources::registry::{Registries, Rounds};

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

/// Those that are looked for while nobody asks, by one task for as long as there are some.
#[derive(Default)]
pub struct Watched {
    looking: Mutex<Option<Looking>>,
}

struct Looking {
    wanted: watch::Sender<Vec<Box<str>>>,
    _task: Task,
}

impl Watched {
    pub(super) fn wish(&self, shared: Arc<Shared>, images: Vec<Box<str>>) {
        let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if images.is_empty() {
            *looking = None;
        } else if let Some(looking) = &*looking {
            looking.wanted.send_replace(images);
        } else {
            let (wanted, wishes) = watch::channel(images);
            let task = tokio::spawn(look_around(shared, wishes));
            *looking = Some(Looking {
                wanted,
                _task: Task(task.abort_handle()),
            });
        }
    }
}

/// One look at a time, at whatever registry.
async fn look_around(shared: Arc<Shared>, mut wishes: watch::Receiver<Vec<Box<str>>>) {
    let mut rounds = Rounds::new(clock::now);
    let mut wanted = wishes.borrow_and_update().clone();
    loop {
        let (looked, wait) = rounds.look(&shared.registries(), &wanted).await;
        if let Some((image, presence)) = looked {
            let told = ImageTold {
                presence,
                manifest: None,
                whole: false,
                at: clock::now(),
            };
            shared.send(Event::ImageTold { image, told }).await;
        }
        sleep(wait).await;
        match wishes.has_changed() {
            Ok(true) => {
                wanted.clone_from(&wishes.borrow_and_update());
                rounds.want(&wanted);
            }
            Ok(false) => {}
            Err(_) => return,
        }
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
