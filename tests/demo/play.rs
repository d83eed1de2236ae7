//! Every scenario played in a terminal, with the keys of a person, to its goal.

use crate::support::pty::{Launch, Terminal, picture};

/// A drill that was opened.
struct Drill {
    home: tempfile::TempDir,
    terminal: Terminal,
}

impl Drill {
    fn open(scenario: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let launch = Launch::new(home.path())
            .variable("TMPDIR", &home.path().to_string_lossy())
            .with(&[
                "demo",
                "--drill",
                "--speed",
                "20",
                "--services",
                "5",
                "--scenario",
                scenario,
            ])
            .size(200, 40);
        let terminal = launch.open();
        terminal.wait_text("enter opens the screen and starts the clock");
        terminal.keys("\r");
        Self { home, terminal }
    }

    /// The first row is this service, and it hangs for this reason.
    fn hangs(&self, service: &str, why: &str) {
        self.terminal
            .wait_for(&format!("{service} stalled in the first row"), |screen| {
                let text = picture(screen);
                let row = text.lines().nth(2).unwrap_or_default();
                row.contains(service) && row.contains("stalled") && row.contains(why)
            });
    }

    fn plan(&self, from_to: &str) {
        self.terminal
            .wait_for(&format!("a checked plan {from_to}"), |screen| {
                let text = picture(screen);
                let answered =
                    text.contains("the server accepts the patch") && text.contains("y rolls back");
                answered
                    && from_to
                        .split('→')
                        .all(|version| text.contains(version.trim()))
            });
    }

    fn verified(&self) {
        self.terminal.wait_text("verified: ");
    }

