//! Argo Rollouts: a Rollout as a workload, and the analysis runs that judge it.

use jiff::SignedDuration;
use serde_json::Error;

use super::super::convert::{self, MESSAGE, REASON, capped, condition, count, required};
use super::super::wire;
use crate::domain::canary::{
    Analysis, Canary, Metric, Pause, PausedBy, Provider, Reported, Restart, Step, Verdict,
};
use crate::domain::{ClusterId, Counts, Kind, Strategy, Uid, Workload, WorkloadId};

/// # Errors
/// When the object has no name, uid or creation time, neither a pod template nor a workload that it takes one from, or
/// a field of another type.
pub fn rollout(cluster: &ClusterId, raw: &str) -> Result<Workload, Error> {
    let object: wire::Rollout<'_> = serde_json::from_str(raw)?;
    let (meta, spec, status) = (&object.metadata, &object.spec, &object.status);
    // Another's template is not repeated here: its revisions tell what it runs.
    let raw_template = match (spec.template, &spec.workload_ref) {
        (_, Some(_)) => "{}",
        (Some(template), None) => template.get(),
        (None, None) => return Err(convert::missing("spec.template")),
    };
    let bare = convert::bare_workload(cluster, Kind::Rollout, meta, raw_template)?;
    let revision = meta.annotations.rollout_revision.as_ref();
    Ok(Workload {
        observed_generation: observed(bare.generation, &status.observed_generation),
        selector: selector(spec, status)?,
        desired: count(Some(spec.replicas.unwrap_or(1))),
        counts: counts(status),
        conditions: status.conditions.iter().map(condition).collect(),
        paused: spec.paused,
        strategy: strategy(spec),
        deadline_seconds: spec.progress_deadline_seconds.map(|n| count(Some(n))),
        min_ready_seconds: count(spec.min_ready_seconds),
        history_limit: spec.revision_history_limit.map(|n| count(Some(n))),
        revision: revision.and_then(|n| n.parse().ok()),
        canary: Some(Box::new(canary(&object))),
        ..bare
    })
}

/// What is not a number is a hash of the versions before 1.0; one above the generation is of an object that was restored.
/// Both count as seen.
fn observed(generation: i64, text: &str) -> i64 {
    match text.parse() {
        _ if text.is_empty() => 0,
        Ok(observed) if observed <= generation => observed,
        Ok(_) | Err(_) => generation,
    }
}

/// That of the workload whose template it runs stands only in the status; a blue-green one narrows it to one side.
fn selector(
    spec: &wire::RolloutSpec<'_>,
    status: &wire::RolloutStatus<'_>,
) -> Result<Box<str>, Error> {
    if let Some(own) = &spec.selector {
        return convert::selector(own);
    }
    let text = &*status.selector;
    let wide = text.split_once(",rollouts-pod-template-hash=");
    Ok(wide.map_or(text, |(wide, _)| wide).into())
}

fn counts(status: &wire::RolloutStatus<'_>) -> Counts {
    Counts {
        total: count(status.replicas),
        updated: count(status.updated_replicas),
        ready: count(status.ready_replicas),
        available: count(status.available_replicas),
        terminating: None,
        misscheduled: 0,
    }
}

fn strategy(spec: &wire::RolloutSpec<'_>) -> Strategy {
    match &spec.strategy.canary {
        Some(canary) => Strategy::Rolling {
            max_unavailable: convert::amount(canary.max_unavailable.as_ref()),
            max_surge: convert::amount(canary.max_surge.as_ref()),
            partition: 0,
            ordered: false,
        },
        None => Strategy::Other("blue-green".into()),
    }
}

