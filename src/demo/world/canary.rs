//! A Rollout's status of the past: all of one revision, or a canary that waits or is judged.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Planter;
use super::past::{Rollout, TOOK, counts, nonzero, owner};
use crate::demo::controllers::analysis_run;
use crate::demo::controllers::rollout::{HASH, MANAGER, REVISION, duration, steps_hash};
use crate::demo::kube::kind::{ANALYSIS_RUNS, ANALYSIS_TEMPLATES};
use crate::demo::kube::object::{set, text_at};
use crate::demo::kube::refusal::Refusal;
use crate::demo::kube::write::stamp;
use crate::demo::scenario::{Place, Service, Stuck};

const OLD: SignedDuration = SignedDuration::from_hours(60 * 24);

/// What a canary is at: its phase and message, and what its status has beside them.
struct At {
    phase: &'static str,
    message: &'static str,
    paused: bool,
    rest: Value,
}

impl Planter<'_> {
    /// By which the releases of a service are judged, when it has metrics.
    pub(super) fn analysis_template(
        &mut self,
        namespace: &str,
        service: &Service,
    ) -> Result<(), Refusal> {
        if service.metrics.is_empty() {
            return Ok(());
        }
        let template = json!({"metadata": {"name": service.name, "namespace": namespace},
            "spec": {"metrics": service.metrics}});
        self.put(&ANALYSIS_TEMPLATES, template, "jenkins", self.start - OLD)?;
        Ok(())
    }

    pub(super) fn rollout_status(
        &mut self,
        (service, place): (&Service, &Place),
        value: &Value,
        rollouts: &[Rollout],
        revisions: &[Value],
    ) -> Result<Value, Refusal> {
        let hash = |from_end: usize| {
            let at = revisions.len().checked_sub(from_end + 1);
            at.map_or(Value::Null, |at| {
                revisions[at]["metadata"]["labels"][HASH].clone()
            })
        };
        let counts = counts(service, place);
        let stuck = place.stuck.as_ref();
        let at = match stuck {
            Some(stuck) => self.at_step(service, stuck, (value, &hash(0)))?,
            None => At {
                phase: "Healthy",
                message: "",
                paused: false,
                rest: json!({"canary": {}, "currentStepIndex": service.steps.len()}),
            },
        };
        let newest = revisions
            .last()
            .map_or("", |r| text_at(r, "/metadata/name"));
        let mut status = json!({
            "phase": at.phase, "blueGreen": {}, "selector": format!("app={}", service.name),
            "replicas": counts.new + counts.old, "HPAReplicas": counts.new + counts.old,
            "updatedReplicas": counts.new, "readyReplicas": counts.serving,
            "availableReplicas": counts.serving, "currentPodHash": hash(0),
            "stableRS": hash(usize::from(stuck.is_some())), "currentStepHash": steps_hash(&service.steps),
            "conditions": conditions(rollouts, (newest, stuck.is_some()), at.paused),
        });
        status = nonzero(status, &[]);
        if !at.message.is_empty() {
            status["message"] = at.message.into();
        }
        for (field, part) in at.rest.as_object().into_iter().flatten() {
            status[field] = part.clone();
        }
        Ok(status)
    }

    /// A pause waits since its pods served; an analysis measured since then.
    fn at_step(
        &mut self,
        service: &Service,
        stuck: &Stuck,
        (value, hash): (&Value, &Value),
    ) -> Result<At, Refusal> {
        let index = stuck.step.unwrap_or(0);
        let begun = self.start - SignedDuration::from_secs(stuck.ago.seconds.into()) + TOOK;
        let pause =
            |reason: &str, since: Timestamp| json!([{"reason": reason, "startTime": stamp(since)}]);
        if service.steps[index].get("analysis").is_none() {
            let rest = json!({
                "canary": {}, "currentStepIndex": index, "controllerPause": true,
                "pauseConditions": pause("CanaryPauseStep", begun),
            });
            return Ok(At {
                phase: "Paused",
                message: "CanaryPauseStep",
                paused: true,
                rest,
            });
        }
        let run = self.run(service, (value, hash), (index, begun))?;
        let told = text_at(&run, "/status/phase");
        let mut named = json!({"name": run["metadata"]["name"], "status": told});
        if let Some(message) = run["status"].get("message") {
            named["message"] = message.clone();
        }
        let mut rest = json!({
            "canary": {"currentStepAnalysisRunStatus": named}, "currentStepIndex": index,
        });
        if told != "Inconclusive" {
            return Ok(At {
                phase: "Progressing",
                message: "more replicas need to be updated",
                paused: false,
                rest,
            });
        }
        rest["controllerPause"] = true.into();
        rest["pauseConditions"] = pause("InconclusiveAnalysisRun", begun);
        Ok(At {
            phase: "Paused",
            message: "InconclusiveAnalysisRun",
            paused: true,
            rest,
        })
    }

    /// Plants the run of a step, with what it measured until now.
    fn run(
        &mut self,
        service: &Service,
        (value, hash): (&Value, &Value),
        (index, begun): (usize, Timestamp),
    ) -> Result<Value, Refusal> {
        let number = text_at(
            value,
            &format!("/metadata/annotations/{}", REVISION.replace('/', "~1")),
        );
        let (name, hash) = (&service.name, hash.as_str().unwrap_or_default());
        let run = json!({
            "metadata": {
                "name": format!("{name}-{hash}-{number}-{index}"), "namespace": value["metadata"]["namespace"],
                "labels": {"app": name, HASH: hash, "rollout-type": "Step", "step-index": index.to_string()},
                "annotations": {REVISION: number}, "ownerReferences": [owner(value)],
            },
            "spec": {"metrics": service.metrics},
        });
        let mut run = self.made(&ANALYSIS_RUNS, run, MANAGER, begun)?;
        let image = text_at(value, "/spec/template/spec/containers/0/image");
        let times = self.times(service, begun);
        let status = analysis_run::past(self.cluster, image, &service.metrics, &times);
        set(&mut run, &["status"], status);
        self.cluster.store.plant(&ANALYSIS_RUNS, run.clone());
        Ok(run)
    }

    /// When the metrics were measured: the first says how often.
    fn times(&self, service: &Service, begun: Timestamp) -> Vec<Timestamp> {
        let every = service
            .metrics
            .first()
            .and_then(|m| duration(&m["interval"]));
        let mut times = vec![begun];
        while let Some(next) = every.map(|every| times[times.len() - 1] + every)
            && next <= self.start
        {
            times.push(next);
        }
        times
    }
}

