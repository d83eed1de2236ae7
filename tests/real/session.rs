//! Starting and ending: logins that hang or ran out, no kubeconfig at all, signals, and a terminal that is given back.

use std::fs;

use crate::connection::plugin;
use crate::screen::{launch, open, rows};
use crate::support::control_plane::{ControlPlane, Login};
use crate::support::fixtures::Service;
use crate::support::pty::picture;

#[test]
fn the_terminal_is_given_back_after_every_way_to_end() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("endings");
    Service::new(&namespace, "web").run(plane, "1.0");
    let kubeconfig = plane.owner("endings", Some(&namespace));
    for ending in ["TERM", "HUP", "INT", "ctrl-c", ":q"] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = open(&kubeconfig, home.path());
        terminal.wait_for("the board", |screen| rows(screen).len() == 1);
        assert!(terminal.screen().alternate_screen() && !terminal.cooked());
        match ending {
            "ctrl-c" => terminal.keys("\x03"),
            ":q" => terminal.keys(":q\r"),
            signal => terminal.signal(signal),
        }
        terminal.wait_exit();
        let screen = terminal.screen();
        assert!(
            !screen.alternate_screen(),
            "{ending}: still the alternate screen"
        );
        assert!(!screen.hide_cursor(), "{ending}: the cursor is hidden");
        assert!(terminal.cooked(), "{ending}: the terminal is raw");
    }
}

#[test]
fn without_a_kubeconfig_the_screen_opens_and_goes_on_when_there_is_one() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("nothing");
    Service::new(&namespace, "web").run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let later = home.path().join("kubeconfig");
    let terminal = open(&later, home.path());
    terminal.wait_text("No cluster to show.");
    fs::copy(plane.owner("nothing", Some(&namespace)), &later).unwrap();
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
}

#[test]
fn a_plugin_that_hangs_does_not_hold_up_the_screen() {
    let plane = ControlPlane::shared();
    let script = plugin(plane, "hangs", "sleep 600");
    let kubeconfig = plane.kubeconfig("hangs", &Login::Plugin(&script), None);
    let home = tempfile::tempdir().unwrap();
    let mut terminal = open(&kubeconfig, home.path());
    terminal.wait_text("plugin-hangs");
    terminal.keys("?");
    let before = terminal.picture();
    terminal.wait_for("the help opens", |screen| picture(screen) != before);
    terminal.keys("\x1b");
    terminal.wait_for("what went wrong", |screen| {
        let text = picture(screen);
        text.contains("No cluster to show") && text.contains("plugin-hangs")
    });
    terminal.keys("\x03");
    terminal.wait_exit();
}

#[test]
fn a_login_that_ran_out_is_told_and_a_new_one_is_taken() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("login");
    Service::new(&namespace, "web").run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let here = home.path().join("kubeconfig");
    let expired = plane.kubeconfig(
        "ran-out",
        &Login::Token("long.gone.token"),
        Some(&namespace),
    );
    fs::copy(expired, &here).unwrap();
    let terminal = open(&here, home.path());
    terminal.wait_for("the login is not accepted", |screen| {
        picture(screen).contains("login")
    });
    assert!(!terminal.picture().contains("long.gone.token"));
    fs::copy(plane.owner("logged-in", Some(&namespace)), &here).unwrap();
    terminal.keys("\x12"); // ctrl-r
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
}

#[test]
fn a_storm_of_sizes_ends_in_the_right_picture() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("storm");
    for name in ["auth", "billing"] {
        Service::new(&namespace, name).run(plane, "1.0");
    }
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("storm", Some(&namespace));
    let terminal = launch(&kubeconfig, home.path()).open();
    terminal.wait_for("the board", |screen| rows(screen).len() == 2);
    for step in 0..40 {
        terminal.resize(20 + step * 3, 3 + step);
    }
    terminal.resize(80, 24);
    terminal.wait_for("80x24, whole", |screen| {
        let text = picture(screen);
        rows(screen).len() == 2
            && text
                .lines()
                .nth(23)
                .is_some_and(|line| line.contains("quit") || line.contains("help"))
    });
}
