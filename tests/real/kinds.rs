//! StatefulSets and DaemonSets rolled back on a real control plane: through a terminal, and by the command line.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use vt100::Screen;

use crate::contract::place::{complete, daemon_set, image, name_of, stateful_set};
use crate::screen::{findings, launch, open, row_of, wait_plan};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::takes_pods;
use crate::support::proxy::{Fate, Proxy};
use crate::support::pty::{Launch, Terminal};
use crate::support::wait;

/// One workload of either kind.
#[derive(Clone)]
pub struct Set {
    namespace: String,
    name: &'static str,
    plural: &'static str,
}

impl Set {
    /// Every pod of it serves 1.0.
    pub fn run(plane: &ControlPlane, namespace: &str, plural: &'static str, spec: &Value) -> Self {
        let (name, object) = match plural {
            "daemonsets" => ("agent", daemon_set("agent", "1.0", spec)),
            _ => ("db", stateful_set("db", "1.0", spec)),
        };
        let set = Self {
            namespace: namespace.to_owned(),
            name,
            plural,
        };
        let collection = format!("/apis/apps/v1/namespaces/{namespace}/{plural}");
        plane.admin().create(&collection, &object).unwrap();
        set.wait_complete(plane, "1.0");
        set
    }

    pub fn path(&self) -> String {
        let (namespace, plural) = (&self.namespace, self.plural);
        format!(
            "/apis/apps/v1/namespaces/{namespace}/{plural}/{}",
            self.name
        )
    }

    pub fn read(&self, plane: &ControlPlane) -> Value {
        plane.admin().get(&self.path()).unwrap()
    }

    pub fn set_image(&self, plane: &ControlPlane, tag: &str) {
        let change = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": image(self.name, tag)}]}}}});
        let path = format!("{}?fieldManager=kubectl-set", self.path());
        plane.admin().patch(&path, &change).unwrap();
    }

    fn live_image(&self, plane: &ControlPlane) -> Value {
        self.read(plane)["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    }

    pub fn note(&self, plane: &ControlPlane) -> Value {
        let object = self.read(plane);
        let text = object["metadata"]["annotations"]["rolldeck.dev/action"].as_str();
        text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    }

    pub fn pods(&self, plane: &ControlPlane) -> Vec<Value> {
        let (namespace, name) = (&self.namespace, self.name);
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=app%3D{name}");
        let mut pods = plane.admin().items(&path);
        pods.sort_by_key(|pod| name_of(pod).to_owned());
        pods
    }

    fn pod(&self, name: &str) -> String {
        format!("/api/v1/namespaces/{}/pods/{name}", self.namespace)
    }

    /// The tags that its pods run, by their names.
    fn tags(&self, plane: &ControlPlane) -> Vec<String> {
        let tag = |pod: &Value| {
            let image = pod["spec"]["containers"][0]["image"].as_str().unwrap();
            image.rsplit(':').next().unwrap().to_owned()
        };
        self.pods(plane).iter().map(tag).collect()
    }

    pub fn wait_complete(&self, plane: &ControlPlane, tag: &str) {
        wait::until(&format!("{} is complete on {tag}", self.name), || {
            let tags = self.tags(plane);
            let all = tags.iter().all(|have| have == tag);
            (all && complete(&self.read(plane))).then_some(())
        });
    }

    pub fn wait_tags(&self, plane: &ControlPlane, tags: &[&str]) {
        wait::until(&format!("pods on {tags:?}"), || {
            let pods = self.pods(plane);
            let ready = pods.iter().all(ready);
            (self.tags(plane) == tags && ready && self.seen(plane)).then_some(())
        });
    }

    fn seen(&self, plane: &ControlPlane) -> bool {
        let object = self.read(plane);
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
    }

    fn wait_stuck(&self, plane: &ControlPlane) {
        wait::until("a pod that cannot pull its image", || {
            let stuck = |pod: &Value| {
                pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]
                    == "ImagePullBackOff"
            };
            self.pods(plane).iter().any(stuck).then_some(())
        });
    }

    fn delete_pod(&self, plane: &ControlPlane, name: &str) {
        plane.admin().delete(&self.pod(name)).unwrap();
    }

    /// What it is rolled back from: 2.0 cannot be pulled, and the last pod waits for it.
    pub fn stuck(plane: &ControlPlane, namespace: &str, plural: &'static str) -> Self {
        let spec = match plural {
            "daemonsets" => json!({}),
            _ => json!({"replicas": 3}),
        };
        let set = Self::run(plane, namespace, plural, &spec);
        set.set_image(plane, "2.0-unpullable");
        set.wait_stuck(plane);
        set
    }
}

fn ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|c| c["type"] == "Ready" && c["status"] == "True")
    })
}

