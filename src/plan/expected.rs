//! How long an action may take, from the service's own past; nothing where that does not tell.

use crate::domain::{Kind, Pod, Strategy, Workload};
use crate::text;

use super::meanwhile::limits;
use super::{Evidence, Plan, Verb};

/// So many of the last actions on record count: what took long a year ago may not today.
const LAST: usize = 5;

/// An action of the release record that ended verified, on the same workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    pub verb: Verb,
    /// From the moment the server accepted it until it was verified.
    pub seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Until it is verified.
    pub seconds: u32,
    pub from: Past,
}

/// What an expectation rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// The median of so many actions on the release record of this machine.
    Record(usize),
    /// The median time from the creation of so many of its pods until they were ready, for as many pods one after
    /// another as the strategy makes of the whole, and the time that they must be ready for.
    Pods(usize),
}

impl Expected {
    /// `about 40s, by its last 3 on record`.
    pub fn words(&self) -> String {
        let about = self.about();
        match self.from {
            Past::Record(1) => format!("{about}, as the last on record"),
            Past::Record(n) => format!("{about}, by the last {n} on record"),
            Past::Pods(1) => format!("{about}, by how its pod started"),
            Past::Pods(n) => format!("{about}, by how {n} of its pods started"),
        }
    }

    /// `about 40s`.
    pub fn about(&self) -> String {
        format!("about {}", text::duration(u64::from(self.seconds)))
    }
}

/// What the record says of the plan's verb, else what the pods of its target, or else of the workload, say.
pub fn of(evidence: &Evidence, plan: &Plan) -> Option<Expected> {
    let workload = &evidence.workload;
    let revisions = || evidence.revisions.iter().map(|fresh| &fresh.revision);
    let target = revisions().find(|revision| revision.name == plan.to.name);
    let to_make = match evidence.request.verb {
        Verb::Rollback => {
            let serving = target.map_or(0, |target| target.serving(&evidence.pods));
            workload.desired.saturating_sub(serving)
        }
        Verb::Restart | Verb::SetImage | Verb::PromoteImage | Verb::HelmRollback => {
            workload.desired
        }
        Verb::Resume if workload.controlled().is_some() => return None,
        Verb::Resume => workload.desired.saturating_sub(workload.counts.updated),
        // Nothing moves, or another number of pods every time.
        Verb::Pause
        | Verb::Scale
        | Verb::ResumeSync
        | Verb::DeletePod
        | Verb::Promote
        | Verb::PromoteFull
        | Verb::Abort
        | Verb::SetWeight
        | Verb::Retry => return None,
    };
    let own = evidence.pods.iter().filter(|pod| {
        pod.owner == workload.uid || revisions().any(|revision| revision.uid == pod.owner)
    });
    let of_target = |pod: &&Pod| target.is_some_and(|target| target.pod_hash == pod.revision);
    let ready_for = evidence.ready_for;
    let by_record = from_record(evidence.request.verb, &evidence.past);
    if workload.id.kind == Kind::Rollout {
        // How its pods started tells nothing of its steps.
        return by_record;
    }
    by_record
        .or_else(|| from_pods(workload, own.clone().filter(of_target), to_make, ready_for))
        .or_else(|| from_pods(workload, own, to_make, ready_for))
}

/// By the record, of the same verb. `past` is the newest last.
pub fn from_record(verb: Verb, past: &[Took]) -> Option<Expected> {
    let same = past.iter().rev().filter(|took| took.verb == verb);
    let seconds: Vec<_> = same.take(LAST).map(|took| took.seconds).collect();
    Some(Expected {
        from: Past::Record(seconds.len()),
        seconds: median(seconds)?,
    })
}

/// By the pods that run: `to_make` are to be made, and must be ready for `ready_for` seconds. Nothing where somebody
/// has to delete pods, or none of `pods` tells.
pub fn from_pods<'a>(
    workload: &Workload,
    pods: impl Iterator<Item = &'a Pod>,
    to_make: u32,
    ready_for: u32,
) -> Option<Expected> {
    let seconds: Vec<_> = pods.filter_map(started_in).collect();
    let from = Past::Pods(seconds.len());
    let start = median(seconds)?;
    let rounds = rounds(workload, to_make)?;
    let held = workload.min_ready_seconds;
    // What must be available for a while holds up the next ones; the last is watched anyway.
    let all = rounds
        .saturating_mul(start)
        .saturating_add(rounds.saturating_sub(1).saturating_mul(held));
    Some(Expected {
        seconds: all.saturating_add(ready_for.max(held)),
        from,
    })
}

/// From its creation until it was ready. One that was restarted or fell out meanwhile says nothing of a start.
fn started_in(pod: &Pod) -> Option<u32> {
    let calm = pod.ready && !pod.terminating && pod.containers.iter().all(|c| c.restarts == 0);
    let ready = pod.ready_changed.filter(|_| calm)?;
    u32::try_from(ready.duration_since(pod.created).as_secs()).ok()
}

