//! What changed, where others than kubectl did it: Helm, Argo CD and Flux; and what `w` shows of it in a terminal.

use serde_json::{Value, json};

use crate::charts::Chart;
use crate::git;
use crate::screen::{launch, open, row_of};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::{Launch, picture};

/// The rows of `rolldeck changes`, and that nothing was missing.
fn changes(launch: &Launch, arguments: &[&str]) -> Vec<Value> {
    let all = [&["changes", "--since", "7d", "-o", "json"], arguments].concat();
    let output = launch.clone().with(&all).run();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let mut told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["missing"], json!([]));
    serde_json::from_value(told["changes"].take()).unwrap()
}

/// `what subject: change by whom, of services` of each row about one of these kinds, in the order of the answer.
fn lines(rows: &[Value], whats: &[&str]) -> Vec<String> {
    let told = rows
        .iter()
        .filter(|row| whats.iter().any(|what| row["what"] == *what));
    told.map(|row| {
        let word = |field: &str| row[field].as_str().unwrap_or("?").to_owned();
        format!(
            "{} {}: {} by {} for {}",
            word("what"),
            word("subject"),
            word("change"),
            word("by"),
            row["services"]
        )
    })
    .collect()
}

#[test]
fn what_the_real_helm_did_is_told_with_its_revisions_and_none_of_its_values() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("changes-helm");
    let chart = Chart::new(&namespace);
    chart.install(plane, ("0.1.0", "1.0"));
    chart.install(plane, ("0.2.0", "2.0"));
    chart.run(plane, &["rollback", "checkout", "1"]);
    chart.service.wait_complete(plane, "1.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let rows = changes(&launch(&kubeconfig, home.path()), &[]);
    let of =
        |change: &str| format!(r#"helm helm/checkout: {change} by helm for ["deploy/checkout"]"#);
    let mut told = lines(&rows, &["helm"]);
    told.sort();
    let mut want = [
        of("rev 2 → 3, deployed"),
        of("rev 1 → 2, superseded"),
        of("installed, superseded"),
    ];
    want.sort();
    assert_eq!(told, want);
    let secrets = plane
        .admin()
        .items(&format!("/api/v1/namespaces/{namespace}/secrets"));
    for row in rows.iter().filter(|row| row["what"] == "helm") {
        let at = &row["at"];
        let made = |s: &&Value| s["metadata"]["creationTimestamp"] == *at;
        assert!(secrets.iter().any(|s| made(&s)), "{row}");
    }
    // Helm wrote the template of the first revision again, and its ReplicaSet was used again.
    let back = lines(&rows, &["rollback"]);
    assert_eq!(back.len(), 1, "{rows:#?}");
    assert!(
        back[0].contains("2.0 → 1.0 (rev 3, was 1) by helm"),
        "{back:?}"
    );
    assert!(!format!("{rows:?}").contains(crate::charts::SECRET));
}

#[test]
fn what_argo_cd_and_flux_brought_is_told_from_their_own_histories() {
    let plane = &ControlPlane::own();
    let releases = (
        "helm.toolkit.fluxcd.io",
        "v2",
        "helmreleases",
        "HelmRelease",
    );
    for kind in [git::APPLICATIONS, git::KUSTOMIZATIONS, releases] {
        git::plant(plane, kind);
    }
    let namespace = plane.namespace("changes-git");
    let mut service = Service::new(&namespace, "checkout").replicas(1);
    service.create(plane, "1.0");
    for (name, label) in [
        ("ks", "kustomize.toolkit.fluxcd.io"),
        ("hr", "helm.toolkit.fluxcd.io"),
    ] {
        service.name = name.to_owned();
        let mut object = service.object("1.0");
        object["metadata"]["labels"] =
            json!({format!("{label}/name"): name, format!("{label}/namespace"): namespace});
        let collection = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        plane.admin().create(&collection, &object).unwrap();
    }
    let now = jiff::Timestamp::now();
    let ago = |minutes: i64| {
        let at = now - jiff::SignedDuration::from_mins(minutes);
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let create = |(group, plural): (&str, &str), kind: &str, name: &str, status: &Value| {
        let object = json!({"apiVersion": group, "kind": kind,
            "metadata": {"name": name, "namespace": namespace}, "status": status});
        let collection = format!("/apis/{group}/namespaces/{namespace}/{plural}");
        plane.admin().create(&collection, &object).unwrap();
    };
    create(
        ("argoproj.io/v1alpha1", "applications"),
        "Application",
        &namespace,
        &json!({
        "resources": [{"group": "apps", "kind": "Deployment", "namespace": namespace, "name": "checkout"}],
        "history": [
            {"revision": "6.2.0", "deployedAt": ago(50), "initiatedBy": {"automated": true}},
            {"revision": "6.2.1", "deployedAt": ago(40), "initiatedBy": {"username": "ada"}},
        ]}),
    );
    create(
        ("kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
        "Kustomization",
        "ks",
        &json!({"lastAppliedRevision": "main@sha1:a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c",
            "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded",
                "lastTransitionTime": ago(30)}]}),
    );
    create(
        ("helm.toolkit.fluxcd.io/v2", "helmreleases"),
        "HelmRelease",
        "hr",
        &json!({"history": [
            {"chartName": "shop", "chartVersion": "1.1.0", "status": "deployed", "lastDeployed": ago(10)},
            {"chartName": "shop", "chartVersion": "1.0.0", "status": "superseded", "lastDeployed": ago(20)},
        ]}),
    );
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let rows = changes(&launch(&kubeconfig, home.path()), &[]);
    let application = |change: &str, by: &str| {
        format!(r#"sync application/{namespace}: {change} by {by} for ["deploy/checkout"]"#)
    };
    let want = [
        r#"sync helmrelease/hr: shop 1.0.0 → 1.1.0, deployed by helm-controller for ["deploy/hr"]"#
            .to_owned(),
        r#"sync helmrelease/hr: shop 1.0.0, superseded by helm-controller for ["deploy/hr"]"#
            .to_owned(),
        r#"sync kustomization/ks: → main@sha1:a1b9e3c by kustomize-controller for ["deploy/ks"]"#
            .to_owned(),
        application("6.2.0 → 6.2.1", "ada"),
        application("→ 6.2.0", "argocd, by itself"),
    ];
    assert_eq!(lines(&rows, &["sync"]), want);
    let times: Vec<_> = rows
        .iter()
        .filter(|row| row["what"] == "sync")
        .map(|row| row["at"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(times, [10, 20, 30, 40, 50].map(ago));
    let persons: Vec<_> = rows
        .iter()
        .filter(|row| row["byIsPerson"] == true)
        .collect();
    assert!(
        persons.len() == 1 && persons[0]["by"] == "ada",
        "{persons:?}"
    );
}

#[test]
fn w_names_the_release_that_hangs_first_and_the_key_that_takes_it_back() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("changes-screen");
    let service = Service::new(&namespace, "checkout");
    for other in ["auth", "cart"] {
        Service::new(&namespace, other)
            .replicas(1)
            .create(plane, "1.0");
    }
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    service.wait_waiting(plane, "ImagePullBackOff");
    let home = tempfile::tempdir().unwrap();
    let terminal = open(&plane.owner(&namespace, Some(&namespace)), home.path());
    terminal.wait_for("the stalled row", |screen| {
        row_of(screen, "checkout").is_some_and(|row| row.contains("stalled"))
    });
    terminal.keys("w");
    terminal.wait_for("the list", |screen| {
        let text = picture(screen);
        text.contains("when checkout began to fail") && text.contains(", read ")
    });
    let text = terminal.picture();
    let first = text
        .lines()
        .skip_while(|line| !line.contains("TIME"))
        .nth(1)
        .unwrap_or_else(|| panic!("no line in {text}"));
    for word in [
        "deploy/checkout",
        "1.0 → 2.0-unpullable",
        "· R",
        "kubectl-set",
        "ReplicaSet",
    ] {
        assert!(first.contains(word), "{word}: {text}");
    }
    terminal.keys("R");
    crate::screen::wait_plan(&terminal);
    assert!(terminal.picture().contains("1.0"), "{}", terminal.picture());
}
