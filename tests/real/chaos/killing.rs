//! `kill -9` at a random moment of an action.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Dice, Hand, agree, count, fresh, lines_of, page, settle, times};
use crate::screen::launch;
use crate::support::audit;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::Launch;

const KILLS: u32 = 20;

#[test]
fn a_rolldeck_that_is_killed_leaves_record_note_and_cluster_in_agreement() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("killed");
    let mut dice = Dice::new("killed");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("chaos-killed", Some(&namespace));
    let rolldeck = launch(&kubeconfig, home.path());
    let state = home.path().join(".state/rolldeck");
    let hand = Hand::new(&kubeconfig, &state);
    let names = (0..times(KILLS)).map(|n| format!("killed-{n:03}"));
    let services: Vec<_> = names.map(|name| fresh(plane, &namespace, &name)).collect();
    // One that is let through tells how long an action lasts.
    let whole = fresh(plane, &namespace, "whole");
    let begin = Instant::now();
    let output = rolldeck.clone().with(&verb(&whole, 0)).run();
    assert!(output.status.success(), "{output:?}");
    let span = u64::try_from(begin.elapsed().as_millis()).unwrap().max(50);
    for service in &services {
        let arguments = verb(service, dice.below(2));
        kill(&rolldeck.clone().with(&arguments), &state, span, &mut dice);
    }
    // It ends after all requests of those before it have.
    let last = fresh(plane, &namespace, "last");
    assert!(rolldeck.with(&verb(&last, 0)).run().status.success());
    settle(&hand);
    let page = page(&hand.recorder);
    assert!(
        page.actions.len() > services.len() / 10,
        "some were killed after the record was begun"
    );
    let mut figures = BTreeMap::new();
    for action in &page.actions {
        let service = Service::new(&namespace, &action.sending.workload.name);
        count(&mut figures, agree(action, &service.read(plane)));
    }
    for event in ["sending", "answered", "found", "ended"] {
        let twice = lines_of(&hand.recorder, event)
            .into_iter()
            .find(|(_, n)| *n > 1);
        assert_eq!(twice, None, "{event}");
    }
    let killed = services.len() + 2 - page.actions.len();
    eprintln!(
        "{} kills within {span} ms: {killed} before the record, {figures:?}",
        services.len()
    );
    nothing_twice(plane, page.actions.len());
}

/// Each object was written to once at most.
fn nothing_twice(plane: &ControlPlane, at_most: usize) {
    let mut writes = BTreeMap::new();
    for write in audit::writes(&plane.folder().join("audit.log"), &["chaos-killed"]) {
        if write.accepted() {
            count(&mut writes, write.name);
        }
    }
    assert!(writes.len() <= at_most, "{writes:?}");
    let twice = writes.into_iter().find(|(_, n)| *n > 1);
    assert_eq!(twice, None);
}

fn verb(service: &Service, which: u64) -> Vec<&str> {
    let name = service.name.as_str();
    match which {
        0 => vec!["rollback", name, "--yes", "--timeout", "5"],
        _ => vec!["pause", name, "--yes", "--timeout", "5"],
    }
}

/// Anywhere in its life, or soon after its line is in the record: that is where it matters most.
fn kill(rolldeck: &Launch, state: &std::path::Path, span: u64, dice: &mut Dice) {
    let mut command: Command = rolldeck.command();
    let record = state.join("release-record.jsonl");
    let size = || std::fs::metadata(&record).map_or(0, |file| file.len());
    let before = size();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let moment = if dice.below(3) == 0 {
        dice.moment(span)
    } else {
        while size() == before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        dice.moment(20)
    };
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
}
