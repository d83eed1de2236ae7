//! Which commits lie between the two sides, by the repository that the settings name.

use std::sync::Arc;

use tokio::time::timeout;

use super::{LIMIT, Sources, verdict};
use crate::actions::logins::Logins;
use crate::domain::commit::Between;
use crate::plan::check::commits::{self, Named, Sought};
use crate::plan::{CheckId, Finding, Plan, Verdict};
use crate::sources::registry::Registries;

/// What cannot be read, or is late, stays unverified. A first copy that is late goes on for the next plan.
pub async fn ask(sources: Sources, plan: Arc<Plan>, sought: Sought) -> Verdict {
    let unverified = |why| verdict(CheckId::Commits, Finding::Unverified, why);
    let remote = &sought.repository.remote;
    match timeout(LIMIT, Box::pin(read(&sources, &plan, &sought))).await {
        Err(_) => unverified(format!(
            "{remote}: no answer within 10s; what is being copied will be there for the next plan"
        )),
        Ok(Err(why)) => unverified(why),
        Ok(Ok(verdict)) => verdict,
    }
}

async fn read(sources: &Sources, plan: &Plan, sought: &Sought) -> Result<Verdict, String> {
    let logins = Logins::new(&sources.cluster, &plan.workload.namespace, &sought.pulled);
    let commit = |named| commit(&sources.registries, &logins, named);
    let (from, to) = tokio::try_join!(commit(&sought.from), commit(&sought.to))?;
    let between = Between {
        repository: sought.repository.clone(),
        from,
        to,
    };
    let found = sources.repositories.between(&between).await;
    let found = found.map_err(|error| error.to_string())?;
    Ok(commits::told(sought, &found))
}

/// # Errors
/// The image names none, or cannot be read.
async fn commit(
    registries: &Registries,
    logins: &Logins<'_>,
    named: &Named,
) -> Result<Box<str>, String> {
    let image = match named {
        Named::Commit(id) => return Ok(id.clone()),
        Named::LabelOf(image) => image,
    };
    let asked = logins.ask(|secrets| registries.manifest(image, secrets));
    let manifest = asked.await?;
    let commit = manifest.commit().map(Into::into);
    commit.ok_or_else(|| format!("no label of {image} names the commit it was built from"))
}
