//! Services that Argo CD or Flux keep as git has them: their own kinds on a real API server, planted by these tests.
//! The controllers themselves are not run: who reads and writes these objects here is rolldeck alone.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::kinds::spoken;
use crate::screen::{findings, launch, open, row_of, wait_plan, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::Launch;
use crate::support::wait;

const SWITCH: &str = "/spec/syncPolicy/automated";

/// Group, version, plural and name of a kind.
pub type Custom = (&'static str, &'static str, &'static str, &'static str);
pub const APPLICATIONS: Custom = ("argoproj.io", "v1alpha1", "applications", "Application");
pub const KUSTOMIZATIONS: Custom = (
    "kustomize.toolkit.fluxcd.io",
    "v1",
    "kustomizations",
    "Kustomization",
);

/// A plane of its own: other tests count what is asked where there are no such kinds.
pub fn plane() -> &'static ControlPlane {
    static PLANE: LazyLock<ControlPlane> = LazyLock::new(|| {
        let plane = ControlPlane::own();
        plant(&plane, APPLICATIONS);
        plant(&plane, KUSTOMIZATIONS);
        plane
    });
    &PLANE
}

/// A kind as its own project installs it, but for its schema.
pub fn plant(plane: &ControlPlane, (group, version, plural, kind): Custom) {
    let object = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List")},
            "versions": [{"name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    let collection = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    plane.admin().create(collection, &object).unwrap();
    wait::until(&format!("{plural} are served"), || {
        plane
            .admin()
            .get(&format!("/apis/{group}/{version}/{plural}"))
            .ok()
    });
}

/// A service in the middle of a bad rollout, and the Application that keeps it.
struct Kept {
    service: Service,
    application: String,
    kubeconfig: PathBuf,
}

impl Kept {
    fn new(prefix: &str, automated: &Value) -> Self {
        let plane = plane();
        let namespace = plane.namespace(prefix);
        let mark = format!("{namespace}:apps/Deployment:{namespace}/checkout");
        let mut service = Service::new(&namespace, "checkout").container(json!({
            "command": ["sh", "-c", "a && b <c>"],
            "env": [{"name": "STAYS", "value": "x"}, {"name": "GOES", "value": "y"}],
            "ports": [{"containerPort": 80}],
        }));
        service.annotations = json!({"argocd.argoproj.io/tracking-id": mark});
        service.run(plane, "1.0");
        let change = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "checkout", "image": service.image("2.0-unpullable"),
             "env": [{"name": "GOES", "$patch": "delete"}, {"name": "NEW", "value": "z"}],
             "args": ["one"]}
        ]}}}});
        plane.admin().patch(&service.path(), &change).unwrap();
        service.wait_waiting(plane, "ImagePullBackOff");
        let object = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": namespace, "namespace": namespace},
            "spec": {"source": {"repoURL": "https://git.example/shop", "path": "deploy", "targetRevision": "main"},
                "syncPolicy": {"automated": automated, "syncOptions": ["CreateNamespace=true"]}},
            "status": {"sync": {"status": "Synced", "revision": "a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c"},
                "health": {"status": "Degraded"},
                "resources": [{"group": "apps", "kind": "Deployment", "namespace": namespace, "name": "checkout"}]},
        });
        let collection = format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications");
        plane.admin().create(&collection, &object).unwrap();
        Self {
            application: format!("{collection}/{namespace}"),
            kubeconfig: plane.owner(&namespace, Some(&namespace)),
            service,
        }
    }

    fn namespace(&self) -> &str {
        &self.service.namespace
    }

    fn application(&self) -> Value {
        plane().admin().get(&self.application).unwrap()
    }

    fn note(&self) -> Value {
        let object = self.application();
        let note = object["metadata"]["annotations"]["rolldeck.dev/suspended"].as_str();
        note.map_or(Value::Null, |note| serde_json::from_str(note).unwrap())
    }

    fn automated(&self) -> Value {
        self.application()
            .pointer(SWITCH)
            .cloned()
            .unwrap_or_default()
    }

    fn launch(&self, home: &Path) -> Launch {
        launch(&self.kubeconfig, home)
    }
}

