//! Argo Rollouts with its real controller: what the board and the service say of a canary, and what they ask for it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::screen::{launch, open, row_of};
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::Terminal;

fn steps() -> Value {
    json!([
        {"setWeight": 20}, {"pause": {}},
        {"setWeight": 60}, {"pause": {"duration": "1h"}},
        {"setWeight": 100},
    ])
}

#[test]
fn a_canary_is_told_step_by_step() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("canary");
    let cart = Cart::run(plane, &namespace, &steps());
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("canary-owner", Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    wait_row(&terminal, "1.9.3");
    cart.set_image("1.10.0");
    wait_row(&terminal, "20% step 2/5");
    wait_row(&terminal, "1.9.3 → 1.10.0");
    wait_row(&terminal, "waits for you");
    terminal.keys("\r");
    terminal.wait_text("step 2 of 5: pause until promoted");
    terminal.wait_text("weight 20% set, 20% of the pods that serve");
    terminal.wait_text("then 60%, pause 1h, 100%");
    dump("paused", &cart.read());
    // As the controller's own client promotes.
    cart.status(&json!({"pauseConditions": null}));
    terminal.wait_text("step 4 of 5: pause 1h");
    terminal.wait_text("weight 60% set, 60% of the pods that serve");
    terminal.wait_text("goes on in 59m");
    terminal.keys("q");
    wait_row(&terminal, "60% step 4/5");
    let (_, said) = spoken(&launch(&kubeconfig, home.path()).with(&["status", "cart"]));
    assert!(said.contains("canary 60% step 4/5"), "{said}");
    assert!(said.contains("1.9.3 -> 1.10.0"), "{said}");
    cart.status(&json!({"abort": true}));
    wait_row(&terminal, "degraded");
    wait_row(
        &terminal,
        "aborted: 1.9.3 serves, 1.10.0 is still asked for",
    );
    dump("aborted", &cart.read());
    // Nothing of it is changed from here yet.
    terminal.keys("r");
    terminal.wait_text("rolldeck cannot restart an Argo Rollout yet");
    terminal.keys("q");
    cart.set_image("1.9.3");
    terminal.wait_for("steady again", |screen| {
        row_of(screen, "cart").is_some_and(|row| row.contains('•') && !row.contains("1.10.0"))
    });
}

#[test]
fn an_analysis_that_fails_is_told_with_its_metric() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("judged");
    let port = answers("{\"rate\": \"0.42\"}");
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
        "metadata": {"name": "rate", "namespace": namespace},
        "spec": {"metrics": [{
            "name": "success-rate", "interval": "1s", "count": 3, "failureLimit": 1,
            "successCondition": "asFloat(result) >= 0.95",
            "provider": {"web": {"url": format!("http://127.0.0.1:{port}/"), "jsonPath": "{$.rate}"}},
        }]},
    });
    let collection = format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/analysistemplates");
    plane.admin().create(&collection, &template).unwrap();
    let steps = json!([
        {"setWeight": 20}, {"analysis": {"templates": [{"templateName": "rate"}]}}, {"setWeight": 100},
    ]);
    let cart = Cart::run(plane, &namespace, &steps);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.reader("judge-reader", Some(&namespace));
    let terminal = launch(&kubeconfig, home.path()).size(160, 40).open();
    wait_row(&terminal, "1.9.3");
    terminal.keys("\r");
    cart.set_image("1.10.0");
    terminal.wait_text(
        "success-rate \"0.42\", wants asFloat(result) >= 0.95: failed, 2 samples, 2 bad",
    );
    terminal.wait_text("aborted: 1.9.3 serves");
    dump("judged", &cart.read());
    let runs = plane.admin().items(&format!(
        "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/analysisruns"
    ));
    dump("run", &runs[0]);
}

#[test]
fn who_may_not_read_rollouts_sees_the_rest() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("no-rollouts");
    Service::new(&namespace, "checkout").run(plane, "1.0");
    let rules = json!([
        {"apiGroups": ["apps", ""], "resources": ["*"], "verbs": ["get", "list", "watch"]},
    ]);
    let kubeconfig = plane.with_rules("no-rollouts", &rules, Some(&namespace));
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&kubeconfig, home.path());
    terminal.wait_for("the deployment", |screen| {
        row_of(screen, "checkout").is_some()
    });
    terminal.wait_text("needs list rollouts.argoproj.io");
    let output = launch(&kubeconfig, home.path()).with(&["status"]).run();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("deploy/checkout"),
        "{said}"
    );
    let aside = String::from_utf8_lossy(&output.stderr);
    assert!(
        aside.contains("Argo Rollouts are left out: needs list"),
        "{aside}"
    );
}

#[test]
fn a_cluster_without_them_is_asked_once_and_shows_them_once_they_are_there() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::own()));
    let namespace = plane.namespace("without");
    Service::new(&namespace, "checkout").run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    // Few rights: without them a listing is denied, whether the kind is there or not.
    let rules = json!([
        {"apiGroups": ["apps", "", "argoproj.io"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
    ]);
    let kubeconfig = plane.with_rules("without", &rules, Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    terminal.wait_for("the deployment", |screen| {
        row_of(screen, "checkout").is_some()
    });
    let asked = || {
        let all = plane.asked_by("without");
        let of = all.into_iter().map(|asked| asked.uri);
        of.filter(|uri| uri.contains("argoproj"))
            .collect::<Vec<_>>()
    };
    assert_eq!(asked(), ["/apis/argoproj.io/v1alpha1"]);
    let controller = argo_rollouts::install(plane);
    let _cart = Cart::run(plane, &namespace, &steps());
    terminal.keys("\x12");
    wait_row(&terminal, "1.9.3");
    drop(controller);
}

/// A server that gives everybody the same answer; it goes with the test binary.
fn answers(body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    port
}

fn wait_row(terminal: &Terminal, words: &str) {
    terminal.wait_for(&format!("the row with {words}"), |screen| {
        row_of(screen, "cart").is_some_and(|row| row.contains(words))
    });
}

fn spoken(launch: &crate::support::pty::Launch) -> (Option<i32>, String) {
    let output = launch.run();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn dump(name: &str, object: &Value) {
    std::fs::write(
        format!("/tmp/argo/{name}.json"),
        serde_json::to_string_pretty(object).unwrap(),
    )
    .unwrap();
}
