//! Starting and ending: logins that hang or ran out, no kubeconfig at all, signals, and a terminal that is given back.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::connection::plugin;
use crate::screen::{launch, open, rows};
use crate::support::control_plane::{ControlPlane, Login};
use crate::support::fixtures::Service;
use crate::support::keeper::write;
use crate::support::pty::{Terminal, picture};

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

/// Long enough to start and to see the board with it.
const SHORT: Duration = Duration::from_secs(20);

#[test]
fn a_certificate_file_that_expires_is_told_and_the_next_one_is_taken() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("expires");
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    let kubeconfig = plane.owner("expires", Some(&namespace));
    let write_certificate = |end: SystemTime| {
        let signed = plane.certificate_until("expires", unix(end));
        write(&plane.folder().join("expires.key"), &signed.key);
        write(&plane.folder().join("expires.crt"), &signed.certificate);
    };
    write_certificate(SystemTime::now() + SHORT);
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&kubeconfig, home.path());
    wait_live(&terminal);
    wait_old(&terminal, "does not accept the login");
    // The kubeconfig itself stays as it is.
    write_certificate(SystemTime::now() + Duration::from_secs(3600));
    service.set_image(plane, "2.0");
    wait_live(&terminal);
    terminal.wait_for("the change", |screen| rows(screen)[0].contains("2.0"));
}

#[test]
fn a_plugins_certificate_is_renewed_and_a_plugin_that_fails_then_is_told() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("plugged");
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    plane.owner("plugged-owner", None);
    let home = tempfile::tempdir().unwrap();
    let credential = home.path().join("credential.json");
    hand_out(plane, &credential, SystemTime::now() + SHORT);
    let place = credential.display();
    let words = "echo 'session ended, log in again' >&2; exit 3";
    let script = plugin(
        plane,
        "renews",
        &format!("cat {place} 2>&- || {{ {words}; }}"),
    );
    let login = Login::Plugin(&script);
    let kubeconfig = plane.kubeconfig("plugged-owner", &login, Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    wait_live(&terminal);
    fs::remove_file(&credential).unwrap();
    wait_old(&terminal, "the login command plugin-renews failed (exit 3)");
    let again = launch(&kubeconfig, home.path()).with(&["status"]).run();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("session ended, log in again"), "{said}");
    hand_out(
        plane,
        &credential,
        SystemTime::now() + Duration::from_secs(3600),
    );
    service.set_image(plane, "2.0");
    wait_live(&terminal);
    terminal.wait_for("the change", |screen| rows(screen)[0].contains("2.0"));
}

/// What the plugin prints from now on: a certificate until `end`.
fn hand_out(plane: &ControlPlane, file: &Path, end: SystemTime) {
    let signed = plane.certificate_until("plugged-owner", unix(end));
    let ends = jiff::Timestamp::try_from(end).unwrap();
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {
            "clientCertificateData": signed.certificate, "clientKeyData": signed.key,
            "expirationTimestamp": ends.round(jiff::Unit::Second).unwrap(),
        },
    });
    write(file, &credential.to_string());
}

fn unix(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn wait_live(terminal: &Terminal) {
    terminal.wait_for("one row, live", |screen| {
        let text = picture(screen);
        let header = text.lines().next().unwrap_or_default();
        header.contains("live") && rows(screen).len() == 1 && !text.contains(" old")
    });
}

/// The row stays and says that it is old.
fn wait_old(terminal: &Terminal, words: &str) {
    terminal.wait_for(&format!("{words:?} in the header, an old row"), |screen| {
        let text = picture(screen);
        let header = text.lines().next().unwrap_or_default();
        header.contains(words) && rows(screen).len() == 1 && rows(screen)[0].contains(" old")
    });
}