fn healing() -> Value {
    json!({"prune": true, "selfHeal": true})
}

#[test]
fn a_blocked_write_goes_through_once_the_sync_is_suspended_which_one_key_resumes() {
    let plane = plane();
    let kept = Kept::new("kept", &healing());
    let home = tempfile::tempdir().unwrap();
    let (name, service) = (kept.namespace().to_owned(), &kept.service);
    let terminal = kept.launch(home.path()).open();
    terminal.wait_for("the stalled row", |screen| {
        row_of(screen, "checkout").is_some_and(|row| row.contains("stalled"))
    });
    terminal.keys("\r");
    terminal.wait_text("in sync · automatic, heals itself, prunes · Degraded · main (a1b9e3c)");
    terminal.keys("R");
    wait_plan(&terminal);
    let blocked = findings(&terminal, "BLOCK");
    assert!(
        blocked.len() == 1 && blocked[0].contains("heals itself"),
        "{}",
        terminal.picture()
    );
    terminal.keys("y");
    terminal.wait_text("blocked by the owner");
    assert_eq!(service.live_image(plane), service.image("2.0-unpullable"));
    assert_eq!((kept.automated(), kept.note()), (healing(), Value::Null));
    terminal.keys("s");
    terminal.wait_text("suspend the sync of Argo CD application");
    wait_plan(&terminal);
    assert!(
        findings(&terminal, "BLOCK").is_empty(),
        "{}",
        terminal.picture()
    );
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 1.0");
    service.wait_complete(plane, "1.0");
    assert_eq!(kept.automated(), Value::Null);
    assert_eq!(
        kept.application()["spec"]["syncPolicy"]["syncOptions"],
        json!(["CreateNamespace=true"])
    );
    assert_eq!(kept.note()["was"], healing().to_string());
    terminal.wait_text(&format!("Argo CD sync of {name} is suspended by "));
    drop(terminal);

    // Another session finds it.
    let home = tempfile::tempdir().unwrap();
    let terminal = kept.launch(home.path()).open();
    terminal.wait_text("· U resumes");
    terminal.wait_for("the row", |screen| {
        row_of(screen, "checkout").is_some_and(|row| row.contains("sync suspended by us · U"))
    });
    terminal.keys("U");
    wait_plan_to(&terminal, "RESUME THE SYNC OF");
    let plan = terminal.picture();
    assert!(
        plan.contains("→ automated {\"prune\":true,\"selfHeal\":true}"),
        "{plan}"
    );
    terminal.keys("y");
    terminal.wait_text("verified: Argo CD application");
    terminal.wait_gone("· U resumes");
    assert_eq!((kept.automated(), kept.note()), (healing(), Value::Null));
    let labels = &kept.application()["metadata"]["labels"];
    assert_eq!(labels["rolldeck.dev/suspended"], Value::Null);
    assert_eq!(service.live_image(plane), service.image("1.0"));
}

#[test]
fn an_application_that_changed_since_the_plan_is_not_suspended_and_nothing_else_is_written() {
    let plane = plane();
    let kept = Kept::new("kept-race", &healing());
    let home = tempfile::tempdir().unwrap();
    let terminal = kept.launch(home.path()).open();
    terminal.wait_for("the stalled row", |screen| {
        row_of(screen, "checkout").is_some_and(|row| row.contains("stalled"))
    });
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("s");
    terminal.wait_text("suspend the sync of Argo CD application");
    wait_plan(&terminal);
    let other = json!({"spec": {"syncPolicy": {"automated": {"selfHeal": false}}}});
    merge(&kept.application, &other);
    terminal.keys("y");
    terminal.wait_text("somebody changed");
    assert_eq!(kept.note(), Value::Null);
    assert_eq!(
        kept.service.live_image(plane),
        kept.service.image("2.0-unpullable")
    );
}

