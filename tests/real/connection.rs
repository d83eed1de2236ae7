//! Logging in, and what comes back, on a real API server.

use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use rolldeck::config::Connection;
use rolldeck::domain::{FailureKind, PinnedBy};
use rolldeck::sources::kube::access::{self, Permission, Right};
use rolldeck::sources::kube::convert::raw_template;
use rolldeck::sources::kube::{Cluster, Error, connect, identify, logs};
use serde_json::json;

use crate::support::api::RUNTIME;
use crate::support::control_plane::{ControlPlane, Login, VERSION};
use crate::support::fixtures::Service;
use crate::support::keeper::write;

/// Logs in as whoever the kubeconfig says.
pub fn cluster(kubeconfig: &Path) -> Cluster {
    try_cluster(kubeconfig).expect("the login works")
}

fn try_cluster(kubeconfig: &Path) -> Result<Cluster, Error> {
    let connection = Connection {
        kubeconfig: Some(kubeconfig.to_owned()),
        ..Connection::default()
    };
    RUNTIME.block_on(connect(&connection, jiff::Timestamp::now, |_| {}))
}

#[test]
fn a_certificate_logs_in_and_the_cluster_is_pinned_by_its_kube_system() {
    let plane = ControlPlane::shared();
    let kube_system = plane.admin().get("/api/v1/namespaces/kube-system").unwrap();
    let uid = kube_system["metadata"]["uid"].as_str().unwrap();
    let cluster = cluster(&plane.admin_kubeconfig());
    let identity = RUNTIME.block_on(identify(&cluster)).unwrap();
    assert_eq!(&*identity.version, VERSION);
    assert_eq!(identity.user.as_deref(), Some("admin"));
    assert_eq!(identity.pinned, PinnedBy::KubeSystem(uid.into()));
}

#[test]
fn an_editor_of_one_namespace_has_that_and_no_more() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("editors");
    let cluster = cluster(&plane.editor("connection-editor", &namespace));
    assert_eq!(cluster.default_namespace(), Some(&*namespace));
    let identity = RUNTIME.block_on(identify(&cluster)).unwrap();
    assert!(
        matches!(identity.pinned, PinnedBy::AddressAndCa(_)),
        "{:?}",
        identity.pinned
    );
    let ask = |namespace| {
        let right = Right {
            verb: "patch",
            group: "apps",
            resource: "deployments",
            subresource: "",
            namespace,
        };
        RUNTIME
            .block_on(access::permission(&cluster, right))
            .unwrap()
    };
    assert_eq!(ask(Some(&namespace)), Permission::Allowed);
    assert!(matches!(ask(None), Permission::Denied(_)));
    let error = RUNTIME.block_on(access::namespaces(&cluster)).unwrap_err();
    let missing = error.missing_permission();
    assert_eq!(
        missing.as_deref(),
        Some("list namespaces in all namespaces"),
        "{error}"
    );
}

#[test]
fn an_expired_token_says_that_the_login_is_not_accepted() {
    let plane = ControlPlane::shared();
    let kubeconfig = plane.kubeconfig("expired", &Login::Token("long.gone.token"), None);
    let cluster = cluster(&kubeconfig);
    let error = RUNTIME.block_on(cluster.get("/version")).map(|_| ());
    let error = match error {
        Err(error) => error,
        Ok(()) => RUNTIME
            .block_on(cluster.get("/api/v1/namespaces"))
            .unwrap_err(),
    };
    assert!(error.needs_login(), "{error}");
    let failure = error.failure();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(!failure.hints.is_empty(), "{failure:?}");
    assert!(!format!("{failure:?}").contains("long.gone.token"));
}

#[test]
fn a_plugin_logs_in_with_the_token_that_it_prints() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("plugins");
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": plane.token(&namespace, "default", None)},
    });
    let script = plugin(plane, "good", &format!("echo '{credential}'"));
    let cluster = cluster(&plane.kubeconfig("plugged", &Login::Plugin(&script), None));
    let identity = RUNTIME.block_on(identify(&cluster)).unwrap();
    let user = format!("system:serviceaccount:{namespace}:default");
    assert_eq!(identity.user.as_deref(), Some(&*user));
}

#[test]
fn a_plugin_that_fails_is_told_with_its_own_words() {
    let plane = ControlPlane::shared();
    let script = plugin(
        plane,
        "bad",
        "echo 'session ended, log in again' >&2; exit 3",
    );
    let kubeconfig = plane.kubeconfig("unplugged", &Login::Plugin(&script), None);
    let Err(error) = try_cluster(&kubeconfig) else {
        panic!("there is no login")
    };
    assert!(error.needs_login(), "{error}");
    let failure = error.failure();
    let said = format!("{} {:?}", failure.sentence, failure.hints);
    assert!(said.contains("session ended, log in again"), "{said}");
}

#[test]
fn logs_come_in_lines_also_those_of_the_run_before() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("logs");
    let service = Service::new(&namespace, "talker").replicas(1);
    service.run(plane, "1.0");
    let pod = service.pods(plane).remove(0);
    let cluster = cluster(&plane.admin_kubeconfig());
    let read = |previous| {
        let request = logs::Request {
            namespace: namespace.clone(),
            pod: pod["metadata"]["name"].as_str().unwrap().to_owned(),
            container: None,
            previous,
            follow: false,
            tail: Some(10),
            since: None,
        };
        let batches: Vec<_> = RUNTIME
            .block_on(logs::stream(cluster.clone(), request).try_collect())
            .unwrap();
        batches.concat()
    };
    for (previous, text) in [(false, "ready to serve"), (true, "panic: out of luck")] {
        let lines = read(previous);
        assert_eq!(lines.len(), 1);
        assert_eq!(&*lines[0].text, text);
        let at = "2026-01-02T03:04:05.000000006Z".parse().ok();
        assert_eq!(lines[0].at, at);
    }
}

/// The rule of the write: the server compares bytes, so the bytes of the read are what is sent.
#[test]
fn only_the_verbatim_template_passes_the_servers_test() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("verbatim");
    let service = Service::new(&namespace, "odd").container(json!({
        "command": ["sh", "-c", "a && b <c> \u{e4}\u{65e5}\u{2028}"],
        "env": [{"name": "EMPTY", "value": ""}],
    }));
    service.run(plane, "1.0");
    let cluster = cluster(&plane.admin_kubeconfig());
    let answer = RUNTIME.block_on(cluster.get(&service.path())).unwrap();
    let object = std::str::from_utf8(&answer.body).unwrap();
    let verbatim = raw_template(object).unwrap();
    assert!(
        verbatim.contains(r"\u0026\u0026"),
        "the server escapes: {verbatim}"
    );
    let rewritten = serde_json::from_str::<serde_json::Value>(verbatim)
        .unwrap()
        .to_string();
    let test = |template: &str| {
        let body = format!(r#"[{{"op":"test","path":"/spec/template","value":{template}}}]"#);
        RUNTIME.block_on(cluster.patch(&service.path(), &body, true))
    };
    assert!(test(verbatim).is_ok());
    let refused = test(&rewritten).unwrap_err();
    let Error::Rejected { status, causes, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!((*status, causes.len()), (422, 0));
}

/// A script that a kubeconfig names as its credential plugin.
pub fn plugin(plane: &ControlPlane, name: &str, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = plane.folder().join(format!("plugin-{name}"));
    write(&path, &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}
