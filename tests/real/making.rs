//! Images that rolldeck itself makes: built by a real Docker engine from a git folder, pushed to a real registry, set
//! on a real control plane; copied between registries; and what is said when it goes wrong.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rolldeck::config;
use rolldeck::domain::Manifest;
use rolldeck::engine::clock;
use rolldeck::sources::registry::Registries;
use serde_json::json;

use crate::docker::{Dockerd, folder, is_root};
use crate::kinds::said;
use crate::scaling::close;
use crate::screen::{QUICK, row_of, wait_plan_to};
use crate::source_repo::run;
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::Launch;
use crate::support::registries::{self, USER};

const DOCKERFILE: &str =
    "FROM scratch\nARG TOKEN\nCOPY busybox /bin/sh\nCOPY Dockerfile /\nRUN echo made it\n";
const SECRET: &str = "hunter2";

/// A service on the control plane, the folder that it is built from, and a home.
struct Bench {
    service: Service,
    home: tempfile::TempDir,
    _folder: tempfile::TempDir,
    place: PathBuf,
    launch: Launch,
}

impl Bench {
    /// Pushed to this registry.
    fn new(name: &str, host: &str) -> Self {
        let plane = ControlPlane::shared();
        let namespace = plane.namespace(name);
        let service = Service::new(&namespace, "web");
        service.run(plane, "1.0");
        let home = tempfile::tempdir().unwrap();
        let (folder, place) = folder(DOCKERFILE);
        let rule = format!(
            "builds: [{{folder: {}, image: '{host}/{name}/{{service}}', network: none}}]\n",
            place.display()
        );
        let launch = Launch::new(home.path())
            .config(&format!("{QUICK}{rule}"))
            .kubeconfig(&plane.owner(name, Some(&namespace)));
        Self {
            service,
            home,
            _folder: folder,
            place,
            launch,
        }
    }

    fn engine(mut self, dockerd: &Dockerd) -> Self {
        dockerd.connect();
        self.launch = self.launch.variable("DOCKER_HOST", &dockerd.host());
        self
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        said(&self.launch.clone().with(words).run())
    }

