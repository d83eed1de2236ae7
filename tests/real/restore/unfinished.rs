//! What canaries and releases in their middle become in a snapshot, and what is made of them again.

use std::path::Path;

use serde_json::{Value, json};

use super::snapshot;
use crate::kinds::{Set, said};
use crate::screen::launch;
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::flagger::{self, Web};
use crate::support::wait;

const ROLLOUTS: [&str; 3] = [
    "/apis/argoproj.io/v1alpha1/NS/rollouts",
    "/apis/argoproj.io/v1alpha1/NS/analysistemplates",
    "/api/v1/NS/services",
];

/// Without the line that has the time.
fn timeless(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("taken: "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Everything of these kinds, and the pods.
fn wipe(plane: &ControlPlane, namespace: &str, kinds: &[&str]) {
    let place = |kind: &str| kind.replace("NS", &format!("namespaces/{namespace}"));
    for kind in kinds {
        plane.admin().delete(&place(kind)).unwrap();
    }
    wait::until("the namespace is empty", || {
        let pods = plane.admin().items(&place("/api/v1/NS/pods"));
        let first = plane.admin().items(&place(kinds[0]));
        (pods.is_empty() && first.is_empty()).then_some(())
    });
}

/// A canary with a Service for each side, and an analysis after the pause.
fn strategy(plane: &ControlPlane, namespace: &str) -> Value {
    let object = |api: &str, kind: &str, name: &str, spec: Value| json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec});
    let metric = json!({"name": "rate", "provider": {"web": {
        "url": "http://127.0.0.1:9/", "jsonPath": "{$.rate}"}}});
    let place = |kind: &str| kind.replace("NS", &format!("namespaces/{namespace}"));
    let template = object(
        "argoproj.io/v1alpha1",
        "AnalysisTemplate",
        "rate",
        json!({ "metrics": [metric] }),
    );
    plane
        .admin()
        .create(&place(ROLLOUTS[1]), &template)
        .unwrap();
    for name in ["canary", "stable"] {
        let spec = json!({"selector": {"app": "cart"}, "ports": [{"port": 80}]});
        let service = object("v1", "Service", name, spec);
        plane.admin().create(&place(ROLLOUTS[2]), &service).unwrap();
    }
    json!({"strategy": {"canary": {
        "canaryService": "canary", "stableService": "stable",
        "steps": [
            {"setWeight": 20}, {"pause": {}},
            {"analysis": {"templates": [{"templateName": "rate"}]}}, {"setWeight": 100},
        ],
    }}})
}