/// How many times pods are made and waited for.
fn rounds(workload: &Workload, to_make: u32) -> Option<u32> {
    let (down, extra) = limits(workload);
    let at_once = match &workload.strategy {
        Strategy::Recreate => to_make,
        Strategy::Rolling { partition: 1.., .. } if workload.id.kind == Kind::StatefulSet => {
            return None;
        }
        Strategy::Rolling { .. } => match workload.id.kind {
            Kind::Deployment | Kind::Rollout => down.saturating_add(extra),
            Kind::StatefulSet | Kind::DaemonSet => down.max(extra),
        },
        Strategy::OnDelete | Strategy::Other(_) => return None,
    };
    Some(to_make.div_ceil(at_once.max(1)))
}

/// The greater one of two in the middle.
fn median(mut seconds: Vec<u32>) -> Option<u32> {
    seconds.sort_unstable();
    seconds.get(seconds.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{ago, pod, workload};

    #[test]
    fn the_last_five_of_the_same_verb_count() {
        let took = |verb, seconds| Took { verb, seconds };
        let past = [900, 40, 50, 60, 45, 400].map(|seconds| took(Verb::Rollback, seconds));
        let mut past: Vec<_> = past.into();
        past.push(took(Verb::Restart, 7));
        let back = from_record(Verb::Rollback, &past).unwrap();
        assert_eq!((back.seconds, back.from), (50, Past::Record(5)));
        assert_eq!(back.words(), "about 50s, by the last 5 on record");
        let restart = from_record(Verb::Restart, &past).unwrap();
        assert_eq!(restart.words(), "about 7s, as the last on record");
        assert_eq!(from_record(Verb::Resume, &past), None);
    }

    #[test]
    fn the_record_comes_first_then_the_targets_pods_then_any() {
        use crate::plan::verbs::rollback::sample;
        let said = |change: fn(&mut Evidence)| {
            let mut evidence = sample::of_kind(Kind::StatefulSet);
            change(&mut evidence);
            let now = sample::AT.parse().unwrap();
            let plan = crate::plan::plan(&crate::domain::Fleet::default(), &evidence, now);
            let plan = plan.unwrap();
            assert_eq!(plan.goal.expected, plan.expected.map(|e| e.seconds));
            plan.expected.map(|expected| expected.words())
        };
        assert_eq!(
            said(|e| {
                for pod in &mut e.pods {
                    pod.ready_changed = Some(pod.created + jiff::SignedDuration::from_secs(12));
                }
            })
            .as_deref(),
            Some("about 42s, by how 2 of its pods started")
        );
        assert_eq!(
            said(|e| {
                e.past = vec![Took {
                    verb: Verb::Rollback,
                    seconds: 75,
                }];
            })
            .as_deref(),
            Some("about 1m15s, as the last on record")
        );
        assert_eq!(
            said(|e| e.pods.iter_mut().for_each(|p| p.ready = false)),
            None
        );
    }

    /// Created 200 s ago and ready so many seconds later.
    fn ready_after(kind: Kind, seconds: i64) -> Pod {
        let mut pod = pod(kind, "new", "a");
        (pod.created, pod.ready_changed) = (ago(200), Some(ago(200 - seconds)));
        pod
    }

    #[test]
    fn pods_tell_by_how_they_started() {
        use Kind::{DaemonSet, Deployment, StatefulSet};
        for (kind, strategy, to_make, want) in [
            // 2 may be extra and 1 missing of 6.
            (Deployment, None, 6, Some(2 * 8 + 30)),
            (Deployment, None, 1, Some(8 + 30)),
            (Deployment, None, 0, Some(30)),
            (Deployment, Some(Strategy::Recreate), 6, Some(8 + 30)),
            (StatefulSet, None, 3, Some(3 * 8 + 30)),
            (DaemonSet, None, 6, Some(3 * 8 + 30)),
            (DaemonSet, Some(Strategy::OnDelete), 6, None),
        ] {
            let mut workload = workload(kind);
            workload.strategy = match (kind, strategy) {
                (_, Some(strategy)) => strategy,
                (StatefulSet, None) => Strategy::Rolling {
                    max_unavailable: None,
                    max_surge: None,
                    partition: 0,
                    ordered: true,
                },
                (_, None) => workload.strategy,
            };
            let pods = [5, 8, 11].map(|seconds| ready_after(kind, seconds));
            let found = from_pods(&workload, pods.iter(), to_make, 30);
            assert_eq!(found.map(|e| e.seconds), want, "{kind:?} {to_make}");
        }
    }

    #[test]
    fn what_says_nothing_of_a_start_is_left_out() {
        let web = workload(Kind::Deployment);
        let good = ready_after(Kind::Deployment, 9);
        let (mut restarted, mut gone, mut unready) = (good.clone(), good.clone(), good.clone());
        restarted.containers[0].restarts = 1;
        gone.terminating = true;
        unready.ready = false;
        let bad = [restarted, gone, unready];
        assert_eq!(from_pods(&web, bad.iter(), 6, 30), None);
        let one = from_pods(&web, bad.iter().chain([&good]), 3, 30).unwrap();
        assert_eq!(one.words(), "about 39s, by how its pod started");
        let mut slow = web;
        slow.min_ready_seconds = 60;
        // Two rounds: the first is held for a minute, the second is watched for it.
        let slow = from_pods(&slow, [good].iter(), 6, 30).unwrap();
        assert_eq!(slow.seconds, 9 + 60 + 9 + 60);
    }
}
