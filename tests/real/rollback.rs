//! Rolling back in the middle of a broken rollout, seen through a terminal, until it is verified.

use serde_json::json;

use crate::screen::{findings, launch, open, row_of, rows, wait_first_and_stalled, wait_plan};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, note};
use crate::support::pty::{Terminal, picture};
use crate::support::wait;

#[test]
fn one_of_sixty_gets_a_bad_image_and_is_rolled_back_while_stuck() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("sixty");
    let services: Vec<_> = (0..60)
        .map(|number| Service::new(&namespace, &format!("service-{number:02}")))
        .collect();
    for service in &services {
        service.create(plane, "2.14.1");
    }
    for service in &services {
        service.wait_complete(plane, "2.14.1");
    }
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("sixty", Some(&namespace)), home.path());
    terminal.wait_text("60 services");

    let sick = &services[37];
    sick.set_image(plane, "2.15.0-unpullable");
    wait_first_and_stalled(&terminal, sick, "image");
    terminal.keys("R");
    wait_plan(&terminal);
    assert_eq!(
        findings(&terminal, "BLOCK"),
        [""; 0],
        "{}",
        terminal.picture()
    );
    for words in ["you may patch", "unchanged", "dry run"] {
        let said = findings(&terminal, "ok");
        assert!(
            said.iter().any(|line| line.contains(words)),
            "no check says {words:?}\n{}",
            terminal.picture()
        );
    }
    assert_eq!(
        sick.live_image(plane),
        sick.image("2.15.0-unpullable"),
        "not before y"
    );
    terminal.keys("y");
    wait_verified(&terminal, sick, "2.14.1");
    sick.wait_complete(plane, "2.14.1");
    assert_eq!(note(plane, sick)["verb"], "rollback");
    assert_record(home.path(), &["sending", "accepted", "verified"]);
}

#[test]
fn a_quota_full_of_stuck_pods_does_not_stop_it() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("quota");
    let service = Service::new(&namespace, "checkout").replicas(4);
    service.run(plane, "1.0");
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "pods"},
        "spec": {"hard": {"pods": "5"}},
    });
    let quotas = format!("/api/v1/namespaces/{namespace}/resourcequotas");
    plane.admin().create(&quotas, &quota).unwrap();
    wait::until("the quota counts", || {
        let quota = plane.admin().get(&format!("{quotas}/pods")).ok()?;
        (quota["status"]["used"]["pods"] == "4").then_some(())
    });
    service.set_image(plane, "2.0-unpullable");
    wait::until("the quota is full", || {
        let quota = plane.admin().get(&format!("{quotas}/pods")).ok()?;
        (quota["status"]["used"]["pods"] == "5").then_some(())
    });

    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("quota", Some(&namespace)), home.path());
    wait_first_and_stalled(&terminal, &service, "");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    wait_verified(&terminal, &service, "1.0");
    service.wait_complete(plane, "1.0");
}

#[test]
fn a_bad_target_is_told_with_the_reason_of_its_pod() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("worse");
    let service = Service::new(&namespace, "cart");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-crash");
    service.wait_waiting(plane, "CrashLoopBackOff");
    service.set_image(plane, "3.0-unpullable");
    service.wait_waiting(plane, "ImagePullBackOff");

    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("worse", Some(&namespace)), home.path());
    wait_first_and_stalled(&terminal, &service, "");
    terminal.keys("\r");
    terminal.wait_text("2.0-crash");
    mark_revision(&terminal, "2.0-crash");
    terminal.keys("R");
    wait_plan(&terminal);
    assert!(
        terminal.picture().contains("2.0-crash"),
        "{}",
        terminal.picture()
    );
    terminal.keys("y");
    terminal.wait_for("why it is not verified", |screen| {
        let text = picture(screen);
        text.contains("not verified") && text.contains("exit 1")
    });
}

