//! A paused Deployment takes a rollback, and moves only when it is resumed.

use serde_json::{Value, json};

use crate::screen::{findings, launch, open, row_of, wait_plan};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, note};
use crate::support::pty::{Terminal, picture};

const STANDS: &str = "no new pod starts until it is resumed";

#[test]
fn with_the_offer_it_is_resumed_moves_and_is_verified() {
    let plane = ControlPlane::shared();
    let (namespace, service) = paused(plane, "paused-resumed", "2.0-unpullable");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    show_plan(&terminal);
    let offered = terminal.picture();
    assert!(offered.contains("u resume it as well"), "{offered}");
    terminal.keys("u");
    terminal.wait_text("added");
    wait_plan(&terminal);
    assert_eq!(service.read(plane)["spec"]["paused"], true, "not before y");
    terminal.keys("y");
    terminal.wait_text("verified:");
    assert!(!terminal.picture().contains("not verified"));
    service.wait_complete(plane, "1.0");
    assert_ne!(service.read(plane)["spec"]["paused"], true);
    assert_eq!(note(plane, &service)["verb"], "rollback");
}

#[test]
fn without_the_offer_it_is_accepted_and_waits_to_be_resumed() {
    let plane = ControlPlane::shared();
    let (namespace, service) = paused(plane, "paused-waits", "2.0");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    show_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text(&format!("paused: {STANDS}"));
    assert_eq!(service.live_image(plane), service.image("1.0"));
    assert_eq!(service.read(plane)["spec"]["paused"], true);
    assert!(!terminal.picture().contains("verified:"));
    let images = images(plane, &service);
    assert_eq!(images, [service.image("2.0"), service.image("2.0")]);
    let resume = json!({"spec": {"paused": null}});
    plane.admin().patch(&service.path(), &resume).unwrap();
    terminal.wait_text("verified:");
    assert!(!terminal.picture().contains("not verified"));
    service.wait_complete(plane, "1.0");
}

#[test]
fn the_command_line_follows_a_paused_one_as_long_as_it_may_and_says_what_it_waits_for() {
    let plane = ControlPlane::shared();
    let (namespace, service) = paused(plane, "paused-twin", "2.0");
    let home = tempfile::tempdir().unwrap();
    let output = launch(&plane.owner(&namespace, Some(&namespace)), home.path())
        .with(&["rollback", "checkout", "--yes", "--timeout", "5"])
        .run();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(124), "{said}{error}");
    assert!(said.contains(&format!(".. paused: {STANDS}")), "{said}");
    assert!(error.contains("the rollout goes on"), "{error}");
    assert_eq!(service.live_image(plane), service.image("1.0"));
}

/// The controller takes superfluous pods away from a paused one as well.
#[test]
fn a_paused_one_whose_good_pods_all_still_run_is_verified_without_being_resumed() {
    let plane = ControlPlane::shared();
    let (namespace, service) = paused(plane, "paused-half", "2.0-unpullable");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    show_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("verified:");
    assert!(!terminal.picture().contains("not verified"));
    assert_eq!(service.read(plane)["spec"]["paused"], true);
    let images = images(plane, &service);
    assert_eq!(images, [service.image("1.0"), service.image("1.0")]);
}

fn images(plane: &ControlPlane, service: &Service) -> Vec<String> {
    let image = |pod: Value| {
        pod["spec"]["containers"][0]["image"]
            .as_str()
            .map(Into::into)
    };
    service.pods(plane).into_iter().filter_map(image).collect()
}

/// Paused with a second version, in the middle of its rollout when its pods cannot run.
fn paused(plane: &ControlPlane, prefix: &str, second: &str) -> (String, Service) {
    let namespace = plane.namespace(prefix);
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    service.set_image(plane, second);
    if second == "2.0" {
        service.wait_complete(plane, second);
    } else {
        service.wait_waiting(plane, "ImagePullBackOff");
    }
    let pause = json!({"spec": {"paused": true}});
    plane.admin().patch(&service.path(), &pause).unwrap();
    (namespace, service)
}

fn show_plan(terminal: &Terminal) {
    terminal.wait_for("the paused row", |screen| {
        row_of(screen, "checkout").is_some_and(|row| row.contains("paused"))
    });
    terminal.keys("R");
    wait_plan(terminal);
    let said = findings(terminal, "warn");
    assert!(
        said.iter().any(|line| line.contains(STANDS)),
        "{}",
        terminal.picture()
    );
    assert!(
        picture(&terminal.screen()).contains("offered"),
        "{}",
        terminal.picture()
    );
}
