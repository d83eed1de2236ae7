//! The one function that writes.

pub mod image;
mod note;

use crate::domain::build::Ticket;
use crate::domain::{HelmCall, Uid};
use crate::plan::build::Act;
use crate::plan::gate::PassKind;
use crate::plan::{BuildWish, By, ObjectRef, Pass, Step, When};
use crate::sources::helm;
use crate::sources::jenkins::{self, Stop};
use crate::sources::kube::{Answer, Cluster, Error, convert, path};

/// Why a step did not go through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// What the server said, or that it said nothing. What that means for the object: [`Error::outcome_unknown`].
    #[error(transparent)]
    Kube(#[from] Error),
    /// What the person's own `helm` said, or that it was ended.
    #[error(transparent)]
    Helm(#[from] helm::Error),
    /// Nothing was sent: the object is not the one that was shown, or not as it was.
    #[error("{0}")]
    Changed(String),
}

/// Sends one step, once; what goes to a server that builds is for [`send_build`].
pub async fn send(cluster: &Cluster, step: &Step, pass: &Pass) -> Result<Answer, SendError> {
    let dry_run = match pass.kind() {
        PassKind::DryRun => true,
        PassKind::Real => false,
    };
    let Some(object) = step.object() else {
        return Ok(Answer::default());
    };
    let path = path::object_in(object.api, &object.namespace, object.resource, &object.name);
    match step {
        Step::JsonPatch { body, .. }
        | Step::Beside { body, .. }
        | Step::After { body, .. }
        | Step::WhenAtRest { body, .. }
        | Step::SyncPatch { body, .. } => Ok(cluster.patch(&path, &body.0, dry_run).await?),
        Step::Hold { .. } => Ok(Answer::default()),
        Step::StatusPatch { body, .. } => {
            let status = format!("{path}/status");
            Ok(cluster.patch(&status, &body.0, dry_run).await?)
        }
        Step::Helm { call, .. } => {
            still_newest(call).await?;
            helm::roll_back(call, dry_run).await?;
            Ok(Answer::default())
        }
        Step::Note {
            uid, note, before, ..
        } => {
            let body = note::body(cluster, (object, &path), uid, (note, before)).await?;
            Ok(cluster.patch(&path, &body, dry_run).await?)
        }
        Step::Create { body, .. } => {
            let collection = path
                .rsplit_once('/')
                .map_or(&*path, |(collection, _)| collection);
            Ok(cluster.create(collection, &body.0, dry_run).await?)
        }
        Step::Remove { uid, version, .. } => {
            Ok(cluster.delete(&path, (&uid.0, version), dry_run).await?)
        }
        Step::DeletePod { uid, when, by, .. } => {
            let version = look(cluster, object, &path, (uid, *when)).await?;
            let bound = (&*uid.0, &*version);
            Ok(match by {
                By::Deletion => cluster.delete(&path, bound, dry_run).await?,
                By::Eviction => {
                    let pod = (&*path, &*object.name);
                    cluster.evict(pod, bound, dry_run).await?
                }
            })
        }
    }
}

/// Asks a server that builds, once. No server has dry runs: without a real pass nothing is asked.
pub async fn send_build(
    client: &jenkins::Client,
    wish: &BuildWish,
    pass: &Pass,
) -> Result<Option<Ticket>, jenkins::Error> {
    match (pass.kind(), &wish.act) {
        (PassKind::DryRun, _) => Ok(None),
        (PassKind::Real, Act::Start(given)) => {
            client.trigger_build(&wish.job, given).await.map(Some)
        }
        (PassKind::Real, Act::Stop(build)) => {
            client.stop_build(build, Stop::Ask).await?;
            Ok(None)
        }
        (PassKind::Real, Act::Cancel(queued)) => {
            client.cancel_queued(queued).await?;
            Ok(None)
        }
        (PassKind::Real, Act::Hold(hold)) => {
            let (path, before) = (&wish.job.id.path, wish.job.description.as_deref());
            // First the word, which does nothing: a job that is off without one is a riddle.
            client.describe_job(path, &hold.described(before)).await?;
            client.set_enabled(path, false).await?;
            Ok(None)
        }
        (PassKind::Real, Act::Resume(_)) => {
            let path = &wish.job.id.path;
            client.set_enabled(path, true).await?;
            // A word that stays says nothing of a job that is on.
            if let Err(error) = client.describe_job(path, wish.job.own_description()).await {
                tracing::warn!(%error, "the description still speaks of the hold");
            }
            Ok(None)
        }
    }
}

/// What Helm itself sees must be what was shown: in another cluster, or after somebody else's upgrade, it is not.
async fn still_newest(call: &HelmCall) -> Result<(), SendError> {
    let told = helm::newest(call).await?;
    let same_time = match (call.newest_at, told.updated) {
        (Some(shown), Some(now)) => shown == now,
        _ => true,
    };
    if told.revision == call.newest && same_time {
        return Ok(());
    }
    Err(SendError::Changed(format!(
        "Helm has release {} at revision {} ({}), and revision {} was shown",
        call.release, told.revision, told.status, call.newest
    )))
}

/// A pod that fails changes all the time, so it is looked at right before it is deleted, and deleted only as it was
/// seen then: what it is now must still be what was shown.
async fn look(
    cluster: &Cluster,
    object: &ObjectRef,
    path: &str,
    (uid, when): (&Uid, When),
) -> Result<Box<str>, SendError> {
    let changed = |how: &str| Err(SendError::Changed(format!("{} {how}", object.name)));
    let answer = match cluster.get(path).await {
        Ok(answer) => answer,
        Err(Error::NotFound { .. }) => return changed("is gone"),
        Err(error) => return changed(&format!("cannot be read again ({error})")),
    };
    let text = String::from_utf8_lossy(&answer.body);
    let seen = match convert::seen(&text) {
        Ok(seen) => seen,
        Err(error) => return changed(&format!("cannot be read again ({error})")),
    };
    match when {
        _ if seen.uid != *uid => changed("was replaced since it was shown"),
        _ if seen.terminating => changed("is on its way out already"),
        When::NotReady if seen.ready => changed("is ready since it was shown"),
        When::NotReady | When::InTurn | When::Shown => Ok(seen.version),
    }
}
