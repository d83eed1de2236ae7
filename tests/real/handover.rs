//! The terminal handed to a real kubectl, and taken back whole.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::contract::kubectl;
use crate::kinds::record;
use crate::screen::{launch, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::keeper;
use crate::support::pty::{Launch, Terminal, picture};
use crate::support::wait;

/// With kubectl on the PATH, and an editor that runs these lines of a shell on the file.
fn with_kubectl(launch: Launch, home: &Path, edit: &str) -> Launch {
    let programs = home.join("bin");
    std::fs::create_dir_all(&programs).unwrap();
    let kubectl = kubectl::program().expect("it comes with the control plane");
    std::os::unix::fs::symlink(kubectl, programs.join("kubectl")).unwrap();
    let editor = programs.join("editor");
    keeper::write(&editor, &format!("#!/bin/sh\n{edit}\n"));
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    launch
        .variable("PATH", &path)
        .variable("EDITOR", &editor.display().to_string())
}

/// The board is back, painted whole and in our modes, and says this.
fn wait_back(terminal: &Terminal, notice: &str) {
    terminal.wait_for(&format!("the screen, and {notice:?}"), |screen| {
        let text = picture(screen);
        let header = text.lines().next().unwrap_or_default();
        screen.alternate_screen() && text.contains(notice) && header.contains("live")
    });
    let screen = terminal.screen();
    assert!(!terminal.cooked() && screen.hide_cursor() && screen.bracketed_paste());
}

#[test]
fn kubectl_edits_and_the_change_is_there() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("edited");
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("edited", Some(&namespace));
    let edit = "sed -i 's/web:1.0/web:2.0/' \"$1\"";
    let mut terminal = with_kubectl(launch(&kubeconfig, home.path()), home.path(), edit).open();
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
    terminal.keys("x");
    terminal.wait_text(&format!("-n {namespace} edit -- deploy/web"));
    terminal.keys("e");
    wait_back(&terminal, "kubectl edit ended");
    service.wait_complete(plane, "2.0");
    terminal.wait_for("its row", |screen| rows(screen)[0].contains("2.0"));
    let record = record(home.path());
    assert!(
        record.contains("\"handed-over\"") && record.contains("exit 0"),
        "{record}"
    );
    terminal.keys("a");
    terminal.wait_text("kubectl --context");
    let told = terminal.picture();
    assert!(
        told.contains("deploy/web") && told.contains("exit 0"),
        "{told}"
    );
    terminal.keys("U");
    terminal.wait_text("what it did is not in the record");
    terminal.keys("\x03");
    assert!(terminal.wait_exit().success());
    assert!(terminal.cooked() && !terminal.screen().alternate_screen());
    let output = launch(&kubeconfig, home.path()).with(&["record"]).run();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        lines.contains("hand-over") && lines.contains("deploy/web"),
        "{lines}"
    );
}

#[test]
fn an_editor_that_is_killed_or_stopped_leaves_the_terminal_whole() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("killed");
    Service::new(&namespace, "web").run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("killed", Some(&namespace));
    // All of the group, as when the machine runs out of memory: kubectl and its editor.
    let edit = "printf '\\033[?1049h\\033[?1000h\\033[31mEDITOR'; stty raw -echo; touch \"$HOME/open\"\nwhile [ ! -e \"$HOME/die\" ]; do sleep 0.1; done\nkill -9 0";
    let terminal = with_kubectl(launch(&kubeconfig, home.path()), home.path(), edit).open();
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
    terminal.keys("xe");
    terminal.wait_text("EDITOR");
    wait::until("the editor is open", || {
        home.path().join("open").exists().then_some(())
    });
    let children = format!("/proc/{0}/task/{0}/children", terminal.process_id());
    let kubectl = std::fs::read_to_string(children).unwrap();
    keeper::signal(kubectl.trim().parse().unwrap(), "STOP");
    let status = format!("/proc/{}/stat", terminal.process_id());
    wait::until("rolldeck is stopped with it", || {
        std::fs::read_to_string(&status)
            .unwrap()
            .contains(") T ")
            .then_some(())
    });
    // What it wrote last may still be on its way to this end.
    wait::until("the terminal is the shell's", || {
        (terminal.cooked() && !terminal.screen().alternate_screen()).then_some(())
    });
    terminal.signal("CONT");
    std::fs::write(home.path().join("die"), "").unwrap();
    terminal.wait_text("[kubectl edit was killed by SIGKILL; a key goes back to rolldeck]");
    terminal.keys("\r");
    wait_back(&terminal, "kubectl edit was killed by SIGKILL");
    let screen = terminal.screen();
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
}

#[test]
fn a_shell_that_the_pods_do_not_have_fails_in_words() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("shell");
    Service::new(&namespace, "web")
        .replicas(1)
        .run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("shell", Some(&namespace));
    let terminal = with_kubectl(launch(&kubeconfig, home.path()), home.path(), "true").open();
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
    terminal.keys("\r");
    terminal.wait_text("web-");
    terminal.keys("\ts");
    // What kubectl says stays to be read: the simulated nodes have no containers to run anything in.
    terminal.wait_for("kubectl's own words, and how it ended", |screen| {
        let text = picture(screen);
        text.contains("exec -it pod/web-")
            && text.contains("rror")
            && text.contains("[kubectl exec ended with 1;")
    });
    terminal.keys("\r");
    wait_back(&terminal, "kubectl exec ended with 1");
}
