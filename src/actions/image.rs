//! Builds an image from a folder, or copies one: the gate, a line in the record, the work, and what became of it.

mod plan;

use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::execute::missing_words;
use super::fresh;
use super::listener::{Listener, told};
use super::record::{Answered, Ended, Line, Outcome, Recorder, Sending, sending_words};
use super::send::image::{Broken, ImageStep, send_image};
use crate::domain::commit::CREATED_LABEL;
use crate::domain::image_work::ImageWork;
use crate::domain::{Failure, FailureKind, Presence};
use crate::plan::image::{FolderBuild, ImageAct, ImageCopy, Made};
use crate::plan::{Answers, CheckId, Finding, ImagePlan, ImageProgress, Pass, gate};
use crate::sources::Clock;
use crate::sources::docker::{Build, Docker};
use crate::sources::registry::Registries;
use crate::sources::source_repo::work_tree;

pub use plan::plan_image;

/// How long the look at a registry may take whose answer was lost.
const LOOK: Duration = Duration::from_secs(40);

/// Who does the work.
#[derive(Clone)]
pub struct Makers {
    /// Why there is none.
    pub docker: Result<Docker, Failure>,
    pub registries: Registries,
}

/// What is to be done, and what the person gave for it.
#[derive(Debug, Clone)]
pub struct ImageOrder {
    pub plan: ImagePlan,
    pub answers: Answers,
    pub recorder: Recorder,
    pub clock: Clock,
    /// The person wants no more of it: a build ends, a push stays where it is.
    pub stop: CancellationToken,
}

/// Ends once it is known what became of it, and dropping the stream does not stop it. Nothing is sent twice. Needs a
/// tokio runtime.
pub fn make_image(makers: Makers, order: ImageOrder) -> BoxStream<'static, ImageProgress> {
    told(|listener| async move {
        let making = Making {
            makers,
            order,
            listener,
        };
        let end = making.run().await.unwrap_or_else(ImageProgress::Failed);
        making.listener.tell(end);
    })
}

struct Making {
    makers: Makers,
    order: ImageOrder,
    listener: Listener<ImageProgress>,
}

impl Making {
    /// # Errors
    /// Why nothing was done.
    async fn run(&self) -> Result<ImageProgress, Failure> {
        let ImageOrder { plan, answers, .. } = &self.order;
        let pass = gate::pass_for_image(plan, answers);
        let pass = pass.map_err(|missing| fresh::refused(missing_words(&missing)))?;
        self.unchanged().await?;
        let recorder = &self.order.recorder;
        let _under_way = recorder.begin(&plan.stamp.id).await?;
        recorder
            .append(Line::Sending(Box::new(self.line())))
            .await?;
        let end = match &plan.act {
            ImageAct::Build(build) => self.build(build, &pass).await,
            ImageAct::Copy(copy) => self.copy(copy, &pass).await,
        };
        self.record(&end).await;
        Ok(end)
    }

    /// The labels of the image say what was shown.
    async fn unchanged(&self) -> Result<(), Failure> {
        let ImageAct::Build(build) = &self.order.plan.act else {
            return Ok(());
        };
        let folder = &build.recipe.folder;
        if work_tree(folder).await.ok().flatten() == build.tree {
            return Ok(());
        }
        let sentence = format!("{} changed since it was shown", folder.display());
        Err(fresh::refused(sentence).hint("nothing was built; look again"))
    }

    /// Nobody else put something there since the plan, unless that is to be overwritten.
    async fn is_free(&self) -> Result<(), Failure> {
        let plan = &self.order.plan;
        let mut known = plan.checks.iter().filter(|v| v.check == CheckId::Image);
        if known.any(|verdict| verdict.finding == Finding::Block) {
            return Ok(());
        }
        let image = plan.image();
        match self.makers.registries.look(image, &[]).await {
            Ok(Presence::Present { .. }) => {
                let sentence =
                    format!("{image} came to be there meanwhile, and is not overwritten");
                Err(fresh::refused(sentence).hint("it is built, and nothing was pushed"))
            }
            Ok(Presence::Missing | Presence::Unverified(_)) | Err(_) => Ok(()),
        }
    }

    async fn build(&self, build: &FolderBuild, pass: &Pass) -> ImageProgress {
        let docker = match &self.makers.docker {
            Ok(docker) => docker,
            Err(why) => return ImageProgress::Failed(why.clone()),
        };
        let recipe = &build.recipe;
        let step = ImageStep::Build(
            docker,
            Build {
                folder: recipe.folder.clone(),
                dockerfile: recipe.dockerfile.clone(),
                tag: build.image.clone(),
                arguments: recipe.arguments.clone(),
                labels: build.labels(self.order.plan.stamp.at),
                network: recipe.network.clone(),
            },
        );
        let id = match self.drive(step, pass).await {
            Ok(id) => id,
            Err(Broken { failure, .. }) => {
                return ImageProgress::Failed(failure.hint("nothing was pushed"));
            }
        };
        if !build.push {
            return self.made(id, false);
        }
        if let Err(why) = self.is_free().await {
            return ImageProgress::Failed(why);
        }
        let image = &*build.image;
        let login = match self.makers.registries.login(image).await {
            Ok(login) => login,
            Err(error) => {
                let failure = error.failure().hint("it is built, and nothing was pushed");
                return ImageProgress::Failed(failure);
            }
        };
        let step = ImageStep::Push {
            docker,
            image,
            login,
        };
        match self.drive(step, pass).await {
            Ok(digest) => self.made(digest, true),
            Err(broken) => self.look(broken, None).await,
        }
    }

