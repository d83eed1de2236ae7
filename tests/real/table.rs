//! Plain tables of any kind on the real server, also of one that was planted a moment ago.

use serde_json::json;

use crate::screen::{launch, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::picture;
use crate::support::wait;

#[test]
fn any_kind_is_a_table_and_the_values_of_a_secret_never_come() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("tables");
    Service::new(&namespace, "web").run(plane, "1.0");
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    let keys = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "keys", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "noted-hunter2"}},
        "stringData": {"password": "hunter2hunter2"},
    });
    plane.admin().create(&secrets, &keys).unwrap();
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner("tables", Some(&namespace));
    let terminal = launch(&kubeconfig, home.path()).open();
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
    let table = |name: &str, parts: &[&str]| {
        terminal.keys(&format!(":{name}\r"));
        terminal.wait_for(&format!("{name}: {parts:?}"), |screen| {
            let text = picture(screen);
            parts.iter().all(|part| text.contains(part)) && text.contains(" ago")
        });
    };
    let back = |gone: &str| {
        terminal.keys("q");
        terminal.wait_gone(gone);
    };
    table("secrets", &["TYPE", "keys", "Opaque"]);
    terminal.keys("y");
    terminal.wait_text("password: (not shown, 14 bytes)");
    back("not shown");
    back("Opaque");
    table("nodes", &["STATUS", "Ready", "VERSION"]);
    back("Ready");
    table("po", &["READY", "web-", "1/1"]);
    back("1/1");
    let widgets = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.tables.test"},
        "spec": {
            "group": "tables.test", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wdg"]},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                "additionalPrinterColumns": [{"name": "Colour", "type": "string", "jsonPath": ".spec.colour"}]}],
        },
    });
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    plane.admin().create(definitions, &widgets).unwrap();
    let objects = format!("/apis/tables.test/v1/namespaces/{namespace}/widgets");
    let widget = json!({
        "apiVersion": "tables.test/v1", "kind": "Widget", "metadata": {"name": "first"}, "spec": {"colour": "teal"},
    });
    wait::until("the kind is served", || {
        plane.admin().create(&objects, &widget).ok()
    });
    table("wdg", &["widgets.tables.test", "COLOUR", "first", "teal"]);
    back("teal");
    terminal.keys(":widgts\r");
    terminal.wait_text("did you mean widget");
    let seen = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(
        !seen.contains("hunter2") && !seen.contains("aHVudGVy"),
        "a value of the Secret came"
    );
}