    /// The commit.
    fn commit(&self) -> String {
        self.git(&["init", "-q"]);
        self.git(&["config", "user.name", "ana"]);
        self.git(&["config", "user.email", "ana@example"]);
        let origin = "https://git.example/shop/web.git";
        self.git(&["remote", "add", "origin", origin]);
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "-m", "first"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn git(&self, arguments: &[&str]) -> String {
        run(&self.place, "git", arguments)
    }

    fn record(&self) -> String {
        let state = self.home.path().join(".state/rolldeck");
        fs::read_to_string(state.join("release-record.jsonl")).unwrap_or_default()
    }
}

fn manifest(image: &str, docker_config: Option<&Path>) -> Manifest {
    let settings = config::Registries {
        docker_config: docker_config.map(Into::into),
        ..config::Registries::default()
    };
    let registries = Registries::new(&settings, clock::now);
    RUNTIME.block_on(registries.manifest(image, &[])).unwrap()
}

#[test]
fn an_image_is_built_from_a_folder_pushed_and_set_by_its_digest() {
    if !is_root() {
        return;
    }
    let dockerd = Dockerd::start();
    let host = &registries::open().host;
    let bench = Bench::new("making", host).engine(&dockerd);
    let commit = bench.commit();
    let image = format!("{host}/making/web:{}", &commit[..7]);
    let local = ["build", "web", "--local"];
    let (code, text) = bench.run(&[&local[..], &["--dry-run"]].concat());
    assert_eq!(code, 0, "{text}");
    for words in [
        &*format!("{commit} of https://git.example/shop/web.git"),
        "engine  Docker 20.10",
        &image,
        "the folder is as commit",
        "nothing was changed",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(bench.record(), "");
    let secret = format!("TOKEN={SECRET}");
    let (code, text) = bench.run(&[&local[..], &["-p", &secret, "--yes"]].concat());
    assert_eq!(code, 0, "{text}");
    let manifest = manifest(&image, None);
    let pinned = format!("{image}@{}", manifest.digest);
    let hint = format!(
        "rolldeck set-image deploy/web {pinned} -n {}",
        bench.service.namespace
    );
    for words in ["step 1 of ", "made it", &manifest.digest, &hint] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(manifest.commit(), Some(&*commit));
    assert_eq!(manifest.source(), Some("https://git.example/shop/web.git"));
    assert!(manifest.created.is_some());
    let record = bench.record();
    for words in [
        "build-image",
        &image,
        &manifest.digest,
        "accepted",
        "with TOKEN",
    ] {
        assert!(record.contains(words), "{words}: {record}");
    }
    assert!(
        !format!("{text}{record}").contains(SECRET),
        "{text}{record}"
    );

    overwrites_only_with_a_reason(&bench, &image);
    let words: Vec<_> = hint.split(' ').skip(1).collect();
    let (code, text) = bench.run(&[&words[..], &["--yes"]].concat());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verified: 2/2 pods run"), "{text}");
    assert_eq!(bench.service.live_image(ControlPlane::shared()), pinned);
}

fn overwrites_only_with_a_reason(bench: &Bench, image: &str) {
    let again = ["build", "web", "--local", "--yes"];
    let (code, text) = bench.run(&again);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains(&format!("{image} is there already (")),
        "{text}"
    );
    let (code, text) = bench.run(&[&again[..], &["--tag", "other", "--no-push"]].concat());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("it was not pushed"), "{text}");
    fs::write(bench.place.join("new"), "").unwrap();
    let (code, text) = bench.run(&["build", "web", "--local", "--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1 file changed since the commit"), "{text}");
    assert!(text.contains("-dirty\n"), "{text}");
    let reason = [
        "--tag",
        &image[image.len() - 7..],
        "--override",
        "it was broken",
    ];
    let (code, text) = bench.run(&[&again[..], &reason].concat());
    assert_eq!(code, 0, "{text}");
    let (code, text) = bench.run(&["record", "web"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("is in its registry as sha256:"), "{text}");
    assert!(bench.record().contains("it was broken"));
    // The digest in the hint of the first build is still there; the tag moved on.
    fs::remove_file(bench.place.join("new")).unwrap();
}

#[test]
fn what_goes_wrong_on_the_way_is_one_sentence() {
    if !is_root() {
        return;
    }
    let dockerd = Dockerd::start();
    let locked = registries::with_password();
    let bench = Bench::new("making-wrong", &locked.host).engine(&dockerd);
    let build = ["build", "web", "--local", "--tag", "1.1", "--yes"];
    let wrong = registries::logged_in(&locked.host, (USER.0, SECRET));
    let launch = bench
        .launch
        .clone()
        .variable("DOCKER_CONFIG", &wrong.path().display().to_string());
    let (code, text) = said(&launch.with(&build).run());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("the login is not accepted"), "{text}");
    assert!(text.contains("unauthorized"), "{text}");
    assert!(
        !format!("{text}{}", bench.record()).contains(SECRET),
        "{text}"
    );
    assert!(bench.record().contains("refused"), "{}", bench.record());
    for (dockerfile, words) in [
        (
            "FROM scratch\nCOPY busybox /bin/sh\nRUN exit 3\n",
            "returned a non-zero code: 3",
        ),
        ("FROM scratch\nCOPY nothing /\n", "nothing"),
        ("NONSENSE\n", "unknown instruction: NONSENSE"),
    ] {
        fs::write(bench.place.join("Dockerfile"), dockerfile).unwrap();
        let (code, text) = bench.run(&build);
        assert_eq!(code, 1, "{text}");
        assert!(
            text.contains(words) && text.contains("nothing was pushed"),
            "{text}"
        );
    }
    fs::remove_file(bench.place.join("Dockerfile")).unwrap();
    let (code, text) = bench.run(&build);
    assert_eq!(code, 1, "{text}");
    let words = format!("there is no Dockerfile in {}", bench.place.display());
    assert!(text.contains(&words), "{text}");
    let nowhere = bench
        .launch
        .clone()
        .variable("DOCKER_HOST", "unix:///nonexistent/d.sock");
    let (code, text) = said(&nowhere.with(&build).run());
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("no Docker engine answers at unix:///nonexistent/d.sock"),
        "{text}"
    );
    let bare = bench.launch.clone().config(QUICK);
    let (code, text) = said(&bare.with(&build).run());
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("no folder is known that deploy/web is built from"),
        "{text}"
    );
}

