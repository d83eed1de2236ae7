//! Analysis runs: each metric is measured on its images, and held against what its template wants.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::pods::write_status_by;
use super::rollout::{self, MANAGER};
use super::{Context, owner_key};
use crate::demo::cluster::Cluster;
use crate::demo::kube::object::{Key, int_at, items_at, set, text_at, unset};
use crate::demo::kube::write::stamp;

/// Between two tries of what cannot be measured.
const AFTER_ERROR: Duration = Duration::from_secs(10);
const ERRORS: i64 = 4;

pub fn reconcile(context: &mut Context, key: &Key, run: &Value) -> Option<Duration> {
    if is_over(text_at(run, "/status/phase")) {
        return None;
    }
    let now = context.now();
    let terminated = run["spec"]["terminate"] == true;
    let mut results = Vec::new();
    let mut next: Option<Duration> = None;
    for metric in items_at(run, "/spec/metrics") {
        let before = result_of(run, text_at(metric, "/name"));
        let (result, wait) = if terminated {
            (stopped(before, metric), None)
        } else {
            measured(context, (run, metric), before, now)
        };
        next = rollout::sooner(next, wait);
        results.push(result);
    }
    let (phase, message) = verdict(items_at(run, "/spec/metrics"), &results, terminated);
    let status = status(run, (phase, &message), &results, now);
    write_status_by(MANAGER, context, (key, run), |is| *is = status);
    next
}

fn is_over(phase: &str) -> bool {
    matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive")
}

fn result_of(run: &Value, name: &str) -> Value {
    let mut results = items_at(run, "/status/metricResults").iter();
    let found = results.find(|result| result["name"] == name).cloned();
    found.unwrap_or_else(|| json!({"name": name, "phase": "Running"}))
}

fn stopped(mut result: Value, metric: &Value) -> Value {
    if !is_over(text_at(&result, "/phase")) {
        let phase = assessed(metric, &result).map_or("Successful", |(phase, _)| phase);
        result["phase"] = phase.into();
    }
    result
}

/// One more measurement when it is time for it. Returns also after how much scripted time the next one is due.
fn measured(
    context: &Context,
    (run, metric): (&Value, &Value),
    mut result: Value,
    now: Timestamp,
) -> (Value, Option<Duration>) {
    if is_over(text_at(&result, "/phase")) {
        return (result, None);
    }
    let interval = rollout::duration(&metric["interval"]);
    let last = items_at(&result, "/measurements").last();
    let pause = match last.map(|last| text_at(last, "/phase")) {
        None => Duration::ZERO,
        Some("Error") => AFTER_ERROR,
        Some(_) => interval.unwrap_or_default(),
    };
    let gone = last.map(|last| text_at(last, "/finishedAt"));
    let gone = gone.and_then(|at| at.parse().ok());
    let gone = gone.map_or(pause, |at| context.cluster.clock.scripted_since(at));
    if gone < pause {
        return (result, Some(pause.saturating_sub(gone)));
    }
    let value = value_of(
        &context.cluster,
        image_of(context, run),
        text_at(metric, "/name"),
    );
    measure(metric, value, &mut result, now);
    let runs = result["phase"] == "Running";
    (result, runs.then(|| interval.unwrap_or(AFTER_ERROR)))
}

/// The status of a run that measured an image at these times.
pub fn past(cluster: &Cluster, image: &str, metrics: &[Value], times: &[Timestamp]) -> Value {
    let of = |metric: &Value| {
        let name = text_at(metric, "/name");
        let mut result = json!({"name": name, "phase": "Running"});
        for at in times {
            if result["phase"] == "Running" {
                measure(
                    metric,
                    value_of(cluster, Some(image.to_owned()), name),
                    &mut result,
                    *at,
                );
            }
        }
        result
    };
    let results: Vec<_> = metrics.iter().map(of).collect();
    let (phase, message) = verdict(metrics, &results, false);
    let last = times.last().copied().unwrap_or_default();
    let mut status = status(&Value::Null, (phase, &message), &results, last);
    if let Some(first) = times.first() {
        status["startedAt"] = stamp(*first).into();
    }
    status
}

/// One more measurement, and what its metric comes to with it.
fn measure(metric: &Value, value: Option<String>, result: &mut Value, now: Timestamp) {
    let phase = match &value {
        Some(value) => held(metric, value),
        None => "Error",
    };
    let mut measurement =
        json!({"phase": phase, "startedAt": stamp(now), "finishedAt": stamp(now)});
    match value {
        Some(value) => measurement["value"] = value.into(),
        None => measurement["message"] = "no data returned".into(),
    }
    let mut all = items_at(result, "/measurements").to_vec();
    all.push(measurement);
    let keep = all.len().saturating_sub(10);
    result["measurements"] = all.split_off(keep).into();
    let mut add = |field: &str| {
        let count = int_at(result, &format!("/{field}")).unwrap_or(0);
        set(result, &[field], (count + 1).into());
    };
    match phase {
        "Error" => {
            add("error");
            add("consecutiveError");
        }
        "Successful" => {
            add("count");
            add("successful");
            add("consecutiveSuccess");
        }
        other => {
            add("count");
            add(if other == "Failed" {
                "failed"
            } else {
                "inconclusive"
            });
        }
    }
    let streaks = [
        ("Error", "consecutiveError"),
        ("Successful", "consecutiveSuccess"),
    ];
    for (_, streak) in streaks.iter().filter(|(of, _)| *of != phase) {
        unset(result, &[*streak]);
    }
    let count = int_at(metric, "/count");
    let count = count.or(metric.get("interval").is_none().then_some(1));
    let done = count.is_some_and(|count| int_at(result, "/count").unwrap_or(0) >= count);
    let phase = match assessed(metric, result) {
        Some((phase, _)) => phase,
        None if done => "Successful",
        None => "Running",
    };
    result["phase"] = phase.into();
}

