//! Through a forward proxy to the API server: from the kubeconfig, from the environment, past it, and refused.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::screen::{launch, row_of, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::keeper::write;
use crate::support::pty::{Launch, picture};
use crate::support::tunnel::{Connect, Tunnel};

/// Only a proxy knows where that is.
const NAME: &str = "kube.test";

#[test]
fn the_proxy_of_the_kubeconfig_carries_everything_and_its_login_shows_nowhere() {
    let (plane, namespace) = shop("proxy-url");
    let tunnel = Tunnel::to(plane.port());
    let address = format!("http://me:hunter2@127.0.0.1:{}", tunnel.port());
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = kubeconfig(plane, home.path(), &namespace, NAME, Some(&address));
    // NO_PROXY speaks of the proxies of the environment only.
    let terminal = launch(&kubeconfig, home.path())
        .variable("NO_PROXY", "*")
        .open();
    terminal.wait_for("the board, live", |screen| {
        rows(screen).len() == 1 && header(&picture(screen)).contains("live")
    });
    Service::new(&namespace, "web").set_image(plane, "2.0");
    terminal.wait_for("the change", |screen| {
        row_of(screen, "web").is_some_and(|row| row.contains("2.0"))
    });
    terminal.keys(":doctor\r");
    terminal.wait_text(&tunnel.address());
    assert!(!String::from_utf8_lossy(&terminal.bytes()).contains("hunter2"));
    let way = Connect {
        to: format!("{NAME}:{}", plane.port()),
        login: Some("Basic bWU6aHVudGVyMg==".into()), // me:hunter2
    };
    let seen = tunnel.seen();
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|connect| *connect == way), "{seen:?}");
}

#[test]
fn the_environments_proxy_is_used_and_no_proxy_goes_around_it() {
    let (plane, namespace) = shop("proxy-env");
    let tunnel = Tunnel::to(plane.port());
    let home = tempfile::tempdir().unwrap();
    // An address that is no loopback address and leads here all the same.
    let kubeconfig = kubeconfig(plane, home.path(), &namespace, "0.0.0.0", None);
    let status = |variables: &[(&str, &str)]| {
        let mut status = launch(&kubeconfig, home.path()).with(&["status"]);
        for (name, value) in variables {
            status = status.variable(name, value);
        }
        shows_web(&status);
        tunnel.seen().len()
    };
    let address = tunnel.address();
    let through = status(&[("HTTPS_PROXY", &address)]);
    assert!(through > 0, "nothing went through the proxy");
    let lower = status(&[("https_proxy", &address)]);
    assert!(lower > through, "https_proxy counts as well");
    for around in ["0.0.0.0", "other.test, 0.0.0.0/8", "*"] {
        let count = status(&[("HTTPS_PROXY", &address), ("NO_PROXY", around)]);
        assert_eq!(count, lower, "NO_PROXY={around}");
    }
    assert_eq!(status(&[("HTTP_PROXY", &address)]), lower, "for http only");
    let to = format!("0.0.0.0:{}", plane.port());
    assert!(tunnel.seen().iter().all(|connect| connect.to == to));
}

#[test]
fn a_proxy_that_says_no_or_is_not_there_is_told_in_words() {
    let (plane, namespace) = shop("proxy-no");
    let home = tempfile::tempdir().unwrap();
    let refused = Tunnel::refusing("403 Forbidden");
    let login = Tunnel::refusing("407 Proxy Authentication Required");
    for (address, words) in [
        (
            &*refused.address(),
            "the proxy refuses the way to the API server",
        ),
        (&login.address(), "the proxy wants a login (407)"),
        (
            "http://127.0.0.1:1",
            "the proxy cannot be reached: Connection refused",
        ),
    ] {
        let kubeconfig = kubeconfig(plane, home.path(), &namespace, NAME, Some(address));
        let program = launch(&kubeconfig, home.path());
        let mut terminal = program.open();
        terminal.wait_for(words, |screen| {
            // The words may run over the end of a line.
            let text = picture(screen);
            let text: Vec<_> = text.split_whitespace().collect();
            text.join(" ").contains(words)
        });
        terminal.keys("\x03");
        terminal.wait_exit();
        let output = program.with(&["status"]).run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(words), "{said}");
        assert_eq!(output.status.code(), Some(1), "{said}");
    }
    assert!(!refused.seen().is_empty() && !login.seen().is_empty());
}

fn shop(prefix: &str) -> (&'static ControlPlane, String) {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace(prefix);
    Service::new(&namespace, "web").run(plane, "1.0");
    (plane, namespace)
}

fn shows_web(status: &Launch) {
    let output = status.run();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("deploy/web"), "{said}{error}");
}

/// The administrator's, with another name for the server.
fn kubeconfig(
    plane: &ControlPlane,
    home: &Path,
    namespace: &str,
    host: &str,
    proxy: Option<&str>,
) -> PathBuf {
    let text = std::fs::read_to_string(plane.admin_kubeconfig()).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cluster = &mut file["clusters"][0]["cluster"];
    cluster["server"] = json!(format!("https://{host}:{}", plane.port()));
    cluster["tls-server-name"] = json!("localhost");
    if let Some(proxy) = proxy {
        cluster["proxy-url"] = json!(proxy);
    }
    file["contexts"][0]["context"]["namespace"] = json!(namespace);
    let path = home.join("kubeconfig");
    write(&path, &file.to_string());
    path
}

fn header(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
