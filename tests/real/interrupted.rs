//! An action whose rolldeck was killed: the next start finds it, says what became of it, and has the plan of the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::kinds::Set;
use crate::screen::{open, row_of, wait_plan, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::proxy::{Fate, Proxy, Seen};
use crate::support::pty::{Terminal, picture};
use crate::support::wait;

/// A way to the server on which what fits hangs, until it is let through.
struct Held {
    proxy: Proxy,
    holds: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
}

impl Held {
    fn new(plane: &ControlPlane, fits: impl Fn(&Seen) -> bool + Send + Sync + 'static) -> Self {
        let (holds, hangs) = (
            Arc::new(AtomicBool::new(true)),
            Arc::<AtomicBool>::default(),
        );
        let (hold, hung) = (Arc::clone(&holds), Arc::clone(&hangs));
        let proxy = Proxy::start(plane, move |seen| {
            if hold.load(Ordering::SeqCst) && fits(seen) {
                hung.store(true, Ordering::SeqCst);
                return Fate::Hang;
            }
            Fate::Forward
        });
        Self {
            proxy,
            holds,
            hangs,
        }
    }

    /// Kills the program once the request hangs, and lets later ones through.
    fn kill(&self, mut terminal: Terminal) {
        wait::until("the request hangs", || {
            self.hangs.load(Ordering::SeqCst).then_some(())
        });
        terminal.signal("KILL");
        assert!(!terminal.wait_exit().success());
        self.holds.store(false, Ordering::SeqCst);
    }
}

#[test]
fn one_that_was_killed_before_its_pod_was_deleted_is_found_and_finished() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("killed-half");
    let set = Set::stuck(plane, &namespace, "statefulsets");
    let deletes = |seen: &Seen| seen.method == "DELETE" && !seen.uri.contains("dryRun=");
    let held = Held::new(plane, deletes);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = held.proxy.kubeconfig(Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    terminal.wait_for("db stalls", |screen| {
        row_of(screen, "db").is_some_and(|row| row.contains("stalled"))
    });
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    held.kill(terminal);

    let terminal = open(&kubeconfig, home.path());
    terminal.wait_text("rollback of sts/db was interrupted at");
    terminal.wait_text("applied: sts/db carries its note; the pod that it was to");
    terminal.keys("a");
    terminal.wait_text("interrupted: nothing says what became of it");
    terminal.keys("F");
    wait_plan(&terminal);
    let text = terminal.picture();
    assert!(text.contains("delete pod db-2"), "{text}");
    terminal.keys("y");
    terminal.wait_text("verified: 3/3 pods run 1.0");
    set.wait_complete(plane, "1.0");
}

#[test]
fn one_that_never_arrived_is_told_so() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("killed-early");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    let held = Held::new(plane, Seen::real_patch);
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = held.proxy.kubeconfig(Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    terminal.wait_text("checkout");
    terminal.keys("u");
    wait_plan_to(&terminal, "PAUSE");
    terminal.keys("y");
    held.kill(terminal);

    let terminal = open(&kubeconfig, home.path());
    terminal.wait_text("pause of deploy/checkout was interrupted at");
    terminal.wait_text("not applied so far: deploy/checkout was not written to since");
    assert_ne!(
        service.read(plane)["spec"]["paused"],
        true,
        "nothing is done by itself"
    );
}

#[test]
fn from_the_record_one_key_leads_to_the_way_back() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("undo");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0");
    service.wait_complete(plane, "2.0");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("undo", Some(&namespace)), home.path());
    terminal.wait_text("checkout");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 1.0");
    close(&terminal);
    terminal.keys("a");
    terminal.wait_text("2.0 → 1.0");
    terminal.keys("U");
    wait_plan(&terminal);
    let text = terminal.picture();
    assert!(text.contains("the record names it"), "{text}");
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 2.0");
    service.wait_complete(plane, "2.0");
    close(&terminal);
    terminal.wait_text("1.0 → 2.0");
}

/// The box of what was followed.
fn close(terminal: &Terminal) {
    terminal.keys("\x1b");
    terminal.wait_for("the box is closed", |screen| {
        !picture(screen).contains("esc closes")
    });
}