fn conditions(rollouts: &[Rollout], (newest, moves): (&str, bool), paused: bool) -> Value {
    let condition = |kind: &str, (truth, reason, message): (&str, &str, &str), at: Timestamp| {
        json!({"type": kind, "status": truth, "reason": reason, "message": message,
            "lastTransitionTime": stamp(at), "lastUpdateTime": stamp(at)})
    };
    let last = rollouts.last().map_or(Timestamp::UNIX_EPOCH, |r| r.at);
    let began = rollouts.first().map_or(last, |r| r.at) + TOOK;
    let done = format!("ReplicaSet \"{newest}\" has successfully progressed.");
    let going = format!("ReplicaSet \"{newest}\" is progressing.");
    let progressing = match (moves, paused) {
        (false, _) => ("True", "NewReplicaSetAvailable", &*done),
        (true, true) => ("Unknown", "RolloutPaused", "Rollout is paused"),
        (true, false) => ("True", "ReplicaSetUpdated", &*going),
    };
    let truth = |is: bool| if is { "True" } else { "False" };
    let words = if moves {
        "Rollout is not healthy"
    } else {
        "Rollout is healthy"
    };
    let enough = (
        "True",
        "AvailableReason",
        "Rollout has minimum availability",
    );
    let (healthy, complete) = ((truth(!moves), "RolloutHealthy", words), "RolloutCompleted");
    let mut all = vec![
        condition("Available", enough, began),
        condition("Healthy", healthy, last),
        condition("Completed", (truth(!moves), complete, complete), last),
        condition("Progressing", progressing, last + TOOK),
    ];
    if paused {
        let words = ("True", "RolloutPaused", "Rollout is paused");
        all.push(condition("Paused", words, last + TOOK));
    }
    all.into()
}