fn row(screen: &Screen, name: &str) -> String {
    row_of(screen, name).unwrap_or_default()
}

fn wait_row(terminal: &Terminal, name: &str, word: &str) {
    let what = format!("the row of {name} says {word}");
    terminal.wait_for(&what, |screen| row(screen, name).contains(word));
}

fn wait_verified(terminal: &Terminal) -> String {
    terminal.wait_text("verified:");
    let text = terminal.picture();
    assert!(!text.contains("not verified"), "{text}");
    text
}

/// What was really deleted, and what was only tried.
fn deletions(plane: &ControlPlane, user: &str) -> (usize, usize) {
    let asked = plane.asked_by(user);
    let deletions = asked.iter().filter(|asked| asked.verb == "delete");
    let (tried, real): (Vec<_>, Vec<_>) = deletions.partition(|asked| asked.dry_run());
    assert!(real.iter().chain(&tried).all(|asked| asked.what == "pods"));
    (real.len(), tried.len())
}

/// Its release record, as it stands in the file.
pub fn record(home: &Path) -> String {
    std::fs::read_to_string(home.join(".state/rolldeck/release-record.jsonl")).unwrap()
}

pub fn said(output: &Output) -> (i32, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = text(&output.stdout) + &text(&output.stderr);
    (output.status.code().unwrap(), all)
}

/// The exit code, and what stdout and stderr say.
pub fn spoken(launch: &Launch) -> (Option<i32>, String) {
    let output = launch.run();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_stuck_ordered_stateful_set_is_rolled_back_with_the_pod_that_blocks_it() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("ordered");
    let set = Set::stuck(plane, &namespace, "statefulsets");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("ordered", Some(&namespace)), home.path());
    wait_row(&terminal, "db", "stalled");
    terminal.keys("R");
    wait_plan(&terminal);
    let text = terminal.picture();
    for words in [
        "ROLL BACK  sts/db",
        "delete pod db-2 (image not found",
        "OrderedReady: db-2 is not ready",
        "delete pods in",
        "dry runs",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(findings(&terminal, "BLOCK"), [""; 0], "{text}");
    assert_eq!(
        set.tags(plane),
        ["1.0", "1.0", "2.0-unpullable"],
        "nothing is done before y"
    );
    assert_eq!(set.note(plane), Value::Null);
    terminal.keys("y");
    let text = wait_verified(&terminal);
    assert!(text.contains("3/3 pods run 1.0"), "{text}");
    set.wait_complete(plane, "1.0");
    assert_eq!(set.note(plane)["verb"], "rollback");
    assert_eq!(deletions(plane, "ordered"), (1, 1));
    let record = record(home.path());
    for words in ["sending", "delete pod db-2", "accepted", "verified: 3/3"] {
        assert!(record.contains(words), "{words}: {record}");
    }
    // It was rolled back from, and is no way back.
    terminal.keys("qR");
    terminal.wait_text("nothing to roll back to but");
}

