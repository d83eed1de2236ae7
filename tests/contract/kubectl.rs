//! What kubectl prints: get, describe, logs, rollout, set image, scale and auth can-i.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::place::{Place, daemon_set, deployment, name_of, stateful_set};
use crate::support::built;
use crate::support::fixtures::takes_pods;

/// kubectl in one namespace, with nothing of the machine's own settings.
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    namespace: String,
    home: tempfile::TempDir,
}

pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Kubectl {
    /// `None`, and a line that says so, where there is no kubectl. The full run builds one before.
    pub fn new(kubeconfig: &Path, namespace: &str) -> Option<Self> {
        let Some(program) = program() else {
            assert!(
                std::env::var_os("KUBECTL_IS_HERE").is_none(),
                "there is no kubectl where there must be one"
            );
            eprintln!("NOT RUN: there is no kubectl here; tests/control_plane/build makes one");
            return None;
        };
        Some(Self {
            program,
            kubeconfig: kubeconfig.to_owned(),
            namespace: namespace.to_owned(),
            home: tempfile::tempdir().expect("a folder"),
        })
    }

    fn admin(place: &Place) -> Option<Self> {
        Self::new(&place.side.kubeconfig(), &place.namespace)
    }

    pub fn run(&self, line: &str) -> Said {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(["-n", &self.namespace])
            .args(line.split_whitespace());
        let output = command.output().expect("kubectl starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    #[track_caller]
    pub fn says(&self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(
            said.code,
            Some(0),
            "kubectl {line}: {}{}",
            said.out,
            said.err
        );
        assert_eq!(said.err, "", "kubectl {line}");
        said.out
    }
}

/// The one that the tests' control plane comes with, else the machine's.
pub fn program() -> Option<PathBuf> {
    let built = built::found("tests/control_plane/build").map(|folder| folder.join("kubectl"));
    if let Some(built) = built.filter(|program| program.exists()) {
        return Some(built);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("kubectl"))
        .find(|program| program.exists())
}

/// The words of each line.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| line.split_whitespace().collect())
        .collect()
}

/// The words after a label, on its line.
fn field(text: &str, label: &str) -> String {
    let line = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(label));
    let words = line
        .unwrap_or_else(|| panic!("no {label:?} in:\n{text}"))
        .split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

fn workloads(place: &Place) {
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 2})),
    );
    place.create(
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 1})),
    );
    place.create("daemonsets", &daemon_set("agent", "1", &json!({})));
    for (plural, name) in [
        ("deployments", "web"),
        ("statefulsets", "db"),
        ("daemonsets", "agent"),
    ] {
        place.wait_complete(plural, name, "1");
    }
}

#[test]
fn get() {
    let place = Place::new("kubectl-get");
    let Some(kubectl) = Kubectl::admin(&place) else {
        return;
    };
    workloads(&place);
    let out = kubectl.says("get deploy");
    let lines = words(&out);
    assert_eq!(
        lines[0],
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    );
    assert_eq!(lines[1][..4], ["web", "2/2", "2", "2"]);
    let wide = kubectl.says("get deployments.apps web -o wide");
    assert_eq!(
        words(&wide)[1][5..],
        ["app", "registry.test/shop/web:1", "app=web"]
    );
    let pods = kubectl.says("get pods -l app=web --no-headers");
    let pods = words(&pods);
    assert_eq!(pods.len(), 2);
    assert!(
        pods.iter().all(|pod| pod[1..4] == ["1/1", "Running", "0"]),
        "{pods:?}"
    );
    for (kind, name) in [
        ("sts", "db"),
        ("ds", "agent"),
        ("rs", "web-"),
        ("po", "db-0"),
        ("ns", &*place.namespace),
    ] {
        assert!(
            kubectl.says(&format!("get {kind}")).contains(name),
            "{kind}"
        );
    }
    let two = kubectl.says("get deploy/web sts/db");
    assert!(
        two.contains("deployment.apps/web") && two.contains("statefulset.apps/db"),
        "{two}"
    );
    let yaml = kubectl.says("get deploy web -o yaml");
    let object: Value = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(
        (&object["apiVersion"], &object["kind"]),
        (&json!("apps/v1"), &json!("Deployment"))
    );
    let list: Value = serde_json::from_str(&kubectl.says("get deploy -o json")).unwrap();
    assert_eq!(
        (&list["kind"], &list["items"][0]["kind"]),
        (&json!("List"), &json!("Deployment"))
    );
    let path = kubectl.says("get deploy web -o jsonpath={.spec.replicas}");
    assert_eq!(path, "2");
    assert_eq!(kubectl.says("get pods db-0 -o name"), "pod/db-0\n");
    assert!(
        kubectl
            .says("get pods -A --field-selector metadata.name=db-0")
            .contains(&place.namespace)
    );
    assert!(kubectl.says("get events").contains("ScalingReplicaSet"));
    let nobody = kubectl.run("get deploy nobody");
    assert_eq!(nobody.code, Some(1));
    assert_eq!(
        nobody.err,
        "Error from server (NotFound): deployments.apps \"nobody\" not found\n"
    );
    let nothing = kubectl.run("get deploy -l app=nobody");
    assert_eq!(
        nothing.err,
        format!("No resources found in {} namespace.\n", place.namespace)
    );
}

