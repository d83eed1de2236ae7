//! The doctor says that a push was never seen to reach its build, prints the hook, and sees it reach once exactly that
//! hook is installed: a real git, a real Subversion, a real Hudson.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::git::World;
use super::run;
use crate::screen::QUICK;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::hudson::{Hudson, JOB_TOKEN, PASSWORD};
use crate::support::pty::Launch;
use crate::support::wait;

/// One service `web`, with its job and its repository.
fn launch(name: &str, home: &Path, job: &str, repository: &str) -> Launch {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace(name);
    Service::new(&namespace, "web").run(plane, "1.0");
    let server = Hudson::shared().settings(job);
    Launch::new(home)
        .config(&format!(
            "{QUICK}{server}repositories: [{{url: '{repository}'}}]\n"
        ))
        .variable("CI_TOKEN", PASSWORD)
        .kubeconfig(&plane.owner(name, Some(&namespace)))
}

/// What the doctor says of pushes.
fn diagnosed(launch: &Launch) -> Value {
    let output = launch.clone().with(&["doctor", "web", "-o", "json"]).run();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        !text.contains(JOB_TOKEN) && !text.contains(PASSWORD),
        "{text}"
    );
    let all: Value = serde_json::from_str(&text).unwrap();
    let mut lines = all.as_array().unwrap().iter();
    lines.find(|line| line["about"] == "push").unwrap().clone()
}

fn sentence(line: &Value) -> &str {
    line["sentence"].as_str().unwrap()
}

/// The script that is printed, in the file that is named, below this folder.
fn install(line: &Value, repository: &Path) {
    let script = &line["hook"]["script"];
    let file = repository.join(script["file"].as_str().unwrap());
    fs::write(&file, script["text"].as_str().unwrap()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_push_reaches_its_build_by_the_hook_that_the_doctor_prints() {
    let world = World::new();
    world.commit("first", "a.txt");
    let home = tempfile::tempdir().unwrap();
    let launch = launch("hooked-git", home.path(), "hooked-git", &world.url());
    let line = diagnosed(&launch);
    assert_eq!(line["finding"], "unverified");
    assert_eq!(sentence(&line), "web: unproven: the job was never built");
    let printed = launch.clone().with(&["doctor", "web"]).run();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let script = line["hook"]["script"]["text"].as_str().unwrap();
    assert!(
        printed.contains(script),
        "to be copied as it stands: {printed}"
    );

    let origin = world.path("origin");
    install(&line, &origin);
    fs::write(
        origin.join("hooks/jenkins.curl"),
        format!("data = \"token={JOB_TOKEN}\"\n"),
    )
    .unwrap();
    let commit = world.commit("second", "a.txt");
    let line = wait::until("the push to be seen to reach its build", || {
        let line = diagnosed(&launch);
        (line["finding"] == "ok").then_some(line)
    });
    let said = sentence(&line);
    assert!(
        said.starts_with("web: reaches: #1, started by a push "),
        "{said}"
    );
    let newest = format!("built the newest commit of main, {}", &commit[..7]);
    assert!(said.contains(&newest), "{said}");
    assert_eq!(line["hook"], Value::Null);

    // One that the hook does not tell of.
    fs::remove_file(origin.join("hooks/post-receive")).unwrap();
    let lost = world.commit("third", "a.txt");
    let line = diagnosed(&launch);
    let want = format!(
        "the newest commit of main, {}, was not built by a push",
        &lost[..7]
    );
    assert!(sentence(&line).contains(&want), "{line}");
    assert_eq!(line["finding"], "unverified");
    assert!(line["hook"].is_object(), "{line}");
}

#[test]
fn a_commit_of_subversion_reaches_its_build_by_the_hook_that_the_doctor_prints() {
    let repository = Hudson::shared().hooked();
    let url = format!("svn+file://{}/trunk", repository.display());
    let commit = |name: &str| {
        let place = format!("file://{}/trunk/{name}", repository.display());
        run(
            &repository,
            "svn",
            &["mkdir", "-q", "--username", "ann", "-m", name, &place],
        );
    };
    let home = tempfile::tempdir().unwrap();
    let launch = launch("hooked-svn", home.path(), "hooked-svn", &url);
    let line = diagnosed(&launch);
    assert_eq!(sentence(&line), "web: unproven: the job was never built");
    install(&line, &repository);
    let ended = |number: u32| {
        let port = Hudson::shared().port();
        let page = format!("http://127.0.0.1:{port}/job/hooked-svn/{number}/api/json");
        // What is committed while one runs, this old server may not see.
        wait::until("the end of the build", || {
            let told = run(&repository, "curl", &["-s", &page]);
            told.contains("\"building\":false").then_some(())
        });
    };
    for (number, name, revision) in [(1, "cart", "r2"), (2, "mail", "r3")] {
        commit(name);
        let line = wait::until("the commit to be seen to reach its build", || {
            let line = diagnosed(&launch);
            let newest = sentence(&line).contains(revision);
            (newest && line["finding"] == "ok").then_some(line)
        });
        ended(number);
        let said = sentence(&line);
        assert!(said.contains("started by a change"), "{said}");
        assert!(
            said.contains(&format!("the newest commit of trunk, {revision}")),
            "{said}"
        );
    }
}
