//! One pod that was taken away, until what took its place serves.

use super::*;

fn goal_without(name: &str, others: &[&str]) -> Goal {
    Goal {
        verb: Verb::DeletePod,
        template: Some(rolled_back().template),
        gone: Some(Gone {
            name: name.into(),
            uid: name.into(),
            node: None,
            others: others.iter().map(|name| (*name).into()).collect(),
        }),
        ..goal()
    }
}

fn seen_without(pods: Vec<Pod>) -> Follow {
    let goal = goal_without("a", &["b"]);
    follow(&fleet(rolled_back(), pods), &goal, at(NOW))
}

#[test]
fn a_new_pod_that_serves_is_the_end_and_an_old_one_is_not() {
    let [a, b] = ["a", "b"].map(|name| pod(name, "h41", "2.14.1"));
    assert_eq!(
        open(seen_without(vec![a.clone(), b.clone()])),
        ["a is gone", "another takes its place"]
    );
    assert_eq!(
        open(seen_without(vec![b.clone()])),
        ["another takes its place"]
    );
    let mut new = pod("c", "h41", "2.14.1");
    new.ready = false;
    assert_eq!(
        open(seen_without(vec![b.clone(), new.clone()]))[0],
        "c, made anew, is ready"
    );
    new.ready = true;
    assert_eq!(
        seen_without(vec![b.clone(), new.clone()]),
        Follow::Done("verified: c took the place of a, ready for 30s, 1m in all".into())
    );
    // It is still there, on its way out.
    assert_eq!(open(seen_without(vec![a, b, new])), ["a is gone"]);
}

#[test]
fn nothing_is_known_before_any_pod_is() {
    assert_eq!(
        open(seen_without(Vec::new())),
        ["a is gone", "another takes its place"]
    );
}

#[test]
fn a_new_pod_that_cannot_start_is_told() {
    let mut new = pod("c", "h41", "2.14.1");
    sample::fail(&mut new);
    let Follow::Failed(words) = seen_without(vec![new]) else {
        panic!("failed")
    };
    assert!(words.contains("c, made anew, fails: image"), "{words}");
}

#[test]
fn enough_others_are_enough() {
    let mut workload = rolled_back();
    workload.desired = 1;
    let pods = vec![pod("b", "h41", "2.14.1")];
    let goal = goal_without("a", &["b"]);
    assert_eq!(
        follow(&fleet(workload, pods), &goal, at(NOW)),
        Follow::Done("verified: a is gone, and 1 of 1 serve without it".into())
    );
}
