//! Another image for a container: typed or taken from what it had, followed until every pod runs it.

use serde_json::json;

use crate::kinds::said;
use crate::scaling::close;
use crate::screen::{launch, open, row_of, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, note};

#[test]
fn a_tag_is_typed_and_verified_and_the_old_one_is_taken_from_the_history() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("imaging");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("i");
    terminal.wait_text(&format!("image or tag: {}", service.image("1.0")));
    terminal.keys("\x152.0\r");
    wait_plan_to(&terminal, "SET IMAGE");
    let plan = terminal.picture();
    assert!(plan.contains("2.0, a new revision"), "{plan}");
    assert!(
        plan.contains("registry.test/shop/checkout  1.0 → 2.0"),
        "{plan}"
    );
    assert_eq!(service.live_image(plane), service.image("1.0"));
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 2.0");
    service.wait_complete(plane, "2.0");
    assert_eq!(note(plane, &service)["verb"], "set-image");
    close(&terminal);
    terminal.keys("i");
    terminal.wait_text(&format!("it had     {}", service.image("1.0")));
    terminal.keys("\x1b[B\r");
    wait_plan_to(&terminal, "SET IMAGE");
    let plan = terminal.picture();
    assert!(plan.contains("→  1.0 (rev 1"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 1.0");
    service.wait_complete(plane, "1.0");
}

#[test]
fn the_twin_names_a_container_and_says_why_an_image_failed() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("imaging-twin");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner(&namespace, Some(&namespace)), home.path());
    let run = |image: &str, more: &[&str]| {
        let words = [&["set-image", "checkout", image][..], more].concat();
        let output = rolldeck.clone().with(&words).run();
        let (code, text) = said(&output);
        (code, text + &String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run("1.0", &["--yes"]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("has the image registry.test/shop/checkout:1.0 already"));
    let (code, text) = run("nobody=2.0", &["--yes"]);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("deploy/checkout has no container nobody."),
        "{text}"
    );
    let (code, text) = run("2.0", &["--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(service.live_image(plane), service.image("1.0"));
    let (code, text) = run("checkout=2.0-unpullable", &["--yes"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("not verified: image"), "{text}");
    let pause = json!({"spec": {"paused": true}});
    plane.admin().patch(&service.path(), &pause).unwrap();
    let (code, text) = run("3.0", &["--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("warn       it is paused"), "{text}");
}