/// JSON merge patch, which custom kinds take.
fn merge(path: &str, change: &Value) {
    let parts: Vec<_> = path.split('/').collect();
    let [.., namespace, plural, name] = parts[..] else {
        panic!("{path}");
    };
    let resource = format!("{plural}.{}", parts[2]);
    let change = change.to_string();
    let arguments = [
        "-n", namespace, "patch", &resource, name, "--type", "merge", "-p", &change,
    ];
    plane().kubectl(&arguments);
}

#[test]
fn the_change_for_git_makes_the_manifest_what_the_rollback_would_have_made_it() {
    let plane = plane();
    let kept = Kept::new("kept-patch", &healing());
    let home = tempfile::tempdir().unwrap();
    let (name, service) = (kept.namespace().to_owned(), &kept.service);
    let terminal = kept.launch(home.path()).open();
    terminal.wait_for("the stalled row", |screen| {
        row_of(screen, "checkout").is_some_and(|row| row.contains("stalled"))
    });
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("g");
    terminal.wait_text("written to ");
    let folder = home.path().join(".state/rolldeck/changes");
    let written: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
    let [file] = &written[..] else {
        panic!("one file: {written:?}");
    };
    let file = file.as_ref().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("https://git.example/shop deploy, main"),
        "{text}"
    );
    assert!(!text.contains("ports"), "only what changes: {text}");
    // The clipboard gets the very same bytes.
    let encoded = base64(&text);
    let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(bytes.contains(&encoded), "the text is on the clipboard");
    assert_eq!(kept.automated(), healing());
    let before = template(&service.read(plane));
    let first = template(&oldest(plane, &name));
    plane.kubectl(&[
        "-n",
        &name,
        "patch",
        "deploy/checkout",
        "--patch-file",
        file.to_str().unwrap(),
    ]);
    let patched = template(&service.read(plane));
    assert_ne!(patched, before);
    assert_eq!(patched, first);

    // The twin writes the same, and changes nothing either.
    let to = home.path().join("twin.yaml");
    let arguments = [
        "rollback",
        "checkout",
        "--to",
        "2.0-unpullable",
        "--git-patch",
        to.to_str().unwrap(),
    ];
    let (code, said) = spoken(&kept.launch(home.path()).with(&arguments));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the change for git is in"), "{said}");
    plane.kubectl(&[
        "-n",
        &name,
        "patch",
        "deploy/checkout",
        "--patch-file",
        to.to_str().unwrap(),
    ]);
    assert_eq!(template(&service.read(plane)), before);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Without what the controller adds to that of a ReplicaSet.
fn template(object: &Value) -> Value {
    let mut template = object["spec"]["template"].clone();
    let labels = template["metadata"]["labels"].as_object_mut().unwrap();
    labels.remove("pod-template-hash");
    template
}

fn oldest(plane: &ControlPlane, namespace: &str) -> Value {
    let sets = plane
        .admin()
        .items(&format!("/apis/apps/v1/namespaces/{namespace}/replicasets"));
    let number = |set: &Value| {
        let revision = &set["metadata"]["annotations"]["deployment.kubernetes.io/revision"];
        revision
            .as_str()
            .unwrap_or_default()
            .parse::<u64>()
            .unwrap()
    };
    sets.into_iter().min_by_key(number).unwrap()
}

