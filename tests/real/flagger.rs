//! Flagger with its real controller, which looks every ten seconds: what is said of a canary, and what it is told.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::kinds::{record, spoken};
use crate::screen::{launch, row_of, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::flagger::{self, Web};
use crate::support::pty::{Terminal, picture};
use crate::support::wait;

mod moved;
mod primary;
mod route;
mod unchecked;

/// A target that Flagger moves, and its owner with a home.
struct Owned {
    web: Web,
    home: tempfile::TempDir,
    kubeconfig: PathBuf,
}

impl Owned {
    fn new(prefix: &str, gates: &[&str], iterations: u32) -> Self {
        Self::of(prefix, |plane, namespace| {
            Web::run(plane, namespace, gates, iterations)
        })
    }

    fn of(prefix: &str, run: impl FnOnce(&'static ControlPlane, &str) -> Web) -> Self {
        let plane = flagger::plane();
        let namespace = plane.namespace(prefix);
        Self {
            kubeconfig: plane.owner(&namespace, Some(&namespace)),
            home: tempfile::tempdir().unwrap(),
            web: run(plane, &namespace),
        }
    }

    fn open(&self) -> Terminal {
        launch(&self.kubeconfig, self.home.path())
            .size(160, 40)
            .open()
    }

    /// It ends well and says so.
    fn does(&self, arguments: &[&str], says: &str) {
        let (code, said) = spoken(&launch(&self.kubeconfig, self.home.path()).with(arguments));
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        assert!(said.contains(says), "{says}: {said}");
    }

    /// It is refused, with all of these words.
    fn refuses(&self, arguments: &[&str], says: &[&str]) {
        let (code, said) = spoken(&launch(&self.kubeconfig, self.home.path()).with(arguments));
        assert_eq!(code, Some(3), "{arguments:?}: {said}");
        for words in says {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}

fn wait_row(terminal: &Terminal, words: &str) {
    terminal.wait_for(&format!("the row with {words}"), |screen| {
        row_of(screen, "web").is_some_and(|row| row.contains(words))
    });
}

#[test]
fn a_canary_held_at_its_gates_is_promoted_by_its_analysis() {
    let owned = Owned::new("gated", &["confirm-rollout", "confirm-promotion"], 2);
    let (web, terminal) = (&owned.web, owned.open());
    wait_row(&terminal, "web-primary serves");
    wait_row(&terminal, "2/2");
    // The other is a row of its own.
    terminal.wait_text("kept by the Canary web");
    web.set_image("2.15.0");
    wait_row(&terminal, "waits to begin, gate door");
    wait_row(&terminal, "2.14.1 → 2.15.0");
    // What the API takes and Flagger does not: a promotion and an abort before it began.
    owned.refuses(
        &["promote", "web", "--yes", "--override", "now"],
        &[
            "waits to begin",
            "gate door (http://127.0.0.1:",
            "opens that",
        ],
    );
    owned.refuses(
        &["abort", "web", "--yes"],
        &[
            "nothing of it runs",
            "a rollback puts the old template back",
        ],
    );
    owned.refuses(
        &["resume", "web", "--yes"],
        &["is not suspended: gate door"],
    );
    web.open(true);
    web.wait_phase("Progressing");
    web.open(false);
    wait_row(&terminal, "check 2/2");
    wait_row(&terminal, "waits for leave, gate door");
    terminal.keys("\r");
    terminal.wait_text("Flagger looks every 10s");
    terminal.wait_text("gate door holds it: http://127.0.0.1:");
    terminal.wait_text("share: running, wants >= 99");
    assert!(web.primary().ends_with("2.14.1"));
    web.open(true);
    terminal.wait_text("web-primary takes it over");
    terminal.keys("q");
    wait_row(&terminal, "web-primary serves");
    terminal.wait_for("only the new version", |screen| {
        row_of(screen, "web").is_some_and(|row| row.contains("2.15.0") && !row.contains('→'))
    });
    assert!(web.primary().ends_with("2.15.0"));
    // Between releases the target is at zero, and what could be done to it would do nothing.
    owned.refuses(
        &["restart", "web", "--yes"],
        &[
            "is kept at zero by the Canary web",
            "restart deploy/web-primary",
        ],
    );
    owned.refuses(
        &["scale", "web", "3", "--yes"],
        &["is kept at zero", "the next release takes its number over"],
    );
}

#[test]
fn one_that_fails_is_told_with_its_metric_and_begun_anew() {
    let owned = Owned::new("failing", &[], 2);
    let (web, terminal) = (&owned.web, owned.open());
    wait_row(&terminal, "web-primary serves");
    owned.refuses(&["retry", "web", "--yes"], &["has not failed"]);
    web.measures("50");
    web.set_image("2.15.0");
    wait_row(&terminal, "1 of 2 failed checks: share 50.00 < 99");
    wait_row(
        &terminal,
        "failed: 2.14.1 serves, 2.15.0 is still asked for; share 50.00 < 99",
    );
    wait_row(&terminal, "2/2");
    owned.refuses(
        &["promote", "web", "--yes", "--override", "now"],
        &[
            "failed: promoting it changes nothing",
            "a retry begins it anew",
        ],
    );
    terminal.keys("\r");
    terminal.wait_text("share 50.00: failed, wants >= 99");
    terminal.keys("q");
    web.measures("100");
    terminal.keys("P");
    wait_plan_to(&terminal, "RETRY");
    let plan = terminal.picture();
    for part in [
        "failed → 2 checks",
        "it failed: share 50.00: failed, wants >= 99",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: 2 of 2 of web-primary serve 2.15.0");
    assert!(web.primary().ends_with("2.15.0"));
    assert!(record(owned.home.path()).contains(r#""verb":"retry""#));
}

#[test]
fn an_abort_works_where_a_rollback_would_not() {
    let owned = Owned::new("given-up", &[], 9);
    let (web, terminal) = (&owned.web, owned.open());
    wait_row(&terminal, "web-primary serves");
    web.set_image("2.15.0");
    wait_row(&terminal, "check 2/9");
    // The old template mid-run is run on both sides, and called a success.
    owned.refuses(
        &["rollback", "web", "--yes"],
        &["is no abort", "an abort gives the canary up"],
    );
    wait_row(&terminal, "A");
    terminal.keys("A");
    wait_plan_to(&terminal, "ABORT");
    let plan = terminal.picture();
    for part in [
        "→ failed",
        "you may patch canaries/status",
        "at the next look (every 10s)",
        "patch canaries.flagger.app web --subresource",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: 2 of 2 of web-primary serve 2.14.1; the template still asks for");
    assert_eq!(web.read()["status"]["phase"], "Failed");
    assert!(web.primary().ends_with("2.14.1"));
    owned.refuses(&["abort", "web", "--yes"], &["was given up already"]);
    // Its undo is no rollback of a template that nobody changed: it begins anew.
    terminal.keys("\x1b");
    terminal.wait_for("the box is closed", |screen| {
        !picture(screen).contains("esc closes")
    });
    terminal.keys("a");
    terminal.wait_text("abort");
    terminal.keys("U");
    wait_plan_to(&terminal, "RETRY");
    terminal.keys("q");
    terminal.keys("q");
    // After it the old template makes no release: what failed is no longer asked for.
    owned.does(
        &["rollback", "web", "--yes"],
        "verified: 2 of 2 of web-primary serve 2.14.1",
    );
    wait_row(&terminal, "what failed is no longer asked for");
    // One whose pods do not come is not looked at, and so not aborted.
    web.set_image("2.16.0-unpullable");
    web.wait_phase("Progressing");
    wait_row(&terminal, "stalled");
    owned.refuses(
        &["abort", "web", "--yes"],
        &["0 of 2 of its pods are ready", "progressDeadlineSeconds"],
    );
    web.patch("", &json!({"spec": {"progressDeadlineSeconds": 5}}));
    web.wait_phase("Failed");
}

#[test]
fn it_is_suspended_resumed_and_promoted_at_once() {
    let owned = Owned::new("at-once", &[], 9);
    let (web, terminal) = (&owned.web, owned.open());
    wait_row(&terminal, "web-primary serves");
    web.set_image("2.15.0");
    wait_row(&terminal, "check 2/9");
    terminal.keys("u");
    wait_plan_to(&terminal, "PAUSE");
    let plan = terminal.picture();
    assert!(plan.contains("suspend  no → yes"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: its Canary is suspended, and stands still");
    wait_row(&terminal, "suspended: nothing of it moves");
    for arguments in [
        &["abort", "web", "--yes"][..],
        &["promote", "web", "--yes", "--override", "now"],
    ] {
        owned.refuses(arguments, &["is suspended", "resume it first"]);
    }
    owned.does(
        &["resume", "web", "--yes"],
        "verified: its Canary is on again",
    );
    assert_eq!(web.read()["spec"]["suspend"], Value::Null);
    // Past the checks that are left only with a reason, and then they are on again.
    owned.refuses(&["promote", "web", "--yes"], &["never run"]);
    owned.does(
        &["promote", "web", "--yes", "--override", "watched by hand"],
        "verified: promoted, 2 of 2 of web-primary serve 2.15.0",
    );
    let left = web.read();
    assert_eq!(left["spec"]["skipAnalysis"], Value::Null, "{left}");
    assert_eq!(left["status"]["phase"], "Succeeded");
    assert!(web.primary().ends_with("2.15.0"));
    let record = record(owned.home.path());
    for part in ["watched by hand", r#""verb":"pause""#, r#""verb":"resume""#] {
        assert!(record.contains(part), "{part}: {record}");
    }
    wait_row(&terminal, "web-primary serves");
    terminal.keys("\r");
    terminal.wait_text("on 2 of 2 pods");
    terminal.wait_for("the pods that serve", |screen| {
        let screen = picture(screen);
        screen.contains("PODS OF web-primary") && screen.matches("web-primary-").count() >= 2
    });
    // What its controller writes with each promotion is changed only with that said.
    let said = spoken(&launch(&owned.kubeconfig, owned.home.path()).with(&[
        "rollback",
        "web-primary",
        "--dry-run",
    ]));
    assert!(
        said.1.contains("the Canary web of Flagger made it"),
        "{said:?}"
    );
}

#[test]
fn a_weight_is_told_as_it_stands_in_its_ingress() {
    let owned = Owned::of("weighted", Web::weighted);
    let (web, terminal) = (&owned.web, owned.open());
    wait_row(&terminal, "web-primary serves");
    web.set_image("2.15.0");
    wait_row(&terminal, "30% step 1/2");
    terminal.keys("\r");
    terminal.wait_text("step 1 of 2: 30%");
    terminal.wait_text("weight 30% set, 30% in ingress/web-canary");
    terminal.wait_text("then 60%");
    terminal.wait_text("weight 60% set, 60% in ingress/web-canary");
    // For a whole look its status says 0 while the router still has 60.
    let status = web.wait_phase("Promoting");
    assert_eq!(
        (&status["canaryWeight"], web.routed()),
        (&json!(0), json!("60"))
    );
    terminal.wait_text("weight 0% set, 60% in ingress/web-canary");
    terminal.keys("q");
    wait_row(&terminal, "web-primary serves");
    assert_eq!(web.routed(), "0");
    // The same to its abort: the traffic goes back with it.
    web.set_image("2.16.0");
    wait_row(&terminal, "30% step 1/2");
    owned.does(
        &["abort", "web", "--yes"],
        "verified: 2 of 2 of web-primary serve 2.15.0",
    );
    assert_eq!(web.routed(), "0");
}

#[test]
fn without_flagger_it_is_asked_for_once_and_without_its_rights_the_rest_is_shown() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::own()));
    let namespace = plane.namespace("canaryless");
    Service::new(&namespace, "checkout").run(plane, "1.0");
    let rules = json!([
        {"apiGroups": ["apps", ""], "resources": ["*"], "verbs": ["get", "list", "watch"]},
    ]);
    let kubeconfig = plane.with_rules("canaryless", &rules, Some(&namespace));
    let home = tempfile::tempdir().unwrap();
    let terminal = launch(&kubeconfig, home.path()).size(160, 40).open();
    terminal.wait_for("the deployment", |screen| {
        row_of(screen, "checkout").is_some()
    });
    let asked = || {
        let all = plane.asked_by("canaryless").into_iter();
        let of = all.map(|asked| asked.uri);
        of.filter(|uri| uri.contains("flagger.app"))
            .collect::<Vec<_>>()
    };
    // Such a question waits until the board stands.
    wait::until("it asks for them", || (!asked().is_empty()).then_some(()));
    assert_eq!(asked(), ["/apis/flagger.app/v1beta1"]);
    let controller = flagger::install(plane);
    terminal.keys("\x12");
    terminal.wait_text("needs list canaries.flagger.app");
    let output = launch(&kubeconfig, home.path()).with(&["status"]).run();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("deploy/checkout"),
        "{said}"
    );
    let aside = String::from_utf8_lossy(&output.stderr);
    assert!(
        aside.contains("Flagger's canaries are left out: needs list"),
        "{aside}"
    );
    drop(controller);
}
