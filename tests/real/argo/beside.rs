//! Analyses that are no step: beside the steps, and before the traffic of two sides is switched.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::pods::next_second;
use super::{Owned, analysis_runs, analysis_template, by_rate, steps, wait_row, web};
use crate::screen::wait_plan_to;
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;
use crate::support::hostile::{Hostile, reply};

const PROMOTE: &[&str] = &["promote", "cart", "--yes"];
const WITH_REASON: &[&str] = &["promote", "cart", "--yes", "--override", "seen by hand"];

/// What a server says of it, until a test has it say something else.
type Rate = Arc<Mutex<&'static str>>;

/// A template `rate` that asks a server for a rate, again and again.
fn measured(plane: &ControlPlane, namespace: &str, often: &Value, rate: &'static str) -> Rate {
    let rate = Arc::new(Mutex::new(rate));
    let told = Arc::clone(&rate);
    let server = Hostile::start(move |_, socket| {
        let body = json!({"rate": *told.lock().unwrap()}).to_string();
        let answer = reply("200 OK", "content-type: application/json\r\n", &body);
        let _ = socket.write_all(answer.as_bytes());
    });
    let mut metric = json!({
        "name": "success-rate", "provider": web(server.port),
        "successCondition": "asFloat(result) >= 0.95", "failureCondition": "asFloat(result) < 0.5",
    });
    crate::support::fixtures::merge(&mut metric, often);
    analysis_template(plane, namespace, &metric);
    rate
}

/// A canary with an analysis beside its steps, which waits at its first pause.
fn waiting(owned: &Owned) -> (Cart, Rate) {
    let plane = argo_rollouts::plane();
    let rate = measured(plane, &owned.namespace, &json!({"interval": "1s"}), "0.99");
    let spec = json!({"strategy": {"canary": {"steps": steps(), "analysis": by_rate()}}});
    let cart = Cart::create(plane, &owned.namespace, "1.9.3", &spec);
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
    cart.set_image("1.10.0");
    cart.wait("at its first pause", |status| {
        status["currentStepIndex"] == 1 && status["phase"] == "Paused"
    });
    (cart, rate)
}

#[test]
fn one_beside_the_steps_is_told_while_they_go_on_and_gives_it_up() {
    let owned = Owned::new(argo_rollouts::plane(), "beside");
    let (cart, rate) = waiting(&owned);
    let terminal = owned.open();
    wait_row(&terminal, "waits for you");
    terminal.keys("\r");
    terminal.wait_text("success-rate \"0.99\": running, ");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    terminal.wait_text("runs, and is good so far");
    terminal.keys("y");
    terminal.wait_text("verified: 60% step 4/5, and waits there");
    terminal.keys("q");
    terminal.wait_text("success-rate \"0.99\": running, ");
    *rate.lock().unwrap() = "0.42";
    terminal.wait_text("success-rate \"0.42\": failed, ");
    terminal.wait_text("aborted: 1.9.3 serves, 1.10.0 is still asked for");
    let status = cart.wait("given up", |status| status["phase"] == "Degraded");
    let why = "Background analysis phase error/failed";
    assert!(
        status["status"]["message"].to_string().contains(why),
        "{status}"
    );
    let (code, said) = owned.run(WITH_REASON);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("assessed Failed due to failed (1) > failureLimit (0)"),
        "{said}"
    );
}

#[test]
fn one_beside_the_steps_that_tells_nothing_measures_anew_and_no_step_is_left_out() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "beside-unsure");
    let (cart, rate) = waiting(&owned);
    *rate.lock().unwrap() = "0.9";
    cart.wait("unsure", |status| {
        let reasons = status["pauseConditions"].to_string();
        reasons.contains("InconclusiveAnalysisRun")
    });
    let terminal = owned.open();
    wait_row(&terminal, "analysis inconclusive: waits for you");
    let (code, said) = owned.run(PROMOTE);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("it would go past analysis"), "{said}");
    assert!(said.contains("inconclusive"), "{said}");
    assert_eq!(cart.read()["status"]["currentStepIndex"], 1);
    *rate.lock().unwrap() = "0.99";
    let (code, said) = owned.run(WITH_REASON);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("its analysis measures anew beside that"),
        "{said}"
    );
    assert!(
        said.contains("verified: 60% step 4/5, and waits there"),
        "{said}"
    );
    assert_eq!(analysis_runs(plane, &owned.namespace).len(), 2);
    assert!(owned.record().contains("seen by hand"));
    // The new one judges on.
    *rate.lock().unwrap() = "0.42";
    cart.wait("given up", |status| status["phase"] == "Degraded");
}

#[test]
fn one_before_the_switch_that_tells_nothing_is_passed_by_nothing_but_a_full_promotion() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "before-switch");
    let namespace = &owned.namespace;
    let _rate = measured(plane, namespace, &json!({}), "0.9");
    let cart = Cart::run_blue_green(plane, namespace);
    let judged = json!({"blueGreen": {"prePromotionAnalysis": by_rate()}});
    cart.patch("", &json!({"spec": {"strategy": judged}}));
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
    cart.set_image("1.10.0");
    cart.wait("unsure", |status| {
        status["pauseConditions"][0]["reason"] == "InconclusiveAnalysisRun"
    });
    let (code, said) = owned.run(PROMOTE);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("it would go past analysis"), "{said}");
    next_second(plane, namespace);
    let (code, said) = owned.run(WITH_REASON);
    assert_eq!(
        code,
        Some(1),
        "it measures anew, and tells as little: {said}"
    );
    assert!(said.contains("its analysis measures anew"), "{said}");
    assert!(
        said.contains("not verified: its analysis told neither good nor bad"),
        "{said}"
    );
    assert_eq!(analysis_runs(plane, namespace).len(), 2);
    let status = cart.read()["status"].take();
    assert_ne!(
        status["blueGreen"]["activeSelector"], status["currentPodHash"],
        "{status}"
    );
    let fully = [
        "promote",
        "cart",
        "--full",
        "--yes",
        "--override",
        "seen by hand",
    ];
    let (code, said) = owned.run(&fully);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: promoted, 5 of 5 serve"), "{said}");
    let status = cart.read()["status"].take();
    assert_eq!(
        status["blueGreen"]["activeSelector"], status["currentPodHash"],
        "{status}"
    );
}
