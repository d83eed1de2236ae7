//! The Helm release that a workload is a part of: what a plan needs of it, and what became of it after a call.

use std::path::PathBuf;

use crate::domain::{HelmCall, Workload};
use crate::plan::verbs::helm_rollback::{Release, became};
use crate::plan::{Helm, Releases, Verb};
use crate::sources::helm;
use crate::sources::kube::{Cluster, charts};

/// Its history is read only for a plan that goes back by it; never fails: why it cannot be read is said.
pub async fn helm(
    cluster: &Cluster,
    verb: Verb,
    (workload, kubeconfig): (&Workload, Option<PathBuf>),
) -> Helm {
    let Some(name) = workload.chart_release() else {
        return Helm::default();
    };
    let asked = matches!(verb, Verb::Rollback | Verb::HelmRollback);
    let program = if asked { helm::find().await } else { None };
    let word = |path: PathBuf| path.to_string_lossy().into_owned().into_boxed_str();
    Helm {
        program: program.map(word),
        kubeconfig: kubeconfig.map(word),
        releases: match verb {
            Verb::HelmRollback => releases(cluster, workload, name).await,
            _ => Releases::NotRead,
        },
    }
}

async fn releases(cluster: &Cluster, workload: &Workload, name: &str) -> Releases {
    match charts::manifests(cluster, &workload.id, name).await {
        Ok(history) => Releases::Found {
            revisions: history.releases,
            unreadable: history.unreadable,
            kept_in: history.kept_in,
        },
        Err(error) => Releases::Unknown(match error.missing_permission() {
            Some(missing) => format!("needs {missing}"),
            None => error.to_string(),
        }),
    }
}

/// How a call stands that did not end well.
pub enum Aftermath {
    /// Helm made no revision, and is gone.
    Nothing,
    /// It is deployed, whatever was said.
    Done,
    Unknown(String),
}

/// What the release says after Helm failed or was ended.
pub async fn after(cluster: &Cluster, call: &HelmCall, error: &helm::Error) -> Aftermath {
    if matches!(
        error,
        helm::Error::NotStarted(_) | helm::Error::Unreadable(_)
    ) {
        return Aftermath::Nothing;
    }
    let name = &call.release;
    let history = match charts::history(cluster, &call.namespace, name).await {
        Ok(history) => history,
        Err(again) => {
            return Aftermath::Unknown(format!(
                "{error}, and release {name} cannot be read again ({again})"
            ));
        }
    };
    match became(history.releases.iter(), (call.newest, call.to)) {
        Release::Same | Release::Another(_) => Aftermath::Nothing,
        Release::Made(next) if &*next.status == "deployed" => Aftermath::Done,
        Release::Made(next) if next.is_pending() => Aftermath::Unknown(format!(
            "{error}; revision {} of {name} stays {}, and part of it may be written: going back once more frees it",
            next.revision, next.status
        )),
        Release::Made(next) => Aftermath::Unknown(format!(
            "{error}; revision {} of {name} is {}, and part of it may be written",
            next.revision, next.status
        )),
    }
}
