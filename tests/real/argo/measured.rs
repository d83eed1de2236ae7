//! An analysis that asks Debian's Prometheus: what has no number is no pass, whatever its conditions make of it.

use serde_json::{Value, json};

use super::{Owned, analysis_template, by_rate, wait_row};
use crate::screen::{findings, wait_plan_to};
use crate::support::argo_rollouts::{self, Cart};
use crate::support::prometheus::{self, Load, Server};
use crate::support::wait;

const PROMOTE: &[&str] = &["promote", "cart", "--yes"];
/// As people write it, so that a service that nobody asks can go out at all.
const TOLERANT: &str = "len(result) == 0 || isNaN(result[0]) || result[0] < 0.1";
const STRICT: &str = "result[0] < 0.1";

/// The share of requests that fail.
fn share(namespace: &str) -> String {
    let rate = |more: &str| {
        format!("sum(rate(http_requests_total{{namespace=\"{namespace}\"{more}}}[10s]))")
    };
    format!("{} / {}", rate(",code=\"503\""), rate(""))
}

fn metric(server: &Server, condition: &str, query: &str) -> Value {
    let address = format!("http://127.0.0.1:{}", server.port);
    json!({
        "name": "errors", "successCondition": condition, "consecutiveErrorLimit": 0,
        "provider": {"prometheus": {"address": address, "query": query}},
    })
}

#[test]
fn what_prometheus_has_no_number_for_is_no_pass() {
    let (plane, server) = (argo_rollouts::plane(), prometheus::open());
    let owned = Owned::new(plane, "prometheus");
    let namespace = &owned.namespace;
    let load = |rate| Load {
        rate,
        failing: 20.0,
        seconds: 0.04,
    };
    // Served by nobody under this name, so that the first answers are empty.
    let busy = format!("{namespace}-busy");
    server.load(&busy, "cart", load(50.0));
    analysis_template(plane, namespace, &metric(server, STRICT, &share(namespace)));
    let judge = |condition: &str, query: &str| {
        let path =
            format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/analysistemplates/rate");
        let change = json!({"spec": {"metrics": [metric(server, condition, query)]}});
        plane.admin().merge(&path, &change).unwrap();
    };
    let steps = json!([
        {"setWeight": 20}, {"analysis": by_rate()}, {"pause": {}}, {"setWeight": 100},
    ]);
    let cart = Cart::run(plane, namespace, &steps);
    let waits = |status: &Value| status["currentStepIndex"] == 2 && status["phase"] == "Paused";
    let terminal = owned.open();
    wait_row(&terminal, "1.9.3");
    terminal.keys("\r");

    cart.set_image("1.10.0");
    cart.wait("given up", |status| status["phase"] == "Degraded");
    terminal.wait_text("aborted: 1.9.3 serves");
    let (code, said) = owned.run(PROMOTE);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("metric result is nil or empty: no data returned"),
        "{said}"
    );

    let nan = "vector(0) / vector(0)";
    for (tag, query, value) in [
        ("1.11.0", share(namespace).as_str(), "[]"),
        ("1.12.0", nan, "[NaN]"),
    ] {
        judge(TOLERANT, query);
        cart.set_image(tag);
        cart.wait("past its analysis", waits);
        let want = format!("errors {value}: successful, but nothing was measured");
        terminal.wait_text(&want);
        terminal.keys("P");
        wait_plan_to(&terminal, "PROMOTE");
        let blocks = findings(&terminal, "BLOCK").concat();
        assert!(blocks.contains("rests on nothing: errors"), "{blocks}");
        terminal.keys("y");
        terminal.wait_text("O");
        terminal.keys("q");
        let (code, said) = owned.run(PROMOTE);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            said.contains(&format!("rests on nothing: {want}")),
            "{said}"
        );
        assert!(waits(&cart.read()["status"]));
    }

    wait::until("the failures are counted", || {
        let told = server.answer(&share(&busy));
        (told.contains("\"value\":[") && !told.contains("NaN")).then_some(())
    });
    judge(TOLERANT, &share(&busy));
    cart.set_image("1.13.0");
    cart.wait("past its analysis", waits);
    terminal.wait_text("errors [0.0");
    let (code, said) = owned.run(PROMOTE);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("its analyses are successful"), "{said}");
    assert!(said.contains("verified: promoted, 5 of 5 serve"), "{said}");
}

#[test]
fn what_an_analysis_measured_is_not_called_good_unread() {
    let (plane, server) = (argo_rollouts::plane(), prometheus::open());
    let namespace = plane.namespace("unread");
    analysis_template(plane, &namespace, &metric(server, TOLERANT, "vector(0)"));
    let steps = json!([{"setWeight": 20}, {"analysis": by_rate()}, {"pause": {}}]);
    let cart = Cart::run(plane, &namespace, &steps);
    cart.set_image("1.10.0");
    cart.wait("past its analysis", |status| {
        status["currentStepIndex"] == 2 && status["phase"] == "Paused"
    });
    let rules = json!([
        {"apiGroups": ["apps", "", "argoproj.io"], "resources": ["rollouts", "replicasets", "pods", "deployments", "statefulsets", "daemonsets"],
         "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["argoproj.io"], "resources": ["rollouts/status"], "verbs": ["patch"]},
    ]);
    let owned = Owned {
        kubeconfig: plane.with_rules("unread", &rules, Some(&namespace)),
        home: tempfile::tempdir().unwrap(),
        namespace,
    };
    let (code, said) = owned.run(&["promote", "cart", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("what its analyses measured is not known: "),
        "{said}"
    );
    assert!(said.contains("analysisruns"), "{said}");
}
