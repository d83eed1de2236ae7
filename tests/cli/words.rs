//! What a script sees when something is missing.

use std::process::Output;

use crate::support::pty::Launch;

const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: staging\n\
    clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
    users: [{name: u, user: {}}]\n\
    contexts: [{name: staging, context: {cluster: c, user: u, namespace: shop}}]\n";

fn run(arguments: &[&str], kubeconfig: bool) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut launch = Launch::new(home.path());
    if kubeconfig {
        let file = home.path().join("kubeconfig");
        std::fs::write(&file, KUBECONFIG).unwrap();
        launch = launch.kubeconfig(&file);
    }
    for argument in arguments {
        launch = launch.argument(argument);
    }
    let Output {
        status,
        stdout,
        stderr,
    } = launch.run();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn exit_codes_and_the_word_that_matters() {
    for (arguments, kubeconfig, code, word) in [
        (&[][..], true, 2, "this is not a terminal"),
        (&["rollback"], true, 2, "<SERVICE>"),
        (
            &["rollback", "a", "--yes", "--dry-run"],
            true,
            2,
            "cannot be used with",
        ),
        (&["frobnicate"], true, 2, "unrecognized subcommand"),
        (&["status", "-l", "=web"], true, 2, "is not a label"),
        (
            &["status", "--readonly", "--write"],
            true,
            2,
            "use one of them",
        ),
        (&["status"], false, 2, "No cluster to show."),
        (
            &["status", "--context", "nowhere"],
            true,
            2,
            "there is no context named nowhere",
        ),
        (&["status", "--timeout", "1"], true, 124, "refused"),
        (&["status"], true, 1, "cannot connect: Connection refused"),
        (&["history", "a", "--timeout", "1"], true, 124, "refused"),
        (&["-c", "doctor"], true, 2, "this is not a terminal"),
        (&["status", "--timeout", "0"], true, 2, "0 is not in 1.."),
        (
            &["status", "--config", "/nonexistent/c.yaml"],
            true,
            2,
            "/nonexistent/c.yaml: cannot be read",
        ),
    ] {
        let (got, out, err) = run(arguments, kubeconfig);
        assert_eq!(got, code, "{arguments:?}: {err}");
        assert!(err.contains(word), "{arguments:?}: {err}");
        assert_eq!(out, "", "{arguments:?}");
    }
}

#[test]
fn the_doctor_answers_without_a_cluster_and_says_so_in_json() {
    let (code, out, _) = run(&["doctor", "-o", "json"], false);
    assert_eq!(code, 1);
    let lines: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let finding = |about: &str| {
        let line = lines.iter().find(|line| line["about"] == about);
        line.unwrap_or_else(|| panic!("no {about}: {out}"))["finding"].clone()
    };
    assert_eq!(finding("login"), "block");
    assert_eq!(finding("record"), "ok");
}

#[test]
fn help_names_every_command() {
    let (code, out, _) = run(&["--help"], false);
    assert_eq!(code, 0);
    for word in [
        "status",
        "history",
        "rollback",
        "pause",
        "resume",
        "restart",
        "doctor",
        "--context",
        "--readonly",
        "124",
    ] {
        assert!(out.contains(word), "{word}: {out}");
    }
}
