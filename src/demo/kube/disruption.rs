//! Disruption budgets, and the eviction that asks them.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::delete::{self, Options};
use super::kind::{CREATE_OPTIONS, DISRUPTION_BUDGETS, PODS};
use super::object::{Kept, Key, items_at, text_at};
use super::refusal::Refusal;
use super::selector;
use super::server::Call;
use super::store::Store;
use crate::demo::controllers::share;

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub expected: usize,
    pub healthy: usize,
    /// So many have to stay healthy.
    pub desired: usize,
}

impl Counts {
    /// How many may go now.
    pub fn allowed(self) -> usize {
        self.healthy.saturating_sub(self.desired)
    }
}

pub fn counts(store: &Store, namespace: &str, budget: &Value) -> Counts {
    let pods = store.list(&PODS, Some(namespace));
    let pods = pods.iter().map(|kept| kept.value());
    let chosen: Vec<_> = pods.filter(|pod| chooses(budget, pod)).collect();
    let there = chosen.iter().filter(|pod| !is_over(pod));
    let expected = there.count();
    let spec = &budget["spec"];
    let desired = match (&spec["minAvailable"], &spec["maxUnavailable"]) {
        (Value::Null, Value::Null) => expected.saturating_sub(1),
        (Value::Null, most) => expected.saturating_sub(share(most, expected, true)),
        (least, _) => share(least, expected, true),
    };
    Counts {
        expected,
        healthy: chosen.iter().filter(|pod| is_healthy(pod)).count(),
        desired,
    }
}

fn chooses(budget: &Value, pod: &Value) -> bool {
    selector::matches(&budget["spec"]["selector"], &pod["metadata"]["labels"])
}

fn is_over(pod: &Value) -> bool {
    matches!(text_at(pod, "/status/phase"), "Succeeded" | "Failed")
}

fn is_healthy(pod: &Value) -> bool {
    let conditions = items_at(pod, "/status/conditions");
    let ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
    text_at(pod, "/metadata/deletionTimestamp").is_empty() && conditions.iter().any(ready)
}

/// A POST of an Eviction.
pub fn evict(call: &Call, key: &Key) -> Result<Answer, Refusal> {
    let body: Value = serde_json::from_slice(&call.body).map_err(|error| {
        Refusal::BadRequest(format!(
            "couldn't get version/kind; json parse error: {error}"
        ))
    })?;
    let store = &call.api.cluster.store;
    let kept = store.get(key);
    let kept = kept.ok_or_else(|| Refusal::NotFound(key.clone()))?;
    let options = &body["deleteOptions"];
    let text = |pointer: &str| Some(text_at(options, pointer).to_owned()).filter(|t| !t.is_empty());
    let dry_run = call.query.dry_run(&CREATE_OPTIONS)?;
    let how = Options {
        uid: text("/preconditions/uid"),
        version: text("/preconditions/resourceVersion"),
        dry_run: dry_run
            || items_at(options, "/dryRun")
                .iter()
                .any(|asked| asked == "All"),
        ..Options::default()
    };
    allow(store, &kept)?;
    delete::delete(store, key, &how, call.api.cluster.clock.now())?;
    let done = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    });
    Ok(match Answer::value(&done) {
        Answer::Json(_, text) => Answer::Json(StatusCode::CREATED, text),
        other => other,
    })
}

/// One that does not run disturbs nobody.
fn allow(store: &Store, kept: &Kept) -> Result<(), Refusal> {
    let pod = kept.value();
    let going = !text_at(&pod, "/metadata/deletionTimestamp").is_empty();
    if going || is_over(&pod) || text_at(&pod, "/status/phase") == "Pending" {
        return Ok(());
    }
    let namespace = &kept.key.namespace;
    for budget in store.list(&DISRUPTION_BUDGETS, Some(namespace)) {
        let value = budget.value();
        let counts = counts(store, namespace, &value);
        if !chooses(&value, &pod) || counts.allowed() > 0 {
            continue;
        }
        // Who is not healthy counts for nothing, as long as the others are enough.
        if !is_healthy(&pod) && counts.healthy >= counts.desired && counts.desired > 0 {
            continue;
        }
        return Err(Refusal::Disruption(format!(
            "The disruption budget {} needs {} healthy pods and has {} currently",
            budget.key.name, counts.desired, counts.healthy
        )));
    }
    Ok(())
}
