//! The end of a followed action, told to somebody who looks elsewhere: once, and harmless.

use serde_json::json;

use crate::screen::{launch, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::terminal_bytes::strangers;

#[test]
fn a_bad_end_is_told_once_by_bell_terminal_and_command() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("notified");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    let paused = json!({"spec": {"paused": true}});
    plane.admin().patch(&service.path(), &paused).unwrap();
    service.set_image(plane, "2.0-unpullable");
    let home = tempfile::tempdir().unwrap();
    let told = home.path().join("told");
    let config = format!(
        "verifySeconds: 2\nnotify: {{terminal: osc9, command: [sh, -c, 'echo \"$1\" >> {}', sh]}}\n",
        told.display()
    );
    let mut terminal = launch(&plane.owner(&namespace, Some(&namespace)), home.path())
        .config(&config)
        .open();
    terminal.wait_text("paused");
    terminal.keys("u");
    wait_plan_to(&terminal, "RESUME");
    terminal.keys("y");
    terminal.wait_text("not verified: image");
    let words = crate::support::wait::until("the command is run", || {
        let words = std::fs::read_to_string(&told).unwrap_or_default();
        words.ends_with('\n').then_some(words)
    });
    let start = format!("deploy/checkout in {namespace}: not verified: image");
    assert!(
        words.starts_with(&start) && words.lines().count() == 1,
        "{words}"
    );
    terminal.keys("\x03");
    terminal.wait_exit();
    let bytes = terminal.bytes();
    let text = String::from_utf8_lossy(&bytes);
    let sent = format!("\x1b]9;rolldeck: {}\x07\x07", words.trim_end());
    assert_eq!(text.matches(&sent).count(), 1, "{sent:?}");
    assert_eq!(text.matches("\x1b]9;").count(), 1);
    // Beside the bell nothing is sent that is not ours.
    assert_eq!(strangers(&bytes), [format!("{:?}", "\x07")]);
}
