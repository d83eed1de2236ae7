//! A write is bound to what the person saw: somebody else's change refuses it, and nothing is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::screen::{launch, open, wait_first_and_stalled, wait_plan};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, meddle, note, stuck};
use crate::support::proxy::{Fate, Proxy};
use crate::support::pty::picture;

#[test]
fn a_change_that_the_screen_had_not_heard_of_is_shown_before_the_plan() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("before");
    let service = stuck(plane, &namespace);
    let proxy = Proxy::start(plane, |_| Fate::Forward);
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&proxy.kubeconfig(Some(&namespace)), home.path());
    wait_first_and_stalled(&terminal, &service, "");
    proxy.mute(true);
    meddle(plane, &service);
    terminal.keys("R");
    terminal.wait_for("who moved what", |screen| {
        let text = picture(screen);
        text.contains("moved") && text.contains("meddler")
    });
    proxy.mute(false);
    assert_untouched(plane, &service);
}

#[test]
fn a_change_between_dry_run_and_patch_refuses_the_write() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("between");
    let service = stuck(plane, &namespace);
    let patches = Arc::new(AtomicU32::new(0));
    let (counted, victim) = (Arc::clone(&patches), service.clone());
    let proxy = Proxy::start(plane, move |seen| {
        if seen.real_patch() && counted.fetch_add(1, Ordering::SeqCst) == 0 {
            meddle(ControlPlane::shared(), &victim);
        }
        Fate::Forward
    });
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&proxy.kubeconfig(Some(&namespace)), home.path());
    wait_first_and_stalled(&terminal, &service, "");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_for("the new plan says who moved what", |screen| {
        let text = picture(screen);
        text.contains("moved") && text.contains("meddler")
    });
    assert_eq!(
        patches.load(Ordering::SeqCst),
        1,
        "a refused write is not sent again by itself"
    );
    assert_untouched(plane, &service);

    // The new plan is as good as the first.
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("verified:");
    service.wait_complete(plane, "1.0");
}

#[test]
fn a_write_whose_answer_is_lost_is_looked_up_and_not_repeated() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("lost");
    let service = stuck(plane, &namespace);
    let patches = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&patches);
    let proxy = Proxy::start(plane, move |seen| {
        if seen.real_patch() {
            counted.fetch_add(1, Ordering::SeqCst);
            return Fate::Cut(10);
        }
        Fate::Forward
    });
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&proxy.kubeconfig(Some(&namespace)), home.path());
    wait_first_and_stalled(&terminal, &service, "");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("verified:");
    assert!(!terminal.picture().contains("not verified"));
    service.wait_complete(plane, "1.0");
    assert_eq!(patches.load(Ordering::SeqCst), 1);
}

#[test]
fn the_command_line_refuses_with_three_when_somebody_moved_it() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("exit-three");
    let service = stuck(plane, &namespace);
    let victim = service.clone();
    let proxy = Proxy::start(plane, move |seen| {
        if seen.real_patch() {
            meddle(ControlPlane::shared(), &victim);
        }
        Fate::Forward
    });
    let home = tempfile::tempdir().unwrap();
    let output = launch(&proxy.kubeconfig(Some(&namespace)), home.path())
        .with(&["rollback", "odd", "--yes"])
        .run();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("meddler"), "{said}");
    assert_untouched(plane, &service);
}

/// The meddler's change stands, and nothing of ours was written.
fn assert_untouched(plane: &ControlPlane, service: &Service) {
    let container = &service.read(plane)["spec"]["template"]["spec"]["containers"][0];
    let names = container["env"].as_array().unwrap();
    assert!(
        names.iter().any(|variable| variable["name"] == "MEDDLED"),
        "{container}"
    );
    assert_eq!(container["image"], service.image("2.0-unpullable"));
    assert_eq!(note(plane, service), Value::Null);
}