#[test]
fn on_delete_moves_when_its_pods_are_deleted_and_not_before() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("by-hand");
    let spec = json!({"replicas": 2, "updateStrategy": {"type": "OnDelete"}});
    let set = Set::run(plane, &namespace, "statefulsets", &spec);
    set.set_image(plane, "2.0");
    wait::until("it is seen", || set.seen(plane).then_some(()));
    for name in ["db-0", "db-1"] {
        set.delete_pod(plane, name);
    }
    set.wait_tags(plane, &["2.0", "2.0"]);
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("by-hand", Some(&namespace)), home.path());
    wait_row(&terminal, "db", "2.0");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal
        .wait_text("OnDelete: pods keep their old template until they are deleted: db-0 and db-1");
    terminal.wait_text("d delete those 2 pods as well");
    terminal.keys("y");
    terminal.wait_text("OnDelete: db-0 and db-1 keep their old template");
    assert_eq!(set.tags(plane), ["2.0", "2.0"], "nobody deleted them");
    assert_eq!(deletions(plane, "by-hand").0, 0);
    assert!(!terminal.picture().contains("verified:"));
    // What is left is the next plan.
    terminal.keys("qR");
    wait_plan(&terminal);
    terminal.wait_text("it is live already");
    terminal.wait_text("then        delete pod db-1");
    terminal.keys("y");
    let text = wait_verified(&terminal);
    assert!(text.contains("2/2 pods run 1.0"), "{text}");
    assert_eq!(set.tags(plane), ["1.0", "1.0"]);
    assert_eq!(deletions(plane, "by-hand").0, 2);
}

#[test]
fn the_pods_of_an_on_delete_daemon_set_are_deleted_one_after_another() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("in-turn");
    let spec = json!({"updateStrategy": {"type": "OnDelete"}});
    let set = Set::run(plane, &namespace, "daemonsets", &spec);
    set.set_image(plane, "2.0");
    wait::until("it is seen", || set.seen(plane).then_some(()));
    for pod in set.pods(plane) {
        set.delete_pod(plane, name_of(&pod));
    }
    let nodes = plane.admin().items("/api/v1/nodes");
    let nodes = nodes.iter().filter(|node| takes_pods(node)).count();
    set.wait_tags(plane, &vec!["2.0"; nodes]);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("in-turn", Some(&namespace)), home.path());
    let run = |words: &[&str]| said(&rolldeck.clone().with(words).run());
    let (code, text) = run(&["rollback", "ds/agent", "--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("--delete-pods"), "{text}");
    let (code, text) = run(&["rollback", "ds/agent", "--yes", "--delete-pods"]);
    assert_eq!(code, 0, "{text}");
    let verified = format!("verified: {nodes}/{nodes} nodes run 1.0");
    assert!(text.contains(&verified), "{text}");
    set.wait_complete(plane, "1.0");
    let (real, in_turn) = deletions_in_turn(plane, "in-turn");
    assert_eq!(
        (real, in_turn),
        (nodes, nodes - 1),
        "all but the first wait"
    );
}

/// How many pods were really deleted, and how many of those after a look at all pods since the one before.
fn deletions_in_turn(plane: &ControlPlane, user: &str) -> (usize, usize) {
    let (mut real, mut in_turn, mut looked) = (0, 0, false);
    for asked in plane.asked_by(user) {
        if asked.verb == "list" && asked.what == "pods" {
            looked = true;
        }
        if asked.verb == "delete" && !asked.dry_run() {
            in_turn += usize::from(real > 0 && looked);
            (real, looked) = (real + 1, false);
        }
    }
    (real, in_turn)
}

#[test]
fn a_partition_stays_and_what_is_above_it_is_rolled_back() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("partition");
    let spec = json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
    let set = Set::run(plane, &namespace, "statefulsets", &spec);
    set.set_image(plane, "2.0");
    set.wait_tags(plane, &["1.0", "1.0", "2.0"]);
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("partition", Some(&namespace)), home.path());
    wait_row(&terminal, "db", "2.0");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.wait_text("partition 2: pods 0 and 1 stay, with the target's template; db-2 moves");
    terminal.keys("y");
    let text = wait_verified(&terminal);
    assert!(text.contains("3/3 pods run 1.0"), "{text}");
    assert_eq!(set.tags(plane), ["1.0", "1.0", "1.0"]);
}

