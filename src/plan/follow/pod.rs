//! One pod that was taken away: it is gone, and what took its place serves.

use jiff::Timestamp;

use super::{Follow, Goal, accepted, failed, ready_long, ready_words, step};
use crate::domain::standing::broken;
use crate::domain::{Fleet, Kind, Pod, Uid, Workload};
use crate::text;

/// The pod that an action takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    pub name: Box<str>,
    pub uid: Uid,
    pub node: Option<Box<str>>,
    /// The pods beside it when it was taken: none of them is its successor.
    pub others: Box<[Uid]>,
}

pub(super) fn follow(
    fleet: &Fleet,
    workload: &Workload,
    (goal, gone): (&Goal, &Gone),
    now: Timestamp,
) -> Follow {
    let pods = fleet.pods(workload);
    let is_there = pods.iter().any(|pod| pod.uid == gone.uid);
    let new = |pod: &&&Pod| {
        let old = pod.uid == gone.uid || gone.others.contains(&pod.uid);
        !old && !pod.terminating && !pod.ended() && in_place(workload, gone, pod)
    };
    let successor = pods.iter().filter(new).max_by_key(|pod| pod.ready).copied();
    let left = step(
        !is_there && !pods.is_empty(),
        format!("{} is gone", gone.name),
    );
    let Some(successor) = successor else {
        return without(workload, &pods, gone, is_there);
    };
    if let Some(why) = broken(successor, now) {
        return failed(&format!(
            "{}, made anew, fails: {}",
            successor.name, why.text
        ));
    }
    let stable = successor.ready && ready_long(successor, goal, now);
    if stable && !is_there {
        let seconds = now.duration_since(goal.accepted).as_secs().max(0);
        let seconds = text::duration(seconds.unsigned_abs());
        return Follow::Done(format!(
            "verified: {} took the place of {}, ready for {}s, {seconds} in all",
            successor.name, gone.name, goal.ready_for
        ));
    }
    let ready: &[&Pod] = if successor.ready { &[successor] } else { &[] };
    Follow::Pending(vec![
        accepted(),
        left,
        step(
            successor.ready,
            format!("{}, made anew, is ready", successor.name),
        ),
        step(stable, ready_words(ready, stable, goal, now)),
    ])
}

/// Nothing took its place: that is the end where enough others serve, as while a scale goes down.
fn without(workload: &Workload, pods: &[&Pod], gone: &Gone, is_there: bool) -> Follow {
    let serving = pods
        .iter()
        .filter(|pod| pod.ready && !pod.terminating)
        .count();
    let wanted = usize::try_from(workload.desired).unwrap_or(usize::MAX);
    if !is_there && !pods.is_empty() && serving >= wanted {
        return Follow::Done(format!(
            "verified: {} is gone, and {serving} of {wanted} serve without it",
            gone.name
        ));
    }
    let left = step(
        !is_there && !pods.is_empty(),
        format!("{} is gone", gone.name),
    );
    Follow::Pending(vec![
        accepted(),
        left,
        step(false, "another takes its place"),
    ])
}

fn in_place(workload: &Workload, gone: &Gone, pod: &Pod) -> bool {
    match workload.id.kind {
        Kind::Deployment | Kind::Rollout => true,
        Kind::StatefulSet => pod.name == gone.name,
        Kind::DaemonSet => gone.node.is_none() || pod.node == gone.node,
    }
}