fn canary(object: &wire::Rollout<'_>) -> Canary {
    let (spec, status) = (&object.spec, &object.status);
    let strategy = spec.strategy.canary.as_ref();
    let steps: Box<[Step]> = strategy.iter().flat_map(|c| &c.steps).map(step).collect();
    let at = count(status.current_step_index);
    let router = strategy.and_then(|c| c.traffic_routing.as_ref());
    let whole = router
        .and_then(|r| r.max_traffic_weight)
        .map_or(100, |n| count(Some(n)));
    let runs = [
        &status.canary.current_step_analysis_run_status,
        &status.canary.current_background_analysis_run_status,
        &status.blue_green.pre_promotion_analysis_run_status,
        &status.blue_green.post_promotion_analysis_run_status,
    ];
    let (reported, message) = reported(object);
    let aborted = status.abort.unwrap_or(false);
    Canary {
        provider: Provider::ArgoRollouts,
        reported,
        message: capped(message, MESSAGE),
        stable: status.stable_rs[..].into(),
        current: status.current_pod_hash[..].into(),
        set: if strategy.is_some() {
            set_weight(&steps, at, whole, aborted)
        } else {
            0
        },
        routed: routed(spec, status, whole),
        whole,
        step: at,
        pause: pause(spec, status, &steps, at),
        steps,
        aborted,
        aborted_at: status.aborted_at,
        abort_is_written: status.abort.is_some(),
        promoted_fully: status.promote_full,
        analyses: runs.into_iter().flatten().map(named_run).collect(),
        template_of: spec
            .workload_ref
            .as_ref()
            .map(|of| capped(&format!("{} {}", &*of.kind, &*of.name), REASON)),
        stable_in: None,
        flagger: None,
        pair: None,
        restart: spec.restart_at.map(|at| Restart {
            at,
            done: status.restarted_at == Some(at),
        }),
        rollback_window: count(spec.rollback_window.as_ref().and_then(|w| w.revisions)),
    }
}

/// By its router; of two sides one has it all.
fn routed(
    spec: &wire::RolloutSpec<'_>,
    status: &wire::RolloutStatus<'_>,
    whole: u32,
) -> Option<u32> {
    let active = &status.blue_green.active_selector;
    if spec.strategy.blue_green.is_some() && !active.is_empty() {
        let switched = *active == status.current_pod_hash;
        return Some(if switched { whole } else { 0 });
    }
    let weights = status.canary.weights.as_ref()?;
    weights.canary.weight.map(|weight| count(Some(weight)))
}

/// The order in which the controller's own client decides. That the generation is not seen yet is told elsewhere.
fn reported<'a>(object: &'a wire::Rollout<'_>) -> (Reported, &'a str) {
    let (meta, status) = (&object.metadata, &object.status);
    if status.controller_pause && status.pause_conditions.is_empty() {
        return (Reported::Progressing, "waiting for rollout to unpause");
    }
    let wanted = meta.annotations.workload_generation.as_deref();
    let borrows = object.spec.workload_ref.is_some();
    if borrows && wanted.is_some_and(|wanted| *wanted != *status.workload_observed_generation) {
        return (
            Reported::Progressing,
            "waiting for the workload whose template it runs",
        );
    }
    let phase = match &*status.phase {
        "Healthy" => Reported::Healthy,
        "Degraded" => Reported::Degraded,
        "Progressing" => Reported::Progressing,
        "Paused" => Reported::Paused,
        _ => Reported::Nothing,
    };
    (phase, &status.message)
}

fn step(wire: &wire::RolloutStep<'_>) -> Step {
    let others = [
        (&wire.set_canary_scale, "setCanaryScale"),
        (&wire.set_header_route, "setHeaderRoute"),
        (&wire.set_mirror_route, "setMirrorRoute"),
        (&wire.plugin, "plugin"),
    ];
    if let Some(weight) = wire.set_weight {
        Step::Weight(count(Some(weight)))
    } else if let Some(pause) = &wire.pause {
        Step::Pause(pause.duration.as_ref().and_then(duration))
    } else if wire.analysis.is_some() {
        Step::Analysis
    } else if wire.experiment.is_some() {
        Step::Experiment
    } else {
        let other = others.into_iter().find(|(there, _)| there.is_some());
        Step::Other(other.map_or("unknown", |(_, name)| name))
    }
}

/// Seconds, as a number or in digits, or Go's way: `1h30m`.
fn duration(wire: &wire::IntOrText<'_>) -> Option<SignedDuration> {
    match wire {
        wire::IntOrText::Int(seconds) => Some(SignedDuration::from_secs(*seconds)),
        wire::IntOrText::Text(text) => match text.parse() {
            Ok(seconds) => Some(SignedDuration::from_secs(seconds)),
            Err(_) => text.parse().ok(),
        },
    }
}

/// What the nearest weight at or before the step says; all of it when the steps are done or there are none.
fn set_weight(steps: &[Step], at: u32, whole: u32, aborted: bool) -> u32 {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    if aborted {
        return 0;
    }
    if at >= steps.len() {
        return whole;
    }
    let weights = steps[..=at].iter().rev().filter_map(|step| match step {
        Step::Weight(weight) => Some(*weight),
        _ => None,
    });
    weights.into_iter().next().unwrap_or(0)
}