#[test]
fn a_stuck_daemon_set_is_rolled_back_on_every_node() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("daemons");
    let set = Set::stuck(plane, &namespace, "daemonsets");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner("daemons", Some(&namespace)), home.path());
    wait_row(&terminal, "agent", "stalled");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    let text = wait_verified(&terminal);
    let nodes = plane.admin().items("/api/v1/nodes");
    let nodes = nodes.iter().filter(|node| takes_pods(node)).count();
    let words = format!("{nodes}/{nodes} nodes run 1.0");
    assert!(text.contains(&words), "{text}");
    set.wait_complete(plane, "1.0");
    assert_eq!(
        deletions(plane, "daemons"),
        (0, 0),
        "its controller does it"
    );
}

#[test]
fn right_counts_with_an_old_pod_are_never_called_verified() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("counts");
    let spec = json!({"replicas": 2, "updateStrategy": {"type": "OnDelete"}});
    let set = Set::run(plane, &namespace, "statefulsets", &spec);
    let first = set.read(plane)["status"]["updateRevision"].clone();
    set.set_image(plane, "2.0");
    wait::until("it is seen", || set.seen(plane).then_some(()));
    set.delete_pod(plane, "db-1");
    set.wait_tags(plane, &["1.0", "2.0"]);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("counts", Some(&namespace)), home.path());
    // The controller counts by this label alone.
    let label = json!({"metadata": {"labels": {"controller-revision-hash": first}}});
    plane.admin().patch(&set.pod("db-1"), &label).unwrap();
    let output = rolldeck.with(&["rollback", "db", "--yes", "--timeout", "30"]);
    let (code, text) = said(&output.run());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("not verified: pod db-1 runs"), "{text}");
    let object = set.read(plane);
    for field in [
        "replicas",
        "readyReplicas",
        "availableReplicas",
        "updatedReplicas",
    ] {
        assert_eq!(object["status"][field], 2, "{field}: the counts are right");
    }
    assert!(complete(&object));
    assert_eq!(set.tags(plane), ["1.0", "2.0"], "and an old pod runs");
}

#[test]
fn a_pod_that_was_replaced_before_its_turn_is_not_deleted_and_the_next_plan_does_the_rest() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("replaced");
    let set = Set::stuck(plane, &namespace, "statefulsets");
    let (patches, victim) = (Arc::new(AtomicU32::new(0)), set.clone());
    let proxy = Proxy::start(plane, move |seen| {
        if seen.real_patch() && patches.fetch_add(1, Ordering::SeqCst) == 0 {
            let plane = ControlPlane::shared();
            let uid = |set: &Set| set.pods(plane)[2]["metadata"]["uid"].clone();
            let old = uid(&victim);
            victim.delete_pod(plane, "db-2");
            wait::until("another db-2", || {
                (victim.pods(plane).len() == 3 && uid(&victim) != old).then_some(())
            });
        }
        Fate::Forward
    });
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&proxy.kubeconfig(Some(&namespace)), home.path());
    let run = |words: &[&str]| said(&rolldeck.clone().with(words).run());
    let (code, text) = run(&["rollback", "db", "--yes"]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("Pod db-2 was not deleted: db-2 was replaced since it was shown"),
        "{text}"
    );
    assert_eq!(
        set.live_image(plane),
        image("db", "1.0"),
        "the template is written"
    );
    assert_eq!(
        set.tags(plane)[2],
        "2.0-unpullable",
        "and its pod left alone"
    );
    assert!(record(home.path()).contains("after 1 accepted: Pod db-2 was not deleted"));
    let (code, text) = run(&["status", "db"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("old pod db-2 blocks the order"), "{text}");
    let (code, text) = run(&["rollback", "db", "--yes"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("it is live already"), "{text}");
    assert!(text.contains("verified: 3/3 pods run 1.0"), "{text}");
}

#[test]
fn a_pod_that_changes_in_the_moment_of_its_deletion_is_refused_by_the_server() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("moment");
    let set = Set::stuck(plane, &namespace, "statefulsets");
    let (sent, victim) = (Arc::new(AtomicU32::new(0)), set.clone());
    let counted = Arc::clone(&sent);
    let proxy = Proxy::start(plane, move |seen| {
        if seen.method == "DELETE" && !seen.uri.contains("dryRun=") {
            counted.fetch_add(1, Ordering::SeqCst);
            let change = json!({"metadata": {"annotations": {"touched": "yes"}}});
            let plane = ControlPlane::shared();
            plane.admin().patch(&victim.pod("db-2"), &change).unwrap();
        }
        Fate::Forward
    });
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&proxy.kubeconfig(Some(&namespace)), home.path());
    let output = rolldeck.with(&["rollback", "db", "--yes"]).run();
    let (code, text) = said(&output);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("it changed in that moment"), "{text}");
    assert_eq!(sent.load(Ordering::SeqCst), 1, "not tried again");
    assert_eq!(set.tags(plane)[2], "2.0-unpullable");
}

