//! Images: a build, a push or a copy goes to its engine or its registry, once.

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::domain::Failure;
use crate::domain::image_work::ImageWork;
use crate::plan::Pass;
use crate::plan::gate::PassKind;
use crate::plan::image::ImageCopy;
use crate::sources::docker::{self, Build, Docker};
use crate::sources::registry::{self, Login, Registries};

/// One of what is done for an image.
pub enum ImageStep<'a> {
    Build(&'a Docker, Build),
    Push {
        docker: &'a Docker,
        image: &'a str,
        login: Option<Login>,
    },
    Copy(&'a Registries, &'a ImageCopy),
}

/// Why one did not come to its end.
pub struct Broken {
    pub failure: Failure,
    /// The answer was lost: it may have been done all the same.
    pub unknown: bool,
}

/// News as they come; the last is [`ImageWork::Done`] or an error. Neither an engine nor a registry has dry runs:
/// without a real pass nothing is asked.
pub fn send_image(
    step: ImageStep<'_>,
    pass: &Pass,
) -> BoxStream<'static, Result<ImageWork, Broken>> {
    match (pass.kind(), step) {
        (PassKind::DryRun, _) => stream::empty().boxed(),
        (PassKind::Real, ImageStep::Build(docker, build)) => {
            docker.build_folder(build).map_err(Broken::from).boxed()
        }
        (
            PassKind::Real,
            ImageStep::Push {
                docker,
                image,
                login,
            },
        ) => {
            let working = docker.push_to_registry(image, login.as_ref());
            working.map_err(Broken::from).boxed()
        }
        (PassKind::Real, ImageStep::Copy(registries, copy)) => {
            let (registries, copy) = (registries.clone(), copy.clone());
            let copied = async move {
                let from = copy.pinned();
                let digest = registries.copy_image(&from, &copy.to, &[]).await?;
                Ok(ImageWork::Done(digest))
            };
            stream::once(copied).boxed()
        }
    }
}

impl From<docker::Error> for Broken {
    fn from(error: docker::Error) -> Self {
        let unknown = matches!(
            error,
            docker::Error::Unreached { .. } | docker::Error::Late { .. }
        );
        Self {
            failure: error.failure(),
            unknown,
        }
    }
}

impl From<registry::Error> for Broken {
    fn from(error: registry::Error) -> Self {
        let unknown = matches!(
            error,
            registry::Error::Unreached { .. }
                | registry::Error::Late { .. }
                | registry::Error::Unusable { .. }
        );
        Self {
            failure: error.failure(),
            unknown,
        }
    }
}
