//! Flagger: its Canary as what is said of the workload that it is about.

use jiff::SignedDuration;
use serde_json::Error;

use super::super::convert::{MESSAGE, REASON, capped, count, required};
use super::super::wire;
use crate::domain::canary::flagger::{Flagger, Gate, Holds, Phase, Weighed};
use crate::domain::canary::{
    Analysis, Canary, Metric, Pause, PausedBy, Provider, Reported, Step, Verdict,
};
use crate::domain::pair::route::RouteKind;
use crate::domain::{ClusterId, Kind, WorkloadId};

#[cfg(test)]
mod tests;

/// What a metric, and so many checks before any traffic, are when the spec does not say.
const CHECKS: i64 = 10;
const INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// It never looks more often.
const SHORTEST: SignedDuration = SignedDuration::from_secs(10);

/// `None` when it is about a kind that is not followed.
///
/// # Errors
/// When the object has no name or uid, or a field of another type.
pub fn canary(cluster: &ClusterId, raw: &str) -> Result<Option<(WorkloadId, Canary)>, Error> {
    let object: wire::Canary<'_> = serde_json::from_str(raw)?;
    let (meta, target) = (&object.metadata, &object.spec.target_ref);
    let kind = match &*target.kind {
        "Deployment" => Kind::Deployment,
        "DaemonSet" => Kind::DaemonSet,
        _ => return Ok(None),
    };
    let of = WorkloadId {
        cluster: cluster.clone(),
        namespace: meta.namespace[..].into(),
        kind,
        name: target.name[..].into(),
    };
    let name = required(&meta.name, "name")?;
    let uid = required(&meta.uid, "uid")?;
    Ok(Some((of, of_object(&object, name, uid))))
}

fn of_object(object: &wire::Canary<'_>, name: &str, uid: &str) -> Canary {
    let (spec, status) = (&object.spec, &object.status);
    let none = wire::CanaryAnalysis::default();
    let newer = spec.analysis.as_ref().or(spec.canary_analysis.as_ref());
    let analysis = newer.unwrap_or(&none);
    let phase = phase(&status.phase);
    let said = status.conditions.first();
    let steps = steps(analysis, &spec.provider);
    let weighted = !steps.contains(&Step::Check);
    let (set, routed) = weight(status, phase, &steps);
    let flagger = Flagger {
        name: name.into(),
        uid: uid.into(),
        phase,
        failed: count(status.failed_checks),
        threshold: count(analysis.threshold).max(1),
        began: said
            .filter(|_| phase.is_under_way())
            .and_then(|said| said.last_transition_time),
        interval: interval(&analysis.interval),
        weighted,
        matched: !analysis.r#match.is_empty(),
        weighed: weighed(spec).filter(|_| analysis.r#match.is_empty()),
        gates: analysis.webhooks.iter().filter_map(gate).collect(),
        suspend: spec.suspend,
        skip_analysis: spec.skip_analysis,
    };
    // Once the old template is back, nobody asks for what failed.
    let resolved = status.last_applied_spec == status.last_promoted_spec;
    Canary {
        provider: Provider::Flagger,
        reported: reported(phase, resolved),
        message: capped(said.map_or("", |said| &said.message), MESSAGE),
        stable: status.last_promoted_spec[..].into(),
        current: status.last_applied_spec[..].into(),
        set,
        routed,
        whole: 100,
        step: step(status, phase, &steps),
        pause: pause(&flagger, said),
        aborted: phase == Phase::Failed && !resolved,
        aborted_at: said
            .filter(|_| phase == Phase::Failed)
            .and_then(|said| said.last_update_time),
        abort_is_written: false,
        promoted_fully: flagger.is_unchecked(),
        analyses: judged(name, analysis, &flagger),
        template_of: None,
        stable_in: Some(format!("{}-primary", &*object.spec.target_ref.name).into()),
        steps,
        flagger: Some(Box::new(flagger)),
        pair: None,
        restart: None,
        rollback_window: 0,
    }
}

fn phase(word: &str) -> Phase {
    let known = Phase::ALL.into_iter().find(|phase| phase.word() == word);
    known.unwrap_or(Phase::Other)
}

fn reported(phase: Phase, resolved: bool) -> Reported {
    match phase {
        Phase::Initialized | Phase::Succeeded => Reported::Healthy,
        Phase::Failed if resolved => Reported::Healthy,
        Phase::Failed => Reported::Degraded,
        Phase::Waiting | Phase::WaitingPromotion => Reported::Paused,
        Phase::Progressing | Phase::Promoting | Phase::Finalising => Reported::Progressing,
        Phase::Initializing | Phase::Terminating | Phase::Other => Reported::Nothing,
    }
}

/// By weights, or by so many checks: without a router it does nothing else.
fn steps(analysis: &wire::CanaryAnalysis<'_>, provider: &str) -> Box<[Step]> {
    let checks = match count(analysis.iterations) {
        0 if provider == "kubernetes" => count(Some(CHECKS)),
        given => given,
    };
    if checks > 0 {
        return (0..checks.min(1000)).map(|_| Step::Check).collect();
    }
    let given = analysis.step_weights.iter();
    let given = given.map(|weight| Step::Weight(count(Some(*weight)).min(100)));
    if !analysis.step_weights.is_empty() {
        return given.collect();
    }
    let most = match count(analysis.max_weight) {
        0 => 100,
        most => most.min(100),
    };
    let by = count(analysis.step_weight).clamp(1, 100);
    let whole = (1..).map(|n| (n * by).min(most));
    let below = whole.clone().take_while(|weight| *weight < most);
    below.chain([most]).map(Step::Weight).collect()
}

/// Its Services are called after its own, else after its target; so is its route.
fn weighed(spec: &wire::CanarySpec<'_>) -> Option<Weighed> {
    let apex = match &*spec.service.name {
        "" => &spec.target_ref.name,
        name => name,
    };
    let (kind, name) = match &*spec.provider {
        "nginx" => (
            RouteKind::Ingress,
            format!("{}-canary", &*spec.ingress_ref.name),
        ),
        provider if provider.starts_with("gatewayapi:") => (RouteKind::HttpRoute, apex.to_owned()),
        _ => return None,
    };
    Some(Weighed {
        kind,
        name: name.into(),
        canary: format!("{apex}-canary").into(),
        stable: format!("{apex}-primary").into(),
        taken: None,
    })
}

/// What the canary is to get, and gets as the controller wrote it. In the later phases its status says none of it, whatever the
/// router still does.
fn weight(status: &wire::CanaryStatus<'_>, phase: Phase, steps: &[Step]) -> (u32, Option<u32>) {
    let last = steps.last();
    if matches!(last, Some(Step::Check) | None) {
        return (0, None);
    }
    match (phase, last) {
        (Phase::Progressing, _) => {
            let weight = count(status.canary_weight).min(100);
            (weight, Some(weight))
        }
        (Phase::WaitingPromotion, Some(Step::Weight(most))) => (*most, None),
        (Phase::Promoting | Phase::Finalising, _) => (0, None),
        _ => (0, Some(0)),
    }
}

/// How many are done. Before a promotion it counts past the last.
fn step(status: &wire::CanaryStatus<'_>, phase: Phase, steps: &[Step]) -> u32 {
    let all = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    match (phase, steps.first()) {
        (Phase::WaitingPromotion, _) => all.saturating_sub(1),
        (Phase::Promoting | Phase::Finalising | Phase::Succeeded, _) => all,
        (_, Some(Step::Check)) => count(status.iterations).min(all.saturating_sub(1)),
        _ => {
            let has = count(status.canary_weight);
            let reached = |step: &&Step| matches!(step, Step::Weight(weight) if *weight <= has);
            let reached = steps.iter().filter(reached).count();
            u32::try_from(reached.saturating_sub(1)).unwrap_or(u32::MAX)
        }
    }
}

fn interval(text: &str) -> u32 {
    let given: Option<SignedDuration> = text.parse().ok();
    let takes = given.unwrap_or(INTERVAL).max(SHORTEST);
    u32::try_from(takes.as_secs()).unwrap_or(u32::MAX)
}

fn pause(flagger: &Flagger, said: Option<&wire::Promoted<'_>>) -> Option<Pause> {
    let by = match flagger.phase {
        _ if flagger.suspended() => PausedBy::Hand,
        Phase::Waiting | Phase::WaitingPromotion => PausedBy::Gate,
        _ => return None,
    };
    // The condition was last written when the phase came, and not when it was suspended.
    let here = said.filter(|said| by == PausedBy::Gate && *said.reason == *flagger.phase.word());
    Some(Pause {
        by,
        since: here.and_then(|said| said.last_update_time),
        until: None,
    })
}

fn gate(hook: &wire::Webhook<'_>) -> Option<Gate> {
    let holds = match &*hook.r#type {
        "confirm-rollout" => Holds::Rollout,
        "confirm-traffic-increase" => Holds::TrafficIncrease,
        "confirm-promotion" => Holds::Promotion,
        "rollback" => Holds::Rollback,
        _ => return None,
    };
    Some(Gate {
        holds,
        name: capped(&hook.name, REASON),
        url: capped(&bare(&hook.url), REASON),
    })
}

