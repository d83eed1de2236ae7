//! Says who is at a workload while a plan is carried out. It delays nothing, and nothing hangs on it: where it may not
//! be said, or the server knows no leases, only the log tells.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{SendError, send};
use crate::plan::presence::{ANNOTATION, Held, Mark, SECONDS, begin, end, lease, over, renew};
use crate::plan::{ObjectRef, Pass, Plan, Presence};
use crate::sources::Clock;
use crate::sources::kube::{Answer, Cluster, Error, path};

/// Often enough that one lost renewal costs nothing.
const BETWEEN: Duration = Duration::from_secs(10);
/// How long its end may take, after everything else is done.
const LEAVING: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lease {
    metadata: Meta,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    uid: Box<str>,
    resource_version: Box<str>,
    #[serde(default)]
    annotations: HashMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    holder_identity: Option<Box<str>>,
    lease_duration_seconds: Option<u32>,
    acquire_time: Option<Timestamp>,
    renew_time: Option<Timestamp>,
}

impl Lease {
    fn held(&self) -> Held {
        Held {
            uid: (*self.metadata.uid).into(),
            version: self.metadata.resource_version.clone(),
        }
    }

    /// One without its times is over.
    fn presence(&self) -> Option<Presence> {
        let spec = &self.spec;
        let mark = self.metadata.annotations.get(ANNOTATION);
        let mark: Option<Mark> = mark.and_then(|text| serde_json::from_str(text).ok());
        let (action, verb) = mark.map(|mark| (mark.id, mark.verb)).unwrap_or_default();
        let renewed = spec.renew_time?;
        Some(Presence {
            by: spec.holder_identity.clone()?,
            action,
            verb,
            since: spec.acquire_time.unwrap_or(renewed),
            until: over(renewed, spec.lease_duration_seconds.unwrap_or(SECONDS)),
        })
    }
}

/// Who else is at it; nobody where that cannot be told.
pub async fn other(
    cluster: &Cluster,
    plan_of: &crate::domain::WorkloadId,
    now: Timestamp,
) -> Option<Presence> {
    let object = lease(plan_of)?;
    match read(cluster, &object).await {
        Ok(lease) => lease.presence().filter(|presence| presence.counts(now)),
        Err(Error::NotFound { .. }) => None,
        Err(error) => {
            tracing::info!(why = %error, "who else is at it cannot be told");
            None
        }
    }
}

async fn read(cluster: &Cluster, object: &ObjectRef) -> Result<Lease, Error> {
    let place = path::object_in(object.api, &object.namespace, object.resource, &object.name);
    understood(&cluster.get(&place).await?)
}

fn understood(answer: &Answer) -> Result<Lease, Error> {
    serde_json::from_slice(&answer.body).map_err(|error| Error::Unusable {
        about: "read a lease".into(),
        status: 200,
        message: error.to_string(),
    })
}

/// One's own, until it is left.
pub struct Here {
    leave: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Here {
    /// Begins at once and is not waited for.
    pub fn enter(cluster: &Cluster, plan: &Plan, pass: &Pass, clock: Clock) -> Option<Self> {
        let keeping = Keeping {
            object: lease(&plan.workload)?,
            cluster: cluster.clone(),
            plan: plan.clone(),
            pass: pass.clone(),
            clock,
        };
        let (leave, left) = oneshot::channel();
        let task = tokio::spawn(async move {
            if let Err(why) = keeping.keep(left).await {
                tracing::info!(%why, "others are not told who is at it");
            }
        });
        Some(Self { leave, task })
    }

    /// What does not end in time is over by itself soon after.
    pub async fn leave(self) {
        let _ = self.leave.send(());
        let _ = timeout(LEAVING, self.task).await;
    }
}

struct Keeping {
    cluster: Cluster,
    object: ObjectRef,
    plan: Plan,
    pass: Pass,
    clock: Clock,
}

impl Keeping {
    async fn keep(&self, mut left: oneshot::Receiver<()>) -> Result<(), SendError> {
        let over = match read(&self.cluster, &self.object).await {
            Ok(lease) => {
                let present = lease.presence();
                if present.is_some_and(|present| present.counts((self.clock)())) {
                    // It is somebody else's while that one is at it.
                    return Ok(());
                }
                Some(lease.held())
            }
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let first = begin(&self.plan, &self.object, over.as_ref(), (self.clock)());
        let mut held = self.send(&first).await?;
        loop {
            tokio::select! {
                _ = &mut left => break,
                () = sleep(BETWEEN) => {}
            }
            let again = renew(&self.object, &held, (self.clock)());
            held = self.send(&again).await?;
        }
        send(&self.cluster, &end(&self.object, held), &self.pass).await?;
        Ok(())
    }

    async fn send(&self, step: &crate::plan::Step) -> Result<Held, SendError> {
        let answer = send(&self.cluster, step, &self.pass).await?;
        Ok(understood(&answer)?.held())
    }
}
