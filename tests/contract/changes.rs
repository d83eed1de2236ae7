//! What changed, as the program tells it: one thing after the other is done, each under its own name, and each is told
//! with its time, its writer and what it came from.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::http::{JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH};
use super::place::{Place, complete, deployment, name_of, stateful_set};
use crate::support::pty::{Launch, picture};
use crate::support::wait;

/// In no answer of ours, in whatever form.
const VALUES: [&str; 3] = ["hunter2", "aHVudGVyMg==", "debug-of-the-values"];

/// One line that must be told: what, subject, words, by whom, known from what, and when (`~` when that is inferred).
type Line<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, String);

struct Day {
    place: Place,
    home: tempfile::TempDir,
    /// The node that things happen to; no pod of anybody's runs there.
    node: String,
}

impl Day {
    fn new() -> Self {
        let place = Place::new("changes");
        let node = format!("{}-node", place.namespace);
        let home = tempfile::tempdir().expect("a folder");
        let day = Self { place, home, node };
        day.post("configmaps", &object("ConfigMap", "settings"));
        day.post("secrets", &object("Secret", "login"));
        let from = json!({"template": {"spec": {"containers": [{"name": "app",
            "image": super::place::image("web", "1"), "envFrom": [
                {"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "login"}}]}]}}});
        day.post("deployments", &deployment("web", "1", &from));
        for name in ["auto", "own", "size"] {
            let one = json!({"replicas": 1});
            day.post("deployments", &deployment(name, "1", &one));
        }
        day.post(
            "statefulsets",
            &stateful_set("db", "1", &json!({"serviceName": "db"})),
        );
        let autoscaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "auto"}, "spec": {"minReplicas": 1, "maxReplicas": 4,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "auto"}}});
        let path = format!("{}?fieldManager=kubectl-create", day.autoscalers());
        day.place.admin.post(&path, &autoscaler).ok();
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": day.node},
            "spec": {"taints": [{"key": "nobody", "effect": "NoSchedule"}]}});
        day.place.admin.post("/api/v1/nodes", &node).ok();
        for (plural, name) in WORKLOADS {
            day.place.wait_complete(plural, name, "1");
        }
        // What is written within seconds of the creation counts as a part of it.
        let created = Timestamp::now();
        wait::until("its first seconds are over", || {
            let age = Timestamp::now().duration_since(created);
            (age > SignedDuration::from_secs(6)).then_some(())
        });
        day
    }

    fn autoscalers(&self) -> String {
        let namespace = &self.place.namespace;
        format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers")
    }

    fn post(&self, plural: &str, object: &Value) {
        let path = self.place.collection(plural);
        let path = format!("{path}?fieldManager=kubectl-create");
        self.place.admin.post(&path, object).ok();
    }

    fn patch(&self, path: &str, (kind, manager): (&str, &str), change: &Value) {
        let path = format!("{path}?fieldManager={manager}");
        self.place.admin.patch(&path, kind, change).ok();
    }

    /// Another image, and back again to the template that was there first.
    fn forth_and_back(&self, plural: &str, name: &str) {
        let path = format!("{}/{name}", self.place.collection(plural));
        let first = self.place.read(plural, name)["spec"]["template"].take();
        let change = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": super::place::image(name, "2")}]}}}});
        self.patch(&path, (STRATEGIC_PATCH, "kubectl-set"), &change);
        self.place.wait_complete(plural, name, "2");
        let back = json!([{"op": "replace", "path": "/spec/template", "value": first}]);
        self.patch(&path, (JSON_PATCH, "kubectl-rollout"), &back);
        self.place.wait_complete(plural, name, "1");
    }

    fn scale(&self, name: &str, replicas: u32) {
        let path = format!("{}/{name}/scale", self.place.collection("deployments"));
        let change = json!({"spec": {"replicas": replicas}});
        self.patch(&path, (MERGE_PATCH, "kubectl"), &change);
        self.place
            .wait("deployments", name, "all of them", |object| {
                object["spec"]["replicas"] == replicas && complete(object)
            });
    }

    fn edit_settings(&self) {
        for (plural, name, manager) in [
            ("configmaps", "settings", "kubectl-edit"),
            ("secrets", "login", "external-secrets"),
        ] {
            let path = format!("{}/{name}", self.place.core(plural));
            let data = if plural == "secrets" {
                json!({"PASSWORD": "aHVudGVyMg=="})
            } else {
                json!({"LOG_LEVEL": "debug-of-the-values"})
            };
            self.patch(&path, (MERGE_PATCH, manager), &json!({"data": data}));
        }
        let labels = json!({"name": "shop", "owner": "helm", "version": "2", "status": "deployed"});
        let release = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": "sh.helm.release.v1.shop.v2", "labels": labels},
            "data": {"release": "aHVudGVyMg=="}});
        self.post("secrets", &release);
    }

