//! Real repositories, by the real git and the real svn.

mod failures;
pub mod git;
mod hooks;
mod plan;
mod slow;
mod subversion;

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use rolldeck::domain::{Commit, Commits, Remote, Repository};

/// A repository at this address, and the folder of a service in it.
fn repository(url: &str, folder: Option<&str>) -> Repository {
    Repository {
        service: "cart".into(),
        remote: Remote::parse(url).unwrap(),
        folder: folder.map(Into::into),
    }
}

/// Runs a program in a folder, away from the settings of whoever runs the tests.
pub fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|why| panic!("{program}: {why}; run tests/subversion/install"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// As a super-server does: each connection is the input and the output of a server of its own.
fn per_connection(server: impl Fn() -> Command + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let input = stream.unwrap();
            let output = input.try_clone().unwrap();
            let mut server = server()
                .stdin(OwnedFd::from(input))
                .stdout(OwnedFd::from(output))
                .spawn()
                .expect("run tests/subversion/install");
            thread::spawn(move || server.wait());
        }
    });
    port
}

fn subjects(commits: &Commits) -> Vec<&str> {
    commits.list.iter().map(|c: &Commit| &*c.subject).collect()
}

fn paths(commits: &Commits) -> Vec<&str> {
    commits.paths.iter().map(|path| &**path).collect()
}
