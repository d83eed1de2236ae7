//! Everything beside the cluster is away, refusing or silent: board, history, rollback and follow go on as ever, and
//! each source says since when.

use serde_json::json;

use crate::screen::{row_of, wait_first_and_stalled};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::hostile::Hostile;
use crate::support::pty::{Launch, picture};

fn roll_back_beside(name: &str, port: u16, why: &str, commits: &str) {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace(name);
    let service = Service::new(&namespace, "checkout");
    service.run(plane, "main-a1b9e3c");
    let image = service.image("main-77c01d0-unpullable");
    let template = json!({
        "metadata": {"annotations": {"rolldeck.dev/commit": "77c01d0"}},
        "spec": {"containers": [{"name": "checkout", "image": image}]},
    });
    let patch = json!({"spec": {"template": template}});
    plane.admin().patch(&service.path(), &patch).unwrap();
    service.wait_waiting(plane, "ImagePullBackOff");
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("Dockerfile"), "FROM scratch\n").unwrap();
    let config = format!(
        "verifySeconds: 2
builds: [{{folder: '{}'}}]
registries: [{{host: registry.test, address: '127.0.0.1:{port}'}}]
jenkins: [{{name: ci, url: 'http://127.0.0.1:{port}', user: me, token: {{env: CI_TOKEN}}, jobs: {{pattern: '{{service}}'}}}}]
repositories: [{{url: 'git://127.0.0.1:{port}/{{service}}'}}]
",
        home.path().display()
    );
    let terminal = Launch::new(home.path())
        .config(&config)
        .kubeconfig(&plane.owner(name, Some(&namespace)))
        .variable("CI_TOKEN", "word")
        .variable("DOCKER_HOST", &format!("tcp://127.0.0.1:{port}"))
        .size(160, 40)
        .open();
    wait_first_and_stalled(&terminal, &service, "image");
    terminal.keys("\r");
    terminal.wait_for("the history, whatever the registry says of it", |screen| {
        let text = picture(screen);
        text.contains("HISTORY")
            && text.contains("main-a1b9e3c")
            && text.contains("R rolls back to")
            && text.lines().any(|line| {
                line.contains(&format!("commits  {commits}")) && line.contains("/checkout")
            })
    });
    terminal.keys("R");
    terminal.wait_for(
        "what counts has answered, and nobody waits for the rest",
        |screen| {
            let text = picture(screen);
            let answered = ["you may patch", "unchanged since", "accepts the patch"];
            answered.iter().all(|words| text.contains(words))
        },
    );
    terminal.keys("y");
    terminal.wait_text("verified:");
    service.wait_complete(plane, "main-a1b9e3c");
    terminal.keys("q");
    terminal.wait_gone("verified:");
    terminal.keys("q");
    terminal.wait_for("the board, with what is away and since when", |screen| {
        let text = picture(screen);
        let says = |name: &str| {
            let start = format!("{name}: ");
            let mut lines = text.lines();
            lines.any(|line| line.contains(&start) && line.contains(" for ") && line.contains(why))
        };
        let row = row_of(screen, "checkout").unwrap_or_default();
        row.contains("main-a1b9e3c") && says("ci") && says("registry.test")
    });
    terminal.keys("B");
    terminal.wait_text("BUILD");
    terminal.keys("\u{f}");
    terminal.wait_for("the engine, and since when", |screen| {
        let text = picture(screen);
        text.contains("from its folder") && text.contains("no answer for ")
    });
}

#[test]
fn nothing_waits_for_sources_that_refuse() {
    roll_back_beside("refusing", 1, "onnection refused", "unknown for ");
}

#[test]
fn nothing_waits_for_sources_that_never_answer() {
    let hole = Hostile::start(|_, socket| {
        // It says nothing, until the other side has enough of it.
        let _ = std::io::copy(socket, &mut std::io::sink());
    });
    roll_back_beside("silent", hole.port, "no answer within", "being read from ");
}
