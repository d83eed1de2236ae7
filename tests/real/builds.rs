//! Builds on a real Hudson beside services on a real control plane, with keys and from the command line.

use std::path::Path;

use super::screen::{QUICK, row_of};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::hudson::{Hudson, PASSWORD, USER};
use crate::support::pty::Launch;

/// One service that this job builds, and how rolldeck is started on it.
fn launch(name: &str, port: u16, job: &str, home: &Path) -> Launch {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace(name);
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    let server = format!(
        "jenkins: [{{name: ci, url: 'http://127.0.0.1:{port}', user: {USER}, token: {{env: CI_TOKEN}}, jobs: {{list: {{web: {job}}}}}, image: {{artifact: image.txt}}}}]\n"
    );
    Launch::new(home)
        .config(&format!("{QUICK}{server}"))
        .variable("CI_TOKEN", PASSWORD)
        .kubeconfig(&plane.owner(name, Some(&namespace)))
}

/// Nothing that was written says the password.
fn no_secret_in(folder: &Path) {
    for entry in walk(folder) {
        let text = std::fs::read(&entry).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(PASSWORD), "{}", entry.display());
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_build_is_started_with_its_parameters_and_read_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let port = Hudson::shared().port();
    let terminal = launch("builds-keys", port, "console", home.path())
        .size(120, 40)
        .open();
    terminal.wait_text("web");
    terminal.keys("b");
    terminal.wait_text("it was never built");
    terminal.keys("B");
    terminal.wait_text("one of dev, prod");
    assert!(
        terminal.picture().contains("1.0_"),
        "{}",
        terminal.picture()
    );
    terminal.keys("7\r");
    terminal.wait_text("start console on ci with TAG=1.07");
    terminal.keys("y");
    terminal.wait_text("#1 of console builds it");
    terminal.keys("\r");
    terminal.wait_text("hello 1.07");
    terminal.wait_text("Finished: UNSTABLE");
    terminal.keys("q");
    terminal.wait_for("the build with its tests", |screen| {
        let text = crate::support::pty::picture(screen);
        text.contains("unstable") && text.contains("1 failed")
    });
    terminal.keys("q");
    terminal.wait_for("the column of the board", |screen| {
        row_of(screen, "web").is_some_and(|row| row.contains("#1 unstable"))
    });
    let state = home.path().join(".state/rolldeck");
    let record = std::fs::read_to_string(state.join("release-record.jsonl")).unwrap();
    assert!(record.contains(r#""verb":"build""#), "{record}");
    assert!(
        record.contains("start console on ci with TAG=1.07"),
        "{record}"
    );
    assert!(record.contains("accepted"), "{record}");
    no_secret_in(&state);
}

#[test]
fn the_command_line_builds_the_same_and_says_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let port = Hudson::shared().port();
    let launch = launch("builds-typed", port, "typed", home.path());
    let run = |words: &[&str]| {
        let output = launch.clone().with(words).run();
        super::kinds::said(&output)
    };
    let (code, said) = run(&["build", "web", "-p", "TAG=2.0", "--dry-run"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("start typed on ci with TAG=2.0"), "{said}");
    let (code, said) = run(&["build", "web", "-p", "COLOUR=red", "--yes"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("does not ask for COLOUR"), "{said}");
    let (code, said) = run(&["build", "web", "-p", "PLACE=moon", "--yes"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("PLACE: moon is none of dev, prod"), "{said}");
    let (code, said) = run(&["build", "web", "--yes", "--readonly"]);
    assert_eq!(code, 3, "{said}");
    let (code, said) = run(&["build", "web", "-p", "TAG=2.0", "--yes"]);
    assert_eq!(code, 1, "tests fail in it: {said}");
    assert!(
        said.contains("ok #1 builds it"),
        "nothing was built before: {said}"
    );
    assert!(said.contains("hello 2.0"), "{said}");
    assert!(said.contains("#1 of typed ended: unstable"), "{said}");
    no_secret_in(&home.path().join(".state/rolldeck"));
}

#[test]
fn a_server_that_is_away_takes_nothing_from_the_board() {
    let home = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let terminal = launch("builds-away", 1, "none", home.path())
        .size(120, 40)
        .open();
    terminal.wait_text("ci: no answer for");
    let row = row_of(&terminal.screen(), "web").unwrap();
    assert!(row.contains("1.0"), "{row}");
    terminal.keys("b");
    terminal.wait_text("no answer for");
    terminal.keys("B");
    terminal.wait_text("told nothing of none so far");
    terminal.keys("q");
    terminal.keys("r");
    super::screen::wait_plan_to(&terminal, "RESTART");
    let out = launch("builds-away-too", 1, "none", home.path())
        .with(&["build", "web", "--yes"])
        .run();
    let (code, said) = super::kinds::said(&out);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("Connection refused"), "{said}");
}