    fn move_autoscaler(&self) {
        let path = format!("{}/auto", self.autoscalers());
        let change = json!({"spec": {"minReplicas": 3}});
        self.patch(&path, (MERGE_PATCH, "kubectl-edit"), &change);
        self.place.wait("deployments", "auto", "three", |object| {
            object["spec"]["replicas"] == 3 && complete(object)
        });
        wait::until("the autoscaler says when", || {
            let status = self.place.admin.get(&path).ok()["status"].take();
            let settled = status["desiredReplicas"] == 3 && status["lastScaleTime"].is_string();
            settled.then_some(())
        });
    }

    fn trouble_the_node(&self) {
        let path = format!("/api/v1/nodes/{}", self.node);
        let change = json!({"spec": {"unschedulable": true}});
        self.patch(&path, (STRATEGIC_PATCH, "kubectl-cordon"), &change);
        let change = json!({"status": {"conditions": [
            {"type": "KernelDeadlock", "status": "True", "reason": "DockerHung",
                "lastTransitionTime": at(Timestamp::now())}]}});
        self.patch(
            &format!("{path}/status"),
            (STRATEGIC_PATCH, "node-problem-detector"),
            &change,
        );
    }

    fn launch(&self) -> Launch {
        Launch::new(self.home.path())
            .config("verifySeconds: 2\n")
            .kubeconfig(&self.place.side.kubeconfig())
            .with(&["-n", &self.place.namespace])
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = self.launch().with(arguments).run();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}{error}");
        for value in VALUES {
            assert!(!said.contains(value), "{said}");
        }
        said
    }

    fn object(&self, path: &str) -> Value {
        self.place.admin.get(path).ok()
    }
}

impl Drop for Day {
    fn drop(&mut self) {
        let path = format!("/api/v1/nodes/{}", self.node);
        self.place.admin.delete(&path, &Value::Null);
    }
}

const WORKLOADS: [(&str, &str); 5] = [
    ("deployments", "web"),
    ("deployments", "auto"),
    ("deployments", "own"),
    ("deployments", "size"),
    ("statefulsets", "db"),
];

fn object(kind: &str, name: &str) -> Value {
    // Without anything in it the server would keep nothing of who writes it later.
    let data = json!({"first": "eA=="});
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data})
}

fn at(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// When this manager wrote last.
fn written(object: &Value, manager: &str) -> String {
    let writes = object["metadata"]["managedFields"].as_array();
    let write = writes
        .into_iter()
        .flatten()
        .find(|write| write["manager"] == manager);
    let write = write.unwrap_or_else(|| panic!("{manager} wrote nothing of {object}"));
    write["time"]
        .as_str()
        .unwrap_or_else(|| panic!("no time in {object:#}"))
        .to_owned()
}

fn created(object: &Value) -> String {
    let at = &object["metadata"]["creationTimestamp"];
    at.as_str().expect("a time").to_owned()
}

#[test]
fn what_is_done_is_told_with_its_time_and_its_writer() {
    let day = Day::new();
    let place = &day.place;
    for (plural, name) in [("deployments", "web"), ("statefulsets", "db")] {
        day.forth_and_back(plural, name);
    }
    day.scale("size", 2);
    day.edit_settings();
    day.move_autoscaler();
    day.trouble_the_node();
    day.run(&["scale", "own", "2", "--yes"]);

    let web = place.read("deployments", "web");
    let second = place.replica_sets_of("web");
    let second = second.iter().find(|set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"]
            == *super::place::image("web", "2")
    });
    let revisions = place.admin.items(&place.apps("controllerrevisions"));
    let youngest = revisions.iter().map(created).max().expect("revisions");
    let (settings, login) = (
        place.read("configmaps", "settings"),
        place.read("secrets", "login"),
    );
    let release = place.read("secrets", "sh.helm.release.v1.shop.v2");
    let autoscaler = day.object(&format!("{}/auto", day.autoscalers()));
    let node = day.object(&format!("/api/v1/nodes/{}", day.node));
    let (of_node, moved) = (
        format!("node/{}", day.node),
        autoscaler["status"]["lastScaleTime"]
            .as_str()
            .expect("a time"),
    );
    let deadlock = node["status"]["conditions"].as_array().expect("conditions");
    let deadlock = deadlock.iter().find(|c| c["type"] == "KernelDeadlock");
    let deadlock = deadlock.expect("it")["lastTransitionTime"]
        .as_str()
        .unwrap_or_default();
    let db = place.read("statefulsets", "db");
    let events = place.events_of("size");
    let mut events = events.iter();
    let scaled = events.find(|event| {
        let message = event["message"].as_str().unwrap_or_default();
        message.ends_with(" from 1 to 2")
    });
    let scaled = scaled.and_then(|event| event["lastTimestamp"].as_str());
    #[rustfmt::skip]
    let lines: Vec<Line<'_>> = vec![
        ("release", "deploy/web", "1 → 2", "", "ReplicaSet", created(second.expect("the second"))),
        ("rollback", "deploy/web", "2 → 1 (rev 3, was 1)", "kubectl-rollout", "managedFields", written(&web, "kubectl-rollout")),
        ("release", "sts/db", "→ 2", "", "ControllerRevision", youngest),
        ("rollback", "sts/db", "2 → 1", "kubectl-rollout", "managedFields", written(&db, "kubectl-rollout")),
        ("scale", "deploy/size", "1 → 2 replicas", "kubectl", "event", format!("~{}", scaled.expect("it said so"))),
        ("config", "cm/settings", "created", "", "creationTimestamp", created(&settings)),
        ("config", "cm/settings", "content changed", "kubectl-edit", "managedFields", written(&settings, "kubectl-edit")),
        ("secret", "secret/login", "content changed", "external-secrets", "managedFields", written(&login, "external-secrets")),
        ("helm", "helm/shop", "rev 1 → 2, deployed", "helm", "Helm's Secret", created(&release)),
        ("autoscaler", "hpa/auto", "→ 3 replicas (3 to 4)", "autoscaler", "lastScaleTime", moved.to_owned()),
        ("autoscaler", "hpa/auto", "created, 3 to 4", "kubectl-create", "creationTimestamp", created(&autoscaler)),
        ("autoscaler", "hpa/auto", "bounds 3 to 4", "kubectl-edit", "managedFields", written(&autoscaler, "kubectl-edit")),
        ("node", &of_node, "joined the cluster", "", "creationTimestamp", created(&node)),
        ("node", &of_node, "cordoned", "kubectl-cordon", "managedFields", written(&node, "kubectl-cordon")),
        ("node", &of_node, "KernelDeadlock", "", "node condition", deadlock.to_owned()),
    ];
    let told: Value =
        serde_json::from_str(&day.run(&["changes", "--since", "1h", "-o", "json"])).expect("JSON");
    assert_told(&told, &lines);
    let rows = told["changes"].as_array().expect("rows");
    let find = |what: &str, subject: &str| {
        let fits = |row: &&Value| row["what"] == what && row["subject"] == subject;
        rows.iter().find(fits).unwrap_or(&Value::Null)
    };
    assert_eq!(
        find("config", "cm/settings")["services"],
        json!(["deploy/web"])
    );
    assert_eq!(
        find("secret", "secret/login")["services"],
        json!(["deploy/web"])
    );
    // The autoscaler says its scale itself.
    assert_eq!(find("scale", "deploy/auto"), &Value::Null);
    let own = find("scale", "deploy/own");
    let by = own["by"].as_str().unwrap_or_default();
    assert_eq!(
        (&own["knownFrom"], &own["byIsPerson"]),
        (&json!("release record"), &json!(true))
    );
    assert!(by.contains('@'), "{own}");
    // Of one service what it uses is told, and nothing of the others.
    let told = day.run(&["changes", "web", "--since", "1h"]);
    for word in ["cm/settings", "secret/login", "back 2 → 1"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert!(
        !told.contains("hpa/auto") && !told.contains("sts/db"),
        "{told}"
    );
}

