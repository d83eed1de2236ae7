//! Whether the quotas of the namespace leave room for the pods that come before others go.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use tokio::time::timeout;

use super::{LIMIT, unread, verdict};
use crate::actions::pages::every;
use crate::plan::check::quota::{self, Need, Quota};
use crate::plan::{CheckId, Finding, Plan, Verdict};
use crate::sources::kube::Cluster;
use crate::sources::kube::path::{self, Resource};

/// Quotas that may not be read, or are late, stay unverified.
pub async fn ask(cluster: Cluster, plan: Arc<Plan>, need: Need) -> Verdict {
    let namespace = &plan.workload.namespace;
    let unverified = |why: String| verdict(CheckId::Quota, Finding::Unverified, why);
    let what = format!("quotas in {namespace}");
    let list = path::collection(Resource::ResourceQuotas, Some(namespace), &[]);
    let asked = every::<Object>(&cluster, &list);
    match timeout(LIMIT, asked).await {
        Err(_) => unverified(format!("{what}: no answer within 10s")),
        Ok(Err(error)) => unverified(unread(&what, &error)),
        Ok(Ok(objects)) => {
            let quotas: Vec<_> = objects.into_iter().map(Quota::from).collect();
            quota::verdict(&need, &quotas)
        }
    }
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: Box<str>,
}

type Amounts = BTreeMap<Box<str>, Box<str>>;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    hard: Amounts,
    scopes: Vec<Box<str>>,
    scope_selector: Option<Selector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    #[serde(default)]
    match_expressions: Vec<Expression>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expression {
    scope_name: Box<str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    hard: Amounts,
    used: Amounts,
}

impl From<Object> for Quota {
    /// What is not counted yet is not used.
    fn from(object: Object) -> Self {
        let Status { hard, used } = object.status;
        let hard = if hard.is_empty() {
            object.spec.hard
        } else {
            hard
        };
        let selector = object.spec.scope_selector.into_iter();
        let selected = selector.flat_map(|selector| selector.match_expressions);
        let scopes = object.spec.scopes.into_iter();
        let count = |(resource, hard): (Box<str>, Box<str>)| {
            let used = used.get(&resource).cloned().unwrap_or_else(|| "0".into());
            (resource, used, hard)
        };
        Self {
            name: object.metadata.name,
            scopes: scopes
                .chain(selected.map(|expression| expression.scope_name))
                .collect(),
            counts: hard.into_iter().map(count).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_as_the_server_writes_it() {
        let raw = r#"{"metadata":{"name":"team"},"spec":{"hard":{"pods":"9"},"scopes":["NotTerminating"],
            "scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["high"]}]}},
            "status":{"hard":{"pods":"8","requests.cpu":"2"},"used":{"pods":"3"}}}"#;
        let quota: Quota = serde_json::from_str::<Object>(raw).unwrap().into();
        let scopes: Vec<_> = quota.scopes.iter().map(|scope| &**scope).collect();
        assert_eq!(scopes, ["NotTerminating", "PriorityClass"]);
        let counts: Vec<_> = quota.counts.iter().map(|(a, b, c)| [&**a, b, c]).collect();
        assert_eq!(counts, [["pods", "3", "8"], ["requests.cpu", "0", "2"]]);
        let fresh = r#"{"metadata":{"name":"new"},"spec":{"hard":{"pods":"9"}}}"#;
        let fresh: Quota = serde_json::from_str::<Object>(fresh).unwrap().into();
        assert_eq!(&*fresh.counts[0].2, "9");
    }
}
