//! What an image is built or copied from, read for its plan: the folder, git, the engine, the registry.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::Makers;
use crate::actions::stamp;
use crate::domain::{Failure, FailureKind, ImageRef, Presence, Recipe};
use crate::plan::Stamp;
use crate::plan::Verdict;
use crate::plan::image::{
    Asked, FolderBuild, ImageAct, ImageAsk, ImageCopy, ImagePlan, check_tag, default_tag,
    of_source, of_target,
};
use crate::sources::Clock;
use crate::sources::docker::Docker;
use crate::sources::registry::{Error, Registries};
use crate::sources::source_repo::work_tree;

/// How long an engine may take to say its version.
const LIMIT: Duration = Duration::from_secs(10);

/// # Errors
/// Why there is nothing to confirm: no folder, no engine, no image.
pub async fn plan_image(
    makers: &Makers,
    ask: ImageAsk,
    clock: Clock,
) -> Result<ImagePlan, Failure> {
    let stamp = stamp(clock())?;
    let (act, checks) = match ask.what {
        Asked::Build {
            recipe,
            repository,
            tag,
            push,
        } => {
            let docker = makers.docker.clone()?;
            let at = (&makers.registries, &stamp);
            folder_build(&docker, at, (*recipe, repository, tag, push)).await?
        }
        Asked::Copy { from, to } => copy(&makers.registries, from, &to).await?,
    };
    Ok(ImagePlan {
        stamp,
        workload: ask.workload,
        uid: ask.uid,
        level: ask.level,
        act,
        checks,
    })
}

async fn folder_build(
    docker: &Docker,
    (registries, stamp): (&Registries, &Stamp),
    (recipe, repository, tag, push): (Recipe, String, Option<String>, bool),
) -> Result<(ImageAct, Vec<Verdict>), Failure> {
    is_there(&recipe).await?;
    let tree = work_tree(&recipe.folder).await;
    let tree = tree.map_err(|why| why.to_string());
    let source = of_source(&tree);
    let tree = tree.ok().flatten();
    let tag = tag.unwrap_or_else(|| default_tag(tree.as_ref(), stamp.at));
    check_tag(&tag)?;
    let image = format!("{repository}:{tag}");
    let (engine, target) = tokio::join!(engine(docker), async {
        if push {
            Some(look(registries, &image).await)
        } else {
            None
        }
    });
    let target = target.transpose()?;
    let target = target.map(|found| of_target(&image, &found, None));
    let build = FolderBuild {
        recipe,
        tree,
        engine: engine?,
        image,
        push,
    };
    let checks = target.into_iter().chain([source]).collect();
    Ok((ImageAct::Build(Box::new(build)), checks))
}

async fn copy(
    registries: &Registries,
    from: String,
    to: &str,
) -> Result<(ImageAct, Vec<Verdict>), Failure> {
    let found = registries.look(&from, &[]).await;
    let digest = match found.map_err(|error| error.failure())? {
        Presence::Present { digest, .. } => digest,
        Presence::Missing => {
            let sentence = format!("the registry has no {from}");
            return Err(Failure::new(FailureKind::NotFound, sentence));
        }
        Presence::Unverified(why) => return Err(Failure::new(FailureKind::NotFound, why)),
    };
    let (source, target) = (ImageRef::parse(&from), ImageRef::parse(to));
    let Some(tag) = target
        .tag
        .or(source.tag)
        .filter(|_| target.digest.is_none())
    else {
        let sentence = format!("{to} needs a tag, as in {}:1.0", target.repository);
        return Err(Failure::new(FailureKind::Usage, sentence));
    };
    check_tag(tag)?;
    let to = format!("{}:{tag}", target.repository);
    let there = look(registries, &to).await?;
    let checks = vec![of_target(&to, &there, Some(&digest))];
    Ok((ImageAct::Copy(ImageCopy { from, digest, to }), checks))
}

/// What nobody knows does not stand in the way; what no registry could have does.
async fn look(registries: &Registries, image: &str) -> Result<Presence, Failure> {
    match registries.look(image, &[]).await {
        Ok(presence) => Ok(presence),
        Err(error @ Error::NotAnImage { .. }) => Err(error.failure()),
        Err(error) => Ok(Presence::Unverified(error.failure().line())),
    }
}

async fn is_there(recipe: &Recipe) -> Result<(), Failure> {
    let folder = recipe.folder.display();
    let kind = async |place: &Path| tokio::fs::metadata(place).await.ok();
    let sentence = match kind(&recipe.folder).await {
        Some(found) if found.is_dir() => {
            let file = kind(&recipe.folder.join(&recipe.dockerfile)).await;
            if file.is_some_and(|file| file.is_file()) {
                return Ok(());
            }
            format!("there is no {} in {folder}", recipe.dockerfile)
        }
        Some(_) | None => format!("there is no folder {folder}"),
    };
    let failure = Failure::new(FailureKind::NotFound, sentence);
    Err(failure.hint("builds: in the configuration says from what a service is built"))
}

async fn engine(docker: &Docker) -> Result<String, Failure> {
    let host = docker.host();
    match timeout(LIMIT, docker.version()).await {
        Ok(Ok(version)) => Ok(format!("Docker {version} at {host}")),
        Ok(Err(error)) => Err(error.failure()),
        Err(_) => {
            let sentence = format!("the Docker engine at {host} gives no answer");
            Err(Failure::new(FailureKind::Unreachable, sentence))
        }
    }
}