#[test]
fn who_may_not_delete_pods_is_told_before_anything_is_written() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("no-delete");
    let set = Set::stuck(plane, &namespace, "statefulsets");
    let roles = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles");
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "patcher"},
        "rules": [{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get", "list", "watch", "patch"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
    });
    plane.admin().create(&roles, &role).unwrap();
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "patcher"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "patcher"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "no-delete"}],
    });
    let bindings = roles.replace("/roles", "/rolebindings");
    plane.admin().create(&bindings, &binding).unwrap();
    let login = crate::support::control_plane::Login::Certificate("");
    let kubeconfig = plane.kubeconfig("no-delete", &login, Some(&namespace));
    let home = tempfile::tempdir().unwrap();
    let output = launch(&kubeconfig, home.path()).with(&["rollback", "db", "--yes"]);
    let (code, text) = said(&output.run());
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("you may not delete pods"), "{text}");
    assert_eq!(set.note(plane), Value::Null);
    assert_eq!(deletions(plane, "no-delete"), (0, 0), "no dry run either");
}

#[test]
fn the_twin_says_the_same_of_these_kinds() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("twin-kinds");
    let set = Set::stuck(plane, &namespace, "statefulsets");
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("twin-kinds", Some(&namespace)), home.path());
    let run = |words: &[&str]| said(&rolldeck.clone().with(words).run());
    let (code, text) = run(&["history", "sts/db"]);
    assert_eq!(code, 0, "{text}");
    let serving = text.lines().find(|line| line.starts_with('1')).unwrap();
    assert!(serving.contains(" 2 "), "two pods of it serve: {text}");
    let (code, text) = run(&["status", "db"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("stalled") && text.contains("image not found"),
        "{text}"
    );
    let (code, text) = run(&["rollback", "sts/db", "--dry-run", "-o", "json"]);
    assert_eq!(code, 0, "{text}");
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(plan["steps"].as_array().unwrap().len(), 2, "{plan}");
    assert!(
        plan["kubectl"]
            .as_str()
            .unwrap()
            .ends_with("delete pod db-2")
    );
    let (code, text) = run(&["rollback", "sts/db", "--to", "1", "--yes"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("ok delete pod db-2"), "{text}");
    // It came back with a new number.
    let (code, text) = run(&["history", "sts/db"]);
    assert_eq!(code, 0, "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[1].starts_with('3') && lines[1].contains("current"),
        "{text}"
    );
    assert!(
        lines[2].starts_with('2') && lines[2].contains("withdrawn"),
        "{text}"
    );
    set.wait_complete(plane, "1.0");
}