#[test]
fn a_rollout_comes_back_from_the_file_alone_and_its_canary_is_told() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("restored");
    let strategy = strategy(plane, &namespace);
    let cart = Cart::create(plane, &namespace, "1.9.3", &strategy);
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("restored", Some(&namespace)), home.path());
    let first = snapshot(&rolldeck, home.path(), "first.yaml");
    let text = std::fs::read_to_string(&first).unwrap();
    for part in [
        "kind: Rollout",
        "kind: AnalysisTemplate",
        "name: stable",
        "1.9.3@sha256:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The controller's own words, in another cluster those of nobody.
    for part in ["template-hash", "managed-by", "workload-generation"] {
        assert!(!text.contains(part), "{part}: {text}");
    }
    wipe(plane, &namespace, &ROLLOUTS);
    let restore = |file: &Path, more: &[&str]| {
        let words = [&["restore", file.to_str().unwrap()], more].concat();
        said(&rolldeck.clone().with(&words).run())
    };
    let (code, text) = restore(&first, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verified: 1 services serve"), "{text}");
    cart.wait("Healthy again", |status| status["phase"] == "Healthy");
    let second = snapshot(&rolldeck, home.path(), "second.yaml");
    pretty_assertions::assert_eq!(timeless(&first), timeless(&second));

    cart.set_image("1.10.0");
    cart.wait("at its pause", |status| {
        status["currentStepIndex"] == 1 && status["readyReplicas"] == 5
    });
    let half = home.path().join("half.yaml");
    let words = ["snapshot", "-o", half.to_str().unwrap()];
    let (code, text) = said(&rolldeck.clone().with(&words).run());
    assert_eq!(code, 0, "{text}");
    let words = "rollout/cart is in the middle of a release (1.10.0 in 1 pod, 1.9.3 in 4 pods): the file has 1.10.0";
    assert!(text.contains(words), "{text}");
    cart.status(&json!({"abort": true}));
    cart.wait("aborted", |status| {
        status["abort"] == true
            && status["updatedReplicas"].is_null()
            && status["readyReplicas"] == 5
    });
    let aborted = snapshot(&rolldeck, home.path(), "aborted.yaml");
    wipe(plane, &namespace, &ROLLOUTS);
    let (code, text) = restore(&half, &["--dry-run"]);
    assert_eq!(code, 0, "{text}");
    let words = "rollout/cart was in the middle of a release (1.10.0 in 1 pod, 1.9.3 in 4 pods): all of its pods get 1.10.0 at once";
    assert!(text.contains(words), "{text}");
    let (code, text) = restore(&aborted, &["--yes"]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("no pod of rollout/cart ran 1.10.0"), "{text}");
    assert!(text.contains("(1.9.3 in 5 pods)"), "{text}");
}

#[test]
fn what_stood_still_gets_its_pods_again() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("stood-still");
    let web = Service::new(&namespace, "web");
    web.run(plane, "1.0");
    let pause = json!({"spec": {"paused": true}});
    plane.admin().merge(&web.path(), &pause).unwrap();
    web.set_image(plane, "2.0");
    let spec = json!({
        "replicas": 3,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}},
    });
    let db = Set::run(plane, &namespace, "statefulsets", &spec);
    db.set_image(plane, "2.0");
    db.wait_tags(plane, &["1.0", "1.0", "2.0"]);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("stood-still", Some(&namespace)), home.path());
    let file = home.path().join("still.yaml");
    let file = file.to_str().unwrap();
    let (code, text) = said(&rolldeck.clone().with(&["snapshot", "-o", file]).run());
    assert_eq!(code, 0, "{text}");
    for words in [
        "deploy/web is in the middle of a release (1.0 in 2 pods): the file has 2.0",
        "sts/db is in the middle of a release (1.0 in 2 pods, 2.0 in 1 pod): the file has 2.0",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let kinds = [
        "/apis/apps/v1/NS/deployments",
        "/apis/apps/v1/NS/statefulsets",
    ];
    wipe(plane, &namespace, &kinds);
    let restore = |more: &[&str]| {
        said(
            &rolldeck
                .clone()
                .with(&[&["restore", file, "--yes"], more].concat())
                .run(),
        )
    };
    let (code, text) = restore(&[]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("no pod of deploy/web ran 2.0"), "{text}");
    let (code, text) = restore(&["--override", "INC-812: 2.0 is the mended one"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("sts/db was in the middle of a release"),
        "{text}"
    );
    web.wait_complete(plane, "2.0");
    wait::until("all pods of db run 2.0, by its digest", || {
        let pods = db.pods(plane);
        let image = |pod: &Value| pod["spec"]["containers"][0]["image"].to_string();
        let all = pods.iter().all(|pod| image(pod).contains(":2.0@sha256:"));
        (all && pods.len() == 3).then_some(())
    });
    let partition = &db.read(plane)["spec"]["updateStrategy"]["rollingUpdate"]["partition"];
    assert_eq!(*partition, 2);
}

#[test]
fn what_flagger_moves_comes_back_with_its_canary_and_its_pods() {
    let plane = flagger::plane();
    let namespace = plane.namespace("refledged");
    let web = Web::run(plane, &namespace, &[], 1);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&plane.owner("refledged", Some(&namespace)), home.path());
    let first = snapshot(&rolldeck, home.path(), "first.yaml");
    let text = std::fs::read_to_string(&first).unwrap();
    assert!(
        text.contains("kind: Canary") && text.contains("replicas: 2"),
        "{text}"
    );
    assert!(!text.contains("web-primary"), "{text}");
    let kinds = [
        "/apis/apps/v1/NS/deployments",
        "/apis/flagger.app/v1beta1/NS/canaries",
        "/api/v1/NS/services",
    ];
    wipe(plane, &namespace, &kinds);
    let words = ["restore", first.to_str().unwrap(), "--yes"];
    let (code, text) = said(&rolldeck.clone().with(&words).run());
    assert_eq!(code, 0, "{text}");
    web.wait("Initialized again", |status| {
        status["phase"] == "Initialized"
    });
    let primary = format!("/apis/apps/v1/namespaces/{namespace}/deployments/web-primary");
    assert_eq!(plane.admin().get(&primary).unwrap()["spec"]["replicas"], 2);
    let second = snapshot(&rolldeck, home.path(), "second.yaml");
    pretty_assertions::assert_eq!(timeless(&first), timeless(&second));
}
