//! Waits until it is a pod's turn to be deleted: until the controller has seen the template, and the pod before is back.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{sleep, timeout};

use super::{fresh, gather};
use crate::domain::revision::same_images;
use crate::domain::standing::broken;
use crate::domain::{Kind, Pod, Truth, Workload};
use crate::plan::{Plan, Runs, Step, When};
use crate::sources::Clock;
use crate::sources::kube::Cluster;

/// A controller that is well sees a change within a second or two.
const SEEN_WITHIN: Duration = Duration::from_secs(30);
/// What a rollout is given by default to make progress.
const READY_WITHIN: Duration = Duration::from_secs(600);
/// A rollout that makes progress may take longer than each of its pods.
const COMPLETE_WITHIN: Duration = Duration::from_secs(1800);
/// Its controller looks at times of its own, and waits for pods.
const PROMOTED_WITHIN: Duration = Duration::from_secs(1800);
const BETWEEN: Duration = Duration::from_millis(500);

pub struct Turn<'a> {
    pub cluster: &'a Cluster,
    pub plan: &'a Plan,
    /// Of the object, as the patch left it.
    pub generation: Option<i64>,
    /// The step that was sent before.
    pub before: Option<&'a Step>,
    pub clock: Clock,
}

type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// What is waited for.
#[derive(Clone, Copy)]
enum Awaited<'a> {
    /// The controller has seen the template.
    Seen,
    /// The pod that this step deleted has a successor that serves.
    Back(&'a Step),
    /// Another workload runs what was written to it.
    Runs(&'a Runs),
    /// The canary of the workload moves no more.
    AtRest,
}

/// What a look at the cluster says.
enum Look {
    Ready,
    NotYet(String),
    Never(String),
}

impl Turn<'_> {
    /// `say` hears what is waited for. The error says why the turn does not come.
    pub async fn wait(&self, when: When, say: Say<'_>) -> Result<(), String> {
        if when == When::Shown {
            return Ok(());
        }
        self.until(Awaited::Seen, SEEN_WITHIN, say).await?;
        match (when, self.before) {
            (When::InTurn, Some(before @ Step::DeletePod { .. })) => {
                self.until(Awaited::Back(before), READY_WITHIN, say).await
            }
            (When::InTurn | When::NotReady | When::Shown, _) => Ok(()),
        }
    }

    /// The same for what is sent once another workload runs what was written to it.
    pub async fn after(&self, runs: &Runs, say: Say<'_>) -> Result<(), String> {
        self.until(Awaited::Runs(runs), COMPLETE_WITHIN, say).await
    }

    /// Until the canary that a step before it promotes is at rest, or the switch is as it was.
    pub async fn at_rest(&self, say: Say<'_>) -> Result<(), String> {
        self.until(Awaited::AtRest, PROMOTED_WITHIN, say).await
    }

    /// Reads again until it is so; what is read again is no write.
    async fn until(&self, what: Awaited<'_>, limit: Duration, say: Say<'_>) -> Result<(), String> {
        let mut last = String::new();
        let waiting = async {
            loop {
                let look = match what {
                    Awaited::Seen => self.seen().await,
                    Awaited::Back(before) => self.is_back(before).await,
                    Awaited::Runs(runs) => runs_it(self.cluster, runs, (self.clock)()).await,
                    Awaited::AtRest => self.is_at_rest().await,
                };
                match look {
                    Look::Ready => return Ok(()),
                    Look::Never(why) => return Err(why),
                    Look::NotYet(why) if why != last => {
                        say(&why);
                        last = why;
                    }
                    Look::NotYet(_) => {}
                }
                sleep(BETWEEN).await;
            }
        };
        let ended = timeout(limit, waiting).await;
        ended.unwrap_or_else(|_| Err(format!("{last} after {}s", limit.as_secs())))
    }

    /// Whether the controller makes pods of the template that was written.
    async fn seen(&self) -> Look {
        let now = match self.read().await {
            Ok(now) => now,
            Err(look) => return look,
        };
        let seen = now.observed_generation >= self.generation.unwrap_or(now.generation);
        let old = &self.plan.from.name;
        let turned = now.id.kind != Kind::StatefulSet || now.update_revision.as_ref() != Some(old);
        if seen && turned {
            Look::Ready
        } else {
            Look::NotYet("the controller has not seen the new template yet".into())
        }
    }

    /// Whether the canary is promoted or given up; nobody else's switch is turned.
    async fn is_at_rest(&self) -> Look {
        let now = match fresh::read(self.cluster, &self.plan.workload).await {
            Ok((now, _)) => now,
            Err(error) => return Look::NotYet(format!("the object cannot be read ({error})")),
        };
        let Some(canary) = now.canary.as_deref().filter(|_| now.uid == self.plan.uid) else {
            return Look::Never(format!("{} is no canary any more", now.id));
        };
        if !canary.promoted_fully {
            return Look::Never("somebody else did it".into());
        }
        if canary.is_partial() && !canary.aborted {
            return Look::NotYet("it is not promoted yet".into());
        }
        Look::Ready
    }

    /// Whether the pod that was deleted before has a successor that serves.
    async fn is_back(&self, before: &Step) -> Look {
        let Step::DeletePod {
            object, uid, node, ..
        } = before
        else {
            return Look::Ready;
        };
        let name = &object.name;
        let now = match self.read().await {
            Ok(now) => now,
            Err(look) => return look,
        };
        let pods = match gather::pods(self.cluster, &now).await {
            Ok(pods) => pods,
            Err(error) => return Look::NotYet(format!("the pods cannot be read ({error})")),
        };
        let in_place = |pod: &&Pod| match now.id.kind {
            Kind::Deployment | Kind::Rollout | Kind::StatefulSet => pod.name == *name,
            Kind::DaemonSet => node.is_none() || pod.node == *node,
        };
        let mut here = pods.iter().filter(in_place);
        match here.find(|pod| pod.uid != *uid && !pod.terminating) {
            Some(pod) if pod.ready => Look::Ready,
            Some(pod) => match broken(pod, (self.clock)()) {
                Some(why) => Look::Never(format!("{}, made anew, fails: {}", pod.name, why.text)),
                None => Look::NotYet(format!("{}, made anew, is not ready yet", pod.name)),
            },
            None => Look::NotYet(format!("{name} is not made anew yet")),
        }
    }

    /// Nothing more is deleted once somebody else took over.
    async fn read(&self) -> Result<Workload, Look> {
        let now = match fresh::read(self.cluster, &self.plan.workload).await {
            Ok((now, _)) => now,
            Err(error) => {
                return Err(Look::NotYet(format!("the object cannot be read ({error})")));
            }
        };
        let noted = now.action.as_deref();
        if now.uid == self.plan.uid && noted.is_some_and(|note| note.id == self.plan.stamp.id) {
            return Ok(now);
        }
        let who = now.written_by.as_ref();
        let who = who.map_or("somebody unknown", |(manager, _)| manager);
        Err(Look::Never(format!("{who} changed {} meanwhile", now.id)))
    }
}

