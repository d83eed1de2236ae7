//! A pod, reduced to what explains a rollout.

use jiff::Timestamp;

use super::usage::Bounds;
use super::{Uid, WorkloadId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// The workload whose feed brought it; `owner` says whether it really belongs there.
    pub workload: WorkloadId,
    /// The controller: a ReplicaSet, StatefulSet or DaemonSet.
    pub owner: Uid,
    pub name: Box<str>,
    pub uid: Uid,
    pub created: Timestamp,
    /// `pod-template-hash` or `controller-revision-hash`.
    pub revision: Box<str>,
    pub node: Option<Box<str>>,
    /// `status.phase`.
    pub phase: Box<str>,
    /// `status.reason` and `status.message`: `Evicted`, `NodeLost`, …
    pub reason: Option<(Box<str>, Box<str>)>,
    pub terminating: bool,
    pub ready: bool,
    /// Since when the Ready condition is as it is.
    pub ready_changed: Option<Timestamp>,
    /// `PodScheduled` is false: its reason and message.
    pub unscheduled: Option<(Box<str>, Box<str>)>,
    /// What else keeps it from serving.
    pub hold: Option<Hold>,
    pub containers: Box<[ContainerState]>,
}

/// A condition of the pod that no container's state shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub kind: HoldKind,
    /// `PreemptionByScheduler`, `Infeasible`, …
    pub reason: Box<str>,
    pub message: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldKind {
    /// `DisruptionTarget`: it is about to be preempted, evicted or drained.
    Disruption,
    /// `AllContainersRestarting`: one container's end restarts the whole pod.
    RestartingAll,
    /// `PodResizePending`: the node cannot give it its new resources, now or ever.
    ResizePending,
    /// Its containers are ready, and a readiness gate is not.
    ReadinessGate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerState {
    pub name: Box<str>,
    pub init: bool,
    /// The image the spec asks for.
    pub image: Box<str>,
    /// What runs: usually ends in `@sha256:…`; empty until it was pulled.
    pub image_id: Box<str>,
    pub ready: bool,
    pub restarts: u32,
    pub run: Run,
    /// What it asks for, and what it is held to.
    pub bounds: Bounds,
    /// How the run before this one ended. In a crash loop the cause is here.
    pub last: Option<Box<Ended>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    Waiting { reason: Box<str>, message: Box<str> },
    Running { since: Option<Timestamp> },
    Ended(Box<Ended>),
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub reason: Box<str>,
    pub exit_code: i32,
    pub signal: Option<i32>,
    pub message: Box<str>,
    pub at: Option<Timestamp>,
}

impl Pod {
    pub fn restarts(&self) -> u32 {
        self.containers.iter().map(|c| c.restarts).sum()
    }

    /// The number at the end of the name of a StatefulSet's pod.
    pub fn ordinal(&self) -> Option<u32> {
        self.name.rsplit_once('-')?.1.parse().ok()
    }

    /// It ran to its end, and is no pod that anybody waits for.
    pub fn ended(&self) -> bool {
        matches!(&*self.phase, "Succeeded" | "Failed")
    }

    /// How it is, in the word that kubectl would use.
    pub fn word(&self) -> &str {
        if self.terminating {
            return "Terminating";
        }
        if let Some((reason, _)) = self.reason.as_ref().or(self.unscheduled.as_ref()) {
            return reason;
        }
        let not_ready = self.containers.iter().filter(|c| !c.ready);
        for container in not_ready {
            match &container.run {
                Run::Waiting { reason, .. } if !reason.is_empty() => return reason,
                Run::Ended(ended) if !(container.init && ended.exit_code == 0) => {
                    return &ended.reason;
                }
                Run::Waiting { .. } | Run::Running { .. } | Run::Ended(_) | Run::Unknown => {}
            }
        }
        match &*self.phase {
            _ if self.ready => "ready",
            "Running" => "not ready",
            phase => phase,
        }
    }
}
