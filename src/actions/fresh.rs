//! One fresh read of a workload: what it is now, and who moved it since it was shown.

use jiff::Timestamp;

use super::beside;
use crate::domain::canary::Provider;
use crate::domain::version::version;
use crate::domain::{Canary, Failure, FailureKind, Workload, WorkloadId};
use crate::plan::follow::Turned;
use crate::plan::{Plan, Verb};
use crate::sources::kube::{Cluster, Error, convert, path};

/// Reads it. Costs 10 s at most.
pub async fn read(
    cluster: &Cluster,
    id: &WorkloadId,
) -> Result<(Workload, Option<Timestamp>), Error> {
    let place = path::object(id.kind, &id.namespace, &id.name);
    let answer = cluster.get(&place).await?;
    let raw = text(&answer.body, id)?;
    let mut workload =
        convert::workload(cluster.id(), id.kind, raw).map_err(|error| unusable(id, &error))?;
    if workload.canary.is_none() {
        workload.canary = beside::canary(cluster, id).await?.map(Box::new);
    }
    Ok((workload, answer.server_date))
}

/// What moved since the plan was made, and who moved it; `None` when it is as it was.
pub fn moved(plan: &Plan, now: &Workload) -> Option<String> {
    moved_from(plan, now).map(|words| {
        let live = version(&now.containers, now.version_label.as_deref(), None);
        match words {
            Moved::Recreated => format!("{} was deleted and created again.", now.id),
            Moved::Template => {
                let who = who(now);
                let from = &plan.from.version;
                if *from == live {
                    return format!(
                        "{who} changed the pod template of {}, still {live}.",
                        now.id
                    );
                }
                format!("{who} moved {} from {from} to {live}.", now.id)
            }
            Moved::Paused => format!("{} was {} by somebody else.", now.id, turned(now)),
            Moved::Canary => format!("{} {}.", now.id, canary_words(plan, now)),
            Moved::Held(how) => format!("{} {how} by somebody else.", now.id),
            Moved::Scaled(from) => format!(
                "{} was scaled from {from} to {} by somebody else.",
                now.id, now.desired
            ),
        }
    })
}

/// The same, of what is on the screen.
pub fn moved_since(plan: &Plan, now: &Workload) -> Option<String> {
    moved_from(plan, now).map(|words| match words {
        Moved::Recreated => "it was deleted and created again since you looked".into(),
        Moved::Template => {
            let live = version(&now.containers, now.version_label.as_deref(), None);
            format!("{} moved it to {live} since you looked", who(now))
        }
        Moved::Paused => format!("it was {} since you looked", turned(now)),
        Moved::Canary => format!("since you looked it {}", canary_words(plan, now)),
        Moved::Held(how) => format!("it {how} since you looked"),
        Moved::Scaled(from) => {
            let to = now.desired;
            format!("it was scaled from {from} to {to} since you looked")
        }
    })
}

enum Moved {
    Recreated,
    Template,
    Paused,
    /// To another step, or to its end.
    Canary,
    /// What held it, in words.
    Held(String),
    /// From so many replicas.
    Scaled(u32),
}

fn moved_from(plan: &Plan, now: &Workload) -> Option<Moved> {
    let paused = stood_still(plan);
    if now.uid != plan.uid {
        Some(Moved::Recreated)
    } else if now.template != plan.from.template {
        Some(Moved::Template)
    } else if paused.is_some_and(|paused| paused != now.stands_still()) {
        Some(Moved::Paused)
    } else if plan
        .goal
        .turned
        .as_ref()
        .is_some_and(|turned| !stands(plan, turned, now))
    {
        Some(Moved::Canary)
    } else if let Some(how) = plan.goal.held.and_then(|held| held.moved(now)) {
        Some(Moved::Held(how))
    } else {
        let before = plan.replicas_before();
        let other = before.filter(|before| *before != now.desired);
        other.map(Moved::Scaled)
    }
}

/// Whether it did when it was shown; `None` where that does not matter. What Flagger moves is resumed from more than
/// one thing, and told nothing else while it is suspended.
fn stood_still(plan: &Plan) -> Option<bool> {
    let of_flagger = plan.goal.turned.as_ref().filter(|t| t.phase.is_some());
    of_flagger.map_or_else(
        || plan.request.verb.from_paused(),
        |turned| Some(turned.suspended),
    )
}

/// Who wrote the template that is there now.
fn who(now: &Workload) -> &str {
    let who = now.written_by.as_ref();
    who.map_or("somebody unknown", |(manager, _)| manager)
}

/// The canary waits, or is on its way, where it was shown. To what brings another template only the two revisions
/// matter that share it.
fn stands(plan: &Plan, turned: &Turned, now: &Workload) -> bool {
    let as_far = |canary: &Canary| {
        let phase = canary.flagger.as_ref().map(|flagger| flagger.phase);
        phase == turned.phase
            && (phase.is_some() || canary.step == turned.step)
            && canary.aborted == turned.aborted
            && !let_on(plan, canary)
    };
    now.canary.as_deref().is_some_and(|canary| {
        (&canary.current, &canary.stable) == (&turned.hash, &turned.stable)
            && (!plan.request.verb.keeps_template() || as_far(canary))
    })
}

/// What waited to be promoted waits no more, though its step is the same.
fn let_on(plan: &Plan, canary: &Canary) -> bool {
    let promotes = plan.request.verb == Verb::Promote;
    promotes && canary.provider == Provider::ArgoRollouts && canary.pause.is_none()
}

fn canary_words(plan: &Plan, now: &Workload) -> String {
    let turned = plan.goal.turned.as_ref();
    let aborted = turned.is_some_and(|turned| turned.aborted);
    let step = turned.map(|turned| turned.step);
    match now.canary.as_deref() {
        Some(canary) if canary.aborted => "was aborted by somebody else".into(),
        Some(_) if aborted => "was retried by somebody else".into(),
        Some(canary) if canary.is_promoted() => "was promoted to its end".into(),
        Some(Canary {
            flagger: Some(flagger),
            ..
        }) => format!("went on: its Canary says {} now", flagger.phase.word()),
        Some(canary) if let_on(plan, canary) && step == Some(canary.step) => {
            "was promoted by somebody else".into()
        }
        Some(canary) => format!("went on to step {}", canary.step.saturating_add(1)),
        None => "is no canary any more".into(),
    }
}

fn turned(now: &Workload) -> &'static str {
    if now.stands_still() {
        "paused"
    } else {
        "resumed"
    }
}

/// The body as text; the API server sends UTF-8.
pub fn text<'a>(body: &'a [u8], id: &WorkloadId) -> Result<&'a str, Error> {
    std::str::from_utf8(body).map_err(|error| unusable(id, &error))
}

pub fn unusable(id: &WorkloadId, error: &dyn std::error::Error) -> Error {
    Error::Unusable {
        about: format!("read {id} in {}", id.namespace),
        status: 200,
        message: format!("the answer cannot be read: {error}"),
    }
}

/// A refusal that the person can do something about.
pub fn refused(sentence: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Refused, sentence)
}
