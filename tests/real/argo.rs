//! Argo Rollouts with its real controller: what the board and the service say of a canary, and what they ask for it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::screen::{launch, open, row_of, wait_plan_to};
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::Terminal;

mod verbs;

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
fn a_canary_is_promoted_by_one_step_and_aborted() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("promoted");
    let cart = Cart::run(plane, &namespace, &steps());
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("promoter", Some(&namespace)), home.path());
    wait_row(&terminal, "1.9.3");
    cart.set_image("1.10.0");
    wait_row(&terminal, "waits for you");
    wait_row(&terminal, "P A");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    let plan = terminal.picture();
    for part in [
        "20% step 2/5 → 60%, pause 1h, 100%",
        "you may patch rollouts/status",
        "the server accepts the patch (dry run)",
        "the canary gets 20%, 20% are set",
        "kubectl argo rollouts promote cart",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert_eq!(cart.read()["status"]["currentStepIndex"], 1);
    terminal.keys("y");
    terminal.wait_text("verified: 60% step 4/5, and waits there");
    wait_row(&terminal, "60% step 4/5");
    terminal.keys("A");
    wait_plan_to(&terminal, "ABORT");
    let plan = terminal.picture();
    assert!(plan.contains("60% step 4/5 → 0%"), "{plan}");
    assert!(
        plan.contains("the template still asks for 1.10.0"),
        "{plan}"
    );
    terminal.keys("y");
    terminal.wait_text("verified: 5 of 5 pods serve 1.9.3; the template still asks for 1.10.0");
    wait_row(&terminal, "aborted");
    let status = cart.read()["status"].clone();
    assert_eq!(
        (&status["abort"], &status["phase"]),
        (&json!(true), &json!("Degraded"))
    );
    terminal.keys("A");
    terminal.wait_text("rollout/cart is aborted already");
    let record = std::fs::read_to_string(home.path().join(".state/rolldeck/release-record.jsonl"));
    let record = record.unwrap();
    for part in [r#""verb":"promote""#, r#""verb":"abort""#] {
        assert!(record.contains(part), "{record}");
    }
    assert_eq!(record.matches(r#""verified":true"#).count(), 2, "{record}");
}

#[test]
fn what_went_on_meanwhile_is_not_promoted_again() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("promoted-twice");
    let cart = Cart::run(plane, &namespace, &steps());
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("promoter-late", Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    wait_row(&terminal, "1.9.3");
    cart.set_image("1.10.0");
    wait_row(&terminal, "waits for you");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    cart.status(&json!({"pauseConditions": null}));
    cart.wait("at its second pause", |status| {
        status["currentStepIndex"] == 3
    });
    terminal.keys("y");
    terminal.wait_text("went on to step 4");
    assert_eq!(cart.read()["status"]["currentStepIndex"], 3);
    // By the command line it goes to its end, and then there is nothing left to do.
    let run = |arguments: &[&str]| spoken(&launch(&kubeconfig, home.path()).with(arguments));
    let (code, said) = run(&["promote", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: promoted, 5 of 5 serve"), "{said}");
    let (code, said) = run(&["abort", "cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("There is nothing to be aborted"), "{said}");
}

#[test]
fn one_that_runs_the_template_of_a_deployment_is_told_by_its_revisions() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("borrowed");
    let deployment = Service::new(&namespace, "shelf").replicas(1);
    deployment.run(plane, "1.9.3");
    let basket = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "basket", "namespace": namespace},
        "spec": {
            "replicas": 5,
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shelf", "scaleDown": "onsuccess"},
            "strategy": {"canary": {"steps": steps()}},
        },
    });
    let collection = format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts");
    plane.admin().create(&collection, &basket).unwrap();
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("borrower", Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    let row_has = |words: &str| {
        terminal.wait_for(&format!("the row with {words}"), |screen| {
            row_of(screen, "basket").is_some_and(|row| row.contains(words))
        });
    };
    row_has("1.9.3");
    row_has("•");
    deployment.set_image(plane, "1.10.0");
    row_has("20% step 2/5");
    row_has("1.9.3 → 1.10.0");
    let run = |arguments: &[&str]| spoken(&launch(&kubeconfig, home.path()).with(arguments));
    let (code, said) = run(&["promote", "basket", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: 60% step 4/5"), "{said}");
    let (_, said) = run(&["status", "basket"]);
    assert!(said.contains("1.9.3 -> 1.10.0"), "{said}");
    // It has no template that the write could be bound to.
    let (code, said) = run(&["pause", "basket", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["resume", "basket", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("seen the resume, 60% step 4/5"), "{said}");
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