    async fn copy(&self, copy: &ImageCopy, pass: &Pass) -> ImageProgress {
        let step = ImageStep::Copy(&self.makers.registries, copy);
        match self.drive(step, pass).await {
            Ok(digest) => self.made(digest, true),
            Err(broken) => self.look(broken, Some(&copy.digest)).await,
        }
    }

    /// To its end: the id or the digest that it ends with.
    async fn drive(&self, step: ImageStep<'_>, pass: &Pass) -> Result<Box<str>, Broken> {
        let mut news = send_image(step, pass);
        let mut done = None;
        loop {
            let work = tokio::select! {
                work = news.next() => work,
                () = self.order.stop.cancelled() => return Err(lost("it was stopped")),
            };
            match work.transpose()? {
                None => return done.ok_or_else(|| lost("the answer ended before its end")),
                Some(work) => {
                    if let ImageWork::Done(id) = &work {
                        done = Some(id.clone());
                    }
                    self.listener.tell(ImageProgress::Told(work));
                }
            }
        }
    }

    /// What did not come to its end may have been done all the same: the registry tells, if anybody does.
    async fn look(&self, broken: Broken, digest: Option<&str>) -> ImageProgress {
        let image = self.order.plan.image();
        let found = tokio::time::timeout(LOOK, self.ours(image, digest)).await;
        let Broken { failure, unknown } = broken;
        match found.unwrap_or_else(|_| Err("the registry gives no answer".into())) {
            Ok(Some(digest)) => self.made(digest, true),
            Ok(None) | Err(_) if !unknown => ImageProgress::Failed(failure),
            Ok(None) => {
                let so_far = format!("its registry does not have it as {image} so far");
                ImageProgress::Unknown(format!("{}; {so_far}", failure.sentence))
            }
            Err(why) => ImageProgress::Unknown(format!("{}; {why}", failure.sentence)),
        }
    }

    /// The digest of what is there, when it is what was sent.
    async fn ours(&self, image: &str, wanted: Option<&str>) -> Result<Option<Box<str>>, String> {
        let registries = &self.makers.registries;
        let found = registries.look(image, &[]).await;
        let digest = match found.map_err(|error| error.to_string())? {
            Presence::Present { digest, .. } => digest,
            Presence::Missing => return Ok(None),
            Presence::Unverified(why) => return Err(why),
        };
        if let Some(wanted) = wanted {
            return Ok((*wanted == *digest).then_some(digest));
        }
        let manifest = registries.manifest(image, &[]).await;
        let manifest = manifest.map_err(|error| error.to_string())?;
        let created = self.order.plan.stamp.at.to_string();
        // By this our own image is known again.
        let label = manifest.labels.get(CREATED_LABEL);
        Ok((label.map(|label| &**label) == Some(&*created)).then_some(digest))
    }

    fn made(&self, digest: Box<str>, pushed: bool) -> ImageProgress {
        ImageProgress::Made(Made {
            image: self.order.plan.image().to_owned(),
            digest,
            pushed,
        })
    }

    fn line(&self) -> Sending {
        let ImageOrder { plan, answers, .. } = &self.order;
        let from = match &plan.act {
            ImageAct::Build(build) => build.recipe.folder.display().to_string(),
            ImageAct::Copy(copy) => copy.from.clone(),
        };
        let sending = sending_words(
            &plan.stamp,
            (plan.verb(), (self.order.clock)()),
            (&plan.workload, &plan.uid),
            (from, plan.image().to_owned()),
        );
        Sending {
            reason: answers.reason.clone(),
            override_reason: answers.override_reason.clone(),
            checks: plan.checks.iter().map(super::record::checked).collect(),
            steps: vec![plan.what()],
            ..sending
        }
    }

    async fn record(&self, end: &ImageProgress) {
        let (outcome, sentence) = match end {
            ImageProgress::Made(made) => (Outcome::Accepted, made.sentence()),
            ImageProgress::Unknown(why) => (Outcome::Unknown, why.clone()),
            ImageProgress::Failed(why) => (Outcome::Refused, why.line()),
            ImageProgress::Told(_) => return,
        };
        let (plan, at) = (&self.order.plan, (self.order.clock)());
        let answered = Line::Answered(Answered {
            id: plan.stamp.id.clone(),
            at,
            outcome,
            accepted: usize::from(outcome == Outcome::Accepted),
            sentence: sentence.clone(),
        });
        // What is made is at its end: nothing in the cluster has to follow.
        let ended = (outcome == Outcome::Accepted).then(|| {
            Line::Ended(Ended {
                id: plan.stamp.id.clone(),
                at,
                workload: plan.workload.clone(),
                verified: true,
                sentence,
            })
        });
        for line in std::iter::once(answered).chain(ended) {
            self.order.recorder.note(line).await;
        }
    }
}

fn lost(why: &str) -> Broken {
    Broken {
        failure: Failure::new(FailureKind::Failed, why),
        unknown: true,
    }
}