#[test]
fn describe() {
    let place = Place::new("kubectl-describe");
    let Some(kubectl) = Kubectl::admin(&place) else {
        return;
    };
    workloads(&place);
    let web = kubectl.says("describe deploy web");
    assert_eq!(field(&web, "Name:"), "web");
    assert_eq!(field(&web, "Selector:"), "app=web");
    assert_eq!(
        field(&web, "Replicas:"),
        "2 desired | 2 updated | 2 total | 2 available | 0 unavailable"
    );
    assert_eq!(field(&web, "StrategyType:"), "RollingUpdate");
    assert_eq!(
        field(&web, "RollingUpdateStrategy:"),
        "25% max unavailable, 25% max surge"
    );
    assert_eq!(field(&web, "Image:"), "registry.test/shop/web:1");
    assert_eq!(field(&web, "Progressing"), "True NewReplicaSetAvailable");
    let set = place.replica_sets_of("web").remove(0);
    assert_eq!(
        field(&web, "NewReplicaSet:"),
        format!("{} (2/2 replicas created)", name_of(&set))
    );
    let event = format!(
        "deployment-controller Scaled up replica set {} from 0 to 2",
        name_of(&set)
    );
    assert!(
        words(&web)
            .iter()
            .any(|line| line.join(" ").ends_with(&event)),
        "{web}"
    );
    let pod = kubectl.says("describe pod db-0");
    assert_eq!(field(&pod, "Status:"), "Running");
    assert_eq!(field(&pod, "Controlled By:"), "StatefulSet/db");
    assert_eq!(field(&pod, "Ready:"), "True");
    assert_eq!(field(&pod, "Restart Count:"), "0");
    let pods = "1 Running / 0 Waiting / 0 Succeeded / 0 Failed";
    assert_eq!(
        field(&kubectl.says("describe sts db"), "Pods Status:"),
        pods
    );
    let set = kubectl.says(&format!("describe rs {}", name_of(&set)));
    assert_eq!(field(&set, "Controlled By:"), "Deployment/web");
    assert_eq!(field(&set, "Replicas:"), "2 current / 2 desired");
    let agent = kubectl.says("describe ds agent");
    let nodes = place.admin.items("/api/v1/nodes");
    assert_eq!(
        field(&agent, "Number of Nodes Scheduled with Available Pods:"),
        nodes.iter().filter(|n| takes_pods(n)).count().to_string()
    );
    place.create(
        "deployments",
        &deployment("bad", "1-unpullable", &json!({"replicas": 1})),
    );
    let bad = place.wait_waiting("bad", "ImagePullBackOff");
    let bad = kubectl.says(&format!("describe pod {}", name_of(&bad)));
    assert_eq!(field(&bad, "Reason:"), "ImagePullBackOff");
}

#[test]
fn logs() {
    let place = Place::new("kubectl-logs");
    let Some(kubectl) = Kubectl::admin(&place) else {
        return;
    };
    let mut object = deployment("web", "1", &json!({"replicas": 1}));
    object["spec"]["template"]["spec"]["containers"][0]["name"] = "crier".into();
    place.create("deployments", &object);
    place.wait_complete("deployments", "web", "1");
    let pod = place.pods_of("web").remove(0);
    let line = format!("heard in {}", place.namespace);
    place.side.say(&pod, &line);
    for command in [
        format!("logs {} --tail 1", name_of(&pod)),
        format!("logs {} -c crier --tail=1", name_of(&pod)),
        "logs deploy/web --tail 1".to_owned(),
    ] {
        assert_eq!(kubectl.says(&command), format!("{line}\n"), "{command}");
    }
    let wrong = kubectl.run(&format!("logs {} -c nobody", name_of(&pod)));
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.err.contains("container nobody is not valid for pod"),
        "{}",
        wrong.err
    );
}