/// Without a password and without a query, which may be a token.
fn bare(url: &str) -> String {
    let place = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = place.split_once("://") else {
        return place.to_owned();
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}/{path}")
}

/// The metrics of the spec. What they measured stands in no status, only in its events; and once it has passed, not even
/// whether anything was measured.
fn judged(name: &str, analysis: &wire::CanaryAnalysis<'_>, flagger: &Flagger) -> Box<[Analysis]> {
    let phase = flagger.phase;
    if analysis.metrics.is_empty() || phase.is_at_rest() || phase.is_past_analysis() {
        return [].into();
    }
    let verdict = match phase {
        Phase::Progressing | Phase::WaitingPromotion => Verdict::Running,
        Phase::Failed => Verdict::Failed,
        _ => Verdict::Pending,
    };
    let metric = |metric: &wire::CanaryMetric<'_>| Metric {
        name: capped(&metric.name, REASON),
        verdict,
        value: "".into(),
        limit: limit(metric).into(),
        samples: 0,
        failed: 0,
    };
    let message = match flagger.failed {
        0 => String::new(),
        failed => format!(
            "{} of {} failed checks",
            failed.min(flagger.threshold),
            flagger.threshold
        ),
    };
    [Analysis {
        name: name.into(),
        verdict,
        message: message.into(),
        created: None,
        metrics: analysis.metrics.iter().map(metric).collect(),
    }]
    .into()
}

fn limit(metric: &wire::CanaryMetric<'_>) -> String {
    let range = metric.threshold_range.as_ref();
    let (min, max) = (range.and_then(|r| r.min), range.and_then(|r| r.max));
    match (min, max, metric.threshold) {
        (Some(min), Some(max), _) => format!("{min} to {max}"),
        (Some(min), None, _) => format!(">= {min}"),
        // Of the two built-in metrics one is a share that has to be higher, the other a time that must not be.
        (None, None, Some(min)) if &*metric.name == "request-success-rate" => format!(">= {min}"),
        (None, Some(max), _) | (None, None, Some(max)) => format!("<= {max}"),
        (None, None, None) => String::new(),
    }
}
