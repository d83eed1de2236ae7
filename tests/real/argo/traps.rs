//! What the server takes of a Rollout and its controller ignores or turns into the opposite: the plan refuses it, or
//! sends the form that works.

use serde_json::{Value, json};

use super::{Owned, steps, wait_row, waiting};
use crate::support::argo_rollouts::{self, Cart, by_steps};
use crate::support::wait;

fn refused(owned: &Owned, verb: &[&str], words: &str) {
    let (code, said) = owned.run(verb);
    assert_eq!(code, Some(3), "{verb:?}: {said}");
    assert!(said.contains(words), "{words}: {said}");
}

const FULLY: &[&str] = &["promote", "cart", "--full", "--yes"];
const PROMOTE: &[&str] = &["promote", "cart", "--yes"];
const ABORT: &[&str] = &["abort", "cart", "--yes"];

#[test]
fn a_step_is_not_skipped_while_no_pod_of_it_serves() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "unready");
    let mut spec = by_steps(&steps());
    spec["progressDeadlineSeconds"] = json!(600);
    let cart = Cart::create(plane, &owned.namespace, "1.9.3", &spec);
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
    cart.set_image("1.10.0-unready");
    cart.wait("on its way", |status| status["updatedReplicas"] == 1);
    refused(&owned, PROMOTE, "does not wait: it is on its way");
    assert_eq!(cart.read()["status"]["currentStepIndex"], 0);
    // It waits for pods that never serve; an abort beside it is only taken with that taken back.
    cart.status(&json!({"promoteFull": true}));
    cart.wait("told to go to its end", |status| {
        status["promoteFull"] == true
    });
    refused(&owned, FULLY, "is told already to leave out its steps");
    let (code, said) = owned.run(ABORT);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("5 of 5 pods serve 1.9.3"), "{said}");
    let status = cart.read()["status"].take();
    assert_eq!(status["abort"], true, "{status}");
    assert_ne!(status["promoteFull"], true, "{status}");
}

#[test]
fn what_was_aborted_is_neither_promoted_nor_skipped() {
    let (owned, cart, terminal) = waiting("given-up");
    // While it is paused by hand its controller takes an abort and moves no pod: it is resumed as well.
    cart.patch("", &json!({"spec": {"paused": true}}));
    wait_row(&terminal, "paused by hand");
    let (code, said) = owned.run(ABORT);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("5 of 5 pods serve 1.9.3"), "{said}");
    assert!(said.contains("it is resumed as well"), "{said}");
    assert_ne!(cart.read()["spec"]["paused"], true);
    refused(&owned, PROMOTE, "was aborted: promoting it changes nothing");
    refused(
        &owned,
        FULLY,
        "this would send 1.10.0 to all, which was given up",
    );
    cart.patch("", &json!({"spec": {"paused": true}}));
    cart.wait("seen", |_| true);
    refused(&owned, &["retry", "cart", "--yes"], "is paused by hand");
    refused(&owned, &["pause", "cart", "--yes"], "is paused already");
    let (code, said) = owned.run(&["resume", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("it stays aborted"), "{said}");
    refused(
        &owned,
        &["pause", "cart", "--yes"],
        "only keep it from going back",
    );
    assert_eq!(cart.read()["status"]["abort"], true);
    terminal.wait_text("P retry");
}

#[test]
fn what_stands_still_is_neither_promoted_nor_aborted() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "idle");
    let cart = Cart::run(plane, &owned.namespace, &steps());
    let version = cart.read()["metadata"]["resourceVersion"].take();
    for verb in [PROMOTE, FULLY, ABORT, &["retry", "cart", "--yes"]] {
        refused(&owned, verb, "all of rollout/cart is of one revision");
    }
    assert_eq!(cart.read()["metadata"]["resourceVersion"], version);
}