#[test]
fn rollout_of_a_deployment() {
    let place = Place::new("kubectl-rollout");
    let Some(kubectl) = Kubectl::admin(&place) else {
        return;
    };
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 2})),
    );
    let done = "deployment \"web\" successfully rolled out\n";
    assert!(kubectl.says("rollout status deploy/web").ends_with(done));
    let set = kubectl.says("set image deploy/web app=registry.test/shop/web:2");
    assert_eq!(set, "deployment.apps/web image updated\n");
    assert!(kubectl.says("rollout status deploy/web").ends_with(done));
    let history = kubectl.says("rollout history deploy/web");
    let lines = words(&history);
    assert_eq!(lines[0], ["deployment.apps/web"]);
    assert_eq!(lines[1], ["REVISION", "CHANGE-CAUSE"]);
    assert_eq!(lines[2..4], [vec!["1", "<none>"], vec!["2", "<none>"]]);
    let first = kubectl.says("rollout history deploy/web --revision 1");
    assert_eq!(field(&first, "Image:"), "registry.test/shop/web:1");
    assert_eq!(
        kubectl.says("rollout undo deploy/web"),
        "deployment.apps/web rolled back\n"
    );
    place.wait_complete("deployments", "web", "1");
    let history = kubectl.says("rollout history deploy/web");
    assert_eq!(
        words(&history)[2..4],
        [vec!["2", "<none>"], vec!["3", "<none>"]]
    );
    let back = kubectl.says("rollout undo deploy/web --to-revision 2");
    assert_eq!(back, "deployment.apps/web rolled back\n");
    place.wait_complete("deployments", "web", "2");
    let scaled = kubectl.says("scale deploy/web --replicas 3");
    assert_eq!(scaled, "deployment.apps/web scaled\n");
    assert!(kubectl.says("rollout status deploy/web").ends_with(done));
    assert_eq!(
        place.read("deployments", "web")["status"]["availableReplicas"],
        3
    );
    kubectl.says("set image deploy/web app=registry.test/shop/web:3-unpullable");
    place.wait_waiting("web", "ImagePullBackOff");
    let stuck = kubectl.run("rollout status deploy/web --timeout 1s");
    assert_eq!(stuck.code, Some(1));
    assert!(
        stuck
            .out
            .contains("Waiting for deployment \"web\" rollout to finish"),
        "{}",
        stuck.out
    );
    kubectl.says("rollout undo deploy/web");
    place.wait_complete("deployments", "web", "2");
}

#[test]
fn rollout_of_the_other_kinds() {
    let place = Place::new("kubectl-others");
    let Some(kubectl) = Kubectl::admin(&place) else {
        return;
    };
    place.create(
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 2})),
    );
    place.create("daemonsets", &daemon_set("agent", "1", &json!({})));
    for (short, plural, kind, name, end) in [
        (
            "sts",
            "statefulsets",
            "statefulset",
            "db",
            "partitioned roll out complete: 2 new pods have been updated...\n",
        ),
        (
            "ds",
            "daemonsets",
            "daemonset",
            "agent",
            "daemon set \"agent\" successfully rolled out\n",
        ),
    ] {
        place.wait_complete(plural, name, "1");
        let set = kubectl.says(&format!(
            "set image {short}/{name} app=registry.test/shop/{name}:2"
        ));
        assert_eq!(set, format!("{kind}.apps/{name} image updated\n"));
        let status = kubectl.says(&format!("rollout status {short}/{name}"));
        assert!(status.ends_with(end), "{status}");
        place.wait_complete(plural, name, "2");
        let history = kubectl.says(&format!("rollout history {short}/{name}"));
        assert_eq!(
            words(&history)[2..4],
            [vec!["1", "<none>"], vec!["2", "<none>"]]
        );
        let first = kubectl.says(&format!("rollout history {short}/{name} --revision=1"));
        assert_eq!(
            field(&first, "Image:"),
            format!("registry.test/shop/{name}:1")
        );
        let undone = kubectl.says(&format!("rollout undo {short}/{name}"));
        assert_eq!(undone, format!("{kind}.apps/{name} rolled back\n"));
        place.wait_complete(plural, name, "1");
    }
    assert_eq!(
        kubectl.says("scale sts/db --replicas=1"),
        "statefulset.apps/db scaled\n"
    );
    place.wait_complete("statefulsets", "db", "1");
}

#[test]
fn auth_can_i() {
    let place = Place::new("kubectl-auth");
    let Some(admin) = Kubectl::admin(&place) else {
        return;
    };
    let reader =
        Kubectl::new(&place.side.reader_kubeconfig(), &place.namespace).expect("it is here");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 1})),
    );
    place.wait_complete("deployments", "web", "1");
    assert_eq!(admin.says("auth can-i patch deployments"), "yes\n");
    assert_eq!(reader.says("auth can-i list pods"), "yes\n");
    assert_eq!(
        reader.says("auth can-i get pods --subresource=log"),
        "yes\n"
    );
    let no = reader.run("auth can-i patch deployments.apps");
    assert_eq!(
        (no.code, no.out.lines().next()),
        (Some(1), Some("no")),
        "{}",
        no.err
    );
    let list = reader.says("auth can-i --list");
    let all = words(&list);
    assert!(
        all.iter()
            .any(|line| line[0] == "*.*" && line.contains(&"[get") && line.contains(&"watch]")),
        "{list}"
    );
    assert!(reader.says("get deploy").contains("web"));
    let refused = reader.run("set image deploy/web app=registry.test/shop/web:2");
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("(Forbidden)") || refused.err.contains("is forbidden"),
        "{}",
        refused.err
    );
    assert!(
        refused
            .err
            .contains("cannot patch resource \"deployments\""),
        "{}",
        refused.err
    );
}
