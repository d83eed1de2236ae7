//! A promotion with real registries and a real git: what the next registry lacks is copied there first, by its digest; what
//! git keeps gets its change as text.

use std::path::Path;

use serde_json::json;

use crate::git::{APPLICATIONS, plane as plane_with_git};
use crate::kinds::{record, spoken};
use crate::screen::{QUICK, findings, launch, wait_plan_to};
use crate::source_repo::git::World;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::{Terminal, picture};
use crate::support::registries::{self, USER, sha256};
use crate::support::wait;

/// Of this image, and nothing waits.
fn run(plane: &ControlPlane, namespace: &str, image: &str) -> Service {
    let service = Service::new(namespace, "web")
        .replicas(1)
        .container(json!({"image": image}));
    service.create(plane, "unused");
    wait::until(&format!("web serves in {namespace}"), || {
        let status = &service.read(plane)["status"];
        (status["availableReplicas"] == 1).then_some(())
    });
    service
}

fn two(from: &str, to: &str, more: &str) -> String {
    format!(
        "{QUICK}{more}namespaces: [{from}, {to}]\npromotion: {{soak: 0s}}\nenvironments:\n\
         - {{name: staging, cluster: prod-eu, namespaces: [{from}]}}\n\
         - {{name: prod, cluster: prod-eu, namespaces: [{to}]}}\n"
    )
}

/// `P` on the first row.
fn promote(terminal: &Terminal) {
    terminal.wait_text("2 services");
    terminal.keys("m");
    terminal.wait_for("the row that differs", |screen| {
        let text = picture(screen);
        text.contains("1 service in 2 environments · 1 differs") && text.contains("digests ")
    });
    terminal.keys("P");
    wait_plan_to(terminal, "PROMOTE");
}

