//! A plan says which commits go back with it, as far as they are known, and never waits for that.

use std::path::Path;

use serde_json::json;

use super::git::World;
use crate::kinds::said;
use crate::screen::QUICK;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::{Launch, picture};

fn launch(kubeconfig: &Path, home: &Path, url: Option<&str>) -> Launch {
    let repositories = url.map_or_else(String::new, |url| {
        format!("repositories: [{{url: '{url}'}}]\n")
    });
    Launch::new(home)
        .config(&format!("{QUICK}{repositories}"))
        .kubeconfig(kubeconfig)
}

fn planned(kubeconfig: &Path, home: &Path, url: Option<&str>) -> String {
    let words = ["rollback", "checkout", "--dry-run"];
    said(&launch(kubeconfig, home, url).with(&words).run()).1
}

#[test]
fn commits_that_go_back_are_named_with_their_fixes_and_migrations() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    let fix = world.commit("fix: rounding \x1b[2J", "round.rs");
    let new = world.commit("feat: voucher", "db/migrate/7.sql");
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("commits");
    let service = Service::new(&namespace, "checkout");
    let tag = |commit: &str| format!("main-{commit}");
    service.run(plane, &tag(&old));
    service.set_image(plane, &tag(&new));
    service.wait_complete(plane, &tag(&new));
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let text = planned(&kubeconfig, home.path(), Some(&world.url()));
    let want = format!(
        "warn       goes back over 2 commits: 1 fix ({} fix: rounding \\x1b[2J), 1 migration (db/migrate/7.sql)",
        &fix[..7]
    );
    assert!(text.contains(&want), "{text}");
    assert!(!text.contains('\x1b'), "{text}");

    let words = ["history", "checkout", "--commits"];
    let listed = launch(&kubeconfig, home.path(), Some(&world.url())).with(&words);
    let text = said(&listed.run()).1;
    let head = format!("{} to {}: 2", &old[..7], &new[..7]);
    assert!(text.contains(&head), "{text}");
    assert!(
        text.contains("fix: rounding \\x1b[2J (Ann)") && !text.contains('\x1b'),
        "{text}"
    );

    let terminal = launch(&kubeconfig, home.path(), Some(&world.url())).open();
    terminal.wait_text("checkout");
    terminal.keys("\r");
    terminal.wait_text(&format!("commits  2: {} feat: voucher (Ann)", &new[..7]));
    terminal.wait_text(&format!("{} fix: rounding \\x1b[2J (Ann)", &fix[..7]));
    terminal.keys("\r");
    terminal.wait_text("COMMITS of ");
    drop(terminal);

    // A template that says it itself, and says something that is not there.
    let nowhere = "0123456789abcdef0123456789abcdef01234567";
    let change = json!({"spec": {"template": {"metadata": {"annotations": {"rolldeck.dev/commit": nowhere}}}}});
    plane.admin().patch(&service.path(), &change).unwrap();
    let change =
        json!({"spec": {"template": {"metadata": {"annotations": {"rolldeck.dev/commit": new}}}}});
    service.wait_complete(plane, &tag(&new));
    plane.admin().patch(&service.path(), &change).unwrap();
    service.wait_complete(plane, &tag(&new));
    let to = ["rollback", "checkout", "--dry-run", "--to", "2"];
    let text = said(
        &launch(&kubeconfig, home.path(), Some(&world.url()))
            .with(&to)
            .run(),
    )
    .1;
    assert!(!text.contains(nowhere), "only one side says it: {text}");
    let to = ["rollback", "checkout", "--dry-run", "--to", "3"];
    let text = said(
        &launch(&kubeconfig, home.path(), Some(&world.url()))
            .with(&to)
            .run(),
    )
    .1;
    let missing = format!("has no commit {nowhere}");
    assert!(
        text.contains("unverified ") && text.contains(&missing),
        "{text}"
    );

    // Where nothing is known of a repository nothing is said.
    let to = ["rollback", "checkout", "--dry-run", "--to", "1"];
    let text = said(&launch(&kubeconfig, home.path(), None).with(&to).run()).1;
    assert!(!text.contains("goes back over"), "{text}");
}

#[test]
fn a_repository_that_does_not_answer_holds_up_no_rollback() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("git://{}/checkout", server.local_addr().unwrap());
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("silent-repository");
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "main-a1b9e3c");
    service.set_image(plane, "main-77c01d0");
    service.wait_complete(plane, "main-77c01d0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let terminal = launch(&kubeconfig, home.path(), Some(&url)).open();
    terminal.wait_for("the service", |screen| picture(screen).contains("checkout"));
    terminal.keys("R");
    terminal.wait_for(
        "what counts has answered and the commits have not",
        |screen| {
            let text = picture(screen);
            text.contains("asking ")
                && text.contains("which commits it takes back")
                && text.matches("asking ").count() == 1
        },
    );
    terminal.keys("y");
    service.wait_complete(plane, "main-a1b9e3c");
}
