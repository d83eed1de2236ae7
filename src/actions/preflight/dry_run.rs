//! Whether the server would accept every step, by sending each with `dryRun=All`.

use tokio::time::timeout;

use super::{LIMIT, verdict};
use crate::actions::{SendError, send};
use crate::plan::{By, CheckId, Finding, Pass, Plan, Step, Verdict};
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
    // What tests the write of a step before it cannot pass before that.
    let later = |step: &&Step| matches!(step, Step::WhenAtRest { .. });
    let of_cluster = || {
        let steps = plan.all_steps().filter(|step| step.object().is_some());
        steps.filter(move |step| !later(step))
    };
    for step in of_cluster() {
        match timeout(LIMIT, send(cluster, step, &pass)).await {
            Err(_) => {
                let words = "the dry run had no answer within 10s".into();
                return answer(Finding::Block, words);
            }
            Ok(Err(error)) => return answer(Finding::Block, refusal(step, &error)),
            Ok(Ok(_)) => {}
        }
    }
    let pods = plan.all_steps().filter(|step| is_deletion(step)).count();
    let words = match (of_cluster().next(), pods) {
        _ if plan.all_steps().any(|step| matches!(step, Step::Helm { .. })) => {
            "helm finds what it needs (its dry run asks the server for no more), and the server accepts the note"
                .into()
        }
        (Some(Step::DeletePod { by, .. }), _) => match by {
            By::Deletion => "the server accepts the deletion (dry run)".into(),
            By::Eviction => "its disruption budgets let it go now (dry run)".into(),
        },
        (_, 0) => "the server accepts the patch (dry run)".into(),
        (_, 1) => "the server accepts the patch and the deletion (dry runs)".into(),
        (_, n) => format!("the server accepts the patch and {n} deletions (dry runs)"),
    };
    answer(Finding::Ok, words)
}

fn is_deletion(step: &Step) -> bool {
    matches!(step, Step::DeletePod { .. })
}

fn refusal(step: &Step, error: &SendError) -> String {
    match error {
        SendError::Kube(Error::Rejected {
            status: 422,
            causes,
            ..
        }) if causes.is_empty() => {
            "the server refuses the patch: the object is not the one that was read".into()
        }
        SendError::Helm(error) => error.to_string(),
        SendError::Changed(how) => format!("not as it was shown: {how}"),
        SendError::Kube(Error::Throttled {
            status: 429,
            message,
            ..
        }) if is_deletion(step) => {
            format!("{} may not go now: {message}", step.name())
        }
        SendError::Kube(other) if is_deletion(step) => {
            let name = step.name();
            format!("the server does not accept that {name} is deleted: {other}")
        }
        SendError::Kube(other) => format!("the server does not accept the patch: {other}"),
    }
}
