//! Canaries that an analysis judges: one that fails, one that tells nothing, one that cannot be had.

use serde_json::{Value, json};

use super::{Owned, analysis_runs, by_rate, judged, served};
use crate::support::argo_rollouts;
use crate::support::hostile::reply;

const FULLY: &[&str] = &["promote", "cart", "--full", "--yes"];
const PROMOTE: &[&str] = &["promote", "cart", "--yes"];

fn reason(verb: &[&'static str]) -> Vec<&'static str> {
    [verb, &["--override", "measured by hand"]].concat()
}

fn metric() -> Value {
    json!({
        "name": "success-rate",
        "successCondition": "asFloat(result) >= 0.95", "failureCondition": "asFloat(result) < 0.5",
    })
}

#[test]
fn one_that_fails_keeps_it_from_going_on_with_the_reason() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "fails");
    let cart = judged(plane, &owned.namespace, "0.42", metric());
    cart.set_image("1.10.0");
    cart.wait("given up", |status| status["phase"] == "Degraded");
    let why = "assessed Failed due to failed (1) > failureLimit (0)";
    // Neither is a thing of a reason: both would do nothing, or send to all what was given up.
    for verb in [&reason(PROMOTE), &PROMOTE.to_vec()] {
        let (code, said) = owned.run(verb);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(why), "{said}");
    }
    let (code, said) = owned.run(&reason(FULLY));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("this would send 1.10.0 to all"), "{said}");
    let (_, said) = owned.run(&["retry", "cart", "--dry-run"]);
    assert!(
        said.contains("why it was aborted: ") && said.contains(why),
        "{said}"
    );
    let status = cart.read()["status"].take();
    assert_ne!(status["stableRS"], status["currentPodHash"], "{status}");
}

#[test]
fn one_that_tells_nothing_needs_a_reason_and_goes_past_it_then() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "tells-nothing");
    let cart = judged(plane, &owned.namespace, "0.9", metric());
    cart.set_image("1.10.0");
    cart.wait("inconclusive", |status| {
        status["pauseConditions"][0]["reason"] == "InconclusiveAnalysisRun"
    });
    let (code, said) = owned.run(PROMOTE);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("it would go past analysis"), "{said}");
    assert!(said.contains("inconclusive"), "{said}");
    let runs = || analysis_runs(plane, &owned.namespace).len();
    assert_eq!(runs(), 1);
    let (code, said) = owned.run(&reason(PROMOTE));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: promoted, 5 of 5 serve"), "{said}");
    // The pause alone taken away would have it measured again.
    assert_eq!(runs(), 1);
    assert!(owned.record().contains("measured by hand"));
}

#[test]
fn one_that_cannot_be_had_is_as_bad_and_a_full_promotion_over_it_is_on_record() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "away");
    let mut metric = metric();
    // The second error, after ten seconds, ends it.
    metric["consecutiveErrorLimit"] = json!(1);
    let answer = reply("500 Internal Server Error", "", "");
    let cart = served(plane, &owned.namespace, answer, metric);
    cart.set_image("1.10.0");
    let running =
        |status: &Value| status["canary"]["currentStepAnalysisRunStatus"]["status"] == "Running";
    cart.wait("measured", running);
    let (code, said) = owned.run(FULLY);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("it would go past analysis"), "{said}");
    cart.wait("given up", |status| status["phase"] == "Degraded");
    let (code, said) = owned.run(PROMOTE);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("received non 2xx response code: 500"),
        "{said}"
    );
    let (code, said) = owned.run(&["retry", "cart", "--yes"]);
    assert_eq!(code, Some(1), "it is given up again: {said}");
    cart.set_image("1.11.0");
    cart.wait("measured", running);
    let (code, said) = owned.run(&reason(FULLY));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: promoted, 5 of 5 serve"), "{said}");
    let record = owned.record();
    assert!(record.contains("measured by hand"), "{record}");
    assert!(record.contains(r#""verb":"promote-full""#), "{record}");
}

#[test]
fn an_answer_without_a_value_is_no_value() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "empty");
    let mut metric = metric();
    metric["consecutiveErrorLimit"] = json!(0);
    let answer = reply("200 OK", "content-type: application/json\r\n", "{}");
    let cart = served(plane, &owned.namespace, answer, metric);
    cart.set_image("1.10.0");
    cart.wait("given up", |status| status["phase"] == "Degraded");
    let (code, said) = owned.run(&reason(PROMOTE));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("assessed Error"), "{said}");
    let (_, said) = owned.run(&["status", "cart"]);
    assert!(said.contains("aborted: 1.9.3 serves"), "{said}");
}

#[test]
fn one_that_is_ended_goes_on_to_its_step_and_is_no_pass() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "ended");
    let mut metric = metric();
    metric["interval"] = json!("1h");
    metric["count"] = json!(2);
    let cart = judged(plane, &owned.namespace, "0.99", metric);
    let steps =
        json!([{"setWeight": 20}, {"analysis": by_rate()}, {"pause": {}}, {"setWeight": 100}]);
    cart.patch(
        "",
        &json!({"spec": {"strategy": {"canary": {"steps": steps}}}}),
    );
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
    cart.set_image("1.10.0");
    cart.wait("measured", |status| {
        status["canary"]["currentStepAnalysisRunStatus"]["status"] == "Running"
    });
    let name = analysis_runs(plane, &owned.namespace)[0]["metadata"]["name"].clone();
    let path = format!(
        "/apis/argoproj.io/v1alpha1/namespaces/{}/analysisruns/{}",
        owned.namespace,
        name.as_str().unwrap()
    );
    let end = json!({"spec": {"terminate": true}});
    plane.admin().merge(&path, &end).unwrap();
    cart.wait("at the pause after it", |status| {
        status["currentStepIndex"] == 2 && status["phase"] == "Paused"
    });
    let (code, said) = owned.run(PROMOTE);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("successful: Run Terminated, and rests on nothing"),
        "{said}"
    );
    let (code, said) = owned.run(&reason(PROMOTE));
    assert_eq!(code, Some(0), "{said}");
    assert!(owned.record().contains("measured by hand"));
}
