//! Nobody listens any more, or nobody answers: a closed pipe, a lost terminal, a server that is down.

use std::process::{Command, Stdio};

use crate::kinds::record;
use crate::screen::{launch, wait_first_and_stalled, wait_plan};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::Launch;
use crate::support::wait;

#[test]
fn a_pipe_that_closes_after_the_first_line_is_no_failure_and_stops_no_rollback() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("piped");
    for name in ["auth", "billing"] {
        Service::new(&namespace, name).run(plane, "1.0");
    }
    let service = sick(plane, &namespace);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("piped", Some(&namespace)), home.path());
    for (words, first) in [
        (&["status"][..], "NAMESPACE"),
        (&["status", "-o", "json"], "["),
        (&["history", "checkout"], "REV"),
        (
            &["rollback", "checkout", "--yes"],
            "roll back deploy/checkout",
        ),
    ] {
        let (out, code, err) = head(&rolldeck.clone().with(words));
        assert!(out.starts_with(first), "{words:?}: {out:?}");
        assert_eq!(out.lines().count(), 1, "{words:?}: {out:?}");
        assert_eq!((code, &*err), (0, ""), "{words:?}");
    }
    service.wait_complete(plane, "1.0");
    assert!(
        record(home.path()).contains("verified"),
        "it was followed to its end"
    );
}

#[test]
fn a_lost_terminal_ends_it_quietly_and_the_next_session_follows_on() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("lost-line");
    let service = sick(plane, &namespace);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("lost-line", Some(&namespace));
    // Long enough that it cannot be verified before.
    let long = launch(&kubeconfig, home.path()).config("verifySeconds: 20\n");
    let terminal = long.open();
    wait_first_and_stalled(&terminal, &service, "");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("accepted");
    let ended = terminal.hang_up();
    assert!(ended.success(), "{ended:?}");
    let log = std::fs::read_dir(home.path().join(".state/rolldeck")).unwrap();
    for file in log.flatten().filter(|file| file.path().is_file()) {
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(!text.contains("panic"), "{}: {text}", file.path().display());
    }
    let terminal = long.open();
    terminal.wait_text("followed");
    terminal.wait_text("verified:");
    service.wait_complete(plane, "1.0");
}

#[test]
fn a_server_that_is_down_fails_early_and_one_that_hangs_at_the_timeout() {
    let plane = ControlPlane::own();
    let namespace = plane.namespace("down");
    let service = sick(&plane, &namespace);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("down", Some(&namespace)), home.path());
    // Followed through an outage: what was written goes on, so its reader does as well.
    let follows = rolldeck.clone().with(&["rollback", "checkout", "--yes"]);
    let mut follows = follows.command();
    let follows = follows.stdout(Stdio::piped()).stderr(Stdio::piped());
    let follows = follows.spawn().unwrap();
    wait::until("it is written", || {
        (service.live_image(&plane) == service.image("1.0")).then_some(())
    });
    plane.stop();
    for words in [
        &["status"][..],
        &["history", "checkout"],
        &["rollback", "checkout", "--yes"],
    ] {
        let output = rolldeck.clone().with(words).run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        let lines: Vec<_> = said.lines().collect();
        assert!(
            lines[0].ends_with("Connection refused; trying again"),
            "{said}"
        );
        assert!(
            lines[1].ends_with("cannot connect: Connection refused"),
            "{said}"
        );
        assert!(lines[2].contains("rolldeck doctor"), "{said}");
    }
    let brief = rolldeck.clone().with(&["status", "--timeout", "1"]).run();
    assert_eq!(
        brief.status.code(),
        Some(124),
        "the timeout still bounds it"
    );
    plane.start();
    let followed = follows.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&followed.stdout);
    let error = String::from_utf8_lossy(&followed.stderr);
    assert_eq!(followed.status.code(), Some(0), "{said}{error}");
    assert!(said.contains("verified:"), "{said}");
    plane.freeze();
    let silent = rolldeck.with(&["status", "--timeout", "3"]).run();
    plane.thaw();
    let said = String::from_utf8_lossy(&silent.stderr);
    assert_eq!(silent.status.code(), Some(124), "{said}");
}

/// The first line, the exit code, and what it had to complain of.
fn head(launch: &Launch) -> (String, i32, String) {
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            r#"{ "$@"; echo $? >&3; } 3>"$CODE" | head -1"#,
            "head",
        ])
        .arg(&launch.program)
        .args(&launch.arguments)
        .env_clear()
        .envs(launch.environment.iter().cloned());
    let code = launch.home.join("code");
    let output = command.env("CODE", &code).output().unwrap();
    let code = std::fs::read_to_string(code).unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        code.trim().parse().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Stuck in its second rollout.
fn sick(plane: &ControlPlane, namespace: &str) -> Service {
    let service = Service::new(namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    service.wait_waiting(plane, "ImagePullBackOff");
    service
}