/// A pause by hand hides that of a step, so it is told first.
fn pause(
    spec: &wire::RolloutSpec<'_>,
    status: &wire::RolloutStatus<'_>,
    steps: &[Step],
    at: u32,
) -> Option<Pause> {
    if spec.paused {
        let (by, since, until) = (PausedBy::Hand, None, None);
        return Some(Pause { by, since, until });
    }
    let by = |reason: &str| match reason {
        "CanaryPauseStep" => PausedBy::Step,
        "BlueGreenPause" => PausedBy::BlueGreen,
        "InconclusiveAnalysisRun" | "InconclusiveExperiment" => PausedBy::Inconclusive,
        _ => PausedBy::Other,
    };
    let mut conditions = status.pause_conditions.iter();
    // An analysis beside the steps may pause it in the middle of another pause, whose time does not count then.
    let unsure = conditions.find(|one| by(&one.reason) == PausedBy::Inconclusive);
    let condition = unsure.or(status.pause_conditions.first())?;
    let by = by(&condition.reason);
    let lasts = match by {
        PausedBy::Step => match steps.get(usize::try_from(at).unwrap_or(usize::MAX)) {
            Some(Step::Pause(lasts)) => *lasts,
            _ => None,
        },
        PausedBy::BlueGreen => {
            let strategy = spec.strategy.blue_green.as_ref();
            let seconds = strategy
                .and_then(|s| s.auto_promotion_seconds)
                .filter(|s| *s > 0);
            seconds.map(SignedDuration::from_secs)
        }
        PausedBy::Inconclusive | PausedBy::Gate | PausedBy::Hand | PausedBy::Other => None,
    };
    let since = condition.start_time;
    let until = since
        .zip(lasts)
        .and_then(|(since, lasts)| since.checked_add(lasts).ok());
    Some(Pause { by, since, until })
}

fn named_run(run: &wire::RunStatus<'_>) -> Analysis {
    Analysis {
        name: capped(&run.name, REASON),
        verdict: verdict(&run.status),
        message: capped(&run.message, MESSAGE),
        created: None,
        metrics: Box::default(),
    }
}

/// `None` when another rollout's template has the same hash.
///
/// # Errors
/// When it cannot be read, or has no name.
pub fn analysis(owner: &WorkloadId, raw: &str) -> Result<Option<(Uid, Analysis)>, Error> {
    let run: wire::AnalysisRun<'_> = serde_json::from_str(raw)?;
    let meta = &run.metadata;
    let ours = |by: &&wire::Owner<'_>| *by.kind == *owner.kind.name() && *by.name == *owner.name;
    if !meta.controller().as_ref().is_some_and(ours) {
        return Ok(None);
    }
    let metric = |result: &wire::MetricResult<'_>| {
        let spec = run
            .spec
            .metrics
            .iter()
            .find(|metric| *metric.name == *result.name);
        measured(spec, result)
    };
    let analysis = Analysis {
        name: required(&meta.name, "name")?.into(),
        verdict: verdict(&run.status.phase),
        message: capped(&run.status.message, MESSAGE),
        created: meta.creation_timestamp,
        metrics: run.status.metric_results.iter().map(metric).collect(),
    };
    Ok(Some((meta.uid[..].into(), analysis)))
}

/// Those that end in an error are in no count and have no value.
fn measured(spec: Option<&wire::Metric<'_>>, result: &wire::MetricResult<'_>) -> Metric {
    let limit = spec.map_or(String::new(), |spec| {
        match (&*spec.success_condition, &*spec.failure_condition) {
            ("", "") => String::new(),
            ("", failure) => format!("not {failure}"),
            (success, _) => success.to_owned(),
        }
    });
    let values = result.measurements.iter().rev();
    let mut values = values.map(|m| &*m.value).filter(|value| !value.is_empty());
    Metric {
        name: capped(&result.name, REASON),
        verdict: verdict(&result.phase),
        value: capped(values.next().unwrap_or_default(), REASON),
        limit: capped(&limit, REASON),
        samples: count(result.count).saturating_add(count(result.error)),
        failed: count(result.failed).saturating_add(count(result.error)),
    }
}

/// The place of the step that a run judges; `None` of one beside the steps.
pub fn step_of(raw: &str) -> Option<u32> {
    let object: wire::Object<'_> = serde_json::from_str(raw).ok()?;
    object.metadata.labels.get("step-index")?.parse().ok()
}

fn verdict(phase: &str) -> Verdict {
    match phase {
        "Running" => Verdict::Running,
        "Successful" => Verdict::Successful,
        "Failed" => Verdict::Failed,
        "Error" => Verdict::Error,
        "Inconclusive" => Verdict::Inconclusive,
        _ => Verdict::Pending,
    }
}

#[cfg(test)]
mod tests;
