//! Whether the server would accept every step, by sending each with `dryRun=All`.

use tokio::time::timeout;

use super::{LIMIT, verdict};
use crate::actions::send;
use crate::plan::{CheckId, Finding, Pass, Plan, Verdict};
use crate::sources::kube::{Cluster, Error};

/// Nothing is sent in read-only mode, nor by who may not write.
pub async fn ask(cluster: &Cluster, plan: &Plan, readonly: bool, permission: Verdict) -> Verdict {
    let answer = |finding, sentence: String| verdict(CheckId::DryRun, finding, sentence);
    let Some(pass) = Pass::dry_run(readonly) else {
        return answer(Finding::Unverified, "read-only: no dry run is sent".into());
    };
    if permission.finding == Finding::Block {
        return answer(
            Finding::Unverified,
            "no dry run is sent, because you may not write".into(),
        );
    }
    for step in plan.all_steps() {
        match timeout(LIMIT, send(cluster, step, &pass)).await {
            Err(_) => {
                let words = "the dry run had no answer within 10s".into();
                return answer(Finding::Block, words);
            }
            Ok(Err(error)) => return answer(Finding::Block, refusal(&error)),
            Ok(Ok(_)) => {}
        }
    }
    answer(Finding::Ok, "the server accepts the patch (dry run)".into())
}

fn refusal(error: &Error) -> String {
    match error {
        Error::Rejected {
            status: 422,
            causes,
            ..
        } if causes.is_empty() => {
            "the server refuses the patch: the object is not the one that was read".into()
        }
        other => format!("the server does not accept the patch: {other}"),
    }
}
