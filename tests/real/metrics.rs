//! What a canary measures, by Debian's Prometheus, asked directly and through the real API server.

use std::path::{Path, PathBuf};

use rolldeck::config::Config;
use rolldeck::domain::measured::{Pods, Side, Sides, Told};
use rolldeck::domain::{Kind, WorkloadId};
use rolldeck::sources::prometheus::Prometheus;
use serde_json::json;

use crate::connection::cluster;
use crate::kinds::{record, spoken};
use crate::screen::{QUICK, findings, wait_plan_to};
use crate::support::api::RUNTIME;
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;
use crate::support::prometheus::{self, Load, Server, USER};
use crate::support::pty::{Launch, Terminal};
use crate::support::wait;

mod sides;

/// As the person who looks sees it: short windows, because a test is short.
const SHORT: &str = "window: 6s, floor: 60";
const STABLE: Load = Load {
    rate: 50.0,
    failing: 2.0,
    seconds: 0.04,
};
const WORSE: Load = Load {
    rate: 40.0,
    failing: 100.0,
    seconds: 0.04,
};

/// A canary that waits at its first pause.
struct Waiting {
    namespace: String,
    cart: Cart,
    home: tempfile::TempDir,
    /// The names of the pods of both sides, up to their own.
    canary: String,
    stable: String,
}

impl Waiting {
    fn new(prefix: &str) -> Self {
        let plane = argo_rollouts::plane();
        let namespace = plane.namespace(prefix);
        let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]);
        let cart = Cart::run(plane, &namespace, &steps);
        cart.set_image("1.10.0");
        let waits = cart.wait("at its pause", |status| {
            status["pauseConditions"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        });
        let pods = |field: &str| format!("cart-{}", waits["status"][field].as_str().unwrap());
        Self {
            canary: pods("currentPodHash"),
            stable: pods("stableRS"),
            home: tempfile::tempdir().unwrap(),
            namespace,
            cart,
        }
    }

    fn load(&self, server: &Server, canary: Load, stable: Load) {
        server.load(&self.namespace, &self.canary, canary);
        server.load(&self.namespace, &self.stable, stable);
    }

    fn launch(&self, kubeconfig: &Path, server: &str) -> Launch {
        let server = format!("{server}, {SHORT}");
        launch(self.home.path(), kubeconfig, &server)
    }

    fn owner(&self) -> PathBuf {
        argo_rollouts::plane().owner(&self.namespace, Some(&self.namespace))
    }
}

/// With these settings of one server.
fn launch(home: &Path, kubeconfig: &Path, server: &str) -> Launch {
    let config = format!("{QUICK}prometheus: [{{{server}}}]\n");
    let launch = Launch::new(home).size(160, 50);
    launch.config(&config).kubeconfig(kubeconfig)
}

/// Past what blocks the plan that is shown, by this reason.
fn override_with(terminal: &Terminal, reason: &str) {
    terminal.keys("y");
    terminal.wait_text("and a reason override this: the canary is worse: errors ");
    terminal.keys("O");
    terminal.wait_text("reason (goes into the record): ");
    terminal.keys(&format!("{reason}\r"));
    terminal.wait_text("y promotes");
    terminal.keys("y");
}

