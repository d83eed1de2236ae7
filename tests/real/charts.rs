//! The history of a release that the real Helm installed, upgraded and rolled back.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::screen::{launch, open, row_of};
use crate::support::built;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;

/// Never on a screen, and never in an answer of ours.
pub const SECRET: &str = "hunter2-of-the-values";

pub struct Chart {
    folder: tempfile::TempDir,
    namespace: String,
    pub helm: PathBuf,
    pub service: Service,
}

impl Chart {
    pub fn new(namespace: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::new(namespace, "checkout");
        let mut object = service.object("TAG");
        object["metadata"]["namespace"] = json!(namespace);
        let text = object
            .to_string()
            .replace(":TAG", ":{{ .Chart.AppVersion }}");
        std::fs::create_dir_all(folder.path().join("templates")).unwrap();
        std::fs::write(folder.path().join("templates/checkout.yaml"), text).unwrap();
        Self {
            folder,
            namespace: namespace.to_owned(),
            helm: built::folder("tests/helm/build").join("helm"),
            service,
        }
    }

    fn version(&self, chart: &str, app: &str) {
        let text =
            format!("apiVersion: v2\nname: checkout\nversion: {chart}\nappVersion: \"{app}\"\n");
        std::fs::write(self.folder.path().join("Chart.yaml"), text).unwrap();
    }

    pub fn run(&self, plane: &ControlPlane, arguments: &[&str]) {
        let output = Command::new(&self.helm)
            .args([
                "--kubeconfig",
                plane.admin_kubeconfig().to_str().unwrap(),
                "-n",
                &self.namespace,
            ])
            .args(arguments)
            .env("HOME", self.folder.path())
            .output()
            .expect("helm starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "helm {arguments:?}: {error}");
    }

    pub fn install(&self, plane: &ControlPlane, (chart, app): (&str, &str)) {
        self.version(chart, app);
        let value = format!("password={SECRET}");
        let folder = self.folder.path().to_str().unwrap();
        self.run(
            plane,
            &["upgrade", "--install", "checkout", folder, "--set", &value],
        );
        self.service.wait_complete(plane, app);
    }
}

#[test]
fn what_helm_did_is_told_and_none_of_its_values() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("charts");
    let chart = Chart::new(&namespace);
    chart.install(plane, ("0.1.0", "1.0"));
    chart.install(plane, ("0.2.0", "2.0"));
    chart.install(plane, ("0.3.0", "3.0"));
    chart.run(plane, &["rollback", "checkout", "2"]);
    chart.service.wait_complete(plane, "2.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let terminal = open(&kubeconfig, home.path());
    terminal.wait_for("the row", |screen| row_of(screen, "checkout").is_some());
    terminal.keys("H");
    terminal.wait_text("Rollback to 2");
    let said = terminal.picture();
    for line in [
        "superseded  checkout-0.1.0  1.0          Install complete",
        "superseded  checkout-0.3.0  3.0          Upgrade complete",
        "deployed    checkout-0.2.0  2.0          Rollback to 2",
    ] {
        assert!(said.contains(line), "{said}");
    }
    drop(terminal);
    let output = launch(&kubeconfig, home.path())
        .with(&["history", "checkout", "--helm", "-o", "json"])
        .run();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    let releases: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let rows: Vec<_> = releases
        .iter()
        .map(|r| (&r["revision"], &r["status"], &r["chart"]))
        .collect();
    let want = [
        (json!(4), json!("deployed"), json!("checkout-0.2.0")),
        (json!(3), json!("superseded"), json!("checkout-0.3.0")),
        (json!(2), json!("superseded"), json!("checkout-0.2.0")),
        (json!(1), json!("superseded"), json!("checkout-0.1.0")),
    ];
    let want: Vec<_> = want.iter().map(|(r, s, c)| (r, s, c)).collect();
    assert_eq!(rows, want);
    let all = [said.as_bytes(), &output.stdout].concat();
    assert!(!String::from_utf8_lossy(&all).contains(SECRET));

    // Who may not read Secrets is told so.
    let rules = json!([{"apiGroups": ["apps", ""], "resources": ["deployments", "statefulsets", "daemonsets"], "verbs": ["get", "list", "watch"]}]);
    let kubeconfig = plane.with_rules(&format!("{namespace}-blind"), &rules, Some(&namespace));
    let output = launch(&kubeconfig, home.path())
        .with(&["history", "checkout", "--helm"])
        .run();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("list secrets"), "{error}");
}
