//! Which commits lie between the two sides, by the repository that the settings name.

use tokio::time::timeout;

use super::{LIMIT, verdict};
use crate::domain::commit::Between;
use crate::plan::check::commits;
use crate::plan::{CheckId, Finding, Verdict};
use crate::sources::source_repo::Repositories;

/// What cannot be read, or is late, stays unverified. A first copy that is late goes on for the next plan.
pub async fn ask(repositories: Repositories, between: Between) -> Verdict {
    let unverified = |why| verdict(CheckId::Commits, Finding::Unverified, why);
    match timeout(LIMIT, repositories.between(&between)).await {
        Err(_) => unverified(format!(
            "{}: no answer within 10s; what is being copied will be there for the next plan",
            between.repository.remote
        )),
        Ok(Err(error)) => unverified(error.to_string()),
        Ok(Ok(found)) => commits::verdict(&found),
    }
}