/// The image of the release that a run is about.
fn image_of(context: &Context, run: &Value) -> Option<String> {
    let owner = context.cluster.store.get(&owner_key(run)?)?.value();
    let containers = items_at(&owner, "/spec/template/spec/containers");
    Some(text_at(containers.first()?, "/image").to_owned())
}

/// What an image gives, as its behaviour says.
fn value_of(cluster: &Cluster, image: Option<String>, metric: &str) -> Option<String> {
    let image = cluster.images.pull(&image?)?;
    image.behaviour.metrics.get(metric).cloned()
}

/// As the conditions of the metric have it: `result >= 0.95`.
fn held(metric: &Value, value: &str) -> &'static str {
    let holds = |field: &str| match text_at(metric, field) {
        "" => None,
        condition => Some(compares(condition, value)),
    };
    match (holds("/successCondition"), holds("/failureCondition")) {
        (_, Some(true)) | (Some(false), None) => "Failed",
        (Some(true) | None, None | Some(false)) => "Successful",
        (Some(false), Some(false)) => "Inconclusive",
    }
}

type Test = (&'static str, fn(f64, f64) -> bool);

/// The end of a condition, an operator and a number, is what this world understands.
fn compares(condition: &str, value: &str) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let tests: [Test; 4] = [
        (">=", |a, b| a >= b),
        ("<=", |a, b| a <= b),
        (">", |a, b| a > b),
        ("<", |a, b| a < b),
    ];
    let test = tests.iter().find_map(|(sign, test)| {
        let (_, limit) = condition.rsplit_once(sign)?;
        Some((number(limit)?, test))
    });
    let value = number(value.trim_matches(['[', ']']));
    test.zip(value)
        .is_some_and(|((limit, test), value)| test(value, limit))
}

/// Why a metric is judged before its measurements are over.
fn assessed(metric: &Value, result: &Value) -> Option<(&'static str, String)> {
    let count = |field: &str| int_at(result, &format!("/{field}")).unwrap_or(0);
    let limit = |field: &str, usual| int_at(metric, &format!("/{field}")).unwrap_or(usual);
    for (phase, field, named, bound, usual) in [
        (
            "Error",
            "consecutiveError",
            "consecutiveErrors",
            "consecutiveErrorLimit",
            ERRORS,
        ),
        (
            "Inconclusive",
            "inconclusive",
            "inconclusive",
            "inconclusiveLimit",
            0,
        ),
        ("Failed", "failed", "failed", "failureLimit", 0),
    ] {
        let (found, most) = (count(field), limit(bound, usual));
        if found > most {
            return Some((phase, format!("{named} ({found}) > {bound} ({most})")));
        }
    }
    None
}

/// Of the whole run: it runs while any metric does, and is as good as the worst of them.
fn verdict(metrics: &[Value], results: &[Value], terminated: bool) -> (&'static str, String) {
    const WORST: [&str; 4] = ["Error", "Failed", "Inconclusive", "Successful"];
    let stopped = || {
        if terminated {
            "Run Terminated".into()
        } else {
            String::new()
        }
    };
    let of = |phase: &str| results.iter().position(|result| result["phase"] == *phase);
    let worst = WORST.iter().find_map(|phase| Some((*phase, of(phase)?)));
    let bad = worst.filter(|(phase, _)| matches!(*phase, "Error" | "Failed"));
    if of("Running").is_some() && bad.is_none() {
        return ("Running", String::new());
    }
    let Some((phase, at)) = worst else {
        return ("Successful", stopped());
    };
    let why = metrics
        .get(at)
        .and_then(|metric| assessed(metric, &results[at]));
    let message = why.map_or_else(stopped, |(_, why)| {
        let name = text_at(&results[at], "/name");
        format!("Metric \"{name}\" assessed {phase} due to {why}")
    });
    (phase, message)
}

fn status(run: &Value, (phase, message): (&str, &str), results: &[Value], now: Timestamp) -> Value {
    let started = match text_at(run, "/status/startedAt") {
        "" => stamp(now),
        at => at.to_owned(),
    };
    let all = results.len();
    let ended = |phase: &str| results.iter().filter(|r| r["phase"] == *phase).count();
    let mut summary = json!({"count": all});
    for (field, phase) in [
        ("successful", "Successful"),
        ("failed", "Failed"),
        ("inconclusive", "Inconclusive"),
        ("error", "Error"),
    ] {
        if ended(phase) > 0 {
            summary[field] = ended(phase).into();
        }
    }
    let mut status = json!({
        "phase": phase, "startedAt": started, "metricResults": results,
        "runSummary": summary, "dryRunSummary": {},
    });
    if !message.is_empty() {
        status["message"] = message.into();
    }
    if is_over(phase) {
        status["completedAt"] = stamp(now).into();
    }
    status
}
