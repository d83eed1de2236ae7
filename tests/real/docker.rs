//! A real Docker engine, beside real registries: builds, pushes, pulls, and what it says when they fail.

use std::fs;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use rolldeck::config::{self, DockerEngine};
use rolldeck::domain::image_work::ImageWork;
use rolldeck::engine::clock;
use rolldeck::sources::docker::{Build, Docker, Error, Working};
use rolldeck::sources::registry::Registries;

use crate::support::api::RUNTIME;
use crate::support::keeper::Keeper;
use crate::support::registries::{self, USER};
use crate::support::wait;

/// `dockerd` on a socket and folders of its own, without a network.
pub struct Dockerd {
    folder: tempfile::TempDir,
    keeper: Keeper,
}

impl Dockerd {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rolldeck-dockerd-")
            .tempdir()
            .unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let root = registries::installed();
        let inside = |name: &str| root.join(name).display().to_string();
        let path = std::env::var("PATH").unwrap();
        let arguments = [
            format!("PATH={}:{}:{path}", inside("usr/sbin"), inside("usr/bin")),
            format!(
                "LD_LIBRARY_PATH={0}/lib/x86_64-linux-gnu:{0}/usr/lib/x86_64-linux-gnu",
                root.display()
            ),
            inside("usr/sbin/dockerd"),
            format!("--host=unix://{}", at("d.sock")),
            format!("--data-root={}", at("data")),
            format!("--exec-root={}", at("exec")),
            format!("--pidfile={}", at("pid")),
            "--iptables=false".into(),
            "--bridge=none".into(),
        ];
        let log = folder.path().join("log");
        let keeper = Keeper::start(Path::new("/usr/bin/env"), &arguments, &log);
        Self { folder, keeper }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("d.sock")
    }

    /// As `DOCKER_HOST` names it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Once it answers.
    pub fn connect(&self) -> Docker {
        let address = DockerEngine {
            host: Some(self.host()),
            certificates: None,
        };
        wait::until("the Docker engine answers", || {
            let here = Path::new("/proc").join(self.keeper.process_id().to_string());
            assert!(here.exists(), "{}", self.keeper.last_words());
            let docker = Docker::new(&address).ok()?;
            RUNTIME.block_on(docker.version()).ok().map(|_| docker)
        })
    }
}

impl Drop for Dockerd {
    /// Asked first: only it takes its mounts away.
    fn drop(&mut self) {
        self.keeper.signal("TERM");
        let here = Path::new("/proc").join(self.keeper.process_id().to_string());
        let ended = || {
            let status = fs::read_to_string(here.join("status")).unwrap_or_default();
            (status.is_empty() || status.contains("State:\tZ")).then_some(())
        };
        wait::until("the Docker engine ends", ended);
    }
}

/// Else a test says that it did not run: the Docker engine wants it.
#[allow(clippy::print_stderr)] // nobody else says it
pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let root = status.contains("Uid:\t0\t");
    if !root {
        eprintln!("not run: the Docker engine wants root");
    }
    root
}

/// A folder that can be built without a network.
pub fn folder(dockerfile: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    fs::copy(
        registries::installed().join("bin/busybox"),
        place.join("busybox"),
    )
    .unwrap();
    fs::write(place.join("Dockerfile"), dockerfile).unwrap();
    fs::write(place.join(".dockerignore"), "*.secret\n").unwrap();
    fs::write(place.join("a.secret"), "hunter2").unwrap();
    (folder, place)
}

fn every(working: Working) -> Result<Vec<ImageWork>, Error> {
    let said: Vec<_> = RUNTIME.block_on(working.collect());
    said.into_iter().collect()
}

fn done(works: &[ImageWork]) -> &str {
    let last = works.iter().rev().find_map(|work| match work {
        ImageWork::Done(id) => Some(&**id),
        _ => None,
    });
    last.unwrap_or_else(|| panic!("no end: {works:?}"))
}

#[test]
fn what_is_built_is_pushed_with_its_digest_and_pulled_again() {
    if !is_root() {
        return;
    }
    let dockerd = Dockerd::start();
    let docker = dockerd.connect();
    let image = format!("{}/shop/built:1.0", registries::open().host);
    let id = is_built(&docker, &image);
    failures_are_errors(&docker, &image);
    let digest = is_pushed(&docker, &image, &id);
    is_pulled_with_the_login_of_docker(&docker, &image, &digest);
}

const DOCKERFILE: &str = "FROM scratch\nCOPY busybox /bin/sh\nCOPY . /files\nRUN [ ! -e /files/a.secret ] && echo made $WHAT\n";