/// Stands between and the engine: the answer to a push never comes through, nor does the push itself unless it is let.
struct Cut {
    port: u16,
    pushes: Arc<AtomicUsize>,
}

impl Cut {
    fn before(socket: PathBuf, passes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let pushes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&pushes);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let engine = UnixStream::connect(&socket).unwrap();
                connect(client, engine, passes, Arc::clone(&counted));
            }
        });
        Self { port, pushes }
    }
}

fn connect(client: TcpStream, engine: UnixStream, passes: bool, pushes: Arc<AtomicUsize>) {
    let silent = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (client.try_clone().unwrap(), engine.try_clone().unwrap());
    let is_push = Arc::clone(&silent);
    thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..read]);
            if text
                .lines()
                .next()
                .is_some_and(|line| line.contains("/push?"))
            {
                pushes.fetch_add(1, Ordering::Relaxed);
                is_push.store(true, Ordering::Relaxed);
                if !passes {
                    let _ = from.shutdown(Shutdown::Both);
                    break;
                }
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (engine, client);
    thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if !silent.load(Ordering::Relaxed) {
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            } else if buffer[..read].ends_with(b"0\r\n\r\n") {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_push_whose_answer_is_lost_is_looked_for_and_never_sent_again() {
    if !is_root() {
        return;
    }
    let dockerd = Dockerd::start();
    let host = &registries::open().host;
    let bench = Bench::new("making-cut", host).engine(&dockerd);
    // Without another tag a registry is not believed that there is none.
    registries::open().push("making-cut/web", "0.1", &json!({}));
    for (tag, passes, want) in [("lost", false, 1), ("done", true, 0)] {
        let cut = Cut::before(dockerd.socket(), passes);
        let through = format!("tcp://127.0.0.1:{}", cut.port);
        let launch = bench.launch.clone().variable("DOCKER_HOST", &through);
        let words = ["build", "web", "--local", "--tag", tag, "--yes"];
        let (code, text) = said(&launch.with(&words).run());
        assert_eq!(code, want, "{text}");
        assert_eq!(cut.pushes.load(Ordering::Relaxed), 1, "{text}");
        let image = format!("{host}/making-cut/web:{tag}");
        if passes {
            let digest = manifest(&image, None).digest;
            let words = format!("{image} is in its registry as {digest}");
            assert!(text.contains(&words), "{text}");
        } else {
            assert!(
                text.contains("it is not known whether it was done"),
                "{text}"
            );
            assert!(text.contains("does not have it"), "{text}");
            assert!(bench.record().contains("unknown"), "{}", bench.record());
        }
    }
}

#[test]
fn an_image_is_copied_by_its_digest() {
    let (open, locked) = (registries::open(), registries::with_password());
    let bench = Bench::new("copying", &open.host);
    let labels = json!({"org.opencontainers.image.revision": "c0ffee"});
    let pushed = open.push("copying/web", "1.0", &labels);
    let from = format!("{}/copying/web:1.0", open.host);
    let to = format!("{}/prod/web", locked.host);
    let own = registries::logged_in(&locked.host, USER);
    let launch = bench
        .launch
        .clone()
        .variable("DOCKER_CONFIG", &own.path().display().to_string());
    let run = |more: &[&str]| {
        let words = ["copy-image", "web", &to, "--from"];
        said(&launch.clone().with(&[&words[..], more].concat()).run())
    };
    let (code, text) = run(&[&from, "--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&pushed.digest), "{text}");
    for told in ["is in its registry as", "is there already, the same image"] {
        let (code, text) = run(&[&from, "--yes"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains(told), "{text}");
        let there = manifest(&format!("{to}:1.0"), Some(own.path()));
        assert_eq!(*there.digest, *pushed.digest);
    }
    let record = bench.record();
    assert!(
        record.contains("copy-image") && record.contains(&pushed.digest),
        "{record}"
    );
    open.push("copying/web", "1.0", &json!({"another": "image"}));
    let (code, text) = run(&[&from, "--yes"]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("it would be overwritten"), "{text}");
    let (code, text) = run(&[&format!("{}/copying/none:1.0", open.host), "--yes"]);
    assert_eq!(code, 1, "{text}");
    let (code, text) = run(&[&from, "--yes", "--readonly"]);
    assert_eq!(code, 3, "{text}");
}

#[test]
fn a_key_builds_from_the_folder_while_the_screen_goes_on() {
    if !is_root() {
        return;
    }
    let dockerd = Dockerd::start();
    let host = &registries::open().host;
    let bench = Bench::new("making-keys", host).engine(&dockerd);
    let commit = bench.commit();
    let image = format!("{host}/making-keys/web:{}", &commit[..7]);
    let mut terminal = bench.launch.clone().size(120, 40).open();
    terminal.wait_for("the row", |screen| row_of(screen, "web").is_some());
    terminal.keys("B");
    terminal.wait_text("BUILD  deploy/web  from its folder");
    terminal.wait_text("the folder is as commit");
    // What was shown is not what would be built.
    fs::write(bench.place.join("new"), "").unwrap();
    terminal.keys("y");
    terminal.wait_text("changed since it was shown");
    assert_eq!(bench.record(), "");
    fs::remove_file(bench.place.join("new")).unwrap();
    terminal.keys("q");
    terminal.wait_for("the row", |screen| row_of(screen, "web").is_some());
    terminal.keys("B");
    terminal.wait_text("the folder is as commit");
    terminal.keys("y");
    terminal.wait_text("made it");
    terminal.wait_text(&format!("{image} is in its registry as sha256:"));
    terminal.keys("q");
    terminal.wait_for("the row", |screen| row_of(screen, "web").is_some());
    let digest = manifest(&image, None).digest;
    terminal.keys("i");
    terminal.wait_text("image or tag: ");
    terminal.keys("\x1b[B\r");
    wait_plan_to(&terminal, "SET IMAGE");
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run");
    let live = bench.service.live_image(ControlPlane::shared());
    assert_eq!(live, format!("{image}@{digest}"));
    close(&terminal);
    assert!(bench.record().contains("build-image"), "{}", bench.record());
    // Somebody else pushes that tag while one looks at the plan.
    bench.git(&["commit", "-q", "--allow-empty", "-m", "again"]);
    let commit = bench.git(&["rev-parse", "HEAD"]);
    terminal.keys("B");
    terminal.wait_text(&format!("as commit {}", &commit[..7]));
    let theirs = registries::open().push("making-keys/web", &commit[..7], &json!({}));
    terminal.keys("y");
    terminal.wait_text("came to be there meanwhile");
    let image = format!("{host}/making-keys/web:{}", &commit[..7]);
    assert_eq!(*manifest(&image, None).digest, *theirs.digest);
    terminal.keys("q");
    terminal.wait_for("the row", |screen| row_of(screen, "web").is_some());
    // A build that hangs is stopped by a key.
    fs::write(
        bench.place.join("Dockerfile"),
        "FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/sleep\nRUN sleep 600\n",
    )
    .unwrap();
    bench.git(&["commit", "-q", "-a", "-m", "hangs"]);
    terminal.keys("B");
    terminal.wait_text("the folder is as commit");
    terminal.keys("y");
    terminal.wait_text("RUN sleep 600");
    terminal.keys("X");
    terminal.wait_text("it was stopped (nothing was pushed)");
    terminal.keys("q");
    terminal.wait_for("the row", |screen| row_of(screen, "web").is_some());
    // So is one that is under way when rolldeck is left.
    terminal.keys("B");
    terminal.wait_text("the folder is as commit");
    terminal.keys("y");
    terminal.wait_text("RUN sleep 600");
    terminal.keys("\x03");
    assert!(terminal.wait_exit().success());
    let record = bench.record();
    assert_eq!(
        record
            .matches("it was stopped (nothing was pushed)")
            .count(),
        2,
        "{record}"
    );
}
