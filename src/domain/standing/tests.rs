//! A world that is well or rolling, to be spoiled, and what is said of it; the tables are in the files.

use crate::domain::canary::{Canary, Reported, sample};
use crate::domain::fixture::*;
use crate::domain::pod::{Hold, HoldKind};
use crate::domain::template::CanonicalHash;
use crate::domain::{ActionNote, ContainerState, Counts, Run, Strategy};

use super::*;

mod canary;
mod containers;
mod events;
mod pods;
mod rest;
mod rollout;

/// The parts of an [`Evidence`], to be spoiled.
struct World {
    workload: Workload,
    revisions: Vec<Revision>,
    pods: Vec<Pod>,
    warnings: Vec<Warning>,
}

impl World {
    fn well(kind: Kind) -> Self {
        Self {
            workload: workload(kind),
            revisions: Vec::new(),
            pods: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Two of six are new and none of them serves; five old ones do.
    fn rolling(kind: Kind) -> Self {
        let mut world = Self::well(kind);
        let w = &mut world.workload;
        w.counts = counts(7, 2, 5, 5);
        if kind == Kind::Deployment {
            set(w, "Progressing", Truth::True, "ReplicaSetUpdated");
        } else {
            w.counts.total = 6;
        }
        if kind == Kind::Rollout {
            let progressing = Canary {
                reported: Reported::Progressing,
                pause: None,
                ..sample()
            };
            w.canary = Some(Box::new(progressing));
        }
        if kind == Kind::StatefulSet {
            w.current_revision = Some("checkout-old".into());
        }
        let mut new = revision(kind, 42, "new", IMAGE);
        new.desired = 2;
        let mut old = revision(kind, 41, "old", OLD_IMAGE);
        (old.desired, old.ready, old.available) = (5, 5, 5);
        world.revisions = vec![new, old];
        world
    }

    fn with_pod(mut self, container: ContainerState) -> Self {
        let kind = self.workload.id.kind;
        let suffix = if kind == Kind::StatefulSet {
            "5"
        } else {
            "x2x4k"
        };
        let mut pod = pod(kind, "new", suffix);
        pod.ready = container.ready;
        pod.containers = [container].into();
        self.pods.push(pod);
        self
    }

    fn with(mut self, spoil: impl FnOnce(&mut Self)) -> Self {
        spoil(&mut self);
        self
    }

    fn standing(&self) -> Standing {
        let evidence = Evidence {
            workload: &self.workload,
            serving: None,
            revisions: &self.revisions,
            pods: &self.pods.iter().collect::<Vec<_>>(),
            warnings: &self.warnings.iter().collect::<Vec<_>>(),
        };
        standing(evidence, now())
    }

    fn has(&mut self, kind: &str, status: Truth, reason: &str) {
        set(&mut self.workload, kind, status, reason);
    }

    #[track_caller]
    fn stands(&self, phase: Phase, why: Option<(Reason, &str)>) {
        let standing = self.standing();
        let got = standing.why.as_ref().map(|why| (why.reason, &*why.text));
        assert_eq!((standing.phase, got), (phase, why));
    }

    #[track_caller]
    fn stalls(&self, reason: Reason, text: &str) {
        self.stands(Phase::Stalled, Some((reason, text)));
    }
}

fn counts(total: u32, updated: u32, ready: u32, available: u32) -> Counts {
    Counts {
        total,
        updated,
        ready,
        available,
        terminating: None,
        misscheduled: 0,
    }
}

/// About the pod that [`World::with_pod`] adds.
fn of_pod(reason: &str, message: &str) -> Warning {
    warning("Pod", "checkout-new-x2x4k", "p-new-x2x4k", reason, message)
}

fn set(workload: &mut Workload, kind: &str, status: Truth, reason: &str) {
    let mut conditions = std::mem::take(&mut workload.conditions).into_vec();
    conditions.retain(|c| &*c.kind != kind);
    conditions.push(condition(kind, status, reason));
    workload.conditions = conditions.into();
}

fn note(verb: &str) -> Box<ActionNote> {
    Box::new(ActionNote {
        id: "1".into(),
        verb: verb.into(),
        from: "checkout-bad".into(),
        from_version: "2.16.0".into(),
        to: CanonicalHash("h".into()),
        by: "oncall@bastion".into(),
        at: ago(100),
        replicas: None,
    })
}

fn waits(reason: &str, message: &str) -> ContainerState {
    container(waiting(reason, message))
}

fn loops(reason: &str, code: i32, message: &str, restarts: u32) -> ContainerState {
    ContainerState {
        restarts,
        bounds: crate::domain::usage::Bounds::default(),
        last: Some(ended(reason, code, message).into()),
        ..waits(
            "CrashLoopBackOff",
            "back-off 5m0s restarting failed container",
        )
    }
}

const ROLLING: Phase = Phase::Rolling;