    /// What is told at the end.
    fn leave(mut self) -> String {
        self.terminal.keys("\x03");
        assert!(self.terminal.wait_exit().success());
        let told = self.terminal.picture();
        let left = std::fs::read_dir(self.home.path()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert!(
            left.iter()
                .all(|name| !name.to_string_lossy().starts_with("rolldeck-demo")),
            "{left:?}"
        );
        told
    }
}

/// The parts of a drill that ended well, in their order.
fn assert_told(told: &str, service: &str, record: &str) {
    let parts = [
        "first look: the services were listed".to_owned(),
        format!("a plan for {service} was opened"),
        "its dry run was answered with 200".to_owned(),
        "was confirmed".to_owned(),
        "accepted: ".to_owned(),
        "verified: ".to_owned(),
    ];
    let mut rest = told;
    for part in parts {
        let at = rest
            .find(&part)
            .unwrap_or_else(|| panic!("no {part:?} in its place:\n{told}"));
        rest = &rest[at..];
    }
    assert!(told.contains("the goal is reached"), "{told}");
    assert!(told.contains("   wrote  PATCH /apis/"), "{told}");
    assert!(told.contains("    goal  holds"), "{told}");
    assert!(told.contains(&format!("  record  {record}")), "{told}");
}

#[test]
fn what_hangs_is_rolled_back_with_two_keys() {
    for (scenario, service, why, from_to) in [
        ("tour", "checkout", "image not found", "2.15.0 → 2.14.1"),
        ("bad-image", "catalog", "image not found", "2.15.0 → 2.14.0"),
        ("crash-loop", "payments", "exit 1", "8.4.0 → 8.3.0"),
        ("config-gone", "orders", "orders-v7", "3.2.0 → 3.1.1"),
        ("fleet", "checkout", "image not found", "2.15.0 → 2.14.1"),
    ] {
        let drill = Drill::open(scenario);
        drill.hangs(service, why);
        drill.terminal.keys("R");
        drill.plan(from_to);
        drill.terminal.keys("y");
        drill.verified();
        assert_told(&drill.leave(), service, "1 sent, 1 verified");
    }
}

/// The colleague acts as soon as the dry run is answered: before the plan asks whether the object is unchanged, or after.
#[test]
fn the_colleague_is_seen_and_the_second_plan_is_done() {
    const MOVED: &str = "The object moved while you looked";
    let drill = Drill::open("two-operators");
    drill.hangs("checkout", "image not found");
    drill.terminal.keys("R");
    drill
        .terminal
        .wait_for("a first plan that is too old", |screen| {
            let text = picture(screen);
            let settled =
                text.contains("y rolls back") && text.contains("unchanged since you looked");
            text.contains(MOVED) || settled && text.contains("2.15.1")
        });
    if !drill.terminal.picture().contains(MOVED) {
        drill.terminal.keys("y");
    }
    drill.terminal.wait_text(MOVED);
    drill.plan("2.15.1 → 2.14.1");
    drill.terminal.keys("y");
    drill.verified();
    let told = drill.leave();
    let refused = told.contains("refused: ");
    let record = if refused {
        "2 sent, 1 verified"
    } else {
        "1 sent, 1 verified"
    };
    assert_told(&told, "checkout", record);
}

#[test]
fn the_database_is_freed_by_the_pod_that_goes_with_the_plan() {
    let drill = Drill::open("db-ordered-ready");
    drill.hangs("ledger-db", "exit 1");
    drill.terminal.keys("R");
    drill.plan("16.5.0 → 16.4.0");
    drill.terminal.keys("y");
    drill.verified();
    let told = drill.leave();
    assert_told(&told, "ledger-db", "1 sent, 1 verified");
    let deleted = "DELETE /api/v1/namespaces/shop/pods/ledger-db-2 (200)";
    assert!(told.contains(deleted), "{told}");
}

/// Both are given back with `A`: what the numbers tell, and what they cannot tell, stands on the service's screen.
#[test]
fn a_canary_is_given_back_to_what_served_before() {
    for (scenario, service, row, told, versions) in [
        (
            "bad-canary",
            "payments",
            "analysis payments-",
            "success-rate 0.81: running,",
            "8.4.0 → 8.3.0",
        ),
        (
            "no-traffic",
            "search",
            "analysis inconclusive: waits for you",
            "requests 3: inconclusive, 1 sample, wants result >= 100",
            "4.5.0 → 4.4.0",
        ),
    ] {
        let drill = Drill::open(scenario);
        drill
            .terminal
            .wait_for(&format!("{service} in the first row"), |screen| {
                let text = picture(screen);
                let first = text.lines().nth(2).unwrap_or_default();
                first.contains(service) && first.contains("20% step 2/5") && first.contains(row)
            });
        drill.terminal.keys("\r");
        drill.terminal.wait_text(told);
        drill.terminal.keys("A");
        drill
            .terminal
            .wait_for(&format!("a checked abort {versions}"), |screen| {
                let text = picture(screen);
                let answered =
                    text.contains("the server accepts the patch") && text.contains("y aborts");
                answered
                    && versions
                        .split('→')
                        .all(|version| text.contains(version.trim()))
            });
        drill.terminal.keys("y");
        drill.verified();
        assert_told(&drill.leave(), service, "1 sent, 1 verified");
    }
}

#[test]
fn four_of_five_are_promoted_and_the_blocked_one_is_left_out() {
    let drill = Drill::open("promote-fleet");
    let terminal = &drill.terminal;
    terminal.wait_text("checkout");
    terminal.keys("m");
    terminal.wait_for("five rows that differ, by their digests", |screen| {
        let text = picture(screen);
        text.contains(" 5 differ") && text.contains("digests ")
    });
    // By name, so that the order is known; the first row, in the column of staging.
    terminal.keys("Sn");
    terminal.keys("ghhl");
    for marks in 1..=5 {
        terminal.keys(" ");
        terminal.wait_text(&format!("{marks} marked"));
        terminal.keys("j");
    }
    terminal.keys("P");
    terminal.wait_for("five plans, one of them blocked", |screen| {
        let text = picture(screen);
        text.contains("PROMOTE  5 services")
            && text.contains("ConfigMap checkout-settings is missing")
            && !["asking", "reading"].iter().any(|word| text.contains(word))
    });
    terminal.keys("jj ");
    terminal.wait_text("y promotes 1 at a time");
    terminal.keys("y");
    terminal.wait_text("4 verified");
    let told = drill.leave();
    for part in [
        "the goal is reached",
        "    goal  holds",
        "  record  4 sent, 4 verified",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("deployments/checkout ("), "{told}");
}

#[test]
fn a_build_from_a_folder_says_that_a_demo_has_no_engine() {
    let home = tempfile::tempdir().unwrap();
    let terminal = Launch::new(home.path())
        .variable("TMPDIR", &home.path().to_string_lossy())
        .with(&["demo", "-n", "shop-dev"])
        .size(120, 40)
        .open();
    terminal.wait_for("what its Jenkins told of the marked one", |screen| {
        let text = picture(screen);
        let row = text.lines().find(|line| line.contains("❯"));
        row.is_some_and(|row| row.contains("#2 ok"))
    });
    terminal.keys("B");
    terminal.wait_text("ctrl-o from its folder");
    terminal.keys("\x0f");
    terminal.wait_text("there is no Docker engine in a demo");
    terminal.keys("q");
    terminal.wait_gone("there is no Docker engine in a demo");
}

/// The tour at its own speed: a server that builds is looked at every quarter of a minute while nothing moves there.
fn tour(home: &tempfile::TempDir, arguments: &[&str]) -> Terminal {
    let launch = Launch::new(home.path())
        .variable("TMPDIR", &home.path().to_string_lossy())
        .with(&["demo"]);
    launch.with(arguments).size(160, 40).open()
}

#[test]
fn a_delivery_goes_through_on_its_own() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = tour(&home, &["-n", "shop-staging"]);
    terminal.wait_text("1.5.1");
    // Commit, hook, build, image and rollout, each as the board tells it.
    terminal.keys("/reviews\r");
    terminal.wait_text("builds, ");
    terminal.wait_text("1.5.1 → 1.5.2");
    terminal.keys("b");
    terminal.wait_for("its build with its commit and the revision", |screen| {
        let text = picture(screen);
        let row = text.lines().find(|line| line.contains("#4"));
        row.is_some_and(|row| row.contains("ok") && row.contains("rev "))
    });
    terminal.keys("\x03");
    assert!(terminal.wait_exit().success());
}

#[test]
fn the_tour_has_a_red_build_and_commits_that_a_rollback_takes_back() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = tour(&home, &[]);
    terminal.wait_text("main red for 2h");
    terminal.keys("R");
    terminal.wait_text("goes back over");
    terminal.keys("\x03");
    assert!(terminal.wait_exit().success());
}