#[test]
fn the_command_line_says_why_a_bad_target_failed() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("twins");
    let service = Service::new(&namespace, "cart");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-noconfig");
    service.wait_waiting(plane, "CreateContainerConfigError");
    service.set_image(plane, "3.0-unpullable");
    service.wait_waiting(plane, "ImagePullBackOff");

    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("twins", Some(&namespace)), home.path());
    let run = |words: &[&str]| {
        let output = rolldeck.clone().with(words).run();
        let said = String::from_utf8(output.stdout).unwrap();
        (
            output.status.code().unwrap(),
            said,
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, said, _) = run(&["status"]);
    assert_eq!(code, 0);
    assert!(said.contains("cart") && said.contains("stalled"), "{said}");
    let (code, said, _) = run(&["history", "cart"]);
    assert_eq!(code, 0);
    assert!(
        said.contains("2.0-noconfig") && said.contains("1.0"),
        "{said}"
    );

    let (code, said, error) = run(&["rollback", "cart", "--dry-run"]);
    assert_eq!(code, 0, "{said}{error}");
    assert!(said.contains("1.0"), "{said}");
    assert_eq!(
        service.live_image(plane),
        service.image("3.0-unpullable"),
        "a dry run writes nothing"
    );

    let (code, said, error) = run(&["rollback", "cart", "--to", "2.0-noconfig", "--yes"]);
    assert_eq!(code, 1, "{said}{error}");
    let all = said + &error;
    assert!(
        all.contains("not verified") && all.contains("config"),
        "{all}"
    );

    let (code, said, error) = run(&["rollback", "cart", "--to", "1.0", "--yes", "-o", "json"]);
    assert_eq!(code, 0, "{said}{error}");
    service.wait_complete(plane, "1.0");
}

#[test]
fn an_action_is_still_followed_after_a_new_start() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("again");
    let service = Service::new(&namespace, "search");
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    service.wait_waiting(plane, "ImagePullBackOff");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("again", Some(&namespace));
    // Long enough that it cannot be verified before it is quit.
    let long = launch(&kubeconfig, home.path()).config("verifySeconds: 20\n");
    let mut terminal = long.open();
    wait_first_and_stalled(&terminal, &service, "");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("accepted");
    terminal.keys("\x03");
    terminal.wait_exit();

    let terminal = long.open();
    terminal.wait_for("it is followed again", |screen| {
        let text = picture(screen);
        text.contains("followed") || text.contains("begun before this session")
    });
    wait_verified(&terminal, &service, "1.0");
}

fn wait_verified(terminal: &Terminal, service: &Service, version: &str) {
    terminal.wait_text("verified:");
    assert!(
        !terminal.picture().contains("not verified"),
        "{}",
        terminal.picture()
    );
    terminal.wait_for("the row says so", |screen| {
        row_of(screen, &service.name)
            .or_else(|| {
                rows(screen)
                    .into_iter()
                    .find(|row| row.contains(&service.name))
            })
            .is_none_or(|row| row.contains(version) && !row.contains("stalled"))
    });
}

/// Moves through the history until the cursor is on this version.
fn mark_revision(terminal: &Terminal, version: &str) {
    let line = |text: &str, is: &dyn Fn(&str) -> bool| text.lines().position(is);
    let cursor = |text: &str| line(text, &|line| line.starts_with('❯'));
    let row = |text: &str| {
        line(text, &|line| {
            line.split('│')
                .next()
                .is_some_and(|left| left.contains(version) && !left.contains('→'))
        })
    };
    loop {
        let before = terminal.picture();
        let (at, wanted) = (cursor(&before), row(&before));
        let key = match at.cmp(&wanted) {
            std::cmp::Ordering::Less => "j",
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => "k",
        };
        terminal.keys(key);
        terminal.wait_for("the cursor moves", |screen| cursor(&picture(screen)) != at);
    }
}

/// The release record in this home folder has lines with these words, in this order.
fn assert_record(home: &std::path::Path, words: &[&str]) {
    let folder = home.join(".state/rolldeck");
    let text: String = std::fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .filter(|file| file.path().extension().is_some_and(|kind| kind == "jsonl"))
        .map(|file| std::fs::read_to_string(file.path()).unwrap())
        .collect();
    let mut rest = &*text;
    for word in words {
        let at = rest.find(word);
        assert!(at.is_some(), "{word:?} is not in the record:\n{text}");
        rest = &rest[at.unwrap_or(0)..];
    }
}