/// Whether all pods of the other workload run what was written to it, and have been ready for long enough.
async fn runs_it(cluster: &Cluster, runs: &Runs, now: Timestamp) -> Look {
    let id = &runs.workload;
    let read = match fresh::read(cluster, id).await {
        Ok((read, _)) => read,
        Err(error) => return Look::NotYet(format!("{id} cannot be read ({error})")),
    };
    if read.uid != runs.uid || !same_images(&read.containers, &runs.containers) {
        return Look::Never(format!("somebody changed {id} meanwhile"));
    }
    if read.paused {
        return Look::Never(format!("{id} was paused"));
    }
    let gave_up = read.condition("Progressing").filter(|c| {
        let seen = read.observed_generation >= read.generation;
        seen && c.status == Truth::False
    });
    if let Some(condition) = gave_up {
        return Look::Never(format!("{id} does not get on: {}", condition.message));
    }
    let pods = match gather::pods(cluster, &read).await {
        Ok(pods) => pods,
        Err(error) => return Look::NotYet(format!("the pods of {id} cannot be read ({error})")),
    };
    let counts = read.counts;
    let all = read.observed_generation >= read.generation
        && [counts.updated, counts.available, counts.total] == [read.desired; 3];
    if !all {
        let mut broken = pods.iter().filter_map(|pod| Some((pod, broken(pod, now)?)));
        return match broken.next() {
            Some((pod, why)) => Look::Never(format!("{} of {id} fails: {}", pod.name, why.text)),
            None => Look::NotYet(format!(
                "{} of {} pods of {id} run it",
                counts.updated.min(counts.available),
                read.desired
            )),
        };
    }
    let long = SignedDuration::from_secs(runs.ready_for.into());
    let mut there = pods.iter().filter(|pod| !pod.terminating && !pod.ended());
    let ready = there.all(|pod| {
        pod.ready_changed
            .is_some_and(|since| now.duration_since(since) >= long)
    });
    if ready {
        Look::Ready
    } else {
        let seconds = runs.ready_for;
        Look::NotYet(format!(
            "all pods of {id} run it, until they are ready for {seconds}s"
        ))
    }
}