fn assert_told(told: &Value, lines: &[Line<'_>]) {
    let rows = told["changes"].as_array().expect("rows");
    assert_eq!(told["missing"], json!([]));
    for (what, subject, change, by, known_from, at) in lines {
        let by = if by.is_empty() {
            Value::Null
        } else {
            json!(by)
        };
        // An empty name: who it was is not asked here.
        let fits = |row: &&Value| {
            row["what"] == **what && row["subject"] == **subject && row["change"] == **change
        };
        let row = rows.iter().find(fits);
        let row = row.unwrap_or_else(|| panic!("no {what} of {subject}: {change} in {told:#}"));
        let mark = if row["inferred"] == true { "~" } else { "" };
        let told = format!("{mark}{}", row["at"].as_str().unwrap_or_default());
        assert_eq!(
            (&row["knownFrom"], &told),
            (&json!(known_from), at),
            "{row}"
        );
        assert!(by.is_null() || row["by"] == by, "{by}: {row}");
    }
}

#[test]
fn what_goes_away_while_one_looks_is_told_with_its_version() {
    let place = Place::new("changes-gone");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 1})),
    );
    let other = place.create(
        "deployments",
        &deployment("other", "1", &json!({"replicas": 1})),
    );
    for name in ["web", "other"] {
        place.wait_complete("deployments", name, "1");
    }
    let home = tempfile::tempdir().expect("a folder");
    let terminal = Launch::new(home.path())
        .kubeconfig(&place.side.kubeconfig())
        .with(&["-n", &place.namespace])
        .open();
    terminal.wait_for("both rows", |screen| {
        let text = picture(screen);
        text.contains("• web") && text.contains("• other")
    });
    let path = format!("{}/web", place.apps("deployments"));
    place.admin.delete(&path, &Value::Null).ok();
    terminal.wait_gone("• web");
    terminal.keys("w");
    let rest = format!("deploy/{}", name_of(&other));
    terminal.wait_for("both", |screen| {
        let text = picture(screen);
        text.contains("gone, was 1") && text.contains(&rest)
    });
    let text = terminal.picture();
    let row = text.lines().find(|line| line.contains("gone, was 1"));
    let row = row.expect("its row");
    assert!(
        row.contains("deploy/web") && row.contains("seen in this session"),
        "{row}"
    );
}
