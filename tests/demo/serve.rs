//! `rolldeck demo` without a screen: what it lists, what it serves, and what it leaves behind.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::support::keeper::signal;
use crate::support::pty::Launch;

/// A demo that serves until it is told to end.
pub struct Served {
    child: Child,
    pub kubeconfig: PathBuf,
}

impl Served {
    pub fn start(home: &Path, arguments: &[&str]) -> Self {
        let launch = Launch::new(home).with(&["demo", "--serve"]).with(arguments);
        let launch = launch.variable("TMPDIR", &home.to_string_lossy());
        let mut command = launch.command();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in lines {
            said.push(line.unwrap());
            if said.last().unwrap().starts_with("ctrl-c ends it") {
                break;
            }
        }
        let told = |line: &String| {
            line.strip_prefix("kubeconfig ")
                .map(str::trim)
                .map(PathBuf::from)
        };
        let kubeconfig = said.iter().find_map(told);
        let kubeconfig = kubeconfig.unwrap_or_else(|| panic!("no kubeconfig: {said:?}"));
        Self { child, kubeconfig }
    }

    /// What rolldeck says of this world.
    pub fn ask(&self, home: &Path, arguments: &[&str]) -> String {
        let output = Launch::new(home)
            .kubeconfig(&self.kubeconfig)
            .with(arguments)
            .run();
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn end(mut self, how: &str) {
        signal(self.child.id(), how);
        assert!(self.child.wait().unwrap().success());
        let folder = self.kubeconfig.parent().unwrap();
        assert!(!folder.exists(), "{} is left after {how}", folder.display());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(output: &std::process::Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

#[test]
fn the_scenarios_are_listed() {
    let home = tempfile::tempdir().unwrap();
    let (out, _, code) = said(&Launch::new(home.path()).with(&["demo", "--list"]).run());
    assert_eq!(code, Some(0));
    let names: Vec<_> = out
        .lines()
        .skip(1)
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "tour",
            "bad-image",
            "crash-loop",
            "config-gone",
            "two-operators",
            "db-ordered-ready",
            "bad-canary",
            "no-traffic",
            "promote-fleet",
            "fleet"
        ]
    );
}

#[test]
fn what_cannot_be_played_says_why() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, want) in [
        (
            &["demo", "--scenario", "crash-lopp"][..],
            "rolldeck: there is no scenario named crash-lopp\n  did you mean crash-loop?\n",
        ),
        (
            &["demo"][..],
            "rolldeck: this is not a terminal, and the board needs one\n",
        ),
    ] {
        let (_, err, code) = said(&Launch::new(home.path()).with(arguments).run());
        assert!(err.starts_with(want), "{err}");
        assert_eq!(code, Some(2), "{arguments:?}");
    }
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn two_worlds_at_once_and_nothing_is_left_of_them() {
    let home = tempfile::tempdir().unwrap();
    let tour = Served::start(home.path(), &[]);
    let other = Served::start(home.path(), &["--scenario", "bad-image"]);
    let rows = tour.ask(home.path(), &["status", "-A"]);
    let first = rows.lines().nth(1).unwrap();
    assert!(
        first.starts_with("shop-prod") && first.contains("checkout"),
        "{rows}"
    );
    assert!(
        first.contains("2.14.1 -> 2.15.0") && first.contains("stalled"),
        "{rows}"
    );
    let rows = other.ask(home.path(), &["status", "-A"]);
    assert!(rows.lines().nth(1).unwrap().contains("catalog"), "{rows}");
    assert!(!rows.contains("checkout"), "{rows}");
    tour.end("INT");
    let rows = other.ask(home.path(), &["status", "-A"]);
    assert!(rows.lines().nth(1).unwrap().contains("catalog"), "{rows}");
    other.end("TERM");
}

#[test]
fn the_reader_may_look_and_not_touch() {
    let home = tempfile::tempdir().unwrap();
    let world = Served::start(home.path(), &["--scenario", "bad-image"]);
    let plan = ["rollback", "catalog", "-n", "shop", "--dry-run"];
    let mine = world.ask(home.path(), &plan);
    assert!(mine.contains("2.15.0 (rev 3) -> 2.14.0 (rev 2, "), "{mine}");
    assert!(
        mine.contains("nothing was changed; --yes executes this plan"),
        "{mine}"
    );
    let theirs = world.ask(
        home.path(),
        &[&plan[..], &["--context", "demo-reader"]].concat(),
    );
    assert!(
        theirs.contains("BLOCK      you may not patch deployments in shop"),
        "{theirs}"
    );
    world.end("HUP");
}
