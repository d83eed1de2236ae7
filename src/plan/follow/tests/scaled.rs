//! Another number of replicas: when it stands, who else moved it, and what an autoscaler has not done yet.

use super::*;

fn goal_of(scaled: Scaled) -> Goal {
    Goal {
        verb: Verb::Scale,
        template: Some(rolled_back().template),
        scaled: Some(scaled),
        ..goal()
    }
}

fn with(desired: u32, pods: Vec<Pod>) -> Fleet {
    let mut workload = rolled_back();
    let there = u32::try_from(pods.len()).unwrap();
    workload.desired = desired;
    workload.counts.total = there;
    workload.counts.updated = there;
    workload.action = None;
    fleet(workload, pods)
}

#[test]
fn the_number_stands_once_every_pod_is_ready() {
    let goal = goal_of(Scaled::To(2));
    let Follow::Done(words) = follow(&with(2, pods()), &goal, at(NOW)) else {
        panic!("verified")
    };
    assert!(words.starts_with("verified: 2/2 pods run"), "{words}");
    let pending = follow(&with(2, pods()[..1].into()), &goal, at(NOW));
    assert!(!open(pending).is_empty());
}

#[test]
fn zero_is_said_as_what_it_is() {
    let follow = follow(&with(0, Vec::new()), &goal_of(Scaled::To(0)), at(NOW));
    assert_eq!(
        follow,
        Follow::Done("verified: scaled to zero, no pod is left, 1m in all".into())
    );
}

#[test]
fn another_number_is_somebody_elses() {
    let follow = follow(&with(3, pods()), &goal_of(Scaled::To(2)), at(NOW));
    assert_eq!(
        follow,
        Follow::Failed("not verified: superseded: it was scaled to 3 by somebody else".into())
    );
}

#[test]
fn an_autoscaler_is_waited_for_and_decides_within_its_bounds() {
    let goal = goal_of(Scaled::Between(2, 4));
    let waits = open(follow(&with(1, pods()[..1].into()), &goal, at(NOW)));
    assert_eq!(
        waits,
        ["the autoscaler moves it from 1 to 2 at least, 4 at most"]
    );
    let done = follow(&with(2, pods()), &goal, at(NOW));
    assert!(matches!(done, Follow::Done(_)), "{done:?}");
}

#[test]
fn the_newer_note_is_the_one_to_go_on_with() {
    let mut workload = rolled_back();
    let mut turn = workload.action.clone().unwrap();
    (turn.id, turn.verb, turn.replicas) = ("turn".into(), "scale".into(), Some(2));
    turn.at = at(NOW);
    workload.turn = Some(turn);
    let revisions = [{
        let mut old = sample::revision(41, "2.14.1", 2).revision;
        old.number = 43;
        old
    }];
    let goal = goal_from_note(&workload, &revisions).unwrap();
    assert_eq!((goal.verb, &*goal.id), (Verb::Scale, "turn"));
    assert_eq!(goal.scaled, Some(Scaled::To(2)));
    assert_eq!(goal.template, Some(workload.template));
    workload.action.as_mut().unwrap().at = at(NOW) + SignedDuration::from_secs(1);
    let goal = goal_from_note(&workload, &revisions).unwrap();
    assert_eq!((goal.verb, goal.template), (Verb::Rollback, None));
}
