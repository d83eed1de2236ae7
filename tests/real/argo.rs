//! Argo Rollouts with its real controller: what the board and the service say of a canary, and what they ask for it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::kinds::{record, spoken};
use crate::screen::{launch, open, row_of, wait_plan_to};
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::hostile::{Hostile, reply};
use crate::support::pty::Terminal;
use crate::support::wait;

mod beside;
mod judged;
mod meanwhile;
mod measured;
mod pods;
mod routed;
mod traps;
mod verbs;

/// A namespace, and its owner with a home.
struct Owned {
    namespace: String,
    home: tempfile::TempDir,
    kubeconfig: PathBuf,
}

impl Owned {
    fn new(plane: &ControlPlane, prefix: &str) -> Self {
        let namespace = plane.namespace(prefix);
        Self {
            home: tempfile::tempdir().unwrap(),
            kubeconfig: plane.owner(&namespace, Some(&namespace)),
            namespace,
        }
    }

    fn open(&self) -> Terminal {
        open(&self.kubeconfig, self.home.path())
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        spoken(&launch(&self.kubeconfig, self.home.path()).with(arguments))
    }

    fn record(&self) -> String {
        record(self.home.path())
    }
}

pub fn steps() -> Value {
    json!([
        {"setWeight": 20}, {"pause": {}},
        {"setWeight": 60}, {"pause": {"duration": "1h"}},
        {"setWeight": 100},
    ])
}

/// A canary that waits at its first pause, on the board of its owner.
fn waiting(prefix: &str) -> (Owned, Cart, Terminal) {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, prefix);
    let cart = Cart::run(plane, &owned.namespace, &steps());
    let terminal = owned.open();
    wait_row(&terminal, "1.9.3");
    cart.set_image("1.10.0");
    wait_row(&terminal, "waits for you");
    (owned, cart, terminal)
}

/// A canary with this metric in its analysis, of a server that always says this rate.
fn judged(plane: &'static ControlPlane, namespace: &str, rate: &str, metric: Value) -> Cart {
    let body = json!({"rate": rate}).to_string();
    let answer = reply("200 OK", "content-type: application/json\r\n", &body);
    served(plane, namespace, answer, metric)
}

/// The same of one that always answers this.
fn served(
    plane: &'static ControlPlane,
    namespace: &str,
    answer: String,
    mut metric: Value,
) -> Cart {
    metric["provider"] = web(Hostile::saying(answer).port);
    analysis_template(plane, namespace, &metric);
    let steps = json!([{"setWeight": 20}, {"analysis": by_rate()}, {"setWeight": 100}]);
    Cart::run(plane, namespace, &steps)
}

/// Where a metric comes from.
fn web(port: u16) -> Value {
    let url = format!("http://127.0.0.1:{port}/");
    json!({"web": {"url": url, "jsonPath": "{$.rate}"}})
}

/// Named `rate`, with one metric.
fn analysis_template(plane: &ControlPlane, namespace: &str, metric: &Value) {
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
        "metadata": {"name": "rate", "namespace": namespace},
        "spec": {"metrics": [metric]},
    });
    let collection = format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/analysistemplates");
    plane.admin().create(&collection, &template).unwrap();
}

/// An analysis by that.
fn by_rate() -> Value {
    json!({"templates": [{"templateName": "rate"}]})
}

fn analysis_runs(plane: &ControlPlane, namespace: &str) -> Vec<Value> {
    let runs = format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/analysisruns");
    plane.admin().items(&runs)
}

/// A Rollout named `basket` that runs the template of the Deployment `shelf`, which is there.
fn borrowing(plane: &'static ControlPlane, namespace: &str) {
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
}

#[test]
fn a_canary_is_told_step_by_step() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "canary");
    let cart = Cart::run(plane, &owned.namespace, &steps());
    let terminal = owned.open();
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
    let (_, said) = owned.run(&["status", "cart"]);
    assert!(said.contains("canary 60% step 4/5"), "{said}");
    assert!(said.contains("1.9.3 -> 1.10.0"), "{said}");
    cart.status(&json!({"abort": true}));
    wait_row(&terminal, "degraded");
    wait_row(
        &terminal,
        "aborted: 1.9.3 serves, 1.10.0 is still asked for",
    );
    cart.set_image("1.9.3");
    terminal.wait_for("steady again", |screen| {
        row_of(screen, "cart").is_some_and(|row| row.contains('•') && !row.contains("1.10.0"))
    });
}

#[test]
fn a_canary_is_promoted_by_one_step_and_aborted() {
    let (owned, cart, terminal) = waiting("promoted");
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
    let record = owned.record();
    for part in [r#""verb":"promote""#, r#""verb":"abort""#] {
        assert!(record.contains(part), "{record}");
    }
    assert_eq!(record.matches(r#""verified":true"#).count(), 2, "{record}");
}

#[test]
fn what_went_on_meanwhile_is_not_promoted_again() {
    let (owned, cart, terminal) = waiting("promoted-twice");
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
    let (code, said) = owned.run(&["promote", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: promoted, 5 of 5 serve"), "{said}");
    let (code, said) = owned.run(&["abort", "cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("There is nothing to be aborted"), "{said}");
}

#[test]
fn one_that_runs_the_template_of_a_deployment_is_told_by_its_revisions() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "borrowed");
    let namespace = &owned.namespace;
    let deployment = Service::new(namespace, "shelf").replicas(1);
    deployment.run(plane, "1.9.3");
    borrowing(plane, namespace);
    let terminal = owned.open();
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
    let (code, said) = owned.run(&["promote", "basket", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: 60% step 4/5"), "{said}");
    let (_, said) = owned.run(&["status", "basket"]);
    assert!(said.contains("1.9.3 -> 1.10.0"), "{said}");
    // It has no template that the write could be bound to.
    let (code, said) = owned.run(&["pause", "basket", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = owned.run(&["resume", "basket", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("seen the resume, 60% step 4/5"), "{said}");
}

#[test]
fn an_analysis_that_fails_is_told_with_its_metric() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("judged");
    let metric = json!({
        "name": "success-rate", "interval": "1s", "count": 3, "failureLimit": 1,
        "successCondition": "asFloat(result) >= 0.95",
    });
    let cart = judged(plane, &namespace, "0.42", metric);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.reader("judge-reader", Some(&namespace));
    let terminal = launch(&kubeconfig, home.path()).size(160, 40).open();
    wait_row(&terminal, "1.9.3");
    terminal.keys("\r");
    cart.set_image("1.10.0");
    terminal.wait_text(
        "success-rate \"0.42\": failed, 2 samples, 2 bad, wants asFloat(result) >= 0.95",
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
    wait::until("the group is asked for", || {
        (!asked().is_empty()).then_some(())
    });
    assert_eq!(asked(), ["/apis/argoproj.io/v1alpha1"]);
    let controller = argo_rollouts::install(plane);
    let _cart = Cart::run(plane, &namespace, &steps());
    terminal.keys("\x12");
    wait_row(&terminal, "1.9.3");
    drop(controller);
}

fn wait_row(terminal: &Terminal, words: &str) {
    terminal.wait_for(&format!("the row with {words}"), |screen| {
        row_of(screen, "cart").is_some_and(|row| row.contains(words))
    });
}
