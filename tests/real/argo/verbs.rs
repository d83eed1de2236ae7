//! What a person tells a canary beside promoting it by one step: pause and resume, retry, and promote it fully.

use serde_json::{Value, json};

use super::{Owned, judged, steps, wait_row, waiting};
use crate::screen::wait_plan_to;
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;

#[test]
fn a_canary_is_paused_by_hand_and_goes_back_to_its_step() {
    let (owned, cart, terminal) = waiting("held");
    let (code, said) = owned.run(&["resume", "cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("it waits at step 2"), "{said}");
    assert!(said.contains("is promoted, and not resumed"), "{said}");
    terminal.keys("u");
    wait_plan_to(&terminal, "PAUSE");
    let plan = terminal.picture();
    for part in [
        "it stands still at 20% step 2/5",
        "it waits already at 20% step 2/5",
        "kubectl argo rollouts pause cart",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: the controller has seen the pause");
    wait_row(&terminal, "paused by hand");
    // Either order of the two writes was seen to lose the promotion.
    for verb in [
        &["promote", "cart", "--yes"][..],
        &["promote", "cart", "--full", "--yes"],
    ] {
        let (code, said) = owned.run(verb);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("is paused by hand"), "{said}");
    }
    terminal.keys("u");
    wait_plan_to(&terminal, "RESUME");
    let plan = terminal.picture();
    assert!(plan.contains("where it waits to be promoted"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: the controller has seen the resume, 20% step 2/5");
    let left = cart.read();
    assert_eq!(left["spec"]["paused"], Value::Null, "{left}");
    assert_eq!(left["status"]["currentStepIndex"], 1);
    // Its own clients leave a false behind, which a test of nothing would stumble over.
    cart.patch("", &json!({"spec": {"paused": false}}));
    let (code, said) = owned.run(&["pause", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = owned.run(&["resume", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = owned.run(&["promote", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: 60% step 4/5"), "{said}");
}

#[test]
fn what_was_aborted_is_retried_and_never_promoted_fully() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "retried");
    let cart = Cart::run(plane, &owned.namespace, &steps());
    let terminal = owned.open();
    wait_row(&terminal, "1.9.3");
    for verb in [
        &["retry", "cart", "--yes"][..],
        &["promote", "cart", "--full", "--yes"],
    ] {
        let (code, said) = owned.run(verb);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            said.contains("all of rollout/cart is of one revision"),
            "{said}"
        );
    }
    cart.set_image("1.10.0");
    wait_row(&terminal, "waits for you");
    let (code, said) = owned.run(&["retry", "cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("was not aborted"), "{said}");
    // It is aborted after the plan was shown: nothing of it may go out.
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    terminal.keys("F");
    wait_plan_to(&terminal, "PROMOTE FULLY");
    cart.status(&json!({"abort": true}));
    let given_up = |status: &Value| status["phase"] == "Degraded" && status["abort"] == true;
    cart.wait("aborted", given_up);
    terminal.keys("y");
    terminal.wait_text("Nothing was written: rollout/cart was aborted by");
    terminal.keys("q");
    let (code, said) = owned.run(&["promote", "cart", "--full", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("this would send 1.10.0 to all"), "{said}");
    assert!(given_up(&cart.read()["status"]));
    cart.patch("", &json!({"spec": {"paused": true}}));
    cart.wait("paused", |_| true);
    let (code, said) = owned.run(&["retry", "cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("is paused by hand"), "{said}");
    cart.patch("", &json!({"spec": {"paused": null}}));
    cart.wait("moving", |_| true);
    wait_row(&terminal, "aborted");
    terminal.keys("P");
    wait_plan_to(&terminal, "RETRY");
    let plan = terminal.picture();
    for part in [
        "aborted → 20%, pause until promoted, 60%, pause 1h, 100%",
        "kubectl argo rollouts retry rollout cart",
        "you may patch rollouts/status",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: 20% step 2/5, and waits there");
    assert_eq!(cart.read()["status"]["abort"], Value::Null);
    assert!(owned.record().contains(r#""verb":"retry""#));
}

#[test]
fn a_canary_is_promoted_to_its_end_at_once() {
    let (_owned, cart, terminal) = waiting("full");
    // Its own client leaves a false behind that a test of nothing would stumble over.
    cart.status(&json!({"abort": false}));
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    terminal.wait_text("F in place of it: promote it to its end");
    terminal.keys("F");
    wait_plan_to(&terminal, "PROMOTE FULLY");
    let plan = terminal.picture();
    for part in [
        "20% step 2/5 → 100%",
        "left out: 60%, pause 1h, 100%",
        "kubectl argo rollouts promote cart",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: promoted, 5 of 5 serve");
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
}

#[test]
fn past_an_analysis_it_goes_only_with_a_reason() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "unjudged");
    let metric = json!({
        "name": "success-rate",
        "successCondition": "asFloat(result) >= 0.95", "failureCondition": "asFloat(result) < 0.5",
    });
    let cart = judged(plane, &owned.namespace, "0.9", metric);
    cart.set_image("1.10.0");
    cart.wait("inconclusive", |status| {
        status["pauseConditions"][0]["reason"] == "InconclusiveAnalysisRun"
    });
    let full = ["promote", "cart", "--full", "--yes"];
    let (code, said) = owned.run(&full);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("it would go past analysis"), "{said}");
    assert!(said.contains("inconclusive"), "{said}");
    assert_eq!(cart.read()["status"]["currentStepIndex"], 1);
    let reason = ["--override", "measured by hand"];
    let (code, said) = owned.run(&[&full[..], &reason].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: promoted, 5 of 5 serve"), "{said}");
    assert!(owned.record().contains("measured by hand"));
}

#[test]
fn without_its_controller_it_is_said_that_nothing_acts() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::own()));
    let owned = Owned::new(plane, "deserted");
    let controller = argo_rollouts::install(plane);
    let cart = Cart::run(plane, &owned.namespace, &steps());
    drop(controller);
    cart.set_image("1.10.0");
    let (code, said) = owned.run(&["abort", "cart"]);
    assert_eq!(code, Some(3), "{said}");
    let said = crate::support::wait::until("it is said that nothing acts on it", || {
        let (_, said) = owned.run(&["abort", "cart"]);
        said.contains("Nothing acts on rollout/cart")
            .then_some(said)
    });
    assert!(
        said.contains("its controller has not seen the change of"),
        "{said}"
    );
    let (_, said) = owned.run(&["pause", "cart", "--dry-run"]);
    assert!(
        said.contains("nothing acts on this until it is back"),
        "{said}"
    );
}

#[test]
fn a_blue_green_release_is_aborted_retried_and_promoted() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "blue-green");
    let cart = Cart::run_blue_green(plane, &owned.namespace);
    let stable = cart.read()["status"]["stableRS"].clone();
    cart.set_image("1.10.0");
    cart.wait("waiting for its traffic", |status| {
        status["pauseConditions"][0]["reason"] == "BlueGreenPause"
    });
    let (code, said) = owned.run(&["resume", "cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("before its traffic is switched"), "{said}");
    let (code, said) = owned.run(&["abort", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("5 of 5 pods serve 1.9.3"), "{said}");
    let status = cart.read()["status"].clone();
    assert_eq!(status["blueGreen"]["activeSelector"], stable, "{status}");
    let (code, said) = owned.run(&["retry", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = owned.run(&["promote", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: promoted"), "{said}");
    let status = cart.read()["status"].clone();
    assert_eq!(
        status["blueGreen"]["activeSelector"],
        status["currentPodHash"]
    );
    assert_ne!(status["currentPodHash"], stable);
}

#[test]
fn a_blue_green_release_is_told_promoted_aborted_and_retried_on_the_board() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "blue-green-board");
    let cart = Cart::run_blue_green(plane, &owned.namespace);
    let terminal = owned.open();
    wait_row(&terminal, "1.9.3");
    cart.set_image("1.10.0");
    wait_row(&terminal, "waits for you");
    wait_row(&terminal, "P A");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    terminal.keys("y");
    terminal.wait_text("verified: promoted, 5 of 5 serve");
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
    terminal.keys("q");
    cart.set_image("1.11.0");
    wait_row(&terminal, "waits for you");
    terminal.keys("A");
    wait_plan_to(&terminal, "ABORT");
    terminal.keys("y");
    terminal.wait_text("verified: 5 of 5 pods serve 1.10.0; the template still asks for 1.11.0");
    wait_row(&terminal, "aborted");
    terminal.keys("qP");
    wait_plan_to(&terminal, "RETRY");
    terminal.keys("y");
    terminal.wait_text("it is before the switch of its traffic, and waits there");
    // Back to what serves, which nothing has left: at once.
    terminal.keys("qR");
    wait_plan_to(&terminal, "ROLL BACK");
    terminal.wait_text("no step is taken: all of it goes back to 1.10.0 at once");
    terminal.keys("y");
    let own = |status: &Value| status["blueGreen"]["activeSelector"] == status["currentPodHash"];
    cart.wait("Healthy", |status| {
        status["phase"] == "Healthy" && own(status)
    });
}

#[test]
fn the_two_sides_of_a_blue_green_release_are_told_as_its_controller_reports_them() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "two-sides");
    let cart = Cart::run_blue_green(plane, &owned.namespace);
    let terminal = owned.open();
    wait_row(&terminal, "1.9.3");
    terminal.keys("\r");
    let sides = || {
        let status = cart.read()["status"].take();
        let side = |name: &str| status["blueGreen"][name].clone();
        let hash = |name: &str| status[name].clone();
        (
            (side("activeSelector"), side("previewSelector")),
            (hash("stableRS"), hash("currentPodHash")),
        )
    };
    let preview = || {
        let ((active, preview), (stable, current)) = sides();
        assert_ne!(stable, current);
        assert_eq!(
            (active, preview),
            (stable, current),
            "the new side is a preview"
        );
    };
    cart.set_image("1.10.0");
    let gets_none = "the new side gets none of the traffic";
    terminal.wait_text(gets_none);
    terminal.wait_text("then all of the traffic at once");
    terminal.wait_text("waits for you");
    preview();
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    terminal.wait_text("its new side → all of the traffic at once");
    preview();
    terminal.keys("y");
    terminal.wait_text("verified: promoted, 5 of 5 serve");
    let ((active, _), (stable, current)) = sides();
    assert_eq!((&active, &stable), (&current, &current));
    terminal.keys("q");
    terminal.wait_gone(gets_none);

    cart.set_image("1.11.0");
    terminal.wait_text(gets_none);
    terminal.wait_text("waits for you");
    terminal.keys("A");
    wait_plan_to(&terminal, "ABORT");
    terminal.keys("y");
    terminal.wait_text("verified: 5 of 5 pods serve 1.10.0; the template still asks for 1.11.0");
    let ((active, _), (stable, current)) = sides();
    assert_eq!(active, stable, "the traffic stayed where it was");
    assert_ne!(active, current);
    terminal.keys("q");
    terminal.wait_text("aborted: 1.10.0 serves, 1.11.0 is still asked for");
    assert!(
        !terminal.picture().contains(gets_none),
        "{}",
        terminal.picture()
    );
}
