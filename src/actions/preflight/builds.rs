//! Whether the job that builds the service is at it, by one fresh look at its server.

use tokio::time::timeout;

use super::LIMIT;
use crate::domain::build::JobId;
use crate::plan::Verdict;
use crate::plan::check::builds;
use crate::sources::jenkins::{Error, Servers};

/// A server that is away or late leaves it unverified.
pub async fn ask(servers: Servers, id: JobId) -> Verdict {
    match timeout(LIMIT, look(&servers, &id)).await {
        Err(_) => builds::unverified(&format!("{}: no answer within 10s", id.server)),
        Ok(Err(error)) => builds::unverified(&error.to_string()),
        Ok(Ok(verdict)) => verdict,
    }
}

async fn look(servers: &Servers, id: &JobId) -> Result<Verdict, Error> {
    let client = servers.client(&id.server).await?;
    let job = client.job(&id.path).await?;
    Ok(builds::verdict(&job))
}
