//! Words from the cluster never reach the terminal as they are.

use serde_json::json;

use crate::screen::{launch, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::picture;
use crate::support::terminal_bytes::{plain, strangers};

/// A colour that does not exist, a title, a question to the terminal, a reset, a bell, an 8-bit CSI, a
/// right-to-left override, a zero-width space, a wide character, a pile of combining marks.
const EVIL: &str = "\u{1b}[3133m\u{1b}]0;pwned\u{7}\u{1b}[6n\u{1b}c\u{7}\u{9b}2J\u{202e}tac\u{200b}\u{65e5}\u{672c}a\u{301}\u{302}\u{303}";

#[test]
fn nothing_from_the_cluster_moves_the_terminal() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("hostile");
    let service = plant(plane, &namespace);
    let calm = Service::new(&namespace, "calm");
    calm.run(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("hostile", Some(&namespace));
    for (width, height) in [(120, 40), (80, 24)] {
        let mut terminal = launch(&kubeconfig, home.path()).size(width, height).open();
        terminal.wait_for("both rows", |screen| {
            let rows = rows(screen);
            rows.len() == 2 && rows[0].contains(&service.name) && rows[0].contains("stalled")
        });
        terminal.wait_for("the layout stays", |screen| {
            let rows = rows(screen);
            rows[1].contains("calm") && rows[1].contains("1.0") && rows[1].starts_with("  ")
        });
        for (keys, title) in [
            ("\r", "HISTORY"),
            ("e", ""),
            ("\x1b", "HISTORY"),
            ("y", ""),
            ("\x1b", "HISTORY"),
            ("l", ""),
            ("\x1b", "HISTORY"),
            ("R", "ROLL BACK"),
            ("\x1b", "HISTORY"),
        ] {
            let before = terminal.picture();
            terminal.keys(keys);
            terminal.wait_for(&format!("the answer to {keys:?}"), |screen| {
                let text = picture(screen);
                text != before && text.contains(title)
            });
        }
        terminal.keys("\x03");
        terminal.wait_exit();
        assert_eq!(strangers(&terminal.bytes()), [""; 0]);
    }
}

#[test]
fn the_twins_print_lines_without_control_characters() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("hostile-twins");
    let service = plant(plane, &namespace);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("hostile-twins", Some(&namespace)), home.path());
    for words in [
        &["status"][..],
        &["status", "-o", "json"],
        &["history", &service.name],
        &["history", &service.name, "-o", "json"],
        &["rollback", &service.name, "--dry-run"],
        &["doctor"],
    ] {
        let output = rolldeck.clone().with(words).run();
        let all = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!all.is_empty(), "{words:?}");
        let strange: Vec<_> = all.chars().filter(|&character| !plain(character)).collect();
        assert!(strange.is_empty(), "{words:?} prints {strange:?}:\n{all}");
    }
}

#[test]
fn the_scanner_tells_strange_sequences_from_ours() {
    assert_eq!(
        strangers("\x1b[?1049h\x1b[2J\x1b[3;1H\x1b[1;31m× web\x1b[0m\r\n".as_bytes()),
        [""; 0]
    );
    for strange in [
        "\x1b]0;title\x07",
        "\x1b[6n",
        "\x1bc",
        "\x1b[8;9;9t",
        "\x07",
        "\u{9b}31m",
        "\u{202e}",
        "\x1bP1$q\x1b\\",
        "\x1b[3133m",
        "\u{200b}",
        "\x08",
    ] {
        assert!(!strangers(strange.as_bytes()).is_empty(), "{strange:?}");
    }
}

/// A stuck service with hostile words wherever the API server takes them.
fn plant(plane: &ControlPlane, namespace: &str) -> Service {
    let mut service = Service::new(namespace, "evil");
    service.annotations = json!({
        "kubernetes.io/change-cause": EVIL,
        "rolldeck.dev/action": EVIL,
        "long": "x".repeat(10_000),
    });
    service.container = json!({"env": [{"name": "WORDS", "value": EVIL}]});
    service.run(plane, "1.0");
    // The simulated kubelet speaks YAML, in which an 8-bit CSI cannot stand.
    let words = EVIL.replace('\u{9b}', "");
    let image = format!("registry.test/{words}/{}:2-unpullable", "y".repeat(300));
    let change =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "evil", "image": image}]}}}});
    plane.admin().patch(&service.path(), &change).unwrap();
    let uid = service.read(plane)["metadata"]["uid"].clone();
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "evil.1", "namespace": namespace},
        "involvedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "evil", "namespace": namespace, "uid": uid},
        "type": "Warning", "reason": "Evil", "message": EVIL.repeat(10), "count": 3,
        "source": {"component": "test"},
        "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:04:05Z",
    });
    plane
        .admin()
        .create(&format!("/api/v1/namespaces/{namespace}/events"), &event)
        .unwrap();
    service.wait_waiting(plane, "ImagePullBackOff");
    service
}
