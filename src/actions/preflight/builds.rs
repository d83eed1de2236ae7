//! Whether the job that builds the service is at it, by one fresh look at its server.

use std::sync::Arc;

use tokio::time::timeout;

use super::LIMIT;
use crate::domain::build::JobId;
use crate::plan::check::builds;
use crate::plan::{Plan, Step, Verdict, hold};
use crate::sources::jenkins::{Error, Servers};

/// A server that is away or late leaves it unverified.
pub async fn ask(servers: Servers, plan: Arc<Plan>, id: JobId) -> Verdict {
    let holds = plan.all_steps().any(|s| matches!(s, Step::Hold { .. }));
    match timeout(LIMIT, look(&servers, &id, holds)).await {
        Err(_) => builds::unverified(&format!("{}: no answer within 10s", id.server)),
        Ok(Err(error)) => builds::unverified(&error.to_string()),
        Ok(Ok(verdict)) => verdict,
    }
}

async fn look(servers: &Servers, id: &JobId, holds: bool) -> Result<Verdict, Error> {
    let client = servers.client(&id.server).await?;
    let job = client.job(&id.path).await?;
    let obstacle = if holds {
        let denied = denied(client.may_configure(&id.path).await)?;
        hold::obstacle(&job, denied.as_deref())
    } else {
        None
    };
    Ok(obstacle.unwrap_or_else(|| builds::verdict(&job)))
}

/// Why one may not configure a job.
fn denied(answer: Result<(), Error>) -> Result<Option<String>, Error> {
    match answer {
        Ok(()) => Ok(None),
        Err(Error::Forbidden { message, .. } | Error::Unauthorized { message, .. }) => {
            Ok(Some(message))
        }
        Err(error) => Err(error),
    }
}
