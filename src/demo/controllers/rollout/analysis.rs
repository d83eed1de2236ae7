//! The analysis of a step: a run is made for it, and its verdict lets the release go on, waits for a person, or ends it.

use serde_json::{Value, json};

use super::{HASH, INCONCLUSIVE, MANAGER, REVISION, Rollout, STEP_PAUSE, Turn};
use crate::demo::controllers::{Context, pods};
use crate::demo::kube::kind::{ANALYSIS_RUNS, ANALYSIS_TEMPLATES};
use crate::demo::kube::object::{Key, items_at, set, text_at};
use crate::demo::kube::refusal::Refusal;
use crate::demo::kube::write::Write;

/// Names that are tried for one more run of a step.
const TRIES: u32 = 10;

pub fn step(context: &mut Context, rollout: &Rollout, turn: &mut Turn) {
    let current = current(context, rollout);
    let no_more = rollout.is_promoted()
        || rollout.is_aborted()
        || rollout.is_told_all()
        || rollout.stable_hash().is_empty();
    if no_more {
        cancel(context, current.as_ref());
        return;
    }
    if !items_at(rollout.was(), "/pauseConditions").is_empty() {
        turn.run = current.as_ref().map(named);
        return;
    }
    let index = rollout.index().to_string();
    let analysis = rollout.step().and_then(|step| step.get("analysis"));
    let other = |run: &Value| run["metadata"]["labels"]["step-index"] != *index;
    let Some(analysis) = analysis.filter(|_| !current.as_ref().is_some_and(other)) else {
        cancel(context, current.as_ref());
        return;
    };
    let Some(run) = current.filter(|run| !is_used_up(rollout, run)) else {
        turn.run = make(context, rollout, analysis, &index).map(|run| named(&run));
        return;
    };
    judge(&run, turn);
    turn.run = Some(named(&run));
}

/// That the status names.
fn current(context: &Context, rollout: &Rollout) -> Option<Value> {
    let name = text_at(rollout.was(), "/canary/currentStepAnalysisRunStatus/name");
    let key = Key::new(&ANALYSIS_RUNS, &rollout.key.namespace, name);
    context.cluster.store.get(&key).map(|kept| kept.value())
}

/// One that told nothing and that a person went on from: it runs again.
fn is_used_up(rollout: &Rollout, run: &Value) -> bool {
    let goes_on = rollout.controller_paused() && rollout.pause(STEP_PAUSE).is_none();
    goes_on && text_at(run, "/status/phase") == "Inconclusive"
}

fn judge(run: &Value, turn: &mut Turn) {
    match text_at(run, "/status/phase") {
        "Inconclusive" => turn.begins = Some(INCONCLUSIVE),
        "Failed" | "Error" => {
            let message = text_at(run, "/status/message");
            let why = format!("Step-based analysis phase error/failed: {message}");
            turn.aborts = Some(why);
        }
        _ => {}
    }
}

/// As a Rollout's status names it.
fn named(run: &Value) -> Value {
    let phase = text_at(run, "/status/phase");
    let mut named = json!({"name": run["metadata"]["name"], "status": phase});
    let message = text_at(run, "/status/message");
    if !message.is_empty() {
        set(&mut named, &["message"], message.into());
    }
    named
}

/// Its controller ends it as successful.
fn cancel(context: &Context, run: Option<&Value>) {
    let running =
        |run: &&Value| matches!(text_at(run, "/status/phase"), "" | "Pending" | "Running");
    let Some(run) = run.filter(running) else {
        return;
    };
    let key = Key::of(&ANALYSIS_RUNS, run);
    let by = Write::by(MANAGER, context.now());
    // One that is gone runs no more.
    let _ = context.cluster.store.update(&key, &by, |run| {
        set(run, &["spec", "terminate"], true.into());
        Ok(())
    });
}

fn make(context: &Context, rollout: &Rollout, analysis: &Value, index: &str) -> Option<Value> {
    let (hash, number) = (&rollout.current, rollout.revision());
    let mut labels = rollout.spec()["selector"]["matchLabels"].clone();
    for (name, text) in [
        (HASH, hash.as_str()),
        ("rollout-type", "Step"),
        ("step-index", index),
    ] {
        set(&mut labels, &[name], text.into());
    }
    let base = format!("{}-{hash}-{number}-{index}", rollout.key.name);
    let metrics = metrics(context, rollout, analysis);
    let by = Write::by(MANAGER, context.now());
    for again in 0..TRIES {
        let name = match again {
            0 => base.clone(),
            again => format!("{base}.{again}"),
        };
        let run = json!({
            "metadata": {
                "name": name, "namespace": &*rollout.key.namespace, "labels": labels,
                "annotations": {REVISION: number}, "ownerReferences": [pods::reference(&rollout.value)],
            },
            "spec": {"metrics": metrics},
        });
        match context.cluster.store.create(&ANALYSIS_RUNS, run, &by) {
            Ok(kept) => return Some(kept.value()),
            Err(Refusal::AlreadyExists(_)) => {}
            Err(_) => return None,
        }
    }
    None
}

/// Of all templates that the step names.
fn metrics(context: &Context, rollout: &Rollout, analysis: &Value) -> Vec<Value> {
    let mut metrics = Vec::new();
    for named in items_at(analysis, "/templates") {
        let name = text_at(named, "/templateName");
        let key = Key::new(&ANALYSIS_TEMPLATES, &rollout.key.namespace, name);
        let template = context.cluster.store.get(&key).map(|kept| kept.value());
        let template = template.unwrap_or_default();
        metrics.extend(items_at(&template, "/spec/metrics").iter().cloned());
    }
    metrics
}
