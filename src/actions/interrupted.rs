//! Looks what became of actions that were interrupted, and writes it into the record, once.

use std::path::PathBuf;

use jiff::Timestamp;

use super::record::{Found, Limit, Line, Recorder};
use super::{GatherContext, gather};
use crate::domain::release_record::{Action, Sending, Stands};
use crate::domain::{ClusterId, Failure, FailureKind, Level, TemplateHash};
use crate::plan::aftermath::{Aftermath, Interrupted, aftermath, gone};
use crate::plan::{Request, Target, Verb};
use crate::sources::Clock;
use crate::sources::jenkins::Servers;
use crate::sources::kube::Cluster;
use crate::sources::source_repo::Repositories;

/// So far back it is looked, and so many actions are looked at.
const LIMIT: Limit = Limit {
    actions: 1_000,
    bytes: 8 << 20,
    since: None,
};
const MOST: usize = 20;

/// The newest first; empty, and without any request, when none was interrupted.
///
/// # Errors
/// The record cannot be read or written.
pub async fn settle(
    cluster: &Cluster,
    recorder: &Recorder,
    clock: Clock,
) -> Result<Vec<Interrupted>, Failure> {
    let page = recorder.read(LIMIT).await?;
    let open = page
        .actions
        .into_iter()
        .filter(|action| is_open(action, cluster.id()))
        .filter(|action| !page.under_way.contains(&action.sending.id));
    let mut settled = Vec::new();
    for Action { sending, .. } in open.take(MOST) {
        let outcome = look(cluster, &sending, clock).await;
        if let Ok(after) = &outcome
            && after.last
        {
            recorder.append(line(&sending, after, clock())).await?;
        }
        settled.push(Interrupted { sending, outcome });
    }
    Ok(settled)
}

/// Nothing says what became of it.
fn is_open(action: &Action, cluster: &ClusterId) -> bool {
    action.sending.workload.cluster == *cluster
        && match action.stands() {
            Stands::Sent | Stands::Unknown => true,
            Stands::Verified
            | Stands::NotVerified
            | Stands::Accepted
            | Stands::Refused
            | Stands::NotBegun
            | Stands::Interrupted(_) => false,
        }
}

fn line(sending: &Sending, after: &Aftermath, at: Timestamp) -> Line {
    Line::Found(Found {
        id: sending.id.clone(),
        at,
        became: after.became,
        sentence: after.sentence.clone(),
    })
}

async fn look(cluster: &Cluster, sending: &Sending, clock: Clock) -> Result<Aftermath, String> {
    let request = Request {
        // The reads are those of any plan; the verb only names the request.
        verb: Verb::named(&sending.verb).unwrap_or(Verb::Rollback),
        workload: sending.workload.clone(),
        uid: sending.uid.as_str().into(),
        shown: TemplateHash::default(),
        target: Target::Proposed,
    };
    let context = GatherContext {
        level: Level::Guarded,
        holds: Vec::new(),
        service_label: None,
        repositories: Repositories::default(),
        servers: Servers::default(),
        hold_for: 0,
        // Nothing is planned here, so nothing is expected.
        state_dir: PathBuf::new(),
        ready_for: 0,
        kubeconfig: None,
        presence: false,
        measured: None,
        pinned_by: None,
        origin: None,
        clock,
    };
    match gather(cluster, &request, context).await {
        Ok(seen) => Ok(aftermath(sending, &seen)),
        Err(failure) if failure.kind == FailureKind::NotFound => {
            Ok(gone(format!("{} is gone", sending.workload)))
        }
        Err(failure) => Err(failure.sentence),
    }
}
