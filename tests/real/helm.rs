//! Going back by a release with the real Helm: from its history or the plan of the workload to pods that run.

use std::path::Path;

use serde_json::{Value, json};

use crate::charts::Chart;
use crate::kinds::record;
use crate::screen::{launch, row_of, wait_plan};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::note;
use crate::support::pty::{Launch, Terminal, picture};

/// Two revisions of a release, 1.0 and 2.0, and the second runs.
fn upgraded(plane: &ControlPlane, namespace: &str) -> Chart {
    let chart = Chart::new(namespace);
    chart.install(plane, ("0.1.0", "1.0"));
    chart.install(plane, ("0.2.0", "2.0"));
    chart
}

/// With helm on the PATH.
fn with_helm(launch: Launch, chart: &Chart, home: &Path) -> Launch {
    let programs = home.join("bin");
    std::fs::create_dir_all(&programs).unwrap();
    let link = programs.join("helm");
    if !link.exists() {
        std::os::unix::fs::symlink(&chart.helm, link).unwrap();
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    launch.variable("PATH", &path)
}

fn without_helm(launch: Launch) -> Launch {
    launch.variable("PATH", "/nonexistent")
}

fn wait_helm_plan(terminal: &Terminal, newest: &str) {
    terminal.wait_for("a plan by Helm whose checks have answered", |screen| {
        let text = picture(screen);
        text.contains("ROLL BACK BY HELM") && text.contains(newest) && !text.contains("asking ")
    });
}

/// Revisions and what Helm says of them, newest first.
fn releases(launch: Launch) -> Vec<(Value, Value)> {
    let output = launch
        .with(&["history", "checkout", "--helm", "-o", "json"])
        .run();
    let releases: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let told = |release: &Value| (release["revision"].clone(), release["description"].clone());
    releases.iter().map(told).collect()
}

#[test]
fn a_marked_revision_of_a_release_is_gone_back_to_and_verified_by_its_pods() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("helm-back");
    let chart = upgraded(plane, &namespace);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let start = || with_helm(launch(&kubeconfig, home.path()), &chart, home.path());
    let terminal = start().open();
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("H");
    terminal.wait_for("the one before the newest is marked", |screen| {
        let text = picture(screen);
        text.lines()
            .any(|line| line.starts_with("❯1 ") && line.contains("Install complete"))
    });
    terminal.keys("R");
    wait_helm_plan(&terminal, "revision 2, checkout-0.2.0, app 2.0");
    let text = terminal.picture();
    for words in [
        "revision 1, checkout-0.1.0, app 1.0",
        "2.0 → 1.0",
        "you may create secrets",
        "helm finds what it needs",
        "helm rollback checkout 1 --timeout=4m",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    terminal.keys("y");
    chart.service.wait_complete(plane, "1.0");
    terminal.wait_text("verified: 2/2 pods run 1.0");
    let noted = note(plane, &chart.service);
    assert_eq!(noted["verb"], "helm-rollback");
    let record = record(home.path());
    let sent: Value = serde_json::from_str(record.lines().next().unwrap()).unwrap();
    assert_eq!(
        sent["release"],
        json!({"name": "checkout", "from": 2, "to": 1})
    );
    drop(terminal);

    let output = start()
        .with(&["rollback", "checkout", "--helm", "2", "--yes"])
        .run();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said} {error}");
    assert!(
        said.contains("ok helm takes release checkout from revision 3 to 2"),
        "{said}"
    );
    assert!(said.contains("verified: 2/2 pods run 2.0"), "{said}");
    let told = releases(start());
    let want = [
        (4, "Rollback to 2"),
        (3, "Rollback to 1"),
        (2, "Upgrade complete"),
        (1, "Install complete"),
    ];
    let want: Vec<_> = want
        .iter()
        .map(|(n, words)| (json!(n), json!(words)))
        .collect();
    assert_eq!(told, want);
}

#[test]
fn without_helm_or_after_somebody_elses_upgrade_nothing_is_done() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("helm-not");
    let chart = upgraded(plane, &namespace);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let output = without_helm(launch(&kubeconfig, home.path()))
        .with(&["rollback", "checkout", "--helm", "--yes"])
        .run();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("helm is not on the PATH"), "{error}");
    let terminal = without_helm(launch(&kubeconfig, home.path())).open();
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("R");
    wait_plan(&terminal);
    assert!(!terminal.picture().contains("go back by Helm"));
    drop(terminal);

    let terminal = with_helm(launch(&kubeconfig, home.path()), &chart, home.path()).open();
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("R");
    wait_plan(&terminal);
    assert!(
        terminal
            .picture()
            .contains("go back by Helm release checkout")
    );
    terminal.keys("H");
    wait_helm_plan(&terminal, "revision 2, ");
    // Another chart, and the same pods: only Helm can tell.
    chart.install(plane, ("0.3.0", "2.0"));
    terminal.keys("y");
    wait_helm_plan(&terminal, "revision 3, checkout-0.3.0");
    let text = terminal.picture();
    assert!(text.contains("at revision 3"), "{text}");
    drop(terminal);
    assert_eq!(chart.service.live_image(plane), chart.service.image("2.0"));
    let told = releases(launch(&kubeconfig, home.path()));
    assert_eq!(told[0], (json!(3), json!("Upgrade complete")));
}