fn made(docker: &Docker, image: &str, dockerfile: &str) -> Result<Vec<ImageWork>, Error> {
    let (_folder, place) = folder(dockerfile);
    let revision = "org.opencontainers.image.revision".to_owned();
    every(docker.build_folder(Build {
        folder: place,
        dockerfile: "Dockerfile".into(),
        tag: image.to_owned(),
        labels: [(revision, "c0ffee".to_owned())].into(),
        network: Some("none".into()),
        ..Build::default()
    }))
}

/// Its id.
fn is_built(docker: &Docker, image: &str) -> String {
    let works = made(docker, image, DOCKERFILE).unwrap();
    let steps = works
        .iter()
        .filter(|work| matches!(work, ImageWork::Step { .. }));
    assert!(steps.count() >= 4, "{works:?}");
    let said = |line: &str| works.contains(&ImageWork::Output(line.into()));
    assert!(said("made"), "{works:?}");
    let id = done(&works).to_owned();
    let images = RUNTIME.block_on(docker.images()).unwrap();
    let found = images.iter().find(|found| *found.id == *id).unwrap();
    assert_eq!(found.tags, [image.into()]);
    assert_eq!(
        &*found.labels["org.opencontainers.image.revision"],
        "c0ffee"
    );
    assert!(found.digests.is_empty() && found.created.is_some() && found.size > 0);
    id
}

fn failures_are_errors(docker: &Docker, image: &str) {
    // What fails inside of an answer that began well is an error.
    for (dockerfile, words) in [
        (
            "FROM scratch\nCOPY busybox /bin/sh\nRUN exit 3\n",
            "returned a non-zero code: 3",
        ),
        ("FROM scratch\nCOPY nothing /\n", "nothing"),
        ("NONSENSE\n", "unknown instruction: NONSENSE"),
    ] {
        let error = made(docker, image, dockerfile).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("build {image}: ")) && error.contains(words),
            "{error}"
        );
    }
    let dead = "127.0.0.1:1/shop/built:1.0";
    RUNTIME.block_on(docker.tag(image, dead)).unwrap();
    let error = every(docker.push_to_registry(dead, None)).unwrap_err();
    assert!(error.to_string().contains("connection refused"), "{error}");
    let unknown = RUNTIME
        .block_on(docker.tag("no/such:1", "no/other:1"))
        .unwrap_err();
    assert!(matches!(unknown, Error::Refused { .. }), "{unknown}");
}

/// Its digest.
fn is_pushed(docker: &Docker, image: &str, id: &str) -> String {
    let pushed = every(docker.push_to_registry(image, None)).unwrap();
    assert!(
        pushed
            .iter()
            .any(|work| matches!(work, ImageWork::Layer { bytes: Some(_), .. })),
        "{pushed:?}"
    );
    let digest = done(&pushed).to_owned();
    let known = Registries::new(&config::Registries::default(), clock::now);
    let manifest = RUNTIME.block_on(known.manifest(image, &[])).unwrap();
    assert_eq!(
        (&*manifest.digest, manifest.commit()),
        (&*digest, Some("c0ffee"))
    );
    let images = RUNTIME.block_on(docker.images()).unwrap();
    let found = images.iter().find(|found| *found.id == *id).unwrap();
    assert_eq!(
        found.digest_in(&format!("{}/shop/built", registries::open().host)),
        Some(&*digest)
    );
    digest
}

fn is_pulled_with_the_login_of_docker(docker: &Docker, image: &str, digest: &str) {
    let locked = registries::with_password();
    // With the login that docker keeps, and not without.
    let home = registries::logged_in(&locked.host, USER);
    let settings = config::Registries {
        docker_config: Some(home.path().into()),
        ..config::Registries::default()
    };
    let registries = Registries::new(&settings, clock::now);
    let copy = format!("{}/prod/built:1.0", locked.host);
    let copied = RUNTIME
        .block_on(registries.copy_image(image, &copy, &[]))
        .unwrap();
    assert_eq!(*copied, *digest);
    let login = RUNTIME.block_on(registries.login(&copy)).unwrap();
    let denied = every(docker.pull(&copy, None)).unwrap_err();
    assert!(
        denied.to_string().starts_with(&format!("pull {copy}: ")),
        "{denied}"
    );
    let pulled = every(docker.pull(&copy, login.as_ref())).unwrap();
    assert_eq!(done(&pulled), digest);
    let again = every(docker.push_to_registry(&copy, login.as_ref())).unwrap();
    assert_eq!(done(&again), digest);
}
