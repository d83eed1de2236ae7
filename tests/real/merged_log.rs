//! Logs of a service's pods read together, over a rollout: old pods go, new ones come, and each line says whose it is.

use serde_json::json;

use crate::screen::{launch, open};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::picture;

const PODS: usize = 5;

/// Lines of the log in which a pod wrote `words`, by the word of its revision (empty: all are of one) and its tag.
fn written<'a>(screen: &'a str, words: &str) -> Vec<(&'a str, &'a str)> {
    let lines = screen.lines().filter(|line| line.trim().ends_with(words));
    let mut found: Vec<_> = lines
        .map(|line| match *line.split_whitespace().collect::<Vec<_>>() {
            [word @ ("new" | "old"), tag, ..] => (word, tag),
            [tag, ..] => ("", tag),
            [] => ("", ""),
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn five_pods_are_read_together_over_a_rollout() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("merged-log");
    let service = Service::new(&namespace, "crier").replicas(u32::try_from(PODS).unwrap());
    service.run(plane, "1.0");
    // One after the other, each some seconds after the one before.
    let slow = json!({"spec": {"minReadySeconds": 3, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}});
    plane.admin().patch(&service.path(), &slow).unwrap();
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let mut terminal = open(&kubeconfig, home.path());
    terminal.wait_text("crier");
    terminal.keys("l");
    terminal.wait_text("5 pods");
    let first = format!("first {namespace}");
    plane.cry(&first);
    terminal.wait_for("a line of each pod, once", |screen| {
        written(&picture(screen), &first).len() == PODS
    });
    let shown = terminal.picture();
    assert_eq!(shown.matches(&*first).count(), PODS, "{shown}");
    let old = written(&shown, &first);
    assert!(old.iter().all(|(word, _)| word.is_empty()), "{shown}");

    service.set_image(plane, "2.0");
    terminal.wait_text(" is new");
    let second = format!("second {namespace}");
    plane.cry(&second);
    terminal.wait_for("lines of both revisions", |screen| {
        let text = picture(screen);
        let found = written(&text, &second);
        let of = |wanted| found.iter().any(|(word, _)| *word == wanted);
        of("new") && of("old")
    });
    service.wait_complete(plane, "2.0");
    terminal.wait_text("5 pods: 5 new");
    terminal.wait_text(" is gone");
    let third = format!("third {namespace}");
    plane.cry(&third);
    terminal.wait_for("all new pods", |screen| {
        let text = picture(screen);
        let found = written(&text, &third);
        // This kubelet lets those that are gone speak on for a while.
        found.iter().filter(|(word, _)| *word == "new").count() == PODS
    });
    terminal.keys("&third\r");
    terminal.wait_for("only lines that fit", |screen| {
        let text = picture(screen);
        text.contains("only third") && !text.contains(&*second)
    });
    // In two steps: an escape with a letter behind it is another key.
    terminal.keys("&\x1b");
    terminal.wait_gone("only third");
    terminal.keys("p");
    terminal.wait_text("none has a run before a restart");
    terminal.keys("\x03");
    terminal.wait_exit();

    let words = ["logs", "crier", "--since", "5m"];
    let output = launch(&kubeconfig, home.path()).with(&words).run();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}");
    // Others may write into the same file meanwhile.
    let ours = out.lines().filter(|line| line.ends_with(&*namespace));
    let order: Vec<_> = ours
        .map(|line| line.split_whitespace().nth(1).unwrap())
        .collect();
    assert_eq!(order.len(), 3 * PODS, "{out}");
    let sorted = ["first", "second", "third"]
        .map(|word| [word; PODS])
        .concat();
    assert_eq!(order, sorted, "{out}");
    let output = launch(&kubeconfig, home.path())
        .with(&["logs", "crier", "--previous"])
        .run();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.contains("no pod of deploy/crier has a run before a restart"),
        "{err}"
    );
}