#[test]
fn what_the_next_registry_lacks_is_copied_there_from_the_plan_and_then_promoted() {
    let (here, there) = (registries::open(), registries::with_password());
    let world = World::new();
    let old = world.commit("first", "a.txt");
    let new = world.commit("feat: voucher", "db/migrate/7.sql");
    let tag = |commit: &str| format!("main-{}", &commit[..9]);
    let pushed = here.push("promoted/web", &tag(&new), &json!({}));
    there.push("prod/web", &tag(&old), &json!({}));
    let plane = ControlPlane::shared();
    let (from, to) = (
        plane.namespace("copied-staging"),
        plane.namespace("copied-prod"),
    );
    let source = format!("{}/promoted/web:{}", here.host, tag(&new));
    run(plane, &from, &format!("{source}@{}", pushed.digest));
    let target = format!("{}/prod/web", there.host);
    let prod = run(plane, &to, &format!("{target}:{}", tag(&old)));

    let home = tempfile::tempdir().unwrap();
    let docker = registries::logged_in(&there.host, USER);
    let config = two(
        &from,
        &to,
        &format!("repositories: [{{url: '{}'}}]\n", world.url()),
    );
    let rolldeck = launch(&plane.owner("copied", None), home.path())
        .config(&config)
        .variable("DOCKER_CONFIG", &docker.path().display().to_string());
    let terminal = rolldeck.clone().size(120, 40).open();
    promote(&terminal);
    let short = &pushed.digest[7..13];
    let plan = terminal.picture();
    for words in [
        format!("{short} (web) is what staging runs"),
        format!(
            "brings 1 commit: {} feat: voucher; 1 migration (db/migrate/7.sql)",
            &new[..7]
        ),
        format!("i copies {short} to {target}"),
    ] {
        let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
        let plan = plan.replace("│ │ ", "");
        assert!(plan.contains(&words), "{words}: {plan}");
    }
    let blocks = findings(&terminal, "BLOCK");
    assert!(blocks.len() == 1 && blocks[0].contains(&target), "{plan}");
    terminal.keys("y");
    terminal.wait_text("blocked by the look into the registry");

    copied(&terminal, (&source, &target), &pushed.digest);
    // The log is left for the plan that needs it, made anew.
    terminal.keys("q");
    wait_plan_to(&terminal, "PROMOTE");
    let plan = terminal.picture();
    assert!(findings(&terminal, "BLOCK").is_empty(), "{plan}");
    assert!(!plan.contains("i copies"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: 1/1 pods run");
    let wanted = format!("{target}:{}@{}", tag(&new), pushed.digest);
    assert_eq!(prod.live_image(plane), wanted);
    let record = record(home.path());
    for verb in ["copy-image", "promote-image"] {
        let line = format!(r#""verb":"{verb}""#);
        assert_eq!(record.matches(&line).count(), 1, "{record}");
    }
}

/// By the key that is offered: its plan, the way back from that, and the copy itself.
fn copied(terminal: &Terminal, (source, target): (&str, &str), digest: &str) {
    terminal.keys("i");
    terminal.wait_text("COPY IMAGE  for deploy/web");
    terminal.wait_text("y does it");
    terminal.keys("q");
    wait_plan_to(terminal, "PROMOTE");
    terminal.keys("i");
    terminal.wait_text("y does it");
    let plan = terminal.picture();
    let (repository, tag) = source.rsplit_once(':').unwrap();
    for words in [repository, digest, &format!("{target}:{tag}")] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("is in its registry as");
    terminal.wait_text("goes back to the plan that needs it");
}

#[test]
fn what_git_keeps_gets_the_change_of_a_promotion_as_text() {
    let plane = plane_with_git();
    let (from, to) = (
        plane.namespace("kept-staging"),
        plane.namespace("kept-prod"),
    );
    let image = |tag: &str| format!("registry.test/shop/web:{tag}");
    run(plane, &from, &image("2.0"));
    let mark = format!("{to}:apps/Deployment:{to}/web");
    let mut prod = Service::new(&to, "web").replicas(1);
    prod.annotations = json!({"argocd.argoproj.io/tracking-id": mark});
    prod.run(plane, "1.0");
    let (group, version, plural, kind) = APPLICATIONS;
    let object = json!({
        "apiVersion": format!("{group}/{version}"), "kind": kind,
        "metadata": {"name": to, "namespace": to},
        "spec": {"source": {"repoURL": "https://git.example/shop", "path": "deploy", "targetRevision": "main"},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}}},
        "status": {"resources": [{"group": "apps", "kind": "Deployment", "namespace": to, "name": "web"}]},
    });
    let collection = format!("/apis/{group}/{version}/namespaces/{to}/{plural}");
    plane.admin().create(&collection, &object).unwrap();

    let home = tempfile::tempdir().unwrap();
    let rolldeck =
        launch(&plane.owner("kept-promoted", None), home.path()).config(&two(&from, &to, ""));
    let terminal = rolldeck.open();
    promote(&terminal);
    let blocks = findings(&terminal, "BLOCK");
    assert!(
        blocks.len() == 1 && blocks[0].contains("heals itself"),
        "{}",
        terminal.picture()
    );
    terminal.keys("g");
    let folder = home.path().join(".state/rolldeck/changes");
    let file = wait::until("the change is written", || {
        let mut files = std::fs::read_dir(&folder).ok()?;
        files.next()?.ok().map(|file| file.path())
    });
    let digest = sha256(image("2.0").as_bytes());
    let wanted = format!("{}@{digest}", image("2.0"));
    is_the_change(plane, &prod, &file, &wanted);
    drop(terminal);

    let twin = home.path().join("twin.yaml");
    let words = [
        "promote",
        "web",
        "--from",
        "staging",
        "--to",
        "prod",
        "--git-patch",
        twin.to_str().unwrap(),
    ];
    let (code, text) = spoken(&rolldeck.with(&words));
    assert_eq!(code, Some(0), "{text}");
    is_the_change(plane, &prod, &twin, &wanted);
}

/// It names git's place and the image, and the server would take it; nothing is changed so far.
fn is_the_change(plane: &ControlPlane, prod: &Service, file: &Path, image: &str) {
    wait::until("all of the change is written", || {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        (text.contains(image) && text.contains("https://git.example/shop deploy, main"))
            .then_some(())
    });
    assert_eq!(prod.live_image(plane), prod.image("1.0"));
    let tried = plane.kubectl(&[
        "-n",
        &prod.namespace,
        "patch",
        "deploy/web",
        "--patch-file",
        file.to_str().unwrap(),
        "--dry-run=server",
        "-o",
        "jsonpath={.spec.template.spec.containers[0].image}",
    ]);
    assert_eq!(tried.trim(), image);
}
