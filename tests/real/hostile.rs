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

/// What the simulated kubelet would not take stands in what no pod is made of, and in its logs.
#[test]
fn eight_bit_controls_in_images_events_and_logs_are_shown_by_name() {
    const C1: &str = "a\u{9b}2Jb\u{9d}0;pwned\u{9c}c\u{85}d\u{90}q\u{9c}";
    const NAMED: &str = r"a\x9b2Jb\x9d0;pwned\x9cc";
    let plane = ControlPlane::own();
    plane.set_log(&[C1, "the last line"]);
    let namespace = plane.namespace("eight-bit");
    let talker = Service::new(&namespace, "talker").replicas(1);
    talker.run(&plane, "1.0");
    let asleep = Service::new(&namespace, "asleep")
        .replicas(0)
        .container(json!({
            "image": format!("registry.test/shop/asleep:{C1}"),
            "env": [{"name": "WORDS", "value": C1}],
        }));
    asleep.create(&plane, "1.0");
    let pod = talker.pods(&plane).remove(0);
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "talker.1", "namespace": namespace},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "namespace": namespace, "uid": pod["metadata"]["uid"]},
        "type": "Warning", "reason": C1, "message": C1, "count": 3, "source": {"component": C1},
        "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": jiff::Timestamp::now().round(jiff::Unit::Second).unwrap(),
    });
    let events = format!("/api/v1/namespaces/{namespace}/events");
    plane.admin().create(&events, &event).unwrap();

    let home = tempfile::tempdir().unwrap();
    let mut terminal = launch(&plane.admin_kubeconfig(), home.path())
        .with(&["-n", &namespace])
        .size(160, 40)
        .open();
    terminal.wait_for("both rows, the image by its names", |screen| {
        rows(screen).len() == 2 && picture(screen).contains(NAMED)
    });
    for (keys, words, gone) in [
        (":svc talker\r", "HISTORY", "SERVICE"),
        ("e", NAMED, "HISTORY"),
        ("\x1b", "HISTORY", ""),
        ("l", "the last line", "HISTORY"),
        ("\x1b", "HISTORY", ""),
        ("\x1b", "SERVICE", "HISTORY"),
        (":svc asleep\r", "HISTORY", "SERVICE"),
        ("y", "kind: Deployment", "HISTORY"),
        ("\x1b", "HISTORY", ""),
    ] {
        terminal.keys(keys);
        terminal.wait_for(&format!("{words:?} and no {gone:?}"), |screen| {
            let text = picture(screen);
            text.contains(words) && (gone.is_empty() || !text.contains(gone))
        });
        if keys == "l" {
            assert!(terminal.picture().contains(NAMED), "{}", terminal.picture());
        }
    }
    terminal.keys("\x03");
    terminal.wait_exit();
    assert_eq!(strangers(&terminal.bytes()), [""; 0]);
}

#[test]
fn the_scanner_tells_strange_sequences_from_ours() {
    assert_eq!(
        strangers("\x1b[?1049h\x1b[2J\x1b[3;1H\x1b[1;31m× web\x1b[0m\r\n".as_bytes()),
        [""; 0]
    );
    let scrolled = "\x1b[4;30r\x1b[4H\x1b[2M\x1b[r× web";
    assert_eq!(strangers(scrolled.as_bytes()), [""; 0]);
    let told = "\x1b]9;rolldeck: deploy/web: verified\x07\x1b]777;notify;rolldeck;verified\x07";
    assert_eq!(strangers(told.as_bytes()), [""; 0]);
    for strange in [
        "\x1b[4;30r",
        "\x1b[4;30r\x1b[9H\x1b[2M\x1b[r",
        "\x1b[4;30r\x1b[4H\x1b[2M web",
        "\x1b[2L",
        "\x1b]0;title\x07",
        "\x1b]9;4;1;50\x07",
        "\x1b]777;precmd\x07",
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