#[test]
fn the_command_line_says_who_keeps_it_suspends_and_resumes() {
    let plane = plane();
    let kept = Kept::new("kept-twin", &json!({}));
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| spoken(&kept.launch(home.path()).with(arguments));
    let (code, said) = run(&["status", "checkout"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("in sync, automatic, with each commit"),
        "{said}"
    );
    let (code, said) = run(&["rollback", "checkout", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("with the next commit"), "{said}");
    assert!(said.contains("(--suspend-sync)"), "{said}");
    assert_eq!(kept.note(), Value::Null);
    let (code, said) = run(&["resume-sync", "checkout", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("is not suspended by rolldeck"), "{said}");
    let (code, said) = run(&["rollback", "checkout", "--yes", "--suspend-sync"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ok suspend the sync of"), "{said}");
    assert!(said.contains("verified: 2/2 pods run 1.0"), "{said}");
    assert_eq!(kept.automated(), Value::Null);
    let (code, said) = run(&["status"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("suspended by "), "{said}");
    let (code, said) = run(&["resume-sync", "checkout", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((kept.automated(), kept.note()), (json!({}), Value::Null));
    kept.service.wait_complete(plane, "1.0");
    let (code, said) = run(&["scale", "checkout", "3", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("puts back what git says"), "{said}");
    let (code, said) = run(&["scale", "checkout", "3", "--yes", "--suspend-sync"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(kept.service.read(plane)["spec"]["replicas"], 3);
    assert_eq!(kept.automated(), Value::Null);
}

#[test]
fn flux_is_suspended_by_its_own_field_and_resumed_to_what_stood_there() {
    let plane = plane();
    let namespace = plane.namespace("kept-flux");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "1.0");
    let labels = json!({"metadata": {"labels": {
        "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": namespace}}});
    plane.admin().patch(&service.path(), &labels).unwrap();
    service.set_image(plane, "2.0-unpullable");
    service.wait_waiting(plane, "ImagePullBackOff");
    let collection =
        format!("/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{namespace}/kustomizations");
    let object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": namespace, "annotations": {"theirs": "stays"}},
        "spec": {"interval": "10m", "path": "./apps", "prune": false, "sourceRef": {"kind": "GitRepository", "name": "shop"}},
        "status": {"conditions": [{"type": "Ready", "status": "False", "message": "health check failed"}],
            "lastAppliedRevision": "main@sha1:a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c"},
    });
    plane.admin().create(&collection, &object).unwrap();
    let read = || plane.admin().get(&format!("{collection}/apps")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let run = |arguments: &[&str]| spoken(&launch(&kubeconfig, home.path()).with(arguments));
    let (code, said) = run(&["rollback", "checkout", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("what git says is back within 10m"), "{said}");
    let (code, said) = run(&["rollback", "checkout", "--yes", "--suspend-sync"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(read()["spec"]["suspend"], true);
    let (code, said) = run(&["status", "checkout"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("Flux kustomization apps: sync fails, suspended by "),
        "{said}"
    );
    let (code, said) = run(&["resume-sync", "checkout", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let object = read();
    assert_eq!(object["spec"]["suspend"], Value::Null);
    assert_eq!(
        object["metadata"]["annotations"],
        json!({"theirs": "stays"})
    );
}

#[test]
fn a_kind_that_is_not_installed_is_asked_for_once_and_no_rights_are_said() {
    let plane = plane();
    let namespace = plane.namespace("kept-absent");
    let mut service = Service::new(&namespace, "web");
    service.annotations = json!({"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:x/web"});
    service.run(plane, "1.0");
    let labels = json!({"metadata": {"labels": {
        "helm.toolkit.fluxcd.io/name": "chart", "helm.toolkit.fluxcd.io/namespace": namespace}}});
    let chart = Service::new(&namespace, "chart");
    chart.run(plane, "1.0");
    plane.admin().patch(&chart.path(), &labels).unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    terminal.wait_for("both rows", |screen| row_of(screen, "web").is_some());
    terminal.keys("\r");
    terminal.wait_text("this cluster knows no helmreleases");
    // Another screen and back asks again for that object, and no more for the kind.
    terminal.keys("\x03");
    terminal.wait_exit();
    let asked = plane.asked_by(&namespace);
    let of_all =
        |asked: &&crate::support::audit::Asked| asked.uri.contains("labelSelector=rolldeck.dev");
    let releases = asked
        .iter()
        .filter(|asked| asked.what == "helmreleases")
        .filter(of_all);
    assert_eq!(releases.count(), 1);
    let applications: Vec<_> = asked.iter().filter(|a| a.what == "applications").collect();
    let lists = applications
        .iter()
        .filter(|asked| asked.verb == "list")
        .count();
    assert_eq!(lists, 1, "{applications:?}");

    let editor = format!("{namespace}-editor");
    let terminal = open(&plane.editor(&editor, &namespace), home.path());
    terminal.wait_for("both rows", |screen| row_of(screen, "web").is_some());
    terminal.keys("jj\r");
    terminal.wait_text("needs list applications.argoproj.io");
}
