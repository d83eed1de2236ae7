//! An API server that stops, freezes, or breaks off in the middle: rows stay with their age, and everything comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::screen::{launch, open, row_of, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::proxy::{Fate, Proxy};
use crate::support::pty::{Terminal, picture};
use crate::support::wait;

#[test]
fn rows_stay_while_the_server_is_away_and_it_comes_back() {
    let plane = ControlPlane::own();
    let namespace = plane.namespace("away");
    let services: Vec<_> = ["auth", "billing", "catalog"]
        .map(|name| Service::new(&namespace, name))
        .into();
    for service in &services {
        service.run(&plane, "1.0");
    }
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("away", Some(&namespace)), home.path());
    wait_live(&terminal, 3);

    plane.stop();
    wait_old(&terminal, "no answer");
    terminal.keys("j"); // keys go on working
    plane.start();
    wait_live(&terminal, 3);
    services[0].set_image(&plane, "2.0");
    wait_version(&terminal, "auth", "2.0");

    plane.freeze();
    // A watch that is silent is not yet a failure: a request of its own finds out.
    terminal.wait_for("the silence is told", |screen| {
        let text = picture(screen);
        let header = text.lines().next().unwrap_or_default();
        header.contains("quiet") || header.contains("no answer")
    });
    terminal.wait_for("the rows stay", |screen| rows(screen).len() == 3);
    plane.thaw();
    wait_live(&terminal, 3);
    services[1].set_image(&plane, "3.0");
    wait_version(&terminal, "billing", "3.0");
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("half");
    for name in ["auth", "billing", "catalog"] {
        Service::new(&namespace, name).run(plane, "1.0");
    }
    let lists = AtomicU32::new(0);
    let proxy = Proxy::start(plane, move |seen| {
        let broken = seen.method == "GET"
            && seen.uri.contains("/deployments?")
            && lists.fetch_add(1, Ordering::SeqCst) < 2;
        if broken {
            Fate::Cut(700)
        } else {
            Fate::Forward
        }
    });
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&proxy.kubeconfig(Some(&namespace)), home.path());
    wait_live(&terminal, 3);
}

#[test]
fn a_server_that_is_too_busy_is_asked_again_and_says_so_meanwhile() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("busy");
    Service::new(&namespace, "auth").run(plane, "1.0");
    let lists = AtomicU32::new(0);
    let proxy = Proxy::start(plane, move |seen| {
        let busy = seen.uri.contains("/deployments?") && lists.fetch_add(1, Ordering::SeqCst) < 2;
        if busy {
            Fate::Answer(429)
        } else {
            Fate::Forward
        }
    });
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&proxy.kubeconfig(Some(&namespace)), home.path());
    wait_live(&terminal, 1);
}

/// More than the first page of a list holds.
const MANY: usize = 102;

#[test]
fn a_listing_that_is_made_again_and_hangs_keeps_the_rows_and_ends_well() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("relist");
    let service = |number| Service::new(&namespace, &format!("web-{number:03}")).replicas(0);
    for number in 0..MANY {
        service(number).create(plane, "1.0");
    }
    let (held, hung) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let (hold, count) = (Arc::clone(&held), Arc::clone(&hung));
    let proxy = Proxy::start(plane, move |seen| {
        if !hold.load(Ordering::SeqCst) || !seen.uri.contains("/deployments?") {
            return Fate::Forward;
        }
        if seen.watch() {
            return Fate::Answer(410); // its version is too old: list again
        }
        if seen.uri.contains("continue=") {
            count.fetch_add(1, Ordering::SeqCst);
            return Fate::Hang;
        }
        Fate::Forward
    });
    let home = tempfile::tempdir().unwrap();
    let terminal = launch(&proxy.kubeconfig(Some(&namespace)), home.path())
        .size(120, 120)
        .open();
    wait_live(&terminal, MANY);

    held.store(true, Ordering::SeqCst);
    wait::until("the second page is asked for", || {
        (hung.load(Ordering::SeqCst) > 0).then_some(())
    });
    plane.admin().delete(&service(7).path()).unwrap();
    service(8).set_image(plane, "2.0");
    terminal.wait_for("every row is there, and says how old it is", |screen| {
        let rows = rows(screen);
        rows.len() == MANY && rows.iter().all(|row| row.contains(" old"))
    });
    assert!(row_of(&terminal.screen(), "web-007").is_some());
    let before = row_of(&terminal.screen(), "web-008").unwrap();
    assert!(
        before.contains("1.0"),
        "half a listing is not shown: {before}"
    );

    held.store(false, Ordering::SeqCst);
    wait_live(&terminal, MANY - 1);
    assert_eq!(row_of(&terminal.screen(), "web-007"), None);
    wait_version(&terminal, "web-008", "2.0");
}

fn wait_live(terminal: &Terminal, services: usize) {
    terminal.wait_for(&format!("live, with {services} services"), |screen| {
        let text = picture(screen);
        let header = text.lines().next().unwrap_or_default();
        header.contains("live") && rows(screen).len() == services && !text.contains(" old")
    });
}

/// The header says what is wrong, and every row says how old it is.
fn wait_old(terminal: &Terminal, words: &str) {
    terminal.wait_for(
        &format!("{words:?} in the header, an age in each row"),
        |screen| {
            let text = picture(screen);
            let rows = rows(screen);
            text.lines().next().unwrap_or_default().contains(words)
                && rows.len() == 3
                && rows.iter().all(|row| row.contains(" old"))
        },
    );
}

fn wait_version(terminal: &Terminal, name: &str, version: &str) {
    terminal.wait_for(&format!("{name} {version}"), |screen| {
        row_of(screen, name).is_some_and(|row| row.contains(version))
    });
}
