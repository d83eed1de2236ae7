//! Whether the server lets us send every step, by its own review.

use std::sync::Arc;

use futures::future::join_all;
use tokio::time::timeout;

use super::{LIMIT, verdict};
use crate::plan::{CheckId, Finding, ObjectRef, Plan, Step, Verdict};
use crate::sources::kube::Cluster;
use crate::sources::kube::access::{Permission, Right, permission_on};

/// A review that cannot be had is no denial: the dry run tells as well.
pub async fn ask(cluster: Cluster, plan: Arc<Plan>) -> Verdict {
    match timeout(LIMIT, review(&cluster, &plan)).await {
        Ok(verdict) => verdict,
        Err(_) => unverified("no answer within 10s"),
    }
}

async fn review(cluster: &Cluster, plan: &Plan) -> Verdict {
    let mut asked: Vec<Asked<'_>> = Vec::new();
    for step in plan.all_steps().filter_map(Step::permission) {
        // Steps of one kind go to one object, or to pods, which roles do not name one by one.
        if !asked.iter().any(|other| words(*other) == words(step)) {
            asked.push(step);
        }
    }
    let answers = join_all(asked.iter().map(|step| may(cluster, *step))).await;
    let worst = |finding| answers.iter().find(|verdict| verdict.finding == finding);
    if let Some(verdict) = worst(Finding::Block).or_else(|| worst(Finding::Unverified)) {
        return verdict.clone();
    }
    let may: Vec<_> = asked.iter().map(|step| words(*step)).collect();
    verdict(
        CheckId::Permission,
        Finding::Ok,
        format!("you may {}", may.join(" and ")),
    )
}

/// The object, the verb and the subresource.
type Asked<'a> = (&'a ObjectRef, &'static str, &'static str);

async fn may(cluster: &Cluster, (object, verb, subresource): Asked<'_>) -> Verdict {
    let words = words((object, verb, subresource));
    let right = Right {
        verb,
        subresource,
        group: object.api.split_once('/').map_or("", |(group, _)| group),
        resource: object.resource,
        namespace: Some(&object.namespace),
    };
    match permission_on(cluster, right, &object.name).await {
        Ok(Permission::Allowed) => verdict(CheckId::Permission, Finding::Ok, words),
        Ok(Permission::Denied(reason)) => {
            let reason = if reason.is_empty() {
                reason
            } else {
                format!(": {reason}")
            };
            verdict(
                CheckId::Permission,
                Finding::Block,
                format!("you may not {words}{reason}"),
            )
        }
        Ok(Permission::Unknown(why)) => unverified(&why),
        Err(error) => unverified(&error.to_string()),
    }
}

fn words((object, verb, subresource): Asked<'_>) -> String {
    let part = match subresource {
        "" => String::new(),
        part => format!("/{part}"),
    };
    format!("{verb} {}{part} in {}", object.resource, object.namespace)
}

fn unverified(why: &str) -> Verdict {
    verdict(
        CheckId::Permission,
        Finding::Unverified,
        format!("whether you may is not known: {why}"),
    )
}
