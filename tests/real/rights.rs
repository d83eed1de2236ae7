//! What people with few rights see, and what the API server was asked on their behalf.

use crate::screen::{QUICK, launch, open, wait_first_and_stalled, wait_plan};
use crate::support::audit::Asked;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;

#[test]
fn a_reader_sees_the_missing_right_and_sends_nothing_but_reads() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("readers");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    let home = tempfile::tempdir().unwrap();
    let mut terminal = open(&plane.reader("only-reads", Some(&namespace)), home.path());
    wait_first_and_stalled(&terminal, &service, "image");
    terminal.keys("R");
    terminal.wait_text("patch deployments");
    terminal.keys("y");
    terminal.keys("\x1b\x1b");
    terminal.keys("\r");
    terminal.wait_text("HISTORY");
    terminal.keys("\x03");
    terminal.wait_exit();

    assert_eq!(service.live_image(plane), service.image("2.0-unpullable"));
    let asked = plane.asked_by("only-reads");
    assert!(asked.iter().any(Asked::self_review), "{asked:#?}");
    for asked in &asked {
        let read = ["get", "list", "watch"].contains(&&*asked.verb);
        assert!(read || asked.self_review(), "{asked:?}");
        assert!(!asked.dry_run(), "{asked:?}");
    }
}

#[test]
fn readonly_sends_nothing_either_whatever_the_rights() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("readonly");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("read-only-owner", Some(&namespace));
    let mut terminal = launch(&kubeconfig, home.path())
        .argument("--readonly")
        .open();
    wait_first_and_stalled(&terminal, &service, "image");
    terminal.keys("R");
    terminal.wait_text("read-only");
    terminal.keys("y");
    terminal.keys("\x1b\x1b\x03");
    terminal.wait_exit();
    for asked in plane.asked_by("read-only-owner") {
        let read = ["get", "list", "watch"].contains(&&*asked.verb);
        assert!(read || asked.self_review(), "{asked:?}");
    }
}

#[test]
fn an_editor_of_one_namespace_rolls_back_without_cluster_rights() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("edit");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.editor("only-edits-here", &namespace), home.path());
    wait_first_and_stalled(&terminal, &service, "image");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("verified:");
    service.wait_complete(plane, "1.0");
}

#[test]
fn a_protected_environment_wants_arming_and_the_name_typed() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("protected");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("protected", Some(&namespace));
    let config = format!(
        "{QUICK}environments:\n  - name: prod\n    cluster: prod-eu\n    namespaces: [{namespace}]\n    protection: protected\n"
    );
    let terminal = launch(&kubeconfig, home.path()).config(&config).open();
    wait_first_and_stalled(&terminal, &service, "image");
    terminal.wait_text("protected, ! arms");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("! arms");
    terminal.keys("!");
    terminal.wait_text("protected, armed");
    terminal.keys("y");
    terminal.wait_text("type checkout");
    terminal.keys("chec\r");
    assert_eq!(service.live_image(plane), service.image("2.0-unpullable"));
    terminal.keys("kout\r");
    terminal.wait_text("verified:");
    service.wait_complete(plane, "1.0");
}