#[test]
fn a_first_release_that_fails_has_nothing_to_go_back_to() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "first");
    let cart = Cart::create(
        plane,
        &owned.namespace,
        "1.9.3-unready",
        &by_steps(&steps()),
    );
    cart.wait("known by its hashes", |status| {
        status["stableRS"].is_string() && status["stableRS"] == status["currentPodHash"]
    });
    for verb in [ABORT, PROMOTE] {
        refused(&owned, verb, "all of rollout/cart is of one revision");
    }
    refused(
        &owned,
        &["rollback", "cart", "--yes"],
        "has only one revision",
    );
    // Another image is the way out.
    let (code, said) = owned.run(&["set-image", "cart", "1.9.4", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_spec_that_its_controller_does_not_take_is_told_and_is_no_promotion() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "invalid");
    let spec = by_steps(&json!([{"setWeight": 120}]));
    let cart = Cart::create(plane, &owned.namespace, "1.9.3", &spec);
    let status = cart.wait("Degraded", |status| status["phase"] == "Degraded");
    assert_eq!(status["status"]["stableRS"], Value::Null, "{status}");
    let (_, said) = owned.run(&["status", "cart"]);
    assert!(said.contains("invalid spec: "), "{said}");
    for verb in [PROMOTE, FULLY, ABORT] {
        refused(&owned, verb, "There is nothing to be");
    }
}

#[test]
fn one_that_is_late_is_stalled_and_given_up_by_hand_or_by_itself() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "late");
    let mut spec = by_steps(&steps());
    merge_deadline(&mut spec, false);
    let cart = Cart::create(plane, &owned.namespace, "1.9.3", &spec);
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
    let late = |cart: &Cart, words: &str| {
        cart.set_image("1.10.0-unready");
        cart.wait(words, |status| {
            let message = status["message"].as_str();
            message.is_some_and(|message| message.starts_with(words))
        });
    };
    late(&cart, "ProgressDeadlineExceeded");
    let (_, said) = owned.run(&["status", "cart"]);
    assert!(said.contains("stalled"), "{said}");
    refused(&owned, PROMOTE, "does not wait");
    let (code, said) = owned.run(ABORT);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = owned.run(&["rollback", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    // The same where it gives itself up.
    merge_deadline(&mut spec, true);
    cart.patch("", &json!({"spec": {"progressDeadlineAbort": true}}));
    late(&cart, "RolloutAborted");
    let (_, said) = owned.run(&["status", "cart"]);
    assert!(said.contains("has timed out progressing"), "{said}");
    refused(&owned, PROMOTE, "has timed out progressing");
    refused(&owned, ABORT, "is aborted already");
}

fn merge_deadline(spec: &mut Value, abort: bool) {
    spec["progressDeadlineSeconds"] = json!(2);
    spec["progressDeadlineAbort"] = json!(abort);
}

#[test]
fn the_time_of_a_pause_goes_on_under_a_pause_by_hand_and_the_plans_say_so() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "timed");
    let timed =
        json!([{"setWeight": 20}, {"pause": {"duration": "5s"}}, {"setWeight": 60}, {"pause": {}}]);
    let cart = Cart::run(plane, &owned.namespace, &timed);
    cart.set_image("1.10.0");
    cart.wait("at its first pause", |status| {
        status["currentStepIndex"] == 1
    });
    let (code, said) = owned.run(&["pause", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the time of that goes on"), "{said}");
    let since = cart.read()["status"]["pauseConditions"][0]["startTime"].clone();
    assert!(since.is_string());
    let (code, said) = owned.run(&["resume", "cart", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("when it is over, the next step comes at once"),
        "{said}"
    );
    let (code, said) = owned.run(&["resume", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    cart.wait("at its second pause", |status| {
        status["currentStepIndex"] == 3
    });
}

#[test]
fn right_after_a_change_nothing_is_promoted() {
    let plane: &'static _ = Box::leak(Box::new(crate::support::control_plane::ControlPlane::own()));
    let owned = Owned::new(plane, "unseen");
    let controller = argo_rollouts::install(plane);
    let cart = Cart::run(plane, &owned.namespace, &steps());
    drop(controller);
    // Its controller has not said yet what it makes of this: what is told now is lost.
    cart.set_image("1.10.0");
    for verb in [
        FULLY,
        &["rollback", "cart", "--yes"],
        &["set-image", "cart", "1.11.0", "--yes"],
    ] {
        refused(
            &owned,
            verb,
            "has not seen the last change of rollout/cart yet",
        );
    }
    // One that stays away keeps nobody from going back, who is told that nothing acts on it.
    let said = wait::until("the way back is open", || {
        let (code, said) = owned.run(&["rollback", "cart", "--dry-run"]);
        (code == Some(0)).then_some(said)
    });
    assert!(
        said.contains("nothing acts on this until it is back"),
        "{said}"
    );
    refused(&owned, FULLY, "Nothing acts on rollout/cart");
}
