//! rolldeck in a pod: its service account is the login, and a new token on the disk is taken.

use std::path::Path;

use serde_json::json;

use crate::screen::{launch, rows};
use crate::support::api::Api;
use crate::support::control_plane::{ControlPlane, Login};
use crate::support::fixtures::Service;
use crate::support::keeper::write;
use crate::support::pty::{Launch, picture};
use crate::support::wait;

/// What the kubelet mounts, put in its place in a mount namespace of our own; `$1` is the folder, the rest runs.
const MOUNT: &str = r#"
    place=$(readlink -f /var/run); folder=$1; shift
    mount -t tmpfs none "$place"
    mkdir -p "$place/secrets/kubernetes.io/serviceaccount"
    mount --bind "$folder" "$place/secrets/kubernetes.io/serviceaccount"
    exec "$@""#;

#[test]
fn a_service_account_is_the_login_and_a_new_token_is_taken_without_a_word() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("pod");
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "first"}});
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    plane.admin().create(&secrets, &secret).unwrap();
    allow(plane, &namespace);
    let first = plane.token(&namespace, "default", Some("first"));
    let folder = tempfile::tempdir().unwrap();
    fill(plane, folder.path(), &namespace, &first);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = in_pod(plane, folder.path(), home.path());

    let output = rolldeck.clone().with(&["status"]).run();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("deploy/web"), "{said}{error}");

    let terminal = rolldeck.open();
    terminal.wait_for("the board of the pod's own namespace", |screen| {
        let text = picture(screen);
        let header = text.lines().next().unwrap_or_default();
        rows(screen).len() == 1 && header.contains(&format!("in-cluster › {namespace}"))
    });
    // The kubelet writes the new one before the old one ends.
    let second = plane.token(&namespace, "default", None);
    write(&folder.path().join("token"), &second);
    plane.admin().delete(&format!("{secrets}/first")).unwrap();
    let old = Api::new(&plane.kubeconfig("pod-old-token", &Login::Token(&first), None));
    wait::until("the old token is refused", || {
        (old.get(&service.path()).err()?.status == 401).then_some(())
    });
    terminal.keys("\r");
    terminal.wait_text("HISTORY");
    terminal.keys("y"); // a read of its own
    terminal.wait_text("kind: Deployment");
    service.set_image(plane, "2.0");
    terminal.keys("\x1b");
    terminal.wait_text("2.0 on 2 of 2 pods");
    let all = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    for word in ["login expired", "accept the login"] {
        assert!(!all.contains(word), "the login was no topic");
    }
    assert!(!all.contains(&*first) && !all.contains(&*second));
}

#[test]
fn a_pod_without_a_token_is_told_where_it_was_looked_for() {
    let plane = ControlPlane::shared();
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = in_pod(plane, folder.path(), home.path())
        .with(&["status"])
        .run();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("No cluster to show."), "{said}");
    let place = "/var/run/secrets/kubernetes.io/serviceaccount: No such file or directory\n";
    assert!(said.contains(place), "{said}");
}

fn in_pod(plane: &ControlPlane, folder: &Path, home: &Path) -> Launch {
    let rolldeck = launch(&home.join("none"), home);
    let mut pod = Launch {
        program: "unshare".into(),
        arguments: Vec::new(),
        ..rolldeck.clone()
    };
    pod.environment.retain(|(name, _)| name != "KUBECONFIG");
    pod.with(&["--mount", "--map-root-user", "sh", "-ec", MOUNT, "pod"])
        .argument(&folder.to_string_lossy())
        .argument(&rolldeck.program.to_string_lossy())
        .variable("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .variable("KUBERNETES_SERVICE_PORT", &plane.port().to_string())
}

fn fill(plane: &ControlPlane, folder: &Path, namespace: &str, token: &str) {
    std::fs::copy(plane.folder().join("ca.crt"), folder.join("ca.crt")).unwrap();
    write(&folder.join("namespace"), namespace);
    write(&folder.join("token"), token);
}

/// The service account may read its namespace.
fn allow(plane: &ControlPlane, namespace: &str) {
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "read"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    });
    let bindings =
        format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings");
    plane.admin().create(&bindings, &binding).unwrap();
}