#[test]
fn a_canary_that_measures_worse_is_told_and_not_promoted_without_a_reason() {
    let server = prometheus::with_password();
    let waiting = Waiting::new("measured");
    waiting.load(server, WORSE, STABLE);
    let (user, word) = USER;
    let at = format!(
        "url: 'http://127.0.0.1:{}', user: {user}, token: {{command: [echo, {word}]}}",
        server.port
    );
    let owner = waiting.owner();
    let launch = waiting.launch(&owner, &at);
    let terminal = launch.open();
    terminal.wait_text("waits for you");
    terminal.keys("\r");
    terminal.wait_text("last 6s: worse: errors ");
    terminal.wait_text(" % against 0.");
    terminal.wait_text("canary 1.10.0 ");
    terminal.wait_text("stable 1.9.3 ");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    let blocks = findings(&terminal, "BLOCK");
    assert!(
        blocks.concat().contains("the canary is worse: errors "),
        "{blocks:?}"
    );
    terminal.keys("y");
    terminal.wait_text("O and a reason override this: the canary is worse: errors ");
    assert_eq!(waiting.cart.read()["status"]["currentStepIndex"], 1);
    let (code, said) = spoken(&launch.clone().with(&["promote", "cart", "--yes"]));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("the canary is worse: errors "), "{said}");
    terminal.keys("q");

    // As good, but seldom asked; then as good, and often.
    waiting.load(
        server,
        Load {
            rate: 2.0,
            ..STABLE
        },
        STABLE,
    );
    terminal.wait_text("last 6s: not enough traffic (n=1");
    let (code, said) = spoken(&launch.clone().with(&["promote", "cart", "--dry-run"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("not enough traffic (n=1"), "{said}");
    waiting.load(server, STABLE, STABLE);
    terminal.wait_text("last 6s: ok");
    let ok = wait::until("its metrics are as good", || {
        let (code, said) = spoken(&launch.clone().with(&["promote", "cart", "--dry-run"]));
        assert_eq!(code, Some(0), "{said}");
        said.contains("the canary measures errors 0.")
            .then_some(said)
    });
    assert!(ok.contains("p99 "), "{ok}");
    let (_, said) = spoken(&launch.with(&["doctor"]));
    let answers = format!("127.0.0.1:{}, asked directly, answers in ", server.port);
    assert!(said.contains(&answers), "{said}");
    let wrong = format!(
        "url: 'http://127.0.0.1:{}', user: {user}, token: {{command: [echo, no]}}",
        server.port
    );
    let (_, said) = spoken(&waiting.launch(&owner, &wrong).with(&["doctor"]));
    for part in [
        "it does not accept the login: ",
        "user: and token: in the settings are its login",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn past_what_measures_worse_it_goes_with_a_reason_and_both_are_on_record() {
    let server = prometheus::open();
    let waiting = Waiting::new("overridden");
    waiting.load(server, WORSE, STABLE);
    let at = format!("url: 'http://127.0.0.1:{}'", server.port);
    let launch = waiting.launch(&waiting.owner(), &at);
    let terminal = launch.open();
    terminal.wait_text("waits for you");
    terminal.keys("\r");
    terminal.wait_text("last 6s: worse: errors 10.0 % against 0.2 %");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    override_with(&terminal, "a bot of ours");
    terminal.wait_text("verified: ");
    assert_eq!(waiting.cart.read()["status"]["currentStepIndex"], 3);
    let of_verb = |verb: &str| {
        let record = record(waiting.home.path());
        let verb = format!("\"verb\":\"{verb}\"");
        let line = record.lines().find(|line| line.contains(&verb));
        line.unwrap_or_else(|| panic!("no {verb}: {record}"))
            .to_owned()
    };
    let step = of_verb("promote");
    for part in [
        "a bot of ours",
        "the canary is worse: errors 10.0 % against 0.2 %",
        r#""check":"metrics","finding":"block""#,
    ] {
        assert!(step.contains(part), "{part}: {step}");
    }
    terminal.keys("q");
    terminal.wait_text("last 6s: worse: errors 10.0 % against 0.2 %");
    let fully = ["promote", "cart", "--full", "--yes"];
    let (code, said) = spoken(&launch.clone().with(&fully));
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("the canary is worse: errors 10.0 % against 0.2 %"),
        "{said}"
    );
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    terminal.keys("F");
    wait_plan_to(&terminal, "100% at once");
    override_with(&terminal, "the old one is on fire");
    terminal.wait_text("verified: promoted");
    let full = of_verb("promote-full");
    for part in [
        "the old one is on fire",
        "the canary is worse: errors 10.0 % against 0.2 %",
    ] {
        assert!(full.contains(part), "{part}: {full}");
    }
}

#[test]
fn what_nobody_measured_is_never_a_pass_in_a_plan() {
    let server = prometheus::open();
    let waiting = Waiting::new("nothing-measured");
    waiting.load(server, STABLE, STABLE);
    let owner = waiting.owner();
    let at = format!("url: 'http://127.0.0.1:{}'", server.port);
    let plan = |settings: &str| {
        let launch = waiting.launch(&owner, settings);
        let (code, said) = spoken(&launch.with(&["promote", "cart", "--dry-run"]));
        assert_eq!(code, Some(0), "{said}");
        said
    };
    wait::until("both are counted", || {
        plan(&at)
            .contains("the canary measures errors 0.2 %")
            .then_some(())
    });
    for (settings, finding, want) in [
        (
            "url: 'http://127.0.0.1:1'".to_owned(),
            "unverified",
            "no metrics: 127.0.0.1:1: cannot connect",
        ),
        (
            format!("{at}, queries: {{p99: 'vector(NaN) * scalar(sum(up{{pod!=\"{{pods}}\"}}))'}}"),
            "unverified",
            "p99 of the canary not known: the query gives NaN",
        ),
        (
            format!("{at}, queries: {{errors: 'never_counted{{pod=~\"{{pods}}\"}}'}}"),
            "unverified",
            "errors of the canary not known: the query finds nothing",
        ),
        (
            format!("{at}, queries: {{errors: 'sum({{pods}}'}}"),
            "unverified",
            "errors of the canary not known: 127.0.0.1:",
        ),
    ] {
        let said = plan(&settings);
        let line = said.lines().find(|line| line.contains(want));
        let line = line.unwrap_or_else(|| panic!("{want}: {said}"));
        assert!(line.trim_start().starts_with(finding), "{line}");
        assert!(!said.contains("the canary measures"), "{said}");
    }
    let nobody = Load {
        rate: 0.0,
        ..STABLE
    };
    waiting.load(server, nobody, STABLE);
    wait::until("nobody asks it any more", || {
        let said = plan(&at);
        said.contains("not enough traffic (n=0): nothing says how the canary does")
            .then_some(())
    });
}

#[test]
fn through_the_api_server_it_is_asked_with_the_users_own_rights() {
    let server = prometheus::open();
    let plane = argo_rollouts::plane();
    let waiting = Waiting::new("proxied");
    let namespace = &waiting.namespace;
    waiting.load(server, WORSE, STABLE);
    server.serve(plane, namespace, "prometheus");
    prometheus::with_password().serve(plane, namespace, "closed");
    let at = |name: &str| format!("service: '{namespace}/{name}:9090'");

    let reader = plane.reader("metrics-reader", Some(namespace));
    let terminal = waiting.launch(&reader, &at("prometheus")).open();
    terminal.wait_text("waits for you");
    terminal.keys("\r");
    terminal.wait_text("last 6s: worse: errors ");
    let asked = plane.asked_by("metrics-reader");
    let asked = asked
        .iter()
        .filter(|asked| asked.uri.contains("/proxy/api/v1/query"));
    assert!(asked.count() >= 6);
    drop(terminal);
    let doctor = |kubeconfig: &Path, name: &str| {
        let launch = waiting.launch(kubeconfig, &at(name));
        spoken(&launch.with(&["doctor"])).1
    };
    let answers = format!("{namespace}/prometheus:9090, asked through the API server, answers in ");
    let said = doctor(&reader, "prometheus");
    assert!(said.contains(&answers), "{said}");
    let said = doctor(&reader, "closed");
    assert!(
        said.contains("through the API server goes your own login alone"),
        "{said}"
    );

    let rules = json!([
        {"apiGroups": ["apps", "", "argoproj.io"], "resources": ["rollouts", "replicasets", "pods", "events", "deployments"],
         "verbs": ["get", "list", "watch"]},
    ]);
    let narrow = plane.with_rules("metrics-narrow", &rules, Some(namespace));
    let terminal = waiting.launch(&narrow, &at("prometheus")).open();
    terminal.wait_text("waits for you");
    terminal.keys("\r");
    terminal.wait_text("last 6s: no metrics: ");
    terminal.wait_text("services/proxy");
    drop(terminal);
    let said = doctor(&narrow, "prometheus");
    for part in [
        format!(
            "asked through the API server: {namespace}/prometheus:9090: not for you: needs get services/proxy in {namespace}"
        ),
        format!("whoever runs the cluster can grant get of services/proxy in {namespace}"),
    ] {
        assert!(said.contains(&part), "{part}: {said}");
    }
    // As the example of the settings has it.
    let rule = json!([{"apiGroups": [""], "resources": ["services/proxy"],
        "resourceNames": ["prometheus:9090"], "verbs": ["get"]}]);
    let granted = plane.with_rules("metrics-granted", &rule, Some(namespace));
    let said = doctor(&granted, "prometheus");
    assert!(said.contains(&answers), "{said}");
    let of = look(&narrow, (namespace, &at("prometheus")), ("x", "y"));
    let why = of.canary.requests.unwrap_err();
    assert!(
        why.ends_with(&format!(
            "not for you: needs get services/proxy in {namespace}"
        )),
        "{why}"
    );
    let of = look(&reader, (namespace, &at("closed")), ("x", "y"));
    let why = of.canary.requests.unwrap_err();
    let want = format!(
        "{namespace}/closed:9090: it, or the API server, does not accept the login: Unauthorized"
    );
    assert!(why.starts_with(&want), "{why}");
    let of = look(&reader, (namespace, &at("nobody")), ("x", "y"));
    let why = of.canary.requests.unwrap_err();
    assert!(why.contains("\"nobody\" not found"), "{why}");
}

/// What is told of two sides named by their hashes.
fn look(
    kubeconfig: &Path,
    (namespace, server): (&str, &str),
    (canary, stable): (&str, &str),
) -> Told {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cluster = cluster(kubeconfig);
    let text = format!("[{{{server}, {SHORT}}}]");
    let config = Config {
        prometheus: serde_yaml::from_str(&text).unwrap(),
        ..Config::default()
    };
    let of = WorkloadId {
        cluster: cluster.id().clone(),
        namespace: namespace.into(),
        kind: Kind::Rollout,
        name: "cart".into(),
    };
    let side = |hash: &str| Side {
        workload: "cart".into(),
        hash: Some(hash.into()),
        pods: Pods::OfReplicaSet,
    };
    let sides = Sides {
        canary: side(canary),
        stable: side(stable),
    };
    let prometheus = Prometheus::new(&config, jiff::Timestamp::now);
    RUNTIME.block_on(prometheus.measure(&cluster, &of, &sides))
}

#[test]
fn what_is_not_one_number_says_so() {
    let server = prometheus::open();
    let kubeconfig = ControlPlane::shared().admin_kubeconfig();
    let namespace = "no-number";
    let idle = Load {
        rate: 0.0,
        ..STABLE
    };
    server.load(namespace, "cart-busy", STABLE);
    server.load(namespace, "cart-idle", STABLE);
    let at = format!("url: 'http://127.0.0.1:{}'", server.port);
    let told = |more: &str, sides| look(&kubeconfig, (namespace, &format!("{at}{more}")), sides);
    wait::until("both are counted", || {
        let found = told("", ("idle", "busy"));
        let all = [&found.canary, &found.stable];
        all.iter()
            .all(|side| side.p99.is_ok() && side.errors.is_ok())
            .then_some(())
    });
    server.load(namespace, "cart-idle", idle);
    let found = wait::until("nobody asks it any more", || {
        let found = told("", ("idle", "busy"));
        (found.canary.requests == Ok(0)).then_some(found)
    });
    let nan = Err("the query gives NaN".to_owned());
    assert_eq!(found.canary.errors, nan);
    assert_eq!(found.canary.p99, nan);
    assert!(found.stable.errors.is_ok(), "{found:?}");
    let found = told("", ("gone", "busy"));
    assert_eq!(found.canary.requests, Err("the query finds nothing".into()));
    for (query, want) in [
        (
            "requests: 'http_requests_total{pod=~\"cart-{hash}.*|cart-busy.*\"}'",
            "series, where one is wanted: sum them",
        ),
        (
            "requests: 'http_requests_total{pod=~\"cart-{hash}.*\"}[1m]'",
            "the query gives a matrix, where a number is wanted",
        ),
        (
            "requests: 'sum(http_requests_total{pod=~\"cart-{hash}.*\"}) / 0'",
            "the query gives +Inf",
        ),
        (
            "requests: '-sum(http_requests_total{pod=~\"cart-{hash}.*\"})'",
            "the query gives a number that is below 0",
        ),
        (
            "requests: 'sum(http_requests_total{pod=~\"cart-{hash}.*\"}'",
            "bad_data: ",
        ),
    ] {
        let found = told(&format!(", queries: {{{query}}}"), ("busy", "idle"));
        let why = found.canary.requests.unwrap_err();
        assert!(why.contains(want), "{query}: {why}");
    }
}
