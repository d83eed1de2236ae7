//! Builds on a real Hudson beside services on a real control plane, with keys and from the command line.

use std::path::Path;

use rolldeck::domain::build::Job;

use super::kinds::record;
use super::screen::{QUICK, row_of, wait_first_and_stalled, wait_plan};
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::hudson::{Hudson, PASSWORD};
use crate::support::pty::Launch;

/// One service that this job builds, and how rolldeck is started on it.
fn launch(name: &str, port: u16, job: &str, home: &Path) -> Launch {
    started(name, port, job, home).1
}

/// The same, with the service.
fn started(name: &str, port: u16, job: &str, home: &Path) -> (Service, Launch) {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace(name);
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    let launch = Launch::new(home)
        .config(&settings(port, job, LOGIN))
        .variable("CI_TOKEN", PASSWORD)
        .kubeconfig(&plane.owner(name, Some(&namespace)));
    (service, launch)
}

const LOGIN: &str = "user: admin, token: {env: CI_TOKEN}, ";

fn settings(port: u16, job: &str, login: &str) -> String {
    format!(
        "{QUICK}jenkins: [{{name: ci, url: 'http://127.0.0.1:{port}', {login}jobs: {{list: {{web: {job}}}}}, image: {{artifact: image.txt}}}}]\n"
    )
}

/// What Hudson says of a job.
fn job(path: &str) -> Job {
    let client = super::jenkins::client();
    RUNTIME.block_on(client.job(path)).unwrap()
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
    let record = record(home.path());
    assert!(record.contains(r#""verb":"build""#), "{record}");
    assert!(
        record.contains("start console on ci with TAG=1.07"),
        "{record}"
    );
    assert!(record.contains("accepted"), "{record}");
    no_secret_in(&home.path().join(".state/rolldeck"));
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
    // A plan says that nobody knows, and goes on.
    let out = launch("builds-away-plan", 1, "none", home.path())
        .with(&["set-image", "web", "1.1", "--dry-run"])
        .run();
    let (code, said) = super::kinds::said(&out);
    assert_eq!(code, 0, "{said}");
    let unknown = "unverified whether a build is on its way: connect to ci";
    assert!(said.contains(unknown), "{said}");
}

#[test]
fn a_job_is_held_before_the_rollback_and_one_key_ends_that() {
    let plane = ControlPlane::shared();
    let home = tempfile::tempdir().unwrap();
    let port = Hudson::shared().port();
    let (service, launch) = started("builds-held", port, "held", home.path());
    let terminal = launch.size(120, 40).open();
    terminal.wait_text("web");
    service.set_image(plane, "2.0-unpullable");
    wait_first_and_stalled(&terminal, &service, "image");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.wait_text("held builds nothing now");
    terminal.keys("rINC-812\r");
    terminal.wait_text("h holds the job until");
    terminal.keys("h");
    terminal.wait_text("hold held on ci until");
    wait_plan(&terminal);
    assert!(job("held").buildable, "not before y");
    terminal.keys("y");
    terminal.wait_text("verified: ");
    service.wait_complete(plane, "1.0");
    let held = job("held");
    let hold = held.hold().unwrap();
    assert_eq!(&*hold.why, "INC-812");
    assert_eq!(held.own_description(), "made by a test");
    terminal.wait_text("web's job held until");
    let said = terminal.picture();
    assert!(said.contains(&format!("by {}: INC-812", hold.by)), "{said}");
    terminal.keys("b");
    terminal.wait_text("INC-812 · h ends it");
    terminal.keys("h");
    terminal.wait_text("switch held on ci on again");
    terminal.keys("y");
    terminal.wait_text("held is on again");
    let free = job("held");
    assert!(free.buildable);
    assert_eq!(free.description.as_deref(), Some("made by a test"));
    terminal.keys("q");
    terminal.wait_for("a board without the line", |screen| {
        !crate::support::pty::picture(screen).contains("INC-812")
    });
    let record = record(home.path());
    let first = |verb: &str| record.find(&format!(r#""verb":"{verb}""#)).expect(verb);
    assert!(first("rollback") < first("hold-job"), "{record}");
    assert!(first("hold-job") < first("resume-job"), "{record}");
    assert!(record.contains("held is off until"), "{record}");
    no_secret_in(&home.path().join(".state/rolldeck"));
}

#[test]
fn the_command_line_holds_the_job_or_leaves_the_service_alone() {
    let plane = ControlPlane::shared();
    let home = tempfile::tempdir().unwrap();
    let port = Hudson::shared().port();
    let (service, launch) = started("builds-held-typed", port, "held-typed", home.path());
    service.set_image(plane, "2.0-unpullable");
    let run = |words: &[&str]| {
        let output = launch.clone().with(words).run();
        super::kinds::said(&output)
    };
    let client = super::jenkins::client();
    super::jenkins::start(&client, "held-typed", &[("N", "1")]);
    crate::support::wait::until("a build that runs", || job("held-typed").last.map(drop));
    for words in [
        &["rollback", "web", "--dry-run"][..],
        &["set-image", "web", "1.1", "--dry-run"],
    ] {
        let (code, said) = run(words);
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("warn       build #1 of held-typed is running"),
            "{said}"
        );
    }
    Hudson::shared().open("held-gate");
    let elsewhere = tempfile::tempdir().unwrap();
    let guest = Launch::new(elsewhere.path())
        .config(&settings(port, "held-typed", ""))
        .kubeconfig(&plane.owner("builds-held-guest", Some(&service.namespace)));
    let out = guest
        .with(&["rollback", "web", "--hold-job", "--dry-run"])
        .run();
    let (code, said) = super::kinds::said(&out);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("BLOCK      held-typed cannot be held"),
        "{said}"
    );
    let (code, said) = run(&["rollback", "web", "--hold-job=2h", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("first      hold held-typed on ci until"),
        "{said}"
    );
    assert!(said.contains("ok hold held-typed on ci until"), "{said}");
    assert!(said.contains("verified: "), "{said}");
    assert!(job("held-typed").hold().is_some());
    let (code, said) = run(&["build", "web", "--yes"]);
    assert_eq!(code, 2, "{said}");
    // What cannot be held stops the plan before the rollback.
    service.set_image(plane, "3.0-unpullable");
    let (code, said) = run(&["rollback", "web", "--hold-job", "--yes"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("held-typed is held already, by"), "{said}");
    let insist = [
        "rollback",
        "web",
        "--hold-job",
        "--yes",
        "--override",
        "try",
    ];
    let (code, said) = run(&insist);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("Nothing was done to deploy/web: held-typed was not held"),
        "{said}"
    );
    assert!(
        said.contains("without the hold the same plan can go on"),
        "{said}"
    );
    assert_eq!(service.live_image(plane), service.image("3.0-unpullable"));
    let (code, said) = run(&["build", "web", "--resume-job", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("held-typed is on again"), "{said}");
    assert!(job("held-typed").buildable);
    let (code, said) = run(&["build", "web", "--resume-job", "--yes"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("held-typed is not held: it is on"), "{said}");
    no_secret_in(&home.path().join(".state/rolldeck"));
}
